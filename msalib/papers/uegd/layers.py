"""The layers that UEGD compares: which runs a study makes of them, and which records they are.

Layer 0, ``input``, are the encoder's own input embeddings: what enters its first block, and no
block itself. Vectors that come without layers are layer 1.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr  # scipy.stats takes a second and a half to import

from msalib.base import stats
from msalib.data.corpus import MODALITIES
from msalib.evidence import arms
from msalib.evidence.arms import Arm
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System, system

if TYPE_CHECKING:
    from msalib.runs.study import Study

Group = tuple[str, ...]
"""Modalities that a model reads."""

FEATURES = ("input", "output", "mid_best", "weighted")
"""What a modality with layers is read by: the encoder's input embeddings, or some of its blocks."""

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the training clips, for what depends on their number (UEGD-C16, C17)."""

# --- runs of a study ----------------------------------------------------------------------------


def singles(study: "Study", modalities: Sequence[str] | None = None) -> list[Record]:
    """Run each modality alone, one layer at a time: layer 0 and every block.

    Raises ``UserError`` for a modality that the data set lacks.
    """
    last = {m: study.blocks(m) for m in modalities or study.dataset.modalities}
    first = {m: 0 if m in study.dataset.layered else 1 for m in last}
    return study.run([system({m: k}) for m in last for k in range(first[m], last[m] + 1)])


def each_block(study: "Study", modalities: Sequence[str], **choices) -> list[Record]:
    """Run these modalities together with every block, where one of them alone has layers.

    Then the choice of mid-best can be repeated in resamples (``choosing``); with more layers there
    would be too many models. ``choices``: fusion, train_share.
    """
    layered = [m for m in modalities if m in study.dataset.layered]
    if len(layered) != 1:
        return []
    (m,) = layered
    vectors = dict.fromkeys(modalities, 1)
    systems = [vectors | {m: k} for k in range(1, study.blocks(m) + 1)]
    return study.run([system(inputs, paper="uegd", **choices) for inputs in systems])


def together(
    study: "Study", modalities: Sequence[str], features: Sequence[str] = FEATURES, **choices
) -> list[Record]:
    """Run these modalities together, once with each feature (``system_of``).

    ``singles`` are run first, since they say which block is best. ``choices``: fusion, train_share.
    """
    runs = Runs(singles(study, modalities))
    systems = [system_of(runs, modalities, feature, **choices) for feature in features]
    return study.run(list(dict.fromkeys(systems)))


# --- systems among records ----------------------------------------------------------------------


def blocks(runs: Runs, modality: str) -> list[int]:
    """Return the blocks of a modality that were trained alone, ascending, without layer 0."""
    layers = [s.inputs[0][1] for s in _alone(runs, modality)]
    return sorted(k for k in layers if isinstance(k, int) and k > 0)


def layered(runs: Runs) -> list[str]:
    """Return the modalities, among those trained alone, whose encoder has several blocks."""
    return [m for m in runs.modalities if blocks(runs, m) and _last_block(runs, m) > 1]


def missing_blocks(runs: Runs, modality: str) -> str | None:
    """Return what a comparison of all blocks of a modality needs and the records lack, if any."""
    trained = blocks(runs, modality)
    if not trained:
        return f"{modality} layers of the same clips"
    last = _last_block(runs, modality)
    missing = [str(k) for k in range(1, last + 1) if k not in trained]
    if missing:
        return f"{modality} block{'s' * (len(missing) > 1)} {', '.join(missing)} of {last}"
    if last < 2:
        return f"two or more {modality} blocks"
    return lacking(runs, *block_systems(runs, modality), name=f"every {modality} block")


def lacking(runs: Runs, *systems: System, name: str = "what is compared") -> str | None:
    """Return what a comparison of these systems needs and the records lack, if any.

    It needs runs of each, five seeds that all have, and enough videos (``arms.lacking``). ``name``
    says what they are, where seeds are too few.
    """
    if not runs.has(*systems) and all(map(runs.has, systems)):
        return f"{arms.SEEDS} seeds of {name} (no seed is in all so far)"
    if runs.has(*systems) and (count := len(runs.seeds(*systems))) < arms.SEEDS:
        return f"{arms.SEEDS} seeds of {name} ({count} so far)"
    needs = arms.lacking(runs, [Arm(s) for s in systems])
    needs = needs or arms.few_videos(runs, systems[0], "valid")
    return " and ".join(needs) or None


def block_systems(runs: Runs, modality: str) -> list[System]:
    """Return the system of each of a modality's ``blocks``."""
    return [system({modality: k}) for k in blocks(runs, modality)]


def best_block(runs: Runs, modality: str) -> int:
    """Return the block that validation chooses (``Runs.best``): mid-best."""
    return runs.best(block_systems(runs, modality)).inputs[0][1]


