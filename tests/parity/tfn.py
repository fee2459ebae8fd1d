"""Kind ``tfn``: MMSA's Tensor Fusion Network, in evaluation mode, after its text encoder."""

import torch

from msalib.models import tfn
from tests.parity import Fixture, compared
from tests.parity.utterance import inputs, load_subnets, refuse_leftovers, sizes, widths

TOLERANCE = 1e-5


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output."""
    config = tfn.Config(
        family="tfn",
        hidden_linguistic=fixture["w.text_subnet.rnn.weight_hh_l0"].shape[1],
        **{f"width_{m}": width for m, width in widths(fixture).items()},
        width_fusion=len(fixture["w.post_fusion_layer_1.bias"]),
        **{f"dropout_{m}": 0.0 for m in ("linguistic", "acoustic", "visual", "fusion")},
        output_limit=3.0,
    )
    model = tfn.build(config, sizes=sizes(fixture), layers={}, outputs=1)
    read = load_subnets(model, fixture)
    names = {
        "hidden.0": "post_fusion_layer_1",
        "hidden.1": "post_fusion_layer_2",
        "output": "post_fusion_layer_3",
    }
    state = {
        f"{ours}.{kind}": torch.tensor(fixture[f"w.{theirs}.{kind}"])
        for ours, theirs in names.items()
        for kind in ("weight", "bias")
    }
    state["output_range"] = torch.tensor(fixture["w.output_range"])
    state["output_shift"] = torch.tensor(fixture["w.output_shift"])
    model.output_range, model.output_shift = state["output_range"], state["output_shift"]
    model.load_state_dict(state, strict=False)
    read |= {f"w.{theirs}.{kind}" for theirs in names.values() for kind in ("weight", "bias")}
    refuse_leftovers(fixture, read | {"w.output_range", "w.output_shift"})
    with torch.inference_mode():
        output = model.eval()(*inputs(fixture))
    ours = {"out_M": output.prediction[:, None], "out_Feature_f": output.fused}
    vectors = {
        "out_Feature_t": "linguistic",
        "out_Feature_a": "acoustic",
        "out_Feature_v": "visual",
    }
    return compared(fixture, ours | {name: output.vectors[m] for name, m in vectors.items()})
