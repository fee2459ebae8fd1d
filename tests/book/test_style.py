"""Colours of verdicts can be read: WCAG 2 contrast of at least 4.5:1 in both modes."""

import re

import pytest

from msalib.base import paths
from msalib.pages import ledger

RULE = re.compile(
    r"(?P<dark>html\[data-theme=\"dark\"\] )?\.(?P<name>verdict-[\w-]+|setting) "
    r"\{ background: (?P<background>#\w{6}); color: (?P<color>#\w{6});"
)


def rules():
    css = (paths.BOOK / "_static" / "custom.css").read_text()
    return {(bool(m["dark"]), m["name"]): m for m in RULE.finditer(css)}


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_verdicts_and_settings_have_contrast(dark):
    names = {f"verdict-{verdict.replace(' ', '-')}" for verdict in ledger.SYMBOLS} | {"setting"}
    found = {name: rule for (mode, name), rule in rules().items() if mode == dark}
    assert set(found) == names
    for name, rule in found.items():
        low, high = sorted([luminance(rule["background"]), luminance(rule["color"])])
        assert (high + 0.05) / (low + 0.05) >= 4.5, name
