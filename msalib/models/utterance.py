"""Utterance vectors: one vector per clip and modality, as TFN, LMF and LF-DNN read them in MMSA.

Sound and pictures are averaged over a clip's own frames, then normalised over the batch and taken
through three layers; text goes through an LSTM, whose last state is mapped without activation.
Conventions: the reimplementations of MMSA, which the files tfn and lmf of the parity tests hold.

Notation: B clips of up to T frames, S frames of all of them laid end to end, D input features.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from msalib.base.errors import UserError
from msalib.base.noise import Dropout
from msalib.data.corpus import membership, pad

ORDER = ("acoustic", "visual", "linguistic")
"""Order of the modalities in fusion: sound slowest, text fastest."""


class VectorSubnet(nn.Module):
    """Mean over a clip's frames, batch norm, dropout, three linear layers with ReLU."""

    def __init__(self, *, input_size: int, width: int, dropout: float):
        super().__init__()
        self.norm = nn.BatchNorm1d(input_size)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(
            [nn.Linear(input_size, width), nn.Linear(width, width), nn.Linear(width, width)]
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Encode frames (S, D) with ``mask`` (B, T) to (B, width)."""
        clips = membership(mask, len(x)).to(x)  # (B, S)
        state = self.dropout(self.norm(clips @ x / clips.sum(1, keepdim=True)))
        for layer in self.layers:
            state = layer(state).relu()
        return state


class TextSubnet(nn.Module):
    """Last state of a one-layer LSTM, dropout, a linear layer."""

    def __init__(self, *, input_size: int, hidden_size: int, width: int, dropout: float):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(hidden_size, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Encode frames (S, D) with ``mask`` (B, T) to (B, width)."""
        packed = pack_padded_sequence(
            pad(x, mask), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.lstm(packed)
        return self.output(self.dropout(last[0]))


def known(sizes: Iterable[str]) -> list[str]:
    """Return the modalities among streams in ``ORDER``; another stream is a ``UserError``."""
    if unknown := set(sizes) - set(ORDER):
        raise UserError(
            "inputs of this model",
            found=" and ".join(sorted(unknown)),
            expected=f"some of {', '.join(ORDER)}",
            remedy="Join context and clip (context_kind joined), or choose another model.",
        )
    return [m for m in ORDER if m in sizes]


def subnets(
    sizes: Mapping[str, int],
    *,
    hidden_linguistic: int,
    width: Mapping[str, int],
    dropout: Mapping[str, float],
) -> nn.ModuleDict:
    """Return a subnet for each modality in use; ``width``, ``dropout``: modality -> its value.

    Raises ``UserError`` like ``known``.
    """
    made = {}
    for m in known(sizes):
        settings = {"input_size": sizes[m], "width": width[m], "dropout": dropout[m]}
        if m == "linguistic":
            made[m] = TextSubnet(hidden_size=hidden_linguistic, **settings)
        else:
            made[m] = VectorSubnet(**settings)
    return nn.ModuleDict(made)


def with_one(z: Tensor) -> Tensor:
    """Return vectors (B, d) with a 1 in front, (B, 1 + d), so that products keep single terms."""
    return torch.cat([z.new_ones(len(z), 1), z], 1)
