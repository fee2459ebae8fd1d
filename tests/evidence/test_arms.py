"""Arms and contrasts: what records lack, heads, gains against plain computation, words."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data.tasks import Regression
from msalib.evidence import arms, videos
from msalib.evidence.arms import Arm, Head
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.evidence.planted_arms import A, B, C, planted, runs_of
from tests.factory import make_record


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 300)


def with_heads(records, **unlike):
    """The same records with a text head: the prediction plus one, scored on labels plus one."""
    changed = []
    for record in records:
        clips = record.predictions["test"]
        extras = {
            "heads": {"linguistic": [x + 1 for x in clips.prediction]},
            "unimodal_labels": {"linguistic": [y + 1 for y in clips.label]},
        }
        changed.append(record.model_copy(update=extras | unlike))
    return changed


def test_a_gain_is_the_difference_of_the_tasks_metrics_in_points():
    runs = runs_of(0.5, 1.5)
    gains = arms.gains(runs, A, B, ["mae", "corr", "acc7", "f1_non0"])
    label, _ = runs.truth("test")
    ours, theirs = (
        [Regression().metrics(label, one) for one in runs.predictions("test", arm.system)[0]]
        for arm in (A, B)
    )
    for metric, gain in gains.items():
        factor = {"mae": -1, "corr": 1}.get(metric, 100)
        plain = [factor * (a[metric] - b[metric]) for a, b in zip(ours, theirs, strict=True)]
        assert gain.seeds == pytest.approx(plain, abs=1e-10), metric
        assert gain.p_above() < 0.02 < 0.9 < gain.p_below()


def test_estimates_are_those_of_the_tests_over_videos():
    runs = runs_of(1.0, 1.1)
    old = videos.gains(runs, [A.system, B.system], [1, -1])
    new = arms.gains(runs, A, B, ["mae", "corr"])
    assert {m: gain.estimate() for m, gain in new.items()} == old


def test_gains_over_printed_values_are_positive_where_ours_is_better():
    runs = runs_of(0.5)
    printed = {"mae": 9.0, "acc7": 99.9, "corr": -1.0}
    gains = arms.gains(runs, A, printed, printed)
    assert gains["mae"].seeds.min() > 0 > gains["acc7"].seeds.max()
    assert gains["corr"].seeds.min() > 1
    mae = np.mean([r.metrics["test"]["mae"] for r in runs.records(A.system)[0]])
    assert gains["mae"].estimate().effect == pytest.approx(9 - mae)


def test_arms_that_predict_the_same_gain_nothing():
    runs = runs_of(1.0)
    for gain in arms.gains(runs, A, A, ["mae", "corr", "acc5"]).values():
        assert gain.estimate().effect == 0 and gain.estimate().p == 1


# --- heads --------------------------------------------------------------------------------------


def test_a_head_is_scored_on_its_own_labels_or_on_those_of_the_task():
    runs = Runs(with_heads(planted(0.5)))
    own, wholly = Arm(A.system, Head("linguistic")), Arm(A.system, Head("linguistic", own=False))
    gains = arms.gains(runs, A, own, ["mae"])
    assert gains["mae"].estimate().effect == pytest.approx(0, abs=1e-9)
    assert arms.gains(runs, A, wholly, ["mae"])["mae"].estimate().effect > 0.3
    assert "different labels" in arms.sample(runs, [A, own]).covers()
    assert "different labels" not in arms.sample(runs, [A, wholly]).covers()


def test_a_record_without_a_head_or_its_labels_is_named():
    head = Arm(A.system, Head("linguistic"), name="text head")
    assert arms.lacking(runs_of(0.5), [head]) == ["predictions of the linguistic head of text head"]
    runs = Runs(with_heads(planted(0.5), unimodal_labels={}))
    assert arms.lacking(runs, [head]) == ["labels of linguistic alone of text head"]
    assert arms.lacking(runs, [Arm(A.system, Head("linguistic", own=False))]) == []


# --- what is needed -----------------------------------------------------------------------------


def test_too_few_seeds_and_missing_runs_are_named():
    runs = runs_of(0.5, 1.0, seeds=4)
    assert arms.lacking(runs, [A, B]) == ["5 seeds of system 1, system 2 (4 so far)"]
    assert arms.lacking(runs, [A, B], 4) == []
    assert arms.lacking(runs, [A, C]) == ["runs of system 3"]
    uneven = Runs(planted(0.5, 1.0) + planted(0.5, 1.0, 1.2, seeds=4)[8:])
    assert arms.lacking(uneven, [A, B]) == []
    assert arms.lacking(uneven, [A, C]) == ["5 seeds of system 1, system 3 (4 so far)"]


def test_three_seeds_are_enough_where_an_encoder_is_fine_tuned():
    tuned = Arm(system({"linguistic": "tuned"}))
    plain = planted(0.5, seeds=3)
    parts = [record.predictions for record in plain]
    fine_tuned = [make_record({"linguistic": "tuned"}, k, parts=parts[k]) for k in range(3)]
    assert arms.lacking(Runs(plain + fine_tuned), [tuned, A]) == []
    assert arms.lacking(Runs(plain + fine_tuned), [A]) == ["5 seeds of system 1 (3 so far)"]
    assert arms.lacking(Runs(fine_tuned[1:]), [tuned]) == ["3 seeds of linguistic-tuned (2 so far)"]


def test_a_bootstrap_of_few_videos_is_not_tried():
    needs = ["10 test videos (this setting has 9)"]
    assert arms.lacking(runs_of(0.5, videos=9), [A]) == needs
    assert arms.lacking(runs_of(0.5, videos=10), [A]) == []
    assert arms.few_videos(runs_of(0.5, videos=10), A.system, "valid") == []
    assert arms.few_videos(runs_of(0.5, videos=9), A.system, "valid") == [
        "5 validation videos (this setting has 4)"
    ]


def test_no_arm_is_scored_twice_on_the_same_records(monkeypatch):
    runs, scored = runs_of(0.5, 1.0, 1.5), []
    score = arms.scores
    monkeypatch.setattr(
        arms, "scores", lambda *about: scored.append(len(about[2].label)) or score(*about)
    )
    pair = arms.gains(runs, A, B, ["mae"])["mae"]
    other = runs.unread()
    third = arms.gains(other, A, C, ["mae"])["mae"]
    again = arms.gains(other, B, A, ["mae"])["mae"]
    assert scored == [2, 1]
    assert again.seeds.tolist() == (-pair.seeds).tolist()
    assert again.resampled.tolist() == (-pair.resampled).tolist()
    alone = arms.gains(runs_of(0.5, 1.0, 1.5), A, C, ["mae"])["mae"]
    assert third.seeds.tolist() == alone.seeds.tolist()
    assert {r.spec.system for r in runs.used} == {A.system, B.system}  # each counts its own
    assert {r.spec.system for r in other.used} == {A.system, B.system, C.system}
    arms.gains(runs, A, B, ["corr"])
    arms.gains(runs.beside([]), A, B, ["corr"])  # other records may be among these
    assert scored == [2, 1, 2, 2, 2]


def test_records_of_other_clips_are_refused():
    records = planted(0.5, 1.0)
    clips = records[0].predictions["test"]
    other = clips.model_copy(update={"id": [f"x{i}" for i in clips.id]})
    records[0] = records[0].model_copy(
        update={"predictions": {**records[0].predictions, "test": other}}
    )
    with pytest.raises(ValueError, match="judges other clips"):
        arms.sample(Runs(records), [A, B])


# --- words --------------------------------------------------------------------------------------


def test_words():
    runs = runs_of(0.5)
    assert arms.sample(runs, [A]).covers() == "5 seeds, 192 test clips of 24 videos"
    assert arms.versus(A, B) == "system 1 over system 2"
    assert arms.versus(Arm(A.system), {"mae": 1}) == "linguistic-1 over the printed values"
    gains = arms.gains(runs, A, A, ["mae", "acc7"])
    assert list(arms.effects(gains)) == ["gain in MAE", "gain in Acc-7, points"]
    assert list(arms.effects(gains, "loss of", 0.1)) == [
        "loss of MAE (90% interval)",
        "loss of Acc-7, points (90% interval)",
    ]
    assert arms.undefined(gains) == []
