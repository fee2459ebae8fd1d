"""Drawings in a page: the same every time, ids of their own, hostile text harmless, colours."""

from xml.etree import ElementTree

import numpy as np
import pytest

from msalib.pages.figure import DARK, INK, LIGHT, PAPER, Picture, axes_of, interval, mark, style
from msalib.pages.svg import REACH
from tests.hostile import PRINTED
from tests.html import hovered, read
from tests.pages.test_figure import HOSTILE


@style
def drawn(scale=1.0, *, text="line", alt="Three points.") -> Picture:
    figure, axes = axes_of()
    places = [1.0, 2.0, 4.0]
    axes.plot(places, [scale * x for x in places], "o-", color="#0072B2", label=text)
    axes.bar([3], [2], hatch="//", facecolor="white", edgecolor="black")
    axes.set(ylabel=f"two\nlines of {text}", title=text)
    axes.legend()
    for x in places:
        mark(axes, x, scale * x, f"{text}: {scale * x:g} at {x:g}")
    return Picture(figure, alt=alt, caption=f"Points. {text}")


def ids(picture):
    return {e.get("id") for e in ElementTree.fromstring(str(picture.svg)).iter() if e.get("id")}


def test_the_same_figure_is_the_same_text_and_has_no_date():
    one, again = drawn(), drawn()
    assert one.html() == again.html()
    assert "metadata" not in one.svg and "matplotlib" not in one.svg.lower()


def test_two_drawings_have_no_id_in_common_and_refer_to_their_own():
    one, other = ids(drawn()), ids(drawn(2.0))
    assert one and other and not one & other
    for picture in (drawn(), drawn(2.0)):
        used = {part.split(")")[0] for part in str(picture.svg).split("url(#")[1:]}
        used |= {part.split('"')[0] for part in str(picture.svg).split(' href="#')[1:]}
        assert used == ids(picture)


def test_points_say_their_values_where_they_are_drawn():
    picture = drawn()
    assert hovered(picture) == ["line: 1 at 1", "line: 2 at 2", "line: 4 at 4"]
    root = ElementTree.fromstring(str(picture.svg))
    (group,) = (e for e in root.iter("g") if e.get("class") == "msa-marks")
    marks = [(float(c.get("cx")), float(c.get("cy"))) for c in group]
    (line,) = (g for g in root.iter("g") if len(g.findall("use")) == 3)
    assert marks == [(float(u.get("x")), float(u.get("y"))) for u in line.findall("use")]
    assert {c.get("r") for c in group} == {str(REACH)}


def test_a_point_that_is_not_defined_says_nothing():
    figure, axes = axes_of()
    mark(axes, 1.0, float("nan"), "nothing")
    assert hovered(Picture(figure, alt="None.", caption="None.")) == []


@pytest.mark.parametrize("text", [PRINTED, *HOSTILE, "a\x00b\x1b\x0c", "]]>", "--><!--"])
@pytest.mark.filterwarnings("ignore:.*Glyph")
def test_no_text_of_data_is_markup_anywhere(text):
    page = read(drawn(text=text, alt=text))
    assert {tag for tag, _ in page.found} <= {
        *("div", "figure", "figcaption", "a", "svg", "g", "defs", "path", "rect", "use", "text"),
        *("circle", "title", "clippath", "pattern", "image"),
    }
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)


def test_halves_of_characters_that_no_page_can_hold_are_replaced():
    figure, axes = axes_of()
    mark(axes, 0.5, 0.5, "\ud800 half")
    picture = Picture(figure, alt="\udc00 other half", caption="Halves.")
    assert picture.svg.encode() and hovered(picture) == ["\ufffd half"]


def test_cells_of_a_map_are_pixels_where_that_is_asked_for():
    @style
    def cells(rasterized):
        figure, axes = axes_of()
        axes.pcolormesh(np.eye(12), rasterized=rasterized)
        return Picture(figure, alt="A map.", caption="A map.")

    assert not read(cells(False)).attributes("image")
    (image,) = read(cells(True)).attributes("image")
    assert image["href"].startswith("data:image/png;base64,")
    assert len(cells(True).svg) < len(cells(False).svg)


def test_colours_follow_the_page_but_for_those_on_a_coloured_ground():
    @style
    def coloured(colour):
        figure, axes = axes_of()
        axes.plot([0, 1], color=colour, linewidth=7)
        return str(Picture(figure, alt="A line.", caption="A line.").svg)

    def stroke(colour):
        (style_,) = (s for s in coloured(colour).split('style="') if "stroke-width:7" in s)
        return style_.split("stroke:")[1].split(";")[0]

    assert stroke(INK) == "currentcolor" and stroke(PAPER) == "var(--msa-paper)"
    assert (stroke(DARK), stroke(LIGHT)) == (DARK, LIGHT)
    assert stroke("#0072B2") == "var(--msa-blue,#0072b2)"
    assert "font-family" not in coloured(INK)  # letters have the page's typeface


def test_an_interval_says_its_seeds_and_one_that_is_undefined_says_so():
    from msalib.base.stats import Estimate

    figure, axes = axes_of()
    axes.set(xlim=(-1, 1), ylim=(2, -1))
    interval(axes, 0, Estimate(0.2, 0.1, 0.3, 0.01, (0.15, 0.25)), "A over B: +0.200")
    interval(axes, 1, Estimate(np.nan, np.nan, np.nan, np.nan), "C over D")
    picture = Picture(figure, alt="Rows.", caption="Rows.")
    assert hovered(picture) == ["A over B: +0.200; seeds +0.15, +0.25"]
    assert "undefined" in picture.svg


def test_a_figure_has_an_address_of_the_first_words_of_its_caption_and_links_to_it():
    picture = drawn(text="B & <c>")
    page = read(picture)
    (figure,) = page.attributes("figure")
    (link,) = page.attributes("a")
    assert figure["id"] == picture.anchor == "fig-points-b-c" and link["href"] == "#fig-points-b-c"
