"""Convolved sound: the frames of frozen convolutions are computed once and kept."""

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data.corpus import TUNED
from msalib.encoders import convolved, speech
from tests.clips import corpus, tone, write_wav
from tests.encoders.lazy import transformers
from tests.encoders.tiny import SPEECH_KINDS, save_speech

pytest.importorskip("soundfile", reason="sound needs the extra media")

SAMPLES = [9_000, 5_000, 100]


@pytest.fixture
def paths(tmp_path):
    return [write_wav(tmp_path / f"{n}.wav", tone(s, n)) for n, s in enumerate(SAMPLES)]


@pytest.fixture
def encoder(tmp_path):
    folder = save_speech(tmp_path / "tiny-data2vec", "data2vec", {})
    return encoders.resolve(str(folder))


@pytest.fixture
def passes(monkeypatch):
    """Count the times that a model is loaded."""
    loaded = []

    def pretrained(encoder, original=speech.pretrained):
        loaded.append(encoder.name)
        return original(encoder)

    monkeypatch.setattr(speech, "pretrained", pretrained)
    return loaded


def alone(encoder, wave):
    model = transformers.AutoModel.from_pretrained(encoder.model, dtype=torch.float32).eval()
    with torch.no_grad():
        return model.feature_extractor(torch.as_tensor(wave)[None])[0].T.numpy()


def normalised(wave):
    return ((wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)).astype(np.float32)


def test_clips_are_cut_normalised_filled_and_convolved_one_by_one(paths, encoder):
    stereo = np.stack([tone(9_000, 1), tone(9_000, 2)], axis=1)
    write_wav(paths[0], stereo)
    with pytest.warns(UserWarning) as caught:
        features = convolved.frames(corpus(acoustic=paths), encoder, 0.5)
    messages = [str(w.message) for w in caught if "clips of toy" in str(w.message)]
    assert ["longer than 0.5 s" in m for m in messages] == [True, False]
    frames, lengths = features.layers[TUNED], features.lengths().tolist()
    assert frames.dtype == np.float32 and isinstance(frames, np.memmap)
    config = transformers.AutoConfig.from_pretrained(encoder.model)
    assert lengths == [speech.frames(config, n) for n in (8_000, 5_000, 400)] == [24, 15, 1]
    silence = np.zeros(300, np.float32)
    waves = stereo.mean(1)[:8_000], tone(5_000, 1), tone(100, 2)
    heard = [normalised(wave) for wave in waves]
    heard[2] = np.concatenate([normalised(tone(100, 2)), silence])
    for ours, wave in zip(np.split(frames, np.cumsum(lengths)[:-1]), heard, strict=True):
        np.testing.assert_allclose(ours, alone(encoder, wave), atol=2e-5)
    provenance = features.provenance
    assert provenance["waveform"].startswith("normalised") and provenance["longest"] == "0.5 s"
    assert provenance["sound"] == "16 kHz, mean of the channels"
    assert provenance["truncated"] == "1 of 3 clips" and provenance[speech.SHORT] == "1"
    assert len(provenance["fingerprint"]) == 64 and provenance["encoder"] == encoder.model
    assert provenance["revision"] == encoders.revision(encoder)


def test_sound_is_taken_as_it_is_where_the_preprocessor_says_so(paths):
    small = encoders.resolve("small-wavlm")
    features = convolved.frames(corpus(acoustic=paths[:2]), small, 30.0)
    assert features.provenance["waveform"] == "as it is"
    expected = np.concatenate([alone(small, tone(s, n)) for n, s in enumerate(SAMPLES[:2])])
    np.testing.assert_allclose(features.layers[TUNED], expected, atol=2e-5)


def test_frames_are_computed_once_and_again_for_other_sound_or_seconds(paths, encoder, passes):
    data = corpus(acoustic=paths[:2])
    first = convolved.frames(data, encoder, 30.0).layers[TUNED]
    again = convolved.frames(data, encoder, 30.0).layers[TUNED]
    assert len(passes) == 1 and np.array_equal(first, again) and first.filename == again.filename
    with pytest.warns(UserWarning, match="2 of 2 clips of toy are longer than 0.1 s"):
        short = convolved.frames(data, encoder, 0.1).layers[TUNED]
    assert len(passes) == 2 and len(short) < len(first) and short.filename != first.filename
    write_wav(paths[0], tone(6_000, 9))
    changed = convolved.frames(data, encoder, 30.0)
    assert len(passes) == 3 and len(changed.layers[TUNED]) < len(first)
    convolved.frames(data, encoder, 30.0)
    assert len(passes) == 3


def test_a_killed_pass_is_continued(paths, encoder, passes, monkeypatch):
    data = corpus(acoustic=paths[:2])
    whole = convolved.frames(data, encoder, 30.0).layers[TUNED][:].copy()
    (folder,) = {p.parent for p in encoders.store_folder("toy", encoder).parent.glob("*/meta.json")}
    folder.rename(folder.with_name("other"))
    computed = []

    def prepare(wave, *settings, original=speech.prepare):
        computed.append(len(wave))
        if len(computed) == 2:
            raise KeyboardInterrupt
        return original(wave, *settings)

    monkeypatch.setattr("msalib.encoders.store.SAVE_EVERY", 0.0)
    monkeypatch.setattr(speech, "prepare", prepare)
    with pytest.raises(KeyboardInterrupt):
        convolved.frames(data, encoder, 30.0)
    assert not folder.exists()
    again = convolved.frames(data, encoder, 30.0).layers[TUNED]
    assert np.array_equal(again, whole) and computed == [9_000, 5_000, 5_000]
    assert not list(folder.parent.glob("*.partial")) and not list(folder.parent.glob("*.look"))


def test_clips_without_sound_and_models_of_another_kind_are_refused(tmp_path, paths, encoder):
    with pytest.raises(UserError, match="no media for the acoustic modality"):
        convolved.frames(corpus(visual=["a"]), encoder, 30.0)
    paths[1].unlink()
    with pytest.raises(UserError, match="expected the file of a clip"):
        convolved.frames(corpus(acoustic=paths), encoder, 30.0)


def test_silence_after_a_clip_changes_its_frames_under_a_group_norm_alone(tmp_path):
    """As in MMML's release, which pads every clip to six seconds before the convolutions."""
    wave = tone(9_000)
    padded = np.concatenate([wave, np.zeros(96_000 - 9_000, np.float32)])
    for n, (family, kind) in enumerate(SPEECH_KINDS):
        encoder = encoders.resolve(str(save_speech(tmp_path / f"{n}-{family}", family, kind)))
        own = alone(encoder, wave)
        gap = np.abs(alone(encoder, padded)[: len(own)] - own).max()
        assert (gap < 1e-5) == (kind.get("feat_extract_norm") != "group"), (family, kind)
