"""What several tests are made of: a tiny corpus, packs on disk, and records without training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import MODALITIES, PARTS, Corpus, Features
from msalib.data.tasks import Classes
from msalib.runs.records import Predictions, Provenance, Record
from msalib.runs.spec import Spec, System, system

SIZES = {"visual": 5, "acoustic": 4, "linguistic": 6}
LAYERS = 4  # numbers 0 to 3
SHARES = ("acc2_has0", "acc2_non0", "f1_has0", "f1_non0", "acc3", "acc5", "acc7")

TRAIN = {
    "epochs": 3,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "warmup_epochs": 1,
    "warmup_learning_rate": 1e-3,
    "min_learning_rate": 1e-3,
    "validation_loss": "batch_mean",
    "patience": None,
    "feature_masks": 0,
    "feature_mask_share": 0.02,
    "time_masks": 0,
    "time_mask_share": 0.2,
}
MODEL = {
    "hidden_size": 8,
    "embedding_size": 4,
    "attention_heads": 2,
    "dropout": 0.2,
    "fusion": "gate",
}


def tiny_corpus(seed: int = 0) -> Corpus:
    """40 clips of 1 to 12 frames in 10 videos: 20 train, 10 valid and 10 test clips.

    Labels follow the first linguistic feature, so that something can be learned.
    """
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"v{i // 4}_{i % 4}" for i in range(40)], name="id")
    label = rng.uniform(-3, 3, 40).round(1)
    features = {}
    for m, size in SIZES.items():
        lengths = rng.integers(1, 13, 40)
        clip = np.repeat(np.arange(40), lengths)
        layers = {}
        for k in range(LAYERS):
            frames = rng.normal(size=(len(clip), size))
            if m == "linguistic":
                frames[:, 0] += label[clip]
            layers[k] = frames.astype(np.float16)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        features[m] = Features("dice", "throw", layers, offsets, {"sha256": f"{m} {seed}"})
    assert tuple(features) == MODALITIES
    table = pd.DataFrame({"segment": [i % 4 for i in range(40)], "text": "x"}, index=ids)
    table = table.assign(video=[f"v{i // 4}" for i in range(40)], label=label)
    part = ["train"] * 20 + ["valid"] * 10 + ["test"] * 10
    return Corpus("tiny", table, features, {"standard": pd.Series(part, index=ids)})


CLASSES = Classes(("negative", "neutral", "positive"))


def tiny_classes() -> Corpus:
    """The tiny corpus with three classes for its labels: below -1, between, above 1."""
    corpus = tiny_corpus()
    number = np.digitize(corpus.utterances["label"], (-1, 1))
    label = np.array(CLASSES.classes)[number]
    return replace(corpus, utterances=corpus.utterances.assign(label=label), tasks=(CLASSES,))


def write_pack(folder: Path, *, table: dict | None = None, arrays: dict | None = None) -> Path:
    """A pack of 40 clips in 10 videos; ``table`` and ``arrays`` replace columns and arrays.

    None takes one away. Clip v9_3 has no label; features lie in another order than the table.
    """
    rng = np.random.default_rng(0)
    ids = [f"v{i // 4}_{i % 4}" for i in range(40)]
    columns = {
        "id": ids,
        "video": [f"v{i // 4}" for i in range(40)],
        "segment": [i % 4 for i in range(40)],
        "text": [f"a good film {i}" for i in range(40)],
        "label": [*rng.uniform(-3, 3, 39).round(1), None],
        "split": ["train"] * 20 + ["valid"] * 8 + ["test"] * 12,
    } | (table or {})
    order = rng.permutation(40)
    stored = {
        "id": np.array(ids)[order],
        "audio_opensmile": order[:, None] + np.arange(3) / 10,
        "visual_3dcnn": rng.normal(size=(40, 2)),
        "text_cnn": rng.normal(size=(40, 2)),
    } | (arrays or {})
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: values for name, values in columns.items() if values is not None}
    pd.DataFrame(kept).to_csv(folder / "utterances.csv", index=False)
    np.savez(folder / "features.npz", **{n: a for n, a in stored.items() if a is not None})
    return folder


def predictions(label, prediction, videos) -> Predictions:
    """Clips named by their place."""
    return Predictions(
        id=[f"clip{i}" for i in range(len(label))],
        video=list(videos),
        label=[float(y) for y in label],
        prediction=[float(y) for y in prediction],
    )


def make_record(
    inputs: dict, seed: int = 0, *, parts: dict[str, Predictions], blocks=None, **spec
) -> Record:
    """A record as a run would leave it, with these predictions of valid and test.

    MAE and correlation are those of the predictions; every share is 0.75, and 0.5 by chance. Gates
    are half open, learned layer weights equal.
    """
    blocks = blocks or {m: k if isinstance(k, int) and k else 1 for m, k in inputs.items()}

    def metrics(clips):
        label, guess = np.array(clips.label), np.array(clips.prediction)
        corr = float(np.corrcoef(label, guess)[0, 1]) if np.ptp(guess) else None
        return dict.fromkeys(SHARES, 0.75) | {
            "mae": float(np.abs(guess - label).mean()),
            "corr": corr,
        }

    return Record(
        spec=Spec(
            **{
                "paper": "uegd",
                "setting": "control",
                "dataset": "control",
                "split": "standard",
                "encoder": "planted",
                "preset": "release",
                "profile": "quick",
                "model": MODEL,
                "train": TRAIN,
                "train_share": 1.0,
            }
            | spec,
            inputs=inputs,
            seed=seed,
        ),
        blocks=blocks,
        provenance=Provenance(
            data="f" * 64,
            features={m: {"source": "dice"} for m in inputs},
            commit="0123456789ab",
            device="CPU",
            threads=1,
            replicas=1,
            versions={"python": "3", "torch": "2"},
            started="2026-01-02T03:04:05+00:00",
            seconds=1.0,
        ),
        selected_epoch=2,
        metrics={part: metrics(parts.get(part, parts["valid"])) for part in PARTS},
        chance=dict.fromkeys(SHARES, 0.5) | {"mae": 1.25, "corr": None},
        layer_weights={
            m: [1 / blocks[m]] * blocks[m] for m, layer in inputs.items() if layer == "weighted"
        },
        gates={m: [0.5] * len(parts["test"].label) for m in MODALITIES},
        history=[{"learning_rate": 0.1, "train_loss": 1.0, "valid_loss": 1.0}],
        predictions=parts,
    )


Truth = dict[str, tuple[np.ndarray, np.ndarray]]  # part -> labels, videos


def _truth(rng: np.random.Generator, videos: int, clips: int) -> Truth:
    truth = {}
    for part, count in (("valid", videos // 2), ("test", videos)):
        video = np.repeat([f"{part}{v}" for v in range(count)], clips)
        label = np.repeat(rng.normal(0, 0.8, count), clips) + rng.normal(0, 1.2, len(video))
        truth[part] = label.clip(-3, 3), video
    return truth


def truth_of(record: Record) -> Truth:
    """Labels and videos of each part, so that more records of the same clips can be made."""
    return {
        part: (np.array(clips.label), np.array(clips.video))
        for part, clips in record.predictions.items()
    }


COUNTED = {"dataset": "raw", "encoder": "small", "profile": "full"}
"""A control of UEGD that the study counts, as a specification has it."""


def layer_records(
    noise: dict[str, dict[int | str, float]],
    *,
    seeds: int = 5,
    videos: int = 20,
    clips: int = 8,
    rng: np.random.Generator | None = None,
    **spec,
) -> list[Record]:
    """Records of single layers: modality -> layer -> sd of the noise that its predictions have."""
    systems = {
        system({m: layer}): sd for m, by_layer in noise.items() for layer, sd in by_layer.items()
    }
    blocks = {m: max(k for k in by_layer if isinstance(k, int)) for m, by_layer in noise.items()}
    return system_records(systems, blocks, seeds=seeds, videos=videos, clips=clips, rng=rng, **spec)


def system_records(
    noise: dict[System, float],
    blocks: dict[str, int],
    *,
    seeds: int = 5,
    videos: int = 20,
    clips: int = 8,
    rng: np.random.Generator | None = None,
    truth: Truth | None = None,
    **spec,
) -> list[Record]:
    """Records of systems, by the sd of the noise that their predictions have.

    Predictions are truth plus noise, independent between systems, half of its variance shared by
    the seeds. Infinite noise is a constant prediction. ``blocks``: of each modality's encoder.
    ``truth`` is that of other records, ``truth_of``.
    """
    rng = rng or np.random.default_rng(0)
    truth = truth or _truth(rng, videos, clips)
    records = []
    for asked, sd in noise.items():
        shared = {part: rng.normal(size=len(label)) for part, (label, _) in truth.items()}
        for seed in range(seeds):
            parts = {}
            for part, (label, video) in truth.items():
                if np.isinf(sd):
                    guess = np.full(len(label), 0.25)
                else:
                    alone = rng.normal(size=len(label))
                    guess = label + sd * (shared[part] + alone) / np.sqrt(2)
                parts[part] = predictions(label, guess, video)
            records.append(
                make_record(
                    dict(asked.inputs),
                    seed,
                    parts=parts,
                    blocks={m: blocks[m] for m, _ in asked.inputs},
                    train_share=asked.train_share,
                    model={**MODEL, "fusion": asked.choice("fusion", paper="uegd")},
                    **spec,
                )
            )
    return records
