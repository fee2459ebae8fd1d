"""ULGM: labels that move, and the rules of SUGRM and Self-MM against the specification."""

import pytest
import torch

from msalib.base.errors import UserError
from msalib.models.ulgm import Labels, SelfMMULGM, SugrmULGM, classes, require_classes

# --- labels: the momentum, its closed form, the clamp and what is kept of every epoch -----------

ANNOTATED = torch.tensor([3.0, -3, 0, 1, -2])
ALL = torch.arange(5)


def test_epoch_one_moves_nothing():
    labels = Labels(ANNOTATED, ("visual",), clamp=True)
    labels.move(1, ALL, {"visual": torch.full((5,), 2.0)})
    labels.end_epoch()
    assert torch.equal(labels.generated["visual"], ANNOTATED)
    assert torch.equal(labels.history[0].targets["visual"], ANNOTATED)


@pytest.mark.parametrize("clamp", [True, False])
def test_labels_have_their_closed_form(clamp):
    """papers/sugrm.md (d): 2 / (e (e + 1)) (y_m + sum of k times the target of epoch k)."""
    labels, total = Labels(ANNOTATED.double(), ("visual",), clamp=clamp), ANNOTATED.double()
    generator = torch.Generator().manual_seed(0)
    for epoch in range(2, 12):
        target = 9 * torch.rand(5, generator=generator, dtype=torch.double) - 4
        for rows in torch.randperm(5, generator=generator).split(2):
            labels.move(epoch, rows, {"visual": target[rows]})
        total = total + epoch * (target.clamp(-3, 3) if clamp else target)
        torch.testing.assert_close(labels.generated["visual"], 2 / (epoch * (epoch + 1)) * total)
    assert torch.equal(labels.annotated, ANNOTATED.double())


def test_only_the_clips_and_modalities_of_a_batch_move():
    labels = Labels(ANNOTATED, ("visual", "acoustic"), clamp=True)
    labels.move(2, torch.tensor([3]), {"visual": torch.tensor([2.0])})
    assert labels.generated["visual"].tolist() == pytest.approx([3, -3, 0, 1 / 3 + 4 / 3, -2])
    assert torch.equal(labels.generated["acoustic"], ANNOTATED)
    assert labels.at(torch.tensor([3, 0]))["acoustic"].tolist() == [1, 3]


@pytest.mark.parametrize("clamp", [True, False])
def test_an_epoch_is_summarised(clamp):
    labels = Labels(ANNOTATED, ("visual",), clamp=clamp)
    labels.move(2, ALL, {"visual": torch.tensor([5.0, -4, 3, 1, 0])})
    labels.end_epoch()
    labels.move(3, ALL, {"visual": torch.zeros(5)})
    labels.end_epoch()
    first, second = labels.history
    limited = [3.0, -3, 3, 1, 0] if clamp else [5.0, -4, 3, 1, 0]
    assert first.targets["visual"].tolist() == limited
    assert first.labels["visual"].tolist() == pytest.approx(
        [(y + 2 * t) / 3 for y, t in zip(ANNOTATED.tolist(), limited, strict=True)]
    )
    assert first.at_limit["visual"] == pytest.approx(3 / 5)
    assert first.magnitude["visual"] == pytest.approx(4.96)  # between 4 and 5
    torch.testing.assert_close(second.labels["visual"], first.labels["visual"] / 2)
    assert (second.at_limit["visual"], second.magnitude["visual"]) == (0, 0)


def test_where_zero_belongs():
    assert classes(ANNOTATED, "positive").tolist() == [[1, 0, 1, 1, 0], [0, 1, 0, 0, 1]]
    assert classes(ANNOTATED, "neither").tolist() == [[1, 0, 0, 1, 0], [0, 1, 0, 0, 1]]


@pytest.mark.parametrize("zero", ["positive", "neither"])
@pytest.mark.parametrize("label", [[1.0, 1.0], [-2.0, -1.0], [0.5, 3.0], []])
def test_labels_on_one_side_only_are_refused(zero, label):
    with pytest.raises(UserError, match="clips on both sides of 0") as problem:
        require_classes(torch.tensor(label), zero)
    assert f"{len(label)} clips" in str(problem.value)


def test_zeros_are_a_side_only_where_they_count_as_positive():
    label = torch.tensor([0.0, -1.0])
    require_classes(label, "positive")
    with pytest.raises(UserError, match="labelled from -1 to 0"):
        require_classes(label, "neither")


