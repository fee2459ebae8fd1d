"""A folder with label.csv: which files are found, what is dropped, and what is refused."""

import pytest

from msalib.data.corpus import PARTS
from msalib.data.readers import media
from msalib.data.readers.formats import Options
from tests import fixtures_more
from tests.data.readers.toolbox import message

HEAD = "video_id,clip_id,text,label,mode"
LINES = ["v1,0001,good film,1.5,train", "v1,0002,bad,-2,valid", "v2,0001,well,0,test"]
CLIPS = ["v1/0001", "v1/0002", "v2/0001"]


def small(folder, files=(), lines=LINES, head=HEAD, bom=True):
    """A label.csv, and files that have something in them."""
    folder.mkdir(parents=True, exist_ok=True)
    encoding = "utf-8-sig" if bom else "utf-8"
    (folder / "label.csv").write_text("\n".join([head, *lines]) + "\n", encoding=encoding)
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"something")
    return folder


def read(folder):
    return media.read(folder, "toy", Options())


def texts(folder):
    """What is read of label.csv alone."""
    return media.read(folder / "label.csv", "toy", Options())


def names(corpus, modality, folder):
    return [str(file.relative_to(folder.resolve())) for file in corpus.media[modality]]


# --- what is read -------------------------------------------------------------------------------


def test_the_fixture_is_read(tmp_path):
    folder = fixtures_more.media(tmp_path / "toy")
    assert media.detects(folder) and not media.detects(tmp_path)
    corpus = media.read(folder, "toy", Options(faces="whole"))
    assert len(corpus) == 24 and corpus.utterances["video"].nunique() == 12
    assert all(len(corpus.rows(part, "standard")) for part in PARTS)
    assert corpus.faces == "whole" and not corpus.features and not corpus.dropped
    assert names(corpus, "acoustic", folder)[0] == "video_0000/0001.wav"
    assert names(corpus, "visual", folder)[0] == "video_0000/0001"
    assert all(file.is_absolute() for files in corpus.media.values() for file in files)


@pytest.mark.parametrize(
    ("pattern", "kinds"),
    [
        ("wav/{}.wav", ["acoustic"]),
        ("Raw/{}.mp4", ["visual", "acoustic"]),
        ("{}.mp4", ["visual", "acoustic"]),
        ("{}.WAV", ["acoustic"]),
        ("{}.flac", ["acoustic"]),
        ("Raw/{}.mkv", ["visual", "acoustic"]),
        ("{}/000.png", ["visual"]),
        ("{}/7.jpg", ["visual"]),
    ],
)
def test_places_in_which_files_are_found(tmp_path, pattern, kinds):
    folder = small(tmp_path, [pattern.format(clip) for clip in CLIPS])
    corpus = read(folder)
    assert list(corpus.media) == kinds
    for kind in kinds:
        expected = [pattern.format(clip) for clip in CLIPS]
        if pattern.startswith("{}/"):
            expected = CLIPS
        assert names(corpus, kind, folder) == expected
    assert list(corpus.utterances.index) == ["v1_0001", "v1_0002", "v2_0001"]
    assert corpus.splits["standard"].tolist() == ["train", "valid", "test"]


def test_sound_of_its_own_comes_before_that_of_a_video_and_a_video_before_frames(tmp_path):
    files = [p.format(c) for c in CLIPS for p in ("wav/{}.wav", "Raw/{}.mp4", "{}/1.png")]
    corpus = read(small(tmp_path, files))
    assert names(corpus, "acoustic", tmp_path)[0] == "wav/v1/0001.wav"
    assert names(corpus, "visual", tmp_path)[0] == "Raw/v1/0001.mp4"


def test_the_table_alone_is_read_as_texts(tmp_path):
    folder = small(tmp_path, [f"wav/{clip}.wav" for clip in CLIPS])
    assert media.detects(folder / "label.csv") and not media.detects(folder / "wav")
    corpus = texts(folder)
    assert corpus.media == {} and len(corpus) == 3
    assert "label.csv alone: no sound and no pictures are looked for" in corpus.notes


def test_ids_are_joined_and_never_order(tmp_path):
    files = [f"wav/{clip}.wav" for clip in CLIPS]
    turned = read(small(tmp_path, files, lines=LINES[::-1]))
    assert names(turned, "acoustic", tmp_path) == files[::-1]


def test_missing_files_are_counted_and_named(tmp_path):
    files = ["wav/v1/0001.wav", "wav/v2/0001.wav", "v1/0001/1.png", "v1/0002/1.png"]
    corpus = read(small(tmp_path, files))
    assert list(corpus.utterances.index) == ["v1_0001"]
    assert corpus.dropped == {"v1_0002": "no sound", "v2_0001": "no pictures"}
    assert corpus.dropped_part == {"v1_0002": "valid", "v2_0001": "test"}
    assert "no sound for 1 of 3 clips, which are dropped: v1_0002" in corpus.notes
    assert len(corpus.media["visual"]) == len(corpus.media["acoustic"]) == 1


