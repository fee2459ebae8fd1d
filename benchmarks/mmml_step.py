"""Training steps of MMML with both encoders, against its release read literally, at base sizes.

RoBERTa-base, Data2Vec-audio-base and five cross-modal layers with random weights, on random sound
and tokens of MOSI's lengths. `literal` is papers/mmml.md (c) and (d) as it stands there: every text
is padded to 96 tokens and every sound to 96,000 samples, and the convolutions run in every step,
their weights frozen and gradients sent through them nevertheless. `msalib` is what a study runs:
frames of the convolutions are kept, and padding is left out where it changes nothing. Without
dropout, LayerDrop and SpecAugment both take ten steps from the same weights through the same clips,
and the script stops unless their losses agree. Each measurement is a process of its own, which
tells its greatest memory.

    python benchmarks/mmml_step.py [--steps 10]
    python benchmarks/mmml_step.py --tiny      # does the script work? Writes nothing.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from statistics import mean
from typing import Annotated, NamedTuple

import torch
import typer
from measured import resident, rounded, summary, text, timed, write
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from msalib.encoders import Encoder, speech, tuned
from msalib.encoders import text as words
from msalib.models import cme, mmml, recipes
from msalib.training.regime import adamw

TOKENS, SAMPLES, RATE = 96, 96_000, 16_000
RATE_OF_LEARNING = 1e-5  # papers/mmml.md (d)
FEW = 2
"""Clips a step for ten steps and for their growth."""

BATCHES = {"release": 8, "article": 16}  # papers/mmml.md (d)

GROWTH = (2.0, 4.0, 6.0)
"""Seconds of all clips."""

TOLERANCE = 1e-4
TARGETS = {"msalib": 2.4, "msalib_bfloat16": 4.0, "share_of_memory": 0.6}
"""Least ratios of steps a second, and the largest share of memory."""

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TINY |= {"intermediate_size": 64}
STILL = {"hidden_dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0}
STILL |= {"feat_proj_dropout": 0.0, "layerdrop": 0.0, "apply_spec_augment": False}


# --- models and clips ---------------------------------------------------------------------------


def encoders(tiny: bool) -> tuple[nn.Module, nn.Module]:
    """The two encoders as transformers makes them, with random weights."""
    from transformers import Data2VecAudioConfig, Data2VecAudioModel, RobertaConfig, RobertaModel

    size = TINY if tiny else {}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    base = {"vocab_size": 50_265, "max_position_embeddings": 514, "type_vocab_size": 1}
    torch.manual_seed(0)
    roberta = RobertaModel(RobertaConfig(**base | still | size), add_pooling_layer=False)
    convolutions = {"conv_dim": (16,) * 7} if tiny else {}
    data2vec = Data2VecAudioModel(Data2VecAudioConfig(**STILL | convolutions | size))
    return roberta, data2vec


def fusion(width: int) -> mmml.MMML:
    """Everything behind the encoders: the usual model of the release, without dropout."""
    model = recipes.load("mmml", "release", "full", "mosi")["model"] | {"dropout": 0.0}
    torch.manual_seed(1)
    sizes = {mmml.TEXT: width, mmml.SOUND: width}
    return mmml.build(mmml.Config(**model), sizes=sizes, layers={}, outputs=1)


class Clips(NamedTuple):
    """A batch before any padding."""

    ids: list[Tensor]
    waves: list[Tensor]
    label: Tensor

    def mean_seconds(self) -> float:
        return sum(map(len, self.waves)) / len(self.waves) / RATE


def clips(batch: int, seconds: float | None, generator: torch.Generator) -> Clips:
    """Clips of MOSI's lengths, or of one: 4.2 s on average, cut at 6 s, and 12 words."""

    def normal(mean, deviation):
        return mean + deviation * torch.randn(batch, generator=generator)

    if seconds is None:
        length = normal(4.2, 2.5).clamp(0.5, 15).clamp(max=SAMPLES / RATE)
    else:
        length = torch.full((batch,), seconds)
    # A word is 1.2 pieces; CLS and SEP.
    pieces = (1.2 * normal(12, 7)).clamp(1, TOKENS - 2).long() + 2
    ids = [torch.randint(4, 50_000, (n,), generator=generator) for n in pieces.tolist()]
    waves = [torch.randn(n, generator=generator) for n in (length * RATE).long().tolist()]
    return Clips(ids, waves, normal(0, 1.5).clamp(-3, 3))


