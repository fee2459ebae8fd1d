"""Generated labels on scales of other widths than CMU-MOSI's, such as CH-SIMS's from -1 to 1."""

import pytest
import torch

from msalib.models.ulgm import SelfMMULGM, SugrmULGM

ANNOTATED = torch.tensor([3.0, -3, 0, 1, -2])
ALL = torch.arange(5)
TWO = ("multimodal", "visual")


@pytest.mark.parametrize("rule", [SugrmULGM, SelfMMULGM])
def test_labels_stay_on_the_scale_of_their_task(rule):
    """SUGRM's rule is the same on every scale, in shares of it."""
    generated = {}
    for limit in (1.0, 3.0):
        torch.manual_seed(0)
        settings = {"width": 2} if rule is SugrmULGM else {"widths": dict.fromkeys(TWO, 2)}
        if rule is SugrmULGM:
            settings |= {"extremes": "unique", "clamp": True}
        label = ANNOTATED / 3 * limit
        generator = rule(label, ("visual",), zero="neither", limit=limit, **settings)
        for epoch in range(1, 6):
            generator.update(epoch, ALL, {x: 3 * torch.randn(5, 2) for x in TWO})
        generated[limit] = generator.labels.generated["visual"]
        assert not torch.allclose(generated[limit], label)
        assert generated[limit].abs().max() <= limit
    if rule is SugrmULGM:
        torch.testing.assert_close(3 * generated[1.0], generated[3.0])
