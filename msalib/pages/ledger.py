"""Verdicts for readers: the ledger, the rules behind it, and texts for prose."""

import re
from collections.abc import Iterator, Sequence

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
from msalib.evidence.registry import Claim
from msalib.evidence.verdicts import (
    ClaimEvidence,
    Coverage,
    Verdict,
    judge_own_runs,
    printed_effects,
    weigh,
)
from msalib.pages import markup
from msalib.pages.amendments import of_claim
from msalib.pages.cells import interval_text
from msalib.pages.tables import Table
from msalib.runs.records import Record

SYMBOLS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?", "not run": "○"}
"""A verdict is never told by colour alone."""

CITED = 3
"""Records of a verdict, and printed effects, that the ledger names; it counts the others."""


def ledger(verdicts: list[Verdict], paper: str, *, caption: str) -> Table:
    """Show a row per claim and setting, the verdict beside the claim so that a phone shows it."""
    cells, rates = Cells(printed.load_all()), error_rates.by_claim(paper)
    rows = [
        {
            "claim and verdict": Markup("{} {}<br>{}<br><i>{}</i>").format(
                named(v.claim), badge(v.evidence.verdict), v.claim.statement, v.reading
            ),
            "setting": setting_text(v),
            "covers": coverage_text(v.coverage),
            "effect and 95% interval": _effects(v.evidence),
            "printed effect": _printed(printed_effects(paper, v.claim, v.setting.dataset, cells)),
            "errors of the test": errors_cell(v.claim, rates.get(v.claim.id, ())),
            "records": _cited(v.records),
        }
        for v in verdicts
    ]
    return Table(pd.DataFrame(rows), caption=caption)


def _printed(phrases: list[str]) -> Markup:
    """Return the first few phrases; the others open on a click."""
    shown, rest = markup.lines(phrases[:CITED]) or "no number", phrases[CITED:]
    if rest:
        shown += _folded(f"and {len(rest)} more", rest)
    return EFFECT.format(shown)


def _folded(head: str, lines: list[str]) -> Markup:
    opened = markup.lines(lines)
    return Markup("<details><summary>{}</summary>{}</details>").format(head, opened)


def _effects(evidence: Evidence) -> Markup:
    effects = evidence.effects.items()
    lines = [Markup("{}{}").format(effect_text(*e), _seed_by_seed(e[1])) for e in effects]
    return EFFECT.format(markup.lines([*lines, evidence.note]))


EFFECT = Markup('<div class="effect">{}</div>')


def matrix(verdicts: list[Verdict], *, caption: str) -> Table:
    """Show claims by settings, the settings with most decided claims first."""
    cells: dict[str, dict[str, str]] = {}
    head = Markup("{}, {}<br><small>{}, {}, {}</small>")
    mark = Markup('<abbr title="{word}" aria-label="{word}">{symbol}</abbr>')
    for v in verdicts:
        about = Markup('<div class="claim">{} {}</div>').format(named(v.claim), v.claim.statement)
        row = cells.setdefault(v.claim.id, {"claim": about})
        dataset, encoder, preset, profile = v.setting
        word = v.evidence.verdict
        symbol = badge(word).replace(f"{SYMBOLS[word]} {word}", SYMBOLS[word])
        column = head.format(dataset, encoder, v.kind, preset, profile)
        row[column] = mark.format(word=word, symbol=symbol)
    frame = pd.DataFrame(cells.values()).fillna("")
    decided = ~frame.iloc[:, 1:].apply(lambda column: column.str.contains("not run"))
    order = decided.sum().sort_values(ascending=False, kind="stable").index
    legend = ", ".join(f"{symbol} {word}" for word, symbol in SYMBOLS.items())
    return Table(frame[["claim", *order]], caption=f"{caption} {legend}.")


def rules(claims: list[Claim], amended: Sequence[Amended]) -> Table:
    """Show the rule of each test with its amendments, and what of the claim it does not cover."""
    frame = pd.DataFrame(
        {
            "claim": named(c),
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
    """Return the number of records, and the names of the first."""
    if not records:
        return "none"
    names = [record.name() for record in records[:CITED]]
    if len(records) > CITED:
        names.append(f"and {len(records) - CITED} more")
    return _folded(str(len(records)), names)


def named(claim: Claim, href: str | None = None) -> Markup:
    """Return the id of a claim, as a link if there is one, and whether the claim is ours."""
    name = Markup("<b>{}</b>").format(markup.link(href, claim.id) if href else claim.id)
    return name + (Markup(' <span class="setting">ours</span>') if claim.ours else "")


def badge(verdict: str) -> Markup:
    """Return a verdict as a coloured word with its symbol."""
    style = verdict.replace(" ", "-")
    return Markup('<span class="verdict verdict-{}">{} {}</span>').format(
        style, SYMBOLS[verdict], verdict
    )


def setting_text(verdict: Verdict) -> str:
    """Return the setting of a verdict, short: kind, data, encoder, recipe and profile."""
    dataset, encoder, preset, profile = verdict.setting
    return f"{verdict.kind}: {dataset}, {encoder}, {preset} recipe, profile {profile}"


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


# --- in lines, for a terminal ---------------------------------------------------------------------


def lines(paper: str) -> Iterator[str]:
    """Return a line per claim and kind of evidence, then the user's own runs, which do not count.

    A line has the claim, the kind or setting, the verdict and what it rests on.
    """
    for evidences in weigh(paper):
        for fields in _evidence(evidences):
            yield " | ".join([evidences.claim.id, *fields])
    if apart := judge_own_runs(paper):
        yield f"your runs of {paper}, and lessons of the book, which the study does not count:"
        for verdict in apart:
            yield " | ".join([verdict.claim.id, *_on_records(verdict)])


def _evidence(evidences: ClaimEvidence) -> Iterator[list[str]]:
    yield ["printed", evidences.printed.verdict, evidences.printed.note]
    if evidences.parity:
        yield ["parity", evidences.parity]
    if evidences.claim.rerun.test is not None:
        measured = "; ".join(map(errors_text, evidences.error_rates))
        yield ["error rates of the test", measured or not_measured(evidences.claim)]
    for verdict in evidences.runs:
        yield _on_records(verdict)
    for kind, verdicts in (("re-run", evidences.rerun), ("control", evidences.control)):
        if not verdicts:
            yield [kind, *evidences.not_run(kind)]


def _on_records(verdict: Verdict) -> list[str]:
    """Return setting, verdict, what it covers, effects and number of records."""
    effects = "; ".join(effect_text(*e) for e in verdict.evidence.effects.items())
    note = verdict.evidence.note
    return [
        setting_text(verdict),
        verdict.evidence.verdict,
        coverage_text(verdict.coverage) or "no records read",
        f"{effects} ({note})" if effects else note,
        f"{len(verdict.records)} records",
    ]
