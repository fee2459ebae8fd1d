"""The part of the language of pickles that makes data.

A pickle is a list of instructions for a machine with a stack and a memo. ``pickletools`` knows
the instructions and how their arguments are written; here is what those that make data do. All
others are refused.
"""

import codecs
import os
import pickletools
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from msalib.data.readers.safe import limits
from msalib.data.readers.safe.calls import (
    CALLS,
    Dtype,
    Latin1,
    Name,
    add_items,
    add_pairs,
    finish_array,
    finish_dtype,
    make_frozenset,
)
from msalib.data.readers.safe.limits import CONTAINER, Budget, Damaged, Refused, unknown


def run(file: BinaryIO):
    """Return what the pickle in ``file`` makes; raise ``Refused``, or ``ValueError`` and its like.

    Whatever errors of Python damaged bytes lead to are left as they are.
    """
    source = _Source(file, os.fstat(file.fileno()).st_size)
    machine = _Machine(source.left)
    read, count, steps = source.read, machine.budget.count, _STEPS
    while True:
        code = read(1)
        if code == b".":
            break
        if code not in steps:
            raise Damaged(f"no instruction {code!r}")
        reader, step = steps[code]
        step(machine, reader(source) if reader else None)
        count(1)
    content = machine.stack.pop()
    if source.left:
        raise Damaged(f"{source.left} bytes after its end")
    return content


class _Source:
    """The bytes of a file, of which no more can be asked for than there are.

    The readers of ``pickletools`` ask a file for as many bytes as it claims to have, and a file
    makes room for them before it looks.
    """

    def __init__(self, file: BinaryIO, size: int):
        self.left = size
        self._read = file.read
        self._readline = file.readline
        self._fill = file.readinto

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise Damaged("it ends too early")
        self.left -= size
        return self._read(size)

    def fill(self, size: int) -> bytearray:
        """Read as many bytes into memory that they stay in."""
        if not 0 <= size <= self.left:
            raise Damaged("it ends too early")
        self.left -= size
        made = bytearray(size)
        if self._fill(made) != size:
            raise Damaged("it ends too early")
        return made

    def readline(self) -> bytes:
        line = self._readline(min(self.left, 2**31))
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise Damaged("it ends too early")
        return line


def _quoted(source: _Source) -> bytes:
    """Read a string of Python 2; the reader of ``pickletools`` takes ASCII alone."""
    line = source.readline().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
        raise Damaged("a string without quotes")
    return codecs.escape_decode(line[1:-1])[0]


def _bytearray(source: _Source) -> bytearray:
    """Read bytes that can change; the reader of ``pickletools`` makes them twice."""
    return source.fill(pickletools.read_uint8(source))


