"""One hostile text: how it gets into files, and how what shows it is looked through."""

import csv
import io
import json
import pickle
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.html import Page

PRINTED = "\"'><img src=x onerror=alert(1)><script>alert(1)<!-- $_$ \\(x\\) &lt;"
"""Quotes, tags, a comment, formulas, an entity; no slash, so that it may name a file."""

HOSTILE = f"{PRINTED}\x1b[31m\x9b2J\u202e\x07"
"""The same with commands to a terminal and a turn of direction."""

MANY = 20
"""Keys of a dictionary that are no fields, but names of entries."""

Place = tuple[str, ...]

# --- into what files hold -----------------------------------------------------------------------


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where texts are: keys by name, all entries of a list or an array as ``*``.

    The names of entries are a place of their own, ``name``.
    """
    if isinstance(value, str | bytes):
        yield at
    elif isinstance(value, dict):
        if len(value) > MANY:
            yield (*at, "name")
        for key, held in value.items():
            yield from places(held, _inside(value, key, at))
    elif _is_list(value):
        for held in value:
            yield from places(held, (*at, "*"))


def spoiled(value: Any, chosen: set[Place], at: Place = ()) -> Any:
    """Return a value with the hostile text behind every text at the chosen places."""
    if isinstance(value, str):
        return value + HOSTILE if at in chosen else value
    if isinstance(value, bytes):
        return value + HOSTILE.encode() if at in chosen else value
    if isinstance(value, dict):
        behind = HOSTILE if len(value) > MANY and (*at, "name") in chosen else ""
        return {
            k + behind if behind else k: spoiled(held, chosen, _inside(value, k, at))
            for k, held in value.items()
        }
    if _is_list(value):
        held = [spoiled(held, chosen, (*at, "*")) for held in value]
        if isinstance(value, np.ndarray):
            return np.array(held, dtype=object).reshape(value.shape)
        return type(value)(held)
    return value


def _inside(value: dict, key: Any, at: Place) -> Place:
    return (*at, "*" if len(value) > MANY else str(key))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (
        isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "OUS"
    )


# --- into files ---------------------------------------------------------------------------------


def _table(delimiter: str) -> tuple[Callable, Callable]:
    def load(content: bytes) -> list[dict]:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        return list(csv.DictReader(text, delimiter=delimiter))

    def dump(rows: list[dict]) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    return load, dump


KINDS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    ".pkl": (pickle.loads, pickle.dumps),
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".json": (json.loads, lambda value: json.dumps(value).encode()),
}


def texts(path: Path) -> list[tuple[str, Place]]:
    """Return the file and the place of every text below a path, and names in .csd files."""
    found = {}
    for file in _files(path):
        if file.suffix in KINDS:
            load, _ = KINDS[file.suffix]
            found |= {("*" + file.suffix, at): None for at in places(load(file.read_bytes()))}
        elif file.suffix == ".csd":
            found["*.csd", ("video",)] = None
    return list(found)


def spoil(path: Path, chosen: set[tuple[str, Place]]) -> None:
    """Put the hostile text to the chosen places of all files below a path."""
    for file in _files(path):
        own = {at for name, at in chosen if name == "*" + file.suffix}
        if own and file.suffix == ".csd":
            _rename_videos(file)
        elif own:
            load, dump = KINDS[file.suffix]
            file.write_bytes(dump(spoiled(load(file.read_bytes()), own)))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


def _rename_videos(file: Path) -> None:
    import h5py

    with h5py.File(file, "r+") as held:
        for root in held.values():
            for video in list(root["data"]):
                root["data"].move(video, video + PRINTED)


# --- out of what is shown -----------------------------------------------------------------------


def check_line(text: str) -> None:
    """A terminal finds nothing to obey in what was printed."""
    obeyed = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]
    assert obeyed == []


class _Strict(Page):
    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def check_page(shown, scripts: int = 0) -> str:
    """A browser finds no tag and no formula of the hostile text in a page; return its text."""
    html = shown._repr_html_()
    page = _Strict(html)
    for _, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src") != "x"
    assert len(page.attributes("script")) == scripts
    if re.search(r"[$\\]", html):
        assert page.found[0] == ("div", {"class": "tex2jax_ignore mathjax_ignore"})
    return page.text
