"""The convolutional network on mel spectrograms, one of two models of sound in MMML's Table 2.

Wu et al., "Multimodal multi-loss fusion network for sentiment analysis", NAACL 2024, appendix A.2.
Authors' code: https://github.com/zehuiwu/MMML (f558b1a).
Specification: papers/mmml.md (c), audio baselines of Table 2, and (g) 8; written from it, without
the authors' code.

Idea: a spectrogram is a picture of bands and time; each block halves both and doubles the channels,
and the mean of what is left is read by a linear layer.

Padding must not change a prediction. The release puts each clip at a random place in six seconds
of silence, in testing too, so that one clip has several predictions. Ours pads at the end and
counts valid frames only, in three places:
- After each block, what lies beyond a clip is set to zero. A convolution assumes the same beyond
  the end of its input. With stride 2 and an odd kernel, n frames become ceil(n / 2).
- Batch normalisation takes its statistics from valid frames, in training too. The release counts
  the silence that it adds.
- The mean before the last layer runs over valid frames and all bands.

Other deviations from the release: one mean and one deviation, those of the training set, where the
release has constants that the specification does not give. Beyond the end lies zero, then the mean
level, not silence. With two channels, which are copies of one sound, the first block has twice the
weights and can do nothing more.
Deviations from the paper: no ResNet, which the release does not have either. The paper's eight
layers are read as five convolutions and three linear layers. The spectrogram comes from the encoder
log-mel. More: ``models.sound``.

Notation: B clips, T frames of the longest, F bands, C channels, S valid frames, K outputs.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn

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

__all__ = ["Config", "MelCNN", "Training", "build", "objective"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["mel_cnn"]
    channels: Literal[1, 2]  # of the input; two are copies
    first_width: PositiveInt  # channels of the first block, doubled by each other block
    blocks: PositiveInt
    first_kernel: Literal[3, 5, 7]
    kernel: Literal[3, 5, 7]
    linear_layers: PositiveInt
    frames: PositiveInt  # so many are read at most


class Block(nn.Module):
    """Convolution with stride 2, ReLU, batch normalisation of valid frames."""

    def __init__(self, inputs: int, outputs: int, kernel: int):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2)
        self.norm = nn.BatchNorm1d(outputs)
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")
        nn.init.zeros_(self.convolution.bias)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Halve (B, C, T, F), zero where ``mask`` (B, T) is false; return the same of the half."""
        mask = mask[:, ::2]  # frame j of the half is centred on frame 2 j
        states = self.convolution(x).relu().transpose(1, 2)  # (B, T / 2, C, F / 2)
        normed = torch.zeros_like(states)
        normed[mask] = self.norm(states[mask])  # of (S, C, F / 2)
        return normed.transpose(1, 2), mask


class MelCNN(nn.Module):
    """Frames of F bands to K scores per clip."""

    def __init__(self, config: Config, outputs: int):
        super().__init__()
        self.channels, self.frames = config.channels, config.frames
        widths = [config.channels, *(config.first_width * 2**n for n in range(config.blocks))]
        kernels = [config.first_kernel] + [config.kernel] * (config.blocks - 1)
        self.scale = Scale(1)
        self.blocks = nn.ModuleList(
            Block(*pair, kernel) for pair, kernel in zip(pairwise(widths), kernels, strict=True)
        )
        last = widths[-1]
        sizes = [last] * config.linear_layers + [outputs]
        self.linear = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features["acoustic"]`` (S, F) and its ``mask`` (B, T), as in Batch."""
        frames, valid = first_frames(self.scale(features[SOUND]), mask[SOUND], frames=self.frames)
        states = frames[:, None].expand(-1, self.channels, -1, -1)
        for block in self.blocks:
            states, valid = block(states, valid)
        # All places beyond a clip are zero, so the sum needs no mask.
        state = states.mean(3).sum(2) / valid.sum(1, keepdim=True)
        for layer in self.linear:
            state = layer(state.relu())
        return scores(state)


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> MelCNN:
    """Return the model of a configuration; it reads one layer of the acoustic stream.

    Raises ``UserError`` for other streams.
    """
    width_of(sizes)
    return MelCNN(config, outputs)
