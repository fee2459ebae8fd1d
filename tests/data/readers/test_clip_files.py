"""Which file is whose: layouts of the field, spellings of spreadsheets, links, and ambiguity."""

import re
import shutil

import pytest

from msalib.base.paths import ROOT
from msalib.data.corpus import PARTS
from msalib.data.readers import clip_files
from tests.data.readers.test_media_folder import CLIPS, HEAD, LINES, names, read, small
from tests.data.readers.toolbox import message
from tests.fixtures import FIXTURES


@pytest.mark.parametrize(
    "pattern",
    [
        "raw/{video}/{clip}.mp4",  # MMML
        "RAW/{video}/{clip}.MP4",
        "Raw/Video/Segmented/{video}_{clip}.mp4",  # CMU-MOSI as published
        "videos/{video}_{clip}.avi",
        "{video}$_${clip}.mp4",  # ids of MMSA
        "clips/{video}[{clip}].mp4",  # ids of the CMU SDK
        "data/train/{video}/{clip}.mov",
        "{video}_{clip}.wmv",
        "{video}/{clip}.mpg",
    ],
)
def test_layouts_of_the_field_are_found(tmp_path, pattern):
    files = [pattern.format(video=c.split("/")[0], clip=c.split("/")[1]) for c in CLIPS]
    corpus = read(small(tmp_path, files))
    assert list(corpus.media) == ["visual", "acoustic"] and len(corpus) == 3
    assert names(corpus, "visual", tmp_path) == names(corpus, "acoustic", tmp_path) == files
    assert not corpus.dropped and not any("otherwise" in note for note in corpus.notes)


def test_every_ending_that_is_decoded_is_found(tmp_path):
    for ending in (*clip_files.SOUNDS, *clip_files.VIDEOS):
        folder = small(tmp_path / ending[1:], [f"wav/{clip}{ending}" for clip in CLIPS])
        kinds = ["acoustic"] if ending in clip_files.SOUNDS else ["visual", "acoustic"]
        assert list(read(folder).media) == kinds
    for ending in clip_files.PICTURES:
        folder = small(tmp_path / ending[1:], [f"raw/{clip}/1{ending}" for clip in CLIPS])
        assert list(read(folder).media) == ["visual"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("ids", [("dia0", "utt3"), ("dia0", "3"), ("0", "3")], ids="/".join)
def test_files_named_as_melds_are_found_in_the_folder_of_their_part(tmp_path, ids, part):
    places = ("train_splits", "dev_splits_complete", "output_repeated_splits_test")
    files = [f"{place}/dia0_utt3.mp4" for place in places]
    corpus = read(small(tmp_path, files, lines=[",".join([*ids, "word", "1", part])]))
    assert names(corpus, "visual", tmp_path) == [files[PARTS.index(part)]]


def test_links_are_followed_and_never_in_a_circle(tmp_path):
    elsewhere = tmp_path / "disk"
    folder = small(tmp_path / "set")
    for clip in CLIPS:
        (elsewhere / clip).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / f"{clip}.mp4").write_bytes(b"something")
    (folder / "Raw").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(folder)
    assert len(read(folder).media["visual"]) == 3


def test_links_to_nothing_are_told(tmp_path):
    folder = small(tmp_path, [f"wav/{clip}.wav" for clip in CLIPS[:2]])
    (folder / "wav/v2").mkdir()
    (folder / "wav/v2/0001.wav").symlink_to(folder / "annexed")
    corpus = read(folder)
    assert corpus.dropped == {"v2_0001": "wav/v2/0001.wav is a link to a file that is not there"}


SPELT = {
    stored: [("1", stored), ("02", f"{stored[:-1]}2")] for stored in ("1", "01", "0001", "000001")
}
"""Number in the table and in the file's name."""


