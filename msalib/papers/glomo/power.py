"""Answer how often the tests of GLoMo's claims err, and which printed effects they can find.

This file says what is simulated; ``evidence.planting`` does it. Tests that read baselines of
another namespace, what chance would score, or three modalities, are replaced by the comparison that
they make. What is read of trainings alone is simulated by ``power_trainings``.

    python -m msalib.papers.glomo.power      # a few minutes on one core
"""

from collections.abc import Callable
from functools import partial

from msalib.data.tasks import Regression
from msalib.evidence import comparisons, error_rates, planting_trainings, registry
from msalib.evidence.arms import Arm
from msalib.evidence.common import Evidence
from msalib.evidence.planting import Case, Plan, Printed, Size
from msalib.papers.glomo import evidence, evidence_systems, plan, power_trainings, scope
from msalib.papers.glomo.plan import FACE, PAPER, SOUND, TEXT, system
from msalib.runs.query import Runs

RECORD = error_rates.record(PAPER)

SIZES = {
    "mosi": Size(
        5,
        (
            ("glomo", "mosi-standardised", "minilm", "release"),
            ("uegd", "mosi-standardised", "minilm", "release"),
        ),
    ),
    "raw": Size(
        5,
        (("glomo", "raw", "small", "release"), ("uegd", "raw", "small", "release")),
    ),
}

WHOLE = {TEXT: 1, SOUND: 1}
"""What the usual arm reads; layers do not matter, for nothing is trained."""

NAMED = {**plan.variants(WHOLE), **plan.ours(WHOLE)}
FULL = NAMED[plan.FULL]
MODALITIES = plan.modalities(WHOLE)

BASELINES = [Arm(system({m: 2 + k for m in WHOLE}), name=f"baseline {k}") for k in (1, 2)]
"""What stands for the baselines: as many as there are, told apart by what they read."""

FACED, VOICED = system({TEXT: 1, FACE: 1}), system({TEXT: 1, SOUND: 1})

TIMES, ONCE = (1.0, 4.0), (1.0,)
"""Planted gains of a true claim, as multiples of the printed one: few, for time."""

SCORES = [m for m in scope.TABLE4 if m in Regression.shown]


def printed(row: str, *others: str, metric: str = "acc2_non0", dataset: str = "mosi") -> Printed:
    """Return a gain of Table 4 by the variants' names."""
    return Printed(
        metric, dataset, f"table4/GLoMo/{row}", tuple(f"table4/GLoMo/{one}" for one in others)
    )


def earlier(row: str, *others: str) -> Printed:
    """Return the gain of a row over earlier systems of Table 1."""
    return Printed("acc2_non0", "mosi", row, tuple(f"table1/{one}/" for one in others))


NAMES = ("CubeMLP", "C-MIB", "PriSA", "M3SA", "BBFN", "GFN")
"""Earlier systems of Table 1 that are ahead of most others: those that a row has to beat."""


def cases() -> dict[str, Case]:
    """Return what is planted for each test on predictions, by its name and in the tests' order."""
    every = {**_systems(), **_modalities(), **_experts(), **_fusions()}
    return {t.__name__: every[t.__name__] for t in evidence.TESTS if t.__name__ in every}


def _systems() -> dict[str, Case]:
    """Return cases of claims on baselines; median rivals stand for "most of them"."""
    simple = [NAMED["CON"], NAMED["ATTN_F"]]
    best, middle = earlier("table1/GLoMo/", *NAMES), ("MulT",)
    return {
        "first_in_every_metric": Case([FULL, *BASELINES], best, tied=2, times=TIMES),
        "gains_beyond": Case(
            [FULL, *BASELINES],
            best,
            least=registry_arguments("gains_beyond")["by"],
            metrics=evidence_systems.POLARITY,
            times=TIMES,
        ),
        "one_layer_beats_most": Case(
            [NAMED["MLP_M"], *BASELINES],
            earlier("table4/GLoMo/mlp_m", *middle),
            tied=2,
            times=TIMES,
        ),
        "simple_fusions_beat_most": Case(
            [*simple, *BASELINES],
            earlier("table4/GLoMo/con", *middle),
            gaining=2,
            tied=1,
            times=ONCE,
        ),
    }


