"""Records -> the tables of UEGD: what is ours, what is printed, what chance would give.

A row says whose it is. Printed rows are those of the data set at hand; they come from other
encoders and, where the paper copied them, from other papers.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from msalib.base import stats
from msalib.data.describe import Summary
from msalib.data.metrics import METRICS
from msalib.evidence.printed import table as printed
from msalib.pages.tables import Folded, Note, Table, constants, mean_sd, spread
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import FEATURES
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import Spec, System, system

SHOWN = ("mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0")
"""Columns of UEGD's Tables 2 and 3."""

FEW, STEP = 8, 4
"""A table has room for so many blocks; of more it shows every fourth."""

ROWS = {
    "input": "Conv.",
    "output": "Enc. output",
    "mid_best": "Enc. mid-best",
    "weighted": "Enc. weighted",
}
"""Features of ``runs.FEATURES`` as the rows of UEGD's Table 2; ours has a stand-in for Conv."""

PRINTED_NAMES = {
    "conv": "Conv. (GloVe, COVAREP, Facet)",
    "conv_bert": "Conv-BERT (BERT-Base, COVAREP, Facet)",
    "enc_output": "Enc. output",
    "enc_mid_best": "Enc. mid-best",
    "enc_weighted": "Enc. weighted",
    "glove": "GloVe",
    "bert_base": "BERT-Base",
    "facet": "Facet",
    "covarep": "COVAREP",
}
"""Features as the tables of UEGD name them."""


# --- Table 1 ------------------------------------------------------------------------------------


def counts(summary: Summary, paper: str) -> Table:
    """Table 1: clips and videos per part beside the printed counts, and label statistics."""
    table = printed.load(paper)
    table = table[table["dataset"] == summary.dataset]
    clips = table[table["exhibit"] == "table1"].set_index("variant")["printed"]
    videos = table[(table["exhibit"] == "text") & (table["variant"] == "videos")]["printed"]
    rows = [
        {
            "part": part,
            "clips with label (ours)": summary.clips[part],
            "clips (printed)": clips.get(part, "-"),
            "without label, dropped": summary.unlabelled[part],
            "videos (ours)": summary.videos[part],
            "videos (printed)": "-",
            "label 0": summary.zero_labels[part],
            "mean label": f"{summary.label_mean[part]:.2f}",
            "variance": f"{summary.label_variance[part]:.3f}",
            "variance within videos": f"{summary.intra_video_variance[part]:.3f}",
        }
        for part in summary.clips
    ]
    rows.append(
        {
            "part": "total",
            "clips with label (ours)": sum(summary.clips.values()),
            "clips (printed)": clips.get("total", "-"),
            "without label, dropped": sum(summary.unlabelled.values()),
            "videos (ours)": sum(summary.videos.values()),
            "videos (printed)": "".join(videos) or "-",
            "label 0": sum(summary.zero_labels.values()),
        }
    )
    dropped = ", ".join(f"{clip} ({why})" for clip, why in summary.dropped.items())
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption=f"{summary.title}, standard split; labels in points, at most from -3 to 3. "
        + (f"Dropped: {dropped}. " if dropped else "")
        + ("" if len(clips) else "The paper prints no counts for this data set. ")
        + f"Fingerprint {summary.fingerprint[:12]}.",
    )


# --- Tables 2 and 3 -----------------------------------------------------------------------------


def multimodal(runs: Runs, *, setting: str) -> Table | Note:
    """Table 2: all modalities together with each feature, beside chance and the printed rows."""
    modalities, spec = runs.modalities, _spec(runs)
    if len(modalities) < 2:
        return Note(f"{_names(modalities)} features only: no model of several modalities here.")
    features = FEATURES if layers.layered(runs) else FEATURES[:1]
    systems = {feature: layers.system_of(runs, modalities, feature) for feature in features}
    found = runs.records(*systems.values())
    rows = [
        _row("ours", f"{ROWS[feature]}: {_inputs(runs, wanted)}", own)
        for (feature, wanted), own in zip(systems.items(), found, strict=True)
    ]
    missing = [("Conv-BERT", "no second stand-in")]
    missing += [(ROWS[feature], "no layers") for feature in FEATURES if feature not in systems]
    rows += [{"whose": "ours", "feature": f"{name}: not run ({why})"} for name, why in missing]
    rows.append(_chance(found[0][0]))
    rows += _printed_multimodal(spec)
    return Table(
        _headed(pd.DataFrame(rows).fillna("-")),
        caption=f"{_names(modalities)} together. {_how(found)} {_about_printed(rows)}"
        f"Setting: {setting}.",
    )