@pytest.mark.parametrize("stored", SPELT)
def test_numbers_with_other_leading_zeros_are_found_and_said(tmp_path, stored):
    lines = [f"v,{k},word,{k},train" for k in ("1", "02")]
    files = [f"v/{stored}.wav", f"v/{stored[:-1]}2.wav"]
    corpus = read(small(tmp_path, files, lines=lines))
    assert names(corpus, "acoustic", tmp_path) == files
    said = [note for note in corpus.notes if "that label.csv spells otherwise" in note]
    assert [note.split()[0] for note in said] == [str(sum(n != f for n, f in SPELT[stored]))]


def test_the_own_number_comes_first(tmp_path):
    lines = ["v,1,word,1,train", "v,0001,word,2,test"]
    corpus = read(small(tmp_path, ["v/1.wav", "v/0001.wav"], lines=lines))
    assert names(corpus, "acoustic", tmp_path) == ["v/1.wav", "v/0001.wav"]


@pytest.mark.parametrize(
    ("ids", "file"),
    [
        (("v1.0", "1.0"), "v1.0/0001.mp4"),
        (("v", "1.0"), "raw/v/0001.mp4"),
        (("v", "12,0"), "v_0012.mp4"),
        (("1.0", "2.0"), "raw/0001/0002.mp4"),
        (("v", "1E+05"), "v/100000.mp4"),
        (("v", "1.00E+05"), "v/1E05.mp4"),
        (("v", "1.23457E+11"), "v/123456789012.mp4"),
        (("1.23457E+11", "3"), "Raw/123456789012/03.mp4"),
        (("V", "1"), "v/1.mp4"),
        (("video_1", "1"), "video_0001/0001.mp4"),
    ],
    ids=str,
)
def test_ids_that_a_spreadsheet_changed_are_found(tmp_path, ids, file):
    corpus = read(
        small(
            tmp_path,
            [file],
            lines=[",".join([*ids, "word", "1", "train"])]
            if "," not in ids[1]
            else [f'{ids[0]},"{ids[1]}",word,1,train'],
        )
    )
    assert names(corpus, "visual", tmp_path) == [file]
    assert any(
        "1 clips found under names that label.csv spells otherwise" in n for n in corpus.notes
    )


@pytest.mark.parametrize(
    "spoilt", ["2-Jan", "Jan-02", "2024-01-02", "01.02.2024", "1\u67082\u65e5", "#NAME?", "2E+09"]
)
def test_ids_that_a_spreadsheet_spoilt_are_told(tmp_path, spoilt):
    files = [f"raw/{clip}.mp4" for clip in (*CLIPS, "v2/1-2")]
    folder = small(tmp_path, files, lines=[*LINES, f"v2,{spoilt},word,1,train"])
    text = message(read, folder)
    assert f"no file for clip_id {spoilt!r}, which is what a spreadsheet makes of an id" in text
    (folder / "label.csv").write_text("\n".join([HEAD, *LINES, "v2,1-2,word,1,train"]))
    assert len(read(folder)) == 4  # the remedy


def test_an_id_that_looks_spoilt_and_has_a_file_is_no_fault(tmp_path):
    assert len(read(small(tmp_path, ["v/2-Jan.mp4"], lines=["v,2-Jan,word,1,train"]))) == 1


@pytest.mark.parametrize(
    ("ids", "near"),
    [
        (("1234567", "1"), "1234568/1"),
        (("1234567", "1.0"), "1234568/1"),
        (("1.0", "1234567"), "1/1234568"),
        (("1000", '"1,000"'), "1000/1"),
    ],
)
def test_a_number_is_none_that_is_near(tmp_path, ids, near):
    lines = [*LINES, ",".join([*ids, "word", "1", "test"])]
    corpus = read(small(tmp_path, [f"wav/{clip}.wav" for clip in [*CLIPS, near]], lines=lines))
    assert list(corpus.dropped.values()) == ["no sound"] and len(corpus) == 3


