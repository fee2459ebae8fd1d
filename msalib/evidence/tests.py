"""Tests of claims: what the records of one setting say, one module for each paper.

Every test takes ``Runs`` and the arguments that the registry gives it, and returns ``Evidence``.
"""

from collections.abc import Callable, Iterable

from msalib.evidence.common import Evidence, Word, not_run
from msalib.papers.sugrm import evidence as sugrm
from msalib.papers.uegd import evidence as uegd

__all__ = ["TESTS", "Evidence", "Word", "not_run"]


def by_name(tests: Iterable[Callable[..., Evidence]]) -> dict[str, Callable[..., Evidence]]:
    """Return tests by name; two of one name, which would hide each other, are a ``ValueError``."""
    named: dict[str, Callable[..., Evidence]] = {}
    for test in tests:
        if named.setdefault(test.__name__, test) is not test:
            modules = f"{named[test.__name__].__module__} and {test.__module__}"
            raise ValueError(f"two tests of claims are called {test.__name__}: in {modules}")
    return named


TESTS = by_name([*uegd.TESTS, *sugrm.TESTS])
"""Tests by the name that the registry has for them."""
