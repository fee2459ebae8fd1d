"""Records: whole or not at all, named by what was asked."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from msalib.base import paths
from msalib.base.errors import UserError
from msalib.base.files import reserved
from msalib.models.extras import Extras, GateExtras, MultitaskExtras
from msalib.runs import records
from msalib.runs.records import Record, Setting
from msalib.runs.spec import Spec, system
from tests.factory import layer_records, make_record, predictions

CLIPS = predictions([1.0, -2.0, 0.5], [0.5, -1.0, 0.25], ["a", "a", "b"])
PARTS = {"valid": CLIPS, "test": CLIPS}


@pytest.fixture
def record():
    return make_record({"linguistic": 3}, 1, parts=PARTS)


def files():
    return sorted(p for p in records.records_folder().rglob("*") if p.is_file())


# --- names --------------------------------------------------------------------------------------


def test_equal_specifications_are_one_run_and_lie_in_one_place(record):
    again = Spec.model_validate(record.spec.model_dump())
    backwards = Spec(**dict(reversed(record.spec.model_dump().items())))
    train = dict(reversed(record.spec.train.items()))
    assert record.spec.model_copy(update={"train": train}).path() == record.spec.path()
    assert again.hash() == backwards.hash() == record.spec.hash()
    assert again.path() == record.spec.path()
    assert re.fullmatch(r"[0-9a-f]{12}", record.spec.hash())
    place = record.spec.path().relative_to(records.records_folder())
    hashed = record.spec.hash()
    assert place == Path(f"uegd/control-planted/release/quick/linguistic-3-seed1-{hashed}.json")
    assert record.name() == f"linguistic-3-seed1-{hashed}"


def test_every_field_of_a_specification_changes_its_hash(record):
    spec = record.spec
    other = {
        "paper": "sugrm",
        "setting": "leaky",
        "dataset": "mosi",
        "split": "features",
        "encoder": "minilm",
        "preset": "article",
        "profile": "full",
        "inputs": {"linguistic": 2},
        "train_share": 0.5,
        "model": {**spec.model, "dropout": 0.1},
        "train": {**spec.train, "patience": 1},
        "seed": 2,
        "context": {"window": 2, "kind": "separate"},
        "target": "emotion",
    }
    assert set(other) == set(Spec.model_fields)
    hashes = {spec.model_copy(update={k: v}).hash() for k, v in other.items()}
    assert len(hashes | {spec.hash()}) == len(other) + 1


CONTEXT = {"window": 2, "kind": "separate"}


def test_a_field_that_came_later_enters_the_hash_where_it_differs_from_its_default(record):
    """Older records keep their names: the hash is what it was before there was a context."""
    spec = record.spec
    later = {"context", "target"}
    assert not later & spec.content().keys()
    text = json.dumps(spec.model_dump(exclude=later), sort_keys=True)
    assert spec.hash() == hashlib.sha256(text.encode()).hexdigest()[:12] == "dd4f3010bea1"
    assert spec.model_copy(update={"context": CONTEXT}).hash() == "a01f2dd45bc7"
    required = {name for name, field in Spec.model_fields.items() if field.is_required()}
    assert required == set(Spec.model_fields) - later  # later fields need defaults


@pytest.mark.parametrize(
    ("place", "hashed"),
    [
        ("uegd/mosi-leaky-unseen-leaking/release/paper/acoustic-1-seed1", "e58e06e535fb"),
        ("uegd/mmmo-covarep-facet/release/paper/visual-1+acoustic-1-concat-seed0", "8dd038116e55"),
        (
            "sugrm/mosi-standardised-minilm/release/paper/acoustic-1+linguistic-6-self_mm-seed0",
            "d7e8cc9e409b",
        ),
    ],
)
def test_committed_records_keep_their_names(place, hashed, monkeypatch):
    monkeypatch.delenv("MSALIB_RECORDS")
    path = records.records_folder() / f"{place}-{hashed}.json"
    record = records.read(path)
    assert record.spec.hash() == hashed and record.spec.path() == path
    written = json.loads(path.read_text())["spec"]
    assert Spec(**written).content() == written  # what a later version says of it, too


def test_layers_as_numbers_and_as_words_differ(record):
    word = record.spec.model_copy(update={"inputs": {"linguistic": "3"}})
    assert word.hash() != record.spec.hash()
    several = record.spec.model_copy(update={"inputs": {"visual": 1, "linguistic": "weighted"}})
    assert several.path().name.startswith("visual-1+linguistic-weighted-seed1-")
    other = record.spec.model_copy(update={"inputs": {"linguistic": "weighted", "visual": 1}})
    assert (other, other.path()) == (several, several.path())


def test_the_folder_is_where_the_user_says(record, monkeypatch, tmp_path):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "elsewhere"))
    assert records.write(record).is_relative_to(tmp_path / "elsewhere")
    monkeypatch.delenv("MSALIB_RECORDS")
    assert records.records_folder().parts[-2:] == ("book", "records")


def test_a_system_is_what_was_trained_whatever_the_seed(record):
    one, other = (
        make_record({"linguistic": 3, "visual": 1}, seed, parts=PARTS).spec for seed in (0, 1)
    )
    assert one.system == other.system == system({"visual": 1, "linguistic": 3})
    assert one.system.name() == "visual-1+linguistic-3"
    assert system({"linguistic": 0}, paper="uegd", fusion="concat").name() == "linguistic-0-concat"
    assert system({"linguistic": 0}, train_share=0.125).name() == "linguistic-0-share0.125"
    concat = record.spec.model_copy(update={"model": {**record.spec.model, "fusion": "concat"}})
    assert (
        concat.system
        == system({"linguistic": 3}, paper="uegd", fusion="concat")
        != record.spec.system
    )
    share = record.spec.model_copy(update={"train_share": 0.25})
    assert share.path().name.startswith("linguistic-3-share0.25-seed1-")


# --- writing and reading ------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was(record):
    path = records.write(record)
    assert records.read(path) == record
    assert files() == [path]
    assert records.write(record) == path  # written over
    assert files() == [path]


def test_an_undefined_metric_comes_back_undefined():
    constant = predictions([1.0, -2.0, 0.5], [0.5, 0.5, 0.5], ["a", "a", "b"])
    record = make_record({"linguistic": 3}, parts={"valid": constant, "test": constant})
    path = records.write(record)
    assert records.read(path).metrics["test"]["corr"] is None
    assert "NaN" not in path.read_text()


def test_a_number_that_is_not_finite_is_no_record(record):
    broken = record.model_copy(update={"layer_weights": {"linguistic": [float("nan")]}})
    with pytest.raises(ValueError, match="not JSON compliant"):
        records.write(broken)
    assert files() == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda text: text[: len(text) // 2], "Invalid JSON"),
        (lambda text: "", "Invalid JSON"),
        (lambda text: "[]", "at the top"),
        (lambda text: text.replace('"selected_epoch"', '"epoch"'), "Field required at selected"),
        (lambda text: text.replace('"seed": 1', '"seed": "one"'), "at spec.seed"),
        (lambda text: text.replace('"setting": "control"', '"setting": "real"'), "at spec.setting"),
    ],
)
def test_a_damaged_record_is_told_with_its_place(record, damage, found):
    path = records.write(record)
    text = path.read_text()
    assert damage(text) != text
    path.write_text(damage(text))
    with pytest.raises(UserError) as error:
        records.read(path)
    message = str(error.value)
    assert message.startswith(f"{path}: found ")
    assert found in message
    assert "expected a record of one run. Delete the file and run it again" in message
    assert "\n" not in message


# --- what a model adds --------------------------------------------------------------------------


def test_extras_are_of_the_type_of_the_model(record):
    assert isinstance(record.extras, GateExtras)
    assert record.extras.gates["visual"] == [0.5, 0.5, 0.5] and record.extras.layer_weights == {}
    self_mm = record.spec.model_copy(update={"model": {"family": "self_mm"}, "paper": "sugrm"})
    other = Record(**record.model_dump() | {"spec": self_mm, "unimodal": {"visual": [1.0]}})
    assert isinstance(other.extras, MultitaskExtras)
    assert other.extras.unimodal == {"visual": [1.0]} and other.extras.labels is None
    assert not hasattr(other.extras, "gates")  # which UEGD would have


def test_a_model_without_extras_has_none_and_its_record_keeps_other_keys(record):
    spec = record.spec.model_copy(update={"model": {"family": "tfn"}})
    plain = Record(**record.model_dump() | {"spec": spec})
    assert plain.extras == Extras()
    assert records.read(records.write(plain)) == plain


@pytest.mark.parametrize(
    ("model", "extras", "found"),
    [
        ({}, {"gates": {"visual": "open"}}, "Input should be a valid list at gates.visual"),
        ({}, {"layer_weights": [1.0]}, "at layer_weights"),
        ({"family": "sugrm"}, {"geometry": {"first": 0.5}}, "Field required at geometry.selected"),
        ({"family": "self_mm"}, {"labels": {"id": []}}, "Field required at labels.video"),
    ],
)
def test_extras_that_do_not_fit_the_model_are_told_with_the_file(record, model, extras, found):
    spec = record.spec.model_copy(update={"model": {**record.spec.model, **model}})
    path = records.write(Record(**record.model_dump() | {"spec": spec} | extras))
    damaged = records.read(path)  # a reader of predictions need not know
    with pytest.raises(UserError) as error:
        _ = damaged.extras
    message = str(error.value)
    assert message.startswith(f"{path}: found ") and found in message
    assert "Delete the file and run it again (-p refresh true)" in message


# --- queries ------------------------------------------------------------------------------------


def test_records_are_found_by_setting():
    for record in layer_records({"linguistic": {2: 1.0, 1: 1.0}}, seeds=2):
        records.write(record)
    other = make_record({"linguistic": 1}, parts=PARTS, preset="article", profile="full")
    mosi = make_record({"linguistic": 1}, parts=PARTS, dataset="mosi", encoder="some-bert")
    for record in (other, mosi):
        records.write(record)
    quick = Setting("control", "planted", "release", "quick")
    full = Setting("control", "planted", "article", "full")
    real = Setting("mosi", "some-bert", "release", "quick")
    assert sorted(records.settings("uegd")) == sorted([quick, full, real])
    assert [r.spec.inputs["linguistic"] for r in records.find("uegd", quick)] == [1, 1, 2, 2]
    assert records.find("uegd", full) == [other]
    assert records.find("uegd", real) == [mosi]
    assert records.find("sugrm", quick) == [] == records.settings("sugrm")


def test_records_of_added_data_lie_in_a_folder_of_the_users_own(tmp_path, monkeypatch):
    monkeypatch.delenv("MSALIB_RECORDS")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "BOOK", tmp_path / "book")
    added = make_record({"linguistic": 1}, parts=PARTS, dataset="mine", encoder="csv")
    builtin = make_record({"linguistic": 1}, parts=PARTS)
    assert records.write(added).is_relative_to(tmp_path / "records")
    assert records.write(builtin).is_relative_to(tmp_path / "book" / "records")
    mine = Setting("mine", "csv", "release", "quick")
    assert records.settings("uegd") == [("control", "planted", "release", "quick"), mine]
    # An earlier version wrote both beside each other: what it wrote is found.
    (tmp_path / "records").rename(tmp_path / "elsewhere")
    earlier = tmp_path / "book" / added.spec.path().relative_to(tmp_path)
    earlier.parent.mkdir(parents=True)
    earlier.write_text(added.model_dump_json(exclude_defaults=True))
    assert records.find("uegd", mine) == [added]
    records.write(added)
    assert records.find("uegd", mine) == [added]


def test_what_a_killed_write_leaves_is_no_record(record):
    path = records.write(record)
    path.with_name(f".{path.name}.{os.getpid()}").write_text("{")
    setting = Setting("control", "planted", "release", "quick")
    assert records.find("uegd", setting) == [record]
    path.unlink()
    assert records.settings("uegd") == []


def test_a_record_can_be_read_and_compared_by_people(record):
    lines = records.write(record).read_text().splitlines()
    kept = record.model_dump(exclude_defaults=True)  # what a paper does not have is left out
    assert [line.split('"')[1] for line in lines[1:-1]] == list(kept)
    assert json.loads("".join(lines))["spec"]["seed"] == 1


def test_a_lock_is_no_record(record):
    records.write(record)
    setting = Setting("control", "planted", "release", "quick")
    with reserved(record.spec.path(), wait=False):
        assert records.find("uegd", setting) == [record]
        assert records.settings("uegd") == [setting]
