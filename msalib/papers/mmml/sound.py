"""Table 2 of MMML: models of sound alone, each in a setting of its own, on the same clips."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from msalib.base.errors import UserError
from msalib.evidence.arms import Arm
from msalib.pages import compare
from msalib.pages.compare import PrintedRow
from msalib.pages.contrasts import Side
from msalib.pages.recorded import gather, resolved, setting
from msalib.pages.tables import Note, Table
from msalib.papers.mmml import BESIDE, plan
from msalib.papers.mmml.plan import SOUND
from msalib.papers.mmml.tables import METRICS_SHOWN, PAPER, RAW_SOUND, has_own_labels
from msalib.runs.query import Runs
from msalib.runs.records import Record
from msalib.runs.spec import System, system
from msalib.runs.study import Study

MEL, LLD = "mel spectrogram", "openSMILE"

PAIRS = [(RAW_SOUND, MEL), (RAW_SOUND, LLD), (MEL, LLD)]
"""What Table 2 compares."""


class Sound(NamedTuple):
    """A model of sound alone, in a study of its own features."""

    study: Study
    system: System


OTHER_DATA = {name: beside for name, (beside, _) in BESIDE.items() if beside != name}
"""Data set -> the one that has mel features of its clips, where that is another."""


def models(study: Study) -> dict[str, Sound]:
    """Return the models of Table 2 by name; none where there is nothing that an encoder heard.

    All learn the label of the clip.
    """
    dataset, layer = study.parameters.dataset, study.last_layers.get(SOUND)
    if layer is None or (SOUND not in study.dataset.raw and dataset not in OTHER_DATA):
        return {}
    copied = {"labels": "copied"} if has_own_labels(study) else {}
    found = {RAW_SOUND: Sound(study, plan.system({SOUND: layer}, **copied))}
    parameters = study.parameters.model_dump()
    if beside := OTHER_DATA.get(dataset):
        other = Study(PAPER, **parameters | {"dataset": beside, "encoder": "auto"})
        found[MEL] = Sound(other, plan.system({SOUND: 1}))
    else:
        for name, encoder, family in (
            (MEL, "log-mel", "mel_cnn"),
            (LLD, "opensmile-frames", "lld_transformer"),
        ):
            other = Study(PAPER, **parameters | {"encoder": encoder})
            found[name] = Sound(other, system({SOUND: 1}, paper=PAPER, family=family))
    return found


def sides(models: Mapping[str, Sound]) -> tuple[dict[str, Side], list[Record], list[str]]:
    """Return the models of Table 2 that have records, all records, and sentences on the others."""
    known, records, missing = {}, [], []
    for name, (study, wanted) in models.items():
        try:
            own = gather(study, [wanted])
        except UserError as error:
            missing.append(f"{name} cannot be run here: {error}")
            continue
        records += own
        if own:
            (recorded,) = resolved(study, {name: wanted}).values()
            known[name] = Side(Runs(own), Arm(recorded, name=name))
        else:
            missing.append(f"{name}: no record ({setting(study)}).")
    return known, records, missing


def settings_table(models: Mapping[str, Sound]) -> Table | Note:
    """Show the setting of each model."""
    if not models:
        return Note("This data set has no sound that an encoder could read.")
    rows = [{"model": name, "setting": setting(one.study)} for name, one in models.items()]
    return Table(pd.DataFrame(rows), caption="Models of sound alone, each with its setting.")


def score_table(
    sides: Mapping[str, Side], printed: Mapping[str, PrintedRow], *, setting: str
) -> Table | Note:
    """Show every model with its metrics, its printed row below it, and constant predictions."""
    if not sides:
        return Note(f"No run of this table is recorded yet. Setting: {setting}.")
    seeds = {name: side.runs.records(side.arm.system)[0] for name, side in sides.items()}
    first = next(iter(seeds.values()))[0]
    metrics = compare.columns(first, METRICS_SHOWN)
    rows = []
    for name, records in seeds.items():
        rows.append({"model": name, "whose": "ours"} | compare.score_cells(records, metrics))
        if name in printed:
            text = printed[name].text
            rows.append(
                {"model": name, "whose": "printed"} | {m: text.get(m, "-") for m in metrics}
            )
    chance = {"model": compare.chance_name(first), "whose": "chance"}
    rows.append(chance | compare.chance_cells(first, metrics))
    return Table(
        pd.DataFrame(rows).rename(columns=compare.heads(metrics)),
        caption=f"Sound alone, on the label of the clip. {compare.how_made(seeds.values())}"
        f"Setting of the first row: {setting}.",
    )
