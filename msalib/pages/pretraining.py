"""What pretraining learned: commands, and what pages show of its records.

Held-out clips say it: how many masked tokens and frames a stream predicts when it sees the other
encoder's outputs of the same clip, those of another clip, or nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from pydantic import ValidationError

from msalib.base.errors import UserError, unknown
from msalib.base.files import complaint
from msalib.base.stats import Estimate
from msalib.evidence.seeds import over_seeds
from msalib.models import recipes
from msalib.pages.cells import mean_sd
from msalib.pages.tables import Note, Table
from msalib.runs.pretraining import SEEN, STREAMS, Made, Pretrained, Weights, recipe_of
from msalib.runs.spec import System, system
from msalib.runs.study import Study

ByArm = Mapping[str, Sequence[Pretrained]]
"""Name of a pretraining -> its records, one a seed."""

FEWEST = 50
"""Held-out clips of which a share says something; a clip has a few masked tokens."""

# --- the command --------------------------------------------------------------------------------


def command(paper: str, choices: Mapping[str, str], parameters: Mapping) -> Iterator[str]:
    """Pretrain a paper's model with these choices, seed by seed; yield a line for each stage.

    Raises ``UserError`` for an unknown choice, and like ``Weights``.
    """
    study = Study(paper, **parameters)
    known = {name: usual for name, usual in recipes.choices(paper).items() if name != "family"}
    refuse_unknown(paper, choices, known)
    frozen = {"rates": "features"} if "rates" in known else {}
    read = {m: layer for m, layer in study.last_layers.items() if m in study.encoders}
    asked = system(read or study.last_layers, paper=paper, **frozen | choices)
    check_values(study, asked)
    for stage in made(study, [asked]):
        yield f"{stage.name}: {_line(stage.read_record())}"


def made(study: Study, systems: Iterable[System]) -> Iterator[Made]:
    """Make the pretraining of some systems, seed by seed; yield each stage when it is made.

    Raises ``UserError`` like ``Weights``.
    """
    weights = Weights(study)
    for asked in systems:
        for seed in range(study.parameters.seeds):
            before = None
            for stage in weights.stages(study.spec(asked, seed)):
                stage.ensure(before)
                before = stage.file
                yield stage


def check_values(study: Study, asked: System) -> None:
    """Raise ``UserError`` for values that the recipe does not allow, and for no stages."""
    try:
        recipe = recipe_of(study.spec(asked, 0))
    except ValidationError as error:
        raise UserError(
            f"pretraining of {study.paper}",
            found=complaint(error),
            expected="values that its recipe allows",
            remedy=f"Correct the choice (msalib/models/{study.paper}.yaml has the usual ones).",
        ) from error
    if recipe is None or not recipe.stages:
        raise UserError(
            f"pretraining of {study.paper}",
            found="a kind without stages",
            expected="something to pretrain",
            remedy="Name another kind, such as --kind pt.",
        )


def refuse_unknown(paper: str, choices: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raise ``UserError`` for a choice that the recipe of a paper does not have."""
    for name in choices:
        if name not in known:
            found = f"no choice of {name} in its recipe"
            other = "Name a paper whose model is pretrained, such as cmt."
            remedy = "Name one of these." if "pretraining" in known else other
            raise unknown("choice", name, known, of=paper, found=found, remedy=remedy)


def _line(record: Pretrained) -> str:
    shares = "; ".join(
        f"other stream {seen}: {100 * record.worth[seen]['text_right']:.1f}% of masked tokens, "
        f"{100 * record.worth[seen]['sound_right']:.1f}% of masked frames"
        for seen in SEEN
    )
    return f"{record.clips} clips, {record.held_out} held out; {shares}"


# --- what was learned ---------------------------------------------------------------------------


def heard(records: Sequence[Pretrained], share: str) -> np.ndarray:
    """Return by seed what the other stream is worth (S,), in points (``Pretrained.heard``)."""
    return np.array([record.heard(share) for record in records])


def heard_text(values: np.ndarray) -> str:
    """Return the mean over seeds of points, with an interval where there are several seeds."""
    if len(values) < 2:
        return f"{values.mean():+.1f} points"
    estimate: Estimate = over_seeds(values)
    return f"{estimate.effect:+.1f} points [{estimate.low:+.1f},\u00a0{estimate.high:+.1f}]"


