"""Tests of UEGD's claims on the records of one setting. Templates: papers/uegd.md (b).

Every test takes ``Runs`` and the arguments that the registry gives it, reads predictions of the
test set (of the validation set only to choose a block), and returns ``Evidence``. "Input" is layer
0, the encoder's own input embeddings; a *group* is the modalities that a model reads. Below five
seeds, ten test videos or five validation videos there is no verdict. Two tests also read the
records of conventional features (``conventional``), which are settings of their own.
"""

from msalib.papers.uegd.evidence_blocks import (
    best_block_within,
    best_in_second_half,
    flat_from,
    spread_smaller_than,
)
from msalib.papers.uegd.evidence_features import (
    better_than,
    better_than_conventional,
    gain_grows,
    gain_largest,
)
from msalib.papers.uegd.evidence_gates import gate_rises, speaker_driven
from msalib.papers.uegd.evidence_models import (
    beyond_literature,
    fusions_equal,
    learned_weights_overfit,
)

TESTS = (
    better_than,
    better_than_conventional,
    beyond_literature,
    gain_largest,
    gate_rises,
    speaker_driven,
    spread_smaller_than,
    best_block_within,
    flat_from,
    best_in_second_half,
    fusions_equal,
    gain_grows,
    learned_weights_overfit,
)
