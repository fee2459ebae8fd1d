"""CMU SDK sequences: how clips are cut, what is dropped, and every way a folder is refused."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import PARTS
from msalib.data.readers import csd, hdf5
from msalib.data.readers.formats import Options
from tests import fixtures_more
from tests.data.readers.toolbox import message
from tests.fixtures_more import write_csd

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

LABELS = np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]])
WORDS = [("sp", 0, 0.1), ("good", 0.1, 0.5), ("film", 0.5, 1.0), ("bad", 1.1, 1.9), ("so", 3, 3.5)]


def small(folder, **changes):
    """Two videos, three labels each; frames every 0.25 s count up. A change of None: no file."""
    entries = {
        "labels": {v: (np.array([[1.0], [-2.0], [0.5]]), LABELS) for v in "ab"},
        "words": {
            v: (np.array([[w[0].encode()] for w in WORDS]), np.array([w[1:] for w in WORDS]))
            for v in "ab"
        },
        "COVAREP": {
            v: (
                np.arange(16.0)[:, None] + [[0, 100]],
                np.stack([np.arange(16) / 4, np.arange(1, 17) / 4], 1),
            )
            for v in "ab"
        },
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    for root, content in entries.items():
        if content is not None:
            write_csd(folder / f"{root}.csd", root, content)
    return folder


def changed(entries, video, features=None, times=None):
    """One video of some entries with other features or intervals."""
    old = entries[video]
    new = (old[0] if features is None else features, old[1] if times is None else times)
    return entries | {video: new}


def read(folder, **options):
    return csd.read(folder, "toy", Options(**options))


def refusal(folder, **options) -> str:
    return message(read, folder, **options)


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
    times = np.stack([np.arange(16) / 4, np.arange(1, 17) / 4], 1)
    mixed = {v: (np.arange(16.0)[order, None], times[order]) for v in "ab"}
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
    entries = {"a": (np.zeros((4, 2)), np.array([[0, 0.5], [0.5, 1], [1, 1.5], [1.5, 2]]))}
    write_csd(folder / "facet.csd", "FACET", entries)
    unlabelled = {"a": (np.array([[1.0], [np.nan], [1]]), LABELS)}
    corpus = read(small(folder, labels=unlabelled | {"b": unlabelled["a"]}))
    assert list(corpus.utterances.index) == ["a[0]"]
    assert corpus.dropped == {
        "a[1]": "no label",
        "a[2]": "no visual frame in its interval",
        **{f"b[{k}]": "no entry of its video in facet.csd" for k in range(3)},
    }
    assert set(corpus.dropped_part) == set(corpus.dropped)
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
        ("FACET 4.2", "visual"),
        ("OpenFace_2", "visual"),
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
    times = np.stack([np.arange(16) / 4, np.arange(1, 17) / 4], 1)
    folder = small(tmp_path, COVAREP={v: (values, times) for v in "ab"})
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


# --- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_told(tmp_path, share):
    file = small(tmp_path) / "COVAREP.csd"
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    text = refusal(tmp_path)
    assert text.startswith(f"{file}: found not a readable HDF5 file (")
    assert "truncated or damaged: restore it" in text


def test_a_file_that_is_no_hdf5_is_told(tmp_path):
    (small(tmp_path) / "words.csd").write_bytes(b"not HDF5 at all" * 100)
    assert f"{tmp_path / 'words.csd'}: found not a readable HDF5 file" in refusal(tmp_path)


def test_hdf5_of_another_layout_is_told(tmp_path):
    folder = small(tmp_path)
    with h5py.File(folder / "COVAREP.csd", "w") as file:
        file["COVAREP/a"] = np.zeros(3)
    assert "found no 'data' in /COVAREP; expected /<root>/data/<video>" in refusal(folder)
    with h5py.File(folder / "COVAREP.csd", "w") as file:
        file["one/data"] = file["two/data"] = np.zeros(3)
    assert "found 2 groups at the top: one, two; expected one" in refusal(folder)


def test_nothing_outside_the_file_is_read(tmp_path):
    folder = small(tmp_path)
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 48)
    target = folder / "COVAREP.csd"

    def start(file):
        entry = file.create_group("COVAREP/data/a")
        entry["intervals"] = LABELS
        return entry

    with h5py.File(target, "w") as file:
        start(file).create_dataset("features", (3, 2), "f8", external=[(str(secret), 0, 48)])
    assert "features lies in another file; expected what the file itself holds" in refusal(folder)
    with h5py.File(target, "w") as file:
        start(file)["features"] = h5py.ExternalLink(str(folder / "labels.csd"), "/labels")
    assert "found 'features' in /COVAREP/data/a is a link; expected" in refusal(folder)
    with h5py.File(target, "w") as file:
        layout = h5py.VirtualLayout((3, 2), "f8")
        start(file).create_virtual_dataset("features", layout)
    assert "lies in another file" in refusal(folder)


def test_an_array_larger_than_its_file_is_told(tmp_path):
    folder = small(tmp_path)
    with h5py.File(folder / "COVAREP.csd", "w") as file:
        entry = file.create_group("COVAREP/data/a")
        entry.create_dataset("features", (10**10, 2), "f4", chunks=(10**4, 2))  # nothing stored
        entry["intervals"] = LABELS
    assert "features of shape (10000000000, 2); expected an array of up to 1 GiB" in refusal(folder)


def test_a_small_file_cannot_mean_too_much(tmp_path):
    folder = small(tmp_path)
    with h5py.File(folder / "COVAREP.csd", "a") as file:
        group = file["COVAREP/data/a"]
        del group["features"], group["intervals"]
        # Never written: zeros that cost nothing.
        group.create_dataset("features", (2**28, 1), "f4", chunks=(1024, 1))
        group.create_dataset("intervals", (2**28, 2), "f2", chunks=(1024, 2))
    assert "found far more data than the file has bytes" in refusal(folder)


def test_names_that_cannot_be_printed_are_told(tmp_path):
    folder = small(tmp_path, COVAREP={"a\nb": (np.zeros((3, 2)), LABELS)})
    assert r"found the name 'a\nb'; expected names of printable" in refusal(folder)


def test_metadata_may_be_missing_or_no_json(tmp_path):
    folder = small(tmp_path)
    with h5py.File(folder / "COVAREP.csd", "a") as file:
        del file["COVAREP/metadata"]
    with h5py.File(folder / "words.csd", "a") as file:
        file["words/metadata/creator"][0] = "{no json"
    assert len(read(folder)) == 6


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("import time; time.sleep(60)", "no end of reading: the HDF5 library was silent for 0.3"),
        ("import os; os.kill(os.getpid(), 11)", f"reading it ends the process (status {-11})"),
    ],
)
def test_a_library_that_hangs_or_crashes_is_told(tmp_path, monkeypatch, program, found):
    """Instead of files that make it do so, which other versions of the library may refuse."""
    monkeypatch.setattr(hdf5, "SILENCE", 0.3)
    start = subprocess.Popen

    def broken(command, **rest):
        return start([sys.executable, "-c", program], **rest)

    monkeypatch.setattr(hdf5.subprocess, "Popen", broken)
    assert f"found {found}" in refusal(small(tmp_path))


def test_a_child_that_breaks_after_an_answer_is_started_again(tmp_path):
    folder = small(tmp_path)
    with hdf5.Sequences() as sequences:
        for file in sorted(folder.iterdir()):
            assert sequences.head(file)[0] == file.stem
            os.kill(sequences._child.pid, signal.SIGKILL)
            sequences._child.wait()


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    folder = small(tmp_path)
    monkeypatch.setattr(hdf5.importlib.util, "find_spec", lambda name: None)
    assert 'pip install -e ".[media]"' in refusal(folder)


def test_damaged_copies_end_in_a_clean_error_or_a_clean_read(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "SILENCE", 3)
    folder = small(tmp_path)
    files = {file: file.read_bytes() for file in sorted(folder.iterdir())}
    rng = np.random.default_rng(0)
    ended = {"read": 0, "refused": 0}
    for _ in range(8):
        file = list(files)[rng.integers(len(files))]
        content = bytearray(files[file])
        for place in rng.integers(0, len(content), 8):
            content[place] ^= 1 << rng.integers(8)
        file.write_bytes(content)
        try:
            read(folder)
            ended["read"] += 1
        except UserError as error:
            assert "\n" not in str(error)
            json.dumps(str(error)).encode()
            ended["refused"] += 1
        file.write_bytes(files[file])
    assert sum(ended.values()) == 8
