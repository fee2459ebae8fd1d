"""What processes run that are about to be killed, or that have company, and what they leave."""

import multiprocessing
import time
from contextlib import suppress
from pathlib import Path

import pytest

from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.data.datasets import Dataset
from msalib.data.simulate import features as simulate
from msalib.papers.uegd import layers
from msalib.runs import records, trainer


def small_control(**changes):
    """A control of 72 clips and two blocks."""
    profiles = dict.fromkeys(MODALITIES, (0.25, 0.5, 2.0))
    sizes = {"videos": 8, "clips": (9, 9), "frames": (2, 4), "profiles": profiles}
    return simulate.control(**{**sizes, **changes})


def offer(name: str, read, **changes) -> None:
    """Let a simulated corpus be the data set of that name."""
    about = {"layered": MODALITIES, "shipped": "planted", "real": False, **changes}
    readers.DATASETS[name] = Dataset(f"small {name}", read, **about)


def start(work, together: int, pause: float = 0.3) -> multiprocessing.Process:
    """Start ``work()`` on a small control in a process of its own.

    It trains so many runs together at most, and rests after each group.
    """
    context = multiprocessing.get_context("fork")  # all is imported, and no thread is at work
    process = context.Process(target=_run, args=(work, together, pause))
    process.start()
    return process


def _run(work, together, pause):
    offer("control", small_control)
    trainer.TOGETHER["cpu"] = together
    trainer.Trainer.train = _and_rest(trainer.Trainer.train, pause)
    work()


def _and_rest(train, pause):
    def train_and_rest(self, specs):
        trained = train(self, specs)
        time.sleep(pause)
        return trained

    return train_and_rest


def singles() -> None:
    from msalib.runs.study import Study

    layers.singles(Study("uegd", seeds=1))


def campaign() -> None:
    from msalib.papers.campaign import make
    from msalib.papers.uegd.plan import PLAN

    PLAN["control"] = PLAN["control"][:2]  # enough for company
    for _ in make("uegd", dataset="control", profile="quick", seeds=1):
        pass


def files() -> dict[Path, bytes]:
    """Return the files of the folder of records but those that another process removes."""
    folder, contents = records.records_folder(), {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):
            contents[path.relative_to(folder)] = path.read_bytes()
    return contents


def finished() -> dict[Path, bytes]:
    return {path: content for path, content in files().items() if path.suffix == ".json"}


def assert_close(results, expected) -> None:
    """Check that records are equal but for the rounding of replicas (test_replicas)."""
    for one, other in zip(results, expected, strict=True):
        assert one.spec == other.spec and one.selected_epoch == other.selected_epoch
        for part, clips in one.predictions.items():
            assert clips.prediction == pytest.approx(other.predictions[part].prediction, abs=1e-4)
