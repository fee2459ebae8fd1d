"""GLoMo: local pieces through mixtures of experts, fused by weights that come from the whole.

Zhuang et al., "GLoMo: global-local modal fusion for multimodal sentiment analysis", ACM MM 2024,
doi:10.1145/3664647.3681527. Authors' code: https://github.com/YetZzzzzz/GLoMo (90f5b3f).
Specification: papers/glomo.md (c) and (d); written from it, without the authors' code.

Idea: every modality gives one global vector (the first token of text, the maximum over time of
sound and pictures) and n local ones, each the maximum over a stretch of frames. A mixture of
experts makes one vector of the local ones. A small transformer lets all these vectors meet, and the
modalities are mixed by weights that the global vectors give.

Deviations from the paper, under both presets: the gate has noise in training, which Eq. 5 leaves
out and the load needs (O2); a modality that is left out takes its branch with it (O22).
Deviations from the release: validation stops a training and selects its epoch (O15, O16). Preset
`article` also sums experts linearly (O1), takes the load's normal at mean 0 (O3), keeps its
optimiser (O17) and reads no padding (O4). Preset `release` reads it: clips are cut or padded to a
fixed length, a fine-tuned text encoder gives its states at padded places, too, and a frame whose
first channel is exactly 0 has no position. Frozen features of text are zero at padded places. Under
both, frames of sound and pictures stand once per word, where the release repeats them for every
word piece and has zeros for [CLS] and [SEP].
As in the release, under both presets: a softmax over scores of two linear layers where the paper
says attention (O13), and MLPs of one linear layer (O14). The F1 of classes is weighted (O21).
Of what the specification would compare, these are not built: attention by dot products (O13), MLPs
of two layers (O14), codes of types before the fusion (O11), selection by the best test epoch (O16),
warm-up (O18) and zeros for a modality that is left out (O22).
Parity with the release: `python -m tests.parity glomo`, and five kinds more.

Notation: B clips, T frames, D input features, d width, n local vectors, s experts, k of them
active, M modalities, K outputs. Modalities in the order t, a, v, those that are there.

Longer: than a model file should be, because Table 4 has many wirings of one model.
"""

from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)
from torch import Tensor, nn

from msalib.base.dropout import Dropout
from msalib.base.errors import UserError
from msalib.data.corpus import Examples
from msalib.encoders.tuned import Reading
from msalib.models.attention import SelfAttention
from msalib.models.balance import Balanced, extras
from msalib.models.guided import REPLACED, GuidedFusion, Replacement, Variant
from msalib.models.moe import Combination, Gates, MixtureOfExperts
from msalib.models.mult import Encoder
from msalib.models.pieces import Joining, LayerCoding, SequenceCoding, placed
from msalib.training.regime import Moment, Part, Regime, Stream, adamw
from msalib.training.streams import Sequential

__all__ = ["Config", "GLoMo", "Training", "build", "extras", "groups", "objective"]

ORDER = ("linguistic", "acoustic", "visual")

LAST = 2
"""Last blocks of a fine-tuned text encoder that the model reads."""


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["glomo"]
    variant: Variant
    context: str  # of text, joined before the clip's own words (data.streams.named_context)
    combination: Combination
    experts_linguistic: PositiveInt  # s
    experts_acoustic: PositiveInt
    experts_visual: PositiveInt
    active: PositiveInt  # k, at most s
    noise: Literal["present", "absent"]
    noise_floor: PositiveFloat
    load_mean: float
    padding: Literal["masked", "read"]
    longest: PositiveInt  # T; with padding read, every clip is so long
    locals: PositiveInt  # n
    joining: Joining
    kernel: Literal[1, 3, 5]
    width: PositiveInt  # d
    heads: PositiveInt
    layers: PositiveInt  # of the encoders of sequences
    fusion_layers: PositiveInt
    fusion_hidden: PositiveInt
    fusion_encoder: Literal["guided", "always"]  # where a variant has no guided fusion
    attention_dropout: float
    residual_dropout: float
    embed_dropout: float
    scorer_dropout: float
    fusion_dropout: float
    deviation: NonNegativeFloat  # of initial weights of linear layers; 0: PyTorch's own


