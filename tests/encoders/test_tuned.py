"""Fine-tuned encoders: what they read, and that padding, precision and seeds do as they should."""

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data.corpus import TUNED
from msalib.encoders import speech, tuned
from tests.clips import corpus, tone, write_wav
from tests.encoders.lazy import transformers
from tests.encoders.tiny import (
    POSITIONS,
    SPEECH_KINDS,
    save_bert,
    save_roberta,
    save_speech,
    texts,
)

SAMPLES = [4_800, 400, 7_000]


@pytest.fixture
def bert(tmp_path):
    return encoders.resolve(str(save_bert(tmp_path / "tiny-bert")))


def text_models(folder):
    yield encoders.resolve("small-bert")
    yield encoders.resolve(str(save_bert(folder / "bert")))
    yield encoders.resolve(str(save_roberta(folder / "roberta")))


def speech_models(folder, **changes):
    yield encoders.resolve("small-wavlm")
    for n, (family, kind) in enumerate(SPEECH_KINDS):
        path = save_speech(folder / f"{n}-{family}", family, kind | changes)
        yield encoders.Encoder(path.name, "acoustic", str(path))


def frames_of(*clips):
    """Frames (S, 1) of clips laid end to end, and their mask (B, T)."""
    lengths = torch.tensor([[len(clip)] for clip in clips])
    flat = torch.cat([torch.as_tensor(clip) for clip in clips])
    return flat[:, None], torch.arange(int(lengths.max())) < lengths


TOKENS = frames_of([2, 7, 3], [2, 7, 8, 9, 5, 3], [2, 3])


def sounds():
    return frames_of(*(tone(samples, n) for n, samples in enumerate(SAMPLES)))


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


def test_waveforms_are_means_of_channels_cut_and_filled(tmp_path):
    pytest.importorskip("soundfile", reason="sound needs the extra media")
    channels = np.stack([tone(9_000, 1), tone(9_000, 2)], axis=1)
    paths = [write_wav(tmp_path / "0.wav", channels), write_wav(tmp_path / "1.wav", tone(100))]
    (tmp_path / "models").mkdir()
    normalising, as_it_is = list(speech_models(tmp_path / "models"))[1], "small-wavlm"
    for encoder, said in ((normalising, "normalised"), (encoders.resolve(as_it_is), "as it is")):
        with pytest.warns(UserWarning) as caught:
            features = tuned.inputs(corpus(acoustic=paths), encoder, seconds=0.5)
        messages = [str(w.message) for w in caught if "clips of toy" in str(w.message)]
        assert [m[:26] for m in messages] == [
            "1 of 2 clips of toy are lo",
            "1 of 2 clips of toy are sh",
        ]
        waves = features.layers[TUNED]
        assert waves.dtype == np.float32 and waves.shape == (8_400, 1)
        assert features.lengths().tolist() == [8_000, 400]
        expected = channels.mean(1)[:8_000]
        if said == "normalised":
            expected = (expected - expected.mean()) / np.sqrt(expected.var() + 1e-7)
        np.testing.assert_allclose(waves[:8_000, 0], expected, atol=1e-5)
        assert not waves[8_100:].any()
        assert features.provenance["waveform"].startswith(said)
        assert features.provenance["sound"] == "16 kHz, mean of the channels"
        assert len(features.provenance["fingerprint"]) == 64


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
        states, same = net(frames, mask)
        assert same is mask and states.shape == (11, net.width) and states.dtype == torch.float32
        original = transformers.AutoModel.from_pretrained(encoder.model, dtype=torch.float32).eval()
        for alone, of_clip in zip(frames.split([3, 6, 2]), states.split([3, 6, 2]), strict=True):
            with torch.no_grad():
                expected = original(alone.T).last_hidden_state[0]
            torch.testing.assert_close(of_clip, expected, atol=1e-5, rtol=1e-5)


def test_speech_gives_the_last_states_of_valid_frames_whatever_the_padding(tmp_path):
    frames, mask = sounds()
    for encoder in speech_models(tmp_path):
        net = tuned.build(encoder, "float32").eval()
        states, valid = net(frames, mask)
        lengths = [speech.frames(net.model.config, samples) for samples in SAMPLES]
        assert valid.sum(1).tolist() == lengths and valid.shape == (3, max(lengths))
        assert states.shape == (sum(lengths), net.width) and states.dtype == torch.float32
        original = transformers.AutoModel.from_pretrained(encoder.model, dtype=torch.float32).eval()
        for alone, of_clip in zip(frames.split(SAMPLES), states.split(lengths), strict=True):
            with torch.no_grad():
                expected = original(alone.T).last_hidden_state[0]
            assert len(expected) == len(of_clip)
            torch.testing.assert_close(of_clip, expected, rtol=0, atol=1e-4)


