"""Recipes: <family>.yaml holds every hyper-parameter of a model with its source.

``choices`` at its top names the settings that the paper's tables vary, with their usual values.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msalib.base.errors import unknown
from msalib.base.files import read_yaml
from msalib.base.presets import PRESETS, PROFILES

ALL = "all"
"""What asks for every baseline in the place of a name."""


def known() -> list[str]:
    """Return the papers and models that have a recipe, in alphabetical order."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.yaml"))


def papers() -> list[str]:
    """Return the papers among them: a recipe that names its ``choices`` is a paper's."""
    return [name for name in known() if "choices" in _document(name)]


def baselines() -> list[str]:
    """Return the models that belong to no paper; ``belongs_to`` in a recipe names its paper."""
    return [name for name in known() if not {"choices", "belongs_to"} & _document(name).keys()]


def chosen(model: str) -> list[str]:
    """Return the baselines that a name asks for: all, or the one of that name."""
    names = [ALL, *baselines()]
    if model not in names:
        remedy = f"Choose one: -p model {names[1]}."
        raise unknown("model", model, names, found="no baseline of that name", remedy=remedy)
    return names[1:] if model == ALL else [model]


def check(preset: str, profile: str) -> None:
    """Refuse an unknown preset or profile."""
    for what, value, names in (("preset", preset, PRESETS), ("profile", profile, PROFILES)):
        if value not in names:
            raise unknown(what, value, names, remedy="Name one of these.")


def table(paper: str, preset: str, profile: str, dataset: str) -> dict[str, dict[str, dict]]:
    """Return ``{"model" | "train": {name: {"value": ..., "source": ...}}}`` for a data set.

    ``preset`` is the recipe (what the release does, or what the paper says), ``profile`` its size:
    ``full``, or ``quick`` for seconds. Raises ``UserError`` for what there is not.
    """
    check(preset, profile)
    if paper not in known():
        raise unknown("paper", paper, known(), found="no recipe of it", remedy="Name one of these.")
    document = _document(paper)
    layers = ["release"]
    if preset == "article":
        layers.append("article")
    if profile == "quick":
        layers.append("quick")
    resolved = {"model": {}, "train": {}}
    for layer in layers:
        for group, entries in document[layer].items():
            resolved[group].update(entries)
    return {
        group: {
            name: {"value": _for_dataset(entry["value"], dataset), "source": entry["source"]}
            for name, entry in entries.items()
        }
        for group, entries in resolved.items()
    }


@cache
def _document(paper: str) -> dict:
    return read_yaml(Path(__file__).parent / f"{paper}.yaml", dict, expected="a recipe")


@cache
def choices(paper: str) -> Mapping[str, str]:
    """Return the settings that tables of a paper vary, with their usual values.

    A namespace without a recipe of its own, such as ``baselines``, varies the family, none of
    which is usual, and the rates of families that can be trained with their encoders.
    """
    if paper not in known():
        return {"family": "", "rates": "features"}
    return {name: str(value) for name, value in _document(paper).get("choices", {}).items()}


@cache
def usual(family: str, preset: str, profile: str, dataset: str) -> Mapping[str, str]:
    """Return the settings of a family's recipe by name, as text; none for a family that is gone."""
    if family not in known():
        return {}
    groups = load(family, preset, profile, dataset)
    return {name: str(value) for group in groups.values() for name, value in group.items()}


def load(paper: str, preset: str, profile: str, dataset: str) -> dict[str, dict]:
    """Return ``{"model": {name: value}, "train": {name: value}}``; see ``table``."""
    return {
        group: {name: entry["value"] for name, entry in entries.items()}
        for group, entries in table(paper, preset, profile, dataset).items()
    }


def _for_dataset(value, dataset: str):
    """Return the value for a data set; one named ``mosi-...`` is CMU-MOSI in another form."""
    if not isinstance(value, dict):
        return value
    names = (dataset, dataset.split("-")[0], "otherwise")
    return next(value[name] for name in names if name in value)
