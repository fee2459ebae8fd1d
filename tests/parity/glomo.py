"""Kinds ``glomo``, ``glomo_classify_mhd``, ``glomo_classify_mer`` and ``glomo_grad``: whole models.

What the text encoder returns is given. ``glomo_grad`` is in training mode without dropout, once
with the gates' noise given and once without (``out_clean_*``), and has gradients of the loss.
"""

import re
from functools import partial

import torch
from torch.nn import functional

from msalib.models import glomo, recipes
from msalib.models.pieces import placed
from tests.parity import Fixture, compared, gradient_error
from tests.parity.glomo_moe import refuse_other_normals

TOLERANCE = 1e-5

FILES = {
    kind: (kind,) for kind in ("glomo", "glomo_classify_mhd", "glomo_classify_mer", "glomo_grad")
}

NAME = {"linguistic": "text", "acoustic": "audio", "visual": "visual"}

STEPS_OF_TEXT = 80
"""So many steps of text the release reads where text is a sequence (``glomo_classify_mer``)."""

OMEGA = 0.01

GRADIENTS = (
    "classifier.weight",
    "fc_all.weight",
    "moe_t.w_gate",
    "moe_a.w_noise",
    "moe_a.experts.0.fc1.weight",
    "audio_network.projs.weight",
    "proj_l.weight",
)
"""Parameters whose gradients ``glomo_grad`` has; without noise, its factors have none."""

UNREAD = re.compile(r"w\..*\.(version|_float_tensor|mean|std)$")

RULES = (
    (r"^coding\.linguistic\.first\.", "linear1."),
    (r"^coding\.linguistic\.project\.convolution\.", "proj_l."),
    (r"^coding\.(\w+)\.project\.convolution\.", r"\1_network.projs."),
    (r"^coding\.(\w+)\.encoder\.", r"\1_network.encoder."),
    (r"\.norm_attention\.", ".layer_norms.0."),
    (r"(encoder\.layers\.\d+)\.norm\.", r"\1.layer_norms.1."),
    (r"(\w+_network\.encoder)\.norm\.", r"\1.layer_norm."),
    (r"(_network\.encoder\.layers\.\d+)\.attention\.", r"\1.self_attn."),
    (r"\.expand\.", ".fc1."),
    (r"\.contract\.", ".fc2."),
    (r"^experts\.(\w)\w+\.mixture\.gate", r"moe_\1.w_gate"),
    (r"^experts\.(\w)\w+\.mixture\.noise", r"moe_\1.w_noise"),
    (r"^experts\.(\w)\w+\.mixture\.hidden\.(\d+)\.", r"moe_\1.experts.\2.fc1."),
    (r"^experts\.(\w)\w+\.mixture\.output\.(\d+)\.", r"moe_\1.experts.\2.fc2."),
    (r"^moe_l\.", "moe_t."),
    (r"^meet\.", "transformer_encoder."),
    (r"^fuse\.join\.0\.", "fc_ts."),
    (r"^fuse\.join\.1\.", "fc_as."),
    (r"^fuse\.join\.2\.", "fc_vs."),
    (r"^fuse\.both\.", "fc_all."),
    (r"^fuse\.scorers\.0\.", "attn_cs."),
    (r"^fuse\.scorers\.1\.", "attn_fs."),
    (r"^(attn_.s)\.hidden\.", r"\1.attention_mlp.attention_mlp."),
    (r"^(attn_.s)\.output\.", r"\1.fc_att."),
    (r"^head\.", "classifier."),
    (r"^acoustic_", "audio_"),
    (r"^visual_", "video_"),
    (r"^linguistic_", "text_"),
)
"""Patterns, applied in turn, that make the file's name of a parameter from ours."""


def theirs(ours: str, layered: bool) -> str:
    """Return the file's name of a parameter; ``layered``: two layers of text are read."""
    for pattern, name in RULES if layered else RULES[2:]:
        ours = re.sub(pattern, name, ours)
    return f"w.{ours}"


def number(fixture: Fixture, name: str) -> int:
    """Return a size that the file states, with or without ``meta_`` before its name."""
    return int(fixture[f"meta_{name}"] if f"meta_{name}" in fixture else fixture[name])


def config(fixture: Fixture) -> glomo.Config:
    """Return the configuration of the release with a file's sizes, without dropout."""
    settings = recipes.load("glomo", "release", "full", "mosi")["model"]
    active, count = number(fixture, "k"), number(fixture, "experts")
    if not 1 <= active <= count:
        raise fixture.error(f"k {active}", f"a number from 1 to {count}")
    means = {float(fixture[f"w.moe_{m}.mean"].item()) for m in "tav"}
    if len(means) > 1:
        raise fixture.error("mixtures with different means", "one mean for the load of all")
    experts = dict.fromkeys([f"experts_{m}" for m in NAME], count)
    width, kernel = fixture["w.fc_all.bias"].shape[0], fixture["w.audio_network.projs.weight"]
    layers = "w.transformer_encoder.layers."
    dropouts = {name: 0.0 for name in settings if name.endswith("dropout")}
    return glomo.Config(
        **settings
        | experts
        | dropouts
        | {
            "width": width,
            "kernel": kernel.shape[-1],
            "heads": number(fixture, "heads"),
            "layers": number(fixture, "layers"),
            "locals": number(fixture, "locals"),
            "active": active,
            "load_mean": means.pop(),
            "fusion_layers": len({n.split(".")[3] for n in fixture.starting_with(layers)}),
            "fusion_hidden": fixture[f"{layers}0.linear1.bias"].shape[0],
        }
    )