class _Machine:
    """The state of a pickle of ``size`` bytes, and the instructions that take several steps."""

    def __init__(self, size: int):
        self.stack = []
        self.marks = []  # the stacks below the present one
        self.memo = {}
        self.budget = Budget(size)

    def push(self, value) -> None:
        self.stack.append(value)

    def number(self, value: int) -> None:
        if value.bit_length() > limits.MAX_BITS:
            raise Damaged(f"a number of {value.bit_length()} bits")
        self.push(value)

    def string(self, data: bytes) -> None:
        try:
            self.push(data.decode())
        except UnicodeDecodeError:
            self.push(Latin1(data.decode("latin-1")))

    def container(self, value) -> None:
        self.budget.count(CONTAINER - 1)
        self.push(value)

    def mark(self, _) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def marked(self) -> list:
        """Return what lies above the last mark."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def last(self, size: int) -> list:
        if len(self.stack) < size:
            raise Damaged("too few items")
        items = self.stack[-size:]
        del self.stack[-size:]
        return items

    def extend(self, items: list) -> None:
        if not isinstance(self.stack[-1], list):
            raise Damaged("items without a list")
        self.stack[-1].extend(items)

    def set_items(self, items: list) -> None:
        add_pairs(self.stack[-1], items)

    def add_items(self, items: list) -> None:
        add_items(self.stack[-1], items)

    def remember(self, place: int | None) -> None:
        place = len(self.memo) if place is None else place
        if place.bit_length() > limits.KEY_BITS:
            raise Damaged(f"a place of {place.bit_length()} bits in the memo")
        self.memo[place] = self.stack[-1]

    def name(self, module: str, name: str) -> None:
        if not isinstance(name, str) or not isinstance(module, str):
            raise Damaged("a name that is no text")
        self.push(Name(module, name))

    def call(self, name: Name, arguments: tuple) -> None:
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise Damaged("a call of nothing")
        call = CALLS[name.key]
        if call is None:
            raise unknown(name.full)
        self.push(call(self.budget, *arguments))

    def build(self, state) -> None:
        target = self.stack[-1]
        if isinstance(target, Dtype):
            finish_dtype(target, state)
        elif isinstance(target, np.ndarray):
            finish_array(self.budget, target, state)
        else:
            raise Refused(
                f"a pickle that sets the state of {type(target).__name__}", "plain containers"
            )

    def refuse(self, name) -> None:
        raise unknown(name if isinstance(name, str) else getattr(name, "full", _OBJECT))


_OBJECT = "an object of a class"


def _steps(names: str, step: Callable) -> dict[str, Callable]:
    return dict.fromkeys(names.split(), step)


_BY_NAME = {
    # what the file holds to the letter
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    **_steps("INT LONG BININT LONG1 LONG4", _Machine.number),
    **_steps("BININT1 BININT2 FLOAT BINFLOAT", _Machine.push),
    **_steps("UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8", _Machine.push),
    **_steps("BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8", _Machine.push),
    **_steps("STRING BINSTRING SHORT_BINSTRING", _Machine.string),
    # containers
    "MARK": _Machine.mark,
    "POP": lambda m, _: m.stack.pop() if m.stack else m.marked(),
    "POP_MARK": lambda m, _: m.marked(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_LIST": lambda m, _: m.container([]),
    "EMPTY_DICT": lambda m, _: m.container({}),
    "EMPTY_SET": lambda m, _: m.container(set()),
    "TUPLE": lambda m, _: m.push(tuple(m.marked())),
    "TUPLE1": lambda m, _: m.push(tuple(m.last(1))),
    "TUPLE2": lambda m, _: m.push(tuple(m.last(2))),
    "TUPLE3": lambda m, _: m.push(tuple(m.last(3))),
    "LIST": lambda m, _: m.container(m.marked()),
    "DICT": lambda m, _: (items := m.marked(), m.container({}), m.set_items(items)),
    "FROZENSET": lambda m, _: m.container(make_frozenset(m.budget, m.marked())),
    "APPEND": lambda m, _: m.extend(m.last(1)),
    "APPENDS": lambda m, _: m.extend(m.marked()),
    "SETITEM": lambda m, _: m.set_items(m.last(2)),
    "SETITEMS": lambda m, _: m.set_items(m.marked()),
    "ADDITEMS": lambda m, _: m.add_items(m.marked()),
    # what was made before
    **_steps("PUT BINPUT LONG_BINPUT MEMOIZE", _Machine.remember),
    **_steps("GET BINGET LONG_BINGET", lambda m, place: m.push(m.memo[place])),
    # names and calls
    "GLOBAL": lambda m, names: m.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.name(*m.last(2)),
    "REDUCE": lambda m, _: m.call(*m.last(2)),
    "BUILD": lambda m, _: m.build(m.stack.pop()),
    # hints
    **_steps("PROTO FRAME", lambda m, _: None),
    # objects of classes, and what lies outside the file
    "INST": lambda m, names: m.refuse(names.replace(" ", ".", 1)),
    "OBJ": lambda m, _: m.refuse(_OBJECT),
    "NEWOBJ": lambda m, _: m.refuse(m.stack[-2]),
    "NEWOBJ_EX": lambda m, _: m.refuse(m.stack[-3]),
    **_steps("EXT1 EXT2 EXT4", lambda m, _: m.refuse("an extension code")),
    **_steps("PERSID BINPERSID", lambda m, _: m.refuse("a persistent id")),
    **_steps("NEXT_BUFFER READONLY_BUFFER", lambda m, _: m.refuse("a buffer outside the file")),
}
"""Name of an instruction -> what it does with the machine and its argument."""

_READERS = {
    "STRING": _quoted,
    "BINSTRING": pickletools.read_bytes4,
    "SHORT_BINSTRING": pickletools.read_bytes1,
    "BYTEARRAY8": _bytearray,
}
"""Strings of Python 2 are bytes; ``pickletools`` makes text of them."""

_STEPS = {
    op.code.encode("latin-1"): (
        _READERS.get(op.name, op.arg and op.arg.reader),
        _BY_NAME[op.name],
    )
    for op in pickletools.opcodes
    if op.name in _BY_NAME
}
"""Code of an instruction -> how its argument is read, if it has one, and what it does."""
