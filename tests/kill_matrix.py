"""Commands killed at random moments: does anything stay, and does the next one make it right?

    python -m tests.kill_matrix                        every command, 10 times by each signal
    python -m tests.kill_matrix run book --times 3     some of them
    python -m tests.kill_matrix encode --signals KILL --seed 7

Each case works in folders of its own, on small data and with notebooks of two trainings. The
command is killed once, its processes must be gone within 2 s, and then the same command runs to its
end. After that there may be no process, no temporary or hidden file and no lock, and the results
must be those of a command that nothing killed, but for times. Everything takes an hour or two.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import numpy as np
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 2.0
"""In which the processes of a killed command must end."""

STATUS = {"TERM": 143, "INT": 130, "KILL": -signal.SIGKILL}
TIMES = ("started", "seconds", "papermill", "execution", "commit", "id")
"""Keys of JSON files whose values differ with the time."""

UNLIKE = ("failed", ".stamps")
"""Folders of what is another with each run: failed copies, and what pages were made of."""

CONTROL = ("-p", "dataset", "control", "-p", "profile", "quick", "-p", "seeds", "1")
SPOKEN = ("-p", "dataset", "raw-spoken", *CONTROL[3:])
COMMANDS = {
    "data add": ("data", "add", "{given}/clips.zip", "--name", "mine", "--refresh"),
    "encode": ("encode", "heard", "small"),
    "run": ("run", "uegd/one", *CONTROL),
    "records": ("records", "baselines", *CONTROL),
    "train": ("train", "control", "--out", "{work}/model", "--refresh", *CONTROL[3:]),
    "pretrain": ("pretrain", "cmt", *SPOKEN),
    "book": ("book",),
}
BEFORE = {"encode": (("data", "add", "{given}/heard", "--name", "heard"),)}
"""What runs, unkilled and once for all, before a command."""

PARAMETERS = 'dataset = "control"\nprofile = "quick"\nseeds = 1'
CELL = """
from msalib.runs.spec import system
from msalib.runs.study import Study

