"""Streams of batches: keyed draws, and orders from a generator."""

import numpy as np
import pandas as pd
import pytest
import torch

from msalib.base import noise
from msalib.data.corpus import TUNED, Corpus, Features
from msalib.training.streams import Keyed, Sequential, draws
from tests.training.common import Constant, examples, regime


def test_every_epoch_and_step_draws_anew():
    key = noise.key(2)
    one, two = (draws(key, epoch, clips=20, steps=5, dropouts=3) for epoch in (1, 2))
    assert sorted(one.order.tolist()) == sorted(two.order.tolist()) == list(range(20))
    assert not torch.equal(one.order, two.order)
    keys = torch.cat([x.reshape(-1, 2) for d in (one, two) for x in (d.steps, d.dropout)])
    assert len({tuple(k) for k in keys.tolist()}) == 2 * (5 + 5 * 3)


def test_draws_of_several_runs_are_those_of_each():
    keys = torch.stack([noise.key(seed) for seed in (3, 1)])
    several = draws(keys, 4, clips=11, steps=2, dropouts=3)
    for r, key in enumerate(keys):
        alone = draws(key, 4, clips=11, steps=2, dropouts=3)
        assert all(torch.equal(a[r], b) for a, b in zip(several, alone, strict=True))


def batches(stream, epoch=1, train=None, **changes) -> list[torch.Tensor]:
    """The numbers of the clips in each batch of an epoch."""
    train, how = train or examples("train"), regime(**changes)
    rows = []
    for some, batch in stream.batches(epoch, train, Constant(), how):
        assert torch.equal(batch.label, train.label[some])
        rows.append(some)
    assert len(rows) == stream.count(len(train), how)
    return rows


@pytest.mark.parametrize("size", [4, 6, 20, 13, 1])
def test_a_keyed_stream_drops_the_incomplete_batch(size):
    rows = batches(Keyed(0, "cpu"), batch_size=size)
    assert [len(some) for some in rows] == [size] * (20 // size)
    assert len(set(torch.cat(rows).tolist())) == size * (20 // size)  # every clip at most once


@pytest.mark.parametrize("size", [4, 6, 20, 13, 1])
def test_a_sequential_stream_holds_every_clip(size):
    rows = batches(Sequential(0, "cpu"), batch_size=size)
    rest = [20 % size] if 20 % size else []
    assert [len(some) for some in rows] == [size] * (20 // size) + rest
    assert sorted(torch.cat(rows).tolist()) == list(range(20))


@pytest.mark.parametrize("kind", [Keyed, Sequential])
def test_a_seed_decides_the_order_and_every_epoch_has_its_own(kind):
    def order(stream, epoch):
        return torch.cat(batches(stream, epoch))

    one, again, other = (kind(seed, "cpu") for seed in (0, 0, 1))
    first = order(one, 1)
    assert torch.equal(order(again, 1), first)
    assert not torch.equal(order(other, 1), first)
    assert not torch.equal(order(one, 2), first)


def test_sequential_orders_are_those_of_a_generator_one_after_the_other():
    generator, stream = torch.Generator().manual_seed(5), Sequential(5, "cpu")
    first = stream.permutation(7)
    assert first.equal(torch.randperm(7, generator=generator))
    order = torch.cat(batches(stream))
    assert order.equal(torch.randperm(20, generator=generator))


@pytest.mark.parametrize("kind", [Keyed, Sequential])
def test_a_permutation_holds_every_number_once_and_follows_the_seed(kind):
    one, other = (kind(seed, "cpu").permutation(50) for seed in (0, 1))
    assert sorted(one.tolist()) == list(range(50)) and one.device.type == "cpu"
    assert not one.equal(other)


# --- an encoder that is fine-tuned --------------------------------------------------------------


def tokens(lengths) -> Corpus:
    """A corpus of texts as tokens, of these lengths; every clip is in the training set."""
    index = pd.Index([f"c{i}" for i in range(len(lengths))], name="id")
    table = pd.DataFrame({"video": index, "segment": 1, "text": "", "label": 1.0}, index=index)
    ids = np.arange(sum(lengths), dtype=np.int32)[:, None] + 30000
    features = Features("net", "token", {TUNED: ids}, np.append(0, np.cumsum(lengths)))
    return Corpus("tiny", table, {"linguistic": features}, {})


def test_texts_of_like_length_are_put_together_within_a_step():
    """The clips of a step are those of its place in the order, whatever the lengths."""
    lengths = torch.randint(3, 40, (100,), generator=torch.Generator().manual_seed(0))
    train = tokens(lengths.tolist()).examples(np.arange(100), inputs={"linguistic": TUNED})
    order = torch.randperm(100, generator=torch.Generator().manual_seed(3))
    rows = batches(Sequential(3, "cpu"), train=train, batch_size=8, accumulation=3)
    assert [len(some) for some in rows] == [8] * 12 + [4]
    for step in range(5):
        members = torch.cat(rows[3 * step : 3 * step + 3])
        assert set(members.tolist()) == set(order[24 * step : 24 * step + 24].tolist())
        assert (lengths[members].diff() >= 0).all()
    assert not torch.cat(rows).equal(order)


def test_tokens_stay_integers_in_a_batch():
    corpus = tokens([1, 2])
    assert corpus.features["linguistic"].blocks == ()
    batch = corpus.examples(np.arange(2), inputs={"linguistic": TUNED}).batch(torch.tensor([1, 0]))
    assert batch.features["linguistic"].tolist() == [[30001], [30002], [30000]]
    assert not batch.features["linguistic"].is_floating_point()