def test_empty_files_are_counted_and_named(tmp_path):
    folder = small(tmp_path, [f"wav/{c}.wav" for c in CLIPS] + [f"{c}/1.png" for c in CLIPS])
    (folder / "wav/v1/0002.wav").write_bytes(b"")
    (folder / "v2/0001/2.png").write_bytes(b"")
    corpus = read(folder)
    assert corpus.dropped == {
        "v1_0002": "wav/v1/0002.wav is empty",
        "v2_0001": "v2/0001 is empty",
    }
    assert "2 clips dropped whose files hold nothing, the first: v2/0001 is empty" in corpus.notes


def test_what_file_managers_leave_is_no_clip(tmp_path):
    folder = small(tmp_path, [f"{c}/1.png" for c in CLIPS] + ["v1/0001/._1.png", "v1/._0001.wav"])
    (folder / "v1/0001/._1.png").write_bytes(b"")
    corpus = read(folder)
    assert len(corpus) == 3 and list(corpus.media) == ["visual"]


@pytest.mark.parametrize("mode", ["valid", "val", "dev", "Valid "])
def test_validation_has_many_names(tmp_path, mode):
    lines = [*LINES, f"v3,1,x,0,{mode}"]
    corpus = texts(small(tmp_path, lines=lines))
    assert corpus.splits["standard"]["v3_1"] == "valid"


def test_labels_of_each_modality_and_other_columns_are_kept(tmp_path):
    head = HEAD + ",label_T,label_A,label_V,annotation"
    lines = [line + f",0.{i},-1,,Positive" for i, line in enumerate(LINES)]
    table = texts(small(tmp_path, lines=lines, head=head)).utterances
    assert table["label_T"].tolist() == [0.0, 0.1, 0.2] and table["label_V"].isna().all()
    assert table["annotation"].tolist() == ["Positive"] * 3


def test_a_table_may_lack_the_mark_of_byte_order(tmp_path):
    one = texts(small(tmp_path / "a", bom=True))
    other = texts(small(tmp_path / "b", bom=False))
    assert one.fingerprint() == other.fingerprint()


def test_clips_without_a_label_are_dropped(tmp_path):
    corpus = texts(small(tmp_path, lines=[*LINES, "v3,1,x,,test"]))
    assert corpus.dropped == {"v3_1": "no label"} and corpus.dropped_part == {"v3_1": "test"}


def test_texts_are_taken_as_they_are(tmp_path):
    lines = ['v,1,"NA, he said ""no""",0,train', "v,2,我很高兴,1,test", "v,3,,1,test"]
    corpus = texts(small(tmp_path, lines=lines))
    assert corpus.utterances["text"].tolist() == ['NA, he said "no"', "我很高兴", ""]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([*LINES, LINES[0]], "two clips with the id v1_0001; expected every clip once"),
        (["v1,1,x,3.5,train"], "label 3.5 for clip v1_1; expected a number from -3 to 3"),
        (["v1,1,x,happy,train"], "label happy for clip v1_1; expected"),
        (["v1,1,x,inf,train"], "label inf for clip v1_1; expected"),
        (["v1,1,x,,train"], "no clip that can be kept (no label: 1); expected"),
        (["v1,1,x,1,holdout"], "mode 'holdout' in row 1; expected train | valid | val | dev | te"),
        (["v1,1,x,1,"], "mode '' in row 1; expected"),
        (["../v1,1,x,1,train"], "video_id '../v1' in row 1; expected the name of a file or folder"),
        (["v1,..,x,1,train"], "clip_id '..' in row 1; expected"),
        (["/etc,passwd,x,1,train"], "video_id '/etc' in row 1; expected"),
        (["v1,,x,1,train"], "clip_id '' in row 1; expected"),
        (["v\x001,1,x,1,train"], r"video_id 'v\x001' in row 1; expected"),
        (["v1,1,x,1"], "4 values in line 2; expected 5, as in the header"),
        (["v1,1,x,y,1,train"], "6 values in line 2; expected 5, as in the header"),
        (['v1,1,"x,1,train'], "line 2: unexpected end of data; expected comma-separated"),
        ([], "no clips; expected a line per clip"),
    ],
)
def test_a_bad_table_is_told(tmp_path, lines, found):
    text = message(texts, small(tmp_path, lines=lines))
    assert text.startswith(f"{tmp_path / 'label.csv'}: found {found}")


def test_a_missing_column_is_told(tmp_path):
    text = message(read, small(tmp_path, head="video_id,clip_id,text,label,split"))
    assert "found no column mode; expected the columns video_id, clip_id, label, mode" in text


