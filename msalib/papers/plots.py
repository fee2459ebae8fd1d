"""Records -> figures, in one style; each figure carries its alternative text and its caption.

Colours are Okabe and Ito's, safe for colour-blind readers, and whatever has a colour also has a
marker, a dash or a hatch of its own, so that figures can be read in grey.
"""

from msalib.papers.sugrm.figures import (
    GENERATOR_NAMES,
    GENERATOR_STYLE,
    SCORE_NAMES,
    minus_others,
    module_lines,
    scores_by_tasks,
)
from msalib.papers.sugrm.figures_geometry import (
    CENTRE_STYLE,
    SHIFT_NAMES,
    blow_up,
    last_state,
    offset_by_distance,
    passes,
    sampling_windows,
    target_map,
)
from msalib.papers.sugrm.figures_labels import (
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

__all__ = [
    "BINS",
    "CENTRE_STYLE",
    "CHOOSE",
    "CLIPS_OFFERED",
    "GENERATOR_NAMES",
    "GENERATOR_STYLE",
    "LABELS_STYLE",
    "SCORE_NAMES",
    "SHIFT_NAMES",
    "SVG_DASHES",
    "ClipChooser",
    "blow_up",
    "clip_chooser",
    "label_histograms",
    "label_movement",
    "last_state",
    "minus_others",
    "module_lines",
    "nearness",
    "offset_by_distance",
    "passes",
    "sampling_windows",
    "scores_by_tasks",
    "target_map",
    "targets_at_limit",
]
