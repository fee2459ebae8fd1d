"""What is planted for each claim of UEGD: systems with a true effect, and one where it is none."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msalib.data.corpus import MODALITIES
from msalib.evidence.common import Evidence
from msalib.evidence.printed import table as printed
from msalib.evidence.registry import Claim
from msalib.evidence.verdicts import bound_test
from msalib.papers.uegd.evidence import better_than_conventional
from msalib.papers.uegd.layers import SHARES
from msalib.papers.uegd.power.record import Plan
from msalib.papers.uegd.power.synthetic import BLOCKS, Noise, Planted, Population, expected_mae
from msalib.runs.query import Runs

LINGUISTIC, ACOUSTIC, VISUAL = ("linguistic",), ("acoustic",), ("visual",)
BOTH = ACOUSTIC + LINGUISTIC
VIDEOS_ONLY = ("UEGD-C10", "UEGD-C11", "UEGD-C12", "UEGD-C13")
"""Claims on places and ranges of blocks, whose intervals cover no other training."""

GAIN = 0.05
"""Correlation that encoders are ahead of their inputs by, where the claim is not about that."""


class Case(NamedTuple):
    """A claim's test on simulated studies.

    ``effects`` are true sizes of what the claim is about, in ``unit``. At ``false_at`` the claim is
    false, though barely: there "supported" is an error. Most claims grow truer with the effect;
    claims of equality are truest at 0. ``since`` is the day of the last change to the test or to
    what is planted for it: what was simulated before says nothing of it.
    """

    claim: str
    unit: str
    effects: tuple[float, ...]
    planted: Callable[[float, Noise, Population], list[Planted]]
    false_at: float = 0.0
    since: str = "2026-11-20"


def printed_level(modality: str) -> float:
    """Return the correlation of a good block: the printed mid-best of Table 3 on CMU-MOSEI."""
    variant = f"{modality}_enc_mid_best"
    return float(printed.cell("uegd", "table3", "mosei", "UEGD", variant, "corr")["value"])


def each_block(
    group: tuple[str, ...],
    below: Sequence[float] = (0.0,) * BLOCKS,
    level: float | None = None,
    **differently,
) -> list[Planted]:
    """Return every block of a group's last modality, each ``below`` a level, by default its own."""
    level = printed_level(group[-1]) if level is None else level
    return [Planted(group, k, level - b, **differently) for k, b in enumerate(below, start=1)]


def _peak(height: float, at: int) -> list[float]:
    """Return how far each block is below a peak: ``height`` from a third of the encoder on."""
    return [height * min(1.0, abs(k - at) * 3 / BLOCKS) for k in range(1, BLOCKS + 1)]


def _features(group: tuple[str, ...], below: Mapping[str, float], **differently) -> list[Planted]:
    """Return features of a group, each ``below`` the level of its last modality."""
    level = printed_level(group[-1])
    return [Planted(group, feature, level - b, **differently) for feature, b in below.items()]


def _words_and_vectors(
    below: Sequence[float] = (0.0,) * BLOCKS, **features: float
) -> list[Planted]:
    """Return words alone, and with vectors of speech: every block ``below`` a level, and features.

    Each feature is that far below the level, too.
    """
    return [
        *each_block(ACOUSTIC, [0.0]),
        *(p for group in (LINGUISTIC, BOTH) for p in each_block(group, below)),
        *(p for group in (LINGUISTIC, BOTH) for p in _features(group, features)),
    ]


def _better_than_others(effect, noise, population):
    """Plant blocks better than conventional features and than input embeddings, in one study."""
    level = printed_level("linguistic")
    planted = _words_and_vectors(lexicon=effect, tfidf=effect, weighted=0.0)
    inputs = Planted(LINGUISTIC, 0, level - effect), Planted(BOTH, "input", level - effect)
    return [*planted, *inputs]


def _audio_gains_most(effect, noise, population):
    # At one level in all, for equal gains in Corr at different ones are not equal in MAE.
    level = printed_level("acoustic")
    gain = {"visual": GAIN, "acoustic": GAIN + effect, "linguistic": GAIN}
    blocks = [p for m in MODALITIES for p in each_block((m,), level=level)]
    return blocks + [Planted((m,), 0, level - gain[m]) for m in MODALITIES]


def _last_block_worse(effect, noise, population):
    falls = [effect * max(0.0, (k - 20) / (BLOCKS - 20)) for k in range(1, BLOCKS + 1)]
    return _words_and_vectors(falls)


def _sum_worse(effect, noise, population):
    return _words_and_vectors(weighted=effect)


