"""Tiny encoders to fine-tune, and what they read."""

import torch

from msalib import encoders
from tests.clips import tone
from tests.encoders.lazy import transformers
from tests.encoders.tiny import SPEECH_KINDS, save_bert, save_roberta, save_speech

SAMPLES = [4_800, 400, 7_000]


def text_models(folder):
    yield encoders.resolve("small-bert")
    yield encoders.resolve(str(save_bert(folder / "bert")))
    yield encoders.resolve(str(save_roberta(folder / "roberta")))


def speech_models(folder, **changes):
    yield encoders.resolve("small-wavlm")
    for n, (family, kind) in enumerate(SPEECH_KINDS):
        path = save_speech(folder / f"{n}-{family}", family, kind | changes)
        yield encoders.Encoder(path.name, "acoustic", str(path))


def frames_of(*clips):
    """Frames (S, 1) of clips laid end to end, and their mask (B, T)."""
    lengths = torch.tensor([[len(clip)] for clip in clips])
    flat = torch.cat([torch.as_tensor(clip) for clip in clips])
    return flat.view(len(flat), -1), torch.arange(int(lengths.max())) < lengths


TOKENS = frames_of([2, 7, 3], [2, 7, 8, 9, 5, 3], [2, 3])


def convolved(encoder, *waves):
    """Frames and mask of waveforms, each through the model's convolutions alone."""
    convolutions = original(encoder).feature_extractor
    with torch.no_grad():
        return frames_of(*(convolutions(torch.as_tensor(w)[None])[0].T for w in waves))


def original(encoder):
    return transformers.AutoModel.from_pretrained(encoder.model, dtype=torch.float32).eval()


def sounds(encoder):
    return convolved(encoder, *(tone(samples, n) for n, samples in enumerate(SAMPLES)))


def batch_of(encoder):
    return TOKENS if encoder.modality == "linguistic" else sounds(encoder)
