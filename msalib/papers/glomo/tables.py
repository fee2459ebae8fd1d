"""Tables 1 to 4 of GLoMo: which arms stand in them, which rows are printed, what is compared.

The general half is ``pages.compare``, ``pages.recorded`` and ``pages.contrasts``. Printed rows are
those of the same clips; no data set here has the paper's features.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from msalib.data.metrics import METRICS
from msalib.evidence.printed import table as printed_table
from msalib.evidence.printed import testparts
from msalib.pages import compare, recorded
from msalib.pages.compare import PrintedRow
from msalib.pages.recorded import resolved
from msalib.pages.tables import Folded, Note, Table
from msalib.papers.glomo import plan
from msalib.papers.glomo.plan import FULL, VARIANTS
from msalib.runs import names as readers_names
from msalib.runs import spec
from msalib.runs.inputs import BASELINES, TUNED_ENDING
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import Study

PAPER = "glomo"

METRICS_SHOWN = ("mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0", "acc7")
"""Columns of Table 1, in its order."""

PRINTED_AS = {"mosi": "mosi", "mosi-standardised": "mosi", "mosei": "mosei", "mustard": "mustard"}
"""Our data sets -> those under which GLoMo prints rows."""

ABOUT = {
    "control-local": "Simulated sequences of words, voice and face. The sentiment of a modality is "
    "written in three consecutive steps, in one of three ways, so GLoMo's story is true.",
    "control-local-opposite": "Simulated sequences in which every step carries the sentiment, so "
    "nothing is local and GLoMo's story is false.",
    "control": "Simulated features of words, voice and face, in which nothing local is planted.",
    "control-opposite": "Simulated features with another story planted; nothing local is in it.",
    "mmmo-stretched": "Film reviews of ICT-MMMO, voice and face in 20 steps, without words. Labels "
    "run from 1 to 5 and are mapped linearly to -3 to 3.",
    "mosi": "The paper's clips with other features: transcripts, and one openSMILE vector of the "
    "sound per clip, as it comes.",
    "mosi-standardised": "The paper's clips with other features: transcripts, and one openSMILE "
    "vector of the sound per clip, standardised over the training set.",
    "raw": "Simulated clips that can be seen and heard, read by small encoders.",
    "ravdess": "RAVDESS: 24 actors say two sentences in eight emotions, so words tell nothing. "
    "Sound alone; each of five folds by actor is the test set once.",
    "nemo": "nEMO: nine speakers say Polish sentences in six emotions, so words tell nothing. "
    "Sound alone; each fold by speaker is the test set once.",
    "mustard": "Lines of sitcoms, sarcastic or not. Transcripts only; where an encoder is "
    "fine-tuned, it reads what was said before together with the line.",
}
"""What a reader must know of a data set before the numbers."""


def about(study: Study) -> Note:
    """Return a note on the data of a study, and how they differ from the paper's."""
    words = ABOUT.get(study.parameters.dataset, study.dataset.title + ".")
    if study.dataset.real and plan.TEXT in study.dataset.layered:
        name = readers_names.encoder(study.encoder.removesuffix(TUNED_ENDING))
        words += f" The text encoder is {name}, {'fine-tuned' if study.tuned else 'frozen'}; "
        words += "the paper fine-tunes BERT-Base."
    return Note(words)


def in_time(study: Study, named: Mapping[str, System], first: Iterable[str]) -> dict[str, System]:
    """Return systems as records name them: all, or ``first`` where profile quick trains them."""
    if study.parameters.profile == "quick":
        chosen = set(first)
        named = {name: one for name, one in named.items() if name in chosen}
    return resolved(study, named)


# --- print --------------------------------------------------------------------------------------


class Place(NamedTuple):
    """Where the paper prints a row."""

    exhibit: str
    system: str
    variant: str = ""


