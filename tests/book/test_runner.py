"""Running notebooks, and the gate before the book."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.book import notebooks
from msalib.book.gate import gate
from msalib.evidence.settings import plan
from tests.processes import alive, wait_for


def published():
    return sorted(p.name for p in paths.EXECUTED.rglob("*") if p.is_file())


def test_unknown_notebook_names_those_there_are(curve):
    with pytest.raises(UserError, match=r"'paper/curv'.*no such notebook.*paper/curve"):
        notebooks.run_notebook("paper/curv", {})


def test_a_path_is_not_a_name(curve):
    with pytest.raises(UserError, match="no such notebook"):
        notebooks.source_path("../notebooks/paper/curve")


def test_unknown_parameter_is_refused_before_running(curve):
    with pytest.raises(UserError, match=r"'seed'.*no such parameter.*dataset, seeds, rate"):
        notebooks.run_notebook(curve, {"seed": 3})
    assert not (paths.ROOT / "runs").exists()


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("seeds", "5", 5),
        ("rate", "1", 1.0),
        ("rate", 2, 2.0),
        ("refresh", "true", True),
        ("refresh", "False", False),
        ("refresh", True, True),
        ("dataset", "mosi", "mosi"),
        ("dataset", 7, "7"),
    ],
)
def test_values_take_the_type_of_the_default(curve, name, given, expected):
    value = notebooks.resolve_parameters(curve, {name: given})[name]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("seeds", "five"), ("seeds", 2.5), ("seeds", True), ("rate", "fast"), ("refresh", "1")),
        ("dataset", "a byte \udcff"),
    ],
)
def test_a_value_of_another_type_is_refused(curve, name, given):
    with pytest.raises(UserError, match=name):
        notebooks.resolve_parameters(curve, {name: given})


def test_any_letter_of_a_value_reaches_the_notebook(curve):
    given = "\N{GRINNING FACE}\x7f\u2028'\"\n$x$"
    executed = nbformat.read(notebooks.run_notebook(curve, {"dataset": given}), as_version=4)
    assert ast.literal_eval(executed.cells[-1].outputs[0].data["text/plain"])[0] == given


def test_executed_names_say_data_encoder_and_profile(tree):
    resolved = {"dataset": "mosi", "encoder": "models/my-bert", "profile": "full", "seeds": 5}
    path = notebooks.executed_path("uegd/fig6", resolved)
    assert path == paths.EXECUTED / "uegd" / "fig6-mosi-models_my_bert.ipynb"
    other = notebooks.executed_path("uegd/fig6", {**resolved, "preset": "article"})
    assert other.name == "fig6-mosi-models_my_bert-article.ipynb"
    assert notebooks.executed_path("ledger", {}) == paths.EXECUTED / "ledger.ipynb"


def test_a_run_is_published_with_what_it_was_made_of(curve, monkeypatch, tmp_path):
    kernels = tmp_path / "elsewhere" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(
        json.dumps({"argv": ["false"], "display_name": "not this one", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    given = {"seeds": "3", "refresh": "true"}
    path = notebooks.run_notebook(curve, given)
    assert path == paths.EXECUTED / "paper" / "curve-control.ipynb"
    executed = nbformat.read(path, as_version=4)
    assert executed.cells[-1].outputs[0].data["text/plain"] == "('control', 3, 0.5, True)"
    about = executed.metadata.msalib
    resolved = {"dataset": "control", "seeds": 3, "rate": 0.5, "refresh": True}
    assert about.parameters == resolved
    assert about.source_sha256 == notebooks.source_hash(curve)
    assert {"commit", "device", "versions"} <= set(about)
    assert {"python", "torch", "transformers", "msalib"} <= set(about.versions)
    assert str(paths.ROOT) not in path.read_text()
    assert not [p for p in (paths.ROOT / "runs").rglob("*") if p.is_file()]
    assert gate(path, curve, given) == []


def test_the_copy_shows_one_folded_cell_of_all_parameters(curve):
    executed = nbformat.read(notebooks.run_notebook(curve, {"seeds": 3}), as_version=4)
    assert len(executed.cells) == 4
    assert executed.cells[0].metadata.tags == ["parameters", "hide-input"]
    values = ast.parse(executed.cells[0].source).body
    assert [ast.literal_eval(line.value) for line in values] == ["control", 3, 0.5, False]


def test_a_failed_run_leaves_what_was_published(curve):
    path = notebooks.run_notebook(curve, {})
    before = path.read_bytes()
    source = notebooks.source_path(curve)
    source.write_text(source.read_text().replace("seeds, rate, refresh", "seeds, missing"))
    with pytest.raises(UserError):
        notebooks.run_notebook(curve, {})
    assert path.read_bytes() == before
    assert published() == ["curve-control.ipynb"]


def test_an_error_for_users_passes_through_in_its_own_words(curve):
    with pytest.raises(UserError) as refused:
        notebooks.run_notebook(curve, {"dataset": "bad"})
    assert str(refused.value) == "data set: found bad; expected control. Choose it."
    assert published() == []


def test_another_error_is_told_with_its_cell_and_the_failed_copy(curve):
    with pytest.raises(UserError) as failed:
        notebooks.run_notebook(curve, {"dataset": "odd"})
    message = str(failed.value)
    assert "paper/curve" in message
    assert 'if dataset == "odd":' in message
    assert "ZeroDivisionError" in message
    assert published() == []
    kept = paths.ROOT / "runs" / "failed" / "curve-odd.ipynb"
    assert str(kept.relative_to(paths.ROOT)) in message
    assert "ZeroDivisionError" in kept.read_text()


def test_a_kernel_that_dies_is_told(write_notebook):
    write_notebook("dies", "seeds = 1", "import os\nos._exit(3)")
    with pytest.raises(UserError, match="Kernel died"):
        notebooks.run_notebook("dies", {})
    assert published() == []


def test_a_run_without_end_is_stopped(write_notebook):
    write_notebook("sleeps", "seconds = 60", "import time\ntime.sleep(seconds)")
    with pytest.raises(UserError, match="no end after 2 s"):
        notebooks.run_notebook("sleeps", {}, timeout_s=2)
    assert published() == []


KILLED = """
import sys
from pathlib import Path
from msalib.base import paths
paths.ROOT, paths.NOTEBOOKS, paths.EXECUTED = map(Path, sys.argv[1:4])
from msalib.book import notebooks
notebooks.run_notebook("waits", {})
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills")
def test_a_kernel_ends_with_the_command_and_leaves_nothing(write_notebook, tmp_path, monkeypatch):
    """Papermill and the kernel have sessions of their own, and no one tells them."""
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    note = "import os, pathlib, time\npathlib.Path('number').write_text(str(os.getpid()))"
    write_notebook("waits", "seeds = 1", f"{note}\ntime.sleep(600)")
    folders = (paths.ROOT, paths.NOTEBOOKS, paths.EXECUTED)
    command = subprocess.Popen([sys.executable, "-c", KILLED, *map(str, folders)])
    wait_for(lambda: read(tmp_path / "number"))
    kernel = read(tmp_path / "number")
    assert list((tmp_path / "temporary").rglob("waits.ipynb"))
    command.kill()
    command.wait()
    wait_for(lambda: not alive([kernel]) and not list((tmp_path / "temporary").iterdir()))
    assert not (tmp_path / "runs").exists() and published() == []
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file() and "kernel" in p.name]


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_notebook_runs_nothing_that_is_a_users_own(write_notebook, monkeypatch, tmp_path):
    startup = tmp_path / "home" / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "own.py").write_text("seeds_of_mine = 7")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "home" / ".ipython"))
    write_notebook("own", "seeds = 1", "'seeds_of_mine' in globals()")
    executed = nbformat.read(notebooks.run_notebook("own", {}), as_version=4)
    assert executed.cells[-1].outputs[0].data["text/plain"] == "False"


