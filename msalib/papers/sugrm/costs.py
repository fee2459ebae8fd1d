"""What SUGRM costs: the record of times, memory and parameters, and what pages show of it.

Footnote 5, Table 4's transformer and SUGRM-C15, C23 and C24. ``timing`` measures and writes the
record, ``timing/sugrm.json`` beside the records of runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base.files import Recorded
from msalib.evidence.common import Word
from msalib.evidence.printed import table as printed
from msalib.pages.cells import bounds
from msalib.pages.tables import Note, Table

SIZES = {"visual": 20, "acoustic": 5, "linguistic": 768}
"""Feature sizes of unaligned CMU-MOSI in the paper."""

LENGTHS = {"visual": 500, "acoustic": 375, "linguistic": 50}
"""Frames of its clips."""

CLIPS = 32
PASSES = 10
"""As in the paper's footnote 5."""

BATCHES = 1
"""Batches of a pass. With BERT on one core, passes over a whole test set would take too long."""

ENCODER_PASSES = 3
"""Of the sequence encoders, which differ by factors, not by shares: the full one takes long."""

RESAMPLES = 10_000

MEASURED = ("mosi-standardised", "minilm", "release")
"""Data set, encoder and preset in which what depends on no run is shown and judged, once."""

FAMILIES = ("sugrm", "self_mm")
NAMES = {"sugrm": "SUGRM", "self_mm": "Self-MM"}
ENCODERS = {"spt": "sparse transformer (SPT)", "dense": "full transformer (MulT)", "lstm": "LSTM"}
READINGS = {
    "padded": f"whole models, text padded to {LENGTHS['linguistic']} tokens",
    "trimmed": "whole models, text as long as the longest of its batch",
    "no_text_encoder": "without a text encoder",
}
"""What "inference" may mean in footnote 5, in words; all are measured."""


class Times(BaseModel):
    """Parameters, seconds and bytes of sequence encoders and of whole models.

    - ``parameters``: weights of each of ``ENCODERS`` at MOSI's widths; ``model_parameters``: of
      the whole models without a text encoder.
    - ``seconds``, ``seconds_median`` and ``peak_bytes``: of a forward and backward pass of these
      encoders in training mode, ``CLIPS`` clips of unaligned MOSI's lengths, random frames.
    - ``passes``: reading (``READINGS``) -> one of ``FAMILIES`` -> seconds of inference over
      ``clips`` clips of unaligned MOSI's sizes, all in turn; the text encoder is of BERT-base's
      size. ``text_of``: the clips whose numbers of tokens the reading "trimmed" takes.
    - ``provenance``: where and when it was measured, and the load of the machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: dict[str, int]
    model_parameters: dict[str, int]
    seconds: dict[str, list[float]]
    seconds_median: dict[str, float]
    peak_bytes: dict[str, int]
    passes: dict[str, dict[str, list[float]]]
    clips: int
    text_of: str
    provenance: dict

    @property
    def count(self) -> int:
        """The number of timed passes that every model has in every reading."""
        timed = [len(self.passes.get(key, {}).get(f, ())) for key in READINGS for f in FAMILIES]
        return min(timed)


RECORD = Recorded(
    Times, "timing/sugrm.json", "record of times", "run python -m msalib.papers.sugrm.timing"
)


def read() -> Times | None:
    """Return the record, None where nothing was measured; raise ``UserError`` for a damaged one."""
    return RECORD.read() if RECORD.exists else None


class Ratio(NamedTuple):
    """Median seconds of SUGRM over those of Self-MM, with a 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return bounds(*self, ".2f")


def ratio(passes: Mapping[str, Sequence[float]]) -> Ratio:
    """Return the ratio of the median seconds of ``FAMILIES``, both resampled."""
    medians, resampled = [], []
    rng = np.random.default_rng(0)
    for family in FAMILIES:
        seconds = np.array(passes[family])
        medians.append(np.median(seconds))
        resampled.append(np.median(rng.choice(seconds, (RESAMPLES, len(seconds))), axis=1))
    low, high = np.quantile(resampled[0] / resampled[1], [0.025, 0.975])
    return Ratio(float(medians[0] / medians[1]), float(low), float(high))


def ratios(times: Times) -> dict[str, Ratio]:
    """Return the ratio of SUGRM to Self-MM by reading."""
    return {key: ratio(times.passes[key]) for key in READINGS if key in times.passes}


