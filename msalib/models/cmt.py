"""CMT: two streams, sound and text, in whose blocks each looks at what the other encoder put out.

Chu et al., "Self-supervised cross-modal pretraining for speech emotion recognition and sentiment
analysis", Findings of EMNLP 2022, doi:10.18653/v1/2022.findings-emnlp.375. No code was released.
Specification: papers/cmt.md (c) and (d).

Idea: a pretrained encoder of speech and one of text stay as they are, or are fine-tuned. On each
lies a stack of blocks: a stream attends to itself, then to the *outputs of the other encoder* (the
same in every block), then transforms. The mean of the frames and the first token are joined and
read by one linear layer. The blocks are pretrained by guessing masked tokens and masked frames
(``masked_pairs``), then trained for the task with a penalty on the cosine of both pooled streams.

The check that this is the printed model are its sizes: 16,796,672 weights a block, 64 and 128 (all
blocks), 703 and 767 (with both encoders) in units of 2^20 (papers/cmt.md (c)).
The paper leaves open, and the recipe (cmt.yaml) names as ours: activation, dropout and where it is,
initial weights, the inner width, positions (none), what is pooled of the words for the penalty,
selection by validation. Encoders of different widths, or a smaller width, need a linear map in
front of each stream; with equal widths there is none. Scores of classes have no other head than a
score of sentiment.

Notation: B clips, T frames or tokens, D features of an encoder, d width, K outputs.

Longer: than a model file should be; the recipe of pretraining has as many values as that of the
task.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from msalib.base.dropout import Dropout
from msalib.base.errors import UserError, unknown
from msalib.data.corpus import Batch, Examples, pad
from msalib.models.extras import StreamExtras, rounded
from msalib.models.masked_pairs import Masking, Recipe, Stage
from msalib.training.objective import Objective, Outputs
from msalib.training.regime import Part, Regime, Stream
from msalib.training.streams import Sequential

if TYPE_CHECKING:
    from msalib.training.loop import Fit

SOUND, TEXT = "acoustic", "linguistic"

MODALITIES = (SOUND, TEXT)
"""What the model reads, in the order of its fused vector."""

Pretraining = Literal["none", "pt", "tapt", "pt_tapt", "pt_tapt_test", "pt_shuffled", "pt_real"]


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["cmt"]
    blocks: PositiveInt  # L, of each stream
    heads: PositiveInt
    width: PositiveInt  # d
    inner: PositiveInt  # of the feed-forward part, in widths
    dropout: float
    deviation: PositiveFloat  # of initial weights
    frame_step: PositiveInt  # every so many-th frame of sound is read
    audio_block: str  # whose output is read: last, pooled, or a number from 1
    penalised: Literal["mean", "first"]  # what is pooled of the words for the penalty
    pretraining: Pretraining


class Training(BaseModel):
    """The ``train`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: NonNegativeFloat
    error: Literal["l1", "l2"]
    epochs: PositiveInt
    patience: PositiveInt
    batch_size: PositiveInt
    rates: Literal["fine_tuned", "features"]
    learning_rate: PositiveFloat
    learning_rate_features: PositiveFloat
    pt_corpus: str
    pt_real_corpus: str
    pt_clips: PositiveInt  # at most
    pt_updates: PositiveInt
    tapt_updates: PositiveInt
    pt_batch_size: PositiveInt
    pt_learning_rate: PositiveFloat
    pt_weight_decay: NonNegativeFloat
    text_masked: PositiveFloat  # share of the tokens
    text_variants: PositiveInt  # draws of masked tokens per transcript
    frame_starts: PositiveFloat  # share of the frames at which a span begins
    frame_span: PositiveInt
    frame_spans: PositiveInt  # least number of a clip
    codewords: PositiveInt
    codeword_layer: NonNegativeFloat  # of the speech encoder, as a share of its depth
    codeword_width: PositiveInt
    temperature: PositiveFloat

    def regime(self) -> Regime:
        """Return the regime of this recipe, papers/cmt.md (d)."""
        tuned = self.rates == "fine_tuned"
        part = Part(self.learning_rate if tuned else self.learning_rate_features)
        return Regime(
            epochs=self.epochs,
            batch_size=self.batch_size,
            parts={"fusion": part} | ({"text": part, "speech": part} if tuned else {}),
            stream=Sequential,
            patience=self.patience,
        )


STAGES: Mapping[Pretraining, tuple[str, ...]] = {
    "none": (),
    "pt": ("pt",),
    "tapt": ("tapt",),
    "pt_tapt": ("pt", "tapt"),
    "pt_tapt_test": ("pt", "tapt_test"),
    "pt_shuffled": ("shuffled",),
    "pt_real": ("real",),
}
"""What each kind of pretraining does, in order; ``shuffled`` pairs sound with another's text."""


STEP = "frame_step"

STREAMS = ("blocks", "heads", "width", "inner", "dropout", "deviation")
"""Settings that the pretrained weights depend on."""


def pretraining(config: Config, training: Training) -> Recipe:
    """Return the pretraining that a recipe asks for; it has no stages for "none"."""
    kinds = {
        "pt": Stage(training.pt_corpus, training.pt_updates),
        "shuffled": Stage(training.pt_corpus, training.pt_updates, shuffled=True),
        "real": Stage(training.pt_real_corpus, training.pt_updates),
        "tapt": Stage("", training.tapt_updates, parts=("train", "valid")),
        "tapt_test": Stage("", training.tapt_updates, parts=("train", "valid", "test")),
    }
    return Recipe(
        stages=tuple(kinds[name] for name in STAGES[config.pretraining]),
        masking=Masking(
            frame_step=config.frame_step,
            **{name: getattr(training, name) for name in Masking.model_fields if name != STEP},
        ),
        settings={name: getattr(config, name) for name in STREAMS},
        build=partial(Streams, config),
    )


class Attention(nn.Module):
    """Multi-head attention of steps (B, T, d) to others (B, U, d)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, others: Tensor, valid: Tensor) -> Tensor:
        """Return what ``x`` reads of ``others`` where ``valid`` (B, U) is true: (B, T, d)."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), self.key(others), self.value(others))
        )
        read = functional.scaled_dot_product_attention(query, key, value, valid[:, None, None])
        return self.output(read.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Self-attention, attention to the other encoder's outputs, feed-forward; each added, normed.

    Equations of papers/cmt.md (c): LN comes after each sum.
    """

    def __init__(self, config: Config):
        super().__init__()
        d = config.width
        self.own, self.cross = Attention(d, config.heads), Attention(d, config.heads)
        self.feed = nn.Sequential(
            nn.Linear(d, config.inner * d), nn.GELU(), nn.Linear(config.inner * d, d)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
        self.dropout = Dropout(config.dropout)

    def forward(self, h: Tensor, valid: Tensor, other: Tensor, heard: Tensor) -> Tensor:
        """Map h^[l] (B, T, d) to h^[l+1]; ``other`` (B, U, d) with its mask ``heard`` (B, U)."""
        h = self.norms[0](h + self.dropout(self.own(h, h, valid)))
        h = self.norms[1](h + self.dropout(self.cross(h, other, heard)))
        return self.norms[2](h + self.dropout(self.feed(h)))


class Streams(nn.Module):
    """Both stacks of blocks with the maps before them: what pretraining trains and a task takes.

    Raises ``UserError`` for a width that the heads do not divide.
    """

    def __init__(self, config: Config, sizes: Mapping[str, int]):
        super().__init__()
        if config.width % config.heads:
            raise UserError(
                f"width {config.width} of CMT",
                found=f"{config.heads} heads, which do not divide it",
                expected="a width that is a multiple of the number of heads",
                remedy=f"Choose heads among the divisors of {config.width}.",
            )
        self.project = nn.ModuleDict(
            {
                m: nn.Identity() if sizes[m] == config.width else nn.Linear(sizes[m], config.width)
                for m in MODALITIES
            }
        )
        self.blocks = nn.ModuleDict(
            {m: nn.ModuleList(Block(config) for _ in range(config.blocks)) for m in MODALITIES}
        )
        self.apply(lambda module: initialise(module, config.deviation))

    def forward(
        self, starts: Mapping[str, Tensor], outputs: Mapping[str, Tensor], valid: Mapping
    ) -> dict[str, list[Tensor]]:
        """Return by modality the states (B, T, d) after each block.

        ``starts``: h^[0] of each stream, (B, T, d); ``outputs``: e of each encoder, (B, T, d),
        which the blocks of the *other* stream read; ``valid``: their masks (B, T).
        """
        states = {}
        for m, other in (MODALITIES, MODALITIES[::-1]):
            h, states[m] = starts[m], []
            for block in self.blocks[m]:
                h = block(h, valid[m], outputs[other], valid[other])
                states[m].append(h)
        return states


class Output(NamedTuple):
    """What the model returns; every exhibit and loss reads from here."""

    prediction: Tensor  # (B,) or (B, K)
    sound: Tensor  # (B, d), mean over frames
    words: Tensor  # (B, d), what the penalty compares with it
    cosine: Tensor  # (B,), its size


class CMT(nn.Module):
    """Sound and text of a clip to its scores."""

    def __init__(self, config: Config, sizes: Mapping[str, int], outputs: int):
        super().__init__()
        self.config = config
        self.streams = Streams(config, sizes)
        self.layer_weights = None
        if config.audio_block == "pooled":
            self.layer_weights = nn.Parameter(torch.zeros(config.blocks))
        self.head = nn.Linear(2 * config.width, outputs)
        initialise(self.head, config.deviation)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[m]`` (S, D) and ``mask[m]`` (B, T) of a Batch."""
        frames, kept = every(features[SOUND], mask[SOUND], self.config.frame_step)
        features, mask = {**features, SOUND: frames}, {**mask, SOUND: kept}
        e = {m: pad(self.streams.project[m](features[m]), mask[m]) for m in MODALITIES}
        states = self.streams(e, e, mask)
        sound, text = self.of_sound(states[SOUND]), states[TEXT][-1]
        sound, first = mean(sound, mask[SOUND]), text[:, 0]
        words = mean(text, mask[TEXT]) if self.config.penalised == "mean" else first
        prediction = self.head(torch.cat([sound, first], 1)).squeeze(-1)
        cosine = functional.cosine_similarity(sound, words, dim=1).abs()
        return Output(prediction, sound, words, cosine)

    def of_sound(self, states: list[Tensor]) -> Tensor:
        """Return what is read of the audio stream (B, T, d): a block's states, or a sum of all."""
        if self.layer_weights is not None:
            weights = self.layer_weights.softmax(0)
            return torch.einsum("l,lbtd->btd", weights, torch.stack(states))
        chosen = self.config.audio_block
        return states[-1 if chosen == "last" else int(chosen) - 1]


def every(frames: Tensor, mask: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Return every ``step``-th frame of each clip, the first one first, and their mask.

    ``frames`` (S, D) lie end to end, with ``mask`` (B, T) as in Batch.
    """
    if step == 1:
        return frames, mask
    place = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    return frames[(place % step == 0)[mask]], mask[:, ::step]


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, d) of states (B, T, d) where ``mask`` (B, T) is true."""
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def initialise(module: nn.Module, deviation: float) -> None:
    """Draw the weights of a linear layer from a normal distribution; biases are zero."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=deviation)
        nn.init.zeros_(module.bias)


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> CMT:
    """Return the model of a configuration.

    Raises ``UserError`` for streams other than sound and text, a width that the heads do not
    divide, and an audio block that there is not.
    """
    if set(sizes) != set(MODALITIES):
        raise UserError(
            f"inputs of CMT: {', '.join(sizes) or 'none'}",
            found="other streams than sound and text",
            expected=" and ".join(MODALITIES),
            remedy="Choose a data set with both (msalib data); one alone is read by the baseline "
            "shallow_fusion.",
        )
    known = ["last", "pooled", *map(str, range(1, config.blocks + 1))]
    if config.audio_block not in known:
        block, remedy = config.audio_block, "Choose one of these."
        raise unknown("audio_block", block, known, of="CMT", found="no such block", remedy=remedy)
    return CMT(config, sizes, outputs)


def groups(model: CMT) -> dict[str, list]:
    """Return named parameters by learning rate: all but the encoders have one."""
    return {"fusion": list(model.named_parameters())}


class Penalised(Objective):
    """The error of the task plus alpha times the mean size of the cosine; selected by the error."""

    def __init__(self, error: str, alpha: float):
        super().__init__(error)
        self.alpha = alpha

    def loss(self, output: Output, batch: Batch, rows: Tensor | None = None) -> Tensor:
        """Return L_FT of a batch, papers/cmt.md (c)."""
        return super().loss(output, batch, rows) + self.alpha * output.cosine.mean()


def objective(training: Training, model: CMT, train: Examples, stream: Stream) -> Penalised:
    """Return cross-entropy for classes, squared error for a score, each with the penalty."""
    error = training.error if train.task.outputs == 1 else train.task.error
    return Penalised(error, training.alpha)


def extras(
    training: Training,
    fitted: "Fit",
    examples: Mapping[str, Examples],
    outputs: Mapping[str, Outputs],
) -> StreamExtras:
    """Return the weights of the audio blocks, and how alike the streams are on test clips."""
    core = getattr(fitted.model, "core", fitted.model)
    weights = [] if core.layer_weights is None else core.layer_weights.detach().softmax(0)
    cosine = outputs["test"].column(lambda output: output.cosine)
    return StreamExtras(layer_weights=rounded(weights), cosine=float(f"{cosine.mean():.4g}"))
