"""The frames format: what is read, and every way in which a file is refused."""

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import PARTS
from msalib.data.readers import frames
from msalib.data.readers.formats import Options
from tests import fixtures_more
from tests.data.readers.toolbox import DATA, message, needs

COUNTS = {"train": 6, "valid": 2, "test": 3}


def arrays(**changes):
    """A small file; a change of None takes an array away."""
    rng = np.random.default_rng(0)
    stored = {}
    for part, n in COUNTS.items():
        stored[f"video_{part}"] = rng.normal(size=(n, 4, 3)).astype(np.float32)
        stored[f"audio_{part}"] = rng.normal(size=(n, 4, 5))
        stored[f"y_{part}"] = rng.choice(np.arange(1, 5.5, 0.5), n).astype(np.float32)
    return {k: v for k, v in (stored | changes).items() if v is not None}


def write(folder, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "features.npz", **arrays(**changes))
    return folder


def test_every_row_is_a_clip_and_a_video_of_its_part(tmp_path):
    corpus = frames.read(write(tmp_path), "toy")
    stored = arrays()
    assert len(corpus) == 11 and not corpus.dropped
    assert corpus.utterances["video"].is_unique
    assert list(corpus.splits) == ["standard"]
    labels = np.concatenate([stored[f"y_{part}"] for part in PARTS])
    np.testing.assert_allclose(corpus.utterances["label"], labels - 3)
    assert {m: f.layers[1].shape for m, f in corpus.features.items()} == {
        "visual": (44, 3),
        "acoustic": (44, 5),
    }
    for part in PARTS:
        rows = corpus.rows(part, "standard")
        assert len(rows) == COUNTS[part]
        batch = corpus.examples(rows, inputs={"visual": 1, "acoustic": 1})
        import torch

        first = batch.batch(torch.tensor([1]))
        np.testing.assert_allclose(first.features["acoustic"], stored[f"audio_{part}"][1], 1e-6)
        np.testing.assert_allclose(first.features["visual"], stored[f"video_{part}"][1], 1e-6)


def test_labels_may_have_a_column_of_their_own(tmp_path):
    columns = {f"y_{part}": arrays()[f"y_{part}"][:, None] for part in PARTS}
    one, other = (frames.read(write(tmp_path, **c), "toy") for c in ({}, columns))
    assert one.fingerprint() == other.fingerprint()


def test_labels_may_be_whole_numbers(tmp_path):
    """Unsigned ones, too, which have no minus."""
    whole = {f"y_{part}": np.ones(n, np.uint8) for part, n in COUNTS.items()}
    assert set(frames.read(write(tmp_path, **whole), "toy").utterances["label"]) == {-2.0}


def test_features_are_known_by_their_values(tmp_path):
    one, again = (frames.read(write(tmp_path), "toy").features for _ in range(2))
    changed = arrays()["audio_test"] + 1
    other = frames.read(write(tmp_path, audio_test=changed), "toy").features
    assert one["acoustic"].provenance == again["acoustic"].provenance
    assert one["acoustic"].provenance["values"] != other["acoustic"].provenance["values"]
    assert one["visual"].provenance == other["visual"].provenance


