"""What all tests on SUGRM share."""

import pytest

from msalib.base import stats


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 1000)  # fewer could not pass Holm in a family of 12
