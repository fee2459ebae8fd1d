"""Records of the systems that SUGRM's tables compare, made without training."""

from functools import cache

import numpy as np

from msalib.data import datasets
from msalib.data.corpus import MODALITIES
from msalib.models import recipes
from msalib.papers.sugrm import plan
from msalib.papers.sugrm import tables as results
from msalib.runs.query import Runs
from tests.factory import make_record, predictions

SETTING = "control: a <small> corpus & more; release recipe, profile quick, 2 seeds"
THREE = dict.fromkeys(MODALITIES, 1)
TWO = {"acoustic": 1, "linguistic": 6}


def made(wanted, *, noise=1.0, seeds=2, dataset="control", epoch=9):
    """Records of one system: truth plus noise of its own; infinite noise is a constant."""
    rng = np.random.default_rng(sum(map(ord, wanted.name())))
    label = np.random.default_rng(7).normal(0, 1.4, 80).clip(-3, 3).round(1)
    video = [f"v{i // 8}" for i in range(80)]
    choices = {"family": "sugrm"} | dict(wanted.choices)
    family = recipes.load(choices["family"], "release", "quick", dataset)
    recipe = {
        group: {k: choices.get(k, v) for k, v in own.items()} for group, own in family.items()
    }
    records = []
    for seed in range(seeds):
        guess = np.full(80, 0.5) if np.isinf(noise) else label + noise * rng.normal(size=80)
        record = make_record(
            dict(wanted.inputs),
            seed,
            parts=dict.fromkeys(("valid", "test"), predictions(label, guess, video)),
            paper="sugrm",
            dataset=dataset,
            setting=datasets.dataset(dataset).setting(published=False),
            **recipe,
        )
        records.append(record.model_copy(update={"selected_epoch": epoch}))
    assert records[0].spec.system == wanted
    return records


def runs_of(named, **differently):
    """Runs of these systems, whose names do not matter."""
    return Runs([record for wanted in named.values() for record in made(wanted, **differently)])


@cache
def mosi():
    """All tables' runs of a corpus that is printed, with two modalities."""
    grids = (plan.compared, results.named_tasks, plan.module_grid, results.named_losses)
    systems = {wanted: wanted for grid in grids for wanted in grid(TWO).values()}
    return runs_of(systems, dataset="mosi")


def row(table, name, whose="ours"):
    """The row of a table that begins with a name and is ours, printed or by chance."""
    frame = table.frame
    (index,) = np.flatnonzero((frame.iloc[:, 0] == name) & (frame["whose"] == whose))
    return frame.iloc[index]
