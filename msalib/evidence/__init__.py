"""Answer whether a claim holds: the registry of claims, their tests, their verdicts.

``printed`` checks the papers' own tables; ``audit`` checks a data set. ``comparisons`` and
``choices`` hold the tests that papers share; ``simulation`` measures how often a test errs.
"""
