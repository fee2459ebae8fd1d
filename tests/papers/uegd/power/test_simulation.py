"""Simulated studies: effects are detected, luck is not, and a killed simulation goes on."""

import json

import numpy as np
import pytest

from msalib.base import files, paths, stats
from msalib.base.errors import UserError
from msalib.evidence import registry
from msalib.papers.uegd import answers
from msalib.papers.uegd.power import __main__ as command
from msalib.papers.uegd.power import cases, figures, record, simulation, tables
from msalib.papers.uegd.power.cases import CASES, Case
from msalib.papers.uegd.power.record import Cell, Plan, Power
from tests.papers.uegd.power.population import NOISE, population

PEOPLE = {"mosi": population(60, 20)}
FEW = {"mosi": (4, 2)}
BY_CLAIM = {case.claim: case for case in CASES}
SUM = BY_CLAIM["UEGD-C7"]._replace(effects=(0, 0.2))  # quick, and true for certain at 0.2


@pytest.fixture
def path(tmp_path):
    return tmp_path / "power" / "uegd.json"


def measure(path, planted=(SUM,), simulations=FEW, **differently):
    fewer = {"gains": 5, "resamples": 200} | differently  # fewer could not pass Holm in four
    return simulation.measure(
        {"mosi": NOISE}, PEOPLE, path, cases=planted, simulations=simulations, **fewer
    )


def judge(case, effect, seed, resamples=500):
    claim = next(claim for claim in registry.claims("uegd") if claim.id == case.claim)
    planted = case.planted(effect, NOISE, PEOPLE["mosi"])
    videos = {"valid": 30, "test": 90}
    rng, dataset = np.random.default_rng(seed), simulation.DATASETS["mosi"]
    runs = simulation.draw(planted, NOISE, PEOPLE["mosi"], videos, rng, dataset)
    with simulation._resampled(resamples):
        return cases.judge_of(claim)(runs)


LARGE = {
    "UEGD-C5": 0.4,
    "UEGD-C8": 0.3,
    "UEGD-C9": 0.3,
    "UEGD-C10": 0.3,
    "UEGD-C11": 0.4,
    "UEGD-C13": 0.3,
    "UEGD-C16": 0.1,
}
"""Effects that cannot be missed; 0.15 for the others."""


@pytest.mark.parametrize("claim", [c for c in BY_CLAIM if c not in ("UEGD-C12", "UEGD-C15")])
def test_each_test_finds_what_was_planted_for_it_and_not_its_opposite(claim):
    large = LARGE.get(claim, 0.15)
    there = [judge(BY_CLAIM[claim], large, seed).verdict for seed in range(3)]
    assert there.count("supported") >= 2
    if claim in ("UEGD-C10", "UEGD-C11", "UEGD-C13"):  # a valley in the place of a peak
        return
    level_down = [judge(BY_CLAIM[claim], -large, seed).verdict for seed in range(2)]
    assert "supported" not in level_down


def test_equal_systems_are_seldom_found_to_differ():
    verdicts = [judge(BY_CLAIM["UEGD-C1"], 0.0, seed).verdict for seed in range(8)]
    assert verdicts.count("inconclusive") >= 6


def test_claims_of_equality_are_contradicted_where_systems_differ():
    steep = judge(BY_CLAIM["UEGD-C12"], 0.3, 0)
    assert steep.verdict == "contradicted"
    apart = judge(BY_CLAIM["UEGD-C15"], 0.1, 0)
    assert apart.verdict == "contradicted"
    assert apart.effects["MAE (90% interval)"].effect == pytest.approx(-0.1, abs=0.04)


def test_planted_effects_are_found_in_their_units():
    """The mean effect over studies is the true one, for the tests that measure it."""
    found = [judge(SUM, 0.1, seed).effects for seed in range(8)]
    for how in ("choosing", "as chosen"):
        mean = np.mean([effects[f"linguistic Corr, {how}"].effect for effects in found])
        assert mean == pytest.approx(0.1, abs=0.02)


