"""The audit: each check finds what was planted, tests for leakage keep to their level."""

import json
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import TUNED, Corpus, Features
from msalib.data.simulate import features as simulate
from msalib.evidence import audit
from msalib.evidence.audit import (
    identity,
    independence,
    integrity,
    leakage,
    leakage_findings,
    power,
    probe,
)
from msalib.evidence.printed import table as printed
from msalib.pages import audit as pages
from tests.factory import write_pack
from tests.html import read

PERMUTATIONS = 599


def one_frame(values, source="made") -> Features:
    return Features(source, "clip", {1: np.asarray(values)}, np.arange(len(values) + 1))


def corpus(videos: int = 40, clips: int = 10, seed: int = 0, **fields) -> Corpus:
    """Clips with honest acoustic features; parts 20/8/12 of 40 videos by name."""
    rng = np.random.default_rng(seed)
    count = videos * clips
    ids = pd.Index([f"v{i // clips:03d}_{i % clips}" for i in range(count)], name="id")
    label = rng.uniform(-3, 3, count).round(2)
    sound = rng.normal(size=(count, 6)) + 0.3 * label[:, None] * np.eye(6)[0]
    video = np.arange(count) // clips
    part = np.select([video < videos * 0.5, video < videos * 0.7], ["train", "valid"], "test")
    table = pd.DataFrame(
        {
            "video": [i[:4] for i in ids],
            "segment": np.arange(count) % clips,
            "text": [f"this is clip number {i} of them" for i in range(count)],
            "label": label,
        },
        index=ids,
    )
    made = Corpus(
        "made", table, {"acoustic": one_frame(sound)}, {"standard": pd.Series(part, index=ids)}
    )
    return replace(made, **fields)


def leaking(made: Corpus, used: np.ndarray, noise: float = 0.5) -> Corpus:
    """With visual features that know the labels of the videos (by number) in ``used``."""
    rng = np.random.default_rng(1)
    label = made.utterances["label"].to_numpy()
    seen = np.isin(pd.factorize(made.utterances["video"])[0], used)
    x = rng.normal(size=(len(made), 6))
    x[:, 3] = np.where(seen, label / label.std() + noise * x[:, 3], 1.1 * x[:, 3])
    return made.with_features("visual", one_frame(x, "network"))


def with_split(made: Corpus, name: str, part) -> Corpus:
    parts = pd.Series(part, index=made.utterances.index)
    return replace(made, splits={**made.splits, name: parts})


def severities(findings, about: str) -> set[str]:
    return {f.severity for f in findings if f.about.startswith(about)}


def only(findings, **fields):
    (one,) = [f for f in findings if all(getattr(f, k) == v for k, v in fields.items())]
    return one


# --- leakage ------------------------------------------------------------------------------------


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
    assert "perhaps of the test part, too" in told.message
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
        pytest.skip("CMU-MOSI is not at hand (MSALIB_DATA)")
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


# --- identity -----------------------------------------------------------------------------------


def counted(train: int, valid: int, test: int, lost=None) -> Corpus:
    made = corpus(videos=train + valid + test, clips=1)
    part = ["train"] * train + ["valid"] * valid + ["test"] * test
    lost = lost or {}
    return replace(
        with_split(made, "standard", part),
        dropped={name: "no label" for name in lost},
        dropped_part=lost,
    )


def clips_of(made, names, files=None):
    return only(identity.check(made, names, files or {}), check="clips")


def test_editions_are_known_by_their_counts():
    found = clips_of(counted(173, 36, 60), "anything")
    assert found.severity == "ok" and "YouTube opinion" in found.message
    found = clips_of(counted(220, 40, 78, {"a": "test", "b": "test"}), "mine")
    assert found.severity == "ok"
    assert "220 + 0 / 40 + 0 / 78 + 2" in found.message and "ICT-MMMO" in found.message


def test_a_known_name_with_other_counts_is_a_warning_with_the_nearest_edition():
    found = clips_of(counted(170, 36, 60), "my YouTube copy")
    assert found.severity == "warning" and "train 170 against 173 (-3)" in found.message
    found = clips_of(counted(170, 36, 60), "something else")
    assert found.severity == "note" and "no edition" in found.message


def test_videos_are_held_against_the_lists_of_folds():
    made = corpus(videos=93, clips=2)
    part = ["train"] * 104 + ["valid"] * 20 + ["test"] * 62
    found = identity.check(with_split(made, "standard", part), "mosi", {})
    assert only(found, check="videos").severity == "ok"
    found = identity.check(with_split(made, "standard", ["train"] * 106 + part[106:]), "mosi", {})
    assert "train 53 against 52 (+1)" in only(found, check="videos").message


