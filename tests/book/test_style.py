"""Colours can be read: WCAG 2 contrast of at least 4.5:1 in both modes."""

import re
from itertools import pairwise

import pytest

from msalib.base import paths
from msalib.pages import gains, ledger, posters

RULE = re.compile(r"([^{}]*)\{ background: (#\w{6}); color: (#\w{6});")
SCALES = (
    {f"verdict-{verdict.replace(' ', '-')}" for verdict in ledger.SYMBOLS} | {"setting"},
    {f"gain-{i}" for i, _ in enumerate(gains.STEPS, 1)} | {"no-gain"},
    {f"pass-{i}" for i, _ in enumerate(posters.SHARES[:-1], 1)},  # where all pass: no colour
)


def rules(*, dark: bool) -> dict[str, tuple[str, str]]:
    """Ground and letters of every coloured class."""
    css = (paths.BOOK / "_static" / "custom.css").read_text()
    return {
        name: (ground, letters)
        for selectors, ground, letters in RULE.findall(css)
        if ("dark" in selectors) == dark
        for name in re.findall(r"\.([a-z][\w-]*)", selectors)
    }


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_every_coloured_class_has_contrast(dark):
    colours = rules(dark=dark)
    assert set(colours) == set.union(*SCALES)
    for name, pair in colours.items():
        low, high = sorted(map(luminance, pair))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_scales_darken_step_by_step_also_in_grey():
    grounds = {name: luminance(ground) for name, (ground, _) in rules(dark=False).items()}
    for names in (
        ["gain-1", "gain-2", "gain-3", "gain-4"],
        ["pass-4", "pass-3", "pass-2", "pass-1"],
    ):
        light = [grounds[name] for name in names]
        assert light == sorted(light, reverse=True)
        assert min(a - b for a, b in pairwise(light)) > 0.05
