"""Pickles of strangers: data come through, code cannot run.

A pickle is a program. This one machine runs the part of its language that makes data (numbers,
text, lists, dictionaries, numpy arrays) and knows no way to call anything else; the first name
that it does not know ends it, by that name. What is made is counted on the way, so that a small
file cannot fill the memory either: the standard library's unpickler believes the sizes it is told.
"""

import codecs
import math
import os
import re
import struct
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from msalib.base.errors import UserError

MAX_BYTES = 64 * 2**30
"""Largest pickle that is read (the largest in the field, of CMU-MOSEI, has some 12 GB)."""

MAX_OBJECTS = 20_000_000
"""Numbers, texts and containers in one pickle; an array is one, a list, set or dictionary counts
``CONTAINER``, for that is its room in memory: a byte of a file can ask for one."""

CONTAINER = 10

MAX_DEPTH = 32
"""Containers in containers."""

MAX_KEYS = 10_000
"""Keys of one dictionary or set that are no text: they can be chosen so that all collide."""

_SHARED = 16
"""How many times the size of its file a pickle may mean: parts that occur twice are stored once."""


def load(path: Path):
    """What the pickle at ``path`` holds: builtin scalars and containers and numpy arrays.

    Takes every protocol, arrays of numpy 1 and 2, and Python 2 (whose byte strings become text:
    UTF-8, or else Latin-1). Raises ``UserError`` for anything that is not data, by name; for a file
    that is cut short or damaged; and beyond ``MAX_BYTES``, ``MAX_OBJECTS`` and ``MAX_DEPTH``.
    """
    path = Path(path)
    remedy = "Restore the file from its source."
    try:
        if not path.is_file():
            raise FileNotFoundError(None, "no such file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise _Refused(f"{size / 2**30:.0f} GiB", f"{MAX_BYTES / 2**30:.0f} GiB at most")
            with warnings.catch_warnings():  # of strange escapes in strings of Python 2
                warnings.simplefilter("ignore", DeprecationWarning)
                content = _Machine(file, size).run()
        _measure(content, size)
        return content
    except _Refused as refusal:
        raise UserError(
            path,
            found=refusal.found,
            expected=refusal.expected,
            remedy="Do not open it with other programs: pickles can run code. Ask its publisher "
            "for arrays alone.",
        ) from refusal
    except OSError as error:
        found, expected = error.strerror or str(error), "a pickle that can be read"
        raise UserError(path, found=found, expected=expected, remedy=remedy) from error
    except MemoryError as error:
        remedy = "Read it on a machine with more memory, or close other programs."
        raise UserError(
            path, found="more than the memory holds", expected="data that fit in it", remedy=remedy
        ) from error
    # What follows is the machine met by bytes that are no pickle.
    except (ValueError, TypeError, LookupError, OverflowError, struct.error) as error:
        detail = f" ({error})" if isinstance(error, _Damaged) else ""
        raise UserError(
            path,
            found=f"a damaged or truncated pickle{detail}",
            expected="a whole one",
            remedy=remedy,
        ) from error


class _Refused(Exception):
    """Something that is well formed and is not taken."""

    def __init__(self, found: str, expected: str):
        self.found = found
        self.expected = expected
        super().__init__(found)


class _Damaged(ValueError):
    """Something that no program writes."""


class _Latin1(str):
    """Bytes of a Python 2 string that are no UTF-8, one character each."""


class _Dtype:
    """An array's type while it is being read; ``order`` follows in a step of its own."""

    def __init__(self, code: str):
        self.code = code
        self.order = "="

    def made(self) -> np.dtype:
        return np.dtype(self.order + self.code)


class _Name:
    """A name that may be called, and what calling it does here."""

    def __init__(self, module: str, name: str):
        self.full = f"{module}.{name}"
        self.key = (_MODULES.get(module, module), name)
        if self.key not in _CALLS:
            raise _unknown(self.full)


def _unknown(name: str) -> _Refused:
    shown = "".join(c if c.isprintable() else "?" for c in name)[:100]
    return _Refused(
        f"a pickle that uses {shown}", "numpy arrays, numbers, text and plain containers"
    )


_MODULES = {
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}
"""Older names of the same modules."""

_DTYPE = re.compile(r"b1|[iu][1248]|f[248]|[SU](0|[1-9]\d{0,8})")


class _Machine:
    """Runs one pickle of ``size`` bytes; the language is that of ``pickletools``."""

    def __init__(self, file: BinaryIO, size: int):
        self.file = file
        self.size = size
        self.left = size
        self.stack = []
        self.marks = []  # the stacks below the present one
        self.memo = {}
        self.objects = 0
        self.bytes = 0  # of what calls have made

    def run(self):
        take, steps = self.take, _STEPS
        while True:
            code = take(1)
            if code == b".":
                break
            if code not in steps:
                raise _Damaged(f"no instruction {code!r}")
            steps[code](self)
            self.count(1)
        content = self.stack.pop()
        if self.left:
            raise _Damaged(f"{self.left} bytes after its end")
        return content

    def count(self, objects: int) -> None:
        self.objects += objects
        if self.objects > MAX_OBJECTS:
            raise _Refused("more objects than a data set has", f"{MAX_OBJECTS} at most")

    def make(self, size: int) -> None:
        """Ask for so many bytes; a call makes no more than the file can have told it."""
        self.bytes += size
        if self.bytes > 4 * self.size:
            raise _Refused(
                f"arrays of {self.bytes} bytes in a file of {self.size}", "arrays that fit in it"
            )

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise _Damaged("it ends too early")
        self.left -= size
        return self.file.read(size)

    def number(self, layout: str) -> int:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> bytes:
        line = self.file.readline(min(self.left, 2**31))
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise _Damaged("it ends too early")
        return line[:-1]

    def push(self, value) -> None:
        self.stack.append(value)

    def container(self, value) -> None:
        self.count(CONTAINER - 1)
        self.push(value)

    def mark(self) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def long(self, size: int) -> None:
        if not 0 <= size <= 16:
            raise _Damaged(f"a number of {size} bytes")
        self.push(int.from_bytes(self.take(size), "little", signed=True))

    def integer(self) -> None:
        line = self.line()
        if len(line) > 60:
            raise _Damaged(f"a number of {len(line)} digits")
        self.push(line == b"01" if line in (b"00", b"01") else int(line.rstrip(b"L")))

    def string(self, data: bytes) -> None:
        try:
            self.push(data.decode())
        except UnicodeDecodeError:
            self.push(_Latin1(data.decode("latin-1")))

    def quoted(self) -> None:
        line = self.line().strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
            raise _Damaged("a string without quotes")
        self.string(codecs.escape_decode(line[1:-1])[0])

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def pairs(self, target, items: list) -> None:
        if not isinstance(target, dict) or len(items) % 2:
            raise _Damaged("keys without values")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_key(key, len(target))] = value

    def extend(self, target, items: list) -> None:
        if not isinstance(target, list):
            raise _Damaged("items without a list")
        target.extend(items)

    def add(self, target, items: list) -> None:
        if not isinstance(target, set):
            raise _Damaged("items without a set")
        for item in items:
            target.add(_key(item, len(target)))

    def tuple(self, size: int) -> None:
        if len(self.stack) < size:
            raise _Damaged("too few items")
        self.stack[-size:] = [tuple(self.stack[-size:])]

    def name(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise _Damaged("a name that is no text")
        self.push(_Name(module, name))

    def call(self) -> None:
        arguments, name = self.stack.pop(), self.stack.pop()
        if not isinstance(name, _Name) or not isinstance(arguments, tuple):
            raise _Damaged("a call of nothing")
        call = _CALLS[name.key]
        if call is None:
            raise _unknown(name.full)
        self.push(call(self, *arguments))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _Dtype):
            _finish_dtype(target, state)
        elif isinstance(target, np.ndarray):
            _finish_array(self, target, state)
        else:
            raise _Refused(
                f"a pickle that sets the state of {type(target).__name__}", "plain containers"
            )

    def refuse_object(self, name: str) -> None:
        raise _unknown(name)


