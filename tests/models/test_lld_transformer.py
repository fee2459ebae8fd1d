"""The Transformer on openSMILE frames: its size, its positions, and widths that heads divide."""

import math

import pytest
import torch

from msalib.base.errors import UserError
from msalib.models import lld_transformer, recipes
from tests.models.test_sound import build


def weights(model):
    return sum(p.numel() for p in model.parameters())


def test_it_has_as_many_weights_as_the_layers_of_the_specification():
    """papers/mmml.md (c): 130 features, 3 layers, 2 heads, 512.

    A layer: queries, keys, values 3 (130 * 130 + 130) = 51,090; their output 130 * 130 + 130 =
    17,030; feed-forward 130 * 512 + 512 = 67,072 and 512 * 130 + 130 = 66,690; two norms 4 * 130 =
    520; together 202,402. Three of them 607,206, the learned vector 130, the last map 131.
    """
    assert weights(build("lld_transformer", 130, profile="full")) == 607_467
    # The map of 25 descriptors to 130 features has 25 * 130 + 130 = 3,380 more.
    assert weights(build("lld_transformer", 25, profile="full")) == 610_847
    # Three classes have two more rows of 130 + 1 each.
    assert weights(build("lld_transformer", 130, 3, profile="full")) == 607_467 + 262


def test_presets_differ_where_the_table_has_two_columns():
    release, paper = (
        recipes.load("lld_transformer", preset, "full", "mosi") for preset in recipes.PRESETS
    )
    differs = {
        name: (release[group][name], paper[group][name])
        for group in release
        for name in release[group]
        if release[group][name] != paper[group][name]
    }
    assert differs == {
        "positions": ("channel_slip", "time"),
        "every": (1, 2),
        "learning_rate": (1e-4, 1e-5),
    }


@pytest.mark.parametrize(("size", "mapped"), [(130, False), (88, False), (25, True), (1, True)])
def test_a_width_that_heads_do_not_divide_is_mapped(size, mapped):
    model = build("lld_transformer", size, mapped_width=32)
    assert isinstance(model.map, torch.nn.Linear) == mapped
    assert model.output.in_features == (32 if mapped else size)


def test_a_width_to_map_to_that_heads_do_not_divide_is_refused():
    with pytest.raises(UserError, match="mapped_width 33"):
        build("lld_transformer", 25, mapped_width=33)
    build("lld_transformer", 26, mapped_width=33)  # nothing to map


# --- positions ----------------------------------------------------------------------------------


def test_the_code_of_time_has_a_frequency_for_each_pair_of_features():
    code = lld_transformer.positional_code("time", 7, 5)
    assert code.shape == (7, 5)
    # 5 features are those of 6 without the last.
    rate = 10_000 ** (-2 / 6)
    expected = [math.sin(3), math.cos(3), math.sin(3 * rate), math.cos(3 * rate)]
    torch.testing.assert_close(code[3, :4], torch.tensor(expected))


def test_the_slip_takes_time_for_the_channels():
    """papers/mmml.md (c): a code for (B, D, T), given (B, T, D)."""
    code = lld_transformer.positional_code("channel_slip", 6, 9)
    assert code.shape == (6, 9)
    torch.testing.assert_close(code, lld_transformer.positional_code("time", 9, 6).T)
    place = torch.arange(9.0)
    torch.testing.assert_close(code[0], place.sin())
    torch.testing.assert_close(code[3], (place * 10_000 ** (-2 / 6)).cos())


def test_with_the_slip_late_steps_hardly_differ():
    def apart(positions, step):
        code = lld_transformer.positional_code(positions, 301, 130)
        return float((code[step + 2] - code[step]).norm())

    assert apart("time", 290) == pytest.approx(apart("time", 1), rel=1e-3)
    assert apart("channel_slip", 290) < 1e-3 * apart("channel_slip", 1)


@pytest.mark.parametrize("positions", ["time", "channel_slip"])
def test_the_order_of_frames_matters(positions):
    model = build("lld_transformer", 4, positions=positions)
    frames, mask = torch.randn(5, 4), torch.ones(1, 5, dtype=torch.bool)
    one, other = (predict_of(model, x, mask) for x in (frames, frames.flip(0)))
    assert (one - other).abs() > 1e-4
    with torch.no_grad():
        model.code.zero_()
    one, other = (predict_of(model, x, mask) for x in (frames, frames.flip(0)))
    torch.testing.assert_close(one, other)


def test_every_second_frame_is_read_where_the_recipe_says_so():
    model, full = (build("lld_transformer", 4, every=n, frames=3) for n in (2, 1))
    frames = torch.randn(12, 4)
    mask = torch.arange(7) < torch.tensor([5, 7])[:, None]  # frames 0, 2, 4, and 0, 2, 4
    kept = frames[[0, 2, 4, 5, 7, 9]]
    expected = predict_of(full, kept, torch.ones(2, 3, dtype=torch.bool))
    torch.testing.assert_close(predict_of(model, frames, mask), expected)


def predict_of(model, frames, mask):
    with torch.no_grad():
        return model.eval()({"acoustic": frames}, {"acoustic": mask}).prediction
