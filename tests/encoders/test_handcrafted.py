"""Handcrafted features: sizes, values, layer 1, provenance, and each refusal."""

from importlib.util import find_spec

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.encoders import Encoder, handcrafted, media, weights
from msalib.encoders.extraction import extract, read
from tests.clips import corpus, tone, write_wav

pytest.importorskip("soundfile", reason="sound needs the extra media")
needs_opensmile = pytest.mark.skipif(
    find_spec("opensmile") is None,
    reason='openSMILE is not installed (pip install -e ".[opensmile]")',
)
needs_librosa = pytest.mark.skipif(
    find_spec("librosa") is None, reason='librosa is not installed (pip install -e ".[media]")'
)


def extractor(name: str) -> Encoder:
    return Encoder(name, "acoustic", "", 1, None, handcrafted=True)


@pytest.fixture
def data(tmp_path):
    samples = (16_000, 9_000, 20_001)
    return corpus(
        acoustic=[write_wav(tmp_path / f"{n}.wav", tone(s, n)) for n, s in enumerate(samples)]
    )


@needs_librosa
def test_log_mel_has_layer_one_and_the_sizes_of_the_paper(data, tmp_path):
    mel = extractor("log-mel")
    folder = extract(data, mel, tmp_path / "store")
    features = read(data, mel, folder)
    assert sorted(p.name for p in folder.glob("layer*")) == ["layer_01.npy"]
    assert features.blocks == (1,)
    assert features.layers[1].dtype == np.float32
    assert features.layers[1].shape == (51 + 29 + 63, 128)
    assert features.lengths().tolist() == [51, 29, 63]
    assert features.unit == "0.02 s of speech"
    assert features.provenance["revision"].startswith("librosa ")
    with pytest.raises(UserError, match=r"layer 0 of log-mel"):
        features.select(0)


@needs_librosa
def test_log_mel_follows_pitch_and_loudness():
    time = np.arange(16_000) / 16_000
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (300, 3000))
    bands = [handcrafted.log_mel(w)[25].argmax() for w in (low, high)]
    assert bands[0] < bands[1]
    louder = handcrafted.log_mel(low).max() - handcrafted.log_mel(low / 10).max()
    assert louder == pytest.approx(20, abs=1e-3)
    assert np.ptp(handcrafted.log_mel(low)) <= 80 + 1e-3
    assert np.isfinite(handcrafted.log_mel(0 * low)).all()


@needs_librosa
def test_coarse_log_mel_is_the_mean_of_ten_frames(data, tmp_path):
    stores = {
        name: read(data, extractor(name), extract(data, extractor(name), tmp_path / name))
        for name in ("log-mel", "log-mel-coarse")
    }
    fine, coarse = stores["log-mel"], stores["log-mel-coarse"]
    assert coarse.unit == "0.2 s of speech" and coarse.blocks == (1,)
    assert fine.lengths().tolist() == [51, 29, 63] and coarse.lengths().tolist() == [6, 3, 7]
    assert coarse.layers[1].dtype == np.float32 and coarse.layers[1].shape == (16, 128)
    for clip in range(3):
        frames, means = (f.layers[1][f.offsets[clip] : f.offsets[clip + 1]] for f in (fine, coarse))
        for step, mean in enumerate(means):  # the last one of those that are left
            expected = frames[10 * step : 10 * step + 10].astype(float).mean(0) / 40 + 1
            np.testing.assert_allclose(mean, expected, rtol=0, atol=1e-6)


def test_the_scale_of_coarse_log_mel_is_that_of_decibels_and_of_no_data():
    about = handcrafted.ABOUT["log-mel-coarse"][0]
    assert about.endswith("scaled by the same rule for all data: -80 dB is -1, 0 dB is 1")
    assert "means of 10 windows, the last of those that are left" in about
    levels = np.repeat([[-80.0], [-40.0], [0.0], [20.0]], 10, 0)
    assert handcrafted.coarse(levels)[:, 0].tolist() == [-1, 0, 1, 1.5]
    assert handcrafted.coarse(levels[:31])[:, 0].tolist() == [-1, 0, 1, 1.5]
    assert handcrafted.coarse(levels[:1]).tolist() == [[-1]]


@needs_opensmile
@pytest.mark.parametrize(("name", "dim"), [("opensmile", 88), ("opensmile-frames", 25)])
def test_opensmile_gives_what_its_package_gives(data, tmp_path, name, dim):
    import opensmile

    smile = extractor(name)
    folder = extract(data, smile, tmp_path / "store")
    features = read(data, smile, folder)
    level = "Functionals" if name == "opensmile" else "LowLevelDescriptors"
    theirs = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=getattr(opensmile.FeatureLevel, level),
    )
    stop = features.offsets[1]
    wave = media.sound(data.media["acoustic"][0], "first")
    expected = theirs.process_signal(wave, 16_000).to_numpy()
    np.testing.assert_array_equal(features.layers[1][:stop], expected)
    assert features.layers[1].shape[1] == dim
    assert (features.lengths() == 1).all() == (name == "opensmile")
    assert features.provenance["features"].startswith("eGeMAPSv02")
    assert features.provenance["revision"].startswith("opensmile ")


@needs_opensmile
def test_a_clip_too_short_for_opensmile_is_refused_by_name(tmp_path):
    data = corpus(acoustic=[write_wav(tmp_path / "a.wav", tone(40))])
    named = r"a\.wav\): found 0\.003 s of sound, for which eGeMAPSv02"
    with pytest.raises(UserError, match=named):
        extract(data, extractor("opensmile"), tmp_path / "store")
    assert not (tmp_path / "store").exists()


@needs_librosa
def test_presets_media_and_versions_tell_stores_apart(data, tmp_path, monkeypatch):
    mel = extractor("log-mel")
    folder = extract(data, mel, tmp_path / "store")
    with pytest.raises(UserError, match="features of other clips"):
        read(data, mel, folder, "article")
    monkeypatch.setattr(weights, "revision", lambda encoder: "librosa 0")
    with pytest.raises(UserError, match="expected revision librosa 0"):
        read(data, mel, folder)


def test_a_missing_package_is_refused_and_a_store_read_without_it(data, tmp_path, monkeypatch):
    mel = extractor("log-mel")
    folder = tmp_path / "store"
    if find_spec("librosa"):
        extract(data, mel, folder)

    def missing(package):
        raise weights.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(weights.metadata, "version", missing)
    if folder.exists():
        read(data, mel, folder)
    with pytest.raises(UserError, match=r"no package opensmile.* pip install -e \"\.\[opensmile"):
        extract(data, extractor("opensmile"), tmp_path / "other")
