"""Records -> figures, in one style; each figure carries its alternative text and its caption.

Colours are Okabe and Ito's, safe for colour-blind readers, and whatever has a colour also has a
marker, a dash or a hatch of its own, so that figures can be read in grey.
"""

from msalib.plots.audit import probe_levels
from msalib.plots.common import (
    MODALITY_STYLE,
    Picture,
)
from msalib.plots.geometry import (
    CENTRE_STYLE,
    SHIFT_NAMES,
    blow_up,
    last_state,
    offset_by_distance,
    passes,
    sampling_windows,
    target_map,
)
from msalib.plots.labels import (
    BINS,
    CHOOSE,
    CLIPS_OFFERED,
    LABELS_STYLE,
    SVG_DASHES,
    ClipChooser,
    clip_chooser,
    label_histograms,
    label_movement,
    nearness,
    targets_at_limit,
)
from msalib.plots.uegd import (
    FEATURE_NAMES,
    FEATURE_STYLE,
    MANY,
    SIZE_STYLE,
    equivalence,
    false_verdicts,
    gain_by_size,
    gains_by_chance,
    gate_violins,
    label_histogram,
    layer_curve,
    one_video,
    planted_profile,
    power_curves,
)
from msalib.plots.variants import (
    GENERATOR_NAMES,
    GENERATOR_STYLE,
    SCORE_NAMES,
    minus_others,
    module_lines,
    scores_by_tasks,
)

__all__ = [
    "BINS",
    "CENTRE_STYLE",
    "CHOOSE",
    "CLIPS_OFFERED",
    "FEATURE_NAMES",
    "FEATURE_STYLE",
    "GENERATOR_NAMES",
    "GENERATOR_STYLE",
    "LABELS_STYLE",
    "MANY",
    "MODALITY_STYLE",
    "SCORE_NAMES",
    "SHIFT_NAMES",
    "SIZE_STYLE",
    "SVG_DASHES",
    "ClipChooser",
    "Picture",
    "blow_up",
    "clip_chooser",
    "equivalence",
    "false_verdicts",
    "gain_by_size",
    "gains_by_chance",
    "gate_violins",
    "label_histogram",
    "label_histograms",
    "label_movement",
    "last_state",
    "layer_curve",
    "minus_others",
    "module_lines",
    "nearness",
    "offset_by_distance",
    "one_video",
    "passes",
    "planted_profile",
    "power_curves",
    "probe_levels",
    "sampling_windows",
    "scores_by_tasks",
    "target_map",
    "targets_at_limit",
]
