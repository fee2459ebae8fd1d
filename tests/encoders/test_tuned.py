"""Fine-tuned encoders: what they read, and that padding, precision and seeds do as they should."""

import warnings

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data.corpus import TUNED
from msalib.encoders import speech, tuned
from tests.clips import corpus, tone, write_wav
from tests.encoders.tiny import (
    POSITIONS,
    save_bert,
    texts,
)
from tests.encoders.tuned_common import (
    SAMPLES,
    TOKENS,
    batch_of,
    convolved,
    frames_of,
    original,
    sounds,
    speech_models,
    text_models,
)


@pytest.fixture
def bert(tmp_path):
    return encoders.resolve(str(save_bert(tmp_path / "tiny-bert")))


# --- what they read -----------------------------------------------------------------------------


def test_tokens_of_every_text_as_int32(bert):
    spoken = ["a good film", "", "bad"]
    features = tuned.inputs(texts(spoken), bert)
    ids = features.layers[TUNED]
    assert ids.dtype == np.int32 and ids.shape == (features.offsets[-1], 1)
    assert ids[:, 0].tolist() == [2, 5, 7, 9, 10, 3, 2, 3, 2, 8, 3]  # CLS is 2, SEP 3
    assert features.lengths().tolist() == [6, 2, 3]
    assert features.provenance["revision"] == encoders.revision(bert)
    assert features.provenance["encoder"] == bert.model


def test_a_long_text_is_cut_before_its_end_mark(bert):
    with pytest.warns(UserWarning, match="1 of 2 texts of toy are longer than the 40 tokens"):
        features = tuned.inputs(texts(["a", "good " * 60]), bert)
    ids = features.layers[TUNED][features.offsets[1] :, 0]
    assert len(ids) == POSITIONS and ids[0] == 2 and ids[-1] == 3


def test_the_context_of_a_text_is_what_was_said_before_oldest_first(bert):
    data = texts(["a", "bad", "good"])
    data.utterances["text_context"] = ["", "a", "a\nbad"]
    features = tuned.inputs(data, bert, context="separate")
    assert features.layers[TUNED][:, 0].tolist() == [2, 3, 2, 5, 3, 2, 5, 3, 8, 3]
    joined = tuned.inputs(data, bert, context="joined")
    assert joined.lengths().tolist() == [3, 5, 7]
    assert joined.layers[TUNED][-7:, 0].tolist() == [2, 5, 3, 8, 3, 7, 3]


def test_a_long_context_loses_its_oldest_tokens(bert):
    data = texts(["good", "a"])
    data.utterances["text_context"] = ["", "good " * 60]
    with pytest.warns(UserWarning, match="1 of 2 texts of toy are longer than the 40 tokens"):
        features = tuned.inputs(data, bert, context="joined")
    ids = features.layers[TUNED][features.offsets[1] :, 0]
    assert len(ids) == POSITIONS and ids[0] == 2 and ids[-3:].tolist() == [3, 5, 3]


def test_sound_is_what_the_frozen_convolutions_make_of_it(tmp_path):
    pytest.importorskip("soundfile", reason="sound needs the extra media")
    wave = tone(9_000)
    paths = [write_wav(tmp_path / "0.wav", wave)]
    encoder = encoders.resolve("small-wavlm")
    features = tuned.inputs(corpus(acoustic=paths), encoder, folder=tmp_path / "store")
    frames, _ = convolved(encoder, wave)
    np.testing.assert_allclose(features.layers[TUNED], frames, atol=1e-5)
    assert features.provenance["encoder"] == encoder.argument
    assert features.provenance["longest"] == "30 s" and (tmp_path / "store").is_dir()


@pytest.mark.parametrize("name", ["small-clip", "log-mel", "clip-vit-l14"])
def test_pictures_and_handcrafted_features_are_refused(name):
    encoder = encoders.resolve(name)
    assert not encoder.tunable
    for call in (
        lambda: tuned.inputs(corpus(acoustic=[]), encoder),
        lambda: tuned.build(encoder, "float32"),
    ):
        with pytest.raises(UserError, match="a model of text or speech") as error:
            call()
        assert name in error.value.where and "frozen" in error.value.remedy


# --- what they return ---------------------------------------------------------------------------


def test_text_gives_the_last_states_of_every_token_whatever_the_padding(tmp_path):
    frames, mask = TOKENS
    for encoder in text_models(tmp_path):
        net = tuned.build(encoder, "float32").eval()
        assert net.model.config._attn_implementation == "sdpa"
        states = net(frames, mask)
        assert states.shape == (11, net.width) and states.dtype == torch.float32
        model = original(encoder)
        for alone, of_clip in zip(frames.split([3, 6, 2]), states.split([3, 6, 2]), strict=True):
            with torch.no_grad():
                expected = model(alone.T).last_hidden_state[0]
            torch.testing.assert_close(of_clip, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["small-bert", "small-wavlm"])
