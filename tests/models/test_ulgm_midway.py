"""Targets midway between the centres: Self-MM's blow up, SUGRM's do not (SUGRM-C19)."""

import pytest
import torch

from msalib.models.ulgm import SelfMMULGM
from tests.models.test_ulgm import LABEL, ROWS, features_of, sugrms


def test_self_mms_targets_blow_up_midway():
    """papers/sugrm.md SUGRM-C19: one clip of ten is nearly as far from either centre."""
    label = torch.tensor([3.0, 2, 2, 1, 1, -1, -1, -2, -2, -3])
    for sign in (1, -1):  # the centres are at 1 and -1 on a line
        fused = label.sign()[:, None].clone()
        widths = {"multimodal": 1, "visual": 1}
        generator = SelfMMULGM(label, ["visual"], widths=widths, zero="positive")
        generator.update(1, torch.arange(10), {"multimodal": fused, "visual": fused})
        off = fused.clone()
        off[4] = 1e-4 * sign
        generator.update(2, torch.arange(10), {"multimodal": off, "visual": fused})
        generator.labels.end_epoch()
        (summary,) = generator.labels.history
        assert generator.labels.off_middle.argmin() == 4
        assert float(generator.labels.off_middle[4]) == pytest.approx(1e-4, rel=1e-3)
        assert summary.largest_midway["visual"] > 1000
        assert summary.largest_elsewhere["visual"] < 10


def test_sugrms_targets_do_not():
    """The same clip: its target is at most its label plus the scale."""
    generator = sugrms(clamp=False)
    features = {x: feature[0] for x, feature in features_of(3).items()}
    generator.update(1, ROWS, features)
    off = features["multimodal"].clone()
    off[3] = (generator.positive + generator.negative) / 2
    generator.update(2, ROWS, features | {"multimodal": off})
    generator.labels.end_epoch()
    assert generator.labels.off_middle.argmin() == 3
    assert generator.labels.history[-1].largest_midway["visual"] <= float(LABEL[3].abs()) + 6
