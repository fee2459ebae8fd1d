"""SPT: its windows, the same states as a literal reading of the specification, and padding."""

from pathlib import Path

import pytest
import torch

from msalib.data.corpus import MODALITIES
from msalib.models import spt
from msalib.models.spt import SPT, WindowAttention, hidden_windows, input_windows

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

SIZES = {"visual": 5, "acoustic": 4, "linguistic": 12}
LENGTHS = {"visual": [3, 41, 20], "acoustic": [33, 1, 16], "linguistic": [1, 11, 8]}
NO_DROPOUT = {"embed_dropout": 0.0, "residual_dropout": 0.0, "relu_dropout": 0.0}

every_input = pytest.mark.parametrize(
    "used", [MODALITIES, ("visual", "linguistic"), ("acoustic",)], ids=len
)
both_shifts = pytest.mark.parametrize("shift", ["none", "phase"])


def build(used=MODALITIES, *, sizes=SIZES, shift="none", width=8, heads=2, layers=3):
    torch.manual_seed(0)
    model = SPT(
        input_sizes={m: sizes[m] for m in used},
        width=width,
        heads=heads,
        layers=layers,
        shift=shift,
        **NO_DROPOUT,
    )
    for parameter in model.parameters():  # no bias and no LayerNorm as it starts
        torch.nn.init.uniform_(parameter, -0.5, 0.5)
    return model


def batch(used=MODALITIES):
    """Three clips of unequal length; some frames are all zero, some begin with a zero."""
    torch.manual_seed(1)
    x = {m: torch.randn(3, max(LENGTHS[m]), SIZES[m]) for m in used}
    for frames in x.values():
        frames[:, 2] = 0
        frames[:, 3:5, 0] = 0
    return x, {m: torch.tensor(LENGTHS[m]) for m in used}


def alone(x, length, clip):
    """One clip without padding."""
    return {m: x[m][clip : clip + 1, : length[m][clip]] for m in x}


@pytest.fixture
def literal(monkeypatch):
    """The literal reading that the benchmark compares with."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    from spt_step import literal

    return literal


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visual", "acoustic", "expected"), [(20, 5, 161_074), (35, 74, 166_618)], ids=["mosi", "mosei"]
)
def test_it_has_as_many_parameters_as_the_release(visual, acoustic, expected):
    sizes = {"visual": visual, "acoustic": acoustic, "linguistic": 768}
    model = build(sizes=sizes, width=32, heads=8)
    assert sum(p.numel() for p in model.parameters()) == expected


def test_two_modalities_share_one_block_and_one_has_none():
    assert set(build().cross_attention) == set(spt.PAIRS.values())
    assert set(build(("visual", "linguistic")).cross_attention) == {"linguistic_visual"}
    assert not build(("visual",)).cross_attention


@pytest.mark.parametrize("sizes", [{}, {"smell": 3}, {"visual": 2, "smell": 3}])
def test_other_modalities_are_refused(sizes):
    with pytest.raises(ValueError, match="input_sizes needs some of"):
        SPT(input_sizes=sizes, width=8, heads=2, layers=1, shift="none", **NO_DROPOUT)


def test_the_projections_of_one_attention_start_within_one_bound():
    torch.manual_seed(0)
    sizes = {"linguistic": 768}
    model = SPT(input_sizes=sizes, width=32, heads=8, layers=1, shift="none", **NO_DROPOUT)
    for block, stacked in (
        (model.input_attention["linguistic"], 32 + 2 * 768),
        (model.self_attention["linguistic"], 3 * 32),
    ):
        bound = (6 / (stacked + 32)) ** 0.5
        for layer in (block.query, block.key, block.value):
            assert 0.99 * bound < layer.weight.abs().max() <= bound
            assert not layer.bias.any()


# --- windows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 4, 50, 375])
def test_windows_are_those_of_the_specification(length):
    count = -(-length // 5)
    frames = input_windows(torch.tensor([length]), torch.arange(count), layer=2, shift="none")[0]
    shifted = input_windows(torch.tensor([length]), torch.arange(count), layer=2, shift="phase")[0]
    for j in range(count):
        phase = int(length * torch.tensor(j / 4, dtype=torch.double).sin())  # towards zero
        assert frames[:, j].tolist() == [r % length for r in range(5 * j - 12, 5 * j + 5)]
        assert shifted[:, j].tolist() == [(r + 2 + phase) % length for r in frames[:, j].tolist()]
    for window in (9, 7):
        rows = hidden_windows(
            torch.tensor([length]), torch.arange(count), layer=2, window=window, size=window
        )
        for j in range(count):
            expected = [(r + 2) % length for r in range(j - window + 1, j + 1)]
            assert rows[0, :, j].tolist() == expected


def spans(*pairs):
    return {frame for first, last in pairs for frame in range(first, last + 1)}


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (
            "linguistic",
            {
                "linguistic": spans((3, 49)),
                "acoustic": spans((0, 49), (338, 374)),
                "visual": spans((0, 49), (463, 499)),
            },
        ),
        ("acoustic", {"acoustic": spans((328, 374)), "visual": spans((288, 374))}),
        ("visual", {"visual": spans((453, 499)), "acoustic": spans((38, 124))}),
    ],
)
def test_what_the_last_state_sees_after_one_layer(target, seen):
    """Unaligned MOSI, papers/sugrm.md (c), by gradients."""
    model = build(layers=1)
    lengths = {"visual": 500, "acoustic": 375, "linguistic": 50}
    x = {m: torch.randn(1, lengths[m], SIZES[m], requires_grad=True) for m in lengths}
    model(x, {m: torch.tensor([lengths[m]]) for m in x})[target].square().sum().backward()
    for m, frames in seen.items():
        assert set(x[m].grad[0].abs().sum(-1).nonzero().flatten().tolist()) == frames, m


# --- states -------------------------------------------------------------------------------------


@both_shifts
@every_input
def test_states_are_those_of_a_literal_reading_clip_by_clip(literal, used, shift):
    """Clips of any length in a batch, also of one frame, are as each alone."""
    model, (x, length) = build(used, shift=shift), batch(used)
    with torch.no_grad():
        hidden, last = model.hidden(x, length), model(x, length)
        for clip in range(3):
            expected = literal(model, alone(x, length, clip))
            for m, h in expected.items():
                torch.testing.assert_close(hidden[m][clip, : h.shape[1]], h[0], atol=1e-5, rtol=0)
                torch.testing.assert_close(last[m][clip], h[0, -1], atol=1e-5, rtol=0)


@both_shifts
@pytest.mark.parametrize("layers", [1, 2, 9])
def test_the_last_states_are_the_last_of_all(shift, layers):
    """Also where the layer shifts a state's own window past the state."""
    model, (x, length) = build(shift=shift, layers=layers), batch()
    with torch.no_grad():
        hidden, last = model.hidden(x, length), model(x, length)
    for m in x:
        expected = hidden[m][torch.arange(3), spt.states(length[m]) - 1]
        torch.testing.assert_close(last[m], expected, atol=1e-5, rtol=0)


