"""Notebooks of GLoMo's exhibits on small data, and without any."""

import nbformat
import pytest

from msalib.base import paths, stats
from tests.pages_run import page

PAGES = ["table1", "table2", "table3", "table4", "table5", "fig2", "fig3", "fig4"]
PAGES += ["pieces", "experts"]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_in_profile_quick(name, small_data):
    known = page("glomo", name, dataset="control", seeds=1)
    assert known["records"] and (known.get("verdicts") or name == "pieces")
    if name == "fig3":  # without it GLOMO-C13 would never be judged there
        assert known["runs"].has(known["layer"]["one layer"])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_records_says_so(name, small_data):
    known = page("glomo", name, dataset="control", profile="full", seeds=1)
    assert not known["records"]


@pytest.mark.parametrize(
    "about",
    [
        {"dataset": "mosi", "encoder": "minilm-tuned"},
        {"dataset": "mosi-standardised", "preset": "article"},
        {"dataset": "mustard", "encoder": "minilm-tuned"},
        {"dataset": "ravdess"},
        {"dataset": "nemo"},
        {"dataset": "mmmo-stretched"},
    ],
    ids=lambda about: about["dataset"],
)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_real_data_needs_no_data(name, about, small_data):
    page("glomo", name, profile="full", **about)


def text(name: str) -> str:
    cells = nbformat.read(paths.NOTEBOOKS / "glomo" / f"{name}.ipynb", as_version=4).cells
    return " ".join("\n".join(cell.source for cell in cells).split())


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("table2", [4, 5, 11, 14, 27]),
        ("table3", [6, 11, 14, 27]),
        ("fig2", [16]),
        ("fig3", [13, 15]),
        ("fig4", [23]),
        ("experts", [26]),
    ],
)
def test_a_page_judges_what_its_records_allow(name, claims):
    assert f"recorded.judged(study, records, {claims})" in text(name)


@pytest.mark.parametrize("name", ["fig2", "fig4", "experts", "table5"])
def test_a_page_of_claims_over_trainings_does_not_speak_of_other_clips(name):
    assert "cover other clips" not in text(name)
    assert name == "table5" or "cover other trainings, not other clips" in text(name)
