"""The form of the scripts in findings/. They install packages, so that tests do not run them."""

import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
HEADINGS = ("Expected:", "Seen:", "Versions:", "Matters:", "Source:")
HOST = re.compile(r"://|@|\b[\w-]+\.(?:com|org|net|io|dev)\b|localhost|--\S*(?:index|url|host)")
INSTALLED = re.compile(r"pip install (?:--[\w-]+ )*(?:\\\n)?(.*)")


def test_the_folder_holds_scripts_and_a_readme_that_lists_them():
    assert SCRIPTS
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", *(p.name for p in SCRIPTS)}
    listed = re.findall(r"^\| \[([\w-]+)\]\(\1\.sh\)", (FOLDER / "README.md").read_text(), re.M)
    assert sorted(listed) == [path.stem for path in SCRIPTS]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_executable_pinned_tidy_and_without_this_package(path):
    text = path.read_text()
    assert path.stat().st_mode & 0o111 == 0o111
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "\nset -euo pipefail\nwork=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n" in text
    assert subprocess.run(["bash", "-n", path]).returncode == 0
    assert "msalib" not in text and not HOST.search(text)
    packages = " ".join(INSTALLED.findall(text)).split()
    assert packages and all(re.fullmatch(r"[\w-]+==[\d.]+", package) for package in packages)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_header_says_what_is_expected_and_what_happens(path):
    header = path.read_text().split("set -euo")[0]
    places = [header.index(f"# {heading}") for heading in HEADINGS]
    assert places == sorted(places)
    assert 'echo "As recorded."' in path.read_text() or 'print("As recorded.")' in path.read_text()
