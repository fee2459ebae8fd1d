"""Pickles of strangers: data come through, all else is refused by name."""

import collections
import datetime
import io
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.readers import safe
from msalib.data.readers.safe import limits
from tests.data.readers.toolbox import message

CONTENT = {
    "float64": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(12)[::2],
    "big-endian": np.arange(3, dtype=">i4"),
    "half": np.float16([1, 2]),
    "truth": np.array([True, False]),
    "text": np.array(["ab", "cé"]),
    "bytes": np.array([b"a", b"bc"]),
    "objects": np.array(["x", 1, None, [1, 2], (3,)], dtype=object),
    "scalar": np.array(3.0),
    "empty": np.zeros((0, 5)),
    "numbers": [1, -5, 2**40, 2**70, 1e-300, True, None, np.float32(1.5), np.int64(3)],
    "strings": [
        "",
        "hé\n",
        b"xyz\xff",
        b"",
        bytearray(b"q"),
        np.str_("né"),
        np.str_(""),
        np.bool_(True),
    ],
    "containers": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {1, 2}, frozenset("ab"), {}, []],
    "ordered": collections.OrderedDict(a=1, b=[2]),
}


def refusal(path, content: bytes) -> str:
    path.write_bytes(content)
    return message(safe.load, path)


def same(a, b):
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        return all(map(same, a.ravel(), b.ravel())) if a.dtype == object else (a == b).all()
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_data_come_through_in_every_protocol(path, protocol):
    content = pickle.dumps(CONTENT, protocol=protocol)
    path.write_bytes(content)
    assert same(safe.load(path), pickle.loads(content))


