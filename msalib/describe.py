"""What a corpus holds, in numbers: the summary that the data page shows.

The summary of real data is committed (``book/records/data/<dataset>.json``), so that the page can
be built without the data; the control is summarised on the spot.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from msalib import readers, records
from msalib.corpus import PARTS, Corpus
from msalib.errors import UserError
from msalib.provenance import commit

EDGES = [float(e) for e in np.linspace(-3, 3, 25)]


class Summary(BaseModel):
    """Counts and label statistics of one corpus, standard split."""

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
    label_mean: dict[str, float]
    label_variance: dict[str, float]  # population variance
    intra_video_variance: dict[str, float]  # of labels minus their video's mean, population
    label_counts: dict[str, list[int]]  # part -> clips per bin between EDGES
    features: dict[str, str]  # modality -> what one frame is


def summarise(corpus: Corpus, title: str) -> Summary:
    """Summarise the standard split of a corpus."""
    numbers = {field: {} for field in Summary.model_fields if field not in _WHOLE}
    for part in PARTS:
        table = corpus.utterances.iloc[corpus.rows(part, "standard")]
        label = table["label"]
        within = label - label.groupby(table["video"]).transform("mean")
        numbers["clips"][part] = len(table)
        numbers["unlabelled"][part] = sum(p == part for p in corpus.dropped_part.values())
        numbers["videos"][part] = table["video"].nunique()
        numbers["zero_labels"][part] = int((label == 0).sum())
        numbers["label_mean"][part] = float(label.mean())
        numbers["label_variance"][part] = float(label.var(ddof=0))
        numbers["intra_video_variance"][part] = float(within.var(ddof=0))
        numbers["label_counts"][part] = np.histogram(label, EDGES)[0].tolist()
    return Summary(
        dataset=corpus.name,
        title=title,
        fingerprint=corpus.fingerprint(),
        commit=commit(),
        dropped=dict(corpus.dropped),
        features={m: f"{f.source}, one frame per {f.unit}" for m, f in corpus.features.items()},
        **numbers,
    )


_WHOLE = ("dataset", "title", "fingerprint", "commit", "dropped", "features")


def summary(dataset: str, refresh: bool = False) -> Summary:
    """The summary of a data set: read where it is recorded, else computed from the data.

    ``refresh`` computes it from the data at hand and, for real data, records it.
    """
    known = readers.dataset(dataset)
    path = records.records_folder() / "data" / f"{dataset}.json"
    if known.real and not refresh and path.is_file():
        try:
            recorded = Summary.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise UserError(
                path,
                found="no readable summary",
                expected="the summary of a data set",
                remedy="Restore the file, or record it again: msalib data --record.",
            ) from error
        if readers.at_hand(dataset):
            at_hand = readers.load(dataset).fingerprint()
            if at_hand != recorded.fingerprint:
                raise UserError(
                    path,
                    found=f"the summary of other data ({recorded.fingerprint[:12]})",
                    expected=f"the data at hand ({at_hand[:12]})",
                    remedy="Restore the data, or record these: msalib data --record.",
                )
        return recorded
    computed = summarise(readers.load(dataset), known.title)
    if known.real:
        records.write_json(path, computed.model_dump())
    return computed
