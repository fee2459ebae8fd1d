"""Records that tests of claims share: planted effects, and what all claims say of them."""

from functools import cache

import numpy as np

from msalib.base import stats
from msalib.evidence import registry
from msalib.evidence.verdicts import judge
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from tests.factory import layer_records, system_records, truth_of

CONSTANT = float("inf")
"""Noise that makes a constant prediction."""


@cache
def claims_with_tests():
    """Return the claims that have a test on records."""
    return [claim for claim in registry.claims("uegd") if claim.rerun.test is not None]


def arguments(claim):
    """Return the arguments of a claim's test."""
    return next(c for c in claims_with_tests() if c.id == claim).rerun.arguments


def runs(**noise):
    """Modality -> layer -> noise of its predictions."""
    return Runs(layer_records(noise))


def linguistic(*noise, **more):
    """Return runs of linguistic blocks 1, 2, ... with so much noise each."""
    return runs(linguistic=dict(enumerate(noise, 1)) | more)


def extended(records, noise, rng=None, **more):
    """Return records with further systems on the same clips: system -> noise."""
    blocks = {m: depth for record in records for m, depth in record.blocks.items()}
    rng = rng or np.random.default_rng(1)
    seeds = len({r.spec.seed for r in records})
    truth = truth_of(records[0])
    return records + system_records(noise, blocks, rng=rng, truth=truth, seeds=seeds, **more)


def together(records, rng=None, fusion="gate", **noise):
    """Return records with models of all modalities: feature -> noise."""
    all_runs = Runs(records)
    systems = {
        layers.system_of(all_runs, all_runs.modalities, f, fusion=fusion): sd
        for f, sd in noise.items()
    }
    return extended(records, systems, rng)


def replaced(records, system, **update):
    """Return the records, those of one system with other fields, functions of the record."""
    return [
        r.model_copy(update={k: f(r) for k, f in update.items()}) if r.spec.system == system else r
        for r in records
    ]


def every_claim(records):
    return {v.claim.id: v.evidence for v in judge(claims_with_tests(), records)}


def most_by_chance(count):
    """Return how many of so many true hypotheses tests at 5% reject, but once in a thousand."""
    from scipy.stats import binom  # takes a second to import

    return binom.ppf(0.999, count, stats.LEVEL)
