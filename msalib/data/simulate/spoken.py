"""The spoken control: the clips of ``raw``, spoken so that their words can be understood.

People, sentiment per modality, transcripts, faces, split and labels are those of ``raw`` of the
same seed. Only the sound differs: eSpeak NG says the transcript (``espeak``). Its voice shows
acoustic sentiment through the four numbers in ``VOICE``, with noise; the speaker sets the variant
of the voice and the middle of those four. So sound and text of a clip say the same, and what the
voice adds is known.

``transcripts`` has real texts spoken, in voices that show no sentiment.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from msalib.data.corpus import Corpus
from msalib.data.simulate import espeak, raw

NAME, UNLABELLED = "raw-spoken", "raw-spoken-unlabelled"

UNLABELLED_VIDEOS = 432
"""Number of videos without labels: 3,000 clips and a few."""

LONGEST, MOST = 40, 3000
"""Words of a real text, and texts of a corpus, that are spoken."""

VOICE = MappingProxyType(
    {
        "pitch": (7.5, 6.0),  # of eSpeak's numbers; 6 are about a semitone
        "pitch_range": (0.15, 0.15),  # log
        "speaking_rate": (0.05, 0.04),  # log
        "level": (1.3, 1.0),  # dB
    }
)
"""Numbers that follow acoustic sentiment: change per unit, standard deviation of the noise."""

_LIMITS = MappingProxyType(
    {"pitch": (0, 99), "pitch_range": (5, 99), "speaking_rate": (110, 260), "level": (-40, -18)}
)


def spoken(
    seed: int = 0, *, videos: int = raw.VIDEOS, clips: tuple[int, int] = raw.CLIPS
) -> Corpus:
    """Return the spoken control; nothing is rendered yet.

    It is ``raw.raw`` with other voices: ``truth["voice"]`` holds the numbers of ``espeak.Voice``.
    """
    corpus = raw.raw("raw", seed, videos=videos, clips=clips)
    rng = np.random.default_rng([seed, 2])
    voice = voices(rng, corpus.utterances["speaker"], corpus.truth["shown"]["acoustic"])
    return replace(corpus, name=NAME, truth={**corpus.truth, "voice": voice})


def unlabelled(seed: int = 0, *, videos: int = UNLABELLED_VIDEOS) -> Corpus:
    """Return clips of speakers that ``spoken`` does not have, without labels, split and faces.

    ``truth`` holds the table ``voice`` alone.
    """
    table, sentiment, _ = raw.strangers(seed, videos)
    voice = voices(np.random.default_rng([seed, 3]), table["speaker"], sentiment["acoustic"])
    return Corpus(
        name=UNLABELLED,
        utterances=table,
        features={},
        splits={},
        truth={"voice": voice},
    )


def transcripts(corpus: Corpus, rows: np.ndarray, name: str, seed: int = 0) -> Corpus:
    """Return the texts of some clips for neutral voices to speak; nothing is rendered yet.

    A speaker has one voice, or a video where speakers are unknown. Texts without a letter or digit
    and texts of more than ``LONGEST`` words are left out, and of the others at most ``MOST`` are
    drawn. ``label`` is NaN, there are no splits, and ``truth`` holds the table ``voice`` alone.
    """
    table = corpus.utterances.iloc[rows]
    silent = ~table["text"].str.contains(r"[^\W_]")
    long = table["text"].str.split().str.len() > LONGEST
    table = table[~silent & ~long]
    drawing, speaking = np.random.default_rng([seed, 4]).spawn(2)
    table = table.iloc[np.sort(drawing.permutation(len(table))[:MOST])]
    speaker = table["speaker"] if "speaker" in table else table["video"]
    columns = {"video": table["video"], "segment": table["segment"], "text": table["text"]}
    return Corpus(
        name=name,
        utterances=pd.DataFrame(columns | {"label": np.nan, "speaker": speaker}),
        features={},
        splits={},
        truth={"voice": voices(speaking, speaker, None)},
        notes=(
            f"{len(table)} of {len(rows)} texts, left out: {silent.sum()} without a word, "
            f"{long.sum()} of more than {LONGEST} words, the rest by a seeded draw",
            f"spoken by eSpeak NG in {speaker.nunique()} voices that show no sentiment",
        ),
    )


def voices(
    rng: np.random.Generator, speaker: pd.Series, sentiment: np.ndarray | None
) -> pd.DataFrame:
    """Draw the numbers of ``espeak.Voice`` for every clip, by clip id.

    ``sentiment`` (N,) is from -3 to 3; without it a voice is its speaker's alone, neither feeling
    nor noise.
    """
    code, names = pd.factorize(speaker)
    people = len(names)
    usual = pd.DataFrame(
        {
            "variant": rng.choice(espeak.VARIANTS, size=people),
            "pitch": 48 + 4 * rng.normal(size=people),
            "pitch_range": 50 * np.exp(0.12 * rng.normal(size=people)),
            "speaking_rate": 170 * np.exp(0.06 * np.clip(rng.normal(size=people), -2, 2)),
            "level": -28 + 1.5 * np.clip(rng.normal(size=people), -2, 2),
        }
    )
    table = usual.iloc[code].set_index(speaker.index)
    if sentiment is None:
        return moved(table, {})
    changes = {
        name: slope * sentiment + noise * np.clip(rng.normal(size=len(sentiment)), -2.5, 2.5)
        for name, (slope, noise) in VOICE.items()
    }
    return moved(table, changes)


def moved(table: pd.DataFrame, changes: Mapping[str, np.ndarray | float]) -> pd.DataFrame:
    """Return voices, a row each, with numbers of ``VOICE`` changed, within what can be spoken."""
    table = table.copy()
    for name, change in changes.items():
        if name in ("pitch_range", "speaking_rate"):
            table[name] *= np.exp(change)
        else:
            table[name] += change
    for name, (low, high) in _LIMITS.items():
        table[name] = table[name].clip(low, high)
    return table
