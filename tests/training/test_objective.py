"""What a training minimises: errors by name, outputs in table order, and the validation score."""

from types import SimpleNamespace

import pytest
import torch

from msalib.training.objective import ERRORS, Objective, Outputs
from tests.training.common import Guess


@pytest.mark.parametrize(
    ("error", "prediction", "label", "mean", "clips"),
    [
        ("l1", [1.0, 4.0], [0.0, 0.0], 2.5, [1, 4]),
        ("l2", [1.0, 4.0], [0.0, 0.0], 8.5, [1, 16]),
        ("huber", [0.5, 4.0], [0.0, 0.0], (0.125 + 3.5) / 2, [0.125, 3.5]),
        ("cross_entropy", [[0.0, 0.0], [0.0, 100.0]], [1, 1], 0.6931472 / 2, [0.6931472, 0]),
    ],
)
def test_errors_by_name(error, prediction, label, mean, clips):
    output, label = Guess(torch.tensor(prediction)), torch.tensor(label)
    batch = SimpleNamespace(label=label)
    assert float(Objective(error).loss(output, batch)) == pytest.approx(mean)
    each = ERRORS[error](output.prediction, label, reduction="none")
    assert each.tolist() == pytest.approx(clips)


def test_class_numbers_may_come_as_float():
    scores = torch.randn(4, 3)
    label = torch.tensor([0, 2, 1, 2])
    error = ERRORS["cross_entropy"]
    assert torch.equal(error(scores, label), error(scores, label.float()))


def labelled(labels: list[float]) -> SimpleNamespace:
    """Stand in for ``Examples`` with these labels."""
    return SimpleNamespace(label=torch.tensor(labels))


@pytest.fixture
def outputs() -> Outputs:
    """Three clips in batches of two and one, out of table order."""
    rows = [torch.tensor([2, 0]), torch.tensor([1])]
    return Outputs(rows, [Guess(torch.tensor([3.0, 1.0])), Guess(torch.tensor([2.0]))])


def test_outputs_come_back_in_table_order(outputs):
    assert outputs.scores.tolist() == [1, 2, 3]
    columns = outputs.column(lambda output: torch.stack([output.prediction, -output.prediction], 1))
    assert columns.tolist() == [[1, -1], [2, -2], [3, -3]]
    halves = Outputs(outputs.rows, [Guess(o.prediction.bfloat16()) for o in outputs.batches])
    assert halves.scores.dtype == torch.float32


@pytest.mark.parametrize("validation", ["clip_mean", "batch_mean"])
def test_the_score_pairs_every_clip_with_its_label(outputs, validation):
    objective = Objective("l1", validation)
    assert objective.score(outputs, labelled([1.0, 2.0, 3.0])) == 0
    assert objective.score(outputs, labelled([1.0, 2.0, 4.0])) > 0


@pytest.mark.parametrize(("validation", "score"), [("batch_mean", 1.5), ("clip_mean", 1.8)])
def test_the_two_validation_scores(validation, score):
    """Ten clips in batches of eight and two: the mean over the clips, or over the batches."""
    labels = labelled([2.0] * 8 + [1.0] * 2)
    rows = list(torch.arange(10).split(8))
    outputs = Outputs(rows, [Guess(torch.zeros(len(chunk))) for chunk in rows])
    assert Objective("l1", validation).score(outputs, labels) == pytest.approx(score)
