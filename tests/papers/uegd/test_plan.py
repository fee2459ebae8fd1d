"""UEGD's plan: what is trained beside the tables, for choices and for conventional features."""

from types import SimpleNamespace

import pytest

from msalib.data import datasets
from msalib.papers import campaign
from msalib.papers.uegd import BESIDE, plan
from msalib.papers.uegd.layers import SHARES
from msalib.runs.spec import system


class FakeStudy:
    """What a step asks of a study; it keeps the systems that are asked for."""

    def __init__(self, dataset, encoder, layered=(), modalities=("acoustic", "linguistic")):
        self.parameters = SimpleNamespace(dataset=dataset)
        self.encoder = encoder
        self.dataset = SimpleNamespace(layered=layered, modalities=modalities)
        self.asked = []

    def blocks(self, modality):
        return 3 if modality in self.dataset.layered else 1

    def run(self, systems):
        assert len(systems) == len(set(systems))
        self.asked += systems
        return []


def asked(step, *about, **more):
    study = FakeStudy(*about, **more)
    step(study)
    return study.asked


def test_every_block_is_trained_with_all_and_alone_on_each_share():
    systems = asked(plan._each_block, "mosi-standardised", "minilm", ("linguistic",))
    assert {system({"acoustic": 1, "linguistic": k}) for k in (1, 2, 3)} < set(systems)
    alone = {system({"linguistic": k}, train_share=s) for k in (1, 2, 3) for s in SHARES}
    assert alone < set(systems) and len(systems) == 3 + 12


def test_with_several_encoders_every_block_alone_is_enough():
    both = ("acoustic", "linguistic")
    systems = asked(plan._each_block, "raw", "small", both)
    assert {len(s.inputs) for s in systems} == {1}


def test_conventional_features_are_trained_alone_and_with_vectors():
    systems = asked(plan._conventional, "mosi-standardised", "lexicon")
    assert systems == [system({"linguistic": 1}), system({"acoustic": 1, "linguistic": 1})]
    assert asked(plan._conventional, "mosei", "tfidf", modalities=("linguistic",)) == systems[:1]
    assert asked(plan._conventional, "raw", "tfidf", ("visual", "acoustic")) == systems[:1]
    assert asked(plan._conventional, "mosi-standardised", "bert-large") == []


@pytest.mark.parametrize("key", BESIDE)
def test_a_setting_beside_is_made_by_its_name(key):
    dataset, encoder = BESIDE[key]
    assert dataset in datasets.DATASETS
    assert campaign._chosen("uegd", plan.PLAN, {"dataset": dataset, "encoder": encoder}) == [key]
