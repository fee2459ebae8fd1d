"""Masking against papers/uegd.md (d) written out cell by cell, and the shares it masks."""

import numpy as np
import pytest
import torch

from msalib.masking import mask_features, spans

RELEASE = {
    "feature_masks": 10,
    "feature_mask_share": 0.02,
    "time_masks": 2,
    "time_mask_share": 0.2,
}
PAPER = {"feature_masks": 1, "feature_mask_share": 0.2, "time_masks": 1, "time_mask_share": 0.2}
NO_FEATURES = {**RELEASE, "feature_masks": 0}
NO_TIME = {**RELEASE, "time_masks": 0}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def clips(lengths, d, layers=None, seed=0):
    """Random frames (S, D) or (L, S, D) of clips with these lengths, and their mask (B, T)."""
    shape = (sum(lengths), d) if layers is None else (layers, sum(lengths), d)
    x = torch.randn(shape, generator=seeded(seed)) + 2  # a mean unlike any cell
    return x, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def slow(x, draws, feature_masks, feature_mask_share, time_masks, time_mask_share):
    """One clip (T, D), mask by mask: feature axis first, each filled with the mean of the array
    as the masks before have left it. ``draws`` (masks, 2): for width and start, from 0 to 1.
    """
    x = x.astype(np.float64)
    frames, size = x.shape
    draws = iter(draws)
    for _ in range(feature_masks):
        for_width, for_start = next(draws)
        widths = int(feature_mask_share * size)  # 0 .. floor(share D) - 1
        width = int(for_width * widths)
        start = int(for_start * (size - width))
        mean = sum(x[t, i] for t in range(frames) for i in range(size)) / (frames * size)
        for i in range(start, start + width):
            x[:, i] = mean
    for _ in range(time_masks):
        for_width, for_start = next(draws)
        widths = int(time_mask_share * frames)
        width = min(int(for_width * widths), int(0.4 * frames))  # the cap that is never active
        start = int(for_start * (frames - width))
        mean = sum(x[t, i] for t in range(frames) for i in range(size)) / (frames * size)
        for t in range(start, start + width):
            x[t, :] = mean
    return x


@pytest.mark.parametrize(
    ("recipe", "d"), [(RELEASE, 150), (PAPER, 40), (NO_FEATURES, 120), (NO_TIME, 120)]
)
def test_every_cell_is_as_written_out(recipe, d):
    lengths = [10, 3, 40, 25, 1, 17]
    x, mask = clips(lengths, d)
    masked = mask_features(x.clone(), mask, **recipe, generator=seeded(5))
    count = recipe["feature_masks"] + recipe["time_masks"]
    draws = torch.rand(len(lengths), count, 2, generator=seeded(5)).numpy()
    pieces = zip(x.split(lengths), masked.split(lengths), strict=True)
    for clip, (before, after) in enumerate(pieces):
        expected = slow(before.numpy(), draws[clip], **recipe)
        np.testing.assert_allclose(after.numpy(), expected, atol=2e-6)
    assert not torch.equal(masked, x)


def test_layers_of_a_stack_are_masked_independently_and_each_as_written_out():
    lengths, layers = [30, 12], 3
    x, mask = clips(lengths, 110, layers)
    masked = mask_features(x.clone(), mask, **RELEASE, generator=seeded(1))
    draws = torch.rand(layers, len(lengths), 12, 2, generator=seeded(1)).numpy()
    changed = []
    for layer in range(layers):
        pieces = zip(x[layer].split(lengths), masked[layer].split(lengths), strict=True)
        for clip, (before, after) in enumerate(pieces):
            expected = slow(before.numpy(), draws[layer, clip], **RELEASE)
            np.testing.assert_allclose(after.numpy(), expected, atol=2e-6)
        changed.append(masked[layer] != x[layer])
    assert not torch.equal(changed[0], changed[1])
    assert not torch.equal(changed[1], changed[2])


