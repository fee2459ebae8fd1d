"""The command ``msalib export``: what it asks for, and what it says."""

from pathlib import Path

import pytest

from msalib.book import export


@pytest.mark.parametrize(
    ("switches", "kinds"),
    [([], ["csv"]), (["--latex"], ["latex"]), (["--json", "--csv"], ["csv", "json"])],
)
def test_files_are_named_as_they_are_written(msalib, monkeypatch, tmp_path, switches, kinds):
    asked = []

    def write(name, parameters, kinds, folder):
        asked.append((name, parameters, kinds))
        return [folder / "one", folder / "two"]

    monkeypatch.setattr(export, "export", write)
    given = ["export", "uegd/table2", "-p", "dataset", "control", "--out", tmp_path]
    status, out, _ = msalib(*given, *switches)
    assert (status, asked) == (0, [("uegd/table2", {"dataset": "control"}, kinds)])
    assert out.split() == [str(tmp_path / "one"), str(tmp_path / "two")]


def test_unknown_pages_and_parameters_are_refused(refused):
    assert "uegd/table2" in refused("export", "uegd/tabel2")
    assert "dataset" in refused("export", "uegd/table2", "-p", "datset", "control")
    assert "parameters" in refused("export", "claims", "-p", "dataset", "control")
    assert not Path("exports").exists()