def _key(key, others: int):
    if not isinstance(key, str | bytes | int | float | None):
        raise _Refused(f"a key of type {type(key).__name__}", "text or numbers for keys")
    if others > MAX_KEYS and not isinstance(key, str | bytes):
        raise _Refused(f"more than {MAX_KEYS} keys that are numbers", "text for keys")
    return key


def _raw(data) -> bytes:
    """The bytes of an array as they are stored."""
    if isinstance(data, bytes | bytearray):
        return bytes(data)
    if isinstance(data, _Latin1):
        return data.encode("latin-1")
    if isinstance(data, str):
        return data.encode()  # a Python 2 string that happens to be UTF-8
    raise _Damaged(f"array data of type {type(data).__name__}")


def _shape(shape) -> tuple[int, ...]:
    if isinstance(shape, int):
        shape = (shape,)
    whole = isinstance(shape, tuple) and len(shape) <= MAX_DEPTH
    if not whole or any(type(n) is not int or n < 0 for n in shape):
        raise _Damaged("an array without a shape")
    return shape


def _check_size(machine: _Machine, shape: tuple[int, ...], itemsize: int, stored: int) -> None:
    # A length of zero hides the others: (10**12, 0) has no bytes, and is walked for ever.
    if math.prod(max(n, 1) for n in shape) > max(stored, 2**16):
        raise _Refused(f"an array of shape {shape}"[:200], "arrays that fit in the file")
    machine.make(stored)
    if not itemsize:
        raise _Damaged("an array of texts without characters")
    if math.prod(shape) * itemsize != stored:
        raise _Damaged(f"{stored} bytes for an array of shape {shape}"[:200])


