"""Tasks: labels from a table, scores to predictions and metrics; which data set has which."""

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from msalib.base.errors import UserError
from msalib.data import datasets, metrics
from msalib.data.tasks import LIMIT, Classes, Regression, Sims, Task, choose
from tests.fixtures import FIXTURES, VARIANTS
from tests.fixtures_more import meld_dev

THREE = Classes(("negative", "neutral", "positive"), values=(-1, 0, 1))
TASKS = [Regression(), Regression(2.0), Sims(), Sims(column="label_T"), THREE]
TASKS += [Classes(("sad", "glad"), "mood")]


def scored(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) and scores of a model that is often right."""
    rng = np.random.default_rng(0)
    if not task.classes:
        label = rng.uniform(-task.limit, task.limit, 50)
        return label, label + rng.normal(size=50) / 3
    label = np.arange(50) % task.outputs
    return label, np.eye(task.outputs)[label] + rng.normal(size=(50, task.outputs)) / 3


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_task_scores_what_its_tables_show(task):
    label, scores = scored(task)
    values = task.metrics(label, scores)
    assert {*task.shown, task.selects} <= set(values)
    assert all(metrics.METRICS[name].unit in ("", "%", "points") for name in values)
    chance = task.chance(label, label)
    assert chance.keys() == values.keys()
    for name, value in chance.items():  # the scores are better than a constant
        sign = 1 if metrics.METRICS[name].higher_is_better else -1
        assert np.isnan(value) or sign * (values[name] - value) > 0, name
    prediction = task.prediction(scores)
    assert prediction.shape == (50,)
    assert task.error in ("l1", "cross_entropy") and len(task.edges) > 2
    assert np.ndim(scores) == 1 or np.shape(scores)[1] == task.outputs == len(task.classes)


def test_every_kind_scores_by_its_own_measures():
    label, scores = scored(Regression())
    assert Regression().metrics(label, scores) == metrics.regression(label, scores)
    expected = pytest.approx(metrics.chance(label, label), nan_ok=True, rel=0, abs=0)
    assert Regression().chance(label, label) == expected
    assert Sims().metrics(label, scores) == metrics.sims(label, scores)
    label, scores = scored(THREE)
    expected = metrics.classification(label, scores.argmax(1), THREE.classes)
    assert THREE.metrics(label, scores) == expected


def test_equal_scores_predict_the_first_class():
    assert THREE.prediction(np.array([[0, 1, 1], [2, 2, 2]])).tolist() == [1, 0]


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_task_comes_back_from_json(task):
    kind = TypeAdapter(tuple[Task, ...])
    assert kind.validate_json(kind.dump_json((task,))) == (task,)


# --- labels -------------------------------------------------------------------------------------


def test_labels_are_those_of_the_column():
    table = pd.DataFrame({"label": [-1.0, 1.0, 0.0], "mood": ["glad", "sad", "sad"]})
    assert Regression().labels(table).tolist() == [-1, 1, 0]
    assert Regression().labels(table).dtype == np.float64
    assert THREE.labels(table).tolist() == [0, 2, 1]
    assert Classes(("sad", "glad"), "mood").labels(table).tolist() == [1, 0, 0]
    assert THREE.labels(table).dtype == np.int64


def test_a_label_of_no_class_is_refused():
    table = pd.DataFrame({"label": [-1.0, 0.5]}, index=pd.Index(["a", "b"], name="id"))
    with pytest.raises(UserError) as error:
        THREE.labels(table)
    message = str(error.value)
    assert all(part in message for part in ("label of clip b", "0.5", "one of -1, 0, 1"))


@pytest.mark.parametrize(
    "arguments", [{"classes": ("a",)}, {"classes": "aa"}, {"classes": "ab", "values": (1, 1)}]
)
def test_classes_that_cannot_be_told_apart_are_refused(arguments):
    with pytest.raises(ValueError, match="classes"):
        Classes(**arguments)


def test_a_target_is_chosen_by_its_column():
    tasks = (THREE, Classes(("sad", "glad"), "mood"))
    assert choose(tasks, None, "toy") == choose(tasks, "label", "toy") == THREE
    assert choose(tasks, "mood", "toy") == tasks[1]
    with pytest.raises(UserError, match=r"target 'joy' of toy: .* one of label, mood\."):
        choose(tasks, "joy", "toy")


# --- data sets ----------------------------------------------------------------------------------

WRITERS = {
    **{name: FIXTURES[name] for name in ("meld", "iemocap", "mustard", "ravdess", "nemo")},
    **{name: VARIANTS[name][1] for name in ("youtube", "pom")},
    **dict.fromkeys(("mmmo", "mmmo-stretched"), FIXTURES["frames"]),
    **dict.fromkeys(("meld-dev", "meld-dev-mel"), meld_dev),
}
OUTPUTS = {"meld": 3, "iemocap": 4, "mustard": 2, "youtube": 3, "ravdess": 8, "nemo": 6}


@pytest.mark.parametrize("name", WRITERS)
def test_a_data_set_is_scored_by_its_own_measures(name, tmp_path, monkeypatch):
    WRITERS[name](tmp_path / datasets.folder(name))
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    corpus, dataset = datasets.load(name), datasets.dataset(name)
    assert corpus.tasks == dataset.tasks and corpus.task == dataset.task
    assert dataset.task.outputs == OUTPUTS.get(name, 1)
    for task in dataset.tasks:
        assert dataset.target(task.column) == task
        stream = next(iter(dataset.vectors), None)
        inputs = {stream: 1} if stream else {}
        label = corpus.examples(np.arange(len(corpus)), inputs=inputs, task=task).label.numpy()
        if task.classes:
            assert set(label) <= set(range(task.outputs)) and len(set(label)) > 1
            scores = task.metrics(label, np.eye(task.outputs)[label])
            assert scores["wa"] == scores["ua"] == scores["f1"] == scores["f1_macro"] == 1
        else:
            assert np.abs(label).max() <= task.limit <= LIMIT
            assert task.metrics(label, label)["mae"] == 0


def test_classes_are_those_of_the_source(tmp_path, monkeypatch):
    for name in OUTPUTS:
        WRITERS[name](tmp_path / name)
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))

    def named(name, column=None):
        corpus, task = datasets.load(name), datasets.dataset(name).target(column)
        return [task.classes[k] for k in task.labels(corpus.utterances)], corpus.utterances

    for name in ("meld", "iemocap", "ravdess", "nemo"):
        emotions, table = named(name, "emotion")
        assert emotions == table["emotion"].tolist()
    for name in ("meld", "iemocap"):
        polarity, table = named(name, "label")
        words = {-1: "negative", 0: "neutral", 1: "positive"}
        assert polarity == [words[label] for label in table["label"]]
    sarcasm, table = named("mustard")
    assert [name == "sarcastic" for name in sarcasm] == (table["label"] == 1).tolist()


def test_an_unnamed_task_is_regression_from_minus_three_to_three():
    assert datasets.dataset("control").tasks == (Regression(3.0),)
    assert datasets.dataset("mmmo").task.limit == 2