# --- two ways of a step -------------------------------------------------------------------------


class Literal(nn.Module):
    """All texts and sounds padded to a fixed length, the convolutions in every step."""

    def __init__(self, roberta: nn.Module, data2vec: nn.Module, core: mmml.MMML):
        super().__init__()
        self.roberta, self.data2vec, self.core = roberta, data2vec, core
        self.fusion = core.fuse.encoder
        for weight in data2vec.feature_extractor.parameters():
            weight.requires_grad = False

    def prepare(self, some: Clips) -> tuple[Tensor, ...]:
        ids, token_mask = padded(some.ids, TOKENS, 1)
        return ids, token_mask, *padded(some.waves, SAMPLES, 0.0)

    def forward(self, ids: Tensor, token_mask: Tensor, waves: Tensor, sound_mask: Tensor):
        spoken = self.roberta(ids, attention_mask=token_mask.long()).last_hidden_state
        heard = self.data2vec(waves, attention_mask=sound_mask.long()).last_hidden_state
        length = [speech.frames(self.data2vec.config, n) for n in sound_mask.sum(1).tolist()]
        frame_mask = torch.arange(heard.shape[1]) < torch.tensor(length)[:, None]
        text = torch.cat([in_front(self.fusion.text_vector, spoken), spoken], 1)
        sound = torch.cat([in_front(self.fusion.sound_vector, heard), heard], 1)
        token_mask, frame_mask = (F.pad(m, (1, 0), value=True) for m in (token_mask, frame_mask))
        for layer in self.fusion.layers:
            text, sound = (
                updated(layer.text, text, token_mask, sound, frame_mask),
                updated(layer.sound, sound, frame_mask, text, token_mask),
            )
        sound_mean = (heard * frame_mask[:, 1:, None]).sum(1) / frame_mask[:, 1:].sum(
            1, keepdim=True
        )
        read = {
            mmml.TEXT: self.core.pooler(spoken[:, 0]).tanh(),
            mmml.SOUND: sound_mean,
            mmml.FUSED: torch.cat([text[:, 0], sound[:, 0]], -1),
        }
        return {m: self.core.heads[m](vector).squeeze(-1) for m, vector in read.items()}

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=rate)


class Ours(nn.Module):
    """What a study runs, on frames that were kept."""

    def __init__(self, roberta: nn.Module, data2vec: nn.Module, core: mmml.MMML, precision: str):
        super().__init__()
        self.precision = precision
        self.convolutions = [data2vec.feature_extractor]  # in a list: no part of the model
        words.load = lambda encoder: (None, roberta)
        speech.pretrained = lambda encoder: data2vec
        seconds = SAMPLES / RATE
        built = {
            m: tuned.build(Encoder("random", m, ""), precision, seconds=seconds)
            for m in mmml.MODALITIES
        }
        self.model = tuned.FineTuned(core, built)

    @torch.no_grad()
    def prepare(self, some: Clips) -> tuple[dict[str, Tensor], ...]:
        frames = [self.convolutions[0](wave[None])[0].T for wave in some.waves]
        read = {mmml.TEXT: [ids[:, None] for ids in some.ids], mmml.SOUND: frames}
        longest = {m: max(map(len, x)) for m, x in read.items()}
        mask = {
            m: torch.arange(longest[m]) < torch.tensor([[len(one)] for one in x])
            for m, x in read.items()
        }
        return {m: torch.cat(x) for m, x in read.items()}, mask

    def forward(self, features: dict[str, Tensor], mask: dict[str, Tensor]):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16"):
            return self.model(features, mask).heads

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        return adamw([{"params": self.parameters(), "lr": rate}])