@pytest.mark.parametrize("column", ["Text", "transcript", "raw_text"])
def test_transcripts_under_another_name_are_not_lost(tmp_path, column):
    folder = small(tmp_path, head=HEAD.replace("text", column))
    text = message(texts, folder)
    assert f"found no column text beside {column!r}; expected transcripts in text" in text
    small(tmp_path)  # the remedy
    assert texts(folder).utterances["text"].tolist()[0] == "good film"


def test_a_comma_in_numbers_is_told(tmp_path):
    text = message(texts, small(tmp_path, lines=[*LINES, 'v3,1,x,"-0,8",test']))
    assert "found label '-0,8' in row 4; expected a point in numbers, as in 0.8" in text


def test_own_labels_lie_on_the_scale(tmp_path):
    folder = small(tmp_path, lines=[f"{LINES[0]},4"], head=HEAD + ",label_A")
    assert "found label_A 4 for clip v1_0001; expected a number from -3 to 3" in message(
        texts, folder
    )


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfev\0i\0", "video_id,clip_id\nü".encode("cp1252")]
)
def test_a_file_that_is_no_table_is_told(tmp_path, content):
    (small(tmp_path) / "label.csv").write_bytes(content)
    assert message(read, tmp_path).startswith(f"{tmp_path / 'label.csv'}: found ")


# --- files that are found for no clip -----------------------------------------------------------


def followed(folder, text):
    """Check a refusal for want of files, and follow its second remedy."""
    for part in ("wav/, Raw/", "<video_id>/<clip_id>", "$_$", ".opus", ".mp4", ".webp"):
        assert part in text
    assert text.endswith(
        "To have transcripts alone, give the file label.csv instead of the folder."
    )
    assert len(texts(folder)) == 3


def test_a_folder_without_files_is_told(tmp_path):
    text = message(read, small(tmp_path))
    assert "found no file of sound or pictures; expected a file for each of 3 clips" in text
    followed(tmp_path, text)


def test_files_of_no_clip_are_told(tmp_path):
    files = [f"clips/{k}.mp4" for k in range(88)]
    text = message(read, small(tmp_path, files))
    assert "found pictures of none of the clips in 88 files (clips/0.mp4, clips/1.mp4, " in text
    followed(tmp_path, text)
    for file, clip in zip(files, CLIPS, strict=False):  # the first remedy
        (tmp_path / clip).parent.mkdir(exist_ok=True)
        (tmp_path / file).rename(tmp_path / f"{clip}.mp4")
    corpus = read(tmp_path)
    assert len(corpus.media["visual"]) == 3
    assert any(
        "85 files that are of no clip in label.csv: clips/10.mp4, " in n for n in corpus.notes
    )


@pytest.mark.parametrize(
    ("found", "lost", "what"),
    [
        ("wav/{}.wav", "Raw/v/{}.mp4", "pictures"),
        ("wav/{}.wav", "faces/{}x/1.png", "pictures"),
        ("faces/{}/1.png", "wav/{}x.wav", "sound"),
    ],
)
def test_a_modality_whose_files_are_of_no_clip_is_told(tmp_path, found, lost, what):
    own = [found.format(clip) for clip in CLIPS]
    strange = [lost.format(clip if "x" in lost else i) for i, clip in enumerate(CLIPS)]
    text = message(read, small(tmp_path, [*own, *strange]))
    assert f"found {what} of none of the clips in 3 files (" in text
    followed(tmp_path, text)
    for file in strange:
        (tmp_path / file).unlink()
    corpus = read(tmp_path)  # the remedy: they are out of the folder
    assert f"no {what} for any clip" in corpus.notes


def test_a_picture_of_the_authors_is_no_lost_modality(tmp_path):
    files = [*(f"wav/{clip}.wav" for clip in CLIPS), "figures/overview.png", "logo.jpg"]
    assert list(read(small(tmp_path, files)).media) == ["acoustic"]


def test_a_folder_whose_clips_all_lack_something_is_told(tmp_path):
    folder = small(tmp_path, ["wav/v1/0001.wav", "v1/0002/1.png"])
    text = message(read, folder)
    assert "found files for none of 3 clips (" in text and "1 no sound" in text


@pytest.mark.parametrize("name", ["Label.csv", "labels.csv", "meta.csv", "Meta.CSV"])
def test_the_table_may_have_another_name(tmp_path, name):
    folder = small(tmp_path / "toy", [f"Raw/{clip}.mp4" for clip in CLIPS])
    (folder / "label.csv").rename(folder / name)
    assert media.detects(folder) and len(read(folder).media["visual"]) == 3
    assert len(media.read(folder / name, "toy", Options())) == 3
    (folder / name).write_text("a,b\n1,2\n")
    assert media.detects(folder) == (name == "Label.csv")  # others may be anything
