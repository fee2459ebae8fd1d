"""Identity, integrity and independence: each check finds what was planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msalib.data.corpus import Corpus, Features
from msalib.encoders import pieces
from msalib.evidence.audit import (
    identity,
    independence,
    integrity,
)
from msalib.evidence.printed import table as printed
from tests.evidence.audit.corpora import (
    corpus,
    one_frame,
    only,
    with_split,
)

# --- identity -------------------------------------------------------------------------------------


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


# --- integrity ------------------------------------------------------------------------------------


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


def test_equal_features_are_copies_where_what_was_encoded_is_equal():
    x = np.random.default_rng(0).normal(size=(400, 3))
    x[399], x[398] = x[0], x[1]
    made = corpus(features={"linguistic": one_frame(x)})
    texts = [f"a text of its own, {n}" for n in range(400)]
    texts[398] = texts[1].upper()
    made = replace(made, utterances=made.utterances.assign(text=texts))
    same = checked(made, check="duplicates by features")  # two say the same: not one recording
    assert same.severity == "note" and "2 of 400 (0.5%) clips are copies" in same.message
    other = checked(made, check="equal features")
    assert other.severity == "warning" and "v039_9" in other.message
    assert "2 of 400 (0.5%) clips have equal features of different texts" in other.message


def test_equal_features_of_files_are_copies_where_the_files_are_equal(tmp_path):
    x = np.random.default_rng(0).normal(size=(400, 3))
    x[399], x[398] = x[0], x[1]
    files = [tmp_path / f"{n}.wav" for n in range(400)]
    for n, file in enumerate(files):
        file.write_bytes(bytes([n % 256, n // 256]))
    files[398].write_bytes(files[1].read_bytes())
    made = replace(corpus(features={"acoustic": one_frame(x)}), media={"acoustic": files})
    assert "v039_8" in checked(made, check="duplicates by features").message
    other = checked(made, check="equal features")
    assert "of different files, in 1 set" in other.message and "silent" in other.remedy


def test_pieces_that_an_encoder_does_not_know_are_told():
    features = one_frame(np.random.default_rng(0).normal(size=(400, 3)))
    told = {pieces.PIECES: "41", pieces.UNKNOWN: "28", pieces.UNREAD: "3"}
    made = corpus(features={"linguistic": replace(features, provenance=told)})
    found = checked(made, check="unknown pieces")
    assert found.severity == "warning" and "28 of 41 (68.3%)" in found.message
    told |= {pieces.UNKNOWN: "1", pieces.UNREAD: "0"}
    made = corpus(features={"linguistic": replace(features, provenance=told)})
    checks = {f.check for f in integrity.check(made, "standard")}
    assert not {"unknown pieces", "equal features"} & checks


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


# --- independence ---------------------------------------------------------------------------------


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