def test_the_luck_of_training_is_no_effect():
    """Gates that differ by seeds alone, which intervals over videos alone take for an effect."""
    case = BY_CLAIM["UEGD-C8"]
    assert [judge(case, 0.0, seed).verdict for seed in range(8)].count("inconclusive") >= 6
    with simulation._these_trainings():
        assert [judge(case, 0.0, seed).verdict for seed in range(8)].count("inconclusive") <= 4


def test_every_claim_with_a_simulated_test_has_a_case():
    left_out = {"UEGD-C2", "UEGD-C3"}
    assert set(BY_CLAIM) | left_out == {
        claim.id for claim in registry.claims("uegd") if claim.rerun.test
    }


def test_what_is_measured(path):
    simulated = measure(path)
    assert record.read(path) == simulated
    assert [cell.effect for cell in simulated.cells] == [0, 0.2]
    assert [cell.simulations for cell in simulated.cells] == [4, 2]
    assert simulated.cells[1].verdicts == {"supported": 2}
    assert simulated.cells[1].found["linguistic Corr, choosing"] == pytest.approx(0.2, abs=0.1)
    assert {part: len(gains) for part, gains in simulated.gains["mosi"].items()} == {
        "valid": 5,
        "test": 5,
    }
    assert min(simulated.gains["mosi"]["valid"]) >= 0  # the best is never behind the last
    assert simulated.plans["UEGD-C7"].test["name"] == "better_than"
    assert simulated.plans["UEGD-C7"].since == "2026-11-30"
    assert sum(simulated.cells[0].videos_only.values()) == 4 and not simulated.cells[1].videos_only
    assert stats.RESAMPLES == 10_000  # fewer only meanwhile


def test_a_killed_simulation_goes_on_and_ends_the_same(path, tmp_path, monkeypatch):
    whole = measure(tmp_path / "whole.json")
    judge_of, calls = cases.judge_of, []

    def killed(claim):
        def test(runs):
            calls.append(1)
            if len(calls) == 6:  # a study where the claim is false is judged twice
                raise KeyboardInterrupt
            return judge_of(claim)(runs)

        return test

    monkeypatch.setattr(simulation, "SITTING", 0.0)  # write after every study
    with monkeypatch.context() as patched:
        patched.setattr(cases, "judge_of", killed)
        with pytest.raises(KeyboardInterrupt):
            measure(path)
    assert [cell.simulations for cell in record.read(path).cells] == [2]
    resumed = measure(path)
    assert resumed.gains == whole.gains
    assert [c.verdicts for c in resumed.cells] == [c.verdicts for c in whole.cells]
    assert [c.videos_only for c in resumed.cells] == [c.videos_only for c in whole.cells]
    for one, other in zip(resumed.cells, whole.cells, strict=True):
        assert one.found == pytest.approx(other.found)
    before = path.read_bytes()
    measure(path)  # nothing is left to do
    assert path.read_bytes() == before


def test_other_settings_begin_anew(path, monkeypatch):
    first = measure(path)
    monkeypatch.setattr(simulation, "commit", lambda: "another")
    longer = measure(path, resamples=50)
    assert longer.settings["resamples"] == 50
    assert longer.commit == "another" != first.commit


def test_cells_of_tests_that_have_not_changed_are_kept(path, monkeypatch):
    first = measure(path)
    monkeypatch.setattr(simulation, "commit", lambda: "another")
    other = Case("UEGD-C17", "Corr", (0,), cases._learned_worse)
    both = measure(path, planted=(SUM, other))
    assert both.cells[:2] == first.cells and both.commit == first.commit
    assert [cell.claim for cell in both.cells] == ["UEGD-C7", "UEGD-C7", "UEGD-C17"]
    later = measure(path, planted=(SUM._replace(since="2026-12-01"), other))
    assert [cell.claim for cell in later.cells] == ["UEGD-C17", "UEGD-C7", "UEGD-C7"]
    assert later.cells[0] == both.cells[2] and later.gains == first.gains


