"""Labels that a model made for itself, epoch by epoch: SUGRM's Fig. 4, their worth, and Table 5.

Records hold them for runs through all epochs (``plan.followed``). On the control the true
sentiment of every modality is known, so there they can be held against it.

Notation: S seeds, E epochs, N training clips, D random draws. Epoch e lies at place e - 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.evidence.printed import names
from msalib.evidence.printed import table as printed
from msalib.models.ulgm import LIMIT
from msalib.models.unimodal_tasks import LETTERS
from msalib.pages.tables import Note, Table, mean_sd
from msalib.papers.sugrm import momentum, plan
from msalib.runs.query import Runs
from msalib.runs.records import Record

NOTHING = "No unimodal task was trained through all epochs in this setting: no labels were made."
NO_TRUTH = (
    "Real data: nobody rated the words, the voice and the face of these clips one by one, so how "
    "near the generated labels come to the truth cannot be known here. On the control it can: the "
    "true sentiment of every modality was drawn before anything else. See the control's page."
)
SAMPLES = {
    "1": "Clx4VXItLTE_25",
    "2": "VbQk4H8hgr0_3",
    "3": "0h-zjBukYpk_17",
    "4": "5W7Z1C_fDaE_14",
}
"""The clips of Table 5 in CMU-MOSI, found by their transcripts; all are training clips."""

SHOWN = (1, 2, 3, 5, 10, 15, 30)
"""Epochs that the small pictures of Fig. 4 show."""

LOOKED_AT = (5, 10, 15, 20, 30)
"""Epochs that tables show."""

DRAWS = 20
"""Random labels that are simulated."""


class Followed(NamedTuple):
    """The labels of one generator. Whatever is of an epoch that has none is nan."""

    id: list[str]
    given: np.ndarray  # (N,)
    made: dict[str, np.ndarray]  # modality -> (S, E, N)
    movement: dict[str, np.ndarray]  # modality -> (S, E); S_e of the papers' specification
    drift: dict[str, np.ndarray]  # the same of the targets, R_e
    clamped: dict[str, np.ndarray]
    percentile: dict[str, np.ndarray]

    @property
    def epochs(self) -> int:
        return next(iter(self.made.values())).shape[1]

    def at(self, wanted: Sequence[int]) -> list[int]:
        """Those of these epochs that there are, and the last."""
        return sorted({e for e in wanted if e < self.epochs} | {self.epochs})


def followed(runs: Runs) -> dict[str, Followed]:
    """Name of the generator -> its labels, for seeds that both generators have."""
    named = plan.followed(plan.recorded_whole(runs))
    there = {name: wanted for name, wanted in named.items() if runs.has(wanted)}
    if not there or not runs.has(*there.values()):
        return {}
    found = zip(there, runs.records(*there.values()), strict=True)
    return {
        name: _read(own)
        for name, own in found
        if own[0].extras.labels and own[0].extras.labels.made
    }


def _read(own: list[Record]) -> Followed:
    labels = [record.extras.labels for record in own]
    first = labels[0]
    return Followed(
        id=first.id,
        given=np.array(first.given),
        made={m: np.array([one.made[m] for one in labels]) for m in first.made},
        **{
            what: {
                m: np.array([getattr(one, what)[m] for one in labels], float) for m in first.made
            }
            for what in ("movement", "drift", "clamped", "percentile")
        },
    )


# --- Fig. 4 in numbers --------------------------------------------------------------------------


def settling(found: Mapping[str, Followed], *, setting: str) -> Table | Note:
    """SUGRM-C18: how far labels and targets still move, beside labels drawn at random."""
    if not found:
        return Note(NOTHING)
    epochs = next(iter(found.values()))
    null = momentum.null_movement(epochs.epochs)  # epoch 1 has none
    shown = epochs.at(LOOKED_AT)
    rows = []
    for name, own in found.items():
        for m in own.made:
            rows.append(
                {"labels": name, "modality": m}
                | {f"S, epoch {e}": _seeds(own.movement[m][:, e - 1]) for e in shown}
                | {f"R, epoch {e}": _seeds(own.drift[m][:, e - 1]) for e in (4, 15) if e in shown}
                | ({"R, epoch 4": _seeds(own.drift[m][:, 3])} if epochs.epochs >= 4 else {})
            )
    rows.append(
        {"labels": "random", "modality": "any"}
        | {f"S, epoch {e}": f"{null[e - 1]:.3f}" for e in shown}
    )
    frame = pd.DataFrame(rows).fillna("-")
    columns = ["labels", "modality", *sorted(frame.columns[2:], key=_by_letter_and_epoch)]
    return Table(
        frame[columns],
        caption="S: mean change of a label against the epoch before, in points of the scale. R: "
        "the same of the targets, before the momentum. Random: targets drawn evenly from -3 to 3 "
        f"under the same momentum. {_over_seeds(found)} Setting: {setting}.",
    )


def _by_letter_and_epoch(column: str) -> tuple:
    return column[0] != "S", int(column.rpartition(" ")[2])


def limits(found: Mapping[str, Followed], *, setting: str) -> Table | Note:
    """SUGRM-C19: how many targets lie at the ends of the scale, and how far beyond they reach."""
    if not found:
        return Note(NOTHING)
    rows = [
        {"labels": name, "modality": m}
        | {f"at the ends, epoch {e}": _seeds(own.clamped[m][:, e - 1], _percent) for e in shown}
        | {f"99th percentile, epoch {e}": _seeds(own.percentile[m][:, e - 1], _two) for e in shown}
        for name, own in found.items()
        for shown in [own.at((2, 15))]
        for m in own.made
    ]
    return Table(
        pd.DataFrame(rows),
        caption="At the ends: share of targets at or beyond -3 and 3. 99th percentile: of the size "
        "of targets before they are cut, in points; SUGRM's can be no larger than the clip's label "
        f"plus 6. {_over_seeds(found)} Setting: {setting}.",
    )


def turned(found: Mapping[str, Followed], *, setting: str) -> Table | Note:
    """How many labels have gone to the other side of zero, and what is left of the given ones."""
    if not found:
        return Note(NOTHING)
    rows = [
        {"labels": name, "modality": m}
        | {
            f"other side, epoch {e}": _seeds(_across(own.given, made[:, e - 1])[0], _percent)
            for e in own.at((2, 5, 15))
        }
        | {"Corr with the given, last epoch": _seeds(_pearson(made[:, -1], own.given), _two)}
        | {"Corr with other modalities, last epoch": _alike(own, m)}
        for name, own in found.items()
        for m, made in own.made.items()
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Other side: share of labels on the other side of zero from the label that the "
        "clip was given. Corr with other modalities: mean correlation with their generated labels, "
        f"which is 1 where all get the same ones. {_over_seeds(found)} Setting: {setting}.",
    )


def _alike(own: Followed, modality: str) -> str:
    """Mean correlation of one modality's last labels with those of each other, over seeds."""
    last = {m: made[:, -1] for m, made in own.made.items()}
    pairs = [
        [np.corrcoef(mine, other)[0, 1] for mine, other in zip(last[modality], labels, strict=True)]
        for m, labels in last.items()
        if m != modality
    ]
    return _seeds(np.mean(pairs, 0), _two) if pairs else "-"


