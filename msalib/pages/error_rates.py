"""Tables and the figure of a page on the error rates of a paper's tests."""

from itertools import cycle

import numpy as np
import pandas as pd

from msalib.base.stats import LEVEL
from msalib.data.metrics import METRICS
from msalib.evidence.error_rates import ENOUGH, Measured, Power
from msalib.evidence.simulation import Rate
from msalib.pages.cells import bounds
from msalib.pages.figure import INK, Picture, axes_of, mark, style
from msalib.pages.tables import Note, Table

STYLES = (
    {"color": "#D55E00", "marker": "o"},
    {"color": "#0072B2", "marker": "^"},
    {"color": "#009E73", "marker": "s"},
    {"color": "#CC79A7", "marker": "D"},
)
"""Looks of simulated studies, size by size, in the order of the record."""


def answer(simulated: Power) -> Note:
    """Say how many tests keep their level, and how many find what the paper prints."""
    kept = sum(not one.too_high() for one in simulated.tests)
    printed = [one for one in simulated.tests if one.is_printed]
    able = [one for one in printed if (rate := one.power("1")) and rate.share >= ENOUGH]
    equal = [one for one in simulated.tests if one.printed is None and not one.printed_in]
    shares = [one.truest().share for one in equal]
    named = ", ".join(f"{_number(one.claim)} at the size of {one.size}" for one in able)
    sentences = [
        f"{kept} of {len(simulated.tests)} tests (one for each claim and size of the data) keep "
        f"their level as far as the simulated studies can tell: {LEVEL / 2:.1%} for either wrong "
        f"verdict, {LEVEL:.0%} for support that rests on a 90% interval.",
        f"Of the {len(printed)} with a printed gain, {len(able) or 'none'} can find a gain of that "
        f"size in {ENOUGH:.0%} of the studies{f' ({named})' if able else ''}.",
    ]
    if shares:
        sentences.append(
            "Tests of no difference, or of a difference within limits, support their claim in "
            f"{min(shares):.0%} to {max(shares):.0%} of the studies where it is true."
        )
    return Note(f"{' '.join(sentences)} Setting: {simulated.setting}.")


def broken(simulated: Power) -> Note:
    """List the tests whose errors are more frequent than their level."""
    lines = [
        f"{one.claim} at the size of {one.size}: {', '.join(one.too_high())}"
        for one in simulated.tests
        if one.too_high()
    ]
    if not lines:
        return Note("No test errs more often than its level allows.")
    return Note(f"More errors than the level allows: {'; '.join(lines)}.")


def rates(simulated: Power) -> Table:
    """Show the error rates of each test, and its power at half and at the whole printed gain."""
    rows = [
        {
            "claim": _number(one.claim),
            "test": one.test.replace("_", " "),
            "size of": one.size,
            "false support": _percent(one.worst("supported")),
            "false contradiction": _percent(one.worst("contradicted")),
            "planted": _planted(one),
            "power at half": _percent(one.power("0.5")),
            "power": _percent(one.power("1") if one.printed is not None else one.truest()),
            "80% power at": _enough(one),
        }
        for one in simulated.tests
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Errors and power in % of simulated studies, with 95% Monte Carlo intervals. "
        "False support: the claim is at its border; false contradiction: it is there, or true. "
        "The highest rate of several planted effects. Planted: the printed gain where the paper "
        f"prints one. Setting: {simulated.setting}.",
    )


def origins(simulated: Power) -> Table:
    """Show where each planted gain is printed."""
    rows = {one.claim: one for one in simulated.tests if one.printed is not None}
    return Table(
        pd.DataFrame(
            {"claim": _number(claim), "planted": _planted(one), "printed in": one.printed_in}
            for claim, one in rows.items()
        ),
        caption="Gains that are planted where a claim is true. A claim for which nothing is "
        f"printed borrows the gain of another. Setting: {simulated.setting}.",
    )