def test_files_that_serve_as_well_are_told(tmp_path):
    files = ["raw/v/1.mp4", "v/01.mp4", "v/001.mp4"]
    small(tmp_path, files[1:], lines=["v,1,word,1,train"])
    text = message(read, tmp_path)
    assert "v/01.mp4: found a second file for clip v_1, beside " in text
    assert len(read(small(tmp_path, files, lines=["v,1,word,1,train"]))) == 1  # its own name


def test_anothers_file_is_not_taken(tmp_path):
    """Names that differ in a zero are names of two videos where both are in the table."""
    lines = ["a01b,1,word,1,train", "a1b,1,word,2,test"]
    corpus = read(small(tmp_path, ["raw/a01b/1.mp4"], lines=lines))
    assert corpus.dropped == {"a1b_1": "no pictures"}


def test_the_work_grows_with_the_number_of_clips(tmp_path, monkeypatch):
    """Every clip is looked up, never every file for every clip."""
    names, spell = [], clip_files._loose
    monkeypatch.setattr(clip_files, "_loose", lambda name: names.append(name) or spell(name))
    counts = {}
    for size in (10, 100):
        names.clear()
        lines = [f"v,{k},word,1,train" for k in range(size)]
        files = [f"wav/v/{k:05d}.wav" for k in range(size)]
        read(small(tmp_path / str(size), files, lines=lines))
        counts[size] = len(names)
    assert counts[100] <= 10 * counts[10]


def test_two_clips_of_one_file_are_told(tmp_path):
    lines = ["v,1,word,1,train", "v,01,word,2,test"]
    text = message(read, small(tmp_path, ["v/0001.wav"], lines=lines))
    assert "0001.wav: found one file for the clips v_1 and v_01; expected a file of its" in text


def test_the_layouts_of_help_and_readme_are_found(msalib, tmp_path):
    told = (msalib("data", "add", "--help")[1], (ROOT / "README.md").read_text(encoding="utf-8"))
    for number, text in enumerate(told):
        layouts = re.findall(r"^ *([\w/<>$]*(?:<clip_id>|dia0_utt0)[\w/.]+)", text, re.MULTILINE)
        assert len(layouts) == 6
        for k, layout in enumerate(layouts):
            video, clip = ("0", "0") if "dia" in layout else ("v1", "0001")
            file = layout.replace("<video_id>", video).replace("<clip_id>", clip)
            folder = tmp_path / f"{number}{k}"
            corpus = read(small(folder, [file], lines=[f"{video},{clip},word,1,train"]))
            assert corpus.media and not corpus.dropped


# --- media beside data of other formats ---------------------------------------------------------


@pytest.mark.parametrize("name", ["meld", "mustard", "iemocap"])
@pytest.mark.parametrize("archived", [False, True], ids=["folder", "archive"])
def test_media_that_a_format_does_not_read_are_told(refused, msalib, tmp_path, name, archived):
    folder = FIXTURES[name](tmp_path / "source")
    clips = [folder / f"train_splits/dia{k}_utt0.mp4" for k in range(4)]
    for file in clips:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"something")
    path = shutil.make_archive(tmp_path / "packed", "zip", folder) if archived else folder
    text = refused("data", "add", path, "--name", "mine")
    assert "found 4 files of pictures, such as train_splits/dia0_utt0.mp4, that this format" in text
    assert "move these files out of the folder" in text
    shutil.rmtree(clips[0].parent)
    path = shutil.make_archive(tmp_path / "packed", "zip", folder) if archived else folder
    assert msalib("data", "add", path, "--name", "mine")[0] == 0


def test_files_beside_features_of_their_modality_are_no_loss(msalib, tmp_path):
    folder = FIXTURES["csd"](tmp_path / "source")
    (folder / "Raw").mkdir()
    (folder / "Raw/vid00.mp4").write_bytes(b"something")
    assert msalib("data", "add", folder, "--name", "mine")[0] == 0
