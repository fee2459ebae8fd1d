"""Render the clips of simulated people: sound by ``speech`` or ``espeak``, pictures by ``faces``.

A corpus whose voices name a variant is spoken by ``espeak`` (``spoken``), any other by ``speech``
(``raw``). One without faces has sound alone.

Clips are files that encoders read like those of real data, with the table that MMSA keeps of them.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.base.files import disk_errors, folder_in, write_text
from msalib.base.progress import bar
from msalib.data.corpus import Corpus
from msalib.data.simulate import espeak, faces, speech, spoken
from msalib.data.simulate.raw import raw

VERSION = 1
"""Version of the sound and the pictures: raised with any change to what a seed gives."""

RECORDED = ("raw", "raw-spoken")
"""Stories with records from before there were digests: their fingerprints stay without."""


def load(story: str) -> Corpus:
    """Return the raw or spoken control of that name, seed 0; see ``on_demand``.

    Some have the same table and differ in what is seen and heard, which ``digests`` tell apart.
    """
    corpus = spoken.spoken() if story == spoken.NAME else raw(story)
    digests = {} if story in RECORDED else {"clips": _content(corpus)}
    return on_demand(replace(corpus, digests=digests))


def on_demand(corpus: Corpus) -> Corpus:
    """Return a corpus with media; its clips are rendered when the first is asked for.

    They are written to the features' folder, under ``<name>/clips``, and stay there.
    """
    folder = paths.features_folder() / corpus.name / "clips"
    modalities = ("visual", "acoustic") if has_faces(corpus) else ("acoustic",)
    return replace(corpus, media={m: OnDemand(corpus, folder, m) for m in modalities})


def has_faces(corpus: Corpus) -> bool:
    """Check whether the clips of a corpus can be seen, besides heard."""
    return "face" in corpus.truth


class OnDemand(Sequence):
    """Paths of a corpus's clips, all of which are rendered when one path is asked for.

    For a slice of them only its clips are.
    """

    def __init__(self, corpus: Corpus, folder: Path, modality: str):
        self._corpus, self._folder, self._modality = corpus, folder, modality
        self._paths = None

    def __len__(self) -> int:
        return len(self._corpus)

    def __getitem__(self, index):
        if self._paths is None and isinstance(index, slice):
            rows = range(len(self))[index]
            paths = render(self._corpus, self._folder, rows=rows).media[self._modality]
            return paths[index]
        if self._paths is None:
            self._paths = render(self._corpus, self._folder).media[self._modality]
        return self._paths[index]


def sound(corpus: Corpus, row: int) -> np.ndarray:
    """Synthesise the sound of one clip: (S,) float32 at 16 kHz."""
    voice, text = corpus.truth["voice"].iloc[row], corpus.utterances["text"].iloc[row]
    if is_spoken(corpus):
        return espeak.say(text, espeak.Voice(**voice))
    return speech.say(
        text,
        speech.Voice(**{k: voice[k] for k in speech.Voice._fields}),
        np.random.default_rng(int(voice["seed"])),
    )


def is_spoken(corpus: Corpus) -> bool:
    """Check whether ``espeak`` speaks a corpus."""
    return "variant" in corpus.truth["voice"]


def clip(corpus: Corpus, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Render the sound of one clip, and its pictures (T, 64, 64, 3) uint8, three a second."""
    wave = sound(corpus, row)
    rng = np.random.default_rng(int(corpus.truth["face"]["seed"].iloc[row]))
    frames = round(len(wave) / speech.RATE * faces.FPS)
    return wave, faces.film(*person(corpus, row), frames, rng)


def person(corpus: Corpus, row: int) -> tuple[faces.Person, faces.Expression]:
    """Return who is in the pictures of one clip of ``raw``, and the expression."""
    face = corpus.truth["face"].iloc[row]
    return (
        faces.Person(**{k: face[k] for k in faces.Person._fields}),
        faces.Expression(**{k: face[k] for k in faces.Expression._fields}),
    )


def render(
    corpus: Corpus,
    folder: Path,
    kind: Literal["files", "mp4"] = "files",
    rows: Sequence[int] | None = None,
) -> Corpus:
    """Write the clips of simulated people as media; return the corpus with their paths.

        label.csv                    a row per clip, as MMSA has it; written last, with all clips
        Raw/<video>/<segment>.wav    16 kHz, one channel, 16 bits
        Raw/<video>/<segment>/       0001.png, 0002.png, ...; fps.txt
        Raw/<video>/<segment>.mp4    instead of both, for ``mp4``: H.264 and AAC
        clips.json                   what they were made from, for ``espeak`` with its version

    ``rows`` are the clips to write, by default all. Without faces there is sound alone, as
    ``files``. Existing clips are left as they are, so a killed rendering goes on. Raises
    ``UserError`` where the folder holds clips of another corpus or kind, and where a package that
    speaks or writes media is missing.
    """
    _check_packages(kind)
    mark = _mark(corpus, kind)
    _check_mark(folder, mark, f"clips of {corpus.name} as {kind}, or none")
    place = [
        folder / "Raw" / video / str(segment)
        for video, segment in zip(
            corpus.utterances["video"], corpus.utterances["segment"], strict=True
        )
    ]
    if kind == "mp4":
        files = [path.with_suffix(".mp4") for path in place]
        media = {"visual": files, "acoustic": files}
    else:
        media = {"visual": place} if has_faces(corpus) else {}
        media["acoustic"] = [path.with_suffix(".wav") for path in place]
    asked = range(len(corpus)) if rows is None else rows
    missing = [row for row in asked if not all(files[row].exists() for files in media.values())]
    with disk_errors(folder), folder_in(folder) as partial:
        for row in bar(missing, f"rendering {corpus.name}", "clip"):
            places = {m: files[row] for m, files in media.items()}
            _write_clip(corpus, row, places, partial)
        if rows is None and not (folder / "label.csv").exists():
            _labels(corpus).to_csv(partial / "label.csv", index=False)
            _move(partial / "label.csv", folder / "label.csv")
    return replace(corpus, media=media)


