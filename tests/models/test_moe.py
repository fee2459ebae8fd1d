"""Mixtures of experts: gates, load and penalty against plain formulas, both ways to combine."""

import math

import pytest
import torch
from torch.nn import functional

from msalib.models import moe
from msalib.models.moe import MixtureOfExperts, squared_variation


def mixture(**changes) -> MixtureOfExperts:
    """Return experts of 6 features with random gates, in training mode."""
    torch.manual_seed(0)
    sizes = {"inputs": 6, "hidden": 5, "width": 4}
    settings = {"experts": 4, "active": 2, "combination": "linear"}
    settings |= {"noise_floor": 0.01, "load_mean": 0.0}
    made = MixtureOfExperts(**sizes | settings | changes)
    torch.nn.init.normal_(made.gate)
    torch.nn.init.normal_(made.noise)
    return made


def inputs(clips: int = 7) -> torch.Tensor:
    return torch.randn(clips, 6, generator=torch.Generator().manual_seed(1))


def toy(scores: list, sizes: list, *, active: int, load_mean: float = 0.0):
    """Return a mixture whose clean scores and noise sizes are given, and the one input for it."""
    made = MixtureOfExperts(
        1,
        2,
        2,
        experts=len(scores),
        active=active,
        combination="linear",
        noise_floor=0.01,
        load_mean=load_mean,
    )
    with torch.no_grad():
        made.gate[0] = torch.tensor(scores)
        made.noise[0] = (torch.tensor(sizes) - 0.01).expm1().log()  # softplus gives sizes - 0.01
    return made, torch.ones(1, 1)


