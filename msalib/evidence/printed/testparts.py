"""Test parts of the data sets: how many clips each edition has, and what their labels allow.

Sizes are in book/testparts.yaml with their sources; facts on labels come from the committed
summaries of the data (``describe``), which were computed from the labels themselves.
"""

from functools import cache

from pydantic import BaseModel, ConfigDict

from msalib.base import paths
from msalib.base.files import read_yaml


class Part(BaseModel):
    """A test part in one edition of a data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: str
    clips: int
    nonzero: int | None
    source: str


class _Corpus(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: str | None = None
    parts: list[Part]


class Labels(BaseModel):
    """What is known of the labels of a test part: shares of its clips, variance, chance levels.

    ``slack`` is how far a share may be off in another edition, whose clips differ by a few.
    """

    model_config = ConfigDict(frozen=True)

    zero: float
    negative: float
    mean: float
    variance: float
    slack: float
    chance: dict[str, float | None]

    @property
    def variance_without_zeros(self) -> float:
        """The variance of the labels that are not 0, by the first two moments of all."""
        kept = 1 - self.zero
        return (self.variance + self.mean**2) / kept - (self.mean / kept) ** 2


@cache
def _all() -> dict[str, _Corpus]:
    path = paths.BOOK / "testparts.yaml"
    return read_yaml(path, dict[str, _Corpus], expected="the test parts of data sets")


def parts(corpus: str) -> list[Part]:
    """Return the editions of the test part of a data set; none where it is unknown."""
    return _all()[corpus].parts if corpus in _all() else []


def sizes(corpus: str, metric: str) -> list[tuple[str, int]]:
    """Return how many clips an accuracy may be a share of: the edition in words, and the number.

    Where the convention for label 0 is not printed (acc2), both counts. F1 is no share of clips.
    """
    counts = []
    for part in parts(corpus):
        if (metric == "wa" or metric.startswith("acc")) and metric != "acc2_non0":
            counts.append((f"{part.edition}, {part.clips} clips", part.clips))
        if metric in ("acc2_non0", "acc2") and part.nonzero:
            counts.append((f"{part.edition}, {part.nonzero} clips not labelled 0", part.nonzero))
    return counts


@cache
def labels(corpus: str) -> Labels | None:
    """Return facts on the labels of a test part, None where there are none."""
    if corpus not in _all() or _all()[corpus].labels is None:
        return None
    # Read as committed, also where records are elsewhere: these are facts, not results.
    path = paths.BOOK / "records" / "data" / f"{_all()[corpus].labels}.json"
    from msalib.data.describe import Summary

    summary = Summary.model_validate_json(path.read_bytes())
    clips = summary.clips["test"]
    furthest = max(abs(part.clips - clips) for part in parts(corpus))
    return Labels(
        zero=summary.zero_labels["test"] / clips,
        negative=summary.negative_labels["test"] / clips,
        mean=summary.label_mean["test"],
        variance=summary.label_variance["test"],
        slack=furthest / clips,
        chance=summary.chance,
    )
