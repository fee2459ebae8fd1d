"""Tables as comma-separated text, read strictly: Python's own reader counts lines."""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from msalib.data.readers.build import bad

_KIND = "comma-separated UTF-8 text, a header and a line per clip"
_AS_SAVED = "Save it as CSV UTF-8, comma-separated."  # what spreadsheets call it


def table(
    path: Path, needed: Sequence[str], decode: Callable[[bytes], str] | None = None
) -> pd.DataFrame:
    """Read a file as it is: every value is text, and empty where nothing stands.

    ``decode`` turns bytes into text, by default as UTF-8 with or without a mark of byte order.
    Raises ``UserError`` for a file that is missing or not such text, for a quote that does not
    end, a line with more or fewer values than the header, a column twice, or ``needed`` ones that
    are missing.
    """
    reader = csv.reader(io.StringIO(_text(path, needed, decode), newline=""), strict=True)
    rows, lines = [], []
    try:
        header = [column.strip() for column in next(reader, [])]
        for row in reader:
            if row:  # not an empty line
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise bad(path, f"line {reader.line_num}: {error}", _KIND) from error
    _check_header(path, header, needed)
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


def _text(path: Path, needed: Sequence[str], decode: Callable[[bytes], str] | None) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        found = error.strerror or "no readable file"
        raise bad(path, found, ", ".join(needed)) from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise bad(path, "UTF-16 text, as spreadsheets save 'Unicode text'", _KIND, _AS_SAVED)
    try:
        return decode(content) if decode else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"bytes that are no {error.encoding} text, at byte {error.start}"
        raise bad(path, found, _KIND) from error


def _check_header(path: Path, header: list[str], needed: Sequence[str]) -> None:
    missing = [column for column in needed if column not in header]
    if missing and len(header) == 1 and (mark := next((m for m in ";\t" if m in header[0]), "")):
        name = {";": "semicolons", "\t": "tabs"}[mark]
        raise bad(path, f"columns that are separated by {name}", _KIND, _AS_SAVED)
    if missing:
        raise bad(path, f"no column {', '.join(missing)}", "the columns " + ", ".join(needed))
    twice = next((column for i, column in enumerate(header) if column in header[:i]), None)
    if twice is not None:
        raise bad(path, f"two columns named {twice!r}", "every column once")
