"""Padding is cut on the side where it lies, for every array by itself, or the file is refused."""

import numpy as np
import pytest

from msalib.data.readers import padding
from tests.data.readers.toolbox import message, read_pickle
from tests.fixtures import mmsa_content, multibench_content

KEYS = {"audio": "acoustic", "vision": "visual", "text": "linguistic"}


def turned(content, *keys, parts=("train", "valid", "test")):
    """The same content with the padding of some arrays in front."""
    for part in parts:
        held = content[part]
        for key in keys:
            values = held[key]
            lengths = held.get(f"{key}_lengths", held["text_bert"][:, 1].sum(1))
            for i, length in enumerate(np.asarray(lengths, int)):
                frames = values[i, :length].copy()
                values[i] = 0
                values[i, values.shape[1] - length :] = frames
    return content


def without(content, *keys):
    for part in content.values():
        for key in keys:
            part.pop(key, None)
    return content


def same_frames(one, other, *keys):
    for key in keys:
        a, b = (corpus.features[KEYS[key]] for corpus in (one, other))
        np.testing.assert_array_equal(a.offsets, b.offsets)
        np.testing.assert_array_equal(a.layers[1], b.layers[1])


# --- the side -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [("audio",), ("vision",), ("audio", "vision"), tuple(KEYS)])
@pytest.mark.parametrize("aligned", [False, True])
def test_frames_in_front_and_behind_are_read_alike(path, keys, aligned):
    plain = read_pickle(path, mmsa_content(aligned))
    corpus = read_pickle(path, turned(mmsa_content(aligned), *keys))
    same_frames(plain, corpus, *KEYS)
    assert plain.fingerprint() == corpus.fingerprint()
    for key in keys:
        assert any(n.startswith(f"{key}: cut ") and "in front" in n for n in corpus.notes)


def test_the_mask_may_lie_in_front_as_well(path):
    content = turned(mmsa_content(), *KEYS)
    for part in content.values():
        part["text_bert"] = part["text_bert"][:, :, ::-1]
    same_frames(read_pickle(path, mmsa_content()), read_pickle(path, content), *KEYS)


def test_each_part_of_an_array_may_have_its_own_side(path):
    content = turned(mmsa_content(), "audio", parts=("test",))
    corpus = read_pickle(path, content)
    same_frames(read_pickle(path, mmsa_content()), corpus, "audio")
    assert "audio: cut to audio_lengths: 33 clips" in corpus.notes
    assert "audio: cut to audio_lengths, padding in front: 9 clips" in corpus.notes


def test_each_part_has_its_own_side_without_lengths_as_well(path):
    lost = ("text_bert", "audio_lengths")
    plain = read_pickle(path, without(mmsa_content(), *lost))
    content = without(turned(mmsa_content(), "audio", "text", parts=("test",)), *lost)
    corpus = read_pickle(path, content)
    same_frames(plain, corpus, "audio", "text")
    why = "row that is not zero, as the file has no audio_lengths"
    assert f"audio: cut after the last {why}: 33 clips" in corpus.notes
    assert f"audio: cut before the first {why}: 9 clips" in corpus.notes


def test_a_part_without_a_majority_is_as_the_others_are():
    def part(*starts):  # of clips of three rows among four
        return padding.placed(np.full(len(starts), 3), 4, False)._replace(
            start=np.array(starts), stop=np.array(starts) + 3
        )

    behind, front, both = part(0, 0, 0), part(1, 1), part(0, 1)
    assert padding.by_zeros([behind, front, both], usual=True) == [False, True, False]
    assert padding.by_zeros([both, both], usual=True) == [True, True]


@pytest.mark.parametrize("lengths", [("text_bert",), ("text_bert", "audio_lengths")])
def test_without_lengths_the_side_with_more_zeros_is_padding(path, lengths):
    lost = (*lengths, "vision_lengths")
    plain = read_pickle(path, without(mmsa_content(), *lost))
    content = without(turned(mmsa_content(), *KEYS), *lost)
    corpus = read_pickle(path, content)
    same_frames(plain, corpus, *KEYS)
    assert any(n.startswith("vision: cut before the first row that is not") for n in corpus.notes)


def test_first_rows_of_zeros_are_no_padding_in_front(path):
    """A toolkit's word pieces begin with one that has no sound; longest clips end without zeros."""
    content = without(mmsa_content(aligned=True), "text_bert")
    for part in content.values():
        part["audio"][:, 0] = 0
    plain = read_pickle(path, without(mmsa_content(aligned=True), "text_bert"))
    corpus = read_pickle(path, content)
    lengths = plain.features["acoustic"].lengths()
    assert corpus.features["acoustic"].lengths().tolist() == lengths.tolist()


@pytest.mark.parametrize("front", [False, True])
def test_any_padded_array_gives_its_frames_back(front):
    rng = np.random.default_rng(0)
    for _ in range(200):
        steps = int(rng.integers(2, 9))
        lengths = rng.integers(1, steps + 1, int(rng.integers(1, 7)))
        clips = [rng.normal(size=(n, 2)) * rng.integers(0, 2, (n, 1)) for n in lengths]
        values = np.zeros((len(clips), steps, 2))
        for row, clip in zip(values, clips, strict=True):
            row[slice(steps - len(clip), None) if front else slice(len(clip))] = clip
        found = padding.held(values)
        (side,) = padding.by_lengths([found], [lengths])
        rows = padding.placed(lengths, steps, side)
        assert not padding.lost(found, rows).any()  # nothing that is not zero is cut
        if side == front:
            for frames, clip in zip(padding.cut(values, rows), clips, strict=True):
                np.testing.assert_array_equal(frames, clip)


