"""A cross-validation as one record per system and seed: predictions of all folds end to end.

Folds are named as ``data.folds`` names them. Runs on them differ in ``Spec.split`` only, and their
test parts together hold every clip once.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from msalib.base.errors import UserError
from msalib.data import datasets
from msalib.data.folds import BY_VIDEO, LEFT_OUT, VIDEO
from msalib.data.tasks import Task
from msalib.models.extras import rounded
from msalib.runs.inputs import IDENTITY
from msalib.runs.records import Predictions, Provenance, Record


class Fold(NamedTuple):
    """A fold by the name of its split: ``video2of5`` is one of five of the family ``video``."""

    family: str
    folds: int | None = None  # as far as the name says


def fold(split: str) -> Fold | None:
    """Return which fold a split is by its name; None for a plain split.

    ``video2of5``, ``session=4``, ``session=4+video`` and the numbered splits of a source
    (``fold3``) are folds.
    """
    if match := re.fullmatch(rf"({VIDEO})\d+of(\d+)", split):
        return Fold(match[1], int(match[2]))
    column, equals, _ = split.partition("=")
    if equals and column in LEFT_OUT:
        return Fold(column + BY_VIDEO * split.endswith(BY_VIDEO))
    match = re.fullmatch(r"(\D+)\d+", split)
    return Fold(match[1]) if match else None


def pool(records: Iterable[Record]) -> list[Record]:
    """Return records with all folds of a cross-validation as one record per system and seed.

    Records of a plain split are returned as they are. Folds whose cross-validation is not complete
    are left out (``incomplete`` says which). Of a pooled record

    - ``spec.split`` names the family of the folds, such as ``video``; it lies in no file;
    - test predictions are those of all folds in the order of their ids, validation predictions
      too, where a clip that several folds validate on has the mean of its scores;
    - metrics of these two parts are those of the pooled predictions, ``chance`` that of the best
      constants for the pooled test labels, metrics of training and ``history`` means over folds;
    - extras with one entry per test clip are pooled, others are left out.

    Raises ``UserError`` for folds of different data or features, and for a clip that two test.
    """
    pooled = []
    for group in _groups(records):
        if fold(group[0].spec.split) is None:
            pooled += group
        elif _is_complete(group):
            _check(group)
            pooled.append(_pooled(group))
    return pooled


def incomplete(records: Iterable[Record]) -> list[str]:
    """Return a sentence for each cross-validation that ``pool`` leaves out, as not all is there."""
    return [
        f"{group[0].spec.system.name()}, seed {group[0].spec.seed}: of the folds by "
        f"{fold(group[0].spec.split).family} only {', '.join(r.spec.split for r in group)}"
        for group in _groups(records)
        if fold(group[0].spec.split) and not _is_complete(group)
    ]


# --- which records belong together --------------------------------------------------------------


def _groups(records: Iterable[Record]) -> list[list[Record]]:
    """Return the folds of each cross-validation, and every plain record by itself."""
    groups: dict[str, dict[str, Record]] = {}
    for number, record in enumerate(records):
        split = record.spec.split
        key = str(number)
        if kind := fold(split):
            asked = {**record.spec.content(), "split": [*kind, "=" in split]}
            key = json.dumps(asked, sort_keys=True)
        groups.setdefault(key, {})[split] = record
    return [[group[split] for split in sorted(group, key=_place)] for group in groups.values()]


def _place(split: str) -> tuple[int, str]:
    """Return a key that puts the tenth fold behind the ninth."""
    number = re.search(r"\d+", split)
    return (int(number[0]) if number else 0), split


def _is_complete(group: Sequence[Record]) -> bool:
    """Check whether all folds are there.

    A name may say how many there are. Otherwise a fold is missing if clips that another fold
    validates on are tested nowhere.
    """
    folds = fold(group[0].spec.split).folds
    if folds is not None:
        return len(group) == folds
    tested = {clip for record in group for clip in record.predictions["test"].id}
    return all(tested.issuperset(record.predictions["valid"].id) for record in group)


def _check(group: Sequence[Record]) -> None:
    """Refuse folds of different data or features, and a clip that two of them test."""

    def identity(record):
        features = record.provenance.features.items()
        same = {m: {k: v for k, v in about.items() if k in IDENTITY} for m, about in features}
        return record.provenance.data, same

    first = group[0]
    other = next((record for record in group if identity(record) != identity(first)), None)
    if other is not None:
        raise _mixed(first, f"{first.name()} and {other.name()}, folds of different data")
    seen: dict[str, Record] = {}
    for record in group:
        for clip in record.predictions["test"].id:
            if (known := seen.setdefault(clip, record)) is not record:
                found = f"clip {clip} in the test parts of {known.spec.split}"
                raise _mixed(first, f"{found} and {record.spec.split}")


def _mixed(record: Record, found: str) -> UserError:
    return UserError(
        record.spec.path().parent,
        found=found,
        expected="folds of the same clips, each tested once",
        remedy="Delete the records of other data and run these folds again.",
    )


# --- one record of all folds --------------------------------------------------------------------


def _pooled(group: Sequence[Record]) -> Record:
    spec = group[0].spec
    task = datasets.dataset(spec.dataset).target(spec.target or None)
    clips = {
        part: _end_to_end([r.predictions[part] for r in group], task) for part in ("valid", "test")
    }
    metrics = {part: _metrics(predictions, task) for part, predictions in clips.items()}
    labels = np.array(clips["test"].label)
    return Record(
        spec=spec.model_copy(update={"split": fold(spec.split).family}),
        blocks=group[0].blocks,
        provenance=_provenance([record.provenance for record in group]),
        selected_epoch=round(np.mean([record.selected_epoch for record in group])),
        metrics={"train": _means([record.metrics["train"] for record in group]), **metrics},
        chance=_defined(task.chance(labels, labels)),
        history=[
            _means(epoch) for epoch in zip(*(record.history for record in group), strict=False)
        ],
        predictions=clips,
        **_extras(group),
    )


def _end_to_end(parts: Sequence[Predictions], task: Task) -> Predictions:
    """Return the clips of all parts by id; one that is in several has the mean of its scores."""
    clips = [clip for part in parts for clip in part.id]
    ids = sorted(set(clips))
    place = dict(zip(ids, range(len(ids)), strict=True))
    places = np.array([place[clip] for clip in clips])
    scores = np.concatenate([_scores(part) for part in parts])
    sums = np.zeros((len(ids), *scores.shape[1:]))
    np.add.at(sums, places, scores)
    means = (sums.T / np.bincount(places)).T
    means = np.reshape(rounded(means.ravel()), means.shape)
    video = dict(zip(clips, (v for part in parts for v in part.video), strict=True))
    label = np.zeros(len(ids))
    label[places] = np.concatenate([part.label for part in parts])
    return Predictions(
        id=ids,
        video=[video[clip] for clip in ids],
        label=label.tolist(),
        prediction=[float(value) for value in task.prediction(means)],
        scores=means.tolist() if means.ndim > 1 else [],
    )


def _scores(clips: Predictions) -> np.ndarray:
    """Return the scores of a part's clips: one per clip (N,), or one per class (N, C)."""
    return clips.scores if len(clips.scores) else clips.prediction


