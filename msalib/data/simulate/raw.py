"""The raw control: clips to hear, see and read, made so that the truth is known.

Sentiment is drawn as in the feature control (``features``): per modality u_v + c_i + d_im, from -3
to 3; overall the sum with the same weights; the label what five annotators make of it. Then each
clip is worded by ``grammar``, spoken by ``speech`` and drawn by ``faces``. A voice or a face shows
its sentiment through the few numbers in ``VOICE`` and ``FACE``, with noise; the speaker sets the
rest. The layers of an encoder that reads these clips hold what it makes of them: nothing is planted
there.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.simulate import faces, grammar, speech
from msalib.data.simulate.features import (
    CLIP_SD,
    VIDEO_SD,
    WEIGHTS,
    draw_clips,
    draw_labels,
    draw_sentiment,
    draw_split,
)

VERSION = 1
"""Of the sound and the pictures: raised with any change to what a seed gives."""

VIDEOS, CLIPS = 60, (5, 9)
"""Of the labelled part; the unlabelled one has ``UNLABELLED_VIDEOS``. Clips per video: a range."""

UNLABELLED_VIDEOS = 130


class Story(NamedTuple):
    """What is planted in one raw control beside the plain effects."""

    title: str
    by_speaker: bool = False
    """Speakers, not videos, share the part u of sentiment, and it is the larger one."""

    unseen: bool = False
    """Faces show a sentiment of their own that no other number knows."""

    sarcasm: float = 0.0
    """Share of clips whose words say the opposite of what is meant; the voice says what is."""


STORIES = MappingProxyType(
    {
        "raw": Story("Simulated clips"),
        "raw-speaker": Story("Simulated clips, sentiment tied to the speaker", by_speaker=True),
        "raw-noise": Story("Simulated clips, faces without sentiment", unseen=True),
        "raw-sarcasm": Story("Simulated clips, a fifth of them sarcastic", sarcasm=0.2),
    }
)

VOICE = MappingProxyType(
    {
        "pitch": (1.2, 1.0),  # semitones
        "pitch_range": (0.15, 0.15),  # log
        "speaking_rate": (0.05, 0.04),  # log
        "level": (1.3, 1.0),  # dB
        "open_quotient": (-0.035, 0.02),
        "breathiness": (-0.25, 0.2),  # log
        "jitter": (-0.15, 0.2),  # log
    }
)
"""What follows the acoustic sentiment: change per unit, standard deviation of a clip's noise."""

FACE = MappingProxyType(
    {
        "mouth": (0.30, 0.20),
        "opening": (0.07, 0.10),
        "brows": (0.28, 0.25),
        "eyes": (0.08, 0.08),
    }
)
"""What follows the visual sentiment: change per unit, standard deviation of a clip's noise."""

_NEUTRAL = faces.Expression(mouth=0.0, opening=0.25, brows=0.0, eyes=0.62)
_LOWEST = faces.Expression(mouth=-1.0, opening=0.0, brows=-1.0, eyes=0.15)


