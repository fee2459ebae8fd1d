"""Archives of strangers: files come through, what leads elsewhere is refused by name."""

import gzip
import io
import struct
import tarfile
import zipfile

import pytest

from msalib.base.errors import UserError
from msalib.data.readers import archives
from tests.data.readers.toolbox import message


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(path, members):
    """Members are names with bytes, or whole ``TarInfo``."""
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def refused(path, tmp_path) -> str:
    into = tmp_path / "deep" / "into"
    before = [p for p in sorted(tmp_path.rglob("*")) if p.is_file()]
    text = message(archives.unpack, path, into)
    assert not into.exists()
    assert [p for p in sorted(tmp_path.rglob("*")) if p.is_file()] == before
    return text


FILES = [("a/", b""), ("a/one.txt", b"one"), ("a/b/two.bin", bytes(100_000)), ("three", b"")]


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz", "X.ZIP"])
def test_an_archive_is_unpacked(tmp_path, name):
    path = tmp_path / name
    members = [m for m in FILES if m[1] or not m[0].endswith("/")]
    (zipped if name.lower().endswith("zip") else tarred)(path, members)
    archives.unpack(path, tmp_path / "into")
    for name, content in members:
        assert (tmp_path / "into" / name).read_bytes() == content


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "a\\..\\..\\evil", "C:\\evil", "C:evil"],
)
@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz"])
def test_names_that_lead_out_are_refused_by_name(tmp_path, name, end):
    path = tmp_path / f"x{end}"
    (zipped if end == ".zip" else tarred)(path, [("fine", b"1"), (name, b"evil")])
    text = refused(path, tmp_path)
    assert f"found the name {name!r}, which leads out of it" in text


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        (special("link", tarfile.SYMTYPE, "/etc/passwd"), "link"),
        (special("link", tarfile.LNKTYPE, "fine"), "link"),
        (special("device", tarfile.CHRTYPE), "device"),
        (special("pipe", tarfile.FIFOTYPE), "device"),
    ],
)
def test_links_and_devices_are_refused_by_name(tmp_path, member, kind):
    path = tarred(tmp_path / "x.tar", [("fine", b"1"), (member, b"")])
    assert f"found {member.name!r}, which is a {kind}" in refused(path, tmp_path)


def test_a_link_in_a_zip_is_refused_by_name(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    path = zipped(tmp_path / "x.zip", [(info, "/etc/passwd")])
    assert "found 'link', which is a link" in refused(path, tmp_path)


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "x.zip", [("a", "1"), ("a", "2")])
    assert "found the name 'a' twice or empty" in refused(path, tmp_path)
    path = zipped(tmp_path / "y.zip", [("a", "1"), ("a/b", "2")])
    assert "found what cannot be unpacked: " in refused(path, tmp_path)


def test_limits_of_archives(tmp_path, monkeypatch):
    path = zipped(tmp_path / "x.zip", FILES[1:])
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    assert "found more than a data set holds; expected at most 2 files" in refused(path, tmp_path)
    monkeypatch.setattr(archives, "MAX_FILES", 200)
    monkeypatch.setattr(archives, "MAX_UNPACKED", 50_000)
    assert "found more than a data set holds" in refused(path, tmp_path)


def test_an_archive_that_lies_about_sizes_is_refused(tmp_path):
    path = zipped(tmp_path / "x.zip", [("a", bytes(100_000))])
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))
    text = refused(path, tmp_path)
    assert "another size than the archive says" in text or "damaged" in text


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz"])
def test_a_truncated_archive_is_told(tmp_path, end):
    path = tmp_path / f"x{end}"
    (zipped if end == ".zip" else tarred)(path, FILES[1:])
    content = path.read_bytes()
    stop = content.rstrip(b"\0")  # a .tar ends in zeros, of which two blocks are enough
    for share in (0, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(content[: int(share * len(stop))])
        assert "found a damaged or truncated archive" in refused(path, tmp_path)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_an_archive_cannot_fill_the_memory_by_its_headers(tmp_path, monkeypatch, name):
    monkeypatch.setattr(archives, "MAX_HEADER", 2**16)
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**20
    for content in (header.tobuf(tarfile.GNU_FORMAT) + bytes(2**21), tar_of_one() + bytes(2**17)):
        opened = gzip.open if name.endswith("gz") else open
        with opened(tmp_path / name, "wb") as file:
            file.write(content)
        with pytest.raises(UserError, match="found a damaged or truncated archive"):
            archives.unpack(tmp_path / name, tmp_path / "into")
        assert not (tmp_path / "into").exists()


def tar_of_one() -> bytes:
    with io.BytesIO() as whole:
        with tarfile.open(fileobj=whole, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a"))
        return whole.getvalue()


def test_an_archive_with_a_password_is_told(tmp_path):
    path = zipped(tmp_path / "x.zip", [("a", b"1")])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[6] |= 1
    path.write_bytes(content)
    assert "found 'a' with a password" in refused(path, tmp_path)


def test_a_missing_archive_is_told(tmp_path):
    text = refused(tmp_path / "none.zip", tmp_path)
    assert "found what cannot be unpacked: No such file" in text
