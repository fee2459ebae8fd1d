"""Tests of UEGD's claims that compare features, with one another or as clips become more.

Where mid-best takes part, the effect decides for which the choice of the block is repeated in
every resample, and that of the block as chosen stands beside it (``choosing``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.evidence import videos
from msalib.evidence.common import Evidence, not_run, sentence, why_undefined, without
from msalib.papers.uegd import choosing, conventional, layers
from msalib.papers.uegd.choosing import Terms
from msalib.papers.uegd.layers import SHARES, Group
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System


def better_than(runs: Runs, *, features: list[str], other: str, groups: list[str]) -> Evidence:
    """Test (T-MAE, T-CORR) each of ``features`` against ``other``, by group (C6, C7, X2).

    ``groups``: "alone" and "together".
    """
    chosen, absent = layers.groups(runs, groups)
    judged = _Judged(runs)
    for group in chosen:
        if missing := layers.missing_choices(runs, group):
            judged.needs += missing
            continue
        made, theirs = choosing.made(runs, group), choosing.term(runs, group, other)
        terms = {
            _named(group, features, feature): Terms(
                runs, made, [choosing.term(runs, group, feature), theirs]
            )
            for feature in features
        }
        judged.add(group, terms)
    what = f"{', '.join(map(_words, features))} minus {_words(other)}"
    return judged.evidence(runs, what, absent)


def better_than_conventional(
    runs: Runs,
    *,
    features: list[str],
    groups: list[str],
    beside: Callable[[Runs], Iterable[Record]] = conventional.beside,
) -> Evidence:
    """Test each of ``features`` against every kind of conventional ones, by group (C1, C4).

    These are features of words, whose records are those ``beside``.
    """
    chosen, absent = layers.groups(runs, groups)
    judged, pairs = _Judged(runs), {}
    for group in chosen:
        if need := conventional.missing(runs, group):
            absent = [*absent, need]
        elif missing := layers.missing_choices(runs, group):
            judged.needs += missing
        else:
            usual = layers.system_of(runs, group, "output")
            pairs[group] = {
                f"{_named(group, features, feature)} minus {words}": [
                    choosing.term(runs, group, feature),
                    choosing.fixed(conventional.system(usual, encoder)),
                ]
                for encoder, words in conventional.WORDS.items()
                for feature in features
            }
    made = {m: choice for group in pairs for m, choice in choosing.made(runs, group).items()}
    merged = _merged(runs, made, [p for named in pairs.values() for p in named.values()], beside)
    for group, named in pairs.items():
        judged.add(group, {name: Terms(merged, made, pair) for name, pair in named.items()})
    what = f"{', '.join(map(_words, features))} minus conventional features of words"
    return judged.evidence(merged, what, absent)


class _Judged:
    """What a test has found so far, group by group: effects, what is lacking, and words."""

    def __init__(self, runs: Runs):
        self.runs = runs
        self.effects: dict[str, Estimate] = {}
        self.partial: dict[str, Estimate] = {}
        self.signs: dict[str, int] = {}
        self.needs: list[str] = []
        self.phrases: list[str] = []
        self.compared: dict[System, None] = {}
        self.covered: dict[str, None] = {}

    def add(self, group: Group, terms: Mapping[str, Terms]) -> None:
        """Add the comparisons of a group by name; if one lacks something, they are partial."""
        missing = [need for one in terms.values() if (need := one.lacking())]
        effects, signs = {}, {}
        for name, one in terms.items():
            if one.lacking():
                continue
            for metric, compared in one.by_metric(name, [1, -1]).items():
                effects |= compared.effects
                signs |= dict.fromkeys(compared.decide, videos.SIGNS[metric])
            self.compared |= dict.fromkeys(one.as_chosen)
        if missing:
            self.needs += missing
            self.partial |= effects
            return
        self.effects |= effects
        self.signs |= signs
        self.covered |= dict.fromkeys(group)
        for one in terms.values():
            self.phrases += choosing.in_words(self.runs, one, layers.name(group))
            if len(set(one.as_chosen)) == 1:
                self.phrases.append(f"{layers.name(group)}: the block as chosen is the last one")

    def evidence(self, merged: Runs, what: str, absent: Sequence[str]) -> Evidence:
        """Return the verdict on all that was added."""
        systems = list(self.compared)
        if not self.effects:
            needs = self.needs or absent
            return not_run(needs, self.partial, why_undefined(merged, systems, self.partial))
        note = sentence(
            what,
            *dict.fromkeys(self.phrases),
            layers.covers(self.runs, self.covered, systems, merged),
            *without([*absent, *self.needs]),
            *why_undefined(merged, systems, self.effects),
        )
        return Evidence(videos.all_of(self.effects, self.signs), self.effects, note)


def _named(group: Group, features: Sequence[str], feature: str) -> str:
    """Return what a comparison is called: its group, and the feature where there are several."""
    return f"{layers.name(group)} {_words(feature)}" if len(features) > 1 else layers.name(group)


def _words(feature: str) -> str:
    return {"mid_best": "mid-best", "input": "input embeddings"}.get(feature, feature)


def _merged(runs: Runs, made: Mapping, pairs: Sequence, beside: Callable) -> Runs:
    """Return the records that pairs of terms read, with those of conventional features."""
    systems = [s for pair in pairs for term in pair for s in term.systems.values()]
    systems += [s for choice in made.values() for s in choice.systems]
    own = [r for s in dict.fromkeys(systems) if runs.has(s) for r in runs.records(s)[0]]
    conventional = list(beside(runs))
    return Runs([*own, *conventional]) if own and conventional else runs


# --- gains: over the input embeddings, and by the number of clips -------------------------------


def gain_largest(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Test whether ``modality`` gains more than each of ``others``, mid-best over input (C5)."""
    pairs, effects, needs = {}, {}, []
    for m in (modality, *others):
        if lacking := layers.missing_layers(runs, m):
            needs.append(lacking)
            continue
        terms = [choosing.term(runs, (m,), feature) for feature in ("mid_best", "input")]
        pair = Terms(runs, choosing.made(runs, (m,)), terms)
        if missing := pair.lacking():
            needs.append(missing)
            continue
        pairs[m] = pair
        for compared in pair.by_metric(f"{m} gain", [1, -1], gains=True).values():
            effects |= compared.effects
    compared = [s for pair in pairs.values() for s in pair.as_chosen]
    if needs:
        return not_run(needs, effects, why_undefined(runs, compared, effects))
    if missing := layers.lacking(runs, *compared):
        return not_run([missing], effects)
    made = {m: choice for pair in pairs.values() for m, choice in pair.choices.items()}
    differences, decide, phrases = {}, [], []
    for m in others:
        four = Terms(runs, made, pairs[modality].terms + pairs[m].terms)
        for one in four.by_metric(f"gain minus {m}", [1, -1, -1, 1], gains=True).values():
            differences |= one.effects
            decide += one.decide
        phrases += choosing.in_words(runs, four, f"{modality} and {m}")
    note = sentence(
        f"{modality} gain of mid-best over input embeddings minus that of the others, positive is "
        "larger",
        *dict.fromkeys(phrases),
        layers.covers(runs, pairs, compared),
        *why_undefined(runs, compared, differences),
    )
    word = videos.all_positive({name: differences[name] for name in decide})
    return Evidence(word, differences | effects, note)


