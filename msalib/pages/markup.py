"""HTML of pages: text is escaped wherever it is put, and none of it is read as mathematics.

Ids, transcripts and names that come from data, CSV and YAML files are ``str``. Tables and the
makers of cells escape them, as content and as attributes. ``Markup`` is HTML that is shown as it
is: it is written here as literals, and ``format`` and ``join`` escape what is put into them. Who
forgets to prepare a cell sees its tags on the page.
"""

import re
from collections.abc import Iterable, Sequence

import pandas as pd
from markupsafe import Markup

from msalib.pages import console

pd.set_option("mode.string_storage", "python")  # pyarrow's would take prepared cells for text

MATHEMATICS = re.compile(r"[$\\]")
"""What MathJax and notebook viewers take for the beginning of a formula: ``$``, ``\\(``."""

PLAIN = Markup('<div class="tex2jax_ignore mathjax_ignore">{}</div>')
"""Classes of HTML in which they look for none."""


class Shown:
    """Something that a page shows: ``html`` returns its HTML, ``repr`` what a console shows."""

    def html(self) -> Markup:
        """Return the HTML."""
        raise NotImplementedError

    def plain(self, width: int) -> str:
        """Return text for a console of so many letters: by default what the HTML says."""
        return console.text(self.html(), width)

    def __repr__(self) -> str:
        return self.plain(console.width())

    def _repr_html_(self) -> str:
        html = self.html()
        return str(PLAIN.format(html) if MATHEMATICS.search(html) else html)


def lines(parts: Iterable[str]) -> Markup:
    """Return texts one below the other."""
    return Markup("<br>").join(parts)


def link(href: str, text: str) -> Markup:
    """Return a link."""
    return Markup('<a href="{}">{}</a>').format(href, text)


def details(head: str, lines: Sequence[str], first: str = "") -> Markup:
    """Return lines of text that open on a click, after a sentence."""
    listed = Markup("").join(Markup("<li>{}</li>").format(line) for line in lines)
    sentence = Markup("<p>{}</p>").format(first) if first else ""
    return Markup("<details><summary>{}</summary>{}<ul>{}</ul></details>").format(
        head, sentence, listed
    )
