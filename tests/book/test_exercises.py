"""The code in the chapters' exercises runs as it is printed."""

import re
from textwrap import dedent

import pytest

from msalib.base import paths

CHAPTERS = [path for path in sorted(paths.BOOK.glob("*/index.md")) if path.parent.name != "uegd"]
"""UEGD's one exercise is run by test_repo, which also checks its numbers."""


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.parent.name)
def test_the_exercises_of_a_chapter_run_in_order(path, capsys):
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    names = {}
    for _, code in blocks:
        exec(dedent(code), names)
    assert capsys.readouterr().out