# --- what lengths say ---------------------------------------------------------------------------


def test_frames_of_zeros_within_a_clip_stay(path):
    content = mmsa_content()
    lengths = content["train"]["audio_lengths"]
    content["train"]["audio"][0, 0] = 0
    content["train"]["audio"][1, lengths[1] - 1] = 0
    content["train"]["audio"][2, 1 : lengths[2] - 1] = 0
    features = read_pickle(path, content).features["acoustic"]
    assert features.lengths()[:24].tolist() == lengths
    turned(content, "audio")
    assert read_pickle(path, content).features["acoustic"].lengths()[:24].tolist() == lengths


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda lengths, rng: [1] * len(lengths),  # of words, say
        lambda lengths, rng: rng.permutation(lengths).tolist(),
        lambda lengths, rng: [max(1, n - 1) for n in lengths],
        lambda lengths, rng: [*lengths[:-1], lengths[-1] - 2],
    ],
)
def test_lengths_that_arrays_contradict_are_refused_with_a_remedy(path, front, wrong):
    content = turned(mmsa_content(), "audio") if front else mmsa_content()
    plain = read_pickle(path, content)
    rng = np.random.default_rng(1)
    content = turned(mmsa_content(), "audio") if front else mmsa_content()
    content["valid"]["audio_lengths"] = wrong(content["valid"]["audio_lengths"], rng)
    text = message(read_pickle, path, content)
    assert "found valid/audio that is not zero in rows " in text and "clips so)" in text
    assert "Correct audio_lengths, or take it out of every part of the file" in text
    corpus = read_pickle(path, without(content, "audio_lengths"))
    same_frames(plain, corpus, "audio")


def test_lengths_of_the_array_tell_nothing(path):
    content = turned(mmsa_content(), "audio")
    plain = read_pickle(path, content)
    content = turned(mmsa_content(), "audio")
    for part in content.values():
        part["audio_lengths"] = [part["audio"].shape[1]] * len(part["id"])
    corpus = read_pickle(path, content)
    same_frames(plain, corpus, "audio")
    assert any("as every one of audio_lengths is that of the array" in n for n in corpus.notes)


def test_padding_may_be_noise(path):
    """Then no row is zero, and frames are the first."""
    content = mmsa_content()
    for part in content.values():
        part["audio"] = np.where(part["audio"].any(axis=2, keepdims=True), part["audio"], 1)
    corpus = read_pickle(path, content)
    same_frames(read_pickle(path, mmsa_content()), corpus, "audio")
    rule = "audio: cut to audio_lengths, taken from the first row on, as no row is zero: 42 clips"
    assert rule in corpus.notes
    stray = "audio: clips with rows beyond that which are not zero, left out: "
    assert any(note.startswith(stray) for note in corpus.notes)


def test_windows_of_one_length_are_whole(path):
    """Few of them end with silence."""
    content = mmsa_content()
    for part in content.values():
        part["audio"] = np.ones_like(part["audio"])
        part["audio"][0, -3:] = 0
        part["audio_lengths"] = [part["audio"].shape[1]] * len(part["id"])
    assert set(read_pickle(path, content).features["acoustic"].lengths()) == {20}


# --- what a mask says ---------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [("train", "valid", "test"), ("test",)])
def test_a_mask_of_zeros_loses_no_text_without_a_word(path, parts):
    plain = read_pickle(path, mmsa_content())
    content = mmsa_content()
    for part in parts:
        content[part]["text_bert"][:] = 0
    text = message(read_pickle, path, content)
    assert f"found {parts[0]}/text that is not zero in rows 1 to " in text
    assert "no token for clip" in text and "take it out of every part of the file" in text
    corpus = read_pickle(path, without(content, "text_bert"))
    same_frames(plain, corpus, *KEYS)


def test_an_encoder_may_have_read_the_padding(path):
    content = mmsa_content()
    for part in content.values():
        part["text"] += 1
    corpus = read_pickle(path, content)
    assert corpus.features["linguistic"].lengths().sum() == sum(
        part["text_bert"][:, 1].sum() for part in content.values()
    )
    assert "text: clips with rows beyond that which are not zero, left out: 42" in corpus.notes


def test_sound_of_as_many_rows_as_the_text_need_not_be_aligned(path):
    content = mmsa_content()
    plain = read_pickle(path, content)
    content = mmsa_content()
    for part in content.values():
        part["text_bert"] = np.pad(part["text_bert"], ((0, 0), (0, 0), (0, 4)))
        del part["audio_lengths"], part["vision_lengths"]
    corpus = read_pickle(path, content)
    same_frames(plain, corpus, "audio", "vision")
    assert any("the mask of text_bert is of other rows" in n for n in corpus.notes)


def test_multibench_of_equal_rows_need_not_be_aligned(path):
    content = multibench_content(aligned=False)
    plain = read_pickle(path, content)
    content = multibench_content(aligned=False)
    for part in content.values():
        for key in KEYS:
            part[key] = np.pad(part[key], ((0, 0), (30 - part[key].shape[1], 0), (0, 0)))
    corpus = read_pickle(path, content)
    same_frames(plain, corpus, *KEYS)
    assert not any("aligned" in note for note in corpus.notes)


def test_a_mask_of_all_rows_tells_nothing_of_padded_text(path):
    content = mmsa_content()
    for part in content.values():
        part["text_bert"][:, 1] = 1
    plain = read_pickle(path, without(mmsa_content(), "text_bert"))
    same_frames(plain, read_pickle(path, content), *KEYS)
