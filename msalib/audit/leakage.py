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
  clips of the split at hand they had seen.

A fourth question needs no parts: are some videos far easier than others? The correlations within
videos, as Fisher's z, scatter by chance with variance 1 / (n - 3); honest videos may differ, too,
by a standard deviation of up to ``HONEST``. More than that, by a chi-squared test, is what labels
of some videos leave behind, in whatever parts these are.

A leak that is the same in all videos cannot be told from good features.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib import stats
from msalib.audit.findings import Finding, share
from msalib.audit.independence import known
from msalib.audit.integrity import last
from msalib.corpus import PARTS, Corpus, Features
from msalib.errors import UserError

PENALTIES = np.logspace(-1, 4, 11)
"""Of the ridge probe on standardised features; the best on all parts together is taken."""

FOLDS = 10
PERMUTATIONS = 4999
LEVEL = 0.05
"""Of a whole audit: the chance of one false alarm or more on honest features."""

HONEST = 0.2
"""Standard deviation of Fisher's z that videos may have for honest reasons. The last layer of
MiniLM on CMU-MOSI has 0.17, openSMILE nothing, simulated features up to 0.1."""

CLIPS, VIDEOS = 8, 10
"""A video needs so many clips for a correlation of its own, and a test so many videos."""

FAR = 0.1
"""Differences of correlations below this are no finding, for parts are not always drawn by lot."""

WIDEST = 512
"""Features beyond this many are replaced by that many principal components."""

FEW = 5
"""Fewer speakers than this in a part are too few to permute; then videos are."""


UNEVEN = "some videos above others"


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

    question: str  # "test above training", ..., or UNEVEN
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


class Units(NamedTuple):
    """What is permuted: a number for each clip, (N,), and what it numbers."""

    number: np.ndarray
    kind: str


def pooled(features: Features) -> np.ndarray:
    """Mean over the frames of each clip, last layer: (N, D). Values not finite count as zero."""
    values = last(features)
    counts = features.lengths()[:, None]
    sums = np.empty((len(counts), values.shape[1]))
    for i in range(len(counts)):
        frames = np.asarray(values[features.offsets[i] : features.offsets[i + 1]], np.float64)
        sums[i] = np.nan_to_num(frames, nan=0, posinf=0, neginf=0).sum(0)
    return sums / counts


def units(corpus: Corpus, split: str) -> Units | None:
    """What may change places in a split: speakers, else videos; None where both are in two parts.

    A speaker's videos and a video's speakers go together.
    """
    part = corpus.splits[split].to_numpy()
    video = pd.factorize(corpus.utterances["video"])[0]
    candidates = [Units(video, "video")]
    if known(corpus, "speaker"):
        speaker = pd.factorize(corpus.utterances["speaker"])[0]
        candidates.insert(0, Units(_together(video, speaker), "speaker"))
    for candidate in candidates:
        pairs = {*zip(candidate.number.tolist(), part.tolist(), strict=True)}
        if len(pairs) > candidate.number.max() + 1:
            continue  # in two parts
        counts = [sum(p == name for _, p in pairs) for name in PARTS if (part == name).any()]
        if candidate.kind == "video" or min(counts) >= FEW:
            return candidate
    return None


