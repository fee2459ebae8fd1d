"""Answer whether an executed notebook may be published.

Sphinx renders a notebook that failed or never ran, too, so the gate stands before it.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from msalib.base import paths
from msalib.book import notebooks


def gate(executed: Path, notebook: str, parameters: Mapping) -> list[str]:
    """Return why an executed notebook must not be published; empty where it may.

    It must come from today's source with these parameters, every cell run, none with an error,
    and must not show a path of this machine.
    """
    import nbformat

    if not executed.exists():
        return ["not executed"]
    content = nbformat.read(executed, as_version=4)
    about, run = (content.metadata.get(name, {}) for name in ("msalib", "papermill"))
    problems = []
    if about.get("source_sha256") != notebooks.source_hash(notebook):
        problems.append("the source notebook has changed since")
    if about.get("parameters") != notebooks.resolve_parameters(notebook, parameters):
        problems.append(f"run with other parameters: {about.get('parameters')}")
    if run.get("exception") is not None or run.get("end_time") is None:
        problems.append("papermill did not finish")
    for number, cell in enumerate(content.cells, start=1):
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
        elif any(str(path) in _text(output) for path in (paths.ROOT, sys.prefix)):
            problems.append("shows a path of this machine")
    return problems


def _text(output) -> str:
    """Return what a reader can read of an output: all but images."""
    data = output.get("data", {})
    texts = [str(value) for mime, value in data.items() if not mime.startswith("image/")]
    return re.sub(r"base64,[\w+/=]+", "", " ".join([output.get("text", ""), *texts]))
