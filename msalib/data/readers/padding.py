"""Which rows of a padded array are a clip's frames: behind the padding, or in front of it.

Readers know how long a clip is (lengths, a mask) or nothing. On which side its frames lie is asked
of the array: rows outside a clip are zero, so on the wrong side some clips would lose rows that are
not. Rows of zeros within a clip are frames. Where neither side can be true, nothing is cut.

Notation: N clips, T rows of the array, D features; frames of clip i are [start[i]:stop[i]].
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

STRAY = 0.01
"""Share of clips that may have a row outside their frames; more is a contradiction."""


class Rows(NamedTuple):
    """First row of every clip and the row after its last, (N,) each, in an array of ``steps`` rows.

    A clip without rows has ``start`` ``steps`` and ``stop`` 0.
    """

    start: np.ndarray
    stop: np.ndarray
    steps: int

    @property
    def some(self) -> np.ndarray:
        """Return which clips have rows, (N,)."""
        return self.stop > self.start


def of_mask(mask: np.ndarray) -> Rows:
    """Return the first and last rows that a mask (N, T) has."""
    some, steps = mask.any(axis=1), mask.shape[1]
    start = np.where(some, mask.argmax(axis=1), steps)
    return Rows(start, np.where(some, steps - mask[:, ::-1].argmax(axis=1), 0), steps)


def held(values: np.ndarray) -> Rows:
    """Return the first and last rows of ``values`` (N, T, D) that are not zero.

    A row of nothing but zero, NaN and infinity counts as zero: it is padding as well.
    """
    # Clip by clip, which needs little memory.
    return of_mask(np.stack([((clip != 0) & np.isfinite(clip)).any(axis=1) for clip in values]))


def joined(parts: Iterable[Rows]) -> Rows:
    """Return the rows of the clips of several arrays of as many rows as one."""
    parts = list(parts)
    start, stop = (np.concatenate([rows[i] for rows in parts]) for i in (0, 1))
    return Rows(start, stop, parts[0].steps)


def placed(lengths: np.ndarray, steps: int, front: bool) -> Rows:
    """Return the rows of clips of ``lengths`` (N,), with all their padding on one side."""
    lengths = lengths.astype(np.int64)
    start = steps - lengths if front else np.zeros_like(lengths)
    return Rows(start, start + lengths, steps)


def lost(found: Rows, rows: Rows) -> np.ndarray:
    """Return which clips would lose rows that are not zero if they had ``rows``, (N,)."""
    return found.some & ((found.start < rows.start) | (found.stop > rows.stop))


def contradicts(losing: np.ndarray) -> bool:
    """Check whether so many clips (N,) would lose rows that they cannot lie so."""
    return losing.sum() > STRAY * len(losing)


# --- the side -----------------------------------------------------------------------------------


def by_lengths(founds: Sequence[Rows], lengths: Sequence[np.ndarray]) -> list[bool]:
    """Return for each part whether padding lies in front: there, fewer clips lose rows.

    A part that loses as many on both sides is as all parts are, which lie behind where they tell
    nothing.
    """
    losing = np.array(
        [
            [lost(found, placed(given, found.steps, front)).sum() for front in (False, True)]
            for found, given in zip(founds, lengths, strict=True)
        ]
    )
    in_all = losing[:, 0].sum() > losing[:, 1].sum()
    return [bool(ahead < behind or (ahead == behind and in_all)) for behind, ahead in losing]


def by_zeros(founds: Sequence[Rows], usual: bool) -> list[bool]:
    """Return for each part whether padding lies in front: more clips have more zeros there.

    A part in which no side has the majority of clips is as all parts are, which are the ``usual``
    way where neither side has more.
    """
    votes = [int(np.sign(f.start - (f.steps - f.stop))[f.some].sum()) for f in founds]
    in_all = sum(votes) > 0 if sum(votes) else usual
    return [
        vote > 0 if 2 * abs(vote) > found.some.sum() else in_all
        for vote, found in zip(votes, founds, strict=True)
    ]


def filled(founds: Sequence[Rows]) -> bool:
    """Check whether padding is no zeros: all but stray clips go from the first row to the last."""
    short = np.concatenate([(f.start > 0) | (f.stop < f.steps) for f in founds])
    return not contradicts(short)


def untold(founds: Sequence[Rows], lengths: Sequence[np.ndarray]) -> bool:
    """Check whether lengths are those of the arrays, though most clips are padded."""
    pairs = list(zip(founds, lengths, strict=True))
    padded = np.concatenate([((f.start > 0) | (f.stop < f.steps))[f.some] for f in founds])
    return all((given == f.steps).all() for f, given in pairs) and padded.sum() > len(padded) / 2


# --- frames -------------------------------------------------------------------------------------


def between_zeros(found: Rows, front: bool) -> Rows:
    """Return the rows of clips of unknown lengths: zeros on the side of the padding go."""
    if front:
        return Rows(found.start, np.where(found.some, found.steps, 0), found.steps)
    return Rows(np.where(found.some, 0, found.steps), found.stop, found.steps)


def cut(values: Iterable[np.ndarray], rows: Rows) -> list[np.ndarray]:
    """Return the frames (T_i, D) of each clip, as views; one of zeros for a clip without any."""
    return [
        clip[start:stop] if stop > start else np.zeros_like(clip[:1])
        for clip, start, stop in zip(values, rows.start, rows.stop, strict=True)
    ]
