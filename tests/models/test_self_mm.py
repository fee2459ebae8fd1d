"""Self-MM: what the model returns, and what must not change it."""

from itertools import combinations

import pytest
import torch

from msalib.data.corpus import MODALITIES
from msalib.models import self_mm
from msalib.models.multitask import Output
from msalib.models.ulgm import SugrmULGM
from tests.factory import SIZES
from tests.models.common import goal

FEATURES = {"multimodal": 12, "linguistic": 10, "acoustic": 9, "visual": 11}
SMALL = {
    "family": "self_mm",
    "lstm_acoustic": 6,
    "lstm_visual": 7,
    "out_acoustic": 8,
    "out_visual": 5,
    **{f"feature_{x}": width for x, width in FEATURES.items()},
    **{f"dropout_{x}": 0.1 for x in FEATURES},
}

SUBSETS = [chosen for k in (1, 2, 3) for chosen in combinations(MODALITIES, k)]
every_subset = pytest.mark.parametrize("modalities", SUBSETS, ids="+".join)


def build(modalities=MODALITIES, sizes=SIZES, **config):
    torch.manual_seed(0)
    return self_mm.build(
        self_mm.Config(**{**SMALL, **config}),
        sizes={m: sizes[m] for m in modalities},
        layers={},
        outputs=1,
    )


def batch_of(tiny, modalities=MODALITIES, rows=range(20)):
    examples = tiny.examples(tiny.rows("train", "standard"), inputs=dict.fromkeys(modalities, 1))
    return examples.batch(torch.tensor(list(rows)))


# --- the model ----------------------------------------------------------------------------------


def test_layers_have_the_sizes_of_the_table_on_mosi():
    """papers/sugrm.md (c), Self-MM: sub-networks, and four heads of three linear maps."""
    table = {
        **{"lstm_acoustic": 32, "lstm_visual": 64, "out_acoustic": 16, "out_visual": 32},
        **{"feature_multimodal": 128, "feature_linguistic": 64},
        **{"feature_acoustic": 16, "feature_visual": 32},
    }
    model = build(sizes={"visual": 20, "acoustic": 5, "linguistic": 768}, **table)
    groups = {
        name: sum(p.numel() for _, p in named) for name, named in self_mm.groups(model).items()
    }

    def lstm(size, hidden, out):
        return 4 * hidden * (size + hidden + 2) + (hidden + 1) * out

    def head(size, width):
        return (size + 1) * width + (width + 1) * width + width + 1

    assert groups == {
        "acoustic": lstm(5, 32, 16),
        "visual": lstm(20, 64, 32),
        "other": head(768 + 16 + 32, 128) + head(768, 64) + head(16, 16) + head(32, 32),
    }


@every_subset
def test_groups_hold_every_parameter_once(modalities):
    model = build(modalities)
    groups = self_mm.groups(model)
    assert set(groups) == {"other", *(m for m in modalities if m != "linguistic")}
    held = [id(p) for named in groups.values() for _, p in named]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


@every_subset
def test_what_the_model_returns(tiny, modalities):
    batch = batch_of(tiny, modalities)
    output = build(modalities)(batch.features, batch.mask)
    assert isinstance(output, Output)
    assert output.prediction.shape == (20,)
    assert set(output.unimodal) == set(modalities)
    assert set(output.shared) == {"multimodal", *modalities}
    assert output.gates == {}
    for x, feature in output.shared.items():
        assert feature.shape == (20, FEATURES[x])
        assert (feature >= 0).all()
    for m in modalities:
        assert output.unimodal[m].shape == (20,)


def test_a_modality_that_is_unknown_or_none_is_refused():
    with pytest.raises(ValueError, match="input_sizes needs some of"):
        build(("smell",), {"smell": 3})
    with pytest.raises(ValueError, match="input_sizes needs some of"):
        build(())


@every_subset
def test_a_clip_does_not_depend_on_its_neighbours_or_padding(tiny, modalities):
    model, together = build(modalities).eval(), batch_of(tiny, modalities)
    longer = {m: torch.nn.functional.pad(mask, (0, 7)) for m, mask in together.mask.items()}
    output = model(together.features, longer)
    for clip in range(20):
        alone = batch_of(tiny, modalities, [clip])
        single = model(alone.features, alone.mask)
        torch.testing.assert_close(single.prediction, output.prediction[[clip]], atol=1e-6, rtol=0)
        for x in output.shared:
            torch.testing.assert_close(
                single.shared[x], output.shared[x][[clip]], atol=1e-6, rtol=0
            )


def test_of_the_text_only_the_first_position_is_read(tiny):
    length = batch_of(tiny, ("linguistic",)).mask["linguistic"].sum(1)
    batch = batch_of(tiny, ("linguistic",), [int(length.argmax())])
    model = build(("linguistic",)).eval()
    first = {"linguistic": batch.features["linguistic"][:1]}
    assert len(batch.features["linguistic"]) > 1
    torch.testing.assert_close(
        model(first, {"linguistic": torch.tensor([[True]])}).prediction,
        model(batch.features, batch.mask).prediction,
    )


@every_subset
def test_one_step_moves_every_parameter(tiny, modalities):
    model = build(modalities, **{f"dropout_{x}": 0 for x in FEATURES})
    batch = batch_of(tiny, modalities, range(19))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    made = {m: batch.label + 1 for m in modalities}
    output = model(batch.features, batch.mask)
    goal(made).loss(output, batch, torch.arange(19)).backward()
    optimizer.step()
    assert [name for name, p in model.named_parameters() if torch.equal(p, before[name])] == []


def test_sugrms_generator_reads_features_of_equal_width(tiny):
    """Table 4, SUGRM's labels in Self-MM: all four features 32 wide, papers/sugrm.md (d)."""
    batch, model = batch_of(tiny), build(**{f"feature_{x}": 32 for x in FEATURES})
    label = batch.label.clone()
    label[:2] = torch.tensor([3.0, -3.0])
    generator = SugrmULGM(
        label, MODALITIES, width=32, extremes="unique", zero="positive", clamp=True
    )
    for epoch in (1, 2):
        output = model(batch.features, batch.mask)
        generator.update(epoch, torch.arange(20), output.shared)
    assert not torch.equal(generator.labels.generated["visual"], label)
    assert generator.labels.generated["visual"].isfinite().all()