study = Study("uegd", dataset=dataset, profile=profile, seeds=seeds)
[record.metrics["test"]["mae"] for record in study.run([system({"acoustic": k}) for k in %s])]
"""


# --- what a case works on -----------------------------------------------------------------------


def make_tree(tree: Path) -> None:
    """Copy the package, with a book of two notebooks."""
    ignored = shutil.ignore_patterns("__pycache__", "executed", "records")
    shutil.copytree(ROOT / "msalib", tree / "msalib", ignore=ignored)
    shutil.copytree(ROOT / "book", tree / "book", ignore=ignored)
    for name, layers in (("one", "(1, 2)"), ("two", "(2, 3)")):
        cells = [
            new_markdown_cell(f"# Notebook {name}", id="t"),
            new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="a"),
            new_code_cell(CELL.strip() % layers, id="b"),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = tree / "notebooks" / "uegd" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    (tree / "book" / "intro.md").write_text("# Two notebooks\n\nThey are killed.\n")
    names = [f"book/executed/uegd/{name}-control-quick" for name in ("one", "two")]
    pages = "".join(f"  - {{file: {name}, title: {name[-17:]}}}\n" for name in names)
    (tree / "book" / "_toc.yml").write_text(
        f"format: jb-book\nroot: book/intro\nchapters:\n{pages}"
    )
    (tree / "book" / "redirects.yaml").write_text("{}\n")
    plan = "".join(f"- notebook: uegd/{name}\n" for name in ("one", "two"))
    (tree / "book" / "notebooks.yaml").write_text(plan)


def make_inputs(given: Path) -> None:
    """Write an archive of CMU SDK sequences, and a folder of sounds with their table."""
    from tests.clips import tone, write_wav
    from tests.fixtures_more import write_csd

    rng = np.random.default_rng(0)
    times = np.stack([np.arange(400) / 10, np.arange(1, 401) / 10], 1)
    labels = np.stack([np.arange(0, 40, 4.0), np.arange(4, 44, 4.0)], 1)
    videos = [f"video{n:02d}" for n in range(30)]
    content = {
        "labels": lambda: (rng.uniform(-3, 3, (10, 1)), labels),
        "words": lambda: (np.full((400, 1), b"film"), times),
        "COVAREP": lambda: (rng.standard_normal((400, 40)), times),
    }
    (given / "csd").mkdir(parents=True)
    for root, entry in content.items():
        write_csd(given / "csd" / f"{root}.csd", root, {video: entry() for video in videos})
    shutil.make_archive(str(given / "clips"), "zip", given / "csd")
    lines = ["video_id,clip_id,text,label,annotation,mode"]
    for n in range(24):
        folder = given / "heard" / "Raw" / f"v{n % 6}"
        folder.mkdir(parents=True, exist_ok=True)
        write_wav(folder / f"{n}.wav", tone(12_000 + 500 * n, n))
        part = ("train", "train", "valid", "test")[n % 4]
        lines.append(f"v{n % 6},{n},a good film {n},{n % 7 - 3},Neutral,{part}")
    (given / "heard" / "label.csv").write_text("\n".join(lines) + "\n")


class Case:
    """Folders of one case, and the command in them."""

    def __init__(self, work: Path, given: Path, command: str):
        self.work, self.given, self.command = work, given, command
        places = ("records", "features", "corpora", "temporary")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MSALIB_")},
            **{f"MSALIB_{name.upper()}": str(work / name) for name in places},
            "PYTHONPATH": str(work / "tree"),
            "TMPDIR": str(work / "system"),
            "HOME": str(work / "home"),
            "MPLCONFIGDIR": str(given / "matplotlib"),
            "OMP_NUM_THREADS": "1",
        }

    def start(self, arguments) -> subprocess.Popen:
        """Start the command in the copied tree, in a session of its own."""
        words = [word.format(given=self.given, work=self.work) for word in arguments]
        return subprocess.Popen(
            [sys.executable, "-m", "msalib", *words],
            cwd=self.work / "tree",
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> list[psutil.Process]:
        """Return the living processes that were started for this case."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("MSALIB_RECORDS") == str(self.work / "records"):
                    found.append(process)
        return found

    def left(self) -> list[str]:
        """Return processes, temporary and hidden files, locks and unfinished work that are left."""
        files = [path.relative_to(self.work) for path in self.work.rglob("*")]
        files = [f for f in files if f.parts[0] not in ("home", "tree") or "runs" in f.parts]
        hidden = [f for f in files if f.name.startswith(".") and not f.name.startswith(".media")]
        partial = [f for f in files if f.suffix in (".partial", ".look", ".lock", ".pt")]
        temporary = [f for f in files if f.parts[0] in ("temporary", "system") and len(f.parts) > 1]
        temporary = [f for f in temporary if "torchinductor" not in f.parts[1]]  # torch's own cache
        beside = [p for p in (self.work / "tree").glob(".*")]
        runtime = [
            p for p in (self.work / "home").rglob("*") if p.is_file() and "jupyter" in str(p)
        ]
        running = [" ".join(p.cmdline()[:4]) for p in self.processes()]
        return [str(one) for one in (*hidden, *partial, *temporary, *beside, *runtime, *running)]

    def results(self) -> dict[str, str]:
        """Return file -> digest of its content without times, of all that the command made.

        inputs.json, beside feature stores, tells when media were written.
        """
        folders = ("records", "features", "corpora", "model", "tree/runs", "tree/book/executed")
        paths = [p for name in folders for p in (self.work / name).rglob("*") if p.is_file()]
        found = {
            str(p.relative_to(self.work)): digest(p, self.work)
            for p in paths
            if not (p.name.startswith(".") or p.name == "inputs.json" or {*UNLIKE} & {*p.parts})
        }
        site = self.work / "tree" / "_build" / "html"
        return found | {str(p.relative_to(site)): "page" for p in site.rglob("*.html")}


