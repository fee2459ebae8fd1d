"""Kind ``spt``: the encoder on one batch of full-length clips, in evaluation mode, all states.

A file holds neither the number of heads and layers nor the shift. Every possible one is tried and
the least error counts: one below the tolerance over all states cannot come by chance, since any
other choice is wrong by 0.1 and more. A file with the name of one of the authors' has the shift
that they ran: the release's as it is coded, or the one that its paper intends. Layers share their
weights, so one pass of the deepest model has the states of all shallower ones.
"""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple, TypeVar, get_args

import numpy as np
import torch

from msalib.data.corpus import MODALITIES
from msalib.models import recipes
from msalib.models.spt import PAIRS, SPT, Shift
from tests.parity import Fixture, best, once

SHIFTS = {"spt_as_coded": "release", "spt_shift_sp": "article"}
"""File -> the preset whose shift it has."""

FILES = {"spt": tuple(SHIFTS)}
TOLERANCE = 1e-5

INPUT = {"visual": "visual", "acoustic": "audio", "linguistic": "text"}
"""Inputs and outputs of a modality are named by its medium."""

LETTER = {"visual": "v", "acoustic": "a", "linguistic": "t"}

START = ("acoustic", "linguistic", "visual")
"""Whose the rows of the first hidden states are."""

PARTS = {
    "input_attention": ("hiddenlayer", LETTER),
    "cross_attention": (
        "crosslayer",
        {name: "".join(LETTER[m] for m in pair) for pair, name in PAIRS.items()},
    ),
    "self_attention": ("selflayer", LETTER),
}
"""Our blocks -> the file's, and ours by name -> the file's by letter."""

LAYERS = {
    "norm_query": "mha_{}.layer_norm",
    "norm_context": "mha_{}.layer_norm_kv",
    "output": "mha_{}.attn.out_proj",
    "norm": "ffn_{}.layer_norm",
    "expand": "ffn_{}.fc1",
    "contract": "ffn_{}.fc2",
}
"""Layers of a block that the file has as they are."""

UNUSED = ("embed_positions._float_tensor",)
"""In the file, and no weight. The LayerNorm of the context of self attention is idle in both."""

DEPTH = 8
"""The most layers that are tried."""


def heads(width: int) -> list[int]:
    """Return how many heads a width allows."""
    return [n for n in range(1, width + 1) if width % n == 0]


def load(fixture: Fixture, prefix: str, *, heads: int, layers: int, shift: Shift) -> SPT:
    """Return our encoder with the weights ``<prefix>*`` of a file; each has to have its place."""
    start = fixture[f"{prefix}init_hiddens"]
    model = SPT(
        input_sizes={
            m: len(fixture[f"{prefix}hiddenlayer.mha_{LETTER[m]}.layer_norm_kv.weight"])
            for m in MODALITIES
        },
        width=start.shape[1],
        heads=heads,
        layers=layers,
        embed_dropout=0.0,
        residual_dropout=0.0,
        relu_dropout=0.0,
        shift=shift,
    )
    state = {"start": start[[START.index(m) for m in MODALITIES]]}
    known = {f"{prefix}{name}" for name in ("init_hiddens", *UNUSED)}

    def take(name: str) -> np.ndarray:
        known.add(f"{prefix}{name}")
        return fixture[f"{prefix}{name}"]

    for kind in ("weight", "bias"):
        state[f"norm.{kind}"] = take(f"layer_norm.{kind}")
    for part, (theirs, letters) in PARTS.items():
        for block, letter in letters.items():
            for layer, name in LAYERS.items():
                for kind in ("weight", "bias"):
                    state[f"{part}.{block}.{layer}.{kind}"] = take(
                        f"{theirs}.{name.format(letter)}.{kind}"
                    )
            attention = f"{theirs}.mha_{letter}.attn.in_proj"
            stacked, bias = take(f"{attention}_weight"), take(f"{attention}_bias")
            _projections(state, f"{part}.{block}", stacked, bias, heads)
    leftover = set(fixture.starting_with(prefix)) - known
    if leftover:
        raise fixture.error(f"unknown weights {', '.join(sorted(leftover))}", "weights of SPT only")
    for name, parameter in model.state_dict().items():
        if state[name].shape != parameter.shape:
            raise fixture.error(
                f"a weight for {name} of shape {state[name].shape}",
                f"shape {tuple(parameter.shape)}",
            )
    model.load_state_dict({name: torch.tensor(values) for name, values in state.items()})
    return model.eval()


