"""Where generated labels come from, on made-up points in a plane: the generators themselves, run.

Nothing is drawn here that the classes of msalib/models do not compute: ``targets`` asks a generator
for the target of any clip at any place, ``seen`` asks the windows of SPT what a state can read.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from msalib.models.spt import (
    CROSS_WINDOW,
    SELF_WINDOW,
    Shift,
    hidden_windows,
    input_windows,
    states,
)
from msalib.models.ulgm import LIMIT, Labels, SelfMMULGM, SugrmULGM

MODALITY = "acoustic"
"""The one whose labels are made; any other would do."""

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
        """Of positive and of negative clips."""
        own = self.generators["SUGRM's"]
        return own.positive.numpy(), own.negative.numpy()

    @property
    def max_distance(self) -> float:
        return float(self.generators["SUGRM's"].max_distance)


def plane(clips: int = 120, seed: int = 0) -> Plane:
    """Labels in steps of 0.2, some of them -3 and 3; features along them with some noise."""
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


def targets(generator, given: Tensor, fused: Tensor, own: Tensor) -> np.ndarray:
    """Targets before the clamp (G,) of clips labelled ``given`` (G,) at these places (G, 2).

    The generator is asked in copies, as many clips at a time as it was made for.
    """
    count, found = len(generator.labels.annotated), []
    for start in range(0, len(given), count):
        part = [x[start : start + count] for x in (given, fused, own)]
        filled = [torch.cat([x, x[-1:].expand(count - len(x), *x.shape[1:])]) for x in part]
        asked = deepcopy(generator)
        asked.labels = Labels(filled[0], [MODALITY], clamp=False)
        shared = {"multimodal": filled[1], MODALITY: filled[2]}
        asked.update(2, torch.arange(count), shared)
        found.append(asked.labels.raw[MODALITY][: len(part[0])])
    return torch.cat(found).numpy()


def grid(points: int = 81) -> tuple[np.ndarray, Tensor]:
    """Coordinates (P,) of a square grid over the plane, and its places (P P, 2), row by row."""
    line = torch.linspace(-EDGE, EDGE, points)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return line.numpy(), torch.stack([x.flatten(), y.flatten()], 1)


def over_own(made_up: Plane, name: str, given: float, fused: tuple[float, float]) -> np.ndarray:
    """Targets (P, P) of one clip, by where the feature of its modality lies."""
    line, places = grid()
    still = torch.tensor(fused).expand(len(places), 2)
    return _one_clip(made_up, name, given, still, places).reshape(len(line), len(line))


def over_fused(made_up: Plane, name: str, given: float, own: tuple[float, float]) -> np.ndarray:
    """The same by where the multimodal feature lies, the feature of the modality staying."""
    line, places = grid()
    still = torch.tensor(own).expand(len(places), 2)
    return _one_clip(made_up, name, given, places, still).reshape(len(line), len(line))


def _one_clip(made_up: Plane, name: str, given: float, fused: Tensor, own: Tensor) -> np.ndarray:
    """Targets (N,) of a clip with this label, for features (N, 2) of it and of its modality."""
    return targets(made_up.generators[name], torch.full((len(own),), given), fused, own)


def by_distance(
    made_up: Plane, given: float, fused: tuple[float, float], distance: np.ndarray
) -> dict[str, np.ndarray]:
    """SUGRM's targets where the modality lies so far towards a centre, "up" and "down"."""
    start = torch.tensor(fused)
    found = {}
    for name, centre in zip(("up", "down"), made_up.centres, strict=True):
        way = torch.tensor(centre) - start
        own = start + torch.tensor(distance, dtype=torch.float32)[:, None] * way / way.norm()
        found[name] = _one_clip(made_up, "SUGRM's", given, start.expand(len(own), 2), own)
    return found


# --- windows ------------------------------------------------------------------------------------


def windows(length: int, *, layer: int, shift: Shift) -> np.ndarray:
    """Which frames each state of a sequence reads in its own input attention: (H, L) bool."""
    count = int(states(torch.tensor(length)))
    index = input_windows(torch.tensor([length]), torch.arange(count), layer=layer, shift=shift)
    found = np.zeros((count, length), bool)
    found[np.arange(count), index[0].numpy()] = True
    return found


def seen(
    lengths: Mapping[str, int] = LENGTHS, *, shift: Shift, layers: int = LAYERS
) -> dict[str, dict[str, np.ndarray]]:
    """Which frames can reach the last state of each modality: target -> source -> (L,) bool.

    Sets of frames are passed on as the forward pass of SPT passes states on: input attention to the
    own frames, cross attention to the old states of the others, self attention to the own states.
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
    """Rows of states that ``count`` states read: (window, count)."""
    index = hidden_windows(
        torch.tensor([context]), torch.arange(count), layer=layer, window=window, size=window
    )
    return index[0].numpy()
