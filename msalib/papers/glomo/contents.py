"""What is in a local piece: stretches of a padded clip, and how many of them hold padding only.

GLoMo cuts or pads a clip to T frames and pools n stretches of them (``models.pieces``); of text the
states of two layers follow each other, 2T places. Lengths of real transcripts are measured once and
recorded (``RECORD``), so that the page needs no data.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from pydantic import BaseModel, ConfigDict

from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.data import datasets
from msalib.models import recipes
from msalib.models.mult import Encoder
from msalib.models.spt import positions
from msalib.pages.tables import Note, Table
from msalib.papers.glomo.plan import PAPER, TEXT
from msalib.runs.study import Study

PLACES, COUNT = 60, 3
"""T and n of the paper on CMU-MOSI (papers/glomo.md (c))."""


class Lengths(BaseModel):
    """How long the transcripts of CMU-MOSI are: by unit and part, length -> number of clips.

    Units: words; word pieces of the encoder, its two marks among them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: str
    counts: dict[str, dict[str, dict[int, int]]]


RECORD = Recorded(
    Lengths, "pieces/mosi-lengths.json", "record of lengths", "measure it again (-p refresh true)"
)

WORDS, WORD_PIECES = "words", "word pieces (MiniLM)"


def mosi(refresh: bool = False) -> Lengths | None:
    """Return the lengths of CMU-MOSI's transcripts: recorded, or measured where the data are.

    None where there is neither a record nor the data.
    """
    here = datasets.is_available("mosi")
    if RECORD.path.is_file() and not (refresh and here):
        return RECORD.read()
    if not here:
        return None
    measured = measure()
    RECORD.write(measured)
    return measured


def measure() -> Lengths:
    """Count words and word pieces of CMU-MOSI's transcripts; the latter where MiniLM is here."""
    study = Study(PAPER, dataset="mosi")
    corpus = study.corpus
    units = {WORDS: corpus.utterances["text"].str.split().str.len().to_numpy()}
    try:
        read = Study(PAPER, dataset="mosi", encoder="minilm-tuned").encoded_for({TEXT})
        units[WORD_PIECES] = read.features[TEXT].lengths()
    except UserError:  # the weights of MiniLM are not installed
        pass
    split = corpus.splits["standard"].to_numpy()
    return Lengths(
        fingerprint=corpus.fingerprint(),
        counts={
            unit: {
                part: dict(sorted(Counter(map(int, lengths[split == part])).items()))
                for part in ("train", "valid", "test")
            }
            for unit, lengths in units.items()
        },
    )


def spread_out(counts: Mapping[int, int]) -> np.ndarray:
    """Return the lengths (N,) of counts by length, ascending."""
    return np.repeat([*counts.keys()], [*counts.values()])


def by_unit(measured: Lengths | None) -> dict[str, np.ndarray]:
    """Return the lengths (N,) of all clips by unit; none without a measurement."""
    return {
        unit: np.concatenate([spread_out(counts) for counts in by_part.values()])
        for unit, by_part in (measured.counts if measured else {}).items()
    }


def typical(lengths: Mapping[str, np.ndarray]) -> int:
    """Return the median length in words of CMU-MOSI's clips, or a quarter of the places."""
    return int(np.median(lengths[WORDS])) if WORDS in lengths else PLACES // 4


# --- stretches ----------------------------------------------------------------------------------


