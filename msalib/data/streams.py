"""Streams: the inputs of a model. Besides each modality of a clip, what came before the clip.

A stream has a name and a modality: ``linguistic`` are the words of a clip, ``linguistic_context``
those of the clips before it in the same video or dialogue. Names that are modalities come first
everywhere, so that adding context moves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

MODALITIES = ("visual", "acoustic", "linguistic")
"""Order of the modalities in every concatenation (UEGD: z_v, z_a, z_l)."""

_CONTEXT = "_context"

ORDER = (*MODALITIES, *(m + _CONTEXT for m in MODALITIES))
"""All streams, in the order in which models take them."""

TEXT_CONTEXT = "text_context"
"""Column of the texts before a clip, one a line, the oldest first; for fine-tuned encoders."""


def number(stream: str) -> int:
    """Return the place of a stream in ``ORDER``; random numbers of a stream depend on it."""
    return ORDER.index(stream)


def modality_of(stream: str) -> str:
    """Return the modality of a stream."""
    return stream.removesuffix(_CONTEXT)


def is_context(stream: str) -> bool:
    """Check whether a stream holds other clips than the one that is judged."""
    return stream.endswith(_CONTEXT)


def context_of(modality: str) -> str:
    """Return the name of the stream of a modality's context."""
    return modality + _CONTEXT


def ordered(streams: Iterable[str]) -> tuple[str, ...]:
    """Return streams in the order of ``ORDER``, each once."""
    return tuple(sorted(set(streams), key=number))


class Context(NamedTuple):
    """Which clips before its own a model reads: beside or before it, and how many by modality."""

    kind: Literal["separate", "joined"]
    windows: Mapping[str, int]

    @property
    def words(self) -> str:
        """Say it in a caption."""
        counts = dict.fromkeys(self.windows.values())
        numbers = " and ".join(map(str, counts))
        if len(counts) > 1:
            numbers = " and ".join(f"{k} of {m} input" for m, k in self.windows.items())
        return f"{numbers} clips of context, {self.kind}"


def named_context(name: str) -> Context | None:
    """Return the context that a recipe names; None for "none".

    "joined-2" and "separate-2" read two clips of every modality, "separate-2-1" two of text and one
    of sound. Raises ``ValueError`` for another name.
    """
    if name == "none":
        return None
    kind, *numbers = name.split("-")
    if kind not in ("joined", "separate") or not all(n.isdecimal() for n in numbers):
        raise ValueError(f"context {name!r} is none, joined-N, separate-N or separate-N-M")
    match [int(n) for n in numbers]:
        case [every] if every > 0:
            return Context(kind, dict.fromkeys(MODALITIES, every))
        case [text, sound] if text + sound > 0:
            return Context(kind, {"linguistic": text, "acoustic": sound})
    raise ValueError(f"context {name!r} needs one or two numbers, not all of them 0")


def context(corpus: "Corpus", window: int | Mapping[str, int], joined: bool = False) -> "Corpus":  # noqa: F821 - corpus imports this module
    """Return a corpus in which models also see the ``window`` clips before each clip.

    Separate: each modality gets a second stream, ``<modality>_context``, with the frames of the
    preceding clips end to end, the oldest first. A clip that has no predecessor has no frames
    there. Joined: those frames come before the clip's own frames in the stream of the modality.
    ``window`` is one number, or one per modality; a modality with 0 or none stays without context.
    The utterance table gets ``TEXT_CONTEXT`` either way, for the window of ``linguistic``.

    Predecessors are clips of the same video that the corpus holds, whatever their part, in the
    order of ``predecessors``. No frame is copied.
    """
    windows = window if isinstance(window, Mapping) else dict.fromkeys(MODALITIES, window)
    if set(windows) - set(MODALITIES) or any(k < 0 for k in windows.values()):
        raise ValueError(f"window needs numbers from 0 on for some of {MODALITIES}, got {window}")
    features = dict(corpus.features)
    for modality, width in windows.items():
        if width and modality in corpus.features:
            before = predecessors(corpus.utterances, width)
            stream = modality if joined else context_of(modality)
            if joined:
                before = [[*clips, i] for i, clips in enumerate(before)]
            features[stream] = _laid_end_to_end(corpus.features[modality], before, width, joined)
    table = corpus.utterances
    if windows.get("linguistic"):
        table = table.assign(**{TEXT_CONTEXT: _texts(table, windows["linguistic"])})
    return replace(corpus, features={s: features[s] for s in ordered(features)}, utterances=table)


def predecessors(table: pd.DataFrame, window: int) -> list[list[int]]:
    """Return the row numbers of up to ``window`` clips before each clip of its video, in order.

    Clips of a video are ordered by their segment if all its segments are numbers, and otherwise as
    in the table.
    """
    segment = pd.to_numeric(table["segment"], errors="coerce").to_numpy(float)
    rows = [[] for _ in range(len(table))]
    for clips in table.groupby("video", sort=False).indices.values():
        clips = np.sort(clips)
        if not np.isnan(segment[clips]).any():
            clips = clips[np.argsort(segment[clips], kind="stable")]
        for place, clip in enumerate(clips):
            rows[clip] = clips[max(0, place - window) : place].tolist()
    return rows


def _laid_end_to_end(features, clips: Sequence[Sequence[int]], window: int, joined: bool):
    """Return ``Features`` whose clip i is these stored clips, one after the other."""
    if features.clips is not None:
        raise ValueError(f"features of {features.source} already have a context")
    cuts = np.concatenate([[0], np.cumsum([len(some) for some in clips])])
    numbers = np.array([clip for some in clips for clip in some], np.int64)
    note = f"{window} preceding clips" + ", joined with the clip's own frames" * joined
    provenance = {**features.provenance, "context": note}
    return replace(features, clips=(numbers, cuts), provenance=provenance)


def _texts(table: pd.DataFrame, window: int) -> list[str]:
    """Return the texts before each clip, a line each; of a source that states them, its own."""
    if "context" in table:  # MUStARD: lines before the clip, which are no clips themselves
        return ["\n".join(lines.splitlines()[-window:]) for lines in table["context"]]
    texts = [" ".join(text.split()) for text in table["text"]]
    return ["\n".join(texts[i] for i in clips) for clips in predecessors(table, window)]
