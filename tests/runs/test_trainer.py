"""From specifications to records: what is trained together, and that nobody can tell from a record.

Tolerance of numbers that were found in different company: tests/training/test_replicas.py.
"""

import numpy as np
import pytest
import torch

from msalib import models
from msalib.base.errors import UserError
from msalib.data import metrics, streams
from msalib.data.corpus import LAST_TWO, MODALITIES, PARTS, TUNED
from msalib.runs import trainer
from msalib.runs.trainer import Trainer, layers_of
from msalib.training import loop
from msalib.training.objective import Objective
from msalib.training.regime import Part
from tests.factory import MODEL, TRAIN, tiny_corpus
from tests.runs.common import CLOSE, everything, of_sugrm, spec


@pytest.fixture
def trained():
    return Trainer(tiny_corpus(), "cpu")


def assert_same(one, other):
    """Two records of one run, found in different company."""
    assert one.spec == other.spec
    assert one.selected_epoch == other.selected_epoch
    assert one.blocks == other.blocks and one.chance == other.chance
    for mine, theirs in zip(one.history, other.history, strict=True):
        assert mine == pytest.approx(theirs, abs=CLOSE)
    assert set(one.predictions) == set(other.predictions) == {"valid", "test"}
    for part, mine in one.predictions.items():
        theirs = other.predictions[part]
        assert (mine.id, mine.video) == (theirs.id, theirs.video)
        assert mine.label.tolist() == theirs.label.tolist()
        assert mine.prediction == pytest.approx(theirs.prediction, abs=CLOSE)
    for part in PARTS:
        assert one.metrics[part]["mae"] == pytest.approx(other.metrics[part]["mae"], abs=CLOSE)
    for name in ("gates", "layer_weights"):
        mine, theirs = getattr(one.extras, name), getattr(other.extras, name)
        assert list(mine) == list(theirs)
        for m in mine:
            assert mine[m] == pytest.approx(theirs[m], abs=2 * CLOSE)


# --- groups -------------------------------------------------------------------------------------


def names(groups):
    return [[(s.system.name(), s.seed) for s in group] for group in groups]


def test_layers_seeds_and_modalities_train_together(trained):
    specs = [spec({m: k}, seed) for m in MODALITIES for k in (0, 2) for seed in (0, 1)]
    assert names(trained.groups(specs)) == names([specs])


@pytest.mark.parametrize(
    "other",
    [
        spec({"visual": 1, "linguistic": 1}),
        spec({"linguistic": "weighted"}),
        spec({"linguistic": "uniform"}),
        spec({"linguistic": 1}, model={"fusion": "concat"}),
        spec({"linguistic": 1}, model={"hidden_size": 6}),
        spec({"linguistic": 1}, model={"dropout": 0.1}),
        spec({"linguistic": 1}, train={"epochs": 4}),
        spec({"linguistic": 1}, train={"patience": 2}),
        spec({"linguistic": 1}, train_share=0.5),
    ],
    ids=lambda s: s.hash(),
)
def test_what_differs_in_more_than_layer_modality_and_seed_trains_apart(trained, other):
    specs = [spec({"linguistic": 1}), other, spec({"visual": 2}, 3), spec({"acoustic": 0})]
    assert names(trained.groups(specs)) == names([[specs[0], *specs[2:]], [other]])


def test_joint_runs_train_together_where_their_structure_is_one(trained):
    pairs = [
        spec({"visual": 1, "linguistic": 2}),
        spec({"acoustic": 0, "linguistic": 1}, 1),
        spec({"visual": 3, "acoustic": 1}),
    ]
    assert len(trained.groups(pairs)) == 1
    pair = [spec({"visual": "weighted", "linguistic": 1}, seed) for seed in range(3)]
    alone = [spec({"visual": "weighted"}, seed) for seed in range(3)]
    assert [len(g) for g in trained.groups([*pairs, *pair, *alone])] == [3, 3, 3]


