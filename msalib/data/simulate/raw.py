"""The raw control: clips to hear, see and read, made so that the truth is known.

Sentiment is drawn as in the feature control (``features``): per modality u_v + c_i + d_im, from -3
to 3. Overall sentiment is the sum with the same weights; the label is what five annotators make of
it. Each clip is then worded by ``grammar``, spoken by ``speech`` and drawn by ``faces``
(``render``). A voice or a face shows its sentiment through the few numbers in ``VOICE`` and
``FACE``, with noise; the speaker sets the rest. The layers of an encoder that reads these clips
hold what it makes of them: nothing is planted there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.simulate import faces, grammar
from msalib.data.simulate.features import (
    CLIP_SD,
    VIDEO_SD,
    WEIGHTS,
    draw_clips,
    draw_labels,
    draw_sentiment,
    draw_split,
)

VIDEOS, CLIPS = 60, (5, 9)
"""Number of labelled videos, and the range of clips per video."""

UNLABELLED_VIDEOS = 130
"""Number of videos for pretraining."""


class Story(NamedTuple):
    """The effects that are planted in one raw control, besides the plain ones."""

    title: str
    by_speaker: bool = False
    """Speakers, not videos, share the part u of sentiment, and it is the larger one."""

    unseen: bool = False
    """Faces show a sentiment of their own that no other number knows."""

    sarcasm: float = 0.0
    """Share of clips whose words say the opposite of what is meant; the voice is sincere."""


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
"""Numbers that follow acoustic sentiment: change per unit, standard deviation of the noise."""

FACE = MappingProxyType(
    {
        "mouth": (0.30, 0.20),
        "opening": (0.07, 0.10),
        "brows": (0.28, 0.25),
        "eyes": (0.08, 0.08),
    }
)
"""Numbers that follow visual sentiment: change per unit, standard deviation of the noise."""

LABELS = MappingProxyType({"label_T": "linguistic", "label_A": "acoustic", "label_V": "visual"})
"""Column of a unimodal label -> its modality."""

_NEUTRAL = faces.Expression(mouth=0.0, opening=0.25, brows=0.0, eyes=0.62)
_LOWEST = faces.Expression(mouth=-1.0, opening=0.0, brows=-1.0, eyes=0.15)


def raw(
    story: str = "raw",
    seed: int = 0,
    *,
    videos: int = VIDEOS,
    clips: tuple[int, int] = CLIPS,
) -> Corpus:
    """Return the raw control of that name, one of ``STORIES``; nothing is rendered yet.

    The stories of a seed share speakers, videos and split; all but ``raw-speaker`` share their
    sentiment. Besides the usual columns the table has ``speaker`` and ``LABELS``: what annotators
    make of the words, the voice or the face alone. The split, ``standard``, puts all videos of a
    speaker in one part. ``truth`` holds

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
    group = pd.factorize(table["speaker" if planted.by_speaker else "video"])[0]
    spread = (CLIP_SD, VIDEO_SD) if planted.by_speaker else (VIDEO_SD, CLIP_SD)
    sentiment = draw_sentiment(feelings, group, *spread)
    overall = sum(WEIGHTS[m] * sentiment[m] for m in MODALITIES)

    expressed = dict(sentiment)
    if planted.unseen:
        expressed["visual"] = draw_sentiment(extra, group, *spread)["visual"]
    sarcasm = _sarcastic(extra, sentiment, planted.sarcasm)
    expressed["linguistic"] = np.where(sarcasm, -1, 1) * sentiment["linguistic"]
    transcripts = grammar.write(words, expressed["linguistic"], table["video"].to_numpy())
    columns = {"text": transcripts.text, "label": draw_labels(annotators, overall)}
    columns |= {column: draw_labels(annotators, expressed[m]) for column, m in LABELS.items()}
    return Corpus(
        name=story,
        utterances=table.assign(**columns),
        features={},
        splits={"standard": draw_split(people, table["speaker"])},
        truth={
            "sentiment": sentiment,
            "overall": overall,
            "weights": dict(WEIGHTS),
            "shown": expressed,
            "sarcasm": sarcasm,
            "grade": transcripts.grade,
            "context": transcripts.context,
            "voice": _voices(looks[0], table["speaker"], expressed["acoustic"]),
            "face": _faces(looks[1], table["speaker"], expressed["visual"]),
        },
        faces="whole",
    )


def unlabelled(seed: int = 0, *, videos: int = UNLABELLED_VIDEOS) -> Corpus:
    """Return clips for pretraining: as in ``raw``, but of other speakers, without labels.

    ``label`` is NaN, there is no split, and ``truth`` holds nothing but the tables ``voice`` and
    ``face``.
    """
    table, sentiment, looks = strangers(seed, videos)
    return Corpus(
        name="raw-unlabelled",
        utterances=table,
        features={},
        splits={},
        truth={
            "voice": _voices(looks[0], table["speaker"], sentiment["acoustic"]),
            "face": _faces(looks[1], table["speaker"], sentiment["visual"]),
        },
        faces="whole",
    )


def strangers(seed: int, videos: int) -> tuple[pd.DataFrame, dict[str, np.ndarray], list]:
    """Draw clips of speakers that ``raw`` does not have.

    Returns their table, with texts and without labels, the sentiment (N,) per modality, and two
    generators for voices and faces.
    """
    people, words, *looks = np.random.default_rng([seed, 1]).spawn(4)
    table = draw_clips(people, videos, CLIPS)
    sentiment = draw_sentiment(people, pd.factorize(table["video"])[0])
    table["video"] = table["video"].str.replace("v", "u")
    table["speaker"] = table["speaker"].str.replace("s", "t")
    table.index = table.index.str.replace("v", "u")
    transcripts = grammar.write(words, sentiment["linguistic"], table["video"].to_numpy())
    return table.assign(text=transcripts.text, label=np.nan), sentiment, looks


def _sarcastic(rng, sentiment: Mapping[str, np.ndarray], share: float) -> np.ndarray:
    """Draw the clips (N,) whose words are turned, among those where words and voice agree."""
    words, voice = sentiment["linguistic"], sentiment["acoustic"]
    agreeing = np.flatnonzero((words * voice > 0) & (np.abs(words) >= 1) & (np.abs(voice) >= 0.5))
    chosen = rng.permutation(agreeing)[: round(share * len(words))]
    return np.isin(np.arange(len(words)), chosen)


def _voices(rng, speaker: pd.Series, sentiment: np.ndarray) -> pd.DataFrame:
    """Draw the numbers of ``speech.Voice`` and a seed for every clip, by clip id."""
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
    """Draw ``faces.Person``, ``faces.Expression`` and a seed for every clip, by clip id."""
    code, names = pd.factorize(speaker)
    usual = pd.DataFrame([faces.person(rng) for _ in names])
    table = usual.iloc[code].set_index(speaker.index)
    for name, (slope, noise) in FACE.items():
        value = getattr(_NEUTRAL, name) + slope * sentiment + noise * rng.normal(size=len(code))
        table[name] = np.clip(value, getattr(_LOWEST, name), 1)
    return table.assign(seed=rng.integers(2**31, size=len(code)))