class Training(BaseModel):
    """The ``train`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    omega: NonNegativeFloat
    error: Literal["l1", "l2"]
    epochs: PositiveInt
    patience: PositiveInt
    batch_size: PositiveInt
    batch_size_features: PositiveInt
    optimizer: Literal["kept", "rebuilt"]
    precision: Literal["float32", "bfloat16"]
    rates: Literal["fine_tuned", "features"]
    learning_rate: PositiveFloat
    learning_rate_features: PositiveFloat
    drop_epoch: NonNegativeInt  # the rate is a tenth from this epoch (from 0) on
    weight_decay: NonNegativeFloat

    def regime(self) -> Regime:
        """Return the regime of this recipe, papers/glomo.md (d)."""
        tuned = self.rates == "fine_tuned"
        rate = self.learning_rate if tuned else self.learning_rate_features
        part = Part(rate, self.weight_decay, spared=True)
        return Regime(
            epochs=self.epochs,
            batch_size=self.batch_size if tuned else self.batch_size_features,
            parts={"fusion": part} | ({"text": part, "speech": part} if tuned else {}),
            stream=Sequential,
            optimizer=adamw,
            schedule=partial(dropped, epoch=self.drop_epoch),
            rebuild_optimizer=self.optimizer == "rebuilt",
            patience=self.patience,
            precision=self.precision,
        )


def dropped(rate: float, moment: Moment, *, epoch: int) -> float:
    """Return the rate, a tenth of it from ``epoch`` (from 0) on (O18)."""
    return rate if moment.epoch <= epoch else rate / 10


class Output(NamedTuple):
    """What the model returns; every exhibit and loss reads from here.

    Dictionaries are by modality, and empty where a variant has no such thing.
    """

    prediction: Tensor  # (B,) or (B, K)
    whole: dict[str, Tensor]  # X^g (B, d)
    pieces: dict[str, Tensor]  # (B, d), the mixture's output
    gates: dict[str, Gates]
    weights: Tensor | None  # W_g, or what stands for it, (B, M)
    fused: Tensor  # what the head reads: [Z_1, Z_2] (B, 2d), or (B, d)


class Experts(nn.Module):
    """What makes one vector of a modality's local ones: experts, or what Table 4 puts there."""

    def __init__(self, config: Config, modality: str):
        super().__init__()
        experts, flat = getattr(config, f"experts_{modality}"), config.locals * config.width
        self.mixture = MixtureOfExperts(
            flat,
            config.width,
            config.width,
            experts=experts,
            active=min(config.active, experts),  # O8
            combination=config.combination,
            noise_floor=config.noise_floor if config.noise == "present" else None,
            load_mean=config.load_mean,
        )
        if config.variant == "mlp_m":
            self.mixture = nn.Linear(flat, config.width)
        elif config.variant == "mlp_matched":
            weights = sum(p.numel() for p in self.mixture.parameters())
            hidden = round((weights - config.width) / (flat + config.width + 1))
            self.mixture = nn.Sequential(
                nn.Linear(flat, hidden), nn.ReLU(), nn.Linear(hidden, config.width)
            )

    def forward(self, pieces: Tensor) -> tuple[Tensor, Gates | None]:
        """Return one vector (B, d) of the local ones (B, d n), and gates where there are any."""
        made = self.mixture(pieces)
        return made if isinstance(made, tuple) else (made, None)


