"""What pages show as lines of a console: tables in columns, wrapped to its width."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from msalib.pages.reading import BLOCKS, SILENT, Grid, Node, grid, seen, spoken, tree

WIDTH = 100
"""Letters of a line where no terminal says how wide it is, as in a notebook."""

ROWS = 40
"""Rows of a table that are shown; it tells how many more there are."""

NARROWEST = 8
"""Letters of a column that is wrapped, if its words are no longer than that."""

GAP = "  "


def width() -> int:
    """Return the width of the terminal; that of a notebook is always the same."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH


def text(html: str, width: int) -> str:
    """Return HTML as text whose lines have at most ``width`` letters, where words allow it."""
    return "\n".join(lines(tree(shortened(html)), width)).strip("\n")


def shortened(html: str) -> str:
    """Return HTML with ``ROWS`` rows a table at most; ``data-more`` says how many are left out."""
    return re.sub(r"<tbody>(.*?)</tbody>", _first_rows, html, flags=re.DOTALL)


def _first_rows(body: re.Match) -> str:
    rows = body[1].split("</tr>")[:-1]
    if len(rows) <= ROWS:
        return body[0]
    first = "</tr>".join(rows[:ROWS])
    return f'<tbody data-more="{len(rows) - ROWS}">{first}</tr></tbody>'


def lines(node: Node, width: int) -> Iterator[str]:
    """Yield the lines of an element."""
    words: list[Node | str] = []
    for child in [*node.children, Node("hr", {})]:
        if isinstance(child, str) or child.tag not in {*BLOCKS, *SILENT, "hr", "svg", "img"}:
            words.append(child)
            continue
        yield from _wrapped(seen(_element(words)), width)
        words = []
        yield from _block(child, width)


def _element(children: Sequence[Node | str]) -> Node:
    node = Node("p", {})
    node.children = list(children)
    return node


def _block(node: Node, width: int) -> Iterator[str]:
    if node.tag in SILENT or node.tag == "hr":
        return
    if node.tag == "table":
        yield from table(grid(node), width)
        if more := sum(int(body.attributes.get("data-more", 0)) for body in node.all("tbody")):
            yield f"... and {more} more rows"
    elif node.tag in ("svg", "img"):
        yield from _wrapped([spoken(_element([node]))], width)
    elif node.tag == "summary":
        yield from _wrapped([f"[{' '.join(seen(node))}]"], width)
    elif node.tag == "li":
        yield from _wrapped([f"- {' '.join(seen(node))}"], width, "  ")
    else:
        yield from lines(node, width)
    if node.tag in ("p", "figure", "table", "figcaption"):
        yield ""


def _wrapped(texts: Sequence[str], width: int, indent: str = "") -> Iterator[str]:
    for line in texts:
        yield from textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)


# --- tables -------------------------------------------------------------------------------------


def table(grid: Grid, width: int) -> Iterator[str]:
    """Yield caption, heads and rows; columns that do not fit follow below the others."""
    yield from _wrapped([grid.caption], width)
    names = [[head.text] for head in grid.heads]
    rows = [[cell.lines for cell in row.cells] for row in grid.rows]
    rows = [[*row, *[[]] * (len(names) - len(row))] for row in rows]
    groups = [row.group for row in grid.rows]
    columns = list(zip(names, *rows, strict=True))
    for chosen in _pages([_least(column) for column in columns], grid.naming, width):
        yield ""
        kinds = [grid.heads[at].kind for at in chosen]
        yield from _columns([columns[at] for at in chosen], kinds, groups, width)


def _least(column: Sequence[list[str]]) -> int:
    """Return how narrow a column may be: its longest word, which is not cut unless very long."""
    words = (word for cell in column for line in cell for word in line.split(" "))
    return max(NARROWEST, min(24, max(map(len, words), default=0)))


def _pages(least: Sequence[int], naming: int, width: int) -> Iterator[list[int]]:
    """Yield which columns stand beside each other; the one that names the rows is on each page."""
    page, used = [], 0
    for at, size in enumerate(least):
        if page not in ([], [naming]) and used + len(GAP) + size > width:
            yield page
            page, used = [naming], least[naming]
        page.append(at)
        used += size + len(GAP) * (used > 0)
    if page:
        yield page


def _columns(
    columns: Sequence[Sequence[list[str]]], kinds: Sequence[str], groups: Sequence[str], width: int
) -> Iterator[str]:
    sizes = _sizes(columns, width)
    heads, *rows = zip(*columns, strict=True)
    yield from _row(heads, sizes, kinds)
    yield GAP.join("-" * size for size in sizes)
    before = ""
    for row, group in zip(rows, groups, strict=True):
        if group != before:
            yield f"{group}:"
            before = group
        yield from _row(row, sizes, kinds)


def _sizes(columns: Sequence[Sequence[list[str]]], width: int) -> list[int]:
    """Return the width of each column: that of its longest line, the widest ones cut to fit."""
    sizes = [max([1, *(len(line) for cell in column for line in cell)]) for column in columns]
    least = [min(size, _least(column)) for size, column in zip(sizes, columns, strict=True)]
    room = max(width - len(GAP) * (len(sizes) - 1), sum(least))
    while sum(sizes) > room:
        _, widest = max((size, at) for at, size in enumerate(sizes) if size > least[at])
        sizes[widest] -= 1
    return sizes


def _row(cells: Sequence[list[str]], sizes: Sequence[int], kinds: Sequence[str]) -> Iterator[str]:
    wrapped = [list(_wrapped(cell, size)) for cell, size in zip(cells, sizes, strict=True)]
    for at in range(max(map(len, wrapped))):
        parts = [cell[at] if at < len(cell) else "" for cell in wrapped]
        sized = zip(parts, sizes, kinds, strict=True)
        yield GAP.join(p.rjust(n) if k == "number" else p.ljust(n) for p, n, k in sized).rstrip()