@pytest.fixture
def executed(curve):
    """A notebook that passes the gate, as (path, content)."""
    path = notebooks.run_notebook(curve, {})
    assert gate(path, curve, {}) == []
    return path, nbformat.read(path, as_version=4)


def test_gate_names_every_problem(executed, curve):
    path, good = executed
    last = len(good.cells)

    def problems(change):
        content = nbformat.from_dict(json.loads(json.dumps(good)))
        change(content)
        nbformat.write(content, path)
        return gate(path, curve, {})

    def unexecuted(content):
        content.cells[-1].execution_count = None

    def error(content):
        content.cells[-1].outputs = [
            nbformat.v4.new_output("error", ename="KeyError", evalue="'x'", traceback=[])
        ]

    def marked(content):
        content.cells[0].metadata.tags = ["papermill-error-cell-tag"]

    def interrupted(content):
        content.metadata.papermill.exception = True

    def foreign(content):
        del content.metadata["msalib"]

    def shows_path(content):
        text = f"read {paths.ROOT}/data"
        content.cells[-1].outputs = [nbformat.v4.new_output("stream", text=text)]

    assert problems(unexecuted) == [f"cell {last} was not executed"]
    assert problems(error) == [f"cell {last} raised KeyError: 'x'"]
    assert problems(marked) == ["cell 1 is papermill's mark of a failure"]
    assert problems(interrupted) == ["papermill did not finish"]
    assert len(problems(foreign)) == 2
    assert problems(shows_path) == [f"cell {last} shows a path of this machine"]


def test_gate_wants_these_parameters_and_this_source(executed, curve):
    path, _ = executed
    assert gate(path, curve, {"seeds": 5})[0].startswith("run with other parameters")
    source = notebooks.source_path(curve)
    source.write_text(source.read_text().replace("0.5", "0.7"))
    assert "the source notebook has changed since" in gate(path, curve, {"rate": 0.5})
    assert gate(path.with_name("none.ipynb"), curve, {}) == ["not executed"]


def test_plan_refuses_what_it_does_not_know(tree):
    paths.BOOK.mkdir()
    (paths.BOOK / "notebooks.yaml").write_text("- {notebook: a, parameter: {seeds: 1}}\n")
    with pytest.raises(UserError, match=r"notebooks\.yaml"):
        plan()
