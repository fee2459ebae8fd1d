"""MMML: a multimodal multi-loss fusion network for text and sound.

Wu, Gong, Koo and Hirschberg, "Multimodal multi-loss fusion network for sentiment analysis",
NAACL 2024. Authors' code: https://github.com/zehuiwu/MMML (f558b1a).
Specification: papers/mmml.md (c), (d), (g); written without the authors' code.

Idea: encoders of text and of speech, fine-tuned, give states H_m and one vector f_m per clip. A
head per modality (T, A) reads its vector; the fused head (M) reads both modalities after they have
looked at each other (msalib/models/cme.py). Each head has a loss. Clips before the present one are
read by the same encoders and layers, and their vectors stand beside its own.

Deviations from the paper: attention has many heads (the equations show one); which of two readings
Table 8's last row means is open, so both are here (``ablation``).
Deviations from the release: valid frames follow from the length of the sound, where the release
counts attention weights that are not zero; its English model of sound alone averages padding, too,
which no model here reads. The layer under f_t starts from random weights for every text encoder,
as it does for RoBERTa, which ships none; a BERT's own is not taken over. Where the two encoders
differ in width, sound is mapped to the width of text. Encoders that a variant does not use are not
built. Sound before the clip is convolved and normalised clip by clip, where the release joins it
first; both keep the first six seconds. Text is read as it is and cut where the encoder ends, where
the release lower-cases English and cuts at 96 tokens; context loses its oldest words, where the
release loses the latest. Parity: `python -m tests.parity mmml_v2` (and mmml_fusion,
mmml_v3, mmml_context, mmml_audio, mmml_grad).

Longer: three restorations, context, ablations and three losses are one model in the paper.

Notation: B clips of up to T frames, S frames of all of them laid end to end, d width, K outputs.
Heads are keyed by modality, the fused one by "fused".
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msalib.base.errors import UserError
from msalib.data.corpus import Batch, Examples, pad
from msalib.data.streams import context_of
from msalib.models import heads
from msalib.models.cme import CrossModalEncoder
from msalib.models.extras import HeadExtras, rounded
from msalib.training.loop import Fit
from msalib.training.objective import Objective, Outputs
from msalib.training.regime import Part, Regime, Stream, adamw
from msalib.training.streams import Sequential

TEXT, SOUND, FUSED = "linguistic", "acoustic", "fused"

MODALITIES = (TEXT, SOUND)
"""What the model reads; pictures are left out (papers/mmml.md (a))."""

CONTEXT = True
"""It reads streams of context."""

CONTRIBUTIONS = heads
"""What each modality contributes to the prediction for a single clip."""

HEADS = {"m": FUSED, "t": TEXT, "a": SOUND}
"""Letters of tasks as the paper has them -> heads."""

DIGITS = 4
"""Decimals of the validation loss that selects an epoch, papers/mmml.md (d)."""


class Config(BaseModel):
    """The ``model`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["mmml"]
    tasks: Literal["mta", "m", "t", "a"]
    fusion: Literal["cme", "concatenation"]
    restoration: Literal["v1", "v2", "v3"]
    context: str  # ``streams.named_context``; the study reads it
    ablation: Literal["none", "no_self_attention", "no_feed_forward", "linear_head"]
    pooling: Literal["pooler", "mean"]
    empty_context: Literal["silence", "vector"]
    cross_layers: PositiveInt
    head_width: PositiveInt  # d / h
    hidden: PositiveInt  # last hidden layer of the fused head
    hidden_context: PositiveInt  # the same with context
    restoring_layers: PositiveInt  # of v3
    restoring_head_width: PositiveInt
    restoring_hidden: PositiveInt
    dropout: float
    restoring_dropout: float


class Training(BaseModel):
    """The ``train`` group of the recipe, each value with its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: Literal["own", "copied"]
    loss: Literal["l1", "l2"]
    weight_text: NonNegativeFloat  # alpha_t
    weight_sound: NonNegativeFloat  # alpha_a
    epochs: PositiveInt
    patience: PositiveInt
    batch_size: PositiveInt
    optimizer: Literal["kept", "rebuilt"]
    precision: Literal["float32", "bfloat16"]
    rates: Literal["fine_tuned", "features"]
    learning_rate_text: PositiveFloat
    learning_rate_speech: PositiveFloat
    learning_rate_fusion: PositiveFloat
    learning_rate_features: PositiveFloat
    factor_encoders: PositiveFloat
    factor_fusion: PositiveFloat
    weight_decay: NonNegativeFloat

    def regime(self) -> Regime:
        """Return the regime of this recipe, papers/mmml.md (d)."""
        features = self.rates == "features"
        fusion = self.learning_rate_features if features else self.learning_rate_fusion
        rates = {"fusion": self.factor_fusion * fusion}
        if not features:
            rates["text"] = self.factor_encoders * self.learning_rate_text
            rates["speech"] = self.factor_encoders * self.learning_rate_speech
        return Regime(
            epochs=self.epochs,
            batch_size=self.batch_size,
            parts={name: Part(rate, self.weight_decay) for name, rate in rates.items()},
            stream=Sequential,
            optimizer=adamw,
            rebuild_optimizer=self.optimizer == "rebuilt",
            patience=self.patience,
            precision=self.precision,
        )


class Output(NamedTuple):
    """What the model returns; every exhibit and loss reads from here.

    ``fused`` is what the fused head reads, None where there is no such head.
    """

    prediction: Tensor  # (B,) or (B, K), of the first task's head
    heads: dict[str, Tensor]  # head -> (B,) or (B, K)
    fused: Tensor | None


class Clip(NamedTuple):
    """One modality of B clips: states H_m, their mask, and the vector f_m."""

    states: Tensor  # (B, T, d)
    mask: Tensor  # (B, T)
    vector: Tensor  # (B, d)


class Restoration(nn.Module):
    """v3, Figure 2: one modality's states beside its fused ones, through a transformer."""

    def __init__(self, config: Config, width: int):
        super().__init__()
        self.vector = nn.Parameter(torch.randn(2 * width))
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                2 * width,
                heads_of(2 * width, config.restoring_head_width),
                config.restoring_hidden,
                config.restoring_dropout,
                batch_first=True,
            ),
            config.restoring_layers,
            enable_nested_tensor=False,
        )

    def forward(self, clip: Clip, fused: Tensor) -> Tensor:
        """Return a vector (B, 2d); ``fused`` are the states after fusion, (B, T, d)."""
        both = torch.cat([clip.states, fused], -1)
        first = self.vector.to(both).expand(len(both), 1, -1)
        valid = torch.cat([clip.mask.new_ones(len(both), 1), clip.mask], 1)
        states = self.encoder(torch.cat([first, both], 1), src_key_padding_mask=~valid)
        return states[:, 0]


class FusedInput(nn.Module):
    """What the fused head reads of both modalities, and of their context where there is any."""

    def __init__(self, config: Config, width: int):
        super().__init__()
        self.restoration = config.restoration
        self.encoder = CrossModalEncoder(
            width=width,
            heads=heads_of(width, config.head_width),
            layers=config.cross_layers,
            dropout=config.dropout,
            self_attention=config.ablation == "none",
            feed_forward=config.ablation != "no_feed_forward",
        )
        if config.restoration == "v2":
            self.mix = nn.ModuleDict(
                {
                    m: nn.Sequential(
                        nn.Dropout(config.dropout), nn.Linear(2 * width, width), nn.ReLU()
                    )
                    for m in MODALITIES
                }
            )
        elif config.restoration == "v3":
            self.mix = nn.ModuleDict({m: Restoration(config, width) for m in MODALITIES})

    def forward(self, clips: Mapping[str, Clip]) -> Tensor:
        """Fuse stream -> clips: (B, 2d), v3 (B, 4d); with context (B, 4d), by modality."""
        own = self._pair(clips[TEXT], clips[SOUND])
        context = [clips.get(context_of(m)) for m in MODALITIES]
        if not any(context):
            return torch.cat(own, -1)
        # A context of one modality alone meets the other's learned vector and nothing else.
        context = [c or nothing_of(clips[m]) for c, m in zip(context, MODALITIES, strict=True)]
        before = self._pair(*context)
        return torch.cat([own[0], before[0], own[1], before[1]], -1)

    def _pair(self, text: Clip, sound: Clip) -> list[Tensor]:
        """Return a vector of each modality after fusion."""
        read = text.states, text.mask, sound.states, sound.mask
        clips = zip(MODALITIES, (text, sound), strict=True)
        if self.restoration == "v3":
            fused = self.encoder(*read)
            return [
                self.mix[m](clip, states[:, 1:])
                for (m, clip), states in zip(clips, fused, strict=True)
            ]
        vectors = self.encoder.vectors(*read)
        if self.restoration == "v1":
            return [*vectors]
        return [
            self.mix[m](torch.cat([clip.vector, vector], -1))
            for (m, clip), vector in zip(clips, vectors, strict=True)
        ]


class MMML(nn.Module):
    """Text, sound or both, each with or without context; ``sizes``: stream -> D."""

    def __init__(self, config: Config, sizes: Mapping[str, int], outputs: int):
        super().__init__()
        own = [m for m in MODALITIES if m in sizes]
        self.streams = [s for m in own for s in (m, context_of(m)) if s in sizes]
        self.hears_silence = config.empty_context == "silence"
        self.tasks = own if len(own) == 1 else [HEADS[letter] for letter in config.tasks]
        fuses = FUSED in self.tasks and config.fusion == "cme"
        width = {m: sizes[TEXT] if fuses else sizes[m] for m in own}
        self.narrow = None
        if fuses and sizes[SOUND] != sizes[TEXT]:
            self.narrow = nn.Linear(sizes[SOUND], sizes[TEXT])
        self.pooler = None
        if config.pooling == "pooler" and TEXT in sizes:
            self.pooler = nn.Linear(width[TEXT], width[TEXT])  # W_p, b_p
        vectors = {m: width[m] * (1 + (context_of(m) in sizes)) for m in own}
        self.heads = nn.ModuleDict(
            {
                m: nn.Sequential(nn.Dropout(config.dropout), nn.Linear(vectors[m], outputs))
                for m in own
                if m in self.tasks
            }
        )
        self.fuse = FusedInput(config, width[TEXT]) if fuses else None
        if FUSED in self.tasks:
            context = len(self.streams) > len(own)
            size = sum(vectors.values())
            if fuses:
                size = width[TEXT] * (4 if context else 2) * (1 + (config.restoration == "v3"))
            self.heads[FUSED] = fused_head(config, size, width[TEXT], context, outputs)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor]) -> Output:
        """Predict from ``features[s]`` (S, D) and ``mask[s]`` (B, T), as in Batch."""
        return self.read({s: self.clip(s, features[s], mask[s]) for s in self.streams})

    def clip(self, stream: str, frames: Tensor, mask: Tensor) -> Clip:
        """Return the states of a stream and its vector f_m; zero where a clip has no frame."""
        text = stream in (TEXT, context_of(TEXT))
        if self.narrow is not None and not text:
            frames = self.narrow(frames)
        states = pad(frames, mask)
        if text and self.pooler is not None:
            return Clip(states, mask, self.pooler(states[:, 0]).tanh() * mask[:, :1])
        return Clip(states, mask, mean_over_time(states, mask))

    def read(self, clips: Mapping[str, Clip]) -> Output:
        """Apply the heads to stream -> clips."""
        vectors = {}
        for m in MODALITIES:
            if m in clips:
                parts = [clips[s].vector for s in (m, context_of(m)) if s in clips]
                vectors[m] = torch.cat(parts, -1)
        fused = None
        if FUSED in self.heads:
            fused = self.fuse(clips) if self.fuse else torch.cat([*vectors.values()], -1)
            vectors[FUSED] = fused
        scores = {task: head(vectors[task]).squeeze(-1) for task, head in self.heads.items()}
        return Output(scores[self.tasks[0]], scores, fused)


def mean_over_time(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, d) of the valid states (B, T, d); zero where a clip has none."""
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def nothing_of(clip: Clip) -> Clip:
    """Return a context without frames, like the clips in number and width."""
    return Clip(clip.states[:, :1] * 0, clip.mask[:, :1] & False, clip.vector * 0)


def heads_of(width: int, head_width: int) -> int:
    """Return the number of heads nearest to ``width / head_width`` that divides ``width``."""
    most = max(1, width // head_width)
    return next(heads for heads in range(most, 0, -1) if width % heads == 0)


def fused_head(config: Config, size: int, width: int, context: bool, outputs: int) -> nn.Sequential:
    """Return the fused head, papers/mmml.md (c): dropout, then linear layers with ReLU between.

    It reads ``size`` values; ``width`` is that of text.
    """
    if config.ablation == "linear_head":
        hidden = []
    elif config.fusion == "cme":
        hidden = [config.hidden_context] if context else [width, config.hidden]
    else:
        hidden = [2 * width, width] if context else [width, width, config.hidden]
    layers: list[nn.Module] = [nn.Dropout(config.dropout)]
    for inputs, following in pairwise([size, *hidden, outputs]):
        layers += [nn.Linear(inputs, following), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def build(
    config: Config, *, sizes: Mapping[str, int], layers: Mapping[str, int], outputs: int
) -> MMML:
    """Return the model of a configuration; it reads one layer of each stream.

    Raises ``UserError`` for pictures, and for a context without the clip itself.
    """
    read = [s for m in MODALITIES if m in sizes for s in (m, context_of(m))]
    if unread := [stream for stream in sizes if stream not in read]:
        raise UserError(
            f"inputs of MMML: {', '.join(sizes)}",
            found=f"{' and '.join(unread)}, which it does not read",
            expected="text, sound or both, each perhaps with its context",
            remedy="Leave pictures out, and give a context together with its own modality.",
        )
    return MMML(config, sizes, outputs)


def groups(model: MMML) -> dict[str, list]:
    """Return named parameters by learning rate: all but the encoders have one."""
    return {"fusion": list(model.named_parameters())}


# --- three losses -------------------------------------------------------------------------------


class Losses(Objective):
    """The weighted sum of the errors of all heads, papers/mmml.md (d).

    ``weights`` and ``labels`` by head; ``labels`` (N,) are those of the training set. Selection
    takes the same sum over the validation set, rounded to ``DIGITS``.
    """

    def __init__(self, error: str, weights: Mapping[str, float], train: Examples, own: bool):
        super().__init__(error)
        self.weights, self.own = weights, own
        self.labels = self.labels_of(train)

    def labels_of(self, examples: Examples) -> dict[str, Tensor]:
        """Return the labels (N,) of each head: those of its modality, or of the whole clip."""
        own = examples.unimodal if self.own else {}
        return {head: own.get(head, examples.label) for head in self.weights}

    def loss(self, output: Output, batch: Batch, rows: Tensor) -> Tensor:
        """Return the loss of the clips with these numbers."""
        labels = {head: label[rows.to(label.device)] for head, label in self.labels.items()}
        return self._sum(output.heads, labels)

    def score(self, outputs: Outputs, examples: Examples) -> float:
        """Return the loss of a whole part, as a mean over its clips."""
        scores = {h: outputs.column(lambda output, h=h: output.heads[h]) for h in self.weights}
        labels = {head: label.cpu() for head, label in self.labels_of(examples).items()}
        return round(float(self._sum(scores, labels)), DIGITS)

    def _sum(self, scores: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
        return sum(w * self.error(scores[head], labels[head]) for head, w in self.weights.items())


def objective(training: Training, model: MMML, train: Examples, stream: Stream) -> Losses:
    """Return the losses of a run; classes take the cross entropy.

    Raises ``UserError`` where one of two modalities has labels of its own and the other has none.
    """
    weight = {FUSED: 1.0, TEXT: training.weight_text, SOUND: training.weight_sound}
    weights = {head: weight[head] if len(model.tasks) > 1 else 1.0 for head in model.tasks}
    unimodal = [head for head in model.tasks if head != FUSED]
    labelled = [m for m in unimodal if m in train.unimodal]
    if training.labels == "own" and labelled and len(labelled) < len(unimodal):
        missing = next(m for m in unimodal if m not in labelled)
        raise UserError(
            "labels of each modality",
            found=f"labels for {labelled[0]} alone and none for {missing}",
            expected="labels for both, or for neither",
            remedy="Copy the label of the whole clip to both: the choice labels copied.",
        )
    error = training.loss if train.task.outputs == 1 else train.task.error
    return Losses(error, weights, train, training.labels == "own")


def extras(
    training: Training,
    fitted: Fit,
    examples: Mapping[str, Examples],
    outputs: Mapping[str, Outputs],
) -> HeadExtras:
    """Return what a record says beside the prediction: all heads, and labels of each modality."""
    test, task = examples["test"], examples["test"].task
    predicted = {}
    for head in fitted.objective.weights:
        scores = outputs["test"].column(lambda output, head=head: output.heads[head]).numpy()
        predicted[head] = rounded(task.prediction(scores))
    labels = {m: rounded(values.cpu().numpy()) for m, values in test.unimodal.items()}
    return HeadExtras(
        heads=predicted, unimodal_labels={m: v for m, v in labels.items() if m in predicted}
    )
