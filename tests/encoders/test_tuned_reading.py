"""Models that read the last blocks of a fine-tuned text encoder, padding included or not."""

import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.encoders import tuned
from msalib.encoders.tuned import Reading, shortened
from tests.encoders.tiny import POSITIONS, save_bert, save_roberta
from tests.encoders.tuned_common import TOKENS, original, sounds

LENGTHS = [3, 6, 2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a BERT of three blocks and a RoBERTa of two."""
    folder = tmp_path_factory.mktemp("texts")
    save_bert(folder / "bert")
    save_roberta(folder / "roberta")
    return folder


@pytest.fixture(params=["bert", "roberta"])
def encoder(request, folder):
    return encoders.resolve(str(folder / request.param))


@torch.no_grad()
def states_of(encoder, ids, valid=None):
    """Return all hidden states of transformers' own model for ids (B, T)."""
    valid = torch.ones_like(ids) if valid is None else valid
    return original(encoder)(
        input_ids=ids, attention_mask=valid, output_hidden_states=True
    ).hidden_states


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_last_blocks_are_read_the_last_first(encoder):
    net = tuned.build(encoder, "float32").eval()
    states, mask = net.read(*TOKENS, Reading(2, 20, False))
    assert states.shape == (2, 11, net.width) and states.dtype == torch.float32
    assert torch.equal(mask, TOKENS[1])
    close(states[0], net(*TOKENS))
    for alone, of_clip in zip(TOKENS[0].split(LENGTHS), states.split(LENGTHS, 1), strict=True):
        hidden = states_of(encoder, alone.T)
        close(of_clip[0], hidden[-1][0])
        close(of_clip[1], hidden[-2][0])


@pytest.mark.parametrize("longest", [6, 9, 20])
def test_with_padding_states_are_those_of_a_padded_pass_at_all_places(encoder, longest):
    net = tuned.build(encoder, "float32").eval()
    states, mask = net.read(*TOKENS, Reading(2, longest, True))
    assert mask.shape == (3, longest) and mask.all()
    ids = torch.full((3, longest), net.model.config.pad_token_id)
    valid = torch.zeros(3, longest, dtype=torch.long)
    for clip, own in enumerate(TOKENS[0].split(LENGTHS)):
        ids[clip, : len(own)], valid[clip, : len(own)] = own[:, 0], 1
    hidden = states_of(encoder, ids, valid)
    close(states[0], hidden[-1].flatten(0, 1))
    close(states[1], hidden[-2].flatten(0, 1))


def test_valid_states_do_not_depend_on_whether_padding_is_read(encoder):
    net = tuned.build(encoder, "float32").eval()
    states, mask = net.read(*TOKENS, Reading(2, 12, False))
    padded, _ = net.read(*TOKENS, Reading(2, 12, True))
    there = torch.nn.functional.pad(mask, (0, 12 - mask.shape[1])).flatten()
    close(states, padded[:, there])


@pytest.mark.parametrize("padding", [True, False])
def test_a_long_text_keeps_its_last_token(encoder, padding):
    net = tuned.build(encoder, "float32").eval()
    states, mask = net.read(*TOKENS, Reading(2, 4, padding))
    assert mask.shape == (3, 4) and mask.sum(1).tolist() == ([4] * 3 if padding else [3, 4, 2])
    (own,) = (x[1] for x in [states.unflatten(1, (3, 4))[0]]) if padding else (states[0, 3:7],)
    close(own, states_of(encoder, torch.tensor([[2, 7, 8, 3]]))[-1][0])


def test_ids_are_cut_before_the_last_of_each_text():
    ids = torch.tensor([[2, 7, 3, 0, 0], [2, 7, 8, 9, 3], [2, 7, 8, 3, 0]])
    mask = torch.arange(5) < torch.tensor([[3], [5], [4]])
    kept, valid = shortened(ids, mask, 3, "end")
    assert kept.tolist() == [[2, 7, 3], [2, 7, 3], [2, 7, 3]] and valid.all()
    kept, valid = shortened(ids, mask, 4, "end")
    assert kept.tolist() == [[2, 7, 3, 0], [2, 7, 8, 3], [2, 7, 8, 3]]
    assert valid.sum(1).tolist() == [3, 4, 4]
    kept, valid = shortened(ids, mask, 3, "start")  # what stands last stays: the clip's own words
    assert kept[1].tolist() == [2, 9, 3] and valid[1].all()
    assert shortened(ids, mask, 5, "end")[0] is ids and ids[1].tolist() == [2, 7, 8, 9, 3]


class Core(torch.nn.Module):
    """Tell what it was given; it reads two blocks."""

    reading = Reading(2, 8, True)

    def forward(self, features, mask):
        return features, mask


def test_a_model_with_a_reading_gets_its_blocks_and_sound_as_ever():
    chosen = {"acoustic": "small-wavlm", "linguistic": "small-bert"}
    built = {m: tuned.build(encoders.resolve(n), "float32") for m, n in chosen.items()}
    voice = sounds(encoders.resolve("small-wavlm"))
    streams = {"linguistic": TOKENS, "acoustic": voice}
    features, mask = ({s: pair[i] for s, pair in streams.items()} for i in (0, 1))
    model = tuned.FineTuned(Core(), built).eval()
    seen, masks = model(features, mask)
    assert seen["linguistic"].shape == (2, 24, built["linguistic"].width)
    assert masks["linguistic"].shape == (3, 8) and masks["linguistic"].all()
    assert seen["acoustic"].shape == (len(voice[0]), built["acoustic"].width)
    assert torch.equal(masks["acoustic"], voice[1])


def test_gradients_reach_the_last_block_and_those_before(folder):
    net = tuned.build(encoders.resolve(str(folder / "bert")), "float32").train()
    states, _ = net.read(*TOKENS, Reading(2, 8, True))
    states.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_texts_padded_beyond_the_positions_of_the_encoder_are_refused(encoder):
    net = tuned.build(encoder, "float32").eval()
    net.read(*TOKENS, Reading(2, POSITIONS, True))
    with pytest.raises(UserError, match=f"{POSITIONS} positions") as error:
        net.read(*TOKENS, Reading(2, POSITIONS + 1, True))
    assert str(POSITIONS + 1) in str(error.value)
    net.read(*TOKENS, Reading(2, POSITIONS + 1, False))  # texts are cut where they are read
