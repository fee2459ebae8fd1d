"""Extraction of features: msalib against one clip at a time in float32, at the real models' sizes.

BERT-Large, WavLM-Large and CLIP ViT-L/14 with random weights read made-up transcripts, sound files
and videos of MOSI's lengths. The plain loop is written the way such code usually is: it decodes a
clip, runs the model on it in float32 and saves all its layers as a float32 .npy file of its own.
Both are first shown to give the same features; passes of the two alternate, so that other load on
the machine meets both. Loading weights is left out.

The share is that of the rate at which this device multiplies large matrices, in the precision that
msalib uses there: floating point operations of the models' matrix products and convolutions over
the whole time, decoding and writing included.

Peak memory is that of fresh processes that encode N and 4 N clips with small models.

    python benchmarks/extraction.py [--pairs 3]
    python benchmarks/extraction.py --device cuda
    python benchmarks/extraction.py --quick       # does the script work? Writes nothing.
"""

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer
from measured import resident, summary, text, timed, write
from torch.utils.flop_counter import FlopCounterMode

from msalib.base.provenance import pick_device
from msalib.data.corpus import Corpus
from msalib.encoders import Encoder, extraction, faces, forward, media, speech, vision, workers
from msalib.encoders import text as words

CLIPS = {
    "cpu": {"linguistic": 32, "acoustic": 4, "visual": 3},
    "cuda": {"linguistic": 2000, "acoustic": 400, "visual": 400},
}
SHARE = {"cpu": 0.2, "cuda": 1.0}
"""Share of a clip's real length: a CPU needs seconds for a second of speech or one picture."""

TOLERANCE = {"float32": 0.02, "bfloat16": 0.2}
"""Of the greatest difference, relative to the layer's standard deviation."""

# --- models and clips ---------------------------------------------------------------------------


def model(modality: str, small: bool):
    """BERT-Large, WavLM-Large or CLIP ViT-L/14 with random weights, or one of 2 narrow blocks."""
    from transformers import (
        BertConfig,
        BertModel,
        CLIPVisionConfig,
        CLIPVisionModel,
        WavLMConfig,
        WavLMModel,
    )

    large = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
    }
    narrow = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    size = narrow if small else large
    torch.manual_seed(0)
    if modality == "linguistic":
        return BertModel(BertConfig(**size), add_pooling_layer=False).eval()
    if modality == "acoustic":
        convolutions = {"conv_dim": (16,) * 7} if small else {}
        config = WavLMConfig(
            **size, **convolutions, feat_extract_norm="layer", do_stable_layer_norm=True
        )
        return WavLMModel(config).eval()
    pictures = {"image_size": 32, "patch_size": 16} if small else {"patch_size": 14}
    return CLIPVisionModel(CLIPVisionConfig(**size, **pictures)).eval()


def tokenizer(folder: Path):
    from transformers import BertTokenizer

    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{n}" for n in range(1000))])
    )
    return BertTokenizer(str(folder / "vocab.txt"))


def corpus(folder: Path, modality: str, clips: int, share: float) -> Corpus:
    """Clips of MOSI's lengths: transcripts of 12 words, 4 seconds of sound or video on average."""
    rng = np.random.default_rng(0)
    length = rng.lognormal(0, 0.5, clips)
    ids = pd.Index([f"clip{n}" for n in range(clips)], name="id")
    table = pd.DataFrame({"video": "-", "segment": "-", "text": "-", "label": 0.0}, index=ids)
    media = {}
    if modality == "linguistic":
        sizes = (11 * length).round().clip(1, 100).astype(int)
        table["text"] = [" ".join(f"w{w}" for w in rng.integers(0, 1000, n)) for n in sizes]
    else:
        make = write_sound if modality == "acoustic" else write_video
        seconds = (3.6 * share * length).clip(0.4, 20)
        media[modality] = [make(folder / ids[n], s, n) for n, s in enumerate(seconds)]
    split = {"standard": pd.Series("train", index=ids)}
    return Corpus("random", table, {}, split, media=media)


def write_sound(path: Path, seconds: float, seed: int) -> Path:
    import soundfile

    rng = np.random.default_rng(seed)
    path = path.with_suffix(".wav")
    soundfile.write(path, 0.1 * rng.standard_normal(int(16_000 * seconds)), 16_000)
    return path


