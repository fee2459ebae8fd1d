"""The page on baselines: which model is best."""

import pytest

from msalib.papers.baselines import plan, tables
from msalib.runs.query import Runs
from msalib.runs.study import Study

pytestmark = pytest.mark.usefixtures("small_data")


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    return Study("baselines", seeds=2)


def test_the_best_model_is_named_with_the_next_and_a_constant(study):
    named = {name: plan.systems(study)[name] for name in ("lmf", "tfn")}
    records = study.run(list(named.values()))
    runs = Runs(records)
    mean = {n: sum(r.metrics["test"]["mae"] for r in runs.records(named[n])[0]) for n in named}
    first, second = sorted(mean, key=mean.get)
    text = tables.answer(runs, named, setting="here").text
    assert text.startswith(f"Of 2 models (here; 2 seeds), {first} has the best mean MAE: ")
    assert f", followed by {second} (" in text and "A constant prediction has" in text


def test_without_records_there_is_a_sentence(study):
    text = tables.answer(Runs([]), plan.systems(study), setting="here").text
    assert text == "No baseline is recorded in this setting (here)."
