"""Answer which layer of a frozen encoder a small model should read (Ando et al., SLT 2022).

Holds the plan, tests, tables and figures of UEGD. What general code must know of the paper:
"""

FROZEN_ONLY = True
"""Whether a fine-tuned encoder makes no sense here: UEGD is about frozen ones."""

AS_PUBLISHED = (("mosi", "bert-large"), ("mosei", "bert-large"))
"""Data set and encoder, as the paper used them, where a reader can have both."""

BESIDE = {
    f"{dataset} {encoder}": (dataset, encoder)
    for dataset in ("mosi-standardised", "mosei", "raw")
    for encoder in ("lexicon", "tfidf")
}
"""Settings with conventional features of words, beside those of text encoders (UEGD-C1, C4)."""

LEAD = {
    "claim": "UEGD-C6",
    "setting": ("mosi-standardised", "minilm", "release", "full"),
    "effect": "",
    "compares": "a chosen block minus the last; below zero: it is better",
}
"""The verdict that answers the paper's main question in the README: as on the lead page of its
chapter, whose answer a test compares."""
