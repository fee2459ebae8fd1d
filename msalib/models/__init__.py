"""One paper, one file. A model module has ``Config``, ``build(config, ...)`` and ``loss``."""

from importlib import import_module

PAPERS = ("uegd",)


def module(paper: str):
    """The module of a paper; torch loads with it."""
    return import_module(f"msalib.models.{paper}")