def test_a_clip_without_sound_has_no_states():
    net = tuned.build(encoders.resolve("small-wavlm"), "float32").eval()
    wave = tone(4_000)
    alone, _ = net(*frames_of(wave))
    states, valid = net(*frames_of(np.zeros(0, np.float32), wave))
    torch.testing.assert_close(states, alone, rtol=0, atol=1e-5)
    assert valid.sum(1).tolist() == [0, len(alone)]
    states, valid = net(torch.zeros(0, 1), torch.zeros(2, 1, dtype=torch.bool))
    assert states.shape == (0, 64) and valid.shape == (2, 1) and not valid.any()


@pytest.mark.parametrize("name", ["small-bert", "small-wavlm"])
def test_half_precision_is_near_and_comes_back_as_float32(name):
    frames, mask = TOKENS if name == "small-bert" else sounds()
    exact, _ = tuned.build(encoders.resolve(name), "float32").eval()(frames, mask)
    lower, _ = tuned.build(encoders.resolve(name), "bfloat16").eval()(frames, mask)
    assert lower.dtype == torch.float32
    assert 0 < (lower - exact).abs().max() < 0.2 * exact.abs().max()


# --- in training --------------------------------------------------------------------------------


def still(net: torch.nn.Module) -> set[str]:
    """Names of the parameters that a loss on all states would not move."""
    return {n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()}


def test_every_weight_moves_but_the_convolutions(tmp_path):
    both = [(e, TOKENS) for e in text_models(tmp_path)]
    both += [(e, sounds()) for e in speech_models(tmp_path, layerdrop=0.0)]
    for encoder, (frames, mask) in both:
        net = tuned.build(encoder, "float32").train()
        torch.manual_seed(0)
        states, _ = net(frames, mask)
        (states * torch.randn_like(states)).sum().backward()
        frozen = {n for n, p in net.named_parameters() if not p.requires_grad}
        assert frozen == {n for n in still(net) if ".feature_extractor." in n}, encoder.name
        # A constant that is added to all keys changes no attention.
        keys = {n for n, _ in net.named_parameters() if n.endswith(("key.bias", "k_proj.bias"))}
        assert still(net) - frozen <= keys, encoder.name


def test_the_seed_decides_what_is_dropped_and_hidden(tmp_path):
    state = np.random.get_state()[1].copy()
    for encoder, (frames, mask) in (
        (encoders.resolve("small-wavlm"), sounds()),
        (next(iter(list(text_models(tmp_path))[1:])), TOKENS),
    ):
        net = tuned.build(encoder, "float32").train()

        def states(seed, net=net, frames=frames, mask=mask):
            torch.manual_seed(seed)
            return net(frames, mask)[0]

        assert torch.equal(states(1), states(1))
        assert not torch.equal(states(1), states(2))
        assert (np.random.get_state()[1] == state).all()


def test_hidden_spans_are_as_many_and_as_long_as_configured():
    net = tuned.build(encoders.resolve("small-wavlm"), "float32").train()
    config = net.model.config
    config.mask_time_prob, config.mask_time_length, config.mask_time_min_masks = 0.3, 5, 2
    frames = torch.randn(100, 64)
    counts = []
    for _ in range(50):
        hidden = (net._with_spans_hidden(frames) == net.model.masked_spec_embed).all(1)
        counts.append(int(hidden.sum()))
    assert min(counts) > 5 and max(counts) <= 7 * 5 and np.mean(counts) > 20
    assert (net._with_spans_hidden(frames[:4]) == frames[:4]).all()  # shorter than a span
    config.apply_spec_augment = False
    assert net._with_spans_hidden(frames) is frames


class Core(torch.nn.Module):
    """Tell what it was given."""

    def forward(self, features, mask):
        return features, mask


def test_the_model_reads_the_states_of_its_encoders_and_other_streams_as_they_are():
    words, voice = TOKENS, sounds()
    face = torch.randn(9, 4), torch.ones(3, 3, dtype=torch.bool)
    features = {"visual": face[0], "acoustic": voice[0], "linguistic": words[0]}
    mask = {"visual": face[1], "acoustic": voice[1], "linguistic": words[1]}
    chosen = {"acoustic": "small-wavlm", "linguistic": "small-bert"}
    built = {m: tuned.build(encoders.resolve(n), "float32") for m, n in chosen.items()}
    model = tuned.FineTuned(Core(), built).eval()
    seen, masks = model(features, mask)
    assert seen["visual"] is face[0] and masks["visual"] is face[1]
    for stream, encoder in built.items():
        states, valid = encoder(features[stream], mask[stream])
        assert torch.equal(seen[stream], states) and torch.equal(masks[stream], valid)
    assert features["acoustic"] is voice[0] and mask["acoustic"] is voice[1]
    assert isinstance(model.core, Core) and list(model.encoders) == ["acoustic", "linguistic"]
