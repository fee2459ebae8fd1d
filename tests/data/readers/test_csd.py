"""CMU SDK sequences: how clips are cut, what is dropped, and every way a folder is refused."""

import numpy as np
import pytest

from msalib.data.corpus import PARTS
from msalib.data.readers import csd
from tests import fixtures_more
from tests.data.readers.sequences import LABELS, TIMES, read, refusal, small
from tests.fixtures_more import write_csd

pytest.importorskip("h5py", reason="h5py is not installed")


def of(corpus, clip, modality="acoustic"):
    i = corpus.utterances.index.get_loc(clip)
    features = corpus.features[modality]
    return features.layers[1][features.offsets[i] : features.offsets[i + 1]]


# --- what is read -------------------------------------------------------------------------------


def test_the_fixture_is_read(tmp_path):
    folder = fixtures_more.csd(tmp_path / "toy")
    assert csd.detects(folder)
    corpus = read(folder)
    assert len(corpus) == 48 and corpus.utterances["video"].nunique() == 12
    assert set(corpus.features) == {"visual", "acoustic", "linguistic"}
    assert all(len(corpus.rows(part, "standard")) for part in PARTS)
    assert corpus.features["acoustic"].source == "COVAREP"
    assert "version 1.0" in corpus.features["acoustic"].provenance["note"]
    assert any("not the standard folds" in note for note in corpus.notes)
    label = corpus.utterances["label"].to_numpy()
    for features in corpus.features.values():
        first = features.layers[1][features.offsets[:-1], 0]
        assert np.corrcoef(first, label)[0, 1] > 0.5


def test_frames_that_overlap_a_label_are_its_clip(tmp_path):
    corpus = read(small(tmp_path))
    assert list(corpus.utterances.index) == [f"{v}[{k}]" for v in "ab" for k in range(3)]
    assert of(corpus, "a[0]")[:, 0].tolist() == [0, 1, 2, 3]  # not 4, which begins at the end
    assert of(corpus, "b[1]")[:, 1].tolist() == [104, 105, 106, 107]
    assert of(corpus, "a[2]")[:, 0].tolist() == [12, 13, 14, 15]
    assert corpus.features["acoustic"].unit == "frame"
    table = corpus.utterances
    assert table["text"].tolist()[:3] == ["good film", "bad", "so"]
    assert table["label"].tolist()[:3] == [1, -2, 0.5]
    assert table["segment"].tolist()[:3] == [0, 1, 2]
    assert table["start"].tolist()[:3] == [0, 1, 3]


def test_a_frame_across_a_border_belongs_to_both_clips(tmp_path):
    times = np.array([[0, 0.6], [0.6, 1.4], [1.4, 3.2], [3.5, 3.5], [5, 6]])
    wide = {v: (np.arange(5.0)[:, None], times) for v in "ab"}
    corpus = read(small(tmp_path, COVAREP=wide))
    assert [of(corpus, f"a[{k}]")[:, 0].tolist() for k in range(3)] == [[0, 1], [1, 2], [2, 3]]


def test_frames_are_put_in_the_order_of_time(tmp_path):
    folder = small(tmp_path)
    order = np.random.default_rng(0).permutation(16)
    mixed = {v: (np.arange(16.0)[order, None], TIMES[order]) for v in "ab"}
    corpus = read(small(folder, COVAREP=mixed))
    assert of(corpus, "a[1]")[:, 0].tolist() == [4, 5, 6, 7]


def test_frames_are_averaged_over_words(tmp_path):
    corpus = read(small(tmp_path), align="words")
    # "good" from 0.1 to 0.5 s overlaps frames 0 and 1, "film" frames 2 and 3; "sp" has no row
    assert of(corpus, "a[0]")[:, 0].tolist() == [0.5, 2.5]
    assert of(corpus, "a[1]")[:, 0].tolist() == [5.5]
    assert corpus.features["acoustic"].unit == "word"
    assert "aligned to words" in corpus.notes[0]


def test_a_word_without_a_frame_is_a_counted_row_of_zeros(tmp_path):
    few = {v: (np.ones((3, 1)), np.array([[0.1, 0.4], [1.2, 1.5], [3.1, 3.2]])) for v in "ab"}
    corpus = read(small(tmp_path, COVAREP=few), align="words")
    assert of(corpus, "a[0]")[:, 0].tolist() == [1, 0]
    assert "2 words without a frame are zero" in corpus.features["acoustic"].provenance["note"]


