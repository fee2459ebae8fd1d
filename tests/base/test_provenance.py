"""Where results come from: commit, device, versions."""

import re
import subprocess

import pytest

from msalib.base import provenance
from msalib.base.errors import UserError


def test_the_commit_is_told_and_whether_the_code_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.commit() == "unknown"  # no repository

    def git(*arguments):
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    (tmp_path / "msalib").mkdir()
    (tmp_path / "msalib" / "a.py").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = provenance.commit()
    assert re.fullmatch(r"[0-9a-f]{12}", clean)
    (tmp_path / "notes.txt").write_text("not code")
    assert provenance.commit() == clean
    (tmp_path / "msalib" / "a.py").write_text("2")
    assert provenance.commit() == clean + "+"


@pytest.mark.parametrize(("gpu", "auto"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_the_gpu_where_there_is_one(monkeypatch, gpu, auto):
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    assert provenance.pick_device("auto") == auto
    assert provenance.pick_device("cpu") == "cpu"
    with pytest.raises(UserError, match="device 'tpu': found no such device here"):
        provenance.pick_device("tpu")
    if not gpu:
        with pytest.raises(UserError, match="device 'cuda': found no such device here"):
            provenance.pick_device("cuda")


def test_versions_and_device_have_names():
    versions = provenance.versions()
    assert set(versions) == {"python", "msalib", "torch", "transformers", "numpy", "scikit-learn"}
    assert "not installed" not in versions.values()
    assert re.fullmatch(r"CPU \(.+\), \d+ cores", provenance.device_name("cpu"))
