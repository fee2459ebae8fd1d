"""Tests of claims about gates and about variance within videos."""

import numpy as np
import pytest

from msalib.data.corpus import MODALITIES
from msalib.papers.uegd.evidence_gates import gate_rises, speaker_driven
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records, predictions
from tests.papers.uegd.planted import replaced, runs, together

pytestmark = pytest.mark.usefixtures("few_resamples")

# --- gates and variances ------------------------------------------------------------------------


def gated(records, of, level, spread=0.05):
    """The records of a system with gate weights about these levels, and 0.5 for the others."""
    rng = np.random.default_rng(2)

    def gates(record):
        count = len(record.gates["visual"])
        levels = dict.fromkeys(MODALITIES, 0.5) | level
        return {m: (x + spread * rng.normal(size=count)).tolist() for m, x in levels.items()}

    return replaced(records, of, gates=gates)


@pytest.mark.parametrize(
    ("level", "verdict"), [(0.6, "supported"), (0.4, "contradicted"), (0.5, "inconclusive")]
)
def test_a_gate_that_opens_is_found(level, verdict):
    noise = {0: 2.0, 1: 1.5, 2: 1.0}
    records = layer_records({"acoustic": noise, "linguistic": noise})
    records = together(records, mid_best=1.0, input=1.0)
    mid_best, conventional = (system({"acoustic": k, "linguistic": k}) for k in (2, 0))
    records = gated(gated(records, mid_best, {"acoustic": level}), conventional, {"acoustic": 0.5})
    judged = gate_rises(Runs(records), modality="acoustic")
    assert judged.verdict == verdict
    assert judged.effects["acoustic gate"].effect == pytest.approx(level - 0.5, abs=0.02)
    sign = {"supported": "+0.", "contradicted": "-0."}.get(verdict, "0.0")
    assert sign in judged.note.split("Cliff's delta over clips and seeds ")[1]


def test_a_gate_whose_own_features_stay_the_same_is_shown_and_not_judged():
    noise = {"acoustic": {1: 1.0}, "linguistic": {0: 2.0, 1: 1.5, 2: 0.8, 3: 1.5}}
    records = together(layer_records(noise), mid_best=1.0, input=1.0)
    judged = gate_rises(Runs(records), modality="acoustic")
    assert judged.verdict == "not run" and list(judged.effects) == ["acoustic gate"]
    assert judged.note.startswith("needs acoustic layers of the same clips (here they are")
    judged = gate_rises(Runs(records), modality="visual")
    assert judged == ("not run", {}, "needs visual layers of the same clips")


def by_speaker(record):
    """Predictions that follow the video, and hardly the clip."""
    parts = {}
    for part, clips in record.predictions.items():
        label, video = np.array(clips.label), np.array(clips.video)
        means = {v: label[video == v].mean() for v in set(clips.video)}
        guess = np.array([means[v] for v in clips.video]) + 0.1 * label
        parts[part] = predictions(label, guess, video)
    return parts


SPEAKERS = {"modality": "visual", "others": ["acoustic", "linguistic"]}


@pytest.mark.parametrize(
    ("who", "verdict"),
    [("visual", "supported"), ("acoustic", "contradicted"), (None, "inconclusive")],
)
def test_predictions_that_follow_the_speaker_are_found(who, verdict):
    records = layer_records({m: {1: 1.0} for m in MODALITIES})
    if who:
        records = replaced(records, system({who: 1}), predictions=by_speaker)
    judged = speaker_driven(Runs(records), **SPEAKERS)
    assert judged.verdict == verdict
    assert list(judged.effects)[:2] == [
        "within/total minus acoustic",
        "within/total minus linguistic",
    ]
    share, within = (judged.effects[f"visual {name}"] for name in ("within/total", "within"))
    assert share.kind == within.kind == "level" and within.effect > share.effect * 0.1


def test_videos_of_one_clip_have_no_variance_within():
    records = Runs(layer_records({m: {1: 1.0} for m in MODALITIES}, clips=1, videos=40))
    judged = speaker_driven(records, **SPEAKERS)
    assert judged == ("not run", {}, "needs several clips of a video")


def test_speakers_cannot_be_judged_without_all_three_modalities():
    judged = speaker_driven(runs(visual={1: 1.0}, acoustic={1: 1.0}), **SPEAKERS)
    assert judged.verdict == "not run"
    assert judged.note == "needs linguistic features of the same clips"
    assert "acoustic within/total" in judged.effects
