"""RAVDESS: what a name says, where files are found, folds by actor, and what is refused."""

from collections import Counter

import pytest

from msalib.data import datasets, folds
from msalib.data.corpus import PARTS
from msalib.data.readers import formats, ravdess
from msalib.runs.inputs import BASELINES, Inputs
from tests import fixtures_more
from tests.data.readers.toolbox import check, message, needs


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.ravdess(tmp_path / "ravdess")


def read(folder):
    return ravdess.read(folder, "toy", formats.Options())


def rename(old, new):
    return lambda folder: (folder / old).rename(folder / new)


# --- what is read -------------------------------------------------------------------------------


def test_a_name_says_everything(folder):
    (folder / "03-01-03-01-01-01-01.wav").rename(folder / "03-01-03-02-02-02-01.wav")
    corpus = read(folder)
    assert len(corpus) == 40 and corpus.task.classes == ravdess.EMOTIONS
    clip = corpus.utterances.loc["03-01-03-02-02-02-01"]
    assert clip.drop("segment").to_dict() == {
        **{"video": "actor01", "text": "Dogs are sitting by the door.", "label": 1.0},
        **{"emotion": "happy", "speaker": "actor01", "intensity": "strong", "sentence": 2},
        **{"repetition": 2, "gender": "male"},
    }
    assert corpus.utterances.loc["03-01-06-01-02-01-02", "gender"] == "female"
    assert not corpus.utterances.duplicated(["video", "segment"]).any()
    files = corpus.media["acoustic"]
    assert [file.stem for file in files] == list(corpus.utterances.index)
    assert all(file.is_absolute() and file.is_file() for file in files)
    assert not corpus.features and list(corpus.media) == ["acoustic"]


def test_files_lie_in_one_folder_or_in_those_of_the_actors(folder):
    expected = read(folder).utterances
    for file in sorted(folder.glob("*.wav")):
        place = folder / f"Actor_{file.stem[-2:]}"
        place.mkdir(exist_ok=True)
        file.rename(place / file.name)
    assert formats.detect(folder) == "ravdess"
    assert read(folder).utterances.sort_index().equals(expected.sort_index())


def test_other_files_do_not_matter(folder):
    for name in ("LICENCE.txt", "._03-01-01-01-01-01-01.wav", "clips.csv"):
        (folder / name).write_text("x")
    assert len(read(folder)) == 40


def test_folds_are_by_actor(folder):
    corpus = read(folder)
    names = folds.folds(corpus, "video")
    assert list(corpus.splits) == [ravdess.SPLIT] == [names[0]]
    for name in names:
        actors = [set(corpus.utterances["speaker"].iloc[corpus.rows(p, name)]) for p in PARTS]
        assert all(actors) and sum(map(len, actors)) == 10


def test_notes_say_what_is_missing_and_that_words_say_nothing(folder):
    notes = read(folder).notes
    assert "40 of 1440 published clips, of 10 of 24 actors; every actor is to have 60" in notes
    assert any("words say nothing of the emotion" in note for note in notes)
    assert any("CC BY-NC-SA 4.0" in note and "doi" in note for note in notes)


def test_a_copy_that_is_added_has_the_same_fold(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_CORPORA", str(tmp_path / "corpora"))
    datasets.add(folder, "mine", formats.Options())
    assert datasets.dataset("mine").split == ravdess.SPLIT
    assert datasets.dataset("mine").tasks == ravdess.TASKS
    kept, made = datasets.load("mine"), read(folder)
    assert kept.utterances.equals(made.utterances) and dict(kept.media) == made.media


@pytest.mark.parametrize("name", ["ravdess", "nemo"])
def test_a_study_reads_the_sound_as_a_coarse_spectrogram(tmp_path, monkeypatch, name):
    pytest.importorskip("librosa", reason='librosa is not installed (pip install -e ".[media]")')
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "features"))
    fixtures_more.FIXTURES[name](tmp_path / name)
    inputs = Inputs(BASELINES, dataset=name)
    assert (inputs.encoder, inputs.dataset.modalities) == ("log-mel-coarse", ("acoustic",))
    features = inputs.encoded_for(["acoustic"]).features["acoustic"]
    assert features.layers[1].shape[1] == 128 and set(features.lengths()) <= {3, 4, 5}


