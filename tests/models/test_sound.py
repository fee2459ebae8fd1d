"""What both models of hand-crafted sound owe: one stream, no effect of padding, training."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import torch

from msalib import models
from msalib.base.errors import UserError
from msalib.data.corpus import Corpus, Features
from msalib.models import recipes, sound
from msalib.training import loop
from msalib.training.regime import Part, adamw
from msalib.training.streams import Sequential
from tests.factory import SIZES, tiny_classes, tiny_corpus

FAMILIES = ("lld_transformer", "mel_cnn")
each = pytest.mark.parametrize("family", FAMILIES)
BANDS = 25


@cache
def planted(clips: int = 320) -> Corpus:
    """Clips of 5 to 40 frames, large and far from zero; most features follow the label."""
    rng = np.random.default_rng(0)
    label = rng.uniform(-3, 3, clips)
    lengths = rng.integers(5, 41, clips)
    clip = np.repeat(np.arange(clips), lengths)
    frames = rng.normal(-40, 20, (len(clip), BANDS))
    frames[:, 2:] += 8 * label[clip, None]
    frames[:, 9] = 7  # never changes
    offsets = np.concatenate([[0], lengths.cumsum()])
    acoustic = Features("dice", "throw", {1: frames.astype(np.float32)}, offsets)
    ids = pd.Index([f"clip{i}" for i in range(clips)], name="id")
    table = pd.DataFrame({"video": ids, "segment": 0, "text": "", "label": label}, index=ids)
    part = pd.Series(["train", "train", "valid", "test"] * (clips // 4), index=ids)
    return Corpus("planted", table, {"acoustic": acoustic}, {"standard": part})


def examples(part, corpus=None):
    corpus = corpus or planted()
    return corpus.examples(corpus.rows(part, "standard"), inputs={"acoustic": 1})


def build(family, size=BANDS, outputs=1, preset="release", profile="quick", **settings):
    torch.manual_seed(0)
    module = models.module(family)
    recipe = recipes.load(family, preset, profile, "control")["model"]
    config = module.Config(**recipe | settings)
    return module.build(config, sizes={"acoustic": size}, layers={}, outputs=outputs)


def fitted(family, seed=0, corpus=None, **settings):
    module = models.module(family)
    recipe = recipes.load(family, "release", "quick", "control")["train"]
    training = module.Training(**recipe | settings)
    train = examples("train", corpus)
    return loop.fit(
        partial(build, family, train.size("acoustic"), train.task.outputs),
        partial(module.objective, training),
        train,
        examples("valid", corpus),
        training.regime(),
        seed,
    )


def inputs_of(batch):
    return batch.features, batch.mask


def predict(model, batch):
    with torch.no_grad():
        return model.eval()(*inputs_of(batch)).prediction


# --- outputs ------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("size", [4, 25, 88, 130])
@pytest.mark.parametrize(("outputs", "shape"), [(1, (6,)), (3, (6, 3))])
def test_a_score_per_clip_or_one_per_class(family, size, outputs, shape):
    mask = torch.arange(50) < torch.tensor([50, 1, 7, 8, 9, 33])[:, None]
    frames = torch.randn(int(mask.sum()), size)
    output = build(family, size, outputs)({"acoustic": frames}, {"acoustic": mask})
    assert output.prediction.shape == shape
    assert output.prediction.isfinite().all()


@each
@pytest.mark.parametrize("preset", recipes.PRESETS)
def test_a_clip_is_judged_by_its_own_frames(family, preset):
    """Beside longer clips, which pad it, a clip scores the same as alone."""
    train = examples("train")
    model = build(family, preset=preset)
    model.scale.learn(train)
    for _ in range(3):  # so that batch norm has seen something
        model(*inputs_of(train.batch(torch.arange(16))))
    together = predict(model, train.batch(torch.arange(16)))
    alone = [predict(model, train.batch(torch.tensor([k]))) for k in range(16)]
    torch.testing.assert_close(together, torch.cat(alone))
    other_order = predict(model, train.batch(torch.arange(16).flip(0)))
    torch.testing.assert_close(together, other_order.flip(0))


@each
def test_padding_does_not_change_a_training_step(family):
    """Neither its loss nor its gradients nor the statistics that batch norm keeps."""
    results = []
    for padding in (0, 30):
        batch = examples("train").batch(torch.arange(16))
        mask = torch.nn.functional.pad(batch.mask["acoustic"], (0, padding))
        model = build(family, **{"dropout": 0.0} if family == "lld_transformer" else {})
        model.scale.learn(examples("train"))
        loss = model(batch.features, {"acoustic": mask}).prediction.square().mean()
        loss.backward()
        kept = [value for name, value in model.named_buffers() if "running" in name]
        results.append([loss, *kept, *(p.grad for p in model.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@each
def test_frames_beyond_the_limit_are_not_read(family):
    batch = examples("train").batch(torch.arange(8))
    model = build(family, frames=6)
    before = predict(model, batch)
    place = batch.mask["acoustic"].cumsum(1)[batch.mask["acoustic"]]  # from 1, (S,)
    changed = torch.where(place[:, None] > 6, 1000.0, batch.features["acoustic"])
    assert not changed.equal(batch.features["acoustic"])
    assert predict(model, replace(batch, features={"acoustic": changed})).equal(before)


@each
def test_every_parameter_learns(family):
    batch, model = examples("train").batch(torch.arange(16)), build(family)
    model.scale.learn(examples("train"))
    model(*inputs_of(batch)).prediction.square().sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


# --- training -----------------------------------------------------------------------------------


@each
def test_it_learns_what_is_planted(family):
    """Against the best constant there is, that of the test set itself."""
    test = examples("test")
    model = fitted(family, epochs=20).model
    error = (predict(model, test.batch(torch.arange(len(test)))) - test.label).abs()
    constant = (test.label - test.label.median()).abs()
    assert error.mean() < 0.7 * constant.mean()


@each
def test_a_seed_gives_the_same_numbers(family):
    one, again, other = (fitted(family, seed, epochs=2) for seed in (3, 3, 4))
    weights = zip(one.model.state_dict().values(), again.model.state_dict().values(), strict=True)
    assert one.history == again.history != other.history
    assert all(torch.equal(a, b) for a, b in weights)


@each
def test_classes_have_the_cross_entropy_and_scores_the_squared_error(family):
    training = models.module(family).Training(
        **recipes.load(family, "release", "full", "mosi")["train"]
    )
    for corpus, label, expected in (
        (tiny_corpus(), torch.tensor([1.0, 3.0]), 5.0),
        (tiny_classes(), torch.tensor([0, 2]), np.log(3)),
    ):
        train = examples("train", corpus)
        model = build(family, SIZES["acoustic"], train.task.outputs)
        goal = sound.objective(training, model, train, None)
        scores = torch.zeros(2, 3) if train.task.outputs == 3 else torch.zeros(2)
        loss = goal.loss(sound.Output(scores), replace(train.batch(torch.arange(2)), label=label))
        assert float(loss) == pytest.approx(expected)


@each
def test_it_trains_on_classes(family):
    fit = fitted(family, corpus=tiny_classes(), epochs=1)
    assert predict(fit.model, examples("test", tiny_classes()).batch(torch.arange(4))).shape == (
        4,
        3,
    )


@each
def test_the_recipe_in_both_presets_and_profiles(family):
    """papers/mmml.md (c) and (d); A.1."""
    module = models.module(family)
    for preset in recipes.PRESETS:
        for profile in recipes.PROFILES:
            recipe = recipes.load(family, preset, profile, "mosi")
            assert build(family, preset=preset, profile=profile)(
                *inputs_of(examples("train").batch(torch.arange(3)))
            ).prediction.shape == (3,)
            regime = module.Training(**recipe["train"]).regime()
            assert (regime.batch_size, regime.patience) == (16, 8)
            assert (regime.optimizer, regime.stream) == (adamw, Sequential)
            assert (regime.clip_norm, regime.precision) == (None, "float32")
            assert not regime.rebuild_optimizer
            if profile == "full":
                rate = {"release": 1e-4, "article": 1e-5}[preset]
                assert regime.parts == {"model": Part(rate, 0.01)}


def test_the_optimiser_has_the_settings_of_the_specification():
    """papers/mmml.md (d)."""
    training = sound.Training(
        epochs=1, patience=8, batch_size=16, learning_rate=1e-4, weight_decay=0.01, error="l2"
    )
    named = {"model": torch.nn.Linear(2, 1).named_parameters()}
    optimizer = training.regime().make_optimizer(named)
    assert isinstance(optimizer, torch.optim.AdamW)
    (group,) = optimizer.param_groups
    settings = [group[name] for name in ("lr", "betas", "eps", "weight_decay")]
    assert settings == [1e-4, (0.9, 0.999), 1e-8, 0.01]


# --- standardisation ----------------------------------------------------------------------------


def test_frames_are_standardised_by_the_training_set():
    train = examples("train")
    frames = torch.cat([batch.features["acoustic"] for batch in train.batches(7)])
    per_feature, single = sound.Scale(BANDS), sound.Scale(1)
    assert per_feature(frames).equal(frames)
    for scale in (per_feature, single):
        scale.learn(train)
    scaled = per_feature(frames)
    moving = [k for k in range(BANDS) if k != 9]
    torch.testing.assert_close(scaled.mean(0), torch.zeros(BANDS), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, correction=0)[moving], torch.ones(BANDS - 1))
    assert not scaled[:, 9].any()  # not divided by rounding errors
    scaled = single(frames)
    torch.testing.assert_close(scaled.mean(), torch.tensor(0.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(correction=0), torch.tensor(1.0))


@each
def test_what_a_model_learned_of_the_training_set_is_saved_with_it(family):
    model, other = build(family), build(family)
    model.scale.learn(examples("train"))
    other.load_state_dict(model.state_dict())
    assert other.scale.mean.equal(model.scale.mean) and other.scale.mean.any()


# --- what is refused ----------------------------------------------------------------------------


@each
@pytest.mark.parametrize(
    "streams", [["linguistic"], ["acoustic", "linguistic"], ["acoustic", "acoustic_context"], []]
)
def test_other_streams_than_sound_are_refused(family, streams):
    module = models.module(family)
    config = module.Config(**recipes.load(family, "release", "quick", "control")["model"])
    with pytest.raises(UserError) as error:
        module.build(config, sizes=dict.fromkeys(streams, 4), layers={}, outputs=1)
    assert error.value.expected == "acoustic"
    assert error.value.found == (" and ".join(sorted(streams)) or "no stream")


@each
@pytest.mark.parametrize("layer", ["weighted", "uniform", "tuned"])
def test_what_is_not_one_layer_of_frames_is_refused(family, layer):
    train = examples("train")
    train.inputs = {"acoustic": layer}
    with pytest.raises(UserError, match=f"input '{layer}' of this model"):
        sound.objective(None, build(family), train, None)
