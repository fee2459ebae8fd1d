"""Shallow fusion: what is pooled, what is standardised, and at which rates it is trained."""

import numpy as np
import pytest
import torch

from msalib.data.corpus import TUNED
from msalib.models import recipes, shallow_fusion
from msalib.models.shallow_fusion import Config, Training, pool
from msalib.training import loop
from msalib.training.streams import Sequential
from tests.factory import SIZES, tiny_classes

ALL = ("acoustic", "visual", "linguistic")
TRAIN = ("train", "standard")


def build(text="first", modalities=ALL, outputs=1):
    config = Config(family="shallow_fusion", text=text)
    torch.manual_seed(0)
    sizes = {m: SIZES[m] for m in modalities}
    return shallow_fusion.build(config, sizes=sizes, layers={}, outputs=outputs).eval()


def training(profile="full", **settings):
    recipe = recipes.load("shallow_fusion", "release", profile, "mosi")["train"]
    return Training(**recipe | settings)


def examples(tiny, modalities=ALL, part="train"):
    return tiny.examples(tiny.rows(part, "standard"), inputs=dict.fromkeys(modalities, 1))


def frames_of(features, row):
    start, stop = features.offsets[row : row + 2]
    return features.layers[1][start:stop].astype(np.float32)


@pytest.mark.parametrize(("modalities", "width"), [(ALL, 15), (("acoustic",), 4), (ALL[::2], 10)])
def test_one_linear_layer_and_nothing_else_has_weights(modalities, width):
    model = build(modalities=modalities, outputs=3)
    assert sum(p.numel() for p in model.parameters()) == 3 * (width + 1)


@pytest.mark.parametrize("text", ["first", "mean"])
def test_means_of_sound_and_pictures_stand_before_what_is_read_of_text(tiny, text):
    train = examples(tiny)
    batch = train.batch(torch.arange(6))
    model = build(text)
    pooled = model.pooled(batch.features, batch.mask)
    for clip in range(6):
        sound, face, words = (frames_of(tiny.features[m], tiny.rows(*TRAIN)[clip]) for m in ALL)
        of_text = words[0] if text == "first" else words.mean(0)
        expected = np.concatenate([sound.mean(0), face.mean(0), of_text])
        np.testing.assert_allclose(pooled[clip], expected, rtol=1e-5, atol=1e-6)
    prediction = model(batch.features, batch.mask).prediction
    torch.testing.assert_close(prediction, model.head(pooled).squeeze(1))


def test_what_lies_beyond_a_clip_is_not_pooled():
    x, mask = torch.arange(8.0)[:, None], torch.tensor([[True, True, False], [True] * 3])
    assert pool(x, mask, "first").flatten().tolist() == [0, 2]
    assert pool(x, mask, "mean").flatten().tolist() == [0.5, 3]


def test_frozen_features_are_standardised_by_the_training_clips_alone(tiny):
    train, model = examples(tiny), build()
    error = shallow_fusion.objective(training(), model, train, Sequential(0, "cpu")).error
    pooled = torch.cat([model.pooled(b.features, b.mask) for b in train.batches(7)])
    torch.testing.assert_close(model.mean, pooled.mean(0))
    torch.testing.assert_close(model.deviation, pooled.std(0, correction=0))
    assert float(error(torch.tensor([3.0]), torch.tensor([1.0]))) == 4


def test_a_feature_that_never_changes_is_left_as_large_as_it_is(tiny):
    model = build(modalities=("acoustic",))
    train = examples(tiny, ("acoustic",))
    pooled = model.pooled

    def constant(features, mask):
        values = pooled(features, mask)
        values[:, 2] = 7.1
        return values

    model.pooled = constant
    model.learn(train)
    assert model.deviation[2] == 1 and model.mean[2] == pytest.approx(7.1)


def test_behind_encoders_that_are_trained_nothing_is_standardised(tiny):
    train, model = examples(tiny), build()
    train.inputs["linguistic"] = TUNED
    shallow_fusion.objective(training(), model, train, Sequential(0, "cpu"))
    assert not model.mean.any() and (model.deviation == 1).all()


def test_rates_are_the_papers_where_encoders_are_trained():
    regime = training(rates="fine_tuned").regime()
    assert {p.learning_rate for p in regime.parts.values()} == {1e-5}
    assert regime.parts.keys() == {"model", "text", "speech"}
    assert (regime.epochs, regime.batch_size) == (25, 16)
    assert training().regime().parts.keys() == {"model"}


def test_classes_have_the_cross_entropy():
    classes = tiny_classes()
    train, model = examples(classes), build(outputs=3)
    objective = shallow_fusion.objective(training(), model, train, Sequential(0, "cpu"))
    scores, label = torch.randn(4, 3), torch.tensor([0, 1, 2, 2])
    expected = torch.nn.functional.cross_entropy(scores, label)
    torch.testing.assert_close(objective.error(scores, label), expected)


def test_the_same_seed_gives_the_same_weights_and_it_learns(tiny):
    def fitted(seed):
        def objective(model, train, stream):
            return shallow_fusion.objective(training(), model, train, stream)

        regime = training(learning_rate_features=0.03, batch_size=4).regime()
        parts = examples(tiny), examples(tiny, part="valid")
        return loop.fit(build, objective, *parts, regime, seed)

    first, again = fitted(0), fitted(0)
    assert all(torch.equal(a, b) for a, b in zip(*_weights(first, again), strict=True))
    losses = [epoch["train_loss"] for epoch in first.history]
    assert losses[-1] < 0.5 * losses[0]


def _weights(*fits):
    return [list(fit.model.state_dict().values()) for fit in fits]
