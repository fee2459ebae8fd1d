"""What the HTML of a page says: its tables with the numbers behind their cells, and its texts.

Exports and the console read pages, so they give what the page shows, whichever class made it. The
script of pages reads tables by the same rules (book/_static/tables.js).
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
BLOCKS = {
    "address",
    "article",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
}
BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "nav", "ol", "p", "pre", "section"}
BLOCKS |= {"summary", "table", "tbody", "thead", "tr", "ul", "caption", "td", "th"}
SILENT = {"script", "style", "template", "button"}
"""Elements that are no text; a script of the page adds the buttons."""

DRAWING = re.compile(r"(<svg\b[^>]*>).*?</svg>", re.DOTALL)

LINE = "\n"
SEPARATOR = "|"
"""Between the fields of a head and between the numbers of a cell."""


class Node:
    """An element with its children, which are elements and texts."""

    def __init__(self, tag: str, attributes: dict[str, str]):
        self.tag, self.attributes = tag, attributes
        self.children: list[Node | str] = []

    def all(self, *tags: str) -> Iterator["Node"]:
        """Yield the elements of these tags below this one, in the order of the page."""
        for child in self.children:
            if isinstance(child, Node):
                if child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def has_class(self, name: str) -> bool:
        """Check whether the element is of a class."""
        return name in self.attributes.get("class", "").split()


class _Tree(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag, attributes):
        node = Node(tag, {name: value or "" for name, value in attributes})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        if any(node.tag == tag for node in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data):
        self.open[-1].children.append(data)


def tree(html: str) -> Node:
    """Return HTML as a nameless element that holds all others; of drawings their labels only."""
    parser = _Tree()
    parser.feed(DRAWING.sub(r"\1</svg>", html))
    parser.close()
    return parser.open[0]


# --- texts --------------------------------------------------------------------------------------


def spoken(node: Node) -> str:
    """Return the words of an element in one line, as exports and screen readers have them.

    A mark has its word in place of it, and lines are separated by semicolons.
    """
    text = ""
    for line in re.split(LINE, "".join(_words(node, spoken=True))):
        if line := " ".join(line.split()):
            gap = "" if not text else " " if text[-1] in ".:;,!?" else "; "
            text += gap + line
    return text


def seen(node: Node) -> list[str]:
    """Return the lines that a reader sees of an element, no-break spaces as they are.

    What is folded stays so.
    """
    lines = "".join(_words(node, spoken=False)).split(LINE)
    return [line for each in lines if (line := re.sub(r"[ \t\r\f]+", " ", each).strip(" "))]


def _words(node: Node, *, spoken: bool) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, str):
            yield re.sub(r"\s", lambda found: "\u00a0" if found[0] == "\u00a0" else " ", child)
        elif child.tag == "br":
            yield LINE
        elif child.tag not in SILENT and not _is_left_out(child, spoken):
            if child.tag == "details" and not spoken:
                child = next(child.all("summary"), child)
            words = _label(child) if spoken else None
            ends = LINE if child.tag in BLOCKS else ""
            yield ends
            yield from [words] if words is not None else _words(child, spoken=spoken)
            yield ends


def _is_left_out(node: Node, spoken: bool) -> bool:
    if spoken:
        return node.attributes.get("aria-hidden") == "true"
    return node.has_class("visually-hidden")


def _label(node: Node) -> str | None:
    """Return the words that stand for an element where its text is a mark."""
    if node.tag == "abbr":
        return node.attributes.get("aria-label")
    if node.tag in ("img", "svg"):
        return node.attributes.get("alt", node.attributes.get("aria-label", ""))
    if node.has_class("verdict"):  # a symbol and a word
        return "".join(_words(node, spoken=True)).split(" ", 1)[-1]
    return None


# --- tables -------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """A cell: its words, the lines that are seen, and its numbers, as texts, by field."""

    text: str
    lines: list[str]
    numbers: dict[str, str]


class Head(NamedTuple):
    """The head of a column: its words, the fields of its numbers and its kind.

    ``kind`` is ``number``, ``sentence`` or empty.
    """

    text: str
    fields: list[str]
    kind: str


class Row(NamedTuple):
    """A row with the heading of its group, if it has one."""

    group: str
    cells: list[Cell]


class Grid(NamedTuple):
    """A table as it stands on a page; ``naming`` is the column that names the rows."""

    caption: str
    heads: list[Head]
    rows: list[Row]
    naming: int = 0


def grids(html: str) -> list[Grid]:
    """Return the tables of HTML in their order; one without rows is left out."""
    found = (grid(table) for table in tree(html).all("table"))
    return [one for one in found if one.rows]


def grid(table: Node) -> Grid:
    """Return a table."""
    caption = " ".join(map(spoken, table.all("caption")))
    heads = [_head(cell) for head in table.all("thead") for cell in head.all("th", "td")]
    rows, group, naming = [], "", 0
    for body in table.all("tbody"):
        group = ""
        for row in body.all("tr"):
            cells = list(row.all("th", "td"))
            if len(cells) == 1 and cells[0].attributes.get("scope") == "rowgroup":
                group = spoken(cells[0])
            else:
                scopes = [cell.attributes.get("scope") for cell in cells]
                naming = scopes.index("row") if "row" in scopes else naming
                rows.append(Row(group, list(_cells(cells, heads))))
    return Grid(caption, heads, rows, naming)


def _head(cell: Node) -> Head:
    fields = cell.attributes.get("data-fields")
    kinds = [kind for kind in ("number", "sentence") if cell.has_class(kind)]
    return Head(spoken(cell), [] if fields is None else fields.split(SEPARATOR), "".join(kinds[:1]))


def _cells(cells: list[Node], heads: list[Head]) -> Iterator[Cell]:
    """Yield the cells of a row; one that spans columns is followed by empty ones."""
    at = 0
    for cell in cells:
        fields = heads[at].fields if at < len(heads) else []
        values = cell.attributes.get("data-values", "").split(SEPARATOR)
        numbers = {f: v for f, v in zip(fields, values, strict=False) if v}
        yield Cell(spoken(cell), seen(cell), numbers)
        span = int(cell.attributes.get("colspan", "1"))
        yield from (Cell("", [], {}) for _ in range(span - 1))
        at += span
