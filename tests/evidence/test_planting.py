"""What is planted for a claim, the scatter it is drawn with, and the record of the verdicts."""

from functools import partial

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.evidence import comparisons, error_rates, planting
from msalib.evidence.arms import Arm
from msalib.evidence.planting import Case, Plan, Printed, Size
from msalib.evidence.scatter import quality_with_gain
from msalib.models import recipes
from msalib.papers.mmml import plan as mmml
from msalib.runs import records
from tests.factory import make_record, predictions

TEXT, SOUND = "linguistic", "acoustic"
WHOLE = {TEXT: 1, SOUND: 1}
FIRST, SECOND = list(mmml.restorations(WHOLE).values())[:2]
PAIR = Arm(FIRST), Arm(SECOND)
GAIN = Printed("mae", "mosi", "table8/MMML/fusion", ("table8/MMML/no_self_attn",))
SMALL = Size(3, (("mmml", "raw", "missing", "release"), ("mmml", "raw", "planted", "release")))
PLAN = Plan(
    "mmml",
    {"raw": SMALL},
    {
        "MMML-C19": Case([FIRST, SECOND], GAIN),
        "MMML-C15": Case([FIRST, SECOND], metrics=["mae", "corr"]),
    },
    together=frozenset(WHOLE),
    judges={
        "MMML-C19": partial(
            comparisons.direction_and_size, pairs=[PAIR], metrics=["mae"], minimum=2
        ),
        "MMML-C15": partial(comparisons.equivalent, pairs=[PAIR], metrics=["mae"], minimum=2),
    },
)


def write(*qualities, seeds=2):
    """Write records of text and sound together, by their correlation, and of sound alone."""
    rng = np.random.default_rng(0)
    video = [f"v{i // 6}" for i in range(96)]
    label = rng.normal(0, 1.2, 96).clip(-3, 3).round(1)
    common = 0.9 * rng.normal(size=96)
    together = zip((FIRST, SECOND), qualities, strict=False)
    for one, quality in [*together, (mmml.system({SOUND: 1}), 0.2)]:
        for seed in range(seeds):
            error = common + 0.4 * rng.normal(size=96)
            guess = quality * (quality * label + np.sqrt(1 - quality**2) * 1.2 * error)
            parts = dict.fromkeys(("valid", "test"), predictions(label, guess, video))
            model = {name: one.choice(name, paper="mmml") for name in recipes.choices("mmml")}
            about = {"paper": "mmml", "dataset": "raw", "profile": "full"}
            records.write(
                make_record(dict(one.inputs), seed, parts=parts, model=model, train={}, **about)
            )


def test_the_scatter_is_that_of_the_first_records_that_suffice():
    with pytest.raises(UserError, match="acoustic and linguistic together"):
        planting.source(PLAN, SMALL)
    write(0.6)
    with pytest.raises(UserError):
        planting.source(PLAN, SMALL)
    write(0.6, 0.5)
    found = planting.source(PLAN, SMALL)
    assert found.words == "6 runs of mmml on raw with planted"
    usual = planting.study_of(PLAN, PLAN.cases["MMML-C19"], SMALL, found.runs)
    alone = planting.study_of(PLAN, Case([FIRST], GAIN, alone=SOUND), SMALL, found.runs)
    assert alone.scatter.quality < usual.scatter.quality
    assert usual.seeds == 3 and usual.videos == {"valid": 16, "test": 16}


def test_what_is_measured_is_kept():
    write(0.6, 0.5)
    found = planting.measure(PLAN, scale=0.02)
    record = error_rates.record("mmml")
    record.write(found)
    assert record.read() == found
    gain, equal = found.tests
    assert (gain.claim, gain.test, gain.size) == ("MMML-C19", "self_attention_helps", "raw")
    assert [sum(c.verdicts.values()) for c in gain.of("border")] == [4]
    assert [c.words for c in gain.of("true")] == ["0.5", "1", "2", "4"]
    assert gain.is_printed and gain.printed == GAIN.gain("mmml")
    assert equal.printed is None
    assert [c.words for c in equal.cells] == ["the margin", "nothing differs"]
    assert found.sizes["raw"].seeds == 3 and found.sizes["raw"].clips == 96


def test_a_claim_without_a_judge_of_its_own_is_judged_by_the_registry():
    test = Plan("mmml", {}, {}, frozenset()).judge("MMML-C19")
    assert test.func.__name__ == "self_attention_helps"


def test_limits_and_rivals_are_planted_at_the_border():
    write(0.6, 0.5)
    runs = planting.source(PLAN, SMALL).runs
    limited = Case([FIRST, SECOND], limits=(1.0, 3.0))
    study = planting.study_of(PLAN, limited, SMALL, runs)
    effects = [(one.role, one.gain) for one in planting.planted(limited, study)]
    assert effects == [("border", 1.0), ("border", 3.0), ("true", 2.0)]
    tied = Case([FIRST, SECOND], GAIN, tied=1)
    border = [one.gain for one in planting.planted(tied, study) if one.role == "border"]
    assert border == [0.0, GAIN.gain("mmml")]


def test_a_claim_of_more_than_a_gain_is_at_its_border_at_that_gain():
    write(0.6, 0.5)
    runs = planting.source(PLAN, SMALL).runs
    case = Case([FIRST, SECOND], GAIN, gaining=1, least=0.01, times=(1.0,))
    study = planting.study_of(PLAN, case, SMALL, runs)
    border, true = planting.planted(case, study)
    assert (border.role, border.words, border.gain) == ("border", "a gain of 0.01", 0.01)
    assert true.gain == GAIN.gain("mmml")
    every = Case([FIRST, SECOND], GAIN, gaining=1, least=5.0, metrics=("acc2_has0", "f1_non0"))
    border, *_ = planting.planted(every, study)
    needed = {m: quality_with_gain(study, m, 5.0) for m in every.metrics}
    assert needed[border.metric] == max(needed.values())  # the other one gains more


def test_where_a_gain_is_printed_is_said():
    assert GAIN.words() == "table8, mosi"
    assert GAIN._replace(stands_in=True).words() == "none is printed, that of table8, mosi"
