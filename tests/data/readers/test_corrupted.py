"""Damaged files of every layout: a clear message or a clean read, never a crash or a hang.

Five hundred copies are damaged at random (seeded), added and read back; what a user is warned of
by name follows, each kind once.
"""

import os
import pickle
import shutil
import signal
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.base.paths import corpora_folder
from msalib.data.readers import formats, store
from tests.data.readers.toolbox import message
from tests.fixtures import FIXTURES, VARIANTS, mmsa_content, write_pickle

WRITERS = FIXTURES | {name: write for name, (_, write) in VARIANTS.items()}
COPIES = {name: 40 for name in WRITERS} | {"csd": 8, "media": 16, "ravdess": 8, "nemo": 16}
"""Copies of each layout; those that are read in processes of their own are slow."""

SECONDS = 60
"""After which a copy counts as hung; they take some hundredths."""


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy with bits flipped, its end cut off, or a block zeroed, doubled or replaced."""
    content = bytearray(content)
    place = int(rng.integers(len(content)))
    block = slice(place, place + int(rng.integers(1, 513)))
    match rng.integers(5):
        case 0:
            for place in rng.integers(0, len(content), int(rng.integers(1, 9))):
                content[place] ^= 1 << int(rng.integers(8))
        case 1:
            del content[place:]
        case 2:
            content[block] = bytes(len(content[block]))
        case 3:
            content[place:place] = content[block]
        case 4:
            few = slice(place, place + int(rng.integers(1, 5)))
            content[few] = rng.integers(0, 256, len(content[few]), dtype=np.uint8).tobytes()
    return bytes(content)


@pytest.fixture(autouse=True)
def no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def alarm():
    """Turns a hang into a failure, where the system has alarms."""

    def ring(*_):
        raise TimeoutError(f"no end after {SECONDS} s")

    if not hasattr(signal, "SIGALRM"):
        yield lambda seconds: None
        return
    before = signal.signal(signal.SIGALRM, ring)
    yield signal.alarm
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def outcome(path: Path) -> str:
    """How adding a path and reading it back ends: a message is one line, nothing half-written."""
    try:
        store.add(path, "copy", formats.Options(), refresh=True)
        corpus = store.read("copy")
        assert len(corpus) and all(np.isfinite(f.layers[1]).all() for f in corpus.features.values())
        return "read"
    except UserError as error:
        text = str(error)
        assert text.isprintable() and len(text) < 5000 and "; expected " in text
        left = [p.name for p in corpora_folder().iterdir()] if corpora_folder().exists() else []
        assert set(left) <= {"copy"}
        return "error"


def test_five_hundred_copies_are_damaged():
    assert sum(COPIES.values()) >= 500 and set(COPIES) == set(WRITERS)


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_copies_end_in_a_message_or_a_read(tmp_path, alarm, name):
    source = tmp_path / "source"
    path = WRITERS[name](source)
    files = sorted(p for p in source.rglob("*") if p.is_file())
    found = Counter()
    for number in range(COPIES[name]):
        rng = np.random.default_rng([number, len(name)])
        file = files[int(rng.integers(len(files)))]
        content = file.read_bytes()
        file.write_bytes(damaged(content, rng))
        alarm(SECONDS)
        found[outcome(path)] += 1
        alarm(0)
        file.write_bytes(content)
    assert found["error"] + found["read"] == COPIES[name]
    # Clips of sound are not opened before they are encoded.
    assert found["error"] or name in ("media", "ravdess", "nemo")
    assert outcome(path) == "read"


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz"])
def test_damaged_archives_end_in_a_message_or_a_read(tmp_path, alarm, end):
    FIXTURES["mag"](tmp_path / "source")
    kind = {".zip": "zip", ".tar": "tar", ".tar.gz": "gztar"}[end]
    archive = Path(shutil.make_archive(str(tmp_path / "archive"), kind, tmp_path / "source"))
    content = archive.read_bytes()
    for number in range(20):
        archive.write_bytes(damaged(content, np.random.default_rng([number, 99])))
        alarm(SECONDS)
        outcome(archive)
        alarm(0)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == [archive.name]


def test_damaged_clips_end_in_a_message_or_a_read(tmp_path):
    """Where they are decoded: in workers, as an extraction does."""
    media = pytest.importorskip("msalib.encoders.media")
    workers = pytest.importorskip("msalib.encoders.workers")
    FIXTURES["media"](tmp_path / "source")
    sound = sorted((tmp_path / "source").rglob("*.wav"))[0]
    picture = sorted((tmp_path / "source").rglob("*.png"))[0]
    for file, function, arguments in (
        (sound, media.sound, ("first",)),
        (picture, media.look, ("article", "whole")),
    ):
        tasks = []
        for number in range(20):
            copy = tmp_path / f"{number}{file.suffix}"
            copy.write_bytes(damaged(file.read_bytes(), np.random.default_rng([number, 7])))
            tasks.append((copy, *arguments))
        results = list(workers.run(function, tasks, 1))
        assert len(results) == 20
        errors = [result for result in results if isinstance(result, UserError)]
        assert all("; expected " in str(error) for error in errors)
        assert errors or file == sound  # a .wav with less sound than it says is a shorter one


# --- by name ------------------------------------------------------------------------------------


class Harm:
    """An object whose pickle runs a command."""

    def __reduce__(self):
        return os.system, ("touch there",)


def archived(folder: Path) -> Path:
    path = folder / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fine.pkl", pickle.dumps(mmsa_content()))
        archive.writestr("../../evil.pkl", b"evil")
    return path


def truncated(folder: Path) -> Path:
    for file in sorted(FIXTURES["csd"](folder).glob("*.csd"))[:1]:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return folder


def changed(key: str, value, at=None):
    """Write an MMSA pickle with another value in one of its entries."""

    def write(folder: Path) -> Path:
        content = mmsa_content()
        part, name = key.split("/")
        if at is None:
            content[part][name] = value
        else:
            content[part][name][at] = value
        return write_pickle(folder / "x.pkl", content)

    return write


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (changed("test/more", Harm()), f"a pickle that uses {os.system.__module__}.system;"),
        (archived, "the name '../../evil.pkl', which leads out of it"),
        (truncated, "truncated or damaged"),
        (changed("test/audio", np.nan, (3, 1, 2)), "1 acoustic values that are NaN or infinite"),
        (changed("valid/vision_lengths", 21, 2), "vision_lengths 21 for clip vid08$_$2 in valid"),
        (changed("train/regression_labels", -3.5, 5), "regression_labels -3.5 for clip vid01$_$2"),
        (changed("test/id", "vid00$_$0", 0), "two clips with the id vid00$_$0 (in train and test)"),
    ],
)
def test_what_a_user_is_warned_of_by_name_leaves_nothing(
    refused, tmp_path, monkeypatch, write, found
):
    """One message, status 2, nothing half-written."""
    monkeypatch.chdir(tmp_path)
    source = write(tmp_path / "source") if write is not archived else write(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert found in refused("data", "add", source, "--name", "mine")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pickle_that_runs_code_would():
    """As it has no harm to do elsewhere either."""
    with pytest.raises(AttributeError):
        pickle.loads(pickle.dumps(Harm()).replace(b"system", b"sistem"))


def test_what_can_be_cleaned_and_what_is_long_is_read(tmp_path):
    path = changed("test/audio", np.nan, (3, 1, 2))(tmp_path)
    assert "--clean" in message(store.add, path, "mine", formats.Options())
    store.add(path, "mine", formats.Options(clean=True))
    note = store.about("mine").features["acoustic"].provenance["note"]
    assert "1 non-finite values replaced" in note
    words = " ".join(f"word{i}" for i in range(2000))
    texts = [words, *mmsa_content()["train"]["raw_text"][1:]]
    store.add(changed("train/raw_text", texts)(tmp_path), "long", formats.Options())
    assert store.read("long").utterances["text"].iloc[0] == words
