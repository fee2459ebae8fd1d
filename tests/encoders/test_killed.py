"""Killed at any moment, twice, an extraction goes on and ends with the bytes of one left alone.

Forked processes are killed, in which no network may compute: MKL waits there for ever. Layers are
therefore read off the input. ``test_encoders`` kills an extraction with a real model.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from msalib.base.errors import UserError
from msalib.encoders import (
    clips,
    extraction,
    media,
    resolve,
    speech,
    store,
    text,
    vision,
    whisper,
    workers,
)
from tests.clips import corpus, flat, tone, write_pictures, write_wav
from tests.encoders.killing import killed, operations
from tests.encoders.tiny import save_bert, save_clip, save_wavlm, save_whisper, texts

pytest.importorskip("soundfile", reason="sound needs the extra media")
pytest.importorskip("cv2", reason="pictures need the extra media")
if not hasattr(os, "fork"):
    pytest.skip("kills forked processes", allow_module_level=True)

CLIPS = 9
MOMENTS = 6
WIDTH = 16


def spoken(folder: Path):
    return texts(["good " * (n % 7) for n in range(3 * CLIPS)])


def sounds(folder: Path):
    paths = [write_wav(folder / f"{n}.wav", tone(800 + 400 * n, n)) for n in range(CLIPS)]
    return corpus(acoustic=paths)


def pictures(folder: Path):
    drawn = [[flat(5 * n + i, 32) for i in range(1 + n % 3)] for n in range(CLIPS)]
    return corpus(visual=[write_pictures(folder / str(n), drawn[n]) for n in range(CLIPS)])


def of_texts(tokenizer, model, limit, batch, precision) -> np.ndarray:
    ids = np.array(tokenizer(batch, padding=True)["input_ids"])
    return np.tile(ids[None, :, :, None], (4, 1, 1, WIDTH)).astype(np.float16)


def of_waves(model, waves, step, precision) -> torch.Tensor:
    """Samples at the frames that are kept."""
    found = np.zeros((3, len(waves), max(map(len, waves)) // 3200 + 1, WIDTH), np.float32)
    for clip, wave in enumerate(waves):
        kept = wave[::3200]
        found[:, clip, : len(kept)] = kept[:, None]
    return torch.from_numpy(found)


def of_windows(spectrogram, model, waves, step, precision) -> torch.Tensor:
    return of_waves(model, waves, step, precision)


def of_pictures(model, preparation, crops, size, precision) -> np.ndarray:
    means = crops.mean((1, 2, 3))
    return np.tile(means[None, :, None], (3, 1, WIDTH)).astype(np.float16)


def crops(path, sampling, faces, *_) -> np.ndarray:
    return np.stack(list(media._kept(path, sampling, faces)))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def small_steps(monkeypatch):
    """Many small batches, each written at once."""
    monkeypatch.setattr(os, "fsync", lambda file: None)  # what was written survives a kill anyway
    monkeypatch.setattr(store, "SAVE_EVERY", -1)
    monkeypatch.setattr(clips, "SAVE_EVERY", -1)
    monkeypatch.setattr(text, "WORD_PIECES", 24)
    monkeypatch.setitem(speech.FRAMES, "cpu", 20)
    monkeypatch.setitem(vision.PICTURES, "cpu", 4)
    monkeypatch.setattr(media, "crops", crops)
    for module, layers in (
        (text, of_texts),
        (speech, of_waves),
        (whisper, of_windows),
        (vision, of_pictures),
    ):
        monkeypatch.setattr(module, "layers", layers)


@pytest.mark.parametrize(
    ("module", "write", "save", "processes"),
    [
        (text, spoken, save_bert, 0),
        (speech, sounds, save_wavlm, 0),
        (vision, pictures, save_clip, 0),
        (whisper, sounds, save_whisper, 0),
        (speech, sounds, save_wavlm, 1),
    ],
)
def test_killed_at_any_moment_it_ends_with_the_same_bytes(
    tmp_path, monkeypatch, small_steps, module, write, save, processes
):
    monkeypatch.setattr(workers, "number", lambda tasks: processes)
    encoder = resolve(str(save(tmp_path / "model")))
    loaded = module.load(encoder, *(["release"] if module is speech else []))
    monkeypatch.setattr(module, "load", lambda *_: loaded)  # once for all processes
    work = tmp_path / "work"
    (work / "media").mkdir(parents=True)
    data = write(work / "media")

    def extract(name: str) -> Path:
        return extraction.extract(data, encoder, work / name / "store", "cpu")

    count = operations(lambda: extract("whole"), work)
    expected = contents(work / "whole" / "store")
    # All stages, and every one of the last operations, which give the store its name.
    spread = np.linspace(1, count - 6, 2 if processes else MOMENTS).round().astype(int).tolist()
    for moment in [*spread, *(() if processes else range(count - 5, count + 1))]:
        name = f"killed{moment}"
        folder = work / name / "store"
        assert killed(lambda name=name: extract(name), work, moment)
        killed(lambda name=name: extract(name), work, moment // 2)
        if not folder.exists():
            with pytest.raises(UserError, match="no feature store"):
                extraction.read(data, encoder, folder)
        assert contents(extract(name)) == expected, moment
        left = {path.name for path in folder.parent.iterdir()}
        assert left <= {"store", clips.SEEN}, moment
