"""The record of MMML's error rates: of today's tests and printed gains, and within its level."""

from dataclasses import replace

import pytest

from msalib.base.paths import ROOT
from msalib.evidence import arms
from msalib.evidence.simulation import exceeds
from msalib.pages import error_rates
from msalib.papers.mmml import power

PLAN = power.power_plan()


@pytest.fixture(scope="module")
def recorded():
    folder = ROOT / "book" / "records" / "power"
    return replace(power.RECORD, file=folder / "mmml.json").read()


def test_the_record_has_every_test_at_every_size(recorded):
    assert list(recorded.sizes) == list(power.SIZES)
    found = [(one.size, one.test) for one in recorded.tests]
    tests = [PLAN.claim(name).rerun.test for name in PLAN.cases]
    assert found == [(size, test) for size in power.SIZES for test in tests]


def test_the_record_is_of_the_claims_and_printed_gains_of_today(recorded):
    for one in recorded.tests:
        case = PLAN.cases[one.claim]
        assert one.test == PLAN.claim(one.claim).rerun.test
        assert one.printed == (case.printed.gain("mmml") if case.printed else None)
        assert one.printed_in == (case.printed.words() if case.printed else "")
        assert one.arms == len(case.arms)
    for name, of in recorded.sizes.items():
        assert of.seeds == power.SIZES[name].seeds and of.videos["test"] >= arms.VIDEOS["test"]


def test_no_test_errs_more_often_than_its_level(recorded):
    assert [(one.claim, one.size, one.too_high()) for one in recorded.tests if one.too_high()] == []


def test_the_record_has_enough_studies_to_see_a_test_that_errs(recorded):
    for one in recorded.tests:
        assert all(sum(cell.verdicts.values()) >= 200 for cell in one.of("border"))
    assert exceeds(0.1, 200) and not exceeds(0.05, 200)


def test_the_page_shows_the_record(recorded):
    for show in ("answer", "broken", "rates", "origins", "sizes", "provenance", "power_figure"):
        html = getattr(error_rates, show)(recorded)._repr_html_()
        assert "nan" not in html.split("base64")[0]
