"""Added data sets: what was read is what is kept, to the last bit; damage and names are told."""

import hashlib
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msalib.base.paths import corpora_folder
from msalib.data import datasets as readers
from msalib.data.corpus import Corpus
from msalib.data.readers import build, digests, formats, meld, names, published, store
from msalib.data.tasks import Regression
from tests.data.readers.toolbox import message
from tests.fixtures import FIXTURES, VARIANTS, mmsa_content, write_pickle

WRITERS = FIXTURES | {name: write for name, (_, write) in VARIANTS.items()}
TEXTS = [
    "NA", "nan", "", "null", 'he said "no", twice', "a\nb", "a\r\nb\rc", " spaced ", "\t", "café",
    "😀",
    "\u2028\u2029\x85\x1c", "\ufeffmark", "'quoted'", "\\n", "1e5", "#", ",", '"', "\n", "\x1a",
]  # fmt: skip


@pytest.fixture
def source(tmp_path):
    return FIXTURES["mmsa"](tmp_path / "source")


def add(path, name="toy", **options):
    return readers.add(path, name, formats.Options(), **options)


def equal(a: Corpus, b: Corpus) -> None:
    pd.testing.assert_frame_equal(a.utterances, b.utterances, check_exact=True)
    assert list(a.splits) == list(b.splits)
    for name in a.splits:
        assert a.splits[name].tolist() == b.splits[name].tolist()
    assert list(a.features) == list(b.features)
    for m, x in a.features.items():
        y = b.features[m]
        assert (x.source, x.unit, dict(x.provenance)) == (y.source, y.unit, dict(y.provenance))
        np.testing.assert_array_equal(x.offsets, y.offsets)
        assert list(x.layers) == list(y.layers)
        for layer in x.layers:
            np.testing.assert_array_equal(x.layers[layer], y.layers[layer])
    assert {m: [f.resolve() for f in v] for m, v in a.media.items()} == dict(b.media)
    assert (a.faces, tuple(a.notes), a.tasks) == (b.faces, b.notes, b.tasks)
    assert (dict(a.dropped), dict(a.dropped_part)) == (b.dropped, b.dropped_part)
    assert dict(b.digests) == digests.of(a)
    assert replace(a, digests=b.digests).fingerprint() == b.fingerprint()


# --- what is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_every_layout_comes_back_as_it_was_read(tmp_path, name):
    path = WRITERS[name](tmp_path / "source")
    corpus, format = formats.convert(path, "toy", formats.Options())
    folder = add(path)
    assert folder == corpora_folder() / "toy"
    equal(corpus, store.read("toy"))
    about = store.about("toy")
    assert (about.format, about.clips) == (format, len(corpus))
    assert about.fingerprint == store.read("toy").fingerprint()
    assert set(about.media) == set(corpus.media) and about.faces == corpus.faces
    store.check("toy")


@pytest.mark.parametrize(
    ("name", "tasks"), [("meld", meld.TASKS), ("mmsa", (Regression(),))], ids=["meld", "mmsa"]
)
def test_a_store_without_tasks_has_those_of_its_format(tmp_path, name, tasks):
    """Stores that were written before there were tasks do not state them."""
    file = add(WRITERS[name](tmp_path / "source")) / "about.json"
    about = json.loads(file.read_text())
    del about["tasks"]
    file.write_text(json.dumps(about))
    assert store.read("toy").tasks == readers.dataset("toy").tasks == tasks


def test_text_and_numbers_come_back_exactly(tmp_path):
    count = len(TEXTS)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "id": [f"v{i // 2}_{i % 2}" for i in range(count)],
            "video": [f"00{i // 2}" for i in range(count)],
            "segment": list(range(count)),
            "text": TEXTS,
            "label": rng.uniform(-3, 3, count),
            "speaker": TEXTS[::-1],
            "label_T": np.where(np.arange(count) % 5 == 0, np.nan, rng.normal(size=count) * 1e-200),
            "first": [i % 2 == 0 for i in range(count)],
        }
    )
    corpus = build.corpus("toy", build.Clips(tmp_path, table, {"standard": ["train"] * count}))
    store.write(corpus, tmp_path, "media")
    equal(corpus, store.read("toy"))


def test_features_are_mapped_and_do_not_write_back(source):
    add(source)
    for features in store.read("toy").features.values():
        assert isinstance(features.layers[1], np.memmap)
        features.layers[1][:] = 0
    store.check("toy")


def test_where_it_came_from(source):
    add(source)
    about = store.about("toy")
    (file,) = about.sources
    assert file.file == "unaligned_50.pkl"
    assert file.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert file.bytes == source.stat().st_size
    assert file.published == about.identity == "not one of the published files"
    assert about.title == formats.reader("mmsa").TITLE
    assert about.raw == ("linguistic",)
    assert about.features["acoustic"].width == 5


def test_a_published_file_is_known(source, monkeypatch):
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    monkeypatch.setitem(published.PUBLISHED, digest, "CMU-MOSI unaligned_50.pkl of the toolkit")
    add(source)
    assert store.about("toy").identity == "CMU-MOSI unaligned_50.pkl of the toolkit"
    assert all(len(digest) == 64 for digest in published.PUBLISHED)


def test_media_are_no_part_of_the_identity(tmp_path):
    add(FIXTURES["media"](tmp_path / "source"))
    about = store.about("toy")
    assert [s.file for s in about.sources] == ["label.csv"]
    assert set(about.raw) == {"visual", "acoustic", "linguistic"}
    for files in store.read("toy").media.values():
        assert all(file.is_absolute() and file.exists() for file in files)


