"""What is planted in simulated studies, for each test of MMML's claims.

A claim of a gain is at its border where nothing differs, and true where the first arms gain. The
gains are those that the paper prints, or a stand-in where it prints none, and multiples of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from msalib.base.errors import UserError
from msalib.data.corpus import TUNED
from msalib.data.metrics import METRICS
from msalib.data.tasks import Regression
from msalib.evidence import comparisons, registry
from msalib.evidence.arms import Arm, Head
from msalib.evidence.common import Evidence
from msalib.evidence.printed import table as printed
from msalib.evidence.scatter import Design, quality_with_gain
from msalib.evidence.seeds import margin
from msalib.evidence.verdicts import bound_test
from msalib.papers.mmml import evidence, plan
from msalib.papers.mmml.plan import PAPER, SOUND, TEXT, system
from msalib.runs.query import Runs
from msalib.runs.spec import System

WHOLE = {TEXT: TUNED, SOUND: TUNED}

TIMES = (0.5, 1.0, 2.0, 4.0)
"""Planted gains of a true claim, as multiples of the printed one."""


NONE_PRINTED = "none is printed"
"""How it is said that a planted gain is that of another claim."""


class Printed(NamedTuple):
    """A printed gain: that of one row over the best of others, in a metric.

    Rows are ``exhibit/system/variant``. ``stands_in``: nothing is printed on the claim itself.
    """

    metric: str
    dataset: str
    row: str
    others: tuple[str, ...]
    stands_in: bool = False

    def gain(self) -> float:
        """Return the gain: positive is better, shares in points."""
        sign = 1 if METRICS[self.metric].higher_is_better else -1
        of, *others = (sign * self._value(row) for row in (self.row, *self.others))
        return round(of - max(others), 6)

    def _value(self, row: str) -> float:
        exhibit, name, variant = row.split("/")
        return printed.cell(PAPER, exhibit, self.dataset, name, variant, self.metric).value

    def words(self) -> str:
        """Say where it is printed."""
        where = f"{self.row.partition('/')[0]}, {self.dataset}"
        return f"{NONE_PRINTED}, that of {where}" if self.stands_in else where


SEPARATE_WINDOWS = Printed(
    "mae",
    "mosi",
    "table7b/RoBERTa/context_separate_w2",
    tuple(f"table7b/RoBERTa/context_separate_w{k}" for k in (0, 1, 3)),
)
SELF_ATTENTION = Printed("mae", "mosi", "table8/MMML/fusion", ("table8/MMML/no_self_attn",))


@dataclass(frozen=True)
class Case:
    """What is planted for a test.

    ``arms`` of the simulated studies, those first that gain where the claim is true: ``gaining`` of
    them by the ``printed`` gain. ``tied`` arms gain where it is at its border although something
    differs: a rival gains as well, or one of two pairs alone. A claim without ``printed`` says that
    nothing differs beyond a margin in ``metrics``, or that a gain is within ``limits``.
    ``across``: arms read different inputs, so their errors are less alike. ``sound``: the usual arm
    is as good as sound alone. The planted gain is in ``planted_in``, if not in the printed metric.
    """

    arms: Sequence[Arm | System]
    printed: Printed | None = None
    gaining: int = 1
    tied: int = 0
    metrics: Sequence[str] = ()
    limits: tuple[float, float] | None = None
    across: bool = False
    sound: bool = False
    planted_in: str = ""

    @property
    def metric(self) -> str:
        """The metric of planted gains, but for margins."""
        default = self.printed.metric if self.printed else "acc2_has0"
        return self.planted_in or default


def _first(named: Sequence[System], *first: System) -> list[System]:
    """Return systems, each once, with these in front."""
    return list(dict.fromkeys([*first, *named]))


BOTH, JOINED = system(WHOLE), system(WHOLE, fusion="concatenation")
TEXT_ALONE, SOUND_ALONE = system({TEXT: TUNED}), system({SOUND: TUNED})
ONE_LOSS = plan.losses(WHOLE)["one loss"]
SHOWN = Regression.shown
"""Metrics of "every metric" where labels are scored as those of CMU-MOSI."""


def cases() -> dict[str, Case]:
    """Return what is planted for each test of ``evidence.TESTS``, by its name and in its order."""
    every = {**_modalities(), **_losses(), **_windows(), **_parts(), **_recipes()}
    return {test.__name__: every[test.__name__] for test in evidence.TESTS}


def _modalities() -> dict[str, Case]:
    """Return cases of claims on context, on words and sound, and on ways of joining them."""
    context = plan.contexts(WHOLE)["fusion network with context"]
    heads = [Arm(TEXT_ALONE, Head(TEXT)), Arm(SOUND_ALONE, Head(SOUND))]
    fusion = "table3a/MMML/fusion"
    return {
        "context_helps": Case(
            [context, BOTH], Printed("mae", "mosi", "table1a/MMML/context", ("table1a/MMML/",))
        ),
        "raw_sound_beats_mel": Case(
            [SOUND_ALONE, evidence.MEL_SYSTEM],
            Printed("acc2", "mosi", "table2b/Data2Vec/finetuned", ("table2b/Mel-Spectrogram/cnn",)),
            across=True,
            sound=True,
            planted_in="acc2_has0",
        ),
        "sound_helps": Case(
            [BOTH, JOINED, TEXT_ALONE],
            Printed("mae", "mosi", fusion, ("table3a/RoBERTa/text_only",)),
            gaining=2,
            tied=1,
            across=True,
        ),
        "fusion_beats_concatenation": Case(
            [BOTH, JOINED], Printed("acc2_non0", "mosi", fusion, ("table3a/MMML/concat",))
        ),
        "text_ahead_of_sound": Case(heads, limits=(7.0, 13.0), across=True, sound=True),
        "restorations_alike": Case(list(plan.restorations(WHOLE).values()), metrics=SHOWN),
    }


def _losses() -> dict[str, Case]:
    """Return cases of claims on one loss and three."""
    copied = plan.copied(WHOLE)["three losses, copied labels"]
    labelled = Arm(TEXT_ALONE, Head(TEXT))  # shows that modalities have labels
    heads = {m: [Arm(JOINED, Head(m)), Arm(system({m: TUNED}), Head(m))] for m in WHOLE}
    text_head = "table5a/MMML/text_subnet_multi_loss"
    return {
        "losses_alike": Case([JOINED, ONE_LOSS], metrics=SHOWN),
        "own_labels_help": Case(
            [JOINED, ONE_LOSS, copied, labelled],
            Printed("corr", "sims", "table4b/MMML/multi_loss", ("table4b/MMML/single_loss",)),
            tied=2,
        ),
        "text_head_gains": Case(
            heads[TEXT], Printed("corr", "mosei", text_head, ("table5a/RoBERTa/text_loss_only",))
        ),
        "sound_head_gains_nothing": Case(heads[SOUND], metrics=evidence.TESTED, sound=True),
    }


def _windows() -> dict[str, Case]:
    """Return cases of claims on windows of context."""
    arms, grid = plan.windows(WHOLE), plan.window_grid(WHOLE)
    separate, joined = ([arms[kind, k] for k in plan.WINDOWS] for kind in ("separate", "joined"))
    claimed = arms["joined", 1], arms["separate", 2], arms["joined", 2]
    kinds = SEPARATE_WINDOWS._replace(others=("table7a/RoBERTa/context_concat_w1",))
    borrowed = SEPARATE_WINDOWS._replace(stands_in=True)
    return {
        "separate_beats_joined": Case([*separate, *joined], kinds, gaining=3, tied=4),
        "best_window": Case(_first(arms.values(), *claimed), SEPARATE_WINDOWS, gaining=2, tied=3),
        "best_pair_of_windows": Case(_first(grid.values(), grid[2, 1]), borrowed, tied=2),
    }


def _parts() -> dict[str, Case]:
    """Return cases of claims on parts of the fusion network."""
    full, without, *readings = plan.ablations(WHOLE).values()
    depths = plan.depths(WHOLE)
    rest = Printed("mae", "mosi", "table8/MMML/no_self_attn", ("table8/MMML/no_self_attn_no_fc",))
    borrowed = SELF_ATTENTION._replace(stands_in=True)
    return {
        "self_attention_helps": Case([full, without], SELF_ATTENTION),
        "layers_help_more": Case([without, *readings], rest),
        "five_layers_best": Case(_first(depths.values(), depths["5"]), borrowed, tied=2),
    }


def _recipes() -> dict[str, Case]:
    """Return cases of claims on weights of losses and on learning rates."""
    usual_weights, *weights = plan.loss_weights(WHOLE).values()
    usual_rates, *rates = plan.rates(WHOLE).values()
    return {
        "other_weights_gain_nothing": Case([*weights, usual_weights], metrics=SHOWN),
        "other_rates_alike": Case([*rates, usual_rates], metrics=SHOWN),
    }


def judge_of(name: str) -> Callable[[Runs], Evidence]:
    """Return a test with the arguments of its claim.

    That of MMML-C5 reads the records of a second setting; its comparison is simulated.
    """
    if name == "raw_sound_beats_mel":
        pair = Arm(SOUND_ALONE), Arm(evidence.MEL_SYSTEM)
        return partial(comparisons.direction_and_size, pairs=[pair], metrics=["acc2_has0"])
    return bound_test(claim_of(name))


def claim_of(name: str) -> registry.Claim:
    """Return the claim that a test decides."""
    return next(claim for claim in registry.claims(PAPER) if claim.rerun.test == name)


class Planted(NamedTuple):
    """One effect to simulate: at the border of the claim, or where it is true."""

    role: Literal["border", "true"]
    words: str
    metric: str
    gain: float
    gaining: int


def planted(case: Case, study: Design) -> Iterator[Planted]:
    """Yield what is planted for a case, without multiples of a gain that no quality has."""
    if case.limits:
        for gain in case.limits:
            yield Planted("border", f"{gain:g} points", case.metric, gain, 1)
        middle = sum(case.limits) / 2
        yield Planted("true", f"{middle:g} points", case.metric, middle, 1)
    elif case.printed is None:
        gains = {m: margin(comparisons.MARGINS, m) for m in case.metrics}
        gains = {m: gain for m, gain in gains.items() if _reachable(study, m, gain)}
        first = min(gains, key=lambda m: quality_with_gain(study, m, gains[m]))
        yield Planted("border", "the margin", first, gains[first], 1)
        yield Planted("true", "nothing differs", first, 0.0, 1)
    else:
        gain = case.printed.gain()
        yield Planted("border", "nothing differs", case.metric, 0.0, 1)
        if case.tied:
            yield Planted("border", "a gain, but not the claimed one", case.metric, gain, case.tied)
        for times in TIMES:
            if times <= 1 or _reachable(study, case.metric, times * gain):
                yield Planted("true", f"{times:g}", case.metric, times * gain, case.gaining)


def _reachable(study: Design, metric: str, gain: float) -> bool:
    try:
        quality_with_gain(study, metric, gain)
    except UserError:
        return False
    return True
