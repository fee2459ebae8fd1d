"""UEGD's Tables 2 and 3 and its footnote 1: our scores, those of chance, those that are printed.

Every row says whose it is. Printed rows are those of the same data set; they come from other
encoders and, where the paper copied them, from other papers.
"""

import itertools
from collections.abc import Iterable, Sequence

import pandas as pd

from msalib.data.metrics import METRICS
from msalib.evidence.printed import table as printed
from msalib.pages import compare
from msalib.pages.cells import by_seed, printed_numbers, scores, spread
from msalib.pages.tables import Folded, Note, Table
from msalib.papers.uegd import conventional, layers
from msalib.papers.uegd.layers import FEATURES, Group
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import Spec, System, system

FEW, STEP = 8, 4
"""A table shows this many blocks, or every fourth of more."""

ROWS = {
    "input": "Input embeddings",
    "output": "Enc. output",
    "mid_best": "Enc. mid-best",
    "weighted": "Enc. weighted",
}
"""``layers.FEATURES`` as rows; the paper's Table 2 has no row of input embeddings."""

PRINTED_OF = {"mosi-standardised": "mosi"}
"""Data set -> the one whose printed rows are of the same clips, where its name is another."""

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


# --- Tables 2 and 3 -----------------------------------------------------------------------------


def multimodal(runs: Runs, *, setting: str) -> Table | Note:
    """Show Table 2: all modalities together with each feature, beside chance and printed rows."""
    modalities, spec = runs.modalities, spec_of(runs)
    if len(modalities) < 2:
        return Note(f"{_names(modalities)} features only: no model of several modalities here.")
    with_layers = layers.layered(runs)
    features = FEATURES if with_layers else FEATURES[:1]
    systems = {feature: layers.system_of(runs, modalities, feature) for feature in features}
    records = runs.records(*systems.values())
    rows = [
        _row(f"{row_name(runs, modalities, f)}: {inputs_in_words(runs, system)}", seeds)
        for (f, system), seeds in zip(systems.items(), records, strict=True)
    ]
    missing = [f"{ROWS[f]}: not run (no layers)" for f in FEATURES if f not in systems]
    rows += [{"whose": "ours", "feature": name} for name in missing]
    rows += _conventional(runs, tuple(modalities)) if with_layers else []
    rows.append(_chance(records[0][0]))
    rows += (printed_rows := _printed_multimodal(spec))
    return Table(
        _headed(rows),
        caption=f"{_names(modalities)} together. {compare.how_made(records)}"
        f"{compare.about_printed(bool(printed_rows))}Setting: {setting}.",
    )


def single_modality(runs: Runs, modality: str, *, setting: str) -> Table:
    """Show Table 3, one modality: layers, mid-best, sums of blocks, chance, printed rows."""
    names = _layers(runs, modality)
    records = runs.records(*(system({modality: k}) for k in names))
    rows = [_row(name, seeds) for name, seeds in zip(names.values(), records, strict=True)]
    if modality == conventional.MODALITY and modality in layers.layered(runs):
        rows += _conventional(runs, (modality,))
    rows.append(_chance(records[0][0]))
    rows += (printed_rows := _printed_single(spec_of(runs), modality))
    return Table(
        _headed(rows),
        caption=f"{modality.capitalize()} alone. {compare.how_made(records)}"
        f"{compare.about_printed(bool(printed_rows))}Setting: {setting}.",
    )


def headline() -> tuple[str, pd.DataFrame]:
    """Return the README's table, Table 3 for the text of MOSI, after a sentence on its setting."""
    setting = records.Setting("mosi-standardised", "minilm", "release", "full")
    runs = Runs(records.find("uegd", setting))
    frame = single_modality(runs, "linguistic", setting="").frame
    seeds = len(runs.seeds(*layers.block_systems(runs, "linguistic")))
    about = (
        "Words alone on the test set of CMU-MOSI, read by MiniLM instead of BERT-Large, with the "
        f"release's recipe; mean ± standard deviation over {seeds} seeds."
    )
    return about, frame[~frame["whose"].str.startswith("printed")].iloc[:, 1:5]


