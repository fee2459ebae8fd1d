"""Tests of claims: planted effects are found, absent ones are not, every verdict is explained."""

import gc
from collections import Counter

import numpy as np
import pytest
import yaml
from scipy.stats import binom

from msalib import claims, readers, records, stats
from msalib.claims import Runs, best_in_second_half, midbest_better_than, spread_smaller_than
from msalib.corpus import MODALITIES
from msalib.errors import UserError
from msalib.readers import Dataset
from msalib.simulate import control
from msalib.study import Study
from tests.factory import layer_records, make_record, predictions

CONSTANT = float("inf")
UEGD = claims.registry("uegd")


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 400)


def runs(**noise):
    """Modality -> layer -> noise of its predictions."""
    return Runs(layer_records(noise))


def linguistic(*noise, **more):
    """Runs of linguistic blocks 1, 2, ... with so much noise each."""
    return runs(linguistic=dict(enumerate(noise, 1)) | more)


# --- mid-best -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "block", "verdict"),
    [
        ((2.0, 0.7, 2.0), 2, "supported"),
        ((2.0, 2.0, 0.7), 3, "inconclusive"),  # the best block is the last
    ],
)
def test_a_better_block_is_found_and_no_other(noise, block, verdict):
    found = midbest_better_than(linguistic(*noise), modality="linguistic", other="output")
    assert found.verdict == verdict
    assert found.note.startswith(f"block {block} (best on validation, and in 100% of its res")
    assert f") minus block {len(noise)}; " in found.note
    mae, corr = found.effects["mae"], found.effects["corr"]
    if verdict == "supported":
        assert mae.high < 0 < corr.low
    else:
        assert "the same block, so no difference can show" in found.note
        assert mae.effect == corr.effect == 0


def test_a_weighted_sum_that_is_worse_or_better_than_any_block_is_told():
    worse, better = linguistic(1.0, 0.9, weighted=3.0), linguistic(2.5, 2.0, weighted=0.5)
    found = midbest_better_than(worse, modality="linguistic", other="weighted")
    assert found.verdict == "supported"
    assert ") minus the weighted sum; seed by seed MAE -" in found.note
    assert found.note.count("better in 2 of 2") == 2
    found = midbest_better_than(better, modality="linguistic", other="weighted")
    assert found.verdict == "contradicted"


def flipped(record):
    """The same record with predictions that are far off, but in perfect order."""
    parts = {
        part: predictions(c.label, 10 + 5 * np.array(c.label), c.video)
        for part, c in record.predictions.items()
    }
    return make_record(record.spec.inputs, record.spec.seed, parts=parts)


def test_one_metric_for_and_one_against_contradicts():
    """Block 1 has the better order and by far the larger errors."""
    found = layer_records({"linguistic": {1: 1.0, 2: 1.0}})
    mixed = [flipped(r) if r.spec.inputs == {"linguistic": 1} else r for r in found]
    evidence = midbest_better_than(Runs(mixed), modality="linguistic", other="output")
    assert evidence.effects["corr"].low > 0 and evidence.effects["mae"].low > 0
    assert evidence.verdict == "contradicted"


def test_validation_chooses_and_test_judges():
    """Block 1 is best on validation, block 2 on test: the test part does not choose."""
    found = layer_records({"linguistic": {1: 0.5, 2: 2.0, 3: 1.0}})
    other = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 1.0}})
    mixed = [
        r.model_copy(update={"predictions": {**r.predictions, "test": o.predictions["test"]}})
        for r, o in zip(found, other, strict=True)
    ]
    assert Runs(mixed).mid_best("linguistic") == 1
    evidence = midbest_better_than(Runs(mixed), modality="linguistic", other="output")
    assert evidence.verdict == "contradicted"


# --- spread -------------------------------------------------------------------------------------

FLAT, STEEP = dict.fromkeys(range(1, 5), 1.0), {1: 6.0, 2: 3.0, 3: 1.5, 4: 0.5}


