"""Answer whether a model can write its own unimodal labels (Hwang and Kim, Findings of EACL 2023).

Holds the plan, tests, tables and figures of SUGRM and of its baseline Self-MM.
"""

LEAD = {
    "claim": "SUGRM-C5",
    "setting": ("mosi-standardised", "minilm", "release", "full"),
    "effect": "gain in MAE",
    "compares": "all unimodal tasks over none",
}
"""The verdict that answers the paper's main question in the README: as on the lead page of its
chapter, whose answer a test compares."""