def test_words_are_needed_only_to_align_to_them(tmp_path):
    folder = small(tmp_path, words=None)
    assert set(read(folder).utterances["text"]) == {""}
    assert "found no file of words; expected" in refusal(folder, align="words")


def test_labels_of_seven_columns_are_sentiment_and_emotions(tmp_path):
    seven = {v: (np.arange(21.0).reshape(3, 7) / 10, LABELS) for v in "ab"}
    table = read(small(tmp_path, labels=seven)).utterances
    assert table["label"].tolist()[:3] == [0.0, 0.7, 1.4]
    assert table.loc["a[1]", list(csd.EMOTIONS)].tolist() == pytest.approx(np.arange(8, 14) / 10)


def test_files_that_are_aligned_already_keep_their_ids(tmp_path):
    cut = {}
    for root, features in (("labels", [[1.5]]), ("COVAREP", [[1.0, 2], [3, 4]])):
        times = np.array([[0.0, 1.0]]) if root == "labels" else np.array([[0, 0.5], [0.5, 1.0]])
        cut[root] = {f"a[{k}]": (np.array(features), times + 2 * k) for k in (0, 2, 10)}
    corpus = read(small(tmp_path, words=None, **cut))
    assert sorted(corpus.utterances.index) == ["a[0]", "a[10]", "a[2]"]
    assert set(corpus.utterances["video"]) == {"a"}
    assert corpus.utterances.loc["a[10]", "segment"] == 10


def test_what_a_file_lacks_is_dropped_and_counted(tmp_path):
    folder = small(tmp_path)
    entries = {"a": (np.ones((4, 2)), np.array([[0, 0.5], [0.5, 1], [1, 1.5], [1.5, 2]]))}
    write_csd(folder / "facet.csd", "FACET", entries)
    unlabelled = {"a": (np.array([[1.0], [np.nan], [1]]), LABELS)}
    corpus = read(small(folder, labels=unlabelled | {"b": unlabelled["a"]}))
    assert list(corpus.utterances.index) == ["a[0]"]
    assert corpus.dropped == {
        "a[1]": "no label",
        "a[2]": "no visual frame in its interval",
        **{f"b[{k}]": "no entry of its video in facet.csd" for k in range(3)},
    }
    assert set(corpus.dropped_part) == {"a[1]", "a[2]"}  # b is in no part
    assert any(
        "dropped 4 of 6 clips: 3 no entry of its video in facet.csd" in n for n in corpus.notes
    )


def test_clips_without_length_or_words_are_dropped(tmp_path):
    times = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 2.9]])
    labels = {"a": (np.array([[1.0], [2], [3]]), times)}
    corpus = read(small(tmp_path, labels=labels))
    assert corpus.dropped == {"a[1]": "no length", "a[2]": "no words in its interval"}


def test_phones_are_known_and_not_read(tmp_path):
    folder = small(tmp_path)
    write_csd(folder / "TimestampedPhones.csd", "phonemes", {"a": (np.zeros((1, 1)), LABELS[:1])})
    assert any("TimestampedPhones.csd is not read" in n for n in read(folder).notes)


def test_parts_come_from_a_table(tmp_path):
    folder = small(tmp_path)
    (folder / "splits.csv").write_text("\ufeffvideo,part\na,train\nb,dev\n", encoding="utf-8")
    corpus = read(folder)
    assert corpus.splits["standard"].tolist() == ["train"] * 3 + ["valid"] * 3
    assert "parts of videos come from splits.csv" in corpus.notes


def test_parts_by_hash_do_not_depend_on_order():
    names = [f"v{i}" for i in range(93)]
    parts, _ = csd._parts(csd.Path("nowhere"), names)
    again, _ = csd._parts(csd.Path("nowhere"), names[::-1])
    assert parts == again
    assert [list(parts.values()).count(p) for p in PARTS] == [52, 10, 31]