PLACES: Mapping[str, Place] = {
    **{name: Place("table4", FULL, variant) for variant, name in VARIANTS.items()},
    **{n: Place("table4", FULL, n.lower().replace("+", "_")) for n in ("V+A", "V+T", "A+T")},
    FULL: Place("table4", FULL, "full"),
    "V+A+T": Place("table4", FULL, "full"),
    "TFN": Place("table1", "TFN"),
    "LMF": Place("table1", "LMF"),
}
"""Rows of ours -> those of the paper."""


def printed_cells(exhibit: str, corpus: str = "") -> pd.DataFrame:
    """Return the printed cells of a table, of one data set if it is named."""
    table = printed_table.load(PAPER)
    table = table[table["exhibit"] == exhibit]
    return table[table["dataset"] == corpus] if corpus else table


def printed_rows(dataset: str, names: Iterable[str]) -> dict[str, PrintedRow]:
    """Return those rows, by our names, that the paper prints for one of our data sets."""
    rows, corpus = {}, PRINTED_AS.get(dataset)
    for name in names if corpus else ():
        if place := PLACES.get(name):
            row = compare.printed_row(PAPER, corpus=corpus, **place._asdict())
            rows |= {} if row is None else {name: row}
    return rows


def printed_table1(dataset: str) -> dict[str, PrintedRow]:
    """Return every row of Table 1 (of Table 2 for two classes) that is printed for a data set."""
    corpus, rows = PRINTED_AS.get(dataset, ""), {}
    for exhibit in ("table1", "table2") if corpus else ():
        cells = printed_cells(exhibit, corpus)
        for system, variant in dict.fromkeys(zip(cells["system"], cells["variant"], strict=True)):
            place = Place(exhibit, system, variant)
            row = compare.printed_row(PAPER, corpus=corpus, **place._asdict())
            rows[f"{system}, {variant}" if variant and system != FULL else system] = row
    return rows


def print_of(exhibit: str) -> Folded:
    """Show what the paper prints in a table, all data sets."""
    table = printed_cells(exhibit)
    keys = ["dataset", "system", "variant"]
    rows = [
        dict(zip(keys, names, strict=True)) | dict(zip(c["metric"], c["printed"], strict=True))
        for names, c in table.groupby(keys, sort=False)
    ]
    metrics = list(dict.fromkeys(table["metric"]))
    frame = pd.DataFrame(rows)[[*keys, *metrics]].rename(columns=_heads(metrics))
    frame = frame.drop(columns=[k for k in keys if not frame[k].any()])
    caption = "GLoMo as printed, without spread over runs."
    return Folded("What the paper prints", Table(frame.fillna("-"), caption=caption))


def _heads(metrics: Iterable[str]) -> dict[str, str]:
    known = [m for m in metrics if m not in ("params", "seconds")]
    return compare.heads(known) | {"params": "parameters", "seconds": "seconds"}


# --- Tables 1 to 3 ------------------------------------------------------------------------------


def baselines(study: Study) -> tuple[Study, dict[str, System]]:
    """Return the study of re-run baselines on the same clips, and its systems by printed name.

    They read frozen features: where ``study`` fine-tunes an encoder, those of the same encoder.
    """
    p = study.parameters.model_dump()
    p["encoder"] = study.encoder.removesuffix(TUNED_ENDING)
    beside = Study(BASELINES, **p)
    inputs = beside.last_layers
    named = {
        name.upper(): spec.system(inputs, paper=BASELINES, family=name) for name in plan.EARLIER
    }
    return beside, resolved(beside, named)


def main(study: Study) -> dict[str, System]:
    """Return GLoMo, its halves and one layer for the experts."""
    named = plan.variants(plan.whole_of(study))
    shown = {name: named[name] for name in (FULL, "MLP_M", "Global", "Local")}
    return in_time(study, shown, (FULL, "MLP_M"))


def gather_with_baselines(
    study: Study, named: Mapping[str, System]
) -> tuple[list[Record], dict[str, System]]:
    """Return the records of systems of GLoMo with those of re-run baselines, and all by name."""
    beside, others = baselines(study)
    records = gather(study, named.values())
    return records + gather(beside, others.values()), {**named, **others}


