"""What every baseline owes: any modalities, classes, scores clip by clip, a rate for each part."""

from itertools import combinations

import pytest
import torch

from msalib import models
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.models import recipes
from tests.factory import SIZES

SUBSETS = [chosen for k in (1, 2, 3) for chosen in combinations(MODALITIES, k)]

every_baseline = pytest.mark.parametrize("family", recipes.baselines())


def build(family, modalities=MODALITIES, outputs=1):
    torch.manual_seed(0)
    module = models.module(family)
    config = module.Config(**recipes.load(family, "release", "quick", "control")["model"])
    sizes = {m: SIZES[m] for m in modalities}
    return module.build(config, sizes=sizes, layers={}, outputs=outputs).eval()


def batch_of(tiny, modalities=MODALITIES, rows=range(6)):
    examples = tiny.examples(tiny.rows("train", "standard"), inputs=dict.fromkeys(modalities, 1))
    return examples.batch(torch.tensor(list(rows)))


@every_baseline
@pytest.mark.parametrize("modalities", SUBSETS, ids="+".join)
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_score_per_clip_or_one_per_class_from_any_modalities(tiny, family, modalities, outputs):
    batch = batch_of(tiny, modalities)
    prediction = build(family, modalities, outputs)(batch.features, batch.mask).prediction
    assert prediction.shape == ((6,) if outputs == 1 else (6, 3))
    assert prediction.isfinite().all()


@every_baseline
def test_a_clip_is_judged_by_its_own_frames(tiny, family):
    """Beside longer clips, which pad it, a clip scores the same as alone."""
    model = build(family)
    together, alone = batch_of(tiny), [batch_of(tiny, rows=[k]) for k in range(6)]
    expected = torch.cat([model(batch.features, batch.mask).prediction for batch in alone])
    torch.testing.assert_close(model(together.features, together.mask).prediction, expected)


@every_baseline
def test_every_parameter_belongs_to_one_part_that_the_recipe_has_a_rate_for(family):
    module, model = models.module(family), build(family)
    groups = getattr(module, "groups", lambda model: {"model": model.named_parameters()})(model)
    names = [name for parameters in groups.values() for name, _ in parameters]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    training = module.Training(**recipes.load(family, "release", "quick", "control")["train"])
    assert groups.keys() == training.regime().parts.keys()


@every_baseline
def test_every_parameter_learns(tiny, family):
    batch, model = batch_of(tiny), build(family)
    model(batch.features, batch.mask).prediction.square().sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@every_baseline
def test_a_stream_that_it_does_not_read_is_refused(family):
    module = models.module(family)
    config = module.Config(**recipes.load(family, "release", "quick", "control")["model"])
    sizes = {"linguistic": 4, "linguistic_context": 4}
    with pytest.raises(UserError, match="found linguistic_context; expected some of acoustic"):
        module.build(config, sizes=sizes, layers={}, outputs=1)
