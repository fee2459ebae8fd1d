"""The feature store: what comes back, what is refused; a kill or a full disk does no harm."""

import json
import os
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from msalib.base import files
from msalib.base.errors import UserError
from msalib.encoders import store
from msalib.encoders.store import StoreMeta, fingerprint, open_store, write_store
from tests.encoders.killing import killed, operations

LENGTHS = np.array([3, 1, 7, 2, 7, 4, 1, 5])
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
IDS = [f"video_{i}" for i in range(len(LENGTHS))]
BATCHES = [np.array(b) for b in ([4, 2], [7], [5, 0], [3], [6, 1])]
LAYERS, DIM = 3, 4

META = StoreMeta(
    dataset="toy",
    encoder="ramp",
    revision="r1",
    convention="k = block k",
    unit="step",
    fingerprint="f1",
    layers=LAYERS,
    clips=len(LENGTHS),
    frames=int(OFFSETS[-1]),
    dim=DIM,
    truncated=0,
    device="cpu",
    versions={"msalib": "0"},
)
ASKED = {
    "encoder": "ramp",
    "revision": "r1",
    "fingerprint": "f1",
    "command": "msalib encode toy ramp",
}


def ramp(clips: np.ndarray) -> np.ndarray:
    """(L, B, T, D): layer * 100 + clip + frame / 10, and -1 where padded."""
    states = np.full((LAYERS, len(clips), LENGTHS[clips].max(), DIM), -1, np.float16)
    for b, clip in enumerate(clips):
        for k in range(LAYERS):
            states[k, b, : LENGTHS[clip]] = 100 * k + clip + np.arange(LENGTHS[clip])[:, None] / 10
    return states


def write(folder: Path, encode=ramp, meta=META, batches=BATCHES) -> Path:
    return write_store(folder, meta, IDS, OFFSETS, batches, lambda left: (encode(b) for b in left))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


opened_layers: set[str] = set()


@sys.addaudithook
def note_layer(event: str, args: tuple) -> None:
    """Python calls this whenever a file is opened."""
    if event == "open" and (name := str(args[0]).rpartition("/")[2]).startswith("layer_"):
        opened_layers.add(name)


def test_a_store_returns_every_clip_in_the_order_of_the_table(tmp_path):
    features = open_store(write(tmp_path / "ramp"), **ASKED)
    assert (features.source, features.unit) == ("ramp", "step")
    assert features.provenance["revision"] == "r1"
    assert features.provenance["truncated"] == "0 of 8 clips"
    assert list(features.layers) == [0, 1, 2]
    assert features.blocks == (1, 2)
    assert features.lengths().tolist() == LENGTHS.tolist()
    for layer, frames in features.layers.items():
        assert frames.dtype == np.float16
        assert frames.flags.writeable  # copy-on-write, so that torch takes it without a warning
        for clip, (start, stop) in enumerate(pairwise(OFFSETS)):
            expected = ramp(np.array([clip]))[layer, 0]
            np.testing.assert_array_equal(frames[start:stop], expected)
    assert sorted(contents(tmp_path / "ramp")) == sorted(
        ["ids.json", "meta.json", "offsets.npy", "layer_00.npy", "layer_01.npy", "layer_02.npy"]
    )


def test_writing_into_a_mapped_layer_does_not_reach_the_file(tmp_path):
    features = open_store(write(tmp_path / "ramp"), **ASKED)
    before = contents(tmp_path / "ramp")
    features.layers[1][:] = 0
    assert contents(tmp_path / "ramp") == before


def test_reading_one_layer_opens_only_its_file(tmp_path):
    folder = write(tmp_path / "ramp")
    opened_layers.clear()
    features = open_store(folder, **ASKED)
    assert opened_layers == set()
    [frames] = features.select(2)
    assert opened_layers == {"layer_02.npy"}
    (folder / "layer_00.npy").unlink()
    (folder / "layer_01.npy").unlink()
    assert frames[0, 0] == 200
    with pytest.raises(UserError, match="layer 3 of ramp"):
        features.select(3)


