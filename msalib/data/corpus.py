"""Corpus and Batch: the only place where shapes, masks and splits are defined.

Notation: N clips, S frames of some clips laid end to end, B clips in a batch, T frames of the
longest clip in it, L layers of an encoder, D features per frame.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.base.errors import UserError

MODALITIES = ("visual", "acoustic", "linguistic")
"""Order of the modalities in every concatenation (UEGD: z_v, z_a, z_l)."""

PARTS = ("train", "valid", "test")

SUMS = ("weighted", "uniform")
"""Inputs that take all blocks of an encoder: summed with learned weights, or their mean."""

TUNED = "tuned"
"""Input of an encoder that is trained along: the layer's place holds word pieces, (S, 1)."""

COLUMNS = ("video", "segment", "text", "label")
"""What every utterance table has, beside its index ``id``; ``label`` is sentiment from -3 to 3."""


@dataclass(frozen=True)
class Features:
    """One modality of a corpus: for each layer of its source, all clips laid end to end.

    ``layers`` maps a layer number to an array (S, D), possibly a memory map: number k is the
    output of block k, 0 the input to block 1; a source without layers has the single number 1, and
    one for an encoder that is trained along has ``TUNED``.
    ``offsets`` (N + 1) cuts the S frames into clips: clip i is ``[offsets[i]:offsets[i + 1]]``.
    ``unit`` says what one frame is (a word piece, 0.2 s of speech, a whole clip).
    """

    source: str
    unit: str
    layers: Mapping[int | str, np.ndarray]
    offsets: np.ndarray
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Layer numbers that a weighted sum runs over: all but the input, 0."""
        return tuple(k for k in self.layers if k != TUNED and k > 0)

    def lengths(self) -> np.ndarray:
        """Frames per clip, (N,)."""
        return np.diff(self.offsets)

    def select(self, layer: int | str) -> list[np.ndarray]:
        """The arrays (S, D) of an input: those of one layer, or of all blocks for ``SUMS``."""
        if layer in SUMS:
            return [self.layers[k] for k in self.blocks]
        if layer not in self.layers:
            raise UserError(
                f"layer {layer!r} of {self.source}",
                found="no such layer",
                expected=f"one of {', '.join(map(str, [*self.layers, *SUMS]))}",
                remedy="Choose a layer that the feature store holds.",
            )
        return [self.layers[layer]]


@dataclass(frozen=True)
class Corpus:
    """Clips with labels, features and named splits.

    ``utterances`` is indexed by clip id and has at least ``COLUMNS``. ``splits`` maps the name of
    a split to one of ``PARTS`` per clip. ``dropped`` says which clips of the source are not here
    and why, ``dropped_part`` in which part of the standard split they were. ``truth`` is what a
    simulation knows and data do not (None for real data).

    ``media`` maps ``acoustic`` and ``visual`` to a file per clip, in table order, that an encoder
    can be given (for ``visual`` also a folder of frames); ``faces`` says how faces are found in
    the pictures (``encoders.faces``). ``notes`` say what a reader of numbers must know: what the
    label is, which convention was chosen, what is unverified.
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

    def __post_init__(self):
        missing = [c for c in COLUMNS if c not in self.utterances]
        if missing:
            raise ValueError(f"utterance table lacks {missing}; it needs {COLUMNS}")
        if self.utterances.index.name != "id" or not self.utterances.index.is_unique:
            raise ValueError("utterance table must be indexed by a unique column named 'id'")
        for modality, features in self.features.items():
            if modality not in MODALITIES:
                raise ValueError(f"modality {modality!r} is not one of {MODALITIES}")
            if len(features.offsets) != len(self) + 1:
                raise ValueError(
                    f"{modality} features cut {len(features.offsets) - 1} clips, "
                    f"the table has {len(self)}"
                )
            if len(self) and features.lengths().min() < 1:
                raise ValueError(f"{modality} features have a clip without frames")
        for modality, files in self.media.items():
            if modality not in ("visual", "acoustic") or len(files) != len(self):
                raise ValueError(f"media {modality!r} need a file for each of {len(self)} clips")
        for name, split in self.splits.items():
            if not split.index.equals(self.utterances.index) or not set(split) <= set(PARTS):
                raise ValueError(f"split {name!r} must give one of {PARTS} for every clip id")

    def __len__(self) -> int:
        return len(self.utterances)

    def fingerprint(self) -> str:
        """SHA-256 of ids, videos, texts, labels, splits and simulated features.

        Features of real data carry their own provenance.
        """
        table = self.utterances[list(COLUMNS)].assign(**dict(self.splits))
        simulated = [f.provenance.get("sha256", "") for f in self.features.values()]
        content = table.to_csv(float_format="%.6g") + "".join(simulated)
        return hashlib.sha256(content.encode()).hexdigest()

    def rows(self, part: str, split: str) -> np.ndarray:
        """Row numbers of one part of a split, in table order."""
        if split not in self.splits:
            raise UserError(
                f"split {split!r} of {self.name}",
                found="no such split",
                expected=f"one of {', '.join(self.splits)}",
                remedy="Name a split that the corpus has.",
            )
        return np.flatnonzero((self.splits[split] == part).to_numpy())

    def with_features(self, modality: str, features: Features) -> "Corpus":
        """A copy of this corpus that holds ``features`` for ``modality``."""
        return replace(self, features={**self.features, modality: features})

    def subsample(self, rows: np.ndarray, share: float, seed: int) -> np.ndarray:
        """A share of these clips, video by video in random order; smaller ones are nested."""
        if share == 1:
            return rows
        video = self.utterances["video"].to_numpy()[rows]
        names, number = np.unique(video, return_inverse=True)
        rank = np.random.default_rng(seed).permutation(len(names))[number]
        order = np.argsort(rank, kind="stable")
        return np.sort(rows[order[: round(share * len(rows))]])

    def examples(
        self, rows: np.ndarray, *, inputs: Mapping[str, int | str], device: str = "cpu"
    ) -> "Examples":
        """These clips, ready to batch; ``inputs``: modality to layer number or one of ``SUMS``."""
        missing = [m for m in inputs if m not in self.features]
        if missing:
            raise UserError(
                f"corpus {self.name}",
                found=f"no {', '.join(missing)} features",
                expected=f"one or more of: {', '.join(self.features) or 'none'}",
                remedy="Leave that modality out, or encode it first (msalib encode).",
            )
        ordered = {m: inputs[m] for m in MODALITIES if m in inputs}
        return Examples(self, rows, ordered, device)


