"""Claims and their verdicts as lines of a terminal: the command ``msalib claims``.

Without a filter a paper is one line a claim, which fits a screen. A claim asked for by its id is
told in full. A setting or a verdict lists those verdicts, each with its first effect.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from msalib.base.errors import UserError, unknown
from msalib.evidence import registry
from msalib.evidence.common import Word
from msalib.evidence.printed.names import plural
from msalib.evidence.registry import Claim
from msalib.evidence.verdicts import ClaimEvidence, Verdict, judge_own_runs, weigh
from msalib.pages.ledger import SYMBOLS, coverage_text, effect_text, errors_text, not_measured
from msalib.runs import names

REAL, KNOWN = "real data", "known truth"
"""Heads of the columns for re-runs and controls."""


@dataclass(frozen=True)
class Asked:
    """What of the claims is asked for: ids, part of a setting's name, a verdict; all if empty.

    Ids are whole (UEGD-C6) or without the paper (C6). Case does not matter.
    """

    claims: tuple[str, ...] = ()
    setting: str = ""
    verdict: str = ""

    def includes(self, verdict: Verdict) -> bool:
        """Check whether a verdict on records has the setting and the word."""
        setting = verdict.setting
        said = f"{names.full(setting)} {setting.dataset} {setting.encoder}".casefold()
        return self.setting.casefold() in said and self.says(verdict.evidence.verdict)

    def says(self, word: Word) -> bool:
        """Check whether this is the verdict that is asked for."""
        return self.verdict in ("", word)


def asked(claims: Sequence[str], setting: str, verdict: str) -> Asked:
    """Return what is asked for; ``UserError`` for a word that is no verdict."""
    word = verdict.replace("-", " ").casefold()
    if word and word not in get_args(Word):
        raise unknown("verdict", verdict, get_args(Word), remedy="Name one of these.")
    return Asked(tuple(name.upper() for name in claims), setting, word)


def lines(papers: Sequence[str], what: Asked, width: int) -> Iterator[str]:
    """Yield the claims of papers as lines; raise ``UserError`` where a filter leaves nothing."""
    weighed = {paper: _of_ids(weigh(paper), what.claims) for paper in papers}
    if what.claims and not any(weighed.values()):
        ids = [claim.id for paper in papers for claim in registry.claims(paper)]
        raise unknown("claim", ", ".join(what.claims), ids, remedy="Name one of these.")
    own = {paper: _own(paper, what) for paper in papers}
    if what.setting or what.verdict:
        counted = list(_filtered(weighed, what, width))
        if not counted and not any(own.values()):
            raise _nothing(weighed, what)
        yield from counted
    elif what.claims:
        for evidences in weighed.values():
            for one in evidences:
                yield from _in_full(one, width)
    elif len(papers) > 1:
        yield from _of_papers(weighed, width)
    else:
        yield from _overview(*weighed.popitem(), width)
    for paper in papers:
        yield from _of_own(paper, own[paper], what, width)


def _of_ids(weighed: Sequence[ClaimEvidence], ids: Sequence[str]) -> list[ClaimEvidence]:
    return [e for e in weighed if _named(e.claim, ids)]


def _named(claim: Claim, ids: Sequence[str]) -> bool:
    return not ids or claim.id in ids or claim.id.partition("-")[2] in ids


# --- one line a paper, one line a claim -----------------------------------------------------------


def _of_papers(weighed: Mapping[str, Sequence[ClaimEvidence]], width: int) -> Iterator[str]:
    """Yield the counts of each paper's verdicts."""
    yield f"{'':8}{'claims':8}{'in print':22}{REAL:22}{KNOWN}"
    for paper, evidences in weighed.items():
        columns = [
            _counts([e.printed.verdict for e in evidences]),
            _counts([v.evidence.verdict for e in evidences for v in e.rerun]),
            _counts([v.evidence.verdict for e in evidences for v in e.control]),
        ]
        yield f"{paper:8}{len(evidences):<8}{columns[0]:22}{columns[1]:22}{columns[2]}".rstrip()
    yield from _legend("by claim, on runs by claim and setting", width)
    yield "One paper: msalib claims uegd. One claim: msalib claims uegd --claim C6"


def _overview(paper: str, weighed: Sequence[ClaimEvidence], width: int) -> Iterator[str]:
    """Yield a line for each claim of a paper, as wide as the terminal."""
    heads = f"{'claim':12}{'in print':12}{REAL:14}{KNOWN:14}"
    yield heads.rstrip()
    for e in weighed:
        printed = f"{SYMBOLS[e.printed.verdict]} {_of_all(e)}"
        real, known = (_counts([v.evidence.verdict for v in runs]) for runs in (e.rerun, e.control))
        line = f"{e.claim.id:12}{printed:12}{real:14}{known:14}"
        room = max(width - len(heads), 20)
        yield line + textwrap.shorten(e.claim.statement, room, placeholder="…")
    yield from _legend("on runs by setting", width)
    yield f"A claim in full: msalib claims {paper} --claim {weighed[0].claim.id.partition('-')[2]}"


def _of_all(evidences: ClaimEvidence) -> str:
    counts = evidences.printed.counts
    return f"{counts.hold} of {sum(counts)}" if sum(counts) else ""