# --- refusals -----------------------------------------------------------------------------------

FIRST = "03-01-01-01-01-01-01.wav"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("03-01-01-01-01-01.wav", "named '03-01-01-01-01-01' ... seven numbers, 03-01-EE"),
        ("happy.wav", "a file named 'happy' ... a name of seven"),
        ("03-01-1-01-01-01-01.wav", "a file named '03-01-1-01-01-01-01' ... seven"),
        ("01-01-01-01-01-01-01.wav", "modality 01 ... 03"),
        ("03-02-01-01-01-01-01.wav", "channel 02 ... 01"),
        ("03-01-09-01-01-01-01.wav", "emotion 09 ... 01 to 08"),
        ("03-01-00-01-01-01-01.wav", "emotion 00 ... 01 to 08"),
        ("03-01-01-03-01-01-01.wav", "intensity 03 ... 01 to 02"),
        ("03-01-01-02-01-01-01.wav", "neutral of strong intensity ... normal intensity"),
        ("03-01-01-01-03-01-01.wav", "sentence 03 ... 01 to 02"),
        ("03-01-01-01-01-03-01.wav", "repetition 03 ... 01 to 02"),
        ("03-01-01-01-01-01-25.wav", "actor 25 ... 01 to 24"),
    ],
)
def test_a_name_that_says_something_else_is_told(folder, name, parts):
    rename(FIRST, name)(folder)
    check(message(read, folder), folder.resolve() / name, parts)


def test_two_files_of_one_clip_are_told(folder):
    (folder / "Actor_01").mkdir()
    (folder / "Actor_01" / FIRST.replace(".wav", ".opus")).write_bytes(b"x")
    text = message(read, folder)
    check(text, folder / "Actor_01", f"two files of clip {FIRST[:-4]}: {FIRST} ... one file per")


def test_an_empty_file_is_told(folder):
    (folder / FIRST).write_bytes(b"")
    check(message(read, folder), folder / FIRST, "an empty file ... the sound of a clip")


def test_an_empty_folder_is_told(tmp_path):
    check(message(read, tmp_path), tmp_path, "no files of sound ... 03-01-EE-II-SS-RR-AA")
    assert not ravdess.detects(tmp_path) and not ravdess.detects(tmp_path / "nothing")
    check(message(read, tmp_path / "nothing"), tmp_path / "nothing", "no files of sound")


def test_too_few_actors_are_told(tmp_path):
    text = message(read, fixtures_more.ravdess(tmp_path / "few", actors=9))
    assert "found 9 videos; expected 10 or more, for 5 folds by video" in text


# --- the data -----------------------------------------------------------------------------------


@needs("ravdess")
def test_ravdess_is_whole_and_no_actor_is_in_two_parts():
    corpus = datasets.load("ravdess")
    table = corpus.utterances
    assert len(table) == ravdess.PUBLISHED and set(table["speaker"].value_counts()) == {60}
    assert table["speaker"].nunique() == ravdess.ACTORS and table["text"].nunique() == 2
    assert Counter(table["emotion"]) == {e: 96 if e == "neutral" else 192 for e in ravdess.EMOTIONS}
    assert {len(corpus.rows(p, ravdess.SPLIT)) for p in PARTS} == {960, 180, 300}
    tested = []
    for name in folds.folds(corpus, "video"):
        actors = [set(table["speaker"].iloc[corpus.rows(p, name)]) for p in PARTS]
        assert sum(map(len, actors)) == len(set.union(*actors)) == ravdess.ACTORS
        tested += sorted(actors[2])
    assert len(tested) == len(set(tested)) == ravdess.ACTORS
