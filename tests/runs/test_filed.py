"""Records that are read as they are needed: what is read, and what stays in memory."""

import gc
import json
import os
import tracemalloc

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.base.lately import Lately
from msalib.models.extras import GeneratedLabels, MultitaskExtras
from msalib.runs import filed as filed_module
from msalib.runs import records
from msalib.runs.filed import Filed
from msalib.runs.query import Runs
from msalib.runs.record import Record
from tests.factory import CLASSES, make_record, predictions

HOSTILE = ['x"prediction": [1]', "]}", '", "scores": [[', "a\\", "\u2028\n"]
"""Ids and videos that look like the text around the numbers of a run."""


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch):
    monkeypatch.setattr(filed_module, "_READ", Lately(2**20))


def clips(seed=0, count=5):
    rng = np.random.default_rng(seed)
    some = predictions(np.arange(count), rng.normal(size=count).round(4), "aabbc" * (count // 5))
    if count > len(HOSTILE):
        return some
    return some.model_copy(update={"id": HOSTILE, "video": HOSTILE[::-1]})


def made(seed=0, count=5, **about):
    own = clips(seed, count)
    return make_record({"linguistic": 1}, seed, parts={"valid": own, "test": own}, **about)


def of_classes():
    scores = np.random.default_rng(0).normal(size=(5, 3))
    some = clips().model_copy(update={"scores": scores, "prediction": scores.argmax(1)})
    metrics = dict.fromkeys(("valid", "test"), CLASSES.metrics(np.arange(5) % 3, scores))
    update = {"predictions": {"valid": some, "test": some}, "metrics": metrics}
    return made().model_copy(update=update)


WRITTEN = {
    "one key a line": lambda text: text,
    "compact": lambda text: json.dumps(json.loads(text), separators=(",", ":")),
    "indented": lambda text: json.dumps(json.loads(text), indent=1),
    "a value a line": lambda text: json.dumps(json.loads(text), indent=0),
    "sorted": lambda text: json.dumps(json.loads(text), sort_keys=True) + "\n\n",
    "with other line ends": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize("record", [made(), of_classes()], ids=["regression", "classes"])
def test_every_field_is_that_of_the_file_however_it_is_written(record, way):
    path = records.write(record)
    path.write_bytes(WRITTEN[way](path.read_text()).encode())
    filed, whole = Filed(path), records.read(path)
    for name in Record.model_fields:
        assert getattr(filed, name) == getattr(whole, name) == getattr(record, name), name
    assert filed.model_extra == whole.model_extra
    assert filed.name() == record.name() and filed == record and record == filed
    assert filed != made(seed=1)
    for name in type(record.extras).model_fields:
        assert getattr(filed.extras, name) == getattr(record.extras, name)
    with pytest.raises(AttributeError):
        _ = filed.nothing
    with pytest.raises(AttributeError):
        _ = filed.extras.nothing


def test_runs_of_a_setting_share_what_is_the_same_in_all():
    first, second = (Filed(records.write(made(seed))) for seed in (0, 1))
    a, b = first.predictions["test"], second.predictions["test"]
    assert a.id is b.id and a.label is b.label
    assert a.prediction.tolist() != b.prediction.tolist()
    assert first.spec.model is second.spec.model
    assert (first.spec.seed, second.spec.seed) == (0, 1)
    with pytest.raises(ValueError, match="read-only"):
        a.prediction[0] = 1


def test_a_file_that_changes_meanwhile_is_refused_even_with_its_old_time_and_size():
    path = records.write(made())
    before, text = path.stat(), path.read_text()
    filed = Filed(path)
    assert filed.metrics["test"]["mae"] > 0
    epoch = filed.spec.seed + 5
    other = text.replace(f'"selected_epoch": {made().selected_epoch}', f'"selected_epoch": {epoch}')
    assert other != text
    path.write_text(other)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_size == before.st_size
    with pytest.raises(UserError, match="another content than when this command began"):
        _ = filed.selected_epoch
    assert Filed(path).selected_epoch == epoch  # the remedy: the same command again
    path.unlink()
    with pytest.raises(UserError, match="it cannot be read"):
        _ = filed.chance


@pytest.mark.parametrize(
    ("damage", "read"),
    [
        (('"prediction": [', '"prediction": ["x", '), lambda record: record.predictions),
        (('"mae": ', '"mae": "low", "x": '), lambda record: record.metrics),
        (('"gates": {', '"gates": {"visual": "open"}, "other": {'), lambda r: r.extras.gates),
    ],
)
def test_damage_is_told_where_it_is_read(damage, read):
    path = records.write(made())
    path.write_text(path.read_text().replace(*damage))
    with pytest.raises(UserError, match="expected a record of one run") as error:
        read(Filed(path))
    assert str(error.value).startswith(f"{path}: found ")


def test_large_labels_are_read_when_they_are_asked_for():
    labels = GeneratedLabels(
        id=["a"], video=["a"], given=[1.0], movement={}, drift={}, clamped={}, percentile={},
        made={"visual": [[1.0], [0.5]]}, note="}",
    )  # fmt: skip
    record = made()
    spec = record.spec.model_copy(update={"model": {"family": "self_mm"}})
    record = record.under(spec, labels=labels.model_dump(), geometry={"first": 0.1, "selected": 1})
    filed = Filed(records.write(record))
    assert isinstance(record.extras, MultitaskExtras) and record.extras.labels == labels
    found = filed.extras.labels
    assert (found.note, found.given) == ("}", [1.0]) and found.made
    assert dict(found.made) == labels.made and len(found.made) == 1
    assert filed.extras.geometry == record.extras.geometry
    assert filed.whole().extras.labels == labels
    none = filed.under(spec, labels={**labels.model_dump(), "made": {}})
    assert not none.extras.labels.made


def test_a_record_under_another_specification_is_read_from_its_own_file():
    filed = Filed(records.write(made()))
    other = filed.spec.model_copy(update={"encoder": "other", "seed": 7})
    renamed = filed.under(other)
    assert renamed.spec == other and renamed.predictions == filed.predictions
    assert renamed.whole().spec == other


def kept(count):
    """Return the bytes that stay in memory when so many records were read."""
    paths = [records.write(made(seed, count=200)) for seed in range(count)]
    filed_module._READ = Lately(2**18)
    gc.collect()
    tracemalloc.start()
    runs = Runs(map(Filed, paths))
    for record in runs.records(*runs.systems)[0]:
        assert record.metrics["test"]["mae"] > 0
        assert len(record.predictions["test"].prediction) == 200
        assert record.extras.gates
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size


def test_what_stays_in_memory_hardly_grows_with_the_records():
    kept(5)  # what is made once
    few, many = kept(60), kept(360)
    assert many - few < 300 * 2**10  # a record that was read has ten times as much
