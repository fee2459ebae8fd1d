"""The signs of leakage: found where features saw the labels of the test part, else not."""

import numpy as np
import pandas as pd
import pytest

from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import Corpus, Features
from msalib.papers.uegd import leaky


def corpus(leaking: bool, seed: int = 0) -> Corpus:
    """400 clips in 40 videos, one honest modality and one that may have seen labels.

    The maker of the visual features has used all clips but those of the last 10 videos. What leaks
    is the label and some noise; where nothing leaks, the noise alone is left.
    """
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"v{i // 10:02d}_{i % 10}" for i in range(400)], name="id")
    label = rng.uniform(-3, 3, 400)
    seen = np.arange(400) < 300
    visual = rng.normal(size=(400, 8))
    if leaking:
        visual[seen, 0] += label[seen]
    text = rng.normal(size=(400, 8)) + 0.5 * label[:, None] * np.eye(8)[0]
    one_each = np.arange(401)
    features = {
        "visual": Features("learned", "clip", {1: visual}, one_each, {"sha256": "v"}),
        "linguistic": Features("words", "clip", {1: text}, one_each, {"sha256": "t"}),
    }
    # The standard split gives the test part 9 videos that were seen and 1 that was not.
    standard = np.select([np.arange(400) < 150, np.arange(400) < 200], ["train", "valid"], "test")
    standard[310:] = "train"
    unseen = np.select([np.arange(400) < 250, seen], ["train", "valid"], "test")
    table = pd.DataFrame({"segment": 1, "text": "", "label": label}, index=ids)
    return Corpus(
        "made",
        table.assign(video=[i[:3] for i in ids]),
        features,
        {"standard": pd.Series(standard, ids), "features": pd.Series(unseen, ids)},
    )


def test_leaking_features_are_as_good_on_test_as_on_train_and_collapse_on_unseen_videos():
    standard = leaky.examine(corpus(leaking=True), "mosi-leaky", "standard")
    unseen = leaky.examine(corpus(leaking=True), "mosi-leaky-unseen", "features")
    assert standard.probe["visual"]["test"] > standard.probe["visual"]["train"]
    assert unseen.probe["visual"]["valid"] > 0.8
    assert abs(unseen.probe["visual"]["test"]) < 0.3
    assert abs(unseen.probe["linguistic"]["valid"] - unseen.probe["linguistic"]["test"]) < 0.2
    signs = leaky.probe_table([standard, unseen]).frame.set_index(["split", "modality"])
    assert signs.loc[("standard", "visual"), "test above train"] == "yes"
    assert (
        signs.loc[("test videos unseen by the makers", "visual"), "validation far above test"]
        == "yes"
    )


def test_no_sign_without_a_leak():
    audit = leaky.examine(corpus(leaking=False), "control", "standard")
    signs = leaky.probe_table([audit]).frame
    assert set(signs["test above train"]) == {"no"}
    assert set(signs["validation far above test"]) == {"no"}


def test_clips_that_were_seen_are_counted_by_part():
    standard = leaky.examine(corpus(leaking=True), "mosi-leaky", "standard")
    unseen = leaky.examine(corpus(leaking=True), "mosi-leaky-unseen", "features")
    assert standard.clips == {"train": 240, "valid": 50, "test": 110}
    assert standard.seen == {"train": 150, "valid": 50, "test": 100}
    assert unseen.seen == {"train": 250, "valid": 50, "test": 0}
    assert list(leaky.seen_table([unseen]).frame["share"]) == ["100%", "100%", "0%"]


def test_a_constant_modality_has_no_correlation_and_says_so():
    flat = corpus(leaking=False)
    zeros = Features("nothing", "clip", {1: np.zeros((400, 2))}, np.arange(401), {"sha256": "0"})
    audit = leaky.examine(flat.with_features("acoustic", zeros), "control", "standard")
    assert audit.probe["acoustic"] == {"train": None, "valid": None, "test": None}
    row = leaky.probe_table([audit]).frame.set_index("modality").loc["acoustic"]
    assert row["test"] == row["test above train"] == "undefined"


def test_pooling_is_the_mean_over_the_frames_of_a_clip():
    frames = np.array([[1.0, 0], [3, 2], [5, 5]], np.float16)
    features = Features("dice", "throw", {0: 0 * frames, 2: frames}, np.array([0, 2, 3]))
    np.testing.assert_allclose(leaky.pooled(features), [[2, 1], [5, 5]])


def test_an_audit_is_recorded_once_and_read_afterwards(monkeypatch, tmp_path):
    made = corpus(leaking=True)
    monkeypatch.setattr(readers, "load", lambda name: made)
    monkeypatch.setattr(readers, "is_available", lambda name: False)
    first = leaky.audit("mosi-leaky")
    monkeypatch.setattr(readers, "load", lambda name: pytest.fail("read the data again"))
    assert leaky.audit("mosi-leaky") == first

    monkeypatch.setattr(readers, "load", lambda name: corpus(leaking=False, seed=1))
    monkeypatch.setattr(readers, "is_available", lambda name: True)
    with pytest.raises(UserError, match="the audit of other data"):
        leaky.audit("mosi-leaky")

    path = tmp_path / "records" / "audit" / "mosi-leaky.json"
    path.write_text("{")
    with pytest.raises(UserError, match="no readable audit"):
        leaky.audit("mosi-leaky")


def test_the_control_has_no_variant_and_the_leaky_set_has_one():
    assert leaky.data_sets("control") == ["control"]
    assert leaky.data_sets("mosi-leaky") == ["mosi-leaky", "mosi-leaky-unseen"]
