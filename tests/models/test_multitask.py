"""Training with several tasks: sets of tasks, batches, labels that move, selection, records."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from msalib.base.errors import UserError
from msalib.models import recipes
from msalib.models.extras import GeneratedLabels, Geometry
from msalib.models.multitask import Training, spearman
from msalib.models.unimodal_tasks import task_sets, tasks
from msalib.papers.sugrm import plan
from msalib.papers.sugrm.plan import system
from msalib.runs import records
from msalib.runs.records import Setting
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from tests.sweep import offer, small_control

pytestmark = [
    pytest.mark.filterwarnings("ignore:no clip is labelled"),
    pytest.mark.usefixtures("small_data"),
]

PARAMETERS = {"dataset": "control", "seeds": 1}


def study(**changes) -> Study:
    return Study("sugrm", **PARAMETERS | changes)


def whole() -> plan.Whole:
    return plan.whole_of(study())


# --- names --------------------------------------------------------------------------------------


def test_all_sets_of_tasks_by_their_number():
    assert task_sets(["visual", "acoustic", "linguistic"]) == [
        "tasks_none",
        *("tasks_t", "tasks_a", "tasks_v", "tasks_ta", "tasks_tv", "tasks_av", "tasks_all"),
    ]
    assert task_sets(["visual", "acoustic"]) == ["tasks_none", "tasks_a", "tasks_v", "tasks_all"]
    assert task_sets(["linguistic"]) == ["tasks_none", "tasks_all"]


@pytest.mark.parametrize(
    ("name", "modalities", "expected"),
    [
        ("tasks_all", ["linguistic", "visual"], ["visual", "linguistic"]),
        ("tasks_none", ["linguistic"], []),
        ("tasks_ta", ["acoustic", "linguistic"], ["acoustic", "linguistic"]),
    ],
)
def test_a_set_of_tasks_is_read(name, modalities, expected):
    assert tasks(name, modalities) == expected


@pytest.mark.parametrize("name", ["tasks_v", "tasks_x", "all"])
def test_a_task_of_a_modality_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=name):
        tasks(name, ["acoustic", "linguistic"])


# --- a run --------------------------------------------------------------------------------------


def run(**choices) -> records.Record:
    (record,) = study(refresh=True).run([system(whole(), **choices)])
    return record


@cache
def usual() -> records.Record:
    """Trained once for all tests that only read it."""
    return run()


@pytest.fixture
def record() -> records.Record:
    return usual()


def test_a_record_says_what_its_pages_show(record):
    assert set(record.extras.unimodal) == {"visual", "acoustic", "linguistic"}
    clips = len(record.predictions["test"].label)
    assert all(len(predictions) == clips for predictions in record.extras.unimodal.values())
    assert isinstance(record.extras.labels, GeneratedLabels) and isinstance(
        record.extras.geometry, Geometry
    )
    epochs = len(record.history)
    assert all(len(series) == epochs for series in record.extras.labels.movement.values())
    assert record.extras.labels.movement["visual"][0] is None
    assert record.extras.labels.drift["visual"][:2] == [None, None]
    assert all(s is not None for s in record.extras.labels.drift["visual"][2:])
    assert record.extras.labels.made == {}  # kept for runs through all epochs only
    assert record.extras.labels.note is not None  # no clip of this corpus is labelled 3
    assert 1 <= record.selected_epoch <= epochs


def test_a_record_survives_writing_and_reading(record):
    assert records.read(records.write(record)) == record
    setting = Setting("control", "planted", "release", "quick")
    assert records.find("sugrm", setting) == [record]


def test_the_same_seed_gives_the_same_numbers(record):
    again = run()
    assert again.predictions == record.predictions
    assert (
        again.extras.labels == record.extras.labels
        and again.extras.geometry == record.extras.geometry
    )


def test_another_seed_gives_others(record):
    records.write(record)
    (_, other) = study(seeds=2).run([system(whole())])
    assert other.predictions["test"] != record.predictions["test"]


def test_without_unimodal_tasks_there_are_no_labels():
    record = run(tasks="tasks_none", sequence="lstm")
    assert record.extras.labels is None and record.extras.unimodal == {}
    record = run(tasks="tasks_a", sequence="lstm")
    assert set(record.extras.labels.movement) == set(record.extras.unimodal) == {"acoustic"}


def test_through_all_epochs_every_label_is_kept():
    record = run(stop="all_epochs", sequence="lstm")
    epochs = recipes.load("sugrm", "release", "quick", "control")["train"]["epochs_without_stop"]
    assert len(record.history) == epochs
    for m, generated in record.extras.labels.made.items():
        labels = np.array(generated)
        assert labels.shape == (epochs, len(record.extras.labels.given))
        np.testing.assert_allclose(labels[0], record.extras.labels.given, atol=0.005 + 1e-9)
        assert np.abs(labels).max() <= 3
        moved = np.abs(np.diff(labels, axis=0)).mean(1)
        np.testing.assert_allclose(moved, record.extras.labels.movement[m][1:], atol=0.01)


@pytest.mark.parametrize(
    "choices",
    [
        {"sequence": "lstm"},
        {"sequence": "dense"},
        {"recalibration": "no_mrm"},
        {"generator": "other_ulgm"},
        {"loss": "huber"},
        {"family": "self_mm"},
        {"family": "self_mm", "tasks": "tasks_none"},
    ],
    ids=lambda choices: "-".join(choices.values()),
)
def test_every_variant_is_trained(choices):
    record = run(**choices)
    assert record.spec.system == system(whole(), **choices)
    assert np.isfinite(record.predictions["test"].prediction).all()
    assert record.spec.path().name.startswith(f"{record.spec.system.name()}-seed0-")


@pytest.mark.parametrize("used", [["acoustic"], ["visual", "linguistic"]])
def test_any_modalities_will_do(used):
    (record,) = study().run([system({m: 2 for m in used})])
    assert set(record.extras.unimodal) == set(used)


def test_the_recipe_of_the_text_is_another(record):
    (text,) = study(preset="article").run([system(whole())])
    assert text.spec.model["head"] == "paper" and text.spec.train["targets"] == "free"
    assert text.predictions != record.predictions


def test_one_step_moves_every_parameter_that_is_read():
    trainer = Trainer(study().encoded, "cpu")
    spec = study().spec(system(whole()), 0)
    torch.manual_seed(0)
    before = dict(trainer.build(spec).named_parameters())
    torch.manual_seed(0)
    spec = spec.model_copy(update={"train": spec.train | {"epochs": 3, "patience": 8}})
    (fit,) = trainer.fit([spec])
    after = dict(fit.model.named_parameters())
    still = {n for n in before if after[n].equal(before[n])}
    assert all("self_attention" in n and "norm_context" in n for n in still), still


def test_constant_labels_are_refused_where_labels_are_made():
    corpus = small_control()
    flat = replace(corpus, utterances=corpus.utterances.assign(label=1.0))
    offer("control", lambda: flat)
    with pytest.raises(UserError, match="labelled from 1 to 1; expected clips on both sides of 0"):
        run(sequence="lstm")
    assert run(sequence="lstm", tasks="tasks_none").extras.labels is None


def test_losses_that_are_not_finite_end_the_run():
    corpus = small_control()
    frames = {k: np.full_like(x, np.inf) for k, x in corpus.features["visual"].layers.items()}
    broken = corpus.with_features("visual", replace(corpus.features["visual"], layers=frames))
    offer("control", lambda: broken)
    with pytest.raises(UserError, match=r"epoch 1, seed 0: .* expected finite losses"):
        run()


def test_a_part_too_small_for_one_step_is_refused():
    asked = study()
    trainer = Trainer(asked.encoded, "cpu")
    spec = asked.spec(system(whole(), sequence="lstm"), 0)
    spec = spec.model_copy(update={"train": spec.train | {"accumulation": 9}})
    with pytest.raises(UserError, match=r"training part: .* fewer than 9 batches; expected a step"):
        trainer.fit([spec])


def test_a_generator_that_needs_equal_widths_is_refused():
    with pytest.raises(ValueError, match=r"needs features F\* of equal width"):
        run(family="self_mm", generator="other_ulgm")


@pytest.mark.parametrize("preset", ["release", "article"])
def test_training_is_what_the_specification_says(preset):
    """papers/sugrm.md (d) and (e), clip by clip: labels, targets, steps, order of all of it."""
    asked = study(preset=preset)
    trainer = Trainer(asked.encoded, "cpu")
    spec = asked.spec(system(whole(), sequence="lstm"), 0)
    changed = {"epochs": 4, "accumulation": 2 if preset == "release" else 1, "batch_size": 8}
    spec = spec.model_copy(update={"train": spec.train | changed})
    (ours,) = trainer.fit([spec])
    train, config = trainer.examples(spec, "train"), Training(**spec.train)
    labels, losses = literally(trainer.build, spec, train, config)
    for epoch, (by_modality, loss) in enumerate(zip(labels, losses, strict=True)):
        recorded = ours.objective.generator.labels.history[epoch].labels
        for m, literal in by_modality.items():
            np.testing.assert_allclose(recorded[m].numpy(), literal, atol=2e-3)
        assert ours.history[epoch]["train_loss"] == pytest.approx(loss, abs=1e-3)
    assert any(np.abs(labels[-1][m] - labels[0][m]).max() > 1 for m in labels[0])


def literally(build, spec, train, config):
    """Labels of every modality after each epoch, and the training losses, by loops over clips."""
    torch.manual_seed(spec.seed)
    model = build(spec)
    annotated = train.label.numpy().astype(float)
    sequence = list(model.sequence.parameters())
    others = [p for p in model.parameters() if all(p is not q for q in sequence)]
    rates = (config.learning_rate_sequence, config.learning_rate_other)
    decays = (config.weight_decay_sequence, config.weight_decay_other)
    optimizer = torch.optim.Adam(
        {"params": p, "lr": rate, "weight_decay": decay}
        for p, rate, decay in zip((sequence, others), rates, decays, strict=True)
    )
    orders, count = torch.Generator().manual_seed(spec.seed), len(train)
    first = torch.randperm(count, generator=orders).tolist()
    batches = -(-count // config.batch_size)
    extremes = []
    for sign in (1, -1):  # no clip of this corpus is labelled 3 or -3: the next ones stand in
        members = [i for i in range(count) if sign * annotated[i] == 3]
        members = (
            members or sorted(range(count), key=lambda i: -sign * annotated[i])[: -(-count // 200)]
        )
        repeats = [batches - first.index(i) // config.batch_size for i in members]
        repeated = config.extremes == "repeated"
        extremes.append(
            [i for i, n in zip(members, repeats, strict=True) for _ in range(n if repeated else 1)]
        )
    features = np.zeros((count, len(model.heads["multimodal"].output.weight[0])))
    modalities = [m for m in model.heads if m != "multimodal"]
    generated = {m: annotated.copy() for m in modalities}
    positive = negative = features[0]
    labels, losses = [], []
    for epoch in range(1, config.epochs + 1):
        model.train()
        optimizer.zero_grad()
        total = 0.0
        order = torch.randperm(count, generator=orders)
        for step, rows in enumerate(order.split(config.batch_size), start=1):
            batch = train.batch(rows)
            output = model(batch.features, batch.mask)
            loss = 0
            for j, i in enumerate(rows.tolist()):
                loss = loss + (output.prediction[j] - annotated[i]).abs()
                for m in modalities:
                    weight = np.tanh(abs(generated[m][i] - annotated[i]))
                    loss = loss + weight * (output.unimodal[m][j] - generated[m][i]).abs()
            (loss / len(rows)).backward()
            total += float(loss.detach())
            fused = output.shared["multimodal"].detach().double().numpy()
            largest = np.linalg.norm(features[extremes[0]].mean(0) - features[extremes[1]].mean(0))
            for m in modalities if epoch > 1 else ():
                feature = output.shared[m].detach().double().numpy()
                for j, i in enumerate(rows.tolist()):
                    offset = 6 * min(np.linalg.norm(fused[j] - feature[j]), largest) / largest
                    rho, rho_m = (
                        np.linalg.norm(f - positive) / np.linalg.norm(f - negative)
                        for f in (feature[j], fused[j])
                    )
                    target = annotated[i] + np.sign(rho_m - rho) * offset
                    if config.targets == "clamped":
                        target = np.clip(target, -3, 3)
                    generated[m][i] = ((epoch - 1) * generated[m][i] + 2 * target) / (epoch + 1)
            features[rows.numpy()] = fused
            positive = features[
                annotated >= 0 if config.zero == "positive" else annotated > 0
            ].mean(0)
            negative = features[annotated < 0].mean(0)
            if step % config.accumulation == 0:
                optimizer.step()
                optimizer.zero_grad()
        labels.append({m: values.copy() for m, values in generated.items()})
        losses.append(total / count)
    return labels, losses


def test_a_choice_that_a_family_does_not_have_is_refused():
    with pytest.raises(ValueError, match="no choice of recalibration"):
        study().spec(system(whole(), family="self_mm", recalibration="no_mrm"), 0)
    with pytest.raises(ValueError, match=r"choices of paper sugrm are family, .*, got colour"):
        system(whole(), colour="red")


# --- geometry -----------------------------------------------------------------------------------


def test_distances_in_proportion_have_correlation_one():
    label = np.array([-2.0, -1, 0.5, 3])
    assert spearman(label[:, None] * [1, -2], label) == 1
    assert spearman(np.ones((4, 2)), label) is None
    assert spearman(label[:, None], np.ones(4)) is None
    rng = np.random.default_rng(0)
    assert abs(spearman(rng.normal(size=(300, 4)), rng.normal(size=300))) < 0.05


# --- the systems of the tables ------------------------------------------------------------------


def test_the_grids_hold_every_combination_once():
    grid = plan.module_grid(whole())
    assert len(grid) == len(set(grid.values())) == 12
    assert next(iter(grid.values())) == system(whole())
    assert grid["no_mrm", "lstm", "other_ulgm"] == system(
        whole(), recalibration="no_mrm", sequence="lstm", generator="other_ulgm"
    )
    assert len(set(plan.task_grid(whole()).values())) == 8
    assert len(set(plan.losses(whole()).values())) == 3
    assert list(plan.compared(whole())) == [
        *("SUGRM", "Self-MM", "concatenation"),
        *("visual only", "acoustic only", "linguistic only"),
    ]
