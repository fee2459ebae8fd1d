"""Dropout by parts of random words: its share, its independence, its seed."""

import pytest
import torch

from msalib.base.dropout import Dropout, kept


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5])
def test_masks_drop_their_share_and_keep_the_mean(p):
    torch.manual_seed(0)
    mask = kept(torch.empty(500, 401), p)
    error = (p * (1 - p) / mask.numel()) ** 0.5
    dropped = (mask == 0).float()
    assert dropped.mean().item() == pytest.approx(p, abs=4 * error)
    assert mask.max().item() == pytest.approx(1 / (1 - p), abs=1e-4)
    # Elements share words by fours: neither those nor rows know of each other.
    for lag in (1, 2, 3, 4, 401):
        together = (dropped.flatten()[lag:] * dropped.flatten()[:-lag]).mean().item()
        assert together == pytest.approx(p * p, abs=4 * p / mask.numel() ** 0.5)


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 3, 5)])
def test_masks_have_any_shape_and_precision(shape):
    for precision in (torch.float32, torch.bfloat16):
        mask = kept(torch.empty(shape, dtype=precision), 0.5)
        assert mask.shape == shape and mask.dtype == precision
    assert not kept(torch.ones(shape), 1.0).any()


def test_a_seed_fixes_what_is_dropped_and_evaluation_drops_nothing():
    dropout, x = Dropout(0.3), torch.ones(4, 9)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(dropout(x))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    assert dropout.eval()(x) is x
