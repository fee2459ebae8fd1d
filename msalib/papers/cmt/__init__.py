"""Answer whether two streams can learn to listen to each other (Chu et al., CMT).

Holds the check of its printed sizes; its runs are still to come.
"""
