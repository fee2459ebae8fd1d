"""MELD: three tables, their encodings, and what is refused."""

import os
from pathlib import Path

import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import PARTS
from msalib.data.readers import meld
from msalib.data.readers.formats import Options
from tests import fixtures_more

MELD = Path(os.environ.get("MSALIB_DATA") or "not set") / "meld"
needs_meld = pytest.mark.skipif(not MELD.is_dir(), reason="no meld in MSALIB_DATA")


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.meld(tmp_path / "toy")


def message(folder):
    with pytest.raises(UserError) as error:
        meld.read(folder, "toy", Options())
    text = str(error.value)
    assert "\n" not in text and "; expected " in text
    return text


def replace(folder, old, new, file="dev_sent_emo.csv"):
    path = folder / file
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    return path


def test_dialogues_are_videos_of_their_file(folder):
    assert meld.detects(folder) and not meld.detects(folder.parent)
    corpus = meld.read(folder, "toy", Options())
    table = corpus.utterances
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [21, 9, 12]
    assert table["video"].nunique() == 14  # though numbered from 0 in each of three files
    assert list(table.index[:4]) == [
        *(f"train_dia0_utt{k}" for k in (0, 1, 3)),
        "train_dia1_utt0",
    ]
    first = table.iloc[0]
    assert (first["label"], first["emotion"], first["speaker"]) == (-1, "anger", "Phoebe")
    assert (first["dialogue"], first["segment"], first["season"]) == (0, 0, "4")
    assert set(table["label"]) == {-1.0, 0.0, 1.0}
    assert any("negative -1, neutral 0, positive 1" in note for note in corpus.notes)
    assert not any("restored" in note for note in corpus.notes)


QUOTE = "it\u2019s \u2014 caf\u00e9"


@pytest.mark.parametrize(
    ("stored", "count"),
    [
        (QUOTE.encode(), 0),
        (("\ufeff" + QUOTE).encode(), 0),
        (QUOTE.encode("cp1252"), 3),
        (QUOTE.encode("cp1252").decode("latin-1").encode(), 2),  # \u00e9 is the same in both
        (QUOTE.encode().decode("cp1252").encode(), 3),
    ],
    ids=["utf-8", "mark", "cp1252", "controls", "twice"],
)
def test_quotes_come_out_the_same_from_every_encoding(stored, count):
    assert meld.decode(stored) == (QUOTE, count)


@pytest.mark.parametrize("text", ["voil\u00e0", "\u00e2ge", "na\u00efve \u00c3", "\u00a3 5"])
def test_other_letters_are_left_alone(text):
    assert meld.decode(text.encode()) == (text, 0)


@pytest.mark.parametrize("stored", [b"\x81", QUOTE.encode() + b" \xff", b"\xff\xfet\0e\0\x90"])
def test_text_of_no_encoding_or_of_two_is_refused(stored):
    with pytest.raises(UnicodeDecodeError):
        meld.decode(stored)


def test_restored_characters_are_counted_in_a_note(folder):
    path = folder / "test_sent_emo.csv"
    path.write_bytes(path.read_bytes().decode().encode("cp1252"))
    corpus = meld.read(folder, "toy", Options())
    assert any(note.startswith("12 characters saved in another") for note in corpus.notes)
    assert corpus.fingerprint() == _plain(folder).fingerprint()


def _plain(folder):
    path = folder / "test_sent_emo.csv"
    path.write_bytes(path.read_bytes().decode("cp1252").encode())
    return meld.read(folder, "toy", Options())


@pytest.mark.parametrize("file", meld.FILES.values())
def test_every_file_is_needed(folder, file):
    (folder / file).unlink()
    assert message(folder).startswith(f"{folder / file}: found No such file or directory; expected")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("negative", "angry", "Sentiment 'angry' in row 1; expected negative | neutral | positive"),
        ("anger", "rage", "Emotion 'rage' in row 1; expected neutral | joy"),
        (",0,0,4,7", ",x,0,4,7", "Dialogue_ID 'x' in row 1; expected a number"),
        (",0,1,4,7", ",0,-1,4,7", "Utterance_ID '-1' in row 2; expected a number"),
        ("Sentiment", "Mood", "no column Sentiment; expected the columns Utterance, Speaker"),
        (',"00:01:02,003"', ",00:01:02,003", "12 values in line 2; expected 11, as in the header"),
        ('so."', "so.", "line 2: ',' expected after '\"'"),
    ],
)
def test_a_bad_table_is_told(folder, old, new, found):
    path = replace(folder, old, new)
    assert message(folder).startswith(f"{path}: found {found}")


def test_an_utterance_twice_is_told(folder):
    replace(folder, ",0,1,4,7", ",0,0,4,7")
    assert "found two clips with the id valid_dia0_utt0 (in" in message(folder)


def test_a_file_without_utterances_is_told(folder):
    path = folder / "dev_sent_emo.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert "dev_sent_emo.csv: found no utterances; expected" in message(folder)


@needs_meld
def test_meld_is_what_its_source_counts():
    corpus = meld.read(MELD, "meld", Options())
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [9989, 1109, 2610]
    assert corpus.utterances["video"].nunique() == 1038 + 114 + 280
    assert corpus.utterances["label"].value_counts().to_dict() == {
        0.0: 4710 + 470 + 1256,
        -1.0: 2945 + 406 + 833,
        1.0: 2334 + 233 + 521,
    }
    assert not corpus.utterances["text"].str.contains("[\u0080-\u009f]|\u00e2\u20ac").any()
