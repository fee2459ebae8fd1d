"""Summarise a corpus in numbers: counts, label statistics and chance, which the data page shows.

The summary of real data is committed (``book/records/data/<dataset>.json``), so that the page can
be built without the data. A simulation is summarised on the spot.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.base.provenance import commit
from msalib.data import datasets as readers
from msalib.data import folds
from msalib.data.corpus import PARTS, Corpus

M = TypeVar("M", bound=BaseModel)


class Summary(BaseModel):
    """Counts and label statistics of one corpus, standard split, or the first if it has none.

    Statistics are those of the column ``label``; counts of labels and chance are the usual task's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    title: str
    fingerprint: str
    commit: str
    dropped: dict[str, str]
    clips: dict[str, int]  # part -> clips with a label
    unlabelled: dict[str, int]  # part -> clips dropped for want of a label
    videos: dict[str, int]
    zero_labels: dict[str, int]
    negative_labels: dict[str, int]
    label_mean: dict[str, float]
    label_variance: dict[str, float]  # population variance
    intra_video_variance: dict[str, float]  # of labels minus their video's mean, population
    label_counts: dict[str, list[int]]  # part -> clips per bin between the task's edges
    features: dict[str, str]  # modality -> what one frame is
    chance: dict[str, float | None]  # the task's, on the test part; None where undefined


def summarise(corpus: Corpus, title: str) -> Summary:
    """Summarise the standard split of a corpus, or its first split if it has no standard one.

    Statistics of a part without clips are NaN, and chance is unknown without training or test.
    """
    split = usual_split(corpus)
    numbers = {field: {} for field in Summary.model_fields if field not in _WHOLE}
    labels = {}
    for part in PARTS:
        table = corpus.utterances.iloc[corpus.rows(part, split)]
        label = table["label"]
        within = label - label.groupby(table["video"]).transform("mean")
        numbers["clips"][part] = len(table)
        numbers["unlabelled"][part] = sum(p == part for p in corpus.dropped_part.values())
        numbers["videos"][part] = table["video"].nunique()
        numbers["zero_labels"][part] = int((label == 0).sum())
        numbers["negative_labels"][part] = int((label < 0).sum())
        numbers["label_mean"][part] = float(label.mean())
        numbers["label_variance"][part] = float(label.var(ddof=0))
        numbers["intra_video_variance"][part] = float(within.var(ddof=0))
        labels[part] = corpus.task.labels(table)
        numbers["label_counts"][part] = np.histogram(labels[part], corpus.task.edges)[0].tolist()
    chance = {}
    if len(labels["train"]) and len(labels["test"]):
        chance = corpus.task.chance(labels["train"], labels["test"])
    return Summary(
        dataset=corpus.name,
        title=title,
        fingerprint=corpus.fingerprint(),
        commit=commit(),
        dropped=dict(corpus.dropped),
        features={m: f"{f.source}, one frame per {f.unit}" for m, f in corpus.features.items()},
        chance={name: None if np.isnan(value) else value for name, value in chance.items()},
        **numbers,
    )


def usual_split(corpus: Corpus) -> str:
    """Return the name of the standard split of a corpus, or of its first."""
    return "standard" if "standard" in corpus.splits else next(iter(corpus.splits))


_WHOLE = ("dataset", "title", "fingerprint", "commit", "dropped", "features", "chance")


def summary(dataset: str, refresh: bool = False) -> Summary:
    """Return the summary of a data set: read where it is recorded, else computed from the data.

    ``refresh`` computes it from the available data and, for real data, records it.
    """
    return recorded(
        Summary,
        f"data/{dataset}.json",
        dataset,
        lambda: summarise(readers.load(dataset), readers.dataset(dataset).title),
        refresh=refresh,
        damaged="record it again: msalib data --record",
        other="record these: msalib data --record",
    )


