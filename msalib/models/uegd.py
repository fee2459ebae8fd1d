"""UEGD: Unimodal Encoders and Gated Decoder.

Ando et al., "On the use of modality-specific large-scale pre-trained encoders for multimodal
sentiment analysis", SLT 2022. Authors' code: https://github.com/ando-hub/MSA_Pretrain (959c550).
Specification: papers/uegd.md (c); written from it, without the authors' code.

Idea: frozen encoders give a sequence of features per modality; a small encoder per modality pools
it into one embedding z_m; a gate weighs the embeddings, a small decoder reads off the sentiment.

Deviations from the paper: none in the model. Dropout sits after every ReLU (the paper does not
say where; this is the release).
Deviations from the release: a one-element layer weight per modality without function (softmax of
one number) and an unused input LayerNorm are left out, so parameter counts are smaller by one per
modality than those of papers/uegd.md (c). Layers are read from stores of half precision (float16);
the release stores float32. In the preset "release" the last, smaller batch of validation weighs as
much as a full one, as in the release; but our batches follow our table of clips and theirs follow
their list, so other clips are in the last one. A loss that is not finite ends training; the release
leaves such training batches out without a word. Readers refuse features that are NaN or infinite,
or set them to zero on request and count them; the release reads minus infinity in COVAREP as it is.
Parity with the release: `python -m tests.parity uegd`.

Notation: B clips of up to T frames, S frames of all of them laid end to end, L encoder layers,
D input features, H hidden, J attention heads, F embedding. Modalities in the order visual,
acoustic, linguistic.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.base.noise import Dropout
from msalib.data.corpus import MODALITIES, membership
from msalib.models import gated
from msalib.models.extras import GateExtras, rounded
from msalib.training.loop import Fit
from msalib.training.masking import Masking
from msalib.training.objective import Outputs
from msalib.training.regime import Part, Regime
from msalib.training.streams import Keyed

REPLICABLE = True
"""Runs may train as replicas, even on different modalities: all encoders have one structure."""

CONTRIBUTIONS = gated
"""What each modality contributes to the prediction for a single clip."""


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden_size: PositiveInt  # H
    embedding_size: PositiveInt  # F
    attention_heads: PositiveInt  # J
    dropout: float
    fusion: Literal["gate", "concat"]


class Training(BaseModel):
    """The ``train`` group of the recipe, each value with its source there.

    The objective is the default one, the mean absolute error (papers/uegd.md (c), last equation).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_epochs: NonNegativeInt
    warmup_learning_rate: PositiveFloat
    min_learning_rate: PositiveFloat
    validation_loss: Literal["batch_mean", "clip_mean"]
    patience: PositiveInt | None
    feature_masks: NonNegativeInt
    feature_mask_share: float
    time_masks: NonNegativeInt
    time_mask_share: float

    def regime(self) -> Regime:
        """Return the regime of this recipe, papers/uegd.md (d)."""
        masking = Masking(
            self.feature_masks, self.feature_mask_share, self.time_masks, self.time_mask_share
        )
        return Regime(
            epochs=self.epochs,
            batch_size=self.batch_size,
            parts={"model": Part(self.learning_rate)},
            stream=partial(Keyed, masking=masking),
            schedule=lambda rate, moment: learning_rate(self, moment.epoch),
            mean_loss="batch_mean",
            validation=self.validation_loss,
            validation_batch=self.batch_size,
            judged_batch=64,
            patience=self.patience,
            ties="later",
        )


class Output(NamedTuple):
    """What the model returns; every exhibit and loss reads from here.

    ``gates`` is None with concatenation; ``layer_weights`` has weighted inputs only.
    """

    prediction: Tensor  # (B,), or (B, classes)
    gates: Tensor | None  # (B, 3), visual, acoustic, linguistic
    embeddings: dict[str, Tensor]  # m -> (B, F)
    attention: dict[str, Tensor]  # m -> (B, J, S), zero on the frames of other clips
    layer_weights: dict[str, Tensor]  # m -> (L,), sums to one