def test_claims_for_which_the_same_is_planted_share_their_studies(path, monkeypatch):
    draws, draw = [], simulation.draw
    monkeypatch.setattr(simulation, "draw", lambda *a, **kw: draws.append(1) or draw(*a, **kw))
    pair = [BY_CLAIM[claim]._replace(effects=(0,)) for claim in ("UEGD-C4", "UEGD-X2")]
    simulated = measure(path, planted=pair, simulations={"mosi": (1, 1)}, gains=0)
    assert [cell.simulations for cell in simulated.cells] == [1, 1] and len(draws) == 1


def test_only_one_process_simulates(path):
    with (
        files.reserved(path, wait=False),
        pytest.raises(UserError, match="another process at work"),
    ):
        measure(path)


def test_a_test_that_cannot_run_is_no_verdict(path):
    lacking = Case("UEGD-C7", "Corr", (0,), lambda *_: cases.each_block(cases.LINGUISTIC))
    with pytest.raises(ValueError, match=r"UEGD-C7 on simulated records: needs .*weighted"):
        measure(path, planted=[lacking])


def test_a_missing_and_a_damaged_record(path):
    with pytest.raises(UserError, match=r"no such file; expected .* run python -m"):
        record.read(path)
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": []}))
    with pytest.raises(UserError, match=r"no readable record of simulations \(.* run python -m"):
        record.read(path)


def test_without_records_there_is_nothing_to_calibrate_on():
    with pytest.raises(UserError, match="records of mosi-standardised: found none"):
        command.main()