# --- the two generators -------------------------------------------------------------------------

LABEL = torch.tensor([3.0, -3, 0, 3, -0.2, -2.2, 1, 0.4, -1.4, 1.8, 2.6, -3, -0.8])
N = len(LABEL)
ROWS = torch.arange(N)
TASKS = ("visual", "acoustic")
FUSED = ("multimodal", *TASKS)
WIDTHS = {"multimodal": 4, "visual": 3, "acoustic": 2}
EQUAL = dict.fromkeys(FUSED, 4)
EPOCHS = 4


def batches(epochs=EPOCHS):
    """Epoch from 1 and clip numbers, batch by batch."""
    generator = torch.Generator().manual_seed(0)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(N, generator=generator).split(5):
            yield epoch, rows


def features_of(seed, *, widths=EQUAL, scale=1.0):
    """F* of every epoch and clip, (epochs, N, width), that follow the labels."""
    generator = torch.Generator().manual_seed(seed)
    return {
        x: scale * torch.randn(EPOCHS, N, width, generator=generator) + 0.5 * LABEL[:, None]
        for x, width in widths.items()
    }


def replay(generator, features, epochs=EPOCHS):
    """Show a generator the features of every batch; yield after each."""
    for epoch, rows in batches(epochs):
        generator.update(
            epoch, rows, {x: feature[epoch - 1, rows] for x, feature in features.items()}
        )
        yield


def run(generator, features, epochs=EPOCHS):
    for _ in replay(generator, features, epochs):
        pass


# --- SUGRM ----------------------------------------------------------------------------------------


def sugrms(label=LABEL, *, tasks=TASKS, width=4, **options):
    options = {"extremes": "unique", "zero": "positive", "clamp": True, **options}
    return SugrmULGM(label, tasks, width=width, **options)


def sugrm_literal(features, *, extremes, zero, clamp, batch_of):
    """Labels after the last epoch as papers/sugrm.md (d) says it, clip by clip."""
    y = LABEL.double().tolist()
    memory = torch.zeros(N, 4, dtype=torch.double)
    made = {m: list(y) for m in TASKS}
    repeats = [int(batch_of.max() - b) + 1 if extremes == "repeated" else 1 for b in batch_of]
    above = [i for i in range(N) for _ in range(repeats[i]) if y[i] == 3]
    below = [i for i in range(N) for _ in range(repeats[i]) if y[i] == -3]
    up = [i for i in range(N) if y[i] > 0 or (y[i] == 0 and zero == "positive")]
    down = [i for i in range(N) if y[i] < 0]
    for epoch, rows in batches():
        plus, minus = memory[up].mean(0), memory[down].mean(0)
        longest = float((memory[above].mean(0) - memory[below].mean(0)).norm())
        f = {x: feature[epoch - 1].double() for x, feature in features.items()}
        for i in rows.tolist() if epoch > 1 else []:
            ratio = {x: (f[x][i] - plus).norm() / (f[x][i] - minus).norm() for x in f}
            for m in TASKS:
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
    options["batch_of"] = ROWS.flip(0) // 5
    features, generator = features_of(1), sugrms(**options)
    run(generator, features)
    expected = sugrm_literal(features, **options)
    for m in TASKS:
        assert generator.labels.generated[m].tolist() == pytest.approx(expected[m], abs=1e-5)


def test_repetition_zero_and_clamp_each_make_a_difference():
    """What the test above compares would otherwise pass with options that do nothing."""
    base = {"extremes": "unique", "zero": "positive", "clamp": True}
    batch_of = ROWS // 5
    labels = [
        sugrm_literal(features_of(1), batch_of=batch_of, **{**base, **change})["visual"]
        for change in ({}, {"extremes": "repeated"}, {"zero": "neither"}, {"clamp": False})
    ]
    assert all(labels[0] != other for other in labels[1:])