def _gate_higher(effect, noise, population):
    level = printed_level("linguistic")
    return [
        *each_block(ACOUSTIC),
        *each_block(LINGUISTIC, [0.0]),
        Planted(BOTH, "mid_best", level, gate=0.5 + effect),
        Planted(BOTH, "input", level - GAIN),
    ]


def _faces_constant(effect, noise, population):
    # Errors that lie between videos as much as labels do leave the ratio the same at every level.
    between = 1 - population.within
    shares = {"visual": between + effect, "acoustic": between, "linguistic": between}
    return [p for m, share in shares.items() for p in each_block((m,), video_share=share)]


def _text_flatter(effect, noise, population):
    steep = _peak(effect, at=20)
    return each_block(LINGUISTIC) + each_block(ACOUSTIC, steep) + each_block(VISUAL, steep)


def _audio_peak(effect, noise, population):
    return each_block(ACOUSTIC, _peak(effect, at=20))


def _vision_flat(effect, noise, population):
    rises = [effect * min(1.0, (BLOCKS - k) / (BLOCKS - 9)) for k in range(1, BLOCKS + 1)]
    return each_block(VISUAL, rises)


def _best_late(effect, noise, population):
    return each_block(LINGUISTIC, _peak(effect, at=18))


def _fusions_differ(effect, noise, population):
    level, step = printed_level("linguistic"), 0.01
    slope = expected_mae(level - step, noise, population) - expected_mae(level, noise, population)
    return [
        *each_block(LINGUISTIC),
        *each_block(ACOUSTIC, [0.0]),
        Planted(BOTH, "mid_best", level),
        Planted(BOTH, "mid_best", level - effect * step / slope, fusion="concat"),
    ]


def _gain_by_size(effect, noise, population):
    level = printed_level("linguistic")
    planted = [*each_block(LINGUISTIC), Planted(LINGUISTIC, 0, level - GAIN)]
    for share in SHARES[:-1]:
        halvings = -math.log2(share)
        reached = level - 0.01 * halvings  # fewer clips, worse models
        gained = GAIN - effect * halvings
        planted += each_block(LINGUISTIC, level=reached, train_share=share)
        planted.append(Planted(LINGUISTIC, "input", reached - gained, train_share=share))
    return planted


def _learned_worse(effect, noise, population):
    return each_block(LINGUISTIC) + _features(LINGUISTIC, {"weighted": effect, "uniform": 0.0})


AMENDED = "2026-11-30"

CASES = (
    Case("UEGD-C1", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _better_than_others, since=AMENDED),
    Case("UEGD-C4", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _better_than_others, since=AMENDED),
    Case("UEGD-C5", "Corr", (0, 0.05, 0.1, 0.2, 0.3), _audio_gains_most, since=AMENDED),
    Case("UEGD-C6", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _last_block_worse, since=AMENDED),
    Case("UEGD-C7", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _sum_worse, since=AMENDED),
    Case("UEGD-C8", "gate weight", (0, 0.02, 0.05, 0.1, 0.2), _gate_higher),
    Case("UEGD-C9", "share of errors", (0, 0.05, 0.1, 0.2, 0.4), _faces_constant, since=AMENDED),
    Case("UEGD-C10", "Corr", (0, 0.05, 0.1, 0.2, 0.3), _text_flatter),
    Case("UEGD-C11", "Corr", (0, 0.05, 0.1, 0.2, 0.4), _audio_peak),
    Case("UEGD-C12", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _vision_flat, false_at=0.02),
    Case("UEGD-C13", "Corr", (0, 0.02, 0.05, 0.1, 0.2), _best_late),
    Case("UEGD-C15", "MAE", (0, 0.0025, 0.005, 0.01, 0.02), _fusions_differ, false_at=0.01),
    Case("UEGD-C16", "Corr per doubling", (0, 0.005, 0.02, 0.04), _gain_by_size, since=AMENDED),
    Case("UEGD-C17", "Corr", (0, 0.01, 0.02, 0.03, 0.05), _learned_worse),
    Case("UEGD-X2", "Corr", (0, 0.01, 0.02, 0.05, 0.1), _better_than_others, since=AMENDED),
)
"""Not here: C2 and C3, which hold against printed numbers."""


def plan_of(case: Case, claim: Claim) -> Plan:
    """Return what is varied for a claim, and its test as it is today."""
    about = {"unit": case.unit, "effects": case.effects, "false_at": case.false_at}
    test = {"name": claim.rerun.test, **claim.rerun.arguments}
    return Plan(**about, test=test, since=case.since)


def judge_of(claim: Claim) -> Callable[[Runs], Evidence]:
    """Return the test of a claim; conventional features are among the records it is given."""
    judge = bound_test(claim)
    if claim.rerun.test == better_than_conventional.__name__:
        judge = partial(judge, beside=lambda _: ())
    return judge
