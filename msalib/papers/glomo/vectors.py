"""Vectors of a trained GLoMo, for pictures: a recorded run is trained again from its specification.

A record holds numbers on vectors (``models.extras.ExpertExtras.spaces``), not the vectors. Seed 0
is trained again on the same clips, and its test predictions are compared with the record's.
"""

from dataclasses import dataclass

import numpy as np

from msalib.base.provenance import one_thread, pick_device
from msalib.data.corpus import MODALITIES
from msalib.pages import recorded
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System
from msalib.runs.study import Study, context_of

CLIPS = 300
"""Test clips that a picture shows, at most: the first, as in the records' numbers."""

SEED = 0


@dataclass(frozen=True)
class Vectors:
    """Vectors of the first test clips of one run (N clips, width d); ``label`` (N,).

    By modality: ``whole`` and ``pieces`` (N, d), ``expert`` (N,) with the largest gate. ``fused``
    (N, D) is what the head reads. ``apart`` is the largest difference between the predictions of
    this training and those of the record, None where the record has all folds.
    """

    whole: dict[str, np.ndarray]
    pieces: dict[str, np.ndarray]
    expert: dict[str, np.ndarray]
    fused: np.ndarray
    label: np.ndarray
    apart: float | None

    def trained_again(self) -> str:
        """Say how the training behind a picture compares with the record."""
        if self.apart is None:
            return "Seed 0 of the first fold, trained again. "
        if self.apart == 0:
            return "Seed 0, trained again; its test predictions equal the record's. "
        return (
            "Seed 0, trained again; its test predictions differ from the record's by at most "
            f"{self.apart:.2g} (another machine or version). "
        )


def available(study: Study) -> bool:
    """Check whether a run can be trained again for a page: data here, and no large encoder."""
    return study.corpus is not None and not (study.tuned and study.dataset.real)


def vectors(study: Study, system: System, runs: Runs) -> Vectors | None:
    """Train seed 0 of a system again and return its vectors; None where that cannot be done.

    ``runs`` has the record of it, or there is no picture. Where the usual split is a fold, the run
    is that of the first fold.
    """
    if not (available(study) and runs.has(system) and SEED in runs.seeds(system)):
        return None
    from msalib.runs.trainer import Trainer, regime_of
    from msalib.training import loop

    one = recorded.parts(study)[0]
    spec = one.spec(recorded.asked(study, system), SEED)
    corpus = one.encoded_for(set(spec.inputs), context_of(spec.model))
    trainer = Trainer(corpus, pick_device(one.parameters.device), one.parameters.target)
    with one_thread():
        (fit,) = trainer.fit([spec])
        regime, examples = regime_of(spec), trainer.examples(spec, "test")
        with loop.autocast(trainer.device, regime):
            outputs = loop.predict(fit.model, examples, regime.judged_batch)
    first = outputs.batches[0]

    def column(name: str, modality: str) -> np.ndarray:
        return outputs.column(lambda o: getattr(o, name)[modality])[:CLIPS].cpu().numpy()

    return Vectors(
        whole={m: column("whole", m) for m in MODALITIES if m in first.whole},
        pieces={m: column("pieces", m) for m in MODALITIES if m in first.pieces},
        expert={
            m: outputs.column(lambda o, m=m: o.gates[m].gates)[:CLIPS].argmax(1).cpu().numpy()
            for m in MODALITIES
            if m in first.gates
        },
        fused=outputs.column(lambda o: o.fused)[:CLIPS].cpu().numpy(),
        label=examples.label[:CLIPS].cpu().numpy(),
        apart=_apart(spec.system, outputs.scores.cpu().numpy(), runs),
    )


def _apart(system: System, scores: np.ndarray, runs: Runs) -> float | None:
    """Return the largest difference between scores (N,) or (N, K) and those of the record."""
    clips = _of_seed(runs, system).predictions["test"]
    known = np.array(clips.scores or clips.prediction)
    if known.shape != scores.shape:  # several folds as one record
        return None
    from msalib.runs.trainer import rounded_rows

    return float(np.abs(np.array(rounded_rows(scores)) - known).max())


def _of_seed(runs: Runs, system: System) -> Record:
    (seeds,) = runs.records(system)
    return next(record for record in seeds if record.spec.seed == SEED)


def placed(vectors: np.ndarray) -> np.ndarray:
    """Place vectors (N, d) in the plane by t-SNE, (N, 2); its perplexity is at most 30."""
    from sklearn.manifold import TSNE

    perplexity = min(30, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=SEED).fit_transform(vectors)
