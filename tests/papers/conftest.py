import pytest

from msalib.base import stats


@pytest.fixture
def fewer_resamples(monkeypatch):
    """Draw a tenth of the resamples, enough for clear effects; a module asks for it by its name."""
    monkeypatch.setattr(stats, "RESAMPLES", 1000)
