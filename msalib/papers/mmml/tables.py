"""Tables of MMML: which records a page reads, which arms stand in it, which rows are printed.

The general half is ``pages.compare``, ``pages.recorded`` and ``pages.contrasts``. Printed rows are
those of the same clips; no data set here has the paper's encoders.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from msalib.data.corpus import UNIMODAL
from msalib.evidence.printed import table as printed_table
from msalib.pages import compare
from msalib.pages.cells import number
from msalib.pages.compare import PrintedRow
from msalib.pages.recorded import gather, hurried, resolved
from msalib.pages.tables import Folded, Note, Table
from msalib.papers.mmml import plan
from msalib.papers.mmml.gains import CLIPS, OWN, scored
from msalib.papers.mmml.plan import SOUND, TEXT
from msalib.runs import names as readers_names
from msalib.runs.inputs import TUNED_ENDING
from msalib.runs.spec import System
from msalib.runs.study import Study

PAPER = "mmml"

METRICS_SHOWN = ("acc2_has0", "f1_has0", "acc2_non0", "f1_non0", "acc5", "acc7", "mae", "corr")
"""Columns of MMML's tables, in its order."""

PRINTED_AS = {"mosi": "mosi", "mosi-standardised": "mosi", "mosei": "mosei"}
"""Our data sets -> those under which MMML prints rows."""

ABOUT = {
    "raw": "Simulated clips that can be seen and heard. We fine-tune small encoders of words and "
    "of sound, which were pretrained on other simulated clips. Words and sound of each clip have "
    "true labels of their own, as in CH-SIMS.",
    "control": "Simulated features of words, voice and face; MMML does not read the face.",
    "control-opposite": "Simulated features with the other story planted; MMML does not read the "
    "face.",
    "mosi": "The paper's clips with other features. The sound of a clip is one openSMILE vector, "
    "as it comes.",
    "mosi-standardised": "The paper's clips with other features. The sound of a clip is one "
    "openSMILE vector, standardised over the training set.",
    "meld-dev": "Utterances of the series Friends, from one split of MELD. The words and the sound "
    "of a clip are one vector each. Their encoders were fine-tuned on emotions of MELD's training "
    "set and selected on these very clips, so levels are too good. Each of five folds by dialogue "
    "is the test set once, and scores are those of all folds together.",
    "mustard": "Lines of sitcoms, sarcastic or not. Transcripts only.",
    "iemocap": "Acted dialogues with four emotions. Transcripts only.",
    "meld": "Dialogues of the series Friends with classes of sentiment. Transcripts only.",
}
"""What a reader must know of a data set before the numbers."""


# --- records ------------------------------------------------------------------------------------


def about(study: Study) -> Note:
    """Return a note on the data of a study, and how they differ from the paper's."""
    words = ABOUT.get(study.parameters.dataset, study.dataset.title + ".")
    if study.dataset.real and TEXT in study.dataset.layered:
        name = readers_names.encoder(study.encoder.removesuffix(TUNED_ENDING))
        words += f" The text encoder is {name}, {'fine-tuned' if study.tuned else 'frozen'}; "
        words += "the paper fine-tunes RoBERTa."
    return Note(words)


def has_own_labels(study: Study) -> bool:
    """Check whether words and sound have labels of their own, as far as data or records say."""
    if study.corpus is not None:
        return bool(set(UNIMODAL.values()) & set(study.corpus.utterances))
    records = gather(study, plan.compared(plan.whole_of(study)).values())
    return any(record.extras.unimodal_labels for record in records)


# --- print --------------------------------------------------------------------------------------


class Place(NamedTuple):
    """Where the paper prints a row; ``exhibit`` begins the names of its parts, a to c."""

    exhibit: str
    system: str
    variant: str = ""


RAW_SOUND = "encoder of raw sound"

PLACES: Mapping[str, Place] = {
    "linguistic alone": Place("table3", "RoBERTa", "text_only"),
    "concatenation": Place("table3", "MMML", "concat"),
    "fusion network": Place("table3", "MMML", "fusion"),
    "fusion network with context": Place("table1", "MMML", "context"),
    RAW_SOUND: Place("table2", "Data2Vec"),
    "mel spectrogram": Place("table2", "Mel-Spectrogram"),
    "openSMILE": Place("table2", "openSMILE"),
    "one loss": Place("table4", "MMML", "single_loss"),
    "three losses": Place("table4", "MMML", "multi_loss"),
    "v1 (fused only)": Place("table6", "MMML", "v1_fused_only"),
    "v2 (concatenation)": Place("table6", "MMML", "v2_concat"),
    "v3 (transformer)": Place("table6", "MMML", "v3_transformer"),
    "whole network": Place("table8", "MMML", "fusion"),
    "no self-attention": Place("table8", "MMML", "no_self_attn"),
    "no self-attention, no feed-forward (3a)": Place("table8", "MMML", "no_self_attn_no_fc"),
    "no self-attention, linear head (3b)": Place("table8", "MMML", "no_self_attn_no_fc"),
}
"""Rows of ours -> those of the paper."""


