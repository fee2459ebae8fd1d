"""Claims: registry -> tests -> verdicts. A verdict is computed, never typed.

``book/claims/<paper>.yaml`` states each claim with a test for each kind of evidence (``papers``):

- printed: a test of ``statements`` on the paper's own tables,
- parity: our models against outputs of the authors' code, as last recorded,
- re-run and control: a test of the paper's own (``papers.<paper>.evidence``) on the records of one
  setting and nothing else.
"""

import json
import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pandas as pd

from msalib import papers
from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.evidence import contents
from msalib.evidence.common import Evidence, Word, not_run
from msalib.evidence.printed import statements
from msalib.evidence.printed import table as printed
from msalib.evidence.registry import Claim, check_arguments, load
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Record, Setting

KINDS = ("as-published", "substitute", "control")
"""Settings that verdicts are about, in the order of the ledger. A leaky one is no evidence."""


@dataclass(frozen=True)
class Verdict:
    """A claim in a setting of a kind (``KINDS``): evidence, and the records that the test read."""

    claim: Claim
    kind: str
    setting: Setting
    evidence: Evidence
    records: list[Record]

    @property
    def reading(self) -> str:
        """What the verdict means, in a sentence."""
        return self.claim.rerun.reading.get(self.evidence.verdict, "")


class Told(NamedTuple):
    """The verdict of one kind of evidence, with a phrase on what it rests on or what it needs."""

    verdict: Word
    note: str


@dataclass(frozen=True)
class Evidences:
    """A claim with all that speaks for or against it, by kind of evidence.

    ``printed`` and ``parity`` are of the paper; ``rerun`` and ``control`` have a verdict for each
    setting, as published first, and are empty where the claim has no test on records yet.
    """

    paper: str
    claim: Claim
    printed: statements.Printed
    parity: Told
    rerun: list[Verdict]
    control: list[Verdict]

    @property
    def runs(self) -> list[Verdict]:
        """Verdicts on records, real and simulated."""
        return self.rerun + self.control

    def not_run(self, kind: str) -> Told:
        """What is told where there is no verdict of a kind (re-run, control)."""
        if kind == "re-run":
            return Told("not run", f"needs {self.claim.rerun.needs}")
        why, none = NONE.subn("there can be none", self.claim.control)
        if none:
            return Told("not run", why)
        return Told(
            "not run",
            f"needs our model, trained on simulated data. Plan of these: {self.claim.control}",
        )


NONE = re.compile(r"^(There can be none|None)\b")
"""How the sentence on the control of a claim begins where there can be no control."""


def of_paper(weighed: Iterable[Evidences]) -> list[Evidences]:
    """The claims that the paper makes, without ours."""
    return [evidences for evidences in weighed if not evidences.claim.ours]


def registry(paper: str, ids: Container[str] | None = None) -> list[Claim]:
    """The claims of a paper, or those with these ids."""
    return [claim for claim in load(paper).claims if ids is None or claim.id in ids]


def weigh(paper: str, table: pd.DataFrame | None = None) -> list[Evidences]:
    """Every claim of a paper with every kind of evidence that there is.

    ``table`` holds printed numbers, by default those of the project. Raises ``UserError`` where a
    test names a row that it has nowhere.
    """
    cells = statements.Cells(printed.load_all() if table is None else table)
    for claim in registry(paper):
        if lacking := statements.missing(cells, paper, claim.printed.tests):
            raise UserError(
                paths.CLAIMS / f"{paper}.yaml",
                found=f"{claim.id}: no printed number of {', '.join(lacking)}",
                expected="rows of book/printed, as exhibit/system/variant",
                remedy="Correct the name of the row.",
            )
    by_claim: dict[str, list[Verdict]] = {}
    for verdict in evaluate(paper):
        by_claim.setdefault(verdict.claim.id, []).append(verdict)
    equal = parity(paper)
    found = []
    for claim in registry(paper):
        own = by_claim.get(claim.id, [])
        found.append(
            Evidences(
                paper,
                claim,
                in_print(cells, paper, claim),
                equal,
                [v for v in own if v.kind != "control"],
                [v for v in own if v.kind == "control"],
            )
        )
    return found


def in_print(table: statements.Table, paper: str, claim: Claim) -> statements.Printed:
    """The verdict of the paper's own tables on a claim."""
    if claim.printed.none is not None:
        return statements.Printed("not run", [], f"needs numbers: {claim.printed.none}")
    return statements.judge(table, paper, claim.printed.tests)


def parity(paper: str) -> Told:
    """Whether our models of a paper return the outputs of the authors' code, as last recorded.

    It says nothing on the claim itself: it says that a re-run is of the authors' model.
    """
    entry = load(paper).parity
    path = paths.BOOK / "records" / "parity.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    if not entry.fixtures or not set(entry.fixtures) <= known.keys():
        return Told("not run", f"needs {entry.needs or 'a comparison on record'}")
    errors = {name: known[name]["max_abs_error"] for name in entry.fixtures}
    within = all(errors[name] <= known[name]["tolerance"] for name in entry.fixtures)
    note = ", ".join(f"{name} {error:.1g}" for name, error in errors.items())
    return Told("supported" if within else "contradicted", f"largest difference: {note}")


