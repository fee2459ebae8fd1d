"""The papers' printed numbers as one table: book/printed/<paper>.csv, one row per number.

A row is one cell of a printed table, or a number of the running text. ``value`` is in the unit of
its metric, ``printed`` keeps the characters on the page, so that how precise a number is, and how
it was scaled, stays known.
"""

import csv
import io
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data.metrics import METRICS

_ANY = float("inf")


class Unit(NamedTuple):
    """The values that a number in this unit can have.

    Beyond them the checks report, and the file may hold, what lies in ``slip`` without its sign.
    """

    name: str
    low: float
    high: float
    slip: tuple[float, float] = (_ANY, _ANY)
    whole: bool = False

    def __str__(self) -> str:
        span = f"{self.low:g} to {self.high:g}" if self.high < _ANY else f"{self.low:g} or more"
        return f"{self.name}: {span}{', a whole number' if self.whole else ''}"


UNITS = {
    Unit("%", 0, 100, slip=(1000, 10_000)): """acc2 acc2_has0 acc2_non0 acc3 acc5 acc7 f1
        f1_has0 f1_non0 f1_mean f1_macro wa ua acc2_angry acc2_happy acc2_neutral acc2_sad
        f1_happiness f1_sadness f1_fear f1_anger f1_surprise f1_disgust f1_neutrality percent
        params_ratio_percent acc2_difference delta_acc2 delta_acc2_non0 delta_f1 delta_f1_non0
        drop_no_text""",
    Unit("correlation", -1, 1, slip=(2, 100)): "corr",
    Unit("points of the label", 0, 6, slip=(20, 600)): "mae",
    Unit("label", -3, 3, slip=(3, _ANY)): """label label_min label_max pred_m pred_t pred_a
        pred_v label_m label_t label_a label_v""",
    Unit("variance", 0, _ANY): "variance_total variance_intra",
    Unit("share", 0, 1): """weight probability dropout output_dropout attn_dropout relu_dropout
        residual_dropout embed_dropout""",
    Unit("count", 0, _ANY, whole=True): """count clips videos speakers topics params batch_size
        layer layers encoder_layers encoder_layers_min encoder_layers_max fusion_layers
        fc_layers conv_layers heads dim hidden_dim embed_size units pixels dim_text dim_audio
        dim_video runs epochs updates frames max_seq_len seq_len_text seq_len_audio
        seq_len_video num_classes num_clusters num_configs num_experts num_local top_k seed
        epochs_timed timing_runs patience_epochs epochs_to_stable_labels spt_repeats best_window
        mel_bins""",
    Unit("number", 0, _ANY): """seconds seconds_ratio milliseconds hours fps frames_per_second
        ratio alpha omega learning_rate learning_rate_bert learning_rate_other loss_weight
        frame_size_s frame_step_s""",
}
"""Every metric that a paper may print, by its unit.

A share, a correlation or an MAE is printed times 100 now and then; a correlation of 1.7 or an MAE
of 9 would be neither that nor possible (labels reach from -3 to 3). A label beyond its scale would
be the paper's own.
"""

METRIC_UNITS = {metric: unit for unit, names in UNITS.items() for metric in names.split()}

RESULTS = ("%", "correlation", "points of the label")
"""Units of results that papers compare; other numbers, such as sizes, are no results."""

MEASURED = (*RESULTS, "variance")
"""Units of all that is measured."""

RELEASE = ("readme", "readme_history")
"""Exhibits that are no part of a paper but of its release: other runs may stand behind them."""

PROSE = ("text", *RELEASE)
"""Exhibits that are no tables of results."""

LOWER_IS_BETTER = {m for m in METRICS if not METRICS[m].higher_is_better} | {"params", "seconds"}

SYSTEMS = {"SPC": "SPT", "MIMM": "MMIM", "MuT": "MulT", "MuIT": "MulT", "MULT": "MulT"}
"""Names that papers give to a system, with the usual one (papers/baselines.md, 1)."""

DATASETS = {
    name: name for name in ("mosi", "mosei", "sims", "iemocap", "mustard", "ur_funny", "cherma")
} | {"ch_sims": "sims"}
"""Names of data sets with the usual one: in lower case, with _ for -, without cmu_ in front."""

