"""What all readers share: every fault of a table or of frames has one message."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msalib.data.readers import build, csvs
from tests.data.readers.toolbox import message

PATH = Path("file")


def table(**changes):
    columns = {
        "id": ["a_1", "a_2", "b_1", "b_2"],
        "video": ["a", "a", "b", "b"],
        "segment": ["1", "2", "1", "2"],
        "text": ["one", "two", "three", "four"],
        "label": [-3, 0.5, 3, 1],
    }
    return pd.DataFrame(columns | changes)


def make(frames=None, splits=("train", "train", "valid", "test"), **options):
    changes = options.pop("table", {})
    if frames is not None:
        frames = {"acoustic": build.Frames("x", "frame", list(frames), "a note")}
    clean = options.pop("clean", False)
    clips = build.Clips(
        PATH, table(**changes), {"standard": splits}, frames=frames or {}, **options
    )
    return build.corpus("toy", clips, clean=clean)


FRAMES = [np.full((n, 2), n, np.float64) for n in (1, 3, 2, 4)]


def test_what_is_made():
    corpus = make(FRAMES, notes=["said"], media={"acoustic": ["a", "b", "c", "d"]}, faces="whole")
    assert corpus.utterances.index.tolist() == ["a_1", "a_2", "b_1", "b_2"]
    features = corpus.features["acoustic"]
    assert features.layers[1].dtype == np.float32
    assert features.offsets.tolist() == [0, 1, 4, 6, 10]
    assert features.layers[1][4].tolist() == [2, 2]
    assert features.provenance["note"] == "a note"
    assert corpus.media["acoustic"][2] == Path("c")
    assert (corpus.faces, corpus.notes) == ("whole", ("said",))


def test_clips_without_a_label_and_those_left_out_are_dropped():
    corpus = make(
        FRAMES,
        table={"label": [None, 1, 2, np.nan]},
        dropped={"b_1": "broken", "elsewhere": "missing"},
        dropped_part={"elsewhere": "valid"},
    )
    assert corpus.utterances.index.tolist() == ["a_2"]
    assert corpus.features["acoustic"].lengths().tolist() == [3]
    assert corpus.dropped == {
        "a_1": "no label",
        "b_2": "no label",
        "b_1": "broken",
        "elsewhere": "missing",
    }
    assert corpus.dropped_part == {
        "a_1": "train",
        "b_1": "valid",
        "b_2": "test",
        "elsewhere": "valid",
    }


def test_further_columns_stay_and_what_is_missing_is_empty():
    extra = {
        "speaker": ["x", None, float("nan"), "y"],
        "label_T": [1.0, np.nan, 2, 3],
        "n": [1, 2, 3, 4],
    }
    utterances = make(table=extra).utterances
    assert utterances["speaker"].tolist() == ["x", "", "", "y"]
    assert utterances["n"].dtype.kind == "i" and utterances["label_T"].isna().sum() == 1


@pytest.mark.parametrize(
    ("changes", "found", "expected"),
    [
        ({"id": ["a", "", "b", "c"]}, "no id for clip number 2", "an id each"),
        ({"id": ["a", "b", "b", "c"]}, "two clips with the id b (in train and valid)", "every id"),
        ({"label": [0, 1, 3.2, 0]}, "label 3.2 for clip b_1", "a number from -3 to 3, or nothing"),
        ({"label": [0, "x", 0, 0]}, "label x for clip a_2", "a number from -3 to 3"),
        ({"label": [0, np.inf, 0, 0]}, "label inf for clip a_2", "a number from -3 to 3"),
        ({"label": [None] * 4}, "no clip that can be kept (no label: 4)", "labelled clips"),
        ({"text": ["a", "b", "\0", "d"]}, "characters that are none in the text of clip 3", "Uni"),
        ({"video": ["a", "\0", "b", "b"]}, "characters that are none in the video of clip 2", ""),
    ],
)
def test_a_bad_table_is_told(changes, found, expected):
    text = message(make, table=changes)
    assert text.startswith(f"file: found {found}; expected {expected}")


def test_no_clips_and_strange_parts_are_told():
    assert "found standard part 'dev' for clip b_1; expected train | valid | test" in message(
        make, splits=("train", "train", "dev", "test")
    )
    empty = build.Clips(PATH, table().iloc[:0], {"standard": []})
    assert "found no clips" in message(build.corpus, "toy", empty)


def with_frame(values):
    return [FRAMES[0], np.asarray(values), *FRAMES[2:]]


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        (np.zeros((0, 2)), "acoustic features of shape (0, 2) for clip a_2", "each of 2 numbers"),
        (np.zeros((1, 3)), "acoustic features of shape (1, 3) for clip a_2", "each of 2 numbers"),
        (np.zeros(2), "acoustic features of shape (2,) for clip a_2", "each of 2 numbers"),
        ([["x", "y"]], "acoustic features of type <U1 for clip a_2", "numbers"),
        ([[{}, 1]], "acoustic features of type object for clip a_2", "numbers"),
        (
            [[0, np.nan], [np.inf, 0]],
            "2 acoustic values that are NaN or infinite, the first for clip a_2, feature 1",
            "finite",
        ),
        ([[1e300, 0]], "1 acoustic values that are NaN or infinite", "finite numbers"),
    ],
)
def test_bad_frames_are_told(values, found, expected):
    text = message(make, with_frame(values))
    assert found in text.split("; expected ")[0] and expected in text.split("; expected ")[1]


def test_clean_replaces_by_zero_and_says_how_many():
    features = make(with_frame([[0, np.nan], [np.inf, 5]]), clean=True).features["acoustic"]
    assert features.layers[1][1:3].tolist() == [[0, 0], [0, 5]]
    assert features.provenance["note"] == "a note; 2 non-finite values replaced by zero"


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("03bSnISJMiM$_$11", ("03bSnISJMiM", "11")),
        ("a_b$_$c", ("a_b", "c")),
        ("-3g5yACwYnA[12]", ("-3g5yACwYnA", "12")),
        ("a_b_7", ("a_b", "7")),
        ("video_0001", ("video", "0001")),
        ("dia1_utt2", None),
        ("7", None),
        ("_7", None),
        ("", None),
    ],
)
def test_what_an_id_names(name, clip):
    assert build.clip_of(name) == clip


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("id,text\na,b\n".encode("utf-16"), "UTF-16 text"),
        (b"id;text\na;b\n", "separated by semicolons"),
        (b"id\ttext\na\tb\n", "separated by tabs"),
    ],
)
def test_what_spreadsheets_save_is_told_with_its_remedy(tmp_path, content, found):
    path = tmp_path / "label.csv"
    path.write_bytes(content)
    text = message(csvs.table, path, ("id", "text"))
    assert found in text and "Save it as CSV UTF-8, comma-separated" in text


def test_a_table_may_be_separated_by_tabs_and_then_keeps_quotes(tmp_path):
    path = tmp_path / "clips.tsv"
    path.write_text('id\ttext\na\t"so, what"?\nb\t"\n', encoding="utf-8")
    table = csvs.table(path, ("id", "text"), separator="\t")
    assert table.to_dict("list") == {"id": ["a", "b"], "text": ['"so, what"?', '"']}
    path.write_text("id,text\na,b\n")
    text = message(csvs.table, path, ("id", "text"), separator="\t")
    assert "found columns that are separated by commas; expected tab-separated UTF-8" in text
    assert "Save it as UTF-8 text, tab-separated." in text
