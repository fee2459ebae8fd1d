"""What is in a local piece: stretches of a padded clip, and how many of them hold padding only.

GLoMo cuts or pads a clip to T frames and pools n stretches of them (``models.pieces``); of text the
states of two layers follow each other, 2T places. Lengths of real transcripts are measured once and
recorded (``RECORD``), so that the page needs no data; again by
``python -m msalib.papers.glomo.contents``.
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
from msalib.models import module, recipes
from msalib.models.mult import Encoder
from msalib.models.spt import positions
from msalib.pages.tables import Note, Table
from msalib.papers.glomo.plan import LAST_TWO, PAPER, TEXT, TUNED, whole_of
from msalib.runs.study import Study

PLACES, COUNT = 60, 3
"""T and n of the paper on CMU-MOSI (papers/glomo.md (c))."""

LAYERS = {"sound or pictures": 1, "text, two layers": 2}
"""What is cut into stretches -> how many layers follow each other there."""


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
"""Units. Places hold word pieces, two marks among them; the release repeats the frame of a word for
each of its pieces, so that sound and pictures are as long."""


def mosi(refresh: bool = False) -> Lengths | None:
    """Return the lengths of CMU-MOSI's transcripts: recorded, or measured where the data are.

    None where there is neither a record nor the data. With ``refresh`` they are measured and
    recorded again.
    """
    here = datasets.is_available("mosi")
    if RECORD.exists and not (refresh and here):
        return RECORD.read()
    if not here:
        return None
    measured = measure()
    if refresh:
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


def in_places(lengths: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return how many places each transcript fills, (N,); None where pieces were not counted."""
    return lengths.get(WORD_PIECES)


def typical(lengths: Mapping[str, np.ndarray]) -> int:
    """Return the median number of word pieces of CMU-MOSI's clips, or a quarter of the places."""
    filled = in_places(lengths)
    return PLACES // 4 if filled is None else int(np.median(filled))


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


def share_table(
    lengths: Mapping[str, np.ndarray],
    places: int,
    count: int,
    *,
    layers: Mapping[str, Sequence[str]],
) -> Table | Note:
    """Show the share of clips whose stretches hold padding only, by unit.

    ``layers``: unit -> what such lengths are cut into (names of ``LAYERS``); others are left out.
    """
    rows = []
    for unit, values in lengths.items():
        for name in layers.get(unit, ()):
            stretches = bounds(LAYERS[name] * places, count)
            shares = empty(values, places, count, LAYERS[name]).mean(0)
            row = {"unit": unit, "clips": len(values), "mean": f"{values.mean():.1f}"}
            row["stretches of"] = name
            rows.append(
                row
                | {f"{i}: padding only": f"{s:.0%}" for i, s in enumerate(shares, 1)}
                | {"places": " ".join(f"[{a}, {b})" for a, b in stretches)}
            )
    if not rows:
        return Note("No lengths of clips are here.")
    return Table(
        pd.DataFrame(rows),
        caption=f"Share of clips whose stretches hold nothing but padding, with {places} places "
        f"and {count} stretches. A convolution of three frames lets the last frame of a clip reach "
        "one place further, which is not counted.",
    )


def mosi_shares(lengths: Mapping[str, np.ndarray]) -> Table | Note:
    """Show it for the transcripts of CMU-MOSI: word pieces fill places, of text and of sound."""
    return share_table(lengths, PLACES, COUNT, layers={WORD_PIECES: list(LAYERS)})


def own_shares(study: Study) -> Table | Note:
    """Show the same for the clips of a study, with the places and stretches of its recipe."""
    if study.corpus is None:
        return Note(f"The clips of {study.dataset.title} are not here.")
    p = study.parameters
    model = recipes.load(PAPER, p.preset, p.profile, p.dataset)["model"]
    features, whole = study.stored or study.corpus.features, whole_of(study)
    lengths, layers, (sequence, text) = {}, {}, LAYERS
    for m in (m for m in whole if m in features):
        unit = f"{m}, frames"
        lengths[unit] = features[m].lengths()
        layers[unit] = [text if whole[m] in (LAST_TWO, TUNED) else sequence]
    return share_table(lengths, int(model["longest"]), int(model["locals"]), layers=layers)


def share_answer(lengths: Mapping[str, np.ndarray]) -> Note:
    """Say how often the second and third stretch of CMU-MOSI hold padding only."""
    values = in_places(lengths)
    if values is None:
        return Note(
            "No answer yet: neither the transcripts of CMU-MOSI nor a record of their lengths is "
            "available. Set MSALIB_DATA (see the README)."
        )
    _, second, third = empty(values, PLACES, COUNT).mean(0)
    of_text = empty(values, PLACES, COUNT, 2).mean(0)
    return Note(
        f"The {len(values):,} transcripts of CMU-MOSI fill {values.mean():.1f} of {PLACES} places "
        f"on average ({WORD_PIECES}, with a mark at either end). Sound and pictures are repeated "
        "for every piece of a word, so they fill as many. Unless padding is masked, their second "
        f"stretch holds only padding in {second:.0%} of the clips, the third in {third:.0%}. "
        "The two layers of text follow each other; there the three stretches hold only padding in "
        f"{', '.join(f'{s:.0%}' for s in of_text)} of the clips."
    )


def example(lengths: Mapping[str, np.ndarray]) -> Note:
    """Say what the stretches of a typical clip of CMU-MOSI hold."""
    if in_places(lengths) is None:
        return Note("No lengths of clips are here.")
    length = typical(lengths)
    held = {
        name: [int((np.arange(a, b) % PLACES < length).sum()) for a, b in stretches]
        for name, stretches in ((n, bounds(k * PLACES, COUNT)) for n, k in LAYERS.items())
    }
    listed = "; ".join(f"of {name}, {', '.join(map(str, n))}" for name, n in held.items())
    return Note(
        f"Half of the transcripts fill {length} places or fewer. At {length}, the stretches hold: "
        f"{listed}. The second stretch of text has the end of one layer's places and the start of "
        "the other's."
    )


# --- what follows for the vectors ---------------------------------------------------------------


SIZE = 74
"""Features of a made-up frame; how many does not matter to what ``coded`` shows."""


def coded(length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Code ``length`` made-up frames of sound as preset `release` does, with untrained weights.

    Returns the global vector (d,) and the local ones (n, d). No dropout, as on validation and test.
    """
    built = module(PAPER)
    config = built.Config(**recipes.load(PAPER, "release", "full", "mosi")["model"])
    drawn = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=()), torch.no_grad():
        torch.manual_seed(0)
        coding = built.coding(config, SIZE, layered=False).eval()
        frames = torch.zeros(1, config.longest, SIZE)
        frames[0, :length] = torch.randn(length, SIZE, generator=drawn)
        whole, local = coding(frames, None)
    return whole[0], local[0].view(config.width, config.locals).T


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


if __name__ == "__main__":
    RECORD.write(measure())