def made(rates: dict[float, float], false_at=0.0, total=100) -> Power:
    cells = [
        Cell(
            claim="UEGD-C1",
            dataset="mosi",
            effect=effect,
            verdicts={"supported": round(rate * total), "inconclusive": round((1 - rate) * total)},
            found={},
            videos_only={"supported": total // 2, "inconclusive": total // 2},
        )
        for effect, rate in rates.items()
    ]
    settings = {"videos": {"mosi": {}}, "seeds": 5, "blocks": 24, "resamples": 100}
    settings["noise"] = {"mosi": NOISE.model_dump()}
    return Power(
        settings=settings,
        commit="0123456789ab",
        device="CPU",
        versions={"python": "3"},
        started="2026-01-02T03:04:05+00:00",
        seconds=60.0,
        plans={"UEGD-C1": Plan(unit="Corr", effects=tuple(rates), false_at=false_at)},
        gains={"mosi": {"valid": [0.0, 0.02, 0.04], "test": [-0.01, 0.0, 0.02]}},
        cells=cells,
    )


@pytest.mark.parametrize(
    ("rates", "false_at", "effect"),
    [
        ({0: 0.05, 0.1: 0.6, 0.2: 1.0}, 0.0, 0.15),
        ({0: 0.05, 0.1: 0.8, 0.2: 1.0}, 0.0, 0.1),
        ({0: 0.05, 0.1: 0.3, 0.2: 0.7}, 0.0, None),
        ({0: 0.9, 0.1: 0.95}, 0.0, 0.1),  # a test that always says so finds nothing earlier
        ({0: 1.0, 0.1: 0.5, 0.2: 0.05, 0.4: 0.0}, 0.2, 0.04),  # a claim of equality
        ({0: 0.1, 0.1: 0.0, 0.2: 0.0}, 0.2, None),
    ],
)
def test_the_effect_with_enough_power(rates, false_at, effect):
    assert made(rates, false_at).detected_from("UEGD-C1", "mosi") == (
        None if effect is None else pytest.approx(effect)
    )


def test_rates_have_their_monte_carlo_interval():
    rate = made({0: 0.05, 0.1: 0.5}).false("UEGD-C1", "mosi").rate("supported")
    assert rate.share == 0.05
    assert (rate.low, rate.high) == pytest.approx((0.0215, 0.1118), abs=1e-3)  # Wilson
    for share in (0.0, 1.0):
        rate = made({0: share, 0.1: 0.5}).false("UEGD-C1", "mosi").rate("supported")
        assert rate.low <= rate.share <= rate.high
    nothing = made({0: 0.0, 0.1: 0.5}).false("UEGD-C1", "mosi").rate("contradicted")
    assert nothing.share == nothing.low == 0 < nothing.high


def test_errors_above_the_level_are_named():
    assert made({0: 0.05, 0.1: 0.5}).too_high() == []  # as often as the level allows
    (error,) = made({0: 0.2, 0.1: 0.5}).too_high()
    assert error == "UEGD-C1 at mosi's size: supported in 20.0% of 100 studies with an effect of 0"
    simulated = made({0: 0.0, 0.1: 0.5})
    against = {"contradicted": 20, "inconclusive": 80}
    cells = [cell.model_copy(update={"verdicts": against}) for cell in simulated.cells]
    words = simulated.model_copy(update={"cells": cells}).too_high()
    assert [word.rpartition("effect of ")[2] for word in words] == ["0", "0.1"]


def test_an_unfinished_simulation_is_told():
    simulated = made({0: 0.05, 0.1: 0.5})
    with pytest.raises(UserError, match=r"none at mosei's size with effect 0.1.*goes on"):
        simulated.cell("UEGD-C1", "mosei", 0.1)


def test_the_page_shows_the_numbers():
    simulated = made({0: 0.05, 0.1: 0.6, 0.2: 1.0})
    html = tables.rates(simulated)._repr_html_()
    assert "5.0 [2.2,\u00a011.2]" in html and "0.15 Corr" in html
    assert "never: 10% at 0.1" in tables.rates(made({0: 0.0, 0.1: 0.1}))._repr_html_()
    assert "+0.0200" in tables.chances(simulated)._repr_html_()
    assert "0.15" in tables.scatter(simulated)._repr_html_()
    assert "50.0 [40.4,\u00a059.6]" in tables.amended(simulated)._repr_html_()
    assert "<td>300</td>" in tables.provenance(simulated)._repr_html_()
    texts = tables.numbers(simulated)
    assert texts["C1_mosi_supported"] == "5.0%" and texts["C1_mosi_power"] == "0.15"
    assert texts["gain_mosi_valid"] == "+0.020" and texts["C1_mosi_truest"] == "100%"


def test_the_page_answers_with_the_highest_rate_and_the_gain_by_chance():
    text = answers.error_rates(made({0: 0.05, 0.1: 0.6}))
    assert text.startswith("1 of 1 ") and "5.0% (UEGD-C1 at the size of MOSI)" in text
    assert "+0.020 in correlation on validation" in text and "+0.003 on test" in text
    assert answers.error_rates(made({0: 0.5, 0.1: 0.6})).startswith("0 of 1 ")


def test_the_figures_tell_what_they_show():
    simulated = made({0: 0.2, 0.1: 0.6, 0.2: 1.0})
    curves = figures.power_curves(simulated, ["UEGD-C1"])
    assert "60% at 0.1" in curves.alt and "simulated" in curves.caption
    bars = figures.false_verdicts(simulated)
    assert "surely above 5%: UEGD-C1 20%" in bars.alt
    gains = figures.gains_by_chance(simulated)
    assert "validation: mean +0.020" in gains.alt


def test_the_committed_simulation_is_whole_and_of_the_tests_of_today():
    path = paths.BOOK / "records" / "power" / "uegd.json"
    simulated = record.read(path)
    claims = {claim.id: claim for claim in registry.claims("uegd")}
    assert list(simulated.plans) == list(BY_CLAIM)
    for claim, plan in simulated.plans.items():
        assert plan == cases.plan_of(BY_CLAIM[claim], claims[claim])
        for dataset in simulated.datasets:
            barely, others = simulated.settings["simulations"][dataset]
            for effect in plan.effects:
                count = barely if effect == plan.false_at else others
                assert simulated.cell(claim, dataset, effect).simulations == count
    assert simulated.too_high() == []
