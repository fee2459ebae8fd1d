"""The benchmarks run: both ways through the script of replicas, at sizes that take seconds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_benchmark_of_replicas_runs_and_writes_nothing():
    results = ROOT / "benchmarks" / "results"
    before = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    done = subprocess.run(
        [sys.executable, "benchmarks/replicas.py", "--tiny"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "random frames of MOSI's sizes, 2 layers" in done.stdout  # what a GPU is given
    assert done.stdout.count("of the bound") == 7
    assert {path: path.stat().st_mtime_ns for path in results.iterdir()} == before
