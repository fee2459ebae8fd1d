"""Answer whether one summary of a clip is enough (Zhuang et al., GLoMo).

Holds the check of its printed number of parameters; its runs are still to come.
"""