def test_a_clip_without_frames_has_no_states(name):
    encoder = encoders.resolve(name)
    net = tuned.build(encoder, "float32").train()
    frames, mask = batch_of(encoder)
    some = torch.zeros(len(mask) + 2, mask.shape[1], dtype=torch.bool)
    some[[0, 2, 4]] = mask
    net.eval()
    torch.testing.assert_close(net(frames, some), net(frames, mask), rtol=0, atol=1e-6)
    none = net(frames[:0], torch.zeros(2, 1, dtype=torch.bool))
    assert none.shape == (0, net.width) and none.dtype == torch.float32


@pytest.mark.parametrize("name", ["small-bert", "small-wavlm"])
def test_half_precision_is_near_and_comes_back_as_float32(name):
    encoder = encoders.resolve(name)
    frames, mask = batch_of(encoder)
    exact = tuned.build(encoder, "float32").eval()(frames, mask)
    lower = tuned.build(encoder, "bfloat16").eval()(frames, mask)
    assert lower.dtype == torch.float32
    assert 0 < (lower - exact).abs().max() < 0.2 * exact.abs().max()


# --- in which padding ---------------------------------------------------------------------------


def padded_states(encoder, clips, width):
    """Return the last states of frames (T, C) in a batch padded to ``width`` with zeros."""
    model = original(encoder)
    frames = torch.nn.utils.rnn.pad_sequence([*clips, torch.zeros(width, clips[0].shape[1])])
    frames = frames.transpose(0, 1)[:-1, :width]
    mask = torch.arange(width) < torch.tensor([[len(clip)] for clip in clips])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
        projected = model.feature_projection(frames)
        states = projected[0] if isinstance(projected, tuple) else projected
        states = model.encoder(states, attention_mask=mask).last_hidden_state
    return [of_clip[: len(clip)] for of_clip, clip in zip(states, clips, strict=True)]


def states_of(net, clips):
    return net(*frames_of(*clips)).split([len(clip) for clip in clips])