def _projections(state: dict, block: str, stacked: np.ndarray, bias: np.ndarray, heads: int):
    """Query, key and value of a block from the file's one matrix (W + 2 D, W) and bias (3 W,).

    Its lower part, reshaped to (D, 2 W), maps a context to keys and values; where D = W the upper
    part counts as one of three square ones. Features of a head are neighbours in the file, and lie
    N apart here.
    """
    width = stacked.shape[1]
    if block.startswith("input_attention"):
        context = stacked[width:].reshape(-1, 2 * width).T
        matrices = [stacked[:width], context[:width], context[width:]]
    else:
        matrices = np.split(stacked, 3)
    order = np.arange(width).reshape(heads, -1).T.ravel()
    named = zip(("query", "key", "value"), matrices, np.split(bias, 3), strict=True)
    for layer, matrix, vector in named:
        state[f"{block}.{layer}.weight"] = matrix[order]
        state[f"{block}.{layer}.bias"] = vector[order]
    state[f"{block}.output.weight"] = state[f"{block}.output.weight"][:, order]


T = TypeVar("T")


class Choice(NamedTuple):
    """What a file does not hold."""

    heads: int
    shift: Shift
    layers: int


@torch.inference_mode()
def by_depth(
    fixture: Fixture, prefix: str, x: Mapping[str, torch.Tensor]
) -> dict[Choice, dict[str, torch.Tensor]]:
    """Return all states m -> (B, H, W) of frames ``x[m]`` (B, L, D), for every possible choice."""
    width = fixture[f"{prefix}init_hiddens"].shape[1]
    length = {m: torch.full(frames.shape[:1], frames.shape[1]) for m, frames in x.items()}
    states = {}
    for n, shift in product(heads(width), get_args(Shift)):
        model = load(fixture, prefix, heads=n, layers=DEPTH, shift=shift)
        after = {m: [] for m in model.self_attention}
        for m, block in model.self_attention.items():  # the end of a layer
            block.register_forward_hook(lambda _b, _i, h, read=after[m]: read.append(h))
        model.hidden(x, length)
        for depth in range(DEPTH):
            states[Choice(n, shift, depth + 1)] = {
                m: model.norm(h[depth]).transpose(0, 1) for m, h in after.items()
            }
    return states


def shift_of(preset: str) -> Shift:
    """Return the shift of a preset, "release" or "article"."""
    return recipes.load("sugrm", preset, "full", "mosi")["model"]["shift"]


def with_shift(shift: Shift, candidates: Mapping[Choice, T]) -> dict[Choice, T]:
    """Select the choices with one shift."""
    return {choice: ours for choice, ours in candidates.items() if choice.shift == shift}


@once
def _candidates(fixture: Fixture) -> dict[Choice, dict[str, torch.Tensor]]:
    x = {m: torch.tensor(fixture[f"in_{INPUT[m]}"]).float() for m in MODALITIES}
    return {
        choice: {f"out_{INPUT[m]}": h for m, h in states.items()}
        for choice, states in by_depth(fixture, "w.", x).items()
    }


def fitting(fixture: Fixture) -> tuple[Choice, dict[str, float]]:
    """Return the choice that fits best, with the error of each output."""
    fixture.require(f"out_{name}" for name in INPUT.values())
    candidates = _candidates(fixture)
    if preset := SHIFTS.get(fixture.path.stem):
        candidates = with_shift(shift_of(preset), candidates)
    return best(fixture, candidates)


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output, with the heads, the layers and the shift that fit best."""
    return fitting(fixture)[1]
