"""The terms of a training: schedules, parts of the optimiser, and which epoch is selected."""

import pytest
import torch
from torch import nn

from msalib.training.regime import Moment, Part, Regime, Selection, constant, warmup_linear
from msalib.training.streams import Keyed


def regime(**changes) -> Regime:
    usual = {"epochs": 9, "batch_size": 4, "parts": {"model": Part(0.1)}, "stream": Keyed}
    return Regime(**{**usual, **changes})


# --- schedules ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("warmup", "steps", "rates"),
    [
        (0.2, 10, [0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]),
        (0.25, 10, [0, 0.4, 0.8, 7 / 7.5, 6 / 7.5, 5 / 7.5]),  # rises over two and a half steps
        (0.0, 4, [1, 0.75, 0.5, 0.25, 0]),
        (1.0, 4, [0, 0.25, 0.5, 0.75]),
    ],
)
def test_the_rate_rises_over_a_share_of_the_steps_and_falls_to_zero(warmup, steps, rates):
    worked_out = [
        warmup_linear(2.0, Moment(1, step, steps), warmup=warmup) for step in range(len(rates))
    ]
    assert worked_out == pytest.approx([2 * rate for rate in rates])


def test_a_constant_rate_stays_at_its_base():
    assert [constant(0.3, Moment(epoch, 7, 9)) for epoch in (1, 5)] == [0.3, 0.3]


def test_every_part_has_the_rate_that_the_schedule_makes_of_its_own():
    how = regime(
        parts={"text": Part(0.2), "other": Part(1.0)},
        schedule=lambda rate, moment: rate / moment.epoch,
    )
    assert how.rates(Moment(4, 0, 9)) == {"text": 0.05, "other": 0.25}


# --- the optimiser ------------------------------------------------------------------------------


class Net(nn.Module):
    """Names as pretrained encoders have them."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.LayerNorm = nn.LayerNorm(2)
        self.layer_norm = nn.LayerNorm(2)
        self.norm = nn.LayerNorm(2)  # a name that says nothing


def settings(optimizer) -> list[tuple]:
    return [
        (g["part"], g["lr"], g["weight_decay"], len(g["params"])) for g in optimizer.param_groups
    ]


def test_weight_decay_spares_biases_and_layer_norms_where_asked():
    groups = {"text": list(Net().named_parameters())}
    spared = regime(parts={"text": Part(0.1, 0.01, spared=True)}).make_optimizer(groups)
    assert settings(spared) == [("text", 0.1, 0.01, 2), ("text", 0.1, 0.0, 6)]
    dense, norm = spared.param_groups[0]["params"]
    assert dense.shape == (2, 2) and norm.shape == (2,)  # the weights of ``dense`` and ``norm``
    decayed = regime(parts={"text": Part(0.1, 0.01)}).make_optimizer(groups)
    assert settings(decayed) == [("text", 0.1, 0.01, 8)]


def test_every_part_has_its_rate_and_decay_and_an_empty_one_no_group():
    net = Net()
    groups = {"a": net.dense.named_parameters(), "b": net.norm.named_parameters(), "c": []}
    parts = {"a": Part(0.1, 0.5), "b": Part(0.2), "c": Part(0.3)}
    optimizer = regime(parts=parts).make_optimizer(groups)
    assert settings(optimizer) == [("a", 0.1, 0.5, 2), ("b", 0.2, 0.0, 2)]


def test_a_step_decays_only_what_is_not_spared():
    """Without a gradient from the loss, gradient descent shrinks a weight by rate times decay."""
    net = Net()
    how = regime(parts={"text": Part(0.1, 0.5, spared=True)}, optimizer=torch.optim.SGD)
    optimizer = how.make_optimizer({"text": net.named_parameters()})
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in net.named_parameters():
        kept = 0.95 if name in ("dense.weight", "norm.weight") else 1.0
        torch.testing.assert_close(parameter.detach(), kept * before[name])


# --- selection ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "changes", "selected", "judged"),
    [
        ([3, 1, 2, 0.5, 4], {}, 4, 5),
        ([3, 1, 2, 2, 0.5], {"patience": 2}, 2, 4),
        ([3, 1, 2, 0.5, 4], {"patience": 2}, 4, 5),
        ([1, 1, 1], {"ties": "earlier"}, 1, 3),
        ([1, 1, 2], {"ties": "later"}, 2, 3),
        ([1, 1, 1, 1], {"patience": 2, "ties": "earlier"}, 1, 3),
        ([1, 1, 1, 1], {"patience": 2, "ties": "later"}, 4, 4),
        ([1, 0.95, 0.91, 0.8], {"improvement": 0.1}, 4, 4),
        ([1, 0.95, 0.91, 0.8], {"improvement": 0.1, "patience": 2}, 1, 3),
        ([1, 0.8, 0.75, 0.65], {"improvement": 0.1, "patience": 2}, 4, 4),
    ],
)
def test_the_lowest_score_is_selected(scores, changes, selected, judged):
    """``judged``: epochs until patience ends, or all."""
    selection, epochs = Selection(regime(**changes)), 0
    for epoch, score in enumerate(scores, start=1):
        epochs += 1
        best = selection.judge(epoch, score)
        assert best == (selection.epoch == epoch)
        if selection.done:
            break
    assert (selection.epoch, epochs) == (selected, judged)
