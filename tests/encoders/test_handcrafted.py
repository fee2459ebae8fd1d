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
    with pytest.raises(UserError, match=r"a\.wav: found 0\.003 s of sound, for which eGeMAPSv02"):
        extract(data, extractor("opensmile"), tmp_path / "store")
    assert not (tmp_path / "store").exists()


@needs_librosa
def test_presets_media_and_versions_tell_stores_apart(data, tmp_path, monkeypatch):
    mel = extractor("log-mel")
    folder = extract(data, mel, tmp_path / "store")
    with pytest.raises(UserError, match="features of other clips"):
        read(data, mel, folder, "paper")
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