def digest(path: Path, work: Path) -> str:
    content = path.read_bytes().replace(str(work).encode(), b"")
    if path.suffix in (".json", ".ipynb"):
        content = json.dumps(timeless(json.loads(content))).encode()
    return hashlib.sha256(content).hexdigest()[:12]


def timeless(content):
    if isinstance(content, dict):
        return {k: timeless(v) for k, v in content.items() if k not in TIMES}
    return [timeless(one) for one in content] if isinstance(content, list) else content


# --- killing ------------------------------------------------------------------------------------


def killed(case: Case, name: str, after: float) -> list[str]:
    """Start the command and kill it; return what is wrong with how it ended."""
    problems, process = [], case.start(COMMANDS[case.command])
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    ended = process.poll() is not None
    if not ended:
        process.send_signal(getattr(signal, f"SIG{name}"))
    begin = time.monotonic()
    while (alive := case.processes()) and time.monotonic() < begin + SECONDS:
        time.sleep(0.02)
    if alive:
        problems.append(f"alive after {SECONDS:g} s: {[p.cmdline()[:4] for p in alive]}")
    errors = process.communicate()[1]
    # By the signal itself: before the command has begun, or when Python is about to end.
    if not ended and process.returncode not in (STATUS[name], -getattr(signal, f"SIG{name}"), 0):
        problems.append(f"status {process.returncode}: {errors[-300:]}")
    told = errors.count("msalib: stopped") == (process.returncode == abs(STATUS[name]))
    if not told or "Traceback" in errors:
        problems.append(f"not one line: {errors[-600:]}")
    return problems


def finished(case: Case) -> list[str]:
    """Run the command to its end; return what is wrong with that and with what is left."""
    process = case.start(COMMANDS[case.command])
    errors = process.communicate()[1]
    problems = [] if process.returncode == 0 else [f"next: {process.returncode}: {errors[-600:]}"]
    return problems + [f"left: {one}" for one in case.left()]


def prepared(template: Path, work: Path, given: Path, command: str) -> Case:
    shutil.copytree(template, work)
    (work / "system").mkdir()
    (work / "home").mkdir()
    return Case(work, given, command)


def matrix(command: str, options: argparse.Namespace, root: Path, given: Path) -> int:
    """Kill one command in all asked ways; return the number of cases with a problem."""
    template, number, rng = root / command.replace(" ", "-"), 0, random.Random(options.seed)
    make_tree(template / "tree")
    ready = Case(template, given, command)
    for arguments in BEFORE.get(command, ()):
        assert ready.start(arguments).wait() == 0, arguments
    shutil.rmtree(template / "temporary", ignore_errors=True)
    whole = prepared(template, root / "whole", given, command)
    begin = time.monotonic()
    for problem in finished(whole):
        print(f"{command}, not killed: {problem}", flush=True)
    seconds, expected = time.monotonic() - begin, whole.results()
    shutil.rmtree(whole.work)
    for name in options.signals:
        for _ in range(options.times):
            after = rng.uniform(options.earliest, seconds)
            case = prepared(template, root / "case", given, command)
            problems = killed(case, name, after) + finished(case)
            results = case.results()
            changed = [f for f in expected.keys() | results if expected.get(f) != results.get(f)]
            problems += [f"differs: {one}" for one in sorted(changed)[:5]]
            number += bool(problems)
            for problem in problems:
                print(f"{command}, {name} after {after:.2f} s: {problem}", flush=True)
            shutil.rmtree(case.work, ignore_errors=True)
    cases = len(options.signals) * options.times
    print(f"{command}: {cases - number} of {cases} as they should be ({seconds:.0f} s)", flush=True)
    shutil.rmtree(template)
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs="*", default=[], help=", ".join(COMMANDS))
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--signals", nargs="+", choices=STATUS, default=list(STATUS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--earliest", type=float, default=0.5, help="seconds")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it in background
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        make_inputs(Path(folder) / "given")
        problems = [
            matrix(command, options, Path(folder), Path(folder) / "given")
            for command in options.command or COMMANDS
        ]
    sys.exit(bool(sum(problems)))


if __name__ == "__main__":
    main()