def bounds(places: int, count: int) -> list[tuple[int, int]]:
    """Return where each stretch begins and ends (exclusive), as ``models.pieces.Stretches``."""
    return [(i * places // count, -(-(i + 1) * places // count)) for i in range(count)]


def empty(lengths: np.ndarray, places: int, count: int, layers: int = 1) -> np.ndarray:
    """Return which stretches hold padding only, (N, n), for clips of ``lengths`` (N,) frames.

    ``layers`` of one clip follow each other, each padded to ``places``.
    """
    place = np.arange(layers * places) % places
    padding = place >= np.minimum(lengths, places)[:, None]
    return np.stack([padding[:, a:b].all(1) for a, b in bounds(layers * places, count)], 1)


def share_table(lengths: Mapping[str, np.ndarray], places: int, count: int) -> Table | Note:
    """Show the share of clips whose stretches hold padding only, by unit; sequences and text."""
    if not lengths:
        return Note("No lengths of clips are here.")
    rows = []
    for unit, values in lengths.items():
        for name, layers in (("sound or pictures", 1), ("text, two layers", 2)):
            shares = empty(values, places, count, layers).mean(0)
            row = {"unit": unit, "clips": len(values), "mean": f"{values.mean():.1f}"}
            row["stretches of"] = name
            cells = zip(bounds(layers * places, count), shares, strict=True)
            rows.append(
                row
                | {f"{i}: padding only": f"{s:.0%}" for i, (_, s) in enumerate(cells, 1)}
                | {"places": " ".join(f"[{a}, {b})" for a, b in bounds(layers * places, count))}
            )
    return Table(
        pd.DataFrame(rows),
        caption=f"Share of clips whose stretches hold nothing but padding, with {places} places "
        f"and {count} stretches. Sound and pictures are aligned with words, so they are as long "
        "as the text. A convolution of three frames lets the last frame of a clip reach one "
        "place further, which is not counted.",
    )


def own_shares(study: Study) -> Table | Note:
    """Show the same for the clips of a study, with the places and stretches of its recipe."""
    if study.corpus is None:
        return Note(f"The clips of {study.dataset.title} are not here.")
    p = study.parameters
    model = recipes.load(PAPER, p.preset, p.profile, p.dataset)["model"]
    features = study.stored or study.corpus.features
    lengths = {f"{m}, frames": f.lengths() for m, f in features.items()}
    return share_table(lengths, int(model["longest"]), int(model["locals"]))


def share_answer(lengths: Mapping[str, np.ndarray]) -> Note:
    """Say how often the second and third stretch of CMU-MOSI hold padding only."""
    if not lengths:
        return Note(
            "No answer yet: the transcripts of CMU-MOSI are not here, and no record of their "
            "lengths. Set MSALIB_DATA (see the README)."
        )
    unit, values = next(iter(lengths.items()))
    of_sequences = empty(values, PLACES, COUNT).mean(0)
    of_text = empty(values, PLACES, COUNT, 2).mean(0)
    return Note(
        f"In short: the {len(values):,} transcripts of CMU-MOSI have {values.mean():.1f} {unit} on "
        f"average, in {PLACES} places. Unless padding is masked, the second stretch of sound and "
        f"pictures holds padding only in {of_sequences[1]:.0%} of the clips, the third in "
        f"{of_sequences[2]:.0%}; of text, whose two layers follow each other, the stretches hold "
        f"padding only in {', '.join(f'{s:.0%}' for s in of_text)}."
    )


# --- log-sum-exp and the weighted sum -----------------------------------------------------------


def above_sum(gate: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return log(g e^a + 1 - g) - g a: how far log-sum-exp is above the weighted sum.

    Two experts whose outputs are ``apart`` (A,) a, with gates ``gate`` (G,) and 1 - g: (G, A).
    """
    g, a = np.asarray(gate)[:, None], np.asarray(apart)[None]
    return np.logaddexp(np.log(g) + a, np.log1p(-g)) - g * a


# --- the rule of the first channel --------------------------------------------------------------


def without_position(frames: Sequence[Sequence[float]]) -> Table:
    """Show which frames (T, d) get no position by the rule of the first channel.

    The encoder is that of the model, without layers: what it adds to scaled frames is the position.
    """
    x = torch.tensor(frames)[None]
    encoder = Encoder(
        width=x.shape[2], layers=0, heads=1, embed_dropout=0.0, residual_dropout=0.0,
        relu_dropout=0.0, guess_padding=True,
    ).eval()  # fmt: skip
    encoder.norm = torch.nn.Identity()
    with torch.no_grad():
        added = encoder(x, None, None)[0] - encoder.scale * x[0]
    given = positions(*x.shape[1:], x.device)
    rows = [
        {
            "step": t,
            "frame": ", ".join(f"{v:g}" for v in frame),
            "first channel": f"{frame[0]:g}",
            "position it would get": _numbers(given[t]),
            "position it gets": _numbers(added[t]),
        }
        for t, frame in enumerate(frames)
    ]
    return Table(
        pd.DataFrame(rows),
        caption="Frames of a made-up clip, after the convolution, and what the encoder of "
        "msalib/models/mult.py adds to them under preset release.",
    )


def _numbers(values: torch.Tensor) -> str:
    return ", ".join(f"{float(v) + 0.0:.2f}" for v in values)