@dataclass(frozen=True)
class Batch:
    """B clips, their frames laid end to end as in ``Features``: padding costs nothing until asked.

    ``features[m]`` is (S, D), or (L, S, D) for a sum of layers; ``mask[m]`` is (B, T), true where
    a clip has a frame, so that frame s belongs to the s-th true place; ``label`` is (B,).
    """

    features: Mapping[str, "torch.Tensor"]  # noqa: F821 - torch loads on use
    mask: Mapping[str, "torch.Tensor"]  # noqa: F821
    label: "torch.Tensor"  # noqa: F821

    def split(self, size: int) -> list["Batch"]:
        """The same clips in the same order as batches of ``size``; no frame is copied."""
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
                piece["mask"][m] = mask[:, : int(length.max())]
        labels = self.label.split(size)
        return [Batch(**piece, label=label) for piece, label in zip(pieces, labels, strict=True)]


def pad(frames: "torch.Tensor", mask: "torch.Tensor", fill: float = 0.0) -> "torch.Tensor":  # noqa: F821
    """Frames (S, D) to their places in (B, T, D), ``fill`` elsewhere."""
    padded = frames.new_full((*mask.shape, frames.shape[-1]), fill)
    padded[mask] = frames
    return padded


def membership(mask: "torch.Tensor", frames: int) -> "torch.Tensor":  # noqa: F821
    """Whose frames are whose, (B, S): clip b has frame s of the S that lie end to end.

    S may be larger than ``mask`` (B, T) has frames; what is beyond belongs to no clip.
    """
    import torch

    length = mask.sum(1, keepdim=True)
    end = length.cumsum(0)
    place = torch.arange(frames, device=mask.device)
    return (place >= end - length) & (place < end)


class Examples:
    """Clips of one part on one device; ``batch`` puts any choice of them together.

    A layer stays in its stored precision: on a CPU in its memory map, elsewhere as a copy of the
    frames of these clips. Only the frames of a batch are made float32; word pieces stay integers.
    """

    def __init__(self, corpus: Corpus, rows: np.ndarray, inputs: dict, device: str):
        import torch

        self.ids = corpus.utterances.index[rows]
        self.videos = corpus.utterances["video"].to_numpy()[rows]
        self.inputs = inputs
        self.device = device
        label = corpus.utterances["label"].to_numpy(np.float32)[rows]
        self.label = torch.as_tensor(label, device=device)
        self._frames, self._start, self._length = {}, {}, {}
        for modality, layer in inputs.items():
            features = corpus.features[modality]
            start = features.offsets[:-1][rows].astype(np.int64)
            length = features.lengths()[rows].astype(np.int64)
            layers = features.select(layer)
            if device != "cpu":
                own = np.repeat(start - length.cumsum() + length, length) + np.arange(length.sum())
                layers = [a[own] for a in layers]
                start = length.cumsum() - length
            self._frames[modality] = [torch.as_tensor(a, device=device) for a in layers]
            self._start[modality] = torch.as_tensor(start)
            self._length[modality] = torch.as_tensor(length)

    def __len__(self) -> int:
        return len(self.ids)

    def size(self, modality: str) -> int:
        """D, features per frame."""
        return self._frames[modality][0].shape[1]

    def lengths(self, modality: str) -> "torch.Tensor":  # noqa: F821
        """Frames per clip, (N,), on the CPU."""
        return self._length[modality]

    def batch(self, rows: "torch.Tensor") -> Batch:  # noqa: F821
        """The clips with these positions (a CPU tensor of integers, (B,))."""
        import torch

        features, masks = {}, {}
        for modality, layer in self.inputs.items():
            start, length = self._start[modality][rows], self._length[modality][rows]
            end = length.cumsum(0)
            shift = (start - end + length).repeat_interleave(length)
            index = (torch.arange(len(shift)) + shift).to(self.device)  # (S,) frames to take
            layers = [frames.index_select(0, index) for frames in self._frames[modality]]
            layers = [x.float() if x.is_floating_point() else x for x in layers]
            features[modality] = torch.stack(layers) if layer in SUMS else layers[0]
            step = torch.arange(int(length.max()))
            masks[modality] = (step < length[:, None]).to(self.device)
        return Batch(features, masks, self.label[rows.to(self.device)])

    def batches(self, size: int):
        """All clips in table order, ``size`` at a time, the last batch smaller."""
        import torch

        for rows in torch.arange(len(self)).split(size):
            yield self.batch(rows)