def telling(by_arm: ByArm) -> tuple[ByArm, str]:
    """Return the pretrainings that hold out enough clips, and a sentence on those that do not."""
    held = {name: records[0].held_out for name, records in by_arm.items() if records}
    few = [f"{name} ({count} clips)" for name, count in held.items() if count < FEWEST]
    left_out = f"Too few clips are held out of {', '.join(few)}. " if few else ""
    return {name: by_arm[name] for name in held if held[name] >= FEWEST}, left_out


def answer(by_arm: ByArm, *, setting: str) -> Note:
    """Say how many more masked parts are predicted with the clip's own other stream."""
    told, left_out = telling(by_arm)
    if not told:
        what = left_out or "No pretraining of this page is recorded. "
        return Note(f"No answer yet. {what}Setting: {setting}.")
    clauses = [
        f"{name}: "
        + ", ".join(f"{words} {heard_text(heard(records, s))}" for s, words in STREAMS.items())
        for name, records in told.items()
    ]
    several = any(len(records) > 1 for records in told.values())
    meaning = (
        "Intervals of 95% cover other trainings. " if several else "One seed has no interval. "
    )
    return Note(
        "Gain in correct predictions from the clip's own other stream, compared with that of "
        f"another clip (held-out clips): {'; '.join(clauses)}. {meaning}{left_out}"
        f"Setting: {setting}."
    )


def worth_table(by_arm: ByArm, *, setting: str) -> Table | Note:
    """Show the shares that are predicted, by what a stream sees of the other one."""
    rows = [
        {"pretraining": name, "predicted": words}
        | {SEEING[seen]: _shares(r.worth[seen][share] for r in records) for seen in SEEN}
        | {
            "commonest": _shares(r.chance[share] for r in records),
            "own minus another clip's": heard_text(heard(records, share)),
            "seeds": len(records),
            "held out": f"{records[0].held_out} clips",
        }
        for name, records in by_arm.items()
        if records
        for share, words in STREAMS.items()
    ]
    if not rows:
        return Note(f"No pretraining of this page is recorded yet. Setting: {setting}.")
    return Table(
        pd.DataFrame(rows),
        caption="Shares of masked tokens and frames that are predicted correctly, in %, on "
        "held-out clips with their true pairs; mean ± standard deviation over seeds. Columns: what "
        "a stream sees of the other encoder's outputs. Commonest: always the commonest token or "
        "codeword. Held-out clips are from the corpus of the last stage, so levels of rows with "
        f"other corpora cannot be compared. Setting: {setting}.",
    )


SEEING = {
    "given": "the clip's own",
    "shuffled": "another clip's",
    "silenced": "nothing",
}
"""What is seen of the other encoder (``runs.pretraining.SEEN``), in words."""


def _shares(values: Iterable[float]) -> str:
    return mean_sd([100 * value for value in values], "{:.1f}".format)


def seeds_table(by_arm: ByArm, *, setting: str) -> Table | Note:
    """Show the same seed by seed."""
    rows = [
        {"pretraining": name, "seed": record.seed}
        | {
            f"{words}, {SEEING[seen]}": f"{100 * record.worth[seen][share]:.1f}"
            for share, words in STREAMS.items()
            for seen in SEEN
        }
        for name, records in by_arm.items()
        for record in records
    ]
    if not rows:
        return Note(f"No pretraining of this page is recorded yet. Setting: {setting}.")
    return Table(pd.DataFrame(rows), caption=f"Correct predictions, in %. Setting: {setting}.")


def origins(by_arm: ByArm) -> Table:
    """Show where records of pretraining come from: one row per commit, device and versions."""
    groups: dict[tuple, list[float]] = {}
    for record in {r.weights: r for records in by_arm.values() for r in records}.values():
        p = record.provenance
        versions = ", ".join(f"{name} {version}" for name, version in p["versions"].items())
        groups.setdefault((p["commit"], p["device"], versions), []).append(p["seconds"])
    rows = [
        dict(zip(("commit", "device", "versions"), key, strict=True))
        | {"pretrainings": len(seconds), "seconds of the last stage": f"{np.median(seconds):.1f}"}
        for key, seconds in groups.items()
    ]
    return Table(pd.DataFrame(rows), caption="Where these records of pretraining come from.")
