"""How much a pickle may mean, and how one that is not read is told."""

from collections.abc import Iterator

import numpy as np

MAX_BYTES = 64 * 2**30
"""Largest pickle that is read (the largest in the field, of CMU-MOSEI, has some 12 GB)."""

MAX_OBJECTS = 20_000_000
"""Numbers, texts and containers in one pickle; an array is one, a list, set or dictionary counts
``CONTAINER``, for that is its room in memory: a byte of a file can ask for one."""

CONTAINER = 10

MAX_DEPTH = 32
"""Containers in containers."""

PER_BYTE = 16
"""Objects that a byte of a file may make, beyond the ``FREE`` ones of any file: instructions can
copy the same list again and again, and what they cost is to grow with the file."""

FREE = 2**16

MAX_KEYS = 10_000
"""Keys of one dictionary or set that are no text: they can be chosen so that some collide."""

MAX_BITS = 128
"""Of a whole number."""

KEY_BITS = 60
"""Of a whole number that is a key or a place in the memo: of larger ones, all can collide."""

_SHARED = 16
"""How many times the size of its file a pickle may mean: parts that occur twice are stored once."""


class Refused(Exception):
    """Something that is well formed and is not taken."""

    def __init__(self, found: str, expected: str):
        self.found = found
        self.expected = expected
        super().__init__(found)


class Damaged(ValueError):
    """Something that no program writes."""


def unknown(name: str) -> Refused:
    """Return the refusal of a name that is not data."""
    printable = "".join(c if c.isprintable() else "?" for c in name[:100])
    return Refused(
        f"a pickle that uses {printable}", "numpy arrays, numbers, text and plain containers"
    )


class Budget:
    """What is left of the objects and bytes that a pickle of ``size`` bytes may make."""

    def __init__(self, size: int):
        self.size = size
        self.most = min(MAX_OBJECTS, PER_BYTE * size + FREE)
        self.objects = 0
        self.bytes = 0  # of what calls have made

    def count(self, objects: int) -> None:
        """Ask for so many objects."""
        self.objects += objects
        if self.objects > self.most:
            raise Refused("more objects than a data set has", f"{self.most} at most")

    def make(self, size: int) -> None:
        """Ask for so many bytes; calls make no more than the file can have named."""
        self.bytes += size
        if self.bytes > 4 * self.size:
            raise Refused(
                f"arrays of {self.bytes} bytes in a file of {self.size}", "arrays that fit in it"
            )


_SCALARS = (str, bytes, bytearray, int, float, np.generic, type(None))
_CONTAINERS = (list, tuple, set, frozenset, dict)


def measure(content, size: int) -> None:
    """Refuse content that is too deep, contains itself, or means far more than is stored.

    A part that occurs in many places is counted in each: lists of lists of one and the same list
    can be larger than any memory for whoever walks them.
    """
    _measure(content, size, {}, set())


def _measure(thing, size: int, known: dict, above: set) -> tuple[int, int, int]:
    """Return depth, objects and bytes of a container or array; ``known`` has those of earlier ones.

    ``above`` has the ids of what contains it. No deeper than ``MAX_DEPTH``, so it may call itself.
    """
    if id(thing) in known:
        return known[id(thing)]
    if id(thing) in above:
        raise Refused("a container that contains itself", "plain containers")
    depth, objects, bytes_ = 0, 1, thing.nbytes if isinstance(thing, np.ndarray) else 1
    above.add(id(thing))
    for child in _children(thing):
        if isinstance(child, _SCALARS):
            objects += 1
            bytes_ += len(child) if isinstance(child, str | bytes | bytearray) else 1
            continue
        if len(above) >= MAX_DEPTH:
            raise _too_deep()
        below = _measure(child, size, known, above)
        depth, objects, bytes_ = max(depth, below[0]), objects + below[1], bytes_ + below[2]
    if depth >= MAX_DEPTH:
        raise _too_deep()
    if objects > MAX_OBJECTS or bytes_ > _SHARED * size + 2**20:
        raise Refused(
            "far more data than the file has bytes: the same parts again and again",
            f"at most {MAX_OBJECTS} objects and {_SHARED} times the size of the file",
        )
    above.discard(id(thing))
    known[id(thing)] = (depth + 1, objects, bytes_)
    return known[id(thing)]


def _too_deep() -> Refused:
    return Refused("containers nested too deep", f"{MAX_DEPTH} levels at most")


def _children(thing) -> Iterator:
    if isinstance(thing, dict):
        return (part for pair in thing.items() for part in pair)
    if isinstance(thing, np.ndarray):
        return iter(thing.ravel().tolist() if thing.dtype == object else ())
    if isinstance(thing, _CONTAINERS):
        return iter(thing)
    if isinstance(thing, _SCALARS):
        return iter(())
    raise unknown(getattr(thing, "full", "numpy.dtype"))  # a name or type that nothing was made of
