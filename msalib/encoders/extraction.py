"""Extraction: from the clips of a corpus to a feature store, in the same steps for every encoder.

The module that runs an encoder (``Encoder.extractor``: text, speech, vision, handcrafted, or one of
``words``) offers a class ``Extractor``, which says what differs. A new kind of encoder is one more
such module.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from msalib.base.provenance import device_name, pick_device, versions
from msalib.data.corpus import Corpus, Features
from msalib.encoders import clips, forward, weights
from msalib.encoders.registry import Encoder
from msalib.encoders.store import StoreMeta, open_store, write_store


class Plan(NamedTuple):
    """The shape of a store, known before the model runs.

    ``lengths`` are the frames per clip, (N,); ``batches`` hold clip numbers, every clip once;
    ``meta`` are the fields of ``StoreMeta`` that only the extractor knows.
    """

    lengths: np.ndarray
    batches: Sequence[np.ndarray]
    meta: dict[str, Any]


class Extractor:
    """One encoder on one corpus.

    Subclasses set ``convention`` (what layer k is) and ``unit`` (what a frame is), and define the
    methods that raise ``NotImplementedError`` here; an extractor without a network replaces
    ``load``, one that reads no media ``fingerprint``.
    """

    convention: str
    unit: str
    model: Any = None
    precision: str = "float32"

    def __init__(self, corpus: Corpus, encoder: Encoder, preset: str):
        clips.check(preset)
        self.corpus, self.encoder, self.preset = corpus, encoder, preset

    @cached_property
    def paths(self) -> list[Path]:
        """The media file (or folder of pictures) of every clip."""
        return clips.files(self.corpus, self.encoder.modality)

    def settings(self) -> str:
        """Return what decides the features besides the clips: a part of the fingerprint."""
        raise NotImplementedError

    def fingerprint(self, folder: Path) -> str:
        """Return the fingerprint of settings and media; digests are kept beside ``folder``."""
        return clips.inputs(self.corpus, self.encoder.modality, self.settings(), folder)

    def look(
        self, folder: Path, fingerprint: str, function: Callable, arguments: tuple, about: str
    ) -> clips.Looked:
        """Return ``function(file, *arguments)`` of every clip, as ``clips.look`` does."""
        chosen = self.corpus, self.encoder.modality
        return clips.look(folder, fingerprint, function, *chosen, arguments, about)

    def network(self):
        """Return the model, on the CPU; keep beside it what its input is prepared with."""
        raise NotImplementedError

    def load(self, device: str) -> None:
        """Load the model to a device. Raises ``UserError`` for an unknown one."""
        device = pick_device(device)
        self.precision = forward.precision(device)
        self.model = self.network().to(device)

    def plan(self, folder: Path, fingerprint: str) -> Plan:
        """Measure every clip; warn of those that are cut, filled or empty.

        What is found is noted beside ``folder`` under the fingerprint, for a killed extraction.
        """
        raise NotImplementedError

    def losses(self) -> list[str]:
        """Return what the encoder does not know of each clip, in words; "" where nothing is."""
        return [""] * len(self.corpus)

    def states(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield all layers of each batch of B clips, (L, B, T, D), in the type of the store."""
        raise NotImplementedError

    def meta(self) -> dict[str, Any]:
        """Return the fields of ``StoreMeta`` that follow from the model and its device."""
        return {
            "layers": self.model.config.num_hidden_layers + 1,
            "dim": self.model.config.hidden_size,
            "device": device_name(self.model.device.type),
            "precision": self.precision,
        }


def extractor(corpus: Corpus, encoder: Encoder, preset: str) -> Extractor:
    """Return the extractor of an encoder. Raises ``UserError`` for an unknown preset."""
    module = import_module(f"msalib.encoders.{encoder.extractor}")
    return module.Extractor(corpus, encoder, preset)


def extract(
    corpus: Corpus,
    encoder: Encoder,
    folder: Path,
    device: str = "auto",
    *,
    preset: str = "release",
    refresh: bool = False,
) -> Path:
    """Write the features of every clip to the store ``folder``; return ``folder``.

    A store that fits is left as it is, unless ``refresh``; a killed extraction is continued. What
    an encoder cannot take in full is cut or filled, counted in the store and warned of. Raises
    ``UserError`` for a store of another encoder revision, preset or other clips (without
    ``refresh``), for media that are missing, damaged or empty, for weights that are missing or of
    another kind of model, for an unknown device or preset, and for a full disk.
    """
    kind = extractor(corpus, encoder, preset)
    if folder.exists() and not refresh:
        read(corpus, encoder, folder, preset)
        clips.forget(folder)  # killed between the store's last byte and this
        return folder

    kind.load(device)
    fingerprint = kind.fingerprint(folder)
    plan = kind.plan(folder, fingerprint)
    meta = StoreMeta(
        dataset=corpus.name,
        encoder=encoder.name,
        revision=weights.revision(encoder),
        convention=kind.convention,
        unit=kind.unit,
        fingerprint=fingerprint,
        clips=len(corpus),
        frames=int(plan.lengths.sum()),
        versions=versions(),
        **plan.meta,
    )
    ids = corpus.utterances.index.astype(str).tolist()
    offsets = np.concatenate([[0], np.cumsum(plan.lengths)])
    write_store(folder, meta, ids, offsets, plan.batches, kind.states)
    clips.forget(folder)
    return folder


def read(corpus: Corpus, encoder: Encoder, folder: Path, preset: str = "release") -> Features:
    """Return the features of a corpus by an encoder, from the store ``folder``.

    Raises ``UserError`` where the store is missing, damaged, made from other clips, with another
    preset or by another revision of the encoder. The revision is compared where the weights are on
    this machine: a store made elsewhere can be read without them.
    """
    return open_store(
        folder,
        encoder=encoder.name,
        revision=weights.revision(encoder) if weights.available(encoder) else None,
        fingerprint=extractor(corpus, encoder, preset).fingerprint(folder),
        command=command(corpus, encoder, preset),
    )


def command(corpus: Corpus, encoder: Encoder, preset: str) -> str:
    """Return the command that makes a store."""
    chosen = f" --preset {preset}" if encoder.has_presets and preset != "release" else ""
    return f"msalib encode {corpus.name} {encoder.argument}{chosen}"
