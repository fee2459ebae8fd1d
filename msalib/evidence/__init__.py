"""Tests of claims: what the records of one setting say, one module for each paper.

Every test takes ``Runs`` and the arguments that the registry gives it, and returns ``Evidence``.
"""

from msalib.evidence import sugrm, uegd
from msalib.evidence.common import Evidence, Word, not_run

__all__ = ["TESTS", "Evidence", "Word", "not_run"]

TESTS = {test.__name__: test for module in (uegd, sugrm) for test in module.TESTS}
"""Tests by the name that the registry has for them."""
