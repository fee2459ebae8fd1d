"""Build the book: run every notebook, check what came out, render the pages.

jupyter-book accepts a notebook that failed or never ran, so the gate stands before it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.evidence.settings import plan
from msalib.pages import notebooks

TIMEOUT_S = 20 * 60


def gate(executed: Path, notebook: str, parameters: Mapping) -> list[str]:
    """Why an executed notebook must not be published; empty where it may.

    It must come from today's source with these parameters, every cell run, none with an error,
    and must not show a path of this machine.
    """
    import nbformat

    if not executed.exists():
        return ["not executed"]
    found = nbformat.read(executed, as_version=4)
    about, run = found.metadata.get("msalib", {}), found.metadata.get("papermill", {})
    problems = []
    if about.get("source_sha256") != notebooks.source_hash(notebook):
        problems.append("the source notebook has changed since")
    if about.get("parameters") != notebooks.resolve_parameters(notebook, parameters):
        problems.append(f"run with other parameters: {about.get('parameters')}")
    if run.get("exception") is not None or run.get("end_time") is None:
        problems.append("papermill did not finish")
    for number, cell in enumerate(found.cells, start=1):
        problems += [f"cell {number} {problem}" for problem in _cell_problems(cell)]
    return problems


def _cell_problems(cell) -> list[str]:
    problems = []
    if "papermill-error-cell-tag" in cell.metadata.get("tags", []):
        problems.append("is papermill's mark of a failure")
    if cell.cell_type != "code":
        return problems
    if cell.source.strip() and cell.execution_count is None:
        problems.append("was not executed")
    for output in cell.outputs:
        if output.output_type == "error":
            problems.append(f"raised {output.ename}: {output.evalue}")
        elif any(str(path) in _shown(output) for path in (paths.ROOT, sys.prefix)):
            problems.append("shows a path of this machine")
    return problems


def _shown(output) -> str:
    """What a reader can read of an output: all but images."""
    data = output.get("data", {})
    texts = [str(value) for mime, value in data.items() if not mime.startswith("image/")]
    return re.sub(r"base64,[\w+/=]+", "", " ".join([output.get("text", ""), *texts]))


def build() -> Path:
    """Run all notebooks of the plan one after the other, check them, render the book.

    They are always run: they read committed records, or train the control for seconds. Trainings
    of the control are shared between pages, but not with an earlier build, whose code may have been
    another: there is no cache that could be out of date. Returns the first page of the book. Raises
    ``UserError`` where a notebook fails, does not pass the gate, or a page gives a warning.
    """
    for name, dataset in readers.DATASETS.items():
        if not dataset.real:
            made_with = dataset.shipped or dataset.encoder
            for stale in paths.records_folder().glob(f"*/{name}-{made_with}/*/quick"):
                shutil.rmtree(stale)
    for notebook, parameters in plan():
        typer.echo(f"running {notebook} {parameters or ''}".rstrip())
        executed = notebooks.run_notebook(notebook, parameters, timeout_s=TIMEOUT_S)
        problems = gate(executed, notebook, parameters)
        if problems:
            raise UserError(
                f"executed notebook {executed.name}",
                found="; ".join(problems),
                expected="one fit to publish",
                remedy=f"Correct notebooks/{notebook}.ipynb.",
            )
    typer.echo("rendering the pages")
    index = render()
    typer.echo(f"The book is ready: open {index}")
    return index


def render() -> Path:
    """Render the pages from the executed notebooks, warnings being errors."""
    site = paths.ROOT / "_build"
    shutil.rmtree(site, ignore_errors=True)  # Sphinx warns only of pages it has not cached
    command = [Path(sys.executable).with_name("jb"), "build", "."]
    command += ["--toc", "book/_toc.yml", "-W", "-n", "--keep-going"]
    done = subprocess.run(
        command,
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        lines = re.sub(r"\x1b\[[\d;]*m", "", done.stdout).splitlines()  # without colours
        warnings = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-5:]
        raise UserError(
            "jb build",
            found="\n".join(["these warnings:", *warnings]),
            expected="no warning",
            remedy="Correct the pages that they name.",
        )
    index = site / "html" / "index.html"
    # jupyter-book's redirect names no icon, so that a browser may ask for /favicon.ico in vain.
    index.write_text('<link rel="icon" href="_static/favicon.svg" />\n' + index.read_text())
    return index