FOLDS = {"mustard": "fold"}
"""Data sets whose usual split is no fold -> the folds that the plan runs."""


def gather(study: Study, systems: Iterable[System]) -> list[Record]:
    """Return the records of these systems, folds pooled (``recorded.gather``)."""
    return recorded.gather(study, systems, FOLDS.get(study.parameters.dataset, ""))


def setting(study: Study) -> str:
    """Return the setting of a page in words (``recorded.setting``)."""
    return recorded.setting(study, FOLDS.get(study.parameters.dataset, ""))


def sampling_error(share: float, clips: int) -> float:
    """Return the standard error in points of a share in percent, over ``clips`` test clips."""
    return (share * (100 - share) / clips) ** 0.5


def test_clips(corpus: str) -> int | None:
    """Return how many test clips the appendix says a data set has; None where it does not."""
    cells = printed_cells("appendix_text", corpus)
    cells = cells[(cells["variant"] == "test") & (cells["metric"] == "count")]
    return int(cells["value"].iloc[0]) if len(cells) else None


SHARES = ("acc2_has0", "acc2_non0", "acc7", "acc2")
"""Printed metrics whose sampling error follows from a count of clips."""


def scored_clips(corpus: str, metric: str) -> int:
    """Return over how many test clips an accuracy is: those not labelled 0, where that is known.

    All test clips for other metrics, and where no edition of that size has the number of the rest.
    """
    clips = test_clips(corpus)
    kept = [part.nonzero for part in testparts.parts(corpus) if part.clips == clips]
    return next(filter(None, kept), clips) if metric == "acc2_non0" else clips


def printed_differences(exhibit: str, corpus: str) -> Table | Note:
    """Show GLoMo minus each printed row of a table, in standard errors of one run.

    The error is that of GLoMo's share over the clips of a metric (``scored_clips``).
    """
    clips, table = test_clips(corpus), printed_cells(exhibit, corpus)
    if clips is None or table.empty:
        return Note(f"The paper prints no number of test clips for {corpus}.")
    own = table[table["system"] == FULL].set_index("metric")["value"]
    over = {m: scored_clips(corpus, m) for m in SHARES if m in own}
    errors = {m: sampling_error(own[m], n) for m, n in over.items()}
    rows, small, count = [], 0, 0
    for (system, variant), cells in table.groupby(["system", "variant"], sort=False):
        row = {"GLoMo minus": f"{system} {variant}".strip()}
        for metric, value in zip(cells["metric"], cells["value"], strict=True):
            if system == FULL or metric not in errors:
                continue
            difference, error = own[metric] - value, errors[metric]
            row[METRICS[metric].label] = f"{difference:+.2f} ({abs(difference) / error:.1f} SE)"
            small, count = small + (abs(difference) < error), count + 1
        rows += [row] if len(row) > 1 else []
    listed = ", ".join(
        f"{METRICS[m].label} {error:.2f} ({over[m]} test clips)" for m, error in errors.items()
    )
    unknown = "acc2_non0" in over and over["acc2_non0"] == clips
    return Table(
        pd.DataFrame(rows).fillna("-"),
        caption=f"Printed differences on {corpus}, in points and in standard errors (SE) of one "
        f"run. SE: {listed}. {ALL_COUNTED if unknown else ''}{small} of {count} differences are "
        "below one SE.",
    )


ALL_COUNTED = (
    "How many clips are not labelled 0 is not known here; the SE of Acc-2 without them is taken "
    "over all, and so is a little too small. "
)


