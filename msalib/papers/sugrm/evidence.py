"""Tests of SUGRM's claims on the records of one setting. Templates: papers/sugrm.md (b).

Systems are compared by the shared tests of ``evidence.comparisons``, which cover other videos and
other seeds; what is on record of training clips alone is judged over seeds. A claim is judged on
the data that ``scope`` has for it. Names are those of this paper's tests on runs: a statement on
printed tables may have the same one, as ``no_worse`` has.

Some tests read more than the records of their setting. Each says so in its docstring:
``full_gains_little`` and ``takes_longer`` read the record of times (``costs``),
``share_of_parameters`` counts the parameters of untrained models, and ``labels_agree_with_truth``
asks the simulator for the true sentiment of a simulated data set.
"""

from msalib.papers.sugrm.evidence_costs import (
    full_gains_little,
    share_of_parameters,
    takes_longer,
)
from msalib.papers.sugrm.evidence_labels import (
    blows_up_midway,
    distances_align,
    ends_are_commoner,
    labels_agree_with_truth,
    labels_settle,
)
from msalib.papers.sugrm.evidence_systems import (
    best_loss,
    better_in_all,
    changes_little,
    each_mostly_better,
    limited_gain,
    mostly_better,
    no_worse,
    only_both_help,
)
from msalib.papers.sugrm.evidence_tasks import (
    more_tasks_help,
    one_task_hurts,
    rises_with_tasks,
    tasks_help,
)

TESTS = (
    better_in_all,
    no_worse,
    limited_gain,
    changes_little,
    each_mostly_better,
    full_gains_little,
    mostly_better,
    best_loss,
    only_both_help,
    one_task_hurts,
    more_tasks_help,
    rises_with_tasks,
    tasks_help,
    labels_settle,
    blows_up_midway,
    ends_are_commoner,
    labels_agree_with_truth,
    distances_align,
    takes_longer,
    share_of_parameters,
)