def test_files_are_held_against_published_ones():
    good = "d3994fd25681f9c7ad6e9c6596a6fe9b4beb85ff7d478ba978b124139002e5f9"
    files = {"aligned_50.pkl": good, "unaligned_50.pkl": "0" * 64, "notes.txt": "1" * 64}
    found = identity.check(corpus(), "made", files)
    assert only(found, about="aligned_50.pkl").severity == "ok"
    wrong = only(found, about="unaligned_50.pkl")
    assert wrong.severity == "warning" and "ad8b23d50557" in wrong.message
    assert only(found, about="notes.txt").severity == "note"
    assert only(identity.check(corpus(), "made", None), check="SHA-256").severity == "ok"


def test_editions_agree_with_the_printed_table():
    table = printed.load("uegd")
    table = table[(table["exhibit"] == "table1") & (table["variant"] != "total")]
    for dataset in ("mosi", "mosei"):
        rows = table[table["dataset"] == dataset]
        wanted = dict(zip(rows["variant"], rows["value"].astype(int), strict=True))
        assert wanted in [e.clips for e in identity.editions() if e.names == [dataset]]


def test_dropped_clips_are_counted():
    found = identity.check(counted(5, 5, 5, {"a": "train"}), "made", {})
    assert "1 of 16 clips" in only(found, check="dropped clips").message


# --- integrity ----------------------------------------------------------------------------------


def checked(made, **fields):
    return only(integrity.check(made, "standard"), **fields)


def test_a_sound_corpus_is_fine():
    assert {f.severity for f in integrity.check(corpus(), "standard")} == {"ok"}


def test_values_that_are_no_numbers_are_errors():
    x = np.ones((400, 3), np.float32) * np.arange(400)[:, None]
    x[7, 1], x[8, 2] = np.nan, -np.inf
    found = checked(corpus(features={"visual": one_frame(x)}), check="values")
    assert found.severity == "error"
    assert "2 of 1200" in found.message and "v000_7, v000_8" in found.message


def test_values_that_a_reader_replaced_are_told():
    x = np.random.default_rng(0).normal(size=(400, 3))
    note = {"note": "COVAREP; 12 non-finite values replaced by zero"}
    features = replace(one_frame(x), provenance=note)
    found = checked(corpus(features={"acoustic": features}), check="values", severity="warning")
    assert "12 of 1200" in found.message


def test_constant_columns_are_counted():
    x = np.random.default_rng(0).normal(size=(400, 3))
    x[:, 1] = 4
    found = checked(corpus(features={"visual": one_frame(x)}), check="columns")
    assert found.severity == "note" and "1 of 3 (33.3%) columns constant: 1" in found.message
    found = checked(corpus(features={"visual": one_frame(x * 0)}), check="columns")
    assert found.severity == "error"


