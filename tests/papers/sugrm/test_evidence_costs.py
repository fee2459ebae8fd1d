"""Claims on time, memory and parameters: measurements are judged once."""

import numpy as np
import pytest

from msalib.papers.sugrm import costs, timing
from msalib.papers.sugrm.scope import ALL
from tests.papers.sugrm.planted import judged, lacks, setting

DENSE = ("mrm", "dense", "own_ulgm")


def record(parameters=2, seconds=2, memory=2, on="CMU-MOSI, 9 test clips, minilm", **inference):
    """Write the costs of the full transformer over the sparse one, and timed passes."""
    costs.RECORD.write(
        costs.Times(
            parameters={"spt": 10, "dense": int(10 * parameters)},
            model_parameters={},
            seconds={},
            seconds_median={"spt": 0.1, "dense": 0.1 * seconds},
            peak_bytes={"spt": 10, "dense": int(10 * memory)},
            inference=inference,
            inference_on=on,
            inference_unaligned={},
            inference_with_bert={},
            provenance={},
        )
    )


def mosi(encoder="minilm", **fields):
    """Records of the setting in which measurements are judged."""
    return setting("mosi", only=["SUGRM"], encoder=encoder, **fields)


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
    ("ours", "spread", "verdict"),
    [(2.0, 0.01, "supported"), (4.0, 0.01, "contradicted"), (2.55, 0.5, "inconclusive")],
)
def test_the_ratio_of_times(ours, spread, verdict):
    jitter = spread * np.linspace(-1, 1, 10)
    record(sugrm=(ours + jitter).tolist(), self_mm=[1.0] * 10)
    evidence = judged("C23", mosi())
    assert evidence.verdict == verdict
    assert evidence.effects["ratio of medians"].effect == pytest.approx(ours)


def test_times_that_were_not_taken_are_named():
    found = mosi()
    assert lacks(judged("C23", found), "10 timed passes")
    record(sugrm=[2.0] * 10, self_mm=[1.0] * 9)
    assert lacks(judged("C23", found), "10 timed passes")
    for on in ("Simulated features, 9 test clips, planted", "CMU-MOSI, 9 test clips, bert-base"):
        record(sugrm=[2.0] * 10, self_mm=[1.0] * 10, on=on)
        assert lacks(judged("C23", found), "10 timed passes")


@pytest.mark.parametrize(
    ("sparse", "verdict"), [(10, "supported"), (15, "supported"), (16, "contradicted")]
)
def test_the_ratio_of_parameters(sparse, verdict, monkeypatch):
    found = mosi()
    with monkeypatch.context() as patched:
        patched.setattr(timing, "parameters", lambda: {"spt": sparse, "dense": 100})
        assert judged("C24", found).verdict == verdict
    assert "161,074 against" in judged("C24", found).note  # papers/sugrm.md (b), C24


def test_a_measurement_is_evidence_in_one_setting():
    record(sugrm=[2.0] * 10, self_mm=[1.0] * 10)
    verdicts = {claim: judged(claim, mosi()).verdict for claim in ("C23", "C24")}
    assert verdicts == {"C23": "supported", "C24": "contradicted"}
    for claim in verdicts:
        evidence = judged(claim, mosi("minilm-tuned"))
        assert lacks(evidence, "mosi, minilm, release", "once") and not evidence.effects
