"""What a machine refuses is one message with a remedy, whichever library said it."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from msalib.base import files, refusals
from msalib.base.errors import UserError


class OfALibrary(Exception):
    """An error that is no ``OSError``, as most libraries have."""


def numbered(number):
    error = OfALibrary("the library's own words")
    error.errno = number
    return error


FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError("[Errno 28] No space left on device: '/x'"),  # from a text, as a notebook has it
    OfALibrary("I/O error: No space left on device (os error 28)"),  # safetensors
    OfALibrary("Can't write data (file write failed: errno = 28, error message = 'No space')"),
    OfALibrary("Error opening 'x.wav': No space left on device"),
    numbered(errno.ENOSPC),  # PyAV
]


@pytest.mark.parametrize("error", FULL, ids=lambda error: str(error)[:20])
def test_a_full_disk_is_told_whichever_library_met_it(error, tmp_path):
    message = r"a\.npy: found it cannot be written.*Make room"
    with pytest.raises(UserError, match=message), files.disk_errors(tmp_path / "a.npy"):
        raise error


def test_what_caused_an_error_is_told(tmp_path):
    with pytest.raises(UserError, match="Make room"), files.disk_errors(tmp_path):
        raise OfALibrary("encoding failed") from OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EROFS, "Change its permissions"),
        (errno.EACCES, "Change its permissions"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EIO, "Check the disk"),
        (errno.ENAMETOOLONG, "Choose a shorter name"),
        (errno.ENOMEM, "Close other programs"),
    ],
)
def test_each_refusal_has_a_remedy_of_its_own(number, remedy, tmp_path):
    error = refusals.refused(OSError(number, os.strerror(number)), tmp_path)
    assert os.strerror(number) in error.found
    assert remedy in error.remedy


def test_memory_is_told_by_its_words(tmp_path):
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(2**50)
    for error in (
        MemoryError(),
        of_numpy.value,
        OfALibrary("CUDA out of memory. Tried to allocate 2 GiB\nSee the manual"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ):
        told = refusals.refused(error, "msalib train")
        assert told.where == "msalib train" and "too little memory (" in told.found
        assert "\n" not in str(told)


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), ValueError("no space in this name"), FileNotFoundError(2, "gone"), OSError()],
)
def test_mistakes_are_no_refusals(error):
    assert refusals.refused(error, "somewhere") is None


def test_an_error_of_ours_passes_as_it_is(tmp_path):
    own = UserError("a", found="b", expected="c", remedy="d")
    with pytest.raises(UserError) as raised, files.disk_errors(tmp_path):
        raise own from OSError(errno.ENOSPC, "full")
    assert raised.value is own
    with pytest.raises(KeyError), files.disk_errors(tmp_path):
        raise KeyError("a mistake")


def test_the_file_that_was_refused_is_named_but_no_temporary_one(tmp_path):
    def place(name):
        error = OSError(errno.ENOSPC, "full", str(name))
        return refusals.refused(error, tmp_path / "store").where

    assert place(tmp_path / ".store.partial" / "a.npy") == str(tmp_path / "store")
    assert place("/elsewhere/tmp/x") == str(Path("/elsewhere/tmp/x"))


def test_a_folder_that_is_being_written_has_its_own_name(tmp_path):
    full = OSError(errno.ENOSPC, "full")
    with (
        pytest.raises(UserError) as error,
        files.whole_folder(tmp_path / "toy") as partial,
        files.disk_errors(partial / "a.npy"),
    ):
        raise full
    assert error.value.where == str(tmp_path / "toy")


def test_a_name_that_is_too_long_is_told_in_bytes(tmp_path):
    with pytest.raises(UserError, match=r"name that the disk does not take.*255 bytes"):
        files.write_text(tmp_path / ("ä" * 200), "text")
    assert list(tmp_path.iterdir()) == []