def _counts(words: Sequence[Word]) -> str:
    counts = Counter(words)
    return " ".join(f"{symbol}{counts[word]}" for word, symbol in SYMBOLS.items() if counts[word])


def _legend(unit: str, width: int) -> list[str]:
    meanings = ", ".join(f"{symbol} {word}" for word, symbol in SYMBOLS.items())
    return _wrapped(f"{meanings}; {unit}", width, indent="")


# --- a claim in full ------------------------------------------------------------------------------


def _in_full(evidences: ClaimEvidence, width: int) -> Iterator[str]:
    """Yield a claim with each kind of evidence."""
    claim = evidences.claim
    yield from _wrapped(f"{claim.id} ({claim.exhibit}): {claim.statement}", width, indent="")
    yield from _wrapped(f"in print: {_said(evidences.printed)}; {evidences.printed.note}", width)
    if evidences.parity:
        yield from _wrapped(f"parity: {evidences.parity}", width)
    for verdict in evidences.runs:
        yield from _setting(verdict, width)
    for kind, verdicts in (("re-run", evidences.rerun), ("control", evidences.control)):
        if not verdicts:
            word, note = evidences.not_run(kind)
            yield from _wrapped(f"{kind}: {SYMBOLS[word]} {word}; {note}", width)
    if claim.rerun.test is not None:
        measured = "; ".join(map(errors_text, evidences.error_rates)) or not_measured(claim)
        yield from _wrapped(f"errors of the test: {measured}", width)
    yield ""


def _said(printed) -> str:
    return f"{SYMBOLS[printed.verdict]} {printed.verdict}"


def _setting(verdict: Verdict, width: int) -> Iterator[str]:
    """Yield a verdict in its setting: what it means, all effects, what it covers."""
    e = verdict.evidence
    head = f"{names.full(verdict.setting)} ({verdict.kind}): {SYMBOLS[e.verdict]} {e.verdict}"
    yield from _wrapped(f"{head}. {verdict.reading}", width)
    for effect in e.effects.items():
        yield from _wrapped(effect_text(*effect), width, indent="    ")
    covered = coverage_text(verdict.coverage)
    yield from _wrapped("; ".join(filter(None, [e.note, covered])), width, indent="    ")


def _wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )


# --- by setting and verdict -----------------------------------------------------------------------


def _filtered(
    weighed: Mapping[str, Sequence[ClaimEvidence]], what: Asked, width: int
) -> Iterator[str]:
    """Yield each verdict of a setting or of a word, with its first effect."""
    found = 0
    for one in (e for evidences in weighed.values() for e in evidences):
        if not what.setting and what.says(one.printed.verdict):
            found += 1
            yield from _wrapped(
                f"{one.claim.id} in print: {_said(one.printed)}; {one.printed.note}", width, ""
            )
        for verdict in filter(what.includes, one.runs):
            found += 1
            yield from _wrapped(_first_effect(verdict), width, "")
    if found:
        yield plural(found, "verdict")


def _nothing(weighed: Mapping[str, Sequence[ClaimEvidence]], what: Asked) -> UserError:
    """Return the error for filters that leave nothing."""
    verdicts = [v for evidences in weighed.values() for e in evidences for v in e.runs]
    settings = dict.fromkeys(names.full(verdict.setting) for verdict in verdicts)
    return UserError(
        f"setting {what.setting!r}" if what.setting else f"verdict {what.verdict!r}",
        found="no verdict of it",
        expected=f"part of one of: {'; '.join(settings)}",
        remedy="Leave a filter out.",
    )


def _first_effect(verdict: Verdict) -> str:
    e = verdict.evidence
    effects = [effect_text(*next(iter(e.effects.items())))] if e.effects else [e.note]
    if len(e.effects) > 1:
        effects.append(f"and {len(e.effects) - 1} more")
    head = f"{verdict.claim.id} {names.full(verdict.setting)}: {SYMBOLS[e.verdict]} {e.verdict}"
    return f"{head}; {', '.join(effects)}"


# --- runs of one's own ----------------------------------------------------------------------------


def _own(paper: str, what: Asked) -> list[Verdict]:
    """Return the verdicts on a user's own runs, and on lessons of the book, that are asked for."""
    return [v for v in judge_own_runs(paper) if what.includes(v) and _named(v.claim, what.claims)]


def _of_own(paper: str, own: Sequence[Verdict], what: Asked, width: int) -> Iterator[str]:
    """Yield these verdicts, which the study does not count; without a filter their numbers."""
    if not own:
        return
    heading = f"your runs of {paper}, and lessons of the book, which the study does not count:"
    yield from _wrapped(heading, width, indent="")
    if what != Asked():
        for verdict in own:
            yield from _wrapped(_first_effect(verdict), width, "")
        return
    by_setting: dict[str, list[Word]] = {}
    for verdict in own:
        by_setting.setdefault(names.full(verdict.setting), []).append(verdict.evidence.verdict)
    for setting, words in by_setting.items():
        yield f'{setting}: {_counts(words)} (msalib claims {paper} --setting "{setting}")'
