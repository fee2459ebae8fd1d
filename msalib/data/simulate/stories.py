"""Corpora in which the truth is known: features (``features``), or sound, pictures and words.

``features`` plants sentiment in the layers of encoders that do not exist; ``raw`` renders clips
that real encoders must read, spoken by ``speech``, drawn by ``faces`` and worded by ``grammar``.
"""

from msalib.data.simulate.features import (
    ANNOTATOR_SD,
    ANNOTATORS,
    BLOCKS,
    CLIP_SD,
    DRIFT,
    MARK,
    MODALITY_SD,
    SIZES,
    STORIES,
    TRAIN_SHARE,
    VALID_SHARE,
    VIDEO_SD,
    VIDEOS_PER_SPEAKER,
    WEIGHTS,
    Story,
    control,
    story,
)

__all__ = [
    "ANNOTATORS",
    "ANNOTATOR_SD",
    "BLOCKS",
    "CLIP_SD",
    "DRIFT",
    "MARK",
    "MODALITY_SD",
    "SIZES",
    "STORIES",
    "TRAIN_SHARE",
    "VALID_SHARE",
    "VIDEOS_PER_SPEAKER",
    "VIDEO_SD",
    "WEIGHTS",
    "Story",
    "control",
    "story",
]
