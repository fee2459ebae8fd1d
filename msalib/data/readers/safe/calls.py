"""The names that a pickle may use, and what they make: numpy arrays, sets, bytes.

No function of these names is called. What each would make is made here, from arguments that are
checked, and is asked of the budget first.
"""

import math
import re
from collections import OrderedDict

import numpy as np

from msalib.data.readers.safe import limits
from msalib.data.readers.safe.limits import Budget, Damaged, Refused, unknown


class Latin1(str):
    """Bytes of a Python 2 string that are no UTF-8, one character each."""


class Dtype:
    """An array's type while it is being read; ``order`` follows in a step of its own."""

    def __init__(self, code: str):
        self.code = code
        self.order = "="

    def made(self) -> np.dtype:
        return np.dtype(self.order + self.code)


class Name:
    """A name that may be called, and what calling it does here."""

    def __init__(self, module: str, name: str):
        self.full = f"{module}.{name}"
        self.key = (_MODULES.get(module, module), name)
        if self.key not in CALLS:
            raise unknown(self.full)


_MODULES = {
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}
"""Older names of the same modules."""

_DTYPE = re.compile(r"b1|[iu][1248]|f[248]|[SU](0|[1-9]\d{0,8})")


def _key(key, others: int):
    if not isinstance(key, str | bytes | int | float | None):
        raise Refused(f"a key of type {type(key).__name__}", "text or numbers for keys")
    if isinstance(key, int) and key.bit_length() > limits.KEY_BITS:
        raise Refused(f"a key of {key.bit_length()} bits", f"{limits.KEY_BITS} bits at most")
    if others > limits.MAX_KEYS and not isinstance(key, str | bytes):
        raise Refused(f"more than {limits.MAX_KEYS} keys that are numbers", "text for keys")
    return key


def add_pairs(target, items: list) -> None:
    """Set keys of a dictionary; ``items`` are keys and values in turn."""
    if not isinstance(target, dict) or len(items) % 2:
        raise Damaged("keys without values")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[_key(key, len(target))] = value


def add_items(target, items) -> None:
    """Add items to a set."""
    if not isinstance(target, set):
        raise Damaged("items without a set")
    for item in items:
        target.add(_key(item, len(target)))


def _raw(data) -> bytes | bytearray:
    """Return the bytes of an array as they are stored; not a copy, for they may be many."""
    if isinstance(data, bytes | bytearray):
        return data
    if isinstance(data, Latin1):
        return data.encode("latin-1")
    if isinstance(data, str):
        return data.encode()  # a Python 2 string that happens to be UTF-8
    raise Damaged(f"array data of type {type(data).__name__}")


def _shape(shape) -> tuple[int, ...]:
    if isinstance(shape, int):
        shape = (shape,)
    whole = isinstance(shape, tuple) and len(shape) <= limits.MAX_DEPTH
    if not whole or any(type(n) is not int or n < 0 for n in shape):
        raise Damaged("an array without a shape")
    return shape


def _check_size(budget: Budget, shape: tuple[int, ...], itemsize: int, stored: int) -> None:
    # A length of zero hides the others: (10**12, 0) has no bytes, and is walked for ever.
    if math.prod(max(n, 1) for n in shape) > max(stored, 2**16):
        raise Refused(f"an array of shape {shape}"[:200], "arrays that fit in the file")
    budget.make(stored)
    if not itemsize:
        raise Damaged("an array of texts without characters")
    if math.prod(shape) * itemsize != stored:
        raise Damaged(f"{stored} bytes for an array of shape {shape}"[:200])


def _check_text(dtype: Dtype, data: bytes) -> None:
    # numpy makes text of any number; the rest of Python counts on there being no such text.
    characters = np.frombuffer(data, dtype.order + "u4") if dtype.code[0] == "U" else ()
    if len(characters) and characters.max() > 0x10FFFF:
        raise Damaged("text with characters that are none")


def _dtype(budget: Budget, code, *_) -> Dtype:
    code = code.decode() if isinstance(code, bytes) else code
    if not isinstance(code, str):  # anything else can be far longer in print than in the file
        raise Refused("an array type without a name", "arrays of numbers, text or bytes")
    if code in ("O", "O4", "O8"):
        return Dtype("O")
    if not _DTYPE.fullmatch(code):
        raise Refused(f"an array of type {code[:80]!r}", "arrays of numbers, text or bytes")
    return Dtype(code)


