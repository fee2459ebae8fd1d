"""What SUGRM costs: the record of times, memory and parameters, and what pages show of it.

Footnote 5, Table 4's transformer and SUGRM-C15, C23 and C24. ``timing`` measures and writes the
record, ``timing/sugrm.json`` beside the records of runs.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from msalib.base.files import Recorded
from msalib.evidence.printed import table as printed
from msalib.pages.tables import Note, Table

SIZES = {"visual": 20, "acoustic": 5, "linguistic": 768}
"""Feature sizes of unaligned CMU-MOSI in the paper."""

LENGTHS = {"visual": 500, "acoustic": 375, "linguistic": 50}
"""Frames of its clips."""

CLIPS = 32
PASSES = 10
"""As in the paper's footnote 5."""

RESAMPLES = 10_000

MEASURED = ("mosi", "minilm", "release")
"""Data set, encoder and preset of the measurements: a verdict on them alone counts there, once."""

FAMILIES = ("sugrm", "self_mm")
NAMES = {"sugrm": "SUGRM", "self_mm": "Self-MM"}
ENCODERS = {"spt": "sparse transformer (SPT)", "dense": "full transformer (MulT)", "lstm": "LSTM"}
TESTED = {
    "inference": "test set, no text encoder",
    "inference_unaligned": "32 clips, paper's sizes, no text encoder",
    "inference_with_bert": "32 clips, paper's sizes, with BERT",
}
"""What was timed, in words."""


class Times(BaseModel):
    """Parameters, seconds and bytes of sequence encoders and of whole models.

    - ``parameters``: weights of each of ``ENCODERS`` at MOSI's widths; ``model_parameters``: of
      the whole models without a text encoder.
    - ``seconds``, ``seconds_median`` and ``peak_bytes``: of a forward and backward pass of these
      encoders in training mode, ``CLIPS`` clips of unaligned MOSI's lengths, random frames.
    - ``inference``: seconds of whole passes of ``FAMILIES`` over a test set, in turn;
      ``inference_on``: of which data. ``inference_unaligned``: the same over one batch of random
      frames of unaligned MOSI's sizes; ``inference_with_bert``: with a text encoder of BERT-base's
      size before both.
    - ``provenance``: where and when it was measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: dict[str, int]
    model_parameters: dict[str, int]
    seconds: dict[str, list[float]]
    seconds_median: dict[str, float]
    peak_bytes: dict[str, int]
    inference: dict[str, list[float]]
    inference_on: str
    inference_unaligned: dict[str, list[float]]
    inference_with_bert: dict[str, list[float]]
    provenance: dict

    @property
    def passes(self) -> dict[str, dict[str, list[float]]]:
        """What was timed, by the keys of ``TESTED``."""
        return {key: seconds for key in TESTED if (seconds := getattr(self, key))}


RECORD = Recorded(
    Times, "timing/sugrm.json", "record of times", "run python -m msalib.papers.sugrm.timing"
)


def read() -> Times | None:
    """Return the record, None where nothing was measured; raise ``UserError`` for a damaged one."""
    return RECORD.read() if RECORD.path.is_file() else None


class Ratio(NamedTuple):
    """Median seconds of SUGRM over those of Self-MM, with a 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f},\u00a0{self.high:.2f}]"


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


# --- what pages show ----------------------------------------------------------------------------

NOTHING = (
    "Nothing has been timed yet: python -m msalib.papers.sugrm.timing measures and records it."
)


def named(times: Times) -> dict[str, dict[str, list[float]]]:
    """Return what was timed, in words: model -> seconds."""
    return {
        TESTED[key]: {NAMES[family]: seconds[family] for family in FAMILIES}
        for key, seconds in times.passes.items()
    }


def inference(times: Times | None) -> Table | Note:
    """Show footnote 5: the printed seconds beside ours."""
    if times is None:
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
    for key, seconds in times.passes.items():
        rows.append(
            {"whose": "ours", "what": TESTED[key]}
            | {f"{NAMES[f]} (s)": f"{median(seconds[f]):.3g}" for f in FAMILIES}
            | {"ratio": str(ratio(seconds))}
        )
    return Table(
        pd.DataFrame(rows),
        caption=f"Seconds of one pass, median of {len(times.inference[FAMILIES[0]])}, the models "
        "in turn; ratio of SUGRM to Self-MM with its 95% bootstrap interval. Test set: "
        f"{times.inference_on}. {where(times)}",
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
    """Return a sentence on where and when it was measured."""
    at = times.provenance
    threads = f"{at['threads']} thread{'s' * (at['threads'] != 1)}"
    return f"Measured on {at['device']}, {threads}, {at['started'][:10]}, commit {at['commit']}."
