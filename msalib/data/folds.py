"""Folds: splits that together test on every clip once. A source has some, others are made here.

A fold is a split with a name, so a run on it is asked for by that name. ``session5`` is the fifth
fold of a source that has them. ``video2of5`` is made: every clip of a video is in one part.
``speaker=Ses01F`` is made, too: it tests on the clips with that value in the column ``speaker``,
validates on those with the next value and trains on all others. ``session=5+video`` tests on one
session and trains on all others but some videos of theirs, which validate. A made
fold depends on the clips alone: the same corpus always has the same folds.
"""

import hashlib
import re
from contextlib import suppress

import numpy as np
import pandas as pd

from msalib.base.errors import UserError, unknown

FIVE = 5
"""Folds by video."""

VALID = 8
"""One training video in so many validates where videos do: 10 % of all, as papers leave."""

VIDEO = "video"

BY_VIDEO = f"+{VIDEO}"
"""Ending of folds that leave out one value of a column and validate on videos of the others."""

LEFT_OUT = ("session", "speaker")
"""Columns of which one value can be left out of training, and tested on."""


def folds(corpus: "Corpus", kind: str) -> tuple[str, ...]:  # noqa: F821 - corpus imports this module
    """Return the names of the splits that together are a cross-validation.

    ``kind`` is a family of splits that the source has (``fold`` for ``fold1`` to ``fold5``),
    ``video``, or one of ``LEFT_OUT``, with ``+video`` appended where some videos validate. A
    dialogue counts as a video. Raises ``UserError`` for a kind that the corpus cannot have.
    """
    column = kind.removesuffix(BY_VIDEO)
    families = _families(corpus)
    if kind in families:
        return families[kind]
    if kind == VIDEO:
        names = tuple(f"{VIDEO}{k}of{FIVE}" for k in range(1, FIVE + 1))
    elif column in LEFT_OUT and column in corpus.utterances:
        values = _values(corpus.utterances[column])
        names = tuple(f"{column}={value}{kind.removeprefix(column)}" for value in values)
    else:
        remedy = "Name folds that the source has, or folds by video."
        raise unknown("folds", kind, kinds(corpus), of=corpus.name, remedy=remedy)
    for name in names:
        parts(corpus, name)
    return names


def kinds(corpus: "Corpus") -> tuple[str, ...]:  # noqa: F821
    """Return the kinds of folds to choose from: those of the source, then those made here."""
    columns = [column for column in LEFT_OUT if column in corpus.utterances]
    by_video = [column + BY_VIDEO for column in columns]
    return tuple(dict.fromkeys([*_families(corpus), VIDEO, *columns, *by_video]))


def parts(corpus: "Corpus", split: str) -> pd.Series:  # noqa: F821
    """Return the part of every clip in a fold that is made here, by the name of the fold.

    Raises ``UserError`` for a name that is no such fold, and for too few videos or groups.
    """
    table = corpus.utterances
    if match := re.fullmatch(rf"{VIDEO}([1-{FIVE}])of{FIVE}", split):
        return _by_video(table, int(match[1]), corpus.name)
    column, equals, value = split.removesuffix(BY_VIDEO).partition("=")
    if equals and column in LEFT_OUT and column in table and value in _values(table[column]):
        return _left_out(table, column, value, corpus.name, split.endswith(BY_VIDEO))
    known = [*corpus.splits, f"{VIDEO}1of{FIVE}"]
    remedy = "Name a split that the corpus has, or a fold (msalib.data.folds)."
    raise unknown("split", split, known, of=corpus.name, remedy=remedy)


def check_whole(corpus: "Corpus", split: str) -> None:  # noqa: F821
    """Raise ``UserError`` for a split with a part of no clips: nothing can be trained on it.

    A model learns from the training part, is chosen on the validation part and is judged on the
    test part.
    """
    counts = {part: len(corpus.rows(part, split)) for part in ("train", "valid", "test")}
    missing = [part for part, count in counts.items() if not count]
    if not missing:
        return
    remedy = "Give some clips that part in the source, and add it again with --refresh."
    with suppress(UserError):
        first = folds(corpus, VIDEO)[0]
        remedy = f"Choose folds by video, -p split {first}, or g{remedy[1:]}"
    raise UserError(
        f"split {split} of {corpus.name}",
        found=f"no {' and no '.join(missing)} clips ("
        + ", ".join(f"{part} {count}" for part, count in counts.items())
        + ")",
        expected="clips in each part, to train, choose and judge a model",
        remedy=remedy,
    )


def _families(corpus) -> dict[str, tuple[str, ...]]:
    """Return the families of numbered splits whose test parts hold every clip once."""
    names: dict[str, list[str]] = {}
    for name in corpus.splits:
        if match := re.fullmatch(r"(\D+)\d+", name):
            names.setdefault(match[1], []).append(name)
    return {
        stem: tuple(members)
        for stem, members in names.items()
        if (sum((corpus.splits[name] == "test").to_numpy(int) for name in members) == 1).all()
    }


def _values(column: pd.Series) -> list[str]:
    """Return the values of a column as texts, in order."""
    return [str(value) for value in np.unique(column.to_numpy())]


def _by_video(table: pd.DataFrame, fold: int, name: str) -> pd.Series:
    """Test on one of five sets of videos with about as many clips each.

    Videos are taken in the order of their hashes, each for the set that has the fewest clips.
    """
    counts = table["video"].value_counts()
    ranked = sorted(counts.index, key=_hash)
    if len(ranked) < 2 * FIVE:
        found = f"{len(ranked)} videos"
        raise _too_few(name, found, f"{2 * FIVE} or more, for {FIVE} folds by video")
    sizes, number = [0] * FIVE, {}
    for video in ranked:
        number[video] = sizes.index(min(sizes))
        sizes[number[video]] += counts[video]
    train = [video for video in ranked if number[video] != fold - 1]
    valid = _some(train)
    part = {video: "valid" if video in valid else "train" for video in train}
    return table["video"].map(lambda video: part.get(video, "test"))


def _some(videos: list[str]) -> set[str]:
    """Return the training videos that validate, of those in the order of their hashes."""
    return set(videos[::VALID])


def _left_out(table: pd.DataFrame, column: str, value: str, name: str, by_video: bool) -> pd.Series:
    """Test on the clips with one value of a column, validate, train on the rest.

    What validates are the clips with the next value, or some videos of all other values.
    """
    values = _values(table[column])
    if len(values) < 3:
        raise _too_few(name, f"{len(values)} values of {column}", "3 or more: one for each part")
    groups = table[column].map(str)
    if (mixed := groups.groupby(table["video"]).nunique()).max() > 1:
        raise UserError(
            f"folds by {column} of {name}",
            found=f"video {mixed.idxmax()} with {mixed.max()} values of {column}",
            expected="every video with one, so that none is in two parts",
            remedy=f"Choose other folds: {VIDEO}.",
        )
    if by_video:
        others = _some(sorted(table["video"][groups != value].unique(), key=_hash))
        part = np.where(table["video"].isin(others), "valid", "train")
        return pd.Series(np.where(groups == value, "test", part), index=table.index)
    valid = values[(values.index(value) + 1) % len(values)]
    return groups.map({value: "test", valid: "valid"}).fillna("train")


def _too_few(name: str, found: str, expected: str) -> UserError:
    remedy = "Use a split that the source has, or more data."
    return UserError(f"folds of {name}", found=found, expected=expected, remedy=remedy)


def _hash(video: str) -> str:
    return hashlib.sha256(str(video).encode()).hexdigest()
