"""What tests of training are made of: parts of the tiny corpus, small models and regimes."""

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import torch
from torch import nn

from msalib.data.corpus import Corpus, Examples
from msalib.models import uegd
from msalib.training import loop
from msalib.training.masking import Masking
from msalib.training.objective import Objective
from msalib.training.regime import Part, Regime
from msalib.training.streams import Keyed
from tests.factory import MODEL, SIZES, TRAIN, tiny_corpus

TEXT = {"linguistic": 1}
MASKED = {"time_masks": 2, "feature_masks": 2, "feature_mask_share": 0.5}
MASKING = Masking(feature_masks=2, feature_mask_share=0.5, time_masks=2, time_mask_share=0.2)
KEYED = partial(Keyed, masking=MASKING)


@cache
def corpus() -> Corpus:
    return tiny_corpus()


def examples(part: str, inputs=TEXT, label: float | Sequence[float] | None = None) -> Examples:
    """One part of the tiny corpus; ``label`` takes the place of its labels."""
    chosen = corpus().examples(corpus().rows(part, "standard"), inputs=inputs)
    if label is not None:
        values = torch.as_tensor(label, dtype=torch.float32)
        chosen.label = values.expand(len(chosen)).clone()
    return chosen


def recipe(**changes) -> Regime:
    """The regime of UEGD's recipe for tests, with other values."""
    return uegd.Training(**{**TRAIN, **changes}).regime()


def sgd(groups: list[dict]) -> torch.optim.Optimizer:
    """Plain gradient descent, so that one can work out a step by hand."""
    return torch.optim.SGD(groups)


def regime(rate: float = 0.1, **changes) -> Regime:
    """Five batches of four clips, one part, gradient descent."""
    usual = {"epochs": 1, "batch_size": 4, "stream": Keyed, "optimizer": sgd}
    return Regime(**{**usual, "parts": {"model": Part(rate)}, **changes})


def small_uegd(inputs=TEXT, **model) -> uegd.UEGD:
    return uegd.build(
        uegd.Config(**{**MODEL, **model}),
        sizes={m: SIZES[m] for m in inputs},
        layers={m: 3 for m, layer in inputs.items() if layer == "weighted"},
        outputs=1,
    )


class Guess(NamedTuple):
    prediction: torch.Tensor


class Constant(nn.Module):
    """One number for every clip; ``rate`` zero makes it one that nothing can train."""

    def __init__(self, start=0.0, rate=1.0):
        super().__init__()
        self.guess = nn.Parameter(torch.tensor(start))
        self.rate = rate

    def forward(self, features, mask):
        value = self.guess * self.rate + self.guess.detach() * (1 - self.rate)
        return Guess(value.expand(len(mask["linguistic"])))


def fit(build=Constant, how: Regime | None = None, seed=0, *, parts=None, goal=None, groups=None):
    """Train on the tiny corpus; ``goal`` is an objective, without one the absolute error."""
    how = how or recipe()
    goal = goal or Objective("l1", how.validation)
    parts = parts or (examples("train"), examples("valid"))
    return loop.fit(build, lambda *_: goal, *parts, how, seed, groups)