@pytest.mark.parametrize("module", [b"numpy.core", b"numpy._core"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_old_and_new_names_of_numpy(path, module, protocol):
    content = pickle.dumps({"a": np.arange(3.0), "b": np.float32(2)}, protocol=protocol)
    ours = np._core.__name__.encode()
    if protocol == 5:  # names are text with a length
        for name in (b".numeric", b".multiarray"):
            old, new = ours + name, module + name
            content = content.replace(bytes([len(old)]) + old, bytes([len(new)]) + new)
        content = content.replace(content[2:11], b"")  # the length of the frame, which is a hint
    else:
        content = content.replace(ours, module)
    path.write_bytes(content)
    loaded = safe.load(path)
    assert loaded["a"].tolist() == [0, 1, 2] and loaded["b"] == 2


PYTHON_2 = (
    b"(dp0\nS'array'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\n"
    b"S'b'\np5\ntp6\nRp7\n(I1\n(L2L\ntp8\ncnumpy\ndtype\np9\n(S'f8'\np10\nI0\nI1\ntp11\nRp12\n(I3\n"
    b"S'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\nS'\\x00\\x00\\x00\\x00\\x00\\x00\\xf8?\\x00\\x00\\x00"
    b"\\x00\\x00\\x00\\x00\\xc0'\np15\ntp16\nbsS'word'\np17\nS'caf\\xc3\\xa9'\np18\nsS'latin'\n"
    b"S'caf\\xe9'\nsS'truth'\nI01\ns."
)


def test_a_pickle_of_python_2(path):
    path.write_bytes(PYTHON_2)
    loaded = safe.load(path)
    assert loaded["array"].tolist() == [1.5, -2.0]
    assert (loaded["word"], loaded["latin"], loaded["truth"]) == ("café", "café", True)


def test_binary_strings_of_python_2(path):
    """Protocol 2: the data of arrays are strings, whether they look like text or not."""
    for raw in (b"\x01\x00\xfe\xff", b"abcd"):
        state = b"U" + bytes([len(raw)]) + raw
        header = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01bt"
        dtype = b"cnumpy\ndtype\nU\x02i2K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff"
        dtype += b"\xff\xffK\x00tb"
        path.write_bytes(header + b"R(K\x01K\x02\x85" + dtype + b"\x89" + state + b"tb.")
        assert safe.load(path).tolist() == np.frombuffer(raw, "<i2").tolist()


def test_parts_that_are_shared_stay_shared(path):
    words = ["a", "b"]
    path.write_bytes(pickle.dumps([words, words]))
    first, second = safe.load(path)
    assert first is second


# --- what is refused ----------------------------------------------------------------------------


class Call:
    """An object whose pickle calls ``function``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_runs_code_is_refused_by_name(path, tmp_path, protocol):
    there = tmp_path / "there"
    content = pickle.dumps([1, Call(os.system, f"touch {there}")], protocol=protocol)
    text = refusal(path, content)
    assert f"found a pickle that uses {os.system.__module__}.system; expected numpy" in text
    assert "pickles can run code" in text
    assert not there.exists()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Call(eval, "1"), "eval"),
        (Call(getattr, [], "append"), "getattr"),
        (Call(open, "x", "w"), "open"),
        (Call(bytes, 10**12), "calls bytes"),
        (datetime.date(2020, 1, 1), "datetime.date"),
        (io.BytesIO, "_io.BytesIO"),
        (np.dtype("f8"), "numpy.dtype"),
        (np.ndarray, "numpy.ndarray"),
        (np.load, "numpy.load"),
        (np.zeros(2, dtype=[("a", "f8")]), "an array of type 'V8'"),
        (np.zeros(2, dtype="M8[s]"), "an array of type 'M8'"),
        (np.zeros(2, dtype=complex), "an array of type 'c16'"),
        (np.array([np.zeros(2), None], dtype=object), "an array of arrays"),
        (np.ma.zeros(2), "numpy.ma"),
        (collections.Counter(), "collections.Counter"),
        (UserError("a", found="b", expected="c", remedy="d"), "msalib.base.errors.UserError"),
        ({(1, 2): 3}, "a key of type tuple"),
    ],
)
def test_what_is_no_data_is_refused_by_name(path, value, name):
    for protocol in (0, 2, 4):
        text = refusal(path, pickle.dumps({"x": value}, protocol=protocol))
        assert name in text, text


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"cposix\nsystem\n(S'true'\ntR.", "posix.system"),
        (b"(S'true'\niposix\nsystem\n.", "posix.system"),
        (b"\x80\x02cos\nsystem\n)\x81.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
        (b"\x80\x04cnumpy\nndarray\n)\x81.", "numpy.ndarray"),
        (b"cnumpy\nndarray\n(I9\ntR.", "numpy.ndarray"),
        (b"cos.path\njoin\\\x1b[31m\n.", "os.path.join"),
        (b"Psomewhere\n.", "a persistent id"),
        (b"K\x01Q.", "a persistent id"),
        (b"\x82\x01.", "an extension code"),
        (b"\x97.", "a buffer outside the file"),
        (b"}}b.", "sets the state of dict"),
    ],
)
def test_instructions_that_make_objects_are_refused(path, content, found):
    text = refusal(path, content)
    assert found in text and text.isprintable()


def bomb(levels: int, width: int) -> bytes:
    """A list of ``width`` times the same list of ``width`` times the same list, and so on."""
    content = b"]\x94"
    for level in range(levels):
        content += b"](" + b"h" + bytes([level]) + (b"h" + bytes([level])) * (width - 1) + b"e\x94"
    return content + b"."


def array_of(shape: str, data: bytes, code: str = "f8") -> bytes:
    """A pickle of one array with any shape and data."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n"
        + shape.encode()
        + f"cnumpy\ndtype\n(S'{code}'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n".encode()
        + data
        + b"tb."
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x8e" + struct.pack("<Q", 10**12) + b"x.", "it ends too early"),
        (b"\x96" + struct.pack("<Q", 2**63) + b"x.", "a damaged or truncated pickle"),
        (b"T\xff\xff\xff\xff.", "it ends too early"),
        (b"\x8b\xff\xff\xff\x7f.", "it ends too early"),
        (b"\x8a\x11" + b"\x7f" * 17 + b".", "a number of 135 bits"),
        (b"I" + b"9" * 5000 + b"\n.", "a damaged or truncated pickle"),
        (b"](" + b"N" * 30 + b"e", "it ends too early"),
        (array_of("(L1000000000000L\nt", b"S''\n"), "an array of shape (1000000000000,)"),
        (array_of("(L1000000000000L\nI0\nt", b"S''\n"), "an array of shape (1000000000000, 0)"),
        (array_of("(I-1\nt", b"S''\n"), "an array without a shape"),
        (array_of("(I2\nt", b"S'12345678'\n"), "8 bytes for an array of shape (2,)"),
        (array_of("(I1\nt", b"S'12345678'\n", "V8"), "an array of type 'V8'"),
        (array_of("(I1\nt", b"S'12345678'\n", "U2000000000"), "an array of type 'U2000000000'"),
        (array_of("(I1\nt", b"S'\\xff\\xff\\xff\\xff'\n", "U1"), "text with characters that are"),
        (b"]\x94h\x00a.", "a container that contains itself"),
        (b"I" + b"9" * 50 + b"\n.", "a number of 167 bits"),
        (b"(" * 40 + b"]" + b"t" * 40 + b".", "containers nested too deep"),
        (b"](" * 40 + b"e" * 40 + b".", "containers nested too deep"),
        (b"]\x94]h\x00a\x94" + b"".join(b"]h%ca\x94" % i for i in range(1, 60)) + b".", "too deep"),
        (bomb(9, 20), "the same parts again and again"),
        (b"](X\x00\x01\x00\x00" + b"x" * 256 + b"\x94" + b"h\x00" * 10_000 + b"e.", "again and"),
        (b"N.N.", "2 bytes after its end"),
        (b".", "a damaged or truncated pickle"),
        (b"", "it ends too early"),
        (b"hello\n", "a damaged or truncated pickle"),
        (b"\x80\x04K\x01\x93.", "a damaged or truncated pickle"),
        (b"}(K\x01u.", "keys without values"),
        (b"j\xff\xff\xff\xff.", "a damaged or truncated pickle"),
    ],
)
def test_a_small_file_cannot_mean_too_much(path, content, found):
    assert found in refusal(path, content)