@pytest.mark.parametrize(
    ("own", "acoustic", "visual", "verdict"),
    [
        (FLAT, STEEP, STEEP, "supported"),
        (STEEP, FLAT, FLAT, "contradicted"),
        (STEEP, STEEP, FLAT, "contradicted"),
        (FLAT, STEEP, FLAT, "inconclusive"),
        (FLAT, FLAT, FLAT, "inconclusive"),
    ],
)
def test_spreads_are_told_apart(own, acoustic, visual, verdict):
    three = runs(linguistic=own, acoustic=acoustic, visual=visual)
    found = spread_smaller_than(three, modality="linguistic", others=["acoustic", "visual"])
    assert found.verdict == verdict
    assert list(found.effects) == ["spread vs acoustic", "spread vs visual"]
    assert found.note == "spread over blocks, linguistic minus the other"


def test_what_a_comparison_lacks_is_named_and_its_own_spread_shown():
    found = spread_smaller_than(
        runs(linguistic=FLAT, visual={1: 1.0}), modality="linguistic", others=["acoustic", "visual"]
    )
    assert found.verdict == "not run"
    assert found.note == ("needs acoustic layers of the same clips and two or more visual blocks")
    assert list(found.effects) == ["spread linguistic"]
    two = spread_smaller_than(
        runs(linguistic=FLAT, visual=FLAT), modality="linguistic", others=["acoustic", "visual"]
    )
    assert two.note == "needs acoustic layers of the same clips"


# --- second half --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [
        ((4.0, 4.0, 4.0, 0.5), "supported"),
        ((4.0, 4.0, 0.5, 4.0), "supported"),
        ((4.0, 0.5, 4.0, 4.0), "contradicted"),  # block 2 of 4 is not beyond the middle
        ((0.5, 4.0, 4.0, 4.0), "contradicted"),
        ((4.0, 4.0, 0.5), "supported"),
        ((4.0, 0.5, 4.0), "supported"),  # block 2 of 3 is
        ((2.0, 2.0, 2.0, 2.0), "inconclusive"),
    ],
)
def test_the_half_with_the_best_block_is_found(noise, verdict):
    found = best_in_second_half(linguistic(*noise), modality="linguistic")
    assert found.verdict == verdict
    assert list(found.effects) == ["best block, valid", "best block, test"]
    assert found.note.startswith(f"of {len(noise)} blocks; beyond the middle in ")
    if verdict != "inconclusive":
        assert found.effects["best block, test"].effect == 1 + int(np.argmin(noise))


def test_layer_zero_is_no_block():
    noise = {0: 0.2, 1: 4.0, 2: 4.0, 3: 1.0}
    with_input = runs(linguistic=noise)
    assert with_input.blocks("linguistic") == [1, 2, 3]
    assert with_input.mid_best("linguistic") == 3
    assert best_in_second_half(with_input, modality="linguistic").verdict == "supported"


# --- what cannot be told ------------------------------------------------------------------------


def every_claim(found):
    return {v.claim.id: v.evidence for v in claims.judge(UEGD, found)}


def test_constant_predictions_are_undefined_and_decide_nothing():
    """Every block of every modality, and the weighted sum, predicts one number."""
    layers = {1: CONSTANT, 2: CONSTANT, 3: CONSTANT, "weighted": CONSTANT}
    for claim, evidence in every_claim(layer_records(dict.fromkeys(MODALITIES, layers))).items():
        assert evidence.verdict == "inconclusive", claim
        assert "undefined" in evidence.note, claim


def test_one_constant_block_is_never_the_best():
    found = linguistic(CONSTANT, 2.0, 0.5, CONSTANT)
    assert found.mid_best("linguistic") == 3
    assert best_in_second_half(found, modality="linguistic").verdict == "supported"
    evidence = midbest_better_than(found, modality="linguistic", other="output")
    assert evidence.verdict == "inconclusive"
    assert "minus block 4; seed by seed MAE " in evidence.note
    assert evidence.note.endswith("; corr undefined, as for constant predictions")


def test_claims_without_their_runs_are_not_run_and_say_what_they_need():
    notes = {
        c: (e.verdict, e.note) for c, e in every_claim(layer_records({"visual": FLAT})).items()
    }
    assert notes == dict.fromkeys(notes, ("not run", "needs linguistic layers of the same clips"))
    only = every_claim(layer_records({"linguistic": {1: 1.0, 2: 1.0}}))
    assert only["UEGD-C7"] == ("not run", {}, "needs the linguistic weighted input")
    assert only["UEGD-C10"].verdict == "not run"
    assert only["UEGD-C6"].verdict != "not run"


