"""Figures of printed evidence: how far baselines drift, what a pass is worth, all verdicts.

Sheets that are higher than wide, so that they can be read on a phone. Every cell says in a number
or a mark what its colour says; hatches and marks stay apart in grey.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean, median
from textwrap import wrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from msalib.data.metrics import METRICS
from msalib.evidence import registry as papers
from msalib.evidence.claims import Evidences, of_paper
from msalib.evidence.printed import checks, testparts, words
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import SEVERITIES, Finding, drift, granularity
from msalib.evidence.printed.table import PROSE, RESULTS, same, sign
from msalib.evidence.printed.words import plural
from msalib.evidence.registry import Paper
from msalib.pages.figure import Picture, style
from msalib.pages.ledger import SYMBOLS
from msalib.pages.tables import Note

WIDTH = 7.4
"""Inches of a sheet; as wide as a phone it has 52 pixels per inch."""

LETTERS, SMALL, HEAD = 11, 10, 14
BLACK, EDGE = "#000000", "#B3B3B3"
MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

STEPS = ((0.5, "#E9F4FB"), (1.0, "#B9DFF5"), (2.0, "#E69F00"), (float("inf"), "#D55E00"))
"""Colours by size in typical gains, each up to its bound: tints of Okabe and Ito's sky blue below
one, orange and vermillion above. They darken from step to step, also in grey."""

ABOVE, SETTING, BEHIND = "▲", "////", "...."
"""Mark of what is larger than a typical gain; hatches of kinds."""


# --- sheets -------------------------------------------------------------------------------------


class _Sheet:
    """A figure without axes to see: inches from the upper left corner."""

    def __init__(self, height: float):
        self.figure = Figure(figsize=(WIDTH, height))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        self.axes.set_axis_off()

    def text(self, x: float, y: float, text: str, size: float = LETTERS, **look) -> None:
        look = {"ha": "left", "va": "center", "color": BLACK} | look
        self.axes.text(x, y, text, fontsize=size, **look)

    def box(
        self,
        place: tuple[float, float],
        size: tuple[float, float],
        colour: str,
        *,
        hatch: str = "",
        edge: str = "white",
    ) -> None:
        """Its hatch is faint, so that letters on it can be read."""
        if hatch:
            look = {"facecolor": colour, "edgecolor": EDGE, "hatch": hatch, "linewidth": 0}
            self.axes.add_patch(Rectangle(place, *size, **look))
            colour = "none"
        look = {"facecolor": colour, "edgecolor": edge, "linewidth": 1}
        self.axes.add_patch(Rectangle(place, *size, **look))


def _number(value: float, metric: str) -> str:
    """MAE and correlation with three decimals, percentages with one, or two if they need them."""
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


# --- baselines between papers, beside what papers claim to gain ---------------------------------


def claimed_gains(table: pd.DataFrame, entries: Mapping[str, Paper]) -> pd.DataFrame:
    """What each paper's own system gains over the best other row of its main comparison.

    That is, for each data set, the first table in which the own system (``own[0]``) stands beside
    a system that the authors did not run; a baseline that they ran again counts as another row.
    ``value`` is the system's best row, ``best`` that of any other system, ``over`` which one that
    is, and ``gain`` the difference in the direction that is better: negative where the system is
    behind. ``half`` is what rounding may add to the gain or take from it.
    """
    rows = table[table["unit"].isin(RESULTS) & ~table["exhibit"].isin(PROSE)]
    rows = rows[rows["paper"].isin(list(entries))]
    rows = rows.assign(
        ours=[s == entries[p].own[0] for p, s in zip(rows["paper"], rows["system"], strict=True)],
        others=[
            s not in entries[p].own for p, s in zip(rows["paper"], rows["system"], strict=True)
        ],
    )
    found, main = [], {}
    for (paper, dataset, exhibit), group in rows.groupby(
        ["paper", "dataset", "exhibit"], sort=False
    ):
        if group["ours"].any() and group["others"].any():
            main.setdefault((paper, dataset), (exhibit, group))
    for paper in entries:
        for (of, _), (exhibit, group) in main.items():
            if of == paper:
                found += [
                    {"paper": paper, "exhibit": exhibit, "metric": metric} | gained
                    for metric, cells in group.groupby("metric", sort=False)
                    if (gained := _gained(cells, metric))
                ]
    return pd.DataFrame(found, columns=list(GAINS))


GAINS = ("paper", "exhibit", "corpus", "alignment", "metric", "value", "over", "best", "gain")
GAINS += ("half", "cells")


def _gained(cells: pd.DataFrame, metric: str) -> dict:
    """The own system's best row against the best other; nothing where one is missing."""
    if cells["ours"].all() or not cells["ours"].any():
        return {}
    ours, theirs = (
        own.loc[(sign(metric) * own["value"]).idxmax()]
        for own in (cells[cells["ours"]], cells[~cells["ours"]])
    )
    return {
        "corpus": ours["corpus"],
        "alignment": ours["alignment"],
        "value": ours["value"],
        "over": words.system(theirs),
        "best": theirs["value"],
        "gain": round(sign(metric) * (ours["value"] - theirs["value"]), 6) + 0.0,
        "half": ours["half"] + theirs["half"],
        "cells": (int(ours.name), int(theirs.name)),
    }


