"""Data of every layout, all the way: added, audited, and given to the notebook of Table 3."""

import ast
import json

import nbformat
import pytest

from msalib import encoders, notebooks, readers, tables
from msalib.readers import added, formats
from tests.fixtures import FIXTURES, VARIANTS
from tests.test_cli import msalib, refused  # noqa: F401 - fixtures
from tests.test_encoders import save_bert

LAYOUTS = {name: (name, write) for name, write in FIXTURES.items()} | VARIANTS


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return str(save_bert(tmp_path_factory.mktemp("models") / "bert"))


def run_cells(notebook: str, **parameters) -> list:
    """Execute the cells of a notebook here, without a kernel, and return what they display."""
    source = nbformat.read(notebooks.source_path(notebook), as_version=4)
    shown: list = []
    names = {"display": shown.append}
    resolved = notebooks.resolve_parameters(notebook, parameters)
    for cell in source.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or "remove-cell" in tags:
            continue
        if "parameters" in tags:
            names |= resolved
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, notebook, "exec"), names)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), notebook, "eval"), names))
    return [thing for thing in shown if thing is not None]


def test_every_format_has_a_fixture():
    assert set(FIXTURES) == set(formats.FORMATS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_data_of_any_layout_reach_table_3(msalib, bert, tmp_path, monkeypatch, layout):  # noqa: F811
    monkeypatch.setenv("MSALIB_CLEAN", "")
    form, write = LAYOUTS[layout]
    source = tmp_path / "source"
    source.mkdir()
    status, out, error = msalib("data", "add", write(source), "--name", "mine")
    assert (status, error) == (0, "")
    assert f"mine: {readers.dataset('mine').title}, fingerprint" in out
    assert out.endswith("(next: msalib data audit mine)\n")
    assert added.about("mine").format == form

    report = tmp_path / "report.json"
    status, out, error = msalib("data", "audit", "mine", "--json", report)
    assert (status, error) == (0, "")
    assert json.loads(report.read_text())["dataset"] == "mine"

    known = readers.dataset("mine")
    texts = known.shipped is None and known.raw == ("linguistic",)
    given = {"encoder": bert if texts else "auto", "seeds": 1, "device": "cpu"}
    shown = run_cells("uegd/table3", dataset="mine", **given)
    setting, *rest = shown
    assert setting.setting.startswith(f"substitute: {known.title}")
    scores = [s for s in rest if isinstance(s, tables.Table)]
    assert len(scores) >= 2
    assert all("substitute" in table.caption for table in scores[:1])


def test_features_that_came_with_the_data_give_way_to_an_encoder(msalib, bert, tmp_path):  # noqa: F811
    """An MMSA pickle has vectors and transcripts: either can be read."""
    assert msalib("data", "add", FIXTURES["mmsa"](tmp_path), "--name", "mine")[0] == 0
    status, out, error = msalib("encode", "mine", bert, "--device", "cpu")
    assert (status, error) == (0, "")
    assert "linguistic features of 42 clips" in out
    store = encoders.read(readers.load("mine"), encoders.resolve(bert))
    assert len(store.layers) == 4
    shown = run_cells("uegd/table3", dataset="mine", encoder=bert, seeds=1, device="cpu")
    assert "bert layers, visual vectors, acoustic vectors" in shown[0].setting


def test_the_list_of_data_sets_has_those_that_were_added(msalib, tmp_path):  # noqa: F811
    msalib("data", "add", FIXTURES["mag"](tmp_path), "--name", "mine")
    status, out, _ = msalib("data")
    assert status == 0 and "\nmine: MAG features" in out
    assert "mine: " in msalib("doctor")[1]


def test_what_cannot_be_added_leaves_nothing(refused, tmp_path):  # noqa: F811
    path = FIXTURES["mag"](tmp_path)
    assert "the name of a built-in data set" in refused("data", "add", path, "--name", "mosi")
    assert "format 'mat'" in refused("data", "add", path, "--name", "x", "--format", "mat")
    assert "option --align" in refused("data", "add", path, "--name", "x", "--align", "frames")
    missing = refused("data", "add", tmp_path / "nothing.pkl", "--name", "x")
    assert "nothing.pkl" in missing
    assert "data set 'x': found no such data set" in refused("data", "audit", "x")
    assert added.names() == []


def test_a_data_set_is_replaced_when_asked(msalib, refused, tmp_path):  # noqa: F811
    path = FIXTURES["mmsa"](tmp_path)
    assert msalib("data", "add", path)[0] == 0
    (name,) = added.names()
    assert name == added.name_of(path)
    assert "a name that is not taken" in refused("data", "add", path)
    assert msalib("data", "add", path, "--refresh")[0] == 0
