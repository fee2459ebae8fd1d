"""Fixtures of tests of readers."""

import pytest

from tests.test_cli import refused  # noqa: F401 - a fixture


@pytest.fixture
def path(tmp_path):
    """Where a pickle can be written."""
    return tmp_path / "file.pkl"
