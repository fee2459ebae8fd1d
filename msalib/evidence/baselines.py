"""Read which baselines were re-run on the clips of a paper's records, with the same features.

Baselines belong to no paper: they are trained once, by one protocol, in a namespace of their own
(``papers.baselines``). Their recipes have one preset, which stands beside both of a paper's.
"""

from functools import lru_cache
from pathlib import Path

from msalib.runs import folds, records
from msalib.runs.filed import Filed
from msalib.runs.inputs import BASELINES
from msalib.runs.query import Runs
from msalib.runs.records import Record, Setting
from msalib.runs.spec import Spec


def of_setting(runs: Runs, paper: str) -> Runs:
    """Return the baselines of the data set, encoder and profile of a paper's records."""
    spec = spec_of(runs, paper)
    setting = Setting(spec.dataset, spec.encoder, "release", spec.profile)
    files = records.files(BASELINES, setting)
    return Runs(_pooled(tuple((path, path.stat().st_mtime_ns) for path in files)))


@lru_cache(maxsize=1)
def _pooled(files: tuple[tuple[Path, int], ...]) -> list[Record]:
    """Return the records in these files, as they were at these times of modification.

    The claims of a paper ask for the same ones in turn, and pooling folds scores all clips anew.
    """
    return folds.pool(Filed(path) for path, _ in files)


def spec_of(runs: Runs, paper: str) -> Spec:
    """Return what all records of a paper say of their setting; others may be among them.

    Where none is the paper's, it is what the others say.
    """
    own = (s for s in runs.systems if runs.example(s).spec.paper == paper)
    return runs.example(next(own, runs.systems[0])).spec
