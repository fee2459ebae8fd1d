"""Speech: layer k is block k, padding changes nothing, presets, and each refusal."""

import json
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base import presets
from msalib.base.errors import UserError
from msalib.encoders import Encoder, clips, forward, media, speech
from msalib.encoders.extraction import extract, read
from tests.clips import corpus, tone, write_wav
from tests.encoders.lazy import transformers
from tests.encoders.tiny import (
    SPEECH_KINDS,
    change_weights,
    save_clip,
    save_speech,
    save_wavlm,
    speech_classes,
)

pytest.importorskip("soundfile", reason="sound needs the extra media")

SAMPLES = [16_000, 4_000, 400, 11_111, 720, 8_000]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Encoder:
    folder = save_wavlm(tmp_path_factory.mktemp("models") / "tiny")
    return Encoder("tiny", "acoustic", str(folder))


@pytest.fixture
def sounds(tmp_path) -> list[Path]:
    return [write_wav(tmp_path / f"{n}.wav", tone(s, n)) for n, s in enumerate(SAMPLES)]


# --- the layers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "changes"), SPEECH_KINDS)
def test_layer_k_is_block_k_and_padding_changes_nothing(tmp_path, family, changes):
    folder = save_speech(tmp_path / "model", family, changes)
    model, _ = speech.load(Encoder("tiny", "acoustic", str(folder)), "release")
    waves = [tone(n, i) for i, n in enumerate(SAMPLES)]
    together = speech.layers(model, waves, 1)
    original = speech_classes(family)[1].from_pretrained(folder).eval()
    for clip, wave in enumerate(waves):
        length = speech.frames(model.config, len(wave))
        alone = speech.layers(model, [wave], 1)[:, 0]
        assert alone.shape == (3, length, 16)
        torch.testing.assert_close(together[:, clip, :length], alone, rtol=0, atol=1e-4)
        seen = []
        hooks = [
            block.register_forward_hook(
                lambda _, args, out, seen=seen: seen.append(
                    (args[0][0], (out[0] if isinstance(out, tuple) else out)[0])
                )
            )
            for block in original.encoder.layers
        ]
        with torch.inference_mode():
            found = original(torch.from_numpy(wave)[None], output_hidden_states=True)
        for hook in hooks:
            hook.remove()
        expected = torch.stack([seen[0][0], *(returned for _, returned in seen)])
        torch.testing.assert_close(alone, expected, rtol=0, atol=1e-4)
        torch.testing.assert_close(alone[1], found.hidden_states[1][0], rtol=0, atol=1e-4)
        # What follows the last block of a large model is no part of it.
        with torch.inference_mode():
            normed = original.encoder.layer_norm(alone[-1])
        last = normed if changes.get("do_stable_layer_norm") else alone[-1]
        torch.testing.assert_close(last, found.last_hidden_state[0], rtol=0, atol=1e-4)


def test_every_clip_of_a_store_is_as_if_alone_at_five_frames_a_second(
    tiny, sounds, tmp_path, monkeypatch
):
    monkeypatch.setitem(speech.FRAMES, "cpu", 60)
    data = corpus(acoustic=sounds)
    folder = extract(data, tiny, tmp_path / "features" / "store", "cpu")
    features = read(data, tiny, folder)
    assert features.lengths().tolist() == [5, 2, 1, 4, 1, 3]  # of 49, 12, 1, 34, 2, 24
    assert list(features.layers) == [0, 1, 2]
    assert features.unit == "0.2 s of speech"
    model, _ = speech.load(tiny, "release")
    for path, (start, stop) in zip(sounds, pairwise(features.offsets), strict=True):
        alone = speech.layers(model, [media.sound(path, "first")], 1)[:, 0, ::10]
        stored = np.stack([layer[start:stop] for layer in features.layers.values()])
        np.testing.assert_allclose(stored, alone, rtol=2e-3, atol=2e-3)
    assert sorted(p.name for p in folder.parent.iterdir()) == [clips.SEEN, "store"]


