"""Answer what was asked and what came out: a specification, its training, its record.

A study turns the parameters of a notebook into records; ``saved`` and ``predict`` serve models.
"""