def test_stacks_of_unequal_height_train_apart(trained):
    visual = trained.corpus.features["visual"]
    layers = {k: visual.layers[k] for k in (0, 1, 2)}
    low = type(visual)(visual.source, visual.unit, layers, visual.offsets, visual.provenance)
    corpus = trained.corpus.with_features("visual", low)
    specs = [spec({m: "weighted"}, seed) for m in ("visual", "linguistic") for seed in range(3)]
    assert [len(g) for g in trained.groups(specs)] == [6]
    assert [len(g) for g in Trainer(corpus, "cpu").groups(specs)] == [3, 3]


def test_a_group_has_a_largest_size(trained, monkeypatch):
    monkeypatch.setitem(trainer.TOGETHER, "cpu", 3)
    specs = [spec({"linguistic": 1}, seed) for seed in range(8)]
    assert [len(group) for group in trained.groups(specs)] == [3, 3, 2]
    assert [s for group in trained.groups(specs) for s in group] == specs


def test_large_models_train_alone_on_a_cpu_and_together_on_a_gpu(trained, monkeypatch):
    specs = [spec({"linguistic": 1}, seed) for seed in range(3)]
    size = sum(p.numel() for p in trained.build(specs[0]).parameters())
    monkeypatch.setattr(trainer, "SMALL", size)
    assert len(trained.groups(specs)) == 1
    monkeypatch.setattr(trainer, "SMALL", size - 1)
    assert names(trained.groups(specs)) == names([[s] for s in specs])
    assert names(Trainer(trained.corpus, "cuda").groups(specs)) == names([specs])


def test_two_train_one_after_the_other_on_a_cpu(trained):
    specs = [spec({"linguistic": 1}, seed) for seed in range(3)]
    assert [len(g) for g in trained.groups(specs)] == [3]
    assert [len(g) for g in trained.groups(specs[:2])] == [1, 1]
    assert [len(g) for g in Trainer(trained.corpus, "cuda").groups(specs[:2])] == [2]


def test_the_quick_recipe_is_small_and_the_full_one_is_not():
    """Which is what ``SMALL`` is to tell apart (benchmarks/replicas.py)."""
    weights = {}
    for profile, hidden, embedding, size in (("quick", 32, 16, 24), ("full", 128, 64, 73)):
        model = {**MODEL, "hidden_size": hidden, "embedding_size": embedding, "attention_heads": 4}
        corpus = tiny_corpus()
        visual = corpus.features["visual"]
        frames = np.zeros((int(visual.offsets[-1]), size), np.float16)
        wide = type(visual)("dice", "throw", {1: frames}, visual.offsets, {})
        built = Trainer(corpus.with_features("visual", wide), "cpu").build(
            spec({"visual": 1}, model=model)
        )
        weights[profile] = sum(p.numel() for p in built.parameters())
    assert weights["quick"] < trainer.SMALL < weights["full"]


# --- records ------------------------------------------------------------------------------------

SPECS = [
    *(spec({m: k}, k) for m in MODALITIES for k in (0, 1)),
    *(spec({"linguistic": "weighted"}, seed) for seed in range(3)),
    *(spec({"acoustic": 1, "linguistic": "uniform"}, seed) for seed in range(3)),
    *(spec({"visual": 1, "acoustic": 3}, seed, model={"fusion": "concat"}) for seed in range(3)),
    *(spec({"linguistic": 2}, seed, train_share=0.5) for seed in range(3)),
]


def test_records_do_not_depend_on_what_is_trained_together(trained, monkeypatch, fits):
    grouped = everything(SPECS, trained)
    assert fits == [6, 3, 3, 3, 3]
    assert {r.provenance.replicas for r in grouped.values()} == {6, 3}
    fits.clear()
    monkeypatch.setattr(trainer, "SMALL", 0)
    single = everything(SPECS, trained)
    assert fits == [1] * 18
    assert {r.provenance.replicas for r in single.values()} == {1}
    for key, record in grouped.items():
        assert_same(record, single[key])


def test_the_order_in_which_runs_are_asked_does_not_matter(trained):
    some = SPECS[:9]  # two groups
    one, other = everything(some, trained), everything(some[::-1], trained)
    for key, record in one.items():
        assert_same(record, other[key])


