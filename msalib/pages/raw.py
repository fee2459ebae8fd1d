"""What the page of the raw control shows: clips, what makes a voice or a face, the stories.

Everything but what pretraining recorded is computed from the simulation on the spot.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from msalib.base.files import Recorded
from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.simulate import raw, render, speech
from msalib.data.simulate.features import ANNOTATORS
from msalib.pages.clips import Clip
from msalib.pages.clips import clip as drawn
from msalib.pages.tables import Note, Table

MEANING = {
    "pitch": "pitch of the voice (semitones)",
    "pitch_range": "range of the melody (log)",
    "speaking_rate": "syllables a second (log)",
    "level": "loudness (dB)",
    "open_quotient": "share of a cycle in which the glottis is open",
    "breathiness": "breath in the voice (log)",
    "jitter": "unsteadiness of the pitch (log)",
    "mouth": "corners of the mouth, from -1 (down) to 1 (up)",
    "opening": "opening of the mouth, 0 to 1",
    "brows": "brows, from -1 (worried) to 1 (raised)",
    "eyes": "opening of the eyes, 0 to 1",
}
"""The numbers that follow sentiment, in words."""


def examples(corpus: Corpus, part: str = "valid") -> list[Clip]:
    """Return the most negative, most neutral and most positive clip, by all modalities."""
    rows = corpus.rows(part, "standard")
    sentiment = np.stack([corpus.truth["shown"][m] for m in MODALITIES])[:, rows]
    chosen = (
        ("A negative clip", sentiment.max(0).argmin()),
        ("A neutral clip", np.abs(sentiment).max(0).argmin()),
        ("A positive clip", sentiment.min(0).argmax()),
    )
    return [example(corpus, int(rows[i]), title) for title, i in chosen]


def torn(corpus: Corpus, part: str = "valid") -> Clip:
    """Return the clip of a part whose modalities differ most."""
    rows = corpus.rows(part, "standard")
    sentiment = np.stack([corpus.truth["shown"][m] for m in MODALITIES])[:, rows]
    row = rows[np.ptp(sentiment, axis=0).argmax()]
    return example(corpus, int(row), "A clip at odds with itself")


def example(corpus: Corpus, row: int, title: str) -> Clip:
    """Render one clip of a raw control."""
    sound, pictures = render.clip(corpus, row)
    table = corpus.utterances
    return drawn(
        pictures,
        sound,
        speech.RATE,
        text=table["text"].iloc[row],
        label=float(table["label"].iloc[row]),
        truth={m: float(corpus.truth["shown"][m][row]) for m in MODALITIES},
        title=f"{title} ({table.index[row]})",
    )


def makings(
    voice: Mapping[str, tuple[float, float]] = raw.VOICE, meaning: Mapping[str, str] = MEANING
) -> Table:
    """Show what in a voice and a face follows sentiment, by how much, and how noisily.

    ``voice`` maps a number of the voice to its change and noise, ``meaning`` puts it into words.
    """
    rows = [
        {
            "modality": what,
            "follows": meaning[name],
            "from -3 to 3": f"{6 * slope:+.2f}",
            "noise of a clip (sd)": f"{noise:.2f}",
        }
        for what, numbers in (("voice", voice), ("face", raw.FACE))
        for name, (slope, noise) in numbers.items()
    ]
    caption = "What follows the sentiment of voice and face; all else belongs to the speaker."
    return Table(pd.DataFrame(rows), caption=f"{caption} Setting: control.")


def stories(names: Sequence[str] = tuple(raw.STORIES)) -> Table:
    """Show what differs between the stories, measured on all clips of each."""
    rows = []
    for name in names:
        corpus = raw.raw(name)
        table, truth = corpus.utterances, corpus.truth
        label = table["label"]
        by_speaker = label.groupby(table["speaker"]).transform("mean")
        rows.append(
            {
                "data set": name,
                "clips": len(corpus),
                "variance of labels between speakers": f"{by_speaker.var() / label.var():.0%}",
                **{f"label and {m}": _corr(label, truth["shown"][m]) for m in MODALITIES},
                "sarcastic clips": int(truth["sarcasm"].sum()),
            }
        )
    caption = (
        "The stories: how much of the label is the speaker's, and how well the label agrees with "
        "what words, voice and face express (Pearson's r). Setting: control."
    )
    return Table(pd.DataFrame(rows), caption=caption)


def _corr(a, b) -> str:
    return f"{np.corrcoef(a, b)[0, 1]:.2f}"


def mixture(corpus: Corpus) -> Note:
    """Say what the label of a raw control is made of."""
    weights = ", ".join(f"{m} {w:.0%}" for m, w in corpus.truth["weights"].items())
    return Note(f"Weights in the overall sentiment: {weights}. Annotators: {ANNOTATORS}.")


def pretrained() -> Table:
    """Show the encoders of the package: objective, loss, and what a probe finds by layer."""
    encoders = pretraining()
    blocks = max(len(about["probe"]["valid"]) for about in encoders.values()) - 1
    rows = [
        {
            "encoder": f"small-{name}",
            "pretrained on": about["data"],
            "objective": about["objective"],
            "loss, start to end": f"{about['losses'][0]:.2f} to {about['losses'][-1]:.2f}",
            f"r by layer, 0 (input) to {blocks}": _listed(about["probe"]["valid"]),
            "r in five folds": _listed(about["probe"]["folds"]),
            "how settings were chosen": about["choices"],
        }
        for name, about in encoders.items()
    ]
    caption = (
        "The small encoders. r: Pearson's correlation of a linear probe with the true sentiment of "
        "the modality, on validation speakers after training ones; and in five folds over the "
        "speakers of both. Setting: control."
    )
    return Table(pd.DataFrame(rows), caption=caption)


def by_layer() -> Note:
    """Say how far the best block of each small encoder is ahead of its input."""
    sentences = []
    for name, about in pretraining().items():
        valid, folds = about["probe"]["valid"], about["probe"]["folds"]
        sentence = f"small-{name}: {_gain(valid)} on validation, {_gain(folds)} in five folds"
        if valid[0] == folds[0] == 0:
            sentence += " (its input is the same for every clip, so r is 0 there)"
        sentences.append(sentence)
    return Note(
        f"Best block minus input, in r. {'; '.join(sentences)}. The best of several blocks is "
        "picked on the clips that it is judged on, so a gain near zero is no gain."
    )


def pretraining() -> dict[str, dict]:
    """Read what was recorded when the small encoders were pretrained, by name."""
    made = Recorded(
        dict[str, dict],
        "pretrain.json",
        "record of pretraining",
        "run python -m msalib.encoders.pretrain",
    )
    return made.read()


def _listed(levels: Sequence[float]) -> str:
    return ", ".join(f"{r:.2f}" for r in levels)


def _gain(levels: Sequence[float]) -> str:
    return f"{max(levels[1:]) - levels[0]:+.2f}".replace("-0.00", "+0.00")
