"""Tables 6 and 7 of SUGRM: clips and settings, ours beside printed."""

import pandas as pd

from msalib.data import datasets as readers
from msalib.data import describe
from msalib.data.describe import Summary
from msalib.evidence.printed import table as printed
from msalib.models import recipes
from msalib.pages.tables import Folded, Note, Table
from msalib.runs import records
from msalib.runs.study import Study

PAPER = "sugrm"


def clips(dataset: str, refresh: bool = False) -> Table | Note:
    """Table 6: clips per part, ours beside printed, and how many videos they come from."""
    path = records.records_folder() / "data" / f"{dataset}.json"
    if readers.dataset(dataset).real and not (path.is_file() or readers.is_available(dataset)):
        return Note(f"No counts of {dataset} are recorded, and the data are not at hand.")
    return counts(describe.summary(dataset, refresh))


def counts(summary: Summary) -> Table:
    """Clips and videos per part of one data set beside the printed numbers."""
    table = printed.load(PAPER)
    table = table[table["dataset"] == summary.dataset]
    theirs = table[table["exhibit"] == "table6"].set_index("variant")["printed"]
    said = table[(table["exhibit"] == "text") & (table["variant"] == "")]
    said = said.set_index("metric")["printed"]
    rows = [
        {
            "part": part,
            "clips (ours)": number,
            "clips (Table 6)": theirs.get(part, "-"),
            "without label, dropped": summary.unlabelled[part],
            "videos (ours)": summary.videos[part],
            "label 0": summary.zero_labels[part],
            "negative": summary.negative_labels[part],
            "mean label": f"{summary.label_mean[part]:.2f}",
        }
        for part, number in summary.clips.items()
    ]
    rows.append(
        {
            "part": "all",
            "clips (ours)": sum(summary.clips.values()),
            "clips (Table 6)": theirs.get("all", "-"),
            "without label, dropped": sum(summary.unlabelled.values()),
            "videos (ours)": sum(summary.videos.values()),
            "label 0": sum(summary.zero_labels.values()),
            "negative": sum(summary.negative_labels.values()),
        }
    )
    text = ", ".join(f"{said[m]} {m}" for m in ("clips", "videos", "speakers") if m in said)
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption=f"{summary.title}, standard split. "
        + (f"The text of the paper has {text}. " if text else "")
        + ("" if len(theirs) else "The paper prints no counts for this data set. ")
        + f"Fingerprint {summary.fingerprint[:12]}.",
    )


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

PRESET_NAMES = {"release": "release", "paper": "paper's text"}


def _table_7(metric: str) -> dict[str, str]:
    return {
        f"Table 7, {corpus.upper()}": printed.cell(PAPER, "table7", corpus, "SUGRM", "", metric)[
            "printed"
        ]
        for corpus in ("mosi", "mosei")
    }


def _cell(value) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def _recipe(family: str, preset: str, profile: str, dataset: str) -> dict[str, dict]:
    table = recipes.table(family, preset, profile, dataset)
    return {name: entry for own in table.values() for name, entry in own.items()}


def recipe(study: Study) -> Folded:
    """Table 7: every entry of the recipe, with its source; the preset at hand beside the other."""
    own = study.parameters
    both = {p: _recipe(PAPER, p, own.profile, own.dataset) for p in PRESET_NAMES}
    rows = [
        {"entry": name.replace("_", " ")}
        | {PRESET_NAMES[p]: _cell(both[p][name]["value"]) for p in PRESET_NAMES}
        | (_table_7(TABLE_7[name]) if name in TABLE_7 else {})
        | {"source": entry["source"]}
        for name, entry in both[own.preset].items()
    ]
    rows.append({"entry": "attention dropout", "release": "no effect"} | _table_7("attn_dropout"))
    return Folded(
        f"all {len(rows)} entries of the recipe, with their sources",
        Table(
            pd.DataFrame(rows).fillna("-"),
            caption=f"Recipe of SUGRM, profile {own.profile}; sources of the preset {own.preset}. "
            f"Setting: {study.setting}.",
        ),
    )


def recipe_differences(study: Study) -> Table:
    """Entries in which the released code and the text of the paper differ."""
    own = study.parameters
    release, paper = (_recipe(PAPER, p, own.profile, own.dataset) for p in PRESET_NAMES)
    rows = [
        {
            "entry": name.replace("_", " "),
            "release": _cell(release[name]["value"]),
            "paper's text": _cell(paper[name]["value"]),
            "source of the first": release[name]["source"],
            "source of the second": paper[name]["source"],
        }
        for name in release
        if release[name]["value"] != paper[name]["value"]
    ]
    return Table(
        pd.DataFrame(rows),
        caption=f"{len(rows)} of {len(release)} entries differ between the two presets, profile "
        f"{own.profile}.",
    )


PARTS_OF_MODEL = {
    "text": "text encoder",
    "sequence": "sequence encoder",
    "acoustic": "acoustic sub-network",
    "visual": "visual sub-network",
    "other": "all else",
}
"""Parts with a learning rate of their own -> in words; some only one of the models has."""


def rates(study: Study) -> Table:
    """Learning rate and weight decay of every part of SUGRM and of Self-MM, beside Table 7."""
    own = study.parameters
    columns = {
        "SUGRM, release": _recipe(PAPER, "release", own.profile, own.dataset),
        "SUGRM, paper's text": _recipe(PAPER, "paper", own.profile, own.dataset),
        "Self-MM, release": _recipe("self_mm", "release", own.profile, own.dataset),
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
    """Numbers for prose: entries of the recipe, and how many differ between the presets."""
    own = study.parameters
    release, paper = (_recipe(PAPER, p, own.profile, own.dataset) for p in PRESET_NAMES)
    differ = sum(release[n]["value"] != paper[n]["value"] for n in release)
    named = {f"release_{n}": _cell(e["value"]) for n, e in release.items()}
    return named | {"entries": str(len(release)), "entries_differ": str(differ)}
