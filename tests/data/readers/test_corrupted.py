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
from tests.fixtures import FIXTURES, VARIANTS, mmsa_content, write_pickle

WRITERS = FIXTURES | {name: write for name, (_, write) in VARIANTS.items()}
COPIES = {name: 40 for name in WRITERS} | {"csd": 8, "media": 16}
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
    assert found["error"] or name == "media"  # its clips are not opened before they are encoded
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
        (picture, media.look, ("paper", "whole")),
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


def message(path: Path, **options) -> str:
    """What a user is told, who then has nothing half-written."""
    with pytest.raises(UserError) as error:
        store.add(path, "mine", formats.options(**options))
    assert not corpora_folder().exists()
    return str(error.value)


def test_a_pickle_that_runs_code(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'there'}",)

    path = write_pickle(tmp_path / "x.pkl", mmsa_content() | {"more": Harm()})
    assert f"{path}: found a pickle that uses {os.system.__module__}.system;" in message(path)
    assert not (tmp_path / "there").exists()
    with pytest.raises(AttributeError):  # as it has no harm to do elsewhere either
        pickle.loads(pickle.dumps(Harm()).replace(b"system", b"sistem"))


def test_an_archive_with_a_name_that_leads_out(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fine.pkl", pickle.dumps(mmsa_content()))
        archive.writestr("../../evil.pkl", b"evil")
    assert "found the name '../../evil.pkl', which leads out of it" in message(path)
    assert [p.name for p in tmp_path.rglob("*")] == ["x.zip"]


def test_a_truncated_csd(tmp_path):
    folder = FIXTURES["csd"](tmp_path / "source")
    for file in sorted(folder.glob("*.csd")):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
        text = message(folder)
        assert str(file) in text and "truncated or damaged" in text
        file.write_bytes(content)


def test_nan_in_covarep(tmp_path):
    content = mmsa_content()
    content["test"]["audio"][3, 1, 2] = np.nan
    path = write_pickle(tmp_path / "x.pkl", content)
    text = message(path)
    assert "found 1 acoustic values that are NaN or infinite, the first for clip vid12$_$0" in text
    assert "--clean" in text
    store.add(path, "mine", formats.options(clean=True))
    assert (
        "1 non-finite values replaced"
        in store.about("mine").features["acoustic"].provenance["note"]
    )


def test_lengths_larger_than_arrays(tmp_path):
    content = mmsa_content()
    content["valid"]["vision_lengths"][2] = 21
    text = message(write_pickle(tmp_path / "x.pkl", content))
    assert (
        "found vision_lengths 21 for clip vid08$_$2 in valid; expected a whole number from" in text
    )


def test_labels_outside_the_range(tmp_path):
    content = mmsa_content()
    content["train"]["regression_labels"][5] = -3.5
    text = message(write_pickle(tmp_path / "x.pkl", content))
    assert (
        "found regression_labels -3.5 for clip vid01$_$2 in train; expected labels from -3" in text
    )


def test_two_clips_with_one_id(tmp_path):
    content = mmsa_content()
    content["test"]["id"][0] = content["train"]["id"][0]
    text = message(write_pickle(tmp_path / "x.pkl", content))
    assert (
        "found two clips with the id vid00$_$0 (in train and test); expected every id once" in text
    )


def test_a_transcript_of_2000_words_is_read(tmp_path):
    content = mmsa_content()
    words = " ".join(f"word{i}" for i in range(2000))
    content["train"]["raw_text"] = [words, *content["train"]["raw_text"][1:]]
    store.add(write_pickle(tmp_path / "x.pkl", content), "mine", formats.Options())
    assert store.read("mine").utterances["text"].iloc[0] == words
