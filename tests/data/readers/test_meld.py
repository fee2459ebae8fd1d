"""MELD: three tables, their encodings, and what is refused."""

import pytest

from msalib.data.corpus import PARTS
from msalib.data.readers import meld
from msalib.data.readers.formats import Options
from tests import fixtures_more
from tests.data.readers.toolbox import DATA, message, needs, replace


def read(folder):
    return meld.read(folder, "toy", Options())


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.meld(tmp_path / "toy")


def test_dialogues_are_videos_of_their_file(folder):
    assert meld.detects(folder) and not meld.detects(folder.parent)
    corpus = read(folder)
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
    corpus = read(folder)
    assert any(note.startswith("12 characters saved in another") for note in corpus.notes)
    assert corpus.fingerprint() == _plain(folder).fingerprint()


def _plain(folder):
    path = folder / "test_sent_emo.csv"
    path.write_bytes(path.read_bytes().decode("cp1252").encode())
    return read(folder)


@pytest.mark.parametrize("part", meld.FILES)
def test_a_missing_file_is_a_missing_part(folder, part):
    (folder / meld.FILES[part]).unlink()
    assert set(read(folder).splits["standard"]) == set(meld.FILES) - {part}


def test_an_utterance_twice_is_told(folder):
    replace(folder / "dev_sent_emo.csv", ",0,1,4,7", ",0,0,4,7")
    assert "found two clips with the id valid_dia0_utt0 (in" in message(read, folder)


def test_files_without_utterances_are_told(folder):
    for file in meld.FILES.values():
        assert len(read(folder))
        head = (folder / file).read_text(encoding="utf-8").splitlines()[0]
        (folder / file).write_text(head + "\n", encoding="utf-8")
    assert f"{folder}: found no utterances; expected" in message(read, folder)


@needs("meld")
def test_meld_is_what_its_source_counts():
    corpus = read(DATA / "meld")
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [9989, 1109, 2610]
    assert corpus.utterances["video"].nunique() == 1038 + 114 + 280
    assert corpus.utterances["label"].value_counts().to_dict() == {
        0.0: 4710 + 470 + 1256,
        -1.0: 2945 + 406 + 833,
        1.0: 2334 + 233 + 521,
    }
    assert not corpus.utterances["text"].str.contains("[\u0080-\u009f]|\u00e2\u20ac").any()