def _check_text(dtype: _Dtype, data: bytes) -> None:
    # numpy makes text of any number; the rest of Python counts on there being no such text.
    characters = np.frombuffer(data, dtype.order + "u4") if dtype.code[0] == "U" else ()
    if len(characters) and characters.max() > 0x10FFFF:
        raise _Damaged("text with characters that are none")


def _dtype(machine: _Machine, code, *_) -> _Dtype:
    code = code.decode() if isinstance(code, bytes) else code
    if code in ("O", "O4", "O8"):
        return _Dtype("O")
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise _Refused(f"an array of type {code!r}"[:100], "arrays of numbers, text or bytes")
    return _Dtype(code)


def _finish_dtype(dtype: _Dtype, state) -> None:
    if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
        raise _Damaged("an array type without its byte order")
    if any(part is not None for part in state[2:5]):
        raise _Refused("an array of records", "arrays of numbers, text or bytes")
    dtype.order = "=" if state[1] == "|" else state[1]


def _empty_array(machine: _Machine, kind, *_) -> np.ndarray:
    if not isinstance(kind, _Name) or kind.key != ("numpy", "ndarray"):
        raise _Damaged("an array of no known kind")
    return np.empty(0, np.int8)


def _finish_array(machine: _Machine, array: np.ndarray, state) -> None:
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise _Damaged("an array without data")
    shape, dtype, fortran, data = state[-4:]
    shape = _shape(shape)
    if not isinstance(dtype, _Dtype) or not isinstance(fortran, int):
        raise _Damaged("an array without a type")
    if dtype.code == "O":
        if not isinstance(data, list):
            raise _Damaged("an array of objects without them")
        _check_size(machine, shape, 1, len(data))
        data = list(data)
        machine.count(len(data))
        # Refused here, for to throw away a long chain of them ends the process.
        if any(isinstance(item, np.ndarray) for item in data):
            raise _Refused("an array of arrays", "arrays of numbers, text or plain containers")
    else:
        data = _raw(data)
        _check_size(machine, shape, dtype.made().itemsize, len(data))
        _check_text(dtype, data)
    array.__setstate__((1, shape, dtype.made(), bool(fortran), data))


def _array_of_buffer(machine: _Machine, data, dtype, shape, order) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or dtype.code == "O" or order not in ("C", "F"):
        raise _Damaged("an array without a type")
    shape, data = _shape(shape), _raw(data)
    _check_size(machine, shape, dtype.made().itemsize, len(data))
    _check_text(dtype, data)
    flat = np.frombuffer(data, dtype.made()) if data else np.empty(0, dtype.made())
    return flat.reshape(shape, order=order)


