"""The frames format: what is read, and every way in which a file is refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from msalib import readers
from msalib.corpus import PARTS
from msalib.errors import UserError
from msalib.readers import frames

MMMO = Path(os.environ.get("MSALIB_DATA") or "not set") / "mmmo"
needs_mmmo = pytest.mark.skipif(not MMMO.is_dir(), reason="no mmmo in MSALIB_DATA")

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
        ({"y_valid": np.ones(0)}, "labels of {'train': 6, 'valid': 0, 'test': 3} rows; expected"),
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
    with pytest.raises(UserError) as error:
        frames.read(write(tmp_path, **changes), "toy")
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'features.npz'}: found {found}")
    assert message.endswith("Check MSALIB_DATA, or restore the file from its source.")
    assert "\n" not in message


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
    with pytest.raises(UserError) as error:
        frames.read(tmp_path, "toy")
    assert f"features.npz: found {found}" in str(error.value)


@needs_mmmo
def test_mmmo_is_what_its_source_counts():
    corpus = readers.load("mmmo")
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [220, 40, 80]
    sizes = {m: f.layers[1].shape[1] for m, f in corpus.features.items()}
    assert sizes == {"visual": 36, "acoustic": 74}
    assert all((f.lengths() == 20).all() for f in corpus.features.values())
    assert readers.DATASETS["mmmo"].modalities == ("visual", "acoustic")
