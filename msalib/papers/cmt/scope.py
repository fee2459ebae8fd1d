"""What CMT's tests share: arms by the names of its tables, metrics of a task, what stands beside.

Where a claim names a data set, whatever a setting has stands in its place, and the note of the
verdict says so (``in_place``). The same holds for metrics: where a task has none of those that a
claim names, others stand for them (``EMOTION``, ``SENTIMENT``, ``FINE``, ``ERROR``).
"""

from collections.abc import Sequence

from msalib.data import datasets
from msalib.evidence import arms, baselines
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence, not_run, sentence
from msalib.evidence.seeds import Margins
from msalib.papers.cmt import plan
from msalib.papers.cmt.plan import NO_PT, ORTHO, POOLER, PT
from msalib.runs.query import Runs

Metrics = tuple[str, ...]

EMOTION: Sequence[Metrics] = (("wa", "ua"), ("acc2_non0", "f1_non0"), ("acc2", "f1"))
"""Metrics of Table 1: of classes, and what stands for them where labels are a score."""

SENTIMENT: Sequence[Metrics] = (
    ("acc7", "acc2_non0", "f1_non0", "mae"),
    ("acc2", "f1", "mae"),
    ("wa", "ua", "f1"),
)
"""Metrics of Tables 2 and 4: of a score, of CH-SIMS, and what stands for them for classes."""

FINE: Sequence[Metrics] = (("mae", "acc7"), ("mae", "acc5"), ("wa", "ua"))
"""Metrics of Figs. 2 to 4."""

ERROR: Sequence[Metrics] = (("mae",), ("wa",))
"""The absolute error of a clip; of classes whether it is right."""


def metrics(runs: Runs, choices: Sequence[Metrics]) -> Metrics:
    """Return the first of some groups of metrics that the task of these records has in full."""
    known = set(arms.task_of(runs, runs.systems[0]).shown)
    return next(names for names in choices if known >= set(names))


def margins(error: float) -> Margins:
    """Return what counts as no difference: so much MAE, and 1 point where shares stand for it."""
    return {"": error, "%": 1.0}


# --- arms ---------------------------------------------------------------------------------------

SOUND, TEXT, SHALLOW = "sound alone", "text alone", "Shallow-Fusion"
ORTHO_ALONE, TAPT_ALONE, LEAK = "Ortho alone", "TAPT alone", "PT + TAPT with test clips"
SHUFFLED, TWO, POOLER_ALONE = "PT on shuffled pairs", "two blocks w/o PT", "Layer pooler w/o PT"


def with_baselines(runs: Runs) -> Runs:
    """Return these records with those of shallow fusion, of both encoders and of each alone."""
    theirs = baselines.of_setting(runs, plan.PAPER)
    shallow = [s for s in theirs.systems if theirs.example(s).spec.family == plan.SHALLOW]
    return runs.beside(record for s in shallow for record in theirs.records(s)[0])


def named(runs: Runs) -> dict[str, Arm]:
    """Return the baselines and all systems of CMT by name, as these records read their data."""
    whole = plan.recorded_whole(runs)
    every = {**plan.alone(whole), **plan.named(whole)}
    return {name: Arm(system, name=name) for name, system in every.items()}


WORDS = {plan.SOUND: "sound", plan.TEXT: "words"}
"""Modality -> its word in sentences."""


def one_stream(runs: Runs) -> Evidence | None:
    """Return "not run" where the data lack sound or words, else None."""
    there = plan.recorded_whole(runs)
    lacking = [word for modality, word in WORDS.items() if modality not in there]
    return not_run([f"{' and '.join(lacking)} of the same clips"]) if lacking else None


# --- a declared deviation -----------------------------------------------------------------------

UNPRETRAINED = {PT: NO_PT, ORTHO: ORTHO_ALONE, POOLER: POOLER_ALONE}
"""Pretrained arm of the paper -> the same one without pretraining."""


def deviates(runs: Runs) -> bool:
    """Check whether arms without pretraining stand for pretrained ones, which were not run."""
    arm = named(runs)
    return runs.has(arm[NO_PT].system) and not runs.has(arm[PT].system)


def pretraining(runs: Runs) -> str:
    """Return the kind of pretraining that sweeps have (``plan.blocks``)."""
    return "none" if deviates(runs) else "pt"


def as_run(runs: Runs, *names: str) -> list[Arm]:
    """Return pretrained arms by name, or what stands for them (``deviates``)."""
    arm, without = named(runs), deviates(runs)
    return [arm[UNPRETRAINED[name] if without else name] for name in names]


# --- what notes say -----------------------------------------------------------------------------

CORPORA = {"iemocap": "IEMOCAP", "mosei": "CMU-MOSEI"}
"""Data set of the paper -> its name."""

WIDTH = 1024
"""Width of the paper's streams."""


def in_place(runs: Runs, judged: Evidence, corpus: str, *, deviation: bool = False) -> Evidence:
    """Add to the note of a verdict which data and which size stand for those of the claim.

    ``corpus`` is a key of ``CORPORA``. ``deviation``: the claim is of pretrained arms, for which
    others may stand.
    """
    if not judged.effects:
        return judged
    spec = baselines.spec_of(runs, plan.PAPER)
    other = spec.dataset.split("-")[0] != corpus
    title = datasets.dataset(spec.dataset).title
    width = int(spec.model.get("width", WIDTH))
    return judged._replace(
        note=sentence(
            judged.note,
            f"in place of {CORPORA[corpus]}: {title}" if other else "",
            f"reduced scale: streams of width {width}, not {WIDTH:,}" if width < WIDTH else "",
            "not pretrained, a declared deviation" if deviation and deviates(runs) else "",
        )
    )


def beside(
    runs: Runs, judged: Evidence, pairs: Sequence[tuple[Arm, Arm]], chosen: Metrics
) -> Evidence:
    """Show gains of further pairs beside a verdict; they decide nothing."""
    if judged.verdict == "not run":
        return judged
    effects, shown, missing = dict(judged.effects), [], []
    for arm, other in pairs:
        words = arms.versus(arm, other)
        if arms.lacking(runs, [arm, other]):
            missing.append(words)
            continue
        effects |= arms.effects(arms.gains(runs, arm, other, chosen), f"{words}: gain in")
        shown.append(words)
    note = sentence(
        judged.note,
        f"shown, not tested: {', '.join(shown)}" if shown else "",
        f"not run: {', '.join(missing)}" if missing else "",
    )
    return judged._replace(effects=effects, note=note)