class GLoMo(nn.Module):
    """Text, sound and pictures, or some of them; ``sizes``: modality -> D.

    ``layers`` names the modalities of which two layers are read, which gives text its own coding.
    """

    def __init__(
        self, config: Config, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
    ):
        super().__init__()
        self.config, self.modalities = config, [m for m in ORDER if m in sizes]
        cut = "end" if config.context == "none" else "start"  # context goes first, (d)
        self.reading = Reading(LAST, config.longest, config.padding == "read", cut)
        has = {"global": config.variant != "local", "local": config.variant != "global"}
        self.coding = nn.ModuleDict(
            {m: coding(config, sizes[m], layered=m in layers) for m in self.modalities}
        )
        self.experts = nn.ModuleDict(
            {m: Experts(config, m) for m in self.modalities if has["local"]}
        )
        vectors = len(self.modalities) * sum(has.values())
        replaced = config.variant in REPLACED
        self.meet = None
        if not replaced or config.fusion_encoder == "always":
            self.meet = transformer(config)
        if replaced:
            self.fuse = Replacement(
                config.variant, vectors, width=config.width, dropout=config.scorer_dropout
            )
        else:
            self.fuse = GuidedFusion(
                config.variant,
                len(self.modalities),
                width=config.width,
                dropout=config.scorer_dropout,
            )
        self.head = nn.Linear(config.width * (1 if replaced else 2), outputs)
        if config.deviation:
            self.apply(partial(initialise, deviation=config.deviation))

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) or (2, S, D) and ``mask[m]`` (B, T) of a Batch."""
        longest, whole = self.config.longest, self.config.padding == "read"
        return self.read({m: placed(features[m], mask[m], longest, whole) for m in self.modalities})

    def read(self, clips: Mapping[str, tuple[Tensor, Tensor | None]]) -> Output:
        """Predict from frames (B, T, D) or (2, B, T, D) by modality, each with its mask or None."""
        whole, pieces, gates = {}, {}, {}
        for m in self.modalities:
            whole[m], stretches = self.coding[m](*clips[m])
            if m in self.experts:
                pieces[m], chosen = self.experts[m](stretches)
                gates |= {} if chosen is None else {m: chosen}
        if self.config.variant == "local":
            whole = {}
        tokens = [part[m] for m in self.modalities for part in (whole, pieces) if m in part]
        tokens = torch.stack(tokens, 1)
        if self.meet is not None:
            tokens = self.meet(tokens)
        fused, weights = self.fuse(tokens)
        return Output(self.head(fused).squeeze(-1), whole, pieces, gates, weights, fused)


def coding(config: Config, inputs: int, *, layered: bool) -> nn.Module:
    """Return the unimodal coding of a modality: of two layers of text, or of a sequence."""
    if layered:
        return LayerCoding(
            inputs,
            kernel=config.kernel,
            count=config.locals,
            joining=config.joining,
            width=config.width,
        )
    encoder = Encoder(
        width=config.width,
        layers=config.layers,
        heads=config.heads,
        embed_dropout=config.embed_dropout,
        residual_dropout=config.residual_dropout,
        relu_dropout=config.residual_dropout,
        attention_dropout=config.attention_dropout,
        guess_padding=config.padding == "read",
        attention=SelfAttention,
        dropout=Dropout,
    )
    return SequenceCoding(
        inputs, kernel=config.kernel, count=config.locals, encoder=encoder, width=config.width
    )


def transformer(config: Config) -> nn.TransformerEncoder:
    """Return the encoder in which all vectors of a clip meet (O11)."""
    layer = nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        config.fusion_hidden,
        config.fusion_dropout,
        batch_first=True,
    )
    layer.self_attn = SelfAttention(
        config.width, config.heads, config.fusion_dropout, batch_first=True
    )
    for name in ("dropout", "dropout1", "dropout2"):
        setattr(layer, name, Dropout(config.fusion_dropout))
    return nn.TransformerEncoder(layer, config.fusion_layers, enable_nested_tensor=False)


def initialise(module: nn.Module, *, deviation: float) -> None:
    """Draw the weights of a linear layer, as a model below BERT's base class does (release)."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=deviation)
        nn.init.zeros_(module.bias)


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> GLoMo:
    """Return the model of a configuration.

    A modality with fewer experts than are to be active has all of them active (O8). Raises
    ``UserError`` for a stream that is no modality, and for a width that the heads do not divide.
    """
    if unread := [stream for stream in sizes if stream not in ORDER]:
        raise UserError(
            f"inputs of GLoMo: {', '.join(sizes)}",
            found=f"{' and '.join(unread)}, which it does not read",
            expected=f"some of {', '.join(ORDER)}",
            remedy="Join context and clip: -p context_kind joined.",
        )
    if config.width % config.heads:
        raise UserError(
            f"width {config.width} of GLoMo",
            found=f"{config.heads} heads, which do not divide it",
            expected="a width that is a multiple of the number of heads",
            remedy=f"Choose heads among the divisors of {config.width}.",
        )
    return GLoMo(config, sizes, layers, outputs)


def groups(model: GLoMo) -> dict[str, list]:
    """Return named parameters by learning rate: all but the encoders have one.

    Weights of LayerNorms are named as what has no weight decay (O19).
    """
    norms = [f"{name}." for name, part in model.named_modules() if isinstance(part, nn.LayerNorm)]
    return {
        "fusion": [
            (f"LayerNorm.{name}" if name.startswith(tuple(norms)) else name, parameter)
            for name, parameter in model.named_parameters()
        ]
    }


def objective(training: Training, model: GLoMo, train: Examples, stream: Stream) -> Balanced:
    """Return the error of the prediction plus the penalties of all mixtures."""
    return Balanced(training.error if train.task.outputs == 1 else train.task.error, training.omega)
