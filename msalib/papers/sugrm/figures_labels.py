"""Figures of generated labels: over the epochs, at the ends of the scale, beside the truth."""

import hashlib
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from msalib.pages.figure import MODALITY_STYLE, Picture, axes_of, style
from msalib.pages.tables import Note

LABELS_STYLE = {
    "SUGRM's": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "Self-MM's": {"color": "#D55E00", "linestyle": "--", "marker": "^"},
}
"""Generators of labels."""

SVG_DASHES = {"-": "none", "--": "7 4", "-.": "7 3 2 3"}
CLIPS_OFFERED = 60
BINS = np.linspace(-3, 3, 13)


@style
def label_histograms(
    found: Mapping[str, "Followed"],  # noqa: F821
    name: str,
    epochs: Sequence[int],
    *,
    setting: str,
) -> Picture | Note:
    """Fig. 4: distribution of one generator's labels, a row per epoch, a column per modality."""
    if name not in found:
        return Note(f"No labels of {name} generator were followed in this setting.")
    own = found[name]
    shown = own.at(epochs)
    figure, panels = axes_of(
        0.7 + 0.72 * len(shown), nrows=len(shown), ncols=len(own.made), sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    given, _ = np.histogram(own.given, BINS)
    sentences = []
    for column, (m, made) in enumerate(own.made.items()):
        look = MODALITY_STYLE[m]
        for axes, e in zip(panels[:, column], shown, strict=True):
            labels = made[:, e - 1].clip(-3, 3)
            counts, _ = np.histogram(labels, BINS)
            share = 100 * counts / counts.sum()
            axes.stairs(share, BINS, fill=True, color=look["color"], alpha=0.75)
            axes.stairs(100 * given / given.sum(), BINS, color="black", linewidth=1)
            if column == 0:
                axes.set_ylabel(e, rotation=0, ha="right", va="center")
        ends = (np.abs(made[:, [shown[0] - 1, -1]]) >= 2.5).mean((0, 2))
        sentences.append(
            f"{m}: {ends[0]:.0%} of the labels beyond 2.5 in epoch {shown[0]}, {ends[1]:.0%} in "
            f"epoch {own.epochs}"
        )
        panels[0, column].set_title(m, fontsize=11)
        panels[-1, column].set_xticks([-3, 0, 3])
    panels[0, 0].yaxis.get_major_locator().set_params(nbins=2)
    figure.supylabel("after epoch; bars: share of clips (%)", fontsize=11)
    figure.supxlabel("label (points)", fontsize=11)
    return Picture(
        figure,
        alt=f"Small histograms of {name} labels by epoch and modality. {'; '.join(sentences)}.",
        caption=f"{name} labels of the {len(own.given)} training clips, {len(made)} seeds "
        "together. Black line: the given labels, where all labels start. Labels beyond the scale "
        f"count at its end. Setting: {setting}.",
    )


class ClipChooser:
    """Labels of one clip over the epochs, for a clip that the reader selects.

    Every clip is drawn by Python into one SVG; the script shows one of them. Where no script runs,
    the first is shown.
    """

    def __init__(
        self,
        found: Mapping[str, "Followed"],  # noqa: F821
        *,
        setting: str,
        first: Sequence[str] = (),
    ):
        """``first`` are ids that are offered before others, where they are there."""
        self.found, one = found, next(iter(found.values()))
        self.seeds, self.epochs = next(iter(one.made.values())).shape[:2]
        order = np.argsort(one.given, kind="stable")
        spaced = order[np.linspace(0, len(order) - 1, min(CLIPS_OFFERED, len(order))).astype(int)]
        known = [one.id.index(name) for name in first if name in one.id]
        self.clips = list(dict.fromkeys([*known, *map(int, spaced)]))
        self.caption = (
            f"Generated labels of one clip, mean of {self.seeds} seeds; dotted: its given label. "
            f"{len(self.clips)} of the {len(one.id)} training clips are offered, "
            f"{'first those of Table 5, then ' if known else ''}from the lowest given label to the "
            f"highest. Setting: {setting}."
        )
        digest = hashlib.sha256(f"{setting} {one.id}".encode()).hexdigest()[:8]
        self.name = f"clips-{digest}"

    def told(self, i: int) -> str:
        """A clip in a sentence."""
        one = next(iter(self.found.values()))
        parts = [
            f"{name} labels end at "
            + ", ".join(f"{m} {made[:, -1, i].mean():+.1f}" for m, made in own.made.items())
            for name, own in self.found.items()
        ]
        return f"Clip {one.id[i]}: given label {one.given[i]:+.1f}; {'; '.join(parts)}."

    def _repr_html_(self) -> str:
        height = 40 + 220 * len(self.found)
        panels = "".join(self._panel(p, name) for p, name in enumerate(self.found))
        clips = "".join(self._clip(k, i) for k, i in enumerate(self.clips))
        return (
            f'<figure class="msa" id="{self.name}">'
            f'<svg role="img" aria-label="{escape(self.told(self.clips[0]))}" '
            f'viewBox="0 0 480 {height}" font-family="system-ui, sans-serif" font-size="15" '
            f'style="max-width:100%;width:520px;height:auto">'
            f'<rect width="480" height="{height}" rx="6" fill="#ffffff"></rect>'
            f"{self._legend()}{panels}{clips}</svg>"
            f'<p class="msa-told" aria-live="polite">{escape(self.told(self.clips[0]))}</p>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
            f"<script>{CHOOSE.replace('NAME', self.name)}</script>"
        )

    def _legend(self) -> str:
        modalities = list(next(iter(self.found.values())).made)
        width = 430 / len(modalities)
        return "".join(
            f'<path d="M{40 + k * width:.0f} 18h30" stroke="{MODALITY_STYLE[m]["color"]}" '
            f'stroke-width="2.5" stroke-dasharray="{SVG_DASHES[MODALITY_STYLE[m]["linestyle"]]}">'
            f'</path><text x="{76 + k * width:.0f}" y="23" fill="#111111">{m}</text>'
            for k, m in enumerate(modalities)
        )

    def _panel(self, panel: int, name: str) -> str:
        lines = "".join(
            f'<path d="M48 {self._y(panel, v):.1f}H470" stroke="#dddddd"></path>'
            f'<text x="40" y="{self._y(panel, v) + 5:.1f}" text-anchor="end">{v}</text>'
            for v in (-3, 0, 3)
        )
        ticks = "".join(
            f'<text x="{self._x(e):.1f}" y="{self._y(panel, -3) + 22:.1f}" text-anchor="middle">'
            f"{e}</text>"
            for e in sorted({1, self.epochs, *range(5, self.epochs - 1, 5)})
        )
        return (
            f'<g fill="#111111" stroke="none">{lines}{ticks}'
            f'<text x="48" y="{self._y(panel, 3) - 8:.1f}">{escape(name)} labels (points)</text>'
            f'<text x="470" y="{self._y(panel, -3) + 36:.1f}" text-anchor="end">epoch</text></g>'
        )

    def _clip(self, place: int, i: int) -> str:
        one = next(iter(self.found.values()))
        shapes = ""
        for panel, own in enumerate(self.found.values()):
            y = self._y(panel, one.given[i])
            shapes += f'<path d="M48 {y:.1f}H470" stroke="#111111" stroke-dasharray="2 4"></path>'
            for m, made in own.made.items():
                points = " ".join(
                    f"{self._x(e + 1):.1f},{self._y(panel, v):.1f}"
                    for e, v in enumerate(made[:, :, i].mean(0))
                )
                look = MODALITY_STYLE[m]
                shapes += (
                    f'<polyline points="{points}" stroke="{look["color"]}" '
                    f'stroke-dasharray="{SVG_DASHES[look["linestyle"]]}"></polyline>'
                )
        option = f"{one.id[i]} (label {one.given[i]:+.1f})"
        hidden = ' display="none"' if place else ""
        return (
            f'<g fill="none" stroke-width="2.2" data-clip="{escape(option)}" '
            f'data-told="{escape(self.told(i))}"{hidden}>{shapes}</g>'
        )

    def _x(self, epoch: int) -> float:
        return 48 + 422 * (epoch - 1) / max(self.epochs - 1, 1)

    def _y(self, panel: int, value: float) -> float:
        return 62 + 220 * panel + 150 * (3 - max(-3.0, min(3.0, float(value)))) / 6


CHOOSE = """(() => {
  const box = document.getElementById("NAME");
  const clips = [...box.querySelectorAll("g[data-clip]")];
  const select = document.createElement("select");
  for (const clip of clips) select.add(new Option(clip.dataset.clip));
  select.autocomplete = "off";
  select.addEventListener("change", () => {
    clips.forEach((clip, k) => {
      if (k === select.selectedIndex) clip.removeAttribute("display");
      else clip.setAttribute("display", "none");
    });
    const told = clips[select.selectedIndex].dataset.told;
    box.querySelector(".msa-told").textContent = told;
    box.querySelector("svg").setAttribute("aria-label", told);
  });
  const label = document.createElement("label");
  label.append("Clip ", select);
  box.prepend(label);
})();"""
"""Puts a list of the clips before the picture."""


def clip_chooser(
    found: Mapping[str, "Followed"],  # noqa: F821
    *,
    setting: str,
    first: Sequence[str] = (),
) -> ClipChooser | Note:
    """Fig. 4 clip by clip, where labels were followed."""
    if not found:
        return Note("No labels were followed in this setting: there is no clip to choose.")
    return ClipChooser(found, setting=setting, first=first)


@style
def label_movement(
    found: Mapping[str, "Followed"],  # noqa: F821
    null: Sequence[float | None],
    *,
    setting: str,
) -> Picture | Note:
    """SUGRM-C18: movement of labels beside that of random ones, and drift of the targets below."""
    if not found:
        return Note("No labels were followed in this setting: nothing moves.")
    null = np.array(null, float)
    figure, panels = axes_of(
        5.4, nrows=2, ncols=len(found), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, (name, own) in enumerate(found.items()):
        epochs = np.arange(1, own.epochs + 1)
        for m in own.made:
            look = MODALITY_STYLE[m] | {"markersize": 3}
            for axes, values in zip(
                panels[:, column], (own.movement[m], own.drift[m]), strict=True
            ):
                axes.plot(epochs, values.mean(0), label=m, **look)
                low, high = values.min(0), values.max(0)
                axes.fill_between(epochs, low, high, color=look["color"], alpha=0.15, linewidth=0)
            e = min(15, own.epochs)
            sentences.append(
                f"{name}, {m}: {own.movement[m][:, e - 1].mean():.2f} in epoch {e}, random "
                f"{null[e - 1]:.2f}"
            )
        panels[0, column].plot(epochs, null[: own.epochs], color="black", label="random targets")
        panels[0, column].axhline(0.05, color="black", linestyle=":", label="0.05, settled")
        panels[0, column].set_title(f"{name} labels", fontsize=11)
        panels[0, column].set_yscale("log")
        panels[1, column].set_ylim(bottom=0)
        panels[1, column].set_xlabel("epoch")
    panels[0, 0].set_ylabel("movement of labels\n(points, log scale)")
    panels[1, 0].set_ylabel("drift of targets (points)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines of the movement of labels by epoch, above, and of the drift of their targets, "
        "below. " + "; ".join(sentences) + ".",
        caption="Above: mean change of a label against the epoch before. Solid black: what labels "
        "with targets drawn at random would show under the same momentum. Below: mean change of "
        "the targets, before the momentum. Lines: mean over seeds; bands: lowest to highest seed. "
        f"Setting: {setting}.",
    )


@style
def targets_at_limit(found: Mapping[str, "Followed"], *, setting: str) -> Picture | Note:  # noqa: F821
    """SUGRM-C19: share of targets at the ends of the scale, and their size before they are cut."""
    if not found:
        return Note("No labels were followed in this setting: there are no targets.")
    modalities = list(next(iter(found.values())).made)
    figure, panels = axes_of(
        5.0, nrows=2, ncols=len(modalities), sharex=True, sharey="row", squeeze=False
    )
    sentences = []
    for column, m in enumerate(modalities):
        for name, own in found.items():
            epochs = np.arange(1, own.epochs + 1)
            look = LABELS_STYLE[name] | {"markersize": 3}
            share, size = 100 * own.clamped[m], own.percentile[m]
            for axes, values in zip(panels[:, column], (share, size), strict=True):
                axes.plot(epochs, values.mean(0), label=name, **look)
            sentences.append(
                f"{m}, {name}: {share[:, -1].mean():.0f}% at the ends in the last epoch, 99th "
                f"percentile {size[:, -1].mean():.1f}, at most {np.nanmax(size):.1f}"
            )
        panels[0, column].set(title=m, ylim=(0, 102))
        panels[0, column].title.set_fontsize(11)
        panels[1, column].set_yscale("log")
        panels[1, column].axhline(9, color="black", linestyle=":", label="9: scale and offset")
        panels[1, column].set_xlabel("epoch")
    panels[0, 0].set_ylabel("targets at an end (%)")
    panels[1, 0].set_ylabel("99th percentile of size\n(points, log scale)")
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return Picture(
        figure,
        alt="Lines by epoch: share of targets at the ends of the scale above, their size before "
        "they are cut below. " + "; ".join(sentences) + ".",
        caption="Above: share of targets at or beyond -3 and 3. Below: 99th percentile of their "
        "size before they are cut; dotted: 9 points, which no target of SUGRM's can exceed. Lines: "
        f"mean over seeds. Setting: {setting}.",
    )


@style
def nearness(truth: "Truth | None", *, setting: str) -> Picture | Note:  # noqa: F821
    """How near generated labels come to the true sentiment, beside a copy and random labels."""
    from msalib.papers.sugrm.labels import MEASURES, NO_TRUTH

    if truth is None:
        return Note(NO_TRUTH)
    modalities = list(truth.copy["mae"])
    figure, panels = axes_of(
        7.0, nrows=len(MEASURES), ncols=len(modalities), sharex=True, sharey="row", squeeze=False
    )
    epochs = np.arange(1, truth.epochs + 1)
    sentences = []
    for row, measure in enumerate(MEASURES):
        for axes, m in zip(panels[row], modalities, strict=True):
            low, high = _quantiles(truth.random[measure][m])
            band = {"facecolor": "#BBBBBB", "hatch": "////", "edgecolor": "#777777", "alpha": 0.6}
            axes.fill_between(epochs, low, high, linewidth=0, label="random, 95% of draws", **band)
            copy = truth.copy[measure][m]
            axes.axhline(
                0 if np.isnan(copy) else copy, color="black", linestyle=":",
                label="copy of the given label",
            )  # fmt: skip
            for name, near in truth.made.items():
                values = near[measure][m]
                look = LABELS_STYLE[name]
                axes.plot(epochs, values.mean(0), label=f"{name} labels", markersize=3, **look)
                low, high = values.min(0), values.max(0)
                axes.fill_between(epochs, low, high, color=look["color"], alpha=0.15, linewidth=0)
                sentences.append(f"{measure}, {m}, {name}: {values[:, -1].mean():.2f}")
    for axes, m in zip(panels[0], modalities, strict=True):
        axes.set_title(m, fontsize=11)
    for axes, name in zip(panels[:, 0], MEASURES.values(), strict=True):
        axes.set_ylabel(
            name.replace(" the given", "\nthe given").replace(" the truth", "\nthe truth")
        )
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return Picture(
        figure,
        alt="Lines by epoch: how near labels come to the true sentiment. Last epoch: "
        + "; ".join(sentences)
        + ".",
        caption="Labels of training clips against the true sentiment of each modality; MAE in "
        "points. Beyond the given label: what they know that the given label does not say; a copy "
        "knows nothing more, drawn at zero. Lines: mean over seeds; bands: lowest to highest. "
        f"Setting: {setting}.",
    )


def _quantiles(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95% of draws (D, E); of an epoch in which none is defined, nan."""
    filled = np.where(np.isnan(draws).all(0), 0, draws)
    low, high = np.quantile(filled, [0.025, 0.975], axis=0)
    undefined = np.isnan(draws).all(0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


# Pictures of made-up points (``geometry``): which way, how far, and where it blows up.