def test_all_frames_are_kept_where_they_are_asked_for(tiny, sounds, tmp_path):
    data, every = corpus(acoustic=sounds), encoders.resolve(tiny.model + "-frames")
    few = read(data, tiny, extract(data, tiny, tmp_path / "few", "cpu"))
    features = read(data, every, extract(data, every, tmp_path / "all", "cpu"))
    assert features.lengths().tolist() == [49, 12, 1, 34, 2, 24]
    assert features.unit == "0.02 s of speech" and features.source == every.name
    assert features.provenance["sampling"] == "all frames"
    assert features.provenance["fingerprint"] != few.provenance["fingerprint"]
    for k, layer in few.layers.items():
        tenths = [features.layers[k][start:stop:10] for start, stop in pairwise(features.offsets)]
        np.testing.assert_array_equal(layer, np.concatenate(tenths))


def test_stores_that_exist_stay_the_ones_asked_for(tiny, sounds):
    kept = {
        "release": "16 kHz, channel first, waveform as it is, at most 120 s, 5 frames a second",
        "article": "16 kHz, channel mean, waveform normalised where the preprocessor says so, "
        "at most 120 s, 5 frames a second",
    }
    for preset, settings in kept.items():
        extractor = speech.Extractor(corpus(acoustic=sounds), tiny, preset)
        assert extractor.settings() == settings and extractor.unit == "0.2 s of speech"


def test_workers_change_nothing(tiny, sounds, tmp_path, monkeypatch):
    data = corpus(acoustic=sounds)
    here = extract(data, tiny, tmp_path / "here", "cpu")
    monkeypatch.setattr(clips.workers, "number", lambda tasks: 2)
    there = extract(data, tiny, tmp_path / "there", "cpu")
    for path in here.iterdir():
        assert (there / path.name).read_bytes() == path.read_bytes()


def test_bfloat16_is_close_and_its_residual_stream_is_not_rounded(tiny):
    model, _ = speech.load(tiny, "release")
    waves = [tone(9_000, 1), tone(5_000, 2)]
    full = speech.layers(model, waves, 10)
    half = speech.layers(model, waves, 10, "bfloat16")
    assert half.dtype == torch.float32
    assert not torch.equal(half, half.bfloat16().float())
    torch.testing.assert_close(half, full, rtol=0.05, atol=0.05)


# --- presets and counts -------------------------------------------------------------------------


def test_presets_differ_in_channel_and_normalisation(tiny, tmp_path):
    both = np.stack([tone(8000, 1), tone(8000, 2)], axis=1)
    data = corpus(acoustic=[write_wav(tmp_path / "a.wav", both)])
    model, _ = speech.load(tiny, "release")

    def expected(wave):
        return speech.layers(model, [wave], 10)[:, 0]

    release = extract(data, tiny, tmp_path / "release", "cpu")
    paper = extract(data, tiny, tmp_path / "paper", "cpu", preset="article")
    mean = both.mean(axis=1)
    normalised = ((mean - mean.mean()) / np.sqrt(mean.var() + 1e-7)).astype(np.float32)
    for folder, preset, wave, sound, how in (
        (release, "release", both[:, 0], "first channel", "as it is"),
        (paper, "article", normalised, "mean of the channels", "normalised to mean 0, variance 1"),
    ):
        features = read(data, tiny, folder, preset=preset)
        stored = np.stack(list(features.layers.values()))
        np.testing.assert_allclose(stored, expected(wave), rtol=2e-3, atol=2e-3)
        assert features.provenance["preset"] == presets.stored(preset)
        assert features.provenance["sound"] == f"16 kHz, {sound}"
        assert features.provenance["waveform"] == how
        assert features.provenance["sampling"].startswith("frame 0 and every 10th")
    with pytest.raises(UserError, match=r"features of other clips, .* --preset article --refresh"):
        read(data, tiny, release, preset="article")


