"""GLoMo: sizes as counted in its specification, padding, variants, groups, open choices."""

import re
from pathlib import Path
from typing import get_args

import pytest
import torch
from pydantic import ValidationError

from msalib.base.errors import UserError
from msalib.encoders.tuned import Reading
from msalib.models import glomo, guided, moe, pieces, recipes
from msalib.models.guided import Variant
from tests.encoders.lazy import transformers
from tests.models.glomo_common import (
    LAYERED,
    LENGTHS,
    SIZES,
    alone,
    built,
    clips,
    config,
    training,
)

VARIANTS = get_args(Variant)

every_variant = pytest.mark.parametrize("variant", VARIANTS)
some_modalities = pytest.mark.parametrize(
    "used",
    [tuple(SIZES), ("linguistic", "visual"), ("acoustic",), ("linguistic",)],
    ids=["three", "two", "sound", "text"],
)


def batch(used=tuple(SIZES), **changes):
    return clips({m: LENGTHS[m] for m in used}, **changes)


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# --- sizes --------------------------------------------------------------------------------------

PRINTED = {
    "mosi": {"acoustic": 74, "visual": 47},
    "mosei": {"acoustic": 74, "visual": 35},
}

BERT = 108_891_648

BLOCKS = {
    "coding.linguistic.first": (36_912, 147_648),
    "coding.linguistic.project": (110_592, 442_368),
    "coding.acoustic.project": (10_656, 42_624),
    "coding.visual.project": (6_768, 20_160),
    "coding.acoustic.encoder": (113_184, 1_334_976),
    "coding.visual.encoder": (113_184, 1_334_976),
    "experts.linguistic": (28_800, 446_976),
    "experts.acoustic": (28_800, 446_976),
    "experts.visual": (28_800, 446_976),
    "meet": (416_608, 1_875_328),
    "fuse.scorers.0": (7_107, 111_363),
    "fuse.scorers.1": (7_107, 111_363),
    "fuse.join.0": (4_656, 73_920),
    "fuse.join.1": (4_656, 73_920),
    "fuse.join.2": (4_656, 73_920),
    "fuse.both": (4_656, 73_920),
    "head": (97, 385),
}
"""Table "Shapes and parameters" of papers/glomo.md (c): MOSI, MOSEI."""


def printed(dataset: str, preset: str = "release", **changes) -> glomo.GLoMo:
    """Return the model at the paper's sizes, without memory for its weights."""
    recipe = recipes.load("glomo", preset, "full", dataset)["model"]
    with torch.device("meta"):
        return glomo.build(
            glomo.Config(**recipe | {"deviation": 0.0} | changes),
            sizes={"linguistic": 768} | PRINTED[dataset],
            layers=LAYERED,
            outputs=1,
        )


@pytest.mark.parametrize("dataset", PRINTED)
@pytest.mark.parametrize("preset", ["release", "article"])
def test_every_block_has_as_many_weights_as_the_specification_counts(dataset, preset):
    model, column = printed(dataset, preset), list(PRINTED).index(dataset)
    for block, weights in BLOCKS.items():
        assert count(model.get_submodule(block)) == weights[column], block
    assert sum(weights[column] for weights in BLOCKS.values()) == count(model)


@pytest.mark.parametrize(("dataset", "total"), [("mosi", 109_818_887), ("mosei", 115_949_447)])
def test_with_bert_it_has_as_many_weights_as_table_5_prints(dataset, total):
    with torch.device("meta"):
        bert = transformers.BertModel(transformers.BertConfig(), add_pooling_layer=False)
    assert count(bert) == BERT
    assert count(printed(dataset)) + BERT == total


def test_experts_and_gates_have_their_shares():
    model = printed("mosi").experts["acoustic"].mixture
    assert count(model.hidden) + count(model.output) == 27_936
    assert model.gate.numel() + model.noise.numel() == 864


