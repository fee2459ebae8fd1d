"""Tiny data of every layout, written as their makers write them: see ``tests.fixtures_more``.

``FIXTURES``: name of a format -> writer, which is given a folder and returns the path to add;
``VARIANTS``: name -> format and writer, where a format has more than one layout.
"""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests import fixtures_more
from tests.fixtures_more import frames, labels, sentence

VIDEOS, CLIPS = 14, 3
PARTS = {"train": range(8), "valid": range(8, 11), "test": range(11, VIDEOS)}


def _clips(seed: int = 0) -> dict[str, list[tuple[str, int, float, str]]]:
    """Part -> video, clip, label and transcript of each of its clips."""
    rng = np.random.default_rng(seed)
    label = labels(rng, VIDEOS * CLIPS).reshape(VIDEOS, CLIPS)
    return {
        part: [
            (f"vid{v:02d}", k, float(label[v, k]), sentence(rng, label[v, k]))
            for v in videos
            for k in range(CLIPS)
        ]
        for part, videos in PARTS.items()
    }


def _padded(clips: list[np.ndarray], steps: int, front: bool = False) -> np.ndarray:
    """Frames of all clips in one array (N, steps, D), with zeros before or after them."""
    array = np.zeros((len(clips), steps, clips[0].shape[1]), np.float32)
    for row, values in zip(array, clips, strict=True):
        row[steps - len(values) :] = values if front else row[steps - len(values) :]
        if not front:
            row[: len(values)] = values
    return array


def write_pickle(path: Path, content, protocol: int = 4) -> Path:
    """Keep ``content`` as a pickle; a layout that is wrong on purpose, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def mmsa_content(aligned: bool = False, sims: bool = False) -> dict:
    """What an MMSA pickle holds."""
    rng = np.random.default_rng(1)
    scale = 3.0 if sims else 1.0  # SIMS has labels from -1 to 1
    content = {}
    for part, clips in _clips().items():
        label = np.array([clip[2] for clip in clips]) / scale
        words = np.array([len(clip[3].split()) for clip in clips])
        steps = 16
        lengths = {
            "text": words,
            "audio": words if aligned else rng.integers(5, 20, len(clips)),
            "vision": words if aligned else rng.integers(5, 20, len(clips)),
        }
        sizes = {"text": 12, "audio": 5, "vision": 4}
        arrays = {
            key: _padded(
                [
                    frames(rng, y * scale, n, sizes[key])
                    for y, n in zip(label, lengths[key], strict=True)
                ],
                steps if aligned or key == "text" else 20,
            )
            for key in sizes
        }
        mask = np.arange(steps) < words[:, None]
        arrays["text_bert"] = np.stack([mask * 100, mask, mask * 0], axis=1).astype(np.float32)
        arrays["id"] = [f"{video}$_${k}" for video, k, _, _ in clips]
        arrays["raw_text"] = np.array([clip[3] for clip in clips])
        arrays["annotations"] = ["Positive" if y > 0 else "Negative" for y in label]
        arrays["regression_labels"] = label.astype(np.float32)
        arrays["classification_labels"] = (label > 0).astype(int)
        if not aligned:
            arrays["audio_lengths"] = lengths["audio"].tolist()
            arrays["vision_lengths"] = lengths["vision"].tolist()
        if sims:
            for modality in "TAV":
                arrays[f"regression_labels_{modality}"] = np.clip(
                    label + rng.normal(size=len(label)) / 5, -1, 1
                )
        content[part] = arrays
    return content


def mmsa(folder: Path) -> Path:
    """MMSA, unaligned."""
    return write_pickle(folder / "unaligned_50.pkl", mmsa_content())


def mmsa_aligned(folder: Path) -> Path:
    """MMSA, aligned: no lengths."""
    return write_pickle(folder / "aligned_50.pkl", mmsa_content(aligned=True))


def sims(folder: Path) -> Path:
    """MMSA, SIMS: labels from -1 to 1, and one for each modality."""
    return write_pickle(folder / "unaligned_39.pkl", mmsa_content(sims=True))


def multibench_content(aligned: bool = True) -> dict:
    """What a MultiBench pickle holds; one text of zeros, ids as rows of objects."""
    rng = np.random.default_rng(2)
    content = {}
    for part, clips in _clips(1).items():
        counts = np.array([len(clip[3].split()) for clip in clips])
        steps = {"text": 16, "audio": 16 if aligned else 25, "vision": 16 if aligned else 30}
        sizes = {"text": 10, "audio": 5, "vision": 4}
        held = {
            key: _padded(
                [
                    frames(rng, clip[2], int(n) + (0 if aligned else steps[key] - 16), size)
                    for clip, n in zip(clips, counts, strict=True)
                ],
                steps[key],
                front=True,
            )
            for key, size in sizes.items()
        }
        if part == "train":
            held["text"][1] = 0
        held["labels"] = np.array([clip[2] for clip in clips], np.float32).reshape(-1, 1, 1)
        held["id"] = np.array([[f"{video}[{k}]"] for video, k, _, _ in clips], dtype=object)
        if not aligned:
            held["id"] = np.array([[v, str(k), str(k + 1)] for v, k, _, _ in clips], dtype="S20")
        content[part] = held
    return content


def multibench(folder: Path) -> Path:
    """MultiBench: aligned, padding in front."""
    return write_pickle(folder / "mosi_raw.pkl", multibench_content())


def mult(folder: Path) -> Path:
    """MulT: not aligned, ids of video, start and end."""
    return write_pickle(folder / "mosi_data_noalign.pkl", multibench_content(aligned=False))


def mag_content() -> dict:
    """What a MAG pickle holds."""
    rng = np.random.default_rng(3)
    content = {}
    for part, clips in _clips(2).items():
        content["dev" if part == "valid" else part] = [
            (
                (
                    np.array(text.split()) if k else text.split(),
                    frames(rng, label, len(text.split()), 4).astype(np.float64),
                    frames(rng, label, len(text.split()), 5).astype(np.float64),
                ),
                np.array([[label]], np.float32),
                f"{video}[{k}]",
            )
            for video, k, label, text in clips
        ]
    return content


def mag(folder: Path) -> Path:
    """MAG-BERT."""
    return write_pickle(folder / "mosi.pkl", mag_content())


FIXTURES: dict[str, Callable[[Path], Path]] = {
    "mmsa": mmsa,
    "multibench": multibench,
    "mag": mag,
    **fixtures_more.FIXTURES,
}
VARIANTS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "mmsa-aligned": ("mmsa", mmsa_aligned),
    "sims": ("mmsa", sims),
    "mult": ("multibench", mult),
    **fixtures_more.VARIANTS,
}
