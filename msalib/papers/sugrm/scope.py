"""On which data SUGRM's claims are judged, which systems they name, and what limits a comparison.

Every setting is judged by itself. A claim that names a corpus is judged on the data sets that
``DATA`` has for it, one that names none on all of them.
"""

from collections.abc import Mapping, Sequence

from msalib.data.corpus import MODALITIES, TUNED
from msalib.evidence.common import Word, lacking_runs, without
from msalib.papers.sugrm.plan import (
    SELF_MM,
    compared,
    losses,
    module_grid,
    recorded_whole,
    task_grid,
)
from msalib.runs.query import Runs
from msalib.runs.spec import System

Named = str | list[str]
"""A system: its name in ``plan``, or its three modules."""

SIMULATED = ("control", "control-opposite")

DATA: Mapping[str, tuple[str, ...]] = {
    "CMU-MOSI": ("mosi", *SIMULATED),
    "unaligned CMU-MOSI": ("mosi", *SIMULATED),
    "aligned CMU-MOSI": ("mmmo-stretched",),
    "CMU-MOSI, not simulated": ("mosi",),
    "unaligned CMU-MOSEI": ("mosei", *SIMULATED),
    "aligned CMU-MOSEI": (),
}
"""What a claim is about -> data sets on which it is judged. Simulated sequences are unaligned."""

ABOUT = {
    ("unaligned CMU-MOSI", "mosi"): "speech is one vector per clip, which counts as unaligned",
    ("aligned CMU-MOSI", "mmmo-stretched"): "ICT-MMMO, aligned to words, replaces CMU-MOSI",
}
"""What must be said of data that are not quite what a claim is about."""

WORDS = {
    "tasks_all": "all tasks",
    "tasks_none": "the multimodal task alone",
    "l1": "L1",
    "l2": "L2",
    "huber": "Huber",
    "mrm": "recalibration",
    "no_mrm": "no recalibration",
    "spt": "sparse transformer",
    "dense": "full transformer",
    "lstm": "LSTM",
    "own_ulgm": "SUGRM's labels",
    "other_ulgm": "Self-MM's labels",
}

UNLIKE = "Self-MM and the LSTM read only the first token of the text, the transformers read all"
"""Why a comparison decides nothing where the text encoder is frozen."""

ALL = ("f1_has0", "f1_non0", "acc2_has0", "acc2_non0", "mae", "corr")
"""The metrics that the paper prints."""

GRID = "corners of one grid of modules, with SUGRM's widths and rates"


def system_of(runs: Runs, name: Named) -> System:
    """Return a system by its name in ``plan``, or by its modules."""
    whole = recorded_whole(runs)
    if isinstance(name, list):
        return module_grid(whole)[tuple(name)]
    return (compared(whole) | task_grid(whole) | losses(whole))[name]


def in_words(name: Named) -> str:
    """Return a name of a system as notes have it."""
    return ", ".join(WORDS.get(part, part) for part in (name if isinstance(name, list) else [name]))


def lacks(runs: Runs, data: str | None, systems: Sequence[System]) -> list[str]:
    """Return what a test needs and the setting lacks: data, modalities, runs, the metrics."""
    if data is not None and runs.dataset not in DATA[data]:
        return [data]
    if len(recorded_whole(runs)) < 2:
        return ["several modalities of the same clips"]
    if needed := lacking_runs(runs, *systems):
        return [needed]
    if not runs.example(systems[0]).metrics["test"].keys() >= set(ALL):
        return ["labels from -3 to 3, scored as those of CMU-MOSI are"]
    return []


def caveats(runs: Runs, data: str | None, systems: Sequence[System], *names: Named) -> list[str]:
    """Return what a reader must know of the data and of the systems, in phrases."""
    absent = [m for m in MODALITIES if m not in recorded_whole(runs)]
    stands = ABOUT.get((data, runs.dataset), "")
    grid = GRID if any(isinstance(name, list) for name in names) else ""
    unlike = ""
    if read_unlike_text(runs, systems):
        simulated = runs.dataset in SIMULATED
        words = "words that are read alike" if simulated else "a fine-tuned text encoder"
        unlike = f"needs {words}: {UNLIKE}"
    return [unlike, stands, grid, *without(absent)]


def read_unlike_text(runs: Runs, systems: Sequence[System]) -> bool:
    """Check whether some systems read all tokens of a frozen text and others only the first."""
    if recorded_whole(runs).get("linguistic", TUNED) == TUNED:
        return False
    with_text = [s for s in systems if "linguistic" in dict(s.inputs)]
    return len({_reads_first_token(s) for s in with_text}) > 1


def _reads_first_token(system: System) -> bool:
    family, sequence = (system.choice(name, paper="sugrm") for name in ("family", "sequence"))
    return family == SELF_MM["family"] or sequence == "lstm"


def fair(runs: Runs, systems: Sequence[System], verdict: Word) -> Word:
    """Return the verdict where the systems read the same of the text; else "not run"."""
    return "not run" if read_unlike_text(runs, systems) else verdict
