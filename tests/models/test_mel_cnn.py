"""The convolutional network on mel spectrograms: its size, its blocks, and what padding does."""

import pytest
import torch
from torch.nn import functional

from msalib.models import recipes
from tests.models.test_sound import build


def weights(model):
    return sum(p.numel() for p in model.parameters())


def test_it_has_as_many_weights_as_the_layers_of_the_specification():
    """papers/mmml.md (c): 2, 8, 16, 32, 64, 128 channels, 5 x 5 then 3 x 3.

    Convolutions 2 * 8 * 25 + 8 = 408, 8 * 16 * 9 + 16 = 1,168, 16 * 32 * 9 + 32 = 4,640, 32 * 64 *
    9 + 64 = 18,496 and 64 * 128 * 9 + 128 = 73,856, together 98,568; batch norms 2 (8 + 16 + 32 +
    64 + 128) = 496; the last map 129.
    """
    assert weights(build("mel_cnn", 128, profile="full")) == 99_193
    # One channel spares 8 * 25 weights.
    assert weights(build("mel_cnn", 128, profile="full", channels=1)) == 99_193 - 200
    # Two more linear layers of 128 * 128 + 128 = 16,512 each.
    assert weights(build("mel_cnn", 128, preset="article", profile="full")) == 99_193 + 33_024


def test_presets_differ_where_the_table_has_two_columns():
    release, paper = (recipes.load("mel_cnn", preset, "full", "mosi") for preset in recipes.PRESETS)
    differs = {
        name: (release[group][name], paper[group][name])
        for group in release
        for name in release[group]
        if release[group][name] != paper[group][name]
    }
    assert differs == {"linear_layers": (1, 3), "learning_rate": (1e-4, 1e-5)}


def test_blocks_halve_six_seconds_of_128_bands_five_times():
    model, shapes = build("mel_cnn", 128), []
    states, mask = torch.zeros(1, 2, 301, 128), torch.ones(1, 301, dtype=torch.bool)
    for block in model.eval().blocks:
        states, mask = block(states, mask)
        shapes.append(tuple(states.shape[1:]))
        assert mask.shape == (1, states.shape[2]) and mask.all()
    assert shapes == [(8, 151, 64), (16, 76, 32), (32, 38, 16), (64, 19, 8), (128, 10, 4)]


@pytest.mark.parametrize("frames", [1, 2, 7, 32, 33])
def test_one_clip_is_read_as_by_the_layers_of_the_library(frames):
    """No padding, so that plain convolutions and two-dimensional batch norms do the same."""
    model = build("mel_cnn", 128, channels=1).train()
    x = torch.randn(frames, 128)
    states = x[None, None]
    for block in model.blocks:
        convolution = block.convolution
        states = functional.conv2d(
            states,
            convolution.weight,
            convolution.bias,
            stride=2,
            padding=convolution.kernel_size[0] // 2,
        ).relu()
        states = functional.batch_norm(states, None, None, training=True)
    expected = model.linear[0](states.mean((2, 3)).relu())[0, 0]
    mask = torch.ones(1, frames, dtype=torch.bool)
    prediction = model({"acoustic": x}, {"acoustic": mask}).prediction
    torch.testing.assert_close(prediction[0], expected, rtol=1e-4, atol=1e-5)


def test_beyond_a_clip_every_block_gives_zeros():
    model = build("mel_cnn", 16).train()
    lengths = torch.tensor([5, 40, 17])
    mask = torch.arange(40) < lengths[:, None]
    states = torch.randn(3, 2, 40, 16) * mask[:, None, :, None]
    for block in model.blocks:
        states, mask = block(states, mask)
        lengths = (lengths + 1) // 2
        assert mask.sum(1).equal(lengths)
        beyond = states.transpose(1, 2)[~mask]
        assert not beyond.any()


def test_statistics_of_batch_norm_are_those_of_valid_frames():
    model = build("mel_cnn", 16)
    block = model.blocks[0].train()
    mask = torch.arange(40) < torch.tensor([5, 40, 17])[:, None]
    states = torch.randn(3, 2, 40, 16) * mask[:, None, :, None]
    seen = block.convolution(states).relu().transpose(1, 2)[mask[:, ::2]]  # (S, C, F)
    block(states, mask)
    expected = 0.1 * seen.mean((0, 2))  # momentum 0.1, from zero
    torch.testing.assert_close(block.norm.running_mean, expected)


def test_weights_start_as_kaiming_has_them():
    """Normal, with the deviation that keeps the size of what ReLU halves: sqrt(2 / inputs)."""
    convolution = build("mel_cnn", 16).blocks[-1].convolution
    expected = (2 / (64 * 9)) ** 0.5
    assert float(convolution.weight.detach().std()) == pytest.approx(expected, rel=0.02)
    assert not convolution.bias.any()
