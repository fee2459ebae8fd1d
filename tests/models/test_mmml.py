"""MMML: sizes as computed in its specification, padding, context, heads, losses."""

from types import SimpleNamespace

import pytest
import torch

from msalib.base.errors import UserError
from msalib.data.corpus import Batch
from msalib.models import mmml, recipes
from msalib.models.cme import CrossModalEncoder
from msalib.models.mmml import FUSED, SOUND, TEXT
from msalib.training.objective import Outputs

CONTEXTS = {f"{m}_context": size for m, size in ((TEXT, 16), (SOUND, 12))}


def config(**changes) -> mmml.Config:
    recipe = recipes.load("mmml", "release", "quick", "raw")["model"]
    return mmml.Config(**recipe | {"head_width": 8, "hidden": 8, **changes})


def training(**changes) -> mmml.Training:
    return mmml.Training(**recipes.load("mmml", "release", "quick", "raw")["train"] | changes)


def built(sizes=None, *, outputs: int = 1, **changes) -> mmml.MMML:
    torch.manual_seed(0)
    sizes = sizes or {TEXT: 16, SOUND: 12}
    return mmml.build(config(**changes), sizes=sizes, layers={}, outputs=outputs).eval()


def batch(sizes, lengths) -> tuple[dict, dict]:
    """Return random frames and masks of B clips: stream -> lengths."""
    generator = torch.Generator().manual_seed(1)
    features, masks = {}, {}
    for stream, counts in lengths.items():
        counts = torch.tensor(counts)
        masks[stream] = torch.arange(max(1, int(counts.max()))) < counts[:, None]
        features[stream] = torch.randn(int(counts.sum()), sizes[stream], generator=generator)
    return features, masks


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "layers", "weights"),
    [(768, 1, 18_903_552), (768, 5, 94_517_760), (1024, 5, 167_966_720)],
)
def test_the_layers_have_as_many_weights_as_the_specification_counts(width, layers, weights):
    with torch.device("meta"):
        encoder = CrossModalEncoder(width=width, heads=width // 64, layers=layers, dropout=0.3)
    assert sum(p.numel() for p in encoder.layers.parameters()) == weights


@pytest.mark.parametrize(
    ("sizes", "changes", "widths"),
    [
        ({}, {}, [1536, 768, 512, 1]),
        ({}, {"restoration": "v2"}, [1536, 768, 512, 1]),
        ({}, {"restoration": "v3"}, [3072, 768, 512, 1]),
        ({}, {"fusion": "concatenation"}, [1536, 768, 768, 512, 1]),
        ({}, {"ablation": "linear_head"}, [1536, 1]),
        ({"context": 1024}, {}, [4096, 768, 1]),
        ({"context": 1024, SOUND: 768}, {"fusion": "concatenation"}, [3584, 2048, 1024, 1]),
    ],
)
def test_the_fused_heads_have_the_widths_of_the_release(sizes, changes, widths):
    text = sizes.get("context", 768)
    all_sizes = {TEXT: text, SOUND: sizes.get(SOUND, text)}
    if "context" in sizes:
        all_sizes |= {f"{m}_context": size for m, size in all_sizes.items()}
    recipe = recipes.load("mmml", "release", "full", "mosi")["model"]
    with torch.device("meta"):
        model = mmml.build(mmml.Config(**recipe | changes), sizes=all_sizes, layers={}, outputs=1)
    linear = [layer for layer in model.heads[FUSED] if isinstance(layer, torch.nn.Linear)]
    assert [linear[0].in_features, *(layer.out_features for layer in linear)] == widths


@pytest.mark.parametrize(
    ("ablation", "self_attention", "feed_forward", "linear_layers"),
    [
        ("none", True, True, 3),
        ("no_self_attention", False, True, 3),
        ("no_feed_forward", False, False, 3),
        ("linear_head", False, True, 1),
    ],
)
def test_ablations_leave_out_what_table_8_says(
    ablation, self_attention, feed_forward, linear_layers
):
    model = built(ablation=ablation)
    for stream in model.fuse.encoder.layers[0].children():
        assert (stream.own is not None) == self_attention
        assert (stream.feed_forward is not None) == feed_forward
    linear = [layer for layer in model.heads[FUSED] if isinstance(layer, torch.nn.Linear)]
    assert len(linear) == linear_layers


# --- padding and context ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"restoration": "v2"},
        {"restoration": "v3"},
        {"fusion": "concatenation"},
        {"pooling": "mean"},
    ],
)
@pytest.mark.parametrize("context", [False, True])
def test_the_clips_beside_it_change_nothing(changes, context):
    lengths = {TEXT: [3, 7], SOUND: [5, 2]}
    sizes = {TEXT: 16, SOUND: 12}
    if context:
        sizes |= CONTEXTS
        lengths |= {"linguistic_context": [4, 9], "acoustic_context": [0, 3]}
    model = built(sizes, **changes)
    features, masks = batch(sizes, lengths)
    both = model(features, masks)
    first = {s: x[: lengths[s][0]] for s, x in features.items()}
    mask = {s: m[:1, : max(1, lengths[s][0])] for s, m in masks.items()}
    alone = model(first, mask)
    for head, score in both.heads.items():
        assert torch.allclose(score[:1], alone.heads[head], atol=1e-6), head


