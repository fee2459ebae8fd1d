"""Records -> tables for readers: what is ours, what is printed, what chance would give."""

import itertools
from html import escape

import numpy as np
import pandas as pd

from msalib import claims, printed
from msalib.claims import Claim, Runs, Verdict
from msalib.describe import Summary
from msalib.metrics import METRICS
from msalib.records import Record
from msalib.stats import Estimate

SHOWN = ("mae", "corr", "acc2_has0", "acc2_non0", "f1_has0", "f1_non0")
"""Columns of UEGD's Tables 2 and 3."""

SYMBOLS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?", "not run": "○"}
"""A verdict is never told by colour alone."""

NAMES = {"mae": "MAE", "corr": "Corr"}

PRINTED_NAMES = {
    "enc_output": "Enc. output",
    "enc_mid_best": "Enc. mid-best",
    "enc_weighted": "Enc. weighted",
    "glove": "GloVe",
    "bert_base": "BERT-Base",
    "facet": "Facet",
    "covarep": "COVAREP",
}
"""Features as UEGD's Table 3 names them."""


class Table:
    """A data frame as an HTML table with a caption; cells are shown as they are."""

    def __init__(self, frame: pd.DataFrame, *, caption: str):
        self.frame, self.caption = frame, caption

    def _repr_html_(self) -> str:
        html = self.frame.to_html(index=False, escape=False, border=0, classes="msa")
        return (
            '<div class="msa-table" tabindex="0" role="region" '
            f'aria-label="{escape(self.caption)}"><p class="msa-caption">{escape(self.caption)}</p>'
            f"{html}</div>"
        )


class Note:
    """A sentence in the place of a table or figure that this setting cannot have."""

    def __init__(self, text: str):
        self.text = text

    def _repr_html_(self) -> str:
        return f'<p class="msa-note">{escape(self.text)}</p>'


class Setting:
    """The setting of a page, shown before any number of it."""

    def __init__(self, setting: str):
        self.setting = setting

    def _repr_html_(self) -> str:
        return f'<p><span class="setting">Setting: {escape(self.setting)}</span></p>'


def spread(values: list[float | None], metric: str) -> str:
    """Mean and standard deviation over seeds (n - 1), as the papers print the metric."""
    defined = np.array([v for v in values if v is not None], float)
    show = METRICS[metric].show
    if not len(defined):
        return "undefined"
    text = show(defined.mean())
    if len(defined) > 1:
        text += f"\u00a0±\u00a0{show(defined.std(ddof=1))}"
    if len(defined) < len(values):
        text += f" ({len(values) - len(defined)} undefined)"
    return text


def single_modality(found: list[Record], modality: str, *, setting: str) -> Table:
    """Table 3, one modality: every layer, what mid-best chose, the weighted sum, and chance."""
    runs = Runs(found)
    blocks = runs.blocks(modality)
    best = runs.mid_best(modality)
    rows = []
    for layer in [0, *blocks, "weighted"]:
        if not runs.has(modality, layer):
            continue
        seeds = runs.records(modality, layer)
        rows.append(
            {"whose": "ours", "feature": _feature(layer, blocks[-1], best)}
            | {m: spread([r.metrics["test"][m] for r in seeds], m) for m in SHOWN}
        )
    chance = runs.records(modality, blocks[0])[0].chance
    rows.append(
        {"whose": "chance", "feature": "constant: training median, test majority"}
        | {m: "-" if chance[m] is None else METRICS[m].show(chance[m]) for m in SHOWN}
    )
    return Table(
        _headed(pd.DataFrame(rows)),
        caption=f"Test part, mean ± standard deviation over {len(runs.seeds)} seeds; epoch "
        f"selected on validation loss. Setting: {setting}.",
    )


