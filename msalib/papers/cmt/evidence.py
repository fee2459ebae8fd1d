"""Tests of CMT's claims on the records of one setting; rules in book/claims/cmt.yaml.

Systems are compared by the shared tests of ``evidence.comparisons`` and ``evidence.choices``, which
cover other test videos and other trainings, and take five seeds (three where an encoder is
fine-tuned). Weights of audio blocks, which a record holds once for a training, are judged over
seeds. C1 and C5 compare with systems that cannot be had, so that they have no test here.

Sound alone, text alone and shallow fusion are records of ``baselines`` (``scope.with_baselines``).
No claim can be judged where these are all that was run: each compares two of them that read
different encoders of the same clips, and such settings have one encoder. Negative controls, which
are no claims, are in ``evidence_controls``.
"""

from msalib.papers.cmt.evidence_alone import (
    alike_alone,
    joining_adds,
    joining_helps_by_degree,
    sound_is_behind,
)
from msalib.papers.cmt.evidence_ingredients import (
    adapting_helps,
    middle_blocks_weigh_most,
    penalty_helps,
    pooling_gains_nothing,
)
from msalib.papers.cmt.evidence_sweeps import (
    fewer_clips_do,
    one_block_is_best,
    one_weight_is_best,
    pretraining_helps,
)
from msalib.papers.cmt.evidence_systems import (
    base_beats_joining,
    blocks_add_more_than,
    depth_beats_joining,
    full_recipe_beats_its_parts,
    full_recipe_beats_none,
    large_beats_base,
    sizes_alike,
)

ANY_TASK = True
"""Whether the tests read the metrics of whatever task a data set has."""

TESTS = (
    alike_alone,
    joining_adds,
    blocks_add_more_than,
    sizes_alike,
    sound_is_behind,
    joining_helps_by_degree,
    base_beats_joining,
    large_beats_base,
    middle_blocks_weigh_most,
    one_block_is_best,
    pooling_gains_nothing,
    pretraining_helps,
    fewer_clips_do,
    adapting_helps,
    penalty_helps,
    one_weight_is_best,
    full_recipe_beats_none,
    depth_beats_joining,
    full_recipe_beats_its_parts,
)
