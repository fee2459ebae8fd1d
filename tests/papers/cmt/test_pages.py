"""Notebooks of CMT's exhibits on small data with sound and words, and without any."""

import nbformat
import numpy as np
import pandas as pd
import pytest

from msalib.base import paths, stats
from msalib.data import datasets, pairs
from msalib.data.corpus import Corpus
from msalib.models import recipes
from tests import clips
from tests.pages_run import page
from tests.sweep import offer

PAGES = ["table1", "table2", "table3", "table4", "fig2", "fig3", "fig4", "pretraining"]
WORDS = ["we", "hated", "that", "film", "it", "was", "great", "i", "smiled", "a", "lot"]
FEW = {"pt_updates": 3, "tapt_updates": 2, "pt_batch_size": 8, "codewords": 5, "epochs": 1}
BOTH = ("acoustic", "linguistic")


def spoken(folder, name, count):
    """Noise of a third of a second and a sentence for every clip, two clips a video."""
    pytest.importorskip("soundfile")
    files = [
        clips.write_wav(folder / f"{name}{n}.wav", clips.tone(4000 + 300 * (n % 5), seed=n))
        for n in range(count)
    ]
    ids = pd.Index([f"{name}_{n}" for n in range(count)], name="id")
    texts = [" ".join(WORDS[n % 7 : n % 7 + 4]) for n in range(count)]
    table = pd.DataFrame({"video": [f"v{n // 2}" for n in range(count)], "segment": 1}, index=ids)
    table = table.assign(text=texts, label=np.linspace(-1, 1, count).round(2))
    part = pd.Series((["train", "train", "train", "valid", "test"] * count)[:count], index=ids)
    return Corpus(name, table, {}, {"standard": part}, media={"acoustic": files})


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with clips, and with what pages leave behind: what several need is made once."""
    folder = tmp_path_factory.mktemp("pages")
    return folder, spoken(folder, "task", 60), spoken(folder, "others", 48)


@pytest.fixture
def small(kept, monkeypatch, small_data):
    """60 clips for raw-spoken, 48 to pretrain on, and few steps."""
    folder, task, others = kept
    offer("raw-spoken", lambda: task, layered=BOTH, shipped=None, raw=BOTH, encoder="small")
    monkeypatch.setattr(pairs, "PAIRS", {"raw-spoken-unlabelled": lambda: others})
    monkeypatch.setenv("MSALIB_RECORDS", str(folder / "records"))
    monkeypatch.setenv("MSALIB_FEATURES", str(folder / "features"))
    quick = recipes._document("cmt")["quick"]["train"]
    for name, value in FEW.items():
        monkeypatch.setitem(quick, name, {"value": value, "source": "few"})


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 100)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_in_profile_quick(name, small):
    known = page("cmt", name, dataset="raw-spoken", seeds=1)
    assert datasets.dataset("raw-spoken").title.startswith("small")
    assert known["study"].encoder == "small-frames" and known["records"]
    assert "reduced scale: " in known["setting"] and "width 64" in known["setting"]
    assert known.get("verdicts") or name == "pretraining"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_records_says_so(name, small_data):
    known = page("cmt", name, dataset="raw-spoken", encoder="spoken", profile="full", seeds=1)
    assert not any(known["records"].values() if name == "pretraining" else known["records"])


@pytest.mark.parametrize(
    "about",
    [
        {"dataset": "iemocap"},
        {"dataset": "ravdess"},
        {"dataset": "nemo"},
        {"dataset": "mosi-standardised"},
        {"dataset": "meld-dev"},
    ],
    ids=lambda about: about["dataset"],
)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_real_data_needs_no_data(name, about, small_data):
    page("cmt", name, profile="full", **about)


def text(name: str) -> str:
    cells = nbformat.read(paths.NOTEBOOKS / "cmt" / f"{name}.ipynb", as_version=4).cells
    return " ".join("\n".join(cell.source for cell in cells).split())


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("table1", "[1, 2, 3, 4, 5, 6]"),
        ("table2", "[1, 7, 8, 9, 10, 20]"),
        ("table3", "[11, 13]"),
        ("table4", '[13, 16, 17, 19, "X1"]'),
        ("fig2", "[12]"),
        ("fig3", "[14, 15]"),
        ("fig4", "[18]"),
    ],
)
def test_a_page_judges_what_its_records_allow(name, claims):
    assert f"recorded.judged(study, records, {claims})" in text(name)


@pytest.mark.parametrize("name", PAGES)
def test_every_table_and_figure_names_the_setting_with_its_scale(name):
    source = text(name)
    assert "setting = results.setting(study, named)" in source
    assert source.count("setting=setting") >= 2
