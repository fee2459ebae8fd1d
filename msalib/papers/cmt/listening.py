"""What cross-modal pretraining learns in CMT: which pretrainings a page reads or makes.

The general half is ``pages.pretraining``: records of pretraining on the page.
"""

from collections.abc import Mapping

from msalib.pages.pretraining import ByArm, made
from msalib.pages.tables import Note
from msalib.papers.cmt import evidence_controls, plan, scope
from msalib.papers.cmt.plan import PAPER, PT, TAPT
from msalib.papers.cmt.tables import in_time, pretrains
from msalib.runs.spec import System
from msalib.runs.study import Study

ARMS = (PT, scope.SHUFFLED, scope.TAPT_ALONE, TAPT, scope.LEAK)
"""Arms of the plan whose pretrainings differ, of four blocks."""

OF_TWO = "PT of two blocks"
"""What CMT BASE begins with; it is no arm of the plan, but its pretraining is recorded."""

QUICK = (PT, scope.SHUFFLED)
"""Those that the profile quick has time for."""


def arms(study: Study) -> dict[str, System]:
    """Return the systems whose pretraining a page shows; none where nothing can be pretrained."""
    if not pretrains(study):
        return {}
    whole = plan.whole_of(study)
    two = {OF_TWO: plan.system(whole, pretraining="pt", **plan.SMALL)}
    named = {PT: plan.named(whole)[PT], **two} | {name: plan.named(whole)[name] for name in ARMS}
    return in_time(study, named, QUICK)


def gather(study: Study, named: Mapping[str, System]) -> ByArm:
    """Return the records of these pretrainings, ordered by seed.

    The profile quick makes what is missing; otherwise they are only read.
    """
    p = study.parameters
    if p.profile == "quick" or p.refresh:
        for _ in made(study, named.values()):
            pass
    found = {}
    for name, system in named.items():
        records = evidence_controls.by_seed(evidence_controls.of_run(study.spec(system, 0)))
        found[name] = [records[seed] for seed in range(p.seeds) if seed in records]
    return found


def missing(study: Study, found: ByArm) -> Note:
    """Return a note on missing pretrainings, with the command that makes them."""
    if not found:
        return Note(
            "Nothing can be pretrained on these data: that takes sound and text, each read by an "
            "encoder that other clips can be read by, too."
        )
    seeds = study.parameters.seeds
    lacking = [
        f"{name} ({seeds - len(records)} of {seeds})"
        for name, records in found.items()
        if len(records) < seeds
    ]
    if not lacking:
        return Note(f"All {len(found) * seeds} pretrainings are recorded.")
    about = f"-p dataset {study.parameters.dataset} -p encoder {study.encoder}"
    return Note(f"Not run: {'; '.join(lacking)}. This makes them: msalib records {PAPER} {about}.")