def typical_gains(gains: pd.DataFrame) -> dict[tuple[str, str], float]:
    """The median gain by data set and metric, of the comparisons in which a system is ahead."""
    ahead = gains[gains["gain"] > 0]
    return {key: float(median(own["gain"])) for key, own in ahead.groupby(["corpus", "metric"])}


@style
def drift_map(table: pd.DataFrame, entries: Mapping[str, Paper]) -> Picture | Note:
    """How far papers' numbers of one baseline lie apart, in units of what papers claim to gain.

    A block per data set. Above, baselines by metrics: how far apart two papers are at most. Below,
    on the same scale, the gain that each paper claims in its main comparison.
    """
    both = drift.shared(table)
    if not both:
        return Note("No baseline is printed by two papers: there is no drift to show.")
    gains = claimed_gains(table, entries)
    corpora = dict.fromkeys([*gains["corpus"], *(n.corpus for n in both)])
    known = {n.corpus for n in both}
    blocks = [_Block(corpus, both, gains, entries) for corpus in corpora if corpus in known]
    sheet = _Sheet(sum(block.height for block in blocks) + _LEGEND)
    y = 0.0
    for block in blocks:
        block.draw(sheet, y)
        y += block.height
    _drift_legend(sheet, y)
    kinds = Counter(number.kind for number in both)
    scaled = [r for block in blocks for r in block.drifting.values() if r is not None]
    stated = [pair for block in blocks for pair in block.stated]
    ahead = [(gain, reach) for gain, reach in stated if gain > 0]
    summary = (
        f"{plural(len(both), 'number')} of baselines printed by two papers or more: "
        f"{kinds['agree']} agree, {kinds['setting']} differ by setting only, {kinds['drift']} "
        f"drift. Of the {len(scaled)} that drift where a paper claims a gain, "
        f"{sum(ratio > 1 for ratio in scaled)} do so by more than the typical claimed gain. "
        f"{plural(len(stated), 'comparison')} with the best other row of a paper's own table: "
        f"{len(ahead)} ahead, {sum(gain < reach for gain, reach in ahead)} of these by less than "
        "some baseline drifts on that data set and metric."
    )
    return Picture(
        sheet.figure,
        alt=f"Heat map of baselines by metrics. {summary} "
        + " ".join(block.in_words() for block in blocks),
        caption="Upper rows of each block: how far apart papers print the same baseline. Lower "
        "rows: what each paper claims to gain over the best other row of its main comparison. Both "
        "are coloured in typical gains: the median gain on that data set and metric, over the "
        f"comparisons in which a paper's system is ahead. {summary}",
    )