def printed_cells(exhibit: str, corpus: str = "") -> pd.DataFrame:
    """Return the printed cells of a table with all its parts, of one data set if it is named."""
    table = printed_table.load(PAPER)
    table = table[table["exhibit"].str.startswith(exhibit)]
    return table[table["dataset"] == corpus] if corpus else table


def printed_rows(dataset: str, names: Iterable[str]) -> dict[str, PrintedRow]:
    """Return those rows, by our names, that the paper prints for one of our data sets."""
    rows = {}
    for name in names:
        place = PLACES.get(name)
        if place is None or dataset not in PRINTED_AS:
            continue
        table = printed_cells(place.exhibit, PRINTED_AS[dataset])
        cells = table[(table["system"] == place.system)]
        cells = cells[cells["variant"] == place.variant] if place.variant else cells
        if len(cells):
            rows[name] = row_of(cells)
    return rows


def row_of(cells: pd.DataFrame) -> PrintedRow:
    """Return the printed cells of one row."""
    values = dict(zip(cells["metric"], cells["value"], strict=True))
    texts = map(_plain, cells["printed"], cells["value"])
    return PrintedRow(
        {m: number(text, v) for (m, v), text in zip(values.items(), texts, strict=True)}, values
    )


def _plain(printed: str, value: float) -> str:
    """Return a printed number in our units, with its own digits.

    MMML prints MAE and Corr times 100, and some accuracies as fractions.
    """
    shift = round(math.log10(float(printed) / value)) if value else 0
    decimals = len(printed.partition(".")[2]) + shift
    return f"{value:.{max(decimals, 0)}f}"


def print_of(*exhibits: str) -> Folded:
    """Show what the paper prints in these tables, all data sets, in our units."""
    table = pd.concat([printed_cells(exhibit) for exhibit in exhibits])
    keys = ["exhibit", "dataset", "system", "variant"]
    rows = [
        dict(zip(keys, names, strict=True)) | row_of(cells).text
        for names, cells in table.groupby(keys, sort=False)
    ]
    metrics = [m for m in (*METRICS_SHOWN, "acc2", "f1", "acc3") if m in set(table["metric"])]
    frame = pd.DataFrame(rows)[[*keys, *metrics]].rename(columns=compare.heads(metrics))
    caption = "MMML as printed, without spread over runs, in the units of our tables."
    return Folded("What the paper prints", Table(frame.fillna("-"), caption=caption))


# --- Tables 1, 3, 4 and 5 -----------------------------------------------------------------------


def main(study: Study) -> dict[str, System]:
    """Return the systems of Tables 1 and 3; where labels differ, single modalities with both."""
    whole = plan.whole_of(study)
    named = plan.compared(whole)
    if has_own_labels(study):
        copied = {n: s for n, s in plan.copied(whole).items() if n.endswith("label")}
        joint = {n: s for n, s in named.items() if not n.endswith("alone")}
        named = copied | (joint if hurried(study) else named)
    return resolved(study, named)


def alone(named: Mapping[str, System], modality: str) -> str:
    """Return the name of one modality alone, trained on the clip's label."""
    copied = f"{modality} alone, copied label"
    return copied if copied in named else f"{modality} alone"


def main_pairs(named: Mapping[str, System]) -> list[tuple[str, str]]:
    """Return what Table 3 compares: sound added, fusion for concatenation, words for sound."""
    words, sound = (alone(named, m) for m in (TEXT, SOUND))
    return [
        ("concatenation", words),
        ("fusion network", words),
        ("fusion network", "concatenation"),
        (words, sound),
    ]


CONTEXT_PAIRS = [(f"{name} with context", name) for name in ("concatenation", "fusion network")]
"""What Table 1a compares, with equal encoders and equal fusion."""


