"""Tables as text, separated by commas or tabs, read strictly: Python's own reader counts lines."""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from msalib.data.readers.build import bad

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_AS_SAVED = {  # what spreadsheets call it
    ",": "Save it as CSV UTF-8, comma-separated.",
    "\t": "Save it as UTF-8 text, tab-separated.",
}


def table(
    path: Path,
    needed: Sequence[str],
    decode: Callable[[bytes], str] | None = None,
    separator: str = ",",
) -> pd.DataFrame:
    """Read a file as it is: every value is text, and empty where nothing stands.

    ``decode`` turns bytes into text, by default as UTF-8 with or without a mark of byte order.
    Where the ``separator`` is a tab, a quotation mark is a character as any other.
    Raises ``UserError`` for a file that is missing or not such text, for a quote that does not
    end, a line with more or fewer values than the header, a column twice, or ``needed`` ones that
    are missing.
    """
    text = io.StringIO(_text(path, needed, decode, separator), newline="")
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(text, delimiter=separator, quoting=quoting, strict=True)
    rows, lines = [], []
    try:
        header = [column.strip() for column in next(reader, [])]
        for row in reader:
            if row:  # not an empty line
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise bad(path, f"line {reader.line_num}: {error}", _kind(separator)) from error
    _check_header(path, header, needed, separator)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            found = f"{len(row)} values in line {line}"
            raise bad(path, found, f"{len(header)}, as in the header")
    return pd.DataFrame(rows, columns=header, dtype=str)


def check(path: Path, table: pd.DataFrame, column: str, valid: pd.Series, expected: str) -> None:
    """Raise ``UserError`` for the first row of a column that is not ``valid`` (N,)."""
    if not valid.all():
        row = int((~valid).to_numpy().argmax())
        raise bad(path, f"{column} {table[column].iloc[row]!r} in row {row + 1}", expected)


def _kind(separator: str) -> str:
    return f"{_SEPARATORS[separator]}-separated UTF-8 text, a header and a line per clip"


def _text(
    path: Path, needed: Sequence[str], decode: Callable[[bytes], str] | None, separator: str
) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        found = error.strerror or "no readable file"
        raise bad(path, found, ", ".join(needed)) from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        found = "UTF-16 text, as spreadsheets save 'Unicode text'"
        raise bad(path, found, _kind(separator), _AS_SAVED[separator])
    try:
        return decode(content) if decode else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"bytes that are no {error.encoding} text, at byte {error.start}"
        raise bad(path, found, _kind(separator)) from error


def _check_header(path: Path, header: list[str], needed: Sequence[str], separator: str) -> None:
    missing = [column for column in needed if column not in header]
    if missing and len(header) == 1:
        others = {mark: name for mark, name in _SEPARATORS.items() if mark != separator}
        other = next((name for mark, name in others.items() if mark in header[0]), "")
        if other:
            found = f"columns that are separated by {other}s"
            raise bad(path, found, _kind(separator), _AS_SAVED[separator])
    if missing:
        raise bad(path, f"no column {', '.join(missing)}", "the columns " + ", ".join(needed))
    twice = next((column for i, column in enumerate(header) if column in header[:i]), None)
    if twice is not None:
        raise bad(path, f"two columns named {twice!r}", "every column once")