def inputs(fixture: Fixture) -> dict[str, tuple[torch.Tensor, None]]:
    """Return the frames of each modality, nothing masked."""
    frames = {m: torch.tensor(fixture[f"in_{NAME[m]}"]) for m in ("acoustic", "visual")}
    if "in_text" in fixture:
        text = torch.tensor(fixture["in_text"])
        clips, steps, width = text.shape
        mask = torch.ones(clips, steps, dtype=torch.bool)
        longest = min(steps, STEPS_OF_TEXT)
        frames["linguistic"] = placed(text.reshape(-1, width), mask, longest, True)[0]
    else:
        layers = [torch.tensor(fixture[f"in_text_{name}"]) for name in ("last", "second_last")]
        frames["linguistic"] = torch.stack(layers)
    return {m: (x, None) for m, x in frames.items()}


def built(fixture: Fixture) -> glomo.GLoMo:
    """Return our model with the sizes and the weights of the file."""
    sizes = {m: x.shape[-1] for m, (x, _) in inputs(fixture).items()}
    layers = {} if "in_text" in fixture else {"linguistic": 2}
    outputs = fixture["w.classifier.bias"].shape[0]
    model = glomo.build(config(fixture), sizes=sizes, layers=layers, outputs=outputs)
    state = {}
    names = {ours: theirs(ours, bool(layers)) for ours in model.state_dict()}
    for ours, value in model.state_dict().items():
        array = torch.tensor(fixture[names[ours]])
        if array.shape != value.shape:
            raise fixture.error(
                f"{names[ours]} of shape {tuple(array.shape)}", f"shape {tuple(value.shape)}"
            )
        state[ours] = array
    weights = {name for name in fixture.starting_with("w.") if not UNREAD.match(name)}
    if unread := sorted(weights - {*names.values()}):
        raise fixture.error(f"weights {', '.join(unread[:5])}", "those of this kind alone")
    for mixture in ("moe_t", "moe_a", "moe_v"):
        refuse_other_normals(fixture, f"w.{mixture}.")
    model.load_state_dict(state)
    return model


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output and gradient."""
    if fixture.kind == "glomo_grad":
        return trained(fixture)
    model = built(fixture).eval()
    with torch.inference_mode():
        output = model.read(inputs(fixture))
    penalty = OMEGA * sum(gates.penalty for gates in output.gates.values())
    if fixture.kind == "glomo":
        ours = {"out_prediction": output.prediction[:, None], "out_moe_loss": penalty}
        return compared(fixture, ours | {"out_representation": output.fused})
    task = functional.cross_entropy(output.prediction, torch.tensor(fixture["in_labels"]))
    ours = {
        "out_logits": output.prediction,
        "out_moe_loss": penalty,
        "out_loss_task": task,
        "out_loss_total": task + penalty,
    }
    if fixture.kind == "glomo_classify_mhd":
        ours["out_representation"] = output.fused
    return compared(fixture, ours)


def trained(fixture: Fixture) -> dict[str, float]:
    """Return the errors of a step with noise on the gates, and of one without."""
    outputs, gradients = {}, {}
    for prefix, noisy in (("out_", True), ("out_clean_", False)):
        ours, found = step(fixture, noisy)
        outputs |= {f"{prefix}{name}": value for name, value in ours.items()}
        gradients |= {f"{prefix}grad.{name}": value for name, value in found.items()}
        wanted = [f"{prefix}grad.{name}" for name in GRADIENTS if noisy or "noise" not in name]
        fixture.require([*outputs, *wanted])
    found = compared(fixture, outputs, gradients)
    present = [name for name in gradients if name in fixture]
    return found | {name: gradient_error(fixture, name, gradients[name]) for name in present}


def step(fixture: Fixture, noisy: bool) -> tuple[dict, dict]:
    """Return outputs in training mode and gradients of the loss, by their names in the file."""
    model = built(fixture).train()
    for m, experts in model.experts.items():
        noise = torch.tensor(fixture[f"in_noise_{NAME[m]}"]) if noisy else None
        experts.mixture.draw = partial(_given, noise)
    output = model.read(inputs(fixture))
    penalty = OMEGA * sum(gates.penalty for gates in output.gates.values())
    label = torch.tensor(fixture["in_labels"]).squeeze(1)
    loss = (output.prediction - label).abs().mean() + penalty
    loss.backward()
    outputs = {
        "prediction": output.prediction.detach()[:, None],
        "moe_loss": penalty.detach(),
        "loss": loss.detach(),
    }
    return outputs, {theirs(name, True)[2:]: p.grad for name, p in model.named_parameters()}


def _given(noise: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor | None:
    return noise
