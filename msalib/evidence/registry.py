"""The entry of a paper, validated: ``book/claims/<paper>.yaml``.

An entry describes the paper, its exhibits with what a re-run of each needs, inconsistencies that
its specification notes, and its claims with a test for each kind of evidence. To add a paper, write
such a file, its printed numbers (book/printed/<paper>.csv) and a page.
"""

from collections.abc import Callable, Container
from functools import cache
from inspect import signature
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from msalib.base import paths
from msalib.base.errors import UserError, did_you_mean, unknown
from msalib.base.files import read_yaml
from msalib.evidence.amendments import Amended, Amendment, Text, WideAmendment
from msalib.evidence.common import Word
from msalib.evidence.printed.cells import parse
from msalib.evidence.printed.statements import STATEMENTS
from msalib.evidence.printed.verdict import arguments

Name = Annotated[str, Field(pattern=r"^[\w.-]+$")]
"""What rows of pages are found by: letters, digits, and no white space."""


def check_arguments(test: Callable, data: tuple, arguments: dict) -> None:
    """Raise ``ValueError`` where a test does not take ``data`` with these arguments."""
    try:
        signature(test).bind(*data, **arguments)
    except TypeError as error:
        raise ValueError(f"test {test.__name__}: {error}") from None


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Exhibit(_Entry):
    """A table or figure: what it shows, and what it takes to make it again.

    ``id`` is its name in the printed numbers where it has any; ``page`` a page of the book with
    our re-run, from the folder book/, without ending.
    """

    id: Text
    title: Text
    content: Text
    needs: Text
    runs: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
    page: str | None = None


class Parity(_Entry):
    """Outputs of the authors' code that we compare our models with, or what that needs."""

    fixtures: list[str] = []
    needs: str = ""


class Noted(_Entry):
    """An inconsistency that the specification notes.

    Either ``check`` finds it, in a finding that reads one of ``cells`` (names of rows as in
    ``printed.cells``, with the data set and #metric), or ``beyond`` says why printed numbers cannot
    show it.
    """

    id: Name
    text: Text
    source: Text
    check: str | None = None
    cells: list[str] = []
    beyond: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.check is None) == (self.beyond is None) or (self.check is None) == bool(
            self.cells
        ):
            raise ValueError(f"{self.id}: expected check with cells, or beyond")
        for cell in self.cells:
            parse(cell)  # raises ValueError for a name of no such form
        return self


class PrintedTest(_Entry):
    """The test of a claim on the paper's own tables, or why these cannot tell."""

    tests: list[dict] = []
    none: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.tests) == (self.none is not None):
            raise ValueError("expected tests, or none with the reason")
        for test in self.tests:
            if test.get("test") not in STATEMENTS:
                name = str(test.get("test"))
                slip = did_you_mean(name, STATEMENTS)
                raise ValueError(f"test {name!r}: one of {', '.join(STATEMENTS)} {slip}".rstrip())
            check_arguments(STATEMENTS[test["test"]], (None, None), arguments(test))
        return self


class Rerun(_Entry):
    """The test of a claim on records of runs.

    ``rule`` in words, with the threshold; ``needs`` what it takes, or what it does not cover yet.
    ``test`` names a test of the paper's own module, ``papers.part(paper, "evidence").TESTS``. That
    module is imported when a claim is judged, not before. With a test, ``reading`` has a sentence
    for every verdict. ``unsimulated`` says why the errors of the test cannot be simulated.
    ``amendments`` are changes of this test alone, the first one first.
    """

    rule: Text
    needs: Text
    test: Text | None = None
    arguments: dict = {}
    reading: dict[Word, Text] = {}
    unsimulated: Text | None = None
    amendments: list[Amendment] = []

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.test is not None and (lacking := set(Word.__args__) - set(self.reading)):
            raise ValueError(f"no reading for {', '.join(sorted(lacking))}")
        if self.unsimulated is not None and self.test is None:
            raise ValueError("unsimulated is said of a test, and there is none")
        return self


class Claim(_Entry):
    """One claim, in our words, with its test for each kind of evidence.

    ``ours``: the paper does not make it, its numbers invite it; it is never counted as the paper's.
    ``parity`` names those fixtures of the paper that say something on this claim: outputs of the
    part of the model that it is about. ``control`` says what a simulated corpus with known truth
    must hold for the same test to be tried on it, or why there can be none; then it begins with
    "None" or "There can be none".
    ``paper`` is that of the file and not written in it.
    """

    id: Name
    paper: str = ""
    ours: bool = False
    statement: Text
    exhibit: Text
    parity: list[str] = []
    printed: PrintedTest
    rerun: Rerun
    control: Text


class Paper(_Entry):
    """A paper with its exhibits and claims; ``order`` is its place in the book.

    ``own`` names the systems that its authors ran themselves, ``runs`` how many runs they say
    stand behind each printed mean (None where they do not say), ``amendments`` changes of the tests
    of several claims.
    """

    name: Text
    order: int = 1000
    title: Text
    authors: Text
    venue: Text
    key: Text
    idea: Text
    questions: list[Text]
    own: list[Text]
    runs: int | None
    runs_source: Text
    code: Text
    parity: Parity
    exhibits: list[Exhibit]
    noted: list[Noted]
    amendments: list[WideAmendment] = []
    claims: list[Claim]

    @model_validator(mode="after")
    def _fixtures(self) -> Self:
        for claim in self.claims:
            if unknown := [name for name in claim.parity if name not in self.parity.fixtures]:
                raise ValueError(f"{claim.id}: {', '.join(unknown)} is no fixture of the paper")
        return self

    @model_validator(mode="after")
    def _amended(self) -> Self:
        ids = {claim.id for claim in self.claims}
        for wide in self.amendments:
            if unknown := [name for name in wide.claims if name not in ids]:
                raise ValueError(f"amendment of {wide.date}: no claim {', '.join(unknown)}")
        return self


@cache
def _read(path) -> Paper:
    if path.stem != path.stem.strip():
        raise UserError(
            path,
            found="a blank at an end of its name",
            expected="the name of the paper as its printed numbers have it",
            remedy="Rename the file.",
        )
    paper = read_yaml(path, Paper, expected="the entry of a paper: see msalib/evidence/registry.py")
    claims = [claim.model_copy(update={"paper": path.stem}) for claim in paper.claims]
    return paper.model_copy(update={"claims": claims})


def load(paper: str) -> Paper:
    """Return the entry of a paper; an unknown one is a ``UserError``."""
    names = sorted(path.stem for path in paths.CLAIMS.glob("*.yaml"))
    if paper not in names:
        remedy = "Leave the paper out to see all."
        raise unknown("paper", paper, names, found="no claims of it", remedy=remedy)
    return _read(paths.CLAIMS / f"{paper}.yaml")


def claims(paper: str, ids: Container[str] | None = None) -> list[Claim]:
    """Return the claims of a paper, or those with these ids."""
    return [claim for claim in load(paper).claims if ids is None or claim.id in ids]


def amendments(paper: str) -> list[Amended]:
    """Return every amendment of a paper's tests with its claims, day by day."""
    entry = load(paper)
    every = [Amended(wide.claims, wide) for wide in entry.amendments]
    every += [Amended([c.id], one) for c in entry.claims for one in c.rerun.amendments]
    return sorted(every, key=lambda amended: amended.amendment.date)


def known() -> list[str]:
    """Return the papers that have an entry, in the order of the book."""
    names = sorted(path.stem for path in paths.CLAIMS.glob("*.yaml"))
    return sorted(names, key=lambda name: load(name).order)
