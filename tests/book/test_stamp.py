"""When a page must run again: whatever it was made of has changed, and nothing else."""

import shutil
from contextlib import contextmanager

import pytest

from msalib.base import paths
from msalib.book import notebooks, stamp, traces
from msalib.book.runner import runner
from tests.book.conftest import written

REPOSITORY = paths.ROOT
CELLS = (
    "from msalib import papers\n"
    "from msalib.base import paths\n"
    "from msalib.data import datasets\n"
    "from msalib.evidence import registry, settings\n"
    "from msalib.evidence.printed import table, testparts\n"
    "from msalib.runs import records",
    "registry.load('uegd'), table.load('uegd'), testparts.parts('mosi'), settings.plan()",
    "found = records.find('uegd', records.Setting('mosei', 'minilm', 'release', 'full'))\n"
    "found[0].metrics, datasets.is_available('mosi')",
    "papers.part('uegd', 'error_rates').measured()",
    "other = paths.EXECUTED / 'other.ipynb'\nother.read_text() if other.is_file() else None",
)
RECORDS = "book/records/uegd/mosei-minilm/release/paper"
FIRST = "linguistic-0-seed0-e4ccd64df979.json"
CHANGED = {
    "source": "notebooks/paper/page.ipynb",
    "record": f"{RECORDS}/{FIRST}",
    "new record": f"{RECORDS}/new.json",
    "measurement": "book/records/power/uegd.json",
    "claims": "book/claims/uegd.yaml",
    "claims of a new paper": "book/claims/sixth.yaml",
    "printed numbers": "book/printed/uegd.csv",
    "sizes of test sets": "book/testparts.yaml",
    "plan": "book/notebooks.yaml",
    "another page": "book/executed/other.ipynb",
    "data set": "data/mosi/clips.npz",
    "imported module": "msalib/evidence/registry.py",
    "module of an imported module": "msalib/evidence/common.py",
    "module that is found by its name": "msalib/papers/uegd/error_rates.py",
    "module of that one": "msalib/papers/uegd/power/cases.py",
    "new paper": "msalib/papers/sixth/__init__.py",
    "recipe": "msalib/models/uegd.yaml",
    "what runs pages": "msalib/book/kernel.py",
    "what makes their copies": "msalib/pages/markdown.py",
}
"""Kind -> file that gets a byte more, or is made."""

OTHER = {
    "records of another paper": "book/records/sugrm/control-planted/release/paper/new.json",
    "records of another setting": "book/records/uegd/mosi-minilm/release/paper/new.json",
    "another notebook": "notebooks/paper/other.ipynb",
    "a module that no one imported": "msalib/pages/clips.py",
    "rendering": "msalib/book/render.py",
    "a chapter": "book/uegd/index.md",
    "a lock": f"{RECORDS}/.{FIRST}.lock",
    "data that no one asked for": "data/meld/clips.npz",
    "another data set of one's own": "corpora/mine/about.json",
    "a style": "book/_static/custom.css",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A small repository with a copy of the package; nothing has run in it."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(traces.PACKAGE, root / "msalib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("claims", "printed", "records/power", "testparts.yaml", "notebooks.yaml"):
        source, copy = REPOSITORY / "book" / name, root / "book" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    (root / RECORDS).mkdir(parents=True)
    shutil.copy(REPOSITORY / RECORDS / FIRST, root / RECORDS)
    (root / "data").mkdir()
    return root


@pytest.fixture
def repository(root, monkeypatch):
    """That repository as the one of this test."""
    lies_at(root, monkeypatch)
    for name in ("PYTHONPATH", "MSALIB_RECORDS", "MSALIB_CORPORA", "MSALIB_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MSALIB_DATA", str(root / "data"))
    return root


def lies_at(root, monkeypatch):
    """Let the repository be the one in this folder."""
    monkeypatch.setattr(paths, "ROOT", root)
    for name in ("notebooks", "book"):
        monkeypatch.setattr(paths, name.upper(), root / name)
    monkeypatch.setattr(paths, "EXECUTED", root / "book" / "executed")
    monkeypatch.setattr(traces, "PACKAGE", root / "msalib")


@pytest.fixture
def page(repository):
    """A page that has run there once for all tests."""
    page = "paper/page", {"dataset": "mosi", "seeds": 2}
    if not notebooks.executed_path(*page).exists():
        written("paper/page", 'dataset = "mosi"\nseeds = 2', *CELLS)
        with runner([page]) as started:
            started.run([page])
    assert stamp.Stamps().fresh(*page)
    return page


@pytest.mark.parametrize("name", CHANGED.values(), ids=CHANGED)
def test_a_page_is_stale_when_something_changed_that_it_is_made_of(repository, page, name):
    with changed(repository / name):
        assert not stamp.Stamps().fresh(*page)
    assert stamp.Stamps().fresh(*page)


@pytest.mark.parametrize("name", OTHER.values(), ids=OTHER)
def test_a_page_is_fresh_whatever_else_has_changed(repository, page, name):
    with changed(repository / name):
        assert stamp.Stamps().fresh(*page)


@contextmanager
def changed(path):
    """Add a byte to a file, or make it, inside the block; its size and time do not tell."""
    before, made = path.read_bytes() if path.exists() else None, []
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((before or b"") + b"\n")
    try:
        yield
    finally:
        path.write_bytes(before) if before is not None else path.unlink()
        for folder in made:
            folder.rmdir()


def test_a_record_that_goes_makes_a_page_stale(repository, page):
    first = repository / RECORDS / FIRST
    first.rename(first.with_name(".gone"))
    assert not stamp.Stamps().fresh(*page)
    first.with_name(".gone").rename(first)
    assert stamp.Stamps().fresh(*page)


def test_a_copy_of_the_repository_is_made_of_its_own_files(repository, page, tmp_path, monkeypatch):
    copy = shutil.copytree(repository, tmp_path / "copy")
    lies_at(copy, monkeypatch)
    assert not stamp.Stamps().fresh(*page)  # it would read the data of the other one
    monkeypatch.setenv("MSALIB_DATA", str(copy / "data"))
    for name in ("record", "imported module", "data set"):
        with changed(copy / CHANGED[name]):
            assert not stamp.Stamps().fresh(*page)
        with changed(repository / CHANGED[name]):
            assert stamp.Stamps().fresh(*page)


def test_other_parameters_or_another_copy_make_a_page_stale(page):
    name, parameters = page
    assert not stamp.Stamps().fresh(name, parameters | {"seeds": 3})
    executed = notebooks.executed_path(*page)
    whole = executed.read_bytes()
    executed.write_bytes(whole[:-1])
    assert not stamp.Stamps().fresh(*page)
    executed.write_bytes(whole)
    assert stamp.Stamps().fresh(*page)


def test_libraries_and_settings_of_this_machine_count(page, monkeypatch):
    with monkeypatch.context() as other:
        other.setattr(stamp, "_libraries", lambda: ["torch 0"])
        assert not stamp.Stamps().fresh(*page)
    with monkeypatch.context() as other:
        other.setenv("MSALIB_DATA", "elsewhere")
        assert not stamp.Stamps().fresh(*page)
    monkeypatch.setenv("MSALIB_TERMINAL", "/dev/null")
    assert stamp.Stamps().fresh(*page)
