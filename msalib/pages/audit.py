"""What readers see of the audit of a data set: findings, the probe, and how often the test errs."""

from collections.abc import Sequence

import pandas as pd

from msalib.base import stats
from msalib.data.corpus import PARTS
from msalib.evidence.audit import Report, leakage
from msalib.evidence.audit.findings import GROUPS, SEVERITIES
from msalib.evidence.audit.leakage import Probe
from msalib.evidence.audit.power import LeakageErrorRates
from msalib.pages.cells import bounds
from msalib.pages.figure import INK, MODALITY_STYLE, PAPER, Picture, axes_of, label_of, mark, style
from msalib.pages.tables import Note, Table

PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def findings(audit: Report, group: str | None = None) -> Table:
    """Show the findings of one group, or all, the most severe first."""
    shown = [f for f in audit.findings if group in (None, f.group)]
    shown.sort(key=lambda f: (SEVERITIES.index(f.severity), GROUPS.index(f.group)))
    rows = [
        {
            "severity": f.severity,
            **({} if group else {"group": f.group}),
            "check": f.check,
            "of": f.about,
            "finding": f.message,
            "what to do": f.remedy or "-",
        }
        for f in shown
    ]
    name = group.capitalize() if group else "All findings"
    return Table(pd.DataFrame(rows), caption=f"{name}. Setting: {audit.setting}.")


def comparisons(audit: Report) -> Table | Note:
    """Show every comparison of two groups of clips, with its p-value and what came of it."""
    if not any(p.comparisons for p in audit.probes):
        return Note(f"No features to probe. Setting: {audit.setting}.")
    rows = [
        {
            "modality": p.modality,
            "features": f"{p.source} ({p.features})",
            "is it": c.question,
            "by": c.of,
            "split": c.split or "-",
            "difference": f"{c.difference:+.3f}",
            "p": f"{c.p:.4f}",
            "permuted": f"{c.units} {c.unit}s",
            "sign of a leak": "yes" if c.rejected else "no",
        }
        for p in audit.probes
        for c in p.comparisons
    ]
    return Table(
        pd.DataFrame(rows),
        caption="One-sided tests of the linear probe and of single features. Differences are of "
        "Pearson's r; for 'some videos above others', a standard deviation of Fisher's z beyond "
        "chance. A sign is what Holm's correction over this table leaves at "
        f"{leakage.LEVEL:.0%} and is at least {leakage.FAR:g}. Setting: {audit.setting}.",
    )


# --- the probe ----------------------------------------------------------------------------------


@style
def probe_levels(probes: Sequence[Probe], *, setting: str) -> Picture | Note:
    """Plot the correlation of the probe on each part, with intervals, modality by modality."""
    if not probes:
        return Note(f"No features to probe. Setting: {setting}.")
    figure, axes = axes_of(0.9 + 0.34 * (len(PARTS) + 1) * len(probes))
    ticks = {}
    for block, probe in enumerate(probes):
        top = block * (len(PARTS) + 1)
        axes.text(
            0,
            top - 0.15,
            label_of(f"{probe.modality}: {probe.source}"),
            transform=axes.get_yaxis_transform(),
            fontweight="bold",
            va="center",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )
        for row, part in enumerate(PARTS, start=top + 1):
            ticks[row] = PART_NAMES[part]
            _level(axes, row, probe, part)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.set_ylim(len(probes) * (len(PARTS) + 1) - 0.4, -0.7)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.05)
    axes.set_xlabel("Pearson's r of the probe with the label")
    sentences = "; ".join(map(_sentence, probes))
    return Picture(
        figure,
        alt=f"Linear probe by part. {sentences}.",
        caption="A linear probe on pooled features, each clip predicted from other videos of all "
        "parts alike: correlation with the label on each part, with 95% intervals over other "
        "videos. Honest features give the same on all parts, apart from chance; filled: test. "
        f"Setting: {setting}.",
    )