def printed_single_modality(paper: str, dataset: str, modality: str) -> Table | Note:
    """The rows of the paper's Table 3 for one modality, as printed; a note for other data sets."""
    table = printed.load(paper)
    chosen = table[(table["exhibit"] == "table3") & (table["dataset"] == dataset)]
    if not len(chosen):
        return Note(f"The paper prints no numbers for the data set {dataset}.")
    chosen = chosen[chosen["variant"].str.startswith(f"{modality}_")]
    wide = chosen.pivot(index="variant", columns="metric", values="printed")
    wide = wide.loc[chosen["variant"].unique(), list(SHOWN)].reset_index()
    wide.columns.name = None
    wide["variant"] = wide["variant"].str.removeprefix(f"{modality}_").replace(PRINTED_NAMES)
    wide.insert(0, "whose", "printed")
    return Table(
        _headed(wide.rename(columns={"variant": "feature"})),
        caption=f"Printed in the paper's Table 3, {modality} on {dataset.upper()}: other encoders, "
        "mean of five runs, no spread printed.",
    )


def _feature(layer: int | str, last: int, best: int) -> str:
    if layer == "weighted":
        return "weighted sum of the blocks"
    if layer == 0:
        return "0 (input embeddings)"
    marks = [name for name, k in (("output", last), ("mid-best", best)) if k == layer]
    return f"block {layer}" + (f" ({', '.join(marks)})" if marks else "")


def _headed(frame: pd.DataFrame) -> pd.DataFrame:
    def head(metric):
        m = METRICS[metric]
        arrow = "↑" if m.higher_is_better else "↓"
        return f"{m.label} {arrow}" + (f" ({m.unit})" if m.unit else "")

    return frame.rename(columns={m: head(m) for m in SHOWN})


def effect_text(name: str, e: Estimate) -> str:
    """An effect with its interval, as tables and the command line show it."""
    if np.isnan(e.low):
        return f"{NAMES.get(name, name)} undefined"
    if name.startswith("best block"):
        return f"{name} {e.effect:.0f} [{e.low:.0f}, {e.high:.0f}]"
    sign = "" if name.startswith("spread") and "vs" not in name else "+"
    interval = f"[{e.low:{sign}.3f},\u00a0{e.high:{sign}.3f}]"
    return f"{NAMES.get(name, name)} {e.effect:{sign}.3f} {interval}"


def badge(verdict: str) -> str:
    """A verdict as a coloured word with its symbol."""
    style = verdict.replace(" ", "-")
    return f'<span class="verdict verdict-{style}">{SYMBOLS[verdict]} {verdict}</span>'


def ledger(verdicts: list[Verdict], paper: str, *, caption: str) -> Table:
    """One row per claim and setting, the verdict beside the claim so that a phone shows it."""
    rows = [
        {
            "claim and verdict": f"<b>{v.claim.id}</b> {badge(v.evidence.verdict)}<br>"
            + escape(v.claim.statement),
            "setting": setting_text(v),
            "effect and 95% interval": "<br>".join(
                [*(effect_text(n, e) for n, e in v.evidence.effects.items()), v.evidence.note]
            ),
            "printed effect": "<br>".join(claims.printed_effects(paper, v.claim)) or "no number",
            "records": str(len(v.records)) if v.records else "none",
        }
        for v in verdicts
    ]
    return Table(pd.DataFrame(rows), caption=caption)


def setting_text(verdict: Verdict) -> str:
    """The setting of a verdict, short: kind, data, encoder, recipe, profile and seeds."""
    dataset, encoder, preset, profile = verdict.setting
    text = (
        f"{claims.kind(verdict.setting)}: {dataset}, {encoder}, {preset} recipe, profile {profile}"
    )
    return f"{text}, {len(Runs(verdict.records).seeds)} seeds" if verdict.records else text


