"""What has a data set lost on its way here? Parts, clips, modalities, files.

A check without a loss says nothing: there is no data set that could not have had more.
"""

from collections import Counter
from collections.abc import Iterator

from msalib.data.corpus import MODALITIES, PARTS, Corpus
from msalib.evidence.audit.findings import AuditFinding, of_integrity, share, some

MANY = 0.1
"""Share of a part's clips from which on their loss is a warning."""


def check(corpus: Corpus, split: str) -> list[AuditFinding]:
    """Check the parts of a split, and of real data clips, modalities and files."""
    findings = list(_parts(corpus, split))
    if corpus.truth is None:
        findings += [*_clips(corpus, split), *_modalities(corpus), *_files(corpus)]
    return findings


def _parts(corpus: Corpus, split: str) -> Iterator[AuditFinding]:
    parts = Counter(corpus.splits[split])
    for part in (p for p in PARTS if not parts[p]):
        lost = sum(p == part for p in corpus.dropped_part.values())
        message = f"No clip is in the {part} part" + (
            f"; {lost} of it are dropped." if lost else "."
        )
        remedy = (
            "Nothing can be trained on this split: give clips that part, or use folds by video."
        )
        yield of_integrity("error", "parts", split, message, remedy)


def _clips(corpus: Corpus, split: str) -> Iterator[AuditFinding]:
    """Report parts that have lost many clips; of dropped clips the first split's part is known."""
    if split != next(iter(corpus.splits)):
        return
    kept, lost = Counter(corpus.splits[split]), Counter(corpus.dropped_part.values())
    for part in (p for p in PARTS if kept[p] and lost[p] >= MANY * (kept[p] + lost[p])):
        reasons = Counter(corpus.dropped[c] for c, p in corpus.dropped_part.items() if p == part)
        message = (
            f"{share(lost[part], kept[part] + lost[part])} clips are dropped: "
            f"{some(f'{count} for {why}' for why, count in reasons.most_common())}."
        )
        remedy = "Find what they lack, or say with every number on which clips it is."
        yield of_integrity("warning", "dropped clips", part, message, remedy)


def _modalities(corpus: Corpus) -> Iterator[AuditFinding]:
    present = {*corpus.features, *corpus.media}
    if corpus.utterances["text"].str.strip().any():
        present.add("linguistic")
    if missing := [modality for modality in MODALITIES if modality not in present]:
        message = f"Nothing is {' or '.join(missing)}: neither features nor what an encoder reads."
        remedy = "If the source has it, look at the notes of msalib data."
        yield of_integrity("note", "modalities", "all clips", message, remedy)


def _files(corpus: Corpus) -> Iterator[AuditFinding]:
    for modality, files in corpus.media.items():
        gone = [str(file) for file in files if not file.exists()]
        if gone:
            message = f"{share(len(gone), len(files))} files are not there: {some(gone)}."
            remedy = "Put them back, or add the data set again from where they are."
            yield of_integrity("error", "files", modality, message, remedy)
