"""The page on features that leak: how a linear probe and a model do on each part of the data.

The signs need no model of ours: a linear probe on pooled features, and how it does on each part.
Honest features do best where the probe was fitted. Those that leak do as well, or better, on clips
whose labels their makers used, whatever part we put these in. The tests of that are in ``audit``.
"""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base.provenance import commit
from msalib.data import datasets as readers
from msalib.data.corpus import PARTS, Corpus
from msalib.data.describe import recorded
from msalib.data.metrics import METRICS, regression
from msalib.evidence.audit.probe import PENALTIES, pooled
from msalib.pages.cells import scores
from msalib.pages.tables import Table
from msalib.papers.uegd import layers
from msalib.runs.query import Runs
from msalib.runs.study import Study


class Audit(BaseModel):
    """The signs of leakage in one data set, on the split that its runs use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    fingerprint: str
    commit: str
    probe: dict[str, dict[str, float | None]]  # modality -> part -> Pearson's r; None: undefined
    clips: dict[str, int]  # part -> clips
    seen: dict[str, int] | None  # part -> those whose labels the makers of the features used


def audit(dataset: str, refresh: bool = False) -> Audit:
    """Return the audit of a data set: read where it is recorded, else computed from the data.

    ``refresh`` computes it from the available data and, for real data, records it.
    """
    split = readers.dataset(dataset).split
    return recorded(
        Audit,
        f"audit/{dataset}.json",
        dataset,
        lambda: examine(readers.load(dataset), dataset, split),
        refresh=refresh,
        damaged="delete it to make it anew from the data",
        other="delete the file to make it anew",
    )


def examine(corpus: Corpus, dataset: str, split: str) -> Audit:
    """Probe every modality on a split of a corpus; count clips that the features' makers used."""
    rows = {part: corpus.rows(part, split) for part in PARTS}
    label = corpus.utterances["label"].to_numpy()
    seen = None
    if "features" in corpus.splits:
        used = (corpus.splits["features"] != "test").to_numpy()
        seen = {part: int(used[rows[part]].sum()) for part in PARTS}
    return Audit(
        dataset=dataset,
        fingerprint=corpus.fingerprint(),
        commit=commit(),
        probe={m: probe(pooled(f), label, rows) for m, f in corpus.features.items()},
        clips={part: len(rows[part]) for part in PARTS},
        seen=seen,
    )


def probe(x: np.ndarray, label: np.ndarray, rows: dict[str, np.ndarray]) -> dict:
    """Return Pearson's r on each part of a ridge regression fitted on the training set.

    Its penalty is chosen by leave-one-out on the training set.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
    model.fit(x[rows["train"]], label[rows["train"]])
    corr = {p: regression(label[r], model.predict(x[r]))["corr"] for p, r in rows.items()}
    return {part: None if np.isnan(r) else round(r, 6) for part, r in corr.items()}


# --- what the page shows ------------------------------------------------------------------------


def data_sets(dataset: str) -> list[str]:
    """Return this data set and its variant with test videos unseen by the makers, if any."""
    unseen = f"{dataset}-unseen"
    return [dataset, unseen] if unseen in readers.DATASETS else [dataset]


def probe_table(audits: list[Audit]) -> Table:
    """Show the linear probe's correlation by part, and whether test beats train."""
    rows = [
        {
            "split": _split(a.dataset),
            "modality": m,
            **{part: _shown(a.probe[m][part]) for part in PARTS},
            "test above train": _above(a.probe[m]["test"], a.probe[m]["train"]),
            "validation far above test": _above(a.probe[m]["valid"], a.probe[m]["test"], by=0.2),
        }
        for a in audits
        for m in a.probe
    ]
    caption = "Linear probe on pooled features, Pearson's r by part. Setting: " + "; ".join(
        f"{readers.dataset(a.dataset).title}, {_kind(a.dataset)}" for a in audits
    )
    return Table(pd.DataFrame(rows), caption=caption + ".")


def seen_table(audits: list[Audit]) -> Table:
    """Count the clips of each part whose labels the makers of the features used."""
    rows = [
        {
            "split": _split(a.dataset),
            "set": part,
            "clips": a.clips[part],
            "label used by the makers": "none known" if a.seen is None else a.seen[part],
            "share": "-" if a.seen is None else f"{a.seen[part] / a.clips[part]:.0%}",
        }
        for a in audits
        for part in PARTS
    ]
    settings = "; ".join(f"{readers.dataset(a.dataset).title}, {_kind(a.dataset)}" for a in audits)
    caption = f"Clips whose labels the makers of the features used. Setting: {settings}."
    return Table(pd.DataFrame(rows), caption=caption)


def model_table(studies: list[Study]) -> Table:
    """Show UEGD's MAE and correlation on each part, for each modality alone and for all."""
    rows = []
    for study in studies:
        features = ["output"] if study.dataset.layered else ["input"]
        modalities = study.dataset.modalities
        for group in [*([m] for m in modalities), modalities]:
            seeds = layers.together(study, group, features)
            (system,) = Runs(seeds).systems
            rows.append(
                {
                    "setting": study.kind,
                    "split": _split(study.parameters.dataset),
                    "input": " + ".join(m for m, _ in system.inputs),
                }
                | {
                    f"{part} {METRICS[m].label}": scores(seeds, m, part)
                    for m in ("mae", "corr")
                    for part in PARTS
                }
            )
    caption = "UEGD by part, mean ± standard deviation of seeds; MAE in points. Setting: "
    return Table(pd.DataFrame(rows), caption=caption + "; ".join(s.setting for s in studies) + ".")


def _split(dataset: str) -> str:
    split = readers.dataset(dataset).split
    return "standard" if split == "standard" else "test videos unseen by the makers"


def _kind(dataset: str) -> str:
    known = readers.dataset(dataset)
    if known.leaky:
        return "leaky: counts for no claim"
    return "real data" if known.real else "control"


def _shown(r: float | None) -> str:
    return "undefined" if r is None else f"{r:.2f}"


def _above(a: float | None, b: float | None, by: float = 0.0) -> str:
    if a is None or b is None:
        return "undefined"
    return "yes" if a > b + by else "no"
