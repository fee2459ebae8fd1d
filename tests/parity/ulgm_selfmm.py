"""Kind ``ulgm_selfmm``: Self-MM's generator over some epochs, batch by batch."""

from msalib.models.ulgm import SelfMMULGM
from tests.parity import Fixture, compared
from tests.parity.ulgm_sugrm import MEDIUM, replay, run

TOLERANCE = 1e-5


def errors(fixture: Fixture) -> dict[str, float]:
    label, zero, features = replay(fixture)
    widths = {x: feature.shape[-1] for x, feature in features.items()}
    generator = SelfMMULGM(label, tuple(MEDIUM), widths=widths, zero=zero)
    ours = run(fixture, generator, features)
    ours["out_center_pos"] = generator.positive["multimodal"].numpy()
    ours["out_center_neg"] = generator.negative["multimodal"].numpy()
    return compared(fixture, ours)
