"""Global and local vectors: stretches, joined layers, and that padding changes nothing."""

import pytest
import torch
from torch.nn import functional

from msalib.models.mult import Encoder
from msalib.models.pieces import (
    Convolution,
    LayerCoding,
    SequenceCoding,
    Stretches,
    end_to_end,
    placed,
)

JOININGS = ("time", "features", "sum")


def frames(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def mask_of(lengths: list[int], longest: int | None = None) -> torch.Tensor:
    counts = torch.tensor(lengths)[:, None]
    return torch.arange(longest or int(counts.max())) < counts


def sequence(*, guess: bool = False, count: int = 3) -> SequenceCoding:
    torch.manual_seed(0)
    dropouts = dict.fromkeys(["embed", "residual", "relu", "attention"], 0.3)
    encoder = Encoder(
        width=8,
        layers=2,
        heads=2,
        guess_padding=guess,
        **{f"{name}_dropout": share for name, share in dropouts.items()},
    )
    return SequenceCoding(5, kernel=3, count=count, encoder=encoder, width=8).eval()


def layered(joining: str, kernel: int = 3) -> LayerCoding:
    torch.manual_seed(0)
    return LayerCoding(5, kernel=kernel, count=3, joining=joining, width=8).eval()


# --- stretches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_stretches_are_those_of_each_clip_alone(count):
    lengths = [1, 2, 3, count, count + 1, 7, 12, 20, 13]
    x, mask = frames(len(lengths), 20, 4), mask_of(lengths)
    made = Stretches(count)(x, mask)
    for clip, length in enumerate(lengths):
        own = x[clip : clip + 1, :length].transpose(1, 2)
        expected = functional.adaptive_max_pool1d(own, count).flatten(1)
        assert torch.equal(made[clip : clip + 1], expected), length


def test_without_a_mask_stretches_divide_the_whole_row():
    x = frames(3, 10, 4)
    assert torch.equal(Stretches(3)(x, None), Stretches(3)(x, torch.ones(3, 10, dtype=torch.bool)))


@pytest.mark.parametrize(
    ("length", "bins"),
    [
        (60, [(0, 20), (20, 40), (40, 60)]),
        (120, [(0, 40), (40, 80), (80, 120)]),
        (80, [(0, 27), (26, 54), (53, 80)]),
        (160, [(0, 54), (53, 107), (106, 160)]),
    ],
)
@pytest.mark.parametrize("masked", [True, False])
def test_stretches_have_the_bins_of_the_specification(length, bins, masked):
    """As such: a frame that stands out is seen by the bins that hold it, and by no other."""
    mask = torch.ones(length, length, dtype=torch.bool) if masked else None
    seen = Stretches(3)(torch.eye(length)[..., None], mask).bool()  # frame x bin
    for i, (start, end) in enumerate(bins):
        assert seen[:, i].nonzero().flatten().tolist() == list(range(start, end))


def test_the_width_is_slowest():
    x = torch.arange(12.0).view(1, 6, 2)  # feature 0: 0 2 4 6 8 10
    assert Stretches(3)(x, None).tolist() == [[2, 6, 10, 3, 7, 11]]
    assert Stretches(3)(x, mask_of([6])).tolist() == [[2, 6, 10, 3, 7, 11]]


def test_gradients_of_short_clips_are_finite():
    x = frames(3, 5, 4).requires_grad_()
    Stretches(3)(x, mask_of([1, 2, 5])).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert not x.grad[0, 1:].any() and not x.grad[1, 2:].any()


# --- codings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_has_no_bias_and_keeps_the_length(kernel):
    made, x = Convolution(5, 8, kernel), frames(2, 7, 5)
    assert [*dict(made.named_parameters())] == ["convolution.weight"]
    assert made(x, None).shape == (2, 7, 8) and not made(torch.zeros(2, 7, 5), None).any()
    around = functional.pad(x, (0, 0, kernel // 2, kernel // 2))[0, 2 : 2 + kernel]
    expected = torch.einsum("kd,wdk->w", around, made.convolution.weight)
    torch.testing.assert_close(made(x, None)[0, 2], expected)


def test_the_global_vector_of_a_sequence_is_the_maximum_of_its_states():
    model, x = sequence(), frames(3, 9, 5)
    states = model.encoder(model.project(x, None), None, None)
    whole, pieces = model(x, None)
    torch.testing.assert_close(whole, states.amax(1))
    torch.testing.assert_close(pieces, Stretches(3)(states, None))
    torch.testing.assert_close(pieces.view(3, 8, 3).amax(2), whole)  # the same encoder for both


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_sequence_is_coded_as_alone_whatever_lies_beyond_it(count):
    lengths, model = [4, 9, 1, 2], sequence(count=count)
    mask = mask_of(lengths)
    x = frames(4, 9, 5)
    together = model(x, mask)
    for clip, length in enumerate(lengths):
        own = model(x[clip : clip + 1, :length], mask_of([length]))
        for ours, theirs in zip(together, own, strict=True):
            torch.testing.assert_close(ours[clip : clip + 1], theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("joining", JOININGS)
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_layers_are_coded_as_alone_whatever_lies_beyond_them(joining, kernel):
    lengths, model = [4, 9, 1, 2], layered(joining, kernel)
    mask = mask_of(lengths)
    x = frames(2, 4, 9, 5)
    whole, pieces = model(x, mask)
    for clip, length in enumerate(lengths):
        own = model(x[:, clip : clip + 1, :length], mask_of([length]))
        torch.testing.assert_close(whole[clip : clip + 1], own[0])
        torch.testing.assert_close(pieces[clip : clip + 1], own[1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("joining", JOININGS)
def test_layers_are_joined_as_it_says_the_last_first(joining):
    model, x = layered(joining), frames(2, 3, 7, 5)
    last, before = x
    joined = {
        "time": torch.cat([last, before], 1),
        "features": torch.cat([last, before], 2),
        "sum": last + before,
    }[joining]
    whole, pieces = model(x, None)
    torch.testing.assert_close(whole, last[:, 0] @ model.first.weight.T + model.first.bias)
    convolved = functional.conv1d(
        joined.transpose(1, 2), model.project.convolution.weight, padding=1
    )
    torch.testing.assert_close(pieces, functional.adaptive_max_pool1d(convolved, 3).flatten(1))


def test_layers_are_joined_end_to_end_without_a_gap():
    x = torch.arange(24.0).view(2, 3, 4, 1)
    mask = mask_of([2, 4, 1])
    joined, valid = end_to_end(x, mask)
    assert joined.shape == (3, 8, 1) and valid.sum(1).tolist() == [4, 8, 2]
    assert joined[0, :, 0].tolist() == [0, 1, 12, 13, 0, 0, 0, 0]
    assert joined[1, :, 0].tolist() == [4, 5, 6, 7, 16, 17, 18, 19]
    assert joined[2, :2, 0].tolist() == [8, 20]
    assert torch.equal(valid, mask_of([4, 8, 2]))


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", [(), (2,)])
@pytest.mark.parametrize("longest", [3, 6, 9])
@pytest.mark.parametrize("whole", [True, False])
def test_frames_are_put_in_their_places(stack, longest, whole):
    lengths = [2, 6, 3]
    flat = frames(*stack, sum(lengths), 4)
    x, mask = placed(flat, mask_of(lengths), longest, whole)
    steps = longest if whole else min(longest, 6)
    assert x.shape == (*stack, 3, steps, 4)
    assert mask is None if whole else torch.equal(mask, mask_of(lengths, 6)[:, :longest])
    for clip, own in enumerate(flat.split(lengths, dim=-2)):
        kept = min(lengths[clip], longest)
        assert torch.equal(x[..., clip, :kept, :], own[..., :kept, :])
        assert not x[..., clip, kept:, :].any()
