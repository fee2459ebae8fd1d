"""IEMOCAP: four emotions, one session left out, and what is refused."""

import pytest

from msalib.data.corpus import PARTS
from msalib.data.readers import iemocap
from msalib.data.readers.formats import Options
from tests import fixtures_more
from tests.data.readers.toolbox import DATA, message, needs


def read(folder):
    return iemocap.read(folder, "toy", Options())


@pytest.fixture
def folder(tmp_path):
    return fixtures_more.iemocap(tmp_path / "toy")


def test_six_emotions_become_four(folder):
    corpus = read(folder)
    table = corpus.utterances
    assert len(corpus) == 50 and table["video"].nunique() == 15
    assert set(table["emotion"]) == {"happy", "sad", "neutral", "angry"}
    polarity = table.groupby("emotion")["label"].unique().map(list).to_dict()
    assert polarity == {"happy": [1], "neutral": [0], "sad": [-1], "angry": [-1]}
    assert table.loc["Ses01M_impro02_000", "emotion"] == "happy"  # excited in the file
    assert len(corpus.dropped) == 10 and set(corpus.dropped.values()) == {"frustrated"}
    assert corpus.dropped_part["Ses01M_impro02_001"] == "valid"
    assert "Ses01M_impro02_001" not in table.index
    assert table.loc["Ses01F_impro01_001", "speaker"] == "Ses01M"
    assert any("10 frustrated turns of 60 dropped; 50 are left" in note for note in corpus.notes)
    assert any("happy 1, neutral 0, sad and angry -1" in note for note in corpus.notes)


def test_each_session_is_left_out_once(folder):
    corpus = read(folder)
    session = corpus.utterances["session"].to_numpy()
    assert list(corpus.splits) == ["standard", *(f"session{k}" for k in range(1, 6))]
    assert corpus.splits["standard"].equals(corpus.splits["session5"])
    for k in range(1, 6):
        sets = [set(session[corpus.rows(part, f"session{k}")]) for part in PARTS]
        assert sets[2] == {k} and sets[1] == {k % 5 + 1}
        assert sets[0] == {1, 2, 3, 4, 5} - {k, k % 5 + 1}


def test_only_its_own_table_is_detected(folder, tmp_path):
    assert iemocap.detects(folder) and iemocap.detects(folder / "utterances.csv")
    assert not iemocap.detects(tmp_path)
    (tmp_path / "utterances.csv").write_text("id,video,segment,text,label,split\n")
    assert not iemocap.detects(tmp_path)
    (tmp_path / "utterances.csv").write_bytes(b"\xff\xfe\x00")
    assert not iemocap.detects(tmp_path)


def test_frustrated_turns_alone_are_no_data(folder):
    path = folder / "utterances.csv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *(line for line in lines if line.endswith(",5"))]) + "\n")
    assert "found no clips; expected one clip or more" in message(read, folder)


@needs("iemocap")
def test_iemocap_is_what_its_source_counts():
    corpus = read(DATA / "iemocap")
    assert len(corpus) == 5584 and len(corpus.dropped) == 1849
    assert corpus.utterances["emotion"].value_counts().to_dict() == {
        "neutral": 1708,
        "happy": 648 + 1041,
        "angry": 1103,
        "sad": 1084,
    }
    assert corpus.utterances["video"].nunique() == 151
