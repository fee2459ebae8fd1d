"""Answer whether a model can write its own unimodal labels (Hwang and Kim, Findings of EACL 2023).

Holds the plan, tests, tables and figures of SUGRM and of its baseline Self-MM.
"""
