"""Do features know labels that they should not? A linear probe, and tests by permuting videos.

Every clip is predicted by a ridge regression on its pooled features that was fitted on other
videos, of all parts alike (cross-validation by video, which does not ask what is called test).
Where features saw no label and videos were put into parts without regard to them, which videos
are called test is arbitrary: the difference of two parts' correlations is a draw from the
differences under all other assignments of the same videos. So the test is exact, however few
videos a part has; where speakers keep to one part, speakers are permuted.

Three questions, one-sided, Holm over all of them and all modalities:

- is test easier than training, by ``FAR`` or more? Then labels of test clips were used;
- is validation easier than test? Then labels of validation clips were used, and what is chosen on
  them is chosen wrongly;
- for every split the data set has: are its training and validation clips together easier than its
  test clips? Then the makers of the features used the labels of that side, and this tells which
  clips of the audited split they had seen.

Each is asked of the probe, and of every single feature at once (its correlation with the label;
the p-value is that of the largest difference among them): a leak in one column among many is
diluted in a probe.

A fourth question needs no parts: are some videos far easier than others? The correlations within
videos, as Fisher's z, scatter by chance with variance 1 / (n - 3); honest videos may differ, too,
by a standard deviation of up to ``HONEST``. More than that, by a chi-squared test, is what labels
of some videos leave behind, in whatever parts these are.

A leak that is the same in all videos cannot be distinguished from good features.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.data.corpus import PARTS, Corpus
from msalib.evidence.audit.independence import known
from msalib.evidence.audit.integrity import last
from msalib.evidence.audit.probe import pooled, predictions

PERMUTATIONS = 4999
LEVEL = 0.05
"""Probability of one false alarm or more in a whole audit of honest features."""

HONEST = 0.25
"""Standard deviation of Fisher's z that videos may have for honest reasons. Honest texts have 0.13
(MELD, IEMOCAP), 0.19 (CMU-MOSEI) and 0.21 (CMU-MOSI) with counts of words, 0.18 and 0.21 with
MiniLM, openSMILE none. Features that leak on CMU-MOSI have 0.36 and 0.38. They were known when this
bound was set, so the question by itself gives a warning, never an error."""

CLIPS, VIDEOS = 8, 10
"""A video needs so many clips for a correlation of its own, and a test so many videos."""

FAR = 0.1
"""Differences of correlations below this are no finding: parts are not always drawn at random."""

STRONGEST = 256
"""Single features that are looked at, those that correlate most with the label in all parts
together."""

TEST, VALID, SIDE, UNEVEN = QUESTIONS = (
    "test above training",
    "validation above test",
    "training side above test",
    "some videos above others",
)


class Level(BaseModel):
    """Correlation of the probe on one part; 95% interval over other videos. None: undefined."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clips: int
    r: float | None
    low: float | None
    high: float | None


class Comparison(BaseModel):
    """Is one group of clips easier than another? ``p`` is of one permutation test, one-sided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str  # one of QUESTIONS
    of: str  # "probe", or "feature 7", the one of all features with the largest difference
    split: str  # empty where parts play no role
    difference: float  # of correlations; for UNEVEN, standard deviation of z beyond chance
    p: float
    units: int
    unit: str  # what is permuted: "video" or "speaker"
    rejected: bool = False  # after Holm, and at least FAR


class Probe(BaseModel):
    """What the probe found in one modality on one split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    modality: str
    source: str
    features: int
    parts: dict[str, Level]
    comparisons: list[Comparison]


class Largest(NamedTuple):
    """The largest difference among several scores; its p-value accounts for all of them."""

    difference: float
    p: float
    place: int


class Units(NamedTuple):
    """What is permuted: a number for each clip, (N,), and what it numbers."""

    number: np.ndarray
    kind: str


def units(corpus: Corpus, split: str) -> Units | None:
    """Return what may change places in a split: speakers, else videos; None where both are shared.

    A speaker's videos and a video's speakers go together. Few speakers make a test that finds
    little, but videos in their place would make one that accuses honest features.
    """
    part = corpus.splits[split].to_numpy()
    video = pd.factorize(corpus.utterances["video"])[0]
    candidates = [Units(video, "video")]
    if known(corpus, "speaker"):
        speaker = pd.factorize(corpus.utterances["speaker"])[0]
        candidates.insert(0, Units(_together(video, speaker), "speaker"))
    for candidate in candidates:
        pairs = {*zip(candidate.number.tolist(), part.tolist(), strict=True)}
        if len(pairs) == candidate.number.max() + 1:
            return candidate
    return None


