"""Streams and contexts: which clips come before a clip, and batches of them by plain slicing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from msalib.data import streams
from msalib.data.corpus import MODALITIES, Features, membership, pad
from msalib.training.masking import mask_features

WINDOWS = [1, 2, {"linguistic": 3, "acoustic": 1}]


def brought(corpus, window, joined) -> dict[str, list[list[int]]]:
    """Stream -> the clips that make up its clip i, found by a loop over the table."""
    table, clips = corpus.utterances, {m: [[i] for i in range(len(corpus))] for m in MODALITIES}
    for m in MODALITIES:
        width = window.get(m, 0) if isinstance(window, dict) else window
        before = []
        for i in range(len(corpus)):
            video, segment = table["video"].iloc[i], table["segment"].iloc[i]
            earlier = [
                j
                for j in range(len(corpus))
                if table["video"].iloc[j] == video and table["segment"].iloc[j] < segment
            ]
            earlier.sort(key=lambda j: table["segment"].iloc[j])
            before.append(earlier[-width:] if width else [])
        if joined:
            clips[m] = [[*some, i] for i, some in enumerate(before)]
        elif width:
            clips[streams.context_of(m)] = before
    return clips


@pytest.fixture
def shuffled(tiny):
    """The clips of ``tiny`` in another order, so that neighbours are of other videos."""
    order = np.random.default_rng(1).permutation(len(tiny))
    features = {}
    for m, f in tiny.features.items():
        frames = [np.arange(f.offsets[i], f.offsets[i + 1]) for i in order]
        layers = {k: values[np.concatenate(frames)] for k, values in f.layers.items()}
        offsets = np.concatenate([[0], np.cumsum([len(some) for some in frames])])
        features[m] = replace(f, layers=layers, offsets=offsets)
    return replace(
        tiny,
        utterances=tiny.utterances.iloc[order],
        features=features,
        splits={"standard": tiny.splits["standard"].iloc[order]},
    )


# --- names --------------------------------------------------------------------------------------


def test_modalities_come_first_and_keep_their_numbers():
    assert streams.ORDER[:3] == MODALITIES == ("visual", "acoustic", "linguistic")
    assert [streams.number(s) for s in streams.ORDER] == list(range(6))
    assert [streams.modality_of(s) for s in streams.ORDER] == [*MODALITIES, *MODALITIES]
    assert [streams.is_context(s) for s in streams.ORDER] == [False] * 3 + [True] * 3
    backwards = tuple(reversed(streams.ORDER))
    assert streams.ordered(backwards + backwards) == streams.ORDER


# --- contexts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
@pytest.mark.parametrize("joined", [False, True], ids=["separate", "joined"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_context_is_the_frames_of_the_clips_before(shuffled, window, joined, device):
    corpus = streams.context(shuffled, window, joined)
    clips = brought(shuffled, window, joined)
    assert list(corpus.features) == [s for s in streams.ORDER if s in clips]
    rows = shuffled.rows("train", "standard")
    layers = {"visual": 1, "acoustic": 0, "linguistic": "weighted"}
    inputs = {s: layers[streams.modality_of(s)] for s in clips}
    batch = corpus.examples(rows, inputs=inputs, device=device).batch(torch.arange(len(rows)))
    for stream, layer in inputs.items():
        stored = shuffled.features[streams.modality_of(stream)]
        numbers = (1, 2, 3) if layer == "weighted" else (layer,)
        expected = [
            [
                stored.layers[k][stored.offsets[j] : stored.offsets[j + 1]]
                for i in rows
                for j in clips[stream][i]
            ]
            for k in numbers
        ]
        frames = torch.stack([torch.as_tensor(np.concatenate(e)).float() for e in expected])
        assert torch.equal(batch.features[stream], frames if layer == "weighted" else frames[0])
        lengths = [sum(stored.lengths()[j] for j in clips[stream][i]) for i in rows]
        assert batch.mask[stream].sum(1).tolist() == lengths
        assert corpus.features[stream].lengths()[rows].tolist() == lengths


def test_the_order_of_clips_is_that_of_segments_or_else_of_the_table(tiny):
    def before(segments):
        table = tiny.utterances.iloc[:4].assign(segment=segments)
        return streams.predecessors(table, 2)

    assert before([0, 1, 2, 3]) == [[], [0], [0, 1], [1, 2]]
    assert before(["10", "9", "8", "7"]) == [[2, 1], [3, 2], [3], []]  # as numbers, not as texts
    assert before(["2.5-3", "1-2", "3-4", "4-5"]) == [[], [0], [0, 1], [1, 2]]
    assert before([1, 1, 0, 0]) == [[2, 3], [3, 0], [], [2]]  # of one segment: as in the table


def test_the_text_of_a_context_is_a_line_per_clip(tiny):
    texts = [f" clip\n{i}" for i in range(40)]
    corpus = replace(tiny, utterances=tiny.utterances.assign(text=texts))
    for joined in (False, True):
        table = streams.context(corpus, 2, joined).utterances
        expected = ["", "clip 0", "clip 0\nclip 1", "clip 1\nclip 2", "", "clip 4"]
        assert table[streams.TEXT_CONTEXT].tolist()[:6] == expected
        assert table["text"].tolist() == texts
    assert streams.TEXT_CONTEXT not in streams.context(corpus, {"acoustic": 1}).utterances


def test_a_source_that_states_its_context_is_taken_at_its_word(tiny):
    lines = tiny.utterances.assign(context=["", "a", "a\nb\nc"] + ["d"] * 37)
    table = streams.context(replace(tiny, utterances=lines), 2).utterances
    assert table[streams.TEXT_CONTEXT].tolist()[:4] == ["", "a", "b\nc", "d"]


def test_no_window_is_no_context(tiny):
    assert streams.context(tiny, 0).features == tiny.features
    assert list(streams.context(tiny, {"visual": 1}).features) == [*MODALITIES, "visual_context"]


@pytest.mark.parametrize("window", [-1, {"text": 1}, {"linguistic": -2}])
def test_a_window_that_is_none_is_refused(tiny, window):
    with pytest.raises(ValueError, match="window needs numbers from 0 on"):
        streams.context(tiny, window)


@pytest.mark.parametrize("joined", [False, True])
def test_a_context_copies_no_frame_and_leaves_the_fingerprint(tiny, joined):
    corpus = streams.context(tiny, 2, joined)
    assert corpus.fingerprint() == tiny.fingerprint()
    for stream, features in corpus.features.items():
        stored = tiny.features[streams.modality_of(stream)]
        assert all(features.layers[k] is values for k, values in stored.layers.items())
    name = "linguistic" if joined else "linguistic_context"
    assert "2 preceding clips" in corpus.features[name].provenance["context"]
    assert "context" not in tiny.features["linguistic"].provenance


def test_a_stream_has_one_context(tiny):
    with pytest.raises(ValueError, match="already have a context"):
        streams.context(streams.context(tiny, 1, joined=True), 1)


def test_frames_are_missing_from_contexts_only(tiny):
    visual = tiny.features["visual"]
    empty = replace(visual, clips=(np.arange(39), np.array([0, *range(40)])))
    corpus = tiny.with_features("visual_context", empty)
    assert corpus.features["visual_context"].lengths()[0] == 0
    with pytest.raises(ValueError, match="visual features have a clip without frames"):
        tiny.with_features("visual", empty)


# --- clips without frames -----------------------------------------------------------------------

FIRST, LATER = 0, 1  # clips of a video: without a predecessor, and with one


@pytest.fixture
def examples(tiny):
    corpus = streams.context(tiny, 2)
    return corpus.examples(np.arange(40), inputs={"acoustic": 1, "acoustic_context": 1})


def test_a_batch_without_any_context_has_no_frame_and_one_place(examples):
    rows = torch.tensor([FIRST, FIRST + 4])
    batch = examples.batch(rows)
    frames, mask = batch.features["acoustic_context"], batch.mask["acoustic_context"]
    assert frames.shape == (0, 4) and mask.shape == (2, 1) and not mask.any()
    assert pad(frames, mask).shape == (2, 1, 4) and not pad(frames, mask).any()
    assert membership(mask, 0).shape == (2, 0)
    assert batch.mask["acoustic"].any(1).all()


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_a_corpus_may_have_no_context_at_all(tiny, device):
    """In MUStARD every clip is a video of its own."""
    alone = replace(tiny, utterances=tiny.utterances.assign(video=[f"v{i}" for i in range(40)]))
    corpus = streams.context(alone, 2)
    inputs = {"visual": 1, "visual_context": 1}
    examples = corpus.examples(np.arange(5), inputs=inputs, device=device)
    batch = examples.batch(torch.tensor([4, 0]))
    assert batch.features["visual_context"].shape == (0, 5)
    assert not batch.mask["visual_context"].any() and examples.size("visual_context") == 5


def test_pieces_of_a_batch_with_clips_without_frames(examples):
    rows = torch.tensor([FIRST, FIRST + 4, LATER, FIRST + 8, LATER + 4])
    pieces = examples.batch(rows).split(2)
    for piece, some in zip(pieces, rows.split(2), strict=True):
        whole = examples.batch(some)
        for stream in ("acoustic", "acoustic_context"):
            assert torch.equal(piece.features[stream], whole.features[stream])
            assert torch.equal(piece.mask[stream], whole.mask[stream])
    mask = examples.batch(rows).mask["acoustic_context"]
    assert torch.equal(mask.sum(1), examples.lengths("acoustic_context")[rows])
    owner = membership(mask, int(mask.sum()))
    assert torch.equal(owner.sum(1), mask.sum(1))
    assert (owner.sum(0) == 1).all()


def test_masking_leaves_clips_without_frames_alone(examples):
    batch = examples.batch(torch.tensor([FIRST, LATER, FIRST + 4, 3]))
    frames, mask = batch.features["acoustic_context"], batch.mask["acoustic_context"]
    masked = mask_features(
        frames.clone(),
        mask,
        torch.rand(4, 2, 2),
        feature_masks=1,
        feature_mask_share=1.0,
        time_mask_share=1.0,
    )
    assert masked.shape == frames.shape and masked.isfinite().all()


def test_tokens_of_a_context_stay_integers(tiny):
    """A fine-tuned encoder reads tokens in the place of a layer."""
    offsets = np.arange(0, 81, 2)
    tokens = Features("bert", "token", {"tuned": np.arange(80)[:, None]}, offsets)
    corpus = streams.context(tiny.with_features("linguistic", tokens), 1)
    inputs = {"linguistic_context": "tuned"}
    batch = corpus.examples(np.arange(4), inputs=inputs).batch(torch.arange(4))
    assert batch.features["linguistic_context"][:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert not batch.features["linguistic_context"].is_floating_point()


def test_the_segments_of_a_dialogue_order_it(tmp_path):
    from msalib.data.readers import formats, meld
    from tests.fixtures import FIXTURES

    corpus = meld.read(FIXTURES["meld"](tmp_path), "meld", formats.Options())
    before = streams.predecessors(corpus.utterances, 1)
    table = corpus.utterances
    for row, clips in enumerate(before):
        for clip in clips:
            assert table["dialogue"].iloc[clip] == table["dialogue"].iloc[row]
            assert table["segment"].iloc[clip] < table["segment"].iloc[row]
    assert sum(map(len, before)) == len(table) - table["video"].nunique()
    assert pd.api.types.is_integer_dtype(table["segment"])
