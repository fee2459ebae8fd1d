"""Packed clips: the blocks of a speech model on the frames of a batch laid end to end.

No linear map, norm or dropout computes on padding, and no clip sees another. Three modules of a
model would mix clips. ``pack`` replaces them:

- Attention, by PyTorch's fused attention on one clip after the other; WavLM's attention, which
  transformers has in no fused form, reads a padded batch with a mask.
- Positional convolutions. They read a padded batch: zeros follow a clip, as in a batch that the
  model's library pads. Where several convolutions lie on one another (Data2Vec has five), or a
  batch norm comes first, the first turns these zeros into something else, which a clip's last
  frames then see. So the batch is longer than its longest clip by as much as they reach
  (``reach``), and what a clip gets does not depend on the clips beside it.
"""

import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ATTENTION = "clip by clip"
"""Name of the attention below in transformers' list."""


class Layout:
    """Where the frames of the present batch belong: B clips, S frames laid end to end."""

    def __init__(self):
        self.lengths: list[int] = []
        self.longest = 0
        self._row = self._step = torch.empty(0, dtype=torch.long)

    def set(self, mask: Tensor) -> None:
        """Take the layout of a mask (B, T); clips without frames are left out."""
        lengths = mask.sum(1)
        self.lengths = lengths[lengths > 0].tolist()
        self.longest = max(self.lengths)
        number = (lengths > 0).cumsum(0) - 1
        row, self._step = mask.nonzero(as_tuple=True)
        self._row = number[row]

    def pad(self, frames: Tensor, width: int) -> Tensor:
        """Put frames (S, D) in their places in (B, width, D), zero elsewhere."""
        flat = frames.new_zeros(len(self.lengths) * width, frames.shape[-1])
        flat = flat.index_copy(0, self._row * width + self._step, frames)
        return flat.view(-1, width, frames.shape[-1])

    def take(self, padded: Tensor) -> Tensor:
        """Return the frames (S, D) of a padded batch (B, width, D)."""
        places = self._row * padded.shape[1] + self._step
        return padded.flatten(0, 1).index_select(0, places)

    def mask(self) -> Tensor:
        """Return where clips have frames, (B, T)."""
        mask = self._row.new_zeros(len(self.lengths), self.longest, dtype=torch.bool)
        mask[self._row, self._step] = True
        return mask


def pack(model: nn.Module, limit: int) -> Layout:
    """Make a speech model read packed clips; return their layout, to be set before each pass.

    ``model.encoder`` then takes (1, S, D). ``limit`` is the length, in frames, to which a batch is
    padded at most; a clip as long has no zeros after it, as where everything is padded to a fixed
    length.
    """
    from transformers import AttentionInterface

    layout = Layout()
    encoder = model.encoder
    encoder.pos_conv_embed = Positions(encoder.pos_conv_embed, layout, limit)
    if model.config.model_type == "wavlm":
        for block in encoder.layers:
            block.attention = Padded(block.attention, layout)
        return layout
    AttentionInterface.register(ATTENTION, attend)
    model.set_attn_implementation(ATTENTION)
    for block in encoder.layers:
        block.attention.layout = layout
    return layout


def attend(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_):
    """Return attention within each clip, (1, S, H, D), for (1, H, S, D), and no weights.

    The signature is that of transformers' attention functions.
    """
    clips = (states.split(module.layout.lengths, dim=2) for states in (query, key, value))
    attended = [
        F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling)
        for q, k, v in zip(*clips, strict=True)
    ]
    return torch.cat(attended, dim=2).transpose(1, 2), None


class Padded(nn.Module):
    """WavLM's attention, whose bias by position needs a padded batch."""

    def __init__(self, attention: nn.Module, layout: Layout):
        super().__init__()
        self.attention, self.layout = attention, layout

    def forward(self, hidden_states, attention_mask=None, position_bias=None, **others):
        padded = self.layout.pad(hidden_states[0], self.layout.longest)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            states, weights, bias = self.attention(
                padded, attention_mask=self.layout.mask(), position_bias=position_bias, **others
            )
        return self.layout.take(states)[None], weights, bias


class Positions(nn.Module):
    """Positional convolutions on a batch that is padded by as much as they reach."""

    def __init__(self, convolution: nn.Module, layout: Layout, limit: int):
        super().__init__()
        self.convolution, self.layout, self.limit = convolution, layout, limit
        self.reach = reach(convolution)

    def forward(self, states: Tensor) -> Tensor:
        longest = self.layout.longest
        width = max(longest, min(longest + self.reach, self.limit))
        return self.layout.take(self.convolution(self.layout.pad(states[0], width)))[None]


def reach(convolution: nn.Module) -> int:
    """Return how many frames of padding a clip sees, beyond the zeros that each convolution adds.

    The first convolution reads zeros either way, unless a batch norm shifts them.
    """
    kernels = [m.kernel_size[0] // 2 for m in convolution.modules() if isinstance(m, nn.Conv1d)]
    shifted = any(isinstance(m, nn.BatchNorm1d) for m in convolution.modules())
    return sum(kernels if shifted else kernels[1:])
