"""Killed at random moments, an extraction goes on and ends with the bytes of one left alone."""

import multiprocessing
import random
import signal
import time
from pathlib import Path

import pytest
import torch
import transformers
from transformers import AutoModel, BertModel, CLIPVisionModel, WavLMModel  # noqa: F401 - preloaded

from msalib.encoders import Encoder, extraction, speech, store, text, vision
from tests.clips import corpus, flat, save_clip, save_wavlm, tone, write_pictures, write_wav

pytest.importorskip("soundfile", reason="sound needs the extra media")
pytest.importorskip("cv2", reason="pictures need the extra media")

CLIPS = 40


def sounds(folder: Path) -> list[Path]:
    return [write_wav(folder / f"{n}.wav", tone(800 + 200 * n, n)) for n in range(CLIPS)]


def pictures(folder: Path) -> list[Path]:
    return [
        write_pictures(folder / str(n), [flat(5 * n + i, 32) for i in range(1 + n % 5)])
        for n in range(CLIPS)
    ]


def save_bert(folder: Path) -> Path:
    torch.manual_seed(0)
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "good"]))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=6, hidden_size=16, num_hidden_layers=2, num_attention_heads=2
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def data(kind: str, media: Path):
    if kind == "linguistic":
        clips = corpus(visual=[media] * CLIPS)
        clips.utterances["text"] = ["good " * (n % 7) for n in range(CLIPS)]
        return clips
    modality = "acoustic" if kind == "acoustic" else "visual"
    return corpus(**{modality: sorted(media.iterdir())})


def extract(kind: str, media: Path, model: Path, folder: Path) -> None:
    """The command that is killed: many small batches, each written down at once."""
    torch.set_num_threads(1)
    store.SAVE_EVERY = 0
    text.WORD_PIECES = 12
    speech.FRAMES["cpu"] = 60
    vision.PICTURES["cpu"] = 6
    extraction.extract(data(kind, media), Encoder("tiny", kind, str(model)), folder, "cpu")


SERVER = multiprocessing.get_context("forkserver")  # each is forked from one that has imported all
SERVER.set_forkserver_preload([__name__])


@pytest.fixture(scope="module", autouse=True)
def started():
    process = SERVER.Process(target=time.sleep, args=(0,))
    process.start()
    process.join()


def run(arguments: tuple, kill_after: float | None = None) -> tuple[bool, float]:
    """``extract`` in a process of its own: whether it came to its end, and its seconds."""
    process = SERVER.Process(target=extract, args=arguments)
    process.start()
    start = time.monotonic()
    process.join(kill_after)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0, time.monotonic() - start


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("kind", "write", "save", "times"),
    [
        ("linguistic", Path.mkdir, save_bert, 10),
        ("acoustic", sounds, save_wavlm, 10),
        ("visual", pictures, save_clip, 4),
    ],
)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path, kind, write, save, times):
    media = tmp_path / "media"
    if kind != "linguistic":
        media.mkdir()
    write(media)
    model = save(tmp_path / "model")
    whole, folder = tmp_path / "whole" / "store", tmp_path / "killed" / "store"
    done, seconds = run((kind, media, model, whole))
    assert done
    expected = contents(whole)
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    kills = 0
    while kills < times:
        done, _ = run((kind, media, model, folder), moments.uniform(0, seconds))
        if not done:
            kills += 1
            continue
        assert contents(folder) == expected, seed  # went on to its end before it was killed
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    if not folder.exists():
        assert run((kind, media, model, folder))[0]
    assert contents(folder) == expected, seed
    left = {path.name for path in folder.parent.iterdir()}
    assert left <= {"store", "inputs.json"}
