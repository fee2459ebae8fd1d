"""Tables of pages and verdicts as files, and as lines of a terminal."""

import json

import nbformat
import pandas as pd
import pytest
from markupsafe import Markup

from msalib.base.errors import UserError
from msalib.book import export, notebooks
from msalib.pages.cells import mean_sd
from msalib.pages.tables import Folded, Note, Table

NAME, PARAMETERS = "uegd/table2", {"dataset": "control"}
FRAME = pd.DataFrame({"system": ["UEGD"], "MAE": [mean_sd({0: 0.5, 1: 0.7}, "{:.3f}".format)]})
SHOWN = [
    Note("In short: yes."),
    Table(FRAME, caption="First."),
    Folded("Seeds", Table(FRAME, caption="Second & last.")),
    Table(FRAME.iloc[:0], caption="Without a row."),
]


def page(path, shown):
    cells = [
        nbformat.v4.new_code_cell(
            outputs=[nbformat.v4.new_output("display_data", {"text/html": one._repr_html_()})]
        )
        for one in shown
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Pages that are run show this; runs are counted."""
    ran = []

    def run(notebook, resolved, folder):
        ran.append(notebook)
        return page(notebooks.executed_path(notebook, resolved, folder), SHOWN)

    monkeypatch.setattr(export, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(notebooks, "run_notebook", run)
    return ran


@pytest.fixture
def written(executed, tmp_path):
    kinds = ["csv", "latex", "json"]
    paths = export.export(NAME, PARAMETERS, kinds, tmp_path / "out")
    return {path.relative_to(tmp_path / "out").as_posix(): path.read_text() for path in paths}


def test_each_table_has_a_file_and_json_holds_all(written):
    stem = "uegd/table2-control-auto-quick"
    tables = [f"{stem}-table-{n}.{ending}" for ending in ("csv", "tex") for n in (1, 2)]
    assert list(written) == [*tables, f"{stem}.json"]
    assert (
        written[tables[0]] == "system,MAE,MAE sd,MAE seed 0,MAE seed 1\nUEGD,0.6,0.141421,0.5,0.7\n"
    )
    assert r"\label{tab:table2-control-auto-quick-table-2}" in written[tables[3]]
    first, second = json.loads(written[f"{stem}.json"])
    assert (first["name"], second["caption"]) == ("table-1", "Second & last.")
    assert first["rows"] == second["rows"] == [["UEGD", 0.6, 0.141421, 0.5, 0.7]]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_page_of_the_book_is_read_where_it_is_up_to_date(fresh, executed, tmp_path, monkeypatch):
    monkeypatch.setattr(export.Stamps, "fresh", lambda self, notebook, resolved: fresh)
    monkeypatch.setattr(export.paths, "EXECUTED", tmp_path / "executed")
    resolved = notebooks.resolve_parameters(NAME, PARAMETERS)
    page(notebooks.executed_path(NAME, resolved), SHOWN[1:2])
    paths = export.export(NAME, PARAMETERS, ["csv"], tmp_path)
    assert (len(paths), executed) == ((1, []) if fresh else (2, [NAME]))


def test_what_cannot_be_exported_is_refused(executed, tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "run_notebook", lambda *a, **k: page(tmp_path / "p", SHOWN[:1]))
    monkeypatch.setattr(export, "RUNS", tmp_path)
    with pytest.raises(UserError, match="no table"):
        export.export(NAME, PARAMETERS, ["csv"], tmp_path)
    with pytest.raises(UserError, match="no such notebook"):
        export.export("uegd/table99", {}, ["csv"], tmp_path)
    with pytest.raises(UserError, match="parameters dataset"):
        export.export("claims", PARAMETERS, ["csv"], tmp_path)


def test_verdicts_of_a_paper_are_a_table(tmp_path, monkeypatch):
    table = Table(FRAME, caption=Markup("c"))
    monkeypatch.setattr(export, "verdict_table", lambda papers: table if papers == ["cmt"] else 0)
    (path,) = export.export("cmt", {}, ["csv"], tmp_path)
    assert path.name == "cmt-claims-table-1.csv" and path.read_text().startswith("system,MAE")


def test_a_terminal_shows_notes_and_tables_and_leaves_folded_what_is_folded(tmp_path):
    lines = list(export.lines(page(tmp_path / "page.ipynb", SHOWN), 80))
    assert lines[1] == "In short: yes." and "[Seeds]" in lines
    assert "UEGD    0.600\u00a0±\u00a00.141" in lines and "Second & last." not in lines


def test_a_terminal_ends_with_the_short_answer(tmp_path):
    path = page(tmp_path / "page.ipynb", SHOWN[:1])
    notebook = nbformat.read(path, as_version=4)
    said = {"application/papermill.record/text/plain": repr("Yes, on *all* sets [+0.1, +0.2].")}
    about = {"scrapbook": {"name": "answer", "mime_prefix": "application/papermill.record/"}}
    notebook.cells[0].outputs.append(nbformat.v4.new_output("display_data", said, metadata=about))
    nbformat.write(notebook, path)
    *_, first, last = export.lines(path, 40)
    assert f"{first} {last}" == "Short answer. Yes, on *all* sets [+0.1, +0.2]."
