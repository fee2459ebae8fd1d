"""Turn matplotlib's SVG into SVG for a page: small, legible in the dark, the same every time.

Letters stay letters and take the typeface of the page. Lines and letters that matplotlib draws in
black have the colour of the page's text, white is the page's background, and strong colours have
variables, so that a style sheet can lighten them. Text from data is escaped by the tree that
writes it.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

UNITS = 72
"""Units of a drawing in an inch."""

NAMES = {
    "#000000": "currentcolor",
    "#ffffff": "var(--msa-paper)",
    "#0072b2": "var(--msa-blue,#0072b2)",
    "#d55e00": "var(--msa-red,#d55e00)",
    "#009e73": "var(--msa-green,#009e73)",
}
"""Colour of matplotlib -> how a page calls it."""

PAPER = "--msa-paper:var(--pst-color-background,var(--jp-layout-color0,#fff))"
"""Background of the page: in this book, in Jupyter, elsewhere."""

REACH = 6
"""Radius within which a mark takes the pointer, in units of the drawing."""

ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""

DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
REFERENCE = re.compile(r"(?:^|url\()#([\w-]+)")
POINTERS = ("href", "style", "clip-path")
"""Attributes that refer to other elements."""

SHAPES = ("path", "rect", "circle", "use", "image", "text")
MEASURES = ("d", "x", "y", "width", "height", "transform", "points")
"""Attributes whose numbers are places in a drawing."""


def colour(name: str) -> str:
    """Return a colour of matplotlib as a page calls it."""
    return NAMES.get(name.lower(), name)


class Mark(NamedTuple):
    """A place of a drawing, in its units, and what is said there."""

    x: float
    y: float
    text: str


class Box(NamedTuple):
    """The part of a drawing that is shown, in its units."""

    x: float
    y: float
    width: float
    height: float


def inline(drawing: str, *, box: Box, alt: str, marks: Iterable[Mark] = ()) -> Markup:
    """Return matplotlib's SVG as an element of a page that shows ``box``.

    ``alt`` is its text for readers who do not see it. Ids begin with a digest of the drawing, so
    that two drawings of a page have none in common, unless they are equal.
    """
    drawing, alt = (ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text) for text in (drawing, alt))
    source = ET.fromstring(drawing)
    root = ET.Element("svg", {"viewBox": " ".join(_short(v) for v in box), "role": "img"})
    root.attrib |= {"aria-label": alt, "fill": "currentcolor", "stroke-linejoin": "round"}
    root.attrib["style"] = PAPER
    for child in source:
        root.extend(_cleaned(child))
    _rename(root, sha256(f"{alt}{drawing}".encode()).hexdigest()[:8])
    if marks:
        root.append(_targets(marks))
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 (the tree has escaped it)


def _targets(marks: Iterable[Mark]) -> ET.Element:
    """Return invisible circles that say their text where a pointer rests on them."""
    group = ET.Element("g", {"class": "msa-marks", "fill": "none", "pointer-events": "all"})
    for mark in marks:
        place = {"cx": _short(mark.x), "cy": _short(mark.y), "r": _short(REACH)}
        title = ET.SubElement(ET.SubElement(group, "circle", place), "title")
        title.text = ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", mark.text)
    return group


# --- cleaning -----------------------------------------------------------------------------------


def _cleaned(element: ET.Element) -> list[ET.Element]:
    """Return an element without what a page needs not: none, itself, or its children."""
    tag = element.tag.rpartition("}")[2]
    if tag in ("metadata", "style"):
        return []
    attributes = {name.rpartition("}")[2]: v for name, v in element.attrib.items()}
    attributes = {name: _rounded(name, value) for name, value in attributes.items()}
    style = _style(attributes.pop("style", ""))
    if tag in SHAPES and style.get("fill") == "none" and "stroke" not in style and tag != "image":
        return []
    if style:
        attributes["style"] = ";".join(f"{name}:{value}" for name, value in style.items())
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    clean = ET.Element(tag, attributes)
    clean.text = element.text if tag == "text" else None
    for child in element:
        clean.extend(_cleaned(child))
    if tag in ("g", "defs") and not len(clean):
        return []
    if tag == "g" and not set(attributes) - {"id"}:
        return list(clean)
    _share_style(clean)
    return [clean]


def _share_style(group: ET.Element) -> None:
    """Give a group the style that all its copies of a marker have."""
    uses = [child for child in group if child.tag == "use"]
    styles = {use.get("style", "") for use in uses}
    if group.tag == "g" and len(uses) > 1 and len(styles) == 1 and "style" not in group.attrib:
        group.set("style", styles.pop())
        for use in uses:
            use.attrib.pop("style", None)


def _style(text: str) -> dict[str, str]:
    """Return declarations without the typeface, in the colours of the page."""
    style = {}
    for declaration in filter(None, text.split(";")):
        name, value = (part.strip() for part in declaration.split(":", 1))
        if name not in ("font-family", "stroke-linejoin", "stroke-miterlimit"):
            style[name] = colour(_numbers(value))
    return style


def _rounded(name: str, value: str) -> str:
    return " ".join(_numbers(value).split()) if name in MEASURES else value


def _numbers(text: str) -> str:
    return DECIMAL.sub(lambda number: _short(float(number[0])), text)


def _short(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rename(root: ET.Element, prefix: str) -> None:
    """Rename the ids that something refers to, and remove the others."""
    used = dict.fromkeys(
        found[1]
        for element in root.iter()
        for value in map(element.get, POINTERS)
        for found in REFERENCE.finditer(value or "")
    )
    names = {old: f"{prefix}-{k}" for k, old in enumerate(used)}
    for element in root.iter():
        if (old := element.attrib.pop("id", None)) in names:
            element.set("id", names[old])
        for name in POINTERS:
            if value := element.get(name):
                element.set(name, REFERENCE.sub(lambda m: m[0].replace(m[1], names[m[1]]), value))
