"""SUGRM: sizes, what padding and neighbours must not change, the loss, and the label generator."""

from itertools import combinations

import pytest
import torch

from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.models import sugrm
from tests.factory import SIZES

SMALL = {
    "family": "sugrm",
    "width": 8,
    "heads": 2,
    "layers": 2,
    "bottleneck_ratio": 4,
    "embed_dropout": 0.1,
    "residual_dropout": 0.1,
    "relu_dropout": 0.1,
    "head_dropout": 0.1,
    "shift": "none",
    "head": "release",
    "recalibration": "mrm",
    "sequence": "lstm",
}
STILL = {"embed_dropout": 0, "residual_dropout": 0, "relu_dropout": 0, "head_dropout": 0}
MOSI = {"visual": 20, "acoustic": 5, "linguistic": 768}
MOSEI = {"visual": 35, "acoustic": 74, "linguistic": 768}

SUBSETS = [chosen for k in (1, 2, 3) for chosen in combinations(MODALITIES, k)]
every_subset = pytest.mark.parametrize("modalities", SUBSETS, ids="+".join)
every_sequence = pytest.mark.parametrize("sequence", ["spt", "lstm", "dense"])


def build(modalities=MODALITIES, *, sizes=SIZES, **config):
    torch.manual_seed(0)
    return sugrm.build(
        sugrm.Config(**{**SMALL, **config}), input_sizes={m: sizes[m] for m in modalities}
    )


def batch_of(tiny, modalities=MODALITIES, rows=range(20)):
    examples = tiny.examples(tiny.rows("train", "standard"), inputs=dict.fromkeys(modalities, 1))
    return examples.batch(torch.tensor(list(rows)))


def parameters(module):
    return sum(p.numel() for p in module.parameters())


# --- the model ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "heads", "recalibration", "total"),
    [(MOSI, 8, 315_019, 486_721), (MOSEI, 4, 385_222, 562_468)],
)
def test_parameter_counts_are_those_of_the_release(sizes, heads, recalibration, total):
    """papers/sugrm.md (c): recalibration, heads, and everything but the text encoder."""
    model = build(sizes=sizes, width=32, heads=heads, layers=4, sequence="spt")
    assert parameters(model.recalibration) == recalibration
    assert parameters(model.heads) == 10_628
    assert parameters(model) == total


@every_subset
@every_sequence
@pytest.mark.parametrize("head", ["release", "paper"])
def test_what_the_model_returns(tiny, modalities, sequence, head):
    batch = batch_of(tiny, modalities)
    output = build(modalities, sequence=sequence, head=head)(batch.features, batch.mask)
    assert output.prediction.shape == (20,)
    assert set(output.unimodal) == set(output.gates) == set(modalities)
    assert set(output.shared) == {"multimodal", *modalities}
    for m in modalities:
        assert output.unimodal[m].shape == (20,)
        assert output.gates[m].shape == (20, SIZES[m])
        assert ((output.gates[m] > 0) & (output.gates[m] < 2)).all()
    for feature in output.shared.values():
        assert feature.shape == (20, 8)
        assert (feature >= 0).all() == (head == "paper")


def test_without_recalibration_there_are_no_gates_and_the_features_are_read_as_they_are(tiny):
    batch, model = batch_of(tiny), build(recalibration="no_mrm").eval()
    output = model(batch.features, batch.mask)
    assert output.gates == {} and model.recalibration is None
    gated = build().eval()
    for excite in gated.recalibration.excite.values():
        torch.nn.init.zeros_(excite.weight)
        torch.nn.init.zeros_(excite.bias)  # gate 1
    gated.load_state_dict(model.state_dict(), strict=False)
    torch.testing.assert_close(gated(batch.features, batch.mask).prediction, output.prediction)


def test_gates_come_from_the_means_over_the_own_frames(tiny):
    batch, model = batch_of(tiny), build().eval()
    output, mrm = model(batch.features, batch.mask), model.recalibration
    for clip in range(20):
        alone = batch_of(tiny, rows=[clip])
        means = [alone.features[m].mean(0) for m in ("acoustic", "visual", "linguistic")]
        z = mrm.squeeze(torch.cat(means)).relu()
        for m in MODALITIES:
            torch.testing.assert_close(
                2 * mrm.excite[m](z).sigmoid(), output.gates[m][clip], atol=1e-6, rtol=1e-5
            )


def test_a_modality_that_is_unknown_or_none_is_refused():
    with pytest.raises(ValueError, match="input_sizes needs some of"):
        build(("smell",), sizes={"smell": 3})
    with pytest.raises(ValueError, match="input_sizes needs some of"):
        build(())


