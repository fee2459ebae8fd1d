"""How texts name data sets, exhibits, metrics, printed cells, chances and numbers of things."""

from collections.abc import Mapping, Sequence
from math import ceil, log10

from msalib.data.metrics import METRICS

DATASETS = {"ur_funny": "UR-FUNNY", "mustard": "MUStARD", "sims": "CH-SIMS"}


def dataset(name: str) -> str:
    """Name a data set as papers write it: mosi_unaligned is MOSI, unaligned."""
    if name in DATASETS:
        return DATASETS[name]
    base, _, alignment = name.partition("_")
    return ", ".join(filter(None, [base.upper(), alignment]))


def metric(name: str) -> str:
    """Name a metric as the book writes it."""
    if name in METRICS:
        return METRICS[name].label
    return {"wa": "WA", "ua": "UA"}.get(name, name.replace("_", " "))


def system(cell: Mapping) -> str:
    """Name a system with its variant."""
    return " ".join(filter(None, [cell["system"], cell["variant"].replace("_", " ")]))


def exhibit(name: str) -> str:
    """Name an exhibit: table3a is Table 3a."""
    for prefix, word in (("appendix_", "Appendix "), ("table", "Table "), ("fig", "Fig. ")):
        if name.startswith(prefix):
            return word + exhibit(name.removeprefix(prefix))
    return {"text": "Text", "readme": "README", "readme_history": "README, history"}.get(name, name)


def column(cell: Mapping) -> str:
    """Name the column of a number: MOSI MAE."""
    return f"{dataset(cell['dataset'])} {metric(cell['metric'])}"


def number(cell: Mapping) -> str:
    """Write a number with as many decimals as were printed."""
    return f"{cell['value']:{form(cell)}}"


def form(cell: Mapping, signed: bool = False) -> str:
    """Return the format of a number: as many decimals as were printed, in the unit of the value."""
    plus = "+" if signed else ""
    if cell["half"] == 0:
        return f"{plus},g"
    decimals = max(0, ceil(-log10(2 * cell["half"]) - 1e-9))
    return f"{plus},.{decimals}f"


def place(cell: Mapping) -> str:
    """Name the place of a number: Table 2, MOSI, UEGD conv bert, MAE."""
    parts = [exhibit(cell["exhibit"]), dataset(cell["dataset"]), system(cell)]
    return ", ".join(filter(None, [*parts, metric(cell["metric"])]))


def chance(p: float) -> str:
    """Write a probability in words that need no zeros: 1 in 729."""
    return f"{p:.0%}" if p >= 0.1 else f"1 in {1 / p:,.0f}" if p > 0 else "never"


def plural(number: int, name: str) -> str:
    """Write a number of things: 1 claim, 3 claims."""
    return f"{number} {name}{'s' * (number != 1)}"


def either(numbers: Sequence[int]) -> str:
    """List numbers to choose from: 1, 3 or 5."""
    *most, last = map(str, numbers)
    return f"{', '.join(most)} or {last}"