def all_layers(runs: Runs, modality: str, *, setting: str) -> Folded:
    """Show validation, by which the best block is chosen, beside test, for every layer."""
    numbers = [*_input(runs, modality), *layers.blocks(runs, modality)]
    records = runs.records(*(system({modality: k}) for k in numbers))
    rows = [
        {"layer": layer, "epoch": compare.epochs(seeds)}
        | {
            f"{METRICS[m].label}, {part}": scores(seeds, m, part)
            for m in compare.columns(seeds[0])[:2]
            for part in ("valid", "test")
        }
        for layer, seeds in zip(numbers, records, strict=True)
    ]
    caption = (
        f"{modality.capitalize()} alone, every layer: mean ± standard deviation over "
        f"{len(records[0])} seeds. Setting: {setting}."
    )
    return Folded(
        f"{modality}: every layer, on validation and on test",
        Table(pd.DataFrame(rows), caption=caption),
    )


def _layers(runs: Runs, modality: str) -> dict[int | str, str]:
    """Return the layers of Table 3 by name: every fourth of many blocks, and the marked ones."""
    blocks, best = layers.blocks(runs, modality), layers.best_block(runs, modality)
    if modality not in layers.layered(runs):
        return {blocks[0]: "vectors as they come"}
    marks = {blocks[-1]: "output", best: "mid-best"}
    if blocks[-1] == best:
        marks = {best: "output, mid-best"}
    names = dict.fromkeys(_input(runs, modality), "0 (input embeddings)")
    for k in blocks:
        if len(blocks) <= FEW or k % STEP == 0 or k in marks:
            names[k] = f"block {k}" + (f" ({marks[k]})" if k in marks else "")
    sums = {"weighted": "weighted sum of the blocks", "uniform": "plain mean of the blocks"}
    return names | {s: name for s, name in sums.items() if runs.has(system({modality: s}))}


def _input(runs: Runs, modality: str) -> list[int]:
    return [0] if runs.has(system({modality: 0})) else []


def _conventional(runs: Runs, group: Group) -> list[dict]:
    """Return the rows of conventional features of words, with the vectors of other modalities."""
    if conventional.missing(runs, group):
        return [{"whose": "ours", "feature": "Conv.: these clips have no such features"}]
    beside = Runs(conventional.beside(runs))
    usual = layers.system_of(runs, group, "output")
    others = "".join(f", {m} vectors" for m in group if m != conventional.MODALITY)
    rows = []
    for encoder, words in conventional.WORDS.items():
        name, one = f"Conv.: {words}{others}", conventional.system(usual, encoder)
        if beside.has(one):
            rows.append(_row(name, beside.records(one)[0]))
        else:
            rows.append({"whose": "ours", "feature": f"{name} (no runs so far)"})
    return rows


def printed_of(dataset: str) -> str:
    """Return the data set whose printed rows are of the same clips as one of ours."""
    return PRINTED_OF.get(dataset, dataset)


def _printed_multimodal(spec: Spec) -> list[dict]:
    """Return the rows of the paper's Table 2; those copied from another paper name it."""
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table2") & (table["dataset"] == printed_of(spec.dataset))]
    rows = []
    for (name, variant), cells in table.groupby(["system", "variant"], sort=False):
        source = "" if name == "UEGD" else f", {cells['note'].iloc[0].split(';')[0]}"
        feature = f"{name}, {PRINTED_NAMES[variant]}"
        rows.append({"whose": f"printed{source}", "feature": feature} | printed_numbers(cells))
    return sorted(rows, key=lambda row: row["whose"] != "printed")


def _printed_single(spec: Spec, modality: str) -> list[dict]:
    """Return the rows of the paper's Table 3 for one modality."""
    table = printed.load(spec.paper)
    table = table[(table["exhibit"] == "table3") & (table["dataset"] == printed_of(spec.dataset))]
    table = table[table["variant"].str.startswith(f"{modality}_")]
    return [
        {"whose": "printed", "feature": PRINTED_NAMES[variant.removeprefix(f"{modality}_")]}
        | printed_numbers(cells)
        for variant, cells in table.groupby("variant", sort=False)
    ]


