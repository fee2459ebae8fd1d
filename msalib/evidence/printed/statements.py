"""Tests of claims on the papers' own tables: does a sentence hold in every cell it covers?

Each test takes the table of ``printed`` and the arguments that the registry gives it, and returns
one ``Line`` per comparison, with the arithmetic. Printed numbers are rounded: where a difference is
smaller than what rounding hides, a line is a tie and holds neither way.

Rows are named ``exhibit/system/variant``, the variant left out where it is empty; ``@dataset`` and
``#metric`` behind it name another data set or metric than that of the comparison, ``paper:`` before
it another paper. ``*`` stands for every other system or variant of that exhibit.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.evidence.common import Word
from msalib.evidence.printed import names
from msalib.evidence.printed.table import METRIC_UNITS, same, sign

Cell = Mapping
"""A row of the table by column, with its place as ``index``."""

Bound = float | Mapping[str, float]
"""One number for all metrics, or one by metric; by unit: ``percent`` and ``other``."""


class Cells:
    """The table of ``printed`` with its cells found by where they stand; made once, asked often."""

    def __init__(self, table: pd.DataFrame):
        self.table = table
        self._at: dict[tuple, list[Cell]] = {}
        for index, cell in table.to_dict("index").items():
            place = (cell["paper"], cell["exhibit"], cell["dataset"], cell["metric"])
            self._at.setdefault(place, []).append(cell | {"index": index})

    @classmethod
    def of(cls, table: "Table") -> "Cells":
        """The cells of a table; what has them already stays as it is."""
        return table if isinstance(table, cls) else cls(table)

    def every(self) -> Iterator[Cell]:
        """All cells."""
        return (cell for column in self._at.values() for cell in column)

    def at(self, paper: str, exhibit: str, dataset: str, metric: str) -> list[Cell]:
        """The cells of one column."""
        return self._at.get((paper, exhibit, dataset, metric), [])


Table = pd.DataFrame | Cells


class Line(NamedTuple):
    """One comparison of printed numbers: what it is, in digits, and whether it holds.

    ``holds`` is None for a tie. ``cells`` are the rows of the table that it reads, ``gain`` the
    difference in the direction that is better (None where there is none). Where it is one of
    several metrics of two rows, ``pair`` names these and ``short`` is the metric with its
    difference.
    """

    text: str
    holds: bool | None
    cells: tuple[int, ...]
    gain: float | None = None
    pair: str = ""
    short: str = ""


class Printed(NamedTuple):
    """What the printed numbers say of a claim: the verdict, every comparison, and a sentence.

    ``ours``: the verdict rests on margins that we chose, where the sentence gives none.
    """

    verdict: Word
    lines: list[Line]
    note: str
    ours: bool = False


# --- comparisons --------------------------------------------------------------------------------


def better(
    table: Table,
    paper: str,
    *,
    of: str,
    than: list[str],
    datasets: list[str],
    metrics: list[str],
    by: Bound = 0.0,
) -> list[Line]:
    """``of`` is better than each of ``than``, with ``by`` by at least that much."""

    def held(gain: float, unsure: float, metric: str) -> tuple[bool | None, str]:
        least = _bound(by, metric)
        if not least:
            return _sided(gain, unsure), ""
        return _at_least(gain, least, unsure), f", wanted {least:g} or more"

    return _compare(table, paper, of, than, datasets, metrics, held)


def no_worse(
    table: Table,
    paper: str,
    *,
    of: str,
    than: list[str],
    datasets: list[str],
    metrics: list[str],
    margin: Bound,
) -> list[Line]:
    """``of`` is behind none of ``than`` by more than the margin."""

    def held(gain: float, unsure: float, metric: str) -> tuple[bool | None, str]:
        most = _bound(margin, metric)
        return _at_least(gain, -most, unsure), f", at most {most:g} worse wanted"

    return _compare(table, paper, of, than, datasets, metrics, held)


def alike(
    table: Table,
    paper: str,
    *,
    of: str,
    than: list[str],
    datasets: list[str],
    metrics: list[str],
    margin: Bound,
) -> list[Line]:
    """``of`` and each of ``than`` differ by no more than the margin."""

    def held(gain: float, unsure: float, metric: str) -> tuple[bool | None, str]:
        most = _bound(margin, metric)
        return _at_least(-abs(gain), -most, unsure), f", within {most:g} wanted"

    return _compare(table, paper, of, than, datasets, metrics, held)


def ahead_by(
    table: Table,
    paper: str,
    *,
    of: str,
    than: list[str],
    datasets: list[str],
    metrics: list[str],
    low: Bound,
    high: Bound,
) -> list[Line]:
    """``of`` is better than each of ``than`` by an amount from ``low`` to ``high``."""

    def held(gain: float, unsure: float, metric: str) -> tuple[bool | None, str]:
        least, most = _bound(low, metric), _bound(high, metric)
        holds = _both(_at_least(gain, least, unsure), _at_least(-gain, -most, unsure))
        return holds, f", {least:g} to {most:g} wanted"

    return _compare(table, paper, of, than, datasets, metrics, held)


def gain_larger(
    table: Table,
    paper: str,
    *,
    of: list[str],
    than: list[list[str]],
    datasets: list[str],
    metrics: list[str],
    relative: bool = False,
) -> list[Line]:
    """The gain of ``of[0]`` over ``of[1]`` is larger than that of each pair of ``than``.

    ``relative``: gains as shares of what is gained on.
    """
    lines = []
    for dataset in datasets:
        for metric in metrics:
            for pair in than:
                cells = [_one(table, paper, row, dataset, metric) for row in (*of, *pair)]
                if any(c is None for c in cells):
                    continue
                gains, unsure = [], 0.0
                for first, second in (cells[:2], cells[2:]):
                    gain, doubt = _gain(first, second)
                    base = abs(second["value"]) if relative else 1.0
                    if not base:
                        break
                    gains.append(gain / base)
                    unsure += doubt / base
                if len(gains) < 2:
                    continue  # no share of nothing
                difference = gains[0] - gains[1]
                form = "+.3%" if relative else _form(cells[0], signed=True)
                text = (
                    f"{_about(cells[0])}: {names.system(cells[0])} gains {gains[0]:{form}} over "
                    f"{names.system(cells[1])}, {names.system(cells[2])} gains "
                    f"{gains[1]:{form}} over {names.system(cells[3])}"
                )
                if cells[2]["dataset"] != cells[0]["dataset"]:
                    text += f" ({names.dataset(cells[2]['dataset'])})"
                holds = _sided(difference, unsure)
                lines.append(Line(text, holds, _indices(cells), difference))
    return lines


def level(
    table: Table,
    paper: str,
    *,
    of: list[str],
    datasets: list[str],
    metrics: list[str],
    low: float,
    high: float,
) -> list[Line]:
    """Each number lies from ``low`` to ``high``."""
    lines = []
    for row in of:
        for dataset in datasets:
            for metric in metrics:
                for found in _rows(table, paper, row, dataset, metric):
                    value, unsure = found["value"], _half(found)
                    holds = _both(_at_least(value, low, unsure), _at_least(-value, -high, unsure))
                    text = f"{_about(found)}: {names.system(found)} {_show(found)}"
                    text += f", {low:g} to {high:g} wanted"
                    lines.append(Line(text, holds, _indices([found])))
    return lines


def ratio(
    table: Table,
    paper: str,
    *,
    of: str,
    over: str,
    datasets: list[str],
    metrics: list[str],
    low: float,
    high: float,
) -> list[Line]:
    """``of`` divided by ``over`` lies from ``low`` to ``high``."""
    lines = []
    for first, second, name in _pairs(table, paper, of, [over], datasets, metrics):
        if not second["value"]:
            continue
        share, unsure = _share(first, second)
        text = (
            f"{name}: {names.system(first)} / {names.system(second)} = {_show(first)} / "
            f"{_show(second)} = {share:.3f}, {low:g} to {high:g} wanted"
        )
        holds = _both(_at_least(share, low, unsure), _at_least(-share, -high, unsure))
        lines.append(Line(text, holds, _indices([first, second])))
    return lines


def share_smaller(
    table: Table,
    paper: str,
    *,
    of: str,
    than: list[str],
    datasets: list[str],
    metric: str,
    over: str,
) -> list[Line]:
    """``metric`` as a share of ``over`` is smaller for ``of`` than for each of ``than``."""
    lines = []
    for first, second, _ in _pairs(table, paper, of, than, datasets, [metric]):
        totals = [
            _one(table, paper, _row(found), found["dataset"], over) for found in (first, second)
        ]
        if any(total is None or not total["value"] for total in totals):
            continue
        (one, unsure), (other, doubt) = map(_share, (first, second), totals)
        text = (
            f"{names.dataset(first['dataset'])}: {names.metric(metric)} over "
            f"{names.metric(over)} {names.system(first)} "
            f"{_show(first)} / {_show(totals[0])} = {one:.2f}, {names.system(second)} "
            f"{_show(second)} / {_show(totals[1])} = {other:.2f}"
        )
        cells = _indices([first, second, *totals])
        lines.append(Line(text, _sided(other - one, unsure + doubt), cells, other - one))
    return lines


def sum_larger(
    table: Table,
    paper: str,
    *,
    of: list[str],
    than: list[str],
    datasets: list[str],
    metric: str,
) -> list[Line]:
    """The numbers of ``of`` add up to more than those of ``than``."""
    lines = []
    for dataset in datasets:
        sides = [[_one(table, paper, row, dataset, metric) for row in rows] for rows in (of, than)]
        if any(c is None for side in sides for c in side):
            continue
        sums = [sum(c["value"] for c in side) for side in sides]
        shown = [" + ".join(_show(c) for c in side) for side in sides]
        text = (
            f"{_about(sides[0][0])}: {', '.join(map(names.system, sides[0]))}: {shown[0]} = "
            f"{sums[0]:.3f} against {', '.join(map(names.system, sides[1]))}: {shown[1]} = "
            f"{sums[1]:.3f}"
        )
        cells = _indices([c for side in sides for c in side])
        unsure = sum(_half(c) for side in sides for c in side)
        lines.append(Line(text, _sided(sums[0] - sums[1], unsure), cells, sums[0] - sums[1]))
    return lines


def trend(
    table: Table,
    paper: str,
    *,
    of: dict[str, float],
    datasets: list[str],
    metrics: list[str],
    level: float = 0.05,
) -> list[Line]:
    """Rows get better as the number beside them grows: Spearman's rho above 0, one-sided.

    It holds where p is below the level, and does not where rho is 0 or less.
    """
    from scipy import stats as scipy_stats  # takes a second, which reading a claim need not

    lines = []
    for dataset in datasets:
        for metric in metrics:
            found = [(_one(table, paper, row, dataset, metric), x) for row, x in of.items()]
            if len(found) < 3 or any(c is None for c, _ in found):
                continue
            values = [sign(metric) * c["value"] for c, _ in found]
            test = scipy_stats.spearmanr([x for _, x in found], values, alternative="greater")
            text = (
                f"{_about(found[0][0])}: Spearman's rho {test.statistic:+.2f} over {len(found)} "
                f"rows, p {test.pvalue:.3f}, below {level:g} wanted"
            )
            # Neither where rho is positive and p too large, nor where equal values give no rho.
            holds = True if test.pvalue < level else False if test.statistic <= 0 else None
            cells = _indices([c for c, _ in found])
            lines.append(Line(text, holds, cells, float(test.statistic)))
    return lines


def only_beaten_by(
    table: Table,
    paper: str,
    *,
    of: str,
    rivals: list[str],
    among: str,
    datasets: list[str],
    metrics: list[str],
) -> list[Line]:
    """Of the systems in ``among``, exactly the rivals beat ``of`` in every data set and metric."""
    pairs: dict[str, list[tuple[Cell, Cell]]] = {}
    for first, second, _ in _pairs(table, paper, of, [among], datasets, metrics):
        pairs.setdefault(second["system"], []).append((first, second))
    lines = []
    for system, found in pairs.items():
        behind = all(_gain(first, second)[0] < 0 for first, second in found)
        if len(found) < len(datasets) * len(metrics) or not (behind or system in rivals):
            continue
        shown = ", ".join(f"{_about(b)} {_show(b)} against {_show(a)}" for a, b in found)
        does = "beats" if behind else "does not beat"
        text = f"{system} {does} {names.system(found[0][0])}: {shown}"
        cells = _indices([c for pair in found for c in pair])
        lines.append(Line(text, behind == (system in rivals), cells))
    return lines


def grid_slope(
    table: Table,
    paper: str,
    *,
    exhibits: list[str],
    dataset: str,
    metric: str,
    pattern: str,
    factor: str,
    above: float | None = None,
) -> list[Line]:
    """Over a grid of configurations, the metric rises with one factor (least squares, 95%).

    ``pattern`` is a regular expression whose groups are the factors of a variant. With ``above``,
    the mean at the factor's highest level exceeds that number instead.
    """
    numbers = table.table if isinstance(table, Cells) else table
    rows = numbers[
        (numbers["paper"] == paper)
        & numbers["exhibit"].isin(exhibits)
        & (numbers["dataset"] == dataset)
        & (numbers["metric"] == metric)
    ]
    factors = rows["variant"].str.extract(pattern)
    rows, factors = rows[factors.notna().all(axis=1)], factors.dropna().astype(float)
    if len(rows) < 3 or factors[factor].nunique() < 2:
        return []
    x = factors[factor].to_numpy()
    y = sign(metric) * rows["value"].to_numpy()
    means = rows["value"].groupby(x).mean()
    shown = ", ".join(f"{int(k)}: {mean:.2f}" for k, mean in means.items())
    cells = tuple(rows.index)
    if above is not None:
        best = means.iloc[-1]
        text = f"mean {names.metric(metric)} by {factor} {shown}; above {above:g} wanted"
        return [Line(text, bool(best > above), cells, float(best - above))]
    from scipy import stats as scipy_stats

    fit = scipy_stats.linregress(x, y)
    reach = scipy_stats.t.ppf(0.975, len(x) - 2) * fit.stderr
    text = (
        f"{names.metric(metric)} per {factor}: {fit.slope:+.3f} "
        f"[{fit.slope - reach:+.3f}, {fit.slope + reach:+.3f}] over {len(x)} cells (means {shown})"
    )
    return [Line(text, _sided(fit.slope, reach), cells, float(fit.slope))]


STATEMENTS = {
    f.__name__: f
    for f in (
        better,
        no_worse,
        alike,
        ahead_by,
        gain_larger,
        level,
        ratio,
        share_smaller,
        sum_larger,
        trend,
        only_beaten_by,
        grid_slope,
    )
}


# --- verdict ------------------------------------------------------------------------------------


def judge(table: Table, paper: str, tests: Sequence[Mapping]) -> Printed:
    """All tests of a claim together.

    A test is a mapping with ``test``, its arguments, optionally ``least``: how many of its
    comparisons must hold (all, if left out), and ``ours``: true where its margin, or how many must
    hold, is our choice because the sentence gives none. Supported if every test holds; contradicted
    if one cannot hold even with all its ties; inconclusive if ties decide; not run where the table
    lacks the cells.
    """
    cells = Cells.of(table)
    lines, verdicts = [], []
    for test in tests:
        ours = test.get("ours", False)
        found = STATEMENTS[test["test"]](cells, paper, **arguments(test))
        least = test.get("least", len(found))
        sure = sum(line.holds is True for line in found)
        possible = sure + sum(line.holds is None for line in found)
        if not found:
            word = "not run"
        elif sure >= least:
            word = "supported"
        else:
            word = "contradicted" if possible < least else "inconclusive"
        verdicts.append((word, ours))
        lines += (
            [line._replace(text=f"{line.text} (our margin)") for line in found] if ours else found
        )
    order = ("contradicted", "not run", "inconclusive", "supported")
    verdict = min((word for word, _ in verdicts), key=order.index)
    ours = all(ours for word, ours in verdicts if word == verdict)
    note = _counted(lines) if verdict != "not run" else "needs cells that the table lacks"
    return Printed(verdict, lines, note + (", by a margin of ours" if ours else ""), ours)


def arguments(test: Mapping) -> dict:
    """The arguments of a test of the registry, without what says how it counts."""
    return {k: v for k, v in test.items() if k not in ("test", "least", "ours")}


def missing(table: Table, paper: str, tests: Sequence[Mapping]) -> list[str]:
    """Rows that tests name and the table has nowhere: misspelt, or not printed."""
    cells = Cells.of(table)
    printed = {(c["paper"], c["exhibit"], c["system"], c["variant"]) for c in cells.every()}
    lacking = []
    for row in (row for test in tests for row in _named(arguments(test))):
        parts = parse(row)
        if "*" in (parts["system"], parts["variant"]):
            continue
        place = (parts["paper"] or paper, parts["exhibit"], parts["system"], parts["variant"] or "")
        if place not in printed:
            lacking.append(row)
    return lacking


def _named(value) -> Iterator[str]:
    """Rows among the arguments of a test, however deep."""
    if isinstance(value, str):
        if _ROW.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named(key)
            yield from _named(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _named(inner)


def _counted(lines: list[Line]) -> str:
    holds = sum(line.holds is True for line in lines)
    ties = sum(line.holds is None for line in lines)
    text = f"holds in {holds} of {len(lines)} comparisons"
    return f"{text}, {ties} tied" if ties else text


# --- cells --------------------------------------------------------------------------------------

_ROW = re.compile(
    r"(?:(?P<paper>\w+):)?(?P<exhibit>[^/@#]+)/(?P<system>[^/@#]*)"
    r"(?:/(?P<variant>[^@#]*))?(?:@(?P<dataset>\w*))?(?:#(?P<metric>\w+))?"
)


def parse(row: str) -> dict[str, str | None]:
    """The parts of a row's name; a name of another form is a ``ValueError``."""
    match = _ROW.fullmatch(row)
    if match is None:
        raise ValueError(f"row {row!r}: expected exhibit/system/variant")
    return match.groupdict()


