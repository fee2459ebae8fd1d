"""Records of GLoMo's systems and of baselines with planted quality, and verdicts on them."""

from functools import partial

from msalib.data.corpus import LAST_TWO
from msalib.evidence import registry
from msalib.evidence.verdicts import bound_test
from msalib.papers.glomo import plan
from msalib.papers.glomo.plan import FACE, SOUND, TEXT
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.papers import planted_systems

WHOLE = {FACE: 1, SOUND: 1, TEXT: LAST_TWO}
CLAIMS = {c.rerun.test: c for c in registry.claims("glomo") if c.rerun.test}

NAMED = {**plan.variants(WHOLE), **plan.ours(WHOLE)}
FULL = NAMED[plan.FULL]
MODALITIES = plan.modalities(WHOLE)
TFN, LMF = (system(WHOLE, paper="baselines", family=name) for name in ("tfn", "lmf"))


def arms(*names):
    return [NAMED[name] for name in names]


WITH_BASELINES = {
    "first_in_every_metric": [FULL],
    "gains_beyond": [FULL],
    "one_layer_beats_most": arms("MLP_M"),
    "simple_fusions_beat_most": arms("CON", "ATTN_F"),
}
"""Test -> systems that the claim says are better than baselines."""


planted = partial(planted_systems.planted, "glomo")


def judged(name, noise, **about):
    """The verdict of a test, with the arguments of its claim, on planted records."""
    return bound_test(CLAIMS[name])(Runs(planted(noise, **about)))