@every_subset
@every_sequence
def test_a_clip_does_not_depend_on_its_neighbours(tiny, modalities, sequence):
    model = build(modalities, sequence=sequence).eval()
    together = batch_of(tiny, modalities)
    output = model(together.features, together.mask)
    for clip in range(0, 20, 3):
        alone = batch_of(tiny, modalities, [clip])
        single = model(alone.features, alone.mask)
        torch.testing.assert_close(single.prediction, output.prediction[[clip]], atol=1e-5, rtol=0)
        for m in modalities:
            torch.testing.assert_close(
                single.shared[m], output.shared[m][[clip]], atol=1e-5, rtol=0
            )


@every_sequence
def test_padding_changes_nothing(tiny, sequence):
    model, batch = build(sequence=sequence).eval(), batch_of(tiny)
    longer = {m: torch.nn.functional.pad(mask, (0, 7)) for m, mask in batch.mask.items()}
    torch.testing.assert_close(
        model(batch.features, longer).prediction, model(batch.features, batch.mask).prediction
    )


def test_evaluation_is_deterministic_and_training_drops_out(tiny):
    model, batch = build().eval(), batch_of(tiny)
    one, again = (model(batch.features, batch.mask).prediction for _ in range(2))
    assert torch.equal(one, again)
    model.train()
    one, again = (model(batch.features, batch.mask).prediction for _ in range(2))
    assert not torch.equal(one, again)


@pytest.mark.parametrize("modalities", [("visual",), MODALITIES], ids="+".join)
@every_sequence
@pytest.mark.parametrize("head", ["release", "paper"])
def test_one_step_moves_every_parameter(tiny, modalities, sequence, head):
    model = build(modalities, sequence=sequence, head=head, **STILL)
    batch = batch_of(tiny, modalities, range(19))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    output = model(batch.features, batch.mask)
    made = {m: batch.label + 1 for m in modalities}
    sugrm.loss(output, batch.label, made, modalities, "l1").backward()
    optimizer.step()
    still = {name for name, p in model.named_parameters() if torch.equal(p, before[name])}
    # Self attention norms its context with the query's norm, as in the release.
    idle = {
        f"sequence.self_attention.{m}.norm_context.{kind}"
        for m in modalities
        for kind in ("weight", "bias")
    }
    assert still == (idle if sequence == "spt" else set())


@every_sequence
def test_groups_hold_every_parameter_once(sequence):
    model = build(sequence=sequence)
    groups = sugrm.groups(model)
    assert list(groups) == ["sequence", "other"]
    assert sum(p.numel() for p in groups["sequence"]) == parameters(model.sequence)
    held = [id(p) for own in groups.values() for p in own]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


# --- the loss -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # errors: prediction 1 and 3; visual .5 with weight tanh 1, 4 with weight 0
        ("l1", 4 / 2 + 0.7615942 * 0.5 / 2),
        ("l2", 10 / 2 + 0.7615942 * 0.25 / 2),
        ("huber", (0.5 + 2.5) / 2 + 0.7615942 * 0.125 / 2),
    ],
)
def test_the_loss_weighs_generated_labels_by_how_far_they_have_moved(kind, expected):
    prediction, own = torch.tensor([1.0, -1.0]), torch.tensor([1.5, -2.0])
    output = sugrm.Output(prediction, {"visual": own, "acoustic": own}, {}, {})
    given, made = torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0])
    loss = sugrm.loss(output, given, {"visual": made}, ("visual",), kind)
    assert float(loss) == pytest.approx(expected)


def train(tiny, *, epochs, seed=0):
    """Gradients of the unimodal heads per epoch, and the generator, of a short training."""
    torch.manual_seed(seed)
    model, generator = build(), generator_of(batch_of(tiny).label, modalities=MODALITIES, width=8)
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    seen = []
    for epoch in range(1, epochs + 1):
        largest = 0.0
        for rows in torch.randperm(20).split(8):
            batch = batch_of(tiny, rows=rows)
            output = model(batch.features, batch.mask)
            optimizer.zero_grad()
            made = generator.labels.at(rows)
            sugrm.loss(output, batch.label, made, MODALITIES, "l1").backward()
            own = [p.grad.abs().max() for m in MODALITIES for p in model.heads[m].parameters()]
            largest = max(largest, *map(float, own))
            generator.update(epoch, rows, output.shared)
            optimizer.step()
        seen.append(largest)
    return seen, generator


@pytest.mark.filterwarnings("ignore:no clip is labelled")
def test_unimodal_losses_are_exactly_zero_in_the_first_two_epochs(tiny):
    """papers/sugrm.md (d): labels first move after their own loss of epoch 2."""
    first, second, third = train(tiny, epochs=3)[0]
    assert first == second == 0
    assert third > 0


