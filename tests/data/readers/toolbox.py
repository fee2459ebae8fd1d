"""What tests of readers share: messages in parts, pickles read by their format, real data."""

import os
from pathlib import Path

import pytest

from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.data.readers import formats
from tests.fixtures import write_pickle

DATA = Path(os.environ.get("MSALIB_DATA") or "not set")


def needs(name: str):
    """Skip a test where ``MSALIB_DATA`` has no such data set."""
    return pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"no {name} in MSALIB_DATA")


def message(call, *arguments, **options) -> str:
    """What a refusal prints: one line with what was found, what was expected, and a remedy."""
    with pytest.raises(UserError) as error:
        call(*arguments, **options)
    text = str(error.value)
    assert "\n" not in text and text.startswith(f"{error.value.where}: found ")
    assert error.value.expected and error.value.remedy
    return text


def check(text: str, where: Path, parts: str) -> None:
    """Check that a message is about a file, and has these parts, " ... " between them, in order."""
    start = f"{where}: found "
    assert text.startswith(start)
    place = len(start)
    for part in parts.split(" ... "):
        assert part in text[place:], text
        place = text.index(part, place) + len(part)


def read_pickle(path: Path, content, **options) -> Corpus:
    """What a pickle of this content is read as; the format must be known by the content."""
    corpus, _ = formats.convert(write_pickle(path, content), "toy", formats.Options(**options))
    return corpus


def replace(path: Path, old: str, new: str) -> Path:
    """Exchange the first occurrence of a text in a file."""
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    return path