COLUMNS = ("paper", "exhibit", "dataset", "system", "variant", "metric", "value", "printed", "note")
KEY = list(COLUMNS[:6])
"""What names a number; no two numbers share it."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
_SCALES = (1.0, 100.0, 0.01)
"""Papers print shares as they are or in percent, and MAE and Corr as they are or times 100."""


def sign(metric: str) -> int:
    """1 where a larger number is the better one, else -1."""
    return -1 if metric in LOWER_IS_BETTER else 1


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
            wanted = "the characters in print" if about.field_name == "printed" else "a name"
            raise ValueError(f"an empty cell in column {about.field_name}; expected {wanted}")
        return text

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in METRIC_UNITS:
            near = get_close_matches(metric.lower(), sorted(METRIC_UNITS), n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(
                f"metric {metric!r}; expected one of UNITS in evidence/printed/table.py{hint}"
            )
        return metric

    @field_validator("value", mode="before")
    @classmethod
    def _is_number(cls, value: str | float) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ValueError(f"value {value!r}; expected a number such as 0.713") from None

    @model_validator(mode="after")
    def _within_its_unit(self):
        """A number outside its unit is refused, unless the checks report it: ``Unit.slip``.

        Then it must be the printed number, up to the scales of print and one factor of 100.
        """
        unit = METRIC_UNITS[self.metric]
        fits = not unit.whole or self.value % 1 == 0
        if not (fits and abs(self.value) < _ANY and (self._in_unit(unit) or self._slipped(unit))):
            raise ValueError(
                f"value {self.value:g} of {self.metric}, printed {self.printed!r}; expected {unit}"
            )
        return self

    def _in_unit(self, unit: Unit) -> bool:
        return unit.low <= self.value <= unit.high

    def _slipped(self, unit: Unit) -> bool:
        low, high = unit.slip
        digits = number(self.printed)
        return (
            digits is not None
            and (self.value > 0 or unit.low < 0)
            and low <= abs(self.value) <= high
            and any(same(self.value * f, digits * g) for f in _SCALES for g in _SCALES)
        )


def number(printed: str) -> float | None:
    """The number in a printed string, None where it is a word or a range: '1,284' is 1284."""
    text = re.sub(r"[\s,]", "", printed).lower().rstrip("%s")
    return float(text) if _NUMBER.fullmatch(text) else None


def same(a: float, b: float) -> bool:
    """Equal up to the rounding of floats."""
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def scale(value: float, printed: str) -> float | None:
    """How a value was scaled from print (1, 100 or 0.01); None where print says another number.

    A string that is no number (three, 1/10) has scale 1: nothing is to be compared.
    """
    digits = number(printed)
    if digits is None:
        return 1.0
    return next((f for f in _SCALES if same(value, digits * f)), None)


def half_unit(value: float, printed: str) -> float:
    """Half a unit in the last printed place, in the unit of the value: 0.713 gives 0.0005.

    The number meant lies within that distance of the value. For words it is 0; for digits that are
    no number (a misprint such as 0.79.5) it is that of the value.
    """
    text = printed
    if number(printed) is None:
        text = f"{value:g}"
        if "." not in text:
            return 0.0
    mantissa, _, exponent = re.sub(r"[\s,%]", "", text).lower().rstrip("s").partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return 0.5 * 10.0**-decimals * (scale(value, printed) or 1.0)


def read(path: Path) -> pd.DataFrame:
    """One file, validated; an error names the file, the line and what was expected.

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
    """Number and cells of every line that is not blank."""
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
    """The first line must name every column once."""
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
        raise UserError(
            where,
            found=f"no column {', '.join(lacking)}",
            expected=", ".join(COLUMNS),
            remedy="Add the column, empty where it does not apply.",
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
        found, _, expected = message.partition("; expected ")
        raise UserError(where, found=found, expected=expected, remedy="Correct this row.") from None


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with what follows from each.

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
    """CMU-MOSI is mosi; a name that is not known stays as it is."""
    return DATASETS.get(name.lower().replace("-", "_").removeprefix("cmu_"), name)


def load_all(folder: Path | None = None) -> pd.DataFrame:
    """All papers in a folder as one table, by default those that the project knows.

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
    """The printed numbers of one paper that the project knows."""
    path = paths.PRINTED / f"{paper}.csv"
    return _together(((path, path.stat().st_mtime_ns if path.is_file() else 0),))


@cache
def _together(files: tuple[tuple[Path, int], ...]) -> pd.DataFrame:
    """The tables of these files, each with the time of its last change."""
    tables = [read(path) for path, _ in files]
    return unique(pd.concat(tables, ignore_index=True), files[0][0].parent)


def unique(table: pd.DataFrame, folder: Path = Path()) -> pd.DataFrame:
    """The table, where no two rows have one key; else an error that names both.

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
    """One printed number; anything but exactly one is an error of the caller."""
    table = load(paper)
    wanted = {"exhibit": exhibit, "dataset": dataset, "system": system}
    wanted |= {"variant": variant, "metric": metric}
    rows = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} printed numbers of {paper} match {wanted}")
    return rows.iloc[0]