def ragged(lengths, zero_from=None, zero_to=None, inside=()):
    """Features of ones with zeros in the first or last frames of some clips."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    x = np.random.default_rng(0).uniform(1, 2, size=(offsets[-1], 2))
    for i, n in (zero_from or {}).items():
        x[offsets[i] : offsets[i] + n] = 0
    for i, n in (zero_to or {}).items():
        x[offsets[i + 1] - n : offsets[i + 1]] = 0
    for i, frame in inside:
        x[offsets[i] + frame] = 0
    return corpus(features={"visual": Features("made", "frame", {1: x}, offsets)})


def test_padding_is_found_with_its_side():
    front = checked(ragged([5] * 400, {i: 2 for i in range(10)}), check="padding")
    assert front.severity == "warning" and "leading in 100%" in front.message
    assert "10 of 400 (2.5%) clips have leading" in front.message
    assert "20 of 2000 (1.0%) of all frames" in front.message
    back = checked(ragged([5] * 400, {0: 1}, {i: 3 for i in range(9)}), check="padding")
    assert "trailing in 96%" in back.message
    both = checked(ragged([5] * 400, {0: 1}, {1: 1}), check="padding")
    assert "unclear" in both.message


def test_zeros_of_clips_with_lengths_of_their_own_are_a_note():
    lengths = [4, 6] * 200
    found = checked(ragged(lengths, {0: 2}, {3: 1}, [(5, 2)]), check="padding")
    assert found.severity == "note" and "1 of 2000 (0.1%) frames between others" in found.message
    assert "4 to 6 frames per clip, median 5" in found.message
    assert checked(ragged(lengths, inside=[(5, 2)]), check="padding").severity == "note"
    assert checked(ragged(lengths), check="padding").severity == "ok"


def test_clips_that_are_all_zero_are_counted_by_part_and_are_no_padding():
    found = integrity.check(ragged([4, 6] * 200, {0: 4, 399: 6}), "standard")
    empty = only(found, check="empty clips")
    assert empty.severity == "warning"
    assert "2 of 400 (0.5%) clips are all zero, 1 in train, 1 in test" in empty.message
    assert only(found, check="padding").severity == "ok"
    assert only(found, check="duplicates by features").severity == "ok"  # told above


def test_equal_features_in_two_parts_are_errors():
    x = np.random.default_rng(0).normal(size=(400, 3))
    x[399] = x[0]
    found = checked(corpus(features={"visual": one_frame(x)}), check="duplicates by features")
    assert found.severity == "error" and "1 of 120 (0.8%), v039_9" in found.message
    x[399], x[1] = 1, x[0]
    found = checked(corpus(features={"visual": one_frame(x)}), check="duplicates by features")
    assert found.severity == "note"


def test_equal_texts_count_by_length_and_part():
    made = corpus()
    texts = made.utterances["text"].tolist()
    texts[0], texts[399] = "I really LIKED it, a lot.", "i really liked it - a lot"
    texts[1], texts[398], texts[2] = "Yeah!", "yeah", " "
    made = replace(made, utterances=made.utterances.assign(text=texts))
    assert checked(made, about="texts of more than 3 words").severity == "warning"
    short = checked(made, about="texts of at most 3 words")
    assert short.severity == "note" and "v039_8" in short.message
    assert "1 of 400" in checked(made, check="transcripts").message
    blank = replace(made, utterances=made.utterances.assign(text=""))
    assert checked(blank, check="transcripts").severity == "note"


def test_two_spellings_of_one_clip_are_errors():
    made = corpus()
    names = made.utterances.index.tolist()
    names[399] = names[0].upper()
    index = pd.Index(names, name="id")
    table = made.utterances.set_index(index)
    table.loc[names[399], ["video", "segment"]] = table.loc[names[0], ["video", "segment"]]
    made = replace(
        made,
        utterances=table,
        splits={"standard": pd.Series(made.splits["standard"].to_numpy(), index=index)},
    )
    for about in ("ids", "video and segment"):
        assert checked(made, about=about).severity == "error"


@pytest.mark.parametrize(
    ("label", "severity", "said"),
    [
        ([*range(-3, 4), 5], "error", "50 of 400 (12.5%) labels are not from -3 to 3"),
        ([np.nan, 1, 2, 0, 1, 2, 1, 0], "error", "the first nan for clip v000_0"),
        ([1.0] * 8, "error", "Every label is 1"),
        ([0, 1, -1, 0, 1, -1, 0, 0], "note", "classes, not intensity"),
    ],
)
def test_labels_are_on_the_scale_and_differ(label, severity, said):
    made = corpus()
    made = replace(made, utterances=made.utterances.assign(label=np.tile(label, 50)))
    found = checked(made, check="labels")
    assert found.severity == severity and said in found.message


# --- independence -------------------------------------------------------------------------------


def test_shared_videos_are_errors_and_shared_speakers_warnings():
    made = corpus()
    found = independence.check(made)
    assert only(found, check="videos").severity == "ok"
    assert only(found, check="speakers").severity == "note"
    table = made.utterances.assign(speaker=[f"s{i % 3}" for i in range(400)])
    mixed = with_split(replace(made, utterances=table), "odd", ["train", "test"] * 200)
    found = independence.check(mixed)
    videos = only(found, about="odd", check="videos")
    assert videos.severity == "error" and "share 40 videos" in videos.message
    speakers = only(found, about="standard", check="speakers")
    assert speakers.severity == "warning" and "120 of 120 (100.0%)" in speakers.message


# --- the report ---------------------------------------------------------------------------------


def test_a_report_is_recorded_and_read_without_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    pack = write_pack(tmp_path / "data" / "mosi")
    made = audit.report("mosi")
    assert (tmp_path / "records" / "audit" / "mosi-report.json").is_file()
    assert {f.about for f in made.findings if f.check == "SHA-256"} == {
        "features.npz",
        "utterances.csv",
    }
    write_pack(pack, table={"text": ["other"] * 40})
    with pytest.raises(UserError, match="found the report of other data"):
        audit.report("mosi")
    assert audit.report("mosi", refresh=True) != made
    monkeypatch.delenv("MSALIB_DATA")
    assert audit.report("mosi").dataset == "mosi"
    (tmp_path / "records" / "audit" / "mosi-report.json").write_text("{")
    with pytest.raises(UserError, match=r"no readable report .*msalib data audit mosi"):
        audit.report("mosi")


def test_a_report_is_told_in_lines_as_json_and_as_tables(tmp_path):
    made = leaking(corpus(name="<b>made</b>"), np.arange(24, 40))
    found = audit.examine(made, "control", "A <b>title</b>", "standard", None, PERMUTATIONS)
    told = list(audit.lines(found))
    assert told[0].startswith("error | leakage | linear probe | visual: network | ")
    assert told[-1].startswith("control, split standard: ") and " error" in told[-1]
    assert len(told) == len(found.findings) + 1
    audit.write(found, tmp_path / "report.json")
    assert audit.Report(**json.loads((tmp_path / "report.json").read_text())) == found
    for shown in (
        pages.findings(found),
        pages.findings(found, "leakage"),
        pages.comparisons(found),
    ):
        page = read(shown)
        assert "control: A <b>title</b>, split standard" in page.text
        assert not page.attributes("b")
    assert "yes" in set(pages.comparisons(found).frame["sign of a leak"])
    assert set(pages.findings(found, "leakage").frame["severity"]) >= {"error", "ok"}


def test_the_figure_has_a_row_for_each_part_and_tells_them():
    made = leaking(corpus(), np.arange(24, 40))
    made = made.with_features("linguistic", one_frame(np.zeros((400, 2)), "nothing"))
    found = audit.examine(made, "control", "title", "standard", None, 99)
    picture = pages.probe_levels(found.probes, setting=found.setting)
    page = read(picture)
    assert page.attributes("img")[0]["alt"] == picture.alt
    assert "visual, network: training" in picture.alt and "test undefined" in picture.alt
    assert "nan" not in picture.alt and "None" not in picture.alt
    assert "No features" in read(pages.probe_levels([], setting="x")).text
    nothing = audit.examine(corpus(features={}), "control", "title", "standard", None, 99)
    assert "No features" in read(pages.comparisons(nothing)).text


# --- error rates --------------------------------------------------------------------------------


def test_a_leak_is_planted_where_it_is_said_to_be():
    honest = power.honest(0, 30)
    shares = {"train": 0.0, "valid": 1.0, "test": 0.5}
    made = power.leaking(honest, shares, 0.1, 0)
    makers, standard = made.splits["makers"], made.splits["standard"]
    video = made.utterances["video"]
    assert (makers[standard == "train"] == "test").all()
    assert (makers[standard == "valid"] == "train").all()
    test = video[standard == "test"]
    assert test[makers == "train"].nunique() == round(test.nunique() / 2)
    assert (makers.groupby(video).nunique() == 1).all()
    column = probe.pooled(made.features["visual"])[:, -1]
    label = made.utterances["label"]
    seen = (makers == "train").to_numpy()
    assert np.corrcoef(column[seen], label[seen])[0, 1] > 0.95
    assert abs(np.corrcoef(column[~seen], label[~seen])[0, 1]) < 0.3
    assert honest.features["acoustic"] is made.features["acoustic"]


def test_a_third_of_the_videos_loses_its_faces():
    made = power.without_faces(power.honest(0, 30), 0)
    seen = probe.pooled(made.features["visual"]).any(1)
    assert made.utterances["video"][~seen].nunique() == 10


def test_error_rates_are_measured_recorded_and_shown(monkeypatch):
    with pytest.raises(UserError, match="no such file; expected the record of error rates"):
        power.recorded()
    monkeypatch.setattr(power, "PLACEMENTS", power.PLACEMENTS[:1])
    monkeypatch.setattr(power, "NOISES", (0.5,))
    monkeypatch.setattr(power, "SIZES", (40,))
    monkeypatch.setattr(power, "CORPORA", {"honest": 1, "leak": 2})
    monkeypatch.setattr(power, "PERMUTATIONS", PERMUTATIONS)
    power.main()
    found = power.recorded()
    assert [cell.corpora for cell in found.cells] == [1, 1, 1, 2, 2]
    assert [cell.errors for cell in found.cells if cell.told] == [2]
    assert len(pages.false_alarms(found).frame) == 3
    (row,) = pages.detections(found).frame.to_dict("records")
    assert row["split known: error, %"].startswith("100.0 [")
    assert "commit" in pages.provenance(found).frame


def test_the_committed_error_rates_keep_to_the_level(monkeypatch):
    monkeypatch.delenv("MSALIB_RECORDS")
    found = power.recorded()
    honest = [cell for cell in found.cells if cell.kind == "honest"]
    assert sum(c.alarms for c in honest) / sum(c.corpora for c in honest) < leakage.LEVEL
