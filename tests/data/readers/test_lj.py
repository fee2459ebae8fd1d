"""LJ Speech: lines and their files, clips whose sound ends too early, and what is refused."""

import numpy as np
import pytest

from msalib.data.readers import lj
from tests.clips import tone, write_wav
from tests.data.readers.toolbox import DATA, check, message, needs, replace

pytest.importorskip("soundfile", reason="sound needs the extra media")

TEXTS = {
    "LJ001-0001": "Printing, in the only sense",
    "LJ001-0002": "in being comparatively modern.",
    "LJ002-0001": "The jail at that date",
}


@pytest.fixture
def folder(tmp_path):
    lines = [f'{clip},2.0,"{text}"\n' for clip, text in TEXTS.items()]
    (tmp_path / lj.TABLE).write_text("id,seconds,text\n" + "".join(lines), encoding="utf-8")
    for number, clip in enumerate(TEXTS):
        write_wav(tmp_path / f"{clip}.wav", tone(32_000, number))
    return tmp_path


def read(folder):
    return lj.read(folder, "toy")


def line(old, new):
    return lambda folder: replace(folder / lj.TABLE, old, new)


def test_a_line_is_a_clip_with_its_file(folder):
    corpus = read(folder)
    assert corpus.utterances["text"].to_dict() == TEXTS
    assert corpus.utterances["video"].tolist() == ["LJ001", "LJ001", "LJ002"]
    assert np.isnan(corpus.utterances["label"]).all() and not corpus.splits
    assert [file.stem for file in corpus.media["acoustic"]] == list(TEXTS)
    assert not corpus.dropped and corpus.utterances["speaker"].nunique() == 1


def test_sound_that_ends_before_its_text_is_left_out_and_counted(folder):
    line("LJ001-0002,2.0", "LJ001-0002,1.4")(folder)  # 30 characters
    corpus = read(folder)
    assert list(corpus.dropped) == ["LJ001-0002"]
    assert [file.stem for file in corpus.media["acoustic"]] == ["LJ001-0001", "LJ002-0001"]
    assert any(note.startswith("1 of 3 clips are left out") for note in corpus.notes)


REFUSALS = [
    (lambda f: (f / lj.TABLE).unlink(), lj.TABLE, "No such file or directory ... id, seconds"),
    (line("seconds", "length"), lj.TABLE, "no column seconds ... the columns id"),
    (line("LJ001-0002,", "LJ1-2,"), lj.TABLE, "id 'LJ1-2' in row 2 ... <book>-<number>"),
    (line("LJ001-0002,", "LJ001-0001,"), lj.TABLE, "id LJ001-0001 twice ... once"),
    (line("LJ001-0002,2.0", "LJ001-0002,long"), lj.TABLE, "seconds 'long' in row 2 ... a number"),
    (lambda f: (f / "LJ001-0002.wav").unlink(), "", "no sound for 1 of 3 clips ... every line"),
    (lambda f: (f / "LJ9.wav").write_bytes(b"x"), "", "1 files without a line ... the first LJ9"),
    (lambda f: (f / "LJ001-0002.wav").write_bytes(b""), "LJ001-0002.wav", "an empty file"),
    (lambda f: (f / lj.TABLE).write_text("id,seconds,text\n"), lj.TABLE, "no clips ... a line"),
]


@pytest.mark.parametrize(("damage", "where", "parts"), REFUSALS)
def test_a_folder_that_says_something_else_is_told(folder, damage, where, parts):
    damage(folder)
    check(message(read, folder), folder / where if where else folder, parts)


@needs(lj.NAME)
def test_the_real_pack_is_read():
    corpus = lj.read(DATA / lj.NAME, "lj-pairs")
    assert (len(corpus), len(corpus.dropped)) == (287, 77)
    assert corpus.utterances["video"].value_counts().to_dict().keys() == {"LJ001", "LJ002", "LJ003"}
