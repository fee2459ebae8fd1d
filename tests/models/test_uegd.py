"""UEGD: what padding and unused modalities must not change, what a step must, and its rates."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from msalib.base import noise
from msalib.data.corpus import MODALITIES, membership
from msalib.models import recipes, uegd
from msalib.training.objective import Objective
from msalib.training.regime import Moment
from tests.factory import MODEL, SIZES, TRAIN

MOSI = {"hidden_size": 128, "embedding_size": 64, "attention_heads": 4, "dropout": 0.2}
MOSEI = {**MOSI, "hidden_size": 256, "embedding_size": 128}
F = MODEL["embedding_size"]

INPUTS = {
    "one modality": {"linguistic": 2},
    "two modalities": {"visual": 1, "acoustic": 0},
    "three modalities": {"visual": 1, "acoustic": 2, "linguistic": 3},
    "weighted": {"linguistic": "weighted"},
    "weighted and not": {"visual": "weighted", "acoustic": 1, "linguistic": "weighted"},
}
every_input = pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
both_fusions = pytest.mark.parametrize("fusion", ["gate", "concat"])


def build(inputs, *, sizes=SIZES, blocks=3, outputs=1, **config):
    torch.manual_seed(0)
    return uegd.build(
        uegd.Config(**{**MODEL, **config}),
        sizes={m: sizes[m] for m in inputs},
        layers={m: blocks for m, layer in inputs.items() if layer == "weighted"},
        outputs=outputs,
    )


def batch_of(tiny, inputs, rows=range(20)):
    return tiny.examples(tiny.rows("train", "standard"), inputs=inputs).batch(
        torch.tensor(list(rows))
    )


def parameters(model):
    return sum(p.numel() for p in model.parameters())


# --- shapes and sizes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "modalities", "release"),
    [
        (MOSEI, MODALITIES, 1_400_839),
        (MOSI, MODALITIES, 548_871),
        (MOSEI, ("linguistic",), 478_981),
        (MOSI, ("linguistic",), 186_245),
    ],
)
def test_parameter_counts_are_those_of_the_release_but_for_its_idle_weights(
    config, modalities, release
):
    """papers/uegd.md (c). The release has a weight per layer also where a modality has one layer:
    a softmax of one number, always 1. It is not built here, one parameter less per modality. With
    24 weighted layers the release has 23 more per modality (69 for three), and nothing is idle.
    """
    sizes = dict.fromkeys(MODALITIES, 1024)
    single = build(dict.fromkeys(modalities, 1), sizes=sizes, **config)
    assert parameters(single) == release - len(modalities)
    weighted = build(dict.fromkeys(modalities, "weighted"), sizes=sizes, blocks=24, **config)
    assert parameters(weighted) == release + 23 * len(modalities)


@every_input
@both_fusions
def test_what_the_model_returns(tiny, inputs, fusion):
    batch = batch_of(tiny, inputs)
    output = build(inputs, fusion=fusion).eval()(batch.features, batch.mask)
    assert output.prediction.shape == (20,)
    assert set(output.embeddings) == set(output.attention) == set(inputs)
    for m in inputs:
        assert output.embeddings[m].shape == (20, F)
        attention = output.attention[m]
        members = membership(batch.mask[m], frames := batch.features[m].shape[-2])
        assert attention.shape == (20, 2, frames)
        torch.testing.assert_close(attention.sum(-1), torch.ones(20, 2))
        assert (attention.transpose(0, 1)[:, ~members] == 0).all()
    if fusion == "gate":
        assert output.gates.shape == (20, 3)
        assert ((output.gates > 0) & (output.gates < 1)).all()
    else:
        assert output.gates is None
    weighted = [m for m, layer in inputs.items() if layer == "weighted"]
    assert list(output.layer_weights) == weighted
    for weights in output.layer_weights.values():
        torch.testing.assert_close(weights, torch.full((3,), 1 / 3))  # logits begin at zero


@both_fusions
def test_a_score_per_class(tiny, fusion):
    inputs = INPUTS["three modalities"]
    batch, model = batch_of(tiny, inputs), build(inputs, fusion=fusion, outputs=3)
    assert model.eval()(batch.features, batch.mask).prediction.shape == (20, 3)


def test_loss_is_the_mean_absolute_error(tiny):
    batch = batch_of(tiny, {"linguistic": 1}, range(3))
    batch = replace(batch, label=torch.tensor([1.0, -2.0, 0.0]))
    output = build({"linguistic": 1}).eval()(batch.features, batch.mask)
    output = output._replace(prediction=torch.tensor([0.0, 1.0, 0.5]))
    assert float(Objective("l1").loss(output, batch)) == pytest.approx((1 + 3 + 0.5) / 3)


def test_a_modality_that_is_unknown_or_none_is_refused():
    with pytest.raises(ValueError, match="sizes needs some of"):
        build({"smell": 1}, sizes={"smell": 3})
    with pytest.raises(ValueError, match="sizes needs some of"):
        build({})


# --- invariances --------------------------------------------------------------------------------


@every_input
@both_fusions
def test_a_clip_does_not_depend_on_its_neighbours(tiny, inputs, fusion):
    model = build(inputs, fusion=fusion).eval()
    together = batch_of(tiny, inputs)
    longest = {m: together.mask[m].shape[1] for m in inputs}
    output = model(together.features, together.mask)
    for clip in range(20):
        alone = batch_of(tiny, inputs, [clip])
        single = model(alone.features, alone.mask)
        torch.testing.assert_close(single.prediction, output.prediction[[clip]], atol=1e-6, rtol=0)
        for m in inputs:
            members = membership(together.mask[m], together.features[m].shape[-2])[clip]
            torch.testing.assert_close(
                single.embeddings[m], output.embeddings[m][[clip]], atol=1e-6, rtol=0
            )
            torch.testing.assert_close(
                single.attention[m], output.attention[m][[clip]][..., members], atol=1e-6, rtol=0
            )
    # Some clips must be much shorter than the longest for this to say anything.
    assert all(together.mask[m].sum(1).min() * 5 < longest[m] for m in inputs)


def test_the_frames_of_a_clip_may_lie_in_any_order(tiny):
    """The model has no notion of time: attention pools a set."""
    model, batch = build({"linguistic": 1}).eval(), batch_of(tiny, {"linguistic": 1}, [3])
    backwards = {"linguistic": batch.features["linguistic"].flip(0)}
    torch.testing.assert_close(
        model(backwards, batch.mask).prediction, model(batch.features, batch.mask).prediction
    )


def test_evaluation_is_deterministic_and_training_drops_out(tiny):
    model, batch = build(INPUTS["three modalities"]), batch_of(tiny, INPUTS["three modalities"])
    model.eval()
    one, again = (model(batch.features, batch.mask).prediction for _ in range(2))
    assert torch.equal(one, again)
    model.train()
    keys = noise.derive(noise.key(0), torch.arange(8)).view(2, 4, 2)  # 4 dropouts, two steps
    predictions = []
    for step_keys in (keys[0], keys[1], keys[0]):
        noise.set_keys(model, step_keys)
        predictions.append(model(batch.features, batch.mask).prediction)
    assert torch.equal(predictions[0], predictions[2])
    assert not torch.equal(predictions[0], predictions[1])


def test_frames_of_no_clip_do_not_matter(tiny):
    """Replicas are filled up to the frames of the longest batch, whatever lies there."""
    model, batch = build({"linguistic": 1}).eval(), batch_of(tiny, {"linguistic": 1})
    more = torch.cat([batch.features["linguistic"], torch.full((7, 6), 9.0)])
    filled, output = model({"linguistic": more}, batch.mask), model(batch.features, batch.mask)
    torch.testing.assert_close(filled.prediction, output.prediction)
    assert (filled.attention["linguistic"][..., -7:] == 0).all()


def test_a_stack_without_learned_weights_is_read_by_its_mean(tiny):
    batch = batch_of(tiny, {"linguistic": "uniform"})
    model = build({"linguistic": "uniform"}).eval()
    mean = {"linguistic": batch.features["linguistic"].mean(0)}
    torch.testing.assert_close(
        model(batch.features, batch.mask).prediction, model(mean, batch.mask).prediction
    )


@both_fusions
def test_fusing_the_embeddings_gives_the_prediction(tiny, fusion):
    inputs = INPUTS["two modalities"]
    model, batch = build(inputs, fusion=fusion).eval(), batch_of(tiny, inputs)
    output = model(batch.features, batch.mask)
    prediction, gates = model.fuse(output.embeddings)
    assert torch.equal(prediction, output.prediction)
    assert gates is output.gates if fusion == "concat" else torch.equal(gates, output.gates)


def test_equal_layers_weigh_as_one(tiny):
    """A weighted sum of three times the same layer is that layer."""
    batch = batch_of(tiny, {"linguistic": 1})
    single, weighted = build({"linguistic": 1}).eval(), build({"linguistic": "weighted"}).eval()
    weights = {**single.state_dict(), "encoders.linguistic.layer_logits": torch.randn(3)}
    weighted.load_state_dict(weights)
    stack = {"linguistic": batch.features["linguistic"].expand(3, -1, -1)}
    torch.testing.assert_close(
        weighted(stack, batch.mask).prediction, single(batch.features, batch.mask).prediction
    )


# --- one step -----------------------------------------------------------------------------------


def step(tiny, inputs, **config):
    """Names of parameters -> which of their elements one step of Adam moved.

    An odd number of clips: of an even one, half may lie above and half below, and then the bias of
    the output has no gradient.
    """
    model, batch = build(inputs, dropout=0.0, **config), batch_of(tiny, inputs, range(19))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    Objective("l1").loss(model(batch.features, batch.mask), batch).backward()
    optimizer.step()
    return {name: p.detach() != before[name] for name, p in model.named_parameters()}


@every_input
@both_fusions
def test_one_step_moves_every_parameter(tiny, inputs, fusion):
    still = [name for name, moved in step(tiny, inputs, fusion=fusion).items() if not moved.any()]
    assert still == []


def test_a_step_moves_every_layer_weight(tiny):
    assert step(tiny, INPUTS["weighted"])["encoders.linguistic.layer_logits"].all()


@pytest.mark.parametrize("used", [("linguistic",), ("visual",), ("visual", "acoustic"), MODALITIES])
def test_gates_of_unused_modalities_cannot_be_trained(tiny, used):
    """papers/uegd.md (g) 3: alpha_m multiplies z_m = 0, so W_m and b_m get a gradient of exactly
    zero, and so do the columns of every W that read the zeros of an unused modality. The paper's
    claim that these gates approach zero cannot come from training.
    """
    moved = step(tiny, dict.fromkeys(used, 1))
    rows = torch.tensor([m in used for m in MODALITIES])
    columns = rows.repeat_interleave(F)  # z_v, z_a, z_l
    assert torch.equal(moved["gate.bias"], rows)
    assert torch.equal(moved["gate.weight"], rows[:, None] & columns[None, :])


# --- the rate -----------------------------------------------------------------------------------


def training(**changes) -> uegd.Training:
    return uegd.Training(**{**TRAIN, **changes})


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [
        (1, 1.0e-5),
        (2, 1.9e-5),
        (10, 9.1e-5),
        (11, 1.0e-4),
        (30, 7.16e-5),
        (40, 4.38e-5),
        (50, 2.03e-5),
    ],
)
def test_the_rates_of_the_release(epoch, rate):
    """The values of papers/uegd.md (d), which rounds them to three digits."""
    release = uegd.Training(**recipes.load("uegd", "release", "full", "mosi")["train"])
    assert uegd.learning_rate(release, epoch) == pytest.approx(rate, abs=0.51e-7)
    moment = Moment(epoch, step=999, steps=9999)  # by epoch, whatever the step
    assert release.regime().rates(moment) == {"model": uegd.learning_rate(release, epoch)}


def test_the_cosine_begins_after_the_warm_up_and_never_reaches_its_minimum():
    recipe = training(epochs=10, warmup_epochs=4, learning_rate=1.0, warmup_learning_rate=0.2)
    rates = [uegd.learning_rate(recipe, epoch) for epoch in range(1, 11)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(np.diff(rates[4:]) < 0)
    assert rates[-1] > 0.3
    assert uegd.learning_rate(training(warmup_epochs=0), 1) == pytest.approx(TRAIN["learning_rate"])


def test_the_regime_of_the_recipe():
    """papers/uegd.md (d): all epochs run, the latest of equal ones counts, batches are the unit."""
    regime = training(patience=7, feature_masks=3).regime()
    assert (regime.epochs, regime.batch_size, regime.validation_batch) == (3, 4, 4)
    assert (regime.mean_loss, regime.validation) == ("batch_mean", "batch_mean")
    assert (regime.patience, regime.ties, regime.improvement) == (7, "later", 0.0)
    assert (regime.accumulation, regime.clip_norm, regime.precision) == (1, None, "float32")
    assert tuple(regime.stream(0, "cpu").masking) == (3, 0.02, 0, 0.2)