def counts(exhibit: str = "table2") -> Table:
    """Show which printed accuracies are a number of test clips, and which no count can give."""
    rows = []
    for _, cell in printed_cells(exhibit).iterrows():
        clips = test_clips(cell["dataset"])
        decimals = len(cell["printed"].partition(".")[2])
        below = int(cell["value"] * clips // 100)
        shares = {k: f"{100 * k / clips:.{decimals}f}" for k in (below, below + 1)}
        exact = [k for k, share in shares.items() if share == cell["printed"]]
        rows.append(
            {
                "data set": cell["dataset"],
                "system": f"{cell['system']} {cell['variant']}".strip(),
                "printed": cell["printed"],
                "clips": f"{exact[0]} of {clips}"
                if exact
                else "none: " + ", ".join(f"{k} of {clips} is {s}" for k, s in shares.items()),
            }
        )
    frame = pd.DataFrame(rows)
    odd = int(frame["clips"].str.startswith("none").sum())
    caption = f"Printed accuracies as counts of test clips. {odd} of {len(frame)} are none."
    return Table(frame, caption=caption)


# --- Table 4 ------------------------------------------------------------------------------------

OURS = {
    "experts summed": "moe_linear",
    "experts in log space": "moe_lse",
    "all experts active": "moe_dense",
    "MLP of as many weights": "mlp_matched",
    "no balance losses": "no_aux",
    "padding masked": "masked",
    "padding read": "read",
    "equal weights": "uniform_mix",
}
"""Our arms by their names on pages -> short names."""

QUICK_ARMS = ("A+T", "MLP_M", "CON", "ReAt_G", "MLP of as many weights")
"""Arms of Table 4 beside the full model that the profile quick has time for."""


def ablations(study: Study) -> dict[str, System]:
    """Return the rows of Table 4: the full model, choices of modalities, and other wirings."""
    whole = plan.whole_of(study)
    named = plan.variants(whole)
    choices = {n: s for n, s in plan.modalities(whole).items() if s != named[FULL]}
    named = {FULL: named.pop(FULL)} | choices | named
    return in_time(study, named, (FULL, *QUICK_ARMS))


PRESET_ARMS = {
    "experts summed": ("combination", "linear"),
    "experts in log space": ("combination", "logsumexp"),
    "padding masked": ("padding", "masked"),
    "padding read": ("padding", "read"),
}
"""Arms in which the presets differ -> the setting that makes them."""


def causes(study: Study) -> dict[str, System]:
    """Return our arms, as far as this preset has them (``_possible``)."""
    return in_time(study, _possible(study), QUICK_ARMS)


def preset_arms(study: Study) -> dict[str, System]:
    """Return those of our arms in which the presets differ, as far as this preset has them."""
    return resolved(study, {n: s for n, s in _possible(study).items() if n in PRESET_ARMS})


def _possible(study: Study) -> dict[str, System]:
    """Return our arms without those that a preset cannot have.

    What is usual in preset `release` is no choice of a system, so preset `article` has its own
    value there and no arm with that of `release`.
    """
    arms = plan.ours(plan.whole_of(study))
    for name, (setting, value) in PRESET_ARMS.items():
        if study.spec(arms[name], 0).model[setting] != value:
            del arms[name]
    return arms


def corners(modalities: int) -> list[tuple[int, ...]]:
    """Return the cells of Fig. 3b that the profile quick has time for: equal numbers of two."""
    if modalities < 3:
        return [(s,) * modalities for s in plan.EXPERTS]
    return [(s, s, (s + s) % 4 + 1) for s in plan.EXPERTS]


CAUSES = (
    (FULL, "MLP of as many weights"),
    (FULL, "all experts active"),
    (FULL, "no balance losses"),
    (FULL, "equal weights"),
    ("experts in log space", "experts summed"),
    ("padding masked", "padding read"),
)
"""Comparisons that separate causes."""


def distinct(
    pairs: Iterable[tuple[str, str]], named: Mapping[str, System]
) -> list[tuple[str, str]]:
    """Return the pairs whose sides are there and differ under this preset."""
    return [
        (one, other)
        for one, other in pairs
        if {one, other} <= named.keys() and named[one] != named[other]
    ]
