"""The records of error rates: of today's tests and printed gains, and within their level."""

from dataclasses import replace

import pytest

from msalib.base.paths import ROOT
from msalib.evidence import arms, registry
from msalib.evidence.planting import Size
from msalib.evidence.simulation import exceeds
from msalib.pages import error_rates
from msalib.papers.cmt import power as cmt
from msalib.papers.glomo import power as glomo
from msalib.papers.mmml import power as mmml
from msalib.papers.sugrm import power as sugrm

POWER = {"cmt": cmt, "glomo": glomo, "mmml": mmml, "sugrm": sugrm}
PLANS = {paper: module.power_plan() for paper, module in POWER.items()}
LABELS = {
    "cmt": cmt.power_trainings.CASES,
    "glomo": glomo.power_trainings.CASES,
    "mmml": {},
    "sugrm": sugrm.power_labels.CASES,
}
"""Claims whose tests read no predictions, with what is drawn for them."""


def scatter_words(size: Size) -> list[str]:
    """What a record may say of where the scatter of a size is from, but for the number of runs."""
    return [f"runs of {paper} on {data} with {encoder}" for paper, data, encoder, _ in size.sources]


@pytest.fixture(scope="module", params=PLANS)
def paper(request):
    return request.param


@pytest.fixture(scope="module")
def recorded(paper):
    folder = ROOT / "book" / "records" / "power"
    return replace(POWER[paper].RECORD, file=folder / f"{paper}.json").read()


def test_the_record_has_every_test_at_every_size(paper, recorded):
    plan = PLANS[paper]
    assert list(recorded.sizes) == list(plan.sizes)
    found = [(one.claim, one.size) for one in recorded.tests if one.claim not in LABELS[paper]]
    assert found == [(claim, size) for size in plan.sizes for claim in plan.cases]
    on_labels = [one.claim for one in recorded.tests if one.claim in LABELS[paper]]
    assert on_labels == list(LABELS[paper])


def test_the_record_is_of_the_claims_and_printed_gains_of_today(paper, recorded):
    plan = PLANS[paper]
    for one in recorded.tests:
        assert one.test == plan.claim(one.claim).rerun.test
        if one.claim in LABELS[paper]:
            assert one.printed is None and one.quality is None
            continue
        case = plan.cases[one.claim]
        assert one.printed == (case.printed.gain(paper) if case.printed else None)
        assert one.printed_in == (case.printed.words() if case.printed else "")
        assert one.arms == len(case.arms)
    for name, of in recorded.sizes.items():
        assert of.seeds == plan.sizes[name].seeds and of.videos["test"] >= arms.VIDEOS["test"]


def test_the_record_has_its_scatter_from_the_records_of_the_plan(paper, recorded):
    for name, of in recorded.sizes.items():
        _, said = of.records.split(" ", 1)
        assert said in scatter_words(PLANS[paper].sizes[name])


def test_a_test_is_simulated_or_says_why_not(paper):
    tested = [claim for claim in registry.claims(paper) if claim.rerun.test]
    simulated = {*PLANS[paper].cases, *LABELS[paper]}
    without = {claim.id for claim in tested if claim.rerun.unsimulated}
    assert simulated | without == {claim.id for claim in tested} and not simulated & without


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
