"""Leftovers of killed processes: all of them go, and nothing of a living one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from msalib.base import files, leftovers, temporary
from msalib.base.errors import UserError
from tests.encoders.killing import killed, operations
from tests.processes import alive

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def hidden(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob(".*"))


def of_others(root: Path) -> list[str]:
    """Return what lies in the root that is not this process's."""
    return [p.name for p in root.iterdir() if not p.name.startswith(temporary.name())]


def add(work: Path) -> None:
    """Replace a folder, a file and a locked one, as commands do, with an archive unpacked."""
    with temporary.folder() as unpacked:
        (unpacked / "a").write_text("new")
        with files.whole_folder(work / "data.set") as new:
            files.write_bytes(new / "a", (unpacked / "a").read_bytes())
    with files.reserved(work / "deep" / "b-0.5.json", wait=False) as free:
        assert free
        files.write_text(work / "deep" / "b-0.5.json", "new")
    with files.folder_in(work / "deep") as beside:
        (beside / "c").write_text("new")
        (beside / "c").replace(work / "deep" / "c")


def contents(work: Path) -> dict[str, str]:
    return {str(p.relative_to(work)): p.read_text() for p in work.rglob("*") if p.is_file()}


@needs_fork
def test_killed_at_any_moment_all_is_old_or_new_and_the_next_command_leaves_nothing(
    tmp_path, root, monkeypatch
):
    monkeypatch.setattr(os, "fsync", lambda file: None)  # what was written survives a kill anyway
    (tmp_path / "whole" / "data.set").mkdir(parents=True)
    (tmp_path / "whole" / "data.set" / "a").write_text("old")
    count = operations(lambda: add(tmp_path / "whole"), tmp_path)
    expected = contents(tmp_path / "whole")
    assert count > 30 and set(expected.values()) == {"new"}
    for moment in range(1, count + 1):
        work = tmp_path / f"work{moment}"
        shutil.copytree(tmp_path / "whole", work)
        (work / "data.set" / "a").write_text("old")
        assert killed(lambda work=work: add(work), tmp_path, moment)
        leftovers.remove()
        assert (hidden(work), of_others(root)) == ([], []), moment
        assert (work / "data.set" / "a").read_text() in ("old", "new"), moment
        add(work)
        assert contents(work) == expected
        shutil.rmtree(work)


HOLD = """
import sys
from pathlib import Path
from msalib.base import files, temporary
with files.whole_folder(Path(sys.argv[1]) / "data") as partial, temporary.folder() as folder:
    (partial / "a").touch(), (folder / "b").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_living_process_has_stays(tmp_path, root):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "work")]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    folder = Path(holder.stdout.readline().strip())
    leftovers.remove()
    files.settle_all(tmp_path / "work")
    assert (folder / "b").exists() and (tmp_path / "work" / ".data.partial" / "a").exists()
    assert hidden(tmp_path / "work") == [".data.lock", ".data.partial"]
    holder.kill()
    holder.communicate()
    leftovers.remove()
    assert hidden(tmp_path / "work") == [] and of_others(root) == []


UNGUARDED = """
import os, signal, subprocess, sys
from msalib.base import children
wait = [sys.executable, "-c", "import time; time.sleep(600)"]
child = children.Child(wait, stdout=subprocess.DEVNULL)
(guard,) = children._guards.values()
guard.kill()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills")
def test_the_next_command_ends_children_whose_guard_was_killed_too(root):
    done = subprocess.run([sys.executable, "-c", UNGUARDED], stdout=subprocess.PIPE, text=True)
    child = done.stdout.strip()
    assert alive([child]) == [int(child)] and len(of_others(root)) == 2
    leftovers.remove()
    assert alive([child]) == [] and of_others(root) == []


def test_a_folder_on_another_machine_is_settled_without_notes(tmp_path):
    """Whoever was killed there had its notes there."""
    for name in (".data.partial", ".gone.old"):
        (tmp_path / "work" / name).mkdir(parents=True)
    (tmp_path / "work" / ".data.lock").touch()
    files.settle_all(tmp_path / "work")
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["gone"]


def test_the_same_name_that_another_process_writes_now_stays(tmp_path, root):
    dead = root / "1-0123abcd"
    dead.mkdir(parents=True)
    paths = [tmp_path / "work" / name for name in (".data.partial", ".data.lock", "data/plain")]
    (dead / "beside").write_text("".join(f"{json.dumps(str(p))}\n" for p in paths) + '"torn')
    with files.whole_folder(tmp_path / "work" / "data") as partial:
        (partial / "plain").write_text("new")
        leftovers.remove()
        assert (partial / "plain").exists()
    assert (tmp_path / "work" / "data" / "plain").read_text() == "new"
    assert of_others(root) == []


def test_what_is_none_of_ours_stays(tmp_path, root, monkeypatch):
    (root / "photos").mkdir(parents=True)
    (root / "1-0123abcd").mkdir()
    monkeypatch.setattr(temporary, "_is_mine", lambda path: False)
    leftovers.remove()
    assert sorted(of_others(root)) == ["1-0123abcd", "photos"]


def test_a_root_of_another_user_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("MSALIB_TEMPORARY")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(temporary, "_is_mine", lambda path: False)
    with pytest.raises(UserError, match=r"another user.*Set MSALIB_TEMPORARY"), temporary.folder():
        pass
    files.write_text(tmp_path / "a", "text")  # needs no such folder
    monkeypatch.setenv("MSALIB_TEMPORARY", str(tmp_path / "mine"))  # the remedy
    with temporary.folder() as folder:
        assert folder.is_relative_to(tmp_path / "mine")


def test_what_another_user_holds_is_left_and_not_waited_for(root, monkeypatch):
    (root / "12-0123abcd").mkdir(parents=True)
    monkeypatch.setattr(temporary, "_is_mine", lambda path: False)
    with FileLock(root / "12-0123abcd.lock"):
        assert list(temporary.abandoned()) == []
    assert (root / "12-0123abcd").is_dir()


def test_a_process_leaves_no_folder_at_its_end(root):
    code = "from msalib.base import temporary; print(temporary.own())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(root)) and list(root.iterdir()) == []