_LABEL, _CELL, _STRIP, _LEGEND = 1.1, 0.45, 0.38, 1.55
"""Inches: the names of rows; heights of cells of baselines and of gains, and of the legend."""


class _Block:
    """A data set in the map of drift."""

    def __init__(
        self,
        corpus: str,
        both: Sequence[drift.Shared],
        gains: pd.DataFrame,
        entries: Mapping[str, Paper],
    ):
        self.name = words.dataset(corpus)
        self.cells = {(n.system, n.metric): n for n in both if n.corpus == corpus}
        present = {metric for _, metric in self.cells}
        self.metrics = [m for m in METRICS if m in present] + sorted(present - set(METRICS))
        typical = typical_gains(gains)
        self.typical = {m: typical[corpus, m] for m in self.metrics if (corpus, m) in typical}
        own = gains[(gains["corpus"] == corpus) & gains["metric"].isin(self.metrics)]
        self.gains = {
            (entries[paper].name, alignment): dict(zip(rows["metric"], rows["gain"], strict=True))
            for (paper, alignment), rows in own.groupby(["paper", "alignment"], sort=False)
        }
        systems = {system for system, _ in self.cells}
        self.systems = sorted(systems, key=lambda s: (-self._largest(s), s))

    def _ratio(self, size: float, metric: str) -> float | None:
        """A size in typical gains of its metric; None where no paper claims a gain."""
        return round(size / self.typical[metric], 6) if metric in self.typical else None

    def _largest(self, system: str) -> float:
        """In typical gains, so that MAE and percentages can be compared."""
        ratios = [self._ratio(n.distance, m) for (s, m), n in self.cells.items() if s == system]
        return max((r for r in ratios if r is not None), default=0.0)

    @property
    def drifting(self) -> dict[tuple[str, str], float | None]:
        """What drifts, by system and metric, in typical gains."""
        drifts = {key: n for key, n in self.cells.items() if n.kind == "drift"}
        return {(s, m): self._ratio(n.distance, m) for (s, m), n in drifts.items()}

    @property
    def stated(self) -> list[tuple[float, float]]:
        """Every claimed gain with the furthest drift of a baseline on its metric."""
        reach = {m: 0.0 for m in self.metrics}
        for system, metric in self.drifting:
            reach[metric] = max(reach[metric], round(self.cells[system, metric].distance, 6))
        return [(gain, reach[m]) for own in self.gains.values() for m, gain in own.items()]

    @property
    def height(self) -> float:
        return 1.72 + _CELL * len(self.systems) + _STRIP * len(self.gains)

    def draw(self, sheet: _Sheet, top: float) -> None:
        width = (WIDTH - 0.02 - _LABEL) / max(len(self.metrics), 7)
        lefts = {metric: _LABEL + width * i for i, metric in enumerate(self.metrics)}
        sheet.text(0, top + 0.2, self.name, HEAD, weight="bold")
        above = "distance of a baseline between papers (number of papers)"
        sheet.text(_LABEL, top + 0.2, above)
        for metric, x in lefts.items():
            name = words.metric(metric).replace(" (", "\n(")
            look = {"ha": "center", "weight": "bold", "linespacing": 1.0}
            sheet.text(x + width / 2, top + 0.57, name, **look)
        y = top + 0.78
        for system in self.systems:
            sheet.text(0, y + _CELL / 2, system)
            for metric, x in lefts.items():
                if (system, metric) in self.cells:
                    self._range(sheet, (x, y), (width, _CELL), self.cells[system, metric])
            y += _CELL
        if not self.gains:
            return
        sheet.text(_LABEL, y + 0.22, "gain of a paper over the best other row of its main table")
        sheet.text(0, y + 0.5, "typical gain", SMALL, style="italic")
        for metric, x in lefts.items():
            shown = _number(self.typical[metric], metric) if metric in self.typical else "none"
            sheet.text(x + width / 2, y + 0.5, shown, LETTERS, ha="center", style="italic")
        y += 0.65
        for (name, alignment), own in self.gains.items():
            if alignment:
                sheet.text(0, y + _STRIP / 2, f"{name},\n{alignment}", SMALL, linespacing=0.95)
            else:
                sheet.text(0, y + _STRIP / 2, name)
            for metric, gain in own.items():
                self._gain(sheet, (lefts[metric], y), (width, _STRIP), gain, metric)
            y += _STRIP

    def _range(self, sheet: _Sheet, place, size, number: drift.Shared) -> None:
        x, y = place[0] + size[0] / 2, place[1]
        ratio = self._ratio(number.distance, number.metric)
        if number.kind != "drift":
            setting = number.kind == "setting"
            look = {"ha": "center"} | ({"bbox": _ground("white")} if setting else {})
            sheet.box(place, size, "white", hatch=SETTING if setting else "", edge=EDGE)
            sheet.text(x, y + size[1] / 2, f"= ({len(number.cells)})", **look)
            return
        look = {"ha": "center"}
        sheet.box(place, size, _colour(ratio), edge=EDGE)
        value = f"{_number(number.distance, number.metric)} ({len(number.cells)})"
        sheet.text(x, y + 0.31 * size[1], value, weight="bold", **look)
        sheet.text(x, y + 0.74 * size[1], _marked(_times(ratio), ratio), SMALL, **look)

    def _gain(self, sheet: _Sheet, place, size, gain: float, metric: str) -> None:
        x, y = place[0] + size[0] / 2, place[1] + size[1] / 2
        if gain <= 0:
            sheet.box(place, size, "white", hatch=BEHIND, edge=EDGE)
            look = {"bbox": _ground("white")}
            sheet.text(x, y, _signed(gain, metric), ha="center", **look)
            return
        ratio = self._ratio(gain, metric)
        sheet.box(place, size, _colour(ratio), edge=EDGE)
        sheet.text(x, y, _marked(_signed(gain, metric), ratio), ha="center")

    def in_words(self) -> str:
        """By metric: the baseline that drifts furthest, and what papers claim to gain."""
        parts = []
        for metric in self.metrics:
            ranges = {s: self.cells[s, m].distance for s, m in self.drifting if m == metric}
            text = "no drift"
            if ranges:
                system = max(ranges, key=ranges.get)
                ratio = self._ratio(ranges[system], metric)
                text = f"furthest {system}, {_number(ranges[system], metric)}"
                text += "" if ratio is None else f" or {_times(ratio)} the typical gain"
            gains = [own[metric] for own in self.gains.values() if metric in own]
            if gains:
                text += (
                    f"; claimed gains {_signed(min(gains), metric)} to "
                    f"{_signed(max(gains), metric)}"
                )
            parts.append(f"{words.metric(metric)}: {text}")
        return f"{self.name}. {'. '.join(parts)}."