def contexts(study: Study) -> dict[str, System]:
    """Return Table 1a's rows with context; none where there is no time."""
    return {} if hurried(study) else resolved(study, plan.contexts(plan.whole_of(study)))


# --- Tables 4 and 5 -----------------------------------------------------------------------------

THREE_COPIED = "three losses, copied labels"

LOSS_PAIRS = [
    ("three losses", "one loss"),
    (THREE_COPIED, "one loss"),
    ("three losses", THREE_COPIED),
]
"""What Table 4 compares: with the second, labels stay the same, with the third, losses do."""


def loss_arms(study: Study) -> dict[str, System]:
    """Return the rows of Table 4: one loss, three, and three with copied labels."""
    whole = plan.whole_of(study)
    if len(whole) < 2:
        return {}
    named = plan.losses(whole)
    if has_own_labels(study):
        named[THREE_COPIED] = plan.copied(whole)[THREE_COPIED]
    return resolved(study, named)


def head_arms(study: Study, modality: str) -> dict[str, System]:
    """Return the systems of Table 5 whose head of this modality is compared."""
    whole = plan.whole_of(study)
    if modality not in whole:
        return {}
    named = {"alone": plan.compared(whole)[f"{modality} alone"]}
    if has_own_labels(study) and not (hurried(study) and modality == SOUND):
        named["alone, copied label"] = plan.copied(whole)[f"{modality} alone, copied label"]
    named = resolved(study, named)
    if len(whole) > 1:
        named |= {name: s for name, s in loss_arms(study).items() if name != "one loss"}
        if not hurried(study):
            named |= resolved(study, {"fusion network": plan.compared(whole)["fusion network"]})
    return named


HEAD_PAIRS = [
    (scored("three losses", OWN), scored("alone", OWN)),
    (scored("fusion network", OWN), scored("alone", OWN)),
    (scored("three losses", CLIPS), scored("alone", CLIPS)),
    (scored("fusion network", CLIPS), scored("alone", CLIPS)),
    (scored(THREE_COPIED, CLIPS), scored("alone, copied label", CLIPS)),
    (scored("alone", OWN), scored("alone", CLIPS)),
    (scored("three losses", OWN), scored("alone", CLIPS)),
]
"""What Table 5 compares: the last two are scored on different labels (papers/mmml.md (g) 2)."""


# --- Tables 6 and 8 -----------------------------------------------------------------------------


def restorations(study: Study) -> dict[str, System]:
    """Return Table 6; nothing where there is one modality."""
    whole = plan.whole_of(study)
    if len(whole) < 2:
        return {}
    versions = enumerate(plan.restorations(whole).items(), start=1)
    return resolved(study, {f"v{k} ({name})": wanted for k, (name, wanted) in versions})


def ablations(study: Study) -> dict[str, System]:
    """Return Table 8; nothing where there is one modality, and 3b only where there is time."""
    whole = plan.whole_of(study)
    named = plan.ablations(whole) if len(whole) > 1 else {}
    if hurried(study):
        named.pop(WITHOUT_B, None)
    return resolved(study, named)


WITHOUT, WITHOUT_A, WITHOUT_B = (
    "no self-attention",
    "no self-attention, no feed-forward (3a)",
    "no self-attention, linear head (3b)",
)
ABLATION_PAIRS = [
    ("whole network", WITHOUT),
    ("whole network", WITHOUT_A),
    ("whole network", WITHOUT_B),
    (WITHOUT, WITHOUT_A),
    (WITHOUT, WITHOUT_B),
]
"""What Table 8 compares: what each step loses."""


# --- the sweeps of the text ---------------------------------------------------------------------


def sweeps(study: Study) -> dict[str, dict[str, System]]:
    """Return the choices of the text without a table, the usual value first; none in quick."""
    whole = plan.whole_of(study)
    if len(whole) < 2 or study.parameters.profile == "quick":
        return {}
    depths = {f"{n} layers": s for n, s in plan.depths(whole).items()}
    weights = {f"weights {n}": s for n, s in plan.loss_weights(whole).items()}
    chosen = {"depth": {"5 layers": depths["5 layers"], **depths}, "loss weights": weights}
    if study.tuned:
        chosen["rates"] = plan.rates(whole)
    return {title: resolved(study, named) for title, named in chosen.items()}


def sweep_pairs(sweeps: Mapping[str, Mapping[str, System]]) -> list[tuple[str, str]]:
    """Return the usual value of each sweep against every other one."""
    return [(first, other) for first, *others in sweeps.values() for other in others]