def test_speech_gives_the_same_states_together_alone_and_padded_to_six_seconds(tmp_path):
    torch.manual_seed(0)
    for encoder in speech_models(tmp_path):
        net = tuned.build(encoder, "float32").eval()
        channels = net.model.config.conv_dim[-1]
        clips = [torch.randn(length, channels) for length in (21, 1, 60, 33)]
        together = states_of(net, clips)
        assert [s.shape for s in together] == [(len(clip), net.width) for clip in clips]
        alone = [states_of(net, [clip])[0] for clip in clips]
        for others in (alone, padded_states(encoder, clips, 299)):
            for a, b in zip(together, others, strict=True):
                torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_a_clip_of_the_whole_window_has_no_padding_behind_it(tmp_path):
    """As in a release that pads to a window: there, the end of such a clip sees no zeros."""
    torch.manual_seed(0)
    for encoder in speech_models(tmp_path):
        window = tuned.build(encoder, "float32", seconds=1.0).eval()
        longer = tuned.build(encoder, "float32", seconds=6.0).eval()
        channels = window.model.config.conv_dim[-1]
        clips = [torch.randn(length, channels) for length in (49, 40, 10)]
        for a, b in zip(states_of(window, clips), padded_states(encoder, clips, 49), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
        same = (states_of(window, clips)[0] - states_of(longer, clips)[0]).abs().max() < 1e-5
        sees = window.model.encoder.pos_conv_embed.reach > 0
        assert same != sees, encoder.name


def test_what_the_model_returns_alone_for_a_waveform(tmp_path):
    for encoder in speech_models(tmp_path):
        net = tuned.build(encoder, "float32").eval()
        config = net.model.config
        if net.model.encoder.pos_conv_embed.reach:  # alone, it has no padding in transformers
            net.model.encoder.pos_conv_embed.limit = 0
        lengths = [speech.frames(config, samples) for samples in SAMPLES]
        for n, (samples, length) in enumerate(zip(SAMPLES, lengths, strict=True)):
            states = net(*convolved(encoder, tone(samples, n)))
            with torch.no_grad():
                expected = original(encoder)(torch.as_tensor(tone(samples, n))[None])
            assert states.shape == (length, net.width)
            torch.testing.assert_close(states, expected.last_hidden_state[0], rtol=0, atol=1e-4)


# --- in training --------------------------------------------------------------------------------


def still(net: torch.nn.Module) -> set[str]:
    """Names of the parameters that a loss on all states would not move."""
    return {n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()}


def test_every_weight_moves(tmp_path):
    models = [*text_models(tmp_path), *speech_models(tmp_path, layerdrop=0.0)]
    for encoder in models:
        net = tuned.build(encoder, "float32").train()
        torch.manual_seed(0)
        states = net(*batch_of(encoder))
        (states * torch.randn_like(states)).sum().backward()
        assert all(p.requires_grad for p in net.parameters())
        assert not any("feature_extractor" in n for n, _ in net.named_parameters())
        # A constant that is added to all keys changes no attention.
        keys = {n for n, _ in net.named_parameters() if n.endswith(("key.bias", "k_proj.bias"))}
        assert still(net) <= keys, encoder.name


def test_the_seed_decides_what_is_dropped_and_hidden(tmp_path):
    state = np.random.get_state()[1].copy()
    for encoder in (encoders.resolve("small-wavlm"), list(text_models(tmp_path))[1]):
        net = tuned.build(encoder, "float32").train()
        frames, mask = batch_of(encoder)

        def states(seed, net=net, frames=frames, mask=mask):
            torch.manual_seed(seed)
            return net(frames, mask)

        assert torch.equal(states(1), states(1))
        assert not torch.equal(states(1), states(2))
        assert (np.random.get_state()[1] == state).all()


def test_a_dropped_layer_is_one_that_is_not_there(tmp_path):
    """Nothing reads a layer by its number, which would move with those that are dropped."""
    still_ones = {n: 0.0 for n in ("hidden_dropout", "attention_dropout", "activation_dropout")}
    still_ones |= {"feat_proj_dropout": 0.0, "apply_spec_augment": False, "layerdrop": 0.5}
    for encoder in list(speech_models(tmp_path, **still_ones))[1:]:
        net = tuned.build(encoder, "float32").train()
        frames, mask = sounds(encoder)
        layers, drawn = net.model.encoder.layers, []
        outcomes = []
        for kept in ([0, 1], [0], [1], []):
            net.eval()
            if net.model.config.model_type == "wavlm" and 0 not in kept:
                continue  # its first layer makes the bias of all, and is never dropped
            net.model.encoder.layers = torch.nn.ModuleList(layers[k] for k in kept)
            outcomes.append(net(frames, mask))
        net.train().model.encoder.layers = layers
        torch.manual_seed(0)
        for _ in range(40):
            states = net(frames, mask)
            drawn.append([torch.allclose(states, o, atol=1e-5) for o in outcomes].index(True))
        assert set(drawn) == set(range(len(outcomes))), encoder.name


def test_hidden_spans_are_as_many_and_as_long_as_configured():
    lengths = torch.tensor([100, 4, 0, 5, 11, 60])
    counts = []
    for _ in range(200):
        hidden = tuned.spans(lengths, share=0.3, span=5, least=2)
        assert hidden.shape == (6, 100) and not hidden[torch.arange(100) >= lengths[:, None]].any()
        counts.append(hidden.sum(1).tolist())
    first, short, none, whole, two, other = map(np.array, zip(*counts, strict=True))
    assert first.min() > 5 and first.max() <= 7 * 5 and first.mean() > 20
    assert not short.any() and not none.any() and (whole == 5).all()
    assert set(two) <= set(range(6, 11)) and other.min() > 5 and other.max() <= 4 * 5
    # Spans overlap, but begin at different frames; every frame can be hidden.
    torch.manual_seed(0)
    often = sum(tuned.spans(lengths, share=0.3, span=5, least=2).float() for _ in range(500))
    assert (often[torch.arange(100) < torch.where(lengths < 5, 0, lengths)[:, None]] > 0).all()


def test_spans_are_hidden_in_training_alone():
    encoder = encoders.resolve("small-wavlm")
    net = tuned.build(encoder, "float32")
    frames, mask = sounds(encoder)
    seen = []
    net.model.encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0][0]))
    config = net.model.config
    config.mask_time_prob, config.mask_time_length, config.feat_proj_dropout = 0.5, 3, 0.0
    net.train()(frames, mask)
    hidden = (seen[0] == net.model.masked_spec_embed).all(1)
    assert 6 <= hidden.sum() < len(frames)
    net.eval()(frames, mask)
    config.apply_spec_augment = False
    net.train()(frames, mask)
    assert not any((states == net.model.masked_spec_embed).all(1).any() for states in seen[1:])
