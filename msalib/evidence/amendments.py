"""What was changed in a test after it was first written, when, and what had been seen by then?

An amendment stands in ``book/claims/<paper>.yaml`` under the test of its claim, or under
``amendments`` of the paper where it changed the tests of many. Tests on printed numbers have none:
they could not be fixed beforehand.
"""

from datetime import date
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]

Seen = Literal["no result", "earlier rule", "amended rule", "not recorded"]
"""What had been seen by then: no result of the test by any rule, results of the earlier rule or
what may have been some, results that the amended rule gives, or what nobody wrote down."""

SEEN = get_args(Seen)


class Amendment(BaseModel):
    """A change of a test: its day, the commit that has it, and what had been seen by then.

    ``when`` says in words what had been seen, ``what`` what was changed and why.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: date
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$", coerce_numbers_to_str=True)]
    seen: Seen
    when: Text
    what: Text


class WideAmendment(Amendment):
    """A change of the tests of several claims, by their ids."""

    claims: Annotated[list[str], Field(min_length=1)]


class Amended(NamedTuple):
    """An amendment with the ids of the claims whose tests it changed."""

    claims: list[str]
    amendment: Amendment