def in_front(vector: Tensor, states: Tensor) -> Tensor:
    """A learned vector for every clip, (B, 1, d)."""
    return vector.expand(len(states), 1, -1)


def updated(stream: cme.Stream, x: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor):
    """One modality after a cross-modal layer, at all positions, padding included."""
    x = attended(stream.cross, x, other, other_mask)
    x = attended(stream.own, x, x, mask)
    last = stream.feed_forward
    return last.norm(x + last.output(last.hidden(x).relu()))


def attended(block: cme.Attention, x: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """Attention of ``x`` to ``other``, with residual sum and LayerNorm."""

    def by_head(states: Tensor) -> Tensor:
        return states.unflatten(-1, (block.heads, -1)).transpose(1, 2)

    projected = block.query(x), block.key(other), block.value(other)
    states = F.scaled_dot_product_attention(*map(by_head, projected), mask[:, None, None])
    return block.norm(x + block.output(states.transpose(1, 2).flatten(2)))


def padded(rows: list[Tensor], width: int, fill: float) -> tuple[Tensor, Tensor]:
    """Rows in a batch of this width, and where they are, (B, width)."""
    batch = pad_sequence([*rows, torch.zeros(width)], batch_first=True, padding_value=fill)
    mask = torch.arange(width) < torch.tensor([[len(row)] for row in rows])
    return batch[:-1].to(rows[0].dtype), mask


# --- one measurement ----------------------------------------------------------------------------


class Asked(NamedTuple):
    """What a process is to measure; ``seconds`` None are MOSI's lengths."""

    way: str
    precision: str = "float32"
    batch: int = FEW
    seconds: float | None = None
    steps: int = 1
    tiny: bool = False


def alone(asked: Asked) -> dict:
    """Take so many steps: their losses and times, and the greatest memory of this process."""
    roberta, data2vec = encoders(asked.tiny)
    core = fusion(roberta.config.hidden_size)
    if asked.way == "literal":
        model = Literal(roberta, data2vec, core)
    else:
        model = Ours(roberta, data2vec, core, asked.precision)
    optimizer = model.train().optimizer(RATE_OF_LEARNING)
    generator = torch.Generator().manual_seed(0)
    if asked.steps == 1:  # single steps are measured as later ones: with the moments of AdamW
        first = clips(1, 0.5, generator)
        step(model, optimizer, model.prepare(first), first.label)()
    losses, times, heard = [], [], []
    for _ in range(asked.steps):
        some = clips(asked.batch, asked.seconds, generator)
        heard.append(some.mean_seconds())
        took, loss = timed(step(model, optimizer, model.prepare(some), some.label), "cpu")
        times.append(took / 1000)
        losses.append(loss)
    return {
        "losses": losses,
        "seconds": times,
        "peak_mb": resident(),
        "seconds_of_sound": mean(heard),
        "trained": sum(w.numel() for w in model.parameters() if w.requires_grad),
    }


def step(model: nn.Module, optimizer, inputs: tuple, label: Tensor) -> Callable[[], float]:
    """A step of training that returns its loss: absolute errors of all heads."""

    def run() -> float:
        heads = model(*inputs)
        loss = sum((score.float() - label).abs().mean() for score in heads.values())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    return run


def measured(asked: Asked) -> dict:
    """The measurements of a fresh process."""
    command = [sys.executable, __file__, "--alone", json.dumps(asked)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


# --- the comparison -----------------------------------------------------------------------------

WAYS = {"literal": Asked("literal"), "msalib": Asked("msalib")}
WAYS |= {"msalib_bfloat16": Asked("msalib", "bfloat16")}


def same_steps(batch: int, steps: int, tiny: bool) -> dict:
    """The same steps in all ways: losses, times, and ratios step by step."""
    results = {
        way: measured(asked._replace(batch=batch, steps=steps, tiny=tiny))
        for way, asked in WAYS.items()
    }
    literal = results["literal"]
    gaps = {
        way: max(abs(a - b) for a, b in zip(literal["losses"], result["losses"], strict=True))
        for way, result in results.items()
    }
    if gaps["msalib"] > TOLERANCE:
        raise SystemExit(f"losses differ by {gaps['msalib']:.2g}: nothing to compare")
    figures = {
        "batch": batch,
        "steps": steps,
        "seconds_of_sound": rounded(literal["seconds_of_sound"]),
        "trained_weights": literal["trained"],
    }
    for way, result in results.items():
        # The first step also makes the moments of AdamW.
        pairs = list(zip(literal["seconds"], result["seconds"], strict=True))[1:]
        ratio = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
        figures[way] = {
            "seconds": summary(result["seconds"][1:]),
            "losses": [rounded(loss, 7) for loss in result["losses"]],
            "largest_loss_difference": rounded(gaps[way], 2),
            "steps_per_second_ratio": rounded(ratio),
            "ratio_by_step": summary([a / b for a, b in pairs]),
        }
        print(
            f"{way}: {text(figures[way]['seconds'])} s a step, {ratio:.3g} times as many a second "
            f"as literal, losses within {gaps[way]:.2g}"
        )
    return figures


def whole_batch(batch: int, tiny: bool) -> dict:
    """Time and memory of one step of a whole batch.

    ``share_beyond`` is that of the memory beyond weights, gradients and moments.
    """
    results = {w: measured(a._replace(batch=batch, tiny=tiny)) for w, a in WAYS.items()}
    seconds, peak = results["literal"]["seconds"][0], results["literal"]["peak_mb"]
    fixed = 16 * results["literal"]["trained"] / 2**20
    figures = {
        "batch": batch,
        "seconds_of_sound": rounded(results["literal"]["seconds_of_sound"]),
        "weights_gradients_moments_mb": round(fixed),
    }
    for way, result in results.items():
        figures[way] = {
            "seconds": rounded(result["seconds"][0]),
            "steps_per_second_ratio": rounded(seconds / result["seconds"][0]),
            "peak_mb": round(result["peak_mb"]),
            "share_of_memory": rounded(result["peak_mb"] / peak, 3),
            "share_beyond": rounded((result["peak_mb"] - fixed) / (peak - fixed), 3),
        }
        print(
            f"batch of {batch}: {way} {result['seconds'][0]:.3g} s, {result['peak_mb']:.0f} MB "
            f"({result['peak_mb'] / peak:.0%})"
        )
    return figures


def growth(batch: int, tiny: bool) -> dict:
    """Time and memory of a step by the length of all clips."""
    figures = {}
    for seconds in GROWTH:
        figures[f"{seconds:g} s"] = by_way = {}
        for way in ("literal", "msalib"):
            asked = Asked(way, batch=batch, seconds=seconds, tiny=tiny)
            result = measured(asked)
            took, peak = rounded(result["seconds"][0]), round(result["peak_mb"])
            by_way[way] = {"seconds": took, "peak_mb": peak}
            print(f"{seconds:g} s: {way} {result['seconds'][0]:.3g} s, {result['peak_mb']:.0f} MB")
    return {"batch": batch, "by_length": figures}


def main(
    steps: Annotated[int, typer.Option(min=3, help="Steps of training.")] = 10,
    tiny: Annotated[bool, typer.Option(help="Small models; writes nothing.")] = False,
    alone_: Annotated[str, typer.Option("--alone", hidden=True)] = "",
) -> None:
    torch.set_num_threads(1)
    if alone_:
        print(json.dumps(alone(Asked(*json.loads(alone_)))))
        return
    content = {
        "data": "random sound and tokens of MOSI's lengths",
        "threads": torch.get_num_threads(),
        "targets": TARGETS,
        "same_steps": same_steps(FEW, steps, tiny),
        "whole_batch": {name: whole_batch(size, tiny) for name, size in BATCHES.items()},
        "growth": growth(FEW, tiny),
    }
    if not tiny:
        write("mmml_step", "cpu", content)


if __name__ == "__main__":
    typer.run(main)