def _scalar(machine: _Machine, dtype, data=b"") -> np.generic:
    if not isinstance(dtype, _Dtype) or dtype.code == "O":
        raise _Damaged("a number without a type")
    data = _raw(data)
    if dtype.code in ("U0", "S0") and not data:  # the empty text, of which no array is made
        return dtype.made().type()
    _check_size(machine, (), dtype.made().itemsize, len(data))
    _check_text(dtype, data)
    return np.frombuffer(data, dtype.made())[0]


def _encode(machine: _Machine, text, encoding) -> bytes:
    """How protocols below 3 write bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise _Damaged("bytes that are no text")
    machine.make(len(text))
    return text.encode("latin-1")


def _bytes(machine: _Machine, *arguments) -> bytes:
    if arguments:  # bytes(10**12) is a number of zeros
        raise _Refused("a pickle that calls bytes", "bytes as they are")
    return b""


def _bytearray(machine: _Machine, data=b"", encoding="latin-1") -> bytearray:
    if not isinstance(data, bytes | bytearray | str) or encoding != "latin-1":
        raise _Damaged("bytes that are no text")
    machine.make(len(data))
    return bytearray(data.encode("latin-1") if isinstance(data, str) else data)


def _set(machine: _Machine, items=()) -> set:
    if not isinstance(items, list | tuple | set | frozenset):
        raise _Damaged("a set of no items")
    machine.count(len(items))
    made = set()
    machine.add(made, list(items))
    return made


def _frozenset(machine: _Machine, items=()) -> frozenset:
    return frozenset(_set(machine, items))


def _ordered(machine: _Machine, items=()) -> OrderedDict:
    if not isinstance(items, list | tuple):
        raise _Damaged("a dictionary of no items")
    machine.count(len(items))
    made = OrderedDict()
    machine.pairs(made, [x for key, value in items for x in (key, value)])
    return made


_CALLS = {
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
    ("builtins", "frozenset"): _frozenset,
    ("builtins", "str"): None,  # in the type of text from HDF5
}


def _text(size: str):
    return lambda m: m.push(m.take(m.number(size)).decode("utf-8", "surrogatepass"))


def _binary(size: str, made=bytes):
    return lambda m: m.push(made(m.take(m.number(size))))


def _old_string(size: str):
    return lambda m: m.string(m.take(m.number(size)))


def _refuse(what: str):
    return lambda m: m.refuse_object(what)


_STEPS = {
    b"\x80": lambda m: m.take(1),  # protocol: the instructions tell all
    b"\x95": lambda m: m.take(8),  # length of a frame: a hint
    # numbers
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _Machine.integer,
    b"L": _Machine.integer,
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": lambda m: m.long(m.number("<B")),
    b"\x8b": lambda m: m.long(m.number("<i")),
    b"F": lambda m: m.push(float(m.line()[:400])),
    b"G": lambda m: m.push(m.number(">d")),
    # text and bytes
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": _text("<I"),
    b"\x8c": _text("<B"),
    b"\x8d": _text("<Q"),
    b"S": _Machine.quoted,
    b"T": _old_string("<i"),
    b"U": _old_string("<B"),
    b"B": _binary("<I"),
    b"C": _binary("<B"),
    b"\x8e": _binary("<Q"),
    b"\x96": _binary("<Q", bytearray),
    # containers
    b"(": _Machine.mark,
    b"0": lambda m: m.stack.pop() if m.stack else m.pop_mark(),
    b"1": _Machine.pop_mark,
    b"2": lambda m: m.push(m.stack[-1]),
    b")": lambda m: m.push(()),
    b"]": lambda m: m.container([]),
    b"}": lambda m: m.container({}),
    b"\x8f": lambda m: m.container(set()),
    b"t": lambda m: m.push(tuple(m.pop_mark())),
    b"\x85": lambda m: m.tuple(1),
    b"\x86": lambda m: m.tuple(2),
    b"\x87": lambda m: m.tuple(3),
    b"l": lambda m: m.container(m.pop_mark()),
    b"d": lambda m: (items := m.pop_mark(), m.container({}), m.pairs(m.stack[-1], items)),
    b"\x91": lambda m: m.container(_frozenset(m, m.pop_mark())),
    b"a": lambda m: (item := m.stack.pop(), m.extend(m.stack[-1], [item])),
    b"e": lambda m: (items := m.pop_mark(), m.extend(m.stack[-1], items)),
    b"s": lambda m: (v := m.stack.pop(), k := m.stack.pop(), m.pairs(m.stack[-1], [k, v])),
    b"u": lambda m: (items := m.pop_mark(), m.pairs(m.stack[-1], items)),
    b"\x90": lambda m: (items := m.pop_mark(), m.add(m.stack[-1], items)),
    # what was made before
    b"p": lambda m: m.remember(int(m.line()[:20])),
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": lambda m: m.push(m.memo[int(m.line()[:20])]),
    b"h": lambda m: m.push(m.memo[m.number("<B")]),
    b"j": lambda m: m.push(m.memo[m.number("<I")]),
    # names and calls
    b"c": lambda m: (m.push(m.line().decode()), m.push(m.line().decode()), m.name()),
    b"\x93": _Machine.name,
    b"R": _Machine.call,
    b"b": _Machine.build,
    # objects of classes, and what lies outside the file
    b"i": lambda m: m.refuse_object(f"{m.line().decode()}.{m.line().decode()}"),
    b"o": _refuse("an object of a class"),
    b"\x81": lambda m: m.refuse_object(getattr(m.stack[-2], "full", "an object of a class")),
    b"\x92": lambda m: m.refuse_object(getattr(m.stack[-3], "full", "an object of a class")),
    b"\x82": _refuse("an extension code"),
    b"\x83": _refuse("an extension code"),
    b"\x84": _refuse("an extension code"),
    b"P": _refuse("a persistent id"),
    b"Q": _refuse("a persistent id"),
    b"\x97": _refuse("a buffer outside the file"),
    b"\x98": _refuse("a buffer outside the file"),
}

_SCALARS = (str, bytes, bytearray, int, float, np.generic, type(None))
_CONTAINERS = (list, tuple, set, frozenset, dict)


def _measure(content, size: int) -> None:
    """Refuse content that is too deep, contains itself, or means far more than is stored.

    A part that occurs in many places is counted in each: lists of lists of one and the same list
    can be larger than any memory for whoever walks them.
    """
    known = {}  # id -> (depth, objects, bytes) of what is below
    open_ = [(content, _children(content), [0, 0, 0])]
    inside = {id(content)}
    while open_:
        thing, children, total = open_[-1]
        for child in children:
            if isinstance(child, _SCALARS):
                total[1] += 1
                total[2] += len(child) if isinstance(child, str | bytes | bytearray) else 1
                continue
            if id(child) in inside:
                raise _Refused("a container that contains itself", "plain containers")
            if id(child) not in known:
                if len(open_) >= MAX_DEPTH:
                    raise _Refused("containers nested too deep", f"{MAX_DEPTH} levels at most")
                open_.append((child, _children(child), [0, 0, 0]))
                inside.add(id(child))
                break
            _sum(total, known[id(child)], size)
        else:
            open_.pop()
            inside.discard(id(thing))
            own = thing.nbytes if isinstance(thing, np.ndarray) else 1
            known[id(thing)] = (total[0] + 1, total[1] + 1, total[2] + own)
            above = open_[-1][2] if open_ else [0, 0, 0]
            _sum(above, known[id(thing)], size)


def _sum(total: list[int], part: tuple[int, int, int], size: int) -> None:
    total[0] = max(total[0], part[0])
    total[1] += part[1]
    total[2] += part[2]
    if total[0] > MAX_DEPTH:
        raise _Refused("containers nested too deep", f"{MAX_DEPTH} levels at most")
    if total[1] > MAX_OBJECTS or total[2] > _SHARED * size + 2**20:
        raise _Refused(
            "far more data than the file has bytes: the same parts again and again",
            f"at most {MAX_OBJECTS} objects and {_SHARED} times the size of the file",
        )


def _children(thing) -> Iterator:
    if isinstance(thing, dict):
        return (part for pair in thing.items() for part in pair)
    if isinstance(thing, np.ndarray):
        return iter(thing.ravel().tolist() if thing.dtype == object else ())
    if isinstance(thing, _CONTAINERS):
        return iter(thing)
    if isinstance(thing, _SCALARS):
        return iter(())
    full = getattr(thing, "full", "numpy.dtype")  # a name or a type that nothing was made of
    raise _unknown(full)
