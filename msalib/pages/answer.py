"""The short answer of a page: one computed sentence that its reader sees first.

It says the verdict in a word, in which setting, what that means, and one effect with its interval.
It is plain text: pages and chapters glue it, a terminal prints it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msalib.base.stats import Estimate
from msalib.evidence import settings
from msalib.evidence.common import Word
from msalib.evidence.printed.names import plural
from msalib.evidence.verdicts import Verdict
from msalib.pages.ledger import interval_text
from msalib.runs import names, records

WORDS: dict[Word, str] = {
    "supported": "Yes",
    "contradicted": "No",
    "inconclusive": "Undecided",
    "not run": "Not run",
}
"""Verdict -> the answer to a claim put as a question."""

WHERE = {
    "as-published": "as published",
    "substitute": "in our substitute setting",
    "control": "on data whose truth we know",
    "leaky": "on features that leak",
}
"""Kind of setting -> how an answer begins."""


POINTS = ", points"
"""What the name of an effect in points of a hundred contains."""


def short(verdict: Verdict, effect: str = "", words: str = "") -> str:
    """Answer a claim in one setting: the verdict, what it means, one effect, what was not run.

    ``effect`` names one of the evidence, by default the first; ``words`` say what it is the effect
    of. Raises ``KeyError`` for an effect that is none of a test that ran.
    """
    parts = [f"{WORDS[verdict.evidence.verdict]} {_where(verdict)}.", verdict.reading]
    if effects := verdict.evidence.effects:
        name = effect or next(iter(effects))
        parts.append(effect_sentence(name, effects[name], words))
    if verdict.kind != "as-published":
        parts.append(_as_published(verdict))
    return " ".join(filter(None, parts))


def page(
    verdicts: Sequence[Verdict],
    leads: Mapping[str, str],
    *,
    otherwise: str = "",
    compares: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Answer the question of a page, then sum up the verdicts on its other claims.

    ``leads``: ids of claims, the most telling first -> how the effect to show begins (the first
    effect, if empty or if none begins so). The first claim that the records decide answers;
    ``otherwise`` is the answer where they decide none, by default what the first lead needs.
    ``compares`` says of a claim what its effects compare, where their names do not say it.
    """
    by_claim = {verdict.claim.id: verdict for verdict in verdicts}
    decided = (n for n in leads if n in by_claim and by_claim[n].evidence.verdict != "not run")
    name = next(decided, "" if otherwise else next(iter(leads)))
    if not by_claim:
        return otherwise or "Not run: this setting has no records yet."
    if not name:
        return " ".join(filter(None, [otherwise, others(verdicts)]))
    lead = by_claim[name]
    effects, begins = lead.evidence.effects, leads[name]
    effect = next((e for e in effects if begins and e.startswith(begins)), next(iter(effects), ""))
    words = _aside(effect, compares[name]) if name in compares else ""
    return " ".join(filter(None, [short(lead, effect, words), others(verdicts, name)]))


def others(verdicts: Sequence[Verdict], *answered: str) -> str:
    """Sum up the verdicts on the other claims of a page: "Also: supported UEGD-C7."

    ``answered`` are the ids of claims that are left out. Without any it says "Claims of this page".
    """
    by_word: dict[Word, list[str]] = {}
    for verdict in verdicts:
        if verdict.claim.id not in answered:
            by_word.setdefault(verdict.evidence.verdict, []).append(verdict.claim.id)
    listed = [f"{word} {', '.join(ids)}" for word in WORDS if (ids := by_word.get(word))]
    head = "Also" if answered else "Claims of this page"
    return f"{head}: {'; '.join(listed)}." if listed else ""


def _where(verdict: Verdict) -> str:
    """Name the setting of a verdict, with its seeds."""
    seeds = [plural(verdict.coverage.seeds, "seed")] if verdict.coverage else []
    return f"{WHERE[verdict.kind]} ({'; '.join([names.full(verdict.setting), *seeds])})"


def effect_sentence(name: str, estimate: Estimate, words: str = "") -> str:
    """Return an effect with its interval and its unit; ``words`` replace its name."""
    what = (words or name.replace(POINTS, "")).replace(": gain in", ", gain in")
    unit = " points" * (POINTS in name)
    return f"{what[:1].upper()}{what[1:]}: {interval_text(estimate)}{unit}."


def _aside(effect: str, compares: str) -> str:
    """Add in brackets what an effect compares: "gain in MAE (90% interval; this over that)"."""
    what = effect.replace(POINTS, "")
    return f"{what[:-1]}; {compares})" if what.endswith(")") else f"{what} ({compares})"


def _as_published(verdict: Verdict) -> str:
    """Say that the paper's own setting was not run, where it was not."""
    published = settings.as_published(verdict.claim.paper)
    run = any(records.files(verdict.claim.paper, setting) for setting in published)
    return "" if run else "As published: not run."
