"""Answer whether one summary of a clip is enough (Zhuang et al., GLoMo, ACM MM 2024).

Holds the check of its printed number of parameters, the plan, tests, tables and figures of GLoMo.
What general code must know of the paper:
"""

FINE_TUNES = True
"""Whether encoders are fine-tuned unless a reader asks for others."""

FROZEN = {"rates": "features"}
"""Choices of a system whose encoders stay as they are."""

LEAD = {
    "claim": "GLOMO-C14",
    "setting": ("mmmo-stretched", "covarep-facet", "release", "full"),
    "effect": "full above both: GLoMo over Global",
    "compares": "with local vectors over global ones alone",
}
"""The verdict that answers the paper's main question in the README: as on the lead page of its
chapter, whose answer a test compares."""
