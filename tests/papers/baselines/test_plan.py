"""The baselines' plan: which models it trains, and what it refuses."""

import pytest

from msalib.base.errors import UserError
from msalib.models import recipes
from msalib.papers.baselines import plan
from msalib.runs.study import Study

pytestmark = pytest.mark.usefixtures("small_data")


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    return Study("baselines", seeds=1)


def test_all_models_that_belong_to_no_paper_or_the_named_one(study):
    systems = plan.systems(study)
    assert list(systems) == recipes.baselines() != []
    assert plan.systems(study, "lmf") == {"lmf": systems["lmf"]}
    assert dict(systems["lmf"].inputs) == study.last_layers


def test_an_unknown_model_is_refused_with_those_that_exist(study):
    with pytest.raises(UserError, match=r"model 'nonsense'.*one of all, lmf.*-p model lmf"):
        plan.systems(study, "nonsense")


def test_runs_are_recorded_under_baselines_and_read_again(study, tmp_path):
    (first,) = study.run([plan.systems(study, "lmf")["lmf"]])
    assert first.spec.path().parent.parent.parent.parent == tmp_path / "baselines"
    assert first.spec.family == "lmf"
    (second,) = study.run([plan.systems(study, "lmf")["lmf"]])
    assert second.provenance == first.provenance
