"""Names of added data sets: one folder each, on every system, and never a link in its place."""

import shutil

import pytest

from msalib.base.paths import corpora_folder
from msalib.data import datasets as readers
from msalib.data.readers import formats, names, store
from tests.data.readers.toolbox import message
from tests.fixtures import FIXTURES


@pytest.fixture
def source(tmp_path):
    return FIXTURES["mag"](tmp_path)


def add(path, name, **options):
    return readers.add(path, name, formats.Options(), **options)


@pytest.mark.parametrize("refresh", [False, True])
def test_a_name_in_other_capitals_is_taken(source, refresh):
    """Some systems have one folder for both."""
    add(source, "Mosi-mine")
    text = message(add, source, "mosi-MINE", refresh=refresh)
    assert "found one named 'Mosi-mine', which is the same name on some systems" in text
    assert names.names() == ["Mosi-mine"]
    assert text.endswith("or replace it: --name Mosi-mine --refresh.")
    add(source, "Mosi-mine", refresh=True)
    add(source, "mosi-mine-2")


@pytest.mark.parametrize("name", ["mosi", "MOSI", "Raw-Spoken"])
def test_a_name_of_a_built_in_set_is_taken_in_any_capitals(source, name):
    assert "found the name of a built-in data set" in message(add, source, name)
    assert names.names() == []


@pytest.fixture
def linked(tmp_path, source):
    """A data set on another disk, and a link to it."""
    folder = add(source, "mine")
    elsewhere = tmp_path / "disk" / "mine"
    elsewhere.parent.mkdir()
    shutil.move(folder, elsewhere)
    folder.symlink_to(elsewhere)
    return folder


@pytest.mark.parametrize("there", [True, False], ids=["data", "link to nothing"])
def test_a_link_is_read_and_not_replaced(source, linked, there):
    fingerprint = store.read("mine").fingerprint()
    if not there:
        shutil.rmtree(linked.resolve())
    text = message(add, source, "mine", refresh=True)
    assert f"{linked}: found a link to {linked.resolve()}; expected the data set itself" in text
    assert linked.is_symlink() and [p.name for p in corpora_folder().iterdir()] == ["mine"]
    if there:
        assert store.read("mine").fingerprint() == fingerprint


def test_both_remedies_work(monkeypatch, source, linked):
    disk = linked.resolve().parent
    assert f"Set MSALIB_CORPORA to {disk}, or remove the link" in message(add, source, "mine")
    with monkeypatch.context() as patch:
        patch.setenv("MSALIB_CORPORA", str(disk))
        assert add(source, "mine", refresh=True) == disk / "mine"
    assert len(store.read("mine"))
    linked.unlink()
    assert not add(source, "mine").is_symlink()


def test_a_circle_of_links_is_told(source):
    folder = corpora_folder() / "mine"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to("mine")
    assert "found a link to " in message(names.check_free, "mine", True)
