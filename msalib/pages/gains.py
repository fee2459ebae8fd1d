"""How far baselines drift between papers, beside what papers claim to gain over them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
import pandas as pd
from markupsafe import Markup

from msalib.data.metrics import METRICS
from msalib.evidence.printed import names
from msalib.evidence.printed.checks import drift
from msalib.evidence.printed.names import plural
from msalib.evidence.printed.table import PROSE
from msalib.evidence.printed.units import METRIC_UNITS, RESULTS, same, sign
from msalib.evidence.registry import Paper
from msalib.pages import sheet
from msalib.pages.markup import lines
from msalib.pages.sortable import Sortable
from msalib.pages.tables import Note

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

STEPS = ((0.5, "up to ½"), (1.0, "½ to 1"), (2.0, "1 to 2"), (float("inf"), "more than 2"))
"""Sizes in typical gains, each up to its bound; the classes of CSS are gain-1 to gain-4."""

NO_DRIFT = "No baseline is printed by two papers: there is no drift to show."

GAINS = ("paper", "exhibit", "corpus", "alignment", "metric", "value", "over", "best", "gain")
GAINS += ("cells",)


def claimed_gains(table: pd.DataFrame, entries: Mapping[str, Paper]) -> pd.DataFrame:
    """Return the gain of each paper's own system over the best other row of its main comparison.

    The main comparison of a data set is the first table in which the own system (``own[0]``) stands
    beside a system that the authors did not run; a baseline that they ran again is another row.
    ``value`` is the system's best row, ``best`` that of any other system, ``over`` the name of that
    system, and ``gain`` the difference in the direction that is better: negative where the system
    is behind. ``cells`` are the indices of both numbers in ``table``.
    """
    rows = table[table["unit"].isin(RESULTS) & ~table["exhibit"].isin(PROSE)]
    rows = rows[rows["paper"].isin(list(entries))]
    pairs = list(zip(rows["paper"], rows["system"], strict=True))
    rows = rows.assign(
        ours=[system == entries[paper].own[0] for paper, system in pairs],
        others=[system not in entries[paper].own for paper, system in pairs],
    )
    main: dict[tuple[str, str], pd.DataFrame] = {}
    for (paper, dataset, _), group in rows.groupby(["paper", "dataset", "exhibit"], sort=False):
        if group["ours"].any() and group["others"].any():
            main.setdefault((paper, dataset), group)
    gains = [
        gain
        for name in entries
        for (paper, _), group in main.items()
        if paper == name
        for _, cells in group.groupby("metric", sort=False)
        if (gain := _gain(cells))
    ]
    return pd.DataFrame(gains, columns=list(GAINS))


def _gain(cells: pd.DataFrame) -> dict:
    """Compare the own system's best row with the best other; empty where one is missing."""
    if cells["ours"].all() or not cells["ours"].any():
        return {}
    better = sign(cells["metric"].iloc[0])
    ours, theirs = (
        side.loc[(better * side["value"]).idxmax()]
        for side in (cells[cells["ours"]], cells[~cells["ours"]])
    )
    return ours[["paper", "exhibit", "corpus", "alignment", "metric", "value"]].to_dict() | {
        "over": names.system(theirs),
        "best": theirs["value"],
        "gain": round(better * (ours["value"] - theirs["value"]), 6) + 0.0,
        "cells": (int(ours.name), int(theirs.name)),
    }


