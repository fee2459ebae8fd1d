"""Read single clips by the networks of a saved model, up to where the choice of modalities matters.

What a network reads of clips with some modalities ("readings") is what its model's
``CONTRIBUTIONS`` make predictions of: vectors, or the predictions of heads.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from msalib import encoders, models
from msalib.base import temporary
from msalib.base.errors import UserError
from msalib.base.paths import ROOT
from msalib.data.corpus import TUNED, Corpus, Features
from msalib.encoders import extraction
from msalib.runs.clips import corpus_of
from msalib.runs.saved import SETTINGS, About, Input, check_revision, encoder_of, seconds_of
from msalib.runs.trainer import core, regime_of

if TYPE_CHECKING:
    from torch import Tensor, nn


def readings_of_all(
    about: About,
    networks: Sequence["nn.Module"],
    material: Sequence[Mapping[str, object]],
    notes: Mapping[str, list[str]],
    general: list[str],
    device: str,
) -> list[dict[str, "Tensor"]]:
    """Return, for each network, what its predictions are made of, (N, ...) by name.

    A name that no clip has is missing; nan stands where a clip lacks one. ``notes`` and ``general``
    take what an encoder says of a clip, and of all.
    """
    ids = list(notes)
    found: list[dict[str, Tensor]] = [{} for _ in networks]
    with temporary.folder() as folder:
        features, place = {}, {}  # modality -> features of the clips that have it, row -> which
        for m in about.inputs:
            rows = [i for i, own in enumerate(material) if m in own]
            if rows:
                corpus = corpus_of(about, m, [ids[i] for i in rows], [material[i][m] for i in rows])
                features[m] = _features(corpus, about, m, folder / m, device, notes, general)
                place[m] = {row: k for k, row in enumerate(rows)}
        for given, rows in _by_choice(material).items():
            chosen = {m: _taken(features[m], [place[m][i] for i in rows]) for m in given}
            for network, whole in zip(networks, found, strict=True):
                for name, values in _read(about, network, ids, rows, chosen, device).items():
                    if name not in whole:
                        whole[name] = values.new_full((len(ids), *values.shape[1:]), np.nan)
                    whole[name][rows] = values
    return found


def _by_choice(material: Sequence[Mapping[str, object]]) -> dict[tuple[str, ...], list[int]]:
    """Return the numbers of the clips by the modalities that they have."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for i, own in enumerate(material):
        rows.setdefault(tuple(own), []).append(i)
    return rows


def _taken(features: Features, rows: Sequence[int]) -> Features:
    """Return the features of some clips; no frame is copied."""
    return replace(features, clips=(np.array(rows), np.arange(len(rows) + 1)))


def _read(
    about: About,
    network: "nn.Module",
    ids: Sequence[str],
    rows: Sequence[int],
    features: Mapping[str, Features],
    device: str,
) -> dict[str, "Tensor"]:
    """Return what a network's predictions are made of, for clips that have these modalities."""
    import torch

    from msalib.training import loop

    arithmetic, regime = models.module(about.spec.family).CONTRIBUTIONS, regime_of(about.spec)
    names = [ids[i] for i in rows]
    table = pd.DataFrame({"video": names, "segment": 0, "text": "", "label": 0.0})
    corpus = Corpus("yours", table.set_index(pd.Index(names, name="id")), features, {})
    inputs = {m: about.inputs[m].layer for m in features}
    examples = corpus.examples(np.arange(len(rows)), inputs=inputs, device=device)
    with torch.no_grad(), loop.autocast(device, regime):
        batches = [
            arithmetic.read(core(network), _states(network, batch.features, batch.mask), batch.mask)
            for batch in examples.batches(regime.judged_batch)
        ]
    return {name: torch.cat([batch[name] for batch in batches]).float() for name in batches[0]}


def _states(network: "nn.Module", features: Mapping, mask: Mapping) -> dict[str, "Tensor"]:
    """Return what a model reads of a batch: the states of fine-tuned encoders in their places."""
    features = dict(features)
    if core(network) is not network:
        for m in features.keys() & network.encoders.keys():
            features[m] = network.encoders[m](features[m], mask[m])
    return features


