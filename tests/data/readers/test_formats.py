"""Formats are told apart from what lies there; archives are unpacked for the time of reading."""

import os
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from msalib.base.errors import UserError
from msalib.data.readers import formats
from tests.data.readers.toolbox import message
from tests.fixtures import (
    FIXTURES,
    VARIANTS,
    mag_content,
    mmsa_content,
    multibench_content,
    write_pickle,
)

WRITERS = {name: (name, write) for name, write in FIXTURES.items()} | VARIANTS


def convert(path, **options):
    return formats.convert(path, "toy", formats.Options(), **options)


def packed(path: Path, archive: Path) -> Path:
    """The file or folder at ``path`` in an archive, below one folder and beside some junk."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    names = {f"data/{f.relative_to(path.parent)}": f for f in files}
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            for name, file in names.items():
                target.write(file, name)
            target.writestr("__MACOSX/data/._x", b"junk")
            target.writestr(".DS_Store", b"junk")
    else:
        with tarfile.open(archive, "w:gz") as target:
            for name, file in names.items():
                target.add(file, name)
    return archive


def test_every_format_has_a_fixture():
    assert set(FIXTURES) == set(formats.FORMATS)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_a_reader_has_what_the_others_have(name):
    module = formats.reader(name)
    assert name == module.NAME and module.TITLE
    assert callable(module.read)
    assert callable(module.fits if name in formats.PICKLED else module.detects)


@pytest.mark.parametrize("name", WRITERS)
def test_the_format_of_every_layout_is_detected(tmp_path, name):
    format, write = WRITERS[name]
    path = write(tmp_path / "source")
    assert formats.detect(path) == format
    assert formats.detect(str(path)) == format
    corpus, found = convert(path)
    assert found == format and corpus.name == "toy"
    for part in ("train", "valid", "test"):
        label = corpus.utterances["label"].iloc[corpus.rows(part, next(iter(corpus.splits)))]
        assert len(label) and label.nunique() > 1
    assert corpus.utterances["video"].nunique() >= (9 if name == "nemo" else 10)


@pytest.mark.parametrize("end", [".zip", ".tar.gz"])
@pytest.mark.parametrize("name", FIXTURES)
def test_an_archive_of_every_layout(tmp_path, monkeypatch, name, end):
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "temporary"))
    source = FIXTURES[name](tmp_path / "source")
    archive = packed(source, tmp_path / f"x{end}")
    assert formats.detect(archive) == name
    if name in ("media", "ravdess", "nemo"):
        text = message(convert, archive)
        assert text.startswith(f"{archive}: found clips of sound or pictures in an archive")
        assert "Unpack it yourself" in text
    else:
        plain, _ = convert(source)
        corpus, format = convert(archive)
        assert format == name and corpus.fingerprint() == plain.fingerprint()
    assert not list((tmp_path / "temporary").rglob("archive"))


def test_a_pickle_and_its_licence_in_an_archive(tmp_path):
    path = write_pickle(tmp_path / "a" / "x.pkl", mmsa_content())
    (tmp_path / "a" / "LICENCE").write_text("free")
    shutil.make_archive(str(tmp_path / "y"), "zip", tmp_path / "a")
    assert path.is_file() and formats.detect(tmp_path / "y.zip") == "mmsa"


def test_without_room_for_an_archive_the_remedy_names_a_place_that_has_some(tmp_path, monkeypatch):
    path = write_pickle(tmp_path / "a" / "x.pkl", mmsa_content())
    shutil.make_archive(str(tmp_path / "y"), "zip", path.parent)
    full = shutil.disk_usage(tmp_path)._replace(free=0)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: full)
        text = message(convert, tmp_path / "y.zip")
    assert text.startswith(f"{tmp_path / 'y.zip'}: found it cannot be written (0.0 GiB when unp")
    assert "set MSALIB_TEMPORARY to another folder" in text
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "elsewhere"))  # that has room
    assert convert(tmp_path / "y.zip")[1] == "mmsa"


def test_errors_name_the_archive_not_its_copy(tmp_path):
    content = mmsa_content()
    content["train"]["audio_lengths"][0] = 999
    write_pickle(tmp_path / "a" / "x.pkl", content)
    shutil.make_archive(str(tmp_path / "y"), "zip", tmp_path / "a")
    text = message(convert, tmp_path / "y.zip")
    assert text.startswith(f"{tmp_path / 'y.zip' / 'x.pkl'}: found audio_lengths 999")


def test_a_pickle_of_no_layout_is_told_with_what_it_holds(tmp_path):
    path = write_pickle(tmp_path / "x.pkl", {"train": {"a": 1, "b": 2}, "test": {}})
    text = message(formats.detect, path)
    assert (
        "found a pickle of a dictionary with the keys train, test, the first a dictionary" in text
    )
    assert "with the keys a, b; expected one of the formats mmsa: " in text
    for content, what in ((None, "NoneType"), ([1, 2], "list")):
        path.write_bytes(pickle.dumps(content))
        assert f"found a pickle of {what};" in message(formats.detect, path)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    there = tmp_path / "there"
    path = tmp_path / "x.pkl"
    path.write_bytes(f"c{os.system.__module__}\nsystem\n(S'touch {there}'\ntR.".encode())
    for call in (formats.detect, convert):
        assert f"a pickle that uses {os.system.__module__}.system" in message(call, path)
    assert "posix.system" in message(convert, path, format="mmsa")
    assert not there.exists()


def test_what_a_file_says_cannot_break_a_message(tmp_path):
    """Nor colour the terminal, nor fill it."""
    path = write_pickle(tmp_path / "x.pkl", {"\x1b[31mred\n": {"a\rb": 1}})
    assert "with the keys ?[31mred?, the first a dict" in message(formats.detect, path)
    content = mmsa_content()
    content["train"]["id"][0] = content["train"]["id"][1] = "\n" + "long" * 10_000
    text = message(convert, write_pickle(path, content))
    assert "two clips with the id ?longlong" in text and len(text) < 1500


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(formats.reader("meld"), "detects", refuse)
    text = message(formats.detect, tmp_path)
    assert text.startswith(f"{tmp_path}: found what cannot be read: Permission denied; expected")


def test_a_folder_of_no_layout_is_told_with_what_it_holds(tmp_path):
    text = message(formats.detect, tmp_path)
    assert text.startswith(
        f"{tmp_path}: found a folder of nothing; expected one of the formats csd"
    )
    for i in range(12):
        (tmp_path / f"{i:02d}.txt").write_text("x")
    (tmp_path / "00").mkdir()
    text = message(formats.detect, tmp_path)
    assert "found a folder of 00/, 00.txt, 01.txt, " in text and " and 5 more; expected" in text


def test_other_files_are_told(tmp_path):
    path = tmp_path / "x.txt"
    assert "found no such file or folder; expected data" in message(formats.detect, path)
    path.write_text("hello")
    assert "found a file of no known format; expected one of" in message(convert, path)


def test_a_path_that_fits_two_formats_is_told(tmp_path, monkeypatch):
    for name in ("meld", "mustard"):
        monkeypatch.setattr(formats.reader(name), "detects", lambda path: True)
    text = message(formats.detect, tmp_path)
    assert "found what may be " in text and "(meld) or " in text and "(mustard)" in text
    assert "Name the format: --format meld" in text


def test_a_format_can_be_named(tmp_path):
    path = FIXTURES["mmsa"](tmp_path)
    assert convert(path, format="mmsa")[1] == "mmsa"
    text = message(convert, path, format="mag")
    assert "found a pickle of a dictionary with the keys train, valid, test" in text
    assert "(mag)" in text
    assert "found no such format; expected one of mmsa, " in message(convert, path, format="pkl")
    assert "found a folder of " in message(convert, tmp_path, format="mmsa")


def test_options_are_checked():
    assert formats.options(clean=True, align="words").align == "words"
    text = message(formats.options, align="letters")
    assert text.startswith("option --align: found 'letters'; expected 'labels' or 'words'.")
    assert "msalib data add --help" in text


def test_a_folder_of_pickles_is_told_which_to_give(tmp_path):
    write_pickle(tmp_path / "b.pkl", {})
    write_pickle(tmp_path / "a.pkl", {})
    with pytest.raises(UserError, match=r"data add '.*a\.pkl'"):
        formats.detect(tmp_path)


# --- a pickle for each part ---------------------------------------------------------------------

BY_PART = {"mmsa": mmsa_content, "multibench": multibench_content, "mag": mag_content}


def parted(content: dict, folder: Path, name: str = "{}.pkl") -> Path:
    """Keep each part as a pickle of its own."""
    for part, clips in content.items():
        write_pickle(folder / name.format(part), clips)
    return folder


@pytest.mark.parametrize("name", ["{}.pkl", "mosi_{}.pickle", "{}-50.p"])
@pytest.mark.parametrize("format", BY_PART)
def test_a_folder_of_a_pickle_for_each_part_is_one_data_set(tmp_path, format, name):
    plain, _ = convert(write_pickle(tmp_path / "x.pkl", BY_PART[format]()))
    folder = parted(BY_PART[format](), tmp_path / "parts", name)
    (folder / "embedding_and_mapping.pt").write_bytes(b"x")
    corpus, found = convert(folder)
    assert found == format == formats.detect(folder)
    assert corpus.fingerprint() == plain.fingerprint()
    assert convert(folder, format=format)[0].fingerprint() == plain.fingerprint()
    archive = shutil.make_archive(str(tmp_path / "parts"), "zip", folder)
    assert convert(archive)[0].fingerprint() == plain.fingerprint()


@pytest.mark.parametrize("format", BY_PART)
def test_one_part_alone_is_told_what_to_add(tmp_path, format):
    folder = parted(BY_PART[format](), tmp_path / "parts")
    text = message(convert, folder / "train.pkl")
    assert f"It is one part of a data set: add its folder, msalib data add '{folder}'" in text
    assert len(convert(folder)[0]) >= 40
    (folder / "train.pkl").rename(folder / "some.pkl")
    text = message(convert, folder / "some.pkl")
    assert "name it train.pkl, those of the others valid.pkl and test.pkl, and add" in text
    (folder / "some.pkl").rename(folder / "train.pkl")
    assert len(convert(folder)[0]) >= 40


def test_two_pickles_of_one_part_are_no_data_set(tmp_path):
    folder = parted(mag_content(), tmp_path)
    write_pickle(folder / "valid.pkl", [])
    assert "found a folder of dev.pkl, test.pkl, train.pkl, valid.pkl" in message(convert, folder)


def test_pickles_beside_a_format_of_folders_are_left_alone(tmp_path):
    folder = FIXTURES["meld"](tmp_path)
    (folder / "train.pkl").write_bytes(b"cposix\nsystem\n.")
    assert convert(folder)[1] == "meld"
