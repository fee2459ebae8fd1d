"""The benchmarks run: both ways through the script of replicas, at sizes that take seconds."""

from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


def test_the_benchmark_of_replicas_runs_and_writes_nothing(monkeypatch, capsys):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import replicas

    before = {path: path.stat().st_mtime_ns for path in (BENCHMARKS / "results").iterdir()}
    replicas.main("cpu", 1, tiny=True)
    printed = capsys.readouterr().out
    assert "random frames of MOSI's sizes, 2 layers" in printed  # what a GPU is given
    assert printed.count("of the bound") == 7
    after = {path: path.stat().st_mtime_ns for path in (BENCHMARKS / "results").iterdir()}
    assert after == before


def test_every_benchmark_imports(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    for path in sorted(BENCHMARKS.glob("*.py")):
        __import__(path.stem)
