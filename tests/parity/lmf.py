"""Kind ``lmf``: MMSA's Low-rank Multimodal Fusion, in evaluation mode, after its text encoder."""

import torch

from msalib.models import lmf
from tests.parity import Fixture, compared
from tests.parity.utterance import inputs, load_subnets, refuse_leftovers, sizes, widths

TOLERANCE = 1e-5

FACTOR = {"acoustic": "audio_factor", "visual": "video_factor", "linguistic": "text_factor"}


def errors(fixture: Fixture) -> dict[str, float]:
    """Return the error of each output."""
    width = widths(fixture)
    config = lmf.Config(
        family="lmf",
        rank=int(fixture["meta_rank"]),
        hidden_linguistic=2 * width["linguistic"],
        width_acoustic=width["acoustic"],
        width_visual=width["visual"],
        **{f"dropout_{m}": 0.0 for m in FACTOR},
    )
    model = lmf.build(config, sizes=sizes(fixture), layers={}, outputs=1)
    read = load_subnets(model, fixture)
    names = {f"factors.{m}": f"w.{name}" for m, name in FACTOR.items()}
    names |= {"weights": "w.fusion_weights", "bias": "w.fusion_bias"}
    state = {ours: torch.tensor(fixture[theirs]) for ours, theirs in names.items()}
    model.load_state_dict(state, strict=False)
    refuse_leftovers(fixture, read | set(names.values()))
    with torch.inference_mode():
        output = model.eval()(*inputs(fixture))
    vectors = {
        "out_Feature_t": "linguistic",
        "out_Feature_a": "acoustic",
        "out_Feature_v": "visual",
    }
    ours = {"out_M": output.prediction[:, None], "out_Feature_f": output.fused.squeeze(2)}
    return compared(fixture, ours | {name: output.vectors[m] for name, m in vectors.items()})