def finish_dtype(dtype: Dtype, state) -> None:
    if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
        raise Damaged("an array type without its byte order")
    if any(part is not None for part in state[2:5]):
        raise Refused("an array of records", "arrays of numbers, text or bytes")
    dtype.order = "=" if state[1] == "|" else state[1]


def _empty_array(budget: Budget, kind, *_) -> np.ndarray:
    if not isinstance(kind, Name) or kind.key != ("numpy", "ndarray"):
        raise Damaged("an array of no known kind")
    return np.empty(0, np.int8)


def finish_array(budget: Budget, array: np.ndarray, state) -> None:
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise Damaged("an array without data")
    shape, dtype, fortran, data = state[-4:]
    shape = _shape(shape)
    if not isinstance(dtype, Dtype) or not isinstance(fortran, int):
        raise Damaged("an array without a type")
    if dtype.code == "O":
        if not isinstance(data, list):
            raise Damaged("an array of objects without them")
        _check_size(budget, shape, 1, len(data))
        data = list(data)
        budget.count(len(data))
        # Refused here, for to throw away a long chain of them ends the process.
        if any(isinstance(item, np.ndarray) for item in data):
            raise Refused("an array of arrays", "arrays of numbers, text or plain containers")
    else:
        data = bytes(_raw(data))  # no copy of bytes
        _check_size(budget, shape, dtype.made().itemsize, len(data))
        _check_text(dtype, data)
    array.__setstate__((1, shape, dtype.made(), bool(fortran), data))


def _array_of_buffer(budget: Budget, data, dtype, shape, order) -> np.ndarray:
    if not isinstance(dtype, Dtype) or dtype.code == "O" or order not in ("C", "F"):
        raise Damaged("an array without a type")
    shape, data = _shape(shape), _raw(data)
    _check_size(budget, shape, dtype.made().itemsize, len(data))
    _check_text(dtype, data)
    flat = np.frombuffer(data, dtype.made()) if data else np.empty(0, dtype.made())
    return flat.reshape(shape, order=order)


def _scalar(budget: Budget, dtype, data=b"") -> np.generic:
    if not isinstance(dtype, Dtype) or dtype.code == "O":
        raise Damaged("a number without a type")
    data = _raw(data)
    if dtype.code in ("U0", "S0") and not data:  # the empty text, of which no array is made
        return dtype.made().type()
    _check_size(budget, (), dtype.made().itemsize, len(data))
    _check_text(dtype, data)
    return np.frombuffer(data, dtype.made())[0]


def _encode(budget: Budget, text, encoding) -> bytes:
    """Make bytes as protocols below 3 write them."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Damaged("bytes that are no text")
    budget.make(len(text))
    return text.encode("latin-1")


def _bytes(budget: Budget, *arguments) -> bytes:
    if arguments:  # bytes(10**12) is a number of zeros
        raise Refused("a pickle that calls bytes", "bytes as they are")
    return b""


def _bytearray(budget: Budget, data=b"", encoding="latin-1") -> bytearray:
    if not isinstance(data, bytes | bytearray | str) or encoding != "latin-1":
        raise Damaged("bytes that are no text")
    budget.make(len(data))
    return bytearray(data.encode("latin-1") if isinstance(data, str) else data)


def _set(budget: Budget, items=()) -> set:
    if not isinstance(items, list | tuple | set | frozenset):
        raise Damaged("a set of no items")
    budget.count(len(items))
    made = set()
    add_items(made, items)
    return made


def make_frozenset(budget: Budget, items=()) -> frozenset:
    return frozenset(_set(budget, items))


def _ordered(budget: Budget, items=()) -> OrderedDict:
    if not isinstance(items, list | tuple):
        raise Damaged("a dictionary of no items")
    budget.count(len(items))
    made = OrderedDict()
    add_pairs(made, [x for key, value in items for x in (key, value)])
    return made


CALLS = {
    ("numpy", "ndarray"): None,  # named, not called
    ("numpy", "dtype"): _dtype,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _array_of_buffer,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered,
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): _bytearray,
    ("builtins", "set"): _set,
    ("builtins", "frozenset"): make_frozenset,
    ("builtins", "str"): None,  # in the type of text from HDF5
}
