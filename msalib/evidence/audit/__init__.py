"""Is this data what it says? The audit of a corpus: identity, integrity, independence, leakage.

``msalib data audit NAME`` prints it. Audits of real data are committed
(``book/records/audit/<name>-report.json``), so that their pages build without the data; those of
simulated data are made on the spot. Identity and integrity are counting; leakage is a test, whose
error rates are measured in ``power``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import sha256, write_json
from msalib.base.provenance import commit
from msalib.data import datasets as readers
from msalib.data.corpus import PARTS, Corpus
from msalib.data.describe import recorded
from msalib.data.readers import store
from msalib.evidence.audit import identity, independence, integrity, leakage
from msalib.evidence.audit.findings import GROUPS, SEVERITIES, Finding, by_severity
from msalib.pages.tables import Note, Table

__all__ = [
    "Finding",
    "Report",
    "examine",
    "lines",
    "made",
    "probe_table",
    "report",
    "table",
    "write",
]


class Report(BaseModel):
    """The audit of one data set on the split that its runs use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    title: str
    split: str
    fingerprint: str
    commit: str
    clips: dict[str, int]  # part -> clips with a label
    videos: dict[str, int]
    findings: list[Finding]  # the most severe first
    probes: list[leakage.Probe]  # one for each modality with features

    def count(self, severity: str) -> int:
        """Findings of a severity."""
        return Counter(f.severity for f in self.findings)[severity]

    @property
    def setting(self) -> str:
        """What figures and tables say of it: the kind of data, the data set and the split."""
        known = readers.dataset(self.dataset)
        kind = "leaky" if known.leaky else "real data" if known.real else "control"
        return f"{kind}: {self.title}, split {self.split}"

    @property
    def summary(self) -> str:
        """``1 error, 2 warnings, 3 notes, 12 checks without a finding``."""
        counts = [(self.count(s), s) for s in SEVERITIES[:-1]]
        told = [f"{n} {s}{'' if n == 1 else 's'}" for n, s in counts if n]
        return ", ".join([*told, f"{self.count('ok')} checks without a finding"])


def report(dataset: str, refresh: bool = False) -> Report:
    """The audit of a data set by name: read where it is recorded, else made from the data.

    ``refresh`` makes it from the data at hand and, for real data, records it. Raises
    ``UserError`` for a data set that is unknown or not at hand, and for a record of other data.
    """
    return recorded(
        Report,
        f"audit/{dataset}-report.json",
        dataset,
        lambda: made(dataset),
        refresh=refresh,
        damaged=f"make it again from the data: msalib data audit {dataset} --record",
        other=f"make it again: msalib data audit {dataset} --record",
    )


def made(dataset: str, encoder: str | None = None) -> Report:
    """The audit of a data set by name, made from the data at hand and recorded nowhere.

    With the name of an encoder (``study.Parameters``), its features are probed, last block, and
    made where they are not there yet.
    """
    from msalib.runs.study import Study

    known = readers.dataset(dataset)
    corpus = Study("uegd", dataset=dataset, encoder=encoder).encoded if encoder else None
    corpus = corpus or readers.load(dataset)
    return examine(corpus, dataset, known.title, known.split, _files(dataset))


def examine(
    corpus: Corpus,
    dataset: str,
    title: str,
    split: str,
    files: Mapping[str, str] | None = None,
    permutations: int = leakage.PERMUTATIONS,
) -> Report:
    """Audit a corpus. ``files``: source file -> SHA-256, None for simulated data;
    ``permutations``: of the tests for leakage.
    """
    parts = corpus.splits[split]
    probed, probes = leakage.check(corpus, split, permutations)
    findings = [
        *identity.check(corpus, f"{dataset} {title}", files),
        *integrity.check(corpus, split),
        *independence.check(corpus),
        *probed,
    ]
    video = corpus.utterances["video"]
    return Report(
        dataset=dataset,
        title=title,
        split=split,
        fingerprint=corpus.fingerprint(),
        commit=commit(),
        clips={p: int((parts == p).sum()) for p in PARTS},
        videos={p: int(video[parts == p].nunique()) for p in PARTS},
        findings=by_severity(findings),
        probes=probes,
    )


def _files(dataset: str) -> dict[str, str] | None:
    """Source files of a data set with their SHA-256; None for simulated data."""
    if dataset in store.names():
        return {source.file: source.sha256 for source in store.about(dataset).sources}
    if not readers.dataset(dataset).real:
        return None
    folder = paths.data_folder() / readers.folder(dataset)
    return {p.name: sha256(p) for p in sorted(folder.iterdir()) if p.is_file()}


def write(found: Report, path: Path) -> None:
    """The report as JSON, complete or not at all."""
    write_json(path, found.model_dump())


# --- what is shown --------------------------------------------------------------------------------


def lines(found: Report) -> Iterator[str]:
    """The report as lines of text: all findings, the most severe first, then a summary."""
    for f in found.findings:
        advice = f" {f.remedy}" if f.remedy else ""
        yield f"{f.severity} | {f.group} | {f.check} | {f.about} | {f.message}{advice}"
    yield f"{found.dataset}, split {found.split}: {found.summary}"


def table(found: Report, group: str | None = None) -> Table:
    """The findings of one group, or all, the most severe first."""
    shown = [f for f in found.findings if group in (None, f.group)]
    shown.sort(key=lambda f: (SEVERITIES.index(f.severity), GROUPS.index(f.group)))
    rows = [
        {
            "severity": f.severity,
            "group": f.group,
            "check": f.check,
            "of": escape(f.about),
            "finding": escape(f.message),
            "what to do": escape(f.remedy) or "-",
        }
        for f in shown
    ]
    if group:
        rows = [{k: v for k, v in row.items() if k != "group"} for row in rows]
    named = f"{group.capitalize()}" if group else "All findings"
    return Table(
        pd.DataFrame(rows),
        caption=f"{named}. Setting: {found.setting}.",
    )


def probe_table(found: Report) -> Table | Note:
    """Every comparison of two groups of clips, with its p-value and what came of it."""
    if not any(p.comparisons for p in found.probes):
        return Note(f"No features to probe. Setting: {found.setting}.")
    rows = [
        {
            "modality": p.modality,
            "features": f"{escape(p.source)} ({p.features})",
            "is it": c.question,
            "by": c.of,
            "split": escape(c.split) or "-",
            "difference": f"{c.difference:+.3f}",
            "p": f"{c.p:.4f}",
            "permuted": f"{c.units} {c.unit}s",
            "sign of a leak": "yes" if c.rejected else "no",
        }
        for p in found.probes
        for c in p.comparisons
    ]
    return Table(
        pd.DataFrame(rows),
        caption="One-sided tests of the linear probe and of single features. Differences are of "
        "Pearson's r; for 'some videos above others', a standard deviation of Fisher's z beyond "
        "chance. A sign is what Holm's correction over this table leaves at "
        f"{leakage.LEVEL:.0%} and is at least {leakage.FAR:g}. Setting: {found.setting}.",
    )
