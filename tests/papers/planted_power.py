"""What is simulated for a paper's error rates, tried on small studies."""

from dataclasses import replace

import numpy as np

from msalib.evidence.arms import Arm
from msalib.evidence.scatter import design
from msalib.evidence.simulation import simulate
from tests.evidence.planted_arms import runs_of


def study_of(case, paper, *, seeds=5, **about):
    """The study of a case with the scatter of planted records, and arms of small quality."""
    arms = [arm if isinstance(arm, Arm) else Arm(arm) for arm in case.arms]
    made = design(runs_of(0.8, 1.0, 1.2, **about), arms, seeds=seeds, paper=paper)
    return replace(made, scatter=made.scatter._replace(quality=0.3))


def verdicts_on_two(judge, study, effect):
    """How many verdicts there are on two studies with a planted effect.

    ``simulate`` refuses a test that does not run, for want of an arm or a label.
    """
    about = {"metric": effect.metric, "gain": min(effect.gain, 5.0), "gaining": effect.gaining}
    found = simulate(judge, study, **about, replications=2, resamples=50)
    return sum(found.counts.values())


def mean_effects(judge, study, gaining, gain, claimed=lambda name: True):
    """Effects of a test, mean over four studies in which the first arms gain in MAE."""
    gains = []

    def look(runs):
        judged = judge(runs)
        gains.append([e.effect for name, e in judged.effects.items() if claimed(name)])
        return judged

    about = {"metric": "mae", "gain": gain, "gaining": gaining}
    simulate(look, study, **about, replications=4, resamples=50)
    return np.mean(gains, 0)
