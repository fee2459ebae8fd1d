"""On which data SUGRM's claims are judged, which systems they name, and what limits a comparison.

Every setting is judged by itself. A claim that names a corpus is judged on the data sets that
``DATA`` has for it, one that names none on all of them.
"""

from collections.abc import Mapping, Sequence

from msalib.data.corpus import MODALITIES, TUNED
from msalib.evidence.arms import Arm
from msalib.evidence.common import without
from msalib.models.unimodal_tasks import tasks
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
MOSI = ("mosi", "mosi-standardised")

DATA: Mapping[str, tuple[str, ...]] = {
    "CMU-MOSI": (*MOSI, *SIMULATED),
    "unaligned CMU-MOSI": (*MOSI, *SIMULATED),
    "aligned CMU-MOSI": ("mmmo-stretched",),
    "unaligned CMU-MOSEI": ("mosei", *SIMULATED),
    "aligned CMU-MOSEI": (),
}
"""What a claim is about -> data sets on which it is judged. Simulated sequences are unaligned."""

_VECTOR = "speech is one vector per clip, which counts as unaligned"

ABOUT = {
    **{("unaligned CMU-MOSI", name): _VECTOR for name in MOSI},
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

DISTINCT = ("f1_non0", "mae", "corr")
"""The same for claims of "most metrics": F1 and accuracy of two classes are nearly one number."""

GATES_KNOW_MORE = (
    "recalibration sets its gates by all tokens of the frozen text, of which the LSTM behind it "
    "reads the first"
)
"""What an LSTM gains by recalibration where no encoder sums up a text in its first token."""

GRID = "corners of one grid of modules, with SUGRM's widths and rates"


def arm_of(runs: Runs, name: Named) -> Arm:
    """Return the arm of a system by its name in ``plan``, or by its modules."""
    whole = recorded_whole(runs)
    if isinstance(name, list):
        return Arm(module_grid(whole)[tuple(name)], name=in_words(name))
    return Arm((compared(whole) | task_grid(whole) | losses(whole))[name], name=in_words(name))


def in_words(name: Named) -> str:
    """Return a name of a system as notes have it."""
    if isinstance(name, list):
        return " + ".join(WORDS[part] for part in name)
    if name.startswith("tasks_") and name not in WORDS:
        return f"tasks of {' and '.join(tasks(name, MODALITIES))}"
    return WORDS.get(name, name)


def lacks(runs: Runs, data: str | None) -> list[str]:
    """Return what a test needs and the setting lacks: data, modalities, the metrics."""
    if data is not None and runs.dataset not in DATA[data]:
        return [data]
    if len(recorded_whole(runs)) < 2:
        return ["several modalities of the same clips"]
    if not runs.example(runs.systems[0]).metrics["test"].keys() >= set(ALL):
        return ["labels from -3 to 3, scored as those of CMU-MOSI are"]
    return []


def caveats(runs: Runs, data: str | None, *names: Named) -> list[str]:
    """Return what a reader must know of the data and of the named systems, in phrases."""
    absent = [m for m in MODALITIES if m not in recorded_whole(runs)]
    stands = ABOUT.get((data, runs.dataset), "")
    corners = [name for name in names if isinstance(name, list)]
    frozen = recorded_whole(runs).get("linguistic", TUNED) != TUNED
    gated = frozen and any({"mrm", "lstm"} <= set(corner) for corner in corners)
    about = [stands, GRID if corners else "", GATES_KNOW_MORE if gated else ""]
    return [*about, *without(absent)]


def read_unlike_text(runs: Runs, systems: Sequence[System]) -> str:
    """Say what a fair comparison needs where systems read unlike parts of a frozen text, or ""."""
    if recorded_whole(runs).get("linguistic", TUNED) == TUNED:
        return ""
    with_text = [s for s in systems if "linguistic" in dict(s.inputs)]
    if len({_reads_first_token(s) for s in with_text}) < 2:
        return ""
    simulated = runs.dataset in SIMULATED
    words = "words that are read alike" if simulated else "a fine-tuned text encoder"
    return f"{words} ({UNLIKE})"


def _reads_first_token(system: System) -> bool:
    family, sequence = (system.choice(name, paper="sugrm") for name in ("family", "sequence"))
    return family == SELF_MM["family"] or sequence == "lstm"