def _rows(table: Table, paper: str, row: str, dataset: str, metric: str) -> Iterator[Cell]:
    """The cells of a row, which may name several by ``*``."""
    cells = Cells.of(table)
    parts = parse(row)
    system, variant = parts["system"], parts["variant"]
    every = variant == "*" or (system == "*" and variant is None)
    column = cells.at(
        parts["paper"] or paper,
        parts["exhibit"],
        dataset if parts["dataset"] is None else parts["dataset"],
        parts["metric"] or metric,
    )
    for cell in column:
        if system in ("*", cell["system"]) and (every or cell["variant"] == (variant or "")):
            yield cell


def _one(table: Table, paper: str, row: str, dataset: str, metric: str) -> Cell | None:
    return next(_rows(table, paper, row, dataset, metric), None)


def _pairs(
    table: Table,
    paper: str,
    of: str,
    than: Sequence[str],
    datasets: Sequence[str],
    metrics: Sequence[str],
) -> Iterator[tuple[Cell, Cell, str]]:
    """The cell of ``of`` with that of every other row, where both are printed."""
    for dataset in datasets:
        for metric in metrics:
            first = _one(table, paper, of, dataset, metric)
            if first is None:
                continue
            for row in than:
                for second in _rows(table, paper, row, dataset, metric):
                    if second["index"] != first["index"]:
                        yield first, second, _about(first)


