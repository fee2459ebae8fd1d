"""MulT's encoder: padding, one to three modalities, and how large it is beside SPT."""

import math

import pytest
import torch

from msalib.data.corpus import MODALITIES
from msalib.models.mult import Encoder, MulT
from msalib.models.spt import SPT

SIZES = {"visual": 5, "acoustic": 4, "linguistic": 12}
LENGTHS = {"visual": [3, 9, 6], "acoustic": [7, 1, 5], "linguistic": [1, 4, 3]}
DROPOUTS = {"embed_dropout": 0.3, "residual_dropout": 0.3, "relu_dropout": 0.3}

every_input = pytest.mark.parametrize(
    "used", [MODALITIES, ("visual", "linguistic"), ("acoustic",)], ids=len
)


def build(used=MODALITIES):
    torch.manual_seed(0)
    return MulT(
        input_sizes={m: SIZES[m] for m in used}, width=8, heads=2, layers=2, **DROPOUTS
    ).eval()


def batch(used=MODALITIES):
    torch.manual_seed(1)
    x = {m: torch.randn(3, max(LENGTHS[m]), SIZES[m]) for m in used}
    return x, {m: torch.tensor(LENGTHS[m]) for m in used}


@every_input
def test_clips_of_a_batch_are_as_each_alone(used):
    model, (x, length) = build(used), batch(used)
    together = model(x, length)
    for clip in range(3):
        single = {m: x[m][clip : clip + 1, : length[m][clip]] for m in x}
        alone = model(single, {m: length[m][clip : clip + 1] for m in x})
        for m in used:
            assert together[m].shape == (3, 8)
            torch.testing.assert_close(together[m][clip], alone[m][0], atol=1e-5, rtol=1e-5)


def test_padding_is_not_read():
    model, (x, length) = build(), batch()
    before = model(x, length)
    for m, frames in x.items():
        for clip, frames_of_clip in enumerate(length[m]):
            frames[clip, frames_of_clip:] = 100
    after = model(x, length)
    for m in before:
        torch.testing.assert_close(after[m], before[m], atol=1e-6, rtol=0)


def test_every_frame_of_every_modality_is_read():
    model, (x, length) = build(), batch()
    x = {m: x[m].requires_grad_() for m in x}
    for m in MODALITIES:
        vector = model(x, length)[m]
        for source, gradient in zip(
            x, torch.autograd.grad(vector.sum(), [*x.values()]), strict=True
        ):
            read = gradient.abs().sum(-1) > 0
            assert (read.sum(1) == length[source]).all(), (m, source)


@every_input
def test_a_step_reaches_every_parameter(used):
    model, (x, length) = build(used), batch(used)
    sum((h * torch.randn_like(h)).sum() for h in model(x, length).values()).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_a_single_modality_has_its_self_encoder_only():
    model = build(("acoustic",))
    assert list(model.own) == ["acoustic"] and not model.cross["acoustic"]


@pytest.mark.parametrize(("visual", "acoustic"), [(20, 5), (35, 74)], ids=["mosi", "mosei"])
def test_spt_has_less_than_a_fifth_of_its_parameters(visual, acoustic):
    """SUGRM-C24 says a tenth: SPT's layers share their weights, and dense ones do not."""
    arguments = {
        "input_sizes": {"visual": visual, "acoustic": acoustic, "linguistic": 768},
        "width": 32,
        "heads": 8,
        "layers": 4,
        **DROPOUTS,
    }
    sparse, dense = (
        sum(p.numel() for p in model.parameters())
        for model in (SPT(shift="none", **arguments), MulT(**arguments))
    )
    assert 0.15 < sparse / dense < 0.2


@pytest.mark.parametrize("sizes", [{}, {"smell": 3}])
def test_other_modalities_are_refused(sizes):
    with pytest.raises(ValueError, match="input_sizes needs some of"):
        MulT(input_sizes=sizes, width=8, heads=2, layers=1, **DROPOUTS)


# --- frames that are taken for padding ----------------------------------------------------------


def encoder(**changes) -> Encoder:
    """Return an encoder without layers: positions and a LayerNorm that changes nothing."""
    settings = {"width": 6, "layers": 0, "embed_dropout": 0.0} | changes
    made = Encoder(**settings).eval()
    made.norm = torch.nn.Identity()
    return made


def sinusoids(count: int, width: int) -> torch.Tensor:
    """Positions from 1, sines in the first half and cosines in the second."""
    half = width // 2
    rates = [math.exp(-i * math.log(10_000) / (half - 1)) for i in range(half)]
    rows = [[f(t * r) for f in (math.sin, math.cos) for r in rates] for t in range(1, count + 1)]
    return torch.tensor(rows)


def test_a_frame_whose_first_feature_is_zero_has_no_position_where_padding_is_guessed():
    x = torch.randn(2, 5, 6)
    x[0, 3:] = 0  # padding
    x[1, 2, 0] = 0  # a frame like others
    x[1, 4, 1:] = 0  # not padding: its first feature is there
    expected = math.sqrt(6) * x + sinusoids(5, 6)
    torch.testing.assert_close(encoder()(x, None, None), expected)
    for clip, step in ((0, 3), (0, 4), (1, 2)):
        expected[clip, step] = math.sqrt(6) * x[clip, step]
    torch.testing.assert_close(encoder(guess_padding=True)(x, None, None), expected)


def test_a_frame_without_position_is_read_all_the_same():
    torch.manual_seed(0)
    dropouts = dict.fromkeys(["residual_dropout", "relu_dropout", "attention_dropout"], 0.0)
    model = Encoder(
        width=8, layers=1, heads=2, embed_dropout=0.0, guess_padding=True, **dropouts
    ).eval()
    x = torch.randn(1, 4, 8)
    x[0, 3, 0] = 0
    other = x.clone()
    other[0, 3, 1:] += 1
    assert not torch.allclose(model(x, None, None)[0, :3], model(other, None, None)[0, :3])
