"""Answer how a text stands in Markdown as it is: what would begin or end something is escaped."""

import re

_MARKS = re.compile(r"[\\`*\[\]<>|$~&]|(?<![^\W_])_|_(?![^\W_])")
"""What begins or ends something in Markdown, a formula and the cell of a table, too."""

_OPENING = re.compile(r"^(?=[#+\-:=%](?!\d))|(?<=\d)(?=[.)]$)")
"""Where the first word of a line could make it a heading, list, rule, comment or directive."""


def plain(text: str) -> str:
    """Return Markdown that shows a text as it is, in one line."""
    return _MARKS.sub(r"\\\g<0>", re.sub(r"[\r\n]+", " ", text))


def plain_line(text: str) -> str:
    """Return Markdown that shows a text as it is where it begins a line."""
    first, space, rest = plain(text.lstrip()).partition(" ")
    return _OPENING.sub(r"\\", first, count=1) + space + rest
