"""Tests for leakage: planted leaks are found, honest features are not accused."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest

from msalib.base import paths
from msalib.data import datasets as readers
from msalib.data.corpus import TUNED, Features
from msalib.data.simulate import features as simulate
from msalib.evidence import audit
from msalib.evidence.audit import (
    leakage,
    leakage_findings,
    power,
    probe,
)
from tests.evidence.audit.corpora import (
    PERMUTATIONS,
    corpus,
    leaking,
    one_frame,
    only,
    severities,
    with_split,
)


def test_labels_of_test_videos_are_found_and_honest_features_are_not_accused():
    made = leaking(corpus(), np.arange(24, 40))
    findings, probes = leakage_findings.check(made, "standard", PERMUTATIONS)
    assert "error" in severities(findings, "visual")
    assert severities(findings, "acoustic") == {"ok"}
    (error,) = [f for f in findings if f.severity == "error" and "training videos" in f.message]
    assert "feature 3" in error.message and "p = 0.0017" in error.message  # 1 / 600
    assert error.remedy
    assert {p.modality for p in probes} == {"acoustic", "visual"}


def test_labels_of_validation_videos_only_are_a_warning():
    made = leaking(corpus(), np.arange(28))
    findings, _ = leakage_findings.check(made, "standard", PERMUTATIONS)
    assert severities(findings, "visual") == {"warning", "note"}
    assert any("Choose no epoch" in f.remedy for f in findings)


def test_a_leak_spread_over_all_parts_shows_in_videos_that_are_far_easier():
    made = leaking(corpus(videos=60, clips=20), np.arange(0, 60, 2), noise=0.3)
    findings, _ = leakage_findings.check(made, "standard", PERMUTATIONS)
    (told,) = [f for f in findings if f.about.startswith("visual")]
    assert told.severity == "warning" and "Some videos are far easier" in told.message
    assert "perhaps also of the test set" in told.message
    assert severities(findings, "acoustic") == {"ok"}


def test_the_makers_split_tells_which_test_clips_they_had_seen():
    used = np.arange(0, 40, 2)
    made = leaking(corpus(), used, noise=1.5)
    number = pd.factorize(made.utterances["video"])[0]
    made = with_split(made, "makers", np.where(np.isin(number, used), "train", "test"))
    findings, _ = leakage_findings.check(made, "standard", PERMUTATIONS)
    (error,) = [f for f in findings if f.severity == "error" and "makers" in f.message]
    assert "60 of 120 (50.0%) test clips" in error.message
    # On their own split the same features have seen no test clip.
    own, _ = leakage_findings.check(made, "makers", PERMUTATIONS)
    assert "error" not in severities(own, "visual")


def test_what_the_makers_saw_of_validation_is_a_warning():
    used = np.arange(16, 28)
    made = leaking(corpus(), used)
    number = pd.factorize(made.utterances["video"])[0]
    made = with_split(made, "makers", np.where(np.isin(number, used), "train", "test"))
    findings, _ = leakage_findings.check(made, "standard", PERMUTATIONS)
    (warning,) = [f for f in findings if "By split 'makers'" in f.message]
    assert warning.severity == "warning"
    assert "80 of 80 (100.0%) validation clips" in warning.message


def test_honest_controls_are_rarely_accused_and_planted_leaks_are_found(monkeypatch):
    monkeypatch.setattr(power, "PERMUTATIONS", PERMUTATIONS)
    place = power.PLACEMENTS[1]
    alarms = found = 0
    for seed in range(5):
        made = power.honest(seed)
        alarms += power.judged(made)[1]
        found += power.judged(power.leaking(made, place.shares, 0.5, seed))[0]
    assert alarms <= 1
    assert found >= 4


@pytest.mark.parametrize("name", ["control", "control-opposite"])
def test_the_controls_of_the_book_are_not_accused(name):
    planted = simulate.STORIES[name]
    made = simulate.control(
        profiles={m: ratios[-2:] for m, ratios in planted.profiles().items()},
        speaker_effect=planted.speaker_effect,
    )
    findings, _ = leakage_findings.check(made, "standard", PERMUTATIONS)
    assert {f.severity for f in findings} == {"ok"}


def committed(name: str) -> audit.Report:
    path = paths.BOOK / "records" / "audit" / f"{name}-report.json"
    return audit.Report.model_validate_json(path.read_bytes())


def check_mosi(standard: audit.Report, unseen: audit.Report) -> None:
    def leaks(found, about):
        return severities([f for f in found.findings if f.group == "leakage"], about)

    assert "error" in leaks(standard, "linguistic: text_cnn")
    assert "error" in leaks(standard, "visual: visual_3dcnn")
    assert "warning" in leaks(unseen, "visual: visual_3dcnn")
    assert "error" not in leaks(unseen, "visual: visual_3dcnn")
    levels = {p.modality: p.parts for p in unseen.probes}["visual"]
    assert levels["valid"].r > levels["test"].r + 0.5
    for found in (standard, unseen):
        assert leaks(found, "acoustic: audio_opensmile") == {"ok"}


def test_the_recorded_audits_of_mosi_flag_what_leaks_and_nothing_else():
    check_mosi(committed("mosi-leaky"), committed("mosi-leaky-unseen"))


def test_mosi_is_flagged_without_its_makers_split():
    if not readers.is_available("mosi-leaky"):
        pytest.skip("CMU-MOSI is not available (MSALIB_DATA)")
    made = readers.load("mosi-leaky")
    check_mosi(
        *(
            audit.examine(made, name, name, split, {}, PERMUTATIONS)
            for name, split in (("mosi-leaky", "standard"), ("mosi-leaky-unseen", "features"))
        )
    )
    blind = replace(made, splits={"standard": made.splits["standard"]})
    findings, _ = leakage_findings.check(blind, "standard", PERMUTATIONS)
    for modality in ("linguistic", "visual"):  # a sign of it, if no proof
        assert severities(findings, modality) <= {"warning", "error"}
    assert severities(findings, "acoustic") == {"ok"}


def test_predictions_are_those_of_a_ridge_regression_fitted_on_other_units():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x, unit = rng.normal(size=(120, 4)), np.arange(120) // 6
    label = x @ [1, 0.5, 0, 0] + rng.normal(size=120)
    guess = probe.predictions(x, label, unit)
    z, fold = (x - x.mean(0)) / x.std(0), probe._folds(unit)
    for k in range(10):
        rest = fold != k
        fitted = [Ridge(p).fit(z[rest], label[rest]) for p in probe.PENALTIES]
        wanted = [z[fold == k] @ ridge.coef_ for ridge in fitted]
        assert min(np.abs(w - guess[fold == k]).max() for w in wanted) < 1e-9


def test_pooling_is_the_mean_over_frames_in_any_block(monkeypatch):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 9, 30))])
    x = rng.normal(size=(offsets[-1], 3))
    wanted = [x[a:b].mean(0) for a, b in pairwise(offsets)]
    features = Features("made", "frame", {0: x * 0, 1: x}, offsets)
    for block in (1, 40, 10**6):
        monkeypatch.setattr(probe, "BLOCK", block)
        np.testing.assert_allclose(probe.pooled(features), wanted)
    x[0, 0] = np.nan
    assert np.isfinite(probe.pooled(features)).all()


def test_many_columns_are_reduced_and_still_predict(monkeypatch):
    monkeypatch.setattr(probe, "WIDEST", 20)
    rng = np.random.default_rng(0)
    label = rng.normal(size=300)
    x = rng.normal(size=(300, 60)) + label[:, None] * (np.arange(60) < 30)
    z = (x - x.mean(0)) / x.std(0)
    assert probe._standard(x).shape == (300, 20)
    assert np.allclose(probe._standard(x[:, :9]), z[:, :9])
    assert np.corrcoef(probe.predictions(x, label, np.arange(300) // 5), label)[0, 1] > 0.9


def test_the_difference_is_that_of_correlations_and_its_p_value_that_of_all_assignments():
    rng = np.random.default_rng(3)
    unit, label = np.arange(48) // 6, rng.normal(size=48)
    scores = label + rng.normal(size=48)
    scores[12:] = rng.normal(size=36)

    def difference(units):
        high = np.isin(unit, list(units))
        r = [np.corrcoef(scores[rows], label[rows])[0, 1] for rows in (high, ~high)]
        return r[0] - r[1]

    high = unit < 2
    found = leakage.easier(scores[:, None], label, unit, high, ~high, 2000)
    assert found.difference == pytest.approx(difference({0, 1}))
    every = [difference(chosen) for chosen in combinations(range(8), 2)]
    assert found.p == pytest.approx(np.mean(np.array(every) >= found.difference - 1e-9), abs=0.02)


def test_of_several_scores_the_largest_difference_counts_in_its_own_direction():
    rng = np.random.default_rng(0)
    unit, label = np.arange(200) // 5, rng.normal(size=200)
    scores = rng.normal(size=(200, 3))
    high = unit < 10
    scores[high, 2] = -label[high]  # the other way round is as good
    found = leakage.easier(scores, label, unit, high, ~high, 299)
    assert found.place == 2 and found.p == pytest.approx(1 / 300)
    assert leakage.easier(np.ones((200, 1)), label, unit, high, ~high, 99) is None


def test_videos_may_differ_a_little():
    rng = np.random.default_rng(0)
    video, label = np.arange(1200) // 20, rng.normal(size=1200)
    slope = np.clip(1 + 0.2 * rng.normal(size=60), 0, None)[video]
    honest = slope * label + rng.normal(size=1200)
    largest, videos = leakage.uneven(honest[:, None], label, video)
    assert videos == 60 and largest.p > 0.05
    split = np.where(video % 2, label, 0) + 0.5 * rng.normal(size=1200)
    assert leakage.uneven(split[:, None], label, video)[0].p < 1e-6
    assert leakage.uneven(split[:, None], label, np.arange(1200)) is None  # one clip each


def test_speakers_are_exchanged_where_they_keep_to_one_part():
    made = corpus()
    video = pd.factorize(made.utterances["video"])[0]

    def units(speaker):
        table = made.utterances.assign(speaker=speaker)
        return leakage.units(replace(made, utterances=table), "standard")

    assert units(video // 2).kind == "speaker" and units(video // 2).number.max() == 19
    assert units("one").kind == "video"  # who is in every part
    # Two voices in every video, one of them in two: these go together.
    voices = [f"{v}{i % 2}" for i, v in enumerate(video)]
    voices[10] = voices[0]
    assert units(voices).number.max() == 38


def test_where_parts_share_videos_the_gain_from_that_is_measured():
    made = corpus()
    rng = np.random.default_rng(0)
    # Videos have a mood of their own and a face of their own.
    video = pd.factorize(made.utterances["video"])[0]
    mood, face = rng.normal(size=40), rng.normal(size=(40, 30))
    label = np.clip(mood[video] + 0.3 * rng.normal(size=400), -3, 3)
    made = replace(made, utterances=made.utterances.assign(label=label))
    made = made.with_features("visual", one_frame(face[video] + 0.1 * rng.normal(size=(400, 30))))
    mixed = with_split(made, "mixed", rng.choice(["train", "valid", "test"], 400))
    assert leakage.units(mixed, "mixed") is None
    findings, _ = leakage_findings.check(mixed, "mixed", PERMUTATIONS)
    sharing = only(findings, check="shared videos")
    assert sharing.severity == "warning" and "visual +" in sharing.message
    assert not [
        f for f in leakage_findings.check(mixed, "standard", 99)[0] if f.check == "shared videos"
    ]


def test_without_features_there_is_nothing_to_probe():
    findings, probes = leakage_findings.check(corpus(features={}), "standard", 99)
    assert [f.message for f in findings] == ["There are no features to probe."] and not probes


def test_features_that_cannot_be_probed_are_told():
    made = corpus(videos=10, clips=3)
    made = made.with_features("visual", one_frame(np.zeros((30, 2))))
    tuned = Features("bert", "word piece", {TUNED: np.zeros((30, 1), int)}, np.arange(31))
    made = made.with_features("linguistic", tuned)
    findings, probes = leakage_findings.check(made, "standard", 99)
    assert only(findings, about="linguistic").severity == "note"
    constant = only(findings, about="visual: made")
    assert "undefined / undefined / undefined" in constant.message
    flat = {p.modality: p for p in probes}["visual"]
    assert flat.parts["test"].r is None and not flat.comparisons
