"""The library transformers, loaded when a test first asks for it.

It takes seconds to load, and every worker collects every test module.
"""

import importlib


class Transformers:
    """A stand-in whose attributes are those of the library."""

    def __getattr__(self, name: str):
        return getattr(importlib.import_module("transformers"), name)


transformers = Transformers()