@pytest.mark.parametrize("fusion", ["gate", "concat"])
@pytest.mark.parametrize("count", [1, 2])
def test_gates_of_all_modalities_are_recorded_for_the_test_part(trained, fusion, count):
    specs = [
        spec({"linguistic": 1, "visual": 2}, s, model={"fusion": fusion}) for s in range(count)
    ]
    for record in trained.train(specs):
        if fusion == "concat":
            assert record.extras.gates == {}
            continue
        assert list(record.extras.gates) == list(MODALITIES)
        for alpha in record.extras.gates.values():
            assert len(alpha) == len(record.predictions["test"].id) == 10
            assert all(0 < a < 1 for a in alpha)
        assert len(set(record.extras.gates["linguistic"])) > 5  # they depend on the clip


def test_gates_are_those_of_the_selected_model_on_the_clips_of_the_table(trained, monkeypatch):
    kept, fit = [], loop.fit
    monkeypatch.setattr(loop, "fit", lambda *a: kept.append(fit(*a)) or kept[0])
    (record,) = trained.train([spec({"linguistic": 1})])
    examples = trained.examples(record.spec, "test")
    for i, clip in enumerate(record.predictions["test"].id):
        assert examples.ids[i] == clip
        batch = examples.batch(torch.tensor([i]))
        with torch.no_grad():
            output = kept[0].model(batch.features, batch.mask)
        gates = [record.extras.gates[m][i] for m in MODALITIES]
        assert gates == pytest.approx(output.gates[0].tolist(), abs=1e-4)
        assert record.predictions["test"].prediction[i] == pytest.approx(
            float(output.prediction), abs=1e-5
        )


def test_metrics_of_all_parts_are_recorded(trained):
    (record,) = trained.train([spec({"linguistic": 1})])
    assert list(record.metrics) == list(PARTS)
    for part, clips in record.predictions.items():
        expected = metrics.regression(np.array(clips.label), np.array(clips.prediction))
        assert record.metrics[part] == pytest.approx(expected, abs=1e-6)
    assert set(record.metrics["train"]) == set(record.metrics["test"])


def test_metrics_on_train_are_those_of_the_selected_model(trained, monkeypatch):
    kept, fit = [], loop.fit
    monkeypatch.setattr(loop, "fit", lambda *a: kept.append(fit(*a)) or kept[0])
    for share in (1.0, 0.5):
        kept.clear()
        (record,) = trained.train([spec({"linguistic": 1}, train_share=share)])
        examples = trained.examples(record.spec, "train")
        assert len(examples) == 20 * share
        scores = loop.predict(kept[0].model, examples, 64).scores
        error = (scores - examples.label).abs().mean()
        assert record.metrics["train"]["mae"] == pytest.approx(float(error), abs=1e-5)


def test_an_undefined_correlation_is_recorded_as_none(trained, monkeypatch):
    fit = loop.fit

    def constant(*arguments):
        fitted = fit(*arguments)
        with torch.no_grad():
            fitted.model.decoder.output.weight.zero_()
        return fitted

    monkeypatch.setattr(loop, "fit", constant)
    (record,) = trained.train([spec({"linguistic": 1})])
    assert [record.metrics[part]["corr"] for part in PARTS] == [None] * 3
    assert record.metrics["test"]["mae"] is not None


def test_layer_weights_of_weighted_inputs_only(trained):
    group = [spec({"visual": "weighted", "linguistic": 2}, seed) for seed in (0, 1)]
    for record in trained.train(group):
        assert list(record.extras.layer_weights) == ["visual"]
        assert sum(record.extras.layer_weights["visual"]) == pytest.approx(1, abs=1e-5)
        assert len(set(record.extras.layer_weights["visual"])) == 3  # they were trained
        assert record.blocks == {"visual": 3, "linguistic": 3}


# --- shares of the training part ----------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_shares_are_nested_by_video_and_leave_the_other_parts_alone(trained, seed):
    chosen = {}
    for share in (0.25, 0.5, 1.0):
        asked = spec({"linguistic": 1}, seed, train_share=share)
        examples = trained.examples(asked, "train")
        chosen[share] = set(examples.ids)
        assert len(examples) == 20 * share
        for part in ("valid", "test"):
            whole = trained.corpus.rows(part, "standard")
            assert list(trained.examples(asked, part).ids) == list(
                trained.corpus.utterances.index[whole]
            )
    assert chosen[0.25] < chosen[0.5] < chosen[1.0]
    videos = {clip.split("_")[0] for clip in chosen[0.5]}
    assert len(videos) == 3  # of four clips each: two whole ones and a half


