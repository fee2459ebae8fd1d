"""Kind ``mmml_fusion``: MMML's stack of cross-modal layers, in evaluation mode."""

import torch

from msalib.models.cme import CrossModalEncoder, Places
from tests.parity import Fixture, compared

TOLERANCE = 1e-5

MODALITY = {"text": "lang", "sound": "audio"}
"""Ours -> how the authors' layers name a modality."""

ATTENTION = {"cross": ("attention", "att"), "own": ("self_att", "self")}
"""Our blocks -> the authors' block, and what its projections are below."""


def theirs(ours: str) -> str:
    """Return the file's name of a parameter of our layers, without its prefix."""
    layer, stream, block, part, kind = ours.split(".")
    modality = MODALITY[stream]
    if block == "feed_forward":
        names = {"hidden": "inter.dense", "output": "output.dense", "norm": "output.LayerNorm"}
        return f"{layer}.{modality}_{names[part]}.{kind}"
    name, inside = ATTENTION[block]
    names = {"output": "output.dense", "norm": "output.LayerNorm"}
    return f"{layer}.{modality}_{name}.{names.get(part, f'{inside}.{part}')}.{kind}"


def load(encoder: CrossModalEncoder, fixture: Fixture, prefix: str) -> set[str]:
    """Give all layers the weights of the file; return the names that were read."""
    names = {ours: prefix + theirs(ours) for ours in encoder.layers.state_dict()}
    state = {ours: torch.tensor(fixture[name]) for ours, name in names.items()}
    encoder.layers.load_state_dict(state)
    return set(names.values())


def depth(fixture: Fixture, prefix: str) -> int:
    """Return the number of layers in the file."""
    starts = fixture.starting_with(prefix)
    return 1 + max(int(name.removeprefix(prefix).split(".")[0]) for name in starts)


def masked(fixture: Fixture, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return states (B, T, d) and their mask (B, T) by their name in the file."""
    return torch.tensor(fixture[f"in_{name}"]), torch.tensor(fixture[f"mask_{name}"]) > 0


def refuse_leftovers(fixture: Fixture, read: set[str]) -> None:
    """Refuse a file with weights or outputs that nothing here read."""
    if unread := sorted(set(fixture.starting_with("w.", "out")) - read):
        raise fixture.error(f"arrays {', '.join(unread[:5])}", "those of this kind alone")


@torch.inference_mode()
def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output."""
    encoder = CrossModalEncoder(
        width=fixture["in_text"].shape[-1],
        heads=int(fixture["heads"]),
        layers=depth(fixture, "w."),
        dropout=0.0,
    )
    read = load(encoder, fixture, "w.")
    refuse_leftovers(fixture, read | {"out_text", "out_audio"})
    (text, text_mask), (sound, sound_mask) = masked(fixture, "text"), masked(fixture, "audio")
    at = everywhere(text_mask), everywhere(sound_mask)
    states = at[0].pack(text), at[1].pack(sound)
    for layer in encoder.eval().layers:
        states = layer(states[0], at[0], states[1], at[1])
    names = "out_text", "out_audio"
    padded = [places.pad(x) for x, places in zip(states, at, strict=True)]
    return compared(fixture, dict(zip(names, padded, strict=True)))


def everywhere(mask: torch.Tensor) -> Places:
    """Return places that compute padding, too, as the reference does: only keys are masked."""
    places = Places(torch.ones_like(mask))
    places.mask = mask
    return places
