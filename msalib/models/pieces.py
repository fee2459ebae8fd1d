"""Global and local vectors of one modality: a summary of the whole clip, and of n stretches of it.

Leaf layers of GLoMo, papers/glomo.md (c), "Unimodal coding"; written from the specification.

A clip's frames lie at the front of its row. ``mask`` (B, T) is true there; None stands for "read
everything, padding too", as GLoMo's release does. With a mask, nothing depends on what lies beyond
a clip: convolutions see zeros there, no frame attends to it, and a clip's stretches divide its own
length.

Notation: B clips, T frames, D input features, d width, n stretches, L layers.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from msalib.data.corpus import pad
from msalib.models.mult import Encoder

Joining = Literal["time", "features", "sum"]


class Stretches(nn.Module):
    """Adaptive maximum pooling: n stretches of a clip, each to its maximum.

    Stretch i of n covers frames floor(i T / n) to ceil((i + 1) T / n) - 1, so that neighbours may
    share a frame; a clip shorter than n frames repeats some.
    """

    def __init__(self, count: int):
        super().__init__()
        self.count = count

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the maxima of frames (B, T, d) flattened, (B, d n), the width slowest."""
        if mask is None:
            return functional.adaptive_max_pool1d(x.transpose(1, 2), self.count).flatten(1)
        length = mask.sum(1, keepdim=True)
        step = torch.arange(mask.shape[1], device=mask.device)
        maxima = []
        for i in range(self.count):
            start, end = i * length // self.count, -(-(i + 1) * length // self.count)
            inside = (step >= start) & (step < end)
            maxima.append(x.masked_fill(~inside[..., None], -torch.inf).amax(1))
        return torch.stack(maxima, -1).flatten(1)


class Convolution(nn.Module):
    """A convolution over time without bias, D to d; with a mask it reads zeros beyond a clip."""

    def __init__(self, inputs: int, width: int, kernel: int):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, width, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (B, T, d) of frames (B, T, D)."""
        if mask is not None:
            x = x.masked_fill(~mask[..., None], 0.0)
        return self.convolution(x.transpose(1, 2)).transpose(1, 2)


class SequenceCoding(nn.Module):
    """Sound and pictures, or any sequence of frames: convolution, encoder, maxima."""

    def __init__(self, inputs: int, *, kernel: int, count: int, encoder: Encoder, width: int):
        super().__init__()
        self.project = Convolution(inputs, width, kernel)
        self.encoder = encoder
        self.stretches = Stretches(count)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the global vector (B, d) and the local ones (B, d n) of frames (B, T, D)."""
        states = self.encoder(self.project(x, mask), None, None if mask is None else ~mask)
        whole = states if mask is None else states.masked_fill(~mask[..., None], -torch.inf)
        return whole.amax(1), self.stretches(states, mask)


class LayerCoding(nn.Module):
    """The last two layers of a text encoder: the first token, and maxima of a convolution.

    ``joining``: the layers follow each other along time (release), lie side by side as features,
    or are summed.
    """

    def __init__(self, inputs: int, *, kernel: int, count: int, joining: Joining, width: int):
        super().__init__()
        self.joining = joining
        self.first = nn.Linear(inputs, width)  # W_f, b_f
        self.project = Convolution(inputs * (1 + (joining == "features")), width, kernel)
        self.stretches = Stretches(count)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the global vector (B, d) and the local ones (B, d n) of layers (2, B, T, D).

        The last layer comes first.
        """
        whole = self.first(x[0, :, 0])
        if self.joining == "features":
            joined = torch.cat([x[0], x[1]], -1)
        elif self.joining == "sum":
            joined = x[0] + x[1]
        elif mask is None:
            joined = torch.cat([x[0], x[1]], 1)
        else:
            joined, mask = end_to_end(x, mask)
        return whole, self.stretches(self.project(joined, mask), mask)


def end_to_end(x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Join layers (L, B, T, D) of each clip along time, without a gap: (B, L T, D) and its mask."""
    both = mask.repeat(1, len(x))
    length = both.sum(1, keepdim=True)
    joined = torch.arange(both.shape[1], device=mask.device) < length
    return pad(torch.cat([*x], 1)[both], joined), joined


def placed(frames: Tensor, mask: Tensor, longest: int, whole: bool) -> tuple[Tensor, Tensor | None]:
    """Put frames (S, D) or (L, S, D) in their places: (B, T, D) or (L, B, T, D), and their mask.

    At most ``longest`` frames of a clip are kept. ``whole``: T is ``longest`` and there is no mask,
    so that padding is read.
    """
    if frames.dim() == 3:
        layers = [placed(layer, mask, longest, whole) for layer in frames]
        return torch.stack([x for x, _ in layers]), layers[0][1]
    kept = mask[:, :longest]
    if mask.shape[1] > longest:
        step = torch.arange(mask.shape[1], device=mask.device).expand(mask.shape)
        frames = frames[step[mask] < longest]
    x = pad(frames, kept)
    if not whole:
        return x, kept
    return functional.pad(x, (0, 0, 0, longest - x.shape[1])), None
