"""What tests of claims return, and what they share: what a setting lacks, and words for it."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from msalib.base.stats import Estimate
from msalib.runs.query import Runs
from msalib.runs.records import undefined_for
from msalib.runs.spec import System

Word = Literal["supported", "contradicted", "inconclusive", "not run"]

NAMED = 3
"""Systems that a note names; beyond, it counts."""


class Evidence(NamedTuple):
    """What a test found: the verdict, named effects, and a sentence on what they are of."""

    verdict: Word
    effects: dict[str, Estimate]
    note: str


def not_run(
    needs: Sequence[str], effects: dict[str, Estimate] | None = None, about: Sequence[str] = ()
) -> Evidence:
    """Return no verdict for want of ``needs``; ``effects`` are partial, ``about`` notes on them."""
    note = sentence(f"needs {' and '.join(dict.fromkeys(needs))}", *about)
    return Evidence("not run", effects or {}, note)


def sentence(*phrases: str) -> str:
    """Join phrases to a sentence, without those that are empty."""
    return "; ".join(phrase for phrase in phrases if phrase)


def without(absent: Sequence[str]) -> list[str]:
    """Say what is missing from a setting, in a phrase or none."""
    return [f"missing: {', '.join(dict.fromkeys(absent))}"] if absent else []


def why_undefined(
    runs: Runs,
    systems: Sequence[System],
    effects: dict[str, Estimate] | None = None,
    *,
    part: str = "test",
) -> list[str]:
    """Say why effects are undefined: which runs have no correlation, and what is constant there."""
    counts: dict[str, dict[str, str]] = {}
    for system in dict.fromkeys(systems):
        (trained,) = runs.records(system)
        for reason, count in Counter(undefined_for(trained, part)).items():
            phrase = f"{count} of {len(trained)} seeds of {system.name()}"
            counts.setdefault(reason, {})[system.name()] = phrase
    phrases = []
    for reason, by_system in counts.items():
        which = "; ".join(by_system.values())
        if len(by_system) > NAMED:
            which = f"seeds of {len(by_system)} of {len(set(systems))} inputs"
        where = "" if part == "test" else f" on {part}"
        phrases.append(f"Corr undefined{where} ({reason}) for {which}")
    unsure = [n for n, e in (effects or {}).items() if np.isnan(e.low) and not np.isnan(e.effect)]
    if unsure:
        phrases.append(f"no interval of {', '.join(unsure)}: undefined in some resamples")
    return phrases