def environment(found: list[Record]) -> Table:
    """Where records come from: one row per commit, device and set of versions."""
    rows = {}
    for record in found:
        p = record.provenance
        key = (p.commit, p.device, ", ".join(f"{k} {v}" for k, v in p.versions.items()))
        rows.setdefault(key, []).append(p)
    frame = pd.DataFrame(
        {
            "commit": commit,
            "device": device,
            "versions": versions,
            "runs": len(group),
            "first (UTC)": min(p.started for p in group)[:16].replace("T", " "),
            "seconds per run": f"{np.median([p.seconds for p in group]):.1f}",
        }
        for (commit, device, versions), group in rows.items()
    )
    return Table(frame, caption="Where these records come from.")


def numbers(found: list[Record], modality: str) -> dict[str, str]:
    """Numbers of Table 3 and Fig. 6 for the prose of other pages, as text."""
    runs = Runs(found)
    blocks, best = runs.blocks(modality), runs.mid_best(modality)
    chosen = {"input": 0, "output": blocks[-1], "mid_best": best, "weighted": "weighted"}
    spec = found[0].spec
    texts = {
        "blocks": str(blocks[-1]),
        "mid_best_block": str(best),
        "seeds": str(len(runs.records(modality, blocks[-1]))),
        "epochs": str(spec.train["epochs"]),
        "printed_blocks": printed.cell(spec.paper, "text", "", "BERT", "", "layers")["printed"],
    }
    for name, metric in itertools.product(("output", "mid_best"), ("mae", "corr")):
        variant = f"{modality}_enc_{name}"
        cell = printed.cell(spec.paper, "table3", "mosi", "UEGD", variant, metric)
        texts[f"printed_{name}_{metric}"] = cell["printed"]
    for name, layer in chosen.items():
        if runs.has(modality, layer):
            for metric in ("mae", "corr"):
                values = [r.metrics["test"][metric] for r in runs.records(modality, layer)]
                texts[f"{name}_{metric}"] = spread(values, metric)
    return texts


def verdict_texts(verdicts: list[Verdict]) -> dict[str, str]:
    """Verdict, effects and note of each claim, for prose: ``C6``, ``C6_mae``, ``C6_note``."""
    texts = {}
    for v in verdicts:
        name = v.claim.id.split("-")[1]
        texts[name] = v.evidence.verdict
        texts[f"{name}_note"] = v.evidence.note
        for effect, e in v.evidence.effects.items():
            key = "_".join(effect.replace(",", "").split())
            texts[f"{name}_{key}"] = effect_text(effect, e)
    return texts


def counts(summary: Summary, paper: str) -> Table:
    """Clips and videos per part, label statistics, and the printed clip counts where there are."""
    table = printed.load(paper)
    chosen = table[(table["exhibit"] == "table1") & (table["dataset"] == summary.dataset)]
    given = dict(zip(chosen["variant"], chosen["printed"], strict=True))
    rows = []
    for part in summary.clips:
        rows.append(
            {
                "part": part,
                "clips with label (ours)": summary.clips[part],
                "without label, dropped": summary.unlabelled[part],
                "clips (printed)": given.get(part, "-"),
                "videos": summary.videos[part],
                "label 0": summary.zero_labels[part],
                "mean label": f"{summary.label_mean[part]:.2f}",
                "variance": f"{summary.label_variance[part]:.3f}",
                "variance within videos": f"{summary.intra_video_variance[part]:.3f}",
            }
        )
    dropped = ", ".join(f"{clip} ({why})" for clip, why in summary.dropped.items())
    return Table(
        pd.DataFrame(rows),
        caption=f"{summary.title}, standard split; labels in points from -3 to 3. "
        + (f"Dropped: {dropped}. " if dropped else "")
        + f"Fingerprint {summary.fingerprint[:12]}.",
    )


def rules(registry: list[Claim]) -> Table:
    """The rule of each test, and what part of the claim it does not cover yet."""
    frame = pd.DataFrame(
        {
            "claim": f"<b>{c.id}</b>",
            "exhibit": c.exhibit,
            "rule": escape(c.rule),
            "not covered yet": escape(c.later),
        }
        for c in registry
    )
    return Table(frame, caption="Tests of the registry.")
