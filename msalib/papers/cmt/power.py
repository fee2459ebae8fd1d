"""Answer how often the tests of CMT's claims err, and which printed effects they can find.

This file says what is simulated; ``evidence.planting`` does it. Tests that read baselines of
another namespace are replaced by the comparison that they make. Weights of audio blocks are
simulated by ``power_trainings``.

    python -m msalib.papers.cmt.power      # a few minutes on one core
"""

from collections.abc import Callable
from functools import partial

from msalib.evidence import comparisons, error_rates, planting_trainings, registry
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence
from msalib.evidence.planting import Case, Plan, Printed, Size
from msalib.papers.cmt import evidence, evidence_alone, plan, power_trainings, scope
from msalib.papers.cmt.plan import BASE, LARGE, NO_PT, ORTHO, PAPER, POOLER, PT, SOUND, TAPT, TEXT
from msalib.runs.query import Runs
from msalib.runs.spec import System

RECORD = error_rates.record(PAPER)

SIZES = {
    "raw-spoken": Size(
        5, (("cmt", "raw-spoken", "spoken", "release"), ("uegd", "raw", "small", "release"))
    ),
    "mosi": Size(
        5, tuple((paper, "mosi-standardised", "minilm", "release") for paper in ("cmt", "uegd"))
    ),
}

WHOLE = {SOUND: 1, TEXT: 1}
"""What the usual arm reads; layers do not matter, for nothing is trained."""

NAMED = plan.named(WHOLE)

ALONE = {m: Arm(plan.system({m: 1}), name=name) for m, name in ((SOUND, "sound"), (TEXT, "text"))}
JOINED = Arm(plan.system({m: 2 for m in WHOLE}), name="joined")
"""What stands for the baselines, which are records of another namespace."""

TIMES = (1.0, 4.0)
"""Planted gains of a true claim, as multiples of the printed one: few, for time."""

EMOTION, SENTIMENT, ERROR = scope.EMOTION[1], scope.SENTIMENT[0], scope.ERROR[0]
"""Metrics of simulated labels, which are a score."""


def table4(metric: str, row: str, *others: str, stands_in: bool = False) -> Printed:
    """Return a gain of Table 4 by the variants' names."""
    rows = tuple(f"table4/CMT/{one}" for one in others)
    return Printed(metric, "mosei", f"table4/CMT/{row}", rows, stands_in)


def table2(metric: str, row: str, *others: str) -> Printed:
    """Return a gain of Table 2 by the rows' names."""
    return Printed(metric, "mosei", f"table2/{row}", tuple(f"table2/{one}" for one in others))


def cases() -> dict[str, Case]:
    """Return what is planted for each test on predictions, by its name and in the tests' order."""
    every = {**_alone(), **_systems(), **_ingredients(), **_sweeps()}
    return {t.__name__: every[t.__name__] for t in evidence.TESTS if t.__name__ in every}


def _alone() -> dict[str, Case]:
    """Return cases of claims on one encoder alone, and on both joined once."""
    sound, text = ALONE[SOUND], ALONE[TEXT]
    joined = Printed(
        "wa", "iemocap", "table1/Shallow-Fusion/", ("table1/HuBERT/", "table1/RoBERTa/")
    )
    return {
        "alike_alone": Case(
            [sound, text],
            metrics=EMOTION,
            margins={"%": _argument("alike_alone", "points")},
            across=True,
        ),
        "joining_adds": Case(
            [JOINED, sound, text], joined, tied=2, times=TIMES, across=True, planted_in=EMOTION[0]
        ),
        "sound_is_behind": Case(
            [text, JOINED, NAMED[BASE], NAMED[LARGE], sound],
            table2("mae", "RoBERTa/", "HuBERT/"),
            gaining=4,
            tied=3,
            times=(1.0, 2.0),
            across=True,
            alone=SOUND,
        ),
        # One quality moves all metrics, and beyond this gain those of sign would move as well.
        "joining_helps_by_degree": Case(
            [JOINED, text], table2("mae", "Shallow-Fusion/", "RoBERTa/"), times=(1.0,), across=True
        ),
    }


def _systems() -> dict[str, Case]:
    """Return cases of claims on the models as a whole."""
    base, large, none = (NAMED[n] for n in (BASE, LARGE, NO_PT))
    return {
        "sizes_alike": Case(
            [base, large], metrics=EMOTION, margins={"%": _argument("sizes_alike", "points")}
        ),
        "base_beats_joining": Case(
            [base, JOINED], table2("mae", "CMT/base", "Shallow-Fusion/"), times=TIMES
        ),
        "large_beats_base": Case(
            [large, base], table2("acc2_non0", "CMT/large", "CMT/base"), times=TIMES
        ),
        "full_recipe_beats_none": Case(
            [base, large, none], table4("mae", "base", "cmt4_no_pt"), gaining=2, tied=1, times=TIMES
        ),
        "depth_beats_joining": Case(
            [none, JOINED],
            Printed("mae", "mosei", "table4/CMT/cmt4_no_pt", ("table2/Shallow-Fusion/",)),
            times=TIMES,
        ),
        # Of all four recipes together LARGE is printed behind one.
        "full_recipe_beats_its_parts": Case(
            [large, *(NAMED[n] for n in (NO_PT, PT, TAPT, ORTHO))],
            table4("mae", "large", "cmt4_no_pt", stands_in=True),
            tied=2,
            times=TIMES,
        ),
    }


