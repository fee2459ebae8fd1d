"""Every reader tells a pointer or a page in the place of its files, and reads what is fetched."""

import bz2
import gzip
import lzma
import pickle
import shutil
import zipfile

import pytest
import torch

from msalib.data import datasets
from msalib.data.readers import formats
from tests.base.test_standins import LFS, PAGE
from tests.data.readers.toolbox import message
from tests.fixtures import FIXTURES, VARIANTS, mmsa_content


def convert(path):
    return formats.convert(path, "toy", formats.Options())


def kinds(source):
    """The first file of each ending below a path, or the path itself."""
    files = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
    return list({file.suffix: file for file in reversed(files)}.values())


@pytest.mark.parametrize("content", [LFS, PAGE], ids=["pointer", "page"])
@pytest.mark.parametrize("name", [*FIXTURES, "mult"])
def test_what_stands_in_for_a_file_of_any_layout_is_told(tmp_path, name, content):
    write = FIXTURES.get(name) or VARIANTS[name][1]
    source = write(tmp_path / "source")
    for file in kinds(source):
        shutil.copy(file, tmp_path / "kept")
        file.write_text(content)
        text = message(convert, source)
        assert text.startswith(f"{file}: found "), text
        found, remedy = ("a pointer of Git LFS", "git lfs") if content == LFS else ("a web", "save")
        assert found in text and remedy in text
        shutil.copy(tmp_path / "kept", file)  # the remedy
        assert len(convert(source)[0])


@pytest.mark.parametrize("end", [".zip", ".tar.gz", ".npz", ".tsv", ".json"])
def test_a_file_alone_is_told(tmp_path, end):
    path = tmp_path / f"file{end}"
    path.write_text(LFS)
    assert message(convert, path).startswith(f"{path}: found a pointer of Git LFS")


def test_a_pointer_in_an_archive_is_told(tmp_path):
    """What a code site packs as an archive has pointers, too."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "file.pkl").write_text(LFS)
    path = shutil.make_archive(str(tmp_path / "main"), "zip", tmp_path / "repository")
    text = message(convert, path)
    assert text.startswith(f"{path}/file.pkl: found a pointer of Git LFS")


@pytest.mark.parametrize(
    ("name", "file"),
    [("mosi", "utterances.csv"), ("mosi", "features.npz"), ("mmmo", "features.npz")],
)
def test_a_data_set_by_name_is_told(tmp_path, monkeypatch, name, file):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    (tmp_path / name).mkdir()
    table = "id,video,segment,text,label,split\na_1,a,1,word,1,train\n"
    (tmp_path / name / "utterances.csv").write_text(table)
    (tmp_path / name / file).write_text(LFS)
    assert f"{file}: found a pointer of Git LFS" in message(datasets.load, name)


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("packer", PACKERS)
def test_a_packed_file_under_the_name_of_a_pickle_is_told(tmp_path, packer):
    plain = FIXTURES["mmsa"](tmp_path)
    path = tmp_path / "packed.pkl"
    path.write_bytes(PACKERS[packer](plain.read_bytes()))
    text = message(convert, path)
    assert f"found a file packed by {packer};" in text and "Unpack it, and add what" in text


def test_an_archive_under_the_name_of_a_pickle_is_told(tmp_path):
    path = tmp_path / "packed.pkl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(FIXTURES["mmsa"](tmp_path), "unaligned_50.pkl")
    text = message(convert, path)
    assert "found a ZIP archive under the name of a pickle" in text and "Name it .zip" in text
    assert len(convert(path.rename(tmp_path / "packed.zip"))[0])


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("torch._utils\n_rebuild_tensor_v2", "x.numpy()"), ("pandas\nDataFrame", "x.tolist()")],
)
def test_tensors_and_tables_in_a_pickle_are_told_how_to_keep(tmp_path, name, remedy):
    path = tmp_path / "file.pkl"
    path.write_bytes(b"c" + name.encode() + b"\n.")
    assert f"If it is your own, keep {remedy} of every" in message(convert, path)


@pytest.mark.parametrize("ending", [".pkl", ".pt", ".pth"])
@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saved_is_told_how_to_keep(tmp_path, ending, zipped):
    path = tmp_path / f"file{ending}"
    content = {"train": {"audio": torch.zeros(2)}}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    text = message(convert, path)
    assert "torch.save" in text and "with pickle" in text
    path.write_bytes(pickle.dumps(mmsa_content()))  # what the message says
    assert len(convert(path)[0]) == 42


@pytest.mark.parametrize("stand_in", [LFS, PAGE], ids=["pointer", "page"])
def test_a_single_file_of_a_folder_is_told_as_well(tmp_path, stand_in):
    path = tmp_path / "a.csd"
    path.write_text(stand_in)
    assert "found one file" not in message(convert, path)