def write_video(path: Path, seconds: float, seed: int) -> Path:
    """A drawn face that moves before a shaded wall, 640 x 360, 30 pictures a second."""
    import av

    path = path.with_suffix(".mp4")
    wall = np.linspace(100 + seed % 30, 160, 640, dtype=np.uint8)[None, :, None]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(max(1, int(30 * seconds))):
            picture = np.tile(wall, (360, 1, 3))
            draw(picture, 220 + number % 20, 60)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def draw(picture: np.ndarray, left: int, top: int) -> None:
    """A frontal face, 200 pixels wide, that the cascade finds."""
    import cv2

    parts = [(0.5, 0.5, 0.42, 0.58, 215)]  # head: middle, half axes, grey
    for x in (0.3, 0.7):
        parts += [(x, 0.28, 0.13, 0.025, 60), (x, 0.39, 0.11, 0.06, 90), (x, 0.39, 0.05, 0.05, 25)]
    parts += [(0.5, 0.58, 0.045, 0.12, 232), (0.5, 0.68, 0.09, 0.03, 150)]
    parts += [(0.5, 0.82, 0.19, 0.045, 80)]
    for x, y, width, height, grey in parts:
        middle = round(left + 200 * x), round(top + 200 * y)
        axes = round(200 * width), round(200 * height)
        cv2.ellipse(picture, middle, axes, 0, 0, 360, (grey,) * 3, -1, cv2.LINE_AA)


# --- one clip at a time -------------------------------------------------------------------------


