"""Folds: every clip is tested once, no video is in two parts, and the same again tomorrow."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import PARTS
from msalib.data.folds import FIVE, folds, kinds
from msalib.data.readers import formats, iemocap, mustard
from tests.fixtures import FIXTURES


@pytest.fixture
def videos(tiny):
    """``tiny`` with 12 videos of 1 to 7 clips."""
    table = tiny.utterances.assign(
        video=np.repeat([f"v{i}" for i in range(12)], [7, 1, 2, 5] * 2 + [3, 3, 2, 2])
    )
    return replace(tiny, utterances=table)


def parts_of(corpus, names) -> dict[str, pd.Series]:
    """Fold -> part of every clip, by ``Corpus.rows``, which is what a run asks."""
    parts = {name: pd.Series("", index=corpus.utterances.index) for name in names}
    for name, part in parts.items():
        for p in PARTS:
            part.iloc[corpus.rows(p, name)] = p
    return parts


def check(corpus, names):
    """Assert that folds are a cross-validation with three parts each that share no video."""
    parts = parts_of(corpus, names)
    tested = sum((part == "test").astype(int) for part in parts.values())
    assert (tested == 1).all()
    for part in parts.values():
        assert set(part) == set(PARTS)
        assert part.groupby(corpus.utterances["video"]).nunique().max() == 1
    return parts


def test_five_folds_by_video(videos):
    names = folds(videos, "video")
    assert names == tuple(f"video{k}of5" for k in range(1, 6))
    parts = check(videos, names)
    sizes = [(part == "test").sum() for part in parts.values()]
    assert max(sizes) - min(sizes) <= 7  # no more than the largest video
    for part in parts.values():
        assert (part == "valid").sum() < (part == "train").sum()


def test_folds_are_of_the_clips_alone(videos):
    """Neither the order of the table nor labels nor splits move a video to another fold."""
    order = np.random.default_rng(0).permutation(40)
    other = replace(
        videos,
        utterances=videos.utterances.iloc[order].assign(label=0.0),
        features={},
        splits={},
    )
    one, two = (parts_of(c, folds(c, "video")) for c in (videos, other))
    for name in one:
        assert one[name].to_dict() == two[name].to_dict()
    video = videos.utterances["video"]
    tested = [" ".join(sorted(set(video[part == "test"]))) for part in one.values()]
    assert tested == ["v0", "v11 v3 v9", "v4 v8", "v5 v7", "v1 v10 v2 v6"]


def test_folds_leave_the_fingerprint(videos):
    before = videos.fingerprint()
    folds(videos, "video")
    videos.rows("test", "video3of5")
    assert videos.fingerprint() == before and list(videos.splits) == ["standard"]


@pytest.mark.parametrize("column", ["speaker", "session"])
def test_one_group_is_left_out(videos, column):
    group = videos.utterances["video"].map(lambda video: f"g{int(video[1:]) % 4}")
    corpus = replace(videos, utterances=videos.utterances.assign(**{column: group}))
    names = folds(corpus, column)
    assert names == tuple(f"{column}=g{k}" for k in range(4))
    parts = check(corpus, names)
    for k, part in enumerate(parts.values()):
        assert set(group[part == "test"]) == {f"g{k}"}
        assert set(group[part == "valid"]) == {f"g{(k + 1) % 4}"}
    assert kinds(corpus) == ("video", column, f"{column}+video")


@pytest.mark.parametrize("column", ["speaker", "session"])
def test_one_group_is_left_out_and_videos_of_all_others_validate(videos, column):
    group = videos.utterances["video"].map(lambda video: f"g{int(video[1:]) % 4}")
    corpus = replace(videos, utterances=videos.utterances.assign(**{column: group}))
    names = folds(corpus, f"{column}+video")
    assert names == tuple(f"{column}=g{k}+video" for k in range(4))
    video = corpus.utterances["video"]
    for k, part in enumerate(check(corpus, names).values()):
        assert set(group[part == "test"]) == {f"g{k}"}
        assert set(group[part != "test"]) == {f"g{j}" for j in range(4)} - {f"g{k}"}
        assert video[part == "valid"].nunique() == 2  # of nine, every eighth
    other = replace(corpus, utterances=corpus.utterances.iloc[::-1].assign(label=0.0), splits={})
    other = replace(other, features={})
    for name in names:
        test, again = (set(c.utterances.index[c.rows("valid", name)]) for c in (corpus, other))
        assert test == again


def test_folds_of_the_source(tmp_path):
    corpus = mustard.read(FIXTURES["mustard"](tmp_path / "m"), "mustard", formats.Options())
    assert folds(corpus, "fold") == tuple(f"fold{k}" for k in range(1, FIVE + 1))
    assert kinds(corpus)[:2] == ("fold", "video")
    check(corpus, folds(corpus, "fold"))
    corpus = iemocap.read(FIXTURES["iemocap"](tmp_path / "i"), "iemocap", formats.Options())
    assert folds(corpus, "session") == tuple(f"session{k}" for k in range(1, 6))
    check(corpus, folds(corpus, "session"))
    assert folds(corpus, "session+video") == tuple(f"session={k}+video" for k in range(1, 6))
    check(corpus, folds(corpus, "session+video"))
    check(corpus, folds(corpus, "video"))  # a dialogue counts as a video
    with pytest.raises(UserError, match=r"with 2 values of speaker; .* Choose other folds: video"):
        folds(corpus, "speaker")  # both speakers of a dialogue


def test_numbered_splits_that_do_not_test_all_are_no_folds(tiny):
    split = tiny.splits["standard"]
    corpus = replace(tiny, splits={"standard": split, "part1": split, "part2": split})
    assert kinds(corpus) == ("video",)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("session", ("folds 'session' of tiny", "no such folds", "video")),
        ("dice", ("no such folds", "video")),
    ],
)
def test_unknown_folds_are_refused_with_those_there_are(tiny, kind, parts):
    with pytest.raises(UserError) as error:
        folds(tiny, kind)
    assert all(part in str(error.value) for part in parts)


@pytest.mark.parametrize(
    "name", ["video0of5", "video6of5", "video1of10", "speaker=", "speaker=x", "speaker=x+video"]
)
def test_an_unknown_fold_is_refused(tiny, name):
    expected = re.escape(f"split {name!r} of tiny: found no such split")
    with pytest.raises(UserError, match=expected):
        tiny.rows("train", name)


def test_too_few_videos_and_groups_are_refused(tiny):
    few = replace(tiny, utterances=tiny.utterances.assign(video="one"))
    with pytest.raises(UserError, match="found 1 videos; expected 10 or more"):
        folds(few, "video")
    two = replace(tiny, utterances=tiny.utterances.assign(speaker=["a"] * 20 + ["b"] * 20))
    with pytest.raises(UserError, match="found 2 values of speaker; expected 3 or more"):
        folds(two, "speaker")
