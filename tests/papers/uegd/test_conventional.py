"""Encoder features against conventional ones of words, which lie in settings of their own."""

import pytest

from msalib.papers.uegd import BESIDE, conventional, layers, tables
from msalib.papers.uegd.evidence_features import better_than_conventional
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Setting
from msalib.runs.spec import system
from tests.factory import layer_records, system_records, truth_of
from tests.papers.uegd.planted import arguments, together

pytestmark = pytest.mark.usefixtures("few_resamples")

SPEC = {"dataset": "mosi-standardised", "encoder": "minilm", "setting": "substitute"}
ALONE = {"acoustic": {1: 1.5}, "linguistic": {0: 2.0, 1: 1.0, 2: 0.6, 3: 0.9, "weighted": 0.8}}


def encoded(**noise):
    """Records of the encoder: alone, and together with noise by feature."""
    records = layer_records(ALONE, **SPEC)
    if not noise:
        return records
    known = Runs(records)
    joint = {layers.system_of(known, known.modalities, f): sd for f, sd in noise.items()}
    return records + system_records(
        joint, {"acoustic": 1, "linguistic": 3}, truth=truth_of(records[0]), **SPEC
    )


def write(like, *, seeds=5, **noise):
    """Write the records of conventional features, by the noise of each kind, alone and together."""
    systems = [system({"linguistic": 1}), system({"acoustic": 1, "linguistic": 1})]
    for encoder, sd in noise.items():
        spec = {**SPEC, "encoder": encoder}
        blocks = {"acoustic": 1, "linguistic": 1}
        made = system_records(
            dict.fromkeys(systems, sd), blocks, truth=truth_of(like[0]), seeds=seeds, **spec
        )
        for record in made:
            records.write(record)


def judge(claim, made):
    return better_than_conventional(Runs(made), **arguments(claim))


@pytest.mark.parametrize(
    ("lexicon", "tfidf", "verdict"),
    [
        (2.5, 2.5, "supported"),
        (2.5, 0.2, "contradicted"),  # one kind that is better is enough
        (0.2, 2.5, "contradicted"),
        (2.5, 0.9, "inconclusive"),
    ],
)
@pytest.mark.parametrize("claim", ["UEGD-C1", "UEGD-C4"])
def test_encoder_features_can_win_and_lose(claim, lexicon, tfidf, verdict):
    made = encoded(output=0.9, mid_best=0.6, weighted=0.8)
    write(made, lexicon=lexicon, tfidf=tfidf)
    judged = judge(claim, made)
    assert judged.verdict == verdict
    group = "linguistic" if claim == "UEGD-C4" else "acoustic+linguistic"
    named = [name for name in judged.effects if "as chosen" not in name or claim == "UEGD-C1"]
    assert named[0] == f"{group} output minus sentiment lexicon MAE"
    assert len(named) == 12
    worse = judged.effects[f"{group} weighted minus TF-IDF Corr"]
    assert (worse.effect < 0) == (tfidf == 0.2)
    assert "minus conventional features of words; linguistic mid-best is block 2" in judged.note
    assert "5 seeds, 160 test clips of 20 videos" in judged.note
    decides = "choosing decides" if claim == "UEGD-C4" else "as chosen decides"
    assert decides in judged.note


def test_the_records_read_are_those_of_the_encoder():
    made = encoded()
    write(made, lexicon=2.0, tfidf=2.0)
    runs = Runs(made)
    better_than_conventional(runs, **arguments("UEGD-C4"))
    assert len(runs.used) == 20  # three blocks and the sum, five seeds
    beside = conventional.beside(runs)
    assert {r.spec.system.name() for r in beside} == {
        f"{first}linguistic-{kind}"
        for first in ("", "acoustic-1+")
        for kind in ("lexicon", "tfidf")
    }


def test_only_one_kind_or_too_few_seeds_give_no_verdict():
    made = encoded()
    write(made, lexicon=2.0)
    judged = judge("UEGD-C4", made)
    assert judged.verdict == "not run" and "needs runs of linguistic-tfidf" in judged.note
    assert "linguistic output minus sentiment lexicon MAE" in judged.effects
    write(made, tfidf=2.0, seeds=4)
    assert "needs 5 seeds of what is compared (4 so far)" in judge("UEGD-C4", made).note


def test_other_presets_are_not_compared():
    made = encoded()
    write(made, lexicon=2.0, tfidf=2.0)
    other = [
        r.model_copy(update={"spec": r.spec.model_copy(update={"preset": "article"})}) for r in made
    ]
    assert judge("UEGD-C4", other).verdict == "not run"


def test_data_without_conventional_features_are_told():
    noise = {0: 2.0, 1: 1.0, 2: 0.6, "weighted": 0.8}
    control = together(
        layer_records({"acoustic": noise, "linguistic": noise}),
        output=1.0,
        mid_best=1.0,
        weighted=1.0,
    )
    assert judge("UEGD-C1", control).note == (
        "needs conventional acoustic and linguistic features of the same clips"
    )
    judged = judge("UEGD-C4", control)
    assert judged.verdict == "not run"
    assert "conventional linguistic features of the same clips" in judged.note


def test_speech_with_layers_has_no_conventional_features_and_words_are_judged_alone():
    raw = {"dataset": "raw", "encoder": "small", "setting": "control"}
    noise = {0: 2.0, 1: 1.0, 2: 0.6, "weighted": 0.8}
    made = layer_records({"acoustic": noise, "linguistic": noise}, **raw)
    for encoder in conventional.WORDS:
        spec = {**raw, "encoder": encoder}
        rivals = system_records(
            {system({"linguistic": 1}): 2.5}, {"linguistic": 1}, truth=truth_of(made[0]), **spec
        )
        for record in rivals:
            records.write(record)
    judged = judge("UEGD-C4", made)
    assert judged.verdict == "supported"
    assert "missing: visual layers of the same clips, conventional acoustic features" in judged.note


def test_tables_show_conventional_features_and_the_printed_rows_of_the_same_clips():
    made = encoded(input=1.0, output=0.9, mid_best=0.6, weighted=0.8)
    write(made, lexicon=2.0)
    joint = tables.multimodal(Runs(made), setting="").frame
    alone = tables.single_modality(Runs(made), "linguistic", setting="").frame
    for frame, others in ((joint, ", acoustic vectors"), (alone, "")):
        rows = frame.set_index("feature")
        assert "±" in rows.loc[f"Conv.: sentiment lexicon{others}"]["MAE ↓ (points)"]
        assert rows.loc[f"Conv.: TF-IDF{others} (no runs so far)"]["MAE ↓ (points)"] == "-"
        assert (frame["whose"] == "printed").any()


def test_every_setting_beside_names_features_of_words():
    for name, (dataset, encoder) in BESIDE.items():
        assert name == f"{dataset} {encoder}" and encoder in conventional.WORDS
    assert not records.find("uegd", Setting("mosi-standardised", "lexicon", "release", "full"))
