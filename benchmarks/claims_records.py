"""CPU time and peak memory of ``msalib claims`` by the number of records.

Committed records of a paper are copied with other seeds, each with noise on its predictions, into a
folder of their own (``MSALIB_RECORDS``), beside the measurements that tests read. Every count is
judged in a process of its own.

    python benchmarks/claims_records.py
    python benchmarks/claims_records.py --against CHECKOUT     # in turn with another version
    python benchmarks/claims_records.py --tiny                 # does it work? Writes nothing.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from measured import rounded, summary, text, write

from msalib.base import paths

COUNTS = (500, 1_000, 4_000, 20_000)
PAPERS = ("uegd", "sugrm", "glomo")

COMPARED = 4_000
"""Records on which both versions are measured, in turn."""

ROUNDS = 2

TARGETS = {"growth": 1.25, "share_of_time": 1 / 3}
"""Greatest ratio of the peaks with most and fewest records, and of times to the other version."""


def originals(paper: str) -> list[dict]:
    """Return the committed records of a paper that count, each as its JSON."""
    folder = paths.SHIPPED / paper
    records = (json.loads(p.read_text()) for p in sorted(folder.glob("*/*/paper/*.json")))
    return [record for record in records if record["spec"]["setting"] != "leaky"]


def copies(folder: Path, paper: str, count: int) -> None:
    """Write so many records: first copies of all with their own seeds, then with further ones."""
    from msalib.runs.spec import Spec  # large, and the process that measures has to be small

    for path in paths.SHIPPED.rglob("*.json"):
        if "-seed" not in path.name:  # no run: error rates, times, summaries of data
            (folder / path.relative_to(paths.SHIPPED)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / path.relative_to(paths.SHIPPED))
    known, rng = originals(paper), random.Random(0)
    os.environ["MSALIB_RECORDS"] = str(folder)
    for number in range(count):
        again, place = divmod(number, len(known))
        record = known[place]
        spec = record["spec"] | {"seed": record["spec"]["seed"] + 100 * again}
        parts = {part: noisy(clips, rng) for part, clips in record["predictions"].items()}
        _write(Spec(**spec).path(), record | {"spec": spec, "predictions": parts})


def _write(path: Path, record: dict) -> None:
    """Write a record as ``files.write_json`` does, without waiting for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def noisy(clips: dict, rng: random.Random) -> dict:
    """Return the clips of a part with noise on every prediction that is no class."""
    if "scores" in clips:
        return clips
    return clips | {"prediction": [round(p + rng.gauss(0, 0.05), 5) for p in clips["prediction"]]}


def judged(records: Path, paper: str, code: Path) -> tuple[float, float, str]:
    """Judge the claims of a paper: seconds of CPU time, MiB of memory at most, and what is said.

    The peak is at least that of this process, which is therefore small (``measured.resident``).
    """
    about = {"MSALIB_RECORDS": str(records), "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "msalib", "claims", paper]
    with TemporaryDirectory() as name:
        said = Path(name, "said.txt")
        with said.open("w") as out:
            process = subprocess.Popen(command, cwd=code, env=os.environ | about, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"msalib claims {paper} ended with status {status}")
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.read_text()


def compare(records: Path, paper: str, other: Path) -> dict:
    """Judge with both versions in turn; both must say the same."""
    pairs = []
    for _ in range(ROUNDS):
        ours, theirs = (judged(records, paper, code) for code in (paths.ROOT, other))
        if ours[2] != theirs[2]:
            raise RuntimeError(f"{paper}: the two versions give different verdicts")
        pairs.append((ours, theirs))
    return {
        "seconds": summary([ours[0] for ours, _ in pairs]),
        "seconds_of_other": summary([theirs[0] for _, theirs in pairs]),
        "share_of_time": summary([ours[0] / theirs[0] for ours, theirs in pairs]),
        "share_of_memory": summary([ours[1] / theirs[1] for ours, theirs in pairs]),
    }


def main(
    against: Annotated[Path | None, typer.Option(help="A checkout to compare with.")] = None,
    tiny: Annotated[bool, typer.Option(help="Few records; writes nothing.")] = False,
    made: Annotated[str, typer.Option("--made", hidden=True)] = "",
) -> None:
    if made:
        folder, paper, count = json.loads(made)
        copies(Path(folder), paper, count)
        return
    counts = (20, 40) if tiny else COUNTS
    results = {}
    for paper in PAPERS[:1] if tiny else PAPERS:
        result = {}
        for count in counts:
            with TemporaryDirectory() as name:
                asked = json.dumps([name, paper, count])
                subprocess.run([sys.executable, __file__, "--made", asked], check=True)
                seconds, peak, _ = judged(Path(name), paper, paths.ROOT)
                result[f"{count} records"] = {"cpu_s": rounded(seconds), "peak_mb": round(peak)}
                print(f"{paper}, {count} records: {seconds:.1f} s, {peak:.0f} MB", flush=True)
                if against and count in (COMPARED, counts[-1] if tiny else COMPARED):
                    versions = compare(Path(name), paper, against.resolve())
                    result[f"{count} records"] |= versions
                    shares = {n: text(v) for n, v in versions.items() if "share" in n}
                    print(f"  of the other version: {shares}", flush=True)
        few, *_, many = (one["peak_mb"] for one in result.values())
        results[paper] = result | {"growth": rounded(many / few, 3)}
    if not tiny:
        other = {"against": _commit(against)} if against else {}
        write("claims_records", "cpu", {"targets": TARGETS, **other, **results})


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    typer.run(main)
