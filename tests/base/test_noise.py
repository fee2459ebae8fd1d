"""Random numbers by key: uniform, independent, and the same wherever they are drawn."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.func import vmap

from msalib.base import noise

COUNT = 20_000


def keys(count=200):
    return torch.stack([noise.key(seed) for seed in range(count)])


# --- one key ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2, 12345, 2**31 - 1])
def test_numbers_are_uniform(seed):
    drawn = noise.uniform(noise.key(seed), COUNT)
    assert drawn.dtype == torch.float32
    assert 0 <= drawn.min() < 0.001 and 0.999 < drawn.max() < 1
    assert stats.kstest(drawn.numpy(), "uniform").pvalue > 1e-3


def test_the_first_numbers_of_many_keys_are_uniform():
    """Neighbouring seeds must not give neighbouring numbers."""
    first = noise.uniform(keys(5000), 3)
    for place in first.T:
        assert stats.kstest(place.numpy(), "uniform").pvalue > 1e-3


def test_every_bit_is_a_fair_coin():
    words = noise.bits(noise.key(3), COUNT).numpy().view(np.uint32)
    ones = [int(((words >> place) & 1).sum()) for place in range(32)]
    spread = np.sqrt(COUNT) / 2
    assert max(abs(n - COUNT / 2) for n in ones) < 4.5 * spread


def test_neighbouring_numbers_are_independent():
    drawn = noise.uniform(noise.key(4), COUNT)
    for lag in (1, 2, 32, 64, 128, 384):  # of rows of a feature matrix, too
        r = np.corrcoef(drawn[:-lag], drawn[lag:])[0, 1]
        assert abs(r) < 4.5 / np.sqrt(COUNT)


def test_a_seed_gives_its_numbers_again():
    assert torch.equal(noise.bits(noise.key(7), 10), noise.bits(noise.key(7), 100)[:10])
    assert not torch.equal(noise.bits(noise.key(7), 10), noise.bits(noise.key(8), 10))


def test_the_numbers_are_those_that_records_were_made_with():
    """A change here changes every run: then all records have to be made anew."""
    key = noise.key(5)
    assert key.tolist() == [-1501068244, -761470551]
    expected = [-1733304012, -926829032, 749905654, 902830672]
    assert noise.bits(noise.derive(key, 3), 4).tolist() == expected


# --- several keys -------------------------------------------------------------------------------


def related():
    """Keys that are as close to each other as a run makes them."""
    run = noise.key(0)
    epochs = noise.derive(run, torch.arange(1, 6))
    steps = noise.derive(noise.derive(epochs[0], 1), torch.arange(80))
    return torch.cat([keys(40), epochs, steps, noise.derive(steps[0], torch.arange(4))])


def test_no_two_keys_are_equal():
    assert len({tuple(key) for key in related().tolist()}) == len(related())
    many = noise.derive(noise.key(0), torch.arange(50_000))
    assert len({tuple(key) for key in many.tolist()}) == 50_000


def test_sequences_of_keys_are_independent():
    drawn = noise.uniform(related(), 4000).numpy()
    between = np.corrcoef(drawn)[np.triu_indices(len(drawn), 1)]
    assert np.abs(between).max() < 5.5 / np.sqrt(4000)  # of some 8000 pairs
    assert between.std() == pytest.approx(1 / np.sqrt(4000), rel=0.05)


def test_no_sequence_is_another_one_shifted():
    """Neighbouring seeds would then train on shifted copies of the same masks."""
    drawn = noise.bits(related(), 300)
    values, counts = drawn.unique(return_counts=True)
    expected = drawn.numel() ** 2 / 2 / 2**32  # chance pairs
    assert int((counts - 1).sum()) <= expected + 5 * np.sqrt(expected + 1)
    assert len(values) > 0.999 * drawn.numel()


@pytest.mark.parametrize("draw", [noise.bits, noise.uniform, noise.permutation])
def test_many_keys_at_once_give_what_each_gives_alone(draw):
    several = keys(6)
    alone = torch.stack([draw(key, 50) for key in several])
    assert torch.equal(draw(several, 50), alone)
    assert torch.equal(draw(several.view(2, 3, 2), 50), alone.view(2, 3, 50))
    assert torch.equal(vmap(lambda key: draw(key, 50))(several), alone)


def test_keys_are_derived_the_same_one_by_one_and_together():
    several, labels = keys(3), torch.arange(5)
    together = noise.derive(several, labels)
    assert together.shape == (3, 5, 2)
    for r, key in enumerate(several):
        for label in labels.tolist():
            assert torch.equal(noise.derive(key, label), together[r, label])
    assert torch.equal(noise.derive(several, 4), together[:, 4])


def test_a_permutation_has_every_place_once():
    orders = noise.permutation(keys(500), 12)
    assert torch.equal(orders.sort(-1).values, torch.arange(12).expand(500, 12))
    counts = np.array([np.bincount(place, minlength=12) for place in orders.T])
    assert stats.chisquare(counts, axis=1).pvalue.min() > 1e-4  # every clip at every place


# --- dropout ------------------------------------------------------------------------------------


def dropped(p=0.2, seed=0, shape=(400, 50)):
    layer = noise.Dropout(p)
    noise.set_keys(layer, noise.key(seed)[None])
    return layer(torch.ones(shape))


@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_expectation(p):
    out = dropped(p)
    assert out.unique().tolist() == pytest.approx([0, 1 / (1 - p)])
    error = np.sqrt(p * (1 - p) / out.numel())
    assert float((out == 0).float().mean()) == pytest.approx(p, abs=4.5 * error)
    assert float(out.mean()) == pytest.approx(1, abs=4.5 * error / (1 - p))


def test_dropout_does_nothing_where_nothing_is_dropped():
    x = torch.randn(3, 4)
    assert noise.Dropout(0.0)(x) is x
    assert noise.Dropout(0.5).eval()(x) is x


def test_dropout_without_a_key_is_refused():
    with pytest.raises(RuntimeError, match=r"no key: call noise\.set_keys"):
        noise.Dropout(0.2)(torch.ones(3))


def test_a_key_for_every_dropout_of_a_model_in_its_order():
    model = torch.nn.Sequential(
        noise.Dropout(0.5), torch.nn.Sequential(torch.nn.ReLU(), noise.Dropout(0.5))
    )
    assert noise.dropouts(model) == ["0.key", "1.1.key"]
    own = noise.derive(noise.key(0), torch.arange(2))
    noise.set_keys(model, own)
    assert torch.equal(model[0].key, own[0]) and torch.equal(model[1][1].key, own[1])
    assert model.state_dict() == {}  # keys are no weights
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        noise.set_keys(model, own[:1])


def test_another_key_drops_others():
    assert torch.equal(dropped(seed=1), dropped(seed=1))
    assert not torch.equal(dropped(seed=1), dropped(seed=2))
    same = float((dropped(0.5, 1) == dropped(0.5, 2)).float().mean())
    assert same == pytest.approx(0.5, abs=4.5 * 0.5 / np.sqrt(20_000))


def test_more_frames_leave_the_dropout_of_the_first_as_it_is():
    """Replicas are filled up with frames behind their own."""
    assert torch.equal(dropped(shape=(70, 50))[:40], dropped(shape=(40, 50)))
