"""Verdicts: claims -> tests -> verdicts. A verdict is computed, never typed.

``book/claims/<paper>.yaml`` states each claim with a test for each kind of evidence (``registry``):

- printed: a test of ``printed.statements`` on the paper's own tables,
- re-run and control: a test of the paper's own (``papers.<paper>.evidence``) on the records of one
  setting. A test that reads more, such as a measurement, says so in its docstring, and judges a
  measurement in one setting only.

Beside them stand parity with outputs of the authors' code, which is no evidence for or against a
claim, and the error rates of the test on records (``error_rates``).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pandas as pd

from msalib import papers
from msalib.base import paths
from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.data.corpus import TUNED
from msalib.evidence import error_rates, registry, settings
from msalib.evidence.common import Evidence, Word, not_run
from msalib.evidence.error_rates import Measured
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.cells import Cells, Table
from msalib.evidence.printed.verdict import PrintedVerdict, judge_statements, missing_rows, phrases
from msalib.evidence.registry import Claim
from msalib.evidence.settings import KINDS
from msalib.runs import folds, records
from msalib.runs.query import Runs
from msalib.runs.records import Record, Setting


class Coverage(NamedTuple):
    """What a test covers: seeds, clips and videos of the test part, and what the systems read.

    ``inputs``: stream -> blocks of its encoder, 1 for vectors without layers, 0 where the encoder
    is fine-tuned.
    """

    seeds: int
    clips: int
    videos: int
    inputs: dict[str, int]


@dataclass(frozen=True)
class Verdict:
    """A claim in a setting of a kind (``KINDS``): evidence, and the records that the test read.

    ``coverage`` is None where the test read no records, as that of a measurement or a count does.
    """

    claim: Claim
    kind: str
    setting: Setting
    evidence: Evidence
    records: list[Record]
    coverage: Coverage | None = None

    @property
    def reading(self) -> str:
        """The sentence that says what the verdict means."""
        return self.claim.rerun.reading.get(self.evidence.verdict, "")


class Outcome(NamedTuple):
    """The verdict of one kind of evidence, with a phrase on what it rests on or what it needs."""

    verdict: Word
    note: str


@dataclass(frozen=True)
class ClaimEvidence:
    """A claim with its evidence of every kind.

    ``printed`` is of the paper; ``rerun`` and ``control`` have a verdict for each setting, as
    published first, and are empty where the claim has no test on records yet. ``parity`` is a
    sentence on the part of the model that the claim is about, or empty. ``error_rates`` are those
    of the test on records, by size of the data, as far as they are measured.
    """

    paper: str
    claim: Claim
    printed: PrintedVerdict
    rerun: list[Verdict]
    control: list[Verdict]
    parity: str = ""
    error_rates: Sequence[Measured] = ()

    @property
    def runs(self) -> list[Verdict]:
        """Verdicts on records, real and simulated."""
        return self.rerun + self.control

    def not_run(self, kind: str) -> Outcome:
        """Say what is missing where there is no verdict of a kind (re-run, control)."""
        if kind == "re-run":
            return Outcome("not run", f"needs {self.claim.rerun.needs}")
        reason, impossible = _NO_CONTROL.subn("there can be none", self.claim.control)
        if impossible:
            return Outcome("not run", reason)
        return Outcome(
            "not run",
            f"needs our model, trained on simulated data. Plan of these: {self.claim.control}",
        )


_NO_CONTROL = re.compile(r"^(There can be none|None)\b")
"""How the sentence on the control of a claim begins where there can be no control."""


# --- every kind of evidence ---------------------------------------------------------------------


def weigh(paper: str, table: pd.DataFrame | None = None) -> list[ClaimEvidence]:
    """Return every claim of a paper with its evidence of every kind.

    ``table`` holds printed numbers, by default those of the project. Raises ``UserError`` where a
    test names a row that the table does not have.
    """
    cells = Cells(printed.load_all() if table is None else table)
    claims = registry.claims(paper)
    _check_rows(cells, paper, claims)
    by_claim: dict[str, list[Verdict]] = {}
    for verdict in judge_study(paper):
        by_claim.setdefault(verdict.claim.id, []).append(verdict)
    rates = error_rates.by_claim(paper)
    weighed = []
    for claim in claims:
        verdicts = by_claim.get(claim.id, [])
        rerun = [v for v in verdicts if v.kind != "control"]
        control = [v for v in verdicts if v.kind == "control"]
        on_paper, beside = judge_printed(cells, paper, claim), parity(claim.parity)
        errors = rates.get(claim.id, ())
        weighed.append(ClaimEvidence(paper, claim, on_paper, rerun, control, beside, errors))
    return weighed


def _check_rows(cells: Cells, paper: str, claims: Iterable[Claim]) -> None:
    """Raise ``UserError`` where a printed test names a row that the table does not have."""
    for claim in claims:
        if missing := missing_rows(cells, paper, claim.printed.tests):
            raise UserError(
                paths.CLAIMS / f"{paper}.yaml",
                found=f"{claim.id}: no printed number of {', '.join(missing)}",
                expected="rows of book/printed, as exhibit/system/variant",
                remedy="Correct the name of the row.",
            )


def made_by_paper(weighed: Iterable[ClaimEvidence]) -> list[ClaimEvidence]:
    """Select the claims that the paper makes, without ours."""
    return [evidence for evidence in weighed if not evidence.claim.ours]


# --- on the paper -------------------------------------------------------------------------------


def judge_printed(table: Table, paper: str, claim: Claim) -> PrintedVerdict:
    """Judge a claim on the paper's own tables."""
    if claim.printed.none is not None:
        return PrintedVerdict("not run", [], f"needs numbers: {claim.printed.none}")
    return judge_statements(table, paper, claim.printed.tests)


