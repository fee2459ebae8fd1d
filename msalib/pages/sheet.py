"""A sheet: tables with a caption, read by eye and by ear, on a wide screen and on a phone.

A colour (book/_static/custom.css) repeats what a number or a mark says; a mark that is no word has
its word beside it for screen readers.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape


class Sheet:
    """Tables with a caption below; ``html`` is what stands above the caption."""

    def __init__(self, html: Iterable[str], *, caption: str):
        self.html, self.caption = "\n".join(html), caption

    def _repr_html_(self) -> str:
        caption = escape(self.caption)
        return f'<figure class="msa-sheet">{self.html}<figcaption>{caption}</figcaption></figure>'


def table(name: str, caption: str, head: Sequence[str], groups: Mapping[str, Sequence[str]]) -> str:
    """Return a table of ``head`` columns; each group of rows may have a heading of its own."""
    columns = "".join(f'<th scope="col">{text}</th>' for text in head)
    bodies = []
    for heading, rows in groups.items():
        if heading:
            line = f'<tr><th scope="rowgroup" colspan="{len(head)}">{heading}</th></tr>\n'
            rows = [line, *rows]
        bodies.append(f"<tbody>{''.join(rows)}</tbody>")
    return (
        f'<div class="msa-table" tabindex="0" role="region" aria-label="{escape(name)}">'
        f"<table><caption><div>{caption}</div></caption>"
        f"<thead><tr>{columns}</tr></thead>\n{''.join(bodies)}</table></div>"
    )


def row(name: str, cells: Iterable[str], kind: str = "") -> str:
    """Return a row with its name as the head; ``kind`` is a class of CSS."""
    look = f' class="{kind}"' if kind else ""
    return f'<tr{look}><th scope="row">{name}</th>{"".join(cells)}</tr>\n'


def cell(html: str = "", kind: str = "") -> str:
    """Return a cell of a row; ``kind`` is its classes of CSS."""
    return f'<td class="{kind}">{html}</td>' if kind else f"<td>{html}</td>"


def mark(symbol: str, word: str) -> str:
    """Return a symbol for the eye and its word for the ear."""
    return (
        f'<span aria-hidden="true" title="{word}">{symbol}</span>'
        f'<span class="visually-hidden">{word}</span>'
    )


def legend(title: str, entries: Iterable[tuple[str, str, str]]) -> str:
    """Return a list of colour (a class of CSS), mark and meaning."""
    items = "".join(
        f'<li><span class="key {kind}" aria-hidden="true">{mark}</span> {escape(meaning)}</li>'
        for kind, mark, meaning in entries
    )
    return f'<p class="msa-legend">{escape(title)}</p><ul class="msa-legend">{items}</ul>'


def hidden(text: str) -> str:
    """Return text that only screen readers read."""
    return f'<span class="visually-hidden">{text}</span>'