def raw(
    story: str = "raw",
    seed: int = 0,
    *,
    videos: int = VIDEOS,
    clips: tuple[int, int] = CLIPS,
) -> Corpus:
    """The raw control of that name, one of ``STORIES``; nothing is rendered yet.

    The stories of a seed share speakers, videos and split, and all but ``raw-speaker`` their
    sentiment. Beside the usual columns the table
    has ``speaker`` and ``label_T``, ``label_A``, ``label_V``: what annotators make of the words,
    the voice or the face alone. The split, ``standard``, puts all videos of a speaker in one part.
    ``truth`` holds

    - ``sentiment``: per modality (N,), from -3 to 3; ``overall`` (N,); their ``weights``;
    - ``shown``: per modality (N,), the sentiment that words, voice and face are made from. It is
      ``sentiment`` but for faces in ``raw-noise`` and for the words of sarcastic clips;
    - ``sarcasm`` (N,): true for those;
    - ``grade`` (N,): -3 to 3, what the words express; ``context`` (N,): true for turns that make
      sense only after the clip before (``grammar``);
    - ``voice`` and ``face``: tables by clip of the numbers that it is rendered from.

    Raises ``KeyError`` for an unknown story.
    """
    planted = STORIES[story]
    people, feelings, annotators, words, *looks, extra = np.random.default_rng([seed, 0]).spawn(7)
    table = draw_clips(people, videos, clips)
    group = table["speaker" if planted.by_speaker else "video"]
    spread = (CLIP_SD, VIDEO_SD) if planted.by_speaker else (VIDEO_SD, CLIP_SD)
    sentiment = draw_sentiment(feelings, pd.factorize(group)[0], *spread)
    overall = sum(WEIGHTS[m] * sentiment[m] for m in MODALITIES)

    shown = dict(sentiment)
    if planted.unseen:
        shown["visual"] = draw_sentiment(extra, pd.factorize(group)[0], *spread)["visual"]
    sarcasm = _sarcastic(extra, sentiment, planted.sarcasm)
    shown["linguistic"] = np.where(sarcasm, -sentiment["linguistic"], sentiment["linguistic"])
    transcripts = grammar.write(words, shown["linguistic"], table["video"].to_numpy())
    columns = {"text": transcripts.text, "label": draw_labels(annotators, overall)}
    for column, m in (("label_T", "linguistic"), ("label_A", "acoustic"), ("label_V", "visual")):
        columns[column] = draw_labels(annotators, shown[m])
    return Corpus(
        name=story,
        utterances=table.assign(**columns),
        features={},
        splits={"standard": draw_split(people, table["speaker"])},
        truth={
            "sentiment": sentiment,
            "overall": overall,
            "weights": dict(WEIGHTS),
            "shown": shown,
            "sarcasm": sarcasm,
            "grade": transcripts.grade,
            "context": transcripts.context,
            "voice": _voices(looks[0], table["speaker"], shown["acoustic"]),
            "face": _faces(looks[1], table["speaker"], shown["visual"]),
        },
        faces="whole",
    )


def unlabelled(seed: int = 0, *, videos: int = UNLABELLED_VIDEOS) -> Corpus:
    """Clips for pretraining: as in ``raw``, but of other speakers and videos, without labels.

    ``label`` is NaN, there is no split, and ``truth`` holds nothing but the tables ``voice`` and
    ``face``.
    """
    people, words, *looks = np.random.default_rng([seed, 1]).spawn(4)
    table = draw_clips(people, videos, CLIPS)
    sentiment = draw_sentiment(people, pd.factorize(table["video"])[0])
    table["video"] = table["video"].str.replace("v", "u")
    table["speaker"] = table["speaker"].str.replace("s", "t")
    table.index = table.index.str.replace("v", "u")
    transcripts = grammar.write(words, sentiment["linguistic"], table["video"].to_numpy())
    return Corpus(
        name="raw-unlabelled",
        utterances=table.assign(text=transcripts.text, label=np.nan),
        features={},
        splits={},
        truth={
            "voice": _voices(looks[0], table["speaker"], sentiment["acoustic"]),
            "face": _faces(looks[1], table["speaker"], sentiment["visual"]),
        },
        faces="whole",
    )


def load(story: str) -> Corpus:
    """The raw control of that name, seed 0, whose clips are rendered when first asked for.

    They lie in the features' folder, under ``<story>/clips``, and are left there.
    """
    corpus = raw(story)
    folder = paths.features_folder() / story / "clips"
    media = {m: OnDemand(corpus, folder, m) for m in ("visual", "acoustic")}
    return replace(corpus, media=media)


class OnDemand(Sequence):
    """Paths of a corpus' clips, all of which are rendered when the first path is asked for."""

    def __init__(self, corpus: Corpus, folder: Path, modality: str):
        self._corpus, self._folder, self._modality = corpus, folder, modality
        self._paths = None

    def __len__(self) -> int:
        return len(self._corpus)

    def __getitem__(self, index):
        if self._paths is None:
            self._paths = render(self._corpus, self._folder).media[self._modality]
        return self._paths[index]