def printed_effects(cells: Cells, judged: PrintedVerdict, about: str | None = None) -> list[str]:
    """Return the effect of a claim as the paper prints it, one phrase per pair of rows.

    Where some is printed for the data set ``about``, only that.
    """
    corpus = cells.table["corpus"]
    about_corpus = [line for line in judged.lines if about in set(corpus[list(line.cells)])]
    return phrases(about_corpus or judged.lines)


def parity(fixtures: Sequence[str]) -> str:
    """Say how far our outputs are from those of the authors' code, as last recorded.

    ``fixtures`` name their outputs. The sentence is empty without any.
    """
    if not fixtures:
        return ""
    record = Recorded(
        dict[str, dict],
        paths.BOOK / "records" / "parity.json",
        "record of parity",
        "compare anew: python -m tests.parity FOLDER",
    )
    recorded = record.read() if record.exists else {}
    if missing := [name for name in fixtures if name not in recorded]:
        return f"our model is not compared with the authors' outputs yet ({', '.join(missing)})"
    errors = {name: recorded[name]["max_abs_error"] for name in fixtures}
    beyond = {n: e for n, e in errors.items() if not e <= recorded[n]["tolerance"]}
    if beyond:
        return (
            f"our model differs from the authors' outputs by {max(beyond.values()):.1g} "
            f"({', '.join(beyond)})"
        )
    worst = max(errors.values())
    how = f"within {worst:.1g}" if worst else "exactly"
    return f"our model equals the authors' outputs {how} ({', '.join(errors)})"


# --- on records ---------------------------------------------------------------------------------


def judge_study(paper: str) -> list[Verdict]:
    """Judge every claim with a test in every setting that counts, and as published in any case.

    Leaky settings are left out.
    """
    claims = _tested(paper)
    if not claims:
        return []
    counted = [s for s in settings.counted(paper) if settings.kind(paper, s) in KINDS]
    verdicts = [v for s in counted for v in judge(claims, records.find(paper, s))]
    for setting in settings.as_published(paper):
        if setting not in counted:
            layers = f"{setting.encoder} layers of {setting.dataset} (README, 'Your own GPU')"
            for claim in claims:
                evidence = not_run([f"{layers}; for all of it: {claim.rerun.needs}"])
                verdicts.append(Verdict(claim, "as-published", setting, evidence, []))
    return sorted(verdicts, key=lambda v: KINDS.index(v.kind))