def system_of(runs: Runs, modalities: Iterable[str], feature: str | int, **choices) -> System:
    """Return the system of these modalities with one of ``FEATURES``, "uniform" or a layer.

    Vectors are read as they are. ``choices``: fusion or train_share, as for ``spec.system``.
    """
    with_layers, inputs = layered(runs), {}
    for m in modalities:
        if m not in with_layers:
            inputs[m] = 1
        elif feature == "mid_best":
            inputs[m] = best_block(runs, m)
        else:
            inputs[m] = {"input": 0, "output": _last_block(runs, m)}.get(feature, feature)
    return system(inputs, paper="uegd", **choices)


# --- what a setting has -------------------------------------------------------------------------


def groups(
    runs: Runs, kinds: Sequence[str], *, with_layers: bool = True
) -> tuple[list[Group], list[str]]:
    """Return the groups of these kinds that the records have, and what they lack.

    "alone": each modality with layers; "together": all that were trained alone, where a model of
    all was trained. ``with_layers``: a group needs at least one modality with layers.
    """
    if with_layers and not layered(runs):
        return [], ["layers of an encoder"]
    groups, absent = [], []
    if "alone" in kinds:
        groups += [(m,) for m in layered(runs)]
        others = [m for m in MODALITIES if m not in layered(runs)]
        absent += [f"{' and '.join(others)} layers of the same clips"] if others else []
    if "together" in kinds:
        everything = tuple(runs.modalities)
        trained = any(tuple(m for m, _ in s.inputs) == everything for s in runs.systems)
        if len(everything) > 1 and trained:
            groups.append(everything)
        else:
            absent.append("several modalities of the same clips, together and each alone")
    return groups, absent


def name(group: Group) -> str:
    """Return a group as effects are named by it."""
    return "+".join(group)


def missing_choices(runs: Runs, group: Group) -> list[str]:
    """Return what the choice of each mid-best block needs and the records lack."""
    return [need for m in group if m in layered(runs) and (need := missing_blocks(runs, m))]


def missing_layers(runs: Runs, modality: str) -> str | None:
    """Return what a comparison of a modality's layers needs and the records lack, if any."""
    if modality in runs.modalities and modality not in layered(runs):
        return f"{modality} layers of the same clips"
    return missing_blocks(runs, modality)


def covers(
    runs: Runs, modalities: Iterable[str], systems: Sequence[System], read: Runs | None = None
) -> str:
    """Say what a verdict covers: modalities with their blocks, seeds, test clips and videos.

    ``read`` are the records that have the systems, where these are others than ``runs``.
    """
    with_layers = layered(runs)
    of = [
        f"{m} ({_last_block(runs, m)} blocks)" if m in with_layers else f"{m} vectors"
        for m in MODALITIES
        if m in modalities
    ]
    label, video = runs.truth("test")
    size = f"{len(label)} test clips of {len(set(video))} videos"
    return f"covers {', '.join(of)}: {len((read or runs).seeds(*systems))} seeds, {size}"


# --- numbers of records -------------------------------------------------------------------------


def gates(runs: Runs, *systems: System) -> list[dict[str, np.ndarray]]:
    """Return the test clips' gate weights (S, N) of every modality, used or not, by system."""
    return [
        {m: np.array([record.extras.gates[m] for record in records]) for m in MODALITIES}
        for records in runs.records(*systems)
    ]


def correlations(runs: Runs, modality: str, part: str) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Return the blocks, their seed-mean correlations (K,), and those by video resample (R, K)."""
    predictions = runs.predictions(part, *block_systems(runs, modality))
    key = "correlations", stats.RESAMPLES, modality, part
    known = runs.computed.get(key)
    if known is None:
        label, videos = runs.truth(part)
        known = stats.correlations(label, predictions, videos)
        runs.computed.keep(key, known, sum(values.nbytes for values in known))
    return blocks(runs, modality), *known


def entropies(runs: Runs, modality: str, system: System) -> np.ndarray:
    """Return the entropy of each seed's layer weights as a share of its maximum, (S,)."""
    (records,) = runs.records(system)
    weights = np.array([record.extras.layer_weights[modality] for record in records])
    weights = weights / weights.sum(1, keepdims=True)
    return entr(weights).sum(1) / np.log(weights.shape[1])


def _alone(runs: Runs, modality: str) -> list[System]:
    """Return the systems of this modality alone, trained on all clips, one per layer."""
    plain = (s for s in runs.systems if not s.choices and s.train_share == 1)
    return [s for s in plain if len(s.inputs) == 1 and s.inputs[0][0] == modality]


def _last_block(runs: Runs, modality: str) -> int:
    """Return the number of blocks of the encoder, whether or not all were trained."""
    return runs.example(_alone(runs, modality)[0]).blocks[modality]
