"""Corpus, Examples and Batch against plain slicing; every refusal."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from msalib.base.errors import UserError
from msalib.data.corpus import LAST_TWO, MODALITIES, SUMS, Corpus, Features, membership, pad
from tests.factory import tiny_corpus

INPUTS = {"visual": 1, "acoustic": 0, "linguistic": "weighted"}


@pytest.fixture
def examples(tiny):
    return tiny.examples(tiny.rows("train", "standard"), inputs=INPUTS)


def sliced(corpus, modality, layer, clip):
    """Frames of one clip, cut out by hand: (T, D) float32."""
    features = corpus.features[modality]
    start, stop = features.offsets[clip], features.offsets[clip + 1]
    return torch.as_tensor(features.layers[layer][start:stop].astype(np.float32))


def same(one, two):
    """Whether two batches are equal in every number and shape."""
    assert torch.equal(one.label, two.label)
    for m in INPUTS:
        assert torch.equal(one.features[m], two.features[m]), m
        assert torch.equal(one.mask[m], two.mask[m]), m
    return True


# --- examples and batches -----------------------------------------------------------------------


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_a_batch_is_the_clips_cut_out_one_by_one(tiny, part):
    rows = tiny.rows(part, "standard")
    examples = tiny.examples(rows, inputs=INPUTS)
    chosen = torch.tensor([7, 0, 3, 3, 9])
    batch = examples.batch(chosen)
    clips = rows[chosen]
    label = tiny.utterances["label"].to_numpy(np.float32)[clips]
    np.testing.assert_array_equal(batch.label, label)
    for m, layer in INPUTS.items():
        lengths = tiny.features[m].lengths()[clips]
        assert batch.mask[m].shape == (5, lengths.max())
        assert batch.mask[m].sum(1).tolist() == lengths.tolist()
        assert not (batch.mask[m][:, 1:] & ~batch.mask[m][:, :-1]).any()  # frames come first
        layers = (1, 2, 3) if layer == "weighted" else (layer,)
        ends = [torch.cat([sliced(tiny, m, k, clip) for clip in clips]) for k in layers]
        expected = torch.stack(ends) if layer == "weighted" else ends[0]
        assert batch.features[m].dtype == torch.float32
        assert torch.equal(batch.features[m], expected)


def test_examples_keep_the_order_of_the_table(tiny, examples):
    rows = tiny.rows("train", "standard")
    assert list(examples.ids) == list(tiny.utterances.index[rows])
    assert list(examples.videos) == list(tiny.utterances["video"].iloc[rows])
    assert len(examples) == 20
    assert [examples.size(m) for m in MODALITIES] == [5, 4, 6]
    seen = torch.cat([batch.label for batch in examples.batches(8)])
    assert torch.equal(seen, examples.label)
    assert [len(batch.label) for batch in examples.batches(8)] == [8, 8, 4]


@pytest.mark.parametrize("size", [1, 4, 5, 12, 50])
def test_pieces_of_a_batch_equal_batches_made_directly(examples, size):
    rows = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    pieces = examples.batch(rows).split(size)
    for piece, chosen in zip(pieces, rows.split(size), strict=True):
        assert same(piece, examples.batch(chosen))


def test_another_device_gets_the_frames_of_its_clips_only(tiny):
    """ "cpu:0" is another device by name, and here all the same."""
    rows = np.array([3, 17, 30, 31])
    on_cpu, elsewhere = (
        tiny.examples(rows, inputs={"acoustic": 1, "linguistic": "weighted"}, device=device)
        for device in ("cpu", "cpu:0")
    )
    order = torch.tensor([2, 0, 3])
    for m in ("acoustic", "linguistic"):
        a, b = on_cpu.batch(order), elsewhere.batch(order)
        assert torch.equal(a.features[m], b.features[m]) and torch.equal(a.mask[m], b.mask[m])
        held = {len(frames) for frames in elsewhere._frames[m].layers}
        assert held == {int(tiny.features[m].lengths()[rows].sum())}


def test_pieces_of_a_batch_share_its_memory(examples):
    batch = examples.batch(torch.arange(12))
    for piece in batch.split(5):
        for m in INPUTS:
            for whole, part in (
                (batch.features[m], piece.features[m]),
                (batch.mask[m], piece.mask[m]),
                (batch.label, piece.label),
            ):
                assert part.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()


def test_a_batch_may_be_changed_without_changing_the_corpus(tiny, examples):
    before = {k: frames.copy() for k, frames in tiny.features["linguistic"].layers.items()}
    batch = examples.batch(torch.arange(20))
    for frames in batch.features.values():
        frames.zero_()
    for k, frames in tiny.features["linguistic"].layers.items():
        np.testing.assert_array_equal(frames, before[k])


def test_inputs_come_in_the_order_of_the_modalities(tiny):
    """A model's encoders do; replicas find an input by its place."""
    backwards = {m: 1 for m in reversed(MODALITIES)}
    batch = tiny.examples(np.arange(4), inputs=backwards).batch(torch.arange(2))
    assert tuple(batch.features) == tuple(batch.mask) == MODALITIES