@pytest.mark.parametrize(
    ("videos", "counts"), [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (6, [3, 1, 2])]
)
def test_a_few_videos_are_parted_as_far_as_they_go(videos, counts):
    parts, _ = csd._parts(csd.Path("nowhere"), [f"v{i}" for i in range(videos)])
    assert [list(parts.values()).count(p) for p in PARTS] == counts


def test_videos_are_parted_that_are_kept(tmp_path):
    """Own features of some of the labelled videos: others have no part."""
    folder = fixtures_more.csd(tmp_path)
    for file in folder.glob("*Words*.csd"):
        file.unlink()
    rng, times = np.random.default_rng(0), np.stack([np.arange(8), np.arange(8) + 1.0], 1)
    kept = {f"vid{v:02d}": (rng.normal(size=(8, 5)), times) for v in (1, 4, 6)}
    write_csd(folder / "TOY_Visual_Facet_42.csd", "FACET_4.2", kept)
    corpus = read(folder)
    assert sorted(corpus.splits["standard"]) == ["test"] * 4 + ["train"] * 4 + ["valid"] * 4
    assert len(corpus.dropped) == 36 and corpus.dropped_part == {}


def test_the_folder_that_the_sdk_deploys_of_cmu_mosei_is_read(tmp_path):
    """Every file and root is named by its key, one of them misspelt; clips are aligned already."""
    rng = np.random.default_rng(0)
    starts = {f"v{v}[{k}]": 3.0 * k for v in range(6) for k in range(3)}
    for root, width in (
        ("All Labels", 7),
        ("glove_vectors", 30),
        ("COAVAREP", 7),
        ("FACET 4.2", 5),
    ):
        count = 1 if width == 7 and "Labels" in root else 5
        entries = {
            clip: (
                rng.uniform(0, 3, (count, width)),
                np.stack([start + np.arange(count), start + np.arange(count) + 1], 1),
            )
            for clip, start in starts.items()
            if (root, clip) != ("FACET 4.2", "v0[0]")
        }
        write_csd(tmp_path / f"{root}.csd", root, entries)
    corpus = read(tmp_path)
    assert len(corpus) == 17 and set(corpus.features) == {"visual", "acoustic", "linguistic"}
    assert corpus.features["acoustic"].source == "COAVAREP"
    assert corpus.dropped == {"v0[0]": "no entry of its video in FACET 4.2.csd"}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Opinion Segment Labels", "labels"),
        ("All Labels", "labels"),
        ("CMU_MOSEI_TimestampedWordVectors", "linguistic"),
        ("glove_vectors_with_sp", "linguistic"),
        ("CMU_MOSI_TimestampedWords", "words"),
        ("CMU_MOSI_TimestampedPhones", "phones"),
        ("OpenSmile-emobase2010", "acoustic"),
        ("COVAREP", "acoustic"),
        ("COAVAREP", "acoustic"),
        ("OpenSMILE", "acoustic"),
        ("FACET 4.2", "visual"),
        ("OpenFace_2", "visual"),
        ("OpenFace_1", "visual"),
        ("FACET_4.1", "visual"),
        ("phonemes", "phones"),
        ("mystery", None),
    ],
)
def test_names_tell_what_a_file_is(name, role):
    assert csd._role(name) == role


# --- what is refused ----------------------------------------------------------------------------


def test_one_file_is_not_a_data_set(tmp_path):
    file = small(tmp_path) / "COVAREP.csd"
    assert csd.detects(file) and not csd.detects(tmp_path.parent)
    assert "found one file; expected the folder of all .csd files" in refusal(file)


def test_a_folder_without_sequences_is_told(tmp_path):
    assert not csd.detects(tmp_path)
    assert "found no .csd file" in refusal(tmp_path)


def test_an_unknown_sequence_is_told_with_the_names_that_are_known(tmp_path):
    folder = small(tmp_path)
    write_csd(folder / "thing.csd", "mystery", {"a": (np.zeros((1, 1)), LABELS[:1])})
    text = refusal(folder)
    assert text.startswith(f"{folder / 'thing.csd'}: found a sequence named 'mystery'; expected")
    assert "covarep, opensmile, facet, openface" in text


def test_two_files_of_one_modality_are_told(tmp_path):
    folder = small(tmp_path)
    write_csd(folder / "opensmile.csd", "OpenSMILE", {"a": (np.zeros((1, 1)), LABELS[:1])})
    assert "found a second file of acoustic, beside COVAREP.csd; expected one" in refusal(folder)


