"""Convolved sound: what a fine-tuned speech model reads, its frozen convolutions' frames.

The convolutions of a speech model are not trained (papers/mmml.md (d)), so their output is the same
in every epoch. It is computed once for each clip, at the clip's own length, and kept in a feature
store beside the others. Clips are mapped into memory on use.

Sound is the mean of the channels, cut at so many seconds, then normalised where the model's
preprocessor says so. MMML's release instead pads every clip to six seconds of silence before its
convolutions. That makes no difference to frames of a clip that are wholly sound, but for one kind
of model: where ``feat_extract_norm`` is "group" (most base models, not Data2Vec), the first
convolution normalises over all frames of its input, silence included.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from msalib.base import files
from msalib.base.errors import UserError
from msalib.base.paths import features_folder, folder_name
from msalib.base.provenance import device_name, pick_device, versions
from msalib.data.corpus import TUNED, Corpus, Features
from msalib.encoders import clips, forward, media, speech, weights
from msalib.encoders.registry import Encoder
from msalib.encoders.store import StoreMeta, open_store, write_store

CONVENTION = "last block of the fine-tuned encoder"
UNIT = "0.02 s of speech"
MIX = clips.MIX["article"]


def frames(
    corpus: Corpus, encoder: Encoder, seconds: float, folder: Path | None = None
) -> Features:
    """Return the frames (S, C) of every clip as a fine-tuned model reads them, float32.

    Each clip is cut at ``seconds``; one shorter than a frame is filled with silence. The first call
    computes them on the GPU if there is one and warns of such clips; it can be killed and called
    again. A store of other clips, seconds or another revision of the encoder is made anew.
    ``folder`` None is a folder beside the usual stores. Raises ``UserError`` like ``media.sound``,
    for weights that are missing or of another kind of model, and for a full disk.
    """
    name = f"{folder_name(encoder.name)}-convolved-{seconds:g}s"
    folder = folder or features_folder() / corpus.name / name
    normalise = speech.normalises(encoder)
    settings = "; ".join(_settings(normalise, seconds).values())
    fingerprint = clips.inputs(corpus, "acoustic", settings, folder)
    stored = partial(_stored, folder, encoder, fingerprint)
    with suppress(UserError):
        return stored()
    with files.reserved(folder, wait=True):
        with suppress(UserError):
            return stored()  # made by another process, meanwhile
        _write(corpus, encoder, seconds, folder, fingerprint)
    return stored()


def _stored(folder: Path, encoder: Encoder, fingerprint: str) -> Features:
    features = open_store(
        folder,
        encoder=encoder.name,
        revision=weights.revision(encoder),
        fingerprint=fingerprint,
        command="run the same again",
    )
    provenance = {**features.provenance, "encoder": encoder.argument}
    return replace(features, layers={TUNED: features.layers[1]}, provenance=provenance)


def _write(
    corpus: Corpus, encoder: Encoder, seconds: float, folder: Path, fingerprint: str
) -> None:
    device = pick_device("auto")
    model, normalise = speech.pretrained(encoder), speech.normalises(encoder)
    config, convolutions = model.config, model.feature_extractor.to(device)
    paths = clips.files(corpus, "acoustic")
    shortest, longest = speech.receptive_field(config), round(seconds * media.RATE)
    looked = clips.look(
        folder, fingerprint, media.samples, corpus, "acoustic", (MIX,), "decoding the sound"
    )
    samples = np.array(looked.results)
    speech.warn_of_lengths(samples, seconds, shortest, corpus.name)
    lengths = [speech.frames(config, n) for n in samples.clip(shortest, longest).tolist()]
    meta = StoreMeta(
        dataset=corpus.name,
        encoder=encoder.name,
        revision=weights.revision(encoder),
        convention=CONVENTION,
        unit=UNIT,
        fingerprint=fingerprint,
        dtype="float32",
        first=1,
        layers=1,
        clips=len(corpus),
        frames=sum(lengths),
        dim=config.conv_dim[-1],
        truncated=int((samples > longest).sum()),
        counts={speech.SHORT: int((samples < shortest).sum()), **looked.counts},
        settings=_settings(normalise, seconds),
        device=device_name(device),
        versions=versions(),
    )

    def convolve(left: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the frames of one clip after the other, (1, 1, T, C)."""
        for _, (wave,) in clips.prepared(left, media.sound, lambda n: (paths[n], MIX)):
            prepared = speech.prepare(wave[:longest], shortest, normalise)
            yield _convolved(convolutions, prepared, device)[None, None]

    ids = corpus.utterances.index.astype(str).tolist()
    one_by_one = [np.array([n]) for n in range(len(paths))]
    write_store(folder, meta, ids, np.cumsum([0, *lengths]), one_by_one, convolve)
    clips.forget(folder)


def _settings(normalise: bool, seconds: float) -> dict[str, str]:
    return {
        "sound": clips.heard("article"),
        "waveform": speech.NORMALISED[normalise],
        "longest": f"{seconds:g} s",
    }


def _convolved(convolutions, wave: np.ndarray, device: str) -> np.ndarray:
    """Return the frames (T, C) of a waveform."""
    import torch

    with forward.computing(device, "float32"):
        return convolutions(torch.from_numpy(wave).to(device)[None])[0].T.cpu().numpy()