@pytest.mark.filterwarnings("ignore:no clip is labelled")
def test_the_same_seed_gives_the_same_labels(tiny):
    one, again, other = (train(tiny, epochs=3, seed=s)[1].labels.made["visual"] for s in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


# --- the generator ------------------------------------------------------------------------------

LABEL = torch.tensor([3.0, -3, 0, 3, -0.2, -2.2, 1, 0.4, -1.4, 1.8, 2.6, -3, -0.8])
N = len(LABEL)
MODALITY = ("visual", "acoustic")


def generator_of(label=LABEL, *, modalities=MODALITY, width=4, **options):
    options = {"extremes": "unique", "zero": "positive", "clamp": True, **options}
    return sugrm.ULGM(label, modalities, width=width, **options)


def features_of(seed, *, epochs=4, width=4, scale=1.0):
    """F* of every epoch and clip, (epochs, N, width), that follow the labels."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(3, epochs, N, width, generator=generator) * scale
    keys = ("multimodal", *MODALITY)
    return {key: own + 0.5 * LABEL[:, None] for key, own in zip(keys, noise, strict=True)}


def batches(epochs, seed=0):
    """Epoch from 1 and clip numbers, batch by batch."""
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(N, generator=generator).split(5):
            yield epoch, rows


def literal(features, *, extremes, zero, clamp, batch_of, epochs=4):
    """Labels after the last epoch as papers/sugrm.md (d) says it, clip by clip."""
    y = LABEL.double().tolist()
    memory = torch.zeros(N, 4, dtype=torch.double)
    made = {m: list(y) for m in MODALITY}
    repeats = [int(batch_of.max() - b) + 1 if extremes == "repeated" else 1 for b in batch_of]
    above = [i for i in range(N) for _ in range(repeats[i]) if y[i] == 3]
    below = [i for i in range(N) for _ in range(repeats[i]) if y[i] == -3]
    up = [i for i in range(N) if y[i] > 0 or (y[i] == 0 and zero == "positive")]
    down = [i for i in range(N) if y[i] < 0]
    for epoch, rows in batches(epochs):
        plus, minus = memory[up].mean(0), memory[down].mean(0)
        longest = float((memory[above].mean(0) - memory[below].mean(0)).norm())
        f = {x: own[epoch - 1].double() for x, own in features.items()}
        for i in rows.tolist() if epoch > 1 else []:
            ratio = {x: (f[x][i] - plus).norm() / (f[x][i] - minus).norm() for x in f}
            for m in MODALITY:
                apart = float((f["multimodal"][i] - f[m][i]).norm())
                step = 6 * min(apart, longest) / longest
                target = y[i]
                if ratio[m] < ratio["multimodal"]:
                    target += step
                if ratio[m] > ratio["multimodal"]:
                    target -= step
                if clamp:
                    target = max(-3, min(3, target))
                made[m][i] = (epoch - 1) / (epoch + 1) * made[m][i] + 2 / (epoch + 1) * target
        for i in rows.tolist():
            memory[i] = f["multimodal"][i]
    return made


@pytest.mark.parametrize("extremes", ["repeated", "unique"])
@pytest.mark.parametrize("zero", ["positive", "neither"])
@pytest.mark.parametrize("clamp", [True, False])
def test_the_update_is_the_one_of_the_specification(extremes, zero, clamp):
    options = {"extremes": extremes, "zero": zero, "clamp": clamp}
    options["batch_of"] = torch.arange(N).flip(0) // 5
    features, generator = features_of(1), generator_of(**options)
    for epoch, rows in batches(4):
        generator.update(epoch, rows, {x: own[epoch - 1, rows] for x, own in features.items()})
    expected = literal(features, **options)
    for m in MODALITY:
        assert generator.labels.made[m].tolist() == pytest.approx(expected[m], abs=1e-5)


def test_repetition_zero_and_clamp_each_make_a_difference():
    """What the test above compares would otherwise pass with options that do nothing."""
    base = {"extremes": "unique", "zero": "positive", "clamp": True}
    batch_of = torch.arange(N) // 5
    found = [
        literal(features_of(1), batch_of=batch_of, **{**base, **change})["visual"]
        for change in ({}, {"extremes": "repeated"}, {"zero": "neither"}, {"clamp": False})
    ]
    assert all(found[0] != other for other in found[1:])


def test_state_is_in_the_open():
    generator, features = generator_of(), features_of(2)["multimodal"][0]
    rows = torch.arange(N)
    generator.update(1, rows, dict.fromkeys(("multimodal", *MODALITY), features))
    assert torch.equal(generator.features, features)
    torch.testing.assert_close(generator.positive, features[LABEL >= 0].mean(0))
    torch.testing.assert_close(generator.negative, features[LABEL < 0].mean(0))
    apart = features[LABEL == 3].mean(0) - features[LABEL == -3].mean(0)
    torch.testing.assert_close(generator.max_distance, apart.norm())
    assert torch.equal(generator.labels.made["visual"], LABEL)
    assert generator.note is None


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_targets_are_bounded(scale):
    """papers/sugrm.md SUGRM-C19: the un-clamped target is at most |y_m| + 6."""
    generator, features = generator_of(clamp=False), features_of(3, scale=scale)
    for epoch, rows in batches(4):
        generator.update(epoch, rows, {x: own[epoch - 1, rows] for x, own in features.items()})
        for raw in generator.labels.raw.values():
            assert (raw.abs() <= LABEL.abs() + 6 + 1e-5).all()


@pytest.mark.parametrize("clamp", [True, False])
def test_the_clamp_is_on_the_target(clamp):
    """A clip on the positive centre, and far from its fused feature: the target is y_m + 6."""
    generator, rows = generator_of(clamp=clamp), torch.arange(N)
    fused = 0.1 * LABEL[:, None].expand(N, 4)
    generator.update(1, rows, dict.fromkeys(("multimodal", *MODALITY), fused))
    far, clip = fused - 9, LABEL == -0.2
    own = torch.where(clip[:, None], generator.positive, far)
    generator.update(2, rows, {"multimodal": far, "visual": own, "acoustic": far})
    assert float(generator.labels.raw["visual"][clip]) == pytest.approx(5.8)
    target = 3 if clamp else 5.8
    assert float(generator.labels.made["visual"][clip]) == pytest.approx((-0.2 + 2 * target) / 3)
    # The same feature as the fused one: no distance, no direction.
    assert torch.equal(generator.labels.raw["acoustic"], LABEL)


@pytest.mark.parametrize("clamp", [True, False])
def test_coincident_features_make_no_nan(clamp):
    """All features the same: D_max = 0, both centres on the features, the target is y_m."""
    generator, rows = generator_of(clamp=clamp), torch.arange(N)
    same = dict.fromkeys(("multimodal", *MODALITY), torch.ones(N, 4))
    other = {**same, "visual": torch.zeros(N, 4)}
    for epoch, shared in ((1, same), (2, same), (3, other)):
        generator.update(epoch, rows, shared)
        torch.testing.assert_close(generator.labels.made["visual"], LABEL)


def test_a_feature_on_the_negative_centre_is_the_more_negative():
    generator, rows = generator_of(), torch.arange(N)
    fused = LABEL[:, None].expand(N, 4)
    generator.update(1, rows, dict.fromkeys(("multimodal", *MODALITY), fused))
    on = {"visual": generator.negative.expand(N, 4), "acoustic": generator.positive.expand(N, 4)}
    generator.update(2, rows, {"multimodal": torch.zeros(N, 4), **on})
    assert (generator.labels.raw["visual"] < LABEL).all()
    assert (generator.labels.raw["acoustic"] > LABEL).all()


def test_other_clips_stand_in_for_extremes_that_no_clip_has_and_it_is_said():
    label = torch.linspace(-2, 3, 401)
    with pytest.warns(UserWarning, match="no clip is labelled -3: the 3 next to it") as said:
        generator = generator_of(label)
    assert len(said) == 1
    assert "-3" in generator.note
    features = torch.rand(401, 4)
    generator.update(1, torch.arange(401), dict.fromkeys(("multimodal", *MODALITY), features))
    apart = features[400] - features[:3].mean(0)
    torch.testing.assert_close(generator.max_distance, apart.norm())


def test_both_extremes_can_be_missing():
    with pytest.warns(UserWarning, match="no clip is labelled"):
        generator = generator_of(torch.tensor([1.0, -1.0, 0.5]))
    assert "labelled 3" in generator.note and "labelled -3" in generator.note


@pytest.mark.parametrize("label", [[1.0] * 4, [-1.0] * 4, [1.0, 3.0, 2.0, 0.0]])
def test_labels_on_one_side_only_are_refused(label):
    with pytest.raises(UserError, match="clips on both sides of 0"):
        generator_of(torch.tensor(label))


def test_repetition_needs_the_batches_of_the_first_pass():
    with pytest.raises(ValueError, match="batch_of"):
        generator_of(extremes="repeated")


def test_labels_of_other_tasks_do_not_exist():
    generator, features = generator_of(modalities=("visual",)), features_of(4)
    for epoch, rows in batches(3):
        generator.update(epoch, rows, {x: own[epoch - 1, rows] for x, own in features.items()})
    assert list(generator.labels.made) == ["visual"]
