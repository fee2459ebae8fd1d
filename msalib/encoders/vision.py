"""Vision encoders: all layers of CLIP's vision tower for the face in each of 3 pictures a second.

Block k gives the class token after it, before the final LayerNorm and the projection
(papers/uegd.md (e)). The largest face of a picture is cut out, brought to 256 x 256 whatever its
shape, and then goes through CLIP's own preprocessing. A picture without a face stays in the
sequence as a vector of zeros, and is counted. Presets differ in which pictures are kept
(``media.look``): ``release`` takes every int(fps / 3)-th, ``article`` those at 3 a second.
"""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from msalib.base import presets
from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.encoders import clips, extraction, faces, forward, media, weights
from msalib.encoders.registry import Encoder

CONVENTION = (
    "k = class token after block k, before the final LayerNorm; 0 = class token entering block 1; "
    "zeros where a picture has no face"
)
UNIT = "picture, 3 a second"
KINDS = ("clip", "clip_vision_model")

SAMPLING = {
    "release": f"every int(fps / {media.PICTURES})-th picture",
    "article": f"the picture nearest to each multiple of 1/{media.PICTURES} s",
}

PICTURES = {"cpu": 32, "cuda": 512}
"""Pictures that the model is given at a time."""

NO_FACE, NO_FACES = "pictures without a face", "clips without a face"

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training pictures, for a model without a preprocessor's configuration."""


class Extractor(extraction.Extractor):
    """The faces of every clip; pictures and clips without one are counted."""

    convention, unit = CONVENTION, UNIT

    def settings(self) -> str:
        return f"{SAMPLING[self.preset]}, faces {self.corpus.faces}, {media.CROP} x {media.CROP}"

    def network(self):
        model, self.preparation = load(self.encoder)
        return model

    def plan(self, folder: Path, fingerprint: str) -> extraction.Plan:
        chosen = self.preset, self.corpus.faces
        looked = self.look(folder, fingerprint, media.look, chosen, "looking for faces")
        self.boxes = looked.results
        lengths = np.array([len(boxes) for boxes in self.boxes])
        faceless = np.array([boxes.count(None) for boxes in self.boxes])
        _check(lengths, faceless, self.corpus)
        sides = self.preparation.resize, self.preparation.crop
        meta = self.meta() | {
            "truncated": 0,
            "counts": {
                NO_FACE: int(faceless.sum()),
                NO_FACES: int((faceless == lengths).sum()),
                **looked.counts,
            },
            "settings": {
                "preset": presets.stored(self.preset),
                "sampling": SAMPLING[self.preset],
                "faces": _faces(self.corpus.faces, self.preset),
                "pictures": f"{media.CROP} x {media.CROP}, then bicubic to {sides[0]}, "
                f"centre {sides[1]}",
            },
        }
        batches = clips.batches(lengths, PICTURES[self.model.device.type])
        return extraction.Plan(lengths, batches, meta)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        how, size = self.preparation, PICTURES[self.model.device.type]

        def task(n):
            chosen = self.preset, self.corpus.faces, self.boxes[n]
            return self.paths[n], *chosen, how.resize, how.crop

        for batch, crops in clips.prepared(batches, media.crops, task):
            seen = layers(self.model, how, np.concatenate(crops), size, self.precision)
            yield _in_place(seen, [self.boxes[n] for n in batch])


def _faces(name: str, preset: str) -> str:
    if name == "whole":
        return f"{name}: {faces.DETECTORS[name]}"
    height = f", at a height of {media.HEIGHT}" if preset == "release" else ""
    return f"{faces.version(name)}, the largest, margin 0{height}"


def _check(lengths: np.ndarray, faceless: np.ndarray, corpus: Corpus) -> None:
    empty = int((faceless == lengths).sum())
    if empty == len(lengths):
        raise UserError(
            f"corpus {corpus.name}",
            found=f"no face in any of the {int(lengths.sum())} pictures of its {empty} clips "
            f"(detector {corpus.faces})",
            expected="pictures that show faces",
            remedy="Look at the pictures. If each is a face already, add the data set with "
            "--faces whole; else try another detector (--faces mtcnn).",
        )
    if empty:
        warnings.warn(
            f"{empty} of {len(lengths)} clips of {corpus.name} show no face, and are zeros",
            stacklevel=3,
        )


# --- the model ----------------------------------------------------------------------------------


class Preparation:
    """How a model's pictures are prepared, from its preprocessor's configuration."""

    def __init__(self, path: Path, side: int):
        settings = forward.preprocessor(path)
        self.crop = _side(settings.get("crop_size"), side)
        self.resize = max(_side(settings.get("size"), self.crop), self.crop)
        self.mean = np.array(settings.get("image_mean", MEAN), np.float32)
        self.deviation = np.array(settings.get("image_std", DEVIATION), np.float32)
        if self.crop != side:
            raise UserError(
                path / "preprocessor_config.json",
                found=f"pictures of {self.crop} pixels",
                expected=f"{side}, as the model's config.json says",
                remedy="Restore the model's folder from its source.",
            )


def _side(size: int | dict | None, usual: int) -> int:
    """Return a side in pixels, which preprocessors give in one of three ways."""
    if isinstance(size, dict):
        size = size.get("shortest_edge", size.get("height"))
    return usual if size is None else int(size)


def load(encoder: Encoder) -> tuple:
    """Return the vision tower, of a whole CLIP too, and how its pictures are prepared."""
    from transformers import CLIPVisionModel

    path = weights.folder(encoder)
    model = forward.pretrained(CLIPVisionModel, path, KINDS, ("post_layernorm.",))
    return model, Preparation(path, model.config.image_size)


def layers(
    model, preparation: Preparation, pictures: np.ndarray, size: int, precision: str = "float32"
) -> np.ndarray:
    """Return all layers of pictures' class tokens: (P, H, W, 3) uint8 to (L + 1, P, D) float16."""
    import torch

    mean, deviation = (
        torch.from_numpy(255 * values).to(model.device)[:, None, None]
        for values in (preparation.mean, preparation.deviation)
    )
    seen = [np.zeros((model.config.num_hidden_layers + 1, 0, model.config.hidden_size), "<f2")]
    for start in range(0, len(pictures), size):
        pixels = torch.from_numpy(pictures[start : start + size]).to(model.device)
        pixels = (pixels.permute(0, 3, 1, 2).float() - mean) / deviation
        with (
            forward.computing(model.device.type, precision),
            forward.captured(model.encoder.layers, lambda h: h[:, 0].half()) as states,
        ):
            model(pixels)
        seen.append(torch.stack(states).cpu().numpy())
    return np.concatenate(seen, axis=1)


def _in_place(seen: np.ndarray, boxes: list[list]) -> np.ndarray:
    """Move the states of all faces of B clips to their places in (L, B, T, D), zeros elsewhere."""
    longest = max(len(of_clip) for of_clip in boxes)
    placed = np.zeros((len(seen), len(boxes), longest, seen.shape[-1]), seen.dtype)
    start = 0
    for clip, of_clip in enumerate(boxes):
        faces_at = [t for t, box in enumerate(of_clip) if box is not None]
        placed[:, clip, faces_at] = seen[:, start : start + len(faces_at)]
        start += len(faces_at)
    return placed
