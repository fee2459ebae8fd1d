"""Claims on time, memory and parameters: measurements are judged once."""

from dataclasses import replace

import numpy as np
import pytest

from msalib.base import paths
from msalib.papers.sugrm import costs, evidence_costs, timing
from tests.papers.sugrm.planted import judged, lacks, setting


def record(passes):
    """Write a record of times with these passes."""
    costs.RECORD.write(
        costs.Times(
            parameters={},
            model_parameters={},
            seconds={},
            seconds_median={},
            peak_bytes={},
            passes=passes,
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


def mosi(encoder="minilm"):
    """Records of the setting in which measurements are judged, or of another encoder."""
    return setting(costs.MEASURED[0], only=["SUGRM"], encoder=encoder)


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
    record(passes(*ratios))
    evidence = judged("C23", mosi())
    assert evidence.verdict == verdict
    assert [e.effect for e in evidence.effects.values()] == pytest.approx(ratios)
    assert f"{min(ratios):.2f} to {max(ratios):.2f} over 3 readings" in evidence.note


def test_a_ratio_beyond_its_limit_by_less_than_the_passes_vary_decides_nothing():
    record(passes(2.55, 2.55, 2.55, spread=0.5))
    assert judged("C23", mosi()).verdict == "inconclusive"


def test_passes_that_were_not_timed_are_named():
    assert lacks(judged("C23", mosi()), "10 timed passes")
    two_readings = passes(2, 2, 2)
    del two_readings["padded"]
    for timed in ({}, passes(2, 2, 2, count=9), two_readings):
        record(timed)
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
    record(passes(2, 2, 2))
    assert judged("C23", mosi()).verdict == "supported"
    elsewhere = mosi("minilm-tuned"), setting("mosi", only=["SUGRM"], encoder="minilm")
    for records in elsewhere:
        for claim in ("C23", "C24"):
            evidence = judged(claim, records)
            assert lacks(evidence, ", ".join(costs.MEASURED), "once") and not evidence.effects


def test_the_committed_record_has_the_costs_of_the_transformers():
    """SUGRM-C15 reads them: the full one costs more in every way."""
    times = replace(costs.RECORD, file=paths.BOOK / "records" / "timing" / "sugrm.json").read()
    for key in evidence_costs.RELATIVE:
        assert getattr(times, key)["dense"] > getattr(times, key)["spt"] > 0
    assert times.parameters == timing.parameters()
