"""Answer whether two streams can learn to listen to each other (Chu et al., CMT, EMNLP 2022).

Holds the check of its printed sizes, the plan, tests, tables and figures of CMT. What general code
must know of the paper:
"""

MODALITIES = ("acoustic", "linguistic")
"""What the model reads; pictures stay unread."""

FROZEN = {"rates": "features"}
"""Choices of a system whose encoders stay as they are."""

ENCODERS = {"raw-spoken": "small-frames", "ravdess": "whisper-tiny.en-frames", "nemo": "spoken"}
"""Data set -> what "auto" stands for: all frames of sound, and words where there are any."""

LEAD = {
    "claim": "CMT-C14",
    "setting": ("raw-spoken", "spoken", "release", "full"),
    "effect": "PT, 100% of the clips over w/o PT, 100% of the clips: gain in MAE",
    "compares": "pretrained over not pretrained",
}
"""The verdict that answers the paper's main question in the README: as on the lead page of its
chapter, whose answer a test compares."""