def test_a_sweep_that_was_cut_off_gives_no_verdict():
    """Blocks come one after the other: the last one that has runs is not the last block."""
    found = layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 0.4, 4: 2.0, "weighted": 1.0}})
    done = [r for r in found if r.spec.inputs["linguistic"] in (1, 2, 3)]
    for claim, evidence in every_claim(done).items():
        assert evidence.verdict == "not run", claim
        assert evidence.note == "needs linguistic block 4 of 4", claim
    mixed = [r for r in found if (r.spec.seed == 0) == (r.spec.inputs == {"linguistic": 1})]
    assert every_claim(mixed)["UEGD-C6"].note == "needs a seed that all inputs have"


def test_a_weak_modality_is_not_more_spread_for_being_weak():
    """Equal blocks, strong in text and weak in speech and images: no claim about spread."""
    rng, supported = np.random.default_rng(0), 0
    strong, weak = dict.fromkeys(range(1, 9), 1.0), dict.fromkeys(range(1, 9), 6.0)
    for _ in range(40):
        found = layer_records(
            {"linguistic": strong, "acoustic": weak, "visual": weak}, seeds=1, rng=rng
        )
        supported += every_claim(found)["UEGD-C10"].verdict == "supported"
    assert supported <= binom.ppf(0.999, 40, stats.LEVEL)


def test_inputs_are_compared_on_the_seeds_that_all_have():
    found = layer_records({"linguistic": {1: 1.0, 2: 1.0}}, seeds=3)
    some = [r for r in found if r.spec.inputs != {"linguistic": 2} or r.spec.seed != 1]
    assert Runs(some).seeds == [0, 2]
    assert Runs(some).predictions("linguistic", 1, "test").shape[0] == 2
    none = [r for r in found if (r.spec.seed == 0) == (r.spec.inputs == {"linguistic": 1})]
    assert Runs(none).seeds == []
    assert {e.verdict for e in every_claim(none).values()} == {"not run"}


def test_two_recipes_in_one_setting_are_refused():
    one = layer_records({"linguistic": {1: 1.0}}, seeds=1)
    other = one[0].model_copy(
        update={"spec": one[0].spec.model_copy(update={"model": {"hidden_size": 1}})}
    )
    with pytest.raises(UserError, match="differ in recipe only; expected one record per input"):
        Runs([*one, other])


def test_records_of_other_clips_are_not_mixed():
    found = layer_records({"linguistic": {1: 1.0}}) + layer_records(
        {"linguistic": {2: 1.0}}, clips=3
    )
    with pytest.raises(ValueError, match="judges other clips than its neighbours"):
        every_claim(found)


# --- registry -----------------------------------------------------------------------------------


def test_every_claim_of_the_registry_can_be_judged_and_shown():
    assert [claim.id for claim in UEGD] == ["UEGD-C6", "UEGD-C7", "UEGD-C10", "UEGD-C13"]
    layers = {1: 1.0, 2: 1.0, "weighted": 1.0}
    for claim, evidence in every_claim(layer_records(dict.fromkeys(MODALITIES, layers))).items():
        assert evidence.verdict in ("supported", "contradicted", "inconclusive"), claim
    for claim in UEGD:
        assert claim.test in claims.TESTS
        assert bool(claim.rule) and bool(claim.statement)
        claims.printed_effects("uegd", claim)


def test_printed_effects_are_those_of_the_paper():
    """Table 3, linguistic: mid-best minus output (papers/uegd.md (b), C6) and best blocks."""
    by_id = {claim.id: claims.printed_effects("uegd", claim) for claim in UEGD}
    assert by_id["UEGD-C6"][0].startswith("MOSI MAE -0.033, Corr +")
    assert by_id["UEGD-C6"][1].startswith("MOSEI MAE -0.004, Corr +")
    assert by_id["UEGD-C10"] == []
    assert by_id["UEGD-C13"] == ["MOSI layer 20", "MOSEI layer 21"]


def test_claims_are_chosen_by_id():
    assert [c.id for c in claims.registry("uegd", ["UEGD-C13", "UEGD-C6"])] == [
        "UEGD-C6",
        "UEGD-C13",
    ]