@pytest.mark.parametrize("restoration", ["v1", "v2", "v3"])
def test_a_clip_without_context_has_finite_scores_and_gradients(restoration):
    sizes = {TEXT: 16, SOUND: 12, **CONTEXTS}
    model = built(sizes, restoration=restoration).train()
    features, masks = batch(
        sizes,
        {TEXT: [3, 2], SOUND: [5, 4], "linguistic_context": [0, 0], "acoustic_context": [0, 0]},
    )
    output = model(features, masks)
    sum(score.sum() for score in output.heads.values()).backward()
    assert torch.isfinite(output.prediction).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_a_context_of_text_alone_leaves_the_head_of_sound_as_it_is():
    sizes = {TEXT: 16, SOUND: 12, "linguistic_context": 16}
    model = built(sizes)
    assert model.heads[SOUND][1].in_features == 16
    assert model.heads[TEXT][1].in_features == 32
    features, masks = batch(sizes, {TEXT: [3, 2], SOUND: [5, 4], "linguistic_context": [2, 0]})
    assert torch.isfinite(model(features, masks).prediction).all()


def test_context_and_clip_share_their_weights():
    """Exchanging clip and context exchanges the vectors before the fused head."""
    sizes = {TEXT: 16, SOUND: 12, **CONTEXTS}
    model = built(sizes)
    features, masks = batch(
        sizes, {TEXT: [3], SOUND: [5], "linguistic_context": [4], "acoustic_context": [6]}
    )

    def swapped(values):
        return {
            s: values[s.removesuffix("_context") if "context" in s else f"{s}_context"]
            for s in values
        }

    own, before = model(features, masks).fused, model(swapped(features), swapped(masks)).fused
    quarters = [1, 0, 3, 2]
    assert torch.allclose(own, torch.cat([before.split(16, 1)[i] for i in quarters], 1), atol=1e-6)


# --- heads --------------------------------------------------------------------------------------


def test_heads_of_one_modality_do_not_hear_the_other():
    """MMML-C27 is true by construction: T and A read their encoders, never the fusion."""
    sizes = {TEXT: 16, SOUND: 12}
    model = built(sizes)
    features, masks = batch(sizes, {TEXT: [3, 2], SOUND: [5, 4]})
    heard = model(features, masks)
    silent = model(features | {SOUND: torch.zeros_like(features[SOUND])}, masks)
    wordless = model(features | {TEXT: torch.zeros_like(features[TEXT])}, masks)
    assert torch.equal(heard.heads[TEXT], silent.heads[TEXT])
    assert torch.equal(heard.heads[SOUND], wordless.heads[SOUND])
    assert not torch.equal(heard.prediction, silent.prediction)


@pytest.mark.parametrize(
    ("tasks", "heads"),
    [("mta", [TEXT, SOUND, FUSED]), ("m", [FUSED]), ("t", [TEXT]), ("a", [SOUND])],
)
def test_the_first_task_is_the_prediction(tasks, heads):
    sizes = {TEXT: 16, SOUND: 12}
    model = built(sizes, tasks=tasks)
    output = model(*batch(sizes, {TEXT: [3, 2], SOUND: [5, 4]}))
    assert sorted(output.heads) == sorted(heads)
    assert output.prediction is output.heads[mmml.HEADS[tasks[0]]]
    assert (model.fuse is None) == (tasks in "ta")