def _together(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the groups that two groupings make when neither may be cut, as numbers (N,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = (a.max() + 1) + (b.max() + 1)
    links = coo_array((np.ones(len(a)), (a, a.max() + 1 + b)), shape=(size, size))
    component = connected_components(links, directed=False)[1][a]
    return np.unique(component, return_inverse=True)[1]


# --- tests ----------------------------------------------------------------------------------------


def easier(
    scores: np.ndarray,
    label: np.ndarray,
    unit: np.ndarray,
    high: np.ndarray,
    low: np.ndarray,
    permutations: int = PERMUTATIONS,
) -> Largest | None:
    """Test whether scores (N, K) correlate more with the label on clips ``high`` than on ``low``.

    One-sided: larger on ``high`` in the direction that all clips together have. ``high`` and
    ``low`` (N,) are disjoint and keep units (N,) whole. Under the null hypothesis any units of the
    two could be the ones that are called high. None where no correlation is defined.
    """
    x, y = scores - scores.mean(0), label - label.mean()
    x = x * np.where(y @ x < 0, -1, 1)
    columns = x.shape[1]
    sums = [_per_unit(v, unit) for v in (np.column_stack([np.ones_like(y), y, y * y]), x, x * x)]
    sums = np.hstack([*sums, _per_unit(x * y[:, None], unit)])  # (V, 3 + 3 K)
    is_high = _per_unit(high[:, None], unit)[:, 0] > 0
    chosen = np.flatnonzero(is_high | (_per_unit(low[:, None], unit)[:, 0] > 0))
    sums, is_high = sums[chosen], is_high[chosen].astype(float)
    observed = _difference(sums, is_high[None])[0]
    if np.isnan(observed).all():
        return None
    place = int(np.nanargmax(observed))
    rng, above, done = np.random.default_rng(0), 0, 0
    step = max(1, 2_000_000 // max(len(chosen), columns))
    while done < permutations:
        size = min(step, permutations - done)
        drawn = _difference(sums, rng.permuted(np.tile(is_high, (size, 1)), axis=1))
        largest = np.where(np.isnan(drawn), -np.inf, drawn).max(1)
        # An assignment without a correlation speaks against no one: it counts as above.
        above += int(((largest >= observed[place] - 1e-12) | np.isneginf(largest)).sum())
        done += size
    return Largest(float(observed[place]), (1 + above) / (1 + permutations), place)


def _per_unit(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Sum over the clips of each unit: (N, K) to (V, K)."""
    order = np.argsort(unit, kind="stable")
    starts = np.searchsorted(unit[order], np.arange(unit.max() + 1))
    return np.add.reduceat(values[order].astype(float), starts)


def uneven(scores: np.ndarray, label: np.ndarray, video: np.ndarray) -> tuple[Largest, int] | None:
    """Test the standard deviation of Fisher's z over videos beyond chance, scores (N, K).

    The p-value is of a standard deviation above ``HONEST``, times K. None where too few videos
    have enough clips, or a correlation.
    """
    from scipy.stats import chi2

    count = np.bincount(video)

    def within(values):
        return values - (_per_unit(values, video) / count[:, None])[video]

    x, y = within(scores), within(label[:, None])
    xx, yy, xy = (_per_unit(v, video) for v in (x * x, y * y, x * y))
    defined = (count[:, None] >= CLIPS) & (xx > 1e-12) & (yy > 1e-12)  # (V, K)
    r = np.where(defined, xy, 0) / np.sqrt(np.where(defined, xx * yy, 1))
    z, chance = np.arctanh(np.clip(r, -0.99, 0.99)), 1 / np.maximum(count - 3, 1)[:, None]
    videos = defined.sum(0)
    weight = defined / (chance + HONEST**2)
    middle = (weight * z).sum(0) / np.maximum(weight.sum(0), 1e-12)
    scatter = (weight * (z - middle) ** 2).sum(0)
    p = np.where(videos >= VIDEOS, chi2.sf(scatter, np.maximum(videos - 1, 1)), np.nan)
    if np.isnan(p).all():
        return None
    place = int(np.nanargmin(p))
    enough = defined[:, place]
    beyond = z[enough, place].var(ddof=1) - chance[enough, 0].mean()
    largest = min(1.0, float(p[place]) * int((videos >= VIDEOS).sum()))
    return Largest(float(np.sqrt(max(0.0, beyond))), largest, place), int(videos[place])


def _difference(sums: np.ndarray, is_high: np.ndarray) -> np.ndarray:
    """Return the difference of correlations for each assignment and score: (R, V) to (R, K)."""
    high = is_high @ sums
    return _correlation(high) - _correlation(sums.sum(0) - high)


def _correlation(sums):
    n, y, yy = (np.where(sums[:, :1] > 1, sums[:, [i]], np.nan) for i in range(3))
    x, xx, xy = np.split(sums[:, 3:], 3, axis=1)
    var_x, var_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    product = np.where((var_x > 1e-12) & (var_y > 1e-12), var_x * var_y, np.nan)
    return (xy / n - x * y / n**2) / np.sqrt(product)


def probe(corpus: Corpus, split: str, permutations: int = PERMUTATIONS) -> list[Probe]:
    """Probe every modality that has features, with all comparisons, judged together."""
    label = corpus.utterances["label"].to_numpy(float)
    permuted = units(corpus, split)
    by = permuted or Units(pd.factorize(corpus.utterances["video"])[0], "video")
    probes = []
    for modality, features in corpus.features.items():
        if last(features) is None or by.number.max() == 0:
            continue
        x = pooled(features)
        guess = predictions(x, label, by.number)
        places, strongest = _strongest(x, label)
        comparisons = _comparisons(corpus, split, permuted, guess[:, None], permutations, ["probe"])
        if len(places):
            names = [f"feature {place}" for place in places]
            comparisons += _comparisons(corpus, split, permuted, strongest, permutations, names)
        probes.append(
            Probe(
                modality=modality,
                source=features.source,
                features=x.shape[1],
                parts=_levels(corpus, split, guess, label, by.number),
                comparisons=comparisons,
            )
        )
    return _judged(probes)


def _strongest(x: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places and values (N, K) of the features that correlate most with the label."""
    places = np.flatnonzero(x.std(0) > 1e-9 * np.maximum(1, np.abs(x).max(0)))
    x = (x[:, places] - x[:, places].mean(0)) / x[:, places].std(0)
    order = np.argsort(-np.abs((label - label.mean()) @ x), kind="stable")[:STRONGEST]
    return places[order], x[:, order]


def _levels(corpus, split, guess, label, unit) -> dict[str, Level]:
    levels = {}
    for part in PARTS:
        rows = corpus.rows(part, split)
        r = low = high = None
        if len(rows) > 1 and stats.varies(guess[rows]) and stats.varies(label[rows]):
            r = round(float(np.corrcoef(guess[rows], label[rows])[0, 1]), 4)
            try:
                drawn = stats.correlations(label[rows], [guess[None, rows]], unit[rows])[1]
                drawn = drawn[~np.isnan(drawn)]
                low, high = (round(float(q), 4) for q in np.quantile(drawn, [0.025, 0.975]))
            except UserError:  # one video: no interval
                pass
        levels[part] = Level(clips=len(rows), r=r, low=low, high=high)
    return levels


def _comparisons(corpus, split, permuted, scores, permutations, names) -> list[Comparison]:
    label = corpus.utterances["label"].to_numpy(float)
    part = corpus.splits[split].to_numpy()
    questions = []
    if permuted is not None:
        questions = [
            (TEST, split, permuted, part == "test", part == "train"),
            (VALID, split, permuted, part == "valid", part == "test"),
        ]
    for name, parts in corpus.splits.items():
        unit = permuted if name == split else units(corpus, name)
        if unit is not None:
            test = (parts == "test").to_numpy()
            questions.append((SIDE, name, unit, ~test, test))
    comparisons = []
    for question, name, unit, high, low in questions:
        if not high.any() or not low.any():
            continue
        largest = easier(scores, label, unit.number, high, low, permutations)
        if largest is not None:
            count = len(np.unique(unit.number[high | low]))
            comparisons.append(_compared(question, name, largest, count, unit.kind, names))
    scattered = uneven(scores, label, pd.factorize(corpus.utterances["video"])[0])
    if scattered is not None:
        comparisons.append(_compared(UNEVEN, "", *scattered, "video", names))
    return comparisons


def _compared(question, split, largest: Largest, count, kind, names) -> Comparison:
    return Comparison(
        question=question,
        of=names[largest.place],
        split=split,
        difference=round(largest.difference, 4),
        p=largest.p,
        units=count,
        unit=kind,
    )


def _judged(probes: list[Probe]) -> list[Probe]:
    """Apply Holm's correction to all comparisons of an audit; a sign must also be of some size."""
    p = [c.p for probe in probes for c in probe.comparisons]
    kept = iter(stats.holm(p, LEVEL))
    return [
        probe.model_copy(
            update={
                "comparisons": [
                    c.model_copy(update={"rejected": next(kept) and c.difference >= FAR})
                    for c in probe.comparisons
                ]
            }
        )
        for probe in probes
    ]
