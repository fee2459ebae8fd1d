"""What the page of the spoken control shows: one sentence in several voices, and what carries what.

Everything is computed from the simulation on the spot. The speech may sound the same and yet differ
in its bytes where another version of the synthesiser is installed, so the page names the version.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from msalib.data import pairs
from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.simulate import espeak, raw, render, speech, spoken
from msalib.pages.clips import player
from msalib.pages.raw import MEANING as RAW
from msalib.pages.raw import makings as of_voice_and_face
from msalib.pages.tables import Note, Table

MEANING = {
    "pitch": "pitch of the voice (eSpeak's number; 6 are about a semitone)",
    "pitch_range": "range of the melody (log)",
    "speaking_rate": "words a minute (log)",
    "level": "loudness (dB)",
    **{name: RAW[name] for name in raw.FACE},
}
"""The numbers that follow sentiment, in words."""

LEVELS = {"low": -2.5, "neutral": 0.0, "high": 2.5}
"""Acoustic sentiment of the voices that say one sentence."""

LONG = 7
"""Words of a sentence that is long enough to hear a voice."""

TIMED = 50
"""One clip in so many is spoken for an estimate of how long clips are."""


def sentence(corpus: Corpus, part: str = "valid") -> int:
    """Return the row of the clip with the most neutral voice, among those long enough to judge."""
    rows = corpus.rows(part, "standard")
    words = corpus.utterances["text"].iloc[rows].str.split().str.len().to_numpy()
    neutrality = np.abs(corpus.truth["shown"]["acoustic"][rows])
    return int(rows[np.where(words >= LONG, neutrality, np.inf).argmin()])


def voices(corpus: Corpus, row: int) -> Table:
    """Show players: the text of a clip as its speaker says it in three moods, and as ``raw`` does.

    The words, the speaker and the noise of the clip stay as they are; only what follows acoustic
    sentiment moves.
    """
    text, drawn = corpus.utterances["text"].iloc[row], corpus.truth["voice"].iloc[[row]]
    heard = corpus.truth["shown"]["acoustic"][row]
    rows = []
    for name, level in LEVELS.items():
        change = {number: slope * (level - heard) for number, (slope, _) in spoken.VOICE.items()}
        voice = espeak.Voice(**spoken.moved(drawn, change).iloc[0])
        wave = espeak.say(text, voice)
        told = f"pitch {voice.pitch:.0f}, {voice.speaking_rate:.0f} words a minute, "
        told += f"{voice.level:.0f} dB"
        rows.append(_heard(f"{name} ({level:+.1f})", wave, told, text))
    babble = render.sound(raw.raw(), row)
    told = "the same clip of raw, from the formant synthesiser"
    rows.append(_heard(f"raw ({heard:+.1f})".replace("-0.0", "+0.0"), babble, told, text))
    about = f"One speaker says “{text}” ({corpus.utterances.index[row]})"
    return Table(
        pd.DataFrame(rows),
        caption=f"{about}; acoustic sentiment in brackets. Setting: control.",
    )


def _heard(name: str, wave: np.ndarray, told: str, text: str) -> Mapping[str, str]:
    return {
        "voice": name,
        "listen": player(wave, speech.RATE, f"{name}: {text}"),
        "seconds": f"{len(wave) / speech.RATE:.1f}",
        "made of": told,
    }


def makings() -> Table:
    """Show what in a voice and a face follows sentiment, by how much, and how noisily."""
    return of_voice_and_face(spoken.VOICE, MEANING)


def carried(corpus: Corpus) -> Table:
    """Show how each number of voice, words and face goes along with each sentiment."""
    voice, face, truth = (corpus.truth[name] for name in ("voice", "face", "shown"))
    numbers = {
        **{f"voice: {MEANING[n]}": ("acoustic", voice[n]) for n in spoken.VOICE},
        "words: their grade": ("linguistic", corpus.truth["grade"]),
        **{f"face: {MEANING[n]}": ("visual", face[n]) for n in raw.FACE},
    }
    rows = [
        {
            "number": name,
            **{f"{m} sentiment": _alone(values, m, truth) for m in MODALITIES},
            "made from": source,
        }
        for name, (source, values) in numbers.items()
    ]
    caption = (
        "What carries what: correlation of each number with the sentiment of one modality, that of "
        "the other two held constant (partial r). Setting: control."
    )
    return Table(pd.DataFrame(rows), caption=caption)


def _alone(values, modality: str, truth: Mapping[str, np.ndarray]) -> str:
    """Return the partial correlation of some values with the sentiment of one modality."""
    others = np.column_stack([np.ones(len(values)), *(truth[m] for m in truth if m != modality)])

    def rest(target):
        target = np.asarray(target, float)
        return target - others @ np.linalg.lstsq(others, target, rcond=None)[0]

    return f"{np.corrcoef(rest(values), rest(truth[modality]))[0, 1]:+.2f}".replace(
        "-0.00", "+0.00"
    )


def parts(corpus: Corpus) -> Table:
    """Show how much is spoken: the clips with labels, and those to pretrain on."""
    rows = []
    for name, part in ((spoken.NAME, corpus), (spoken.UNLABELLED, pairs.load(spoken.UNLABELLED))):
        table = part.utterances
        seconds = np.mean([len(render.sound(part, r)) for r in range(0, len(part), TIMED)])
        rows.append(
            {
                "name": name,
                "clips": len(part),
                "speakers": table["speaker"].nunique(),
                "different texts": table["text"].nunique(),
                "words a clip": f"{table['text'].str.split().str.len().mean():.1f}",
                "seconds a clip": f"{seconds / speech.RATE:.1f}",
                "labels": "none" if table["label"].isna().all() else "yes",
            }
        )
    caption = f"Seconds are those of every {TIMED}th clip. Setting: control."
    return Table(pd.DataFrame(rows), caption=f"What is spoken. {caption}")


def synthesiser() -> Note:
    """Say which synthesiser spoke, and what another one may change."""
    return Note(
        f"Spoken by {espeak.version()}. Texts, labels, splits, faces and the numbers of the voices "
        "depend on the seed alone, and so does the fingerprint of the corpus. The samples of the "
        "sound may differ with another version or processor; the folder of clips says which "
        "version spoke them, and clips of another version are refused. Features know the samples "
        "that they were made from: where these differ, records of the book are refused beside your "
        "own features, and read without them."
    )
