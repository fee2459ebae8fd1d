"""What the kinds of models on utterance vectors share: inputs, and the weights of their subnets.

Audio and visual inputs are one vector each, text a sequence of full length.
"""

import torch

from tests.parity import Fixture

INPUT = {"linguistic": "in_text", "acoustic": "in_audio", "visual": "in_visual"}
SUBNET = {"linguistic": "text_subnet", "acoustic": "audio_subnet", "visual": "video_subnet"}


def sizes(fixture: Fixture) -> dict[str, int]:
    """Return the input features of each modality."""
    return {m: fixture[name].shape[-1] for m, name in INPUT.items()}


def widths(fixture: Fixture) -> dict[str, int]:
    """Return the size of each utterance vector."""
    last = {"linguistic": "linear_1", "acoustic": "linear_3", "visual": "linear_3"}
    return {m: len(fixture[f"w.{SUBNET[m]}.{layer}.bias"]) for m, layer in last.items()}


def inputs(fixture: Fixture) -> tuple[dict, dict]:
    """Return features and masks as a Batch has them."""
    padded = {m: torch.tensor(fixture[name]) for m, name in INPUT.items()}
    features = {m: x.flatten(0, 1) for m, x in padded.items()}
    return features, {m: torch.ones(x.shape[:2], dtype=torch.bool) for m, x in padded.items()}


def load_subnets(model, fixture: Fixture) -> set[str]:
    """Load the weights of the subnets; return the names that were read."""
    names = {}
    for m in ("acoustic", "visual"):
        kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        names |= {f"{m}.norm.{kind}": f"w.{SUBNET[m]}.norm.{kind}" for kind in kinds}
        for i in range(3):
            for kind in ("weight", "bias"):
                names[f"{m}.layers.{i}.{kind}"] = f"w.{SUBNET[m]}.linear_{i + 1}.{kind}"
    for kind in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        names[f"linguistic.lstm.{kind}"] = f"w.text_subnet.rnn.{kind}"
    for kind in ("weight", "bias"):
        names[f"linguistic.output.{kind}"] = f"w.text_subnet.linear_1.{kind}"
    state = {ours: torch.tensor(fixture[theirs]) for ours, theirs in names.items()}
    model.subnets.load_state_dict(state)
    return set(names.values())


def refuse_leftovers(fixture: Fixture, read: set[str]) -> None:
    """Refuse weights that no parameter of ours has taken."""
    if left := set(fixture.starting_with("w.")) - read:
        raise fixture.error(f"weights {', '.join(sorted(left))}", "those of this model only")
