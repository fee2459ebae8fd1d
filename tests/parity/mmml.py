"""Kinds ``mmml_v2``, ``mmml_v3``, ``mmml_context`` and ``mmml_grad``: MMML after its encoders.

The file gives what the encoders return, with the pooled text; ``mmml_grad`` is in training mode
without dropout, with gradients of the loss for some parameters.
"""

import fnmatch
from collections.abc import Mapping

import torch

from msalib.models import mmml
from msalib.models.mmml import FUSED, SOUND, TEXT, Clip
from tests.parity import Fixture, compared, max_abs_error
from tests.parity.mmml_fusion import depth, load, masked, refuse_leftovers, theirs

TOLERANCE = 1e-5

FILES = {f"mmml_{kind}": (f"mmml_{kind}",) for kind in ("v2", "v3", "context", "grad")}

GRADIENTS = (
    "fused_output_layers.1.weight",
    "T_output_layers.1.weight",
    "text_cls_emb.weight",
    "CME_layers.*.lang_attention.att.query.weight",
    "CME_layers.*.audio_output.LayerNorm.weight",
)
"""Parameters whose gradients ``mmml_grad`` has, ``*`` for one of the layers."""

NAME = {TEXT: "text", SOUND: "audio"}
LETTER = {FUSED: "M", TEXT: "T", SOUND: "A"}
LAYERS = {FUSED: "fused_output_layers", TEXT: "T_output_layers", SOUND: "A_output_layers"}


def variant(fixture: Fixture) -> str:
    """Return the restoration that the file's weights belong to."""
    if "w.text_mixed_layer.1.weight" in fixture:
        return "v2"
    return "v3" if "w.text_mixed_cls_emb.weight" in fixture else "v1"


def config(fixture: Fixture) -> mmml.Config:
    """Return the configuration that a file's sizes make."""
    width = fixture["in_text"].shape[-1]
    layers, heads = depth(fixture, "w.CME_layers."), int(fixture["meta_heads"])
    if int(fixture["meta_layers"]) != layers or heads < 1 or width % heads:
        raise fixture.error(
            f"meta_layers {fixture['meta_layers']}, meta_heads {heads}",
            f"{layers} layers, and heads that divide {width}",
        )
    linear = sorted(n for n in fixture if n.startswith("w.fused_output_layers.") and "weight" in n)
    hidden = fixture[linear[-1]].shape[1]
    restoring = {"layers": 1, "head_width": 2 * width, "hidden": 1}
    if variant(fixture) == "v3":
        restoring = {
            "layers": int(fixture["meta_encoder_layers"]),
            "head_width": 2 * width // int(fixture["meta_encoder_heads"]),
            "hidden": len(fixture["w.text_encoder.layers.0.linear1.bias"]),
        }
    return mmml.Config(
        family="mmml",
        tasks="mta",
        fusion="cme",
        restoration=variant(fixture),
        context="none",
        ablation="none",
        pooling="mean",
        empty_context="vector",
        cross_layers=layers,
        head_width=width // heads,
        hidden=hidden,
        hidden_context=hidden,
        dropout=0.0,
        restoring_dropout=0.0,
        **{f"restoring_{name}": value for name, value in restoring.items()},
    )


def names(model: mmml.MMML) -> dict[str, str]:
    """Return the file's name of each parameter outside the cross-modal layers."""
    found = {
        "fuse.encoder.text_vector": "text_cls_emb.weight",
        "fuse.encoder.sound_vector": "audio_cls_emb.weight",
    }
    for m, name in NAME.items():
        found[f"fuse.mix.{m}.vector"] = f"{name}_mixed_cls_emb.weight"
    for ours in model.state_dict():
        part, *rest = ours.split(".")
        if part == "heads":
            found[ours] = ".".join([LAYERS[rest[0]], *rest[1:]])
        elif ours.startswith("fuse.mix."):
            m, inside = rest[1], rest[2:]
            if inside[0] == "encoder":
                found[ours] = ".".join([f"{NAME[m]}_encoder", *inside[1:]])
            elif inside[0] != "vector":
                found[ours] = ".".join([f"{NAME[m]}_mixed_layer", *inside])
    return {ours: f"w.{name}" for ours, name in found.items() if ours in model.state_dict()}


def built(fixture: Fixture) -> mmml.MMML:
    """Return our model with the sizes and the weights of the file."""
    width = fixture["in_text"].shape[-1]
    streams = [TEXT, SOUND]
    if "in_text_context" in fixture:
        streams += [f"{m}_context" for m in (TEXT, SOUND)]
    model = mmml.build(config(fixture), sizes=dict.fromkeys(streams, width), layers={}, outputs=1)
    read = load(model.fuse.encoder, fixture, "w.CME_layers.")
    chosen = names(model)
    state = {
        ours: torch.tensor(fixture[name]).reshape(model.state_dict()[ours].shape)
        for ours, name in chosen.items()
    }
    left = set(model.state_dict()) - set(state)
    assert all(name.startswith("fuse.encoder.layers.") for name in left), left
    model.load_state_dict(state, strict=False)
    outputs = {f"out_{letter}" for letter in LETTER.values()} | {"out_fused", "out_loss"}
    gradients = set(fixture.starting_with("out_grad."))
    refuse_leftovers(fixture, read | set(chosen.values()) | outputs | gradients)
    return model


def clips(fixture: Fixture, model: mmml.MMML) -> Mapping[str, Clip]:
    """Return what the file gives for each stream."""
    made = {}
    for stream in model.streams:
        modality, context, _ = stream.partition("_context")
        name = NAME[modality] + context
        states, mask = masked(fixture, name)
        if modality == TEXT:
            vector = torch.tensor(fixture[f"in_{name}_pooled"])
        else:
            vector = mmml.mean_over_time(states, mask)
        made[stream] = Clip(states, mask, vector)
    return made


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output, of a gradient relative to its largest entry above 1."""
    gradients = fixture.starting_with("out_grad.")
    if fixture.kind == "mmml_grad":
        wanted = [f"out_grad.{parameter}" for parameter in GRADIENTS]
        fixture.require(next(iter(fnmatch.filter(gradients, name)), name) for name in wanted)
    model = built(fixture)
    model.train(bool(gradients))
    output = model.read(clips(fixture, model))
    label = torch.tensor(fixture["in_labels"]).squeeze(1)
    loss = sum((score - label).abs().mean() for score in output.heads.values())
    ours = {f"out_{LETTER[h]}": score.detach()[:, None] for h, score in output.heads.items()}
    ours |= {"out_fused": output.fused.detach(), "out_loss": loss.detach()}
    loss.backward()
    optional = {*gradients, "out_fused"} if gradients else ()
    by_gradient = {name: gradient_error(fixture, model, name) for name in gradients}
    return compared(fixture, ours, optional) | by_gradient


def gradient_error(fixture: Fixture, model: mmml.MMML, name: str) -> float:
    """Return the error of a gradient by its name in the file; above 1 relative to the largest."""
    parameters = dict(model.named_parameters())
    by_name = {name: ours for ours, name in names(model).items()}
    by_name |= {
        f"w.CME_layers.{theirs(n)}": f"fuse.encoder.layers.{n}"
        for n in model.fuse.encoder.layers.state_dict()
    }
    wanted = name.replace("out_grad.", "w.", 1)
    if wanted not in by_name:
        raise fixture.error(f"array {name}", "gradients of parameters of this model")
    ours = parameters[by_name[wanted]].grad
    largest = max(float(abs(fixture[name]).max()), 1.0)
    return max_abs_error(fixture, name, ours.reshape(fixture[name].shape)) / largest