def test_every_seed_has_a_share_of_its_own(trained):
    ids = [
        set(trained.examples(spec({"linguistic": 1}, seed, train_share=0.5), "train").ids)
        for seed in range(4)
    ]
    assert len({frozenset(i) for i in ids}) > 1


def test_chance_is_that_of_the_clips_that_were_trained_on(trained):
    (record,) = trained.train([spec({"linguistic": 1}, train_share=0.5)])
    median = np.median(trained.examples(record.spec, "train").label)
    test = np.array(record.predictions["test"].label)
    assert record.chance["mae"] == pytest.approx(np.abs(test - median).mean(), abs=1e-5)


# --- refusals -----------------------------------------------------------------------------------


def test_a_layer_outside_the_store_is_refused_before_training(trained, fits):
    with pytest.raises(UserError, match=r"layer 9 of dice: found no such layer; expected one of 0"):
        everything([spec({"linguistic": 9})], trained)
    assert fits == []


def test_a_share_too_small_for_a_batch_is_refused(trained):
    with pytest.raises(UserError, match="found 2 clips; expected at least one batch of 4"):
        trained.train([spec({"linguistic": 1}, train_share=0.1)])


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, 25])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="train_share"):
        spec({"linguistic": 1}, train_share=share)


# --- models with settings of their own ----------------------------------------------------------


@pytest.mark.filterwarnings("ignore:no clip is labelled")
def test_a_models_objective_and_extras_are_asked_of_its_file(trained):
    asked = of_sugrm({"linguistic": 1, "acoustic": 1}, tasks="tasks_a")
    (record,) = trained.train([asked])
    assert set(record.extras.unimodal) == {"acoustic"} == set(record.extras.labels.movement)
    (fit,) = trained.fit([asked])
    assert type(fit.objective) is not Objective and fit.objective.generator is not None
    assert names(trained.groups([asked] * 3)) == names([[asked]] * 3)  # it makes no replicas


def test_parameters_have_the_parts_of_the_models_file(trained):
    model, module = trained.build(of_sugrm({"linguistic": 1})), models.module("sugrm")
    groups = trainer.parameter_groups(module, model)
    assert list(groups) == ["sequence", "other"]
    assert sum(len(named) for named in groups.values()) == len(list(model.parameters()))
    plain = trainer.parameter_groups(models.module("uegd"), trained.build(spec({"visual": 1})))
    assert list(plain) == ["model"]
    regime = trainer.regime_of(spec({"visual": 1}))
    assert regime.parts == {"model": Part(TRAIN["learning_rate"])}


def test_context_is_refused_by_a_model_that_does_not_read_it():
    corpus = streams.context(tiny_corpus(), 1)
    asked = spec({"linguistic": 1, "linguistic_context": 1})
    with pytest.raises(UserError, match="linguistic_context, which it does not read"):
        Trainer(corpus, "cpu").fit([asked])


# --- layers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "layers"),
    [
        ({"linguistic": 3, "acoustic": 1}, {}),
        ({"linguistic": "weighted", "acoustic": 1}, {"linguistic": 3}),
        ({"linguistic": "uniform", "acoustic": LAST_TWO}, {"acoustic": 2}),
        ({"linguistic": TUNED, "acoustic": TUNED}, {"linguistic": 2}),
    ],
)
def test_streams_of_several_layers_are_told_with_their_number(inputs, layers):
    """GLoMo reads two blocks of a fine-tuned text encoder, other models one."""
    tiny = tiny_corpus()
    assert layers_of(models.module("glomo"), inputs, tiny) == layers
    tuned = {stream: n for stream, n in layers.items() if inputs[stream] != TUNED}
    assert layers_of(models.module("mmml"), inputs, tiny) == tuned