def distances(runs: Runs, *, setting: str) -> Table | Note:
    """SUGRM-C20: do pairs of clips with features far apart have labels far apart?"""
    named = plan.compared(plan.recorded_whole(runs))
    there = {name: named[name] for name in ("SUGRM", "Self-MM") if runs.has(named[name])}
    rows = []
    for name, wanted in there.items():
        (own,) = runs.records(wanted)
        geometry = [record.extras.geometry for record in own if record.extras.geometry]
        if geometry:
            rows.append(
                {
                    "system": name,
                    "after epoch 1": mean_sd([g.first for g in geometry], _two),
                    "selected epoch": mean_sd([g.selected for g in geometry], _two),
                    "higher in": f"{_higher(geometry)} of {len(geometry)} seeds",
                }
            )
    if not rows:
        return Note("No run of this setting has its distances on record.")
    return Table(
        pd.DataFrame(rows),
        caption="Spearman's correlation between the distance of two test clips' multimodal "
        "features and the distance of their labels, over all pairs: 1 if one orders the pairs as "
        f"the other does, 0 if they have nothing to do with each other. Setting: {setting}.",
    )


def _higher(geometry: Iterable) -> int:
    known = [g for g in geometry if None not in (g.first, g.selected)]
    return sum(g.selected > g.first for g in known)


# --- how near the truth -------------------------------------------------------------------------

MEASURES = {
    "corr": "Corr with the truth",
    "mae": "MAE to the truth",
    "beyond": "Corr beyond the given label",
}
COPY, RANDOM = "copy of the given label", "random, same momentum"


