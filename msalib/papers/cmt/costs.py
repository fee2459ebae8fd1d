"""What does CMT cost at the paper's scale, and at ours? Pairs, weights, memory, products, hours.

Everything is arithmetic on sizes that the paper, its encoders or our recipe state (papers/cmt.md
(c), (d), (h)). A product is one multiplication with its addition, two operations of a card. Of a
pass back through trained weights twice the products of the pass forward are counted. Left out are
norms, activations, the heads over words and codewords, and the memory of activations, which depends
on how a batch is divided.

Lengths are means. Attention grows with their square, so clips that vary cost a little more.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from msalib.data.corpus import TUNED
from msalib.encoders.registry import ALL
from msalib.models import recipes
from msalib.pages.tables import Table
from msalib.papers.cmt import plan
from msalib.papers.cmt.checks import block_parameters
from msalib.runs.spec import System

BYTES = 16
"""Of a trained weight in float32: itself, its gradient, and both moments of Adam."""

CARD, RATE, SHARE = "H200 in bfloat16", 989e12, 0.4
"""A card, its operations a second without sparsity as its maker states them, and what share of
them a training reaches: our assumption."""

SEEDS = 5


# --- products -----------------------------------------------------------------------------------


class Stack(NamedTuple):
    """Transformer blocks: their number, width d, and the width between their feed-forward parts."""

    blocks: int
    width: int
    inner: int

    def products(self, steps: float) -> float:
        """Return the products of one pass over so many steps."""
        each = 4 * self.width**2 + 2 * self.width * self.inner + 2 * steps * self.width
        return self.blocks * steps * each


class Convolution(NamedTuple):
    """A convolution over time that gives ``rate`` frames a second."""

    inputs: int
    outputs: int
    kernel: int
    rate: float

    def products(self, seconds: float) -> float:
        """Return the products of one pass over so many seconds."""
        return seconds * self.rate * self.inputs * self.outputs * self.kernel


class Encoder(NamedTuple):
    """A speech or text encoder; ``weights`` are all of its, ``window`` its fixed length or 0."""

    weights: int
    stack: Stack
    convolutions: tuple[Convolution, ...] = ()
    window: float = 0.0

    def products(self, steps: float) -> float:
        """Return the products of one pass over a clip of so many frames or tokens."""
        steps = self.window * ALL or steps
        of_sound = sum(c.products(steps / ALL) for c in self.convolutions)
        return self.stack.products(steps) + of_sound


def fused(blocks: int, width: int, frames: float, tokens: float) -> float:
    """Return the products of one pass through both streams of CMT (papers/cmt.md (c)).

    Each stream of T steps attends to itself and to the U outputs of the other encoder.
    """
    d, total = width, 0.0
    for own, other in ((frames, tokens), (tokens, frames)):
        own_attention = own * (4 * d**2 + 2 * own * d)
        cross_attention = 2 * own * d**2 + 2 * other * d**2 + 2 * own * other * d
        total += own_attention + cross_attention + own * 8 * d**2
    return blocks * total


def _of_hubert() -> tuple[Convolution, ...]:
    """Return the convolutions of HuBERT-large."""
    rate, inputs, found = 16_000.0, 1, []
    for kernel, stride in ((10, 5), *((3, 2),) * 4, *((2, 2),) * 2):
        rate /= stride
        found.append(Convolution(inputs, 512, kernel, rate))
        inputs = 512
    # The projection to the width, and the positional convolution in 16 groups.
    return (*found, Convolution(512, 1024, 1, rate), Convolution(1024 // 16, 1024, 128, rate))


LARGE = Stack(24, 1024, 4096)
HUBERT = Encoder(315_438_720, LARGE, _of_hubert())
ROBERTA = Encoder(355_359_744, LARGE)
WHISPER = Encoder(
    8_208_384,
    Stack(4, 384, 1536),
    (Convolution(80, 384, 3, 2 * ALL), Convolution(384, 384, 3, ALL)),
    window=30.0,
)
MINILM = Encoder(22_713_216, Stack(6, 384, 1536))
"""Weights of the large ones are those of papers/cmt.md (c)."""


# --- scales -------------------------------------------------------------------------------------


class Clips(NamedTuple):
    """Clips of a corpus, with the mean seconds of their sound and the mean tokens of their text."""

    count: int
    seconds: float
    tokens: float


LIBRISPEECH = Clips(281_241, 960 * 3600 / 281_241, 45)
"""960 hours; tokens: 33 words a clip, 1.3 tokens a word, and two special ones (estimate)."""

TASKS: Mapping[str, Clips] = {
    "IEMOCAP": Clips(5_531 * 4 // 5, 4.5, 17),
    "MOSEI": Clips(16_326, 7.3, 28),
}
"""Clips to train on: of four sessions, and of MulT's split (papers/cmt.md (e)). Words a clip are
those of the transcripts (11.5 and 19.8); seconds are estimates."""


class Scale(NamedTuple):
    """One size of CMT with what it is pretrained on; ``step``: every so many-th frame is read.

    ``width`` and ``blocks`` are those of each stream. ``stored``: encoders read each clip once, its
    text clean and in so many masked ``variants``, and not in every update.
    """

    name: str
    blocks: int
    width: int
    sound: Encoder
    text: Encoder
    corpus: Clips
    updates: int
    batch: int
    step: int = 1
    stored: bool = False
    variants: int = 1

    @property
    def pairs(self) -> int:
        """Return how many pairs pretraining reads."""
        return self.updates * self.batch

    @property
    def passes(self) -> float:
        """Return how often pretraining reads its corpus."""
        return self.pairs / self.corpus.count

    @property
    def weights(self) -> int:
        """Return the weights of the streams, with the maps before them where widths differ."""
        widths = self.sound.stack.width, self.text.stack.width
        maps = sum(w * self.width + self.width for w in widths if w != self.width)
        return 2 * self.blocks * block_parameters(self.width) + maps

    @property
    def encoder_weights(self) -> int:
        """Return the weights of both encoders."""
        return self.sound.weights + self.text.weights

    def encoded(self, clips: Clips, texts: int) -> float:
        """Return the products of one clip in both encoders, with its text in so many forms."""
        sound = self.sound.products(clips.seconds * ALL)
        return sound + texts * self.text.products(clips.tokens)

    def streamed(self, clips: Clips) -> float:
        """Return the products of one clip in the streams."""
        return fused(self.blocks, self.width, clips.seconds * ALL / self.step, clips.tokens)

    def pretrained(self) -> float:
        """Return the products of pretraining: frozen encoders forward, streams also back."""
        encoded = self.encoded(self.corpus, 1 + self.variants)
        times = min(self.corpus.count, self.pairs) if self.stored else self.pairs
        return times * encoded + 3 * self.pairs * self.streamed(self.corpus)

    def fine_tuned(self, task: Clips, epochs: int) -> float:
        """Return the products of one fine-tuning, encoders included, without validation."""
        return 3 * epochs * task.count * (self.encoded(task, 1) + self.streamed(task))


def _recipe(dataset: str) -> dict:
    groups = recipes.load(plan.PAPER, "release", "full", dataset)
    return groups["model"] | groups["train"]


BASE_SIZE, LARGE_SIZE = (
    Scale(name, blocks, LARGE.width, HUBERT, ROBERTA, LIBRISPEECH, updates=100_000, batch=256)
    for name, blocks in ((plan.BASE, 2), (plan.LARGE, 4))
)

SPOKEN = Clips(0, 1.8, 9)
"""Clips of the spoken control, of which the recipe says how many are read."""


def ours() -> Scale:
    """Return the scale of the spoken control, as the recipe has it."""
    recipe = _recipe("raw-spoken")
    return Scale(
        "here, spoken control",
        recipe["blocks"],
        recipe["width"],
        WHISPER,
        MINILM,
        SPOKEN._replace(count=recipe["pt_clips"]),
        recipe["pt_updates"],
        recipe["pt_batch_size"],
        step=recipe["frame_step"],
        stored=True,
        variants=recipe["text_variants"],
    )


def hours(products: float, rate: float = RATE, share: float = SHARE) -> float:
    """Return the hours of so many products on a card of ``rate`` operations a second."""
    return 2 * products / (rate * share) / 3600


# --- trainings by exhibit -----------------------------------------------------------------------

FOLDS = 5
WHOLE = dict.fromkeys((plan.SOUND, plan.TEXT), TUNED)


def trainings() -> dict[str, dict[str, int]]:
    """Return by exhibit how many fine-tunings it adds per seed on each data set.

    A system that an exhibit before it has is not trained again (papers/cmt.md (h)).
    """
    five = {*plan.alone(WHOLE).values(), *plan.sizes(WHOLE).values()}
    asked: dict[str, set[System]] = {
        "Table 2": five,
        "Table 4": {*plan.ingredients(WHOLE).values()},
        "Table 3": {plan.ingredients(WHOLE)[plan.POOLER]},
        "Fig. 2": {*plan.blocks(WHOLE).values()},
        "Fig. 3": {*plan.shares(WHOLE).values()},
        "Fig. 4": {*plan.alphas(WHOLE).values()},
    }
    found, known = {"Table 1": {"IEMOCAP": FOLDS * len(five), "MOSEI": 0}}, set[System]()
    for exhibit, systems in asked.items():
        found[exhibit] = {"IEMOCAP": 0, "MOSEI": len(systems - known)}
        known |= systems
    return found


def pretrainings() -> dict[str, int]:
    """Return how many pretrainings Table 4 has, on LibriSpeech and on the tasks."""
    sizes: dict[str, set[str]] = {"pt": set(), "tapt": set()}
    for system in plan.ingredients(WHOLE).values():
        kind, blocks = (system.choice(n, paper=plan.PAPER) for n in ("pretraining", "blocks"))
        for stage in kind.split("_"):
            if stage in sizes:
                sizes[stage].add(blocks)
    return {"PT": len(sizes["pt"]), "TAPT": len(sizes["tapt"]) * len(TASKS)}


# --- tables -------------------------------------------------------------------------------------


def pretraining(rate: float = RATE, share: float = SHARE, card: str = CARD) -> Table:
    """Show pretraining at the paper's two sizes and at ours."""
    scales, counts = (BASE_SIZE, LARGE_SIZE, ours()), pretrainings()
    rows = {
        "updates x pairs": [f"{s.updates:,} x {s.batch}" for s in scales],
        "pairs": [f"{s.pairs:,}" for s in scales],
        "clips": [f"{s.corpus.count:,}" for s in scales],
        "passes over them": [f"{s.passes:.1f}" for s in scales],
        "seconds / tokens of a clip": [
            f"{s.corpus.seconds:.1f} / {s.corpus.tokens:g}" for s in scales
        ],
        "weights of the streams": [_millions(s.weights) for s in scales],
        "weights of the encoders": [_millions(s.encoder_weights) for s in scales],
        "memory: streams trained": [_gigabytes(BYTES * s.weights) for s in scales],
        "memory: all trained": [
            _gigabytes(BYTES * (s.weights + s.encoder_weights)) for s in scales
        ],
        "products of a pair: encoders": [
            _billions(s.encoded(s.corpus, 1 + s.variants)) for s in scales
        ],
        "encoders read a pair": ["once" if s.stored else "in every pass" for s in scales],
        "products of a pair: streams": [_billions(s.streamed(s.corpus)) for s in scales],
        "products of pretraining": [f"{s.pretrained():.2g}" for s in scales],
        f"time on one {card}": [
            "not needed" if s.stored else _time(hours(s.pretrained(), rate, share)) for s in scales
        ],
    }
    frame = pd.DataFrame(
        [[name, *values] for name, values in rows.items()],
        columns=["pretraining", *(s.name for s in scales)],
    )
    return Table(
        frame,
        caption="What one pretraining costs, computed from sizes. Products are multiplications "
        "with their addition, of one pass forward; encoders are frozen, streams also pass back. "
        "Memory is that of weights, gradients and Adam's moments in float32. Hours assume "
        f"{share:.0%} of {rate / 1e12:,.0f} x 10^12 operations a second. The paper pretrains "
        f"{counts['PT']} times on LibriSpeech and {counts['TAPT']} times on a task.",
    )


