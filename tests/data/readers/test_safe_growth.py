"""What refusing a pickle costs grows with its size and no faster: calls and memory are counted."""

import pickle
import sys
import tracemalloc

import pytest

from msalib.data.readers import safe
from msalib.data.readers.safe import limits
from tests.data.readers.test_safe import array_of, bomb
from tests.data.readers.toolbox import message

DTYPE = b"cnumpy\ndtype\n"
NAMES = b"cnumpy.core.multiarray\n_reconstruct\nq\x00\x30cnumpy\nndarray\nq\x01\x30"
BLANK = b"h\x00(h\x01K\x00\x85C\x01btR"


def nested(levels: int, before: bytes = b"", after: bytes = b".") -> bytes:
    """A tuple in a tuple in a tuple."""
    return b"\x80\x04" + before + b")" + b"\x85" * levels + after


def keys(number, count: int) -> bytes:
    """A dictionary of keys that are such multiples of what hashes of whole numbers are taken of."""
    pairs = b"".join(f"L{number(i)}L\nN".encode() for i in range(1, count + 1))
    return b"}(" + pairs + b"u."


def copies(count: int, call: bytes) -> bytes:
    """One list of ``count`` items, copied ``count`` times."""
    start = b"\x80\x04" + NAMES + DTYPE + b"(\x8c\x02O8\x89\x88tRq\x02\x30"
    start += b"cbuiltins\nset\nq\x03\x30](" + b"K\x01" * count + b"eq\x04\x30"
    return start + (call + b"\x30") * count + b"N."


FAMILIES = {
    "a type of lists of the same lists": lambda n: (
        bomb(n % 200 + 8, n // 20).removesuffix(b".") + DTYPE + b"(h\x05I0\nI1\ntR."
    ),
    "a type of nested tuples": lambda n: nested(n, DTYPE + b"(", b"I0\nI1\ntR."),
    "an encoding of nested tuples": lambda n: nested(n, b"c_codecs\nencode\n(X\0\0\0\0", b"tR."),
    "a key of nested tuples": lambda n: nested(n, b"}(", b"Nu."),
    "a shape of nested tuples": lambda n: array_of(
        (b"(" * n + b"I1\n" + b"t" * n).decode(), b"S''\n"
    ),
    "a state of nested tuples": lambda n: nested(n, NAMES + BLANK, b"b."),
    "nested tuples": nested,
    "nested lists": lambda n: b"](" * n + b"e" * n + b".",
    "a list of lists of the same": lambda n: bomb(9, n),
    "a long name": lambda n: b"c" + b"x" * n + b"\n" + b"y" * n + b"\n.",
    "a long name of text": lambda n: b"X" + n.to_bytes(4, "little") + b"x" * n + b"\x8c\x01y\x93.",
    "a long type": lambda n: DTYPE + b"(S'" + b"x" * n + b"'\nI0\nI1\ntR.",
    "a line without an end": lambda n: b"S'" + b"x" * n,
    "a number of many digits": lambda n: b"I" + b"9" * n + b"\n.",
    "a long number": lambda n: b"\x8b" + n.to_bytes(4, "little") + b"\x7f" * n + b".",
    "text of another kind": lambda n: b"hello world\n" * n,
    "an array of many dimensions": lambda n: array_of("(" + "I1\n" * n + "t", b"S''\n"),
    "sets of the same list": lambda n: copies(n, b"h\x03h\x04\x85R"),
    "arrays of the same list": lambda n: copies(
        n, BLANK + b"(K\x01M" + n.to_bytes(2, "little") + b"\x85h\x02\x89h\x04tb"
    ),
    "an object of a class": lambda n: b"(" + b"N" * n + b"lc__main__\nx\n)\x81.",
}


def cost(path, content: bytes) -> tuple[int, int]:
    """Calls of functions, and bytes of memory at most, that the refusal of a pickle takes."""
    path.write_bytes(content)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    tracemalloc.start()
    sys.setprofile(count)
    try:
        text = message(safe.load, path)
    finally:
        sys.setprofile(None)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(text) < 1000
    return calls, peak


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_refusal_costs_grows_with_the_file_alone(path, monkeypatch, family):
    monkeypatch.setattr(limits, "FREE", 1000)
    make = FAMILIES[family]
    sizes, costs = [], []
    for n in (250, 500, 2000):
        content = make(n)
        sizes.append(len(content))
        costs.append(cost(path, content))
    for (calls, peak), size in zip(costs, sizes, strict=True):
        assert calls < 8 * limits.Budget(size).most
        assert peak < 2**19 + 400 * size
    first, *_, last = sizes
    growth = 1.5 * last / first
    assert costs[-1][0] < growth * (costs[0][0] + 500)


def test_a_type_of_shared_lists_costs_the_same_at_any_depth(path):
    costs = []
    for levels in (1, 2, 3, 9):
        content = bomb(levels, 20).removesuffix(b".") + DTYPE + b"(h%cI0\nI1\ntR." % levels
        costs.append((len(content), *cost(path, content)))
    for size, calls, peak in costs:
        assert calls < 2000 + 40 * size and peak < 2**19


@pytest.mark.parametrize("levels", [1, 100, 10_000, 200_000])
def test_a_type_of_nested_tuples_is_a_message_at_any_depth(path, levels):
    path.write_bytes(nested(levels, DTYPE + b"(", b"I0\nI1\ntR."))
    assert "an array type without a name" in message(safe.load, path)


def test_numbers_that_collide_are_no_keys_and_no_places(path):
    """Whole numbers are hashed by their remainder of 2**61 - 1, and dictionaries then search."""
    prime = 2**61 - 1
    path.write_bytes(keys(lambda i: i * prime, 100))
    assert "found a key of 61 bits; expected 60 bits at most" in message(safe.load, path)
    path.write_bytes(b"N" + b"".join(b"p%d\n" % (i * prime) for i in range(1, 100)) + b".")
    assert "a place of 61 bits in the memo" in message(safe.load, path)
    path.write_bytes(keys(lambda i: i << 50, 1000))
    assert len(safe.load(path)) == 1000


def test_data_make_far_fewer_objects_than_is_allowed(path):
    content = [[], {}, (), [1], "x"] * 10_000
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(content, protocol=protocol))
        assert safe.load(path) == content
    path.write_bytes(b"(" + b"]" * limits.FREE + b"l.")
    assert len(safe.load(path)) == limits.FREE
