"""Tables of CMT: which arms stand in them, at which scale, which rows are printed.

The general half is ``pages.compare``, ``pages.recorded`` and ``pages.contrasts``. Nothing here is
of the paper's size, so every caption names the scale (``setting``). Baselines are records of the
namespace ``baselines``.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from msalib.data.metrics import METRICS
from msalib.evidence import arms
from msalib.evidence.arms import Arm
from msalib.evidence.printed import table as printed_table
from msalib.pages import compare, recorded
from msalib.pages.cells import mean_sd, score
from msalib.pages.compare import PrintedRow
from msalib.pages.contrasts import Effects
from msalib.pages.tables import Folded, Note, Table
from msalib.papers.cmt import plan, scale, scope
from msalib.papers.cmt.plan import BASE, LARGE, NO_PT, ORTHO, POOLER, PT, SOUND, TAPT, TEXT
from msalib.runs.inputs import BASELINES
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import Study

PAPER = plan.PAPER

METRICS_SHOWN = ("acc7", "acc2_non0", "f1_non0", "mae", "corr")
"""Columns of Tables 2 and 4, and the correlation, the fifth metric that the text announces."""

ABOUT = {
    "raw-spoken": "Simulated people whose sentences a synthesiser speaks. A grammar writes the "
    "sentiment of the words. Pitch, loudness and tempo carry that of the voice. So sound and text "
    "of a clip say the same words, and their sentiments are related but not equal.",
    "mosi-standardised": "Opinions of CMU-MOSI, not CMU-MOSEI: transcripts, and one openSMILE "
    "vector of the sound per clip. A stream of one frame has nothing to attend to, and nothing to "
    "pretrain on.",
    "meld-dev": "Utterances of the series Friends, from one split of MELD, one vector each of "
    "words and of sound. Their encoders were fine-tuned on emotions of MELD's training set and "
    "selected on these very clips, so levels are too good. Nothing can be pretrained on single "
    "vectors.",
    "iemocap": "The paper's dialogues and its four emotions, without their sound, which needs a "
    "licence. Each session is the test set once; some dialogues of the others validate.",
    "ravdess": "RAVDESS: 24 actors say two sentences in eight emotions, so words tell nothing and "
    "the models read sound alone. Each of five folds by actor is the test set once.",
    "nemo": "nEMO: nine speakers say the same Polish sentences in each of six emotions, so words "
    "tell nothing, and a model that seems to gain from them is wrong. Each speaker is the test set "
    "once.",
}
"""What a reader must know of a data set before the numbers."""

UNPRETRAINED = ("nemo",)
"""Negative controls: blocks without pretraining are enough for them."""

FOLDS = {"iemocap": plan.SESSIONS}
"""Data sets whose usual split is no fold -> the folds that the plan runs."""


def about(study: Study) -> Note:
    """Return a note on the data of a study, and how they differ from the paper's."""
    return Note(ABOUT.get(study.parameters.dataset, study.dataset.title + "."))


def setting(study: Study, named: Mapping[str, System]) -> str:
    """Return the setting of a page in words, with its folds and its scale."""
    words = recorded.setting(study, FOLDS.get(study.parameters.dataset, ""))
    return f"{words}; {scale.phrase(study, named)}"


# --- print --------------------------------------------------------------------------------------


class Place(NamedTuple):
    """Where the paper prints a row."""

    system: str
    variant: str = ""


PLACES: Mapping[str, Place] = {
    scope.SOUND: Place("HuBERT"),
    scope.TEXT: Place("RoBERTa"),
    scope.SHALLOW: Place("Shallow-Fusion"),
    NO_PT: Place("CMT", "cmt4_no_pt"),
    PT: Place("CMT", "cmt4_pt"),
    TAPT: Place("CMT", "cmt4_pt_tapt"),
    POOLER: Place("CMT", "cmt4_pt_layer_pooler"),
    ORTHO: Place("CMT", "cmt4_pt_ortho"),
    BASE: Place("CMT", "base"),
    LARGE: Place("CMT", "large"),
}
"""Rows of ours -> those of the paper's tables."""

CORPUS = {"table1": "iemocap", "table2": "mosei", "table4": "mosei"}
"""Table -> the data set of its rows."""


