"""Digests of what was read besides the table of clips, so that a fingerprint covers all of it."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from msalib.base.progress import bar
from msalib.data.corpus import COLUMNS, Corpus, Features
from msalib.data.readers import clip_files


def of(corpus: Corpus) -> dict[str, str]:
    """Return the SHA-256 of the further columns, of each stream's features, and of media files.

    Two corpora with the same digests and ``COLUMNS`` hold the same. Every file is read in full.
    """
    digests = {}
    if further := [column for column in corpus.utterances if column not in COLUMNS]:
        table = corpus.utterances[further].to_csv()
        digests["columns"] = hashlib.sha256(table.encode()).hexdigest()
    for stream, features in corpus.features.items():
        digests[f"{stream} features"] = _features(features)
    known: dict[Path, str] = {}
    for modality, files in corpus.media.items():
        digests[f"{modality} files"] = _files(files, known)
    return digests


def _features(features: Features) -> str:
    """Return the SHA-256 of all layers and of where clips begin."""
    parts = [(features.unit, features.offsets.tolist())]
    for layer, values in features.layers.items():
        content = hashlib.sha256(np.ascontiguousarray(values)).hexdigest()
        parts.append((layer, values.shape, str(values.dtype), content))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _files(files: Sequence[Path], known: dict[Path, str]) -> str:
    """Return the SHA-256 of the contents of files, in their order; ``known`` keeps each one's."""
    for file in bar(files, "reading the media", "clip"):
        if file not in known:
            known[file] = clip_files.digest(file)
    return hashlib.sha256("".join(known[file] for file in files).encode()).hexdigest()
