"""Models behind fine-tuned encoders: streams share an encoder, silence stands for no context."""

import warnings

import pytest
import torch

from msalib import encoders
from msalib.encoders import tuned
from tests.encoders.tuned_common import (
    TOKENS,
    batch_of,
    frames_of,
    original,
    sounds,
)


class Core(torch.nn.Module):
    """Tell what it was given."""

    def forward(self, features, mask):
        return features, mask


def test_the_model_reads_the_states_of_its_encoders_and_other_streams_as_they_are():
    chosen = {"acoustic": "small-wavlm", "linguistic": "small-bert"}
    built = {m: tuned.build(encoders.resolve(n), "float32") for m, n in chosen.items()}
    voice = sounds(encoders.resolve("small-wavlm"))
    streams = {
        "visual": (torch.randn(9, 4), torch.ones(3, 3, dtype=torch.bool)),
        "acoustic": voice,
        "linguistic": TOKENS,
        "linguistic_context": frames_of([2, 5, 3], [], [2, 3]),
        "acoustic_context": (voice[0][:0], torch.zeros(3, 1, dtype=torch.bool)),
        "visual_context": (torch.randn(3, 4), torch.ones(3, 1, dtype=torch.bool)),
    }
    features, mask = ({s: pair[i] for s, pair in streams.items()} for i in (0, 1))
    model = tuned.FineTuned(Core(), built).eval()
    seen, masks = model(features, mask)
    assert list(seen) == list(masks) == list(streams)
    for stream, (frames, valid) in streams.items():
        assert masks[stream] is valid and features[stream] is frames
        encoder = built.get(stream.removesuffix("_context"))
        states = frames if encoder is None else encoder(frames, valid)
        assert torch.equal(seen[stream], states)
    assert isinstance(model.core, Core) and list(model.encoders) == ["acoustic", "linguistic"]


@pytest.mark.parametrize("stream", ["linguistic", "acoustic"])
def test_a_clip_and_its_context_share_one_encoder(stream):
    encoder = encoders.resolve({"linguistic": "small-bert", "acoustic": "small-wavlm"}[stream])
    model = tuned.FineTuned(Core(), {stream: tuned.build(encoder, "float32")}).eval()
    alone = sum(p.numel() for p in tuned.build(encoder, "float32").parameters())
    assert sum(p.numel() for p in model.parameters()) == alone
    frames, mask = batch_of(encoder)
    features, masks = ({stream: x, f"{stream}_context": x} for x in (frames, mask))
    states, _ = model(features, masks)
    assert torch.equal(*states.values())
    weight = next(
        p
        for n, p in model.named_parameters()
        if n.endswith("v_proj.weight") or n.endswith("value.weight")
    )
    (own,) = torch.autograd.grad(states[stream].square().sum(), weight, retain_graph=True)
    (both,) = torch.autograd.grad(sum(s.square().sum() for s in states.values()), weight)
    torch.testing.assert_close(both, 2 * own)


class Hearing(Core):
    hears_silence = True


def test_a_clip_without_context_hears_silence_where_the_model_asks_for_it():
    """As with six seconds of zeros and an empty mask, of which transformers spares one frame."""
    encoder = encoders.resolve("small-wavlm")
    net = tuned.build(encoder, "float32", seconds=6.0)
    frames, mask = sounds(encoder)
    some = torch.zeros(len(mask) + 1, mask.shape[1], dtype=torch.bool)
    some[[0, 2, 3]] = mask
    streams = ({"acoustic_context": frames}, {"acoustic_context": some})
    plain, _ = tuned.FineTuned(Core(), {"acoustic": net}).eval()(*streams)
    heard, valid = tuned.FineTuned(Hearing(), {"acoustic": net}).eval()(*streams)
    lengths = valid["acoustic_context"].sum(1).tolist()
    assert lengths == [*mask[:1].sum(1).tolist(), 298, *mask[1:].sum(1).tolist()]
    states = heard["acoustic_context"].split(lengths)
    others = torch.cat([states[0], *states[2:]])
    torch.testing.assert_close(others, plain["acoustic_context"], rtol=0, atol=1e-5)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
        silent, none = torch.zeros(1, 96_000), torch.zeros(1, 96_000, dtype=torch.long)
        expected = original(encoder)(silent, attention_mask=none).last_hidden_state[0]
    torch.testing.assert_close(states[1], expected[:298], rtol=0, atol=1e-4)


@pytest.mark.parametrize("context", [True, False])
def test_sound_of_several_clips_is_cut_to_what_is_let_in(context):
    """Context keeps its beginning, a stream that ends with the clip itself its end."""
    frames = torch.arange(9.0)[:, None]
    mask = torch.arange(6) < torch.tensor([[6], [0], [3]])
    kept, valid = tuned.capped(frames, mask, 4, context)
    assert valid.sum(1).tolist() == [4, 0, 3]
    assert kept[:, 0].tolist() == [*((0, 1, 2, 3) if context else (2, 3, 4, 5)), 6, 7, 8]
    assert tuned.capped(frames, mask, 6, context)[0] is frames
