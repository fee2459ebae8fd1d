"""Vision encoders: every layer of CLIP's vision tower for the face in each of 3 pictures a second.

Block k gives the class token after it, before the final LayerNorm and the projection
(papers/uegd.md (e)). The largest face of a picture is cut out, brought to 256 x 256 whatever its
shape, and then goes through CLIP's own preprocessing. A picture without a face stays in the
sequence as a vector of zeros, and is counted. Presets differ in which pictures are kept
(``media.look``): ``release`` takes every int(fps / 3)-th, ``paper`` those at 3 a second.
"""

import warnings
from pathlib import Path

import numpy as np

from msalib import encoders
from msalib.base.errors import UserError
from msalib.base.provenance import device_name, pick_device, versions
from msalib.data.corpus import Corpus, Features
from msalib.encoders import Encoder, clips, faces, forward, media
from msalib.encoders.store import StoreMeta, open_store, write_stream

CONVENTION = (
    "k = class token after block k, before the final LayerNorm; 0 = class token entering block 1; "
    "zeros where a picture has no face"
)
UNIT = "picture, 3 a second"
KINDS = ("clip", "clip_vision_model")

SAMPLING = {
    "release": f"every int(fps / {media.PICTURES})-th picture",
    "paper": f"the picture nearest to each multiple of 1/{media.PICTURES} s",
}

PICTURES = {"cpu": 32, "cuda": 512}
"""Pictures that the model is given at a time."""

NO_FACE, NO_FACES = "pictures without a face", "clips without a face"

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training pictures, for a model without a preprocessor's configuration."""


def encode(
    corpus: Corpus,
    encoder: Encoder,
    folder: Path,
    device: str = "auto",
    refresh: bool = False,
    preset: clips.Preset = "release",
) -> Path:
    """Encode the faces of every clip into the feature store ``folder``; return ``folder``.

    A store that is there and fits is left as it is, unless ``refresh``; a killed extraction is
    continued. Pictures and clips without a face are counted in the store; clips without any are
    warned of. Raises ``UserError`` where no clip has one, for a store of another revision, preset,
    detector or other media (without ``refresh``), for media that are missing, damaged or without
    pictures, for weights that are missing or of another kind of model, for an unknown device and
    for a full disk.
    """
    clips.check(preset)
    if folder.exists() and not refresh:
        read(corpus, encoder, folder, preset)
        clips.forget(folder)  # killed between the store's last byte and this
        return folder

    device = pick_device(device)
    precision = forward.precision(device)
    model, preparation = load(encoder)
    model.to(device)
    fingerprint = clips.inputs(corpus, "visual", settings(corpus, preset), folder)
    paths = clips.files(corpus, "visual")
    boxes = clips.look(
        folder, fingerprint, media.look, paths, (preset, corpus.faces), "looking for faces"
    )
    lengths = np.array([len(found) for found in boxes])
    faceless = np.array([found.count(None) for found in boxes])
    _check(lengths, faceless, corpus)
    meta = StoreMeta(
        dataset=corpus.name,
        encoder=encoder.name,
        revision=encoders.revision(encoder),
        convention=CONVENTION,
        unit=UNIT,
        fingerprint=fingerprint,
        layers=model.config.num_hidden_layers + 1,
        clips=len(corpus),
        frames=int(lengths.sum()),
        dim=model.config.hidden_size,
        truncated=0,
        device=device_name(device),
        versions=versions(),
        precision=precision,
        counts={NO_FACE: int(faceless.sum()), NO_FACES: int((faceless == lengths).sum())},
        settings={
            "preset": preset,
            "sampling": SAMPLING[preset],
            "faces": _faces(corpus.faces, preset),
            "pictures": f"{media.CROP} x {media.CROP}, then bicubic to {preparation.resize}, "
            f"centre {preparation.crop}",
        },
    )

    def task(n):
        return paths[n], preset, corpus.faces, boxes[n], preparation.resize, preparation.crop

    def states(left):
        for batch, found in clips.prepared(left, media.crops, task):
            seen = layers(model, preparation, np.concatenate(found), PICTURES[device], precision)
            yield _in_place(seen, [boxes[n] for n in batch])

    ids = corpus.utterances.index.astype(str).tolist()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    write_stream(folder, meta, ids, offsets, clips.batches(lengths, PICTURES[device]), states)
    clips.forget(folder)
    return folder