def test_labels_are_needed(tmp_path):
    assert "found no file of labels; expected" in refusal(small(tmp_path, labels=None))


@pytest.mark.parametrize(
    ("root", "features", "times", "found"),
    [
        ("COVAREP", np.zeros((4, 2)), LABELS, "features of shape (4, 2) and intervals of shape"),
        ("COVAREP", np.zeros(3), LABELS, "features of shape (3,) and intervals of shape (3, 2)"),
        ("COVAREP", np.zeros((3, 2)), LABELS[:, :1], "features of shape (3, 2) and intervals"),
        ("COVAREP", np.zeros((3, 2)), LABELS[:, 0], "features of shape (3, 2) and intervals"),
        ("COVAREP", np.zeros((3, 2)), LABELS.astype("S4"), "features of shape (3, 2) and inter"),
        ("COVAREP", np.zeros((3, 9)), LABELS, "acoustic features of shape (1, 2) for clip b[0]"),
        ("COVAREP", np.array([[b"x"]] * 3), LABELS, "text for a; expected numbers"),
        ("COVAREP", np.zeros((3, 2)), LABELS[:, ::-1], "an interval of a that begins at 1 s and"),
        ("COVAREP", np.zeros((3, 2)), LABELS * np.nan, "an interval of a that is no number"),
        ("COVAREP", np.full((3, 2), np.nan), LABELS, "6 acoustic values that are NaN or infinite"),
        ("words", np.zeros((3, 1)), LABELS, "float32 for a; expected a word each"),
        ("labels", np.zeros((3, 2)), LABELS, "labels of shape (3, 2) and type float32 for a"),
        ("labels", np.full((3, 1), 3.5), LABELS, "label 3.5 for clip a[0]; expected a number from"),
        ("labels", np.zeros((3, 1)), LABELS + np.inf, "an interval of a that is no number"),
        ("labels", np.array([[b"x"]] * 3), LABELS, "labels of shape (3, 1) and type <U1 for a"),
        ("words", np.array([[b"x", b"y"]] * 3), LABELS, "features of type |S1 and shape (3, 2)"),
    ],
)
def test_a_misshapen_entry_is_told(tmp_path, root, features, times, found):
    folder = small(tmp_path)
    base = {"labels": (np.zeros((3, 1)), LABELS), "COVAREP": (np.zeros((3, 2)), LABELS)}
    sane = base.get(root, (np.array([[b"w"]] * 3), LABELS))
    text = refusal(small(folder, **{root: {"a": (features, times), "b": sane}}))
    assert f"found {found}" in text


def test_nan_can_be_cleaned(tmp_path):
    values = np.arange(16.0)[:, None] + [[0, 100]]
    values[5, 1], values[13, 0] = np.nan, -np.inf
    folder = small(tmp_path, COVAREP={v: (values, TIMES) for v in "ab"})
    text = refusal(folder)
    assert "found 4 acoustic values that are NaN or infinite, the first for clip a[1]" in text
    assert "--clean" in text
    features = read(folder, clean=True).features["acoustic"]
    assert features.provenance["note"].endswith("; 4 non-finite values replaced by zero")
    words = read(folder, clean=True, align="words").features["acoustic"]
    assert np.isfinite(words.layers[1]).all()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("video,part\na,train\n", "no part for 1 videos, the first b; expected a line for every"),
        ("video,part\na,train\nb,held out\n", "part 'held out' for b; expected train | valid"),
        ("video,part\na,train\nb,test\na,test\n", "two parts for video a; expected every video"),
        ("video,fold\na,1\n", "no column part; expected the columns video, part"),
    ],
)
def test_a_bad_table_of_parts_is_told(tmp_path, content, found):
    folder = small(tmp_path)
    (folder / "splits.csv").write_text(content)
    assert refusal(folder).startswith(f"{folder / 'splits.csv'}: found {found}")


def test_files_that_share_no_video_are_told(tmp_path):
    other = {"z": (np.zeros((3, 2)), LABELS)}
    text = refusal(small(tmp_path, COVAREP=other))
    assert "found no clip that all files have (6 no entry of its video in COVAREP.csd)" in text
