"""Does a sentence hold in every cell it covers? Statements about the papers' own tables.

Each statement takes the table of printed numbers and the arguments that the registry gives it, and
returns one ``Line`` per comparison, with the arithmetic. Rows are named as in ``cells``; a line is
a tie where rounding decides (``rounding``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from itertools import product
from typing import NamedTuple

from msalib.evidence.printed import names
from msalib.evidence.printed.cells import Cell, Cells, Table, indices, row_name
from msalib.evidence.printed.names import column, number
from msalib.evidence.printed.rounding import at_least, gain, half, positive, share, within
from msalib.evidence.printed.units import METRIC_UNITS, sign

Bound = float | Mapping[str, float]
"""One number for all metrics, or one by metric; by unit: ``percent`` and ``other``."""


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


# --- one row against others ---------------------------------------------------------------------


def _comparison(rule: Callable[..., tuple[bool | None, str]]) -> Callable[..., list[Line]]:
    """Make a statement of a rule on the gain of ``of`` over each of ``than``.

    A rule takes the gain, what rounding may hide of it, and bounds by name. It returns whether it
    holds, and what was wanted, in words. Bounds of the statement may differ by metric.
    """

    def statement(
        table: Table,
        paper: str,
        *,
        of: str,
        than: list[str],
        datasets: list[str],
        metrics: list[str],
        **bounds: Bound,
    ) -> list[Line]:
        lines = []
        for first, second in Cells.of(table).pairs(paper, of, than, datasets, metrics):
            ahead, unsure = gain(first, second)
            at_metric = {name: _bound(bound, first["metric"]) for name, bound in bounds.items()}
            holds, wanted = rule(ahead, unsure, **at_metric)
            lines.append(_line(first, second, ahead, holds, wanted))
        return lines

    takes = [p for p in signature(statement).parameters.values() if p.kind != Parameter.VAR_KEYWORD]
    bounds = list(signature(rule).parameters.values())[2:]
    statement = wraps(rule)(statement)
    statement.__signature__ = Signature([*takes, *bounds])
    return statement


@_comparison
def better(ahead: float, unsure: float, *, by: Bound = 0.0):
    """Check that ``of`` is better than each of ``than``, with ``by`` by at least that much."""
    if not by:
        return positive(ahead, unsure), ""
    return at_least(ahead, by, unsure), f", wanted {by:g} or more"


@_comparison
def no_worse(ahead: float, unsure: float, *, margin: Bound):
    """Check that ``of`` is behind none of ``than`` by more than the margin."""
    return at_least(ahead, -margin, unsure), f", at most {margin:g} worse wanted"


@_comparison
def alike(ahead: float, unsure: float, *, margin: Bound):
    """Check that ``of`` and each of ``than`` differ by no more than the margin."""
    return at_least(-abs(ahead), -margin, unsure), f", within {margin:g} wanted"


@_comparison
def ahead_by(ahead: float, unsure: float, *, low: Bound, high: Bound):
    """Check that ``of`` is better than each of ``than`` by an amount from ``low`` to ``high``."""
    return within(ahead, low, high, unsure), f", {low:g} to {high:g} wanted"


def _bound(bound: Bound, metric: str) -> float:
    """Return the bound of a metric: by its name, else ``percent`` for shares and ``other``."""
    if not isinstance(bound, Mapping):
        return bound
    percent = METRIC_UNITS[metric].name == "%"
    return bound.get(metric, bound.get("percent" if percent else "other", 0.0))


def _line(first: Cell, second: Cell, ahead: float, holds: bool | None, wanted: str) -> Line:
    finer = min(first, second, key=lambda cell: cell["half"])
    difference = f"{first['value'] - second['value']:{names.form(finer, signed=True)}}"
    one, two = names.system(first), names.system(second)
    if second["dataset"] != first["dataset"]:
        two += f" ({names.dataset(second['dataset'])})"
    text = f"{column(first)}: {one} {number(first)}, {two} {number(second)}"
    text += f", difference {difference}{wanted}"
    pair = f"{names.dataset(first['dataset'])}, {one} minus {two}"
    short = f"{names.metric(first['metric'])} {difference}"
    return Line(text, holds, indices([first, second]), ahead, pair, short)


# --- arithmetic of several cells ----------------------------------------------------------------


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
    """Check that ``of[0]`` gains more over ``of[1]`` than the first of each pair in ``than``.

    ``relative``: gains as shares of what is gained on.
    """
    lines = []
    for place in product(datasets, metrics):
        for pair in than:
            cells = [Cells.of(table).first(paper, row, *place) for row in (*of, *pair)]
            if any(c is None for c in cells):
                continue
            bases = [abs(c["value"]) if relative else 1.0 for c in cells[1::2]]
            if 0 in bases:
                continue  # no share of nothing
            (one, doubt), (other, its_doubt) = gain(*cells[:2]), gain(*cells[2:])
            gains = one / bases[0], other / bases[1]
            unsure = doubt / bases[0] + its_doubt / bases[1]
            form = "+.3%" if relative else names.form(cells[0], signed=True)
            systems = [names.system(cell) for cell in cells]
            text = (
                f"{column(cells[0])}: {systems[0]} gains {gains[0]:{form}} over {systems[1]}, "
                f"{systems[2]} gains {gains[1]:{form}} over {systems[3]}"
            )
            if cells[2]["dataset"] != cells[0]["dataset"]:
                text += f" ({names.dataset(cells[2]['dataset'])})"
            more = gains[0] - gains[1]
            lines.append(Line(text, positive(more, unsure), indices(cells), more))
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
    """Check that each number lies from ``low`` to ``high``."""
    lines = []
    for row, *place in product(of, datasets, metrics):
        for cell in Cells.of(table).matching(paper, row, *place):
            holds = within(cell["value"], low, high, half(cell))
            text = f"{column(cell)}: {names.system(cell)} {number(cell)}"
            lines.append(Line(f"{text}, {low:g} to {high:g} wanted", holds, indices([cell])))
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
    """Check that ``of`` divided by ``over`` lies from ``low`` to ``high``."""
    lines = []
    for first, second in Cells.of(table).pairs(paper, of, [over], datasets, metrics):
        if not second["value"]:
            continue
        quotient, unsure = share(first, second)
        text = (
            f"{column(first)}: {names.system(first)} / {names.system(second)} = {number(first)} / "
            f"{number(second)} = {quotient:.3f}, {low:g} to {high:g} wanted"
        )
        holds = within(quotient, low, high, unsure)
        lines.append(Line(text, holds, indices([first, second])))
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
    """Check that ``metric`` as a share of ``over`` is smaller for ``of`` than for each of ``than``.

    ``over`` is another metric of the same row.
    """
    cells, lines = Cells.of(table), []
    for pair in cells.pairs(paper, of, than, datasets, [metric]):
        totals = [cells.first(paper, row_name(cell), cell["dataset"], over) for cell in pair]
        if any(total is None or not total["value"] for total in totals):
            continue
        (one, unsure), (other, doubt) = map(share, pair, totals)
        first, second = (
            f"{names.system(cell)} {number(cell)} / {number(total)} = {quotient:.2f}"
            for cell, total, quotient in zip(pair, totals, (one, other), strict=True)
        )
        text = (
            f"{names.dataset(pair[0]['dataset'])}: {names.metric(metric)} over "
            f"{names.metric(over)} {first}, {second}"
        )
        holds = positive(other - one, unsure + doubt)
        lines.append(Line(text, holds, indices([*pair, *totals]), other - one))
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
    """Check that the numbers of ``of`` add up to more than those of ``than``."""
    lines = []
    for dataset in datasets:
        sides = [
            [Cells.of(table).first(paper, row, dataset, metric) for row in rows]
            for rows in (of, than)
        ]
        cells = [cell for side in sides for cell in side]
        if any(cell is None for cell in cells):
            continue
        sums = [sum(cell["value"] for cell in side) for side in sides]
        ours, theirs = (
            f"{', '.join(map(names.system, side))}: {' + '.join(map(number, side))} = {total:.3f}"
            for side, total in zip(sides, sums, strict=True)
        )
        difference = sums[0] - sums[1]
        holds = positive(difference, sum(map(half, cells)))
        text = f"{column(cells[0])}: {ours} against {theirs}"
        lines.append(Line(text, holds, indices(cells), difference))
    return lines


# --- many rows at once --------------------------------------------------------------------------


def trend(
    table: Table,
    paper: str,
    *,
    of: dict[str, float],
    datasets: list[str],
    metrics: list[str],
    level: float = 0.05,
) -> list[Line]:
    """Check that rows get better as the number beside them grows: Spearman's rho > 0, one-sided.

    It holds where p is below the level, and does not where rho is 0 or less.
    """
    from scipy import stats as scipy_stats  # takes a second, which reading a claim need not

    lines = []
    for dataset, metric in product(datasets, metrics):
        cells = [Cells.of(table).first(paper, row, dataset, metric) for row in of]
        if len(cells) < 3 or any(cell is None for cell in cells):
            continue
        values = [sign(metric) * cell["value"] for cell in cells]
        test = scipy_stats.spearmanr(list(of.values()), values, alternative="greater")
        text = (
            f"{column(cells[0])}: Spearman's rho {test.statistic:+.2f} over {len(cells)} "
            f"rows, p {test.pvalue:.3f}, below {level:g} wanted"
        )
        # Neither where rho is positive and p too large, nor where equal values give no rho.
        holds = True if test.pvalue < level else False if test.statistic <= 0 else None
        lines.append(Line(text, holds, indices(cells), float(test.statistic)))
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
    """Check that of the systems in ``among`` exactly the rivals beat ``of`` in every column."""
    by_system: dict[str, list[tuple[Cell, Cell]]] = {}
    for first, second in Cells.of(table).pairs(paper, of, [among], datasets, metrics):
        by_system.setdefault(second["system"], []).append((first, second))
    lines = []
    for system, pairs in by_system.items():
        behind = all(gain(*pair)[0] < 0 for pair in pairs)
        if len(pairs) < len(datasets) * len(metrics) or not (behind or system in rivals):
            continue
        listing = ", ".join(f"{column(b)} {number(b)} against {number(a)}" for a, b in pairs)
        does = "beats" if behind else "does not beat"
        text = f"{system} {does} {names.system(pairs[0][0])}: {listing}"
        cells = indices([cell for pair in pairs for cell in pair])
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
    """Check that a metric rises with one factor of a grid of configurations (least squares, 95%).

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
    means = rows["value"].groupby(x).mean()
    listing = ", ".join(f"{int(k)}: {mean:.2f}" for k, mean in means.items())
    if above is not None:
        best = means.iloc[-1]
        text = f"mean {names.metric(metric)} by {factor} {listing}; above {above:g} wanted"
        return [Line(text, bool(best > above), tuple(rows.index), float(best - above))]
    slope, reach = _slope(x, sign(metric) * rows["value"].to_numpy())
    text = (
        f"{names.metric(metric)} per {factor}: {slope:+.3f} "
        f"[{slope - reach:+.3f}, {slope + reach:+.3f}] over {len(x)} cells (means {listing})"
    )
    return [Line(text, positive(slope, reach), tuple(rows.index), float(slope))]


def _slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Return the slope of least squares and half of its 95% interval."""
    from scipy import stats as scipy_stats

    fit = scipy_stats.linregress(x, y)
    return fit.slope, scipy_stats.t.ppf(0.975, len(x) - 2) * fit.stderr


_ALL = (better, no_worse, alike, ahead_by, gain_larger, level, ratio, share_smaller, sum_larger)
STATEMENTS = {s.__name__: s for s in (*_ALL, trend, only_beaten_by, grid_slope)}
"""Statements by the name that the registry has for them."""