def _ground(colour: str) -> dict:
    """Behind letters, so that a hatch does not cross them."""
    return {"facecolor": colour, "edgecolor": "none", "pad": 1.2}


def _colour(ratio: float | None) -> str:
    if ratio is None:
        return "#EEEEEE"
    return next(colour for bound, colour in STEPS if ratio <= bound)


def _marked(text: str, ratio: float | None) -> str:
    return f"{ABOVE} {text}" if ratio is not None and ratio > 1 else text


def _drift_legend(sheet: _Sheet, top: float) -> None:
    sheet.text(0, top + 0.12, "In typical gains of its column:")
    names = ("up to ½", "½ to 1", f"{ABOVE} 1 to 2", f"{ABOVE} more")
    for i, ((_, colour), name) in enumerate(zip(STEPS, names, strict=True)):
        x = 2.75 + 1.17 * i
        sheet.box((x, top), (0.24, 0.24), colour, edge=EDGE)
        sheet.text(x + 0.3, top + 0.12, name)
    kinds = (
        ("", "=", "the papers' numbers agree"),
        (SETTING, "", "the papers agree in some setting (alignment, features)"),
        (BEHIND, "", "not ahead of the best other row of the paper's table"),
    )
    for i, (hatch, mark, name) in enumerate(kinds):
        y = top + 0.37 + 0.3 * i
        sheet.box((0, y), (0.4, 0.24), "white", hatch=hatch, edge=EDGE)
        sheet.text(0.2, y + 0.12, mark, ha="center")
        sheet.text(0.5, y + 0.12, name)


