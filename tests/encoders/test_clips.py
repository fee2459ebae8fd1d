"""Clips: looking at all of them, and the fingerprint of their media."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="media need the extra media")
pytest.importorskip("cv2", reason="media need the extra media")

from msalib.base.errors import UserError
from msalib.data.readers import clip_files
from msalib.encoders import clips, media
from tests.clips import corpus, flat, tone, write_pictures, write_wav

looked = []


def noted(path: Path, add: int) -> int:
    looked.append(path.name)
    if path.name.startswith("bad"):
        raise UserError(path, found="nothing", expected="something", remedy="Do.")
    return len(path.name) + add


def test_looking_names_all_that_cannot_be_read_and_goes_on_where_it_was(tmp_path):
    paths = [tmp_path / name for name in ("a", "bad1", "abc", "bad2")]

    def look(key: str = "key", add: int = 1) -> list:
        clips_of = corpus(acoustic=paths), "acoustic"
        return clips.look(tmp_path / "store", key, noted, *clips_of, (add,), "looking").results

    looked.clear()
    named = r"clip video_1 \(.*bad1\): found nothing; and 1 more .*bad2"
    with pytest.raises(UserError, match=named):
        look()
    assert looked == ["a", "bad1", "abc", "bad2"]
    notes = tmp_path / "store.look"
    notes.write_text(notes.read_text() + '[1, "to')  # killed while it wrote
    looked.clear()
    paths[1], paths[3] = tmp_path / "good", tmp_path / "goods"
    assert look() == [2, 5, 4, 6]
    assert looked == ["good", "goods"]
    looked.clear()
    assert look() == [2, 5, 4, 6]
    assert looked == []
    assert look("other", 0) == [1, 4, 3, 5]
    clips.forget(tmp_path / "store")
    assert not notes.exists()


def test_clips_that_are_cut_are_named_counted_and_looked_at_again(tmp_path, monkeypatch):
    paths = [write_wav(tmp_path / f"{n}.wav", tone(800, n)) for n in range(3)]
    for path in paths[1:]:
        path.write_bytes(path.read_bytes()[:-1600])

    def look() -> clips.Looked:
        of_clips = corpus(acoustic=paths), "acoustic"
        return clips.look(tmp_path / "s", "key", media.samples, *of_clips, ("mean",), "looking")

    named = r"clip video_1 \(.*1\.wav\): found 0\.03 s of sound of the 0\.05 s .*clip video_2 \("
    with pytest.raises(UserError, match=named):
        look()
    monkeypatch.setenv("MSALIB_ACCEPT_CUT", "1")
    with pytest.warns(UserWarning, match=r"2 of 3 clips of toy are cut .*\(video_1: 0\.03 s"):
        looked = look()
    assert looked.results == [800, 400, 400] and list(looked.cut) == ["video_1", "video_2"]
    assert looked.counts == {clips.CUT: 2}
    with pytest.warns(UserWarning, match="cut short"):
        assert look() == looked  # as noted
    monkeypatch.delenv("MSALIB_ACCEPT_CUT")
    with pytest.raises(UserError, match="cut short"):
        look()


def without(path: Path) -> int:
    raise UserError("sound", found="no package", expected="one", remedy="Install it.")


def test_what_is_missing_for_all_clips_is_said_once(tmp_path):
    with pytest.raises(UserError) as error:
        clips_of = corpus(acoustic=[tmp_path] * 3), "acoustic"
        clips.look(tmp_path / "store", "key", without, *clips_of, (), "looking")
    assert str(error.value) == "sound: found no package; expected one. Install it."


def test_a_disk_that_refuses_is_said(tmp_path):
    (tmp_path / "features").touch()
    with pytest.raises(UserError, match="cannot be written"):
        clips_of = corpus(acoustic=[tmp_path]), "acoustic"
        clips.look(tmp_path / "features" / "store", "key", noted, *clips_of, (0,), "looking")


def test_a_fingerprint_follows_the_media_and_not_their_place(tmp_path):
    paths = [write_wav(tmp_path / f"{n}.wav", tone(50, n)) for n in range(3)]
    folder = tmp_path / "features" / "store"
    first = clips.inputs(corpus(acoustic=paths), "acoustic", "s", folder)
    assert clips.inputs(corpus(acoustic=paths), "acoustic", "s", folder) == first
    assert clips.inputs(corpus(acoustic=paths), "acoustic", "other", folder) != first
    moved = [write_wav(tmp_path / f"moved{n}.wav", tone(50, n)) for n in range(3)]
    assert clips.inputs(corpus(acoustic=moved), "acoustic", "s", folder) == first
    write_wav(paths[1], tone(50, 9))  # as many bytes as before
    assert clips.inputs(corpus(acoustic=paths), "acoustic", "s", folder) != first
    with pytest.raises(UserError, match="no media for the visual modality"):
        clips.files(corpus(acoustic=paths), "visual")
    paths[0].unlink()
    with pytest.raises(UserError, match=r"0\.wav: found No such file"):
        clips.inputs(corpus(acoustic=paths), "acoustic", "s", folder)


def test_digests_are_kept_and_a_picture_in_a_folder_counts(tmp_path, monkeypatch):
    paths = [write_pictures(tmp_path / "a", [flat(1), flat(2)], "3")]
    for picture in paths[0].iterdir():
        os.utime(picture, (0, time.time() - 10))
    folder = tmp_path / "features" / "store"
    first = clips.inputs(corpus(visual=paths), "visual", "s", folder)
    with monkeypatch.context() as patch:
        patch.setattr(clip_files, "digest", None)  # would fail if called
        assert clips.inputs(corpus(visual=paths), "visual", "s", folder) == first
    (paths[0] / "1.png").unlink()
    assert clips.inputs(corpus(visual=paths), "visual", "s", folder) != first


def test_a_file_that_changes_within_the_tick_of_its_disk_is_seen(tmp_path, monkeypatch):
    """As many bytes, and a time of modification that a disk cut to the same second."""
    monkeypatch.setattr(clips, "SETTLED", 3600)  # however slow the machine is
    path, folder = tmp_path / "0.wav", tmp_path / "features" / "store"
    second = int(time.time())

    def fingerprint(pitch: int) -> str:
        write_wav(path, tone(50, pitch))
        os.utime(path, (second, second))
        return clips.inputs(corpus(acoustic=[path]), "acoustic", "s", folder)

    first = fingerprint(1)
    assert fingerprint(2) != first
    assert fingerprint(1) == first


def test_what_was_read_of_the_media_is_kept_when_it_is_killed(tmp_path, monkeypatch):
    made = corpus(acoustic=[write_wav(tmp_path / f"{i}.wav", tone(400, i)) for i in range(3)])
    digest = clip_files.digest
    monkeypatch.setattr(clips, "SAVE_EVERY", -1)
    monkeypatch.setattr(
        clip_files, "digest", lambda path: digest(path) if path.stem != "2" else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        clips.inputs(made, "acoustic", "as it is", tmp_path / "store")
    kept = json.loads((tmp_path / clips.SEEN).read_bytes())
    assert [Path(name).name for name in kept] == ["0.wav", "1.wav"]


def test_batches_hold_every_clip_once_within_the_budget():
    batches = clips.batches(np.array([2, 30, 5, 5, 9, 2, 10, 6]), 20)
    assert [b.tolist() for b in batches] == [[1], [6, 4], [7, 2, 3], [0, 5]]
