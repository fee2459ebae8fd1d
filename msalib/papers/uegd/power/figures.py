"""Figures of error rates: power, false verdicts, gains by chance."""

from collections.abc import Sequence

import numpy as np

from msalib.pages.figure import INK, Picture, axes_of, mark, style
from msalib.papers.uegd.power.record import Power

SIZE_STYLE = {
    "mosi": {"color": "#D55E00", "marker": "o", "linestyle": "-"},
    "mosei": {"color": "#0072B2", "marker": "^", "linestyle": "--"},
}
"""Simulated studies of the size of a data set."""


@style
def power_curves(simulated: Power, claims: Sequence[str]) -> Picture:
    """Draw how often each test says "supported", by the true effect; a panel per claim."""
    rows = -(-len(claims) // 2)
    figure, axes = axes_of(height=0.6 + 2.0 * rows, nrows=rows, ncols=2, sharey=True, squeeze=False)
    sentences = []
    for panel, claim in zip(axes.flat, claims, strict=False):
        plan = simulated.plans[claim]
        effects = sorted(plan.effects)
        for dataset in simulated.datasets:
            cells = [simulated.cell(claim, dataset, e).rate("supported") for e in effects]
            share, low, high = 100 * np.array(cells).T
            panel.errorbar(
                effects,
                share,
                yerr=[share - low, high - share],
                capsize=2,
                markersize=4,
                linewidth=1.2,
                label=f"size of {dataset.upper()}",
                **SIZE_STYLE[dataset],
            )
            for effect, rate in zip(effects, cells, strict=True):
                mark(panel, effect, 100 * rate[0], _said(claim, dataset, f"at {effect:g}", rate))
            sentences.append(
                f"{claim} at {dataset.upper()}'s size: "
                + ", ".join(f"{s:.0f}% at {e:g}" for e, s in zip(effects, share, strict=True))
            )
        panel.axhline(5, color=INK, linestyle=":", linewidth=1)
        panel.axvline(plan.false_at, color="#999999", linewidth=1)
        panel.set(ylim=(-4, 104), yticks=[5, 50, 80, 100])
        panel.margins(x=0.12)
        panel.xaxis.get_major_locator().set_params(nbins=4)
        panel.set_title(f"{claim.rpartition('-')[2]}: {plan.unit}", fontsize=11)
    for panel in axes.flat[len(claims) :]:
        panel.set_axis_off()
    figure.supylabel("supported (%)", fontsize=11)
    figure.supxlabel("true effect", fontsize=11)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines of how often a test says supported, by the true effect. "
        + "; ".join(sentences)
        + ".",
        caption=f"{', '.join(name.rpartition('-')[2] for name in claims)}: how often a test says "
        '"supported", by the true effect. Bars: 95% Monte Carlo intervals. '
        "Grey line: the effect at which the claim is false, though barely; there and "
        "on its false side, dotted, no more than 5% should be. "
        f"Setting: {simulated.setting}.",
    )


@style
def false_verdicts(simulated: Power) -> Picture:
    """Draw rates of "supported" and "contradicted" where each claim is false, against 5%."""
    names = list(simulated.plans)
    figure, axes = axes_of(height=0.9 + 0.4 * len(names), ncols=2, sharex=True, sharey=True)
    sentences = []
    for panel, verdict in zip(axes, ("supported", "contradicted"), strict=True):
        for i, dataset in enumerate(simulated.datasets):
            rates = [simulated.false(claim, dataset).rate(verdict) for claim in names]
            share, low, high = 100 * np.array(rates).T
            rows = np.arange(len(names)) + 0.36 * (i - (len(simulated.datasets) - 1) / 2)
            for row, name, rate in zip(rows, names, rates, strict=True):
                mark(panel, 100 * rate[0], row, _said(name, dataset, verdict, rate))
            panel.barh(
                rows,
                share,
                height=0.34,
                xerr=[share - low, high - share],
                color=SIZE_STYLE[dataset]["color"],
                hatch="" if i == 0 else "////",
                edgecolor=INK,
                linewidth=0.5,
                error_kw={"linewidth": 1, "capsize": 1.5},
                label=f"size of {dataset.upper()}",
            )
            above = [
                f"{n} {s:.0f}%" for n, s, under in zip(names, share, low, strict=True) if under > 5
            ]
            sentences.append(
                f"{verdict} at {dataset.upper()}'s size, surely above 5%: "
                + (", ".join(above) or "none")
            )
        panel.axvline(5, color=INK, linestyle="--", linewidth=1.2)
        panel.set_title(f'"{verdict}"', fontsize=11)
        panel.set_xlabel("studies (%)")
    axes[0].set_yticks(np.arange(len(names)), [name.rpartition("-")[2] for name in names])
    axes[0].invert_yaxis()
    axes[0].grid(axis="y", visible=False)
    axes[1].grid(axis="y", visible=False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Bars of wrong verdicts by claim. " + "; ".join(sentences) + ".",
        caption="Verdicts where a claim is false, though barely. Dashed: the nominal 5%. Lines: "
        f"95% Monte Carlo intervals. Setting: {simulated.setting}.",
    )


def _said(claim: str, dataset: str, what: str, rate: Sequence[float]) -> str:
    """Return a rate, its value and interval, as a mark says it."""
    share, low, high = (100 * value for value in rate)
    return f"{claim}, size of {dataset.upper()}, {what}: {share:.1f}% [{low:.1f}, {high:.1f}]"


@style
def gains_by_chance(simulated: Power) -> Picture:
    """Draw what choosing the best of equal blocks seems to gain, on validation and on test."""
    figure, axes = axes_of(height=4.6, nrows=len(simulated.gains), sharex=True, squeeze=False)
    looks = {"valid": ("#D55E00", "--", "validation"), "test": (INK, "-", "test")}
    every = np.concatenate([v for parts in simulated.gains.values() for v in parts.values()])
    edges = np.linspace(*np.quantile(every, [0.001, 0.999]), 41)
    sentences = []
    for (dataset, parts), panel in zip(simulated.gains.items(), axes.flat, strict=True):
        for part, gains in parts.items():
            colour, dash, name = looks[part]
            counts, _ = np.histogram(gains, edges)
            panel.stairs(
                100 * counts / len(gains),
                edges,
                color=colour,
                linestyle=dash,
                linewidth=1.8,
                label=f"{name}, mean {np.mean(gains):+.3f}",
            )
            for share, middle in zip(
                counts / len(gains), (edges[:-1] + edges[1:]) / 2, strict=True
            ):
                if share:
                    mark(panel, middle, 100 * share, f"{name}, around {middle:+.3f}: {share:.1%}")
            sentences.append(
                f"size of {dataset.upper()}, {name}: mean {np.mean(gains):+.3f}, 95% below "
                f"{np.quantile(gains, 0.95):+.3f}"
            )
        panel.axvline(0, color="#999999", linewidth=1)
        panel.set_title(f"size of {dataset.upper()}", fontsize=11, loc="left")
        panel.set_ylabel("studies (%)")
        panel.legend(loc="upper right")
    axes.flat[-1].set_xlabel("Corr of the chosen block minus that of the last")
    return Picture(
        figure,
        alt="Histograms of the gain by chance. " + "; ".join(sentences) + ".",
        caption="All blocks are equally good. The one with the best validation correlation, minus "
        "the last: on validation, where it was chosen (dashed), and on test (solid). Zero where it "
        "is the last. "
        f"Setting: {simulated.setting}.",
    )