def test_state_is_in_the_open():
    generator, features = sugrms(), features_of(2)["multimodal"][0]
    rows = ROWS
    generator.update(1, rows, dict.fromkeys(FUSED, features))
    assert torch.equal(generator.features, features)
    torch.testing.assert_close(generator.positive, features[LABEL >= 0].mean(0))
    torch.testing.assert_close(generator.negative, features[LABEL < 0].mean(0))
    apart = features[LABEL == 3].mean(0) - features[LABEL == -3].mean(0)
    torch.testing.assert_close(generator.max_distance, apart.norm())
    assert torch.equal(generator.labels.generated["visual"], LABEL)
    assert generator.note is None


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_targets_are_bounded(scale):
    """papers/sugrm.md SUGRM-C19: the un-clamped target is at most |y_m| + 6."""
    generator, features = sugrms(clamp=False), features_of(3, scale=scale)
    for _ in replay(generator, features):
        for raw in generator.labels.raw.values():
            assert (raw.abs() <= LABEL.abs() + 6 + 1e-5).all()


@pytest.mark.parametrize("clamp", [True, False])
def test_the_clamp_is_on_the_target(clamp):
    """A clip on the positive centre, and far from its fused feature: the target is y_m + 6."""
    generator, rows = sugrms(clamp=clamp), ROWS
    fused = 0.1 * LABEL[:, None].expand(N, 4)
    generator.update(1, rows, dict.fromkeys(FUSED, fused))
    far, clip = fused - 9, LABEL == -0.2
    visual = torch.where(clip[:, None], generator.positive, far)
    generator.update(2, rows, {"multimodal": far, "visual": visual, "acoustic": far})
    assert float(generator.labels.raw["visual"][clip]) == pytest.approx(5.8)
    target = 3 if clamp else 5.8
    assert float(generator.labels.generated["visual"][clip]) == pytest.approx(
        (-0.2 + 2 * target) / 3
    )
    # The same feature as the fused one: no distance, no direction.
    assert torch.equal(generator.labels.raw["acoustic"], LABEL)


@pytest.mark.parametrize("clamp", [True, False])
def test_coincident_features_make_no_nan(clamp):
    """All features the same: D_max = 0, both centres on the features, the target is y_m."""
    generator, rows = sugrms(clamp=clamp), ROWS
    same = dict.fromkeys(FUSED, torch.ones(N, 4))
    other = {**same, "visual": torch.zeros(N, 4)}
    for epoch, shared in ((1, same), (2, same), (3, other)):
        generator.update(epoch, rows, shared)
        torch.testing.assert_close(generator.labels.generated["visual"], LABEL)


def test_a_feature_on_the_negative_centre_is_the_more_negative():
    generator, rows = sugrms(), ROWS
    fused = LABEL[:, None].expand(N, 4)
    generator.update(1, rows, dict.fromkeys(FUSED, fused))
    on = {"visual": generator.negative.expand(N, 4), "acoustic": generator.positive.expand(N, 4)}
    generator.update(2, rows, {"multimodal": torch.zeros(N, 4), **on})
    assert (generator.labels.raw["visual"] < LABEL).all()
    assert (generator.labels.raw["acoustic"] > LABEL).all()


def test_other_clips_stand_in_for_extremes_that_no_clip_has_and_it_is_said():
    label = torch.linspace(-2, 3, 401)
    with pytest.warns(UserWarning, match="no clip is labelled -3: the 3 next to it") as said:
        generator = sugrms(label)
    assert len(said) == 1
    assert "-3" in generator.note
    features = torch.rand(401, 4)
    generator.update(1, torch.arange(401), dict.fromkeys(FUSED, features))
    apart = features[400] - features[:3].mean(0)
    torch.testing.assert_close(generator.max_distance, apart.norm())


def test_both_extremes_can_be_missing():
    with pytest.warns(UserWarning, match="no clip is labelled"):
        generator = sugrms(torch.tensor([1.0, -1.0, 0.5]))
    assert "labelled 3" in generator.note and "labelled -3" in generator.note


@pytest.mark.parametrize("label", [[1.0] * 4, [-1.0] * 4, [1.0, 3.0, 2.0, 0.0]])
def test_labels_on_one_side_only_are_refused_by_sugrm(label):
    with pytest.raises(UserError, match="clips on both sides of 0"):
        sugrms(torch.tensor(label))


def test_repetition_needs_the_batches_of_the_first_pass():
    with pytest.raises(ValueError, match="batch_of"):
        sugrms(extremes="repeated")


def test_labels_of_other_tasks_do_not_exist():
    generator, features = sugrms(tasks=("visual",)), features_of(4)
    run(generator, features, 3)
    assert list(generator.labels.generated) == ["visual"]


# --- Self-MM --------------------------------------------------------------------------------------


def self_mms(label=LABEL, *, widths=WIDTHS, zero="positive"):
    return SelfMMULGM(label, TASKS, widths=widths, zero=zero)


