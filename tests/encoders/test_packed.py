"""Packed clips: where frames belong, how far positions reach, and that clips do not mix."""

import pytest
import torch

from msalib.encoders import packed
from tests.encoders.tiny import CONVOLUTIONS, SIZES, speech_classes

MASK = torch.tensor([[1, 1, 0], [0, 0, 0], [1, 1, 1]], dtype=torch.bool)


def layout():
    places = packed.Layout()
    places.set(MASK)
    return places


def test_a_layout_leaves_out_clips_without_frames():
    assert layout().lengths == [2, 3] and layout().longest == 3
    assert layout().mask().tolist() == [[True, True, False], [True, True, True]]


def test_frames_that_are_padded_and_taken_again_are_the_same():
    frames = torch.arange(1.0, 11.0).view(5, 2)
    padded = layout().pad(frames, 4)
    assert padded[..., 0].tolist() == [[1, 3, 0, 0], [5, 7, 9, 0]]
    assert torch.equal(layout().take(padded), frames)
    padded[0, 2:], padded[1, 3:] = torch.nan, torch.nan
    assert torch.equal(layout().take(padded), frames)


@pytest.mark.parametrize(
    ("family", "changes", "frames"),
    [
        ("data2vec", {}, 36),  # five kernels of 19; the first reads zeros either way
        ("wavlm", {}, 0),
        ("wav2vec2", {}, 0),
        ("hubert", {}, 0),
        ("hubert", {"conv_pos_batch_norm": True}, 64),
    ],
)
def test_how_far_positions_look_beyond_the_zeros(family, changes, frames):
    config, model = speech_classes(family)
    with torch.device("meta"):
        network = model(config(**SIZES | CONVOLUTIONS | changes))
    assert packed.reach(network.encoder.pos_conv_embed) == frames


def test_attention_is_computed_by_the_fused_kernel_clip_by_clip(monkeypatch):
    config, model = speech_classes("data2vec")
    network = model(config(**SIZES | CONVOLUTIONS)).eval()
    places = packed.pack(network, 299)
    places.set(MASK)
    seen = []
    fused = torch.nn.functional.scaled_dot_product_attention

    def counted(query, *others, **settings):
        seen.append((query.shape[2], settings.get("attn_mask")))
        return fused(query, *others, **settings)

    monkeypatch.setattr(packed.F, "scaled_dot_product_attention", counted)
    states = torch.randn(5, 16)
    first = network.encoder(states[None]).last_hidden_state[0]
    assert seen == 2 * [(2, None), (3, None)]
    states[2:] += 1
    second = network.encoder(states[None]).last_hidden_state[0]
    torch.testing.assert_close(first[:2], second[:2])
    assert not torch.allclose(first[2:], second[2:], atol=1e-2)