def single_modality(runs: Runs, modality: str, *, setting: str) -> Table:
    """Table 3, one modality: layers, what mid-best chose, sums of blocks, chance, printed rows."""
    names = _layers(runs, modality)
    found = runs.records(*(system({modality: k}) for k in names))
    rows = [_row("ours", name, own) for name, own in zip(names.values(), found, strict=True)]
    rows.append(_chance(found[0][0]))
    rows += _printed_single(_spec(runs), modality)
    return Table(
        _headed(pd.DataFrame(rows).fillna("-")),
        caption=f"{modality.capitalize()} alone. {_how(found)} {_about_printed(rows)}"
        f"Setting: {setting}.",
    )


def headline() -> tuple[str, pd.DataFrame]:
    """Return the README's table: Table 3 for the text of MOSI, with the number of seeds."""
    runs = Runs(records.find("uegd", records.Setting("mosi", "minilm", "release", "paper")))
    frame = single_modality(runs, "linguistic", setting="").frame
    seeds = len(runs.seeds(*layers.block_systems(runs, "linguistic")))
    return f"{seeds} seeds.", frame[~frame["whose"].str.startswith("printed")].iloc[:, 1:5]


def all_layers(runs: Runs, modality: str, *, setting: str) -> Folded:
    """Validation, by which the best block is chosen, beside test, for every layer."""
    numbers = [*_input(runs, modality), *layers.blocks(runs, modality)]
    found = runs.records(*(system({modality: k}) for k in numbers))
    rows = [
        {"layer": layer, "epoch": mean_sd([r.selected_epoch for r in own], "{:.0f}".format)}
        | {
            f"{METRICS[m].label}, {part}": spread([r.metrics[part][m] for r in own], m)
            for m in ("mae", "corr")
            for part in ("valid", "test")
        }
        for layer, own in zip(numbers, found, strict=True)
    ]
    caption = (
        f"{modality.capitalize()} alone, every layer: mean ± standard deviation over "
        f"{len(found[0])} seeds. Setting: {setting}."
    )
    return Folded(
        f"{modality}: every layer, on validation and on test",
        Table(pd.DataFrame(rows), caption=caption),
    )


def _layers(runs: Runs, modality: str) -> dict[int | str, str]:
    """Layers of Table 3 with their names: of many blocks every fourth, and the marked ones."""
    blocks, best = layers.blocks(runs, modality), layers.best_block(runs, modality)
    if modality not in layers.layered(runs):
        return {blocks[0]: "vectors as they come"}
    marks = {blocks[-1]: "output", best: "mid-best"}
    if blocks[-1] == best:
        marks = {best: "output, mid-best"}
    names = dict.fromkeys(_input(runs, modality), "0 (input)")
    for k in blocks:
        if len(blocks) <= FEW or k % STEP == 0 or k in marks:
            names[k] = f"block {k}" + (f" ({marks[k]})" if k in marks else "")
    sums = {"weighted": "weighted sum of the blocks", "uniform": "plain mean of the blocks"}
    return names | {s: name for s, name in sums.items() if runs.has(system({modality: s}))}


def _input(runs: Runs, modality: str) -> list[int]:
    return [0] if runs.has(system({modality: 0})) else []


def _printed_multimodal(spec: Spec) -> list[dict]:
    """The rows of the paper's Table 2; what it copied from another paper names that one."""
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table2") & (table["dataset"] == spec.dataset)]
    rows = []
    for (name, variant), cells in table.groupby(["system", "variant"], sort=False):
        source = "" if name == "UEGD" else f", {cells['note'].iloc[0].split(';')[0]}"
        feature = f"{name}, {PRINTED_NAMES[variant]}"
        rows.append(
            {"whose": f"printed{source}", "feature": feature}
            | dict(zip(cells["metric"], cells["printed"], strict=True))
        )
    return sorted(rows, key=lambda row: row["whose"] != "printed")


def _printed_single(spec: Spec, modality: str) -> list[dict]:
    """The rows of the paper's Table 3 for one modality."""
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table3") & (table["dataset"] == spec.dataset)]
    table = table[table["variant"].str.startswith(f"{modality}_")]
    return [
        {"whose": "printed", "feature": PRINTED_NAMES[variant.removeprefix(f"{modality}_")]}
        | dict(zip(cells["metric"], cells["printed"], strict=True))
        for variant, cells in table.groupby("variant", sort=False)
    ]


# --- Table 4 ------------------------------------------------------------------------------------


