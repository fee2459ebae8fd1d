"""Small media for tests: sound files, videos, folders of pictures, a corpus of them."""

import os
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus


def corpus(name: str = "toy", faces: str = "whole", **media: Sequence[Path]) -> Corpus:
    """Clips with these media (``acoustic``, ``visual``) and nothing else of interest."""
    number = len(next(iter(media.values())))
    ids = pd.Index([f"video_{i}" for i in range(number)], name="id")
    table = pd.DataFrame({"video": "video", "segment": range(number)}, index=ids)
    table = table.assign(text="a good film", label=0.0)
    split = {"standard": pd.Series("train", index=ids)}
    return Corpus(name, table, {}, split, media=media, faces=faces)


def tone(samples: int, seed: int = 0) -> np.ndarray:
    """Noise that a waveform's statistics can be told from: (samples,) float32."""
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(samples) + 0.05).astype(np.float32)


def write_wav(path: Path, wave: np.ndarray, rate: int = 16_000) -> Path:
    """Write a sound file that has lain there for a while, so that its digest is kept."""
    import soundfile

    soundfile.write(path, wave, rate, subtype="FLOAT")
    os.utime(path, (0, time.time() - 10))
    return path


def flat(value: int, side: int = 64) -> np.ndarray:
    """A picture of one grey with a brighter corner: (side, side, 3) uint8."""
    picture = np.full((side, side, 3), value, np.uint8)
    picture[: side // 4, : side // 4] = 255 - value
    return picture


def write_pictures(folder: Path, pictures: Sequence[np.ndarray], fps: str | None = None) -> Path:
    import cv2

    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number}.png"), picture[:, :, ::-1])
    if fps is not None:
        (folder / "fps.txt").write_text(fps)
    return folder


def write_video(
    path: Path,
    pictures: Sequence[np.ndarray] = (),
    fps: Fraction = Fraction(30),
    sound: np.ndarray | None = None,
) -> Path:
    """An .mp4 with these streams: pictures (H, W, 3), sound (channels, samples) at 16 kHz."""
    import av

    with av.open(str(path), "w") as file:
        video = audio = None
        if len(pictures):
            video = file.add_stream("mpeg4", rate=fps)
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt, video.bit_rate = "yuv420p", 4_000_000
        if sound is not None:
            layout = "mono" if len(sound) == 1 else "stereo"
            audio = file.add_stream("aac", rate=16_000, layout=layout)
        for picture in pictures:
            file.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if video:
            file.mux(video.encode())
        if audio:
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound, np.float32), format="fltp", layout=layout
            )
            frame.sample_rate = 16_000
            file.mux(audio.encode(frame))
            file.mux(audio.encode())
    return path