def _features(
    corpus: Corpus,
    about: About,
    modality: str,
    folder: Path,
    device: str,
    notes: Mapping[str, list[str]],
    general: list[str],
) -> Features:
    """Return what a model is given of clips that have a modality."""
    asked = about.inputs[modality]
    if asked.encoder is not None:
        corpus = _encoded(corpus, about, modality, folder, device, general)
        extractor = extraction.extractor(corpus, encoder_of(asked.encoder), about.spec.preset)
        unknown = zip(corpus.utterances.index, extractor.losses(), strict=True)
        for clip, loss in [*unknown, *_lost(corpus, modality).items()]:
            notes[clip] += [f"{modality}: {loss}"] if loss else []
    _check_width(corpus, modality, asked)
    return corpus.features[modality]


def _encoded(
    corpus: Corpus, about: About, modality: str, folder: Path, device: str, notes: list[str]
) -> Corpus:
    """Return the corpus with what the model's encoder gives, or reads where it was fine-tuned.

    ``notes`` takes what the extractor warned of, and how its settings differ from those of the
    training (another detector of faces, another precision).
    """
    asked = about.inputs[modality]
    source, encoder = asked.encoder, encoder_of(asked.encoder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if asked.layer == TUNED:
            from msalib.encoders import tuned

            features = tuned.inputs(corpus, encoder, seconds=seconds_of(source), folder=folder)
        else:
            preset = about.spec.preset
            encoders.encode(corpus, encoder, preset=preset, device=device, folder=folder)
            features = encoders.read(corpus, encoder, preset, folder)
    provenance = features.provenance
    check_revision(source, provenance["revision"])
    if provenance["convention"] != source.convention:
        raise UserError(
            f"encoder {source.name} of this model",
            found=f"layers that mean something else now ({provenance['convention']})",
            expected=source.convention,
            remedy="Train the model again with this version of the code.",
        )
    ours = [w for w in caught if Path(w.filename).is_relative_to(ROOT / "msalib")]
    notes += [str(w.message) for w in ours]
    if modality == "visual" and about.faces == "whole":
        notes.append("each picture is taken for a face crop, as in training")
    for name in SETTINGS:
        here, then = provenance.get(name), source.settings.get(name)
        if here != then:
            usual = "float32" if name == "precision" else "nothing"
            notes.append(f"{modality} {name}: {here or usual}; in training: {then or usual}")
    return corpus.with_features(modality, features)


def _lost(corpus: Corpus, modality: str) -> dict[str, str]:
    """Return what an encoder could not take of each clip, by id: frames beyond its limit, faces."""
    features, ids = corpus.features[modality], corpus.utterances.index
    lengths = features.lengths()
    losses = {}
    count = int(features.provenance.get("truncated", "0").split()[0])
    longest = lengths == lengths.max()
    if count == longest.sum():  # else one of them just fits, and cannot be told from those cut
        losses |= dict.fromkeys(ids[longest], f"longer than {features.source} takes, cut there")
    if modality == "visual":
        empty = ~np.asarray(features.layers[features.blocks[0]]).any(1)
        faceless = np.add.reduceat(empty, features.offsets[:-1])
        losses |= {
            clip: f"no face in {missing} of {length} pictures"
            for clip, missing, length in zip(ids, faceless, lengths, strict=True)
            if missing
        }
    return losses


def _check_width(corpus: Corpus, modality: str, asked: Input) -> None:
    arrays = corpus.features[modality].select(asked.layer)
    if (len(arrays), arrays[0].shape[1]) != (asked.layers, asked.width):
        raise UserError(
            f"{modality} features",
            found=f"{len(arrays)} layers of width {arrays[0].shape[1]}",
            expected=f"{asked.layers} of width {asked.width}",
            remedy="Train the model again with this encoder.",
        )