def bad(name, place, value):
    changed = arrays()[name].copy()
    changed[place] = value
    return {name: changed}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        *(({name: None}, f"not a readable feature file ('{name} is not a") for name in arrays()),
        (bad("y_train", 0, 0.5), "labels that are no numbers from 1 to 5; expected one label per"),
        (bad("y_test", 2, 5.5), "labels that are no numbers from 1 to 5"),
        (bad("y_valid", 1, np.nan), "labels that are no numbers from 1 to 5"),
        ({"y_test": np.ones(4)}, "video of shapes {'train': (6, 4, 3), 'valid': (2, 4, 3)"),
        ({"y_train": np.ones((6, 2))}, "video of shapes {"),
        ({"y_valid": np.ones(0)}, "video of shapes {'train': (6, 4, 3), 'valid': (2, 4, 3)"),
        ({f"y_{part}": np.ones(0) for part in COUNTS}, "labels of {'train': 0, 'valid': 0, "),
        ({"y_test": np.array(["1", "2", "3"])}, "y_test of type <U1; expected numbers"),
        ({"video_test": np.full((3, 4, 3), "x")}, "video_test of type <U1; expected numbers"),
        ({"audio_test": np.zeros((3, 5))}, "audio of shapes {"),
        ({"audio_valid": np.zeros((3, 4, 5))}, "audio of shapes {"),
        (bad("audio_train", (0, 1, 2), np.inf), "1 values of audio that are NaN or infinite"),
        (bad("video_valid", (0, slice(2), 1), np.nan), "2 values of video that are NaN or inf"),
        ({"audio_test": np.zeros((3, 4, 6))}, "audio of shapes {"),
        ({"audio_test": np.zeros((3, 7, 5))}, "audio of shapes {"),
        ({f"audio_{p}": np.zeros((n, 0, 5)) for p, n in COUNTS.items()}, "audio of shapes {"),
        ({"audio_train": np.float64(3)}, "audio of shapes {'train': (), 'valid': (2, 4, 5)"),
        ({"video_test": np.array([{}] * 3, object)}, "not a readable feature file (Object arrays"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_refused_in_one_line(tmp_path, changes, found):
    text = message(frames.read, write(tmp_path, **changes), "toy")
    assert text.startswith(f"{tmp_path / 'features.npz'}: found {found}")
    assert text.endswith("Check MSALIB_DATA, or restore the file from its source.")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no such file; expected arrays video_train"),
        (b"", "not a readable feature file"),
        (b"not a zip at all", "not a readable feature file"),
        ("cut", "not a readable feature file"),
    ],
)
def test_a_missing_or_damaged_file_is_told(tmp_path, content, found):
    if content == "cut":
        path = write(tmp_path) / "features.npz"
        content = path.read_bytes()[:-300]
    if content is not None:
        (tmp_path / "features.npz").write_bytes(content)
    assert f"features.npz: found {found}" in message(frames.read, tmp_path, "toy")


@needs("mmmo")
def test_mmmo_is_what_its_source_counts():
    corpus = readers.load("mmmo")
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [220, 40, 80]
    sizes = {m: f.layers[1].shape[1] for m, f in corpus.features.items()}
    assert sizes == {"visual": 36, "acoustic": 74}
    assert all((f.lengths() == 20).all() for f in corpus.features.values())
    assert readers.DATASETS["mmmo"].modalities == ("visual", "acoustic")


# --- what is added as a format ------------------------------------------------------------------


def test_a_folder_and_its_file_are_detected_but_not_a_pack(tmp_path):
    folder = write(tmp_path)
    assert frames.detects(folder) and frames.detects(folder / "features.npz")
    assert frames.read(folder / "features.npz", "toy").fingerprint() == (
        frames.read(folder, "toy", Options()).fingerprint()
    )
    (folder / "utterances.csv").write_text("id\n")
    assert not frames.detects(folder)


def test_conventions_of_mmmo_are_noted(tmp_path):
    corpus = frames.read(fixtures_more.mmmo(tmp_path), "toy", Options())
    assert corpus.notes[0] == "label is the source's, 1 to 5, less 3"
    assert corpus.notes[1] == frames.NO_TEXT and "linguistic" not in corpus.features


def test_values_that_are_not_finite_can_be_cleaned(tmp_path):
    folder = write(tmp_path, **bad("audio_train", (0, 1, 2), np.inf))
    features = frames.read(folder, "toy", Options(clean=True)).features["acoustic"]
    assert features.layers[1][1, 2] == 0
    assert features.provenance["note"].endswith("; 1 non-finite values replaced by zero")


def test_classes_of_youtube_become_minus_one_to_one(tmp_path):
    corpus = frames.read(fixtures_more.youtube(tmp_path), "toy", Options())
    with np.load(tmp_path / "features.npz") as stored:
        given = np.concatenate([stored[f"y_{part}"] for part in PARTS])
    assert corpus.utterances["label"].tolist() == (given @ [-1, 0, 1]).tolist()
    assert set(corpus.utterances["label"]) == {-1.0, 0.0, 1.0}
    assert "unverified" in corpus.notes[0]


