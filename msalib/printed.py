"""The papers' printed numbers: book/printed/<paper>.csv, one row per number."""

import pandas as pd

from msalib.errors import UserError
from msalib.paths import PRINTED

COLUMNS = ("paper", "exhibit", "dataset", "system", "variant", "metric", "value", "printed", "note")


def load(paper: str) -> pd.DataFrame:
    """All printed numbers of a paper: ``value`` is a number, ``printed`` the string as printed."""
    path = PRINTED / f"{paper}.csv"
    try:
        table = pd.read_csv(path, dtype={"printed": str}, keep_default_na=False)
    except FileNotFoundError as error:
        raise UserError(
            path,
            found="no such file",
            expected="the printed numbers of the paper",
            remedy="Printed numbers are part of the repository: restore the file.",
        ) from error
    if list(table.columns) != list(COLUMNS):
        raise UserError(
            path,
            found=f"columns {', '.join(table.columns)}",
            expected=", ".join(COLUMNS),
            remedy="Restore the file.",
        )
    table["value"] = pd.to_numeric(table["value"])
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