def self_mm_literal(features, *, zero):
    """Labels after the last epoch as papers/sugrm.md (d) says it, clip by clip."""
    y = LABEL.double().tolist()
    memory = {
        x: torch.zeros(N, feature.shape[-1], dtype=torch.double) for x, feature in features.items()
    }
    made = {"multimodal": y, **{m: list(y) for m in TASKS}}
    for epoch, rows in batches():
        centres = {}
        for x in features:
            up = [i for i in range(N) if made[x][i] > 0 or (made[x][i] == 0 and zero == "positive")]
            down = [i for i in range(N) if made[x][i] < 0]
            centres[x] = memory[x][up].mean(0), memory[x][down].mean(0)
        f = {x: feature[epoch - 1].double() for x, feature in features.items()}
        for i in rows.tolist() if epoch > 1 else []:
            alpha = {}
            for x, (plus, minus) in centres.items():
                near, far = float((f[x][i] - plus).norm()), float((f[x][i] - minus).norm())
                alpha[x] = (far - near) / (near + 1e-8)
            for m in TASKS:
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
def test_the_update_is_the_one_of_the_specification_by_self_mm(zero, widths):
    features, generator = features_of(1, widths=widths), self_mms(zero=zero, widths=widths)
    run(generator, features)
    expected = self_mm_literal(features, zero=zero)
    for m in TASKS:
        assert generator.labels.generated[m].tolist() == pytest.approx(expected[m], abs=1e-4)


def test_where_zero_belongs_makes_a_difference():
    features = features_of(1, widths=WIDTHS)
    assert self_mm_literal(features, zero="positive") != self_mm_literal(features, zero="neither")


def test_state_is_in_the_open_by_self_mm():
    generator, rows = self_mms(), ROWS
    features = {x: feature[0] for x, feature in features_of(2, widths=WIDTHS).items()}
    generator.update(1, rows, features)
    for x, feature in features.items():
        assert torch.equal(generator.features[x], feature)
        torch.testing.assert_close(generator.positive[x], feature[LABEL >= 0].mean(0))
        torch.testing.assert_close(generator.negative[x], feature[LABEL < 0].mean(0))
    assert torch.equal(generator.labels.generated["visual"], LABEL)
    assert generator.note is None


def test_coincident_features_make_no_nan_by_self_mm():
    """alpha is 0 for all: the target is half of y_m, and nothing is divided by zero."""
    generator, rows = self_mms(), ROWS
    same = {x: torch.ones(N, width) for x, width in WIDTHS.items()}
    generator.update(1, rows, same)
    generator.update(2, rows, same)
    torch.testing.assert_close(generator.labels.raw["visual"], LABEL / 2)
    torch.testing.assert_close(generator.labels.generated["visual"], LABEL * 2 / 3)


def test_only_the_clamp_bounds_a_clip_between_the_centres():
    """The blow-up that SUGRM criticises: alpha_m is 0, alpha_s is not."""
    generator, rows = self_mms(), ROWS
    first = {x: LABEL[:, None].expand(N, width) for x, width in WIDTHS.items()}
    generator.update(1, rows, first)
    between = {x: (generator.positive[x] + generator.negative[x]) / 2 for x in WIDTHS}
    between["visual"] = 0.9 * generator.positive["visual"]
    generator.update(2, rows, {x: feature.expand(N, -1) for x, feature in between.items()})
    raw = generator.labels.raw["visual"][LABEL != 0].abs()
    assert (raw > 1e3).all() and raw.isfinite().all()
    assert (generator.labels.generated["visual"].abs() <= 3).all()


def test_a_class_without_clips_keeps_its_last_centre():
    generator, rows = self_mms(), ROWS
    features = {x: feature[0] for x, feature in features_of(3, widths=WIDTHS).items()}
    generator.update(1, rows, features)
    before = generator.negative["visual"].clone()
    generator.labels.generated["visual"].fill_(1.0)
    generator.update(1, rows, {x: 2 * feature for x, feature in features.items()})
    assert torch.equal(generator.negative["visual"], before)
    torch.testing.assert_close(generator.positive["visual"], 2 * features["visual"].mean(0))


def test_labels_on_one_side_only_are_refused_by_self_mm():
    with pytest.raises(UserError, match="clips on both sides of 0"):
        self_mms(torch.tensor([1.0, 0.0]))