def test_a_matched_mlp_has_as_many_weights_as_the_mixture_give_or_take_a_hidden_unit():
    for dataset, column in (("mosi", 0), ("mosei", 1)):
        mlp = printed(dataset, variant="mlp_matched").experts["visual"]
        flat, width = mlp.mixture[0].in_features, mlp.mixture[2].out_features
        assert abs(count(mlp) - BLOCKS["experts.visual"][column]) <= (flat + width + 1) / 2
    assert count(printed("mosi", variant="mlp_m").experts["visual"]) == 144 * 48 + 48


def test_linear_layers_are_drawn_as_below_bert_where_it_is_fine_tuned():
    torch.manual_seed(0)
    model = glomo.build(
        config(deviation=0.02, width=64), sizes={"acoustic": 74}, layers={}, outputs=1
    )
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    assert len(linear) > 10 and not any(layer.bias.any() for layer in linear)
    drawn = torch.cat([layer.weight.flatten() for layer in linear])
    assert float(drawn.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert not model.experts["acoustic"].mixture.gate.any()


# --- padding ------------------------------------------------------------------------------------


@every_variant
@some_modalities
def test_masked_the_clips_beside_it_change_nothing(variant, used):
    model, (features, masks) = built(variant=variant, used=used), batch(used)
    together = model(features, masks).prediction
    for clip in range(3):
        own = model(*alone(features, masks, clip)).prediction
        torch.testing.assert_close(together[clip : clip + 1], own, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layers", [LAYERED, {}], ids=["two layers", "one layer"])
@pytest.mark.parametrize("joining", ["time", "features", "sum"])
def test_masked_what_is_written_beyond_a_clip_changes_nothing(joining, layers):
    model, (features, masks) = built(joining=joining, layers=layers), batch(layers=layers)
    placed = {m: pieces.placed(features[m], masks[m], 12, False) for m in features}
    garbage = {
        m: (torch.where(mask[..., None], x, 50 * torch.randn_like(x)), mask)
        for m, (x, mask) in placed.items()
    }
    assert not torch.equal(placed["linguistic"][0], garbage["linguistic"][0])
    ours, theirs = model.read(placed).prediction, model.read(garbage).prediction
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_read_padding_has_a_say_and_masked_it_has_none():
    features, masks = batch()
    for preset, same in (("release", False), ("article", True)):
        short, long = (built(preset, longest=n)(features, masks).prediction for n in (12, 20))
        assert torch.allclose(short, long, atol=1e-6) == same


def test_read_a_clip_is_as_long_as_all_so_that_those_beside_it_change_nothing():
    model, (features, masks) = built("release"), batch()
    together = model(features, masks).prediction
    own = torch.cat([model(*alone(features, masks, clip)).prediction for clip in range(3)])
    torch.testing.assert_close(together, own, rtol=0, atol=1e-5)


@pytest.mark.parametrize("preset", ["release", "article"])
def test_clips_longer_than_the_longest_are_cut(preset):
    model, (features, masks) = built(preset, longest=4), batch()
    lengths = {m: mask.sum(1).tolist() for m, mask in masks.items()}
    cut = {
        m: torch.cat([own[..., :4, :] for own in x.split(lengths[m], dim=-2)], -2)
        for m, x in features.items()
    }
    ours = model(features, masks).prediction
    theirs = model(cut, {m: mask[:, :4] for m, mask in masks.items()}).prediction
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("preset", ["release", "article"])
def test_a_fine_tuned_encoder_is_told_how_to_read(preset):
    assert built(preset).reading == Reading(2, 12, preset == "release")


@pytest.mark.parametrize("preset", ["release", "article"])
def test_frames_of_zeros_have_no_position_in_the_release_alone(preset):
    states = built(preset).coding["acoustic"].encoder(torch.zeros(1, 4, 8), None, None)[0]
    assert torch.allclose(states, states[:1].expand(4, 8), atol=1e-6) == (preset == "release")


# --- variants -----------------------------------------------------------------------------------


@every_variant
@some_modalities
@pytest.mark.parametrize("outputs", [1, 4])
def test_every_variant_trains_with_any_modalities(variant, used, outputs):
    model = built("release", variant=variant, used=used, outputs=outputs).train()
    features, masks = batch(used)
    output = model(features, masks)
    assert output.prediction.shape == ((3,) if outputs == 1 else (3, outputs))
    replaced = variant in guided.REPLACED
    assert output.fused.shape == (3, 8 if replaced else 16)
    assert set(output.whole) == (set() if variant == "local" else set(used))
    assert set(output.pieces) == (set() if variant == "global" else set(used))
    without_gates = variant in ("mlp_m", "mlp_matched", "global")
    assert set(output.gates) == (set() if without_gates else set(used))
    (output.prediction.sum() + sum(g.penalty for g in output.gates.values())).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is None or torch.isfinite(weight.grad).all(), name
    touched = [p for p in model.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert len(touched) > 5


@every_variant
def test_the_transformer_is_there_where_the_fusion_is_guided_or_it_is_asked_for(variant):
    guided_one, always = built(variant=variant), built(variant=variant, fusion_encoder="always")
    assert (guided_one.meet is None) == (variant in guided.REPLACED)
    assert always.meet is not None


def test_the_order_of_the_vectors_changes_nothing_in_the_transformer():
    model, tokens = built(), torch.randn(4, 6, 8)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    met = model.meet(tokens[:, order])[:, order.argsort()]
    torch.testing.assert_close(met, model.meet(tokens))


def test_weights_of_the_modalities_sum_to_one():
    weights = built()(*batch()).weights
    torch.testing.assert_close(weights.sum(1), torch.ones(3))


def test_the_output_is_what_its_parts_make_of_each_other():
    """As in papers/glomo.md (c): codings, experts, transformer, fusion, head."""
    model, (features, masks) = built("release"), batch()
    output = model(features, masks)
    tokens = []
    for m in SIZES:
        whole, stretches = model.coding[m](*pieces.placed(features[m], masks[m], 12, True))
        local, _ = model.experts[m](stretches)
        torch.testing.assert_close(output.whole[m], whole)
        torch.testing.assert_close(output.pieces[m], local)
        tokens += [whole, local]
    fused, weights = model.fuse(model.meet(torch.stack(tokens, 1)))
    torch.testing.assert_close(output.fused, fused)
    torch.testing.assert_close(output.weights, weights)
    torch.testing.assert_close(output.prediction, model.head(fused)[:, 0])


@pytest.mark.parametrize("preset", ["release", "article"])
def test_the_same_seed_gives_the_same_numbers(preset):
    found = []
    for _ in range(2):
        model = built(preset).train()
        torch.manual_seed(5)
        found.append(model(*batch()).prediction)
    assert torch.equal(*found)
    assert torch.equal(*(built(preset)(*batch()).prediction for _ in range(2)))


# --- unusual input ------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["release", "article"])
@pytest.mark.parametrize(
    ("changes", "active"),
    [
        ({"experts_acoustic": 1}, 1),
        ({"experts_acoustic": 4, "active": 9}, 4),
        ({"active": 1}, 1),
    ],
)
def test_no_more_experts_are_active_than_there_are(preset, changes, active):
    gates = built(preset, **changes).train()(*batch()).gates["acoustic"]
    assert ((gates.gates > 0).sum(1) == active).all() and torch.isfinite(gates.penalty)


@pytest.mark.parametrize("preset", ["release", "article"])
def test_clips_of_a_frame_of_width_one_and_of_zeros_have_finite_gradients(preset):
    sizes = {"acoustic": 1, "visual": 1}
    model = built(preset, used=[*sizes], sizes=sizes, layers={}, locals=5).train()
    features, masks = clips({"acoustic": [1, 1, 2], "visual": [1, 3, 1]}, layers={}, sizes=sizes)
    output = model(features | {"visual": torch.zeros_like(features["visual"])}, masks)
    (output.prediction.sum() + sum(g.penalty for g in output.gates.values())).backward()
    assert torch.isfinite(output.prediction).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(UserError, match="3 heads, which do not divide it"):
        built(heads=3)


@pytest.mark.parametrize("stream", ["linguistic_context", "smell"])
def test_a_stream_that_is_no_modality_is_refused(stream):
    with pytest.raises(UserError, match=f"{stream}, which it does not read"):
        built(used=["acoustic", stream], sizes=SIZES | {stream: 3})


@pytest.mark.parametrize(
    "changes",
    [{"active": 0}, {"experts_visual": 0}, {"locals": -1}, {"longest": 0}, {"kernel": 2}],
)
def test_numbers_that_make_no_model_are_refused_by_their_names(changes):
    with pytest.raises(ValidationError, match=next(iter(changes))):
        config(**changes)


# --- training -----------------------------------------------------------------------------------


def test_biases_and_layer_norms_have_no_weight_decay_and_all_else_has_it():
    model, regime = built(), training().regime()
    optimizer = regime.make_optimizer(glomo.groups(model))
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert len(decay) == len(list(model.parameters()))
    norms = [m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert len(norms) == 2 * (2 * 2 + 1) + 2 * 2
    spared = {id(p) for norm in norms for p in norm.parameters()}
    for name, weight in model.named_parameters():
        free = name.endswith("bias") or id(weight) in spared
        assert decay[id(weight)] == (0 if free else 1e-4), name


@pytest.mark.parametrize(
    ("rates", "parts", "size"),
    [
        ("fine_tuned", {"fusion": 4e-5, "text": 4e-5, "speech": 4e-5}, 240),
        ("features", {"fusion": 1e-3}, 32),
    ],
)
def test_one_rate_for_all_that_is_trained_a_tenth_of_it_from_epoch_80_on(rates, parts, size):
    recipe = recipes.load("glomo", "release", "full", "mosi")["train"]
    regime = glomo.Training(**recipe | {"rates": rates}).regime()
    assert {name: part.learning_rate for name, part in regime.parts.items()} == parts
    assert regime.batch_size == size and regime.rebuild_optimizer and regime.epochs == 70
    for epoch, share in ((1, 1.0), (80, 1.0), (81, 0.1), (100, 0.1)):  # counted from 1
        moment = glomo.Moment(epoch, 0, 1)
        expected = {name: pytest.approx(share * rate) for name, rate in parts.items()}
        assert regime.rates(moment) == expected


# --- choices ------------------------------------------------------------------------------------

DIFFERENT = {"combination", "load_mean", "padding", "optimizer"}

DATASETS = ("mosi", "mosei", "mustard", "mmmo", "control", "raw", "other")


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("profile", recipes.PROFILES)
def test_presets_differ_in_what_the_header_says_and_nothing_else(dataset, profile):
    release, paper = (
        recipes.load("glomo", preset, profile, dataset) for preset in ("release", "article")
    )
    release, paper = (r["model"] | r["train"] for r in (release, paper))
    assert release.keys() == paper.keys()
    assert {name for name in release if release[name] != paper[name]} == DIFFERENT
    assert [release[name] for name in sorted(DIFFERENT)] == ["logsumexp", 0.1, "rebuilt", "read"]
    assert [paper[name] for name in sorted(DIFFERENT)] == ["linear", 0.0, "kept", "masked"]
    glomo.Config(**recipes.load("glomo", "article", profile, dataset)["model"])


def test_every_open_choice_is_in_the_recipe_or_in_a_header():
    recipe = recipes.table("glomo", "release", "full", "mosi")
    sources = [e["source"] for group in recipe.values() for e in group.values()]
    assert all(sources)
    told = " ".join([*sources, *(module.__doc__ for module in (glomo, guided, moe, pieces))])
    found = {int(number) for number in re.findall(r"\bO(\d+)\b", told)}
    assert found == set(range(1, 23))


def test_usual_choices_are_settings_of_the_recipe_as_released():
    release = recipes.load("glomo", "release", "full", "mosi")
    settings = release["model"] | release["train"]
    choices = recipes.read_yaml(
        Path(recipes.__file__).with_name("glomo.yaml"), dict, expected="a recipe"
    )["choices"]
    assert {name: settings[name] for name in choices} == choices