def typical_gains(gains: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the median gain by data set and metric, over comparisons in which a system leads."""
    ahead = gains[gains["gain"] > 0]
    return {key: float(median(rows["gain"])) for key, rows in ahead.groupby(["corpus", "metric"])}


def drift_map(table: pd.DataFrame, entries: Mapping[str, Paper]) -> sheet.Sheet | Note:
    """Show how far papers' numbers of one baseline lie apart, in units of claimed gains.

    A table per data set. Above, baselines by metrics: how far apart two papers are at most. Below,
    on the same scale, the gain that each paper claims in its main comparison.
    """
    numbers = drift.shared(table)
    if not numbers:
        return Note(NO_DRIFT)
    gains = claimed_gains(table, entries)
    shared = {number.corpus for number in numbers}
    corpora = dict.fromkeys([*gains["corpus"], *(number.corpus for number in numbers)])
    blocks = [_Drift(name, numbers, gains, entries) for name in corpora if name in shared]
    kinds = Counter(number.kind for number in numbers)
    scaled = [ratio for block in blocks for ratio in block.drifting.values() if ratio is not None]
    stated = [pair for block in blocks for pair in block.stated]
    ahead = [(gain, reach) for gain, reach in stated if gain > 0]
    keys = [(f"gain-{i}", "▲" if i > 2 else "", name) for i, (_, name) in enumerate(STEPS, 1)]
    keys += [
        ("", "=", "the papers' numbers agree"),
        ("", "≈", "the papers agree in some setting (alignment, features)"),
        ("behind", MINUS, "not ahead of the best other row of the paper's table"),
    ]
    return sheet.Sheet(
        [
            *(block.html() for block in blocks),
            sheet.legend("In typical gains of its column:", keys),
        ],
        caption="Upper rows of each table: how far apart papers print the same baseline. Lower "
        "rows: what each paper claims to gain over the best other row of its main comparison. Both "
        "are coloured in typical gains: the median gain on that data set and metric, over the "
        "comparisons in which a paper's system is ahead. "
        f"{plural(len(numbers), 'number')} of baselines printed by two papers or more: "
        f"{kinds['agree']} agree, {kinds['setting']} differ by setting only, {kinds['drift']} "
        f"drift. {len(scaled)} of them drift where a paper claims a gain, "
        f"{sum(ratio > 1 for ratio in scaled)} by more than the typical claimed gain. "
        f"{plural(len(stated), 'comparison')} with the best other row of a paper's own table: "
        f"{len(ahead)} ahead, {sum(gain < reach for gain, reach in ahead)} of these by less than "
        "some baseline drifts on that data set and metric.",
    )


class _Drift:
    """One data set in the map of drift."""

    def __init__(
        self,
        corpus: str,
        numbers: Sequence[drift.Shared],
        gains: pd.DataFrame,
        entries: Mapping[str, Paper],
    ):
        self.name = names.dataset(corpus)
        self.cells = {(n.system, n.metric): n for n in numbers if n.corpus == corpus}
        present = {metric for _, metric in self.cells}
        self.metrics = [m for m in METRICS if m in present] + sorted(present - set(METRICS))
        typical = typical_gains(gains)
        self.typical = {m: typical[corpus, m] for m in self.metrics if (corpus, m) in typical}
        rows = gains[(gains["corpus"] == corpus) & gains["metric"].isin(self.metrics)]
        self.gains = {
            (entries[paper].name, alignment): dict(zip(group["metric"], group["gain"], strict=True))
            for (paper, alignment), group in rows.groupby(["paper", "alignment"], sort=False)
        }
        systems = {system for system, _ in self.cells}
        self.systems = sorted(systems, key=lambda s: (-self._largest(s), s))

    def _ratio(self, size: float, metric: str) -> float | None:
        """Return a size in typical gains of its metric; None where no paper claims a gain."""
        return round(size / self.typical[metric], 6) if metric in self.typical else None

    def _largest(self, system: str) -> float:
        """Return the largest distance in typical gains, in which all metrics can be compared."""
        ratios = [self._ratio(n.distance, m) for (s, m), n in self.cells.items() if s == system]
        return max((ratio for ratio in ratios if ratio is not None), default=0.0)

    @property
    def drifting(self) -> dict[tuple[str, str], float | None]:
        """The numbers that drift, by system and metric, in typical gains."""
        numbers = {key: n for key, n in self.cells.items() if n.kind == "drift"}
        return {(s, m): self._ratio(n.distance, m) for (s, m), n in numbers.items()}

    @property
    def stated(self) -> list[tuple[float, float]]:
        """Every claimed gain with the furthest drift of a baseline on its metric."""
        reach = dict.fromkeys(self.metrics, 0.0)
        for system, metric in self.drifting:
            reach[metric] = max(reach[metric], round(self.cells[system, metric].distance, 6))
        return [(gain, reach[m]) for row in self.gains.values() for m, gain in row.items()]

    def html(self) -> Markup:
        """Return the table of this data set."""
        head = [
            sheet.hidden("baseline"),
            *(Markup("<br>(").join(names.metric(m).split(" (")) for m in self.metrics),
        ]
        baselines = [
            sheet.row(system, (self._distance(system, m) for m in self.metrics))
            for system in self.systems
        ]
        groups = {"Distance of a baseline between papers (number of papers)": baselines}
        if self.gains:
            typical = (
                sheet.cell(_number(self.typical[m], m) if m in self.typical else "none")
                for m in self.metrics
            )
            groups["Gain of a paper over the best other row of its main table"] = [
                sheet.row("typical gain", typical, "typical"),
                *(
                    sheet.row(
                        Markup(",<br>").join(filter(None, [name, alignment])),
                        (self._gain(row[m], m) if m in row else sheet.cell() for m in self.metrics),
                    )
                    for (name, alignment), row in self.gains.items()
                ),
            ]
        caption = Markup("<b>{}</b>").format(self.name)
        return sheet.table(f"{self.name}: drift and gains", caption, head, groups)

    def _distance(self, system: str, metric: str) -> Markup:
        number = self.cells.get((system, metric))
        if number is None:
            return sheet.cell()
        count = f"({len(number.cells)})"
        if number.kind != "drift":
            symbol, word = AGREEMENTS[number.kind]
            return sheet.cell(Markup("{} {}").format(sheet.mark(symbol, word), count))
        ratio = self._ratio(number.distance, metric)
        value = Markup("<b>{} {}</b>").format(_number(number.distance, metric), count)
        return sheet.cell(lines([value, _above(ratio) + _times(ratio)]), _step(ratio))

    def _gain(self, gain: float, metric: str) -> Markup:
        if gain <= 0:
            return sheet.cell(_signed(gain, metric), "behind")
        ratio = self._ratio(gain, metric)
        return sheet.cell(_above(ratio) + _signed(gain, metric), _step(ratio))


AGREEMENTS = {"agree": ("=", "agree"), "setting": ("≈", "agree in some setting")}
"""Mark and word for numbers that do not drift, by their kind."""


def _step(ratio: float | None) -> str:
    if ratio is None:
        return "no-gain"
    return f"gain-{next(i for i, (bound, _) in enumerate(STEPS, 1) if ratio <= bound)}"


def _above(ratio: float | None) -> Markup:
    above = ratio is not None and ratio > 1
    return sheet.mark("▲", "more than typical:") + " " if above else Markup("")


def _number(value: float, metric: str) -> str:
    """Return three decimals for MAE and correlation, one or, if needed, two for a percentage."""
    if metric in METRICS and METRICS[metric].unit != "%":
        return f"{value:.3f}"
    return f"{value:.1f}" if same(round(value, 1), round(value, 2)) else f"{value:.2f}"


def _signed(value: float, metric: str) -> str:
    return ("+" if value > 0 else MINUS if value < 0 else "") + _number(abs(value), metric)


def _times(ratio: float | None) -> str:
    if ratio is None:
        return "no gain"
    if ratio < 0.05:
        return f"<0.1{TIMES}"
    digits = 2 if 0.95 <= ratio < 1.05 else 1  # more or less than one must show
    return f"{ratio:.{digits}f}{TIMES}"


# --- all numbers of baselines -------------------------------------------------------------------


def drift_table(table: pd.DataFrame, entries: Mapping[str, Paper]) -> Sortable | Note:
    """Show every number of a baseline that two papers or more print, side by side."""
    papers = [paper for paper in entries if paper in set(table["paper"])]
    rows, ids = [], Counter()
    for number in sorted(drift.shared(table), key=lambda n: (n.corpus, n.system)):
        name = re.sub(r"\W+", "-", f"drift-{number.corpus}-{number.system}-{number.metric}")
        ids[name] += 1
        row = {
            "id": name if ids[name] == 1 else f"{name}-{ids[name]}",
            "data set": names.dataset(number.corpus),
            "system": number.system,
            "metric": names.metric(number.metric),
        }
        outliers = number.outliers()
        for paper in papers:
            text = _values(number.cells.get(paper, []))
            if text and paper in outliers:
                text = Markup("<b>{}</b>").format(text)
            row[entries[paper].name] = text
        rows.append(row | {"distance": f"{number.distance:.4g}", "kind": number.kind})
    if not rows:
        return Note(NO_DRIFT)
    return Sortable(
        pd.DataFrame(rows),
        caption="Numbers of baselines that several papers print, shares in percent. Bold: agrees "
        "with the fewest other papers. Kind: agree; setting, where every two papers agree in some "
        "setting of alignment or features; drift, where two papers have no number in common.",
        filters=["data set", "system", "metric", "kind"],
    )


def _values(cells: Sequence[Mapping]) -> Markup:
    """Return the numbers of a paper, each with its settings in small letters."""
    by_value: dict[str, list[str]] = {}
    for cell in cells:
        setting = " ".join(filter(None, [cell["variant"].replace("_", " "), cell["alignment"]]))
        by_value.setdefault(f"{cell['value']:g}", []).append(setting)
    parts = []
    for value, settings in by_value.items():
        setting = ", ".join(dict.fromkeys(filter(None, settings)))
        parts.append(value + (Markup(" <small>{}</small>").format(setting) if setting else ""))
    return lines(parts)


def drifted(table: pd.DataFrame) -> dict[str, str]:
    """Return drift in numbers for prose, by the name under which they are glued.

    ``shared``, ``shared_agree``, ``shared_setting``, ``shared_drift``; ``drift_median`` and
    ``drift_largest``, distances in percentage points of the shares that drift, and
    ``drift_widest``, which number has the largest.
    """
    numbers = drift.shared(table)
    kinds = Counter(number.kind for number in numbers)
    texts = {"shared": str(len(numbers))}
    texts |= {f"shared_{word}": str(kinds[word]) for word in ("agree", "setting", "drift")}
    percent = METRIC_UNITS["acc7"]
    apart = [n for n in numbers if n.kind == "drift" and METRIC_UNITS[n.metric] == percent]
    if apart:
        widest = max(apart, key=lambda number: number.distance)
        name = f"{names.metric(widest.metric)} of {widest.system} on {names.dataset(widest.corpus)}"
        distances = [number.distance for number in apart]
        texts["drift_median"] = f"{np.median(distances):.1f}"
        texts |= {"drift_largest": f"{max(distances):.1f}", "drift_widest": name}
    return texts