def judge(ratios: Iterable[Ratio], low: float, high: float) -> Word:
    """Return the verdict on "``low`` to ``high`` times as long", on which all readings must agree.

    Supported if every ratio is inside; contradicted if every interval is outside, on one side.
    """
    ratios = list(ratios)
    if all(low <= ratio.value <= high for ratio in ratios):
        return "supported"
    if all(ratio.high < low for ratio in ratios) or all(ratio.low > high for ratio in ratios):
        return "contradicted"
    return "inconclusive"


def over(times: Times) -> str:
    """Return what one pass is over, in words."""
    lengths = ", ".join(f"{n} frames of {m} data" for m, n in LENGTHS.items() if m != "linguistic")
    return (
        f"passes over {times.clips} clips, at most {CLIPS} in a batch, {lengths}; random numbers "
        "for frames, tokens and weights"
    )


# --- what pages show ----------------------------------------------------------------------------

NOTHING = (
    "Nothing has been timed yet: python -m msalib.papers.sugrm.timing measures and records it."
)


def named(times: Times) -> dict[str, dict[str, list[float]]]:
    """Return what was timed, in words: model -> seconds."""
    return {
        READINGS[key]: {NAMES[family]: seconds[family] for family in FAMILIES}
        for key, seconds in times.passes.items()
    }


def inference(times: Times | None) -> Table | Note:
    """Show footnote 5: the printed seconds beside ours, in every reading."""
    if times is None or not times.passes:
        return Note(NOTHING)
    cells = [
        printed.cell("sugrm", "text", "mosi_unaligned", n, "", "seconds") for n in NAMES.values()
    ]
    ours, theirs = (cell["value"] for cell in cells)
    rows = [
        {
            "whose": "printed",
            "what": "not said what one pass is",
            **{f"{n} (s)": cell["printed"] for n, cell in zip(NAMES.values(), cells, strict=True)},
            "ratio": f"{ours / theirs:.2f}",
        }
    ]
    by_reading = ratios(times)
    for key, seconds in times.passes.items():
        rows.append(
            {"whose": "ours", "what": READINGS[key]}
            | {f"{NAMES[f]} (s)": f"{median(seconds[f]):.3g}" for f in FAMILIES}
            | {"ratio": bounds(*by_reading[key], ".2f")}
        )
    values = [each.value for each in by_reading.values()]
    return Table(
        pd.DataFrame(rows),
        caption=f"Seconds of one pass, median of {times.count}, the models in turn; ratio of SUGRM "
        f"to Self-MM with its 95% bootstrap interval, from {min(values):.2f} to {max(values):.2f} "
        f"over the readings. Ours: {over(times)}. Lengths of text that is not padded: "
        f"{times.text_of}. {where(times)}",
    )


def encoders(times: Times | None) -> Table | Note:
    """Show weights, seconds and memory of the three sequence encoders (SUGRM-C15, C24)."""
    if times is None:
        return Note(NOTHING)
    full = times.parameters["dense"]
    rows = [
        {
            "sequence encoder": words,
            "weights": f"{times.parameters[name]:,}",
            "of the full transformer's": f"{times.parameters[name] / full:.1%}",
            "forward and backward (s)": f"{times.seconds_median[name]:.3g}",
            "greatest memory (MB)": f"{times.peak_bytes[name] / 1e6:.0f}",
        }
        for name, words in ENCODERS.items()
    ]
    tenth = printed.cell("sugrm", "text", "mosi", "SPT", "vs_mult", "params_ratio_percent")
    return Table(
        pd.DataFrame(rows),
        caption=f"Sequence encoders of SUGRM at MOSI's widths; time and memory of {CLIPS} clips of "
        f"{LENGTHS['linguistic']}, {LENGTHS['acoustic']} and {LENGTHS['visual']} frames of text, "
        f"audio and video. Printed: SPT has {tenth['printed']} of MulT's weights, quoted from its "
        f"authors. {where(times)}",
    )


def where(times: Times) -> str:
    """Return sentences on where, when and beside how much other work it was measured."""
    at = times.provenance
    threads = f"{at['threads']} thread{'s' * (at['threads'] != 1)}"
    text = f"Measured on {at['device']}, {threads}, {at['started'][:10]}, commit {at['commit']}."
    if "load" in at:
        low, high = sorted(at["load"])
        text += (
            f" The machine had other work as well: its load was {low:.1f} to {high:.1f}, of which "
            "the measurement is 1."
        )
    return text
