import pytest

from msalib.base import stats


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 1000)  # fewer could not pass Holm in a family of 18
