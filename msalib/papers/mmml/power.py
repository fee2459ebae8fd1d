"""Answer how often the tests of MMML's claims err, and which printed effects they can find.

This file says what is simulated; ``evidence.planting`` does it. Heads are scored on the clips'
labels.

    python -m msalib.papers.mmml.power      # a few minutes on one core
"""

from collections.abc import Sequence
from functools import partial

from msalib.data.corpus import TUNED
from msalib.data.tasks import Regression
from msalib.evidence import comparisons, error_rates, registry
from msalib.evidence.arms import Arm, Head
from msalib.evidence.planting import Case, Plan, Printed, Size, measure
from msalib.papers.mmml import evidence, plan
from msalib.papers.mmml.plan import PAPER, SOUND, TEXT, system
from msalib.runs.spec import System

RECORD = error_rates.record(PAPER)

SIZES = {
    "mosi": Size(
        5,
        # Not MMML's own: its predictions from standardised sound vary so much that no better ones
        # could gain what the paper prints.
        (("uegd", "mosi-standardised", "minilm", "release"),),
    ),
    "raw": Size(
        3,
        (
            ("mmml", "raw", "small-tuned", "release"),
            ("uegd", "raw", "small", "release"),
        ),
    ),
}

WHOLE = {TEXT: TUNED, SOUND: TUNED}

SEPARATE_WINDOWS = Printed(
    "mae",
    "mosi",
    "table7b/RoBERTa/context_separate_w2",
    tuple(f"table7b/RoBERTa/context_separate_w{k}" for k in (0, 1, 3)),
)
SELF_ATTENTION = Printed("mae", "mosi", "table8/MMML/fusion", ("table8/MMML/no_self_attn",))


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
            alone=SOUND,
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
        "text_ahead_of_sound": Case(heads, limits=(7.0, 13.0), across=True, alone=SOUND),
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
        "sound_head_gains_nothing": Case(heads[SOUND], metrics=evidence.TESTED, alone=SOUND),
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


def power_plan() -> Plan:
    """Return what is simulated.

    The test of MMML-C5 reads the records of a second setting; its comparison is simulated.
    """
    ids = {claim.rerun.test: claim.id for claim in registry.claims(PAPER)}
    pair = Arm(SOUND_ALONE), Arm(evidence.MEL_SYSTEM)
    direction = partial(comparisons.direction_and_size, pairs=[pair], metrics=["acc2_has0"])
    return Plan(
        PAPER,
        SIZES,
        {ids[test]: case for test, case in cases().items()},
        together=frozenset(WHOLE),
        judges={ids["raw_sound_beats_mel"]: direction},
    )


if __name__ == "__main__":
    RECORD.write(measure(power_plan()))