@pytest.mark.parametrize("modality", [TEXT, SOUND])
def test_one_modality_alone_has_its_own_head(modality):
    sizes = {modality: 12}
    output = built(sizes, outputs=3)(*batch(sizes, {modality: [3, 2]}))
    assert list(output.heads) == [modality]
    assert output.prediction.shape == (2, 3)


def test_pictures_and_lonely_contexts_are_refused():
    for sizes in ({TEXT: 4, "visual": 4}, {TEXT: 4, "acoustic_context": 4}):
        with pytest.raises(UserError, match="which it does not read"):
            built(sizes)


# --- losses -------------------------------------------------------------------------------------


class Part(SimpleNamespace):
    def __len__(self):
        return len(self.label)


def part(own: bool, outputs: int = 1, **unimodal) -> Part:
    label = torch.tensor([1.0, -1.0, 2.0])
    labels = {TEXT: label + 1, SOUND: label - 2} if own else {}
    task = SimpleNamespace(outputs=outputs, error="cross_entropy")
    return Part(label=label, unimodal=labels | unimodal, task=task)


def scores(rows: list[int]) -> mmml.Output:
    values = torch.tensor([0.0, 0.5, 1.0])[rows]
    return mmml.Output(values, {FUSED: values, TEXT: values + 1, SOUND: values}, None)


def test_three_losses_are_summed_with_their_weights():
    model = built()
    losses = mmml.objective(training(weight_text=0.3, weight_sound=3), model, part(True), None)
    rows = torch.tensor([2, 0])
    fused = (1 + 1) / 2
    text = ((2 - 3) ** 2) ** 0.5 / 2 + abs(1 - 2) / 2
    sound = abs(1 - 0) / 2 + abs(0 + 1) / 2
    found = losses.loss(scores([2, 0]), Batch({}, {}, None), rows)
    assert float(found) == pytest.approx(fused + 0.3 * text + 3 * sound)


def test_labels_can_be_copied_from_the_whole():
    copied = mmml.objective(training(labels="copied"), built(), part(True), None)
    assert all(torch.equal(label, part(True).label) for label in copied.labels.values())
    own = mmml.objective(training(), built(), part(True), None)
    assert torch.equal(own.labels[TEXT], part(True).unimodal[TEXT])
    without = mmml.objective(training(), built(), part(False), None)
    assert torch.equal(without.labels[TEXT], part(False).label)


def test_labels_of_one_modality_alone_are_refused():
    lacking = part(False, **{TEXT: torch.zeros(3)})
    with pytest.raises(UserError, match="labels for linguistic alone and none for acoustic"):
        mmml.objective(training(), built(), lacking, None)
    mmml.objective(training(labels="copied"), built(), lacking, None)
    mmml.objective(training(), built(tasks="t"), lacking, None)


def test_validation_sums_the_same_losses_over_all_clips():
    losses = mmml.objective(training(), built(), part(True), None)
    batches = [torch.tensor([2, 0]), torch.tensor([1])]
    outputs = Outputs(batches, [scores([2, 0]), scores([1])])
    whole = losses.loss(scores([0, 1, 2]), Batch({}, {}, None), torch.arange(3))
    assert losses.score(outputs, part(True)) == round(float(whole), mmml.DIGITS)


def test_classes_take_the_cross_entropy():
    losses = mmml.objective(training(), built(outputs=3), part(False, outputs=3), None)
    logits = torch.tensor([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    right = losses.error(logits, torch.tensor([0.0, 1.0]))
    assert float(right) < 0.01 < float(losses.error(logits, torch.tensor([1.0, 0.0])))


def test_presets_say_what_paper_and_release_differ_in():
    release = recipes.load("mmml", "release", "full", "mosi")
    paper = recipes.load("mmml", "article", "full", "mosi")
    chosen = ("loss", "batch_size", "learning_rate_text", "optimizer")
    assert [release["train"][name] for name in chosen] == ["l1", 8, 5e-6, "rebuilt"]
    assert [paper["train"][name] for name in chosen] == ["l2", 16, 1e-5, "kept"]
    assert release["model"]["pooling"] == "pooler"
    assert paper["model"]["pooling"] == "mean"
    assert recipes.load("mmml", "release", "full", "sims")["model"]["restoring_layers"] == 2