def test_membership_assigns_every_frame_to_its_clip():
    mask = torch.tensor([[True, False, False], [True, True, True], [True, True, False]])
    members = membership(mask, 8)  # two frames beyond the six there are
    assert members.int().tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0],
    ]


def test_pad_puts_frames_in_their_places():
    mask = torch.tensor([[True, False, False], [True, True, True]])
    padded = pad(torch.tensor([[1.0], [2.0], [3.0], [4.0]]), mask, fill=-1)
    assert padded[..., 0].tolist() == [[1, -1, -1], [2, 3, 4]]


# --- a share of the clips -----------------------------------------------------------------------

SHARES = (0.125, 0.25, 0.5, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_smaller_shares_are_parts_of_larger_ones(tiny, seed):
    rows = tiny.rows("train", "standard")
    chosen = [tiny.subsample(rows, share, seed) for share in SHARES]
    assert [len(c) for c in chosen] == [round(share * len(rows)) for share in SHARES]
    for smaller, larger in pairwise(chosen):
        assert set(smaller) < set(larger)
    assert np.array_equal(chosen[-1], rows)
    for c in chosen:
        assert np.array_equal(c, np.sort(c))  # in table order


@pytest.mark.parametrize("share", [0.2, 0.25, 0.5, 0.75])
def test_a_share_takes_whole_videos_but_for_the_last(tiny, share):
    """Clips of one video are alike: a tenth of all videos says less than a tenth of each."""
    rows = tiny.rows("train", "standard")
    chosen = tiny.subsample(rows, share, 0)
    video = tiny.utterances["video"]
    taken = video.iloc[chosen].value_counts()
    whole = video.iloc[rows].value_counts()
    assert (taken < whole[taken.index]).sum() <= 1


def test_seeds_take_other_videos_and_each_its_own_again(tiny):
    rows = tiny.rows("train", "standard")
    one, again, other = (tiny.subsample(rows, 0.5, seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


# --- refusals -----------------------------------------------------------------------------------


def test_an_unknown_layer_is_refused_with_those_there_are(tiny):
    with pytest.raises(UserError) as error:
        tiny.examples(np.arange(3), inputs={"visual": 9})
    message = "layer 9 of dice: found no such layer; expected one of 0, 1, 2, 3, weighted, uniform."
    assert message in str(error.value)


def test_the_last_two_blocks_come_side_by_side_the_last_first(tiny):
    rows = tiny.rows("valid", "standard")
    examples = tiny.examples(rows, inputs={"linguistic": LAST_TWO, "acoustic": 3})
    assert examples.size("linguistic") == tiny.examples(rows, inputs={"linguistic": 3}).size(
        "linguistic"
    )
    batch = examples.batch(torch.tensor([4, 1]))
    ends = [torch.cat([sliced(tiny, "linguistic", k, rows[i]) for i in (4, 1)]) for k in (3, 2)]
    assert torch.equal(batch.features["linguistic"], torch.stack(ends))
    for piece, single in zip(batch.split(1), ([4], [1]), strict=True):
        own = examples.batch(torch.tensor(single))
        assert torch.equal(piece.features["linguistic"], own.features["linguistic"])


@pytest.mark.parametrize("kept", [[3, 0, 2, 1], [0, 2, 3]])
def test_the_last_two_blocks_are_so_by_number_whatever_the_order(tiny, kept):
    features = tiny.features["linguistic"]
    layers = {k: features.layers[k] for k in kept}
    first, second = replace(features, layers=layers).select(LAST_TWO)
    assert first is layers[3] and second is layers[2]


@pytest.mark.parametrize("kept", [[1], [0, 1]])
def test_an_encoder_of_one_block_has_no_last_two(tiny, kept):
    features = tiny.features["linguistic"]
    less = replace(features, layers={k: features.layers[k] for k in kept})
    with pytest.raises(UserError, match="layer 'last_two' of dice: found no such layer"):
        less.select(LAST_TWO)


@pytest.mark.parametrize("sum_of_layers", SUMS)
def test_a_sum_runs_over_all_blocks_but_not_their_input(tiny, sum_of_layers):
    features = tiny.features["visual"]
    assert features.blocks == (1, 2, 3)
    selected = features.select(sum_of_layers)
    assert all(frames is features.layers[k] for k, frames in zip((1, 2, 3), selected, strict=True))


def test_an_unknown_split_is_refused_with_those_there_are(tiny):
    with pytest.raises(UserError, match=r"split .folds. of tiny: .* one of standard, video1of5"):
        tiny.rows("train", "folds")


def test_a_modality_that_is_not_there_is_refused_with_those_that_are(tiny):
    text_only = replace(tiny, features={"linguistic": tiny.features["linguistic"]})
    with pytest.raises(UserError, match=r"found no acoustic features; .* of: linguistic\."):
        text_only.examples(np.arange(3), inputs={"acoustic": 1, "linguistic": 1})


def offsets(change):
    def changed(corpus):
        features = corpus.features["visual"]
        offsets = features.offsets.copy()
        return {"features": {"visual": replace(features, offsets=change(offsets))}}

    return changed


def empty_clip(offsets):
    offsets[3] = offsets[2]
    return offsets


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (offsets(empty_clip), "visual features have a clip without frames"),
        (offsets(lambda o: o[:-1]), "visual features cut 39 clips, the table has 40"),
        (lambda c: {"features": {"vision": c.features["visual"]}}, "'vision' is not one of"),
        (lambda c: {"utterances": c.utterances.drop(columns="label")}, r"lacks \['label'\]"),
        (lambda c: {"utterances": c.utterances.reset_index()}, "indexed by a unique column"),
        (
            lambda c: {"utterances": c.utterances.set_axis(["same"] * 40).rename_axis("id")},
            "indexed by a unique column",
        ),
        (lambda c: {"splits": {"odd": c.splits["standard"].iloc[::-1]}}, "split 'odd' must give"),
        (lambda c: {"splits": {"odd": c.splits["standard"] + "ing"}}, "split 'odd' must give"),
    ],
)
def test_a_corpus_that_does_not_fit_together_is_refused(tiny, change, problem):
    with pytest.raises(ValueError, match=problem):
        replace(tiny, **change(tiny))


# --- fingerprint --------------------------------------------------------------------------------


def with_column(column, value):
    def changed(corpus):
        table = corpus.utterances.copy()
        table.iloc[5, table.columns.get_loc(column)] = value
        return replace(corpus, utterances=table)

    return changed


def with_part(corpus):
    split = corpus.splits["standard"].copy()
    split.iloc[5] = "test"
    return replace(corpus, splits={"standard": split})


def with_id(corpus):
    index = corpus.utterances.index[:-1].append(pd.Index(["other"])).rename("id")
    return replace(
        corpus,
        utterances=corpus.utterances.set_axis(index),
        splits={name: split.set_axis(index) for name, split in corpus.splits.items()},
    )


def with_simulated_features(corpus):
    features = replace(corpus.features["visual"], provenance={"sha256": "other"})
    return corpus.with_features("visual", features)


@pytest.mark.parametrize(
    "change",
    [
        with_column("label", 2.95),
        with_column("text", "y"),
        with_column("video", "v99"),
        with_part,
        with_id,
        with_simulated_features,
    ],
)
def test_the_fingerprint_changes_with_what_decides_a_result(tiny, change):
    assert change(tiny).fingerprint() != tiny.fingerprint()


def test_the_fingerprint_is_that_of_the_content(tiny):
    assert tiny_corpus().fingerprint() == tiny.fingerprint()
    assert replace(tiny, name="renamed").fingerprint() == tiny.fingerprint()
    speakers = tiny.utterances.assign(speaker="s")  # a column that no run reads
    assert replace(tiny, utterances=speakers).fingerprint() == tiny.fingerprint()


def test_features_are_added_to_a_copy(tiny):
    text_only = replace(tiny, features={"linguistic": tiny.features["linguistic"]})
    two_modalities = text_only.with_features("visual", tiny.features["visual"])
    assert list(two_modalities.features) == ["linguistic", "visual"]
    assert list(text_only.features) == ["linguistic"]


def test_a_corpus_of_no_clip_can_be_made(tiny):
    none = tiny.utterances.iloc[:0]
    features = Features("dice", "throw", {1: np.zeros((0, 2))}, np.zeros(1, int))
    assert len(Corpus("none", none, {"visual": features}, {})) == 0