def _level(axes, row: int, probe: Probe, part: str) -> None:
    """Draw the correlation on one part with its interval."""
    level = probe.parts[part]
    if level.r is None:
        axes.text(0, row, "undefined", va="center", fontsize=9)
        return
    look = MODALITY_STYLE[probe.modality]
    if level.low is not None:
        axes.plot([level.low, level.high], [row, row], color=look["color"], linewidth=2)
    axes.plot(
        level.r,
        row,
        color=look["color"],
        marker=look["marker"],
        fillstyle="full" if part == "test" else "none",
        markerfacecoloralt=PAPER,
        markersize=8,
    )
    between = "" if level.low is None else f" [{level.low:.3f}, {level.high:.3f}]"
    mark(axes, level.r, row, f"{probe.modality}, {PART_NAMES[part]}: {level.r:.3f}{between}")


def _sentence(probe: Probe) -> str:
    """Describe the levels of a probe for readers who do not see the figure."""
    phrases = []
    for part in PARTS:
        level = probe.parts[part]
        if level.r is None:
            phrases.append(f"{PART_NAMES[part]} undefined")
            continue
        interval = "" if level.low is None else f" ({level.low:.2f} to {level.high:.2f})"
        phrases.append(f"{PART_NAMES[part]} {level.r:.2f}{interval}")
    return f"{probe.modality}, {probe.source}: {', '.join(phrases)}"


# --- how often the test errs --------------------------------------------------------------------


def false_alarms(rates: LeakageErrorRates) -> Table:
    """Show how often the audit accuses honest corpora."""
    rows = [
        {
            "honest corpora": cell.what,
            "simulated": cell.corpora,
            "error, %": _percent(cell.errors, cell.corpora),
            "warning or error, %": _percent(cell.alarms, cell.corpora),
        }
        for cell in rates.cells
        if cell.kind == "honest"
    ]
    return Table(
        pd.DataFrame(rows),
        caption="False alarms: share of simulated corpora, three modalities each, in which the "
        "audit finds a leak that is not there, in % with 95% Monte Carlo intervals. Intended: at "
        f"most {rates.settings['level']:.0%}. Setting: control.",
    )


def detections(rates: LeakageErrorRates) -> Table:
    """Show how often planted leaks are found, without and with the makers' split."""
    cells = {(c.what, c.noise, c.told): c for c in rates.cells if c.kind == "leak"}
    rows = []
    for what, noise in dict.fromkeys((what, noise) for what, noise, _ in cells):
        row = {"labels used by the makers": what, "noise": f"{noise:g}"}
        for known, name in ((False, "split unknown"), (True, "split known")):
            cell = cells[what, noise, known]
            row[f"{name}: error, %"] = _percent(cell.errors, cell.corpora)
            row[f"{name}: warning or error, %"] = _percent(cell.alarms, cell.corpora)
        rows.append(row)
    each = next(iter(cells.values())).corpora
    return Table(
        pd.DataFrame(rows),
        caption="Leaks that are found: share of simulated corpora of 93 videos with a leak in one "
        f"column of the visual features, in % with 95% Monte Carlo intervals; {each} corpora in "
        "each row. Noise: standard deviation on the leaked label, in those of the labels. Where "
        "no test clip was used there is nothing to call an error. Setting: control.",
    )


def provenance(rates: LeakageErrorRates) -> Table:
    """Show where the error rates come from."""
    row = {
        "commit": rates.commit,
        "device": rates.device,
        "versions": ", ".join(f"{k} {v}" for k, v in rates.versions.items()),
        "corpora": sum(cell.corpora for cell in rates.cells),
        "begun (UTC)": rates.started[:16].replace("T", " "),
        "minutes": f"{rates.seconds / 60:.0f}",
    }
    return Table(pd.DataFrame([row]), caption="Where the error rates come from.")


def _percent(count: int, of: int) -> str:
    """Write a share in percent with its 95% interval (Wilson)."""
    low, high = stats.wilson(count, of)
    return bounds(100 * count / of, 100 * low, 100 * high, ".1f")