def _metrics(clips: Predictions, task: Task) -> dict[str, float | None]:
    return _defined(task.metrics(clips.label, _scores(clips)))


def _defined(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else float(value) for name, value in values.items()}


def _means(folds: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """Return the mean of each value that all folds have; None where one has None for it."""
    names = [name for name in folds[0] if all(name in values for values in folds)]
    values = {name: [one[name] for one in folds] for name in names}
    return {name: None if None in v else float(np.mean(v)) for name, v in values.items()}


def _provenance(folds: Sequence[Provenance]) -> Provenance:
    """Return the origin of several runs: all commits, devices and versions, and the whole time."""

    def joined(values: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(values))

    first = folds[0]
    packages = dict.fromkeys(name for one in folds for name in one.versions)
    return Provenance(
        data=first.data,
        features=first.features,
        commit=joined(one.commit for one in folds),
        device=joined(one.device for one in folds),
        threads=max(one.threads for one in folds),
        replicas=max(one.replicas for one in folds),
        versions={n: joined(one.versions.get(n, "unknown") for one in folds) for n in packages},
        started=min(folds, key=lambda one: datetime.fromisoformat(one.started)).started,
        seconds=round(sum(one.seconds for one in folds), 2),
    )


def _extras(group: Sequence[Record]) -> dict:
    """Return the extras that have one entry per test clip, in the order of the pooled clips."""
    clips = [record.predictions["test"].id for record in group]
    order = np.argsort([clip for part in clips for clip in part], kind="stable")
    lengths = [len(part) for part in clips]
    extras = [record.model_extra or {} for record in group]
    shared = [name for name in extras[0] if all(name in extra for extra in extras)]
    joined = {name: _joined([extra[name] for extra in extras], lengths, order) for name in shared}
    return {name: values for name, values in joined.items() if values is not None}


def _joined(folds: Sequence, lengths: Sequence[int], order: np.ndarray) -> dict | list | None:
    """Return one extra of all folds; None unless every list in it has an entry per test clip."""
    if all(isinstance(values, dict) for values in folds):
        if any(set(values) != set(folds[0]) for values in folds):
            return None
        parts = {key: _joined([v[key] for v in folds], lengths, order) for key in folds[0]}
        return None if None in parts.values() else parts
    if not all(isinstance(values, list) for values in folds):
        return None
    if [len(values) for values in folds] != list(lengths):
        return None
    together = [entry for values in folds for entry in values]
    return [together[place] for place in order]
