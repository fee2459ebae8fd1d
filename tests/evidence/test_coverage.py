"""What stands beside a verdict: what its test covers, parity of the model, errors of the test."""

import json

import pytest

from msalib.base import paths, stats
from msalib.base.errors import UserError
from msalib.base.stats import Estimate
from msalib.data.corpus import TUNED
from msalib.evidence import error_rates, registry, verdicts
from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import judge, judge_study, parity, weigh
from tests.evidence.made_rates import measured, power
from tests.factory import layer_records, make_record, predictions

CLAIMS = [claim for claim in registry.claims("uegd") if claim.rerun.test is not None]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


# --- coverage -----------------------------------------------------------------------------------


def test_a_verdict_covers_the_seeds_clips_and_inputs_that_its_test_read():
    found = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 2.0}, "acoustic": {1: 1.0}})
    by_id = {v.claim.id: v for v in judge(CLAIMS, found)}
    c6 = by_id["UEGD-C6"]
    assert c6.evidence.verdict != "not run" and c6.coverage.seeds == 5
    test = found[0].predictions["test"]
    assert (c6.coverage.clips, c6.coverage.videos) == (len(test.id), len(set(test.video)))
    read = {stream for record in c6.records for stream in record.spec.inputs}
    assert set(c6.coverage.inputs) == read


def test_a_test_that_reads_no_record_covers_nothing():
    found = layer_records({"linguistic": {1: 2.0, 2: 0.5}, "acoustic": {1: 1.0}})
    (c2,) = [v for v in judge(CLAIMS, found) if v.claim.id == "UEGD-C2"]
    assert c2.evidence.verdict == "not run" and c2.records == []
    assert c2.coverage is None


def test_a_measurement_covers_no_clips(monkeypatch):
    """It shows an effect, and yet reads no record."""
    effect = {"ratio": Estimate(2.0, 1.9, 2.1, float("nan"), kind="level")}
    measure = lambda runs: Evidence("supported", effect, "a measurement")  # noqa: E731
    monkeypatch.setattr(verdicts, "bound_test", lambda claim: measure)
    (verdict,) = judge(CLAIMS[:1], layer_records({"linguistic": {1: 2.0}}))
    assert verdict.evidence.verdict == "supported"
    assert verdict.coverage is None and verdict.records == []


def test_a_fine_tuned_encoder_has_no_blocks_to_choose_from():
    clips = predictions([1.0, -1.0] * 10, [1.0, -1.0] * 10, [f"v{i}" for i in range(20)])
    parts = dict.fromkeys(("valid", "test"), clips)
    record = make_record({"linguistic": TUNED}, 0, parts=parts)
    assert verdicts.coverage([record], 1) == verdicts.Coverage(1, 20, 20, {"linguistic": 0})


def test_a_setting_without_records_covers_nothing():
    assert {v.coverage for v in judge_study("uegd")} == {None}


# --- parity -------------------------------------------------------------------------------------


def test_parity_says_how_near_the_outputs_are_and_is_no_verdict(tmp_path, monkeypatch):
    (tmp_path / "records").mkdir()
    results = {"exact": 0.0, "a": 2e-7, "b": 5e-6, "c": 0.3, "d": float("nan")}
    results = {n: {"max_abs_error": e, "tolerance": 1e-5} for n, e in results.items()}
    (tmp_path / "records" / "parity.json").write_text(json.dumps(results))
    monkeypatch.setattr(paths, "BOOK", tmp_path)
    assert parity([]) == ""
    assert parity(["a"]) == "our model equals the authors' outputs within 2e-07 (a)"
    assert parity(["a", "b"]) == "our model equals the authors' outputs within 5e-06 (a, b)"
    assert parity(["exact"]) == "our model equals the authors' outputs exactly (exact)"
    assert parity(["a", "c"]) == "our model differs from the authors' outputs by 0.3 (c)"
    assert parity(["d"]) == "our model differs from the authors' outputs by nan (d)"
    missing = "our model is not compared with the authors' outputs yet (e)"
    assert parity(["a", "e"]) == missing


@pytest.mark.parametrize("paper", registry.known())
def test_parity_is_told_of_the_claims_that_it_is_about(paper):
    for evidence in weigh(paper):
        assert bool(evidence.parity) == bool(evidence.claim.parity)
        assert "not compared" not in evidence.parity and "differs" not in evidence.parity


def test_most_claims_are_not_about_what_a_fixture_compares():
    for paper in ("uegd", "sugrm", "mmml"):
        claims = registry.claims(paper)
        about = [claim for claim in claims if claim.parity]
        assert 0 < len(about) < 0.7 * len(claims)


def test_a_fixture_that_the_paper_does_not_have_is_refused(tmp_path, monkeypatch):
    text = (paths.CLAIMS / "glomo.yaml").read_text()
    start = text.index("    printed:", text.index("\nclaims:")) if "\n  - id" in text else -1
    at = text.index("  printed:", text.index("\nclaims:")) if start < 0 else start
    indent = "  " if start < 0 else "    "
    monkeypatch.setattr(paths, "CLAIMS", tmp_path)
    (tmp_path / "glomo.yaml").write_text(f"{text[:at]}{indent}parity: [nonsense]\n{text[at:]}")
    with pytest.raises(UserError, match="nonsense is no fixture of the paper"):
        registry.load("glomo")


# --- error rates --------------------------------------------------------------------------------


def test_error_rates_are_those_of_the_claim_by_size():
    assert error_rates.by_claim("mmml") == {}
    tests = measured(1, claim="MMML-C9"), measured(2, claim="MMML-C9", size="mosi")
    error_rates.record("mmml").write(power(*tests, measured(1, claim="MMML-C10")))
    assert [one.size for one in error_rates.by_claim("mmml")["MMML-C9"]] == ["raw", "mosi"]
    by_id = {e.claim.id: e.error_rates for e in weigh("mmml")}
    assert list(by_id["MMML-C9"]) == list(tests) and len(by_id["MMML-C10"]) == 1
    assert list(by_id["MMML-C3"]) == []


def test_a_damaged_record_is_refused():
    path = error_rates.record("mmml").path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"tests": 1}')
    with pytest.raises(UserError, match=r"mmml\.json"):
        error_rates.by_claim("mmml")
