"""Equal inputs decide a claim as rarely as its level allows, drawn and trained."""

from collections import Counter

import numpy as np
import pytest

from msalib.base import stats
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.data.datasets import Dataset
from msalib.data.simulate.features import control
from msalib.evidence.verdicts import judge
from msalib.papers.uegd import layers
from msalib.papers.uegd.layers import SHARES
from msalib.runs.query import Runs
from msalib.runs.spec import system
from msalib.runs.study import Study
from tests.factory import layer_records
from tests.papers.uegd.planted import claims_with_tests, every_claim, extended, most_by_chance

pytestmark = pytest.mark.usefixtures("few_resamples")

# --- error rates --------------------------------------------------------------------------------

SIMULATIONS = 60
TESTED = ("C5", "C6", "C7", "C9", "C10", "C13", "C16", "C17", "X2")
"""Claims that say that one thing exceeds another; C1 and C4 are tests of the same kind as X2."""


@pytest.fixture(scope="module")
def verdicts_of_equal_inputs():
    """How often each claim gets each verdict where all inputs are equally good: truth plus
    independent noise of one size.
    """
    rng = np.random.default_rng(0)
    equal = dict.fromkeys([0, 1, 2, 3, "weighted", "uniform"], 1.5)
    counts = {f"UEGD-{claim}": Counter() for claim in TESTED}
    chosen = [claim for claim in claims_with_tests() if claim.id in counts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stats, "RESAMPLES", 200)
        for _ in range(SIMULATIONS):
            alone = layer_records(dict.fromkeys(MODALITIES, equal), clips=4, rng=rng)
            known = Runs(alone)
            more = {
                layers.system_of(known, group, feature, train_share=share)
                for group in [(m,) for m in MODALITIES] + [MODALITIES]
                for feature in ("input", "output", "mid_best", "weighted", "uniform")
                for share in (SHARES if feature in ("input", "mid_best") else [1.0])
            } - set(known.systems)
            records = extended(alone, dict.fromkeys(sorted(more, key=str), 1.5), rng)
            fixed = {m: {**records[0].metrics[m], "mae": 1.0} for m in ("train",)}
            records = [r.model_copy(update={"metrics": {**r.metrics, **fixed}}) for r in records]
            for verdict in judge(chosen, records):
                counts[verdict.claim.id][verdict.evidence.verdict] += 1
    return counts


@pytest.mark.parametrize("claim", TESTED)
@pytest.mark.parametrize("verdict", ["supported", "contradicted"])
def test_equal_inputs_decide_a_claim_as_rarely_as_its_level_allows(
    verdicts_of_equal_inputs, claim, verdict
):
    counts = verdicts_of_equal_inputs[f"UEGD-{claim}"]
    assert sum(counts.values()) == SIMULATIONS and not counts["not run"]
    assert counts[verdict] <= most_by_chance(SIMULATIONS)


# --- with training ------------------------------------------------------------------------------


def trained(monkeypatch, profile, seed=0, seeds=5):
    """Records of the linguistic blocks of a small control with this planted profile."""
    profiles = dict.fromkeys(MODALITIES, (profile[0] / 2, *profile))  # from layer 0 on
    corpus = control(seed, videos=40, profiles=profiles)
    small = Dataset(
        "small control", lambda: corpus, layered=MODALITIES, shipped="planted", real=False
    )
    monkeypatch.setitem(readers.DATASETS, "control", small)
    study = Study("uegd", profile="quick", seeds=seeds, refresh=True)
    return study.run([system({"linguistic": k}) for k in range(1, len(profile) + 1)])


def test_the_planted_best_layer_is_found_by_training(monkeypatch):
    records = trained(monkeypatch, (0.1, 0.1, 2.5, 0.1))
    assert layers.best_block(Runs(records), "linguistic") == 3
    judged = every_claim(records)
    # Five validation videos are few to choose by: other draws of them may choose the last block.
    assert judged["UEGD-C6"].verdict in ("supported", "inconclusive")
    as_chosen = judged["UEGD-C6"].effects["linguistic MAE, as chosen"]
    assert as_chosen.high < judged["UEGD-C6"].effects["linguistic MAE, choosing"].high
    assert as_chosen.high < 0
    assert judged["UEGD-C13"].verdict == "supported"


def test_layers_planted_equal_support_no_claim_more_often_than_its_level_allows(monkeypatch):
    supported, corpora = Counter(), 4
    for seed in range(corpora):
        records = trained(monkeypatch, (1.0, 1.0, 1.0), seed)
        for claim, judged in every_claim(records).items():
            supported[claim] += judged.verdict == "supported"
    assert max(supported.values()) <= most_by_chance(corpora)