def _together(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Numbers of the groups that two groupings make when neither may be cut, (N,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = (a.max() + 1) + (b.max() + 1)
    links = coo_array((np.ones(len(a)), (a, a.max() + 1 + b)), shape=(size, size))
    component = connected_components(links, directed=False)[1][a]
    return np.unique(component, return_inverse=True)[1]


def predictions(x: np.ndarray, label: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Each clip predicted by a probe that was fitted on other units: (N, D), (N,) to (N,)."""
    x, fold = _standard(x), _folds(unit)
    guess = np.empty((len(PENALTIES), len(label)))
    sums = [_sums(x[fold == k], label[fold == k]) for k in range(fold.max() + 1)]
    total = [sum(parts) for parts in zip(*sums, strict=True)]
    for k, own in enumerate(sums):
        weight, shift = _ridge(*(t - s for t, s in zip(total, own, strict=True)))
        guess[:, fold == k] = (x[fold == k] @ weight + shift).T
    return guess[((guess - label) ** 2).mean(1).argmin()]


def _standard(x: np.ndarray) -> np.ndarray:
    deviation = x.std(0)
    x = (x - x.mean(0)) / np.where(deviation > 1e-12, deviation, 1)
    if x.shape[1] <= WIDEST or len(x) <= WIDEST:
        return x
    from sklearn.decomposition import PCA

    return PCA(WIDEST, svd_solver="randomized", random_state=0).fit_transform(x)


def _folds(unit: np.ndarray) -> np.ndarray:
    """Fold of each clip, (N,): units by lot, the same lot for the same number of units."""
    count = unit.max() + 1
    return (np.random.default_rng(0).permutation(count) % min(FOLDS, count))[unit]


def _sums(x, y):
    """All that a ridge regression needs to know of clips: sums that can be taken away again."""
    return len(y), x.sum(0), y.sum(), x.T @ x, x.T @ y


def _ridge(n, x, y, xx, xy) -> tuple[np.ndarray, np.ndarray]:
    """Weights (D, P) and intercepts (P,) for each penalty."""
    values, vectors = np.linalg.eigh(xx - np.outer(x, x) / n)
    along = vectors.T @ (xy - x * y / n)
    weight = vectors @ (along[:, None] / (np.maximum(values, 0)[:, None] + PENALTIES))
    return weight, y / n - x / n @ weight


# --- tests ----------------------------------------------------------------------------------------


def easier(
    guess: np.ndarray,
    label: np.ndarray,
    unit: np.ndarray,
    high: np.ndarray,
    low: np.ndarray,
    permutations: int = PERMUTATIONS,
) -> tuple[float, float]:
    """Correlation on the clips ``high`` minus that on ``low``, and its one-sided p-value.

    ``high`` and ``low`` (N,) are disjoint and keep units (N,) whole. Under the null hypothesis any
    units of the two could be the ones that are called high. nan where a correlation is undefined.
    """
    count = unit.max() + 1
    x, y = guess - guess.mean(), label - label.mean()
    sums = np.stack(
        [np.bincount(unit, w, count) for w in (np.ones_like(y), x, y, x * x, y * y, x * y)]
    )
    is_high = np.bincount(unit, high, count) > 0
    chosen = np.flatnonzero(is_high | (np.bincount(unit, low, count) > 0))
    sums, is_high = sums[:, chosen], is_high[chosen].astype(float)
    observed = float(_difference(sums, is_high[None])[0])
    if np.isnan(observed):
        return observed, np.nan
    rng, above, done = np.random.default_rng(0), 0, 0
    step = max(1, 2_000_000 // len(chosen))
    while done < permutations:
        size = min(step, permutations - done)
        drawn = rng.permuted(np.tile(is_high, (size, 1)), axis=1)
        difference = _difference(sums, drawn)
        # An assignment without a correlation speaks against no one: it counts as above.
        above += int((~(difference < observed - 1e-12)).sum())
        done += size
    return observed, (1 + above) / (1 + permutations)


def uneven(guess: np.ndarray, label: np.ndarray, video: np.ndarray) -> tuple[float, float, int]:
    """Standard deviation of Fisher's z over videos beyond chance, its p-value, and the videos.

    The p-value is of a standard deviation above ``HONEST``. nan where too few videos have enough
    clips, or a correlation.
    """
    from scipy.stats import chi2

    count = np.bincount(video)

    def within(values):
        return values - (np.bincount(video, values) / count)[video]

    x, y = within(guess), within(label)
    xx, yy, xy = (np.bincount(video, v) for v in (x * x, y * y, x * y))
    chosen = (count >= CLIPS) & (xx > 1e-12) & (yy > 1e-12)
    if chosen.sum() < VIDEOS:
        return np.nan, np.nan, int(chosen.sum())
    z = np.arctanh(np.clip(xy[chosen] / np.sqrt(xx[chosen] * yy[chosen]), -0.99, 0.99))
    chance = 1 / (count[chosen] - 3)
    beyond = float(np.sqrt(max(0.0, z.var(ddof=1) - chance.mean())))
    weight = 1 / (chance + HONEST**2)
    scatter = (weight * (z - np.average(z, weights=weight)) ** 2).sum()
    return beyond, float(chi2.sf(scatter, len(z) - 1)), len(z)


def _difference(sums: np.ndarray, is_high: np.ndarray) -> np.ndarray:
    """Difference of correlations for each assignment (R, V)."""
    high = sums @ is_high.T
    return _correlation(high) - _correlation(sums.sum(1)[:, None] - high)


def _correlation(sums):
    n, x, y, xx, yy, xy = sums
    n = np.where(n > 1, n, np.nan)
    var_x, var_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    product = np.where((var_x > 1e-12) & (var_y > 1e-12), var_x * var_y, np.nan)
    return (xy / n - x * y / n**2) / np.sqrt(product)


def probe(corpus: Corpus, split: str, permutations: int = PERMUTATIONS) -> list[Probe]:
    """The probe on every modality that has features, with all comparisons, judged together."""
    label = corpus.utterances["label"].to_numpy(float)
    own = units(corpus, split)
    by = own or Units(pd.factorize(corpus.utterances["video"])[0], "video")
    probes = []
    for modality, features in corpus.features.items():
        if last(features) is None or by.number.max() == 0:
            continue
        guess = predictions(pooled(features), label, by.number)
        probes.append(
            Probe(
                modality=modality,
                source=features.source,
                features=int(last(features).shape[1]),
                parts=_levels(corpus, split, guess, label, by.number),
                comparisons=_comparisons(corpus, split, own, guess, label, permutations),
            )
        )
    return _judged(probes)


def _levels(corpus, split, guess, label, unit) -> dict[str, Level]:
    levels = {}
    for part in PARTS:
        rows = corpus.rows(part, split)
        r = low = high = None
        if len(rows) > 1 and np.ptp(guess[rows]) > 1e-12 and np.ptp(label[rows]) > 0:
            r = round(float(np.corrcoef(guess[rows], label[rows])[0, 1]), 4)
            try:
                drawn = stats.correlations(label[rows], [guess[None, rows]], unit[rows])[1]
                drawn = drawn[~np.isnan(drawn)]
                low, high = (round(float(q), 4) for q in np.quantile(drawn, [0.025, 0.975]))
            except UserError:  # one video: no interval
                pass
        levels[part] = Level(clips=len(rows), r=r, low=low, high=high)
    return levels


def _comparisons(corpus, split, own, guess, label, permutations) -> list[Comparison]:
    wanted = []
    part = corpus.splits[split].to_numpy()
    if own is not None:
        wanted = [
            ("test above training", split, own, part == "test", part == "train"),
            ("validation above test", split, own, part == "valid", part == "test"),
        ]
    for name, parts in corpus.splits.items():
        unit = own if name == split else units(corpus, name)
        if unit is not None:
            test = (parts == "test").to_numpy()
            wanted.append(("training side above test", name, unit, ~test, test))
    found = []
    for question, name, unit, high, low in wanted:
        if not high.any() or not low.any():
            continue
        difference, p = easier(guess, label, unit.number, high, low, permutations)
        if not np.isnan(p):
            found.append(
                Comparison(
                    question=question,
                    split=name,
                    difference=round(difference, 4),
                    p=p,
                    units=len(np.unique(unit.number[high | low])),
                    unit=unit.kind,
                )
            )
    beyond, p, videos = uneven(guess, label, pd.factorize(corpus.utterances["video"])[0])
    if not np.isnan(p):
        found.append(
            Comparison(
                question=UNEVEN,
                split="",
                difference=round(beyond, 4),
                p=p,
                units=videos,
                unit="video",
            )
        )
    return found


def _judged(probes: list[Probe]) -> list[Probe]:
    """Holm over all comparisons of an audit; what stays must also be of some size."""
    from statsmodels.stats.multitest import multipletests

    p = [c.p for found in probes for c in found.comparisons]
    kept = iter(multipletests(p, LEVEL, "holm")[0] if p else [])
    return [
        found.model_copy(
            update={
                "comparisons": [
                    c.model_copy(update={"rejected": bool(next(kept)) and c.difference >= FAR})
                    for c in found.comparisons
                ]
            }
        )
        for found in probes
    ]


# --- findings -------------------------------------------------------------------------------------


def check(corpus: Corpus, split: str, permutations: int = PERMUTATIONS):
    """Findings on every modality of a split, and the probes that they rest on."""
    probes = probe(corpus, split, permutations)
    if not corpus.features:
        message = "There are no features to probe."
        return [_finding("note", "text", message)], probes
    found = []
    if units(corpus, split) is None:
        found.append(_sharing(corpus, split))
    without = [m for m in corpus.features if m not in {p.modality for p in probes}]
    found += [_finding("note", m, "There are no features to probe yet.") for m in without]
    for one in probes:
        signs = [s for c in one.comparisons if c.rejected for s in _signs(corpus, split, one, c)]
        found += signs or [_silent(one)]
    return found, probes


def _finding(severity, about, message, remedy="", check="linear probe") -> Finding:
    return Finding(
        severity=severity,
        group="leakage",
        check=check,
        about=about,
        message=message,
        remedy=remedy,
    )


def _signs(corpus, split, one: Probe, found: Comparison) -> list[Finding]:
    about = f"{one.modality}: {one.source}"
    if found.question == UNEVEN:
        told = (
            "Some videos are far easier for a linear probe than others: correlations within "
            f"{found.units} videos differ, beyond chance, by a standard deviation of "
            f"{found.difference:.2f} (Fisher's z; honest features: up to {HONEST:g}; "
            f"p = {found.p:.1g}). Labels of some videos may have been used"
        )
        remedy = (
            "Ask which videos the makers of the features used, and give that as a split. Missing "
            "faces or voices in some videos can look the same."
        )
        train, test = (one.parts[p].r for p in ("train", "test"))
        if train is None or test is None or test < train:
            return [_finding("warning", about, f"{told}.", remedy)]
        # If all of them were in other parts, test would be the harder one.
        return [
            _finding(
                "error",
                about,
                f"{told}, of the test part, too, for it is no harder than training "
                f"(r = {test:.2f} against {train:.2f}, each clip predicted from other videos).",
                remedy,
            )
        ]
    evidence = f"{found.difference:+.2f} (p = {found.p:.2g}, {found.units} {found.unit}s permuted)"
    r = {part: "undefined" if x.r is None else f"{x.r:.2f}" for part, x in one.parts.items()}
    if found.question == "test above training":
        return [
            _finding(
                "error",
                about,
                f"A linear probe does better on test (r = {r['test']}) than on training videos "
                f"that it was not fitted on ({r['train']}): {evidence}. The features have seen "
                "labels of test clips.",
                "Count nothing with these features. Ask which labels their makers used, and split "
                "by that.",
            )
        ]
    if found.question == "validation above test":
        return [
            _finding(
                "warning",
                about,
                f"A linear probe does better on validation (r = {r['valid']}) than on test "
                f"({r['test']}): {evidence}. The features have seen labels of validation clips.",
                "Choose no epoch, layer or modality on this validation part; test scores are of "
                "models that were chosen wrongly.",
            )
        ]
    if found.split == split:
        return [
            _finding(
                "note",
                about,
                f"The probe does better on training and validation clips than on test: {evidence}. "
                "The features were made with labels of that side.",
                "Fair for test scores, but models will take these features for better than they "
                "are.",
            )
        ]
    seen = (corpus.splits[found.split] != "test").to_numpy()
    part = corpus.splits[split].to_numpy()
    count = {p: (int((seen & (part == p)).sum()), int((part == p).sum())) for p in PARTS}
    told = (
        f"By split {found.split!r}, a linear probe does better on training and validation clips "
        f"than on test clips: {evidence}. The makers of the features used labels of that side, "
    )
    if count["test"][0]:
        return [
            _finding(
                "error",
                about,
                f"{told}and it has {share(*count['test'])} test clips of split {split!r}.",
                f"Count nothing with these features on split {split!r}; use split "
                f"{found.split!r}, and mind its validation part.",
            )
        ]
    if count["valid"][0]:
        return [
            _finding(
                "warning",
                about,
                f"{told}and it has {share(*count['valid'])} validation clips of split {split!r}.",
                "Choose no epoch, layer or modality on this validation part.",
            )
        ]
    return [_finding("note", about, f"{told}which has no test clip of split {split!r}.")]


def _silent(one: Probe) -> Finding:
    about = f"{one.modality}: {one.source}"
    r = " / ".join("undefined" if x.r is None else f"{x.r:.2f}" for x in one.parts.values())
    if not one.comparisons:
        message = f"r = {r} on train/valid/test; no two parts that could be compared."
        return _finding("note", about, message)
    least = min(one.comparisons, key=lambda c: c.p)
    return _finding(
        "ok",
        about,
        f"No sign of a leak: r = {r} on train/valid/test, each clip predicted from other "
        f"videos; of {len(one.comparisons)} signs looked for, the strongest is {least.question} "
        f"({least.difference:+.2f}, p = {least.p:.2g}).",
    )


def _sharing(corpus: Corpus, split: str) -> Finding:
    """What a score on test owes to videos that are in training, too, where parts share videos."""
    label = corpus.utterances["label"].to_numpy(float)
    video = pd.factorize(corpus.utterances["video"])[0]
    train, test = (corpus.rows(p, split) for p in ("train", "test"))
    fold = _folds(video)
    told, worst = [], "note"
    for modality, features in corpus.features.items():
        if last(features) is None or not len(train) or len(np.unique(video[test])) < 2:
            continue
        x = _standard(pooled(features))
        fitted = [_ridge(*_sums(x[train], label[train]))]
        fitted += [
            _ridge(*_sums(x[rows], label[rows]))
            for k in range(fold.max() + 1)
            for rows in [train[fold[train] != k]]
            if len(rows) > 1
        ]
        if len(fitted) <= fold.max() + 1:
            continue
        both = np.stack([x[test] @ weight + shift for weight, shift in fitted])  # (1 + K, N, P)
        apart = both[1 + fold[test], np.arange(len(test))]
        best = ((apart - label[test, None]) ** 2).mean(0).argmin()
        effect = stats.corr_difference(
            label[test], both[None, 0, :, best], apart[None, :, best], video[test]
        )
        if np.isnan(effect.low):
            continue
        told.append(f"{modality} {effect.effect:+.2f} [{effect.low:+.2f}, {effect.high:+.2f}]")
        if effect.low > 0 and effect.effect >= FAR:
            worst = "warning"
    return _finding(
        worst,
        split,
        "Parts share videos, so parts cannot be compared by permuting them. What the probe's "
        f"correlation on test gains from videos that are in training, too: {'; '.join(told)}."
        if told
        else "Parts share videos, so parts cannot be compared by permuting them.",
        "Split by video.",
        check="shared videos",
    )
