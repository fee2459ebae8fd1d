"""The papers' printed numbers as one table: book/printed/<paper>.csv, one row per number.

A row is one cell of a printed table, or a number of the running text. ``value`` is in the unit of
its metric, ``printed`` keeps the characters on the page, so that how precise a number is, and how
it was scaled, stays known. A number that its metric cannot have is kept, because the checks report
it: only what is no number is refused.
"""

import csv
import io
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from msalib.base import paths
from msalib.base.errors import UserError, did_you_mean, misnamed
from msalib.evidence.printed.units import METRIC_UNITS, half_unit

RELEASE = ("readme", "readme_history")
"""Exhibits that are no part of a paper but of its release: other runs may stand behind them."""

PROSE = ("text", *RELEASE)
"""Exhibits that are no tables of results."""

SYSTEMS = {"SPC": "SPT", "MIMM": "MMIM", "MuT": "MulT", "MuIT": "MulT", "MULT": "MulT"}
"""Names that papers give to a system, with the usual one (papers/baselines.md, 1)."""

DATASETS = {
    name: name for name in ("mosi", "mosei", "sims", "iemocap", "mustard", "ur_funny", "cherma")
} | {"ch_sims": "sims"}
"""Names of data sets with the usual one: in lower case, with _ for -, without cmu_ in front."""

COLUMNS = ("paper", "exhibit", "dataset", "system", "variant", "metric", "value", "printed", "note")
KEY = list(COLUMNS[:6])
"""What names a number; no two numbers share it."""


class Row(BaseModel):
    """One printed number."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    paper: str
    exhibit: str
    dataset: str
    system: str
    variant: str
    metric: str
    value: float
    printed: str
    note: str

    @field_validator("paper", "exhibit", "printed")
    @classmethod
    def _not_empty(cls, text: str, about: ValidationInfo) -> str:
        if not text:
            expected = "the characters in print" if about.field_name == "printed" else "a name"
            raise ValueError(f"an empty cell in column {about.field_name}; expected {expected}")
        return text

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in METRIC_UNITS:
            raise ValueError(
                f"metric {metric!r}; expected one of UNITS in evidence/printed/units.py; "
                f"{did_you_mean(metric, METRIC_UNITS)}"
            )
        return metric

    @field_validator("value", mode="before")
    @classmethod
    def _is_number(cls, value: str | float) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"value {value!r}; expected a number such as 0.713")
        return number


def read(path: Path) -> pd.DataFrame:
    """Read one file, validated; an error names the file, the line and what was expected.

    Blank lines and blanks around a cell do not count.
    """
    lines = _lines(path)
    line, heads = next(lines, (0, []))
    if not heads:
        raise UserError(
            path,
            found="an empty file",
            expected=f"a line with the columns {', '.join(COLUMNS)}",
            remedy="Fill the file, or remove it.",
        )
    _check_heads(f"{path}, line {line}", heads)
    rows = [
        _row(f"{path}, line {line}", heads, cells).model_dump() | {"file": path.name, "line": line}
        for line, cells in lines
    ]
    if not rows:
        raise UserError(
            path,
            found="no row below the names of the columns",
            expected="one row per printed number",
            remedy="Add the rows, or remove the file.",
        )
    return derive(pd.DataFrame(rows, columns=[*COLUMNS, "file", "line"]))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every line that is not blank."""
    wanted = "a CSV file in UTF-8 with the printed numbers of a paper"
    try:
        # The mark that spreadsheets put in front of UTF-8 is dropped.
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        found = f"no readable file ({error.strerror})" if path.exists() else "no such file"
        remedy = "Give or restore the file."
        raise UserError(path, found=found, expected=wanted, remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}, line {error.object[: error.start].count(10) + 1}",
            found="characters that are not UTF-8",
            expected=wanted,
            remedy="Save the file as UTF-8.",
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    last = 0
    try:
        for cells in reader:
            last = reader.line_num
            if any(cell.strip() for cell in cells):
                yield last, cells
    except csv.Error as error:
        raise UserError(
            f"{path}, line {last + 1}",
            found=f"no readable row ({error})",
            expected=wanted,
            remedy="Close the quotes of this row, and double those inside a field.",
        ) from error


def _check_heads(where: str, cells: list[str]) -> None:
    """Refuse a first line that does not name every column once."""
    heads = [name.strip() for name in cells]
    for sign, name in ((";", "semicolon"), ("\t", "tab")):
        if len(heads) == 1 and sign in heads[0]:
            raise UserError(
                where,
                found=f"a {name} between the columns",
                expected="a comma between them",
                remedy="Save the file with commas as separators.",
            )
    if cased := [name for name in heads if name not in COLUMNS and name.lower() in COLUMNS]:
        raise UserError(
            where,
            found=f"column {', '.join(cased)}",
            expected=f"{', '.join(cased).lower()} in lower case",
            remedy="Rename the column.",
        )
    if lacking := [name for name in COLUMNS if name not in heads]:
        others = [name for name in heads if name not in COLUMNS]
        add = "Add the column, empty where it does not apply."
        raise UserError(
            where,
            found=f"no column {', '.join(lacking)}",
            expected=", ".join(COLUMNS),
            remedy=misnamed(lacking, others) or add,
        )
    if len(heads) != len(COLUMNS):
        raise UserError(
            where,
            found=f"columns {', '.join(heads)}",
            expected=f"only {', '.join(COLUMNS)}, each once",
            remedy="Remove the others.",
        )


