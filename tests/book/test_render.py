"""Rendering: what has changed is rendered again and nothing else, and no warning is ever lost."""

import os
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.book import render

BOOK = paths.BOOK


@pytest.fixture
def book(tree):
    """A small book: a first page that shows a result of a notebook, the notebook, a third page."""
    shutil.copytree(BOOK / "_static", tree / "book" / "_static")
    shutil.copy(BOOK / "conf.py", tree / "book")
    (tree / "book" / "references.bib").touch()
    pages = "".join(f"- file: book/{name}\n" for name in ("executed/one", "third"))
    toc = f"format: jb-book\nroot: book/intro\nchapters:\n{pages}"
    (tree / "book" / "_toc.yml").write_text(toc)
    (tree / "book" / "redirects.yaml").write_text("book/old/second: book/executed/one\n")
    glued = "# Title\n\nIt is {glue:text}`executed/one.ipynb::result:s`.\n"
    (tree / "book" / "intro.md").write_text(glued)
    (tree / "book" / "third.md").write_text("# Third\n\nSee nothing.\n")
    write("One", "41")
    return tree / "book"


def write(title: str, result: str) -> None:
    """Write the executed notebook, which glues its result."""
    glue = {"name": "result", "mime_prefix": "application/papermill.record/"}
    data = {"application/papermill.record/text/plain": f"'{result}'"}
    output = new_output("display_data", data=data, metadata={"scrapbook": glue})
    cell = new_code_cell("show()", outputs=[output], execution_count=1)
    metadata = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}
    metadata["kernelspec"] |= {"display_name": "Python 3"}
    notebook = new_notebook(cells=[new_markdown_cell(f"# {title}"), cell], metadata=metadata)
    path = paths.EXECUTED / "one.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


def read(book, name: str) -> str:
    return (book.parent / "_build" / "html" / "book" / f"{name}.html").read_text()


def written(book) -> dict[str, int]:
    """When each page was written."""
    pages = (book.parent / "_build" / "html" / "book").rglob("*.html")
    return {page.stem: page.stat().st_mtime_ns for page in pages}


def rendered(book) -> set[str]:
    """The pages of the book that a rendering writes again."""
    before = written(book)
    render.render()
    return {page for page, time in written(book).items() if time != before.get(page)} - {"second"}


def test_what_has_changed_is_rendered_again_and_nothing_else(book):
    assert render.render() == book.parent / "_build" / "html" / "index.html"
    assert ">41<" in read(book, "intro")
    assert rendered(book) == set()
    write("One", "42")  # the first page shows the result
    assert rendered(book) == {"one", "intro"} and ">42<" in read(book, "intro")
    page, times = book / "third.md", (book / "third.md").stat()
    page.write_text("# Third\n\nSee others.\n")
    os.utime(page, ns=(times.st_atime_ns, times.st_mtime_ns))  # as old as it was
    assert rendered(book) - {"intro"} == {"third"}  # the first page lists it
    assert "See others" in read(book, "third")
    write("Another", "42")  # every page lists the others by name
    assert rendered(book) == {"one", "intro", "third"} and ">Another<" in read(book, "third")


def test_a_warning_stops_the_build_each_time_and_leaves_the_last_site(book):
    index = render.render()
    whole = read(book, "third")
    (book / "third.md").write_text("# Third\n\nSee [this](missing.md).\n")
    for _ in range(2):  # the second time it has been read
        with pytest.raises(UserError, match=r"third.md:3: WARNING.*missing"):
            render.render()
    assert index.is_file() and read(book, "third") == whole
    assert not list(book.parent.glob("._build*"))


def test_all_is_rendered_where_the_last_site_is_not_what_was_made(book, monkeypatch):
    render.render()
    damaged = book.parent / "_build" / "html" / "book" / "third.html"
    damaged.write_text("half a pa")
    assert rendered(book) == {"one", "intro", "third"} and "Third" in read(book, "third")
    monkeypatch.setattr(render, "_made_with", lambda: "other libraries")
    assert rendered(book) == {"one", "intro", "third"}


def test_an_old_address_leads_on_with_what_follows_it(book):
    render.render()
    page = read(book, "old/second")
    assert 'content="0; url=../executed/one.html"' in page
    assert 'rel="canonical" href="../executed/one.html"' in page
    assert '"../executed/one.html" + location.search + location.hash' in page


@pytest.mark.parametrize(
    ("line", "problem"),
    [("book/old: book/no", "no page"), ("book/third: book/intro", "is a page")],
)
def test_redirects_that_lead_nowhere_or_hide_a_page_are_refused(book, line, problem):
    (book / "redirects.yaml").write_text(f"{line}\n")
    with pytest.raises(UserError, match=problem):
        render.render()
