"""Names: which encoder does a name stand for, and which do several?

A name is a registered one, a local folder or a hub id ("owner/name"), of speech also with the
ending ``-frames``: all frames of that encoder. Several are one name in ``SETS`` or any joined by
"+". Weights are not needed to resolve a name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from msalib.base import paths
from msalib.base.errors import UserError, unknown
from msalib.encoders import weights
from msalib.encoders.registry import (
    ALL,
    ALL_ENDING,
    ENCODERS,
    SETS,
    TUNED_ENDING,
    WHISPER,
    Encoder,
    guessed,
    modality_of,
)


def resolve(name: str) -> Encoder:
    """Return the encoder of a registered name, a local folder or a hub id.

    With the ending ``-frames`` it is the same encoder with all its frames, where no registered
    encoder and no folder has that very name. Reads nothing but folders; weights are looked for on
    use. Raises ``UserError`` for anything else, and for that ending on what is no model of speech.
    """
    if name in ENCODERS:
        return ENCODERS[name]
    if name and paths.is_folder(name):
        return _of_folder(name)
    base = name.removesuffix(ALL_ENDING)
    if base in ENCODERS:
        encoder = ENCODERS[base]
    elif base and paths.is_folder(base):
        encoder = _of_folder(base)
    elif re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", base):
        encoder = _of_hub(base)
    else:
        raise _unknown(name)
    return encoder if base == name else _with_all_frames(encoder)


def _of_folder(path: str) -> Encoder:
    kind = weights.model_type(Path(path))
    return _of_kind(kind, Path(path).resolve().name, path, "local folder")


def _of_hub(hub_id: str) -> Encoder:
    copy = weights.cached(hub_id)
    kind = weights.model_type(copy) if copy else guessed(hub_id)
    return _of_kind(kind, hub_id, hub_id, "hub id")


def _of_kind(kind: str, name: str, model: str, note: str) -> Encoder:
    """Return an encoder whose ``model_type`` is known."""
    module = WHISPER if kind == WHISPER else ""
    return Encoder(name, modality_of(kind), model, note=note, module=module)


def _with_all_frames(encoder: Encoder) -> Encoder:
    name = encoder.name + ALL_ENDING
    if encoder.handcrafted or encoder.modality != "acoustic":
        kind = {"linguistic": "text", "acoustic": "sound", "visual": "pictures"}[encoder.modality]
        raise UserError(
            f"encoder {name!r}",
            found=f"{'features' if encoder.handcrafted else 'a model'} of {kind}",
            expected="a model of speech, of whose frames some or all can be kept",
            remedy=f"Leave {ALL_ENDING} out.",
        )
    return replace(encoder, name=name, rate=ALL)


def _unknown(name: str) -> UserError:
    return unknown(
        "encoder",
        name,
        [*ENCODERS, *SETS],
        found="no such name and no such folder",
        also=", a folder, a hub id (owner/name), or several joined by +",
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


def check_tunable(name: str, chosen: Mapping[str, Encoder], text: Encoder | None) -> None:
    """Raise ``UserError`` where an encoder that is to be fine-tuned is not ``tunable``.

    ``name`` is what was asked for and stands for ``chosen``; ``text`` is one to name instead.
    """
    refused = [encoder for encoder in chosen.values() if not encoder.tunable]
    if not refused:
        return
    remedy = f"Leave {TUNED_ENDING} out."
    if all(encoder.extractor == "speech" for encoder in refused):
        names = "+".join(e.argument.removesuffix(ALL_ENDING) for e in chosen.values())
        remedy = f"Name {names}{TUNED_ENDING}: fine-tuned, speech is read with all frames."
    elif text is not None:
        other = text.name + TUNED_ENDING
        remedy = f"Name one of text: -p encoder {other}, or leave {TUNED_ENDING} out."
    raise UserError(
        f"encoder {name!r}",
        found=f"{' and '.join(e.name for e in refused)}, which cannot be fine-tuned",
        expected="encoders of text or of speech (Whisper's are none of these)",
        remedy=remedy,
    )


def _split(name: str) -> Sequence[str]:
    if name in SETS:
        return SETS[name]
    return [name] if paths.is_folder(name) else name.split("+")


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
