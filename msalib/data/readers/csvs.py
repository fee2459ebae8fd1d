"""Tables as text, separated by commas or tabs, read strictly: Python's own reader counts lines."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from msalib.base.errors import UserError, misnamed
from msalib.data.readers.build import RESTORE, bad

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_AS_SAVED = {  # what spreadsheets call it
    ",": "Save it as CSV UTF-8, comma-separated.",
    "\t": "Save it as UTF-8 text, tab-separated.",
}

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOKS = {b"PK\3\4": ".xlsx or .ods", b"\xd0\xcf\x11\xe0": ".xls"}  # first bytes -> ending

_HINT = re.compile(r"sep=.\r?\n")  # the first line that tells a spreadsheet the separator


def table(
    path: Path,
    needed: Sequence[str],
    decode: Callable[[bytes], str] | None = None,
    separator: str = ",",
) -> pd.DataFrame:
    """Read a file as it is: every value is text, and empty where nothing stands.

    ``decode`` turns bytes into text, by default as UTF-8 with or without a mark of byte order.
    Where the ``separator`` is a tab, a quotation mark is a character as any other. Rows and columns
    of nothing, as spreadsheets leave them at the edges, are left out.
    Raises ``UserError`` for a file that is missing or not such text, for a quote that does not
    end, a line with more or fewer values than the header, a column twice, or ``needed`` ones that
    are missing. What a spreadsheet has saved in another form is told how to save it.
    """
    text = io.StringIO(_text(path, needed, decode, separator), newline="")
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(text, delimiter=separator, quoting=quoting, strict=True)
    rows, lines = [], []
    try:
        header = [column.strip() for column in next(reader, [])]
        for row in reader:
            if any(value.strip() for value in row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise bad(path, f"line {reader.line_num}: {error}", _kind(separator)) from error
    width = max((i + 1 for i, column in enumerate(header) if column), default=0)
    if not any(value.strip() for row in rows for value in row[width:]):
        header, rows = header[:width], [row[:width] for row in rows]
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
    if found := _other_form(content):
        raise bad(path, found, _kind(separator), _AS_SAVED[separator])
    try:
        text = decode(content) if decode else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf_8(path, content, error, separator) from error
    return _HINT.sub("", text, count=1) if text.startswith("sep=") else text


def _other_form(content: bytes) -> str:
    """Return what a spreadsheet has saved instead of text in UTF-8; empty if nothing is known."""
    if content.startswith(_UTF_16) or 4 * content[:4000].count(0) > len(content[:4000]) > 0:
        return "UTF-16 text, as spreadsheets save 'Unicode text'"
    ending = next((e for first, e in _WORKBOOKS.items() if content.startswith(first)), "")
    return f"the workbook of a spreadsheet ({ending})" if ending else ""


def _not_utf_8(path: Path, content: bytes, error: UnicodeDecodeError, separator: str) -> UserError:
    """Return the error of text in another encoding, or of UTF-8 that is damaged."""
    found = f"bytes that are no {error.encoding} text, at byte {error.start}"
    other = sum(byte > 0x7F for byte in content)
    readable = content.decode("utf-8", "ignore")
    if 2 * sum(len(c.encode()) for c in readable if c > "\x7f") > other:
        return bad(path, found, _kind(separator))
    saved = "GBK, as Windows saves it in Chinese" if is_gbk(content) else "cp1252, say"
    return bad(path, f"{found} ({saved})", _kind(separator), _AS_SAVED[separator])


def is_gbk(content: bytes) -> bool:
    """Check whether bytes that are no UTF-8 look like GBK: characters of two bytes, side by side.

    In cp1252 letters with accents and quotation marks stand alone.
    """
    pairs = len(re.findall(rb"[\x81-\xfe][\xa1-\xfe]", content))
    return 2 * pairs > 0.8 * sum(byte > 0x7F for byte in content)


def _check_header(path: Path, header: list[str], needed: Sequence[str], separator: str) -> None:
    missing = [column for column in needed if column not in header]
    if missing and len(header) == 1:
        others = {mark: name for mark, name in _SEPARATORS.items() if mark != separator}
        other = next((name for mark, name in others.items() if mark in header[0]), "")
        if other:
            found = f"columns that are separated by {other}s"
            raise bad(path, found, _kind(separator), _AS_SAVED[separator])
    if missing:
        found, expected = f"no column {', '.join(missing)}", "the columns " + ", ".join(needed)
        others = [name for name in header if name not in needed]
        raise bad(path, found, expected, misnamed(missing, others) or RESTORE)
    twice = next((column for i, column in enumerate(header) if column in header[:i]), None)
    if twice is not None:
        raise bad(path, f"two columns named {twice!r}", "every column once")