def sound(corpus: Corpus, row: int) -> np.ndarray:
    """Sound of one clip of ``raw``: (S,) float32 at 16 kHz."""
    voice = corpus.truth["voice"].iloc[row]
    return speech.say(
        corpus.utterances["text"].iloc[row],
        speech.Voice(**{k: voice[k] for k in speech.Voice._fields}),
        np.random.default_rng(int(voice["seed"])),
    )


def clip(corpus: Corpus, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Sound of one clip of ``raw``, and its pictures (T, 64, 64, 3) uint8, three a second."""
    wave = sound(corpus, row)
    rng = np.random.default_rng(int(corpus.truth["face"]["seed"].iloc[row]))
    frames = round(len(wave) / speech.RATE * faces.FPS)
    return wave, faces.film(*person(corpus, row), frames, rng)


def person(corpus: Corpus, row: int) -> tuple[faces.Person, faces.Expression]:
    """Who is in the pictures of one clip of ``raw``, and with which expression."""
    face = corpus.truth["face"].iloc[row]
    return (
        faces.Person(**{k: face[k] for k in faces.Person._fields}),
        faces.Expression(**{k: face[k] for k in faces.Expression._fields}),
    )


def render(corpus: Corpus, folder: Path, kind: Literal["files", "mp4"] = "files") -> Corpus:
    """Write the clips of ``raw`` or ``unlabelled`` as media; return the corpus with their paths.

        label.csv                    a row per clip, as MMSA has it; written last
        Raw/<video>/<segment>.wav    16 kHz, one channel, 16 bits
        Raw/<video>/<segment>/       0001.png, 0002.png, ...; fps.txt
        Raw/<video>/<segment>.mp4    instead of both, for ``mp4``: H.264 and AAC
        clips.json                   what they were made from

    Clips that are there are left as they are, so that a killed rendering goes on. Raises
    ``UserError`` where the folder holds clips of another corpus or kind, and where a package that
    writes media is missing.
    """
    _check_packages(kind)
    folder.mkdir(parents=True, exist_ok=True)
    _mark(folder, corpus, kind)
    place = [
        folder / "Raw" / video / str(segment)
        for video, segment in zip(
            corpus.utterances["video"], corpus.utterances["segment"], strict=True
        )
    ]
    if kind == "mp4":
        files = [path.with_suffix(".mp4") for path in place]
        wanted = {"visual": files, "acoustic": files}
    else:
        wanted = {"visual": place, "acoustic": [path.with_suffix(".wav") for path in place]}
    missing = [
        row for row in range(len(corpus)) if not all(w[row].exists() for w in wanted.values())
    ]
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as partial:
        for row in bar(missing, f"rendering {corpus.name}", "clip"):
            _write_clip(corpus, row, {m: w[row] for m, w in wanted.items()}, Path(partial))
        if not (folder / "label.csv").exists():
            _labels(corpus).to_csv(Path(partial) / "label.csv", index=False)
            _move(Path(partial) / "label.csv", folder / "label.csv")
    return replace(corpus, media=wanted)


def _sarcastic(rng, sentiment: Mapping[str, np.ndarray], share: float) -> np.ndarray:
    """Clips (N,) whose words will be turned; only those where words and voice agree and mean it."""
    words, voice = sentiment["linguistic"], sentiment["acoustic"]
    can = np.flatnonzero((words * voice > 0) & (np.abs(words) >= 1) & (np.abs(voice) >= 0.5))
    chosen = rng.permutation(can)[: round(share * len(words))]
    return np.isin(np.arange(len(words)), chosen)


def _voices(rng, speaker: pd.Series, sentiment: np.ndarray) -> pd.DataFrame:
    """``speech.Voice`` and a seed of every clip, by clip id."""
    code, names = pd.factorize(speaker)
    people = len(names)
    high = rng.random(people) < 0.5
    usual = pd.DataFrame(
        {
            "pitch": np.where(high, 200, 115) * np.exp(0.11 * rng.normal(size=people)),
            "pitch_range": 2.8 * np.exp(0.12 * rng.normal(size=people)),
            "speaking_rate": np.clip(5.2 + 0.25 * rng.normal(size=people), 4.8, 5.7),
            "level": -28 + 1.5 * np.clip(rng.normal(size=people), -2, 2),
            "open_quotient": 0.6 + 0.03 * rng.normal(size=people),
            "breathiness": 0.08 * np.exp(0.3 * rng.normal(size=people)),
            "jitter": 0.008 * np.exp(0.2 * rng.normal(size=people)),
            "shimmer": rng.uniform(0.03, 0.06, size=people),
            "tract": np.where(high, 1.15, 1.0) * np.exp(0.03 * rng.normal(size=people)),
            "room": rng.uniform(-66, -56, size=people),
        }
    )
    table = usual.iloc[code].set_index(speaker.index)
    change = {
        name: slope * sentiment + noise * np.clip(rng.normal(size=len(code)), -2.5, 2.5)
        for name, (slope, noise) in VOICE.items()
    }
    table["pitch"] *= 2 ** (change["pitch"] / 12)
    for name in ("pitch_range", "speaking_rate", "breathiness", "jitter"):
        table[name] *= np.exp(change[name])
    table["level"] += change["level"]
    table["open_quotient"] = (table["open_quotient"] + change["open_quotient"]).clip(0.4, 0.85)
    return table.assign(seed=rng.integers(2**31, size=len(code)))


def _faces(rng, speaker: pd.Series, sentiment: np.ndarray) -> pd.DataFrame:
    """``faces.Person``, ``faces.Expression`` and a seed of every clip, by clip id."""
    code, names = pd.factorize(speaker)
    usual = pd.DataFrame([faces.person(rng) for _ in names])
    table = usual.iloc[code].set_index(speaker.index)
    for name, (slope, noise) in FACE.items():
        value = getattr(_NEUTRAL, name) + slope * sentiment + noise * rng.normal(size=len(code))
        table[name] = np.clip(value, getattr(_LOWEST, name), 1)
    return table.assign(seed=rng.integers(2**31, size=len(code)))


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


def _mark(folder: Path, corpus: Corpus, kind: str) -> None:
    """Say in ``folder`` what its clips are made from; one that says otherwise is an error."""
    tables = [corpus.utterances, corpus.truth["voice"], corpus.truth["face"]]
    content = "".join(table.to_csv(float_format="%.9g") for table in tables)
    settings = {
        "generator": "msalib.simulate.raw",
        "version": VERSION,
        "corpus": corpus.name,
        "kind": kind,
        "clips": len(corpus),
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
    }
    text = json.dumps(settings, indent=2) + "\n"
    mark = folder / "clips.json"
    if not mark.exists():
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as partial:
            (Path(partial) / "clips.json").write_text(text)
            _move(Path(partial) / "clips.json", mark)
    elif mark.read_text() != text:
        raise UserError(
            folder,
            found="clips made from other settings, or by another version",
            expected=f"clips of {corpus.name} as {kind}, or none",
            remedy="Delete that folder, its clips are made again; or choose another one.",
        )


def _labels(corpus: Corpus) -> pd.DataFrame:
    """The table as MMSA has it; polarity in words is its column ``annotation``."""
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


def _write_clip(corpus: Corpus, row: int, wanted: Mapping[str, Path], partial: Path) -> None:
    """One clip under a name of its own in ``partial``, then to its place."""
    wave, pictures = clip(corpus, row)
    wanted["visual"].parent.mkdir(parents=True, exist_ok=True)
    if wanted["visual"] == wanted["acoustic"]:
        _write_video(partial / "clip.mp4", wave, pictures)
        _move(partial / "clip.mp4", wanted["visual"])
        return
    if not wanted["acoustic"].exists():
        _write_sound(partial / "clip.wav", wave)
        _move(partial / "clip.wav", wanted["acoustic"])
    if not wanted["visual"].exists():
        _write_pictures(partial / "clip", pictures)
        _move(partial / "clip", wanted["visual"])


def _write_sound(path: Path, wave: np.ndarray) -> None:
    import soundfile

    soundfile.write(path, wave, speech.RATE, subtype="PCM_16")


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
