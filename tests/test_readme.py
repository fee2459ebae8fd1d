"""The README shows the results of the committed records, and names what exists."""

import pytest

from msalib import readme
from msalib.paths import ROOT


def test_results_are_those_of_the_records(monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(ROOT / "book" / "records"))
    text = (ROOT / "README.md").read_text()
    assert readme.written(text) == text, "run `make readme`"


@pytest.mark.parametrize("target", ["book", "test", "minilm"])
def test_make_targets_exist(target):
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    assert f"make {target}" in (ROOT / "README.md").read_text()