@dataclass
class Plain:
    """The usual loop: a clip is decoded, run in float32, and saved as one file."""

    modality: str
    corpus: Corpus
    model: torch.nn.Module
    tokenizer: object = None

    def run(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for number in range(len(self.corpus)):
            with torch.no_grad():
                states = getattr(self, self.modality)(number)
            np.save(folder / f"{number}.npy", states.float().cpu().numpy())

    def linguistic(self, number: int) -> torch.Tensor:
        inputs = self.tokenizer(self.corpus.utterances["text"].iloc[number], return_tensors="pt")
        inputs = inputs.to(self.model.device)
        return torch.cat(self.model(**inputs, output_hidden_states=True).hidden_states)

    def acoustic(self, number: int) -> torch.Tensor:
        wave = media.sound(self.corpus.media["acoustic"][number], "first")
        sound = torch.from_numpy(wave).to(self.model.device)[None]
        states = []
        hooks = [
            block.register_forward_hook(lambda _, __, out: states.append(out[0][0]))
            for block in self.model.encoder.layers
        ]
        hooks.append(
            self.model.encoder.layers[0].register_forward_pre_hook(
                lambda _, args: states.append(args[0][0])
            )
        )
        self.model(sound)
        for hook in hooks:
            hook.remove()
        return torch.stack(states)[:, ::10]

    def visual(self, number: int) -> torch.Tensor:
        path, detect = self.corpus.media["visual"][number], faces.detector("opencv")
        boxes = [detect(picture) for picture in media._kept(path, "release", "opencv")]
        side = self.model.config.image_size
        crops = media.crops(path, "release", "opencv", boxes, side, side)
        pixels = torch.from_numpy(crops).to(self.model.device).permute(0, 3, 1, 2).float() / 255
        mean, deviation = (
            torch.tensor(values, device=pixels.device)[:, None, None]
            for values in (vision.MEAN, vision.DEVIATION)
        )
        layers = self.model((pixels - mean) / deviation, output_hidden_states=True).hidden_states
        seen = torch.stack(layers)[:, :, 0]
        states = seen.new_zeros(len(seen), len(boxes), seen.shape[-1])
        states[:, [t for t, box in enumerate(boxes) if box is not None]] = seen
        return states


# --- msalib -------------------------------------------------------------------------------------


@dataclass
class Ours:
    """``extract``, with the model of the plain loop in place of one that is loaded."""

    modality: str
    corpus: Corpus
    encoder: Encoder
    device: str

    def run(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a clip on whose face the cascade misses
            extraction.extract(self.corpus, self.encoder, folder, self.device, refresh=True)


def prepare(folder: Path, modality: str, clips: int, share: float, device: str, small: bool):
    """The two ways through the same clips with the same weights."""
    folder.mkdir()
    network = model(modality, small).to(device)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()  # the revision is not what is measured
    data = corpus(folder, modality, clips, share)
    plain = Plain(modality, data, network)
    if modality == "linguistic":
        plain.tokenizer = tokenizer(folder)
        words.load = lambda encoder: (plain.tokenizer, network)
    elif modality == "acoustic":
        wrapped = model(modality, small).to(device)  # the same seed, the same weights
        wrapped.encoder.pos_conv_embed = speech._clip_by_clip(wrapped.encoder.pos_conv_embed)
        speech.load = lambda encoder, preset: (wrapped, False)
    else:
        preparation = vision.Preparation(folder, network.config.image_size)
        vision.load = lambda encoder: (network, preparation)
    return plain, Ours(modality, data, Encoder("random", modality, str(folder)), device)


def difference(plain: Path, ours: Ours, store: Path) -> float:
    """Greatest difference of the features, relative to the standard deviation of their layer."""
    features = extraction.read(ours.corpus, ours.encoder, store)
    worst = 0.0
    for clip in range(len(ours.corpus)):
        start, stop = features.offsets[clip : clip + 2]
        expected = np.load(plain / f"{clip}.npy")
        for k, states in zip(features.layers, expected, strict=True):
            gap = np.abs(features.layers[k][start:stop].astype(np.float32) - states).max()
            worst = max(worst, float(gap / states.std()))
    return worst


# --- the comparison -----------------------------------------------------------------------------


def seconds(run: Callable, device: str) -> float:
    """As ``timed`` takes it; on a CPU so few clips start no workers."""

    def wait():
        run()
        if device == "cuda":
            torch.cuda.synchronize()

    return timed(wait, device)[0] / 1000


def matrix_rate(device: str, precision: str) -> float:
    """Floating point operations a second of a large matrix product."""
    size = 8192 if device == "cuda" else 1024
    dtype = getattr(torch, precision)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    times = [seconds(lambda: a @ b, device) for _ in range(8)]
    return 2 * size**3 / min(times[2:])


def compare(folder: Path, modality: str, device: str, pairs: int, small: bool, clips: int) -> dict:
    precision = forward.precision(device)
    plain, ours = prepare(folder, modality, clips, SHARE[device], device, small)
    with FlopCounterMode(display=False) as counter:
        plain.run(folder / "plain")  # also the warm-up
    ours.run(folder / "store")
    gap = difference(folder / "plain", ours, folder / "store")
    if gap > TOLERANCE[precision]:
        raise SystemExit(f"{modality}: features differ by {gap:.2g}: nothing to compare")
    times = {"msalib": [], "plain": []}
    for _ in range(pairs):
        times["msalib"].append(seconds(lambda: ours.run(folder / "store"), device))
        times["plain"].append(seconds(lambda: plain.run(folder / "plain"), device))
    rate, work = matrix_rate(device, precision), counter.get_total_flops()
    ratios = [p / m for m, p in zip(times["msalib"], times["plain"], strict=True)]
    found = {
        "clips": clips,
        "workers": workers.number(clips) if modality != "linguistic" else 0,
        "precision": precision,
        "largest_relative_difference": float(f"{gap:.2g}"),
        "gflop": round(work / 1e9, 1),
        "matrix_gflop_per_s": round(rate / 1e9, 1),
        "share_of_matrix_rate": float(f"{work / np.median(times['msalib']) / rate:.3g}"),
        "msalib_seconds": summary(times["msalib"]),
        "plain_seconds": summary(times["plain"]),
        "plain_over_msalib": summary(ratios),
    }
    if device == "cuda":
        found["peak_gpu_memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    print(
        f"{modality}: {clips} clips, plain {text(found['plain_seconds'])} s, msalib "
        f"{text(found['msalib_seconds'])} s, ratio {text(found['plain_over_msalib'])}, "
        f"{found['share_of_matrix_rate']:.0%} of the matrix rate"
    )
    return found


def memory(modality: str, clips: int) -> float:
    """Peak memory in MB of a fresh process that encodes so many clips with a small model."""
    command = [sys.executable, __file__, "--alone", f"{modality},{clips}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def alone(modality: str, clips: int) -> None:
    """What that process does."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "model"
        _, ours = prepare(folder, modality, clips, 0.25, "cpu", small=True)
        ours.run(folder / "store")
    print(resident())


def growth(modality: str, clips: int) -> dict:
    once, four = (memory(modality, n) for n in (clips, 4 * clips))
    print(f"{modality}: peak memory {once:.0f} MB for {clips} clips, {four:.0f} MB for four times")
    return {
        "clips": clips,
        "peak_mb": round(once),
        "peak_mb_of_four_times": round(four),
        "growth": float(f"{four / once:.3g}"),
    }


def main(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of passes.")] = 3,
    quick: Annotated[bool, typer.Option(help="Small models, few clips; writes nothing.")] = False,
    only: Annotated[str, typer.Option(hidden=True)] = "linguistic,acoustic,visual",
    alone_: Annotated[str, typer.Option("--alone", hidden=True)] = "",
) -> None:
    torch.set_num_threads(1)
    if alone_:
        modality, clips = alone_.split(",")
        alone(modality, int(clips))
        return
    device = pick_device(device)
    found = {}
    for modality in only.split(","):
        clips = 4 if quick else CLIPS[device][modality]
        with TemporaryDirectory() as name:
            found[modality] = compare(
                Path(name) / "model", modality, device, 1 if quick else pairs, quick, clips
            )
        found[modality]["memory"] = growth(modality, 10 if quick else 50)
    if not quick:
        name = "extraction" if device == "cpu" else f"extraction-{device}"
        content = {"pairs_of_passes": pairs, "threads": torch.get_num_threads(), **found}
        write(name, device, content)


if __name__ == "__main__":
    typer.run(main)
