"""Standardisation: by the training part alone, constant columns at zero, and CMU-MOSI with it."""

import numpy as np
import pytest

from msalib import encoders
from msalib.data import datasets
from msalib.data.corpus import Features
from msalib.data.readers.standardise import moments, standardised
from tests.data.readers.toolbox import needs
from tests.factory import write_pack

RNG = np.random.default_rng(0)
TRAIN = np.arange(20)


def features(values, lengths=None) -> Features:
    lengths = np.ones(len(values), int) if lengths is None else lengths
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Features("dice", "clip", {1: values}, offsets, {"note": "thrown", "values": "old"})


def test_test_clips_are_moved_and_scaled_as_training_clips():
    values = RNG.normal([5, -100], [0.1, 50], (40, 2)).astype(np.float32)
    made = standardised(features(values), TRAIN, "some").layers[1]
    np.testing.assert_allclose(made[:20].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(made[:20].std(0), 1, rtol=1e-6)
    seen = values[:20].astype(float)
    np.testing.assert_allclose(
        made[20:], (values[20:] - seen.mean(0)) / seen.std(0), rtol=1e-5, atol=1e-5
    )
    changed = values.copy()
    changed[20:] *= 3
    again = standardised(features(changed), TRAIN, "some").layers[1]
    np.testing.assert_array_equal(again[:20], made[:20])  # whatever the test clips are


def test_a_column_that_is_constant_in_training_is_zero_everywhere():
    values = RNG.normal(size=(40, 2)).astype(np.float32)
    values[:20, 1] = 0.1
    made = standardised(features(values), TRAIN, "some").layers[1]
    assert (made[:, 1] == 0).all() and made[:, 0].any()


def test_all_frames_of_the_chosen_clips_count():
    values = RNG.normal(3, 2, (9, 2))
    made = standardised(features(values, [2, 3, 4]), np.array([0, 2]), "some").layers[1]
    chosen = values[[0, 1, 5, 6, 7, 8]]
    np.testing.assert_allclose(made, (values - chosen.mean(0)) / chosen.std(0), rtol=1e-5)


def test_the_provenance_names_the_change():
    before = features(RNG.normal(size=(40, 2)))
    after = standardised(before, TRAIN, "the first clips")
    assert after.provenance["standardised"] == "the first clips"
    assert after.provenance["note"].startswith("thrown; standardised by column over the first")
    assert len(after.provenance["values"]) == 64
    assert before.provenance["values"] == "old"


def test_moments_do_not_depend_on_the_order_of_additions():
    values = RNG.normal(1e3, 1e-3, (1000, 3))
    one, two = moments(values), moments(values[::-1])
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


# --- CMU-MOSI -----------------------------------------------------------------------------------


@pytest.fixture
def mosi(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    values = RNG.normal([200, 0, 1], [50, 1, 0.1], (40, 3))
    order = [f"v{i // 4}_{i % 4}" for i in range(40)]
    return write_pack(tmp_path / "mosi", arrays={"id": np.array(order), "audio_opensmile": values})


def test_mosi_standardised_is_mosi_with_other_values(mosi):
    plain, made = datasets.load("mosi"), datasets.load("mosi-standardised")
    assert datasets.folder("mosi-standardised") == "mosi"
    assert datasets.is_available("mosi-standardised")
    assert made.fingerprint() == plain.fingerprint()
    one, two = (corpus.features["acoustic"] for corpus in (plain, made))
    assert one.provenance["values"] != two.provenance["values"]
    assert two.provenance["standardised"] == "the training part of the standard split"
    train = made.rows("train", "standard")
    np.testing.assert_allclose(two.layers[1][train].mean(0), 0, atol=1e-6)
    seen = one.layers[1][train].astype(float)
    np.testing.assert_allclose(
        two.layers[1], (one.layers[1] - seen.mean(0)) / seen.std(0), rtol=1e-4, atol=1e-5
    )
    assert any("one of the 3 openSMILE values has mean" in note for note in made.notes)
    assert not plain.notes


def test_its_transcripts_are_encoded_once_for_both(mosi):
    encoder = encoders.ENCODERS["minilm"]
    names = [datasets.load(name).name for name in ("mosi", "mosi-standardised")]
    assert len({encoders.store_folder(name, encoder) for name in names}) == 1


@needs("mosi")
def test_mosi_standardised_is_the_same_on_every_machine(monkeypatch):
    made = datasets.load("mosi-standardised").features["acoustic"]
    assert made.layers[1].shape == (2195, 73)
    assert made.provenance["values"].startswith("0457cf19302e")
    assert (np.ptp(made.layers[1], axis=0) == 0).sum() == 4
