"""Tests of GLoMo's claims on the records of one setting; rules in book/claims/glomo.yaml.

Systems are compared by the shared tests of ``evidence.comparisons`` and ``evidence.choices``, which
cover other test videos and other trainings, and take five seeds (three where an encoder is
fine-tuned). What a record holds once for a training, such as how busy its experts were, is judged
over seeds. A claim that compares named systems or data sets that cannot be had has no test here.

Some tests read more than the records of their setting, and say so: those of earlier systems read
the records of ``baselines``, C27 those of a second data set, and C24 and C25 no record.
"""

from msalib.papers.glomo.evidence_costs import fewest_parameters, takes_less_time
from msalib.papers.glomo.evidence_experts import (
    experts_help,
    halves_differ,
    losses_keep_balance,
    more_experts_help,
    more_vectors_stop_helping,
)
from msalib.papers.glomo.evidence_systems import (
    every_modality_helps,
    face_over_voice,
    first_in_every_metric,
    gains_beyond,
    more_for_classes,
    one_layer_beats_most,
    simple_fusions_beat_most,
    words_carry_most,
)
from msalib.papers.glomo.evidence_vectors import (
    global_weights_help,
    guided_fusion_helps,
    joining_beats_summing,
    layer_is_the_worst_mix,
    local_weights_come_close,
    polarities_part,
    spaces_lie_apart,
)

ANY_TASK = True
"""Whether the tests read the metrics of whatever task a data set has."""

TESTS = (
    first_in_every_metric,
    gains_beyond,
    every_modality_helps,
    words_carry_most,
    face_over_voice,
    experts_help,
    one_layer_beats_most,
    more_experts_help,
    halves_differ,
    more_vectors_stop_helping,
    spaces_lie_apart,
    joining_beats_summing,
    simple_fusions_beat_most,
    guided_fusion_helps,
    layer_is_the_worst_mix,
    local_weights_come_close,
    global_weights_help,
    polarities_part,
    fewest_parameters,
    takes_less_time,
    losses_keep_balance,
    more_for_classes,
)