def _ingredients() -> dict[str, Case]:
    """Return cases of claims on what the model is made of."""
    pt = NAMED[PT]
    return {
        "pooling_gains_nothing": Case(
            [NAMED[POOLER], pt],
            metrics=ERROR,
            margins=scope.margins(_argument("pooling_gains_nothing", "margin")),
        ),
        "adapting_helps": Case(
            [NAMED[TAPT], pt], table4("acc7", "cmt4_pt_tapt", "cmt4_pt"), times=TIMES
        ),
        "penalty_helps": Case(
            [NAMED[ORTHO], pt], table4("acc2_non0", "cmt4_pt_ortho", "cmt4_pt"), times=TIMES
        ),
    }


def _sweeps() -> dict[str, Case]:
    """Return cases of claims on figures."""
    shares = plan.shares(WHOLE)
    with_pt, without = (
        [system for (name, _), system in shares.items() if name == kind] for kind in (PT, NO_PT)
    )
    half = shares[PT, _argument("fewer_clips_do", "share")]
    blocks, alphas = plan.blocks(WHOLE), plan.alphas(WHOLE)
    return {
        "one_block_is_best": Case(
            _first(blocks.values(), blocks[_argument("one_block_is_best", "block")]),
            table4("mae", "cmt4_pt", "cmt4_pt_layer_pooler", stands_in=True),
            tied=2,
            times=TIMES,
        ),
        "pretraining_helps": Case(
            [*with_pt, *without],
            table4("mae", "cmt4_pt", "cmt4_no_pt"),
            gaining=len(with_pt),
            tied=len(with_pt) - 1,
            times=TIMES,
        ),
        "fewer_clips_do": Case(
            [half, shares[NO_PT, 1.0]],
            metrics=ERROR,
            margins=scope.margins(_argument("fewer_clips_do", "margin")),
        ),
        "one_weight_is_best": Case(
            _first(alphas.values(), alphas[_argument("one_weight_is_best", "weight")]),
            table4("mae", "cmt4_pt_ortho", "cmt4_pt", stands_in=True),
            tied=2,
            times=TIMES,
        ),
    }


def _first(systems, first: System) -> list[System]:
    """Return systems, each once, with this one in front."""
    return list(dict.fromkeys([first, *systems]))


def _argument(test: str, name: str) -> float:
    """Return an argument of a test, as its claim has it."""
    (claim,) = (c for c in registry.claims(PAPER) if c.rerun.test == test)
    return claim.rerun.arguments[name]


def judges() -> dict[str, Callable[[Runs], Evidence]]:
    """Return the comparisons that stand for tests which read the records of baselines."""
    sound, text = ALONE[SOUND], ALONE[TEXT]
    base, large, none = (Arm(NAMED[n], name=n) for n in (BASE, LARGE, NO_PT))
    return {
        "alike_alone": partial(
            comparisons.equivalent,
            pairs=[(sound, text)],
            metrics=EMOTION,
            margins={"%": _argument("alike_alone", "points")},
        ),
        "joining_adds": partial(
            evidence_alone.added,
            joined=JOINED,
            alone=[sound, text],
            metrics=EMOTION,
            points=_argument("joining_adds", "points"),
        ),
        "sound_is_behind": partial(
            evidence_alone.behind,
            sound=sound,
            text=text,
            joined=JOINED,
            models=[base, large],
            metrics=ERROR,
            margin=_argument("sound_is_behind", "margin"),
        ),
        "joining_helps_by_degree": partial(
            evidence_alone.by_degree,
            joined=JOINED,
            text=text,
            points=_argument("joining_helps_by_degree", "points"),
        ),
        "base_beats_joining": partial(
            comparisons.direction_and_size, pairs=[(base, JOINED)], metrics=SENTIMENT
        ),
        "depth_beats_joining": partial(
            comparisons.direction_and_size, pairs=[(none, JOINED)], metrics=ERROR
        ),
    }


def power_plan() -> Plan:
    """Return what is simulated of predictions."""
    ids = {claim.rerun.test: claim.id for claim in registry.claims(PAPER)}
    return Plan(
        PAPER,
        SIZES,
        {ids[test]: case for test, case in cases().items()},
        together=frozenset(WHOLE),
        judges={ids[test]: judge for test, judge in judges().items()},
    )


if __name__ == "__main__":
    planting_trainings.record(power_plan(), power_trainings.CASES, RECORD)
