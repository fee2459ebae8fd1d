"""Pointers and pages in a file's place are known for what they are; other files are not."""

import json
import pickle

import pytest

from msalib.base import standins

LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0a' * 32}\nsize 384703210\n"
PAGE = "<!DOCTYPE html><html><head><title>Too large\n to be scanned</title></head></html>"
ANNEX = "/annex/objects/SHA256E-s384703210--0a0a.pkl\n"

KNOWN = [
    (LFS, "a pointer of Git LFS to 384703210 bytes", "git lfs pull"),
    (LFS.replace("git-lfs", "hawser"), "a pointer of Git LFS", "git lfs pull"),
    (LFS.partition("size")[0], "a pointer of Git LFS, not the file", "git lfs pull"),
    (ANNEX, "a pointer of git-annex", "git annex get 'file.pkl'"),
    ("../../.git/annex/objects/0a/0a/x", "a pointer of git-annex", "git annex get"),
    (PAGE, "a web page (Too large to be scanned), not the file", "save the file itself"),
    (PAGE.lower().replace("<!doctype html>", "\ufeff\n  "), "a web page", "Open its address"),
    ("<!-- saved -->\n<HTML lang=en>", "a web page, not the file", "Open its address"),
    ("<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC", "a web page", "Open its address"),
    ("<html><title>\x1b[31m" + "long" * 900, "a web page ([31mlonglong", "Open its address"),
    ('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "a server's", "address"),
    ('{"message": "Not Found", "status": "404"}', "a server's answer", "Check its address"),
    ("404: Not Found", "a server's answer", "Check its address"),
]


@pytest.mark.parametrize(("content", "found", "remedy"), KNOWN)
def test_what_stands_in_for_a_file_is_told(tmp_path, content, found, remedy):
    path = tmp_path / "file.pkl"
    path.write_text(content, encoding="utf-8")
    error = standins.refusal(path)
    assert found in error.found and remedy in error.remedy
    assert len(error.found) < 150 and error.found.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        pickle.dumps({"a": 1}),
        b"video_id,clip_id,text\nversion https://git-lfs.github.com/spec/,1,<html>\n",
        json.dumps({"a": {"message": "x"}}).encode(),
        json.dumps({"message": "x" * 2000}).encode(),
        b"\x89HDF\r\n\x1a\n<html>",
        b"not founded",
    ],
)
def test_other_files_are_not(tmp_path, content):
    path = tmp_path / "file.pkl"
    path.write_bytes(content)
    assert standins.refusal(path) is None


def test_folders_and_missing_files_are_not_but_links_into_an_annex_are(tmp_path):
    assert standins.refusal(tmp_path) is None
    path = tmp_path / "file.pkl"
    assert standins.refusal(path) is None
    path.symlink_to(".git/annex/objects/0a/0a/SHA256E-s3--0a.pkl/SHA256E-s3--0a.pkl")
    assert "git annex get 'file.pkl'" in standins.refusal(path).remedy
