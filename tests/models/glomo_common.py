"""Small GLoMos and clips for them."""

from collections.abc import Mapping, Sequence

import torch

from msalib.models import glomo, recipes

SIZES = {"linguistic": 12, "acoustic": 5, "visual": 4}
LENGTHS = {"linguistic": [4, 9, 2], "acoustic": [11, 3, 7], "visual": [1, 8, 5]}
LAYERED = {"linguistic": 2}

SMALL = {"width": 8, "heads": 2, "longest": 12, "layers": 2, "fusion_hidden": 16, "deviation": 0.0}


def config(preset: str = "article", dataset: str = "control", **changes) -> glomo.Config:
    """Return the configuration of a preset at small sizes."""
    recipe = recipes.load("glomo", preset, "full", dataset)["model"]
    return glomo.Config(**recipe | SMALL | changes)


def training(preset: str = "article", **changes) -> glomo.Training:
    return glomo.Training(**recipes.load("glomo", preset, "quick", "control")["train"] | changes)


def built(
    preset: str = "article",
    *,
    used: Sequence[str] = tuple(SIZES),
    layers: Mapping[str, int] = LAYERED,
    outputs: int = 1,
    sizes: Mapping[str, int] = SIZES,
    **changes,
) -> glomo.GLoMo:
    """Return a small model in evaluation mode whose gates are not all the same."""
    torch.manual_seed(0)
    sizes = {m: sizes[m] for m in used}
    model = glomo.build(config(preset, **changes), sizes=sizes, layers=layers, outputs=outputs)
    for name, weight in model.named_parameters():
        if name.endswith((".gate", ".noise")):
            torch.nn.init.normal_(weight)
    return model.eval()


def clips(
    lengths: Mapping[str, Sequence[int]] = LENGTHS,
    *,
    layers: Mapping[str, int] = LAYERED,
    sizes: Mapping[str, int] = SIZES,
) -> tuple[dict, dict]:
    """Return random frames and masks of B clips; ``layers``: modalities with that many layers."""
    generator = torch.Generator().manual_seed(1)
    features, masks = {}, {}
    for m, counts in lengths.items():
        counts = torch.tensor(counts)
        masks[m] = torch.arange(int(counts.max())) < counts[:, None]
        stack = (layers[m],) if m in layers else ()
        shape = (*stack, int(counts.sum()), sizes[m])
        features[m] = torch.randn(shape, generator=generator)
    return features, masks


def alone(features: Mapping, masks: Mapping, clip: int) -> tuple[dict, dict]:
    """Return one clip of a batch, as a batch of its own."""
    own, mask = {}, {}
    for m, frames in features.items():
        counts = masks[m].sum(1).tolist()
        own[m] = frames.split(counts, dim=-2)[clip]
        mask[m] = torch.ones(1, counts[clip], dtype=torch.bool)
    return own, mask