def ground_truth(runs: Runs, *, setting: str) -> Table:
    """The first row of Table 4, from labels alone, beside the printed one."""
    label, videos = runs.truth("test")
    rows = [_variance_row("ours", f"labels of {len(label)} test clips", label[None], videos)]
    rows += [r for r in _printed_variances(_spec(runs)) if r["of"] == "ground truth"]
    return Table(
        pd.DataFrame(rows),
        caption="Variance of the labels of the test part, in all and about the mean of their "
        f"video. {_about_printed(rows)}Setting: {setting}.",
    )


def variances(runs: Runs, *, setting: str) -> Table:
    """Table 4: variance of the predictions of single modalities, in all and within videos."""
    label, videos = runs.truth("test")
    rows = [_variance_row("ours", "ground truth", label[None], videos)]
    for m, feature, wanted in _alone(runs):
        (guess,) = runs.predictions("test", wanted)
        name = f"{m}, {ROWS[feature]}: {_inputs(runs, wanted)}"
        rows.append(_variance_row("ours", name, guess, videos))
    rows += _printed_variances(_spec(runs))
    single = "" if len(set(videos)) < len(videos) else "Every video is one clip: none within. "
    return Table(
        pd.DataFrame(rows),
        caption="Test part; population variance, mean ± standard deviation over "
        f"{len(guess)} seeds. {single}{_about_printed(rows)}Setting: {setting}.",
    )


def variance_numbers(runs: Runs) -> dict[str, str]:
    """Numbers of Table 4 as text: ``<truth or modality_feature>_<variance, within or share>``."""
    label, videos = runs.truth("test")
    rows = {"truth": _variance_row("ours", "", label[None], videos)}
    for m, feature, wanted in _alone(runs):
        (guess,) = runs.predictions("test", wanted)
        rows[f"{m}_{feature}"] = _variance_row("ours", "", guess, videos)
    for row in _printed_variances(_spec(runs)):
        if row["of"] == "ground truth":
            rows["truth_printed"] = row
    return {
        f"{name}_{column.split()[0]}": row[column]
        for name, row in rows.items()
        for column in ("variance", "within videos", "share within")
    }


def _alone(runs: Runs) -> Iterator[tuple[str, str, System]]:
    """Modality, feature and system of every single modality; features without layers once."""
    for m in runs.modalities:
        for feature in FEATURES if m in layers.layered(runs) else FEATURES[:1]:
            wanted = layers.system_of(runs, [m], feature)
            if runs.has(wanted):
                yield m, feature, wanted


def _variance_row(whose: str, name: str, values: np.ndarray, videos: np.ndarray) -> dict:
    """Values are (S, N)."""
    total, within = stats.variances(values, videos)
    share = [w / t if t > 0 else None for w, t in zip(within, total, strict=True)]
    return {
        "whose": whose,
        "of": name,
        "variance": mean_sd(total, "{:.3f}".format),
        "within videos": mean_sd(within, "{:.3f}".format),
        "share within": mean_sd(share, "{:.2f}".format),
    }


def _printed_variances(spec: Spec) -> list[dict]:
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table4") & (table["dataset"] == spec.dataset)]
    rows = []
    for (name, variant), cells in table.groupby(["system", "variant"], sort=False):
        feature, _, modality = variant.partition("_")
        shown = cells.set_index("metric")
        total, within = (f"variance_{part}" for part in ("total", "intra"))
        rows.append(
            {
                "whose": "printed",
                "of": name.replace("_", " ")
                if not variant
                else f"{modality}, {feature.capitalize()}.",
                "variance": shown["printed"][total],
                "within videos": shown["printed"][within],
                "share within": f"{shown['value'][within] / shown['value'][total]:.2f}",
            }
        )
    return sorted(rows, key=lambda row: row["of"] != "ground truth")


# --- footnote 1 ---------------------------------------------------------------------------------


def fusions(runs: Runs, *, setting: str) -> Table | Note:
    """Footnote 1: the modalities joined by a gate and by concatenation, and their difference."""
    if len(runs.modalities) < 2:
        return Note(f"{_names(runs.modalities)} features only: there is nothing to fuse.")
    systems = [
        layers.system_of(runs, runs.modalities, "mid_best", fusion=f) for f in ("gate", "concat")
    ]
    gate, concat = runs.records(*systems)
    what = _inputs(runs, systems[0])
    rows = [_row("ours", f"gate: {what}", gate), _row("ours", f"concatenation: {what}", concat)]
    rows.append({"whose": "ours", "feature": "gate minus concatenation, seed by seed"})
    for m in SHOWN:
        scores = ([r.metrics["test"][m] for r in own] for own in (gate, concat))
        pairs = zip(*scores, strict=True)
        differences = [None if None in pair else pair[0] - pair[1] for pair in pairs]
        rows[-1][m] = spread(differences, m)
    rows.append(_chance(gate[0]))
    return Table(
        _headed(pd.DataFrame(rows)),
        caption=f"{_names(runs.modalities)} together. {_how([gate, concat])} The paper prints no "
        f"numbers. Setting: {setting}.",
    )


