"""Error rates of SUGRM's tests: every test has a case that runs and plants what is printed."""

from dataclasses import replace

import numpy as np
import pytest

from msalib.evidence import planting
from msalib.evidence.arms import Arm
from msalib.evidence.scatter import design, quality_with_gain
from msalib.evidence.simulation import simulate
from msalib.models.extras import Geometry
from msalib.papers.sugrm import power, power_labels
from msalib.papers.sugrm.plan import compared
from msalib.runs.query import Runs
from tests.evidence.planted_arms import planted
from tests.papers.sugrm.planted import MOSI, about, changed, claims, setting

CASES = power.cases()
PLAN = power.power_plan()
SEVERAL = {"SUGRM-C10", "SUGRM-X1"}
"""Claims of a gain in one thing and none in another: no one direction is theirs."""


def study_of(case):
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    runs = Runs(planted(0.8, 1.0, 1.2, dataset="mosi-standardised"))
    made = design(runs, arms, seeds=5, paper="sugrm")
    return replace(made, scatter=made.scatter._replace(quality=0.3))


def test_every_test_of_a_claim_on_runs_has_a_case():
    measured = {"SUGRM-C23", "SUGRM-C24"}  # of times and counts, which scatter otherwise
    tested = {claim.id for claim in claims().values()} - measured
    assert set(CASES) | set(power_labels.CASES) == tested
    assert not set(CASES) & set(power_labels.CASES)


@pytest.mark.parametrize("claim", CASES)
def test_a_test_runs_on_its_simulated_studies(claim):
    """Twice: ``simulate`` refuses a test that does not run, for want of an arm or of data."""
    case, study = CASES[claim], study_of(CASES[claim])
    effects = list(planting.planted(case, study))
    assert {one.role for one in effects} == {"border", "true"}
    one = effects[-1]
    about_one = {"metric": one.metric, "gain": one.gain, "gaining": one.gaining}
    found = simulate(PLAN.judge(claim), study, **about_one, replications=2, resamples=50)
    assert sum(found.counts.values()) == 2


@pytest.mark.parametrize(
    "claim", [c for c, case in CASES.items() if case.printed and c not in SEVERAL]
)
def test_the_arms_that_gain_are_those_that_the_claim_names(claim):
    gains = []

    def look(runs):
        judged = PLAN.judge(claim)(runs)
        gains.append([e.effect for n, e in judged.effects.items() if "the other" not in n])
        return judged

    planted_gain = {"metric": "mae", "gain": 0.3, "gaining": CASES[claim].gaining}
    simulate(look, study_of(CASES[claim]), **planted_gain, replications=4, resamples=50)
    assert (np.mean(gains, 0) > 0).all()


def test_several_levels_are_planted_at_once():
    """Both above neither, and each alone below it, by one printed step each."""
    case = CASES["SUGRM-X1"]
    study = study_of(case)
    seen = []

    def look(runs):
        seen.append(runs)
        return PLAN.judge("SUGRM-X1")(runs)

    planted_gain = {"metric": "mae", "gain": 0.05, "gaining": case.gaining}
    simulate(look, study, **planted_gain, replications=3, resamples=50)
    scores = np.mean(
        [
            [np.mean([r.metrics["test"]["mae"] for r in runs.records(s)[0]]) for s in case.arms]
            for runs in seen
        ],
        0,
    )
    assert scores[0] < scores[1] < min(scores[2:])
    assert quality_with_gain(study, "mae", 0.05) > study.scatter.quality


# --- labels -------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(power_labels, "STUDIES", {"border": 60, "true": 10})


def test_a_test_on_distances_keeps_its_level_and_finds_what_is_there(few, monkeypatch):
    claim = "SUGRM-C20"
    found = setting("mosi-standardised")
    own = compared(MOSI)["SUGRM"]

    def grown(record):
        return {"geometry": Geometry(first=0.1, selected=0.1 + about(0.2, record.spec.seed, 0.1))}

    found = changed(found, own, grown)
    monkeypatch.setattr(power_labels.records, "find", lambda *_: found)
    measured = power_labels._measured(claim, power_labels.CASES[claim])
    border, true = measured.of("border"), measured.of("true")
    assert all(cell.verdicts["inconclusive"] >= 50 for cell in border)
    assert true[0].verdicts == {"supported": 10}
    assert measured.too_high() == [] and measured.quality is None


def test_drawn_trainings_scatter_as_real_ones():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 2)) @ np.array([[1.0, 0.8], [0.0, 0.3]])
    many = np.concatenate(
        [
            power_labels._draw(values, np.array([1.0, 0.0]), np.random.default_rng(k))
            for k in range(4000)
        ]
    )
    assert many.mean(0) == pytest.approx([1.0, 0.0], abs=0.03)
    assert np.cov(many.T) == pytest.approx(np.cov(values.T), rel=0.06)