def _compare(
    table: Table,
    paper: str,
    of: str,
    than: Sequence[str],
    datasets: Sequence[str],
    metrics: Sequence[str],
    held: Callable[[float, float, str], tuple[bool | None, str]],
) -> list[Line]:
    """``of`` against every other row: ``held`` says of a gain whether it holds, and what was
    wanted."""
    lines = []
    for first, second, name in _pairs(table, paper, of, than, datasets, metrics):
        gain, unsure = _gain(first, second)
        holds, wanted = held(gain, unsure, first["metric"])
        lines.append(_line(first, second, name, gain, holds, wanted))
    return lines


def _sided(difference: float, unsure: float) -> bool | None:
    """Whether a difference is above 0; None where rounding may hide its sign."""
    if abs(difference) < unsure and not same(abs(difference), unsure):
        return None
    return bool(difference > 0)


def _at_least(value: float, bound: float, unsure: float) -> bool | None:
    """Whether a number as printed reaches a bound; None where it may have before it was rounded."""
    if value > bound or same(value, bound):
        return True
    short = bound - value
    return None if short < unsure and not same(short, unsure) else False


def _both(one: bool | None, other: bool | None) -> bool | None:
    """One and the other, of what may be unknown."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _half(cell: Cell) -> float:
    """Half a unit in the last printed place; counts are not rounded."""
    return 0.0 if cell["unit"] == "count" else cell["half"]


def _share(part: Cell, whole: Cell) -> tuple[float, float]:
    """A number over another, and how much rounding may hide of that."""
    share = part["value"] / whole["value"]
    unsure = (_half(part) + abs(share) * _half(whole)) / abs(whole["value"])
    return share, unsure


def _gain(first: Cell, second: Cell) -> tuple[float, float]:
    """How much better the first is, and how much rounding may hide of it."""
    gain = sign(first["metric"]) * (first["value"] - second["value"])
    return round(gain, 10), round(_half(first) + _half(second), 10)


def _bound(bound: Bound, metric: str) -> float:
    """The bound for a metric: by its name, else ``percent`` for shares and ``other``."""
    if not isinstance(bound, Mapping):
        return bound
    shares = METRIC_UNITS[metric].name == "%"
    return bound.get(metric, bound.get("percent" if shares else "other", 0.0))


# --- words --------------------------------------------------------------------------------------


def _line(first, second, name: str, gain: float, holds: bool | None, more: str) -> Line:
    finer = min(first, second, key=lambda cell: cell["half"])
    difference = f"{first['value'] - second['value']:{_form(finer, signed=True)}}"
    one, two = names.system(first), names.system(second)
    other = names.dataset(second["dataset"])
    two += f" ({other})" if second["dataset"] != first["dataset"] else ""
    text = f"{name}: {one} {_show(first)}, {two} {_show(second)}, difference {difference}{more}"
    pair = f"{names.dataset(first['dataset'])}, {one} minus {two}"
    short = f"{names.metric(first['metric'])} {difference}"
    cells = _indices([first, second])
    return Line(text, None if holds is None else bool(holds), cells, gain, pair, short)


def phrases(lines: Sequence[Line]) -> list[str]:
    """Comparisons in few words: the metrics of two rows together, each with its difference."""
    grouped: dict[str, list[str]] = {}
    for line in lines:
        grouped.setdefault(line.pair or line.text, []).append(line.short)
    return [
        pair + (f": {', '.join(short)}" if any(short) else "") for pair, short in grouped.items()
    ]


def _indices(cells: Sequence[Cell]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(c["index"] for c in cells))


def _row(found: Cell) -> str:
    return f"{found['paper']}:{found['exhibit']}/{found['system']}/{found['variant']}"


def _about(found: Cell) -> str:
    return f"{names.dataset(found['dataset'])} {names.metric(found['metric'])}"


def _show(found: Cell) -> str:
    return f"{found['value']:{_form(found)}}"


def _form(found: Cell, signed: bool = False) -> str:
    """As many decimals as were printed, in the unit of the value."""
    plus = "+" if signed else ""
    if found["half"] == 0:
        return f"{plus},g"
    decimals = max(0, int(np.ceil(-np.log10(2 * found["half"]) - 1e-9)))
    return f"{plus},.{decimals}f"
