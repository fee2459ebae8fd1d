"""Run a notebook through papermill, and keep the result only where every cell ran.

A run happens in a process of its own, with a timeout, in the root of the repository, on the
Python that runs this. It writes a temporary copy, which becomes the executed notebook when it
succeeded and goes to ``runs/failed/`` when it did not.
"""

import ast
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from msalib.base import children, files, paths, progress, provenance, refusals, temporary
from msalib.base.errors import UserError, unknown
from msalib.book.finish import finish

FILE_KEYS = ("paper", "dataset", "encoder", "profile", "preset")
"""Parameters that name an executed notebook, in this order, where the notebook has them."""

UNNAMED = {"profile": "full", "preset": "release"}
"""Values that are no part of that name: the study's own."""

TIMEOUT_S = 6 * 3600

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text in Unicode"}
"""Type of a parameter's default -> what its values are, in words."""


Execute = Callable[[Path, Path, Mapping, float], None]
"""Execute a source notebook into a working copy, with all its parameters, in so many seconds.

Raises ``subprocess.CalledProcessError`` or ``subprocess.TimeoutExpired``.
"""


class NotebookError(UserError):
    """A ``UserError`` raised inside a notebook, told again in its own words."""

    def __init__(self, message: str):
        Exception.__init__(self, message)


def available() -> list[str]:
    """Return the names of the source notebooks, such as ``uegd/fig6``."""
    sources = (p.relative_to(paths.NOTEBOOKS) for p in paths.NOTEBOOKS.rglob("*.ipynb"))
    return sorted(
        p.with_suffix("").as_posix() for p in sources if ".ipynb_checkpoints" not in p.parts
    )


def source_path(notebook: str) -> Path:
    """Return the source of a notebook; raise ``UserError`` for an unknown name."""
    if notebook not in available():
        remedy = "Name it as it lies under notebooks/, without .ipynb."
        raise unknown("notebook", notebook, available(), remedy=remedy)
    return paths.NOTEBOOKS / f"{notebook}.ipynb"


def source_hash(notebook: str) -> str:
    """Return the SHA-256 of the source notebook."""
    return hashlib.sha256(source_path(notebook).read_bytes()).hexdigest()


def resolve_parameters(notebook: str, chosen: Mapping) -> dict:
    """Return all parameters of a notebook: its defaults, replaced by those in ``chosen``.

    A value is converted to the type of the default; a name or value that does not fit raises
    ``UserError``. (papermill only warns of an unknown name, and runs on.)
    """
    import papermill

    inspected = papermill.inspect_notebook(source_path(notebook))
    defaults = {name: ast.literal_eval(p["default"]) for name, p in inspected.items()}
    for name in chosen:
        if name not in defaults:
            remedy = "Leave it out or correct its name."
            raise unknown("parameter", name, defaults, of=f"notebook {notebook}", remedy=remedy)
    return defaults | {name: _convert(name, v, defaults[name]) for name, v in chosen.items()}


def _convert(name: str, value, default):
    """Convert a value from a command line or a YAML file to the type of ``default``."""
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[str(value).lower()]
        str(value).encode()  # a notebook holds no byte that is no Unicode, as a file's name may
        return kind(str(value))
    except (KeyError, ValueError):
        raise UserError(
            f"parameter {name!r}",
            found=repr(value),
            expected=KINDS[kind],
            remedy=f"The default is {default!r}.",
        ) from None


def executed_path(notebook: str, resolved: Mapping, folder: Path | None = None) -> Path:
    """Return the place of the executed notebook: ``uegd/fig6-control-planted-quick.ipynb``."""
    values = {key: str(resolved[key]) for key in FILE_KEYS if key in resolved}
    names = [re.sub(r"[^\w.]+", "_", v) for key, v in values.items() if v != UNNAMED.get(key)]
    named = [paths.bounded("-".join(names))] if names else []
    return (folder or paths.EXECUTED) / f"{'-'.join([notebook, *named])}.ipynb"