def shares(length, d, recipe, count=1500):
    """Share of frames, or of features, that are masked in each of ``count`` clips."""
    x, mask = clips([length] * count, d)
    changed = (mask_features(x.clone(), mask, **recipe, generator=seeded()) != x).view(count, -1, d)
    axis = 2 if recipe["time_masks"] else 1
    return changed.all(axis).double().mean(1)


@pytest.mark.parametrize(
    ("length", "d", "recipe", "mean", "most"),
    [
        # Widths are 0 .. n - 1 of n = floor(share * axis), so a mask covers (n - 1) / 2 cells on
        # average, less where masks overlap, and n - 1 at most.
        (2, 1024, NO_TIME, 0.089, 10 * 19 / 1024),
        (20, 4, NO_FEATURES, 0.144, 2 * 3 / 20),
        (100, 4, NO_FEATURES, 0.181, 2 * 19 / 100),
    ],
)
def test_shares_of_masked_cells(length, d, recipe, mean, most):
    share = shares(length, d, recipe)
    standard_error = float(share.std()) / len(share) ** 0.5
    assert float(share.mean()) == pytest.approx(mean, abs=0.001 + 4 * standard_error)
    assert float(share.max()) <= most


@pytest.mark.parametrize(
    ("length", "d", "recipe", "active"),
    [
        (9, 4, NO_FEATURES, False),
        (10, 4, NO_FEATURES, True),
        (2, 99, NO_TIME, False),
        (2, 100, NO_TIME, True),
    ],
)
def test_short_clips_and_small_features_are_left_alone(length, d, recipe, active):
    share = shares(length, d, recipe, count=200)
    assert bool((share > 0).any()) == active
    if active:  # the widest mask covers one cell
        masks = recipe["time_masks"] + recipe["feature_masks"]
        assert float(share.max()) <= masks / (length if recipe["time_masks"] else d)


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_the_widest_mask_is_one_less_than_the_share_of_the_axis_and_fits(share):
    """Also where the product of share and length is a whole number, such as 0.2 * 15."""
    size = torch.arange(1, 3000)
    largest = torch.nextafter(torch.tensor(1.0), torch.tensor(0.0))
    span = spans(largest.expand(len(size), 1, 2), size, share, 3000)[:, 0]
    expected = [max(0, int(share * n) - 1) for n in range(1, 3000)]
    assert span.sum(1).tolist() == expected
    assert not span[torch.arange(3000) >= size[:, None]].any()


def test_other_clips_of_the_batch_do_not_matter():
    lengths = [14, 60, 1]
    x, mask = clips(lengths, 120)
    together = mask_features(x.clone(), mask, **RELEASE, generator=seeded(3))
    alone = mask_features(x[:14].clone(), mask[:1, :14], **RELEASE, generator=seeded(3))
    torch.testing.assert_close(together[:14], alone)  # the first clip gets the first draws
    x[14:] = 1e6
    others = mask_features(x.clone(), mask, **RELEASE, generator=seeded(3))
    assert torch.equal(others[:14], together[:14])


def test_the_generator_decides():
    x, mask = clips([20, 30], 120)
    one, again, other = (
        mask_features(x.clone(), mask, **RELEASE, generator=seeded(s)) for s in (7, 7, 8)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    generator = seeded(7)
    epochs = [mask_features(x.clone(), mask, **RELEASE, generator=generator) for _ in range(2)]
    assert torch.equal(epochs[0], one) and not torch.equal(epochs[1], one)  # fresh every time


def test_nothing_is_masked_with_no_masks():
    x, mask = clips([20, 30], 120)
    nothing = {**RELEASE, "feature_masks": 0, "time_masks": 0}
    assert torch.equal(mask_features(x.clone(), mask, **nothing, generator=seeded()), x)


def test_the_frames_that_went_in_are_not_changed():
    x, mask = clips([20, 30], 120)
    before = x.clone()
    mask_features(x, mask, **RELEASE, generator=seeded())
    assert torch.equal(x, before)