def read(
    corpus: Corpus, encoder: Encoder, folder: Path, preset: clips.Preset = "release"
) -> Features:
    """The features of a corpus by an encoder, from the store ``folder``.

    Raises ``UserError`` where the store is missing, damaged, made from other media, with another
    preset or detector of faces, or by another revision of the encoder (compared where its weights
    are on this machine).
    """
    clips.check(preset)
    return open_store(
        folder,
        encoder=encoder.name,
        revision=encoders.revision(encoder) if encoders.is_here(encoder) else None,
        fingerprint=clips.inputs(corpus, "visual", settings(corpus, preset), folder),
        command=clips.command(corpus, encoder, preset),
    )


def settings(corpus: Corpus, preset: str) -> str:
    """What of a store's fingerprint is not the media."""
    return f"{SAMPLING[preset]}, faces {corpus.faces}, {media.CROP} x {media.CROP}"


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
        said = forward.preprocessor(path)
        self.crop = _side(said.get("crop_size"), side)
        self.resize = max(_side(said.get("size"), self.crop), self.crop)
        self.mean = np.array(said.get("image_mean", MEAN), np.float32)
        self.deviation = np.array(said.get("image_std", DEVIATION), np.float32)
        if self.crop != side:
            raise UserError(
                path / "preprocessor_config.json",
                found=f"pictures of {self.crop} pixels",
                expected=f"{side}, as the model's config.json says",
                remedy="Restore the model's folder from its source.",
            )


def _side(said: int | dict | None, usual: int) -> int:
    """A side in pixels, which preprocessors give in one of three ways."""
    if isinstance(said, dict):
        said = said.get("shortest_edge", said.get("height"))
    return usual if said is None else int(said)


def load(encoder: Encoder) -> tuple:
    """The vision tower, of a whole CLIP too, and how its pictures are prepared."""
    from transformers import CLIPVisionModel

    path = encoders.folder(encoder)
    model = forward.pretrained(CLIPVisionModel, path, KINDS, ("post_layernorm.",))
    return model, Preparation(path, model.config.image_size)


def layers(
    model, preparation: Preparation, pictures: np.ndarray, size: int, precision: str = "float32"
) -> np.ndarray:
    """All layers of the class token of pictures (P, H, W, 3) uint8: (L + 1, P, D) float16."""
    import torch

    mean, deviation = (
        torch.from_numpy(255 * values).to(model.device)[:, None, None]
        for values in (preparation.mean, preparation.deviation)
    )
    found = [np.zeros((model.config.num_hidden_layers + 1, 0, model.config.hidden_size), "<f2")]
    for start in range(0, len(pictures), size):
        pixels = torch.from_numpy(pictures[start : start + size]).to(model.device)
        pixels = (pixels.permute(0, 3, 1, 2).float() - mean) / deviation
        with (
            forward.computing(model.device.type, precision),
            forward.captured(model.encoder.layers, lambda h: h[:, 0].half()) as states,
        ):
            model(pixels)
        found.append(torch.stack(states).cpu().numpy())
    return np.concatenate(found, axis=1)


def _in_place(seen: np.ndarray, boxes: list[list]) -> np.ndarray:
    """States of all faces of B clips, end to end, to their places in (L, B, T, D), zeros else."""
    longest = max(len(found) for found in boxes)
    placed = np.zeros((len(seen), len(boxes), longest, seen.shape[-1]), seen.dtype)
    start = 0
    for clip, found in enumerate(boxes):
        where = [t for t, box in enumerate(found) if box is not None]
        placed[:, clip, where] = seen[:, start : start + len(where)]
        start += len(where)
    return placed
