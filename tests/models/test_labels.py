"""Generated labels: the momentum, its closed form, the clamp and what is kept of every epoch."""

import pytest
import torch

from msalib.base.errors import UserError
from msalib.models.ulgm import Labels, classes, require_classes

GIVEN = torch.tensor([3.0, -3, 0, 1, -2])
ALL = torch.arange(5)


def test_epoch_one_moves_nothing():
    labels = Labels(GIVEN, ("visual",), clamp=True)
    labels.move(1, ALL, {"visual": torch.full((5,), 2.0)})
    labels.end_epoch()
    assert torch.equal(labels.made["visual"], GIVEN)
    assert torch.equal(labels.history[0].targets["visual"], GIVEN)


@pytest.mark.parametrize("clamp", [True, False])
def test_labels_have_their_closed_form(clamp):
    """papers/sugrm.md (d): 2 / (e (e + 1)) (y_m + sum of k times the target of epoch k)."""
    labels, total = Labels(GIVEN.double(), ("visual",), clamp=clamp), GIVEN.double()
    generator = torch.Generator().manual_seed(0)
    for epoch in range(2, 12):
        target = 9 * torch.rand(5, generator=generator, dtype=torch.double) - 4
        for rows in torch.randperm(5, generator=generator).split(2):
            labels.move(epoch, rows, {"visual": target[rows]})
        total = total + epoch * (target.clamp(-3, 3) if clamp else target)
        torch.testing.assert_close(labels.made["visual"], 2 / (epoch * (epoch + 1)) * total)
    assert torch.equal(labels.given, GIVEN.double())


def test_only_the_clips_and_modalities_of_a_batch_move():
    labels = Labels(GIVEN, ("visual", "acoustic"), clamp=True)
    labels.move(2, torch.tensor([3]), {"visual": torch.tensor([2.0])})
    assert labels.made["visual"].tolist() == pytest.approx([3, -3, 0, 1 / 3 + 4 / 3, -2])
    assert torch.equal(labels.made["acoustic"], GIVEN)
    assert labels.at(torch.tensor([3, 0]))["acoustic"].tolist() == [1, 3]


@pytest.mark.parametrize("clamp", [True, False])
def test_an_epoch_is_summarised(clamp):
    labels = Labels(GIVEN, ("visual",), clamp=clamp)
    labels.move(2, ALL, {"visual": torch.tensor([5.0, -4, 3, 1, 0])})
    labels.end_epoch()
    labels.move(3, ALL, {"visual": torch.zeros(5)})
    labels.end_epoch()
    first, second = labels.history
    limited = [3.0, -3, 3, 1, 0] if clamp else [5.0, -4, 3, 1, 0]
    assert first.targets["visual"].tolist() == limited
    assert first.labels["visual"].tolist() == pytest.approx(
        [(y + 2 * t) / 3 for y, t in zip(GIVEN.tolist(), limited, strict=True)]
    )
    assert first.at_limit["visual"] == pytest.approx(3 / 5)
    assert first.magnitude["visual"] == pytest.approx(4.96)  # between 4 and 5
    torch.testing.assert_close(second.labels["visual"], first.labels["visual"] / 2)
    assert (second.at_limit["visual"], second.magnitude["visual"]) == (0, 0)


def test_where_zero_belongs():
    assert classes(GIVEN, "positive").tolist() == [[1, 0, 1, 1, 0], [0, 1, 0, 0, 1]]
    assert classes(GIVEN, "neither").tolist() == [[1, 0, 0, 1, 0], [0, 1, 0, 0, 1]]


@pytest.mark.parametrize("zero", ["positive", "neither"])
@pytest.mark.parametrize("label", [[1.0, 1.0], [-2.0, -1.0], [0.5, 3.0], []])
def test_labels_on_one_side_only_are_refused(zero, label):
    with pytest.raises(UserError, match="clips on both sides of 0") as problem:
        require_classes(torch.tensor(label), zero)
    assert f"{len(label)} clips" in str(problem.value)


def test_zeros_are_a_side_only_where_they_count_as_positive():
    label = torch.tensor([0.0, -1.0])
    require_classes(label, "positive")
    with pytest.raises(UserError, match="labelled from -1 to 0"):
        require_classes(label, "neither")
