"""What a notebook would end in is refused before it starts, in the words of its study."""

import pytest

from msalib.base.errors import UserError
from msalib.book import notebooks
from msalib.pages import checks
from msalib.runs.study import Study


def refusal(notebook, **given):
    with pytest.raises(UserError) as error:
        checks.check(notebook, notebooks.resolve_parameters(notebook, given))
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("dataset", "mosy", "Did you mean mosi?"),
        ("encoder", "mini", "found an encoder for control, which comes with its features"),
        ("preset", "ours", "found no such preset"),
        ("profile", "ful", "found no such profile"),
        ("seeds", "0", "found 0; expected greater than or equal to 1"),
        ("seeds", "1001", "found 1001"),
        ("device", "gpu", "expected 'auto', 'cpu' or 'cuda'"),
    ],
)
def test_a_wrong_value_is_told_as_the_study_tells_it(name, value, part):
    told = refusal("uegd/fig6", **{name: value})
    assert part in told
    with pytest.raises(UserError) as error:
        Study("uegd", **{name: int(value) if name == "seeds" else value})
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("notebook", "name", "value", "part"),
    [
        ("baselines/table", "split", "fold9", "split 'fold9' of control: found no such split"),
        ("baselines/table", "target", "joy", "target 'joy' of "),
        ("baselines/table", "model", "tnf", "expected one of all, lmf"),
        ("uegd/sizes", "modality", "words", "expected one of visual, acoustic, linguistic"),
        ("uegd/fig6", "device", "cuda", "found no such device here"),
        ("sugrm/table2", "encoder", "planted-tuned", "found an encoder for control"),
        ("paper", "paper", "uged", "Did you mean uegd?"),
        ("audit", "dataset", "mosie", "Did you mean mosei?"),
        ("data", "corpus", "MOSEI", "Did you mean mosei?"),
        ("spoken", "part", "dev", "expected one of train, valid, test"),
        ("predict", "dataset", "mosy", "Did you mean mosi?"),
    ],
)
def test_every_parameter_that_names_something_is_looked_up(
    small_data, monkeypatch, notebook, name, value, part
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert part in refusal(notebook, **{name: value})


@pytest.mark.parametrize("notebook", notebooks.available())
def test_the_parameters_that_a_notebook_has_pass(small_data, notebook):
    checks.check(notebook, notebooks.resolve_parameters(notebook, {}))


def test_missing_data_are_left_to_the_notebook(small_data):
    given = {"dataset": "mosi-standardised", "profile": "full"}
    checks.check("uegd/fig6", notebooks.resolve_parameters("uegd/fig6", given))