def test_a_paper_without_claims_is_refused_with_those_that_have():
    for ask in (claims.registry, claims.evaluate):
        with pytest.raises(UserError, match=r"paper 'nonsense': found no claims of it; .* uegd"):
            ask("nonsense")


def test_a_claim_with_an_unknown_test_is_refused(tmp_path, monkeypatch):
    entries = yaml.safe_load((claims.CLAIMS / "uegd.yaml").read_text())
    entries[0]["test"] = "looks_good"
    (tmp_path / "uegd.yaml").write_text(yaml.safe_dump(entries))
    monkeypatch.setattr(claims, "CLAIMS", tmp_path)
    with pytest.raises(ValueError, match="looks_good"):
        claims.registry("uegd")


def test_every_setting_with_records_is_judged_and_the_published_one_is_never_missing():
    for record in layer_records({"linguistic": {1: 1.0, 2: 0.5}}):
        records.write(record)
    verdicts = claims.evaluate("uegd")
    settings = [v.setting for v in verdicts]
    assert set(settings) == {
        ("control", "planted", "release", "quick"),
        ("mosi", "bert-large", "release", "paper"),
    }
    assert len(verdicts) == 2 * len(UEGD)
    published = [v for v in verdicts if v.setting.encoder == "bert-large"]
    assert {v.evidence.verdict for v in published} == {"not run"}
    assert all("bert-large layers of mosi" in v.evidence.note for v in published)


# --- error rates --------------------------------------------------------------------------------

SIMULATIONS = 300


@pytest.fixture(scope="module")
def verdicts_of_equal_layers():
    """How often each claim gets each verdict where all inputs of all modalities are equally good:
    truth plus independent noise of one size.
    """
    rng = np.random.default_rng(0)
    layers = dict.fromkeys([1, 2, 3, 4, "weighted"], 1.5)
    counts = {claim.id: Counter() for claim in UEGD}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stats, "RESAMPLES", 200)
        patch.setattr(gc, "collect", int)  # statsmodels calls it in every Holm: 0.1 s here
        for _ in range(SIMULATIONS):
            found = layer_records(dict.fromkeys(MODALITIES, layers), seeds=1, clips=4, rng=rng)
            for claim, evidence in every_claim(found).items():
                counts[claim][evidence.verdict] += 1
    return counts


@pytest.mark.parametrize("claim", [claim.id for claim in UEGD])
@pytest.mark.parametrize("verdict", ["supported", "contradicted"])
def test_equal_layers_decide_a_claim_as_rarely_as_its_level_allows(
    verdicts_of_equal_layers, claim, verdict
):
    counts = verdicts_of_equal_layers[claim]
    assert sum(counts.values()) == SIMULATIONS and not counts["not run"]
    assert counts[verdict] <= binom.ppf(0.999, SIMULATIONS, stats.LEVEL)


# --- with training ------------------------------------------------------------------------------


def trained(monkeypatch, profile, seed=0):
    """Records of the linguistic blocks of a small control with this planted profile."""
    profiles = dict.fromkeys(MODALITIES, profile)
    corpus = control(seed, videos=30, profiles=profiles)
    small = Dataset("small control", False, lambda: corpus)
    monkeypatch.setitem(readers.DATASETS, "control", small)
    return Study("uegd", profile="quick", seeds=1, refresh=True).single_layers("linguistic")


def test_the_planted_best_layer_is_found_by_training(monkeypatch):
    found = trained(monkeypatch, (0.1, 0.1, 2.5, 0.1))
    assert Runs(found).mid_best("linguistic") == 3
    evidence = every_claim(found)
    assert evidence["UEGD-C6"].verdict == "supported"
    assert evidence["UEGD-C13"].verdict == "supported"


def test_layers_planted_equal_support_no_claim_more_often_than_its_level_allows(monkeypatch):
    supported = Counter()
    seeds = range(6)
    for seed in seeds:
        for claim, evidence in every_claim(trained(monkeypatch, (1.0, 1.0, 1.0), seed)).items():
            supported[claim] += evidence.verdict == "supported"
    assert max(supported.values()) <= binom.ppf(0.999, len(seeds), stats.LEVEL)