def gain_grows(runs: Runs) -> Evidence:
    """Test whether the gain of mid-best over input grows with the training set (C16).

    The effect is its slope per doubling of the number of clips.
    """
    chosen, absent = layers.groups(runs, ["alone", "together"])
    if not chosen:
        return not_run(absent)
    x = np.log2(SHARES)
    slope = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    effects, decide, needs, phrases, compared, covered = {}, [], [], [], [], []
    for group in chosen:
        if lacking := layers.missing_choices(runs, group):
            needs += lacking
            continue
        terms = [
            choosing.term(runs, group, feature, train_share=share)
            for share in SHARES
            for feature in ("mid_best", "input")
        ]
        line = Terms(runs, choosing.made(runs, group), terms)
        what = f"{layers.name(group)} mid-best and input embeddings at each share"
        if lacking := line.lacking(what):
            needs.append(lacking)
            continue
        compared += line.as_chosen
        covered += group
        weights, name = np.outer(slope, [1, -1]).ravel(), f"{layers.name(group)} gain per doubling"
        for one in line.by_metric(name, weights, gains=True).values():
            effects |= one.effects
            decide += one.decide
        phrases += choosing.in_words(runs, line, layers.name(group))
    if not effects:
        return not_run(needs)
    shares = ", ".join(f"{share:g}" for share in SHARES)
    note = sentence(
        "slope per doubling of the gain of mid-best over input embeddings, over the shares "
        f"{shares} of the training clips",
        *phrases,
        layers.covers(runs, [m for m in MODALITIES if m in covered], compared),
        *without(absent + needs),
        *why_undefined(runs, compared, effects),
    )
    return Evidence(videos.all_positive({n: effects[n] for n in decide}), effects, note)
