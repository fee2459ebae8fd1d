"""Table 5 of GLoMo: parameters counted in models that are built here, and seconds as ratios.

A model is counted at the paper's sizes for CMU-MOSI, with BERT-base before it (``checks.BERT_BASE``
parameters, which no weights are needed to know). A system of the table that has no model file here
is shown as printed, with a sentence.
"""

import json
from collections.abc import Mapping

import pandas as pd

from msalib.base.paths import ROOT
from msalib.models import module, recipes
from msalib.pages.tables import Note, Table
from msalib.papers.glomo.checks import BERT_BASE
from msalib.papers.glomo.plan import FACE, FULL, SOUND, TEXT
from msalib.papers.glomo.tables import printed_cells

FILES = {"MAG-BERT": "mag_bert", "MISA": "misa", "C-MIB": "c_mib", "TFN": "tfn", FULL: "glomo"}
"""Systems of Table 5 -> the model file that such a system has, or would have."""

TIMES = ROOT / "benchmarks" / "results" / "glomo_time.json"
"""Seconds of the systems, ``{"seconds": {system: {"median": s}}}`` (benchmarks/glomo_time.py)."""


def sizes() -> dict[str, int]:
    """Return the input widths of CMU-MOSI that the paper prints, by modality."""
    cells = printed_cells("text", "mosi").set_index("metric")["value"]
    names = {TEXT: "dim_text", SOUND: "dim_audio", FACE: "dim_video"}
    return {m: int(cells[name]) for m, name in names.items()}


def parameters(family: str) -> int | None:
    """Return the parameters of a model at the sizes of CMU-MOSI without BERT; None if not built."""
    if family not in {"glomo", *recipes.baselines()}:
        return None
    built = module(family)
    config = built.Config(**recipes.load(family, "release", "full", "mosi")["model"])
    layers = {TEXT: built.LAST} if hasattr(built, "LAST") else {}
    model = built.build(config, sizes=sizes(), layers=layers, outputs=1)
    return sum(p.numel() for p in model.parameters())


def counts() -> dict[str, int | None]:
    """Return the parameters of every system of Table 5 without BERT; None if not built."""
    return {system: parameters(file) for system, file in FILES.items()}


def table() -> Table:
    """Show parameters, counted and printed, and seconds as multiples of GLoMo's."""
    cells = printed_cells("table5", "mosi").set_index(["system", "metric"])["value"]
    measured, rows = seconds(), []
    for system, count in counts().items():
        printed = int(cells[system, "params"])
        rows.append(
            {
                "system": system,
                "counted, without BERT": "not built here" if count is None else f"{count:,}",
                "counted, with BERT": "-" if count is None else f"{count + BERT_BASE:,}",
                "printed": f"{printed:,}",
                "printed, without BERT": f"{printed - BERT_BASE:,}",
                "printed seconds / GLoMo's": f"{_ratio(cells, system):.2f}",
                "our seconds / GLoMo's": f"{measured[system] / measured[FULL]:.2f}"
                if {system, FULL} <= measured.keys()
                else "not measured",
            }
        )
    return Table(
        pd.DataFrame(rows),
        caption="Trainable parameters at the sizes of CMU-MOSI, and seconds of training as "
        f"multiples of GLoMo's in the same run. BERT-base without its pooler has {BERT_BASE:,}. "
        "TFN is counted in MMSA's sizes, which are not those of the printed row.",
    )


def _ratio(cells: pd.Series, system: str) -> float:
    return cells[system, "seconds"] / cells[FULL, "seconds"]


def seconds() -> Mapping[str, float]:
    """Return the median seconds of each system that were measured here; none without the file."""
    try:
        found = json.loads(TIMES.read_text())["seconds"]
        return {system: float(times["median"]) for system, times in found.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def answer() -> Note:
    """Say whether GLoMo's count is the printed one, and how far the next system is."""
    cells = printed_cells("table5", "mosi")
    printed = cells[cells["metric"] == "params"].set_index("system")["value"].astype(int)
    counted = parameters("glomo") + BERT_BASE
    same = (
        "exactly the printed number" if counted == printed[FULL] else f"printed {printed[FULL]:,}"
    )
    rest = printed.drop(FULL)
    gap = rest.min() - printed[FULL]
    missing = [system for system, count in counts().items() if count is None]
    return Note(
        f"GLoMo has {counted:,} parameters on CMU-MOSI ({same}), and {counted - BERT_BASE:,} of "
        f"them are not BERT's. In print it is the smallest of {len(printed)} systems: "
        f"{rest.idxmin()}, the next, has {gap:,} parameters more ({gap / printed[FULL]:.3%}). "
        f"Not built here, so not counted: {', '.join(missing) or 'none'}."
    )


def gap() -> Note:
    """Say what the printed lead is in rows of BERT's table of words, and how far the others are."""
    cells = printed_cells("table5", "mosi")
    printed = cells[cells["metric"] == "params"].set_index("system")["value"].astype(int)
    width, more = sizes()[TEXT], (printed - printed[FULL]).drop(FULL)
    shares = ", ".join(
        f"{system} {n / printed[FULL]:.{1 if n / printed[FULL] > 0.1 else 2}%}"
        for system, n in more.sort_values().items()
    )
    return Note(
        f"The printed lead over {more.idxmin()} is {more.min():,} parameters, as many as "
        f"{more.min() / width:.0f} rows of BERT's table of word pieces, each of {width} numbers. "
        f"With BERT, the others are larger than GLoMo by: {shares}."
    )


def blocks() -> Table:
    """Show how GLoMo's parameters divide among its parts."""
    built = module("glomo")
    config = built.Config(**recipes.load("glomo", "release", "full", "mosi")["model"])
    model = built.build(config, sizes=sizes(), layers={TEXT: built.LAST}, outputs=1)
    rows = [{"part": "BERT-base, no pooler", "parameters": f"{BERT_BASE:,}"}]
    rows += [
        {"part": f"{PARTS[name]} ({name})", "parameters": f"{_size(part):,}"}
        for name, part in model.named_children()
    ]
    return Table(pd.DataFrame(rows), caption="GLoMo's parameters at the sizes of CMU-MOSI.")


PARTS = {
    "coding": "convolutions, encoders and first token",
    "experts": "experts and gates",
    "meet": "transformer over all vectors",
    "fuse": "weights and layers of the guided fusion",
    "head": "head",
}
"""Parts of the model -> what they are."""


def _size(part) -> int:
    return sum(p.numel() for p in part.parameters())
