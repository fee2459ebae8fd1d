"""Guided fusion and what replaces it, against the equations written out."""

from typing import get_args

import pytest
import torch

from msalib.models.guided import REPLACED, GuidedFusion, Replacement, Scorer, Variant, mixed

GUIDED = [v for v in get_args(Variant) if v not in REPLACED]
WIDTH = 4


def tokens(modalities: int = 3, parts: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, modalities * parts, WIDTH, generator=generator)


def guided(variant: str = "full", modalities: int = 3, seed: int = 0) -> GuidedFusion:
    torch.manual_seed(seed)
    return GuidedFusion(variant, modalities, width=WIDTH, dropout=0.3).eval()


def replacement(variant: str, vectors: int = 6) -> Replacement:
    torch.manual_seed(0)
    return Replacement(variant, vectors, width=WIDTH, dropout=0.3).eval()


def by_hand(model: GuidedFusion, z: torch.Tensor, chosen=None) -> torch.Tensor:
    """Return [Z_1, Z_2] of tokens in the order global, local of each modality in turn."""
    count = z.shape[1] // 2
    own = [model.join[m](torch.cat([z[:, 2 * m], z[:, 2 * m + 1]], 1)) for m in range(count)]
    weights, sides = [], []
    for r in (0, 1):
        vectors = [z[:, 2 * m + r] for m in range(count)]
        score = model.scorers[r]
        e = score.output(score.hidden(torch.cat(vectors, 1)).clamp(min=0))
        weights.append(torch.softmax(e / WIDTH**0.5, 1))
        sides.append(sum(weights[r][:, m, None] * vectors[m] for m in range(count)))
    first = model.both(torch.cat(sides, 1))
    chosen = weights[0] if chosen is None else chosen(weights, own)
    return torch.cat([first, sum(chosen[:, m, None] * own[m] for m in range(count))], 1)


@pytest.mark.parametrize("modalities", [1, 2, 3])
def test_the_full_fusion_is_that_of_the_equations(modalities):
    model, z = guided(modalities=modalities), tokens(modalities)
    fused, weights = model(z)
    torch.testing.assert_close(fused, by_hand(model, z))
    torch.testing.assert_close(weights.sum(1), torch.ones(5))
    assert weights.shape == (5, modalities) and (weights > 0).all()


@pytest.mark.parametrize(
    ("variant", "chosen"),
    [
        ("mlp_m", lambda weights, own: weights[0]),
        ("mlp_matched", lambda weights, own: weights[0]),
        ("reat_g", lambda weights, own: weights[1]),
        ("uniform_mix", lambda weights, own: torch.full((5, 3), 1 / 3)),
    ],
)
def test_variants_of_the_mix_differ_in_its_weights_alone(variant, chosen):
    model, z = guided(variant), tokens()
    torch.testing.assert_close(model(z)[0], by_hand(model, z, chosen))


def test_attn_g_scores_the_modalities_anew():
    model, z = guided("attn_g"), tokens()
    fused, weights = model(z)
    expected = by_hand(model, z, lambda weights, own: model.mix(torch.stack(own, 1)))
    torch.testing.assert_close(fused, expected)
    torch.testing.assert_close(weights.sum(1), torch.ones(5))


def test_mlp_g_joins_the_modalities_by_a_linear_layer():
    model, z = guided("mlp_g"), tokens()
    fused, weights = model(z)
    own = [model.join[m](z[:, 2 * m : 2 * m + 2].flatten(1)) for m in range(3)]
    torch.testing.assert_close(fused[:, :WIDTH], by_hand(model, z)[:, :WIDTH])
    torch.testing.assert_close(fused[:, WIDTH:], model.mix(torch.cat(own, 1)))
    assert weights is None and model.mix.in_features == 3 * WIDTH


@pytest.mark.parametrize("variant", ["global", "local"])
def test_with_one_kind_of_vectors_all_that_reads_both_reads_one(variant):
    model, z = guided(variant), tokens(parts=1)
    fused, weights = model(z)
    own = torch.stack([model.join[m](z[:, m]) for m in range(3)], 1)
    expected = model.scorers[0](z)
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(fused[:, :WIDTH], model.both(mixed(expected, z)))
    torch.testing.assert_close(fused[:, WIDTH:], mixed(expected, own))


def test_reat_g_equals_the_full_model_where_both_scorers_share_inputs_and_weights():
    full, local = guided("full"), guided("reat_g")
    full.scorers[1].load_state_dict(full.scorers[0].state_dict())
    local.load_state_dict(full.state_dict())
    shared = tokens(parts=1).repeat_interleave(2, 1)  # each local vector is the global one
    for ours, theirs in zip(full(shared), local(shared), strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(full(tokens())[0], local(tokens())[0])


def test_uniform_mix_is_the_mean_of_the_modalities():
    model, z = guided("uniform_mix"), tokens()
    own = [model.join[m](z[:, 2 * m : 2 * m + 2].flatten(1)) for m in range(3)]
    torch.testing.assert_close(model(z)[0][:, WIDTH:], torch.stack(own).mean(0))


def test_a_scorer_drops_out_in_training_alone():
    torch.manual_seed(0)
    score, z = Scorer(3, WIDTH, 0.5), tokens(parts=1)
    assert not torch.equal(score(z), score(z))
    assert torch.equal(score.eval()(z), score(z))


# --- replacements -------------------------------------------------------------------------------


def test_sum_and_mul_are_the_sum_and_the_product_of_all_vectors():
    z = tokens()
    summed = z[:, 0] + z[:, 1] + z[:, 2] + z[:, 3] + z[:, 4] + z[:, 5]
    product = z[:, 0] * z[:, 1] * z[:, 2] * z[:, 3] * z[:, 4] * z[:, 5]
    torch.testing.assert_close(replacement("sum")(z)[0], summed)
    torch.testing.assert_close(replacement("mul")(z)[0], product)
    for variant in ("sum", "mul"):
        assert not list(replacement(variant).parameters())


def test_con_is_a_linear_layer_of_all_vectors():
    model, z = replacement("con"), tokens()
    expected = torch.cat(z.unbind(1), 1) @ model.join.weight.T + model.join.bias
    torch.testing.assert_close(model(z)[0], expected)
    assert model.join.weight.shape == (WIDTH, 6 * WIDTH)


def test_attn_f_sums_all_vectors_by_weights_of_all():
    model, z = replacement("attn_f"), tokens()
    score = model.scorer
    e = score.output(score.hidden(torch.cat(z.unbind(1), 1)).clamp(min=0))
    weights = torch.softmax(e / WIDTH**0.5, 1)
    assert weights.shape == (5, 6)
    expected = sum(weights[:, i, None] * z[:, i] for i in range(6))
    torch.testing.assert_close(model(z)[0], expected)


@pytest.mark.parametrize("variant", REPLACED)
def test_a_replacement_has_no_weights_of_modalities(variant):
    assert replacement(variant)(tokens())[1] is None


def test_every_variant_is_one_of_both_kinds():
    assert set(GUIDED) | set(REPLACED) == set(get_args(Variant)) and len(GUIDED) == 9
