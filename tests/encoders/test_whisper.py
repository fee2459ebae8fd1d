"""Whisper: layer k is block k, only a clip's own frames are kept, and where weights are found."""

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.encoders import Encoder, speech, weights, whisper
from msalib.encoders.extraction import extract, read
from msalib.encoders.registry import ENCODERS
from tests.clips import corpus, tone, write_wav
from tests.encoders.lazy import transformers
from tests.encoders.tiny import change_weights, save_wavlm, save_whisper

pytest.importorskip("soundfile", reason="sound needs the extra media")

SAMPLES = [8_000, 641, 16_000, 1, 640]
FRAMES = [25, 3, 50, 1, 2]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Encoder:
    folder = save_whisper(tmp_path_factory.mktemp("models") / "tiny")
    return encoders.resolve(f"{folder}-frames")


@pytest.fixture
def sounds(tmp_path) -> list[Path]:
    return [write_wav(tmp_path / f"{n}.wav", tone(s, n)) for n, s in enumerate(SAMPLES)]


def original(folder: str, wave: np.ndarray):
    """Return all states of transformers' own forward pass on the whole window, each (T, D)."""
    model = transformers.WhisperModel.from_pretrained(folder, dtype=torch.float32).eval()
    seconds = model.config.max_source_positions // 50
    prepare = transformers.WhisperFeatureExtractor(model.config.num_mel_bins, chunk_length=seconds)
    inputs = prepare(wave, sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        found = model.encoder(**inputs, output_hidden_states=True)
        normed = model.encoder.layer_norm
    return [state[0] for state in found.hidden_states], found.last_hidden_state[0], normed


def test_layer_k_is_block_k_and_no_clip_depends_on_another(tiny):
    spectrogram, model = whisper.load(tiny)
    waves = [tone(n, i) for i, n in enumerate(SAMPLES)]
    together = whisper.layers(spectrogram, model, waves, 1)
    assert together.shape == (3, 5, 50, 16)
    for clip, (wave, length) in enumerate(zip(waves, FRAMES, strict=True)):
        alone = whisper.layers(spectrogram, model, [wave], 1)[:, 0]
        assert alone.shape == (3, length, 16)
        torch.testing.assert_close(together[:, clip, :length], alone, rtol=0, atol=1e-5)
        states, last, layer_norm = original(tiny.model, wave)
        for k in (0, 1):  # the last of transformers' states is after the LayerNorm
            torch.testing.assert_close(alone[k], states[k][:length], rtol=0, atol=1e-5)
        with torch.inference_mode():
            torch.testing.assert_close(layer_norm(alone[2]), last[:length], rtol=0, atol=1e-4)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_store_holds_the_frames_of_the_clips_alone(tiny, sounds, tmp_path, monkeypatch, batch):
    monkeypatch.setitem(whisper.CLIPS, "cpu", batch)
    data, few = corpus(acoustic=sounds), encoders.resolve(tiny.model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no clip is too short
        features = read(data, tiny, extract(data, tiny, tmp_path / "all", "cpu"))
    assert features.lengths().tolist() == FRAMES and list(features.layers) == [0, 1, 2]
    assert features.unit == "0.02 s of speech"
    assert features.provenance["window"].startswith("1 s, filled with silence")
    spectrogram, model = whisper.load(tiny)
    for n, (start, stop) in enumerate(pairwise(features.offsets)):
        alone = whisper.layers(spectrogram, model, [tone(SAMPLES[n], n)], 1)[:, 0]
        stored = np.stack([layer[start:stop] for layer in features.layers.values()])
        np.testing.assert_allclose(stored, alone, rtol=2e-3, atol=2e-3)
    tenth = read(data, few, extract(data, few, tmp_path / "few", "cpu"))
    assert tenth.lengths().tolist() == [3, 1, 5, 1, 1] and tenth.unit == "0.2 s of speech"
    assert tenth.provenance["sampling"] == speech.sampling(10)
    assert tenth.provenance["fingerprint"] != features.provenance["fingerprint"]
    kept = [features.layers[2][start:stop:10] for start, stop in pairwise(features.offsets)]
    np.testing.assert_array_equal(tenth.layers[2], np.concatenate(kept))


def test_longer_clips_are_cut_at_the_window_counted_and_warned_of(tiny, tmp_path):
    paths = [write_wav(tmp_path / f"{n}.wav", tone(n)) for n in (16_001, 16_000)]
    data = corpus(acoustic=paths)
    with pytest.warns(UserWarning, match="1 of 2 clips of toy are longer than 1 s, and are cut"):
        folder = extract(data, tiny, tmp_path / "store", "cpu")
    features = read(data, tiny, folder)
    assert features.lengths().tolist() == [50, 50]
    assert features.provenance["truncated"] == "1 of 2 clips"


def test_presets_differ_in_the_channel(tiny, tmp_path):
    both = np.stack([tone(8_000, 1), tone(8_000, 2)], axis=1)
    data = corpus(acoustic=[write_wav(tmp_path / "a.wav", both)])
    spectrogram, model = whisper.load(tiny)
    for preset, wave in (("release", both[:, 0]), ("article", both.mean(axis=1))):
        folder = extract(data, tiny, tmp_path / preset, "cpu", preset=preset)
        features = read(data, tiny, folder, preset)
        expected = whisper.layers(spectrogram, model, [wave], 1)[:, 0]
        stored = np.stack(list(features.layers.values()))
        np.testing.assert_allclose(stored, expected, rtol=2e-3, atol=2e-3)
    with pytest.raises(UserError, match=r"features of other clips, .* --preset article --refresh"):
        read(data, tiny, tmp_path / "release", "article")


def test_other_models_and_encoders_that_lack_a_block_are_refused(sounds, tmp_path):
    data = corpus(acoustic=sounds)
    other = Encoder("x", "acoustic", str(save_wavlm(tmp_path / "wavlm")), module="whisper")
    with pytest.raises(UserError, match="model of type wavlm; expected a model of type whisper"):
        extract(data, other, tmp_path / "store", "cpu")
    folder = save_whisper(tmp_path / "model")
    change_weights(folder, lambda w: [w.pop(name) for name in list(w) if ".decoder." in name])
    extract(data, encoders.resolve(str(folder)), tmp_path / "store", "cpu")  # it is not needed
    change_weights(folder, lambda w: [w.pop(name) for name in list(w) if ".layers.1." in name])
    with pytest.raises(UserError, match=r"weights without \d+ of .* encoder\.layers\.1\."):
        extract(data, encoders.resolve(str(folder)), tmp_path / "other", "cpu")


def test_it_is_not_fine_tuned(tiny):
    from msalib.encoders import tuned

    for encoder in (tiny, ENCODERS["whisper-base"]):
        with pytest.raises(UserError, match="found an encoder of Whisper; expected a model of"):
            tuned.check(encoder)


# --- where weights are --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["whisper-base", "whisper-base-frames"])
def test_a_registered_encoder_may_lie_with_the_data(tmp_path, monkeypatch, name):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    monkeypatch.setattr(weights, "cached", lambda model: None)
    encoder = encoders.resolve(name)
    (tmp_path / "encoders" / "whisper-base").mkdir(parents=True)
    assert not weights.available(encoder)
    assert "encoders/whisper-base in MSALIB_DATA" in weights.source(encoder)
    (tmp_path / "encoders" / "whisper-base").rmdir()
    folder = save_whisper(tmp_path / "encoders" / "whisper-base")
    assert weights.available(encoder) and weights.source(encoder) == str(folder)
    assert weights.revision(encoder) == weights.revision(encoders.resolve(str(folder)))
    assert not weights.available(encoders.resolve("someone/whisper-base"))


def test_the_states_of_the_real_weights_are_those_of_transformers():
    encoder = ENCODERS["whisper-tiny.en"]
    if not weights.available(encoder):
        pytest.skip("the weights of whisper-tiny.en are not on this machine")
    spectrogram, model = whisper.load(encoder)
    wave = tone(24_000)
    found = whisper.layers(spectrogram, model, [wave], 1)[:, 0]
    assert found.shape == (encoder.blocks + 1, 75, encoder.width)
    states, last, layer_norm = original(weights.folder(encoder), wave)
    torch.testing.assert_close(found[:-1], torch.stack(states)[:-1, :75], rtol=0, atol=1e-3)
    with torch.inference_mode():
        torch.testing.assert_close(layer_norm(found[-1]), last[:75], rtol=0, atol=1e-3)
