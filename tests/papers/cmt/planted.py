"""Records of CMT's systems and of its baselines with planted quality, and verdicts on them."""

from functools import partial

from msalib.evidence import registry
from msalib.evidence.verdicts import bound_test
from msalib.papers.cmt import plan
from msalib.papers.cmt.plan import SOUND, TEXT
from msalib.runs import records
from msalib.runs.query import Runs
from tests.papers import planted_systems

WHOLE = {SOUND: 4, TEXT: 6}
CLAIMS = {c.rerun.test: c for c in registry.claims("cmt") if c.rerun.test}

NAMED = {**plan.alone(WHOLE), **plan.named(WHOLE)}
ALONE = ("sound alone", "text alone", "Shallow-Fusion")
SETTING = {"encoder": "spoken", "profile": "full"}


def arms(*names):
    return [NAMED[name] for name in names]


planted = partial(planted_systems.planted, "cmt", **SETTING)


def runs_of(noise, *, classes=False, dataset="raw-spoken", **about):
    """Planted records as a test gets them: CMT's alone, and baselines where they are looked for.

    Without a record of CMT it gets the baselines, as a page of these has.
    """
    made = planted(noise, dataset=dataset, **about)
    made = planted_systems.as_classes(made) if classes else made
    for record in made:
        if record.spec.paper == "baselines":
            records.write(record)
    own = [record for record in made if record.spec.paper == "cmt"]
    return Runs(own or made)


def judged(name, noise, **about):
    """The verdict of a test, with the arguments of its claim, on planted records."""
    return bound_test(CLAIMS[name])(runs_of(noise, **about))
