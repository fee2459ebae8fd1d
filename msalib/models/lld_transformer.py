"""The Transformer on openSMILE frames, one of two models of hand-crafted sound in MMML's Table 2.

Wu et al., "Multimodal multi-loss fusion network for sentiment analysis", NAACL 2024, appendix A.2.
Authors' code: https://github.com/zehuiwu/MMML (f558b1a).
Specification: papers/mmml.md (c), audio baselines of Table 2, and (g) 8; written from it, without
the authors' code.

Idea: low-level descriptors, one frame every few hundredths of a second, are read by a small
Transformer; a learned vector in front of them collects what one linear layer needs.

``positions`` names what the positional code does. ``time`` is the usual one: step t gets sinusoids
of t, one frequency for each pair of features. ``channel_slip`` is the release, whose tensor is
(B, T, D) and whose code expects (B, D, T): it takes time for the channels. Feature k of step t gets
the sinusoid of place k at the frequency of channel t. So a step still has a code of its own, a wave
along the features. The later the step, the longer its wave, and late steps hardly differ.

Deviations from the paper: frames are descriptors of eGeMAPS, not of ComParE. The encoder
opensmile-frames gives one every 0.01 s, the step of the release; the recipe of the paper reads
every second one.
Deviations from the release: a batch is padded to its longest clip, and padding is masked. Where the
heads do not divide the stream's width, as with 25 descriptors, a linear map to ``mapped_width``
comes first. The specification does not say which kind of layer it is, so ours is PyTorch's usual
one (post-norm, ReLU); each layer starts from weights of its own. More: ``models.sound``.

Notation: B clips, T steps of the longest, D input features, W width of the Transformer, K outputs.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.models.sound import (
    SOUND,
    Output,
    Scale,
    Training,
    first_frames,
    objective,
    scores,
    width_of,
)

__all__ = ["Config", "LLDTransformer", "Training", "build", "objective"]

Positions = Literal["time", "channel_slip"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["lld_transformer"]
    positions: Positions
    encoder_layers: PositiveInt
    heads: PositiveInt
    feed_forward: PositiveInt
    mapped_width: PositiveInt  # W where the heads do not divide D
    dropout: float
    every: PositiveInt  # one of so many frames is read
    frames: PositiveInt  # so many are read at most


class LLDTransformer(nn.Module):
    """Frames of D features to K scores per clip."""

    def __init__(self, config: Config, size: int, outputs: int):
        super().__init__()
        self.frames, self.every = config.frames, config.every
        width = size if size % config.heads == 0 else config.mapped_width
        self.scale = Scale(size)
        self.map = nn.Identity() if width == size else nn.Linear(size, width)
        self.first = nn.Parameter(torch.randn(width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, config.heads, config.feed_forward, config.dropout, batch_first=True
            )
            for _ in range(config.encoder_layers)
        )
        self.output = nn.Linear(width, outputs)
        code = positional_code(config.positions, 1 + config.frames, width)
        self.register_buffer("code", code, persistent=False)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features["acoustic"]`` (S, D) and its ``mask`` (B, T), as in Batch."""
        frames, valid = first_frames(
            self.scale(features[SOUND]), mask[SOUND], frames=self.frames, every=self.every
        )
        first = self.first.expand(len(frames), 1, -1)
        states = torch.cat([first, self.map(frames)], 1)
        valid = torch.cat([valid.new_ones(len(valid), 1), valid], 1)
        states = states + self.code[: states.shape[1]]
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=~valid)
        return scores(self.output(states[:, 0]))


def positional_code(positions: Positions, steps: int, width: int) -> Tensor:
    """Return the code of each step, (steps, width), papers/mmml.md (c); see the file's header.

    Step 0 is the learned vector's. The slip has one channel for each step that there may be, so
    that the code of a step does not depend on the clips of its batch.
    """
    if positions == "channel_slip":
        return sinusoids(width, steps).T
    return sinusoids(steps, width)


def sinusoids(count: int, channels: int) -> Tensor:
    """Return sines and cosines, in turn, of places 0 to ``count`` - 1: (count, channels).

    Vaswani et al., "Attention is all you need", section 3.5; an odd number of channels ends with a
    sine.
    """
    even = channels + channels % 2
    rate = 10_000.0 ** (-torch.arange(0, even, 2) / even)
    angle = torch.arange(count)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :channels].contiguous()


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> LLDTransformer:
    """Return the model of a configuration; it reads one layer of the acoustic stream.

    Raises ``UserError`` for other streams, and for heads that divide no width.
    """
    size = width_of(sizes)
    if size % config.heads and config.mapped_width % config.heads:
        raise UserError(
            f"mapped_width {config.mapped_width}",
            found=f"a width that {config.heads} heads do not divide, and neither do they {size}",
            expected=f"a multiple of {config.heads}",
            remedy="Choose another width, or another number of heads.",
        )
    return LLDTransformer(config, size, outputs)