def fine_tuning(
    rate: float = RATE, share: float = SHARE, card: str = CARD, seeds: int = SEEDS
) -> Table:
    """Show the fine-tunings of every exhibit at the paper's scale, each as large as CMT LARGE."""
    epochs = _recipe("mosei")["epochs"]
    each = {name: hours(LARGE_SIZE.fine_tuned(c, epochs), rate, share) for name, c in TASKS.items()}
    counts = trainings()
    rows = [
        {
            "exhibit": exhibit,
            **{f"{name}, per seed": f"{n[name]}" for name in TASKS},
            f"hours, {seeds} seeds": _time(seeds * sum(n[name] * each[name] for name in TASKS)),
        }
        for exhibit, n in counts.items()
    ]
    total = {name: sum(n[name] for n in counts.values()) for name in TASKS}
    rows.append(
        {
            "exhibit": "all",
            **{f"{name}, per seed": f"{total[name]}" for name in TASKS},
            f"hours, {seeds} seeds": _time(seeds * sum(total[name] * each[name] for name in TASKS)),
        }
    )
    lengths = "; ".join(
        f"{name}: {c.count:,} clips of {c.seconds:g} s and {c.tokens:g} tokens, "
        f"{_time(each[name])} a training"
        for name, c in TASKS.items()
    )
    return Table(
        pd.DataFrame(rows),
        caption=f"Fine-tunings that each exhibit adds, of {epochs} epochs, and their hours on one "
        f"{card} at {share:.0%} of its rate, if each had the size of CMT LARGE with both encoders "
        f"trained. {lengths}. Validation is left out.",
    )


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M"


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _billions(count: float) -> str:
    return f"{count / 1e9:,.3g} x 10^9"


def _time(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:.2g} min"
