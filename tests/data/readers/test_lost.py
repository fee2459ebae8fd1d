"""A source whose every clip has lost a modality is refused by every reader; the remedy works."""

import re

import h5py
import numpy as np
import pandas as pd
import pytest

from msalib.data.readers import formats, pack
from tests.data.readers.test_pack import write_pack
from tests.data.readers.toolbox import message
from tests.fixtures import FIXTURES, mag_content, mmsa_content, multibench_content, write_pickle


def convert(path, **options):
    return formats.convert(path, "toy", formats.Options(**options))[0]


# --- frames -------------------------------------------------------------------------------------


def zero(content, key):
    for part in content.values():
        part[key] = part[key] * 0
    return content


def without(content, key):
    for part in content.values():
        del part[key]
    return content


@pytest.mark.parametrize("key", ["audio", "vision", "text"])
@pytest.mark.parametrize("content", [mmsa_content, multibench_content])
def test_arrays_of_zeros_are_refused(path, content, key):
    text = message(convert, write_pickle(path, zero(content(), key)))
    assert f"features ({key}) that are zero throughout, in all of " in text
    assert f"take {key} out of what you add" in text
    corpus = convert(write_pickle(path, without(content(), key)))
    assert len(corpus.features) == 2


def test_values_that_cleaning_makes_zero_are_lost(path):
    content = mmsa_content()
    for part in content.values():
        part["audio"] = part["audio"] * np.nan
    text = message(convert, write_pickle(path, content), clean=True)
    assert "found acoustic features (audio) that are zero throughout, in all of 42 clips" in text


def test_frames_of_zeros_in_a_list_of_clips_are_refused(path):
    content = mag_content()
    for clips in content.values():
        for i, ((words, visual, acoustic), *rest) in enumerate(clips):
            clips[i] = ((words, visual, acoustic * 0), *rest)
    text = message(convert, write_pickle(path, content))
    assert "found acoustic features (acoustic) that are zero throughout" in text
    for clips in content.values():
        for i, ((words, visual, _), *rest) in enumerate(clips):
            clips[i] = ((words, visual, None), *rest)
    assert list(convert(write_pickle(path, content)).features) == ["visual"]


def test_a_sequence_of_zeros_is_refused(tmp_path):
    folder = FIXTURES["csd"](tmp_path)
    path = folder / "TOY_COVAREP.csd"
    with h5py.File(path, "r+") as file:
        for video in file["COVAREP/data"].values():
            video["features"][...] = 0
    assert "acoustic features (COVAREP) that are zero" in message(convert, folder)
    path.unlink()
    assert "acoustic" not in convert(folder).features


def test_named_arrays_of_zeros_are_refused(tmp_path):
    folder = FIXTURES["frames"](tmp_path)
    with np.load(folder / "features.npz") as stored:
        arrays = dict(stored)
    lost = {n: a * 0 if n.startswith("audio") else a for n, a in arrays.items()}
    np.savez(folder / "features.npz", **lost)
    assert "acoustic features (audio) that are zero throughout" in message(convert, folder)
    np.savez(folder / "features.npz", **{n: a for n, a in lost.items() if "audio" not in n})
    assert list(convert(folder).features) == ["visual"]


def test_vectors_of_zeros_are_refused(tmp_path):
    write_pack(tmp_path / "toy")
    with np.load(tmp_path / "toy" / "features.npz") as stored:
        arrays = dict(stored)
    arrays["audio_opensmile"] *= 0
    np.savez(tmp_path / "toy" / "features.npz", **arrays)
    text = message(pack.read, tmp_path / "toy", "toy")
    assert "found acoustic features (audio_opensmile) that are zero throughout" in text


def test_a_part_of_zeros_is_told(path):
    content = mmsa_content()
    content["test"]["audio"] *= 0
    notes = convert(write_pickle(path, content)).notes
    assert "audio: zero throughout in all 9 clips of test" in notes
    assert not any("clips of train" in note for note in notes)


def test_some_clips_of_zeros_are_kept(path):
    content = mmsa_content()
    for part in content.values():
        part["audio"][1:] = 0
    assert len(convert(write_pickle(path, content))) == 42


# --- transcripts --------------------------------------------------------------------------------


def test_transcripts_that_are_all_empty_are_refused(path):
    content = mmsa_content()
    for part in content.values():
        part["raw_text"] = np.array([" "] * len(part["id"]))
    text = message(convert, write_pickle(path, content))
    assert "found an empty transcript for every one of 42 clips; expected what is said" in text
    corpus = convert(write_pickle(path, without(content, "raw_text")))
    assert set(corpus.utterances["text"]) == {""} and len(corpus.features) == 3
    assert "the file has no transcripts" in corpus.notes


TABLES = {"media": ("label.csv", 2), "iemocap": ("utterances.csv", 4)}


@pytest.mark.parametrize("name", TABLES)
def test_a_column_of_empty_transcripts_is_refused(tmp_path, name):
    folder = FIXTURES[name](tmp_path)
    file, place = TABLES[name]
    head, *lines = (folder / file).read_text(encoding="utf-8-sig").splitlines()
    blank = [re.sub(rf"^((?:[^,]*,){{{place}}})[^,]*", r"\1", line) for line in lines]
    (folder / file).write_text("\n".join([head, *blank]) + "\n")
    assert "found an empty transcript for every one of " in message(convert, folder)
    if name == "media":
        pd.read_csv(folder / file).drop(columns="text").to_csv(folder / file, index=False)
        assert set(convert(folder).utterances["text"]) == {""}
        assert "found clips without text, sound or pictures" in message(convert, folder / file)


def test_a_part_without_transcripts_is_noted(path):
    content = mmsa_content()
    content["test"]["raw_text"] = [" "] * len(content["test"]["id"])
    corpus = convert(write_pickle(path, content))
    assert "empty transcripts in all 9 clips of test" in corpus.notes