# --- footnote 1 ---------------------------------------------------------------------------------


def fusions(runs: Runs, *, setting: str) -> Table | Note:
    """Compare the modalities fused by a gate with those concatenated (footnote 1)."""
    if len(runs.modalities) < 2:
        return Note(f"{_names(runs.modalities)} features only: there is nothing to fuse.")
    systems = [
        layers.system_of(runs, runs.modalities, "mid_best", fusion=f) for f in ("gate", "concat")
    ]
    gate, concat = runs.records(*systems)
    what = inputs_in_words(runs, systems[0])
    rows = [_row(f"gate: {what}", gate), _row(f"concatenation: {what}", concat)]
    rows.append({"whose": "ours", "feature": "gate minus concatenation, seed by seed"})
    for m in compare.columns(gate[0]):
        one, other = (by_seed(rs, lambda r, m=m: r.metrics["test"][m]) for rs in (gate, concat))
        differences = {s: None if None in (one[s], other[s]) else one[s] - other[s] for s in one}
        rows[-1][m] = spread(differences, m)
    rows.append(_chance(gate[0]))
    return Table(
        _headed(rows),
        caption=f"{_names(runs.modalities)} together. {compare.how_made([gate, concat])}The paper "
        f"prints no numbers. Setting: {setting}.",
    )


# --- numbers for the prose of pages -------------------------------------------------------------


def numbers(runs: Runs) -> dict[str, str]:
    """Return numbers of Tables 2 and 3 as text, by names that glue takes.

    ``<modality or joint>_<feature>_<mae or corr>`` for each of ``layers.FEATURES``, the same with
    ``printed_`` before the feature, how many blocks each encoder has and which was chosen, and how
    many seeds and epochs there are.
    """
    spec = spec_of(runs)
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
        system = layers.system_of(runs, modalities, feature)
        if runs.has(system) and metric in runs.records(system)[0][0].metrics["test"]:
            (records,) = runs.records(system)
            values = [r.metrics["test"][metric] for r in records]
            texts[f"{name}_{feature}_{metric}"] = spread(values, metric)
        for row in rows:
            if row["whose"] == "printed" and row["feature"].endswith(ROWS[feature]):
                texts[f"{name}_printed_{feature}_{metric}"] = row[metric]
    return texts


# --- what several tables are made of ------------------------------------------------------------


def spec_of(runs: Runs) -> Spec:
    """Return the specification of one of the runs, for what all of them share."""
    return runs.records(runs.systems[0])[0][0].spec


def row_name(runs: Runs, modalities: Iterable[str], feature: str) -> str:
    """Return the name of a feature's row: vectors without layers are conventional ones."""
    return ROWS[feature] if set(layers.layered(runs)) & set(modalities) else "Conv."


def inputs_in_words(runs: Runs, system: System) -> str:
    """Return what a system reads of each modality, in words."""

    def name(modality, layer):
        if modality not in layers.layered(runs):
            return "vectors"
        named = {"weighted": "sum", "uniform": "mean", 0: "layer 0"}
        return named.get(layer, f"block {layer}")

    return ", ".join(f"{m} {name(m, layer)}" for m, layer in system.inputs)


def _names(modalities: Iterable[str]) -> str:
    *first, last = modalities
    return (", ".join(first) + " and " * bool(first) + last).capitalize()


def _row(feature: str, seeds: Sequence[Record]) -> dict[str, str]:
    cells = compare.score_cells(seeds, compare.columns(seeds[0]))
    return {"whose": "ours", "feature": feature} | cells


def _chance(record: Record) -> dict[str, str]:
    row = {"whose": "chance", "feature": compare.chance_name(record)}
    return row | compare.chance_cells(record, compare.columns(record))


def _headed(rows: list[dict[str, str]]) -> pd.DataFrame:
    """Head the columns of the first row's metrics; a dash where a row lacks one."""
    heads = compare.heads(name for name in rows[0] if name not in ("whose", "feature"))
    frame = pd.DataFrame(rows).fillna("-").rename(columns=heads)
    return frame[["whose", "feature", *heads.values()]]
