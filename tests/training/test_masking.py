"""Masking against papers/uegd.md (d) written out cell by cell, and the shares it masks."""

from itertools import product

import numpy as np
import pytest
import torch

from msalib.base import noise
from msalib.data.corpus import Batch
from msalib.training.masking import Masking, mask_features, spans
from msalib.training.streams import mask_batch

RELEASE = {
    "feature_masks": 10,
    "feature_mask_share": 0.02,
    "time_masks": 2,
    "time_mask_share": 0.2,
}
PAPER = {"feature_masks": 1, "feature_mask_share": 0.2, "time_masks": 1, "time_mask_share": 0.2}
NO_FEATURES = {**RELEASE, "feature_masks": 0}
NO_TIME = {**RELEASE, "time_masks": 0}


def clips(lengths, d, layers=None, seed=0):
    """Random frames (S, D) or (L, S, D) of clips with these lengths, and their mask (B, T)."""
    shape = (sum(lengths), d) if layers is None else (layers, sum(lengths), d)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return x + 2, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]  # a mean unlike zero


def draws(recipe, *shape, seed=0):
    """Uniform numbers (*shape, masks, 2)."""
    count = recipe["feature_masks"] + recipe["time_masks"]
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, count, 2, generator=generator)


def masked(x, mask, draw, recipe):
    """``x`` masked by a recipe, whose number of time masks is what is left of ``draw``."""
    return mask_features(x, mask, draw, **{k: v for k, v in recipe.items() if k != "time_masks"})


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


# --- cell by cell -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "d"), [(RELEASE, 150), (PAPER, 40), (NO_FEATURES, 120), (NO_TIME, 120)]
)
def test_every_cell_is_as_written_out(recipe, d):
    lengths = [10, 3, 40, 25, 1, 17]
    x, mask = clips(lengths, d)
    draw = draws(recipe, len(lengths))
    result = masked(x, mask, draw, recipe)
    pieces = zip(x.split(lengths), result.split(lengths), draw, strict=True)
    for before, after, clip_draw in pieces:
        expected = slow(before.numpy(), clip_draw.numpy(), **recipe)
        np.testing.assert_allclose(after.numpy(), expected, atol=2e-6)
    assert not torch.equal(result, x)


def test_layers_of_a_stack_are_masked_independently_and_each_as_written_out():
    lengths, layers = [30, 12], 3
    x, mask = clips(lengths, 110, layers)
    draw = draws(RELEASE, len(lengths), layers)
    result = masked(x, mask, draw, RELEASE)
    for layer in range(layers):
        pieces = zip(x[layer].split(lengths), result[layer].split(lengths), draw, strict=True)
        for before, after, clip_draw in pieces:
            expected = slow(before.numpy(), clip_draw[layer].numpy(), **RELEASE)
            np.testing.assert_allclose(after.numpy(), expected, atol=2e-6)
    changed = result != x
    assert not torch.equal(changed[0], changed[1])
    assert not torch.equal(changed[1], changed[2])


def test_other_clips_of_the_batch_do_not_matter():
    """Neither what they hold nor how long they are, which decides the padding."""
    x, mask = clips([14, 60, 1], 120)
    draw = draws(RELEASE, 3)
    together = masked(x, mask, draw, RELEASE)
    alone = masked(x[:14], mask[:1, :14], draw[:1], RELEASE)
    torch.testing.assert_close(together[:14], alone)
    x[14:] = 1e6
    assert torch.equal(masked(x, mask, draw, RELEASE)[:14], together[:14])


def test_nothing_is_masked_with_no_masks():
    x, mask = clips([20, 30], 120)
    nothing = {**RELEASE, "feature_masks": 0, "time_masks": 0}
    assert torch.equal(masked(x, mask, draws(nothing, 2), nothing), x)


def test_the_frames_that_went_in_are_not_changed():
    x, mask = clips([20, 30], 120)
    before = x.clone()
    masked(x, mask, draws(RELEASE, 2), RELEASE)
    assert torch.equal(x, before)


# --- shares -------------------------------------------------------------------------------------


def expected_share(size, share, masks):
    """Expected share of an axis that ``masks`` independent masks cover, by enumeration."""
    outside = np.zeros(size)  # P(one mask leaves this place alone)
    widths = range(int(share * size))
    for width in widths:
        starts = range(size - width)
        for start in starts:
            inside = np.zeros(size)
            inside[start : start + width] = 1
            outside += (1 - inside) / len(starts) / len(widths)
    return 1 - (outside**masks).mean()


def shares(length, d, recipe, count=3000):
    """Share of frames, or of features, that are masked in each of ``count`` clips."""
    x, mask = clips([length] * count, d)
    draw = noise.uniform(noise.key(0), draws(recipe, count).numel()).view_as(draws(recipe, count))
    changed = (masked(x, mask, draw, recipe) != x).view(count, -1, d)
    axis = 2 if recipe["time_masks"] else 1
    return changed.all(axis).double().mean(1)


