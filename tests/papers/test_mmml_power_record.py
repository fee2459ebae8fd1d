"""The record of MMML's error rates: of today's tests and printed gains, and within its level."""

from dataclasses import replace

import pytest

from msalib.base.paths import ROOT
from msalib.evidence import arms
from msalib.evidence.simulation import exceeds
from msalib.papers.mmml import figures_power, power, power_cases
from msalib.papers.mmml.evidence import TESTS

CASES = power_cases.cases()
NAMES = [test.__name__ for test in TESTS]


@pytest.fixture(scope="module")
def recorded():
    folder = ROOT / "book" / "records" / "power"
    return replace(power.RECORD, file=folder / "mmml.json").read()


def test_the_record_has_every_test_at_every_size(recorded):
    assert list(recorded.sizes) == list(power.SIZES)
    found = [(one.size, one.test) for one in recorded.tests]
    assert found == [(size, name) for size in power.SIZES for name in NAMES]


def test_the_record_is_of_the_claims_and_printed_gains_of_today(recorded):
    for one in recorded.tests:
        case = CASES[one.test]
        assert one.claim == power_cases.claim_of(one.test).id
        assert one.printed == (case.printed.gain() if case.printed else None)
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
        html = getattr(figures_power, show)(recorded)._repr_html_()
        assert "nan" not in html.split("base64")[0]
