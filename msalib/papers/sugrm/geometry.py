"""Where generated labels come from: the label generators, run on simulated points in a plane.

Everything is computed by the classes of msalib/models: ``targets`` asks a generator for the target
of a clip at any position, ``reached_frames`` asks the windows of SPT what a state can read.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from msalib.data.tasks import LIMIT
from msalib.models.spt import (
    CROSS_WINDOW,
    SELF_WINDOW,
    Shift,
    hidden_windows,
    input_windows,
    states,
)
from msalib.models.ulgm import Labels, SelfMMULGM, SugrmULGM

MODALITY = "acoustic"
"""The modality whose labels are generated; any other would do."""

EDGE = 6.0
"""Pictures show the plane from -EDGE to EDGE."""

LENGTHS = {"linguistic": 50, "acoustic": 375, "visual": 500}
"""Frames of unaligned CMU-MOSI (papers/sugrm.md (c), Inputs)."""

LAYERS = 4


class Plane(NamedTuple):
    """Training clips in a plane that a model might have learned, and both generators on them."""

    label: Tensor  # (N,)
    fused: Tensor  # (N, 2), F_m*
    generators: dict[str, SugrmULGM | SelfMMULGM]

    @property
    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """The centres of positive and of negative clips."""
        generator = self.generators["SUGRM's"]
        return generator.positive.numpy(), generator.negative.numpy()

    @property
    def max_distance(self) -> float:
        return float(self.generators["SUGRM's"].max_distance)


def plane(clips: int = 120, seed: int = 0) -> Plane:
    """Return clips with labels in steps of 0.2, from -3 to 3, and noisy features along them."""
    draw = torch.Generator().manual_seed(seed)
    label = (torch.linspace(-LIMIT, LIMIT, clips) * 5).round() / 5
    noise = torch.randn(clips, 2, generator=draw)
    fused = torch.stack([label, torch.zeros(clips)], 1) * 0.9 + noise * torch.tensor([0.5, 1.0])
    rows = torch.arange(clips)
    generators = {
        "SUGRM's": SugrmULGM(
            label, [MODALITY], width=2, extremes="unique", zero="positive", clamp=True
        ),
        "Self-MM's": SelfMMULGM(
            label, [MODALITY], widths={"multimodal": 2, MODALITY: 2}, zero="positive"
        ),
    }
    for generator in generators.values():  # epoch 1 moves no label and places the centres
        generator.update(1, rows, {"multimodal": fused, MODALITY: fused})
    return Plane(label, fused, generators)


def targets(
    generator: SugrmULGM | SelfMMULGM, annotated: Tensor, fused: Tensor, unimodal: Tensor
) -> np.ndarray:
    """Return the targets (G,) before the clamp of clips with annotated labels (G,).

    ``fused`` and ``unimodal`` (G, 2) are the features of the clips and of their modality. Copies of
    the generator are asked, each for as many clips as it was made for.
    """
    count, results = len(generator.labels.annotated), []
    for start in range(0, len(annotated), count):
        part = [x[start : start + count] for x in (annotated, fused, unimodal)]
        filled = [torch.cat([x, x[-1:].expand(count - len(x), *x.shape[1:])]) for x in part]
        copy = deepcopy(generator)
        copy.labels = Labels(filled[0], [MODALITY], clamp=False)
        copy.update(2, torch.arange(count), {"multimodal": filled[1], MODALITY: filled[2]})
        results.append(copy.labels.raw[MODALITY][: len(part[0])])
    return torch.cat(results).numpy()


def grid(points: int = 81) -> tuple[np.ndarray, Tensor]:
    """Return coordinates (P,) of a square grid over the plane, and its points (P P, 2) by row."""
    line = torch.linspace(-EDGE, EDGE, points)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return line.numpy(), torch.stack([x.flatten(), y.flatten()], 1)


def by_unimodal(plane: Plane, name: str, label: float, fused: tuple[float, float]) -> np.ndarray:
    """Return the targets (P, P) of one clip by the position of its unimodal feature."""
    line, points = grid()
    fixed = torch.tensor(fused).expand(len(points), 2)
    return _one_clip(plane, name, label, fixed, points).reshape(len(line), len(line))


def by_fused(plane: Plane, name: str, label: float, unimodal: tuple[float, float]) -> np.ndarray:
    """Return the targets (P, P) of one clip by the position of its multimodal feature."""
    line, points = grid()
    fixed = torch.tensor(unimodal).expand(len(points), 2)
    return _one_clip(plane, name, label, points, fixed).reshape(len(line), len(line))


def _one_clip(plane: Plane, name: str, label: float, fused: Tensor, unimodal: Tensor) -> np.ndarray:
    """Return the targets (N,) of a clip with this annotated label, for features (N, 2)."""
    return targets(plane.generators[name], torch.full((len(fused),), label), fused, unimodal)


def by_distance(
    plane: Plane, label: float, fused: tuple[float, float], distance: np.ndarray
) -> dict[str, np.ndarray]:
    """Return SUGRM's targets "up" and "down", by distance (N,) towards the centres."""
    start = torch.tensor(fused)
    by_centre = {}
    for name, centre in zip(("up", "down"), plane.centres, strict=True):
        way = torch.tensor(centre) - start
        unimodal = start + torch.tensor(distance, dtype=torch.float32)[:, None] * way / way.norm()
        fixed = start.expand(len(unimodal), 2)
        by_centre[name] = _one_clip(plane, "SUGRM's", label, fixed, unimodal)
    return by_centre


# --- windows ------------------------------------------------------------------------------------


def windows(length: int, *, layer: int, shift: Shift) -> np.ndarray:
    """Return which frames each state reads in its own input attention: (H, L) bool."""
    count = int(states(torch.tensor(length)))
    index = input_windows(torch.tensor([length]), torch.arange(count), layer=layer, shift=shift)
    reads = np.zeros((count, length), bool)
    reads[np.arange(count), index[0].numpy()] = True
    return reads


def reached_frames(
    lengths: Mapping[str, int] = LENGTHS, *, shift: Shift, layers: int = LAYERS
) -> dict[str, dict[str, np.ndarray]]:
    """Return which frames can reach the last state of each modality.

    The result maps target -> source -> (L,) bool. Sets of frames are passed on as the forward pass
    of SPT passes states on: input attention to the own frames, cross attention to the old states of
    the others, self attention to the own states.
    """
    count = {m: int(states(torch.tensor(n))) for m, n in lengths.items()}
    edges = np.cumsum([0, *lengths.values()])
    span = {m: slice(a, b) for m, a, b in zip(lengths, edges[:-1], edges[1:], strict=True)}
    reach = {m: np.zeros((count[m], edges[-1]), bool) for m in lengths}
    for layer in range(layers):
        for m, n in lengths.items():
            reach[m][:, span[m]] |= windows(n, layer=layer, shift=shift)
        old = {m: frames.copy() for m, frames in reach.items()}
        for m in lengths:
            for source in lengths:
                if source != m:
                    index = _hidden(count[source], count[m], layer, CROSS_WINDOW)
                    reach[m] |= old[source][index].any(0)
        for m in lengths:
            reach[m] |= reach[m][_hidden(count[m], count[m], layer, SELF_WINDOW)].any(0)
    return {m: {s: reach[m][-1, span[s]] for s in lengths} for m in lengths}


def _hidden(context: int, count: int, layer: int, window: int) -> np.ndarray:
    """Return the rows of states that ``count`` states read: (window, count)."""
    index = hidden_windows(
        torch.tensor([context]), torch.arange(count), layer=layer, window=window, size=window
    )
    return index[0].numpy()
