"""Claims on time, memory and parameters: measurements are judged once."""

import numpy as np
import pytest

from msalib.papers.sugrm import costs, timing
from msalib.papers.sugrm.scope import ALL
from tests.papers.sugrm.planted import judged, lacks, setting

DENSE = ("mrm", "dense", "own_ulgm")


def record(parameters=2, seconds=2, memory=2, passes=None):
    """Write the costs of the full transformer over the sparse one, and timed passes."""
    costs.RECORD.write(
        costs.Times(
            parameters={"spt": 10, "dense": int(10 * parameters)},
            model_parameters={},
            seconds={},
            seconds_median={"spt": 0.1, "dense": 0.1 * seconds},
            peak_bytes={"spt": 10, "dense": int(10 * memory)},
            passes=passes or {},
            clips=9,
            text_of="CMU-MOSI",
            provenance={},
        )
    )


def passes(*ratios, spread=0.01, count=10):
    """Timed passes with such a ratio in each reading; each model's vary by ``spread``."""
    jitter = spread * np.linspace(-1, 1, count)
    return {
        reading: {"sugrm": (ratio + jitter).tolist(), "self_mm": [1.0] * count}
        for reading, ratio in zip(costs.READINGS, ratios, strict=True)
    }


def mosi(encoder="minilm", **fields):
    """Records of the setting in which measurements are judged."""
    dataset, _, preset = costs.MEASURED
    records = setting("mosi", only=["SUGRM"], encoder=encoder, **fields)
    changes = {"dataset": dataset, "preset": preset}
    return [r.model_copy(update={"spec": r.spec.model_copy(update=changes)}) for r in records]


@pytest.mark.parametrize(
    ("ahead", "cost", "verdict"),
    [
        (-1.0, (2, 2, 2), "supported"),
        (0.2, (2, 2, 2), "supported"),  # 0.2 points and 0.004
        (2.0, (2, 2, 2), "contradicted"),
        (-1.0, (0.5, 1, 1), "contradicted"),
        (-1.0, (2, 0.5, 2), "inconclusive"),
        (-1.0, None, "inconclusive"),
        (2.0, None, "contradicted"),
    ],
)
def test_a_full_transformer_may_gain_little_and_must_cost_more(ahead, cost, verdict):
    if cost:
        record(*cost)
    better = {DENSE: {"mae": ahead / 2, "corr": ahead / 2} | dict.fromkeys(ALL[:4], ahead)}
    evidence = judged("C15", setting(better=better, only=["SUGRM", DENSE], seed=1))
    assert evidence.verdict == verdict
    if cost is None:
        assert "cost not run: needs a record of times" in evidence.note
    else:
        assert f"parameters {cost[0]:.2f}, time {cost[1]:.2f}" in evidence.note


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((2.0, 1.6, 2.4), "supported"),
        ((4.0, 2.7, 9.0), "contradicted"),
        ((1.0, 1.1, 1.2), "contradicted"),
        ((1.0, 1.1, 6.7), "inconclusive"),  # outside on both sides
        ((1.0, 2.0, 1.2), "inconclusive"),  # one reading is inside
        ((2.0, 2.0, 2.6), "inconclusive"),
    ],
)
def test_readings_of_a_pass_must_agree(ratios, verdict):
    record(passes=passes(*ratios))
    evidence = judged("C23", mosi())
    assert evidence.verdict == verdict
    assert [e.effect for e in evidence.effects.values()] == pytest.approx(ratios)
    assert f"{min(ratios):.2f} to {max(ratios):.2f} over 3 readings" in evidence.note


def test_a_ratio_beyond_its_limit_by_less_than_the_passes_vary_decides_nothing():
    record(passes=passes(2.55, 2.55, 2.55, spread=0.5))
    assert judged("C23", mosi()).verdict == "inconclusive"


def test_passes_that_were_not_timed_are_named():
    assert lacks(judged("C23", mosi()), "10 timed passes")
    two_readings = passes(2, 2, 2)
    del two_readings["padded"]
    for timed in ({}, passes(2, 2, 2, count=9), two_readings):
        record(passes=timed)
        assert lacks(judged("C23", mosi()), "10 timed passes", "every reading")


@pytest.mark.parametrize("sparse", [1, 10, 90])
def test_the_share_of_parameters_is_shown_and_never_judged(sparse, monkeypatch):
    monkeypatch.setattr(timing, "parameters", lambda: {"spt": sparse, "dense": 100})
    evidence = judged("C24", mosi())
    assert lacks(evidence, "limit to 'about'", f"{sparse} against 100")
    assert evidence.effects["share of parameters"].effect == sparse / 100


def test_the_parameters_are_those_of_the_specification():
    assert "161,074 against" in judged("C24", mosi()).note  # papers/sugrm.md (b), C24


def test_a_measurement_is_evidence_in_one_setting():
    record(passes=passes(2, 2, 2))
    assert judged("C23", mosi()).verdict == "supported"
    elsewhere = mosi("minilm-tuned"), setting("mosi", only=["SUGRM"], encoder="minilm")
    for records in elsewhere:
        for claim in ("C23", "C24"):
            evidence = judged(claim, records)
            assert lacks(evidence, ", ".join(costs.MEASURED), "once") and not evidence.effects