def judge_own_runs(paper: str) -> list[Verdict]:
    """Judge the claims on all other records, which the study does not count: a user's own runs.

    Leaky settings are left out.
    """
    claims = _tested(paper)
    study = settings.study(paper) + settings.beside(paper)
    others = [s for s in records.settings(paper) if s not in study] if claims else []
    verdicts = [v for setting in others for v in judge(claims, records.find(paper, setting))]
    return [v for v in verdicts if v.kind in KINDS]


def _tested(paper: str) -> list[Claim]:
    """Return the claims of a paper with a test on records."""
    return [claim for claim in registry.claims(paper) if claim.rerun.test is not None]


OF_MOSI = {"mae", "corr", "acc2_has0"}
"""Metrics of CMU-MOSI that tell its task from CH-SIMS and from classes."""


def judge(claims: Iterable[Claim], runs: list[Record]) -> list[Verdict]:
    """Judge claims on the records of one setting; a cross-validation counts as a whole.

    Leaky settings count for none, and neither do data sets that are scored by other metrics than
    CMU-MOSI, unless the tests of the paper read those of any task (``ANY_TASK``).
    """
    spec, claims = runs[0].spec, list(claims)
    setting = Setting(spec.dataset, spec.encoder, spec.preset, spec.profile)
    any_task = all(_reads_any_task(claim.paper) for claim in claims)
    needs = ""
    if spec.setting == "leaky":
        needs = "features that have not seen labels of the test part"
    elif not (runs[0].metrics["test"].keys() >= OF_MOSI or any_task):
        needs = "labels that are scored as those of CMU-MOSI"
    elif not (pooled := folds.pool(runs)):
        needs = f"all folds of a cross-validation ({len(folds.incomplete(runs))} lack some)"
    if needs:
        evidence = not_run([needs])
        return [Verdict(claim, spec.setting, setting, evidence, []) for claim in claims]
    trained = Runs(pooled)
    return [_judge_one(claim, spec.setting, setting, trained.unread()) for claim in claims]


def _reads_any_task(paper: str) -> bool:
    """Check whether the tests of a paper read the metrics of whatever task a data set has."""
    return getattr(papers.part(paper, "evidence"), "ANY_TASK", False)


def _judge_one(claim: Claim, kind: str, setting: Setting, runs: Runs) -> Verdict:
    if claim.rerun.test is None:
        return Verdict(claim, kind, setting, not_run([claim.rerun.needs]), [])
    evidence = bound_test(claim)(runs)
    read = runs.used if evidence.effects or evidence.verdict != "not run" else []
    if not read:
        return Verdict(claim, kind, setting, evidence, [])
    # Records may have more seeds than a test could pair.
    paired = max((len(e.seeds) for e in evidence.effects.values()), default=0)
    seeds = paired or len({record.spec.seed for record in read})
    return Verdict(claim, kind, setting, evidence, read, coverage(read, seeds))


def coverage(records: Sequence[Record], seeds: int) -> Coverage:
    """Return what records of one setting cover."""
    clips = records[0].predictions["test"]
    inputs = {
        stream: 0 if layer == TUNED else record.blocks.get(stream, 1)
        for record in records
        for stream, layer in record.spec.inputs.items()
    }
    return Coverage(seeds, len(clips.id), len(set(clips.video)), dict(sorted(inputs.items())))


def bound_test(claim: Claim) -> Callable[[Runs], Evidence]:
    """Return the test of a claim on records, with its arguments.

    It is looked up by name in the claim's own paper. Raises ``UserError`` where the paper has no
    such test, or the test no such arguments.
    """
    module = papers.part(claim.paper, "evidence")
    tests = {test.__name__: test for test in module.TESTS} if module else {}
    try:
        test = tests[claim.rerun.test]
        registry.check_arguments(test, (None,), claim.rerun.arguments)
    except (KeyError, ValueError) as error:
        complaint = f"no test {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            paths.CLAIMS / f"{claim.paper}.yaml",
            found=f"{claim.id}: {complaint}",
            expected=f"a test of msalib/papers/{claim.paper}/evidence.py with its arguments",
            remedy=f"Correct the entry; tests are {', '.join(tests) or 'none yet'}.",
        ) from None
    return partial(test, **claim.rerun.arguments)
