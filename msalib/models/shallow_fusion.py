"""Shallow fusion: one linear layer on what encoders say of a clip, the baseline of CMT.

Chu et al., "Self-supervised cross-modal pretraining for speech emotion recognition and sentiment
analysis", Findings of EMNLP 2022. Specification: papers/cmt.md (c), baselines, and (d).

Idea: the encoders do all the work. Sound and pictures are averaged over a clip's own frames, text
is its first token; the vectors are joined (sound, pictures, text) and read by one linear layer.
Given sound alone it is the paper's row HuBERT, given text alone its row RoBERTa.

The paper does not say how single encoders are read; the reading above is inferred. Ours, and named
so in the recipe: selection by validation; text without a first token that stands for it (planted
frames) is averaged; features that stay as they are are learned from at a larger rate, after they
were standardised by the training clips. A linear layer could learn that scale, but not at one rate
for features of very different sizes. Behind encoders that are fine-tuned nothing is standardised.

Notation: B clips, S frames of all of them laid end to end, D features, K outputs.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.data.corpus import TUNED, Examples, membership
from msalib.models.utterance import known
from msalib.training.objective import Objective
from msalib.training.regime import Part, Regime, Stream
from msalib.training.streams import Sequential

Pooling = Literal["first", "mean"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["shallow_fusion"]
    text: Pooling  # what is read of the words


class Training(BaseModel):
    """The ``train`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: Literal["l1", "l2"]  # of a score; classes have the cross entropy
    epochs: PositiveInt
    patience: PositiveInt
    batch_size: PositiveInt
    rates: Literal["fine_tuned", "features"]
    learning_rate: PositiveFloat
    learning_rate_features: PositiveFloat

    def regime(self) -> Regime:
        """Return the regime of this recipe: Adam at one constant rate."""
        tuned = self.rates == "fine_tuned"
        part = Part(self.learning_rate if tuned else self.learning_rate_features)
        return Regime(
            epochs=self.epochs,
            batch_size=self.batch_size,
            parts={"model": part} | ({"text": part, "speech": part} if tuned else {}),
            stream=Sequential,
            patience=self.patience,
        )


class Output(NamedTuple):
    """What the model returns."""

    prediction: Tensor  # (B,), or (B, K)


class ShallowFusion(nn.Module):
    """One to three modalities to scores; ``sizes`` maps each in use to its features.

    Pooled vectors are standardised by buffers that ``learn`` sets, and left as they are before.
    """

    def __init__(self, config: Config, sizes: Mapping[str, int], outputs: int):
        super().__init__()
        self.pooling = {m: config.text if m == "linguistic" else "mean" for m in known(sizes)}
        width = sum(sizes[m] for m in self.pooling)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.head = nn.Linear(width, outputs)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) and ``mask[m]`` (B, T), as in Batch."""
        vectors = (self.pooled(features, mask) - self.mean) / self.deviation
        return Output(self.head(vectors).squeeze(-1))

    def pooled(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Tensor:
        """Return a vector (B, D of all modalities) of every clip."""
        return torch.cat(
            [pool(features[m], mask[m], how) for m, how in self.pooling.items()], dim=1
        )

    @torch.no_grad()
    def learn(self, train: Examples) -> None:
        """Take mean and deviation of every pooled feature from the training clips."""
        batches = train.batches(128)
        pooled = torch.cat([self.pooled(b.features, b.mask).double() for b in batches])
        mean, deviation = pooled.mean(0), pooled.std(0, correction=0)
        # A feature that never changes would divide by the rounding error of its own size.
        deviation[deviation <= 1e-6 * mean.abs()] = 1
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)


def pool(x: Tensor, mask: Tensor, how: Pooling) -> Tensor:
    """Return one vector per clip, (B, D), of frames (S, D) with their ``mask`` (B, T)."""
    length = mask.sum(1)
    if how == "first":
        return x[length.cumsum(0) - length]
    return membership(mask, len(x)).to(x) @ x / length[:, None]


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> ShallowFusion:
    """Return the model of a configuration; it reads one layer of each modality.

    Raises ``UserError`` for a stream that is no modality.
    """
    return ShallowFusion(config, sizes, outputs)


def objective(
    training: Training, model: ShallowFusion, train: Examples, stream: Stream
) -> Objective:
    """Return cross-entropy for classes, squared error for a score; standardise what is frozen."""
    if TUNED not in train.inputs.values():
        model.learn(train)
    return Objective(training.error if train.task.outputs == 1 else train.task.error)