def normal(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


# --- gates --------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("active", [1, 2, 3, 4])
def test_gates_sum_to_one_and_k_of_them_are_above_zero(active, training):
    made = mixture(active=active).train(training)
    y, gates = made(inputs())
    assert y.shape == (7, 4) and gates.gates.shape == (7, 4)
    torch.testing.assert_close(gates.gates.sum(1), torch.ones(7))
    assert ((gates.gates > 0).sum(1) == active).all()
    torch.testing.assert_close(gates.importance, gates.gates.sum(0))


def test_gates_are_the_softmax_of_the_kept_scores():
    made, x = toy([1.0, 3.0, 2.0], [1.0, 1.0, 1.0], active=2)
    (gates,) = made.gates(x, None).gates.tolist()
    one = 1 / (1 + math.exp(-1))
    assert gates == pytest.approx([0, one, 1 - one])


def test_new_gates_are_zero_so_that_none_is_preferred():
    made = MixtureOfExperts(
        6,
        5,
        4,
        experts=3,
        active=3,
        combination="linear",
        noise_floor=0.01,
        load_mean=0.0,
    )
    torch.testing.assert_close(made.eval()(inputs())[1].gates, torch.full((7, 3), 1 / 3))


def test_noise_is_drawn_in_training_alone():
    x, made = inputs(), mixture()
    assert not torch.equal(made(x)[1].gates, made(x)[1].gates)
    assert torch.equal(made.eval()(x)[1].gates, made(x)[1].gates)
    silent = mixture(noise_floor=None)
    assert torch.equal(silent.train()(x)[1].gates, silent.eval()(x)[1].gates)
    assert torch.equal(silent(x)[1].gates, made(x)[1].gates)


def test_the_same_seed_draws_the_same_noise():
    found = []
    for _ in range(2):
        made = mixture()
        torch.manual_seed(3)
        found.append(made(inputs())[0])
    assert torch.equal(*found)


def test_noise_has_the_size_that_the_input_says_and_a_floor():
    made, x = toy([0.0, 0.0], [0.5, 0.01], active=2)
    gates = made.gates(x, torch.tensor([[2.0, 4.0]]))
    size = functional.softplus(made.noise[0]) + 0.01
    noisy = torch.tensor([2.0, 4.0]) * size
    assert size.tolist() == pytest.approx([0.5, 0.01], abs=1e-6)
    torch.testing.assert_close(gates.gates[0], noisy.softmax(0))


@pytest.mark.parametrize(("experts", "active"), [(3, 0), (3, 4), (1, 2), (3, -1)])
def test_as_many_experts_as_there_are_can_be_active(experts, active):
    with pytest.raises(ValueError, match=f"{active} of {experts} experts cannot be active"):
        mixture(experts=experts, active=active)


# --- load and penalty ---------------------------------------------------------------------------


@pytest.mark.parametrize("load_mean", [0.0, 0.1])
def test_load_is_the_closed_form_on_three_experts(load_mean):
    """Scores 1, 2, 0.5 with noise 0.3, -1, 2 of sizes 0.5, 1, 0.8: noisy 1.15, 1, 2.1, k = 2."""
    clean, size = [1.0, 2.0, 0.5], [0.5, 1.0, 0.8]
    made, x = toy(clean, size, active=2, load_mean=load_mean)
    gates = made.gates(x, torch.tensor([[0.3, -1.0, 2.0]]))
    rival = [1.0, 1.15, 1.0]  # the second largest of the two others
    chances = [normal((c - r) / s - load_mean) for c, r, s in zip(clean, rival, size, strict=True)]
    assert gates.load.tolist() == pytest.approx(chances, abs=1e-5)


def kth_excluding(row: list, k: int, i: int) -> float:
    return sorted(row[:i] + row[i + 1 :], reverse=True)[k - 1]


@pytest.mark.parametrize("active", [1, 2, 3])
def test_load_sums_the_chances_of_all_inputs(active):
    made, x = mixture(active=active), inputs()
    noise = torch.randn(7, 4, generator=torch.Generator().manual_seed(2))
    clean = (x @ made.gate).tolist()
    size = (functional.softplus(x @ made.noise) + 0.01).tolist()
    noisy = [
        [c + n * s for c, n, s in zip(*rows, strict=True)]
        for rows in zip(clean, noise.tolist(), size, strict=True)
    ]
    load = [
        sum(
            normal((clean[b][i] - kth_excluding(noisy[b], active, i)) / size[b][i])
            for b in range(7)
        )
        for i in range(4)
    ]
    assert made.gates(x, noise).load.tolist() == pytest.approx(load, abs=1e-4)


def test_a_chance_is_how_often_new_noise_on_one_expert_would_keep_it():
    clean, size = [0.2, 0.6, 0.4, 0.1], [0.5, 0.3, 0.4, 0.6]
    made, x = toy(clean, size, active=2)
    noise = torch.tensor([[0.5, -0.4, 0.3, 0.9]])
    load = made.gates(x, noise).load.detach()
    generator = torch.Generator().manual_seed(0)
    for i in range(4):
        drawn = noise.repeat(40_000, 1)
        drawn[:, i] = torch.randn(40_000, generator=generator)
        noisy = torch.tensor(clean) + drawn * torch.tensor(size)
        kept = (noisy.topk(2, 1).indices == i).any(1).float().mean()
        assert float(load[i]) == pytest.approx(float(kept), abs=0.01)


def test_in_evaluation_and_with_all_experts_load_is_a_count():
    x, made = inputs(), mixture()
    gates = made.eval()(x)[1]
    assert torch.equal(gates.load, (gates.gates > 0).sum(0).float())
    assert mixture(active=4)(x)[1].load.tolist() == [7, 7, 7, 7]


def test_squared_variation_is_the_unbiased_variance_over_the_squared_mean():
    values = torch.tensor([1.0, 2.0, 6.0])
    assert float(squared_variation(values)) == pytest.approx(7 / 9)
    assert float(squared_variation(torch.full((3,), 2.5))) == 0
    assert float(squared_variation(torch.tensor([4.0]))) == 0
    assert float(squared_variation(torch.zeros(3))) == 0


def test_the_penalty_is_of_importance_and_load_and_zero_where_both_are_even():
    made = mixture()
    gates = made(inputs())[1]
    both = squared_variation(gates.importance) + squared_variation(gates.load)
    torch.testing.assert_close(gates.penalty, both)
    assert mixture(experts=1, active=1)(inputs())[1].penalty.item() == 0
    uniform = MixtureOfExperts(
        6, 5, 4, experts=3, active=3, combination="linear", noise_floor=None, load_mean=0.0
    )
    assert uniform(inputs())[1].penalty.item() == pytest.approx(0, abs=1e-12)


# --- combination --------------------------------------------------------------------------------


def test_experts_are_two_linear_layers_each():
    made, x = mixture(), inputs()
    outputs = made.outputs(x)
    for i in range(4):
        expected = made.output[i](made.hidden[i](x).relu())
        torch.testing.assert_close(outputs[:, i], expected)


@pytest.mark.parametrize("combination", ["linear", "logsumexp"])
@pytest.mark.parametrize("clips", [1, 40])  # one clip leaves experts without inputs
def test_experts_of_their_own_inputs_are_those_of_all(monkeypatch, combination, clips):
    x, found = inputs(clips), []
    for wide in (1, 10**9):
        monkeypatch.setattr(moe, "WIDE", wide)
        made = mixture(combination=combination)
        assert made.sparse == (wide == 1)
        y, gates = made(x)
        (y.square().sum() + gates.penalty).backward()
        found.append([y.detach(), *(weight.grad for weight in made.parameters())])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_linear_is_the_sum_weighted_by_the_gates():
    made, x = mixture().eval(), inputs()
    y, gates = made(x)
    expected = torch.zeros(7, 4)
    for i in range(4):
        expected += gates.gates[:, i, None] * made.output[i](made.hidden[i](x).relu())
    torch.testing.assert_close(y, expected)


def test_logsumexp_is_the_formula_of_the_release():
    made, x = mixture(combination="logsumexp").eval(), inputs()
    y, gates = made(x)
    naive = (gates.gates[..., None] * made.outputs(x).exp()).sum(1).log()
    torch.testing.assert_close(y, naive)


@pytest.mark.parametrize("active", [1, 2, 3, 4])
def test_logsumexp_is_never_below_linear_and_equal_for_one_expert(active):
    x = inputs(50)
    linear = mixture(active=active).eval()(x)[0]
    log = mixture(active=active, combination="logsumexp").eval()(x)[0]
    assert (log - linear > -1e-6).all()
    assert torch.allclose(log, linear, atol=1e-6) == (active == 1)


def test_outputs_of_200_do_not_overflow():
    made, x = mixture(combination="logsumexp"), inputs()
    with torch.no_grad():
        for layer in made.output:
            layer.bias.fill_(200.0)
    y, gates = made(x)
    assert torch.isfinite(y).all() and y.min().item() > 190
    (y.sum() + gates.penalty).backward()
    assert all(torch.isfinite(p.grad).all() for p in made.parameters())


@pytest.mark.parametrize("combination", ["linear", "logsumexp"])
@pytest.mark.parametrize(("experts", "active"), [(1, 1), (3, 1), (3, 2), (3, 3)])
def test_gradients_are_finite_and_reach_the_experts_that_were_met(combination, experts, active):
    made = mixture(experts=experts, active=active, combination=combination)
    y, gates = made(inputs(40))
    (y.square().sum() + gates.penalty).backward()
    for name, weight in made.named_parameters():
        assert weight.grad is None or torch.isfinite(weight.grad).all(), name
    for i, met in enumerate((gates.gates > 0).any(0).tolist()):
        assert (made.output[i].weight.grad.abs().sum() > 0) == met
    assert made.gate.grad.abs().sum() > 0 or experts == 1 or active == 1


def test_the_penalty_moves_gates_and_noise():
    made = mixture()
    made(inputs(40))[1].penalty.backward()
    assert made.gate.grad.abs().sum() > 0 and made.noise.grad.abs().sum() > 0
