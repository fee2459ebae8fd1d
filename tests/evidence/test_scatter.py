"""Simulated records scatter as planted: drawn parts are estimated again, expected metrics hold."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.tasks import Regression
from msalib.evidence import scatter
from msalib.evidence.arms import Arm, Head
from msalib.evidence.comparisons import direction_and_size
from msalib.evidence.scatter import Scatter, design, draw, expected, quality_with_gain
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.evidence.planted_arms import A, B, C, planted, runs_of
from tests.factory import make_record, predictions

USUAL = Scatter(
    quality=0.6,
    quality_sd=0.03,
    offset_sd=0.1,
    centre=0.2,
    spread=1.2,
    run=0.3,
    arm=0.4,
    video=0.15,
    run_video=0.2,
)


def with_scatter(made, **fields):
    return replace(made, **{"scatter": USUAL, **fields})


def test_what_is_drawn_is_estimated_again():
    arms = tuple(Arm(system({"linguistic": k})) for k in range(1, 9))
    made = with_scatter(design(runs_of(0.8, 1.0), [A]), arms=arms, videos={"valid": 2, "test": 400})
    draws = [draw(made, [0.6] * 8, np.random.default_rng(k)) for k in range(4)]
    found = np.mean([scatter.estimate(runs) for runs in draws], axis=0)
    tolerance = {"quality_sd": 0.006, "offset_sd": 0.02, "centre": 0.15, "spread": 0.08}
    for name, value in zip(Scatter._fields, found, strict=True):
        assert value == pytest.approx(getattr(USUAL, name), abs=tolerance.get(name, 0.04)), name


def test_metrics_of_drawn_records_are_those_expected():
    made = with_scatter(design(runs_of(0.8, 1.0), [A]), videos={"valid": 2, "test": 600})
    draws = [draw(made, [0.6], np.random.default_rng(k)) for k in range(6)]
    records = [r for runs in draws for r in runs.records(A.system)[0]]
    for metric in ("mae", "corr", "acc2_has0", "f1_non0", "acc7"):
        factor = 1 if metric in ("mae", "corr") else 100
        mean = factor * np.mean([r.metrics["test"][metric] for r in records])
        assert mean == pytest.approx(expected(made, metric), abs=0.03 * factor), metric
    clips = records[0].predictions["test"]
    plain = Regression().metrics(clips.label, clips.prediction)
    assert records[0].metrics["test"] == pytest.approx(plain)


def test_a_gain_has_the_quality_that_brings_it():
    made = with_scatter(design(runs_of(0.8, 1.0), [A]))
    for metric, gain in (("mae", 0.03), ("corr", -0.1), ("acc2_non0", 2.0)):
        better = quality_with_gain(made, metric, gain)
        sign = -1 if metric == "mae" else 1
        change = expected(made, metric, better) - expected(made, metric)
        assert sign * change == pytest.approx(gain, rel=0.05)
    assert quality_with_gain(made, "corr", 0.0) == pytest.approx(0.6, abs=0.01)
    with pytest.raises(UserError, match="no quality"):
        quality_with_gain(made, "corr", 0.9)


def test_records_are_of_the_design():
    one = system({"linguistic": 1}, paper="uegd", fusion="concat")
    arms = [Arm(one), Arm(one, Head("linguistic")), B]
    made = design(runs_of(0.8, 1.0), arms, seeds=3, videos={"test": 7}, paper="uegd")
    runs = draw(made, [0.5] * 3, np.random.default_rng(0))
    assert runs.systems == [one, B.system] and runs.seeds(one, B.system) == [0, 1, 2]
    assert len(set(runs.truth("test")[1])) == 7 and len(set(runs.truth("valid")[1])) == 12
    assert runs.dataset == "control" and runs.used == []
    (record,) = runs.records(one)[0][:1]
    label, head = arms[1].read(record)
    main_label, main = arms[0].read(record)
    assert (label == main_label).all() and not np.allclose(head, main)
    again = draw(made, [0.5] * 3, np.random.default_rng(0))
    assert (again.predictions("test", one)[0] == runs.predictions("test", one)[0]).all()


def test_arms_of_another_paper_are_drawn_as_its_runs_would_be():
    one = system({"acoustic": 1}, paper="mmml", fusion="concatenation", tasks="m")
    other = system({"acoustic": 1}, paper="mmml")
    made = design(runs_of(0.8, 1.0), [Arm(one), Arm(other)], paper="mmml")
    runs = draw(made, [0.5] * 2, np.random.default_rng(0))
    assert runs.systems == [one, other]
    assert direction_and_size(runs, [made.arms], metrics=["mae"]).verdict == "inconclusive"


def test_chosen_systems_give_the_scatter():
    runs = Runs(planted(0.5, 0.5, 2.0))
    assert scatter.estimate(runs, [A.system, B.system]).quality > 0.9
    assert scatter.estimate(runs).quality < 0.9
    constant = Runs(planted(0.5, 0.5) + constants(C))
    assert scatter.estimate(constant) == scatter.estimate(constant, [A.system, B.system])


def constants(arm):
    return [
        r.model_copy(
            update={
                "predictions": {
                    part: clips.model_copy(update={"prediction": [0.2] * len(clips.id)})
                    for part, clips in r.predictions.items()
                }
            }
        )
        for r in planted(1.0, 1.0, 1.0)[10:]
        if r.spec.system == arm.system
    ]


@pytest.mark.parametrize("make", [partial(runs_of, 0.5), partial(runs_of, 0.5, 0.8, seeds=1)])
def test_too_few_runs_are_refused(make):
    with pytest.raises(UserError, match="two systems that share two seeds"):
        scatter.estimate(make())


def test_classes_are_refused(monkeypatch):
    from msalib.data import datasets
    from tests.factory import CLASSES, tiny_classes

    monkeypatch.setitem(
        datasets.DATASETS, "classes", datasets.Dataset("", tiny_classes, tasks=(CLASSES,))
    )
    clips = predictions([0, 1, 2], [0, 1, 1], list("abc"))
    parts = dict.fromkeys(("valid", "test"), clips)
    with pytest.raises(UserError, match="labels that are classes"):
        design(Runs([make_record({"linguistic": 1}, parts=parts, dataset="classes")]), [A])
