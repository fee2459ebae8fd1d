"""A sheet: tables with a caption, read by eye and by ear, on a wide screen and on a phone.

A colour (book/_static/custom.css) repeats what a number or a mark says; a mark that is no word has
its word beside it for screen readers.
"""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from msalib.pages.markup import Shown

NOTHING = Markup("")


class Sheet(Shown):
    """Tables with a caption below; ``content`` is what stands above the caption."""

    def __init__(self, content: Iterable[Markup], *, caption: str):
        self.content, self.caption = Markup("\n").join(content), caption

    def html(self) -> Markup:
        """Return all of it as one figure."""
        return Markup('<figure class="msa-sheet">{}<figcaption>{}</figcaption></figure>').format(
            self.content, self.caption
        )


def table(
    name: str, caption: str, head: Sequence[str], groups: Mapping[str, Sequence[Markup]]
) -> Markup:
    """Return a table of ``head`` columns; each group of rows may have a heading of its own."""
    columns = NOTHING.join(Markup('<th scope="col">{}</th>').format(text) for text in head)
    bodies = []
    for heading, rows in groups.items():
        if heading:
            line = Markup('<tr><th scope="rowgroup" colspan="{}">{}</th></tr>\n')
            rows = [line.format(len(head), heading), *rows]
        bodies.append(Markup("<tbody>{}</tbody>").format(NOTHING.join(rows)))
    return Markup(
        '<div class="msa-table" tabindex="0" role="region" aria-label="{}">'
        "<table><caption><div>{}</div></caption>"
        "<thead><tr>{}</tr></thead>\n{}</table></div>"
    ).format(name, caption, columns, NOTHING.join(bodies))


def row(name: str, cells: Iterable[Markup], kind: str = "") -> Markup:
    """Return a row with its name as the head; ``kind`` is a class of CSS."""
    return Markup('<tr{}><th scope="row">{}</th>{}</tr>\n').format(
        _look(kind), name, NOTHING.join(cells)
    )


def cell(content: str = "", kind: str = "") -> Markup:
    """Return a cell of a row; ``kind`` is its classes of CSS."""
    return Markup("<td{}>{}</td>").format(_look(kind), content)


def _look(kind: str) -> Markup:
    return Markup(' class="{}"').format(kind) if kind else NOTHING


def mark(symbol: str, word: str) -> Markup:
    """Return a symbol for the eye and its word for the ear."""
    return Markup(
        '<span aria-hidden="true" title="{word}">{symbol}</span>'
        '<span class="visually-hidden">{word}</span>'
    ).format(symbol=symbol, word=word)


def legend(title: str, entries: Iterable[tuple[str, str, str]]) -> Markup:
    """Return a list of colour (a class of CSS), mark and meaning."""
    item = Markup('<li><span class="key {}" aria-hidden="true">{}</span> {}</li>')
    items = NOTHING.join(item.format(*entry) for entry in entries)
    return Markup('<p class="msa-legend">{}</p><ul class="msa-legend">{}</ul>').format(title, items)


def hidden(text: str) -> Markup:
    """Return text that only screen readers read."""
    return Markup('<span class="visually-hidden">{}</span>').format(text)
