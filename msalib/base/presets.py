"""The names of recipes and of their sizes, and the word that files have for them.

A preset says whose recipe a run follows: ``release`` does what the authors' code does, ``article``
what the text of the paper says. A profile says how much of it is run: ``quick`` or ``full``. Both
``article`` and ``full`` were once called ``paper``. Hashes of runs, folders of records and stores
of features still hold that word, so that what was made then is found.
"""

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

PRESETS = {
    "release": "what the authors' code does",
    "article": "what the paper's text says",
}
"""Preset -> what it is."""

PROFILES = ("quick", "full")

STORED = "paper"


def stored(name: str) -> str:
    """Return the word that files have for a preset or a profile."""
    return STORED if name in ("article", "full") else name


def _reads_as(name: str) -> BeforeValidator:
    return BeforeValidator(lambda value: name if value == STORED else value)


Preset = Annotated[str, _reads_as("article"), PlainSerializer(stored)]
"""A preset as files hold it."""

Profile = Annotated[str, _reads_as("full"), PlainSerializer(stored)]
"""A profile as files hold it."""