def printed_rows(*exhibits: str) -> dict[str, PrintedRow]:
    """Return the rows of some tables by our names, and others by the paper's; in our units.

    They are of the paper's data set and scale.
    """
    rows = {}
    for exhibit in exhibits:
        corpus = CORPUS[exhibit]
        cells = printed_table.load(PAPER)
        cells = cells[(cells["exhibit"] == exhibit) & (cells["dataset"] == corpus)]
        for place in dict.fromkeys(zip(cells["system"], cells["variant"], strict=True)):
            name = next((n for n, known in PLACES.items() if known == place), place[0])
            about = {"system": place[0], "variant": place[1]}
            value = compare.printed_row(PAPER, exhibit=exhibit, corpus=corpus, **about).value
            text = {m: score(_share(m, v), m) for m, v in value.items()}
            rows[name] = PrintedRow(text, value)
    return rows


def beside(study: Study, exhibit: str) -> dict[str, PrintedRow]:
    """Return the printed rows of the same clips, which stand in our tables; others do not."""
    same = study.parameters.dataset.split("-")[0] == CORPUS[exhibit]
    return printed_rows(exhibit) if same else {}


def print_of(exhibit: str) -> Folded:
    """Show what the paper prints in a table."""
    rows = printed_rows(exhibit)
    metrics = list(dict.fromkeys(m for row in rows.values() for m in row.value))
    shown = [{"row": name} | row.text for name, row in rows.items()]
    frame = pd.DataFrame(shown)[["row", *metrics]].rename(columns=compare.heads(metrics))
    corpus = scope.CORPORA[CORPUS[exhibit]]
    caption = f"CMT as printed, on {corpus}, without spread over runs, in the units of our tables."
    return Folded("What the paper prints", Table(frame.fillna("-"), caption=caption))


def _share(metric: str, value: float) -> float:
    return value / 100 if METRICS[metric].unit == "%" else value


# --- records ------------------------------------------------------------------------------------


def study_of(study: Study, system: System) -> Study:
    """Return the study of a system: for baselines theirs, on the same clips and encoders."""
    if not scale.is_baseline(system):
        return study
    parameters = study.parameters.model_dump() | {"encoder": study.encoder, "preset": "release"}
    return Study(BASELINES, **parameters)


def gather(study: Study, named: Mapping[str, System]) -> list[Record]:
    """Return the records of these systems, folds pooled (``recorded.gather``)."""
    family, found = FOLDS.get(study.parameters.dataset, ""), []
    theirs = [s for s in named.values() if scale.is_baseline(s)]
    own = [s for s in named.values() if not scale.is_baseline(s)]
    for systems in filter(None, (theirs, own)):
        found += recorded.gather(study_of(study, systems[0]), systems, family)
    return found


SELECTION = " Profile quick trains a selection of the paper's systems; -p profile full has all."


def missing(study: Study, runs: Runs, named: Mapping[str, System]) -> Note:
    """Return a note on missing runs, with the command that makes them."""
    note = compare.missing_runs_note(study, runs, named)
    if study.parameters.profile == "quick":
        return Note(note.text + SELECTION)
    if all(seed in runs.seeds(s) for s in named.values() for seed in range(study.parameters.seeds)):
        return note
    about = f"-p dataset {study.parameters.dataset} -p encoder {study.encoder}"
    return Note(f"{note.text} Not run; this makes them: msalib records {PAPER} {about}.")


# --- arms ---------------------------------------------------------------------------------------


def pretrains(study: Study) -> bool:
    """Check whether the streams can be pretrained here, and are.

    That takes a frozen encoder of sound and one of text; negative controls need none.
    """
    frozen = {m for m, e in study.encoders.items() if not (e.handcrafted or study.tuned)}
    return {SOUND, TEXT} <= frozen and study.parameters.dataset not in UNPRETRAINED


def in_time(study: Study, named: Mapping[str, System], first: Iterable[str]) -> dict[str, System]:
    """Return systems by name: all, or ``first`` where profile quick trains them."""
    if study.parameters.profile != "quick":
        return dict(named)
    chosen = set(first)
    return {name: one for name, one in named.items() if name in chosen}


def main(study: Study) -> dict[str, System]:
    """Return the systems of Tables 1 and 2, as far as there are such inputs.

    Blocks without pretraining stand beside them, so that depth is told apart from pretraining.
    Features that no encoder put out have the baselines alone.
    """
    whole = plan.whole_of(study)
    named = plan.alone(whole)
    if len(whole) < 2 or any(e.handcrafted for e in study.encoders.values()):
        return named
    more = (NO_PT, scope.TWO, BASE, LARGE) if pretrains(study) else (NO_PT,)
    named |= {name: plan.named(whole)[name] for name in more}
    return in_time(study, named, [*plan.alone(whole), NO_PT, LARGE])


