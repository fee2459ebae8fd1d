"""A build: which pages run again, in which order, and what they share."""

import re

import nbformat
import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.book import build as book
from msalib.book import notebooks, render, runner, stamp, traces
from msalib.commands import results


@pytest.fixture
def book_of_one(curve, monkeypatch, tmp_path):
    """A book of one page; pages that ran, in order."""
    (paths.BOOK).mkdir(exist_ok=True)
    (paths.BOOK / "notebooks.yaml").write_text(f"- notebook: {curve}\n")
    monkeypatch.setattr(render, "render", lambda: tmp_path)
    ran, run_notebook = [], notebooks.run_notebook

    def run(notebook, *arguments, **options):
        ran.append(notebook)
        return run_notebook(notebook, *arguments, **options)

    monkeypatch.setattr(notebooks, "run_notebook", run)
    return ran


def test_a_page_runs_again_only_when_something_changed_that_it_is_made_of(book_of_one, curve):
    book.build()
    book.build()
    assert book_of_one == [curve]
    source = notebooks.source_path(curve)
    source.write_text(source.read_text().replace("rate, refresh", "rate"))
    book.build()
    assert book_of_one == [curve, curve]


def test_pages_alone_are_rendered_as_they_are(book_of_one, capsys):
    results.book(pages=True)
    assert not book_of_one and capsys.readouterr().out.startswith("The book is ready: open ")


def test_a_failing_page_stops_the_build_and_the_page_of_pages_is_last(
    book_of_one, write_notebook, curve
):
    for name in ("other", "further"):
        write_notebook(name, "seeds = 2", "seeds")
    executed = "sorted(path.name for path in Path('book/executed').rglob('*.ipynb'))"
    write_notebook("status", "", f"from pathlib import Path\n{executed}")
    names = ["status", curve, "other", "further"]
    (paths.BOOK / "notebooks.yaml").write_text("".join(f"- notebook: {name}\n" for name in names))
    book.build()
    assert sorted(book_of_one[:3]) == ["further", "other", curve] and book_of_one[3:] == ["status"]
    write_notebook("further", "seeds = 2", "seeds + 1")
    book.build()
    assert book_of_one[4:] == ["further", "status"]
    write_notebook("other", "seeds = 2", "1 / 0")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        book.build()
    assert book_of_one[6:] == ["other"]


def test_a_build_says_how_many_pages_are_left(book_of_one, write_notebook, curve, capsys):
    write_notebook("other", "seeds = 2", "seeds")
    (paths.BOOK / "notebooks.yaml").write_text(f"- notebook: {curve}\n- notebook: other\n")
    book.build()
    first, second, rendering, _ = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"1 of 2, about \d+ s left: (other|paper/curve-control)", first)
    assert second.startswith("2 of 2: ") and rendering.startswith("0 of 2 pages were up to date")


def test_a_page_takes_as_long_as_the_last_time_else_as_one_like_it(curve):
    page = curve, notebooks.resolve_parameters(curve, {})
    assert runner._length(page, set()) == runner.SECONDS
    assert runner._length(page, {curve}) == runner.TRAINING_S
    executed = nbformat.read(notebooks.run_notebook(*page), as_version=4)
    assert runner._length(page, {curve}) == executed.metadata.papermill.duration


@pytest.fixture
def book_of_quick_runs(book_of_one, write_notebook):
    """Two pages that look for a quick record; the first to run makes it."""
    run = """import os, pathlib
record = pathlib.Path(os.environ["MSALIB_QUICK_RECORDS"]) / "a"
made = not record.exists()
record.write_text("1") if made else record.read_text()
made"""
    for name in ("first", "second"):
        write_notebook(name, "seeds = 2", run)
    (paths.BOOK / "notebooks.yaml").write_text("- notebook: first\n- notebook: second\n")

    def made(name):
        content = nbformat.read(paths.EXECUTED / f"{name}.ipynb", as_version=4)
        return content.cells[-1].outputs[0].data["text/plain"] == "True"

    return made


def test_quick_runs_are_kept_for_pages_that_change(
    book_of_quick_runs, book_of_one, write_notebook, monkeypatch
):
    monkeypatch.setattr(runner, "TOGETHER", 1)
    book.build()
    assert [book_of_quick_runs(name) for name in ("first", "second")] == [True, False]
    source = notebooks.source_path("first")
    source.write_text(source.read_text().replace('made"', 'made "'))
    book.build()
    assert book_of_one[2:] == ["first"] and not book_of_quick_runs("first")


def test_quick_runs_are_made_anew_by_other_code_that_trains(
    book_of_quick_runs, book_of_one, monkeypatch
):
    monkeypatch.setattr(runner, "TOGETHER", 1)
    book.build()
    pages = [(name, {"seeds": 2}) for name in ("first", "second")]
    assert [stamp.Stamps().fresh(*page) for page in pages] == [True, True]
    monkeypatch.setattr(stamp.Stamps, "training", "of other code")
    assert [stamp.Stamps().fresh(*page) for page in pages] == [False, False]
    book.build()
    assert book_of_one[2:] == ["first", "second"]
    assert book_of_quick_runs("first")
    (kept,) = (paths.EXECUTED / ".quick").iterdir()
    assert kept.name == "of other code"


@pytest.mark.parametrize("floor", stamp.TRAINING)
def test_each_file_of_the_code_that_trains_counts(tmp_path, monkeypatch, floor):
    for name in stamp.TRAINING:
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "recipe.yaml").write_text("a: 1")
    (tmp_path / "pages").mkdir()
    monkeypatch.setattr(traces, "PACKAGE", tmp_path)
    monkeypatch.setattr(stamp, "_settings", lambda: "settings")
    before = stamp.Stamps().training
    (tmp_path / "pages" / "ledger.py").write_text("changed")
    assert stamp.Stamps().training == before
    (tmp_path / floor / "inner" / "recipe.yaml").write_text("a: 2")
    assert stamp.Stamps().training != before


def test_quick_runs_of_a_build_are_its_own(book_of_one, write_notebook, monkeypatch):
    """Others may read theirs while a book is built."""
    show = (
        "from msalib.base.paths import quick_records_folder\nfrom msalib.runs.spec import roots\n"
    )
    show += "[roots('control', p)[0] == quick_records_folder() for p in"
    write_notebook("other", "seeds = 2", f"{show} ('quick', 'full')]")
    (paths.BOOK / "notebooks.yaml").write_text("- notebook: other\n")
    quick = paths.records_folder() / "uegd" / "control-planted" / "release" / "quick" / "a.json"
    quick.parent.mkdir(parents=True)
    quick.write_text("{}")
    book.build()
    assert quick.read_text() == "{}" and paths.quick_records_folder() is None
    content = nbformat.read(paths.EXECUTED / "other.ipynb", as_version=4)
    assert content.cells[-1].outputs[0].data["text/plain"] == "[True, False]"