def changed(folder, name, place, value):
    """The folder with another value in one of its arrays."""
    with np.load(folder / "features.npz") as stored:
        content = dict(stored)
    content[name][place] = value
    np.savez(folder / "features.npz", **content)
    return folder


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [2, 0, 0], [np.nan, 1, 0]])
def test_classes_are_one_hot(tmp_path, row):
    folder = changed(fixtures_more.youtube(tmp_path), "y_valid", 2, row)
    with pytest.raises(UserError, match="found labels that are not one-hot; expected one of 3"):
        frames.read(folder, "toy", Options())


@pytest.mark.parametrize("target", [0, 8, 16])
def test_a_trait_of_pom_is_chosen(tmp_path, target):
    corpus = frames.read(fixtures_more.pom(tmp_path), "toy", Options(target=target))
    with np.load(tmp_path / "features.npz") as stored:
        given = np.concatenate([stored[f"y_{part}"] for part in PARTS])[:, target]
    kept = given[given >= 1]
    assert corpus.utterances["label"].to_numpy() == pytest.approx(kept - 4, abs=1e-6)
    assert f"label is trait {target} of 17" in corpus.notes[0]
    assert corpus.features["visual"].provenance["note"] == frames.UNNAMED
    if target == 8:
        assert set(corpus.dropped) == {"train_023", "valid_007", "test_009"}
        assert corpus.dropped["test_009"] == "trait 8 is 0.667, below its scale"
        assert corpus.dropped_part["test_009"] == "test"
        assert corpus.notes[1] == "3 clips dropped whose trait is below 1"
    else:
        assert not corpus.dropped


@pytest.mark.parametrize("target", [-1, 17])
def test_a_trait_that_is_none_is_told(tmp_path, target):
    with pytest.raises(UserError, match=rf"target {target}: found no such trait; .* 0 to 16"):
        frames.read(fixtures_more.pom(tmp_path), "toy", Options(target=target))


@pytest.mark.parametrize("value", [7.5, -1, np.nan])
def test_a_trait_off_its_scale_is_told(tmp_path, value):
    folder = changed(fixtures_more.pom(tmp_path), "y_test", (0, 3), value)
    with pytest.raises(UserError, match="found trait 3 off its scale; expected numbers from 1 to"):
        frames.read(folder, "toy", Options(target=3))
    assert len(frames.read(folder, "toy", Options(target=2))) == 42


def test_parts_have_the_same_kind_of_labels(tmp_path):
    changes = {f"y_{p}": np.eye(3)[np.zeros(n, int)] for p, n in COUNTS.items()}
    with pytest.raises(UserError, match=r"labels of shapes .*; expected the same labels in every"):
        frames.read(write(tmp_path, **(changes | {"y_test": np.ones(3)})), "toy")


@needs("youtube")
def test_youtube_is_what_its_source_counts():
    corpus = frames.read(DATA / "youtube", "youtube", Options())
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [173, 36, 60]
    counts = corpus.utterances["label"].value_counts().to_dict()
    assert counts == {-1.0: 72 + 9 + 27, 0.0: 43 + 16 + 21, 1.0: 58 + 11 + 12}


@needs("pom")
def test_pom_is_what_its_source_counts():
    corpus = frames.read(DATA / "pom", "pom", Options())
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [600, 100, 203]
    sizes = {m: f.layers[1].shape[1] for m, f in corpus.features.items()}
    assert sizes == {"visual": 41, "acoustic": 43}
    assert set(frames.read(DATA / "pom", "pom", Options(target=8)).dropped) == {"test_117"}


@needs("mmmo")
@pytest.mark.parametrize(
    ("name", "fingerprint"), [("mmmo", "c452bdbd7297"), ("mmmo-stretched", "0dd901f6e035")]
)
def test_mmmo_is_the_corpus_that_records_name(name, fingerprint):
    assert readers.load(name).fingerprint().startswith(fingerprint)
