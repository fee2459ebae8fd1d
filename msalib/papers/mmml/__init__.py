"""Answer what sound adds to words, and three losses to one (Wu et al., MMML, NAACL 2024).

Holds the plan, tests, tables and figures of MMML. What general code must know of the paper:
"""

SECONDS = 6.0
"""Longest sound of a clip that a fine-tuned encoder reads, papers/mmml.md (d)."""

MODALITIES = ("acoustic", "linguistic")
"""What the paper reads; pictures are left out."""

FINE_TUNES = True
"""Whether encoders are fine-tuned unless a reader asks for others."""

FROZEN = {"rates": "features", "pooling": "mean"}
"""Choices of a system whose encoders stay as they are.

A text is then the mean over its tokens (the code of 2023): the first token of a frozen encoder
need not stand for the text, and of joined context it belongs to the oldest clip.
"""

BESIDE = {"meld-dev": ("meld-dev-mel", "roberta-mel"), "raw": ("raw", "log-mel")}
"""Data set with an encoder of raw sound -> that with mel features of the same clips (Table 2)."""

LEAD = {
    "claim": "MMML-C11",
    "setting": ("raw", "small-tuned", "release", "full"),
    "effect": "",
    "compares": "",
}
"""The verdict that answers the paper's main question in the README: as on the lead page of its
chapter, whose answer a test compares."""
