"""HDF5 files of strangers: damage, other layouts, sizes merely claimed, a library that hangs."""

import json
import os
import signal
import sys

import numpy as np
import pytest

from msalib.base import children
from msalib.base.errors import UserError
from msalib.data.readers import hdf5
from tests.data.readers.sequences import LABELS, read, refusal, small

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


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
    assert "features is in another file; expected what the file itself holds" in refusal(folder)
    with h5py.File(target, "w") as file:
        start(file)["features"] = h5py.ExternalLink(str(folder / "labels.csd"), "/labels")
    assert "found 'features' in /COVAREP/data/a is a link; expected" in refusal(folder)
    with h5py.File(target, "w") as file:
        layout = h5py.VirtualLayout((3, 2), "f8")
        start(file).create_virtual_dataset("features", layout)
    assert "is in another file" in refusal(folder)


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
    start = children.Child

    def broken(command, **rest):
        return start([sys.executable, "-c", program], **rest)

    monkeypatch.setattr(children, "Child", broken)
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