def _modalities() -> dict[str, Case]:
    """Return cases of claims on modalities."""
    alone = [MODALITIES["A"], MODALITIES["T"]]
    return {
        "every_modality_helps": Case(
            [FULL, *alone], printed("full", "a_t", "v_t"), tied=2, times=ONCE, across=True
        ),
        "words_carry_most": Case(
            [FULL, MODALITIES["A"]],
            printed("full", "v_a"),
            least=registry_arguments("words_carry_most")["by"],
            metrics=SCORES,
            times=ONCE,
            across=True,
            alone=SOUND,
        ),
        "face_over_voice": Case([FACED, VOICED], printed("v_t", "a_t"), times=ONCE, across=True),
    }


def _experts() -> dict[str, Case]:
    """Return cases of claims on experts and local vectors."""
    cells = plan.cells(WHOLE)
    most = max(map(sum, cells))
    rising = [(sum(cell) - len(cell)) / (most - len(WHOLE)) for cell in cells]
    *smaller, six = plan.locals_(WHOLE).values()
    local = printed("local", "global", metric="acc2_has0")
    return {
        "experts_help": Case([FULL, NAMED["MLP_M"]], printed("full", "mlp_m"), times=TIMES),
        "more_experts_help": Case(
            [*cells.values(), NAMED["MLP_M"]],
            printed("full", "mlp_m", metric="f1", dataset="cherma")._replace(stands_in=True),
            gaining=tuple(rising),
            times=TIMES,
            planted_in="f1_non0",
        ),
        "halves_differ": Case(
            [FULL, NAMED["Local"], NAMED["Global"]],
            local,
            gaining=(2.0, 1.0),
            tied=1,
            times=TIMES,
        ),
        "more_vectors_stop_helping": Case([six, *smaller], metrics=("f1_non0",)),
    }


def _fusions() -> dict[str, Case]:
    """Return cases of claims on fusion."""
    plain = [NAMED[n] for n in ("SUM", "CON", "ATTN_F", "MUL")]
    local, attention, layer = (NAMED[n] for n in ("ReAt_G", "ATTN_G", "MLP_G"))
    return {
        "joining_beats_summing": Case(
            [NAMED["CON"], NAMED["ATTN_F"], NAMED["SUM"], NAMED["MUL"]],
            printed("con", "sum", "mul"),
            gaining=2,
            times=ONCE,
        ),
        "guided_fusion_helps": Case(
            [FULL, *plain], printed("full", "sum", "con", "attn_f", "mul"), tied=4, times=TIMES
        ),
        "layer_is_the_worst_mix": Case(
            [attention, local, NAMED["ATTN_F"], layer],
            printed("attn_g", "mlp_g"),
            gaining=3,
            tied=2,
            times=ONCE,
        ),
        "local_weights_come_close": Case(
            [local, FULL, attention, layer],
            printed("reat_g", "attn_g", "mlp_g"),
            gaining=2,
            tied=3,
            times=TIMES,
        ),
        "global_weights_help": Case([FULL, local], printed("full", "reat_g"), times=TIMES),
    }


def judges() -> dict[str, Callable[[Runs], Evidence]]:
    """Return the comparisons that stand for tests which ask for more than is simulated."""
    metrics = [m for m in scope.TABLE1 if m in Regression.shown]
    full, layer = Arm(FULL, name=plan.FULL), Arm(NAMED["MLP_M"], name="MLP_M")
    simple = [Arm(NAMED[n], name=n) for n in ("CON", "ATTN_F")]
    return {
        "first_in_every_metric": partial(
            evidence_systems.first, full=full, rivals=BASELINES, metrics=metrics
        ),
        "gains_beyond": partial(
            comparisons.beyond,
            pairs=[(full, one) for one in BASELINES],
            metrics=evidence_systems.POLARITY,
            **registry_arguments("gains_beyond"),
        ),
        "words_carry_most": partial(
            comparisons.beyond,
            pairs=[(full, Arm(MODALITIES["A"]))],
            metrics=SCORES,
            **registry_arguments("words_carry_most"),
        ),
        "one_layer_beats_most": partial(
            evidence_systems.beats_most, arm=layer, rivals=BASELINES, metric="acc2_non0"
        ),
        "simple_fusions_beat_most": partial(
            evidence_systems.both_beat_most, simple=simple, rivals=BASELINES, metric="acc2_non0"
        ),
        "face_over_voice": partial(
            comparisons.direction_and_size, pairs=[(Arm(FACED), Arm(VOICED))], metrics=SCORES
        ),
    }


def registry_arguments(test: str) -> dict:
    """Return the arguments of a test, as its claim has them."""
    (claim,) = (c for c in registry.claims(PAPER) if c.rerun.test == test)
    return claim.rerun.arguments


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
