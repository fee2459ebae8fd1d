"""What a page is made of, where its process does more than read: makes folders, records, trains."""

import json
import subprocess
import sys

import pytest

from msalib.base import paths
from msalib.book import traces

PROGRAM = """
import json, sys
from pathlib import Path
from msalib.book.traces import Trace

trace, folder = Trace(), Path(sys.argv[1])
trace.begin()
trace.begin_page()
{cell}
print(json.dumps(trace.summary()["files"]))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder of records with one in it."""
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "was.json").write_text("1")
    return folder


def traced(cell, folder, **variables):
    """Return what a process that runs a cell used of files."""
    command = [sys.executable, "-c", PROGRAM.format(cell=cell), folder]
    environment = {"PYTHONPATH": str(paths.ROOT), "MSALIB_RECORDS": str(folder), **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "cell",
    [
        "folder.mkdir(parents=True, exist_ok=True)",
        "from msalib.base import files\nwith files.reserved(folder / 'new', wait=True): pass",
    ],
    ids=["asked for", "locked"],
)
def test_a_folder_that_was_there_is_not_made_by_a_page_that_asks_for_it(folder, cell):
    found = traced(f"{cell}\n(folder / 'was.json').read_text()", folder)
    assert str(folder / "was.json") in found


def test_a_record_that_a_page_made_counts_as_it_left_it(folder):
    cell = "from msalib.base import files\nfiles.write_text(folder / 'new.json', '2')"
    made = folder / "new.json"
    assert traced(cell, folder)[str(made)] == traces.state(str(made))


def test_records_count_where_libraries_and_temporary_things_do_not(folder):
    cell = "(folder / 'was.json').read_text(); (folder.parent / 'other').exists()"
    found = traced(cell, folder, MSALIB_TEMPORARY=str(folder.parent))
    assert str(folder / "was.json") in found
    assert str(folder.parent / "other") not in found
