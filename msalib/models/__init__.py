"""One paper, one file. A model that is trained has ``Config`` and ``build(config, ...)``.

Of the others, ``spt`` and ``mult`` encode sequences inside SUGRM, and ``labels`` is what its label
generator shares with Self-MM's.
"""

from importlib import import_module

MODELS = ("uegd", "sugrm", "self_mm")


def module(name: str):
    """The module of a model; torch loads with it."""
    return import_module(f"msalib.models.{name}")
