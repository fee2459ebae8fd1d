"""Packs: joined on id, each kind of bad data refused with one message, and the real MOSI."""

import gzip

import numpy as np
import pytest

from msalib import papers
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import PARTS
from msalib.data.readers import pack
from tests.data.readers.toolbox import message, needs
from tests.factory import write_pack

IDS = [f"v{i // 4}_{i % 4}" for i in range(40)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "toy"


def read(folder, **options):
    return pack.read(folder, "toy", **options)


def refusal(folder, **options) -> str:
    return message(read, folder, **options)


# --- what is read -------------------------------------------------------------------------------


def test_features_are_joined_on_id_not_on_order(folder):
    corpus = read(write_pack(folder))
    features = corpus.features["acoustic"]
    assert features.layers[1][:, 0].tolist() == list(range(39))  # written as the row of the clip
    assert features.layers[1].dtype == np.float32
    assert (features.source, features.unit) == ("audio_opensmile", "clip")
    assert set(features.lengths()) == {1}


def test_features_of_further_clips_are_left_out(folder):
    ids = np.array(["extra", *IDS])
    arrays = {"id": ids, "audio_opensmile": np.arange(41.0)[:, None]}
    corpus = read(write_pack(folder, arrays=arrays))
    assert corpus.features["acoustic"].layers[1][:, 0].tolist() == list(range(1, 40))


def test_clips_without_a_label_are_dropped_by_name(folder):
    corpus = read(write_pack(folder))
    assert len(corpus) == 39
    assert corpus.dropped == {"v9_3": "no label"}
    assert corpus.dropped_part == {"v9_3": "test"}
    assert [len(corpus.rows(part, "standard")) for part in PARTS] == [20, 8, 11]


def test_a_second_split_is_named_features(folder):
    second = ["test"] * 20 + ["train"] * 20
    corpus = read(write_pack(folder, table={"split_features": second}))
    assert list(corpus.splits) == ["standard", "features"]
    assert len(corpus.rows("train", "features")) == 19
    assert list(read(write_pack(folder)).splits) == ["standard"]


def test_texts_are_taken_as_they_are(folder):
    texts = ["NA", "null", "None", "", "nan", 'he said "no", twice', "1", "café"]
    texts += ["x"] * 32
    corpus = read(write_pack(folder, table={"text": texts}))
    assert corpus.utterances["text"].tolist() == texts[:39]


def test_ids_and_videos_stay_text(folder):
    ids = [f"0{i}" for i in range(40)]
    changes = {"id": ids, "video": [f"00{i // 4}" for i in range(40)]}
    arrays = {"id": np.array(ids), "audio_opensmile": np.ones((40, 1))}
    corpus = read(write_pack(folder, table=changes, arrays=arrays))
    assert corpus.utterances.index[3] == "03"
    assert corpus.utterances["video"].iloc[4] == "001"


def test_a_clip_number_may_stand_for_id_and_segment(folder):
    """As CMU-MOSEI circulates: video, clip, text, label, split; compressed, without vectors."""
    clip = {"id": None, "segment": None, "clip": [f"0{i % 4}_7" for i in range(40)]}
    plain = write_pack(folder, table=clip) / "utterances.csv"
    one = read(folder, vectors=())
    assert list(one.utterances.index[:2]) == ["v0_00_7", "v0_01_7"]
    assert one.utterances["segment"].iloc[1] == "01_7"
    with gzip.open(folder / "utterances.csv.gz", "wb") as file:
        file.write(plain.read_bytes())
    plain.unlink()
    (folder / "features.npz").unlink()
    assert read(folder, vectors=()).fingerprint() == one.fingerprint()


def test_an_id_counts_more_than_a_clip_number(folder):
    corpus = pack.read(write_pack(folder, table={"clip": list(range(40))}), "toy")
    assert list(corpus.utterances.index[:2]) == ["v0_0", "v0_1"]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_compressed_table_is_told(folder, share):
    plain = (write_pack(folder) / "utterances.csv").read_bytes()
    packed = gzip.compress(plain)
    (folder / "utterances.csv.gz").write_bytes(packed[: int(share * len(packed))])
    text = refusal(folder)
    assert text.startswith(f"{folder / 'utterances.csv.gz'}: found ")
    assert "Restore the file from its source." in text


def test_a_pack_can_be_read_without_vectors(folder):
    (write_pack(folder) / "features.npz").unlink()
    assert read(folder, vectors=()).features == {}


# --- leaks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text_cnn", "visual_3dcnn"])
@pytest.mark.parametrize("setting", [None, "control", "substitute"])
def test_vectors_that_leak_labels_are_refused_unless_asked_for_by_name(folder, name, setting):
    write_pack(folder)
    text = refusal(folder, vectors=("audio_opensmile", name), setting=setting)
    assert text.startswith(f"{name}: found features that leak")
    assert "setting 'leaky'" in text
    corpus = read(folder, vectors=(name,), setting="leaky")
    (features,) = corpus.features.values()
    assert features.source == name
    assert "sentiment labels of test videos" in features.provenance["note"]


def test_leaking_vectors_are_never_read_by_default(folder):
    assert list(read(write_pack(folder)).features) == ["acoustic"]


# --- bad tables ---------------------------------------------------------------------------------


def test_a_missing_folder_is_told(folder):
    text = refusal(folder)
    assert text.startswith(f"{folder / 'utterances.csv'}: found no such file; ")
    assert "id, video, segment, text, label, split" in text and "MSALIB_DATA" in text


@pytest.mark.parametrize("name", pack.NEEDED)
def test_a_missing_column_is_told(folder, name):
    write_pack(folder, table={name: None})
    assert f"found no column {name}; expected id, video, segment" in refusal(folder)


@pytest.mark.parametrize(
    ("table", "found", "expected"),
    [
        ({"id": ["v0_1", *IDS[1:]]}, "id v0_1 twice", "one row per clip"),
        ({"id": ["", *IDS[1:]]}, "no id in line 2", "an id for every clip"),
        ({"video": ["", *IDS[1:]]}, "no video for clip v0_0", "the video of every clip"),
        (
            {"label": [3.2, *[0] * 39]},
            "label 3.2 for clip v0_0",
            "a number from -3 to 3, or nothing",
        ),
        ({"label": [0, "-inf", *[0] * 38]}, "label -inf for clip v0_1", "from -3 to 3"),
        ({"label": ["happy", *[0] * 39]}, "label happy for clip v0_0", "from -3 to 3"),
        ({"split": ["dev", *["train"] * 39]}, "split 'dev' for clip v0_0", "train | valid | test"),
        ({"split": ["", *["train"] * 39]}, "split '' for clip v0_0", "train | valid | test"),
        (
            {"split_features": [*["train"] * 39, "held out"]},
            "split_features 'held out' for clip v9_3",
            "train | valid | test",
        ),
    ],
)
def test_a_bad_table_is_told_with_the_clip(folder, table, found, expected):
    text = refusal(write_pack(folder, table=table))
    assert str(folder / "utterances.csv") in text
    assert f"found {found}; expected " in text
    assert expected in text


@pytest.mark.parametrize("content", [b"", b'id,video\n"a', b"\xff\xfe\x00id", b"id,video\na,b,c,d"])
def test_a_file_that_is_no_table_is_told(folder, content):
    (write_pack(folder) / "utterances.csv").write_bytes(content)
    text = refusal(folder)
    assert text.startswith(f"{folder / 'utterances.csv'}: found ")


# --- bad features -------------------------------------------------------------------------------


def npz(folder):
    return folder / "features.npz"


def test_missing_features_are_told(folder):
    npz(write_pack(folder)).unlink()
    text = refusal(folder)
    assert text.startswith(f"{npz(folder)}: found no such file; expected the feature vectors")


def cut(share):
    return lambda content: content[: int(share * len(content))]


def corrupt(share):
    def damage(content):
        place = int(share * len(content))
        flipped = bytes(255 - b for b in content[place : place + 40])
        return content[:place] + flipped + content[place + 40 :]

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        cut(0),
        cut(0.01),
        cut(0.3),
        cut(0.9),
        cut(0.999),
        corrupt(0.1),
        corrupt(0.5),
        lambda c: b"not a zip at all",
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_or_damaged_file_is_told(folder, damage, compressed):
    write_pack(folder)
    if compressed:
        with np.load(npz(folder)) as arrays:
            np.savez_compressed(npz(folder), **arrays)
    npz(folder).write_bytes(damage(npz(folder).read_bytes()))
    text = refusal(folder, vectors=("audio_opensmile", "text_cnn", "visual_3dcnn"), setting="leaky")
    assert text.startswith(f"{npz(folder)}: found not a readable feature file (")
    assert "truncated or damaged: restore it" in text


def test_a_single_array_is_no_feature_file(folder):
    write_pack(folder)
    with npz(folder).open("wb") as file:
        np.save(file, np.zeros(3))
    assert "found not a readable feature file" in refusal(folder)


def test_pickles_are_not_read(folder):
    write_pack(folder, arrays={"audio_opensmile": np.array([{}] * 40, dtype=object)})
    assert "found not a readable feature file" in refusal(folder)


@pytest.mark.parametrize("name", ["id", "audio_opensmile"])
def test_a_missing_array_is_told(folder, name):
    write_pack(folder, arrays={name: None})
    text = refusal(folder)
    assert name in text
    assert "expected a complete .npz with the arrays id, audio_opensmile" in text


def test_ids_that_the_features_lack_are_counted(folder):
    arrays = {"id": np.array(IDS[2:]), "audio_opensmile": np.zeros((38, 3))}
    text = refusal(write_pack(folder, arrays=arrays))
    assert "found no features for 2 clips of the table, the first v0_0; expected one" in text


def test_an_id_that_the_features_have_twice_is_told(folder):
    write_pack(folder, arrays={"id": np.array([*IDS[:-1], "v0_0"])})
    assert "found id v0_0 twice; expected one vector per clip" in refusal(folder)


def test_arrays_of_unequal_length_are_told(folder):
    write_pack(folder, arrays={"audio_opensmile": np.zeros((39, 3))})
    assert "found audio_opensmile of shape (39, 3) for 40 ids" in refusal(folder)


def unfinished(folder):
    """A pack with three bad values: clips v0_2 and v5_0."""
    values = np.arange(120.0).reshape(40, 3)
    values[2, 1], values[20, 0], values[20, 2] = np.nan, np.inf, -np.inf
    return write_pack(folder, arrays={"id": np.array(IDS), "audio_opensmile": values}), values


def test_values_that_are_not_finite_are_counted_and_placed(folder):
    unfinished(folder)
    text = refusal(folder)
    assert text.startswith(f"{npz(folder)}: found 3 values of audio_opensmile that are NaN or inf")
    assert "the first for clip v0_2, feature 1" in text
    assert "--clean" in text


def test_clean_replaces_by_zero_and_says_how_many(folder):
    _, values = unfinished(folder)
    corpus = read(folder, clean=True)
    features = corpus.features["acoustic"]
    expected = np.where(np.isfinite(values), values, 0)[:39]
    np.testing.assert_array_equal(features.layers[1], expected)
    assert features.provenance["note"].endswith("; 3 non-finite values replaced by zero")


def test_clean_changes_nothing_else(folder):
    dirty, clean = (read(write_pack(folder), clean=c) for c in (False, True))
    np.testing.assert_array_equal(
        dirty.features["acoustic"].layers[1], clean.features["acoustic"].layers[1]
    )
    assert dirty.features["acoustic"].provenance == clean.features["acoustic"].provenance


# --- data sets by name --------------------------------------------------------------------------


def test_an_unknown_data_set_is_refused_with_those_there_are():
    with pytest.raises(UserError, match=r"data set 'moshi': .* expected one of control, .*mosei"):
        readers.load("moshi")


@pytest.mark.parametrize("value", [None, "", "no/such/folder"])
def test_real_data_need_their_folder(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("MSALIB_DATA", raising=False)
    else:
        monkeypatch.setenv("MSALIB_DATA", value)
    found = "no/such/folder, not a folder" if value else "not set"
    with pytest.raises(UserError, match=f"MSALIB_DATA: found {found}; .*-p dataset control"):
        readers.load("mosi")


def test_a_data_set_by_name_is_the_pack_in_its_folder(tmp_path, monkeypatch):
    unfinished(tmp_path / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    monkeypatch.delenv("MSALIB_CLEAN", raising=False)
    with pytest.raises(UserError, match="3 values"):
        readers.load("mosi")
    monkeypatch.setenv("MSALIB_CLEAN", "1")
    assert readers.load("mosi").name == "mosi"
    assert readers.dataset("mosi").real and not readers.dataset("control").real


def test_data_sets_of_one_folder(tmp_path, monkeypatch):
    """The leaking vectors come only with their own data sets, whatever is in the file."""
    write_pack(tmp_path / "mosi", table={"split_features": ["train"] * 30 + ["test"] * 10})
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    for name in ("mosi", "mosi-leaky", "mosi-leaky-unseen"):
        assert readers.is_available(name)
        assert readers.dataset(name).split in readers.load(name).splits
    assert not readers.is_available("mosei") and not readers.is_available("mmmo")
    assert list(readers.load("mosi").features) == ["acoustic"]
    assert set(readers.load("mosi-leaky").features) == {"visual", "acoustic", "linguistic"}


@pytest.mark.parametrize(
    ("name", "encoder", "profile", "kind"),
    [
        ("control", "planted", "full", "control"),
        ("control-opposite", "planted", "quick", "control"),
        ("control-local", "planted", "full", "control"),
        ("mosi", "minilm", "full", "substitute"),
        ("mosi", "bert-large", "quick", "substitute"),
        ("mosi", "bert-large", "full", "as-published"),
        ("mosei", "bert-large", "full", "as-published"),
        ("mmmo", "covarep-facet", "full", "substitute"),
        ("mosi-leaky", "leaking", "full", "leaky"),
        ("mosi-leaky-unseen", "leaking", "quick", "leaky"),
    ],
)
def test_the_kind_of_every_setting(name, encoder, profile, kind):
    published = papers.published("uegd", name, encoder, profile)
    assert readers.dataset(name).setting(published) == kind


@pytest.mark.parametrize("name", readers.DATASETS)
def test_a_data_set_is_described_without_contradiction(name):
    known = readers.dataset(name)
    assert known.modalities and not set(known.layered) & set(known.vectors)
    assert known.shipped or known.raw  # features to read, or something for an encoder to read
    assert set(known.raw) >= set(known.layered) or known.shipped


@needs("mosi")
def test_mosi_is_what_the_specification_counts():
    """Clips and videos per part, and the variances of papers/uegd.md (f) and Table 4."""
    corpus = readers.load("mosi")
    table = corpus.utterances
    parts = [table.iloc[corpus.rows(part, "standard")] for part in PARTS]
    assert [len(part) for part in parts] == [1281, 229, 685]
    assert [part["video"].nunique() for part in parts] == [52, 10, 31]
    assert set(corpus.dropped) == {
        "2WGyTLYerpo_44",
        "5W7Z1C_fDaE_24",
        "BioHAh1qJAQ_30",
        "lXPQBPVc5Cw_30",
    }
    label = parts[2]["label"]
    within = label - label.groupby(parts[2]["video"]).transform("mean")
    assert label.var(ddof=0) == pytest.approx(2.5225, abs=5e-5)
    assert within.var(ddof=0) == pytest.approx(1.7766, abs=5e-5)
    assert (table["text"].str.len() > 0).all()
    assert corpus.features["acoustic"].layers[1].shape == (2195, 73)
