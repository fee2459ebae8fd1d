"""Answer how often the tests of SUGRM's claims err, and which printed effects they can find.

This file says what is simulated for claims that compare systems; ``evidence.planting`` does it.
Claims on labels and distances, which read the training clips, are in ``power_labels``.

    python -m msalib.papers.sugrm.power      # some minutes on one core
"""

from functools import partial
from inspect import signature

from msalib.data.corpus import TUNED
from msalib.evidence import error_rates, registry
from msalib.evidence.planting import Case, Plan, Printed, Size, measure
from msalib.papers.sugrm import plan, power_labels
from msalib.papers.sugrm.evidence import TESTS
from msalib.papers.sugrm.evidence_systems import COMPARABLE, MINUSCULE
from msalib.papers.sugrm.scope import ALL

PAPER = "sugrm"
RECORD = error_rates.record(PAPER)

SIZES = {"mosi": Size(5, (("sugrm", "mosi-standardised", "minilm", "release"),))}

WHOLE: plan.Whole = {"acoustic": 1, "linguistic": TUNED}
MOSI, MOSEI = "mosi_unaligned", "mosei_unaligned"


def cases() -> dict[str, Case]:
    """Return what is planted for each claim that compares systems, by the id of the claim."""
    every = {**_rivals(), **_tasks(), **_swaps(), **_modules()}
    return {f"SUGRM-{name}": case for name, case in every.items()}


def _rivals() -> dict[str, Case]:
    """Return cases of claims on SUGRM and Self-MM."""
    named = plan.compared(WHOLE)
    pair = [named["SUGRM"], named["Self-MM"]]
    margin = Case(pair[::-1], metrics=ALL, margins=COMPARABLE)

    def ahead(exhibit: str, dataset: str) -> Case:
        return Case(pair, Printed("mae", dataset, f"{exhibit}/SUGRM/", (f"{exhibit}/Self-MM/",)))

    return {
        "C1": ahead("table1", "mosi_aligned"),
        "C2": ahead("table2", MOSI),
        "C3a": margin,
        "C3b": margin,
        "C9": ahead("table4", MOSI),
    }


def _tasks() -> dict[str, Case]:
    """Return cases of claims on unimodal tasks."""
    grid = plan.task_grid(WHOLE)
    none, every = grid["tasks_none"], grid["tasks_all"]
    single = [s for s in grid.values() if s not in (none, every)]
    row = "table3/SUGRM/tasks_{}".format
    all_tasks = Printed("mae", MOSI, row("mtav"), (row("m"),))
    return {
        "C5": Case([every, none], all_tasks),
        "C6": Case([none, *single], Printed("mae", MOSI, row("m"), (row("mt"), row("ma"))), tied=2),
        "C7": Case([every, none], Printed("f1_non0", MOSI, row("mtav"), (row("m"),))),
        "C8": Case([every, *single, none], all_tasks._replace(stands_in=True)),
        "C25": Case([every, *single, none], all_tasks),
    }


def _of_sugrm(variant: str) -> Printed:
    """Return what SUGRM is printed to gain over itself with a part left out or changed."""
    return Printed("mae", MOSI, "table4/SUGRM/", (f"table4/SUGRM/{variant}",))


def _of_self_mm(variant: str, metric: str = "mae", dataset: str = MOSI) -> Printed:
    """Return what Self-MM is printed to gain by one of SUGRM's modules."""
    return Printed(metric, dataset, f"table4/Self-MM/{variant}", ("table4/Self-MM/",))


def _swaps() -> dict[str, Case]:
    """Return cases of claims on Self-MM with one of SUGRM's modules."""
    grid = plan.module_grid(WHOLE)
    base = grid["no_mrm", "lstm", "other_ulgm"]
    mrm, spt, ulgm = (
        grid[corner]
        for corner in (
            ("mrm", "lstm", "other_ulgm"),
            ("no_mrm", "spt", "other_ulgm"),
            ("no_mrm", "lstm", "own_ulgm"),
        )
    )
    return {
        # All metrics of an arm follow one quality: a gain in MAE alone is true only if small.
        "C10": Case(
            [mrm, base],
            _of_self_mm("add_mrm"),
            times=(0.5,),
            borders=[("F1 gains the margin", "f1_non0", COMPARABLE["%"])],
        ),
        "C11": Case([spt, base], metrics=ALL, margins=COMPARABLE),
        "C12": Case([ulgm, base], _of_self_mm("ulgm_sugrm")),
        "C13": Case(
            [mrm, spt, ulgm, base], _of_self_mm("add_mrm", "f1_non0", MOSEI), gaining=3, tied=2
        ),
    }


def _modules() -> dict[str, Case]:
    """Return cases of claims on SUGRM without a module, and on its losses."""
    grid, trained = plan.module_grid(WHOLE), list(plan.losses(WHOLE).values())
    own, neither = grid["mrm", "spt", "own_ulgm"], grid["no_mrm", "lstm", "own_ulgm"]
    mrm, spt = grid["mrm", "lstm", "own_ulgm"], grid["no_mrm", "spt", "own_ulgm"]
    others = "table8/SUGRM/loss_l2", "table8/SUGRM/loss_huber"
    return {
        "C14": Case([own, spt], _of_sugrm("no_mrm")),
        "C15": Case([grid["mrm", "dense", "own_ulgm"], own], metrics=ALL, margins=MINUSCULE),
        "C16": Case([own, mrm], _of_sugrm("lstm_for_spt")),
        "C17": Case(
            [own, grid["mrm", "spt", "other_ulgm"]],
            _of_sugrm("ulgm_selfmm"),
            borders=[("the other gains the margin", "f1_non0", -MINUSCULE["%"])],
        ),
        "C22": Case(trained, Printed("mae", MOSI, "table8/SUGRM/loss_l1", others), tied=2),
        # Both, then neither, then each alone: one printed step from each to the next.
        "X1": Case(
            [own, neither, mrm, spt],
            Printed("mae", MOSI, "table4/SUGRM/", ("table4/Self-MM/ulgm_sugrm",)),
            gaining=(1.0, 0.0, -1.0, -1.0),
            tied=1,
        ),
    }


def power_plan() -> Plan:
    """Return what is simulated; a claim about other data is judged as if it were about these."""
    named = {test.__name__: test for test in TESTS}
    planned, judges = cases(), {}
    for claim in registry.claims(PAPER, planned):
        test, arguments = named[claim.rerun.test], dict(claim.rerun.arguments)
        if "data" in signature(test).parameters:
            judges[claim.id] = partial(test, **{**arguments, "data": None})
    return Plan(PAPER, SIZES, planned, together=frozenset(WHOLE), judges=judges)


if __name__ == "__main__":
    simulated = measure(power_plan())
    RECORD.write(simulated.model_copy(update={"tests": simulated.tests + power_labels.measure()}))
