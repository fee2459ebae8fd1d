"""The records of a paper: which settings there are, and which files and runs each has."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from msalib.base.paths import (
    folder_name,
    quick_records_folder,
    records_folder,
    your_records_folder,
)
from msalib.base.presets import stored
from msalib.runs.columns import Predictions
from msalib.runs.filed import Filed
from msalib.runs.record import Provenance, Record, read, write
from msalib.runs.spec import roots

__all__ = [
    "Predictions",
    "Provenance",
    "Record",
    "Setting",
    "files",
    "find",
    "read",
    "settings",
    "undefined_for",
    "write",
]

REASONS = {
    (False, True): "constant predictions",
    (True, False): "constant labels",
    (True, True): "constant labels and predictions",
}
"""Whether labels and whether predictions are constant -> why a run has no correlation."""


def undefined_for(records: Iterable[Record], part: str) -> list[str]:
    """Say of each record without a correlation on a part why it has none, one of ``REASONS``."""
    undefined = (r for r in records if r.metrics[part].get("corr", 0.0) is None)
    return [_constant(record, part) for record in undefined]


def _constant(record: Record, part: str) -> str:
    clips = record.predictions.get(part)
    # Records keep no clips of training, whose labels vary as a rule.
    constant = clips.constant() if clips else (False, True)
    return REASONS.get(constant, REASONS[False, True])


class Setting(NamedTuple):
    """The data set, encoder, preset and profile that the runs of one table share."""

    dataset: str
    encoder: str
    preset: str
    profile: str


def files(paper: str, setting: Setting) -> list[Path]:
    """Return the paths of all records of one setting, ordered by file name."""
    dataset, encoder, preset, profile = setting
    folder = Path(paper, f"{dataset}-{folder_name(encoder)}", stored(preset), stored(profile))
    by_name: dict[str, Path] = {}
    for root in roots(dataset, profile):
        for path in (root / folder).glob("*.json"):
            by_name.setdefault(path.name, path)
    return [by_name[name] for name in sorted(by_name)]


def find(paper: str, setting: Setting) -> list[Filed]:
    """Return all records of one setting, ordered by file name; they are read as they are needed."""
    return [Filed(path) for path in files(paper, setting)]


def settings(paper: str) -> list[Setting]:
    """Return every setting that has records of a paper, as one record of each says."""
    quick = quick_records_folder()
    roots = dict.fromkeys(filter(None, (quick, records_folder(), your_records_folder())))
    folders = sorted(
        folder
        for root in roots
        for folder in (root / paper).glob("*/*/*")
        if quick is None or (root == quick) == (folder.name == "quick")
    )
    first = filter(None, (next(folder.glob("*.json"), None) for folder in folders))
    specs = [Filed(path).spec for path in first]
    return list(dict.fromkeys(Setting(s.dataset, s.encoder, s.preset, s.profile) for s in specs))
