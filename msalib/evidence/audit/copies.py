"""Copies: which clips are there twice, and which only look the same to an encoder?

Equal features are copies where what they were made of is equal, too: the words of a text, the bytes
of a file. Where features come with the data they are all that there is, and stand for themselves.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.readers import clip_files
from msalib.evidence.audit.findings import AuditFinding, of_integrity, share, some


def duplicates(check, about, keys: pd.Series, part, *, severity, remedy) -> AuditFinding:
    """Count what occurs more than once, and how much of test occurs in other parts.

    It has the severity given where test clips recur in other parts, else it is a note.
    """
    twice = keys.duplicated(keep=False).to_numpy()
    if not twice.any():
        return of_integrity("ok", check, about, f"None among {len(keys)} clips.")
    groups = keys[twice].nunique()
    elsewhere = set(keys[part != "test"])
    test = part == "test"
    crossing = test & keys.isin(elsewhere).to_numpy()
    parts_of = pd.DataFrame({"key": keys.to_numpy(), "part": part})[twice].drop_duplicates()
    across = int((parts_of["key"].value_counts() > 1).sum())
    sets = f"{groups} set{'s' if groups > 1 else ''}"
    message = (
        f"{share(int(twice.sum()), len(keys))} clips are copies of one another, in {sets}; sets "
        f"in several parts: {across}; test clips that recur in training or validation: "
        f"{share(int(crossing.sum()), int(test.sum()))}"
    )
    message += f", {some(keys.index[crossing])}" if crossing.any() else ""
    if not crossing.any():
        return of_integrity("note", check, about, f"{message}.")
    return of_integrity(severity, check, about, f"{message}.", remedy)


def same_features(
    corpus: Corpus, modality: str, values: np.ndarray, zero: np.ndarray, part: np.ndarray
) -> Iterator[AuditFinding]:
    """Look for clips with equal features, apart from those that are all zero.

    ``values`` (S, D) are their frames, ``zero`` (S,) says which of these are zero, ``part`` (N,) in
    which part each clip is.
    """
    features = _features(corpus, modality, values, zero)
    own = pd.Series(part, index=corpus.utterances.index).reindex(features.index).to_numpy()
    alike = features[features.duplicated(keep=False)]
    inputs = pd.Series({clip: _input(corpus, modality, clip) for clip in alike.index}, dtype=str)
    text = modality == "linguistic" and bool(inputs.ne("").any())
    yield duplicates(
        "duplicates by features",
        modality,
        features + inputs.reindex(features.index).fillna(""),
        own,
        severity="note" if text else "error",
        remedy="Their texts are equal: see the duplicates by text."
        if text
        else "Equal to the last bit: the same recording twice. Keep one, or one part for both.",
    )
    kinds = inputs.groupby(alike).nunique()
    mixed = alike[alike.isin(kinds.index[kinds > 1])]
    if len(mixed):
        yield _equal(corpus, modality, mixed, len(features))


def _equal(corpus: Corpus, modality: str, clips: pd.Series, of: int) -> AuditFinding:
    """Report clips with the features of others that were made of something else."""
    source, text = corpus.features[modality].source, modality == "linguistic"
    groups = clips.nunique()
    message = (
        f"{share(len(clips), of)} clips have equal features of different "
        f"{'texts' if text else 'files'}, in {groups} set{'s' if groups > 1 else ''}: "
        f"{some(clips.index)}."
    )
    remedy = (
        f"{source} does not tell these texts apart: it may not know their words (msalib doctor "
        "says which language it knows)."
        if text
        else f"{source} does not tell these files apart: they may be silent, or one recording in "
        "two files."
    )
    return of_integrity("warning", "equal features", modality, message, remedy)


def _features(corpus: Corpus, modality: str, values: np.ndarray, zero: np.ndarray) -> pd.Series:
    """Return a digest of the frames of every clip that is not all zero."""
    keys, offsets = {}, corpus.features[modality].offsets
    for i, clip in enumerate(corpus.utterances.index):
        if zero[offsets[i] : offsets[i + 1]].all():
            continue  # the check of empty clips reports them
        frames = np.ascontiguousarray(values[offsets[i] : offsets[i + 1]])
        keys[clip] = hashlib.blake2b(frames.tobytes(), digest_size=16).hexdigest()
    return pd.Series(keys, dtype=str)


def _input(corpus: Corpus, modality: str, clip: str) -> str:
    """Return what tells the input of a clip's features from others; "" where it is not here."""
    if modality == "linguistic":
        return " ".join(str(corpus.utterances.at[clip, "text"]).casefold().split())
    if modality not in corpus.media:
        return ""
    try:
        path = corpus.media[modality][corpus.utterances.index.get_loc(clip)]
        return clip_files.digest(Path(path))
    except OSError:
        return ""