@pytest.mark.parametrize(
    ("damage", "file", "found", "expected"),
    [
        (lambda f: (f / "layer_01.npy").unlink(), "layer_01.npy", "no such file", "368 bytes"),
        (
            lambda f: (f / "layer_02.npy").write_bytes((f / "layer_02.npy").read_bytes()[:200]),
            "layer_02.npy",
            "200 bytes",
            "368 bytes",
        ),
        (lambda f: (f / "offsets.npy").write_bytes(b""), "offsets.npy", "0 bytes", "200 bytes"),
        (lambda f: (f / "meta.json").unlink(), "meta.json", "no readable description", "format 1"),
        (
            lambda f: (f / "meta.json").write_text('{"format": 2}'),
            "meta.json",
            "no readable description",
            "format 1",
        ),
    ],
)
def test_a_damaged_store_is_refused(tmp_path, damage, file, found, expected):
    folder = write(tmp_path / "ramp")
    damage(folder)
    with pytest.raises(UserError) as error:
        open_store(folder, **ASKED)
    message = str(error.value)
    assert str(folder / file) in message
    assert found in message and expected in message
    assert "msalib encode toy ramp --refresh" in message


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ({"encoder": "slope"}, ("encoder ramp", "encoder slope")),
        ({"revision": "r2"}, ("ramp revision r1", "revision r2")),
        ({"fingerprint": "f2"}, ("fingerprint f1", "fingerprint f2")),
    ],
)
def test_another_store_than_asked_for_is_refused(tmp_path, asked, values):
    folder = write(tmp_path / "ramp")
    with pytest.raises(UserError) as error:
        open_store(folder, **{**ASKED, **asked})
    message = str(error.value)
    assert all(value in message for value in values)
    assert str(folder / "meta.json") in message
    assert "msalib encode toy ramp --refresh" in message


def test_a_revision_that_is_not_known_here_is_not_compared(tmp_path):
    features = open_store(write(tmp_path / "ramp"), **{**ASKED, "revision": None})
    assert features.provenance["revision"] == "r1"


def test_a_missing_store_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(UserError, match=r"no feature store.*Make it: msalib encode toy ramp$"):
        open_store(tmp_path / "ramp", **ASKED)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_at_any_moment_it_leaves_nothing_complete_and_resumes_to_the_same_bytes(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(store, "SAVE_EVERY", -1)
    monkeypatch.setattr(os, "fsync", lambda file: None)  # what was written survives a kill anyway
    count = operations(lambda: write(tmp_path / "whole"), tmp_path)
    whole = contents(tmp_path / "whole")
    # Some of the operations, and every one of the last, which give the store its name.
    for moment in [*range(1, count - 7, 4), *range(count - 7, count + 1)]:
        folder = tmp_path / str(moment) / "ramp"
        assert killed(lambda folder=folder: write(folder), tmp_path, moment)
        if folder.exists():  # the kill came after the end
            open_store(folder, **ASKED)
        else:
            write(folder)
        assert contents(folder) == whole
        assert [p.name for p in folder.parent.iterdir()] == ["ramp"]


def stop_at(last: int):
    """``ramp`` that is interrupted at its ``last`` call, as by Ctrl-C."""
    calls = []

    def encode(clips):
        calls.append(clips)
        if len(calls) == last:
            raise KeyboardInterrupt
        return ramp(clips)

    return encode, calls


@pytest.mark.parametrize("last", range(1, len(BATCHES) + 1))
def test_only_the_missing_batches_are_encoded_again(tmp_path, monkeypatch, last):
    monkeypatch.setattr(store, "SAVE_EVERY", 0)
    encode, _ = stop_at(last)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "ramp", encode)
    assert not (tmp_path / "ramp").exists()
    encode, calls = stop_at(0)
    write(tmp_path / "ramp", encode)
    assert len(calls) == len(BATCHES) - (last - 1)
    assert contents(tmp_path / "ramp") == contents(write(tmp_path / "whole"))


@pytest.mark.parametrize(
    "other",
    [
        {"meta": META.model_copy(update={"revision": "r0"})},
        {"meta": META.model_copy(update={"device": "another"})},
        {"batches": BATCHES[::-1]},
    ],
)
def test_a_partial_store_of_something_else_is_not_continued(tmp_path, monkeypatch, other):
    monkeypatch.setattr(store, "SAVE_EVERY", 0)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "ramp", stop_at(4)[0], **other)
    encode, calls = stop_at(0)
    write(tmp_path / "ramp", encode)
    assert len(calls) == len(BATCHES)
    assert contents(tmp_path / "ramp") == contents(write(tmp_path / "whole"))


