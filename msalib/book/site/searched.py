"""Which words of a page are searched: its prose, names and captions.

The code of cells, drawings, controls and bare numbers are left out: they are on every page, and
would drown what a page is about.
"""

import re
from functools import cache

from docutils import nodes
from sphinx.search.en import SearchEnglish

CODE = "cell_input"
"""Class of the code of a cell."""

UNREAD = re.compile(r"<(style|script|svg|button|select|template)\b.*?</\1>", re.DOTALL | re.I)
TAG = re.compile(r"<[^>]+>")


class English(SearchEnglish):
    """English, with the stem of a word looked for once in all pages."""

    def __init__(self, options: dict):
        super().__init__(options)
        self.stem = cache(super().stem)


def reduced(doctree: nodes.document) -> nodes.document:
    """Return a copy of a page that has only what is searched."""
    return _copy(doctree)


def _copy(node: nodes.Node) -> nodes.Node:
    copy = node.copy()
    if isinstance(node, nodes.raw):
        return nodes.raw("", words(node.astext()), format=node.get("format", ""))
    for child in node.children:
        if CODE not in getattr(child, "attributes", {}).get("classes", ()):
            copied = _copy(child)
            copied.parent = copy
            copy.children.append(copied)
    return copy


def words(html: str) -> str:
    """Return the words of some HTML: what has a letter, and is no tag, control or drawing."""
    text = TAG.sub(" ", UNREAD.sub(" ", html))
    return " ".join(word for word in text.split() if any(map(str.isalpha, word)))
