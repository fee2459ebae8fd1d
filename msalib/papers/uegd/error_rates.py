"""Answer how often UEGD's tests err, in the form that the ledger of all papers reads."""

from collections.abc import Iterator

from msalib.evidence import registry
from msalib.evidence.error_rates import Cell, Measured
from msalib.papers.uegd.power.record import FALSE_OUTRIGHT, Power, read, record_path


def measured() -> list[Measured]:
    """Return the recorded rates of those tests that are still the ones of the registry."""
    if not record_path().is_file():
        return []
    simulated = read(record_path())
    recorded = simulated.settings["tests"]
    today = {claim.id: claim.rerun for claim in registry.claims("uegd")}
    found = []
    for claim in simulated.plans:
        rerun = today.get(claim)
        if rerun is None or recorded.get(claim) != {"name": rerun.test, **rerun.arguments}:
            continue
        for dataset in simulated.datasets:
            cells = list(_cells(simulated, claim, dataset))
            if len({cell.role for cell in cells}) == 2:  # both were simulated
                about = {"claim": claim, "test": rerun.test, "size": dataset}
                # Arms and their quality differ by claim, and no gain is planted that is printed.
                none = {"arms": 0, "quality": None, "printed": None, "printed_in": ""}
                found.append(Measured(**about, **none, cells=cells))
    return found


def _cells(simulated: Power, claim: str, dataset: str) -> Iterator[Cell]:
    """Yield the verdicts where a claim is false, and at each effect where it is true."""
    plan = simulated.plans[claim]
    known = {(c.claim, c.dataset, c.effect): c.verdicts for c in simulated.cells}
    false = "false" if claim in FALSE_OUTRIGHT else "border"
    for role, effects in ((false, [plan.false_at]), ("true", plan.truer)):
        for effect in effects:
            if verdicts := known.get((claim, dataset, effect)):
                words = f"{effect:g} {plan.unit}"
                yield Cell(role=role, words=words, metric=plan.unit, gain=effect, verdicts=verdicts)
