"""Kind ``ulgm_sugrm``: SUGRM's generator over some epochs, batch by batch.

The features of a clip are ``feature_<medium>[epoch, clip]``, wherever ``order`` puts it. The
release's lists of extremes hold every clip once here: the pass before training was one batch.
"""

import numpy as np
import torch

from msalib.models.ulgm import Labels, SugrmULGM
from tests.parity import Fixture, compared

TOLERANCE = 1e-5

MEDIUM = {"linguistic": "text", "acoustic": "audio", "visual": "vision"}
"""Labels and features of a modality are named by its medium; the fused ones by "fusion"."""

Features = dict[str, torch.Tensor]
"""Modality or "multimodal" -> (epochs, N, d)."""


def replay(fixture: Fixture) -> tuple[torch.Tensor, str, Features]:
    """Return annotated labels (N,), where zero belongs, and features (epochs, N, d) by modality."""
    label = torch.tensor(fixture["labels"]).float()
    epochs = fixture["order"].shape
    features = {}
    for x, medium in {"multimodal": "fusion", **MEDIUM}.items():
        features[x] = torch.tensor(fixture[f"feature_{medium}"]).float()
        if features[x].ndim != 3 or features[x].shape[:2] != epochs or epochs[1:] != label.shape:
            raise fixture.error(
                f"feature_{medium} of shape {tuple(features[x].shape)}, order of shape {epochs}",
                f"(epochs, {len(label)}, width) and (epochs, {len(label)})",
            )
    return label, "neither" if fixture["exclude_zero"] else "positive", features


def run(fixture: Fixture, generator, features: Features) -> dict[str, np.ndarray]:
    """Return labels after each epoch (epochs, N), by the file's names."""
    labels: Labels = generator.labels
    epochs = {f"out_labels_{MEDIUM[m]}": [] for m in labels.generated}
    for epoch, order in enumerate(fixture["order"]):
        for rows in torch.tensor(order).long().split(int(fixture["batch_size"])):
            shared = {x: feature[epoch, rows] for x, feature in features.items()}
            generator.update(epoch + 1, rows, shared)
        for m, generated in labels.generated.items():
            epochs[f"out_labels_{MEDIUM[m]}"].append(generated.numpy().copy())
    return {name: np.stack(labels) for name, labels in epochs.items()}


def errors(fixture: Fixture) -> dict[str, float]:
    label, zero, features = replay(fixture)
    width = features["multimodal"].shape[-1]
    generator = SugrmULGM(
        label, tuple(MEDIUM), width=width, extremes="unique", zero=zero, clamp=True
    )
    ours = run(fixture, generator, features)
    ours["out_center_pos"] = generator.positive.numpy()
    ours["out_center_neg"] = generator.negative.numpy()
    return compared(fixture, ours)
