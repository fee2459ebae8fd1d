"""Generated labels of one clip over the epochs, for a clip that the reader selects (Fig. 4)."""

import hashlib
from collections.abc import Sequence
from html import escape

import numpy as np

from msalib.pages.figure import MODALITY_STYLE
from msalib.pages.tables import Note
from msalib.papers.sugrm.labels import Histories

SVG_DASHES = {"-": "none", "--": "7 4", "-.": "7 3 2 3"}
CLIPS_OFFERED = 60


class ClipChooser:
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

    def _repr_html_(self) -> str:
        height = 40 + 220 * len(self.histories)
        panels = "".join(self._panel(p, name) for p, name in enumerate(self.histories))
        clips = "".join(self._clip(k, i) for k, i in enumerate(self.clips))
        return (
            f'<figure class="msa" id="{self.name}">'
            f'<svg role="img" aria-label="{escape(self.describe(self.clips[0]))}" '
            f'viewBox="0 0 480 {height}" font-family="system-ui, sans-serif" font-size="15" '
            f'style="max-width:100%;width:520px;height:auto">'
            f'<rect width="480" height="{height}" rx="6" fill="#ffffff"></rect>'
            f"{self._legend()}{panels}{clips}</svg>"
            f'<p class="msa-told" aria-live="polite">{escape(self.describe(self.clips[0]))}</p>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
            f"<script>{CHOOSE.replace('NAME', self.name)}</script>"
        )

    def _legend(self) -> str:
        modalities = list(next(iter(self.histories.values())).generated)
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
        one = next(iter(self.histories.values()))
        shapes = ""
        for panel, own in enumerate(self.histories.values()):
            y = self._y(panel, one.annotated[i])
            shapes += f'<path d="M48 {y:.1f}H470" stroke="#111111" stroke-dasharray="2 4"></path>'
            for m, labels in own.generated.items():
                points = " ".join(
                    f"{self._x(e + 1):.1f},{self._y(panel, v):.1f}"
                    for e, v in enumerate(labels[:, :, i].mean(0))
                )
                look = MODALITY_STYLE[m]
                shapes += (
                    f'<polyline points="{points}" stroke="{look["color"]}" '
                    f'stroke-dasharray="{SVG_DASHES[look["linestyle"]]}"></polyline>'
                )
        option = f"{one.id[i]} (label {one.annotated[i]:+.1f})"
        hidden = ' display="none"' if place else ""
        return (
            f'<g fill="none" stroke-width="2.2" data-clip="{escape(option)}" '
            f'data-told="{escape(self.describe(i))}"{hidden}>{shapes}</g>'
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
    by_generator: Histories, *, setting: str, first: Sequence[str] = ()
) -> ClipChooser | Note:
    """Show Fig. 4 clip by clip, where labels were followed."""
    if not by_generator:
        return Note("No labels were followed in this setting: there is no clip to choose.")
    return ClipChooser(by_generator, setting=setting, first=first)
