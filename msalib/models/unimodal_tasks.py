"""Sets of unimodal tasks by name, as recipes and Table 3 of SUGRM have them."""

from collections.abc import Sequence

from msalib.data.corpus import MODALITIES

LETTERS = {"t": "linguistic", "a": "acoustic", "v": "visual"}
"""Modalities as the papers abbreviate them in the names of sets of tasks."""


def tasks(name: str, modalities: Sequence[str]) -> list[str]:
    """Return the modalities whose unimodal task is trained.

    ``name``: ``tasks_all``, ``tasks_none``, or letters such as ``tasks_ta``. Raises ``ValueError``
    for another name, and for a letter whose modality is missing.
    """
    if name == "tasks_all":
        return [m for m in MODALITIES if m in modalities]
    letters = "" if name == "tasks_none" else name.removeprefix("tasks_")
    chosen = [LETTERS.get(letter) for letter in letters]
    if not name.startswith("tasks_") or not set(chosen) <= set(modalities):
        raise ValueError(f"tasks {name!r} are not of {', '.join(modalities)}")
    return [m for m in MODALITIES if m in chosen]


def task_sets(modalities: Sequence[str]) -> list[str]:
    """Return the names of all sets of unimodal tasks, from none to all of these modalities."""
    letters = [letter for letter, m in LETTERS.items() if m in modalities]
    subsets = [
        "".join(c for i, c in enumerate(letters) if chosen >> i & 1)
        for chosen in range(2 ** len(letters))
    ]
    ordered = sorted(subsets, key=lambda subset: (len(subset), [letters.index(c) for c in subset]))
    return ["tasks_none", *(f"tasks_{s}" for s in ordered[1:-1]), "tasks_all"]