def evaluate(paper: str) -> list[Verdict]:
    """Judge every claim with a test in every setting that counts, and as published in any case.

    Leaky settings are left out.
    """
    chosen = [claim for claim in registry(paper) if claim.rerun.test is not None]
    if not chosen:
        return []
    settings = [s for s in counted(paper) if kind(paper, s) in KINDS]
    verdicts = [
        verdict for setting in settings for verdict in judge(chosen, records.find(paper, setting))
    ]
    for setting in as_published(paper):
        if setting not in settings:
            needs = f"{setting.encoder} layers of {setting.dataset} (README, 'Your own GPU')"
            verdicts += [
                Verdict(
                    claim,
                    "as-published",
                    setting,
                    not_run([f"{needs}; for all of it: {claim.rerun.needs}"]),
                    [],
                )
                for claim in chosen
            ]
    return sorted(verdicts, key=lambda v: KINDS.index(v.kind))


def study(paper: str) -> list[Setting]:
    """Return the settings that verdicts rest on: those of the book's pages, and as published."""
    return list(dict.fromkeys([*contents.settings(paper), *as_published(paper)]))


def counted(paper: str) -> list[Setting]:
    """Return the settings of the study that have records, ordered by the folders of these."""
    paths = {setting: records.files(paper, setting) for setting in study(paper)}
    return sorted((s for s in paths if paths[s]), key=lambda s: paths[s][0].parent)


def apart(paper: str) -> list[Verdict]:
    """Judge the claims on all other records, which the study does not count: a user's own runs.

    Leaky settings are left out.
    """
    chosen = [claim for claim in registry(paper) if claim.rerun.test is not None]
    others = [s for s in records.settings(paper) if s not in study(paper)] if chosen else []
    verdicts = [v for setting in others for v in judge(chosen, records.find(paper, setting))]
    return [v for v in verdicts if v.kind in KINDS]


def as_published(paper: str) -> list[Setting]:
    """Settings that a reader asks for first; where they have no records, the ledger says so."""
    pairs = papers.fact(paper, "AS_PUBLISHED", ())
    return [Setting(dataset, encoder, "release", "paper") for dataset, encoder in pairs]


def kind(paper: str, setting: Setting) -> str:
    """as-published, substitute, control or leaky."""
    published = papers.published(paper, setting.dataset, setting.encoder, setting.profile)
    return readers.dataset(setting.dataset).setting(published)


def test_of(claim: Claim) -> Callable[[Runs], Evidence]:
    """Return the test of a claim on records, with its arguments.

    It is looked up by name in the claim's own paper. Raises ``UserError`` where the paper has no
    such test, or the test no such arguments.
    """
    module = papers.part(claim.paper, "evidence")
    tests = {test.__name__: test for test in module.TESTS} if module else {}
    try:
        test = tests[claim.rerun.test]
        check_arguments(test, (None,), claim.rerun.arguments)
    except (KeyError, ValueError) as error:
        complaint = f"no test {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            paths.CLAIMS / f"{claim.paper}.yaml",
            found=f"{claim.id}: {complaint}",
            expected=f"a test of msalib/papers/{claim.paper}/evidence.py with its arguments",
            remedy=f"Correct the entry; tests are {', '.join(tests) or 'none yet'}.",
        ) from None
    return partial(test, **claim.rerun.arguments)


def judge(chosen: Iterable[Claim], found: list[Record]) -> list[Verdict]:
    """These claims on the records of one setting; leaky ones count for none."""
    spec = found[0].spec
    setting = Setting(spec.dataset, spec.encoder, spec.preset, spec.profile)
    if spec.setting == "leaky":
        evidence = not_run(["features that have not seen labels of the test part"])
        return [Verdict(claim, spec.setting, setting, evidence, []) for claim in chosen]
    return [_judged(claim, spec.setting, setting, Runs(found)) for claim in chosen]


def _judged(claim: Claim, kind: str, setting: Setting, runs: Runs) -> Verdict:
    if claim.rerun.test is None:
        return Verdict(claim, kind, setting, not_run([claim.rerun.needs]), [])
    evidence = test_of(claim)(runs)
    read = runs.used if evidence.effects or evidence.verdict != "not run" else []
    return Verdict(claim, kind, setting, evidence, read)


def printed_effects(
    paper: str, claim: Claim, about: str | None = None, cells: statements.Cells | None = None
) -> list[str]:
    """The claim's effect as the paper prints it, one phrase per pair of rows.

    Where some is printed for the data set ``about``, only that. ``cells`` are those of the project,
    where they are made already.
    """
    cells = cells or statements.Cells(printed.load_all())
    lines = in_print(cells, paper, claim).lines
    corpus = cells.table["corpus"]
    own = [line for line in lines if about in set(corpus[list(line.cells)])]
    return statements.phrases(own or lines)
