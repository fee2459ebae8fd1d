"""The authors' labels beside ours: what the page shows is what the record says."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.papers.sugrm import authors
from tests.html import read


@pytest.fixture
def run():
    return authors.RECORD.read()


def test_the_table_is_the_record(run):
    frame = authors.beside(run).frame
    assert frame["epoch"].tolist() == [e.epoch for e in run.epochs]
    for row, e in zip(frame.to_dict("records"), run.epochs, strict=True):
        for name, both in (
            ("validation MAE", e.validation_mae),
            ("largest distance", e.max_distance),
        ):
            assert float(row[f"{name}, theirs"]) == both.theirs
            assert float(row[f"{name}, ours"]) == both.ours
        assert [float(row[f"Corr, {m}"]) for m in e.correlation] == list(e.correlation.values())
        assert row["largest difference of a label"].startswith(f"{e.largest_difference:.2g}")


def test_another_record_is_another_table(run):
    first = run.epochs[0].model_copy(
        update={"largest_difference": 0.25, "share_apart": 0.5, "correlation": {"visual": -0.125}}
    )
    other = run.model_copy(update={"epochs": [first], "clips": 17, "apart": 0.01})
    row = authors.beside(other).frame.iloc[0]
    assert row["largest difference of a label"] == "0.25 (50% of the clips by more than 0.01)"
    assert row["Corr, visual"] == "-0.125" and "Corr, acoustic" not in row
    assert "on 17 clips" in read(authors.setup(other)).text
    assert "0.25 points" in read(authors.agreement(other)).text


def test_agreement_ends_with_the_first_epoch_that_differs(run):
    """Epoch 3 differs; that epoch 4 agrees again does not count."""
    epochs = [
        run.epochs[0].model_copy(update={"epoch": n, "largest_difference": difference})
        for n, difference in ((1, 0.0), (2, 1e-6), (3, 1e-3), (4, 0.0))
    ]
    text = read(authors.agreement(run.model_copy(update={"epochs": epochs}))).text
    assert text.startswith("Up to epoch 2 ") and "in epoch 4" in text


def test_the_record_is_of_the_released_trainer_and_whole(run):
    assert run.release in (paths.ROOT / "msalib/models/sugrm.py").read_text()
    assert all(a.epoch < b.epoch for a, b in pairwise(run.epochs))
    assert all(set(e.correlation) == {"linguistic", "acoustic", "visual"} for e in run.epochs)
    assert all(abs(r) <= 1 for e in run.epochs for r in e.correlation.values())
    assert run.epochs[0].largest_difference == 0  # labels start at the annotated ones
    assert run.with_dropout.lowest <= run.with_dropout.highest
    text = read(authors.setup(run)).text
    assert all(part in text for part in (run.release, *run.adapted, *run.same, run.source))


def test_a_user_s_own_folder_of_records_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    assert authors.RECORD.read().epochs


def test_a_missing_record_is_a_clear_message(tmp_path):
    missing = replace(authors.RECORD, file=tmp_path / "none.json")
    with pytest.raises(UserError, match="record of the authors' labels") as error:
        missing.read()
    assert "cannot be made anew" in error.value.remedy


def test_the_page_of_figure_4_shows_it():
    cells = json.loads((paths.ROOT / "notebooks/sugrm/fig4.ipynb").read_text())["cells"]
    code = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    for shown in ("setup", "beside", "agreement"):
        assert f"authors.{shown}(comparison)" in code
