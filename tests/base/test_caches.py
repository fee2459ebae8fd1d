"""Libraries that write as they are imported have a folder where nothing else can be written."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from msalib.base import caches

NAMES = ("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME")


@pytest.fixture
def closed(monkeypatch, tmp_path) -> Path:
    """An environment in which nothing can be written but the temporary folder."""
    for name in NAMES:
        monkeypatch.setenv(name, "")  # to be as it was, afterwards
        monkeypatch.delenv(name)
    root = tmp_path / "temporary"
    monkeypatch.setenv("MSALIB_TEMPORARY", str(root))
    monkeypatch.setattr(caches, "_writable", lambda folder: folder.is_relative_to(tmp_path))
    monkeypatch.setenv("HOME", "/nonexistent")
    return root


def test_they_get_a_folder_where_home_and_packages_only_read(closed):
    caches.lend()
    for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
        assert Path(os.environ[name]).is_relative_to(closed / caches.FOLDER)
    assert "XDG_CACHE_HOME" not in os.environ and "HF_HOME" not in os.environ


def test_what_is_set_stays(closed, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    caches.lend()
    assert os.environ["NUMBA_CACHE_DIR"] == "mine" and "MPLCONFIGDIR" not in os.environ


def test_a_user_without_a_home_loses_no_models(closed, monkeypatch):
    monkeypatch.setattr(caches, "_home", lambda: Path("~"))
    caches.lend()
    assert Path(os.environ["XDG_CACHE_HOME"]).is_relative_to(closed)
    assert os.environ["HF_HOME"] == "~/.cache/huggingface"  # and not in what is lent


def test_without_a_temporary_folder_all_stays_as_it_is(closed, monkeypatch):
    closed.touch()  # no folder can be made there
    caches.lend()
    assert not {"NUMBA_CACHE_DIR", "MPLCONFIGDIR"} & set(os.environ)


def test_a_folder_that_is_missing_can_be_written_where_its_parent_can(tmp_path):
    assert caches._writable(tmp_path / "a" / "b")
    assert not caches._writable(Path("~/.cache"))


IMPORTED = "import msalib, librosa.core.notation, matplotlib.pyplot"
"""Both numba and pooch refuse that module of librosa there; others compile for half a minute."""


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0 or not shutil.which("setpriv"),
    reason="only root can become another user, by setpriv",
)
def test_a_user_without_a_home_who_can_write_nothing_imports_them():
    pytest.importorskip("librosa", reason="sound needs the extra media")
    reading = "+dac_read_search"  # may look into folders of others, and write to none
    with tempfile.TemporaryDirectory() as root:  # pytest's is closed to other users
        Path(root).chmod(0o777)
        done = subprocess.run(
            [
                *("setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"),
                *("--inh-caps", reading, "--ambient-caps", reading),
                *(sys.executable, "-c", IMPORTED),
            ],
            env={"PATH": os.environ["PATH"], "MSALIB_TEMPORARY": root, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert Path(root, caches.FOLDER).is_dir()