def is_recorded(dataset: str) -> bool:
    """Check whether a summary of a data set is recorded."""
    return Recorded(Summary, f"data/{dataset}.json", "summary", "").exists


def recorded(
    kind: type[M],
    file: str,
    dataset: str,
    make: Callable[[], M],
    *,
    refresh: bool,
    damaged: str,
    other: str,
) -> M:
    """Read what ``<records>/<file>`` says of a data set, or make it anew.

    Only measurements of built-in real data are recorded. Where those data are available, the
    record must be of them; a shipped one of other data gives way to a new one in another folder.
    ``damaged`` and ``other`` end the remedies for a file that cannot be read and for one of other
    data. Raises ``UserError`` for these two.
    """
    name = kind.__name__.lower()
    real = readers.dataset(dataset).real and dataset in readers.DATASETS
    record = Recorded(kind, file, f"{name} of a data set", damaged)
    if real and not refresh and record.exists:
        measured = record.read()
        if not readers.is_available(dataset):
            return measured
        available = readers.load(dataset).fingerprint()
        if available == measured.fingerprint:
            return measured
        if not record.elsewhere:
            raise UserError(
                record.path,
                found=f"the {name} of other data ({measured.fingerprint[:12]})",
                expected=f"that of the available data ({available[:12]})",
                remedy=f"Restore the data, or {other}.",
            )
    made = make()
    if real:
        record.write(made)
    return made


# --- in lines, for a terminal ---------------------------------------------------------------------


def lines(name: str, corpus: Corpus, title: str) -> list[str]:
    """Return counts by part, features, dropped clips and notes of a corpus, one per line.

    Where a part has no clips, it is said that models cannot be trained, and what can be done.
    """
    summary = summarise(corpus, title)
    parts = (
        f"  {part}: {clips} clips in {summary.videos[part]} videos"
        for part, clips in summary.clips.items()
    )
    head = f"{name}: {title}, fingerprint {summary.fingerprint[:12]}"
    return [head, *parts, *_untrainable(corpus), *contents(corpus)]


def _untrainable(corpus: Corpus) -> list[str]:
    try:
        folds.check_whole(corpus, usual_split(corpus))
    except UserError as error:
        return [f"  {error.found}: no model can be trained; encode and audit work. {error.remedy}"]
    return []


def contents(corpus: Corpus) -> list[str]:
    """Return what the features of a corpus are and which clips were dropped, one per line."""
    rows = []
    for modality, features in corpus.features.items():
        note = features.provenance.get("note")
        about = f"one frame per {features.unit}" + (f"; {note}" if note else "")
        rows.append(f"{modality}: {features.source}, {about}")
    rows += [
        f"{modality}: {len(files)} files to encode" for modality, files in corpus.media.items()
    ]
    if texts := int((corpus.utterances["text"].str.strip() != "").sum()):
        stored = "linguistic" in corpus.features
        use = f"read in place of these by: msalib encode {corpus.name} ENCODER"
        rows.append(f"linguistic: {texts} transcripts{', ' + use if stored else ' to encode'}")
    rows += [f"note: {note}" for note in corpus.notes]
    if corpus.dropped:
        count = len(corpus.dropped)
        rows.append(f"dropped {count} clip{'s' * (count != 1)}: {_reasons(corpus.dropped)}")
    return [f"  {row}" for row in rows]


def _reasons(dropped: Mapping[str, str]) -> str:
    """Return each clip with its reason, or the count of each reason where there are many clips."""
    if len(dropped) <= 10:
        return ", ".join(f"{_short(clip)} ({why})" for clip, why in dropped.items())
    clips: dict[str, list[str]] = {}
    for clip, why in dropped.items():
        clips.setdefault(why, []).append(clip)
    return "; ".join(f"{len(ids)} {why}, the first {_short(ids[0])}" for why, ids in clips.items())


def _short(clip: str) -> str:
    return clip if len(clip) <= 100 else f"{clip[:100]}..."
