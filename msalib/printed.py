"""The papers' printed numbers as one table: book/printed/<paper>.csv, one row per number.

A row is one cell of a printed table, or a number of the running text. ``value`` is in the unit of
its metric, ``printed`` keeps the characters on the page, so that how precise a number is, and how
it was scaled, stays known.
"""

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from msalib import paths
from msalib.errors import UserError
from msalib.metrics import METRICS


class Unit(NamedTuple):
    """The values that a number in this unit can have."""

    name: str
    low: float
    high: float
    whole: bool = False


_ANY = float("inf")
UNITS = {
    Unit("%", 0, 100): """acc2 acc2_has0 acc2_non0 acc3 acc5 acc7 f1 f1_has0 f1_non0 f1_mean wa ua
        acc2_angry acc2_happy acc2_neutral acc2_sad f1_happiness f1_sadness f1_fear f1_anger
        f1_surprise f1_disgust f1_neutrality percent params_ratio_percent acc2_difference
        delta_acc2 delta_acc2_non0 delta_f1 delta_f1_non0 drop_no_text""",
    Unit("correlation", -1, 1): "corr",
    Unit("points of the label", 0, _ANY): "mae",
    Unit("label", -3, 3): """label label_min label_max pred_m pred_t pred_a pred_v label_m label_t
        label_a label_v""",
    Unit("variance", 0, _ANY): "variance_total variance_intra",
    Unit("share", 0, 1): """weight probability dropout output_dropout attn_dropout relu_dropout
        residual_dropout embed_dropout""",
    Unit("count", 0, _ANY, whole=True): """count clips videos speakers topics params batch_size
        layer layers encoder_layers encoder_layers_min encoder_layers_max fusion_layers fc_layers
        conv_layers heads dim hidden_dim embed_size units pixels dim_text dim_audio dim_video runs
        epochs updates frames max_seq_len seq_len_text seq_len_audio seq_len_video num_classes
        num_clusters num_configs num_experts num_local top_k seed epochs_timed timing_runs
        patience_epochs epochs_to_stable_labels spt_repeats best_window mel_bins""",
    Unit("number", 0, _ANY): """seconds seconds_ratio milliseconds hours fps frames_per_second ratio
        alpha omega learning_rate learning_rate_bert learning_rate_other loss_weight frame_size_s
        frame_step_s""",
}
"""Every metric that a paper may print, by its unit."""

METRIC_UNITS = {metric: unit for unit, names in UNITS.items() for metric in names.split()}

LOWER_IS_BETTER = {m for m in METRICS if not METRICS[m].higher_is_better} | {"params", "seconds"}

SYSTEMS = {"SPC": "SPT", "MIMM": "MMIM", "MuT": "MulT", "MuIT": "MulT", "MULT": "MulT"}
"""Names that papers give to a system, with the usual one (papers/baselines.md, 1)."""

COLUMNS = ("paper", "exhibit", "dataset", "system", "variant", "metric", "value", "printed", "note")
KEY = list(COLUMNS[:6])
"""What names a number; no two numbers share it."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
_SCALES = (1.0, 100.0, 0.01)
"""Papers print shares as they are or in percent, and MAE and Corr as they are or times 100."""


class Row(BaseModel):
    """One printed number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    def _not_empty(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("an empty cell; expected a name, or for printed the characters")
        return text

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric not in METRIC_UNITS:
            known = ", ".join(sorted(METRIC_UNITS))
            raise ValueError(f"metric {metric!r}; expected one of {known}")
        return metric

    @model_validator(mode="after")
    def _within_its_unit(self):
        """A number outside its unit is refused, but for two kinds that the checks report.

        One that only a factor of 100 separates from it, since papers do print such; and a printed
        correlation or label beyond its bounds, which would be the paper's, not the file's.
        """
        unit = METRIC_UNITS[self.metric]
        expected = f"{unit.low:g} to {unit.high:g}" if unit.high < _ANY else f"{unit.low:g} or more"
        expected += ", a whole number" if unit.whole else ""
        problem = ValueError(
            f"value {self.value:g} of {self.metric}, printed {self.printed!r}; "
            f"expected {unit.name}: {expected}"
        )
        if not abs(self.value) < _ANY or (unit.whole and self.value != int(self.value)):
            raise problem
        if unit.low <= self.value <= unit.high:
            return self
        digits = number(self.printed)
        if digits is None or not any(same(self.value, digits * f) for f in _SCALES):
            raise problem
        if unit.name == "%" and not 10 <= self.value / 100 <= 100:
            raise problem
        if unit.high == _ANY or unit.name == "share":
            raise problem
        return self


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
    """One file, validated; an error names the file, the line and what was expected."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            heads = tuple(next(reader, ()))
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            path,
            found="no such file" if not path.exists() else f"no readable table ({error})",
            expected="a CSV file in UTF-8 with the printed numbers of a paper",
            remedy="Give or restore the file.",
        ) from error
    if lacking := [name for name in COLUMNS if name not in heads]:
        raise UserError(
            f"{path}, line 1",
            found=f"no column {', '.join(lacking)}",
            expected=", ".join(COLUMNS),
            remedy="Add the column, empty where it does not apply.",
        )
    if len(heads) != len(COLUMNS):
        raise UserError(
            f"{path}, line 1",
            found=f"columns {', '.join(heads)}",
            expected=f"only {', '.join(COLUMNS)}, each once",
            remedy="Remove the others.",
        )
    rows = []
    for line, cells in lines:
        if len(cells) != len(heads):
            raise UserError(
                f"{path}, line {line}",
                found=f"{len(cells)} fields",
                expected=f"{len(heads)}",
                remedy="Quote fields that hold a comma.",
            )
        try:
            row = Row.model_validate(dict(zip(heads, cells, strict=True)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            message = first["msg"].removeprefix("Value error, ")
            found, _, expected = message.partition("; expected ")
            raise UserError(
                f"{path}, line {line}",
                found=found if expected else f"{where} {first['input']!r}",
                expected=expected or message,
                remedy="Correct this row.",
            ) from None
        rows.append(row.model_dump() | {"file": path.name, "line": line})
    return derive(pd.DataFrame(rows, columns=[*COLUMNS, "file", "line"]))


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with what follows from each.

    ``corpus`` and ``alignment`` are the two halves of a data set such as mosi_unaligned,
    ``canonical`` the usual name of the system, ``half`` half a unit in the last printed place.
    """
    parts = table["dataset"].str.extract(r"^(.*?)(?:_(aligned|unaligned))?$").fillna("")
    pairs = list(zip(table["value"], table["printed"], strict=True))
    return table.assign(
        corpus=parts[0],
        alignment=parts[1],
        canonical=table["system"].map(lambda name: SYSTEMS.get(name, name)),
        unit=[METRIC_UNITS[metric].name for metric in table["metric"]],
        half=[half_unit(*pair) for pair in pairs],
    )


def load_all(folder: Path | None = None) -> pd.DataFrame:
    """All papers in a folder as one table, by default those that the project knows.

    Raises ``UserError`` where the folder holds no table, a row is not valid, or two rows have one
    key.
    """
    folder = folder or paths.PRINTED
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
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
    return unique(pd.concat([read(path) for path, _ in files], ignore_index=True))


def unique(table: pd.DataFrame) -> pd.DataFrame:
    """The table, where no two rows have one key; else an error that names both.

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
            f"{second['file']}, line {second['line']}",
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
