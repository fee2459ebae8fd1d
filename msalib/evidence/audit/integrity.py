"""Is the data whole? Values, columns, zeros and padding, labels, transcripts, duplicates.

Of features with several layers the last is looked at, as the probe of ``leakage`` does.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data.corpus import PARTS, TUNED, Corpus, Features
from msalib.data.tasks import LIMIT
from msalib.encoders import pieces
from msalib.evidence.audit import copies
from msalib.evidence.audit.findings import AuditFinding, of_integrity, share, some

BLOCK = 4_000_000
"""Numbers that are read at a time: layers may be memory maps of many gigabytes."""

SHORT = 3
"""Words. Texts of so few ("yeah", "oh my god") recur by themselves and are counted apart."""

CLEAR = 0.9
"""Share of the zeros at the edges of clips that must lie on one side for this to be that of the
padding."""


def check(corpus: Corpus, split: str) -> list[AuditFinding]:
    """Check features, labels and transcripts; ``split`` says what the parts are."""
    part = corpus.splits[split].to_numpy()
    findings = [*_labels(corpus), *_texts(corpus, part), *_same_clips(corpus, part)]
    for modality, features in corpus.features.items():
        findings += _features(corpus, modality, features, part)
    return findings


def last(features: Features) -> np.ndarray | None:
    """Return the last layer (S, D); None for an encoder that is fine-tuned, which has none."""
    numbers = [k for k in features.layers if k != TUNED]
    return features.layers[max(numbers)] if numbers else None


# --- labels and transcripts -----------------------------------------------------------------------


def _labels(corpus: Corpus) -> Iterator[AuditFinding]:
    label = corpus.utterances["label"].to_numpy(float)
    off = np.flatnonzero(~(np.abs(label) <= LIMIT))
    if len(off):
        first = corpus.utterances.index[off[0]]
        yield of_integrity(
            "error",
            "labels",
            "labels",
            f"{share(len(off), len(label))} labels are not from -3 to 3, the first "
            f"{label[off[0]]:g} for clip {first}.",
            "Correct them, or give the reader their scale.",
        )
        return
    values = np.unique(label)
    spread = f"from {values[0]:g} to {values[-1]:g}, {len(values)} different values"
    if len(values) == 1:
        message = f"Every label is {values[0]:g}: there is nothing to predict."
        yield of_integrity("error", "labels", "labels", message, "Check the column of labels.")
    elif len(values) <= 3:
        counts = ", ".join(f"{v:g} for {int((label == v).sum())}" for v in values)
        yield of_integrity(
            "note",
            "labels",
            "labels",
            f"Only {len(values)} different values ({counts}): classes, not intensity.",
            "Errors in points and correlations mean little here; use the accuracies.",
        )
    else:
        yield of_integrity("ok", "labels", "labels", f"{spread}.")


def _texts(corpus: Corpus, part: np.ndarray) -> Iterator[AuditFinding]:
    texts = corpus.utterances["text"].map(normal)
    empty = (texts == "").to_numpy()
    if empty.all():
        message = "No clip has a transcript; duplicates by text cannot be looked for."
        yield of_integrity("note", "transcripts", "text", message)
        return
    if empty.any():
        yield of_integrity(
            "warning",
            "transcripts",
            "text",
            f"{share(int(empty.sum()), len(texts))} transcripts are empty, "
            f"{_by_part(part[empty])}: {some(texts.index[empty])}.",
            "Text models see nothing there; find the transcripts or leave these clips out.",
        )
    else:
        yield of_integrity("ok", "transcripts", "text", f"All {len(texts)} clips have one.")
    words = texts.str.split().str.len().to_numpy()
    for name, chosen, severity in (
        (f"more than {SHORT} words", words > SHORT, "warning"),
        (f"at most {SHORT} words", (words <= SHORT) & ~empty, "note"),  # people say the same
    ):
        yield copies.duplicates(
            "duplicates by text",
            f"texts of {name}",
            texts[chosen],
            part[chosen],
            severity=severity,
            remedy="Check whether these are the same recordings; also report test scores without "
            "them.",
        )


def normal(text: str) -> str:
    """Reduce a text to lower case, letters, digits and single spaces, to compare it with others."""
    return " ".join(re.findall(r"\w+", re.sub(r"['\u2019]", "", str(text).casefold())))


def _same_clips(corpus: Corpus, part: np.ndarray) -> Iterator[AuditFinding]:
    table = corpus.utterances
    # A corpus has every id once; the same clip may still be there under two spellings.
    spelt = pd.Series(table.index.astype(str).str.casefold().str.strip(), index=table.index)
    place = table["video"].astype(str) + " " + table["segment"].astype(str)
    for about, keys in (("ids", spelt), ("video and segment", place)):
        yield copies.duplicates(
            "duplicates by id",
            about,
            keys,
            part,
            severity="error",
            remedy="One clip in two parts is an answer given away: keep one of them.",
        )


# --- features -------------------------------------------------------------------------------------


def _features(corpus: Corpus, modality, features: Features, part) -> Iterator[AuditFinding]:
    ids = corpus.utterances.index
    values = last(features)
    if values is None:
        message = f"{features.source} is fine-tuned with the model: there are no features yet."
        yield of_integrity("note", "values", modality, message)
        return
    seen = _scan(values)
    clip = np.repeat(np.arange(len(ids)), features.lengths())
    yield from _values(modality, features, values, seen, ids, clip)
    yield _columns(modality, values, seen)
    yield from _zeros(modality, features, seen["zero"], ids, part)
    yield from copies.same_features(corpus, modality, values, seen["zero"], part)
    yield from _unknown(modality, features)


def _scan(values: np.ndarray) -> dict[str, np.ndarray]:
    """Of each frame: whether it has a value that is not finite, and whether it is all zero; of
    each column: the smallest and the largest finite value."""
    frames, size = values.shape
    broken, zero = np.zeros(frames, np.int64), np.zeros(frames, bool)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    step = max(1, BLOCK // max(size, 1))
    for start in range(0, frames, step):
        block = np.asarray(values[start : start + step], np.float32)
        finite = np.isfinite(block)
        broken[start : start + step] = size - finite.sum(1)
        zero[start : start + step] = ~block.any(1)
        low = np.minimum(low, np.where(finite, block, np.inf).min(0))
        high = np.maximum(high, np.where(finite, block, -np.inf).max(0))
    return {"broken": broken, "zero": zero, "low": low, "high": high}


def _values(modality, features, values, seen, ids, clip) -> Iterator[AuditFinding]:
    broken = seen["broken"]
    size = f"{len(values)} frames of {values.shape[1]} numbers"
    if broken.any():
        clips = pd.unique(ids[clip[broken > 0]])
        yield of_integrity(
            "error",
            "values",
            modality,
            f"{share(int(broken.sum()), values.size)} values are NaN or infinite, in "
            f"{len(clips)} clips: {some(clips)}.",
            "Replace them (--clean) and say how many there were.",
        )
    else:
        yield of_integrity("ok", "values", modality, f"{size}, all finite.")
    replaced = re.search(r"(\d+) non-finite values", features.provenance.get("note", ""))
    if replaced:
        yield of_integrity(
            "warning",
            "values",
            modality,
            f"{share(int(replaced[1]), values.size)} values of the source were NaN or infinite and "
            "are zero here.",
            "Say so with every number: other codes keep them or drop their clips.",
        )


def _columns(modality, values, seen) -> AuditFinding:
    constant = np.flatnonzero(~(seen["high"] > seen["low"]))
    size = values.shape[1]
    if not len(constant):
        return of_integrity("ok", "columns", modality, f"None of {size} columns is constant.")
    if len(constant) == size:
        message = f"All {size} columns are constant: these features say nothing."
        return of_integrity("error", "columns", modality, message, "Extract them again.")
    return of_integrity(
        "note",
        "columns",
        modality,
        f"{share(len(constant), size)} columns constant: {some(constant, 5)}.",
        "They cannot help; a division by their standard deviation must not be by zero.",
    )


class Edges(NamedTuple):
    """All-zero frames at the edges of each clip (N,), which clips are all zero, and the rest."""

    leading: np.ndarray
    trailing: np.ndarray
    empty: np.ndarray
    inside: int  # all-zero frames between others, of all clips


def _edges(features: Features, zero: np.ndarray) -> Edges:
    """Find the all-zero frames at the edges of clips; ``zero`` (S,) says which frames are."""
    start, end, lengths = features.offsets[:-1], features.offsets[1:], features.lengths()
    full = np.append(np.flatnonzero(~zero), len(zero))  # frames that hold something
    leading = np.minimum(full[np.searchsorted(full, start)], end) - start
    empty = leading == lengths
    final = full[np.maximum(np.searchsorted(full, end) - 1, 0)]
    trailing = np.where(empty, 0, end - 1 - final)
    leading = np.where(empty, 0, leading)
    inside = int(zero.sum() - leading.sum() - trailing.sum() - lengths[empty].sum())
    return Edges(leading, trailing, empty, inside)


def _zeros(modality, features: Features, zero, ids, part) -> Iterator[AuditFinding]:
    edges = _edges(features, zero)
    if edges.empty.any():
        yield of_integrity(
            "warning",
            "empty clips",
            modality,
            f"{share(int(edges.empty.sum()), len(ids))} clips are all zero, "
            f"{_by_part(part[edges.empty])}: {some(ids[edges.empty])}.",
            "A model sees the same nothing in all of them, whatever their labels: no face or no "
            "voice was found, or an extraction failed.",
        )
    else:
        yield of_integrity("ok", "empty clips", modality, f"None of {len(ids)} clips is all zero.")
    if features.lengths().max() > 1:  # one vector per clip has no padding
        yield _padding(modality, features.lengths(), edges, len(zero))


def _padding(modality, lengths: np.ndarray, edges: Edges, frames: int) -> AuditFinding:
    """Report all-zero frames at the edges of clips: padding, silence, or no face."""
    padded = lengths.min() == lengths.max()
    stretch = f"{lengths.min()} to {lengths.max()} frames per clip, median {np.median(lengths):g}"
    stretch = f"{lengths.max()} frames in every clip" if padded else stretch
    between = f"{share(edges.inside, frames)} frames between others are all zero"
    sides = {"leading": edges.leading, "trailing": edges.trailing}
    total = sum(int(count.sum()) for count in sides.values())
    if not total:
        text = f"{stretch}; no clip begins or ends with all-zero frames"
        text += f", {between}" if edges.inside else ""
        return of_integrity("note" if edges.inside else "ok", "padding", modality, f"{text}.")
    text = "; ".join(
        f"{share(int((count > 0).sum()), len(lengths))} clips have {side} all-zero frames, "
        f"{share(int(count.sum()), frames)} of all frames"
        for side, count in sides.items()
        if count.any()
    )
    text += f"; {between}" if edges.inside else ""
    if not padded:
        remedy = "These may be silence or frames without a face: say how they are treated."
        return of_integrity("note", "padding", modality, f"{stretch}; {text}.", remedy)
    shares = {side: count.sum() / total for side, count in sides.items()}
    side = max(shares, key=shares.get)
    text += ". One length for all: clips are cut or padded, their own lengths are not stored; "
    text += (
        f"zeros at an edge are {side} in {shares[side]:.0%}"
        if shares[side] >= CLEAR
        else "zeros are at both edges, so the side of the padding is unclear"
    )
    remedy = (
        "Means and attention count these frames as real ones: cut them off or mask them, and say "
        "which."
    )
    return of_integrity("warning", "padding", modality, f"{stretch}; {text}.", remedy)


def _unknown(modality, features: Features) -> Iterator[AuditFinding]:
    """Report what an encoder of text did not know, where its store tells."""
    told = {name: int(features.provenance.get(name, 0)) for name in pieces.COUNTS}
    unread = told[pieces.UNREAD]
    if unread or told[pieces.UNKNOWN] > pieces.LIMIT * told[pieces.PIECES]:
        yield of_integrity(
            "warning",
            "unknown pieces",
            modality,
            f"{share(told[pieces.UNKNOWN], told[pieces.PIECES])} word pieces are unknown to "
            f"{features.source}; nothing is read of {unread} texts.",
            "Choose an encoder that knows the language of the transcripts: msalib doctor says "
            "which each knows.",
        )


def _by_part(parts: np.ndarray) -> str:
    counts = {p: int((parts == p).sum()) for p in PARTS}
    return ", ".join(f"{n} in {p}" for p, n in counts.items() if n)
