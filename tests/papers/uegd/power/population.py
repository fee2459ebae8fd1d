"""Noise and videos that the tests of simulations share."""

import numpy as np

from msalib.papers.uegd.power.synthetic import Noise, Population

NOISE = Noise(
    run_share=0.15,
    video_share=0.2,
    kept=0.3,
    reach=0.4,
    run_reach=0.1,
    quality_sd=0.01,
    offset_sd=0.06,
    train_sd=0.02,
    spread=1.1,
    sum_away=0.05,
    halving_away=0.1,
    concat_away=0.05,
    gate_sd=0.03,
    gate_clip_sd=0.1,
)


def population(videos=200, clips=10) -> Population:
    rng = np.random.default_rng(0)
    label = rng.normal(0, 0.8, (videos, 1)) + rng.normal(0, 1.2, (videos, clips))
    return Population(list(label.clip(-3, 3)), 0.1)
