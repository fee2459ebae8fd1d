"""Verdicts for readers: the ledger, the rules behind it, and texts for prose."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from msalib.base.stats import Estimate
from msalib.evidence import error_rates
from msalib.evidence.amendments import Amended
from msalib.evidence.common import Evidence
from msalib.evidence.error_rates import Measured
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.cells import Cells
from msalib.evidence.printed.names import plural
from msalib.evidence.printed.verdict import PrintedVerdict
from msalib.evidence.registry import Claim
from msalib.evidence.verdicts import (
    Coverage,
    Verdict,
    judge_printed,
    printed_effects,
)
from msalib.pages import markup
from msalib.pages.amendments import of_claim
from msalib.pages.cells import interval_text
from msalib.pages.tables import Table
from msalib.runs import names
from msalib.runs.records import Record

SYMBOLS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?", "not run": "○"}
"""A verdict is never told by colour alone."""

CITED = 3
"""Records and effects of a verdict that the ledger shows at once; others open on a click."""


def ledger(verdicts: list[Verdict], paper: str, *, caption: str) -> Table:
    """Show a row per claim and setting, announced by the claim, the verdict beside it.

    Where all rows have one setting, the caption names it.
    """
    rates = error_rates.by_claim(paper)
    frame = rows(verdicts, "../paper-{}.html".format)
    if len({v.setting for v in verdicts}) == 1:
        frame = frame.drop(columns="setting")
    errors = [errors_cell(v.claim, rates.get(v.claim.id, ())) for v in verdicts]
    frame.insert(frame.columns.get_loc("records"), "errors of the test", errors)
    return Table(frame, caption=caption)


def rows(verdicts: list[Verdict], page: Callable[[str], str]) -> pd.DataFrame:
    """Return a row per claim and setting; ``page``: paper -> address of the page of its claims."""
    cells = Cells(printed.load_all())
    return pd.DataFrame(
        {
            "claim": claim_text(v.claim, f"{page(v.claim.paper)}#{v.claim.id}"),
            "verdict": markup.lines([badge(v.evidence.verdict), v.reading]),
            "setting": setting_text(v),
            "covers": coverage_text(v.coverage),
            "effect and 95% interval": _effects(v.evidence),
            "in print": _printed(v, cells),
            "records": _cited(v.records),
        }
        for v in verdicts
    )


def _printed(verdict: Verdict, cells: Cells) -> Markup:
    """Return the verdict of print with its first few effects; the others open on a click."""
    judged = judge_printed(cells, verdict.claim.paper, verdict.claim)
    effects = printed_effects(cells, judged, verdict.setting.dataset)
    shown, rest = markup.lines(effects[:CITED]) or "no number", effects[CITED:]
    if rest:
        shown += _folded(f"and {len(rest)} more", rest)
    return EFFECT.format(markup.lines([printed_badge(judged), shown]))


def _folded(head: str, lines: list[str]) -> Markup:
    opened = markup.lines(lines)
    return Markup("<details><summary>{}</summary>{}</details>").format(head, opened)


def _effects(evidence: Evidence) -> Markup:
    """Return the first few effects and the note; the other effects open on a click."""
    effects = evidence.effects.items()
    told = [Markup("{}{}").format(effect_text(*e), _seed_by_seed(e[1])) for e in effects]
    rest = _folded(f"and {len(told) - CITED} more", told[CITED:]) if len(told) > CITED else ""
    return EFFECT.format(markup.lines(filter(None, [*told[:CITED], rest, evidence.note])))


EFFECT = Markup('<div class="effect">{}</div>')


def rules(claims: list[Claim], amended: Sequence[Amended]) -> Table:
    """Show the rule of each test with its amendments, and what of the claim it does not cover."""
    frame = pd.DataFrame(
        {
            "claim": named(c, f"#{c.id}"),
            "exhibit": c.exhibit,
            "rule": c.rerun.rule,
            "amendments": of_claim(amended, c.id),
            "not covered": c.rerun.needs,
        }
        for c in claims
    )
    return Table(frame, caption="Tests of the registry.")


def verdict_texts(verdicts: list[Verdict]) -> dict[str, str]:
    """Return verdict, reading, note and effects of each claim, for prose.

    ``C6``, ``C6_reading``, ``C6_note``, ``C6_records`` (their number) and, by the name of the
    effect, ``C6_linguistic_mae``.
    """
    texts = {}
    for v in verdicts:
        name = v.claim.id.split("-")[1]
        texts[name] = v.evidence.verdict
        texts[f"{name}_reading"] = v.reading
        texts[f"{name}_note"] = v.evidence.note
        texts[f"{name}_records"] = str(len(v.records))
        for effect, e in v.evidence.effects.items():
            key = re.sub(r"\W+", "_", effect.lower()).strip("_")
            texts[f"{name}_{key}"] = effect_text(effect, e)
    return texts


def effect_text(name: str, e: Estimate) -> str:
    """Return an effect with its interval, as tables and the command line show it."""
    return f"{name} {interval_text(e)}"


def _seed_by_seed(e: Estimate) -> Markup:
    """Say how much seeds differ, and for a difference how many of them have its sign."""
    if len(e.seeds) < 2 or np.isnan(e.effect):
        return Markup("")
    text = f"seeds ± {np.std(e.seeds, ddof=1):.3f}"
    if e.kind == "difference":
        alike = int((np.sign(e.seeds) == np.sign(e.effect)).sum())
        text += f", {alike} of {len(e.seeds)} {'above' if e.effect > 0 else 'below'} 0"
    return Markup(" <small>({})</small>").format(text)


def _cited(records: list[Record]) -> str:
    """Return the number of records, the folder of the first below all records, and some names."""
    if not records:
        return "none"
    folder = records[0].spec.path().parent.parts[-4:]
    names = [f"in {'/'.join(folder)}:", *(record.name() for record in records[:CITED])]
    if len(records) > CITED:
        names.append(f"and {len(records) - CITED} more")
    return _folded(str(len(records)), names)


def named(claim: Claim, href: str) -> Markup:
    """Return the id of a claim as a link, and whether the claim is ours."""
    name = Markup("<b>{}</b>").format(markup.link(href, claim.id))
    return name + (Markup(' <span class="setting">ours</span>') if claim.ours else "")


def claim_text(claim: Claim, href: str) -> Markup:
    """Return id and sentence of a claim, which name its row."""
    return Markup('<div class="claim">{} {}</div>').format(named(claim, href), claim.statement)


def printed_badge(printed: PrintedVerdict) -> Markup:
    """Return the verdict of print with the number of comparisons that hold."""
    if printed.verdict == "not run":
        return badge("not run")
    return Markup("{} <small>{}</small>").format(badge(printed.verdict), printed.counts.text())


def legend() -> str:
    """Return the symbols of verdicts with their words."""
    return ", ".join(f"{symbol} {word}" for word, symbol in SYMBOLS.items())


def badge(verdict: str) -> Markup:
    """Return a verdict as a coloured word with its symbol."""
    style = verdict.replace(" ", "-")
    return Markup('<span class="verdict verdict-{}">{} {}</span>').format(
        style, SYMBOLS[verdict], verdict
    )


def setting_text(verdict: Verdict) -> str:
    """Return the setting of a verdict in words, with its group."""
    return f"{names.full(verdict.setting)} ({names.group(verdict.claim.paper, verdict.setting)})"


def coverage_text(covered: Coverage | None) -> str:
    """Return what a test covers: seeds, clips and videos of the test part, and what was read."""
    if covered is None:
        return ""
    inputs = ", ".join(_input(*item) for item in covered.inputs.items())
    seeds, clips = plural(covered.seeds, "seed"), plural(covered.clips, "test clip")
    return f"{seeds}, {clips} of {plural(covered.videos, 'video')}; {inputs}"


def _input(stream: str, blocks: int) -> str:
    layers = {0: "fine-tuned", 1: "vectors"}.get(blocks, f"{blocks} blocks")
    return f"{stream.replace('_', ' ')} ({layers})"


def errors_text(one: Measured) -> str:
    """Return how often a test errs at a size of data, and how often it finds what is printed."""
    false = ", ".join(
        f"{name} {one.worst(word).share:.1%}"
        for name, word in (("false support", "supported"), ("false contradiction", "contradicted"))
    )
    power, effect = one.at_printed()
    found = "" if power is None else f", power {power.share:.0%} {effect}"
    high = " (above the level)" if one.too_high() else ""
    return f"size of {one.size}: {false}{high}{found}"


def not_measured(claim: Claim) -> str:
    """Say that the errors of a test are not measured, and why where they cannot be."""
    why = claim.rerun.unsimulated
    return f"not measured ({why})" if why else "not measured"


def errors_cell(claim: Claim, rates: Sequence[Measured]) -> str:
    """Return the error rates of a test as two numbers with the sizes that they are of.

    Those of each size open on a click.
    """
    if not rates:
        return not_measured(claim)
    worst = max(one.worst(w).share for one in rates for w in ("supported", "contradicted"))
    powers = sorted(power.share for one in rates if (power := one.at_printed()[0]) is not None)
    ends = dict.fromkeys(f"{share:.0%}" for share in [*powers[:1], *powers[-1:]])
    power = f", power {' to '.join(ends)}" if ends else ""
    high = " (above the level)" if any(one.too_high() for one in rates) else ""
    sizes = f"size{'s' * (len(rates) > 1)} of {', '.join(one.size for one in rates)}"
    return Markup("<details><summary>{}</summary><small>{}</small></details>").format(
        f"false verdicts {worst:.1%} at most{high}{power}; {sizes}",
        markup.lines(map(errors_text, rates)),
    )
