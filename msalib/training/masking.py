"""Masking of features in training, after SpecAugment, as papers/uegd.md (d) describes it.

Along one axis of length n, ``count`` masks are laid one after the other. Each has a width drawn
uniformly from 0 .. floor(share * n) - 1 and a start drawn uniformly from 0 .. n - width - 1; its
cells get the mean of the clip's array as the earlier masks have left it. Feature masks come
before time masks. Clips too short for a width of one are left alone (time: fewer than 10 frames
at a share of 0.2; features: fewer than 100 at 0.02).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from msalib.data.corpus import pad


class Masking(NamedTuple):
    """Numbers of masks, and the share of the axis that the widest may cover."""

    feature_masks: int
    feature_mask_share: float
    time_masks: int
    time_mask_share: float


def spans(draw: Tensor, size: Tensor, share: float, places: int) -> Tensor:
    """Turn uniform numbers (B, K, 2) and axis lengths (B,) into spans (B, K, places), 1 inside."""
    limit = (share * size).floor()[:, None]  # widths stay below this
    width = (draw[..., 0] * limit).floor()
    start = (draw[..., 1] * (size[:, None] - width)).floor()
    reach = (width - 1) / 2  # from a span's centre to its ends; nothing is within a negative reach
    place = torch.arange(places, dtype=draw.dtype, device=draw.device)
    return (place - (start + reach)[..., None]).abs().le_(reach[..., None])


def mask_features(
    x: Tensor,
    mask: Tensor,
    draw: Tensor,
    *,
    feature_masks: int,
    feature_mask_share: float,
    time_mask_share: float,
) -> Tensor:
    """Mask every clip of a batch: frames ``x`` (S, D) or (L, S, D), ``mask`` (B, T).

    ``draw`` (B, K, 2), or (B, L, K, 2) for a stack, whose layers are masked independently, are
    uniform random numbers for K masks: first ``feature_masks`` along the features, the rest along
    the time. All of it happens on the device of ``x``.
    """
    if x.dim() == 3:  # a layer is one more clip
        stacked = mask_features(
            x.flatten(0, 1),
            mask.repeat(len(x), 1),
            draw.transpose(0, 1).flatten(0, 1),
            feature_masks=feature_masks,
            feature_mask_share=feature_mask_share,
            time_mask_share=time_mask_share,
        )
        return stacked.view_as(x)

    (b, t), d = mask.shape, x.shape[1]
    length = mask.sum(1)  # (B,)
    clip = torch.arange(b, device=x.device).repeat_interleave(length)  # (S,)
    in_feature = spans(draw[:, :feature_masks], length.new_full((b,), d), feature_mask_share, d)
    in_time = spans(draw[:, feature_masks:], length, time_mask_share, t)

    # The mean of an array is the mean of its column means, so the fills need columns only. With
    # weights 0 and 1 ``lerp`` chooses between two arrays, several times faster than ``where``.
    column = x.new_zeros(b, d).index_add_(0, clip, x) / length[:, None]
    for inside in in_feature.unbind(1):
        column = column.lerp(column.mean(1, keepdim=True), inside)
    masked = in_feature.sum(1).clamp(max=1)
    x = x.lerp(column.index_select(0, clip), masked.index_select(0, clip))

    row = pad(x.mean(1, keepdim=True), mask).squeeze(-1)  # (B, T)
    for inside in in_time.unbind(1):
        row = row.lerp(row.sum(1, keepdim=True) / length[:, None], inside)
    masked = in_time.sum(1) > 0
    x[masked[mask]] = row[masked][:, None]
    return x
