"""Names: which encoder does a name stand for, and which do several?

A name is a registered one, a local folder or a hub id ("owner/name"); several are one name in
``SETS`` or any joined by "+". Weights are not needed to resolve a name.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msalib.base.errors import UserError
from msalib.encoders import weights
from msalib.encoders.registry import ENCODERS, SETS, Encoder, guessed, modality_of


def resolve(name: str) -> Encoder:
    """Return the encoder of a registered name, a local folder or a hub id.

    Reads nothing but folders; weights are looked for on use. Raises ``UserError`` for anything
    else.
    """
    if name in ENCODERS:
        return ENCODERS[name]
    if name and Path(name).is_dir():
        modality = modality_of(weights.model_type(Path(name)))
        return Encoder(Path(name).resolve().name, modality, name, note="local folder")
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        copy = weights.cached(name)
        modality = modality_of(weights.model_type(copy)) if copy else guessed(name)
        return Encoder(name, modality, name, note="hub id")
    raise UserError(
        f"encoder {name!r}",
        found="no such name and no such folder",
        expected=f"one of {', '.join([*ENCODERS, *SETS])}, a folder, a hub id (owner/name), or "
        "several joined by +",
        remedy="List the encoders: msalib doctor.",
    )


def resolve_all(name: str) -> dict[str, Encoder]:
    """Return modality -> encoder, for one encoder, a name in ``SETS``, or several joined by "+".

    Raises ``UserError`` like ``resolve``, and for two encoders of one modality.
    """
    chosen: dict[str, Encoder] = {}
    for encoder in map(resolve, _split(name)):
        if encoder.modality in chosen:
            raise UserError(
                f"encoder {name!r}",
                found=f"two for the {encoder.modality} modality, {chosen[encoder.modality].name} "
                f"and {encoder.name}",
                expected="one per modality",
                remedy="Leave one out.",
            )
        chosen[encoder.modality] = encoder
    return chosen


def _split(name: str) -> Sequence[str]:
    if name in SETS:
        return SETS[name]
    return [name] if Path(name).is_dir() else name.split("+")


def joined(chosen: Mapping[str, Encoder]) -> str:
    """Return one name for encoders by modality: that of their set, or theirs joined by "+"."""
    names = tuple(encoder.name for encoder in chosen.values())
    return next((s for s, members in SETS.items() if members == names), "+".join(names))


class Availability(NamedTuple):
    """An encoder, whether its weights are on this machine, and where they are or come from."""

    encoder: Encoder
    available: bool
    source: str


def availability() -> list[Availability]:
    """Return the availability of every registered encoder, for ``msalib doctor``."""
    return [Availability(e, weights.available(e), weights.source(e)) for e in ENCODERS.values()]
