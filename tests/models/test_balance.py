"""The objective of mixtures of experts, and what records say of the experts."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from msalib.data.corpus import Batch
from msalib.models import balance, glomo
from msalib.models.extras import EXTRAS, ExpertExtras
from msalib.models.moe import Gates
from msalib.training.objective import Outputs
from tests.models.glomo_common import built, clips, training

LABEL = torch.tensor([1.0, -2.0, 0.0])


def examples(label: torch.Tensor = LABEL, outputs: int = 1) -> SimpleNamespace:
    task = SimpleNamespace(outputs=outputs, error="cross_entropy")
    return SimpleNamespace(label=label, task=task)


def gates(rows: list[list[float]], penalty: float = 0.0) -> Gates:
    values = torch.tensor(rows)
    return Gates(
        values, values.log(), values.sum(0), (values > 0).sum(0).float(), torch.tensor(penalty)
    )


def output(**by_modality: Gates) -> SimpleNamespace:
    return SimpleNamespace(prediction=torch.tensor([0.0, 0.0, 1.5]), gates=by_modality)


def batch(label: torch.Tensor = LABEL) -> Batch:
    return Batch({}, {}, label)


# --- the loss -----------------------------------------------------------------------------------


@pytest.mark.parametrize("omega", [0.0, 0.01, 2.0])
def test_the_loss_is_the_error_plus_omega_times_all_penalties(omega):
    losses = glomo.objective(training(omega=omega), None, examples(), None)
    rows = [[0.5, 0.5, 0.0]]
    made = output(linguistic=gates(rows, 0.3), acoustic=gates(rows, 0.4))
    error = (1 + 2 + 1.5) / 3
    assert losses.loss(made, batch()).item() == pytest.approx(error + omega * 0.7)
    assert losses.loss(output(), batch()).item() == pytest.approx(error)


def test_validation_scores_the_error_alone():
    losses = glomo.objective(training(omega=9.0), None, examples(), None)
    made = Outputs([torch.arange(3)], [output(linguistic=gates([[1.0, 0.0]], 5.0))])
    assert losses.score(made, examples()) == pytest.approx((1 + 2 + 1.5) / 3)


def test_the_error_is_that_of_the_recipe_and_cross_entropy_for_classes():
    squared = glomo.objective(training(error="l2"), None, examples(), None)
    assert squared.loss(output(), batch()).item() == pytest.approx((1 + 4 + 2.25) / 3)
    classes = glomo.objective(training(), None, examples(outputs=2), None)
    logits = SimpleNamespace(prediction=torch.tensor([[0.0, 20.0]]), gates={})
    assert classes.loss(logits, batch(torch.tensor([1]))).item() < 1e-6


def test_the_penalty_has_gradients_and_omega_their_size():
    features, masks = clips()
    gradients = []
    for omega in (0.0, 1.0):
        model = built().train()
        torch.manual_seed(2)
        losses = glomo.objective(training(omega=omega), model, examples(), None)
        losses.loss(model(features, masks), batch()).backward()
        gradients.append(model.experts["acoustic"].mixture.noise.grad)
    assert torch.isfinite(gradients[1]).all() and not torch.allclose(*gradients)


# --- how busy the experts are -------------------------------------------------------------------


def test_busy_sums_importance_and_load_by_epoch():
    losses = balance.Balanced("l1", 0.01)
    first, second = gates([[0.25, 0.75, 0.0]]), gates([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
    for epoch, batches in ((1, [first, second]), (2, [first])):
        for made in batches:
            losses.after_batch(epoch, None, output(acoustic=made))
        losses.end_epoch(epoch, None)
    assert [list(epoch) for epoch in losses.busy] == [["acoustic"], ["acoustic"]]
    assert losses.busy[0]["acoustic"].tolist() == [[1.25, 1.25, 0.5], [2.0, 2.0, 1.0]]
    assert losses.busy[1]["acoustic"].tolist() == [[0.25, 0.75, 0.0], [1.0, 1.0, 0.0]]


def test_shares_sum_to_one_and_of_nothing_are_zero():
    assert balance.shares(torch.tensor([[1.0, 3.0], [0.0, 0.0]])) == [[0.25, 0.75], [0.0, 0.0]]


# --- extras -------------------------------------------------------------------------------------


def judged(clips_of_part: int = 40, epochs: int = 2, seed: int = 0, **changes) -> tuple:
    """Return what ``extras`` reads of a model that saw random clips for some epochs."""
    model, losses = built(**changes), balance.Balanced("l1", 0.01)
    generator = torch.Generator().manual_seed(seed)
    parts, outputs = {}, {}
    for part in ("train", "valid", "test"):
        lengths = torch.randint(1, 9, (3, clips_of_part), generator=generator).tolist()
        used = dict(zip(("linguistic", "acoustic", "visual"), lengths, strict=True))
        features, masks = clips(used)
        rows = torch.arange(clips_of_part)
        with torch.no_grad():
            made = model(features, masks)
        outputs[part] = Outputs([rows], [made])
        label = torch.randint(-1, 2, (clips_of_part,), generator=generator).float()
        parts[part] = examples(label)
    for epoch in range(1, epochs + 1):
        losses.after_batch(epoch, rows, outputs["train"].batches[0])
        losses.end_epoch(epoch, model)
    fit = SimpleNamespace(objective=losses, model=model)
    return training(), fit, parts, outputs


def test_extras_have_the_experts_their_use_and_the_vectors():
    read = judged()
    extras = glomo.extras(*read)
    assert list(extras.experts) == list(extras.use) == ["linguistic", "acoustic", "visual"]
    test = read[3]["test"].batches[0]
    for m, chosen in extras.experts.items():
        assert chosen == test.gates[m].gates.argmax(1).tolist() and len(chosen) == 40
        use = extras.use[m]
        assert np.shape(use.importance) == np.shape(use.load) == (2, 3)
        for row in (*use.importance, *use.load, use.valid_importance, use.valid_load):
            assert len(row) == 3 and sum(row) == pytest.approx(1, abs=2e-4)
        kept = (read[3]["valid"].batches[0].gates[m].gates > 0).sum(0) / 80
        assert use.valid_load == pytest.approx(kept.tolist(), abs=1e-4)
    assert list(extras.spaces) == ["linguistic", "acoustic", "visual", "fused"]
    assert {"separable", "dispersion"} <= set(extras.spaces["acoustic"])
    assert set(extras.spaces["fused"]) == {"silhouette", "neighbours", "probe"}


def test_extras_survive_their_record_and_are_those_of_the_model():
    extras = glomo.extras(*judged())
    assert EXTRAS["glomo"] is ExpertExtras
    assert ExpertExtras.model_validate_json(extras.model_dump_json()) == extras
    assert ExpertExtras.model_validate({"seconds": 3}) == ExpertExtras()


@pytest.mark.parametrize(
    ("variant", "experts", "vectors"),
    [("mlp_m", 0, ["fused"]), ("global", 0, ["fused"]), ("local", 3, ["fused"])],
)
def test_a_variant_without_gates_or_global_vectors_has_less(variant, experts, vectors):
    extras = glomo.extras(*judged(variant=variant))
    assert len(extras.experts) == len(extras.use) == experts
    assert list(extras.spaces) == vectors


def test_experts_are_in_the_order_of_the_table():
    """Batches of fine-tuned runs are by length."""
    _, fit, parts, outputs = judged()
    whole = outputs["test"].batches[0]
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))

    def taken(value):
        if isinstance(value, dict):
            return {m: taken(v) for m, v in value.items()}
        if isinstance(value, Gates):
            return value._replace(gates=value.gates[order])
        return value[order]

    shuffled = Outputs([order], [type(whole)(*(taken(value) for value in whole))])
    again = balance.extras(None, fit, parts, outputs | {"test": shuffled})
    assert again == balance.extras(None, fit, parts, outputs)


@pytest.mark.parametrize("clips_of_part", [1, 2, 4, 7, 12])
def test_few_clips_have_what_is_defined_for_them(clips_of_part):
    extras = glomo.extras(*judged(clips_of_part))
    assert all(len(chosen) == clips_of_part for chosen in extras.experts.values())
    for numbers in extras.spaces.values():
        assert all(np.isfinite(value) for value in numbers.values())


def test_groups_are_classes_or_signs_and_zero_is_none():
    assert balance._groups(examples()).tolist() == [1, 0, -1]
    classes = examples(torch.tensor([2, 0, 1]), outputs=3)
    assert balance._groups(classes).tolist() == [2, 0, 1]