@pytest.mark.parametrize("last", [1, 2])
def test_interrupted_between_the_old_store_and_the_new(tmp_path, monkeypatch, last):
    folder = write(tmp_path / "ramp", meta=META.model_copy(update={"revision": "r0"}))
    renames = []

    def rename(path, target):
        renames.append(path)
        if len(renames) == last:
            raise KeyboardInterrupt
        return Path.replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            write(folder)
    if folder.exists():  # still the old one, and it says so
        with pytest.raises(UserError, match="revision r0"):
            open_store(folder, **ASKED)
    write(folder)
    assert contents(folder) == contents(write(tmp_path / "whole"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ramp", "whole"]


def test_no_room_is_told_before_anything_is_encoded(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: usage._replace(free=100))
    encode, calls = stop_at(0)
    with pytest.raises(UserError, match=r"GB free, .* GB needed.*Make room"):
        write(tmp_path / "ramp", encode)
    assert not calls
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the always full disk /dev/full")
def test_a_disk_that_fills_up_leaves_no_complete_store(tmp_path):
    folder = tmp_path / "ramp"

    def encode(clips):
        layer = tmp_path / "ramp.partial" / "layer_01.npy"
        layer.unlink()
        layer.symlink_to("/dev/full")
        return ramp(clips)

    with pytest.raises(UserError, match=r"ramp: found it cannot be written .No space left"):
        write(folder, encode)
    assert not folder.exists()
    write(folder)
    assert contents(folder) == contents(write(tmp_path / "whole"))


def test_a_value_beyond_half_precision_is_refused_with_its_place(tmp_path):
    def encode(clips):
        states = ramp(clips)
        states[1, list(clips).index(5) if 5 in clips else 0, 0, 0] = np.inf if 5 in clips else 1
        return states

    with pytest.raises(UserError, match=r"clip video_5: found a value in layer 1 .* 65504"):
        write(tmp_path / "ramp", encode)
    assert not (tmp_path / "ramp").exists()


def test_a_store_of_text_says_what_it_has_always_said(tmp_path):
    said = json.loads((write(tmp_path / "ramp") / "meta.json").read_bytes())
    assert list(said) == [
        *("format", "dataset", "encoder", "revision", "convention", "unit", "fingerprint"),
        *("dtype", "layers", "clips", "frames", "dim", "truncated", "device", "versions"),
    ]


def test_features_without_blocks_have_layer_one_in_float32_and_say_their_settings(tmp_path):
    more = {"first": 1, "layers": 1, "dtype": "float32", "precision": "bfloat16"}
    more |= {"counts": {"without a face": 3}, "settings": {"preset": "article"}}
    meta = META.model_copy(update=more)
    folder = write(tmp_path / "one", lambda clips: ramp(clips)[1:2].astype(np.float32) + 1e-5, meta)
    assert StoreMeta.model_validate_json((folder / "meta.json").read_bytes()) == meta
    features = open_store(folder, **ASKED)
    assert list(features.layers) == [1]
    assert features.blocks == (1,)
    assert features.layers[1].dtype == np.float32
    assert features.layers[1][0, 0] == np.float32(100) + np.float32(1e-5)
    told = {"without a face": "3", "preset": "article", "precision": "bfloat16"}
    assert told.items() <= features.provenance.items()

    def too_large(clips):
        return np.full((1, len(clips), LENGTHS[clips].max(), DIM), np.inf, np.float32)

    with pytest.raises(UserError, match=r"layer 1 that is not finite in single precision"):
        write(tmp_path / "inf", too_large, meta)


def test_what_lies_in_the_padding_does_not_matter(tmp_path):
    def encode(clips):
        states = ramp(clips)
        states[states == -1] = np.nan
        return states

    assert contents(write(tmp_path / "a", encode)) == contents(write(tmp_path / "b"))


def test_fingerprint_changes_with_ids_texts_order_and_settings():
    clips = [("a", "one"), ("b", "two")]
    prints = {
        fingerprint("all", clips),
        fingerprint("some", clips),
        fingerprint("all", clips[::-1]),
        fingerprint("all", [("a", "one"), ("c", "two")]),
        fingerprint("all", [("a", "one"), ("b", "two ")]),
        fingerprint("all", clips[:1]),
    }
    assert len(prints) == 6
    assert fingerprint("all", iter(clips)) in prints


@pytest.mark.parametrize("moment", ["put aside", "named", "done"])
def test_a_replacement_that_is_killed_keeps_a_whole_store(tmp_path, monkeypatch, moment):
    """Killed with the old store put aside, the new one named, or before the old one is gone."""
    folder = write(tmp_path / "ramp")
    before = contents(folder)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if moment == "put aside":
            rename = Path.rename
            patched.setattr(
                Path,
                "rename",
                lambda path, target: (
                    killed() if path.name.endswith(".partial") else rename(path, target)
                ),
            )
        elif moment == "named":
            patched.setattr(files, "settle", killed)
        else:
            remove = shutil.rmtree
            patched.setattr(
                shutil,
                "rmtree",
                lambda path, **how: killed() if path.name.endswith(".old") else remove(path, **how),
            )
        with pytest.raises(KeyboardInterrupt):
            write(folder)
    open_store(folder, **ASKED)
    assert contents(folder) == before
    assert not folder.with_name(".ramp.old").exists()
    write(folder)
    assert contents(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["ramp"]