class UnimodalEncoder(nn.Module):
    """Equation (2): frames of one modality, (S, D) or (L, S, D), to an embedding (B, F)."""

    def __init__(self, config: Config, input_size: int, weighted_layers: int | None):
        super().__init__()
        hidden, heads = config.hidden_size, config.attention_heads
        if weighted_layers is not None:
            self.layer_logits = nn.Parameter(torch.zeros(weighted_layers))  # u_m
        self.project = nn.Linear(input_size, hidden)  # W1, b1
        self.norm = nn.LayerNorm(hidden)
        self.dropout = Dropout(config.dropout)
        self.score_hidden = nn.Linear(hidden, hidden)  # U, c
        self.score = nn.Linear(hidden, heads, bias=False)  # V
        self.embed = nn.Linear(heads * hidden, config.embedding_size)  # W2, b2

    def layer_weights(self) -> Tensor:
        """Return softmax(u_m), (L,)."""
        return self.layer_logits.softmax(0)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embedding (B, F) and attention (B, J, S) of frames; ``mask`` is (B, T).

        A stack of layers is summed with learned weights, or has their mean where none are learned.
        """
        if x.dim() == 3:
            learned = hasattr(self, "layer_logits")
            x = torch.einsum("l,lsd->sd", self.layer_weights(), x) if learned else x.mean(0)
        h = self.dropout(self.norm(self.project(x)).relu())  # (S, H)
        score = self.score(self.score_hidden(h).tanh())  # (S, J)
        member = membership(mask, len(h))[:, None]  # (B, 1, S)
        attention = score.T.masked_fill(~member, -torch.inf).softmax(-1)  # (B, J, S)
        pooled = attention.flatten(0, 1) @ h  # (B J, H)
        return self.embed(pooled.view(len(mask), -1)), attention


class Decoder(nn.Module):
    """Equation (3) after fusion: (B, F) or (B, 3F) to the prediction, (B,) or (B, outputs)."""

    def __init__(self, config: Config, input_size: int, outputs: int):
        super().__init__()
        self.hidden = nn.Linear(input_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size)
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(config.embedding_size, outputs)

    def forward(self, z: Tensor) -> Tensor:
        return self.output(self.dropout(self.norm(self.hidden(z)).relu())).squeeze(-1)


class UEGD(nn.Module):
    """One to three modalities; a modality that is not used has z_m = 0 and no encoder.

    ``sizes`` maps each modality in use to D, ``layers`` each weighted one to L.
    """

    def __init__(
        self, config: Config, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
    ):
        super().__init__()
        if set(sizes) - set(MODALITIES) or not sizes:
            raise ValueError(f"sizes needs some of {MODALITIES}, got {list(sizes)}")
        used = [m for m in MODALITIES if m in sizes]
        place = torch.eye(len(MODALITIES))[[MODALITIES.index(m) for m in used]]
        self.register_buffer("place", place, persistent=False)
        self.encoders = nn.ModuleDict(
            {m: UnimodalEncoder(config, sizes[m], layers.get(m)) for m in used}
        )
        fused_size = len(MODALITIES) * config.embedding_size
        self.gate = None
        if config.fusion == "gate":
            self.gate = nn.Linear(fused_size, len(MODALITIES))  # W_m, b_m are its rows
            fused_size = config.embedding_size
        self.decoder = Decoder(config, fused_size, outputs)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) or (L, S, D) and ``mask[m]`` (B, T), as in Batch."""
        embeddings, attention = {}, {}
        for m, encoder in self.encoders.items():
            embeddings[m], attention[m] = encoder(features[m], mask[m])
        prediction, gates = self.fuse(embeddings)
        layer_weights = {
            m: encoder.layer_weights()
            for m, encoder in self.encoders.items()
            if hasattr(encoder, "layer_logits")
        }
        return Output(prediction, gates, embeddings, attention, layer_weights)

    def fuse(self, embeddings: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Equations (4), (5) and (3): embeddings (B, F) to predictions (B,) and gates (B, 3)."""
        # (B, 3, F), zero for what is absent
        z = torch.einsum("mbf,mn->bnf", torch.stack(list(embeddings.values())), self.place)
        if self.gate is None:
            return self.decoder(z.flatten(1)), None
        gates = self.gate(z.flatten(1)).sigmoid()
        return self.decoder((gates[..., None] * z).sum(1)), gates


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> UEGD:
    """Return the model of a configuration: the one place where the two meet."""
    return UEGD(config, sizes, layers, outputs)


def learning_rate(training: Training, epoch: int) -> float:
    """Return the rate of an epoch counted from 1: linear warm-up, then a cosine.

    The cosine is as long as the whole training but starts after the warm-up, so its minimum is
    never reached (papers/uegd.md (d)).
    """
    n = epoch - 1
    if n < training.warmup_epochs:
        step = (training.learning_rate - training.warmup_learning_rate) / training.warmup_epochs
        return training.warmup_learning_rate + n * step
    fall = 1 + math.cos(math.pi * (n - training.warmup_epochs) / training.epochs)
    spread = training.learning_rate - training.min_learning_rate
    return training.min_learning_rate + spread * fall / 2


def extras(training: Training, fitted: Fit, examples, outputs: Mapping[str, Outputs]) -> GateExtras:
    """Return layer weights, and the gates on the test set; none with concatenation."""
    test, gates = outputs["test"], {}
    if test.batches[0].gates is not None:
        columns = test.column(lambda output: output.gates).numpy().T
        gates = {
            m: [round(float(a), 4) for a in column]
            for m, column in zip(MODALITIES, columns, strict=True)
        }
    weights = test.batches[0].layer_weights
    return GateExtras(layer_weights={m: rounded(w.cpu()) for m, w in weights.items()}, gates=gates)
