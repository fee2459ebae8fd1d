"""Is this data what it says? The audit of a corpus: identity, integrity, independence, leakage.

``msalib data audit NAME`` prints it. Audits of real data are committed
(``book/records/audit/<name>-report.json``), so that their pages build without the data; those of
simulated data are made on the spot. Identity and integrity are counting; leakage is a test, whose
error rates are measured in ``power``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import sha256, write_json
from msalib.base.provenance import commit
from msalib.data import datasets as readers
from msalib.data.corpus import PARTS, Corpus
from msalib.data.describe import recorded
from msalib.data.readers import clip_files, store
from msalib.evidence.audit import (
    identity,
    independence,
    integrity,
    leakage,
    leakage_findings,
    losses,
    scales,
)
from msalib.evidence.audit.findings import SEVERITIES, AuditFinding, by_severity
from msalib.runs.inputs import BASELINES, Inputs

__all__ = [
    "AuditFinding",
    "Report",
    "examine",
    "lines",
    "make_report",
    "report",
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
    findings: list[AuditFinding]  # the most severe first
    probes: list[leakage.Probe]  # one for each modality with features

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return Counter(f.severity for f in self.findings)[severity]

    @property
    def setting(self) -> str:
        """Describe the data for figures and tables: its kind, the data set and the split."""
        known = readers.dataset(self.dataset)
        kind = "leaky" if known.leaky else "real data" if known.real else "control"
        return f"{kind}: {self.title}, split {self.split}"

    @property
    def summary(self) -> str:
        """Count the findings: ``1 error, 2 warnings, 3 notes, 12 checks without a finding``."""
        counts = [(self.count(s), s) for s in SEVERITIES[:-1]]
        phrases = [f"{n} {s}{'' if n == 1 else 's'}" for n, s in counts if n]
        return ", ".join([*phrases, f"{self.count('ok')} checks without a finding"])


def report(dataset: str, refresh: bool = False) -> Report:
    """Return the audit of a data set by name: as recorded, else made from the data.

    ``refresh`` makes it from the available data and, for real data, records it. Raises
    ``UserError`` for a data set that is unknown or missing, and for a record of other data.
    """
    return recorded(
        Report,
        f"audit/{dataset}-report.json",
        dataset,
        lambda: make_report(dataset),
        refresh=refresh,
        damaged=f"make it again from the data: msalib data audit {dataset} --record",
        other=f"make it again: msalib data audit {dataset} --record",
    )


def make_report(dataset: str, encoder: str | None = None) -> Report:
    """Return the audit of a data set by name, made from the available data and recorded nowhere.

    With the name of an encoder (``parameters.Parameters``), its features are probed, last block,
    and made where they are missing.
    """
    known = readers.dataset(dataset)
    if encoder:
        corpus = Inputs(BASELINES, dataset=dataset, encoder=encoder).encoded
    else:
        corpus = readers.load(dataset)
    return examine(corpus, dataset, known.title, known.split, _files(dataset))


def examine(
    corpus: Corpus,
    dataset: str,
    title: str,
    split: str,
    files: Mapping[str, str] | None = None,
    permutations: int = leakage.PERMUTATIONS,
) -> Report:
    """Audit a corpus.

    ``files`` maps source files to their SHA-256 (None: simulated data); ``permutations`` is that of
    the tests for leakage.
    """
    parts = corpus.splits[split]
    probed, probes = leakage_findings.check(corpus, split, permutations)
    findings = [
        *identity.check(corpus, f"{dataset} {title}", files),
        *integrity.check(corpus, split),
        *losses.check(corpus, split),
        *scales.check(corpus),
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
    """Return the source files of a data set with their SHA-256; None for simulated data."""
    if dataset in store.names():
        return {source.file: source.sha256 for source in store.about(dataset).sources}
    if not readers.dataset(dataset).real:
        return None
    folder = paths.data_folder() / readers.folder(dataset)
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() not in clip_files.ENDINGS]
    return {p.name: sha256(p) for p in files if p.is_file()}


def write(audit: Report, path: Path) -> None:
    """Write a report as JSON, complete or not at all."""
    write_json(path, audit.model_dump())


def lines(audit: Report) -> Iterator[str]:
    """Yield a report as lines of text: all findings, the most severe first, then a summary."""
    for f in audit.findings:
        advice = f" {f.remedy}" if f.remedy else ""
        yield f"{f.severity} | {f.group} | {f.check} | {f.about} | {f.message}{advice}"
    yield f"{audit.dataset}, split {audit.split}: {audit.summary}"