def _check_packages(kind: str) -> None:
    from importlib.util import find_spec

    needed = {"soundfile": "soundfile", "cv2": "opencv-python-headless"}
    if kind == "mp4":
        needed = {"av": "av", "cv2": "opencv-python-headless"}
    absent = [package for module, package in needed.items() if find_spec(module) is None]
    if absent:
        raise UserError(
            "rendering of simulated clips",
            found=f"no {' and no '.join(absent)}",
            expected="the packages that write sound and pictures",
            remedy='Run: pip install -e ".[media]".',
        )


def _mark(corpus: Corpus, kind: str) -> str:
    """Return what the clips of a corpus are made from, as JSON."""
    settings = {
        "generator": "msalib.simulate.raw",
        "version": VERSION,
        "corpus": corpus.name,
        "kind": kind,
        "clips": len(corpus),
        "sha256": _content(corpus),
    }
    if is_spoken(corpus):
        settings |= {"generator": "msalib.simulate.spoken", "synthesiser": espeak.version()}
    return json.dumps(settings, indent=2) + "\n"


def _content(corpus: Corpus) -> str:
    """Return the SHA-256 of what is said, and of what decides how it sounds and looks."""
    tables = [corpus.utterances, *(corpus.truth[t] for t in ("voice", "face") if t in corpus.truth)]
    content = "".join(table.to_csv(float_format="%.9g") for table in tables)
    return hashlib.sha256(content.encode()).hexdigest()


def _check_mark(folder: Path, text: str, expected: str) -> None:
    """Write the mark to ``folder``; one with the mark of other clips is a ``UserError``."""
    mark = folder / "clips.json"
    if not mark.exists():
        write_text(mark, text)
    elif mark.read_text() != text:
        raise UserError(
            folder,
            found="clips made from other settings, or by another version",
            expected=expected,
            remedy="Delete that folder, its clips are made again; or choose another one.",
        )


def _labels(corpus: Corpus) -> pd.DataFrame:
    """Return the table as MMSA has it; polarity in words is its column ``annotation``."""
    table = corpus.utterances
    sign = np.sign(table["label"])
    split = corpus.splits.get("standard", pd.Series("", index=table.index))
    labels = [c for c in ("label", "label_T", "label_A", "label_V") if c in table]
    return pd.DataFrame(
        {
            "video_id": table["video"],
            "clip_id": table["segment"],
            "text": table["text"],
            **{c: table[c] for c in labels},
            "annotation": sign.map({-1: "Negative", 0: "Neutral", 1: "Positive"}),
            "mode": split,
        }
    )


def _write_clip(corpus: Corpus, row: int, places: Mapping[str, Path], partial: Path) -> None:
    """Write one clip under another name in ``partial``, then move it to its place."""
    wave, pictures = clip(corpus, row) if has_faces(corpus) else (sound(corpus, row), None)
    places["acoustic"].parent.mkdir(parents=True, exist_ok=True)
    if places.get("visual") == places["acoustic"]:
        _write_video(partial / "clip.mp4", wave, pictures)
        _move(partial / "clip.mp4", places["visual"])
        return
    if not places["acoustic"].exists():
        _write_sound(partial / "clip.wav", wave)
        _move(partial / "clip.wav", places["acoustic"])
    if pictures is not None and not places["visual"].exists():
        _write_pictures(partial / "clip", pictures)
        _move(partial / "clip", places["visual"])


def _write_sound(path: Path, wave: np.ndarray) -> None:
    import soundfile

    # soundfile tells a full disk as a "System error."; Python says what it is.
    content = io.BytesIO()
    soundfile.write(content, wave, speech.RATE, format="WAV", subtype="PCM_16")
    path.write_bytes(content.getvalue())


def _write_pictures(path: Path, pictures: np.ndarray) -> None:
    import cv2

    path.mkdir()
    for number, picture in enumerate(pictures, start=1):
        # OpenCV takes blue first.
        (path / f"{number:04d}.png").write_bytes(cv2.imencode(".png", picture[..., ::-1])[1])
    (path / "fps.txt").write_text(f"{faces.FPS}\n")


def _write_video(path: Path, wave: np.ndarray, pictures: np.ndarray) -> None:
    import av

    with av.open(str(path), "w") as container:
        container.flags |= av.container.Flags.bitexact.value
        # One thread and no mbtree: else the same pictures give other bytes from time to time.
        options = {"crf": "12", "x264-params": "mbtree=0"}
        video = container.add_stream("libx264", rate=faces.FPS, options=options)
        video.width = video.height = faces.SIZE
        video.pix_fmt = "yuv420p"
        video.thread_count = 1
        audio = container.add_stream("aac", rate=speech.RATE, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode())
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.rate = speech.RATE
        container.mux(audio.encode(frame))
        container.mux(audio.encode())


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError:
        # Another process was first; a folder of pictures is not replaced by one of the same bytes.
        if not target.exists():
            raise
