"""Tables 6 and 7 of SUGRM: clips and settings, ours beside printed."""

import pandas as pd

from msalib.data import datasets as readers
from msalib.data import describe
from msalib.data.describe import Summary
from msalib.evidence.printed import table as printed
from msalib.models import recipes
from msalib.pages.tables import Folded, Note, Table
from msalib.runs.parameters import Parameters
from msalib.runs.study import Study

PAPER = "sugrm"


def summary(dataset: str, refresh: bool = False) -> Summary | None:
    """Return what a data set holds, None where that is not recorded and the data are not here."""
    known = describe.is_recorded(dataset) or readers.is_available(dataset)
    return describe.summary(dataset, refresh) if known else None


def clips(dataset: str, refresh: bool = False) -> Table | Note:
    """Show Table 6: clips per set, ours beside printed, and how many videos they come from."""
    ours = summary(dataset, refresh)
    if ours is None:
        return Note(f"No counts of {dataset} are recorded, and the data are not available.")
    return counts(ours)


def counts(summary: Summary) -> Table:
    """Show clips and videos per set of one data set beside the printed numbers."""
    table = printed.load(PAPER)
    table = table[table["dataset"] == summary.dataset]
    clips = table[table["exhibit"] == "table6"].set_index("variant")["printed"]
    text = table[(table["exhibit"] == "text") & (table["variant"] == "")]
    text = text.set_index("metric")["printed"]
    rows = [_counts_row(summary, part, [part], clips) for part in summary.clips]
    for row, mean in zip(rows, summary.label_mean.values(), strict=True):
        row["mean label"] = f"{mean:.2f}"
    rows.append(_counts_row(summary, "all", list(summary.clips), clips))
    totals = ", ".join(f"{text[m]} {m}" for m in ("clips", "videos", "speakers") if m in text)
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption=f"{summary.title}, standard split. "
        + (f"The text of the paper has {totals}. " if totals else "")
        + ("" if len(clips) else "The paper prints no counts for this data set. ")
        + f"Fingerprint {summary.fingerprint[:12]}.",
    )


def _counts_row(summary: Summary, name: str, parts: list[str], clips: pd.Series) -> dict:
    """Return the counts of some sets together, with the printed number of their clips."""

    def total(counts: dict[str, int]) -> int:
        return sum(counts[part] for part in parts)

    return {
        "set": name,
        "clips (ours)": total(summary.clips),
        "clips (Table 6)": clips.get(name, "-"),
        "without label, dropped": total(summary.unlabelled),
        "videos (ours)": total(summary.videos),
        "label 0": total(summary.zero_labels),
        "negative": total(summary.negative_labels),
    }


TABLE_7 = {
    "batch_size": "batch_size",
    "learning_rate_text": "learning_rate_bert",
    "learning_rate_sequence": "learning_rate_other",
    "learning_rate_other": "learning_rate_other",
    "head_dropout": "output_dropout",
    "layers": "encoder_layers",
    "heads": "heads",
    "width": "embed_size",
    "embed_dropout": "embed_dropout",
    "relu_dropout": "relu_dropout",
    "residual_dropout": "residual_dropout",
}
"""Entries of the recipe -> metrics of Table 7, which has one rate for all but the text encoder."""

PRESET_NAMES = {"release": "release", "article": "paper's text"}


def _table_7(metric: str) -> dict[str, str]:
    return {
        f"Table 7, {corpus.upper()}": printed.cell(PAPER, "table7", corpus, "SUGRM", "", metric)[
            "printed"
        ]
        for corpus in ("mosi", "mosei")
    }


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _cell(value) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")


Entries = dict[str, dict]
"""Name of an entry of the recipe -> its value and source."""


def _recipe(family: str, preset: str, parameters: Parameters) -> Entries:
    table = recipes.table(family, preset, parameters.profile, parameters.dataset)
    return {name: entry for group in table.values() for name, entry in group.items()}


def _presets(study: Study) -> dict[str, Entries]:
    """Return the recipe of SUGRM by preset."""
    return {preset: _recipe(PAPER, preset, study.parameters) for preset in PRESET_NAMES}


def recipe(study: Study) -> Folded:
    """Show Table 7: every entry of both presets, with the source in the study's preset."""
    preset, presets = study.parameters.preset, _presets(study)
    rows = [
        {"entry": _spaced(name)}
        | {words: _cell(presets[p][name]["value"]) for p, words in PRESET_NAMES.items()}
        | (_table_7(TABLE_7[name]) if name in TABLE_7 else {})
        | {"source": entry["source"]}
        for name, entry in presets[preset].items()
    ]
    rows.append({"entry": "attention dropout", "release": "no effect"} | _table_7("attn_dropout"))
    return Folded(
        f"all {len(rows)} entries of the recipe, with their sources",
        Table(
            pd.DataFrame(rows).fillna("-"),
            caption=f"Recipe of SUGRM, profile {study.parameters.profile}; sources of the preset "
            f"{preset}. Setting: {study.setting}.",
        ),
    )


def recipe_differences(study: Study) -> Table:
    """Show the entries in which the released code and the text of the paper differ."""
    release, paper = _presets(study).values()
    rows = [
        {
            "entry": _spaced(name),
            "release": _cell(release[name]["value"]),
            "paper's text": _cell(paper[name]["value"]),
            "source of the first": release[name]["source"],
            "source of the second": paper[name]["source"],
        }
        for name in _differing(release, paper)
    ]
    return Table(
        pd.DataFrame(rows),
        caption=f"{len(rows)} of {len(release)} entries differ between the two presets, profile "
        f"{study.parameters.profile}.",
    )


def _differing(release: Entries, paper: Entries) -> list[str]:
    return [name for name in release if release[name]["value"] != paper[name]["value"]]


PARTS_OF_MODEL = {
    "text": "text encoder",
    "sequence": "sequence encoder",
    "acoustic": "acoustic sub-network",
    "visual": "visual sub-network",
    "other": "all else",
}
"""Parts with a learning rate of their own -> in words; some only one of the models has."""


def rates(study: Study) -> Table:
    """Show learning rate and weight decay of every part of SUGRM and Self-MM, beside Table 7."""
    columns = {
        "SUGRM, release": _recipe(PAPER, "release", study.parameters),
        "SUGRM, paper's text": _recipe(PAPER, "article", study.parameters),
        "Self-MM, release": _recipe("self_mm", "release", study.parameters),
    }
    rows = []
    for part, words in PARTS_OF_MODEL.items():
        row = {"part": words}
        for name, entries in columns.items():
            rate, decay = (
                entries[f"{k}_{part}"]["value"] for k in ("learning_rate", "weight_decay")
            )
            row[name] = "-" if rate is None else f"{rate:g} (decay {_cell(decay)})"
        metric = TABLE_7.get(f"learning_rate_{part}")
        rows.append(row | (_table_7(metric) if metric else {}))
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption="Learning rates, with weight decay in brackets; -: the model has no such part. "
        f"Setting: {study.setting}.",
    )


def texts(study: Study) -> dict[str, str]:
    """Return numbers for prose: entries of the recipe, and how many differ between the presets."""
    release, paper = _presets(study).values()
    named = {f"release_{name}": _cell(entry["value"]) for name, entry in release.items()}
    return named | {
        "entries": str(len(release)),
        "entries_differ": str(len(_differing(release, paper))),
    }
