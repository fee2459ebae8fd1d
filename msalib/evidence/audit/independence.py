"""Are the parts strangers to each other? Videos and speakers that several parts share."""

from itertools import combinations

import numpy as np

from msalib.data.corpus import PARTS, Corpus
from msalib.evidence.audit.findings import AuditFinding, share, some


def check(corpus: Corpus) -> list[AuditFinding]:
    """Check the videos and the speakers of every split."""
    findings = []
    for split in corpus.splits:
        findings.append(_shared(corpus, split, "video", "error"))
        if known(corpus, "speaker"):
            findings.append(_shared(corpus, split, "speaker", "warning"))
    if not known(corpus, "speaker"):
        findings.append(
            AuditFinding(
                severity="note",
                group="independence",
                check="speakers",
                about="all splits",
                message="Speakers are not named: one person may be in videos of several parts.",
                remedy="Add a column speaker if you know who speaks.",
            )
        )
    return findings


def known(corpus: Corpus, column: str) -> bool:
    """Check whether the table says of every clip whose it is."""
    if column not in corpus.utterances:
        return False
    values = corpus.utterances[column]
    return bool(values.notna().all() and (values.astype(str) != "").all())


def _shared(corpus: Corpus, split: str, column: str, severity) -> AuditFinding:
    names, part = corpus.utterances[column].astype(str), corpus.splits[split]
    of = {p: set(names[part == p]) for p in PARTS}
    pairs = {(a, b): of[a] & of[b] for a, b in combinations(PARTS, 2) if of[a] & of[b]}
    common = {"group": "independence", "check": f"{column}s", "about": split}
    if not pairs:
        counts = "/".join(str(len(of[p])) for p in PARTS)
        message = f"{counts} {column}s in {'/'.join(PARTS)}, none in two parts."
        return AuditFinding(severity="ok", message=message, **common)
    text = "; ".join(
        f"{a} and {b} share {len(common_names)} {column}s ({some(sorted(common_names))})"
        for (a, b), common_names in pairs.items()
    )
    # What matters for a score on test is how many of its clips have a relative elsewhere.
    test = names[part == "test"]
    related = int(np.isin(test, list(of["train"] | of["valid"])).sum())
    return AuditFinding(
        severity=severity,
        message=f"{text}. {share(related, len(test))} test clips are of a {column} that the model "
        "has met.",
        remedy=f"Scores hold for {column}s that are known from training only; split by {column} "
        "for others.",
        **common,
    )