class Truth(NamedTuple):
    """How near labels come to the true sentiment, by measure: modality -> (..., E)."""

    epochs: int
    made: dict[str, dict[str, dict[str, np.ndarray]]]  # generator -> measure -> modality -> (S, E)
    copy: dict[str, dict[str, float]]  # measure -> modality
    random: dict[str, dict[str, np.ndarray]]  # measure -> modality -> (D, E)


def nearness(found: Mapping[str, Followed], corpus) -> Truth | None:
    """Of both generators, of a copy of the given label and of random labels; None without truth."""
    if corpus is None or corpus.truth is None or not found:
        return None
    first = next(iter(found.values()))
    rows = corpus.utterances.index.get_indexer(first.id)
    truth = {m: np.asarray(corpus.truth["sentiment"][m])[rows] for m in first.made}
    drawn = random_labels(tuple(first.given), first.epochs)

    def by_modality(labels: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        near = {m: near_to(labels[m], truth[m], first.given) for m in labels}
        return {measure: {m: near[m][measure] for m in near} for measure in MEASURES}

    copy = by_modality(dict.fromkeys(truth, first.given))
    return Truth(
        epochs=first.epochs,
        made={name: by_modality(own.made) for name, own in found.items()},
        copy={measure: {m: float(v) for m, v in own.items()} for measure, own in copy.items()},
        random=by_modality(dict.fromkeys(truth, drawn)),
    )


def near_to(labels: np.ndarray, truth: np.ndarray, given: np.ndarray) -> dict[str, np.ndarray]:
    """Each of ``MEASURES`` of labels (..., N): (...).

    ``beyond`` is the partial correlation of label and truth, with what the given label says taken
    out of both; nan for labels that say nothing else.
    """
    return {
        "corr": _pearson(labels, truth),
        "mae": np.abs(labels - truth).mean(-1),
        "beyond": _pearson(_without(labels, given), _without(truth, given)),
    }


def _without(values: np.ndarray, given: np.ndarray) -> np.ndarray:
    """What of values (..., N) no straight line over the given label explains."""
    x, y = given - given.mean(), values - values.mean(-1, keepdims=True)
    return y - (y @ x / (x @ x))[..., None] * x


def _pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a - a.mean(-1, keepdims=True), b - b.mean()
    size = np.sqrt((a * a).sum(-1) * (b * b).sum())
    return (a @ b) / np.where(size > 1e-9, size, np.nan)


@lru_cache(maxsize=4)
def random_labels(given: tuple[float, ...], epochs: int, draws: int = DRAWS) -> np.ndarray:
    """Labels under the momentum of the generators, targets drawn evenly from -3 to 3: (D, E, N)."""
    rng = np.random.default_rng(0)
    made = np.empty((draws, epochs, len(given)))
    made[:, 0] = given
    for e in range(2, epochs + 1):
        target = rng.uniform(-LIMIT, LIMIT, (draws, len(given)))
        made[:, e - 1] = ((e - 1) * made[:, e - 2] + 2 * target) / (e + 1)
    return made


def worth(truth: Truth | None, *, setting: str) -> Table | Note:
    """The last epoch in numbers, with intervals over seeds, or over draws for random labels."""
    if truth is None:
        return Note(NO_TRUTH)
    rows = []
    for m in truth.copy["mae"]:
        for name, near in truth.made.items():
            cells = {MEASURES[k]: _interval(near[k][m][:, -1], k) for k in MEASURES}
            rows.append({"modality": m, "labels": name} | cells)
        cells = {MEASURES[k]: _number(truth.copy[k][m]) for k in MEASURES}
        rows.append({"modality": m, "labels": COPY} | cells)
        cells = {MEASURES[k]: _spread(truth.random[k][m][:, -1]) for k in MEASURES}
        rows.append({"modality": m, "labels": RANDOM} | cells)
    seeds = len(next(iter(truth.made.values()))["mae"][m])
    return Table(
        pd.DataFrame(rows),
        caption=f"Labels of the training clips after epoch {truth.epochs} against the true "
        "sentiment of each modality. MAE in points, lower is better; Corr: higher is better. In "
        f"brackets: 95% intervals of the mean over {seeds} trainings (Student's t), for random "
        f"labels 95% of {DRAWS} draws. Setting: {setting}.",
    )


def told(truth: Truth | None) -> Note:
    """What ``worth`` shows, in sentences; what an interval leaves open is undecided."""
    if truth is None:
        return Note(NO_TRUTH)
    many = len(truth.copy["mae"])
    chance = {m: np.quantile(own[:, -1], 0.975) for m, own in truth.random["beyond"].items()}
    sentences = [
        f"Over the {many} modalities, counted only where the whole interval says so, after epoch "
        f"{truth.epochs}."
    ]
    for name, near in truth.made.items():
        corr, mae = (_sides(near[k], truth.copy[k]) for k in ("corr", "mae"))
        know, _ = _sides(near["beyond"], chance)
        sentences.append(
            f"{name} labels against a copy of the given label: correlation with the truth higher "
            f"in {corr[0]}, lower in {corr[1]}, undecided in {many - sum(corr)}; nearer to the "
            f"truth in {mae[1]}, farther from it in {mae[0]}, undecided in {many - sum(mae)}. "
            f"They know more beyond the given label than random labels in {know}."
        )
    return Note(" ".join(sentences))


def _sides(near: Mapping[str, np.ndarray], than: Mapping[str, float]) -> tuple[int, int]:
    """In how many modalities the last epoch lies above and below a level, interval and all."""
    ends = {m: _t_interval(values[:, -1])[1:] for m, values in near.items()}
    above = sum(low > than[m] for m, (low, _) in ends.items())
    return int(above), int(sum(high < than[m] for m, (_, high) in ends.items()))


def _t_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of (S,) with its 95% interval; nan where there are fewer than two."""
    from scipy.stats import t

    if len(values) < 2 or np.isnan(values).any():
        return float(values.mean()), np.nan, np.nan
    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - reach), float(values.mean() + reach)


def _interval(values: np.ndarray, measure: str) -> str:
    mean, low, high = _t_interval(values)
    if measure != "mae":  # Student's t knows nothing of the bounds of a correlation
        low, high = np.clip((low, high), -1, 1)
    return _number(mean) if np.isnan(low) else _bracketed(mean, low, high)


def _spread(values: np.ndarray) -> str:
    return _bracketed(values.mean(), *np.quantile(values, [0.025, 0.975]))


def _bracketed(mean: float, low: float, high: float) -> str:
    return f"{mean:.3f} [{low:.3f},\u00a0{high:.3f}]"


def _number(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.3f}"


# --- Table 5 ------------------------------------------------------------------------------------

OF = {"m": "given"} | {letter: m for letter, m in LETTERS.items()}
"""Letters of Table 5."""


def samples(runs: Runs, *, setting: str) -> Table | Note:
    """Table 5: the printed predictions and labels of four clips, and our labels of the same."""
    own = followed(runs).get("SUGRM's")
    if own is None:
        return Note(NOTHING)
    if not set(SAMPLES.values()) <= set(own.id):
        return Note("Table 5 shows four clips of CMU-MOSI: they are not in this data set.")
    rows = []
    for sample, clip in SAMPLES.items():
        named = {"sample": sample, "clip": clip}
        for what in ("label", "pred"):
            cells = {OF[x]: _printed(sample, f"{what}_{x}") for x in OF}
            rows.append(named | {"whose": f"printed {_WHAT[what]}"} | cells)
        i = own.id.index(clip)
        labels = {m: _seeds(made[:, -1, i], _two) for m, made in own.made.items()}
        rows.append(
            named
            | {"whose": f"our labels, epoch {own.epochs}", "given": f"{own.given[i]:.1f}"}
            | labels
        )
    frame = pd.DataFrame(rows).fillna("-").rename(columns={"given": "multimodal"})
    return Table(
        frame,
        caption="Four clips of CMU-MOSI, all of the training part. Labels in points from -3 to 3; "
        "the multimodal label is the given one. Ours: mean ± standard deviation over "
        f"{len(next(iter(own.made.values())))} seeds; the unimodal predictions that we keep are of "
        f"test clips, so of these there are none. Setting: {setting}.",
    )


_WHAT = {"label": "labels", "pred": "predictions"}


def _printed(sample: str, metric: str) -> str:
    return printed.cell("sugrm", "table5", "mosi", "SUGRM", sample, metric)["printed"]


def beside_all(runs: Runs, *, setting: str) -> Table | Note:
    """What the four clips look like, beside all training clips: order and offsets of labels."""
    own = followed(runs).get("SUGRM's")
    if own is None:
        return Note(NOTHING)
    ours = {"given": np.broadcast_to(own.given, next(iter(own.made.values()))[:, -1].shape)}
    ours |= {m: made[:, -1] for m, made in own.made.items()}  # (S, N)
    theirs = None
    four = [own.id.index(clip) for clip in SAMPLES.values() if clip in own.id]
    if len(four) == len(SAMPLES):
        theirs = {
            OF[x]: np.array([[float(_printed(k, f"label_{x}")) for k in SAMPLES]]) for x in OF
        }
    rows = []
    for low, high in combinations(ours, 2):
        named = f"{high} label above the {low} one".replace("given one", "given")
        rows.append(_row(named, _above, ours, theirs, four, low, high))
    for m in own.made:
        named = f"{m} label on the other side of zero from the given"
        rows.append(_row(named, _across, ours, theirs, four, "given", m))
        named = f"distance of the {m} label from the given (points)"
        rows.append(_row(named, _apart, ours, theirs, four, "given", m))
    clips = "the four clips of Table 5" if four else "the four clips are not in this data set"
    return Table(
        pd.DataFrame(rows),
        caption=f"How labels lie to each other: {clips}, and all {len(own.id)} training clips, "
        f"after epoch {own.epochs}, mean ± standard deviation over seeds. Setting: {setting}.",
    )


def _row(named, measure, ours, theirs, four, low, high) -> dict[str, str]:
    row = {"what": named}
    if theirs is not None:
        (value,), show = measure(theirs[low], theirs[high])
        row["printed, 4 clips"] = show(value)
        values, _ = measure(ours[low][:, four], ours[high][:, four])
        row["ours, the same 4 clips"] = mean_sd(values, show)
    values, show = measure(ours[low], ours[high])
    return row | {"ours, all training clips": mean_sd(values, show)}


def _above(low: np.ndarray, high: np.ndarray):
    return (high > low).mean(-1), _percent


def _across(low: np.ndarray, high: np.ndarray):
    return (low * high < 0).mean(-1), _percent


def _apart(low: np.ndarray, high: np.ndarray):
    return np.abs(high - low).mean(-1), _two


def picked(runs: Runs, corpus, *, setting: str) -> Table | Note:
    """How many clips would convince a reader, if one may choose them: control only.

    A clip looks right if the made label of every modality is nearer to the truth than the clip's
    own label.
    """
    found = followed(runs)
    if corpus is None or corpus.truth is None or not found:
        return Note(NO_TRUTH if found else NOTHING)
    first = next(iter(found.values()))
    rows = corpus.utterances.index.get_indexer(first.id)
    truth = {m: np.asarray(corpus.truth["sentiment"][m])[rows] for m in first.made}
    drawn = random_labels(tuple(first.given), first.epochs)[:, -1]
    labels = {name: {m: made[:, -1] for m, made in own.made.items()} for name, own in found.items()}
    labels["random"] = {m: drawn[i :: len(truth)] for i, m in enumerate(truth)}
    many = min(len(own) for own in labels["random"].values())
    labels["random"] = {m: own[:many] for m, own in labels["random"].items()}
    table = []
    for name, own in labels.items():
        right = np.array([abs(own[m] - truth[m]) < abs(first.given - truth[m]) for m in truth])
        table.append(
            {
                "labels": name,
                "clips that look right": mean_sd(right.all(0).sum(-1), "{:.0f}".format),
                "share of all clips": mean_sd(right.all(0).mean(-1), _percent),
            }
        )
    return Table(
        pd.DataFrame(table),
        caption="Training clips in which the label of every modality is nearer to its true "
        f"sentiment than the clip's own label is, of {len(first.id)}, mean ± standard deviation "
        f"over seeds (random: over draws), after epoch {first.epochs}. Setting: {setting}.",
    )


# --- what several tables are made of ------------------------------------------------------------


def _three(value: float) -> str:
    return f"{value:.3f}"


def _two(value: float) -> str:
    return f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def _seeds(values: np.ndarray, show=_three) -> str:
    """Mean and standard deviation of (S,); a dash where there is nothing."""
    return "-" if np.isnan(values).any() else mean_sd(values, show)


def _over_seeds(found: Mapping[str, Followed]) -> str:
    first = next(iter(found.values()))
    seeds = len(next(iter(first.made.values())))
    return (
        f"Mean ± standard deviation over {names.plural(seeds, 'seed')}; {len(first.id)} training "
        "clips."
    )