@both_shifts
def test_gradients_are_those_of_a_literal_reading(literal, shift):
    model, (x, length) = build(shift=shift), batch()
    x = {m: x[m].requires_grad_() for m in x}
    weight = torch.randn(3, 8)

    def gradients(run):
        parameters = [p for name, p in model.named_parameters() if name not in idle(model)]
        return torch.autograd.grad(
            sum((h * weight).sum() for h in run().values()), [*parameters, *x.values()]
        )

    def one_by_one():
        clips = [literal(model, alone(x, length, clip)) for clip in range(3)]
        return {m: torch.stack([clip[m][0, -1] for clip in clips]) for m in x}

    ours, theirs = gradients(lambda: model(x, length)), gradients(one_by_one)
    for gradient, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(gradient, expected, atol=1e-4, rtol=1e-4)


@both_shifts
def test_padding_is_not_read(shift):
    model, (x, length) = build(shift=shift), batch()
    before = model(x, length)
    changed = {m: torch.nn.functional.pad(x[m], (0, 0, 0, 7)) for m in x}
    for m, frames in changed.items():
        for clip, count in enumerate(length[m]):
            frames[clip, count:] = 100 * torch.randn_like(frames[clip, count:])
    after = model(changed, length)
    for m in before:
        torch.testing.assert_close(after[m], before[m], atol=1e-6, rtol=0)


@pytest.mark.parametrize("columns", [1, 5, 7])
def test_gradients_of_window_attention_are_its_differences(columns):
    """Rows of windows that overlap by rows, by five rows, and not at all."""
    torch.manual_seed(0)
    size, count = 7, 4
    rows = count - 1 + -(-size // columns)
    query = torch.randn(count, 2, 3, 2, dtype=torch.double, requires_grad=True)
    key, value = (
        torch.randn(columns, rows, 2, 3, 2, dtype=torch.double, requires_grad=True)
        for _ in range(2)
    )
    assert torch.autograd.gradcheck(lambda *x: WindowAttention.apply(*x, size), (query, key, value))


# --- training -----------------------------------------------------------------------------------


def idle(model):
    """Parameters that nothing reads: self attention has one LayerNorm for states and context."""
    return {
        f"self_attention.{m}.norm_context.{kind}"
        for m in model.self_attention
        for kind in ("weight", "bias")
    }


@every_input
def test_a_step_reaches_every_parameter_but_the_idle(used):
    model, (x, length) = build(used), batch(used)
    sum((h * torch.randn_like(h)).sum() for h in model(x, length).values()).backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    assert {name for name, gradient in gradients.items() if gradient is None} == idle(model)
    for name in set(gradients) - idle(model):
        # The same number for all scores of a window: softmax is blind to it. In cross attention
        # the other direction has it as the bias of its queries.
        blind = name.endswith("key.bias") and not name.startswith("cross_attention")
        assert (gradients[name].abs().max() < 1e-5) == blind, name


def test_dropout_is_in_training_only():
    dropouts = {"embed_dropout": 0.3, "residual_dropout": 0.3, "relu_dropout": 0.3}
    model = SPT(input_sizes=SIZES, width=8, heads=2, layers=2, shift="none", **dropouts)
    inputs = batch()
    first, second = model(*inputs), model(*inputs)
    assert all((first[m] != second[m]).any() for m in first)
    model.eval()
    first, second = model(*inputs), model(*inputs)
    assert all((first[m] == second[m]).all() for m in first)