@pytest.mark.parametrize(
    ("length", "d", "recipe", "simulated", "most"),
    [
        (2, 1024, NO_TIME, 0.089, 10 * 19 / 1024),
        (20, 4, NO_FEATURES, 0.136, 2 * 3 / 20),
        (100, 4, NO_FEATURES, 0.192, 2 * 19 / 100),
    ],
)
def test_shares_of_masked_cells_are_those_of_the_specification(length, d, recipe, simulated, most):
    """Exactly those of the rule of papers/uegd.md (d), and near its simulation of some 100 clips,
    whose 19.2% at 100 frames is by chance above what two masks of 0 to 19 can cover on average.
    """
    share = shares(length, d, recipe)
    standard_error = float(share.std()) / len(share) ** 0.5
    axis = ("feature_", d) if recipe is NO_TIME else ("time_", length)
    exact = expected_share(axis[1], recipe[f"{axis[0]}mask_share"], recipe[f"{axis[0]}masks"])
    assert float(share.mean()) == pytest.approx(exact, abs=4 * standard_error)
    assert exact == pytest.approx(simulated, abs=0.012)
    assert float(share.max()) <= most + 1e-9  # theoretical: 18.6%, 30%, 38%
    if recipe is NO_TIME:
        assert 0.135 < float(share.max()) < 0.16  # 14.5% seen in the specification's
    else:
        assert float(share.max()) > 0.9 * most


def test_widths_and_starts_are_uniform():
    draw = noise.uniform(noise.key(1), 2 * 40_000).view(40_000, 1, 2)
    inside = spans(draw, torch.full((40_000,), 40), 0.2, 40)[:, 0]  # widths 0 .. 7
    width = inside.sum(1).long()
    counts = torch.bincount(width, minlength=8) / 40_000
    assert counts.tolist() == pytest.approx([1 / 8] * 8, abs=0.007)
    start = inside.argmax(1)[width == 5]
    share_of_start = torch.bincount(start, minlength=35) / len(start)
    assert len(share_of_start) == 35  # 0 .. 40 - 5 - 1
    assert share_of_start.tolist() == pytest.approx([1 / 35] * 35, abs=0.013)


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


# --- several steps at a time --------------------------------------------------------------------

MASKING = Masking(**RELEASE)
STEP_KEYS = noise.derive(noise.key(3), torch.arange(3))
LENGTHS = [12, 30, 15, 40, 11, 20]


def batch(seed=0, layers=None):
    """Two modalities of six clips, two to a step."""
    text, mask = clips(LENGTHS, 120, layers, seed)
    audio, audio_mask = clips(LENGTHS[::-1], 110, seed=seed + 1)
    masks = {"linguistic": mask, "acoustic": audio_mask}
    return Batch({"linguistic": text, "acoustic": audio}, masks, torch.zeros(len(LENGTHS)))


@pytest.mark.parametrize("layers", [None, 3])
def test_steps_masked_together_are_masked_as_one_by_one(layers):
    """``AHEAD`` and the number of replicas decide how many: no number may depend on them."""
    whole = batch(layers=layers)
    together = mask_batch(whole, STEP_KEYS, MASKING).split(2)
    for step, masked_step, key in zip(whole.split(2), together, STEP_KEYS, strict=True):
        alone = mask_batch(step, key[None], MASKING)
        for m in ("linguistic", "acoustic"):
            torch.testing.assert_close(
                masked_step.features[m], alone.features[m], atol=1e-6, rtol=0
            )
            assert not torch.equal(masked_step.features[m], step.features[m])


def test_every_step_clip_and_modality_has_masks_of_its_own():
    """All clips are equal, so that equal masks would give equal frames."""
    one = torch.randn(20, 120, generator=torch.Generator().manual_seed(0))
    same = Batch(
        dict.fromkeys(("visual", "acoustic"), one.repeat(6, 1)),
        dict.fromkeys(("visual", "acoustic"), torch.ones(6, 20, dtype=torch.bool)),
        torch.zeros(6),
    )
    masked_batch = mask_batch(same, STEP_KEYS, MASKING)
    each = [piece for x in masked_batch.features.values() for piece in x.split(20)]
    for i, j in product(range(12), repeat=2):
        assert (i == j) == torch.equal(each[i], each[j])
    again = mask_batch(same, STEP_KEYS, MASKING).features["visual"]
    assert torch.equal(again, masked_batch.features["visual"])


def test_without_masking_a_batch_comes_back_as_it_is():
    assert mask_batch(whole := batch(), STEP_KEYS, None) is whole


def test_a_modality_is_masked_the_same_beside_another_one():
    both = batch()
    alone = Batch(
        {"linguistic": both.features["linguistic"]},
        {"linguistic": both.mask["linguistic"]},
        both.label,
    )
    one, other = (mask_batch(b, STEP_KEYS, MASKING).features["linguistic"] for b in (both, alone))
    assert torch.equal(one, other)
