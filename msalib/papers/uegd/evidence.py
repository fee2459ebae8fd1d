"""Tests of UEGD's claims on the records of one setting. Templates: papers/uegd.md (b).

Every test takes ``Runs`` and the arguments that the registry gives it, reads predictions of the
test set (of the validation set only to choose a block), and returns ``Evidence``. "Input" is layer
0, our stand-in for conventional features; a *group* is the modalities that a model reads.
"""

from msalib.papers.uegd.evidence_blocks import (
    best_block_within,
    best_in_second_half,
    flat_from,
    spread_smaller_than,
)
from msalib.papers.uegd.evidence_features import (
    better_than,
    beyond_literature,
    fusions_equal,
    gain_grows,
    gain_largest,
    learned_weights_overfit,
)
from msalib.papers.uegd.evidence_gates import gate_rises, speaker_driven, unused_gates_close

TESTS = (
    better_than,
    beyond_literature,
    gain_largest,
    gate_rises,
    speaker_driven,
    spread_smaller_than,
    best_block_within,
    flat_from,
    best_in_second_half,
    unused_gates_close,
    fusions_equal,
    gain_grows,
    learned_weights_overfit,
)
