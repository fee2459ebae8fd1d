"""CMT: the printed sizes, padding, who attends to what, pooling, penalty, refusals."""

import re
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch.nn import functional

from msalib.base.errors import UserError
from msalib.data.corpus import Batch
from msalib.models import cmt, recipes
from msalib.models.cmt import MODALITIES, SOUND, TEXT
from tests.encoders.lazy import transformers

SIZES = {SOUND: 6, TEXT: 10}
LENGTHS = {SOUND: [9, 4, 12], TEXT: [3, 6, 2]}
UNIT = 2**20


def config(dataset: str = "mosei", **changes) -> cmt.Config:
    return cmt.Config(**recipes.load("cmt", "article", "full", dataset)["model"] | changes)


def built(*, sizes: Mapping[str, int] = SIZES, outputs: int = 1, **changes) -> cmt.CMT:
    torch.manual_seed(0)
    small = {"width": 8, "heads": 2, "blocks": 3, "deviation": 0.3} | changes
    return cmt.build(config(**small), sizes=sizes, layers={}, outputs=outputs).eval()


def clips(lengths: Mapping[str, Sequence[int]] = LENGTHS) -> tuple[dict, dict]:
    generator = torch.Generator().manual_seed(1)
    features, masks = {}, {}
    for m, counts in lengths.items():
        counts = torch.tensor(counts)
        masks[m] = torch.arange(int(counts.max())) < counts[:, None]
        features[m] = torch.randn(int(counts.sum()), SIZES[m], generator=generator)
    return features, masks


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# --- sizes --------------------------------------------------------------------------------------


def printed(blocks: int, heads: int) -> cmt.CMT:
    """Return the model at the paper's sizes, without memory for its weights."""
    with torch.device("meta"):
        both = {m: 1024 for m in MODALITIES}
        return cmt.build(config(blocks=blocks, heads=heads), sizes=both, layers={}, outputs=1)


@pytest.mark.parametrize(
    ("blocks", "heads", "fusion", "total"),
    [(2, 4, 64, 703), (4, 8, 128, 767)],
    ids=["base", "large"],
)
def test_sizes_are_the_printed_ones_in_units_of_2_to_the_20(blocks, heads, fusion, total):
    model, hf = printed(blocks, heads), transformers
    assert {count(b) for m in MODALITIES for b in model.streams.blocks[m]} == {16_796_672}
    assert count(model.streams) == 2 * blocks * 16_796_672  # equal widths need no map
    assert count(model.streams) // UNIT == fusion
    with torch.device("meta"):
        encoders = hf.RobertaModel(roberta_large(hf)), hf.HubertModel(hubert_large(hf))
    assert list(map(count, encoders)) == [355_359_744, 315_438_720]
    assert (count(model.streams) + sum(map(count, encoders))) // UNIT == total


def roberta_large(hf):
    return hf.RobertaConfig(
        vocab_size=50_265,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=514,
        type_vocab_size=1,
    )


def hubert_large(hf):
    return hf.HubertConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        feat_extract_norm="layer",
        conv_bias=True,
        do_stable_layer_norm=True,
    )


# --- what depends on what -----------------------------------------------------------------------