def sizes(simulated: Power) -> Table:
    """Show the sizes of the studies, and how the simulated predictions scatter."""
    rows = [
        {
            "size of": name,
            "seeds": of.seeds,
            "test clips": of.clips,
            "test videos": of.videos["test"],
            "validation videos": of.videos["valid"],
            "correlation": f"{of.scatter['quality']:.2f}",
            "its SD over trainings": f"{of.scatter['quality_sd']:.3f}",
            "error of one training alone": f"{of.scatter['run']:.0%}",
            "of the rest, of one arm alone": f"{of.scatter['arm']:.0%}",
            "scatter of": of.records,
        }
        for name, of in simulated.sizes.items()
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Sizes of the simulated studies, and how predictions of systems that read words "
        f"and sound scatter, as estimated from real runs. Setting: {simulated.setting}.",
    )


def provenance(simulated: Power) -> Table:
    """Show where the simulation comes from."""
    studies = sum(sum(c.verdicts.values()) for one in simulated.tests for c in one.cells)
    row = {
        "commit": simulated.commit,
        "device": simulated.device,
        "versions": ", ".join(f"{k} {v}" for k, v in simulated.versions.items()),
        "simulated studies": f"{studies}",
        "resamples in each": f"{simulated.resamples}",
        "begun (UTC)": simulated.started[:16].replace("T", " "),
        "minutes": f"{simulated.seconds / 60:.0f}",
    }
    return Table(pd.DataFrame([row]), caption="Where these numbers come from.")


@style
def power_figure(simulated: Power) -> Picture:
    """Draw how often each claim of a gain is supported where the printed gain is true."""
    claims = list(dict.fromkeys(one.claim for one in simulated.tests if one.power("1")))
    figure, axes = axes_of(height=1.2 + 0.34 * len(claims))
    sentences = []
    shifts = np.linspace(-0.15, 0.15, len(simulated.sizes))
    for shift, size, look in zip(shifts, simulated.sizes, cycle(STYLES), strict=False):
        for y, claim in enumerate(claims):
            (one,) = (m for m in simulated.tests if (m.claim, m.size) == (claim, size))
            rate = one.power("1")
            share, low, high = (100 * v for v in rate[:3])
            axes.errorbar(
                share,
                y + shift,
                xerr=[[share - low], [high - share]],
                capsize=2,
                markersize=6,
                linestyle="none",
                label=f"size of {size}" if y == 0 else None,
                **look,
            )
            sentences.append(f"{_number(claim)} at the size of {size} {share:.0f}%")
            mark(axes, share, y + shift, f"{sentences[-1]} [{low:.1f}, {high:.1f}]")
    axes.axvline(100 * ENOUGH, color=INK, linestyle=":", linewidth=1)
    axes.set_yticks(range(len(claims)), [_number(claim) for claim in claims])
    axes.invert_yaxis()
    axes.set(xlim=(-3, 103), xlabel="supported (%)")
    axes.grid(axis="y", visible=False)
    figure.legend(loc="outside upper center", ncols=len(simulated.sizes))
    return Picture(
        figure,
        alt=f"How often a true gain of the printed size is found. {'; '.join(sentences)}.",
        caption='How often a test says "supported" where the printed gain is the true one. Bars: '
        f"95% Monte Carlo intervals; dotted: {ENOUGH:.0%}. Setting: {simulated.setting}.",
    )


def _planted(one: Measured) -> str:
    """Return the planted effect with its metric."""
    cell = one.of("true")[0]
    if one.printed is None:
        metric = METRICS[cell.metric].label if cell.metric in METRICS else cell.metric
        return cell.words if cell.gain == 0 else f"{cell.words} ({cell.gain:.2g}, {metric})"
    unit = " points of" if METRICS[cell.metric].unit == "%" else " in"
    return f"{one.printed:.3g}{unit} {METRICS[cell.metric].label}"


def _enough(one: Measured) -> str:
    if one.printed is None:
        return ""
    times = one.found_from()
    if times is not None:
        return f"{times:.1f} times the printed gain"
    return f"never: {one.truest().share:.0%} at {one.of('true')[-1].words} times"


def _percent(rate: Rate | None) -> str:
    if rate is None:
        return ""
    return bounds(100 * rate.share, 100 * rate.low, 100 * rate.high, ".1f")


def _number(claim: str) -> str:
    return claim.rpartition("-")[2]
