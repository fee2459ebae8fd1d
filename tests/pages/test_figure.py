"""Figures as such: no text in them is mathematics, and labels from data fit."""

import ast
from pathlib import Path

import matplotlib.text
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.text import Text

from msalib.base.paths import ROOT
from msalib.pages.figure import LONGEST, Picture, axes_of, label_of, style
from tests.html import read

HOSTILE = ["video$_$clip", r"$\frac{1}{2$", "a $5 bill and a $10 bill", r"\$x$", "$^$", "<b>"]


@pytest.fixture
def formulas(monkeypatch):
    """What is drawn as a formula."""
    found = []
    is_math = matplotlib.text.Text._preprocess_math

    def note(self, text):
        text, math = is_math(self, text)
        if math:
            found.append(text)
        return text, math

    monkeypatch.setattr(matplotlib.text.Text, "_preprocess_math", note)
    return found


def drawn(figure: Figure) -> Picture:
    return Picture(figure, alt="What is drawn. " + "; ".join(HOSTILE), caption="; ".join(HOSTILE))


@pytest.mark.parametrize("wrap", [style, lambda draw: draw], ids=["styled", "bare"])
def test_no_text_is_a_formula_wherever_it_stands(formulas, wrap):
    @wrap
    def draw():
        figure, axes = axes_of()
        for text in HOSTILE:
            axes.plot([0, 1], label=text)
            axes.text(0, 0, text)
            axes.annotate(text, (0, 0))
        axes.set_yticks(range(len(HOSTILE)), HOSTILE)
        axes.set(xlabel=HOSTILE[0], ylabel=HOSTILE[1], title=HOSTILE[2])
        axes.legend(title=HOSTILE[0])
        figure.suptitle(HOSTILE[1])
        return figure

    figure = draw()
    page = read(drawn(figure))
    assert formulas == []
    shown = [text.get_text() for text in figure.findobj(Text)]
    assert set(HOSTILE) <= set(shown)
    assert page.attributes("svg")[0]["aria-label"].endswith("; ".join(HOSTILE))


def test_categories_are_no_formulas(formulas):
    figure, axes = axes_of()
    axes.bar(HOSTILE, range(len(HOSTILE)))
    drawn(figure)
    assert formulas == []


def test_log_scales_write_powers_without_formulas(formulas):
    figure, (axes, narrow) = axes_of(nrows=2)
    axes.plot([1, 1000], [0.01, 10])
    axes.set(xscale="log", yscale="log")
    narrow.plot([1, 2], [2, 5])
    narrow.set_yscale("log")
    image = axes.pcolormesh([[1, 10], [100, 1000]], norm=LogNorm(1, 1000))
    figure.colorbar(image, ax=axes)
    drawn(figure)
    labels = {text.get_text() for text in figure.findobj(Text)}
    assert {"10⁻²", "10¹", "10³", "2\N{MULTIPLICATION SIGN}10⁰"} <= labels
    assert not any(set("$\\{}") & set(text) for text in labels)
    assert formulas == []


def test_a_label_of_data_is_short_and_of_one_line():
    assert label_of("video$_$clip") == "video$_$clip"
    assert label_of("two\nlines\x1b[31m") == r"two\nlines\x1b[31m"
    long = label_of("x" * 5000 + "-17")
    assert len(long) == LONGEST and long.endswith("x-17")


def test_every_figure_is_made_in_the_style():
    """What draws is decorated: layouts that are asked for before the end need it."""
    bare = []
    for path in Path(ROOT / "msalib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                called = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
                styled = "style" in map(ast.unparse, node.decorator_list)
                if called & {"axes_of", "Picture", "Figure"} and not styled:
                    bare.append(f"{path.name}::{node.name}")
    assert bare == []