def test_options_are_kept(tmp_path):
    content = mmsa_content()
    content["train"]["audio"][0, 0, 0] = np.nan
    path = write_pickle(tmp_path / "x.pkl", content)
    assert "1 acoustic values that are NaN" in message(add, path)
    store.add(path, "toy", formats.Options(clean=True))
    assert store.about("toy").options.clean


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("unaligned_50.pkl", "unaligned_50"),
        ("a/MOSI data.tar.gz", "mosi-data"),
        ("My.Folder", "my-folder"),
        ("x.zip", "x"),
        (".pkl", "pkl"),
        ("日本", "data"),
    ],
)
def test_a_name_from_a_path(tmp_path, path, name):
    assert names.name_of(tmp_path / path) == name


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a.b", "a b", "/x", "-x", "x\n", "é"])
def test_a_name_is_one_plain_folder(source, name):
    text = message(add, source, name)
    assert "found characters that a name cannot have" in text
    assert not corpora_folder().exists()


def test_the_name_of_a_built_in_data_set_is_refused(source):
    for name in ("control", "mosi"):
        assert "found the name of a built-in data set" in message(add, source, name)


def test_a_name_that_is_taken_is_refused_unless_refreshed(tmp_path, source):
    add(source)
    other = FIXTURES["mag"](tmp_path / "other")
    text = message(add, other)
    assert "found one of that name" in text and "--refresh" in text
    assert store.about("toy").format == "mmsa"
    add(other, refresh=True)
    assert store.about("toy").format == "mag"
    assert store.names() == ["toy"]
    assert sorted(p.name for p in corpora_folder().iterdir()) == ["toy"]


def test_a_name_taken_while_a_command_reads_is_refused(monkeypatch, tmp_path, source):
    convert = formats.convert

    def slowly(*arguments):
        read = convert(*arguments)
        monkeypatch.setattr(formats, "convert", convert)
        add(other)
        return read

    other = FIXTURES["mag"](tmp_path / "other")
    monkeypatch.setattr(formats, "convert", slowly)
    assert "found one of that name" in message(add, source)
    assert store.about("toy").format == "mag"
    store.check("toy")


def test_of_two_that_write_at_once_one_waits(monkeypatch, source):
    corpus, format = formats.convert(source, "toy", formats.Options())
    write, inside, most = store._write, [], []

    def watched(*arguments):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.1)
        about = write(*arguments)
        inside.pop()
        return about

    monkeypatch.setattr(store, "_write", watched)
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(store.write, corpus, source, format, refresh=True) for _ in range(2)]
        assert [m.result() for m in made] == [corpora_folder() / "toy"] * 2
    assert most == [1, 1]
    store.check("toy")


def test_added_data_sets_are_found_by_name(source):
    assert store.names() == []
    add(source, "second")
    add(source, "first")
    assert store.names() == ["first", "second"]
    assert len(readers.load("second")) == 42
    assert readers.dataset("first").read().name == "first"


# --- damage -------------------------------------------------------------------------------------


def test_nothing_is_written_when_reading_fails(tmp_path):
    content = mmsa_content()
    content["train"]["regression_labels"][0] = 9
    message(add, write_pickle(tmp_path / "x.pkl", content))
    assert not corpora_folder().exists()


def test_nothing_is_left_when_the_disk_refuses(source, monkeypatch):
    add(source)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_write_array", full)
    text = message(add, source, refresh=True)
    assert "found it cannot be written (No space left on device)" in text
    assert sorted(p.name for p in corpora_folder().iterdir()) == ["toy"]
    store.check("toy")


def test_a_data_set_that_is_not_there_is_told():
    for call in (store.about, store.read, store.check):
        text = message(call, "toy")
        assert text.startswith("data set 'toy': found no such data set among those added; ")


def test_a_data_set_that_may_not_be_read_is_not_called_damaged(source, monkeypatch):
    """Its description is as it was: to add it again would be the wrong remedy."""
    add(source)

    def deny(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", deny)
    text = message(store.about, "toy")
    assert "found it cannot be read or written (Permission denied)" in text
    assert "Change its permissions" in text


@pytest.mark.parametrize("file", ["about.json", "utterances.csv", "splits.csv", "audio.npy"])
@pytest.mark.parametrize("damage", ["remove", "cut", "change"])
def test_a_damaged_data_set_is_told(source, file, damage):
    folder = add(source)
    path = folder / file.replace("audio", "acoustic")
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "cut" else b"?" + content[1:])
    text = message(store.read, "toy")
    assert text.startswith(f"{path}: found ")
    assert "Add it again: msalib data add PATH --name toy --refresh" in text
    add(source, refresh=True)
    store.check("toy")


def test_damaged_features_are_told(source):
    folder = add(source)
    path = folder / "acoustic_01.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    store.read("toy")  # a bit of a number costs too much to look for each time
    assert "found other content than was written" in message(store.check, "toy")
    path.write_bytes(content[:-1])
    assert f"found {len(content) - 1} bytes; expected {len(content)}" in message(store.read, "toy")
    content[0] = 0
    path.write_bytes(content)
    assert "found no readable array" in message(store.read, "toy")


def test_a_half_written_data_set_is_none(source):
    folder = add(source)
    shutil.copytree(folder, folder.with_name(".other.partial"))
    assert store.names() == ["toy"]


def test_a_replacement_that_was_killed_gives_the_old_data_back(tmp_path):
    path = FIXTURES["mag"](tmp_path)
    folder = store.add(path, "mine", formats.Options())
    before = store.read("mine").fingerprint()
    folder.rename(folder.with_name(".mine.old"))  # killed between two renames
    assert store.names() == ["mine"]
    assert store.read("mine").fingerprint() == before


def test_a_name_is_made_of_letters_without_their_accents():
    assert names.name_of(Path("Ünïcode Clips.pkl")) == "unicode-clips"
