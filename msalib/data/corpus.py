"""Corpus and Batch: the only place where shapes, masks and splits are defined.

Notation: N clips, S frames of some clips laid end to end, B clips in a batch, T frames of the
longest clip in it (at least 1), L layers of an encoder, D features per frame.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError, unknown
from msalib.data import folds, streams
from msalib.data.streams import MODALITIES as MODALITIES  # callers take it from here
from msalib.data.tasks import Regression, Task

PARTS = ("train", "valid", "test")

SUMS = ("weighted", "uniform")
"""Inputs that take all blocks of an encoder: summed with learned weights, or their mean."""

LAST_TWO = "last_two"
"""Input that takes the outputs of the last two blocks side by side, the last first."""

STACKS = (*SUMS, LAST_TWO)
"""Inputs of several layers: (L, S, D) where others are (S, D)."""

TUNED = "tuned"
"""Input of a fine-tuned encoder: the layer holds tokens (S, 1) or frames of convolutions (S, C)."""

UNIMODAL = {"linguistic": "label_T", "acoustic": "label_A", "visual": "label_V"}
"""Modality -> the column that says what it expresses alone, where a data set was labelled so."""

COLUMNS = ("video", "segment", "text", "label")
"""Columns of every utterance table, besides its index ``id``; tasks say what ``label`` means."""


@dataclass(frozen=True)
class Features:
    """One stream of a corpus: for each layer of its source, all stored clips laid end to end.

    ``layers`` maps a layer number to an array (S, D), possibly a memory map: number k is the
    output of block k, 0 the input to block 1. A source without layers has the single number 1, one
    for a fine-tuned encoder has ``TUNED``.
    ``offsets`` (N + 1) cuts the S frames into clips: clip i is ``[offsets[i]:offsets[i + 1]]``.
    ``unit`` says what one frame is (a token, 0.2 s of speech, a whole clip).
    ``clips`` is None where the stream gives each clip its own frames. With context it is
    (numbers, cuts): the stream gives clip i the stored clips ``numbers[cuts[i]:cuts[i + 1]]``.
    """

    source: str
    unit: str
    layers: Mapping[int | str, np.ndarray]
    offsets: np.ndarray
    provenance: Mapping[str, str] = field(default_factory=dict)
    clips: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def blocks(self) -> tuple[int, ...]:
        """Return the layer numbers that a weighted sum runs over: all but the input, 0."""
        return tuple(k for k in self.layers if k != TUNED and k > 0)

    def lengths(self) -> np.ndarray:
        """Return the frames that the stream gives each clip, (N,)."""
        stored = np.diff(self.offsets)
        if self.clips is None:
            return stored
        numbers, cuts = self.clips
        return np.diff(np.concatenate([[0], stored[numbers].cumsum()])[cuts])

    def select(self, layer: int | str) -> list[np.ndarray]:
        """Return the arrays (S, D) of an input: one of a layer, several of ``STACKS``."""
        if layer in SUMS:
            return [self.layers[k] for k in self.blocks]
        if layer == LAST_TWO and len(self.blocks) > 1:
            return [self.layers[k] for k in sorted(self.blocks)[:-3:-1]]
        if layer not in self.layers:
            remedy = "Choose a layer that the feature store holds."
            raise unknown("layer", layer, [*self.layers, *SUMS], of=self.source, remedy=remedy)
        return [self.layers[layer]]


@dataclass(frozen=True)
class Corpus:
    """Clips with labels, features and named splits.

    ``utterances`` is indexed by clip id and has at least ``COLUMNS``. ``features`` maps a stream
    (``streams.ORDER``) to its frames. ``splits`` maps the name of a split to one of ``PARTS`` per
    clip; ``folds`` makes more of them. ``tasks`` say what can be predicted, the usual task first.
    ``dropped`` says which clips of the source are missing and why, ``dropped_part`` in which part
    of the standard split they were. ``truth`` is what only a simulation knows (None for real data).

    ``media`` maps ``acoustic`` and ``visual`` to a file per clip, in table order, that an encoder
    can read (for ``visual`` also a folder of frames). ``faces`` says how faces are found in the
    pictures (``encoders.faces``). ``notes`` say what a reader of numbers must know: what the
    label is, which convention was chosen, what is unverified.

    ``digests`` are of what was read besides ``COLUMNS``: features, files, further columns
    (``readers.digests``). Built-in data whose records are older than digests have none.
    """

    name: str
    utterances: pd.DataFrame
    features: Mapping[str, Features]
    splits: Mapping[str, pd.Series]
    dropped: Mapping[str, str] = field(default_factory=dict)
    dropped_part: Mapping[str, str] = field(default_factory=dict)
    truth: Mapping | None = None
    media: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    faces: str = "opencv"
    notes: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = (Regression(),)
    digests: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        missing = [c for c in COLUMNS if c not in self.utterances]
        if missing:
            raise ValueError(f"utterance table lacks {missing}; it needs {COLUMNS}")
        if self.utterances.index.name != "id" or not self.utterances.index.is_unique:
            raise ValueError("utterance table must be indexed by a unique column named 'id'")
        for stream, features in self.features.items():
            if stream not in streams.ORDER:
                raise ValueError(f"stream {stream!r} is not one of {streams.ORDER}")
            lengths = features.lengths()
            if len(lengths) != len(self):
                raise ValueError(
                    f"{stream} features cut {len(lengths)} clips, the table has {len(self)}"
                )
            if len(self) and lengths.min() < 1 and not streams.is_context(stream):
                raise ValueError(f"{stream} features have a clip without frames")
        for modality, files in self.media.items():
            if modality not in ("visual", "acoustic") or len(files) != len(self):
                raise ValueError(f"media {modality!r} need a file for each of {len(self)} clips")
        for name, split in self.splits.items():
            if not split.index.equals(self.utterances.index) or not set(split) <= set(PARTS):
                raise ValueError(f"split {name!r} must give one of {PARTS} for every clip id")

    def __len__(self) -> int:
        return len(self.utterances)

    def fingerprint(self) -> str:
        """Return the SHA-256 of ids, videos, texts, labels, splits, simulated features, digests.

        Features carry their own provenance, too. What is derived from all this, context and folds,
        does not count.
        """
        table = self.utterances[list(COLUMNS)].assign(**dict(self.splits))
        simulated = [
            features.provenance.get("sha256", "")
            for stream, features in self.features.items()
            if not streams.is_context(stream)
        ]
        content = table.to_csv(float_format="%.6g") + "".join(simulated)
        if self.digests:
            content += json.dumps(dict(self.digests), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def rows(self, part: str, split: str) -> np.ndarray:
        """Return the row numbers of one part of a split, in table order.

        The split is one of ``splits``, or one that ``folds`` makes.
        """
        parts = self.splits.get(split)
        if parts is None:
            parts = folds.parts(self, split)
        return np.flatnonzero((parts == part).to_numpy())

    @property
    def task(self) -> Task:
        """Return the usual task."""
        return self.tasks[0]

    def with_features(self, stream: str, features: Features) -> "Corpus":
        """Return a copy of this corpus that holds ``features`` for ``stream``."""
        return replace(self, features={**self.features, stream: features})

    def subsample(self, rows: np.ndarray, share: float, seed: int) -> np.ndarray:
        """Draw a share of these clips, video by video in random order; smaller ones are nested."""
        if share == 1:
            return rows
        video = self.utterances["video"].to_numpy()[rows]
        names, number = np.unique(video, return_inverse=True)
        rank = np.random.default_rng(seed).permutation(len(names))[number]
        order = np.argsort(rank, kind="stable")
        return np.sort(rows[order[: round(share * len(rows))]])

    def examples(
        self,
        rows: np.ndarray,
        *,
        inputs: Mapping[str, int | str],
        device: str = "cpu",
        task: Task | None = None,
    ) -> "Examples":
        """Return these clips, ready to batch, with the labels of ``task``, by default the usual.

        ``inputs`` maps a stream to a layer number or one of ``STACKS``.
        """
        missing = [stream for stream in inputs if stream not in self.features]
        if missing:
            raise UserError(
                f"corpus {self.name}",
                found=f"no {', '.join(missing)} features",
                expected=f"one or more of: {', '.join(self.features) or 'none'}",
                remedy="Leave that modality out, or encode it first (msalib encode).",
            )
        ordered = {stream: inputs[stream] for stream in streams.ordered(inputs)}
        return Examples(self, rows, ordered, device, task or self.task)


@dataclass(frozen=True)
class Batch:
    """B clips, their frames laid end to end as in ``Features``: padding costs nothing until asked.

    ``features[m]`` is (S, D), or (L, S, D) for several layers (``STACKS``). ``mask[m]`` is (B, T),
    true where a clip has a frame, so that frame s belongs to the s-th true place. A clip may have
    no frame of a context; if no clip has one, S is 0 and T is 1. ``label`` is (B,): float32, or
    int64 for classes.
    """

    features: Mapping[str, "torch.Tensor"]  # noqa: F821 - torch loads on use
    mask: Mapping[str, "torch.Tensor"]  # noqa: F821
    label: "torch.Tensor"  # noqa: F821

    def split(self, size: int) -> list["Batch"]:
        """Return the same clips in the same order as batches of ``size``; no frame is copied."""
        counts = range(0, len(self.label), size)
        pieces = [{"features": {}, "mask": {}} for _ in counts]
        for m, frames in self.features.items():
            masks = self.mask[m].split(size)
            lengths = [mask.sum(1) for mask in masks]
            cuts = [int(length.sum()) for length in lengths]
            for piece, part, mask, length in zip(
                pieces, frames.split(cuts, dim=-2), masks, lengths, strict=True
            ):
                piece["features"][m] = part
                piece["mask"][m] = mask[:, : max(1, int(length.max()))]
        labels = self.label.split(size)
        return [Batch(**piece, label=label) for piece, label in zip(pieces, labels, strict=True)]


def pad(frames: "torch.Tensor", mask: "torch.Tensor", fill: float = 0.0) -> "torch.Tensor":  # noqa: F821
    """Put frames (S, D) in their places in (B, T, D), ``fill`` elsewhere."""
    padded = frames.new_full((*mask.shape, frames.shape[-1]), fill)
    padded[mask] = frames
    return padded


def membership(mask: "torch.Tensor", frames: int) -> "torch.Tensor":  # noqa: F821
    """Return which clip each frame belongs to, (B, S): true where clip b has frame s.

    The S frames lie end to end. S may be larger than the number of frames in ``mask`` (B, T): what
    is beyond belongs to no clip.
    """
    import torch

    length = mask.sum(1, keepdim=True)
    end = length.cumsum(0)
    place = torch.arange(frames, device=mask.device)
    return (place >= end - length) & (place < end)


class Examples:
    """Clips of one part on one device; ``batch`` puts any choice of them together.

    ``unimodal`` has the labels (N,) of each modality that was labelled by itself; none beside
    classes. A layer stays in its stored precision: on a CPU in its memory map, elsewhere as a copy
    of the frames that these clips need. Only the frames of a batch are made float32; tokens stay
    integers.
    """

    def __init__(self, corpus: Corpus, rows: np.ndarray, inputs: dict, device: str, task: Task):
        import torch

        table = corpus.utterances.iloc[rows]
        self.ids = table.index
        self.videos = table["video"].to_numpy()
        self.inputs = inputs
        self.device = device
        self.task = task
        label = torch.tensor(task.labels(table), device=device)
        self.label = label.float() if label.is_floating_point() else label
        self.unimodal = {
            m: torch.tensor(table[column].to_numpy(float), device=device).float()
            for m, column in UNIMODAL.items()
            if task.outputs == 1 and column in table and table[column].notna().all()
        }
        self._frames = {
            stream: _Frames(corpus.features[stream], rows, layer, device)
            for stream, layer in inputs.items()
        }

    def __len__(self) -> int:
        return len(self.ids)

    def size(self, stream: str) -> int:
        """Return D, the features per frame."""
        return self._frames[stream].layers[0].shape[1]

    def lengths(self, stream: str) -> "torch.Tensor":  # noqa: F821
        """Return the frames per clip, (N,), on the CPU."""
        return self._frames[stream].lengths

    def batch(self, rows: "torch.Tensor") -> Batch:  # noqa: F821
        """Return the clips with these positions (a CPU tensor of integers, (B,))."""
        import torch

        features, masks = {}, {}
        for stream, layer in self.inputs.items():
            frames = self._frames[stream]
            index = frames.index(rows).to(self.device)  # (S,) frames to take
            layers = [values.index_select(0, index) for values in frames.layers]
            layers = [x.float() if x.is_floating_point() else x for x in layers]
            features[stream] = torch.stack(layers) if layer in STACKS else layers[0]
            length = frames.lengths[rows]
            step = torch.arange(max(1, int(length.max())))
            masks[stream] = (step < length[:, None]).to(self.device)
        return Batch(features, masks, self.label[rows.to(self.device)])

    def batches(self, size: int):
        """Yield all clips in table order, ``size`` at a time, the last batch smaller."""
        import torch

        for rows in torch.arange(len(self)).split(size):
            yield self.batch(rows)


class _Frames:
    """The frames of some clips of one stream: arrays of its layers, and where each clip lies."""

    def __init__(self, features: Features, rows: np.ndarray, layer: int | str, device: str):
        import torch

        self.lengths = torch.as_tensor(features.lengths()[rows].astype(np.int64))
        stored = rows  # numbers of the stored clips that these clips consist of
        self.pieces = None  # and of which of those each clip consists: first, count
        if features.clips is not None:
            numbers, cuts = features.clips
            count = torch.as_tensor(np.diff(cuts)[rows])
            self.pieces = count.cumsum(0) - count, count
            stored = numbers[_ranges(torch.as_tensor(cuts[:-1][rows]), count).numpy()]
        start = features.offsets[:-1][stored].astype(np.int64)
        length = np.diff(features.offsets)[stored].astype(np.int64)
        layers = features.select(layer)
        if device != "cpu":
            _, first, place = np.unique(stored, return_index=True, return_inverse=True)
            kept = torch.as_tensor(start[first]), torch.as_tensor(length[first])
            frames = _ranges(*kept).numpy()
            layers = [values[frames] for values in layers]
            start = (kept[1].cumsum(0) - kept[1]).numpy()[place]
        self.layers = [torch.as_tensor(values, device=device) for values in layers]
        self.start, self.length = torch.as_tensor(start), torch.as_tensor(length)

    def index(self, rows: "torch.Tensor") -> "torch.Tensor":  # noqa: F821
        """Return the numbers (S,) of the frames of these clips, laid end to end."""
        if self.pieces is not None:
            first, count = self.pieces
            rows = _ranges(first[rows], count[rows])
        return _ranges(self.start[rows], self.length[rows])


def _ranges(start: "torch.Tensor", length: "torch.Tensor") -> "torch.Tensor":  # noqa: F821
    """Return start, start + 1, ... for each of the ranges (P,), one range after the other."""
    import torch

    shift = (start - length.cumsum(0) + length).repeat_interleave(length)
    return torch.arange(len(shift)) + shift
