"""Notebooks of GLoMo's exhibits on small data, and without any."""

import pytest

from msalib.base import stats
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


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_records_says_so(name, small_data):
    known = page("glomo", name, dataset="control", profile="paper", seeds=1)
    assert not known["records"]


@pytest.mark.parametrize(
    "about",
    [
        {"dataset": "mosi", "encoder": "minilm-tuned"},
        {"dataset": "mosi-standardised", "preset": "paper"},
        {"dataset": "mustard", "encoder": "minilm-tuned"},
        {"dataset": "ravdess"},
        {"dataset": "nemo"},
        {"dataset": "mmmo-stretched"},
    ],
    ids=lambda about: about["dataset"],
)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_real_data_needs_no_data(name, about, small_data):
    page("glomo", name, profile="paper", **about)
