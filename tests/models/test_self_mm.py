"""Self-MM: what the model returns, what must not change it, and its label generator."""

from itertools import combinations

import pytest
import torch

from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.models import self_mm, sugrm
from tests.factory import SIZES

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
        self_mm.Config(**{**SMALL, **config}), input_sizes={m: sizes[m] for m in modalities}
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
    groups = {name: sum(p.numel() for p in own) for name, own in self_mm.groups(model).items()}

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
    held = [id(p) for own in groups.values() for p in own]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


@every_subset
def test_what_the_model_returns(tiny, modalities):
    batch = batch_of(tiny, modalities)
    output = build(modalities)(batch.features, batch.mask)
    assert isinstance(output, sugrm.Output)
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
    sugrm.loss(output, batch.label, made, modalities, "l1").backward()
    optimizer.step()
    assert [name for name, p in model.named_parameters() if torch.equal(p, before[name])] == []


# --- the generator ------------------------------------------------------------------------------

LABEL = torch.tensor([3.0, -3, 0, 3, -0.2, -2.2, 1, 0.4, -1.4, 1.8, 2.6, -3, -0.8])
N = len(LABEL)
MODALITY = ("visual", "acoustic")
WIDTHS = {"multimodal": 4, "visual": 3, "acoustic": 2}


def generator_of(label=LABEL, *, widths=WIDTHS, zero="positive"):
    return self_mm.ULGM(label, MODALITY, widths=widths, zero=zero)


def features_of(seed, *, widths=WIDTHS, epochs=4):
    generator = torch.Generator().manual_seed(seed)
    return {
        x: torch.randn(epochs, N, width, generator=generator) + 0.5 * LABEL[:, None]
        for x, width in widths.items()
    }


def batches(epochs=4):
    """Epoch from 1 and clip numbers, batch by batch."""
    generator = torch.Generator().manual_seed(0)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(N, generator=generator).split(5):
            yield epoch, rows


def literal(features, *, zero, epochs=4):
    """Labels after the last epoch as papers/sugrm.md (d) says it, clip by clip."""
    y = LABEL.double().tolist()
    memory = {x: torch.zeros(N, own.shape[-1], dtype=torch.double) for x, own in features.items()}
    made = {"multimodal": y, **{m: list(y) for m in MODALITY}}
    for epoch, rows in batches(epochs):
        centres = {}
        for x in features:
            up = [i for i in range(N) if made[x][i] > 0 or (made[x][i] == 0 and zero == "positive")]
            down = [i for i in range(N) if made[x][i] < 0]
            centres[x] = memory[x][up].mean(0), memory[x][down].mean(0)
        f = {x: own[epoch - 1].double() for x, own in features.items()}
        for i in rows.tolist() if epoch > 1 else []:
            alpha = {}
            for x, (plus, minus) in centres.items():
                near, far = float((f[x][i] - plus).norm()), float((f[x][i] - minus).norm())
                alpha[x] = (far - near) / (near + 1e-8)
            for m in MODALITY:
                target = 0.5 * alpha[m] / (alpha["multimodal"] + 1e-8) * y[i]
                target += 0.5 * (y[i] + alpha[m] - alpha["multimodal"])
                target = max(-3, min(3, target))
                made[m][i] = (epoch - 1) / (epoch + 1) * made[m][i] + 2 / (epoch + 1) * target
        for i in rows.tolist():
            for x in features:
                memory[x][i] = f[x][i]
    return made


@pytest.mark.parametrize("zero", ["positive", "neither"])
@pytest.mark.parametrize("widths", [WIDTHS, dict.fromkeys(WIDTHS, 32)], ids=["own", "of SUGRM"])
def test_the_update_is_the_one_of_the_specification(zero, widths):
    features, generator = features_of(1, widths=widths), generator_of(zero=zero, widths=widths)
    for epoch, rows in batches():
        generator.update(epoch, rows, {x: own[epoch - 1, rows] for x, own in features.items()})
    expected = literal(features, zero=zero)
    for m in MODALITY:
        assert generator.labels.made[m].tolist() == pytest.approx(expected[m], abs=1e-4)


def test_where_zero_belongs_makes_a_difference():
    features = features_of(1)
    assert literal(features, zero="positive") != literal(features, zero="neither")


def test_state_is_in_the_open():
    generator, rows = generator_of(), torch.arange(N)
    features = {x: own[0] for x, own in features_of(2).items()}
    generator.update(1, rows, features)
    for x, feature in features.items():
        assert torch.equal(generator.features[x], feature)
        torch.testing.assert_close(generator.positive[x], feature[LABEL >= 0].mean(0))
        torch.testing.assert_close(generator.negative[x], feature[LABEL < 0].mean(0))
    assert torch.equal(generator.labels.made["visual"], LABEL)
    assert generator.note is None


def test_coincident_features_make_no_nan():
    """alpha is 0 for all: the target is half of y_m, and nothing is divided by zero."""
    generator, rows = generator_of(), torch.arange(N)
    same = {x: torch.ones(N, width) for x, width in WIDTHS.items()}
    generator.update(1, rows, same)
    generator.update(2, rows, same)
    torch.testing.assert_close(generator.labels.raw["visual"], LABEL / 2)
    torch.testing.assert_close(generator.labels.made["visual"], LABEL * 2 / 3)


def test_only_the_clamp_bounds_a_clip_between_the_centres():
    """The blow-up that SUGRM criticises: alpha_m is 0, alpha_s is not."""
    generator, rows = generator_of(), torch.arange(N)
    first = {x: LABEL[:, None].expand(N, width) for x, width in WIDTHS.items()}
    generator.update(1, rows, first)
    between = {x: (generator.positive[x] + generator.negative[x]) / 2 for x in WIDTHS}
    between["visual"] = 0.9 * generator.positive["visual"]
    generator.update(2, rows, {x: own.expand(N, -1) for x, own in between.items()})
    raw = generator.labels.raw["visual"][LABEL != 0].abs()
    assert (raw > 1e3).all() and raw.isfinite().all()
    assert (generator.labels.made["visual"].abs() <= 3).all()


def test_a_class_without_clips_keeps_its_last_centre():
    generator, rows = generator_of(), torch.arange(N)
    features = {x: own[0] for x, own in features_of(3).items()}
    generator.update(1, rows, features)
    before = generator.negative["visual"].clone()
    generator.labels.made["visual"].fill_(1.0)
    generator.update(1, rows, {x: 2 * own for x, own in features.items()})
    assert torch.equal(generator.negative["visual"], before)
    torch.testing.assert_close(generator.positive["visual"], 2 * features["visual"].mean(0))


def test_labels_on_one_side_only_are_refused():
    with pytest.raises(UserError, match="clips on both sides of 0"):
        generator_of(torch.tensor([1.0, 0.0]))


def test_sugrms_generator_reads_features_of_equal_width(tiny):
    """Table 4, SUGRM's labels in Self-MM: all four features 32 wide, papers/sugrm.md (d)."""
    batch, model = batch_of(tiny), build(**{f"feature_{x}": 32 for x in FEATURES})
    label = batch.label.clone()
    label[:2] = torch.tensor([3.0, -3.0])
    generator = sugrm.ULGM(
        label, MODALITIES, width=32, extremes="unique", zero="positive", clamp=True
    )
    for epoch in (1, 2):
        output = model(batch.features, batch.mask)
        generator.update(epoch, torch.arange(20), output.shared)
    assert not torch.equal(generator.labels.made["visual"], label)
    assert generator.labels.made["visual"].isfinite().all()