@pytest.mark.parametrize("code", [b"B", b"X", b"T", b"\x8b", b"\x8d", b"\x8e", b"\x96"])
def test_a_length_that_a_file_merely_claims_takes_no_memory(path, code):
    length = b"\0\0\0\x70" + (b"\0" * 4 if code in b"\x8d\x8e\x96" else b"")
    tracemalloc.start()
    try:
        assert "it ends too early" in refusal(path, code + length + b"x" * 100)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("levels", [0, 2, 9])
def test_what_is_refused_is_not_written_out_first(path, levels):
    """As a type code: lists of the same lists are far longer in print than in the file."""
    shared = bomb(levels, 20).removesuffix(b".") if levels else b"]\x94"
    text = refusal(path, shared + b"cnumpy\ndtype\n(h%cI0\nI1\ntR." % levels)
    assert "an array type without a name" in text


def test_a_place_in_memory_is_no_size(path):
    """The standard library makes room for all places before the one that is named."""
    path.write_bytes(b"Nr\xff\xff\xff\xffj\xff\xff\xff\xff\x86.")
    assert safe.load(path) == (None, None)


def test_calls_make_no_more_than_the_file_holds(path):
    text = b"X\x00\x10\x00\x00" + b"x" * 4096 + b"\x94"
    call = b"c_codecs\nencode\n(h\x00X\x06\x00\x00\x00latin1tR"
    assert "arrays that fit in it" in refusal(path, text + call * 1000 + b".")


def test_numbers_as_keys_are_limited(path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_KEYS", 10)
    assert "more than 10 keys that are numbers" in refusal(path, pickle.dumps(set(range(20))))
    path.write_bytes(pickle.dumps({str(i): i for i in range(20)}))
    assert len(safe.load(path)) == 20


def test_limits_of_size_and_number(path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_OBJECTS", 50)
    assert "more objects than a data set has" in refusal(path, pickle.dumps(list(range(100))))
    monkeypatch.setattr(limits, "MAX_BYTES", 50)
    assert "0 GiB at most" in refusal(path, pickle.dumps(list(range(100))))


def test_a_byte_that_asks_for_a_container_counts_for_its_memory(path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_OBJECTS", 10_000)
    for one in (b"]", b"}", b"\x8f", b"(l", b"(d", b"(\x91"):
        assert "found more objects than" in refusal(path, b"(" + one * 1000 + b"l.")
        path.write_bytes(b"(" + one * 900 + b"l.")
        assert len(safe.load(path)) == 900


def test_a_long_chain_of_arrays_is_refused_before_it_is_made(path):
    dtype = b"cnumpy\ndtype\n(\x8c\x02O8\x89\x88tR(K\x03\x8c\x01|NNNJ" + b"\xff" * 4
    dtype += b"J" + b"\xff" * 4 + b"K\x3ftbq\x02\x30"
    names = b"cnumpy.core.multiarray\n_reconstruct\nq\x00\x30cnumpy\nndarray\nq\x01\x30"
    around = b"q\x09\x30h\x00(h\x01K\x00\x85C\x01btR(K\x01K\x01\x85h\x02\x89]h\x09atb"
    content = b"\x80\x04" + dtype + names + b"N" + around * 200_000 + b"."
    assert "found an array of arrays" in refusal(path, content)


def test_a_full_memory_is_told(path, monkeypatch):
    def full(machine):
        raise MemoryError

    monkeypatch.setattr(safe.machine, "run", full)
    assert "found more than the memory holds" in refusal(path, b"N.")


def test_every_truncation_is_told(path):
    content = pickle.dumps(CONTENT, protocol=4)
    for end in range(0, len(content), 7):
        assert "truncated" in refusal(path, content[:end]) or end == 0


def test_a_missing_file_is_told(path):
    assert "found no such file; expected a pickle" in message(safe.load, path)
    assert "found no such file" in message(safe.load, path.parent)