# --- numbers for the prose of pages -------------------------------------------------------------


def numbers(runs: Runs) -> dict[str, str]:
    """Numbers of Tables 2 and 3 as text, by names that glue takes.

    ``<modality or joint>_<feature>_<mae or corr>`` for each of ``runs.FEATURES``, the same with
    ``printed_`` before the feature, how many blocks each encoder has and which was chosen, and how
    many seeds and epochs there are.
    """
    spec = _spec(runs)
    texts = {
        "seeds": str(len(runs.seeds(runs.systems[0]))),
        "epochs": str(spec.train["epochs"]),
        "printed_blocks": printed.cell(spec.paper, "text", "", "BERT", "", "layers")["printed"],
    }
    for m in layers.layered(runs):
        texts[f"{m}_blocks"] = str(len(layers.blocks(runs, m)))
        texts[f"{m}_mid_best_block"] = str(layers.best_block(runs, m))
    for m in runs.modalities:
        texts |= _numbers(runs, [m], m, _printed_single(spec, m))
    if len(runs.modalities) > 1:
        texts |= _numbers(runs, runs.modalities, "joint", _printed_multimodal(spec))
    return texts


def _numbers(runs: Runs, modalities: list[str], name: str, rows: list[dict]) -> dict[str, str]:
    texts = {}
    for feature, metric in itertools.product(FEATURES, ("mae", "corr")):
        wanted = layers.system_of(runs, modalities, feature)
        if runs.has(wanted):
            (own,) = runs.records(wanted)
            values = [r.metrics["test"][metric] for r in own]
            texts[f"{name}_{feature}_{metric}"] = spread(values, metric)
        for row in rows:
            if row["whose"] == "printed" and row["feature"].endswith(ROWS[feature]):
                texts[f"{name}_printed_{feature}_{metric}"] = row[metric]
    return texts


# --- what several tables are made of ------------------------------------------------------------


def _spec(runs: Runs) -> Spec:
    return runs.records(runs.systems[0])[0][0].spec


def _row(whose: str, feature: str, seeds: list[Record]) -> dict[str, str]:
    return {"whose": whose, "feature": feature} | {
        m: spread([r.metrics["test"][m] for r in seeds], m) for m in SHOWN
    }


def _chance(record: Record) -> dict[str, str]:
    return {"whose": "chance", "feature": "constant: training median, test majority"} | {
        m: "-" if record.chance[m] is None else METRICS[m].show(record.chance[m]) for m in SHOWN
    }


def _inputs(runs: Runs, wanted: System) -> str:
    """What each modality gives, in words."""

    def name(modality, layer):
        if modality not in layers.layered(runs):
            return "vectors"
        return {"weighted": "sum", "uniform": "mean", 0: "input"}.get(layer, f"block {layer}")

    return ", ".join(f"{m} {name(m, layer)}" for m, layer in wanted.inputs)


def _names(modalities: Iterable[str]) -> str:
    *first, last = modalities
    return (", ".join(first) + " and " * bool(first) + last).capitalize()


def _how(found: list[list[Record]]) -> str:
    """How the numbers of ours were made; each list holds the seeds of one row."""
    return (
        f"Test part, mean ± standard deviation over {len(found[0])} seeds; epoch selected on "
        f"validation loss. {constants(r for own in found for r in own)}".rstrip()
    )


def _about_printed(rows: list[dict]) -> str:
    if any(row["whose"].startswith("printed") for row in rows):
        return "Printed rows: the paper's own features, no spread over runs given. "
    return "The paper prints no numbers for this data set. "


def _headed(frame: pd.DataFrame) -> pd.DataFrame:
    def head(metric):
        m = METRICS[metric]
        arrow = "↑" if m.higher_is_better else "↓"
        return f"{m.label} {arrow}" + (f" ({m.unit})" if m.unit else "")

    return frame.rename(columns={m: head(m) for m in SHOWN})[
        ["whose", "feature", *map(head, SHOWN)]
    ]
