"""nEMO: lines and their files, folds by actor, and what is refused."""

import pytest

from msalib.data import datasets, folds
from msalib.data.corpus import PARTS
from msalib.data.readers import formats, nemo
from tests import fixtures_more
from tests.data.readers.toolbox import DATA, check, message, needs, replace


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.nemo(tmp_path / "nemo")


def read(folder):
    return nemo.read(folder, "toy", formats.Options())


# --- what is read -------------------------------------------------------------------------------


def test_a_line_is_a_clip_with_its_file(folder):
    corpus = read(folder)
    assert len(corpus) == 54 and corpus.task.classes == nemo.EMOTIONS
    assert corpus.utterances.loc["KD0_surprised_1"].to_dict() == {
        **{"video": "KD0", "segment": "surprised_1", "text": "w lesie rośnie 1 „dębów”"},
        **{"label": 0.0, "emotion": "surprised", "speaker": "KD0", "sentence": 1},
        **{"gender": "female", "age": 27},
    }
    files = corpus.media["acoustic"]
    assert [file.stem for file in files] == list(corpus.utterances.index)
    assert all(file.is_absolute() and file.is_file() for file in files)
    assert not corpus.features and list(corpus.media) == ["acoustic"]


def test_files_are_joined_by_name_and_never_by_order(folder):
    head, *lines = (folder / nemo.TABLE).read_text(encoding="utf-8").splitlines()
    turned = "\n".join([head, *lines[::-1]])
    (folder / nemo.TABLE).write_text(turned, encoding="utf-8")
    corpus = read(folder)
    assert corpus.utterances.index[0] == "WR0_surprised_1"
    assert corpus.media["acoustic"][0].stem == "WR0_surprised_1"


def test_folds_are_by_actor(folder):
    corpus = read(folder)
    names = folds.folds(corpus, "speaker")
    assert list(corpus.splits) == [nemo.SPLIT] == [names[0]]
    assert names == tuple(f"speaker={speaker}" for speaker in nemo.SPEAKERS)
    for name in names:
        actors = [set(corpus.utterances["video"].iloc[corpus.rows(p, name)]) for p in PARTS]
        assert [len(a) for a in actors] == [7, 1, 1] and len(set.union(*actors)) == 9


def test_notes_say_what_is_missing_and_that_words_say_nothing(folder):
    notes = read(folder).notes
    assert "54 of 4481 published clips: 1 of 90 sentences, 9 of 9 actors" in notes
    said = "(54 of 54 combinations are there): words say nothing of the emotion"
    assert any(said in note for note in notes)
    assert any("CC BY-NC-SA 4.0" in note and "source" in note for note in notes)


def test_a_copy_that_is_added_has_the_same_fold(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_CORPORA", str(tmp_path / "corpora"))
    datasets.add(folder, "mine", formats.Options())
    assert datasets.dataset("mine").split == nemo.SPLIT
    kept, made = datasets.load("mine"), read(folder)
    assert kept.utterances.equals(made.utterances) and dict(kept.media) == made.media


# --- refusals -----------------------------------------------------------------------------------


def line(old, new):
    return lambda folder: replace(folder / nemo.TABLE, old, new)


NEUTRAL = "EB0_neutral_1.wav\tneutral"
TABLES = [
    (lambda f: (f / nemo.TABLE).unlink(), "No such file or directory ... file_id, emotion"),
    (line("\tspeaker_id", "\tspeaker"), "no column speaker_id ... the columns file_id"),
    (line("EB0_neutral_1.wav", "EB0-neutral-1.wav"), "'EB0-neutral-1.wav' in row 1 ... <speaker>"),
    (line("EB0_neutral_1.wav", "EB0_neutral.wav"), "file_id 'EB0_neutral.wav' ... <sentence>"),
    (line("EB0_neutral_1.wav", "EB0_neutral_91.wav"), "EB0_neutral_91.wav' in ... from 1 to 90"),
    (line(NEUTRAL, "EB0_neutral_1.wav\tbored"), "emotion 'bored' in row 1 ... neutral | anger"),
    (line(NEUTRAL, "EB0_neutral_1.wav\tanger"), "file_id 'EB0_neutral_1.wav' ... of the line"),
    (line("        EB0", "        XY0"), "speaker_id 'XY0' in row 1 ... EB0 | IC0"),
    (line("        EB0", "        IC0"), "file_id 'EB0_neutral_1.wav' in row 1 ... the speaker"),
    (line("\t27\n", "\tyoung\n"), "age 'young' in row 1 ... a number of years"),
    (line("EB0_anger_1.wav\tanger", NEUTRAL), "file_id EB0_neutral_1 twice ... once"),
    (
        lambda f: (f / nemo.TABLE).write_text("file_id,emotion\nx,y\n"),
        "separated by commas ... tab",
    ),
    (lambda f: (f / nemo.TABLE).write_bytes(b"file_id\xff\n"), "no utf-8 text ... tab-separated"),
]


@pytest.mark.parametrize(("damage", "parts"), TABLES)
def test_a_table_that_says_something_else_is_told(folder, damage, parts):
    damage(folder)
    check(message(read, folder), folder / nemo.TABLE, parts)


def test_a_table_without_clips_is_told(folder):
    path = folder / nemo.TABLE
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n")
    check(message(read, folder), path, "no clips ... a line per clip")


def test_a_clip_without_a_file_is_told(folder):
    (folder / "EB0_fear_1.wav").unlink()
    parts = "no sound for 1 of 54 clips, the first EB0_fear_1 ... every line of clips.tsv"
    check(message(read, folder), folder, parts)


def test_a_file_without_a_line_is_told(folder):
    (folder / "EB0_fear_2.wav").write_bytes(b"x")
    check(
        message(read, folder), folder, "1 files without a line in clips.tsv, the first EB0_fear_2"
    )


def test_an_empty_file_is_told(folder):
    (folder / "EB0_fear_1.wav").write_bytes(b"")
    check(message(read, folder), folder / "EB0_fear_1.wav", "an empty file ... the sound")


def test_an_empty_folder_is_told(tmp_path):
    check(message(read, tmp_path), tmp_path / nemo.TABLE, "No such file or directory ... file_id")
    assert not nemo.detects(tmp_path)


# --- the data -----------------------------------------------------------------------------------


@needs("nemo")
def test_nemo_is_nearly_crossed_and_no_actor_is_in_two_parts():
    corpus = datasets.load("nemo")
    table = corpus.utterances
    assert len(table) == 2998 and set(table["speaker"]) == set(nemo.SPEAKERS)
    assert table["emotion"].value_counts().to_dict() == {
        **{"neutral": 539, "sadness": 510, "happiness": 506},
        **{"anger": 502, "fear": 495, "surprised": 446},
    }
    assert table["sentence"].nunique() == table["text"].nunique() == 60
    assert not table.duplicated(["speaker", "emotion", "sentence"]).any()
    tested = []
    for name in folds.folds(corpus, "speaker"):
        actors = [set(table["speaker"].iloc[corpus.rows(p, name)]) for p in PARTS]
        assert sum(map(len, actors)) == len(set.union(*actors)) == len(nemo.SPEAKERS)
        tested += actors[2]
    assert sorted(tested) == sorted(nemo.SPEAKERS)


@needs("nemo")
def test_lines_keep_their_quotes():
    table = nemo.read(DATA / "nemo", "nemo", formats.Options()).utterances
    assert table.loc["KS0_surprised_38", "text"] == "„ród smoka” to serial telewizyjny"
