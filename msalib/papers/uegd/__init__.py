"""Answer which layer of a frozen encoder a small model should read (Ando et al., SLT 2022).

Holds the plan, tests, tables and figures of UEGD.
"""