def _row(where: str, heads: list[str], cells: list[str]) -> Row:
    if len(cells) != len(heads):
        raise UserError(
            where,
            found=f"{len(cells)} fields",
            expected=f"{len(heads)}",
            remedy="Quote fields that hold a comma."
            if len(cells) > len(heads)
            else "Add those that are missing, empty where they do not apply.",
        )
    try:
        return Row.model_validate(
            {head.strip(): cell for head, cell in zip(heads, cells, strict=True)}
        )
    except ValidationError as error:
        # Every complaint about a row is one of ours, with what was expected.
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        found, _, rest = message.partition("; expected ")
        expected, _, more = rest.partition("; ")
        remedy = f"Correct this row. {more}".strip()
        raise UserError(where, found=found, expected=expected, remedy=remedy) from None


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what follows from each.

    ``corpus`` and ``alignment`` are the two halves of a data set such as mosi_unaligned, the first
    by its usual name where ``DATASETS`` has one; ``canonical`` is the usual name of the system,
    ``half`` half a unit in the last printed place.
    """
    halves = re.compile(r"^(.*?)(?:[_-](aligned|unaligned))?$", re.IGNORECASE)
    parts = table["dataset"].str.extract(halves).fillna("")
    pairs = list(zip(table["value"], table["printed"], strict=True))
    return table.assign(
        corpus=parts[0].map(_corpus),
        alignment=parts[1].str.lower(),
        canonical=table["system"].map(lambda name: SYSTEMS.get(name, name)),
        unit=[METRIC_UNITS[metric].name for metric in table["metric"]],
        half=[half_unit(*pair) for pair in pairs],
    )


def _corpus(name: str) -> str:
    """Return the usual name of a data set: CMU-MOSI is mosi; an unknown name stays as it is."""
    return DATASETS.get(name.lower().replace("-", "_").removeprefix("cmu_"), name)


def load_all(folder: Path | None = None) -> pd.DataFrame:
    """Return all papers in a folder as one table, by default those that the project knows.

    Raises ``UserError`` where the folder holds no table, a table no row, a row is not valid, or two
    rows have one key.
    """
    folder = folder or paths.PRINTED
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [path for path in inside if path.suffix.lower() == ".csv"]
    if not files:
        raise UserError(
            folder,
            found="no CSV file" if folder.is_dir() else "no such folder",
            expected="one CSV file per paper",
            remedy="Give the folder that holds them; see book/printed.",
        )
    return _together(tuple((path, path.stat().st_mtime_ns) for path in files))


def load(paper: str) -> pd.DataFrame:
    """Return the printed numbers of one paper that the project knows."""
    path = paths.PRINTED / f"{paper}.csv"
    return _together(((path, path.stat().st_mtime_ns if path.is_file() else 0),))


@cache
def _together(files: tuple[tuple[Path, int], ...]) -> pd.DataFrame:
    """Return the tables of these files, each given with the time of its last change."""
    tables = [read(path) for path, _ in files]
    return unique(pd.concat(tables, ignore_index=True), files[0][0].parent)


def unique(table: pd.DataFrame, folder: Path = Path()) -> pd.DataFrame:
    """Return the table if no two rows have one key; else raise an error that names both.

    ``folder`` holds its files.

    The running text may list several values of one setting (with 1, 2, 3 or 4 experts).
    """
    listed = (table["exhibit"] == "text") & table["unit"].isin(["count", "number"])
    key = [*KEY, "value"] if len(table) else KEY
    twice = table[table.duplicated(KEY, keep=False) & ~listed | table.duplicated(key, keep=False)]
    if len(twice):
        key = tuple(twice.iloc[0][KEY])
        alike = twice[(twice[KEY] == list(key)).all(axis=1)]
        first, second = alike.iloc[0], alike.iloc[1]
        raise UserError(
            f"{folder / second['file']}, line {second['line']}",
            found=f"{', '.join(filter(None, key))} again, as in {first['file']}, "
            f"line {first['line']}",
            expected="every number once",
            remedy="Remove one of the two rows, or give it a variant of its own.",
        )
    return table


def cell(
    paper: str, exhibit: str, dataset: str, system: str, variant: str, metric: str
) -> pd.Series:
    """Return one printed number; anything but exactly one is an error of the caller."""
    table = load(paper)
    place = {"exhibit": exhibit, "dataset": dataset, "system": system}
    place |= {"variant": variant, "metric": metric}
    rows = table[(table[list(place)] == pd.Series(place)).all(axis=1)]
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} printed numbers of {paper} match {place}")
    return rows.iloc[0]