# --- what a pass of the granularity check is worth ----------------------------------------------

TESTED = ("mustard", "sims", "mosi", "ur_funny", "mosei")
"""Data sets with test parts of very different size."""

DECIMALS = (1, 2)
_AROUND = range(52, 100, 4)
"""Centres of windows of 4 points that together cover 50% to 100%."""

SHARES = ((0.05, "#0072B2"), (0.2, "#56B4E9"), (0.5, "#B9DFF5"), (0.995, "#E9F4FB"), (1.0, "white"))
"""Colours by share that passes, each up to its bound: the darker, the more a pass says."""


def passing(clips: int, decimals: int, runs: int) -> float:
    """The share of values from 50% to 100% that would pass as a mean of so many runs."""
    half = 0.5 * 10.0**-decimals
    return mean(granularity.power(float(value), half, clips, runs) for value in _AROUND)


@style
def granularity_map(corpora: Sequence[str] = TESTED) -> Picture:
    """How many values would pass the check by luck, by test part, printed decimals and runs."""
    sizes = sorted((testparts.parts(corpus)[0].clips, corpus) for corpus in corpora)
    runs = granularity.RUNS
    label, gap, high = 1.25, 0.15, 0.52
    wide = (WIDTH - label - gap * (len(DECIMALS) - 1)) / (len(DECIMALS) * len(runs))
    sheet = _Sheet(0.9 + high * len(sizes) + 0.75)
    said = []
    for i, decimals in enumerate(DECIMALS):
        left = label + i * (wide * len(runs) + gap)
        head = f"printed with {plural(decimals, 'decimal')}"
        middle = left + wide * len(runs) / 2
        sheet.text(middle, 0.2, head, LETTERS + 1, ha="center", weight="bold")
        for j, r in enumerate(runs):
            x = left + wide * j
            sheet.text(x + wide / 2, 0.72, str(r), ha="center")
            for k, (clips, _) in enumerate(sizes):
                share, y = passing(clips, decimals, r), 0.9 + high * k
                bound, colour = next((b, c) for b, c in SHARES if share <= b)
                everything = bound == SHARES[-1][0]
                hatch = "////" if everything else ""
                sheet.box((x, y), (wide, high), colour, hatch=hatch, edge=EDGE)
                look: dict = {"color": "white"} if bound == SHARES[0][0] else {}
                look |= {"bbox": _ground("white")} if everything else {}
                place = x + wide / 2, y + high / 2
                sheet.text(*place, _percent(share), ha="center", weight="bold", **look)
        sheet.text(middle, 0.48, "runs behind the mean", ha="center")
    for k, (clips, corpus) in enumerate(sizes):
        y = 0.9 + high * k
        sheet.text(0, y + high / 2, f"{words.dataset(corpus)}\n{clips:,} clips", linespacing=1.05)
        shares = [
            ", ".join(f"{_percent(passing(clips, d, r))} for {r}" for r in runs) for d in DECIMALS
        ]
        said.append(
            f"{words.dataset(corpus)}, {clips:,} clips: "
            + "; ".join(
                f"{plural(d, 'decimal')}, {s} runs" for d, s in zip(DECIMALS, shares, strict=True)
            )
        )
    y = 0.9 + high * len(sizes) + 0.44
    sheet.text(0, y - 0.2, "Share of values that would pass:")
    names = ("up to 5%", "5 to 20%", "20 to 50%", "above 50%", "all")
    for i, ((bound, colour), name) in enumerate(zip(SHARES, names, strict=True)):
        x = 1.55 * i
        hatch = "////" if bound == SHARES[-1][0] else ""
        sheet.box((x, y), (0.32, 0.24), colour, hatch=hatch, edge=EDGE)
        sheet.text(x + 0.4, y + 0.12, name)
    cells = [passing(clips, d, r) for clips, _ in sizes for d in DECIMALS for r in runs]
    nothing = sum(share > SHARES[-2][0] for share in cells)
    strong = sum(share <= SHARES[0][0] for share in cells)
    summary = (
        f"In {nothing} of {len(cells)} cells all values pass, or nearly all, so that a pass says "
        f"nothing; in {strong} at most one value in twenty does."
    )
    return Picture(
        sheet.figure,
        alt=f"Table of shares of random values that would pass as a mean of whole counts. {summary}"
        f" {'. '.join(said)}.",
        caption="Could an accuracy be a share of whole clips? Cell: share of values from 50% to "
        "100% that would pass as a mean of so many runs over a test part of that size. The smaller "
        f"the share, the more a pass is worth. {summary}",
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"


# --- the whole study ----------------------------------------------------------------------------

LOOKS = {
    "supported": ("#DCF3E3", "#14532D"),
    "contradicted": ("#FDE2E1", "#7F1D1D"),
    "inconclusive": ("#FCEFC7", "#5C3D05"),
    "not run": ("#F1F2F5", "#5B6270"),
}
"""Colours of verdicts, ground and mark, as in book/_static/custom.css; paler where nothing ran."""

KINDS = ("printed", "parity", "re-run", "control")
"""Kinds of evidence, in rows."""

PARITY = {
    "supported": "our model gives the authors' outputs",
    "contradicted": "our model's outputs are others",
    "inconclusive": "undecided",
    "not run": "not compared",
}
"""What a verdict of parity says, which is of the paper and not of a claim."""

COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def told(evidences: Evidences) -> dict[str, list[str]]:
    """The verdicts on a claim by kind of evidence, each once.

    Settings without a verdict are left out where another has one, so that "not run" stands alone.
    """

    def each(verdicts) -> list[str]:
        found = {v.evidence.verdict for v in verdicts} - {"not run"} or {"not run"}
        return [word for word in SYMBOLS if word in found]

    single = [evidences.printed.verdict], [evidences.parity.verdict]
    both = each(evidences.rerun), each(evidences.control)
    return dict(zip(KINDS, (*single, *both), strict=True))


@style
def poster(
    evidences_by_paper: Mapping[str, Sequence[Evidences]],
    findings: Sequence[Finding] | None = None,
) -> Picture:
    """Every claim of every paper with every kind of evidence, and what the checks found.

    Claims of ours are drawn apart and not counted.

    ``findings`` by default those of all checks on all printed numbers.
    """
    if findings is None:
        findings = checks.run(printed.load_all())
    shown = [_Told(paper, evidences, findings) for paper, evidences in evidences_by_paper.items()]
    counts = sum((paper.counts for paper in shown), Counter())
    title = _title(len(shown), counts)
    lines = wrap(title, _TITLE)
    above = 0.1 + 0.29 * len(lines) + 1.47
    sheet = _Sheet(above + sum(paper.height for paper in shown))
    for i, line in enumerate(lines):
        sheet.text(0, 0.15 + 0.29 * i, line, HEAD + 1, weight="bold")
    columns = max(len(paper.cells) for paper in shown)
    side = (WIDTH - _KIND - _GAP) / max(columns, _COLUMNS)
    _poster_legend(sheet, above - 1.42)
    y = above
    for paper in shown:
        paper.draw(sheet, y, side)
        y += paper.height
    mixed = sum(len(found) > 1 for paper in shown for own in paper.cells for found in own.values())
    ours = sum(paper.ours for paper in shown)
    apart = f" Beside these stand {ours} of ours (X1 is ours), not counted." if ours else ""
    return Picture(
        sheet.figure,
        alt=f"Poster. {title} " + " ".join(paper.in_words() for paper in shown),
        caption=f"{title}{apart} A column is a claim (1 is C1), a row a kind of evidence: the "
        "paper's own tables (printed), our model beside outputs of the authors' code (parity), "
        "trainings on real data (re-run), and the same test on simulated data with known truth "
        "(control). Where "
        f"settings differ in their verdicts, a cell shows each of them "
        f"({plural(mixed, 'cell')}); settings that were not run are left out where another was.",
    )


def _title(number: int, counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    many = COUNTED[number] if number < len(COUNTED) else str(number)
    papers_ = "one paper: its" if number == 1 else f"{many} papers: their"
    return (
        f"{plural(total, 'claim')} of {papers_} printed tables support "
        f"{counts['supported']}, contradict {counts['contradicted']}, leave "
        f"{counts['inconclusive']} open and cannot tell on {counts['not run']}."
    )


_KIND, _ROW, _GAP, _TITLE, _COLUMNS = 0.85, 0.27, 0.12, 55, 24
"""Inches: the names of kinds, a row, what claims of ours stand apart; letters of a line of the
title; columns at least."""


class _Told:
    """A paper in the poster: its own claims, then ours; only its own are counted."""

    def __init__(self, paper: str, evidences: Sequence[Evidences], findings: Sequence[Finding]):
        self.entry = papers.load(paper)
        own = of_paper(evidences)
        columns = own + [e for e in evidences if e.claim.ours]
        self.number, self.ours = len(own), len(columns) - len(own)
        self.ids = [e.claim.id.rpartition("-")[2].removeprefix("C") for e in columns]
        self.cells = [told(e) for e in columns]
        self.counts = Counter(cell["printed"][0] for cell in self.cells[: self.number])
        self.findings = Counter(f.severity for f in findings if f.paper == paper)
        self.rows = {
            kind: _ROW * max((len(cell[kind]) for cell in self.cells), default=1) for kind in KINDS
        }

    _HEAD, _FOOT = 1.26, 0.24

    @property
    def height(self) -> float:
        return self._HEAD + sum(self.rows.values()) + self._FOOT

    def draw(self, sheet: _Sheet, top: float, side: float) -> None:
        entry = self.entry
        lefts = [
            _KIND + side * i + (_GAP if i >= self.number else 0) for i in range(len(self.cells))
        ]
        sheet.axes.plot([0, WIDTH], [top, top], color=EDGE, linewidth=1)
        sheet.text(0, top + 0.22, entry.name, HEAD, weight="bold")
        about = f"{entry.authors}, {entry.venue.split()[-1]}: {self._many}"
        sheet.text(1.0, top + 0.225, about)
        sheet.text(0, top + 0.54, "in print", weight="bold")
        for i, word in enumerate(SYMBOLS):
            x = _KIND + 1.65 * i
            _mark(sheet, (x, top + 0.42), (_ROW, 0.24), word)
            sheet.text(x + _ROW + 0.07, top + 0.54, f"{self.counts[word]} {word}")
        sheet.text(0, top + 0.82, "findings", weight="bold")
        for i, severity in enumerate(SEVERITIES):
            sheet.text(_KIND + 1.65 * i, top + 0.82, f"{self.findings[severity]} {severity}")
        sheet.text(0, top + 1.13, "claim", SMALL)
        for x, name in zip(lefts, self.ids, strict=True):
            sheet.text(x + side / 2, top + 1.13, name, SMALL, ha="center")
        y = top + self._HEAD
        for kind, height in self.rows.items():
            sheet.text(0, y + height / 2, kind)
            words_ = {own[kind][0] for own in self.cells}
            if kind == "parity" and len(words_) == 1:  # of the paper, not of its claims
                self._parity(sheet, y, lefts[-1] + side - _KIND, words_.pop())
                y += height
                continue
            for x, own in zip(lefts, self.cells, strict=True):
                part = height / len(own[kind])
                for k, word in enumerate(own[kind]):
                    _mark(sheet, (x, y + part * k), (side, part), word)
            y += height

    @property
    def _many(self) -> str:
        """How many claims it makes, and how many of ours stand beside them."""
        return plural(self.number, "claim") + (f" and {self.ours} of ours" if self.ours else "")

    def _parity(self, sheet: _Sheet, y: float, width: float, word: str) -> None:
        ground, colour = LOOKS[word]
        sheet.box((_KIND, y), (width, _ROW), ground)
        _symbol(sheet, _KIND + _ROW / 2, y + _ROW / 2, word)
        if width > 2.5:
            sheet.text(_KIND + _ROW + 0.07, y + _ROW / 2, PARITY[word], SMALL, color=colour)

    def in_words(self) -> str:
        found = ", ".join(f"{self.findings[severity]} {severity}" for severity in SEVERITIES)
        kinds = _kinds(self.cells[: self.number])
        text = f"{self.entry.name}, {plural(self.number, 'claim')}: {kinds}; findings {found}."
        if self.ours:
            text += f" And {self.ours} of ours: {_kinds(self.cells[self.number :])}."
        return text


def _kinds(cells: Sequence[Mapping[str, Sequence[str]]]) -> str:
    """How many of these claims have which verdicts, by kind of evidence."""
    kinds = []
    for kind in KINDS:
        counts = Counter(" and ".join(own[kind]) for own in cells)
        order = [*SYMBOLS, *sorted(set(counts) - set(SYMBOLS))]
        said = ", ".join(f"{counts[word]} {word}" for word in order if counts[word])
        kinds.append(f"{kind} {said or 'nothing'}")
    return "; ".join(kinds)


def _mark(sheet: _Sheet, place, size, word: str) -> None:
    """A verdict: its ground and its symbol."""
    sheet.box(place, size, LOOKS[word][0])
    _symbol(sheet, place[0] + size[0] / 2, place[1] + size[1] / 2, word)


def _symbol(sheet: _Sheet, x: float, y: float, word: str) -> None:
    """In strong strokes, unless nothing was run."""
    look: dict = {"ha": "center", "color": LOOKS[word][1], "weight": "bold"}
    if SYMBOLS[word] in "✓✗":  # whose bold letters are no bolder
        look["path_effects"] = [withStroke(linewidth=1.1, foreground=look["color"])]
    sheet.text(x, y, SYMBOLS[word], SMALL - 1 if word == "not run" else LETTERS + 1, **look)


def _poster_legend(sheet: _Sheet, top: float) -> None:
    for i, word in enumerate(SYMBOLS):
        x = (0, 1.45, 3.1, 4.6)[i]
        _mark(sheet, (x, top), (_ROW, 0.24), word)
        name = f"{word}, or tables cannot tell" if word == "not run" else word
        sheet.text(x + _ROW + 0.07, top + 0.12, name)
    lines = (
        "printed: the paper's own tables. parity: our model beside the authors' code.",
        "re-run: real data. control: simulated data, known truth. Two marks: settings differ.",
        "findings: printed numbers that do not fit together, or that a reader should know.",
        "1 is claim C1 of the paper. X1, set apart, is ours: the paper does not make it.",
    )
    for i, line in enumerate(lines):
        sheet.text(0, top + 0.44 + 0.22 * i, line, SMALL)