def test_paper_normalises_only_where_the_preprocessor_does(tmp_path):
    folder = save_wavlm(tmp_path / "model")
    encoder = Encoder("tiny", "acoustic", str(folder))
    for said, normalise in ((None, True), (True, True), (False, False)):
        if said is not None:
            (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": said}))
        assert speech.load(encoder, "article")[1] is normalise
        assert speech.load(encoder, "release")[1] is False


def test_long_and_short_clips_are_counted_and_warned_of(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(speech, "SECONDS", 1)
    paths = [write_wav(tmp_path / f"{n}.wav", tone(n)) for n in (20_000, 16_000, 399, 1)]
    data = corpus(acoustic=paths)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        folder = extract(data, tiny, tmp_path / "store", "cpu")
    told = [str(w.message) for w in said if "clips of toy" in str(w.message)]
    assert told == [
        "1 of 4 clips of toy are longer than 1 s, and are cut there",
        "2 of 4 clips of toy are shorter than one frame (400 samples), and are filled with silence",
    ]
    features = read(data, tiny, folder)
    assert features.lengths().tolist() == [5, 5, 1, 1]
    assert features.provenance["truncated"] == "1 of 4 clips"
    assert features.provenance[speech.SHORT] == "2"


def test_the_frames_of_other_strides_are_as_many_a_second():
    config = transformers.WavLMConfig(conv_dim=(4, 4), conv_kernel=(10, 4), conv_stride=(8, 20))
    assert speech.every(config, 5) == 20  # of 100 a second
    assert speech.every(config, 50) == 2
    assert speech.receptive_field(config) == 10 + 3 * 8
    assert speech.frames(config, 34) == 1
    assert speech.frames(config, 33) == 0


# --- stores and refusals ------------------------------------------------------------------------


def test_a_store_is_left_alone_until_media_or_weights_change(sounds, tmp_path, monkeypatch):
    encoder = Encoder("tiny", "acoustic", str(save_wavlm(tmp_path / "model")))
    data = corpus(acoustic=sounds)
    folder = extract(data, encoder, tmp_path / "store", "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(speech, "load", None)  # would fail if called
        looked = tmp_path / "store.look"
        looked.touch()  # as if killed just after the store got its name
        assert extract(data, encoder, folder, "cpu") == folder
        assert not looked.exists()
    write_wav(sounds[2], tone(500))
    for call in (read, extract):
        with pytest.raises(UserError, match="features of other clips"):
            call(data, encoder, folder)
    extract(data, encoder, folder, "cpu", refresh=True)
    read(data, encoder, folder)
    old = encoders.revision(encoder)
    save_wavlm(Path(encoder.model), hidden_size=32)
    with pytest.raises(UserError, match=f"tiny revision {old}; expected revision"):
        read(data, encoder, folder)


def test_a_clip_that_cannot_be_decoded_leaves_nothing(tiny, sounds, tmp_path):
    sounds[3].write_bytes(b"RIFF")
    folder = tmp_path / "features" / "store"
    with pytest.raises(UserError, match=r"3\.wav\): found content that cannot be decoded"):
        extract(corpus(acoustic=sounds), tiny, folder, "cpu")
    assert not folder.exists()
    write_wav(sounds[3], tone(4_000))
    extract(corpus(acoustic=sounds), tiny, folder, "cpu")  # only 3 is looked at anew
    assert not folder.with_name("store.look").exists()


def test_other_models_and_weights_that_lack_a_block_are_refused(sounds, tmp_path):
    data = corpus(acoustic=sounds)
    clip = Encoder("clip", "acoustic", str(save_clip(tmp_path / "clip")))
    with pytest.raises(UserError, match="model of type clip_vision_model; expected a model of"):
        extract(data, clip, tmp_path / "store", "cpu")
    folder = save_wavlm(tmp_path / "model")
    change_weights(folder, lambda w: [w.pop(name) for name in list(w) if ".layers.1." in name])
    lacking = Encoder("tiny", "acoustic", str(folder))
    with pytest.raises(UserError, match=r"weights without \d+ of .* encoder\.layers\.1\.attention"):
        extract(data, lacking, tmp_path / "store", "cpu")


def test_a_corpus_without_sound_and_an_unknown_preset_are_refused(tiny, tmp_path):
    data = corpus(visual=[tmp_path])
    with pytest.raises(UserError, match="no media for the acoustic modality"):
        extract(data, tiny, tmp_path / "store", "cpu")
    with pytest.raises(UserError, match="preset 'mine'"):
        extract(data, tiny, tmp_path / "store", "cpu", preset="mine")


def test_a_cpu_computes_in_float32():
    assert forward.precision("cpu") == "float32"
