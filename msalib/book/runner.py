"""Answer how pages of the book are run: some at a time, each checked and stamped."""

import ast
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from msalib.base import paths, temporary
from msalib.base.errors import UserError
from msalib.base.terminal import say
from msalib.book import notebooks, warm
from msalib.book.gate import gate
from msalib.book.stamp import Stamps
from msalib.evidence import settings

TIMEOUT_S = 20 * 60

TOGETHER = 2
"""Notebooks that run at a time, each in a process of its own; those that train the same runs share
them (``Study``)."""

SECONDS, TRAINING_S = 3.0, 30.0
"""How long a page may take that never ran here, and one that trains."""

LIBRARIES = (
    *("scipy.optimize", "scipy.signal", "scipy.sparse.csgraph", "scipy.spatial", "scipy.stats"),
    *("sklearn.decomposition", "sklearn.linear_model", "sklearn.metrics", "sklearn.pipeline"),
    *("sklearn.model_selection", "sklearn.neighbors", "sklearn.preprocessing"),
    *("matplotlib.pyplot", "torch", "torch._dynamo", "transformers.models.auto"),
)
"""What functions of the package import when they are called: loaded once for all pages."""

Page = tuple[str, dict]
"""A notebook and all its parameters."""


class Runner:
    """What runs pages, as ``runner`` yields it."""

    def __init__(
        self,
        processes: warm.Warm | warm.Alone,
        folder: Path,
        pages: Sequence[Page],
        stamps: Stamps,
    ):
        self._processes, self._folder = processes, folder
        training = settings.training()
        self._lengths = {notebooks.executed_path(*page): _length(page, training) for page in pages}
        self._done, self._start, self._stamps = [], time.monotonic(), stamps

    def run(self, pages: Sequence[Page]) -> None:
        """Run pages, the longest first, and return when all have run.

        Raises ``UserError`` where one fails or does not pass the gate; others are not begun then.
        """
        with ThreadPoolExecutor(TOGETHER) as pool:
            longest_first = sorted(pages, key=self._length, reverse=True)
            runs = {pool.submit(self._run, *page): page for page in longest_first}
            try:
                for run in as_completed(runs):
                    run.result()
                    self._tell(runs[run])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _run(self, notebook: str, resolved: dict) -> None:
        place = notebooks.executed_path(notebook, resolved)
        name = place.relative_to(paths.EXECUTED).as_posix()
        trace = self._folder / f"{name.replace('/', '-')}.json"
        execute = partial(self._execute, name, trace)
        executed = notebooks.run_notebook(notebook, resolved, TIMEOUT_S, execute=execute)
        if problems := gate(executed, notebook, resolved):
            raise UserError(
                f"executed notebook {executed.name}",
                found="; ".join(problems),
                expected="one fit to publish",
                remedy=f"Correct notebooks/{notebook}.ipynb.",
            )
        self._stamps.keep(executed, resolved, json.loads(trace.read_bytes()))

    def _execute(self, page: str, trace: Path, source, working, parameters, timeout_s) -> None:
        files = {"source": source.relative_to(paths.ROOT), "working": working, "trace": trace}
        job = {"page": page, "parameters": parameters} | {k: str(v) for k, v in files.items()}
        self._processes.run(job, timeout_s)

    def _tell(self, page: Page) -> None:
        """Say which page has run, how many of them all, and how long the others may take."""
        self._done.append(page)
        spent, done = time.monotonic() - self._start, sum(map(self._length, self._done))
        left = spent / done * (sum(self._lengths.values()) - done)
        name = notebooks.executed_path(*page).relative_to(paths.EXECUTED).with_suffix("")
        about = f", {_about(left)} left" if len(self._done) < len(self._lengths) else ""
        say(f"{len(self._done)} of {len(self._lengths)}{about}: {name}")

    def _length(self, page: Page) -> float:
        return self._lengths[notebooks.executed_path(*page)]


def _length(page: Page, training: Collection[str]) -> float:
    """Return the seconds that a page takes: those of the last time, else as one like it may."""
    notebook, resolved = page
    with suppress(OSError, ValueError, KeyError, TypeError):
        about = json.loads(notebooks.executed_path(*page).read_bytes())["metadata"]
        return max(about["papermill"]["duration"], 0.1)
    trains = resolved.get("profile") == "quick" or notebook in training
    return TRAINING_S if trains else SECONDS


def _about(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds > 90 else f"about {seconds:.0f} s"


@contextmanager
def runner(pages: Sequence[Page]) -> Iterator[Runner]:
    """Yield what runs any of these pages inside the block."""
    processes = warm.Warm if warm.CAN_FORK else warm.Alone
    stamps = Stamps()
    with _quick_records(stamps.training), temporary.folder() as folder:
        # One thread a page, so that sums do not depend on the cores, and pages not on each other.
        environment = notebooks.environment(folder) | {"OMP_NUM_THREADS": "1"}
        loaded = [*(f"import {name}" for name in LIBRARIES), *_imports(pages)]
        with processes(loaded, cwd=paths.ROOT, env=environment) as started:
            yield Runner(started, folder.absolute(), pages, stamps)


@contextmanager
def _quick_records(training: str) -> Iterator[None]:
    """Give the runs of profile quick, inside the block, a folder for the code that trains now.

    Those of other code go. Another build of the same code shares the folder, as two studies do.
    """
    folder = paths.EXECUTED / ".quick" / training[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    os.environ[paths.QUICK_RECORDS] = str(folder.absolute())
    try:
        yield
    finally:
        del os.environ[paths.QUICK_RECORDS]


def _imports(pages: Sequence[Page]) -> list[str]:
    """Return the import statements in the cells of these pages."""
    import nbformat

    statements = {}
    for notebook in dict.fromkeys(name for name, _ in pages):
        content = nbformat.read(notebooks.source_path(notebook), as_version=4)
        for cell in content.cells:
            if cell.cell_type == "code":
                statements |= dict.fromkeys(_imports_of(cell.source))
    return list(statements)


def _imports_of(source: str) -> Iterator[str]:
    try:
        parsed = ast.parse(source)
    except SyntaxError:  # the page tells of it
        return
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.unparse(node)
