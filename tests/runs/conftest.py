"""Fixtures of tests of runs."""

import pytest

from msalib.runs.trainer import Trainer
from msalib.training import loop, replicas


@pytest.fixture
def no_training(monkeypatch):
    """A switch: from when it is called, training fails the test."""

    def refuse(*_):
        pytest.fail("trained")

    return lambda: monkeypatch.setattr(Trainer, "train", refuse)


@pytest.fixture
def trained(monkeypatch):
    """The specifications of the runs that are trained from here on, group by group."""
    groups, train_group = [], Trainer.train

    def note(self, specs):
        groups.append(specs)
        return train_group(self, specs)

    monkeypatch.setattr(Trainer, "train", note)
    return groups


@pytest.fixture
def fits(monkeypatch):
    """How many runs each training had."""
    sizes = []
    one, many = loop.fit, replicas.fit
    monkeypatch.setattr(loop, "fit", lambda *a: sizes.append(1) or one(*a))
    monkeypatch.setattr(replicas, "fit", lambda *a: sizes.append(len(a[-1])) or many(*a))
    return sizes
