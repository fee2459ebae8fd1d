"""Which verdicts changed between versions of the study?

``book/records/verdicts/<version>.json`` holds all verdicts of a version. The version is that of
CITATION.cff: whoever changes a verdict raises it and records the verdicts anew, so the newest
record has today's. A day stands for the state of the study before it had versions.

``python -m msalib.evidence.changes`` records the verdicts of this version.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from msalib.base import files, paths, provenance
from msalib.base.errors import UserError
from msalib.base.files import Recorded, read_yaml
from msalib.base.terminal import say
from msalib.evidence import registry
from msalib.evidence.common import Word
from msalib.evidence.verdicts import ClaimEvidence, Verdict, weigh

IN_PRINT = "printed"
"""Name of the paper's own tables among the settings of a claim."""


class Judged(BaseModel):
    """A claim of a version: its sentence, and the verdict of each setting that was run.

    ``verdicts``: ``IN_PRINT`` or a setting as ``dataset/encoder/preset/profile`` -> verdict;
    ``cells``: how many comparisons in print hold, are tied, and fail.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    paper: str
    statement: str
    cells: tuple[int, int, int]
    verdicts: dict[str, Word]


class Snapshot(BaseModel):
    """All verdicts of a version, with the commit and its day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    commit: str
    date: date
    claims: dict[str, Judged]

    def of_papers(self) -> dict[str, dict[str, Judged]]:
        """Return the claims of each paper by their ids."""
        papers: dict[str, dict[str, Judged]] = {}
        for name, claim in self.claims.items():
            papers.setdefault(claim.paper, {})[name] = claim
        return papers


class Version(BaseModel):
    """What CITATION.cff says of the version."""

    version: str


Kind = Literal["changed", "new", "gone", "reworded"]


class Change(NamedTuple):
    """A difference between two versions: of a claim in a setting, or of the claim itself.

    ``setting`` is empty for a claim that is new, gone or reworded; ``before`` and ``after`` are
    verdicts, or sentences.
    """

    kind: Kind
    paper: str
    claim: str
    setting: str
    before: str
    after: str


# --- records ------------------------------------------------------------------------------------


def version() -> str:
    """Return the version of the study."""
    citation = paths.ROOT / "CITATION.cff"
    return read_yaml(citation, Version, expected="the version of the study").version


def folder() -> Path:
    """Return the folder of the recorded versions: the study's, wherever your records are."""
    return paths.BOOK / "records" / "verdicts"


def record(name: str) -> Recorded[Snapshot]:
    """Return the record of a version, to read or to write."""
    remedy = "run python -m msalib.evidence.changes"
    return Recorded(Snapshot, folder() / f"{name}.json", "record of verdicts", remedy)


def snapshots() -> list[Snapshot]:
    """Return the verdicts of all recorded versions, the oldest first."""
    names = [path.stem for path in folder().glob("*.json")]
    return sorted((record(name).read() for name in names), key=lambda s: (s.date, s.version))


def latest() -> Snapshot:
    """Return the verdicts of this version; raise ``UserError`` where none are recorded."""
    return record(version()).read()


def today() -> dict[str, Judged]:
    """Return all verdicts of the study by claim, as the records of runs give them now."""
    return {e.claim.id: judged(e) for paper in registry.known() for e in weigh(paper)}


def judged(evidence: ClaimEvidence) -> Judged:
    """Return what is kept of the evidence on a claim; settings that were not run are left out."""
    ran = {_name(v): v.evidence.verdict for v in evidence.runs if v.evidence.verdict != "not run"}
    return Judged(
        paper=evidence.paper,
        statement=evidence.claim.statement,
        cells=tuple(evidence.printed.counts),
        verdicts={IN_PRINT: evidence.printed.verdict} | ran,
    )


def _name(verdict: Verdict) -> str:
    return "/".join(verdict.setting)


def write() -> Snapshot:
    """Record today's verdicts under the version of CITATION.cff.

    Raises ``UserError`` where other verdicts are recorded under that version.
    """
    name, found = version(), today()
    kept = record(name)
    if kept.exists and kept.read().claims != found:
        raise UserError(
            kept.place,
            found="other verdicts than today's",
            expected=f"those of version {name}, which stay as they are",
            remedy="Raise the version in CITATION.cff, then record the verdicts again.",
        )
    if not kept.exists:
        commit, day = provenance.commit_and_day()
        made = Snapshot(version=name, commit=commit, date=day, claims=found)
        files.write_json(kept.path, made.model_dump(mode="json"))
    return kept.read()


# --- differences --------------------------------------------------------------------------------


def history(every: Sequence[Snapshot]) -> Iterator[tuple[Snapshot, list[Change]]]:
    """Yield each version but the first with its changes, the newest first."""
    for earlier, later in reversed(list(pairwise(every))):
        yield later, list(differences(earlier, later))


def differences(earlier: Snapshot, later: Snapshot) -> Iterator[Change]:
    """Yield what changed between two versions, claim by claim."""
    for name in dict.fromkeys([*later.claims, *earlier.claims]):
        before, after = earlier.claims.get(name), later.claims.get(name)
        paper = (after or before).paper
        if before is None:
            yield Change("new", paper, name, "", "", after.statement)
        elif after is None:
            yield Change("gone", paper, name, "", before.statement, "")
        elif before.statement != after.statement:
            yield Change("reworded", paper, name, "", before.statement, after.statement)
        if before and after:
            yield from _of_claim(paper, name, before, after)


def _of_claim(paper: str, name: str, before: Judged, after: Judged) -> Iterator[Change]:
    for setting in dict.fromkeys([*after.verdicts, *before.verdicts]):
        old, new = before.verdicts.get(setting, ""), after.verdicts.get(setting, "")
        if old != new:
            kind = "changed" if old and new else "new" if new else "gone"
            yield Change(kind, paper, name, setting, old, new)


if __name__ == "__main__":
    made = write()
    say(f"Verdicts of version {made.version}, {made.date}, commit {made.commit}")
