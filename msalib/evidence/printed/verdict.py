"""What do the printed numbers say of a claim? Its statements together: a verdict, with every line.

A test of the registry is a mapping with ``test``, the name of a statement, and its arguments;
optionally ``least``: how many of its comparisons must hold (all, if left out), and ``ours``: true
where its margin, or how many must hold, is our choice because the sentence gives none.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msalib.evidence.common import Word
from msalib.evidence.printed.cells import Cells, Table, parse, row_names
from msalib.evidence.printed.names import plural
from msalib.evidence.printed.statements import STATEMENTS, Line


class Counts(NamedTuple):
    """How many comparisons hold, are tied, and fail."""

    hold: int
    tied: int
    fail: int

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Counts":
        """Count comparisons."""
        holds = [line.holds for line in lines]
        return cls(holds.count(True), holds.count(None), holds.count(False))

    def text(self) -> str:
        """Return "20 of 24 cells hold", and how many are tied; empty without comparisons."""
        if not sum(self):
            return ""
        verb = "holds" if sum(self) == 1 else "hold"
        return f"{self.hold} of {plural(sum(self), 'cell')} {verb}{self._ties()}"

    def _ties(self) -> str:
        return f", {self.tied} tied" if self.tied else ""

    def note(self) -> str:
        """Return the same in the words of a verdict's note."""
        return f"holds in {self.hold} of {sum(self)} comparisons{self._ties()}"


class PrintedVerdict(NamedTuple):
    """What the printed numbers say of a claim: the verdict, every comparison, and a sentence.

    ``ours``: the verdict rests on margins that we chose, where the sentence gives none.
    """

    verdict: Word
    lines: list[Line]
    note: str
    ours: bool = False

    @property
    def counts(self) -> Counts:
        """How many comparisons hold, are tied, and fail: shown wherever the verdict is."""
        return Counts.of(self.lines)


def judge_statements(table: Table, paper: str, tests: Sequence[Mapping]) -> PrintedVerdict:
    """Judge a claim by all its tests together.

    Supported if every test holds; contradicted if one cannot hold even with all its ties;
    inconclusive if ties decide; not run where the table lacks the cells.
    """
    cells = Cells.of(table)
    lines, verdicts = [], []
    for test in tests:
        compared = STATEMENTS[test["test"]](cells, paper, **arguments(test))
        ours = test.get("ours", False)
        verdicts.append((_verdict(compared, test.get("least", len(compared))), ours))
        lines += (
            [line._replace(text=f"{line.text} (our margin)") for line in compared]
            if ours
            else compared
        )
    order = ("contradicted", "not run", "inconclusive", "supported")
    verdict = min((word for word, _ in verdicts), key=order.index)
    ours = all(ours for word, ours in verdicts if word == verdict)
    note = Counts.of(lines).note() if verdict != "not run" else "needs cells that the table lacks"
    return PrintedVerdict(verdict, lines, note + (", by a margin of ours" if ours else ""), ours)


def _verdict(lines: Sequence[Line], least: int) -> Word:
    if not lines:
        return "not run"
    counts = Counts.of(lines)
    if counts.hold >= least:
        return "supported"
    return "contradicted" if counts.hold + counts.tied < least else "inconclusive"


def arguments(test: Mapping) -> dict:
    """Return the arguments of a test of the registry, without what says how it counts."""
    return {k: v for k, v in test.items() if k not in ("test", "least", "ours")}


def missing_rows(table: Table, paper: str, tests: Sequence[Mapping]) -> list[str]:
    """Return the rows that tests name and the table has nowhere: misspelt, or not printed."""
    places = {
        (c["paper"], c["exhibit"], c["system"], c["variant"]) for c in Cells.of(table).every()
    }
    missing = []
    for row in (row for test in tests for row in row_names(arguments(test))):
        parts = parse(row)
        if "*" in (parts["system"], parts["variant"]):
            continue
        place = (parts["paper"] or paper, parts["exhibit"], parts["system"], parts["variant"] or "")
        if place not in places:
            missing.append(row)
    return missing


def phrases(lines: Sequence[Line]) -> list[str]:
    """Return comparisons in few words: the metrics of two rows together, with their differences."""
    grouped: dict[str, list[str]] = {}
    for line in lines:
        grouped.setdefault(line.pair or line.text, []).append(line.short)
    return [
        pair + (f": {', '.join(short)}" if any(short) else "") for pair, short in grouped.items()
    ]