MAIN = (
    (scope.TEXT, scope.SOUND),
    (scope.SHALLOW, scope.SOUND),
    (scope.SHALLOW, scope.TEXT),
    (NO_PT, scope.SOUND),
    (NO_PT, scope.SHALLOW),
    (scope.TWO, scope.SHALLOW),
    (BASE, scope.SHALLOW),
    (LARGE, scope.SHALLOW),
    (BASE, scope.TWO),
    (LARGE, BASE),
)
"""What Tables 1 and 2 compare; BASE and LARGE differ from shallow fusion in several things."""

HEADLINES = ((scope.SHALLOW, scope.TEXT), (NO_PT, scope.SHALLOW), (LARGE, scope.SHALLOW))
"""What the short answer of Table 2 names."""

EMOTION_HEADLINES = (
    (scope.SHALLOW, scope.SOUND),
    (NO_PT, scope.SOUND),
    (NO_PT, scope.SHALLOW),
    (LARGE, scope.SHALLOW),
)
"""What the short answer of Table 1 names; where words say nothing, none may gain over sound."""


def ingredients(study: Study) -> dict[str, System]:
    """Return the rows of Table 4, then ours; without pretraining where there can be none."""
    whole = plan.whole_of(study)
    if len(whole) < 2:
        return {}
    named = plan.named(whole)
    if not pretrains(study):
        return {name: named[name] for name in (NO_PT, scope.ORTHO_ALONE)}
    return in_time(study, named, (NO_PT, PT, TAPT, ORTHO, LARGE))


STEPS = ((PT, NO_PT), (TAPT, PT), (ORTHO, PT), (POOLER, PT), (BASE, PT), (LARGE, PT))
"""What Table 4 compares: each ingredient over the model without it, then the full recipes."""

CAUSES = (
    (scope.ORTHO_ALONE, NO_PT),
    (scope.POOLER_ALONE, NO_PT),
    (NO_PT, scope.TWO),
    (scope.TAPT_ALONE, NO_PT),
    (PT, scope.SHUFFLED),
    (scope.SHUFFLED, NO_PT),
    (scope.LEAK, TAPT),
    (LARGE, TAPT),
    (LARGE, BASE),
    (LARGE, NO_PT),
)
"""Comparisons that separate causes: all but the last two change one thing."""


def effects(runs: Runs, named: Mapping[str, System], pairs: Iterable[tuple[str, str]]) -> Effects:
    """Return the gains of the first of each pair over the second, where both have records."""
    found: Effects = {}
    for one, other in pairs:
        if {one, other} <= named.keys() and runs.has(named[one], named[other]):
            pair = Arm(named[one], name=one), Arm(named[other], name=other)
            contrasts = arms.gains(runs, *pair, tested(runs))
            found[one, other] = {m: c.estimate() for m, c in contrasts.items()}
    return found


def tested(runs: Runs) -> list[str]:
    """Return the metrics of the claims on a task, those of the figures first."""
    kinds = (scope.FINE, scope.EMOTION, scope.SENTIMENT)
    return list(dict.fromkeys(m for kind in kinds for m in scope.metrics(runs, kind)))


def columns(study: Study) -> tuple[str, ...]:
    """Return the columns of a table of scores: of classes each against the rest, WA and UA."""
    classes = study.task.classes
    if not classes:
        return METRICS_SHOWN
    return (*(f"acc2_{name}" for name in sorted(classes)), "wa", "ua")


def likeness(runs: Runs, named: Mapping[str, System]) -> dict[str, dict[str, str]]:
    """Return by name how alike both pooled streams are, as a further column of a table.

    Pooled folds do not hold it.
    """
    return {
        name: {"cosine of the streams": mean_sd(values, "{:.2f}".format)}
        for name, system in named.items()
        if not scale.is_baseline(system) and runs.has(system)
        if (values := [r.extras.cosine for r in runs.records(system)[0] if _has_cosine(r)])
    }


def _has_cosine(record: Record) -> bool:
    return "cosine" in (record.model_extra or {})
