"""Contributions of modalities in a model with a head per modality; claim C27 of MMML."""

import pytest
import torch

from msalib.models import heads, mmml, recipes

TEXT, SOUND = "linguistic", "acoustic"
CONFIG = recipes.load("mmml", "release", "quick", "raw")["model"] | {"head_width": 4, "hidden": 4}


@pytest.fixture
def network():
    torch.manual_seed(0)
    sizes = {TEXT: 8, SOUND: 6}
    return mmml.build(mmml.Config(**CONFIG), sizes=sizes, layers={}, outputs=1).eval()


def batch() -> tuple[dict, dict]:
    """Three clips of three words and two frames of sound."""
    torch.manual_seed(1)
    features = {TEXT: torch.randn(9, 8), SOUND: torch.randn(6, 6)}
    return features, {TEXT: torch.ones(3, 3).bool(), SOUND: torch.ones(3, 2).bool()}


@torch.no_grad()
def test_a_head_says_the_same_whatever_becomes_of_the_other_modality(network):
    """True by construction: heads read the encoders, not the fusion (papers/mmml.md, C27)."""
    features, mask = batch()
    whole = heads.read(network, features, mask)
    assert set(whole) == {TEXT, SOUND, "fused"}
    for m, other in ((TEXT, SOUND), (SOUND, TEXT)):
        alone = heads.read(network, {m: features[m]}, {m: mask[m]})
        silenced = heads.read(network, features | {other: features[other] * 0}, mask)
        assert set(alone) == {m}
        assert alone[m].equal(whole[m]) and silenced[m].equal(whole[m])
        assert not silenced["fused"].equal(whole["fused"])


@torch.no_grad()
def test_what_is_given_decides_which_head_answers(network):
    whole = heads.readings(network(*batch()))
    nothing = torch.full((3,), torch.nan)
    given = {TEXT: torch.tensor([True, True, False]), SOUND: torch.tensor([True, False, True])}
    seen = {m: torch.where(here, whole[m], nothing) for m, here in given.items()}
    seen["fused"] = torch.where(given[TEXT] & given[SOUND], whole["fused"], nothing)
    found = heads.contributions(network, seen, {}, given)
    expected = torch.stack([whole["fused"][0], whole[TEXT][1], whole[SOUND][2]])
    assert found.prediction.equal(expected) and found.gates is None
    assert found.change[TEXT][0] == whole["fused"][0] - whole[SOUND][0]
    assert found.change[SOUND][0] == whole["fused"][0] - whole[TEXT][0]
    assert all(change[1:].isnan().all() for change in found.change.values())
    text = {TEXT: torch.ones(3).bool(), SOUND: torch.zeros(3).bool()}
    assert heads.contributions(network, {TEXT: whole[TEXT]}, {}, text).prediction.equal(whole[TEXT])


def test_a_model_of_one_modality_has_its_head_alone():
    torch.manual_seed(0)
    network = mmml.build(mmml.Config(**CONFIG), sizes={TEXT: 8}, layers={}, outputs=1).eval()
    features, mask = batch()
    with torch.no_grad():
        read = heads.read(network, {TEXT: features[TEXT]}, {TEXT: mask[TEXT]})
    found = heads.contributions(network, read, {}, {TEXT: torch.ones(3).bool()})
    assert set(read) == {TEXT} and found.prediction.equal(read[TEXT])
    assert found.change[TEXT].isnan().all()


def test_a_model_without_a_head_for_every_choice_is_refused():
    assert heads.averages(None, {}) == {}
    heads.check(CONFIG, [SOUND, TEXT], {})
    heads.check(CONFIG | {"tasks": "m"}, [TEXT], {})
    with pytest.raises(ValueError, match="without a head for every choice"):
        heads.check(CONFIG | {"tasks": "m"}, [SOUND, TEXT], {})
    with pytest.raises(ValueError, match="means"):
        heads.check(CONFIG, [SOUND, TEXT], {TEXT: {"vector": [0.0]}})
