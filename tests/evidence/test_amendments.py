"""Amendments of tests: complete, by day, and in no rule's prose."""

import re

import pytest
from pydantic import ValidationError

from msalib.evidence import registry
from msalib.evidence.amendments import Amendment, WideAmendment
from tests.small import entry

ONE = {
    "date": "2026-11-20",
    "commit": "0123abc",
    "seen": "no result",
    "when": "before",
    "what": "x",
}


@pytest.mark.parametrize("paper", registry.known())
def test_no_rule_tells_an_amendment_in_prose(paper):
    """What a rule tells of its history would be missing from the page of amendments."""
    for claim in registry.claims(paper):
        assert not re.search(r"(?i)amended|widened|until then|\b20\d\d-", claim.rerun.rule), (
            claim.id
        )


@pytest.mark.parametrize("paper", registry.known())
def test_every_amendment_names_a_test_and_a_day(paper):
    every = registry.amendments(paper)
    days = [one.amendment.date for one in every]
    assert every and days == sorted(days)
    tested = {claim.id for claim in registry.claims(paper)}
    assert all(set(one.claims) <= tested for one in every)
    for claim in registry.claims(paper):
        own = [amendment.date for amendment in claim.rerun.amendments]
        assert own == sorted(own), claim.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": "November"},
        {"commit": "HEAD"},
        {"commit": "012"},
        {"seen": "maybe"},
        {"when": ""},
        {"what": ""},
        {"why": "x"},
    ],
)
def test_an_amendment_says_when_in_which_commit_and_what_was_seen(wrong):
    assert Amendment.model_validate(ONE).seen == "no result"
    with pytest.raises(ValidationError):
        Amendment.model_validate(ONE | wrong)


def test_an_amendment_of_many_tests_names_claims_that_exist():
    known = entry("ONE").model_dump()
    (claim,) = known["claims"]
    registry.Paper.model_validate(known | {"amendments": [ONE | {"claims": [claim["id"]]}]})
    with pytest.raises(ValidationError, match="no claim C9"):
        registry.Paper.model_validate(known | {"amendments": [ONE | {"claims": ["C9"]}]})
    with pytest.raises(ValidationError):
        WideAmendment.model_validate(ONE | {"claims": []})


def test_amendments_of_a_paper_are_listed_day_by_day(monkeypatch):
    own = entry("ONE")
    (claim,) = own.claims
    later = Amendment.model_validate(ONE | {"date": "2026-11-22", "what": "later"})
    first = Amendment.model_validate(ONE | {"what": "first"})
    wide = WideAmendment.model_validate(ONE | {"date": "2026-11-21", "claims": [claim.id]})
    rerun = claim.rerun.model_copy(update={"amendments": [first, later]})
    claims = [claim.model_copy(update={"rerun": rerun})]
    own = own.model_copy(update={"amendments": [wide], "claims": claims})
    monkeypatch.setattr(registry, "load", lambda paper: own)
    assert [one.amendment.what for one in registry.amendments("one")] == ["first", "x", "later"]
    assert all(one.claims == [claim.id] for one in registry.amendments("one"))
