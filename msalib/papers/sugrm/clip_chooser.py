"""Generated labels of one clip over the epochs, for a clip that the reader selects (Fig. 4)."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup

from msalib.pages import svg
from msalib.pages.figure import MODALITY_STYLE, numbered
from msalib.pages.markup import Shown
from msalib.pages.tables import Note
from msalib.papers.sugrm.labels import Histories

SVG_DASHES = {"-": "none", "--": "7 4", "-.": "7 3 2 3"}
CLIPS_OFFERED = 40


class ClipChooser(Shown):
    """Labels of one clip over the epochs, for a clip that the reader selects.

    Every clip is drawn by Python into one SVG; the script shows one of them. Where no script runs,
    the first is shown.
    """

    def __init__(self, by_generator: Histories, *, setting: str, first: Sequence[str] = ()):
        """Offer clips over the whole scale; those of ``first`` that are among them come first."""
        self.histories, one = by_generator, next(iter(by_generator.values()))
        self.epochs = one.epochs
        order = np.argsort(one.annotated, kind="stable")
        spaced = order[np.linspace(0, len(order) - 1, min(CLIPS_OFFERED, len(order))).astype(int)]
        known = [one.id.index(name) for name in first if name in one.id]
        self.clips = list(dict.fromkeys([*known, *map(int, spaced)]))
        self.caption = (
            f"Generated labels of one clip, mean of {one.seeds} seeds; dotted: its annotated "
            f"label. {len(self.clips)} of the {len(one.id)} training clips are offered, "
            f"{'first those of Table 5, then ' if known else ''}from the lowest annotated label to "
            f"the highest. Setting: {setting}."
        )
        digest = hashlib.sha256(f"{setting} {one.id}".encode()).hexdigest()[:8]
        self.name = f"clips-{digest}"

    def describe(self, i: int) -> str:
        """Return a sentence on a clip."""
        one = next(iter(self.histories.values()))
        parts = [
            f"{name} labels end at "
            + ", ".join(
                f"{m} {labels[:, -1, i].mean():+.1f}" for m, labels in own.generated.items()
            )
            for name, own in self.histories.items()
        ]
        return f"Clip {one.id[i]}: annotated label {one.annotated[i]:+.1f}; {'; '.join(parts)}."

    def html(self) -> Markup:
        """Return the picture, what is told of the clip, and the script."""
        told = self.describe(self.clips[0])
        drawing = Markup(
            '<svg role="img" aria-label="{}" viewBox="0 0 480 {}" font-size="15" '
            'fill="currentcolor">{}</svg>'
        ).format(told, 40 + 220 * len(self.histories), Markup("").join(self._shapes()))
        below = Markup('<p class="msa-told" aria-live="polite">{}</p>').format(told)
        figure = numbered(self.name, drawing, self.caption, below)
        return figure + Markup("<script>{}</script>").format(CHOOSE.replace("NAME", self.name))

    def _shapes(self) -> Iterator[Markup]:
        yield from self._legend()
        for panel, name in enumerate(self.histories):
            yield self._panel(panel, name)
        for place, i in enumerate(self.clips):
            yield self._clip(place, i)

    def _legend(self) -> Iterator[Markup]:
        modalities = list(next(iter(self.histories.values())).generated)
        width = 430 / len(modalities)
        for k, m in enumerate(modalities):
            yield Markup(
                '<path d="M{:.0f} 18h30" style="stroke:{}" stroke-width="2.5" '
                'stroke-dasharray="{}"></path><text x="{:.0f}" y="23">{}</text>'
            ).format(40 + k * width, *_stroke(m), 76 + k * width, m)

    def _panel(self, panel: int, name: str) -> Markup:
        line = Markup(
            '<path d="M48 {:.1f}H470" stroke="currentcolor" stroke-opacity="0.15"></path>'
            '<text x="40" y="{:.1f}" text-anchor="end">{}</text>'
        )
        tick = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
        heights = {v: self._y(panel, v) for v in (-3, 0, 3)}
        lines = (line.format(y, y + 5, v) for v, y in heights.items())
        epochs = sorted({1, self.epochs, *range(5, self.epochs - 1, 5)})
        ticks = (tick.format(self._x(e), heights[-3] + 22, e) for e in epochs)
        return Markup(
            '<g stroke="none">{}<text x="48" y="{:.1f}">{} labels (points)</text>'
            '<text x="470" y="{:.1f}" text-anchor="end">epoch</text></g>'
        ).format(Markup("").join([*lines, *ticks]), heights[3] - 8, name, heights[-3] + 36)

    def _clip(self, place: int, i: int) -> Markup:
        one = next(iter(self.histories.values()))
        annotated = Markup(
            '<path d="M48 {:.1f}H470" stroke="currentcolor" stroke-dasharray="2 4"></path>'
        )
        drawn = Markup('<polyline points="{}" style="stroke:{}" stroke-dasharray="{}"></polyline>')
        shapes = []
        for panel, own in enumerate(self.histories.values()):
            shapes.append(annotated.format(self._y(panel, one.annotated[i])))
            for m, labels in own.generated.items():
                points = " ".join(
                    f"{self._x(e + 1):.1f},{self._y(panel, v):.1f}"
                    for e, v in enumerate(labels[:, :, i].mean(0))
                )
                shapes.append(drawn.format(points, *_stroke(m)))
        return Markup(
            '<g fill="none" stroke-width="2.2" data-clip="{}" data-told="{}"{}>{}</g>'
        ).format(
            f"{one.id[i]} (label {one.annotated[i]:+.1f})",
            self.describe(i),
            Markup(' display="none"') if place else "",
            Markup("").join(shapes),
        )

    def _x(self, epoch: int) -> float:
        return 48 + 422 * (epoch - 1) / max(self.epochs - 1, 1)

    def _y(self, panel: int, value: float) -> float:
        return 62 + 220 * panel + 150 * (3 - max(-3.0, min(3.0, float(value)))) / 6


def _stroke(modality: str) -> tuple[str, str]:
    """Return the colour and the dashes of a modality."""
    look = MODALITY_STYLE[modality]
    return svg.colour(look["color"]), SVG_DASHES[look["linestyle"]]


CHOOSE = Markup("""(() => {
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
})();""")
"""Puts a list of the clips before the picture."""


def clip_chooser(
    by_generator: Histories, *, setting: str, first: Sequence[str] = ()
) -> ClipChooser | Note:
    """Show Fig. 4 clip by clip, where labels were followed."""
    if not by_generator:
        return Note("No run of this setting follows its labels: there is no clip to choose.")
    return ClipChooser(by_generator, setting=setting, first=first)
