"""Kinds ``uegd`` and ``uegd_weighted``: the whole model on one batch, in evaluation mode."""

import numpy as np
import torch

from msalib.data.corpus import MODALITIES, membership
from msalib.models.uegd import UEGD, Config, Output, build
from tests.parity import Fixture, compared

FILES = {"uegd": ("uegd",), "uegd_weighted": ("uegd_weighted",)}
TOLERANCE = 1e-5

LETTER = {"visual": "v", "acoustic": "a", "linguistic": "t"}
"""The authors' encoder of a modality is ``enc_<letter>``."""

INPUT = {"visual": "video", "acoustic": "audio", "linguistic": "text"}
"""Inputs and outputs of a modality are named by its medium."""

ENCODER = {"project": "enc.0", "norm": "enc.1", "score_hidden": "attn.fc1", "score": "attn.fc2"}
ENCODER |= {"embed": "dec.0"}
DECODER = {"hidden": "dec.0", "norm": "dec.1", "output": "dec.4"}


def _theirs(ours: str) -> list[str]:
    """The file's names of one of our parameters; those of the gate are rows of ours."""
    match ours.split("."):
        case "encoders", m, "layer_logits":
            return [f"w.enc_{LETTER[m]}.input_layer_weights"]
        case "encoders", m, layer, kind:
            return [f"w.enc_{LETTER[m]}.{ENCODER[layer]}.{kind}"]
        case "gate", kind:
            return [f"w.dec.attn.fcs.{i}.{kind}" for i in range(len(MODALITIES))]
        case "decoder", layer, kind:
            return [f"w.dec.{DECODER[layer]}.{kind}"]
    raise KeyError(ours)


def _unused(weighted: dict[str, int], modalities: list[str]) -> set[str]:
    """Parameters that the release has and does not use (header of msalib/models/uegd.py)."""
    return {
        name
        for m in modalities
        for name in (
            f"w.enc_{LETTER[m]}.input_norm_layer.weight",
            f"w.enc_{LETTER[m]}.input_norm_layer.bias",
            *(() if m in weighted else (f"w.enc_{LETTER[m]}.input_layer_weights",)),
        )
    }


def _load(fixture: Fixture) -> UEGD:
    """Our model with the sizes and the weights of the file; every weight has to find its place."""
    used = [m for m in MODALITIES if fixture.starting_with(f"w.enc_{LETTER[m]}.")]
    if not used:
        raise fixture.error("no encoder", "weights w.enc_v.*, w.enc_a.* or w.enc_t.*")
    inputs = {m: fixture[f"in_{INPUT[m]}"] for m in used}
    weighted = {m: x.shape[1] for m, x in inputs.items() if x.ndim == 4}
    first = f"w.enc_{LETTER[used[0]]}"
    config = Config(
        hidden_size=len(fixture[f"{first}.enc.0.weight"]),
        embedding_size=len(fixture[f"{first}.dec.0.weight"]),
        attention_heads=len(fixture[f"{first}.attn.fc2.weight"]),
        dropout=0.2,
        fusion="gate" if fixture.starting_with("w.dec.attn.") else "concat",
    )
    sizes = {m: x.shape[-1] for m, x in inputs.items()}
    model = build(config, sizes=sizes, layers=weighted, outputs=1)
    state, known = {}, set()
    for ours, parameter in model.state_dict().items():
        names = _theirs(ours)
        values = np.concatenate([fixture[name] for name in names])
        if values.shape != parameter.shape:
            raise fixture.error(
                f"{' and '.join(names)} of shape {values.shape}", f"shape {tuple(parameter.shape)}"
            )
        state[ours] = torch.tensor(values)
        known.update(names)
    leftover = set(fixture.starting_with("w.")) - known
    if leftover := sorted(leftover - _unused(weighted, used)):
        raise fixture.error(f"unknown weights {', '.join(leftover)}", "weights of UEGD only")
    model.load_state_dict(state)
    return model.eval()


def _run(model: UEGD, fixture: Fixture) -> tuple[Output, dict[str, torch.Tensor]]:
    """Our outputs, and the mask (B, T) of each modality."""
    features, mask = {}, {}
    for m in model.encoders:
        padded = torch.tensor(fixture[f"in_{INPUT[m]}"]).float()  # (B, T, D) or (B, L, T, D)
        length = torch.tensor(fixture[f"len_{INPUT[m]}"])
        if length.shape != padded.shape[:1]:
            raise fixture.error(
                f"len_{INPUT[m]} of shape {tuple(length.shape)}", "one length per clip of the input"
            )
        mask[m] = torch.arange(padded.shape[-2]) < length[:, None]
        layers = padded.transpose(0, 1) if padded.ndim == 4 else padded[None]
        frames = layers[:, mask[m]]  # (L, S, D)
        features[m] = frames if padded.ndim == 4 else frames[0]
    with torch.inference_mode():
        return model(features, mask), mask


def _padded(attention: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Attention (B, J, S) as the release has it: (B, T, J), zero on padded frames."""
    padded = attention.new_zeros(*mask.shape, attention.shape[1])
    padded[mask] = attention.transpose(1, 2)[membership(mask, attention.shape[-1])]
    return padded


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output in the file.

    A file need not have the embeddings of absent modalities, nor the attention of images and sound.
    """
    output, mask = _run(_load(fixture), fixture)
    ours = {"out_prediction": output.prediction[:, None]}
    if output.gates is not None:
        ours["out_gate"] = output.gates
    for m in MODALITIES:
        # A modality without an encoder has the embedding zero, papers/uegd.md (c).
        absent = np.zeros_like(next(iter(output.embeddings.values())))
        ours[f"out_embedding_{INPUT[m]}"] = output.embeddings.get(m, absent)
        if m in output.attention:
            ours[f"out_attention_{INPUT[m]}"] = _padded(output.attention[m], mask[m])
    optional = {f"out_embedding_{INPUT[m]}" for m in set(MODALITIES) - set(output.embeddings)}
    optional |= {f"out_attention_{INPUT[m]}" for m in ("visual", "acoustic")}
    return compared(fixture, ours, optional)
