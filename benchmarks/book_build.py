"""Wall and CPU seconds of ``msalib book``, beside those of an earlier commit on the same machine.

Both trees are checked out beside each other, with the records that are committed and nothing that
was built, and use the libraries of this environment. The cases alternate between them:

- whole: every page runs and is rendered
- nothing changed, one record changed, one page changed: the same command again
- pages without training: those that read committed records and measurements

    python benchmarks/book_build.py                        HEAD alone
    python benchmarks/book_build.py --against 39f1268      beside another commit (an hour)
    python benchmarks/book_build.py --cases nothing page   some of the cases, after a whole build
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml
from measured import rounded, write

from msalib.base.paths import ROOT

RENDERING = " up to date; rendering"
"""What a line ends with when all pages have run."""

RECORD = "book/records/uegd/mosei-minilm/release/paper/linguistic-0-seed0-e4ccd64df979.json"
PAGE = "notebooks/uegd/table1.ipynb"
TRAINING = ("predict", "glomo/fig2", "glomo/fig4", "lessons/uegd")
"""Notebooks that train whatever their profile."""


def build(tree: Path, rendered: bool = True) -> dict[str, float]:
    """Build the book of a tree; return seconds of the whole and of the time until rendering.

    Ends the program where that fails, unless the pages need not be ``rendered``.
    """
    command = [sys.executable, "-m", "msalib", "book"]
    start, pages = time.perf_counter(), {}
    with subprocess.Popen(command, cwd=tree, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.rstrip().endswith(RENDERING):
                cpu = sum(psutil.Process(process.pid).cpu_times()[:4])
                pages = {"pages_wall": time.perf_counter() - start, "pages_cpu": cpu}
        _, status, spent = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status and rendered:
        raise SystemExit(f"no book in {tree}")
    return {"wall": wall, "cpu": spent.ru_utime + spent.ru_stime, **pages}


def whole(tree: Path) -> dict[str, float]:
    """Build with nothing built before."""
    subprocess.run(["git", "clean", "-qfdx"], cwd=tree, check=True)
    return build(tree)


def nothing(tree: Path) -> dict[str, float]:
    """Build again."""
    return build(tree)


def record(tree: Path) -> dict[str, float]:
    """Build when a record has changed, but for what it says."""
    path = tree / RECORD
    path.write_text(path.read_text() + "\n")
    return build(tree)


def page(tree: Path) -> dict[str, float]:
    """Build when the source of a page has changed."""
    path = tree / PAGE
    path.write_text(path.read_text().replace("**Question.**", "**Question.** Again:"))
    return build(tree)


def without_training(tree: Path) -> dict[str, float]:
    """Run the pages that read what is committed, without rendering."""
    subprocess.run(["git", "clean", "-qfdx"], cwd=tree, check=True)
    plan = tree / "book" / "notebooks.yaml"
    committed = plan.read_text()
    pages = [page for page in yaml.safe_load(committed) if not trains(page)]
    plan.write_text(yaml.safe_dump(pages))
    spent = build(tree, rendered=False)  # the contents name further pages
    plan.write_text(committed)
    return {"wall": spent["pages_wall"], "cpu": spent["pages_cpu"]}


def trains(page: dict) -> bool:
    """Check whether a page of the plan makes records of its own."""
    return page["notebook"] in TRAINING or page.get("parameters", {}).get("profile") == "quick"


CASES = {case.__name__: case for case in (whole, nothing, record, page, without_training)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default=None, metavar="COMMIT")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    chosen = parser.parse_args()
    commits = [commit for commit in (chosen.against, "HEAD") if commit]
    with tempfile.TemporaryDirectory() as place:
        trees = {commit: Path(place, commit) for commit in commits}
        for commit, tree in trees.items():
            add = ["git", "worktree", "add", "--quiet", "--detach", tree, commit]
            subprocess.run(add, cwd=ROOT, check=True)
        try:
            measured = {commit: {} for commit in commits}
            for name in chosen.cases:
                for commit, tree in trees.items():
                    spent = {key: rounded(value) for key, value in CASES[name](tree).items()}
                    measured[commit][name] = spent
                    print(f"{name} {commit}: {spent}", flush=True)
        finally:
            for tree in trees.values():
                subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
    write("book_build", "cpu", measured)


if __name__ == "__main__":
    main()
