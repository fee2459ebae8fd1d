"""Compare UEGD's features, with mid-best as validation chose it and with the choice repeated.

Mid-best is the block with the best validation correlation alone, whichever model then reads it.
The claims speak of choosing a block, so the effect decides for which the choice is repeated in
every resample (``choices.effect_of_choosing``); that of the block as chosen stands beside it. The
choice can be repeated only where models of every block were trained.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.metrics import METRICS
from msalib.evidence import arms, choices, videos
from msalib.evidence.arms import Sample, Score, Scored
from msalib.evidence.choices import Choice, Term
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import Group
from msalib.runs.query import Runs
from msalib.runs.records import undefined_for
from msalib.runs.spec import System

CHOOSING, AS_CHOSEN = "choosing", "as chosen"
"""Endings of the names of the two effects."""

SHOWN = 3
"""Blocks that a note names with the share of resamples in which they are chosen."""


def fixed(system: System) -> Term:
    """Return the term of a system that depends on no choice."""
    return Term((), {(): system})


def term(runs: Runs, group: Group, feature: str, **options) -> Term:
    """Return what is read of a group with a feature; mid-best depends on what is chosen.

    ``options``: fusion or train_share, as for ``layers.system_of``.
    """
    of = tuple(m for m in group if m in layers.layered(runs))
    if feature != "mid_best" or not of:
        return fixed(layers.system_of(runs, group, feature, **options))
    blocks = [layers.blocks(runs, m) for m in of]
    usual = layers.system_of(runs, group, "output", **options)
    systems = {}
    for places in product(*map(range, map(len, blocks))):
        chosen = {m: of_m[place] for m, of_m, place in zip(of, blocks, places, strict=True)}
        inputs = tuple((m, chosen.get(m, layer)) for m, layer in usual.inputs)
        systems[places] = usual._replace(inputs=inputs)
    return Term(of, systems)


def made(runs: Runs, modalities: Sequence[str]) -> dict[str, Choice]:
    """Return what validation chooses among the blocks of each of these modalities with layers."""
    return {
        m: choices.choose(runs, layers.block_systems(runs, m))
        for m in modalities
        if m in layers.layered(runs)
    }


def _remembered(
    runs: Runs, score: Score, read: Sequence[System], beside: Sequence[System] = ()
) -> Callable[[Sample], Scored]:
    """Return a score of the systems that are read, in this order, which scores none twice.

    The sample has the seeds that they and those ``beside`` share.
    """
    shared = runs.seeds(*read, *beside)
    return partial(arms.remembered, runs, score, [arms.Arm(s) for s in read], shared)


class Compared(NamedTuple):
    """Effects by name, those that decide first of each pair, and which of them decide."""

    effects: dict[str, Estimate]
    decide: tuple[str, ...]


class Terms:
    """Terms of one comparison on records, with the choices that they depend on.

    ``runs`` hold all systems of the terms that were trained, and the candidates of each choice.
    """

    def __init__(self, runs: Runs, choices: Mapping[str, Choice], terms: Sequence[Term]):
        self.runs, self.terms = runs, terms
        self.choices = {m: c for m, c in choices.items() if any(m in t.of for t in terms)}
        self.as_chosen = [t.systems[self._places(t)] for t in terms]

    def _places(self, term: Term) -> tuple[int, ...]:
        chosen = (self.choices[m] for m in term.of)
        return tuple(choice.systems.index(choice.chosen) for choice in chosen)

    @property
    def chosen(self) -> bool:
        """Whether anything depends on a choice."""
        return bool(self.choices)

    @property
    def read(self) -> list[System]:
        """Every system that the terms may read, each once, in the order of the terms."""
        return list(dict.fromkeys(s for term in self.terms for s in term.systems.values()))

    @property
    def candidates(self) -> list[System]:
        """What validation chooses among."""
        return [s for choice in self.choices.values() for s in choice.systems]

    @property
    def repeatable(self) -> bool:
        """Whether models of everything that could have been chosen are there."""
        return self.chosen and len(self.runs.seeds(*self.read, *self.candidates)) >= arms.SEEDS

    def lacking(self, name: str = "what is compared") -> str | None:
        """Return what the comparison needs and the records lack, if any (``layers.lacking``)."""
        return layers.lacking(self.runs, *dict.fromkeys(self.as_chosen), name=name)

    def effects(self, name: str, weights: Sequence[float], score: Score) -> Compared:
        """Return the weighted sum of a score over the terms, by one name or two."""
        drawn = arms.sample(self.runs, [arms.Arm(s) for s in self.as_chosen])
        seeds, resampled = _remembered(self.runs, score, self.as_chosen)(drawn)
        # Sums in another order differ in the last digits, which must not tell equal systems apart.
        seeds = np.round(np.asarray(weights) @ seeds, 12)
        resampled = np.round(resampled @ np.asarray(weights), 12)
        alone = stats.estimate(seeds, resampled)
        if not self.chosen:
            return Compared({name: alone}, (name,))
        beside = {f"{name}, {AS_CHOSEN}": alone}
        if not self.repeatable:
            return Compared(beside, tuple(beside))
        decides = f"{name}, {CHOOSING}"
        scored = _remembered(self.runs, score, self.read, self.candidates)
        effect = choices.effect_of_choosing(self.runs, self.choices, self.terms, weights, scored)
        return Compared({decides: effect, **beside}, (decides,))

    def by_metric(
        self, name: str, weights: Sequence[float], *, gains: bool = False
    ) -> dict[str, Compared]:
        """Return the effects in MAE and correlation, as they are or signed as ``gains``."""
        result = {}
        for metric, sign in videos.SIGNS.items():
            signed = (sign if gains else 1) * np.asarray(weights)
            full = f"{name} {METRICS[metric].label}".strip()
            result[metric] = self.effects(full, signed, _raw(metric, self.runs))
        return result


def _raw(metric: stats.Metric, runs: Runs) -> Score:
    def score(drawn: Sample) -> Scored:
        sign = arms.signed(metric)
        point, resampled = arms.scores(runs.task, metric, drawn)
        return sign * point, sign * resampled

    return Score(f"{metric} as it is", score)


def in_words(runs: Runs, terms: Terms, name: str) -> list[str]:
    """Say what validation chooses, and which effect decides; nothing where nothing is chosen."""
    if not terms.chosen:
        return []
    how = [_how_chosen(runs, choice, m) for m, choice in terms.choices.items()]
    if terms.repeatable:
        return [*how, f"{CHOOSING} decides: the choice is repeated in every resample"]
    return [*how, f"{name}: {AS_CHOSEN} decides, as models of other blocks were not trained"]


def _how_chosen(runs: Runs, choice: Choice, modality: str) -> str:
    """Say which block is mid-best, and which blocks resamples of validation choose."""
    blocks = layers.blocks(runs, modality)
    best = choice.chosen.inputs[0][1]
    if np.isnan(choice.resampled).all():
        trained = (record for seeds in runs.records(*choice.systems) for record in seeds)
        why = " or ".join(dict.fromkeys(undefined_for(trained, "valid")))
        return f"{modality} mid-best is undefined ({why}), block {best} replaces it"
    shares = np.bincount(choice.places, minlength=len(blocks)) / len(choice.places)
    order = np.argsort(-shares, kind="stable")[:SHOWN]
    often = ", ".join(f"block {blocks[k]} in {shares[k]:.0%}" for k in order if shares[k] >= 0.005)
    return f"{modality} mid-best is block {best}; resamples of validation choose {often}"
