"""Fixtures of tests of readers."""

import pytest


@pytest.fixture
def path(tmp_path):
    """Where a pickle can be written."""
    return tmp_path / "file.pkl"