def run_notebook(
    notebook: str,
    parameters: Mapping,
    timeout_s: float = TIMEOUT_S,
    folder: Path | None = None,
    execute: Execute | None = None,
) -> Path:
    """Execute a source notebook and return the path of the executed one.

    It goes into ``folder``, by default that of the book's pages. What the run was made of is
    recorded in it, under ``metadata.msalib``. ``execute`` does what papermill does by default.
    Raises ``UserError``: the notebook's own, where a cell raised one, else with the cell and its
    exception. The failed copy is kept.
    """
    import nbformat

    resolved = resolve_parameters(notebook, parameters)
    about = _provenance(notebook, resolved)
    output = executed_path(notebook, resolved, folder)
    with temporary.folder() as place:
        working = place / output.name
        try:
            (execute or _papermill)(source_path(notebook), working, resolved, timeout_s)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise _failure(notebook, working, error) from None
        executed = nbformat.read(working, as_version=4)
    executed.metadata.papermill.output_path = output.relative_to(paths.ROOT).as_posix()
    executed.metadata.msalib = about
    finish(executed, notebook)
    files.write_text(output, nbformat.writes(executed) + "\n")
    return output


def _papermill(source: Path, working: Path, parameters: Mapping, timeout_s: float) -> None:
    command = [
        # The source's path is relative because papermill writes it into the notebook.
        *(sys.executable, "-m", "papermill", source.relative_to(paths.ROOT), working),
        # In YAML, because JSON halves characters beyond 16 bits.
        *("--parameters_yaml", yaml.safe_dump(dict(parameters), sort_keys=False)),
        *("--kernel", "python3", "--cwd", paths.ROOT),
        *("--no-progress-bar", "--log-level", "ERROR"),
    ]
    children.run(
        command,
        cwd=paths.ROOT,
        env=environment(working.parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout_s=timeout_s,
        check=True,
    )


def environment(place: Path) -> dict[str, str]:
    """Return the variables of a process that runs cells; Jupyter's own files go into ``place``.

    A user's settings must not decide which Python the kernel is, what it runs first or how it
    prints; and what Jupyter and IPython keep of a run goes with its copy.
    """
    dropped = ("JUPYTER_PATH", "PYTHONWARNINGS", "MPLBACKEND")
    variables = {k: v for k, v in os.environ.items() if k not in dropped}
    variables["JUPYTER_PREFER_ENV_PATH"] = "1"
    # Libraries that ask for widgets: bars do not belong on a page, see msalib/base/progress.py.
    variables["PYTHONWARNINGS"] = "ignore:IProgress not found"
    variables |= {name: str(place) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
    return variables | progress.environment()


def _failure(notebook: str, working: Path, error: subprocess.SubprocessError) -> UserError:
    """Return the error to raise for a failed run; move its copy to ``runs/failed``."""
    where, remedy = f"notebook {notebook}", "Run it again; finished records are kept and read."
    if isinstance(error, subprocess.TimeoutExpired):
        complaint = f"no end after {error.timeout:g} s"
    elif error.returncode < 0:
        complaint = f"killed by signal {-error.returncode}"
    else:
        complaint = (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[-1]
    if "Kernel died" in complaint:
        complaint = "Kernel died, as it does where memory runs out"
    if working.exists():
        kept = paths.ROOT / "runs" / "failed" / working.name
        files.write_bytes(kept, working.read_bytes())
        remedy += f" The failed copy is {kept.relative_to(paths.ROOT)}."
        cell, output = next(_errors(kept), (None, None))
        if cell and output.ename in (UserError.__name__, NotebookError.__name__):
            return NotebookError(output.evalue)
        if cell:
            where, complaint = f"{where}, cell {cell}", f"{output.ename}: {output.evalue}"
    refusal = refusals.refused(RuntimeError(complaint), where)
    return refusal or UserError(where, found=complaint, expected="every cell to run", remedy=remedy)


def _errors(path: Path):
    """Yield number and first line of each code cell that failed, with its error output."""
    import nbformat

    try:
        content = nbformat.read(path, as_version=4)
    except ValueError:  # half-written, as on a full disk
        return
    cells = [c for c in content.cells if c.cell_type == "code"]
    for number, cell in enumerate(cells, start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{number} ({cell.source.strip().splitlines()[0]})", output


def _provenance(notebook: str, resolved: Mapping) -> dict:
    """Return what an executed notebook is made of; its device is where the notebook ran."""
    return {
        "notebook": notebook,
        "source_sha256": source_hash(notebook),
        "parameters": dict(resolved),
        "commit": provenance.commit(),
        "device": provenance.device_name(provenance.pick_device(resolved.get("device", "auto"))),
        "versions": provenance.versions(),
    }