def test_padding_and_company_change_nothing():
    model, (features, masks) = built(), clips()
    together = model(features, masks)
    for clip in range(3):
        own = {m: features[m].split(LENGTHS[m])[clip] for m in MODALITIES}
        alone = {m: torch.ones(1, LENGTHS[m][clip], dtype=torch.bool) for m in MODALITIES}
        for whole, one in zip(together, model(own, alone), strict=True):
            torch.testing.assert_close(whole[clip], one.squeeze(0), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("m", MODALITIES)
def test_a_stream_attends_to_the_outputs_of_the_other_encoder_and_not_to_its_stream(m):
    """Blocks of the other stream may be anything: the states of this one do not move."""
    other = MODALITIES[m == SOUND]
    model, (features, masks) = built(), clips()
    model.streams.eval()

    def states() -> torch.Tensor:
        e = {k: cmt.pad(model.streams.project[k](features[k]), masks[k]) for k in MODALITIES}
        return model.streams(e, e, masks)[m][-1]

    before = states()
    torch.nn.init.normal_(model.streams.blocks[other][0].feed[0].weight)
    assert torch.equal(states(), before)
    features[other] = features[other] + 1
    assert not torch.allclose(states(), before)


def test_a_block_is_post_norm_attention_to_itself_then_to_the_other_then_feed_forward():
    """PyTorch's decoder layer is the same arithmetic: it takes the block's weights."""
    torch.manual_seed(0)
    block = cmt.Block(config(width=8, heads=2, blocks=1, deviation=0.3, dropout=0.0))
    reference = torch.nn.TransformerDecoderLayer(
        8, 2, 32, dropout=0.0, activation="gelu", batch_first=True
    )
    for ours, theirs in ((block.own, reference.self_attn), (block.cross, reference.multihead_attn)):
        parts = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.data = torch.cat([part.weight for part in parts])
        theirs.in_proj_bias.data = torch.cat([part.bias for part in parts])
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    reference.linear1.load_state_dict(block.feed[0].state_dict())
    reference.linear2.load_state_dict(block.feed[2].state_dict())
    h, other = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    valid = torch.ones(2, 5, dtype=torch.bool)
    heard = torch.tensor([[True, True, False], [True, True, True]])
    expected = reference(h, other, memory_key_padding_mask=~heard)
    torch.testing.assert_close(block(h, valid, other, heard), expected)


@pytest.mark.parametrize("step", [1, 2, 5])
def test_every_so_many_th_frame_is_read(step):
    features, masks = clips()
    frames, mask = cmt.every(features[SOUND], masks[SOUND], step)
    kept = [clip[::step] for clip in features[SOUND].split(LENGTHS[SOUND])]
    assert torch.equal(frames, torch.cat(kept))
    assert mask.sum(1).tolist() == [len(clip) for clip in kept]


def test_streams_share_no_weights_and_every_weight_has_a_gradient():
    model, (features, masks) = built(audio_block="pooled").train(), clips()
    output = model(features, masks)
    (output.prediction.sum() + output.cosine.sum()).backward()
    # The last block's own keys move nothing for the first token alone, but the penalty reads all.
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert len({id(p) for p in model.parameters()}) == len(list(model.parameters()))


def test_the_head_reads_the_mean_of_frames_and_the_first_token():
    model, (features, masks) = built(), clips()
    output = model(features, masks)
    e = {m: cmt.pad(model.streams.project[m](features[m]), masks[m]) for m in MODALITIES}
    states = model.streams(e, e, masks)
    frames = [s[:n].mean(0) for s, n in zip(states[SOUND][-1], LENGTHS[SOUND], strict=True)]
    tokens = [s[:n].mean(0) for s, n in zip(states[TEXT][-1], LENGTHS[TEXT], strict=True)]
    torch.testing.assert_close(output.sound, torch.stack(frames))
    torch.testing.assert_close(output.words, torch.stack(tokens))
    fused = torch.cat([output.sound, states[TEXT][-1][:, 0]], 1)
    torch.testing.assert_close(output.prediction, model.head(fused).squeeze(-1))
    cosine = functional.cosine_similarity(output.sound, output.words).abs()
    torch.testing.assert_close(output.cosine, cosine)
    assert built(outputs=4)(features, masks).prediction.shape == (3, 4)


def test_blocks_are_chosen_or_pooled_by_weights_that_are_equal_at_first():
    features, masks = clips()
    by_block = [built(audio_block=str(k))(features, masks).sound for k in (1, 2, 3)]
    assert not torch.allclose(by_block[0], by_block[2])
    torch.testing.assert_close(built()(features, masks).sound, by_block[2])
    pooled = built(audio_block="pooled")
    torch.testing.assert_close(pooled(features, masks).sound, torch.stack(by_block).mean(0))


# --- the objective ------------------------------------------------------------------------------


def test_the_loss_is_the_tasks_plus_alpha_times_the_mean_size_of_the_cosine():
    features, masks = clips()
    model, label = built(), torch.tensor([0.5, -1.0, 2.0])
    output, batch = model(features, masks), Batch(features, masks, label)
    penalised = cmt.Penalised("l2", 10.0).loss(output, batch)
    expected = (output.prediction - label).square().mean() + 10 * output.cosine.mean()
    torch.testing.assert_close(penalised, expected)


def test_the_penalty_makes_streams_less_alike():
    features, masks = clips()
    model = built()
    before = model(features, masks).cosine.mean()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        model(features, masks).cosine.mean().backward()
        optimizer.step()
    assert model(features, masks).cosine.mean() < before / 4


def test_penalised_words_are_their_mean_or_the_first():
    features, masks = clips()
    first = built(penalised="first")(features, masks)
    assert not torch.allclose(first.words, built()(features, masks).words)


# --- stages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "corpora", "parts"),
    [
        ("none", [], []),
        ("pt", ["raw-spoken-unlabelled"], [()]),
        ("tapt", [""], [("train", "valid")]),
        ("pt_tapt", ["raw-spoken-unlabelled", ""], [(), ("train", "valid")]),
        ("pt_tapt_test", ["raw-spoken-unlabelled", ""], [(), ("train", "valid", "test")]),
        ("pt_shuffled", ["raw-spoken-unlabelled"], [()]),
        ("pt_real", ["spoken-mosei"], [()]),
    ],
)
def test_stages_of_each_kind_of_pretraining(kind, corpora, parts):
    training = cmt.Training(**recipes.load("cmt", "release", "quick", "raw-spoken")["train"])
    stages = cmt.pretraining(config(pretraining=kind), training).stages
    assert [stage.corpus for stage in stages] == corpora
    assert [stage.parts for stage in stages] == parts
    assert [stage.shuffled for stage in stages] == [kind == "pt_shuffled"] * len(stages)


# --- refusals -----------------------------------------------------------------------------------


def test_one_stream_alone_is_refused():
    with pytest.raises(UserError, match=re.escape("inputs of CMT: acoustic: found other streams")):
        cmt.build(config(), sizes={SOUND: 4}, layers={}, outputs=1)


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(UserError, match="width 10 of CMT: found 8 heads, which do not divide it"):
        cmt.build(config(width=10), sizes=SIZES, layers={}, outputs=1)


@pytest.mark.parametrize("block", ["0", "5", "first"])
def test_an_audio_block_that_there_is_not_is_refused(block):
    with pytest.raises(UserError, match="expected one of last, pooled, 1, 2, 3, 4"):
        cmt.build(config(audio_block=block, blocks=4), sizes=SIZES, layers={}, outputs=1)
