"""Files: whole or not at all; locks between processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from msalib.base import files, paths
from msalib.base.errors import UserError
from msalib.base.files import reserved

CONTENT = {"one": [1, 2], "other": {"a": None, "b": "ü"}, "long": "x" * 2000}


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


# --- writing ------------------------------------------------------------------------------------


def test_json_has_one_key_a_line(tmp_path):
    path = tmp_path / "new" / "a.json"
    files.write_json(path, CONTENT)
    lines = path.read_text().splitlines()
    assert [line.split('"')[1] for line in lines[1:-1]] == list(CONTENT)
    assert json.loads(path.read_bytes()) == CONTENT
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"one": float("nan")})
    assert json.loads(path.read_bytes()) == CONTENT
    assert names(path.parent) == ["a.json"]


def test_a_file_gets_its_name_when_it_is_whole(tmp_path, monkeypatch):
    replaced = []
    replace = Path.replace

    def note(self, target):
        assert not target.exists()
        assert self.read_bytes() == b"content"
        replaced.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", note)
    files.write_bytes(tmp_path / "a", b"content")
    assert replaced == [tmp_path / "a"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from msalib.base import files
from msalib.base.errors import UserError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    files.write_json(Path(sys.argv[1]), {"long": "x" * 2000})
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("room", [0, 700])
def test_a_disk_that_is_full_leaves_nothing(tmp_path, room):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.json"), str(room)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    assert "it cannot be written (File too large); expected a writable folder" in done.stdout
    assert done.stdout.count("\n") == 1
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the always full disk /dev/full")
def test_a_disk_that_is_full_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, CONTENT)
    path.with_name(f".a.json.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"No space left on device.*Make room"):
        files.write_json(path, {"one": 1})
    assert names(tmp_path) == ["a.json"]
    assert json.loads(path.read_bytes()) == CONTENT


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written \(Not a directory\)"):
        files.write_json(tmp_path / "file" / "sub" / "a.json", CONTENT)
    with (
        pytest.raises(UserError, match=r"cannot be written \(Not a directory\)"),
        reserved(tmp_path / "file" / "sub" / "a.json", wait=False),
    ):
        pass


def test_the_remedy_names_the_variable_that_moves_the_folder(tmp_path, monkeypatch):
    for variable in ("MSALIB_RECORDS", "MSALIB_FEATURES", "MSALIB_CORPORA"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
        elsewhere = rf"No room.* set {variable} to another folder"
        path = tmp_path / variable / "a" / "b"
        with pytest.raises(UserError, match=elsewhere), files.disk_errors(path):
            raise OSError(28, "No room")
    with pytest.raises(UserError, match=r"choose another folder"), files.disk_errors(tmp_path):
        raise OSError(28, "No room")


# --- folders ------------------------------------------------------------------------------------


def fill(folder: Path, text: str) -> None:
    with files.whole_folder(folder) as partial:
        (partial / "a").write_text(text)
        assert not folder.exists() or (folder / "a").read_text() != text


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "new" / "data"
    fill(folder, "one")
    (folder / "b").write_text("")
    fill(folder, "two")
    assert (folder / "a").read_text() == "two"
    assert names(folder) == ["a"] and names(folder.parent) == ["data"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_folder_that_is_not_finished_leaves_what_was_there(tmp_path, error):
    folder = tmp_path / "data"
    fill(folder, "one")
    with (
        pytest.raises(UserError if error is OSError else error),
        files.whole_folder(folder) as partial,
    ):
        (partial / "a").write_text("two")
        raise error
    assert (folder / "a").read_text() == "one"
    assert names(tmp_path) == ["data"]


@pytest.mark.parametrize("last", [1, 2])
def test_a_replacement_that_is_killed_is_finished_later(tmp_path, monkeypatch, last):
    """The new folder has its name, or the old one gets it back."""
    folder = tmp_path / "data"
    fill(folder, "one")
    shutil.copytree(folder, tmp_path / "other")
    (tmp_path / "other" / "a").write_text("two")
    renames, rename = [], Path.rename

    def kill(path, target):
        renames.append(path)
        if len(renames) == last:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", kill)
        files.replace_folder(folder, tmp_path / "other")
    assert folder.exists() == (last == 1)
    files.settle_all(tmp_path)
    assert (folder / "a").read_text() == "one"
    files.replace_folder(folder, tmp_path / "other")
    assert (folder / "a").read_text() == "two"
    assert names(tmp_path) == ["data"]


def test_a_folder_that_another_process_replaces_is_left_to_it(tmp_path):
    (tmp_path / ".data.old").mkdir()
    with reserved(tmp_path / "data", wait=False):
        files.settle_all(tmp_path)
        assert names(tmp_path) == [".data.lock", ".data.old"]
    files.settle_all(tmp_path)
    assert names(tmp_path) == ["data"]
    (tmp_path / ".data.old").mkdir()  # killed before it was gone
    files.settle_all(tmp_path)
    assert names(tmp_path) == ["data"]


# --- several processes --------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from msalib.base.files import reserved
with reserved(Path(sys.argv[1]), wait=False) as free:
    print(free, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "a-0.5.json"


@pytest.fixture
def hold(path):
    """Start a process that reserves the path; what it says of having got it."""
    holders = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in holders:
        process.kill()
        process.communicate()


def test_a_path_is_reserved_for_one_process(path, hold):
    process, free = hold()
    assert free == "True"
    assert names(path.parent) == [".a-0.5.lock"]  # as .gitignore has it
    with reserved(path, wait=False) as mine:
        assert not mine
    assert hold()[1] == "False"
    with reserved(path.with_name("b.json"), wait=False) as mine:
        assert mine
    process.communicate("")  # it ends
    with reserved(path, wait=False) as mine:
        assert mine
        assert hold()[1] == "False"
    assert names(path.parent) == []


def test_a_process_that_is_killed_lets_go(path, hold):
    process, _ = hold()
    process.kill()
    process.wait()
    assert len(names(path.parent)) == 1  # the lock is still there, and holds nobody
    with reserved(path, wait=False) as mine:
        assert mine
    assert names(path.parent) == []


def test_waiting_ends_when_the_path_is_free(path, hold):
    process, _ = hold()
    ended = threading.Timer(0.3, process.kill)
    ended.start()
    with reserved(path, wait=True) as mine:
        assert mine
        assert process.wait(5) == -signal.SIGKILL  # it had been killed before


def test_a_lock_removed_while_it_was_awaited_holds_nobody(path, monkeypatch):
    """Its holder removes it: who got hold of the removed file must not think the path is free."""
    fcntl = pytest.importorskip("fcntl")
    lock = path.with_name(f".{path.stem}.lock")
    flock, raced = fcntl.flock, []

    def remove_first(file, how):
        if not raced:
            raced.append(lock.unlink())
        return flock(file, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with reserved(path, wait=True) as mine:
        assert mine and lock.exists()
        with reserved(path, wait=False) as second:
            assert not second
    assert raced and names(path.parent) == []


def test_an_error_lets_go(path):
    with pytest.raises(KeyboardInterrupt), reserved(path, wait=False):
        raise KeyboardInterrupt
    with reserved(path, wait=False) as mine:
        assert mine


def test_records_need_no_fcntl():
    code = "import sys; sys.modules['fcntl'] = None; import msalib.runs.records"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- YAML ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a: 1\nb: [", "line 2: expected the node content, but found '<stream end>'"),
        (b"a: 1\n\tb: 2", "line 2: found character '\\t' that cannot start any token"),
        (b"a: \xfc", "characters that are not UTF-8"),
        (b"a: b", "a: Input should be a valid integer"),
        (b"- a", "Input should be a valid dictionary"),
        (None, "No such file or directory"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_a_damaged_yaml_file_is_told_with_its_line(tmp_path, monkeypatch, content, found, fast):
    if not fast:  # PyYAML without its parser in C
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: 2")
    assert files.read_yaml(path, dict[str, int], expected="numbers") == {"a": 1, "b": 2}
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UserError) as error:
        files.read_yaml(path, dict[str, int], expected="numbers")
    assert error.value.found.startswith(found)
    assert error.value.expected == "numbers" and error.value.remedy == "Correct the file."


# --- measurements -------------------------------------------------------------------------------


class Rates(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rate: float
    counts: dict[str, int] = {}


RATES = files.Recorded(Rates, "some/rates.json", "record of rates", "run the measurement")


def test_a_measurement_is_kept_with_the_records(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    assert RATES.path == tmp_path / "some" / "rates.json"
    RATES.write(Rates(rate=0.5, counts={"a": 1}))
    assert RATES.path.read_text() == '{\n"rate": 0.5,\n"counts": {"a": 1}\n}\n'
    assert RATES.read() == Rates(rate=0.5, counts={"a": 1})
    elsewhere = files.Recorded(dict[str, int], tmp_path / "a.json", "record", "make it")
    elsewhere.write({"a": 2})
    assert elsewhere.read() == {"a": 2} and elsewhere.path == tmp_path / "a.json"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no such file"),
        ("{", "no readable record of rates (Invalid JSON"),
        ("{}", "no readable record of rates (rate: Field required)"),
        ('{"rate": 1, "more": 1}', "(more: Extra inputs are not permitted)"),
        (b"\xff", "no readable record of rates ("),
    ],
)
def test_a_measurement_that_cannot_be_read_is_told(tmp_path, monkeypatch, content, found):
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path))
    if content is not None:
        content = content if isinstance(content, bytes) else content.encode()
        files.write_bytes(RATES.path, content)
    with pytest.raises(UserError) as error:
        RATES.read()
    assert error.value.where == str(RATES.path) and found in error.value.found
    assert error.value.remedy == "Restore the file, or run the measurement."


# --- measurements that ship -----------------------------------------------------------------------


def test_a_measurement_that_ships_is_read_wherever_records_are_and_your_own_before_it(tmp_path):
    record = files.Recorded(dict[str, int], "power/x.json", "record", "make it again")
    assert not record.exists and record.place == record.path
    shipped = paths.SHIPPED / "power" / "x.json"
    files.write_json(shipped, {"made": 1})
    assert record.exists and record.elsewhere and record.place == shipped
    assert record.read() == {"made": 1}
    record.write({"made": 2})
    assert record.path.is_relative_to(paths.records_folder()) and not record.elsewhere
    assert record.read() == {"made": 2}
    assert shipped.read_text() != record.path.read_text()
