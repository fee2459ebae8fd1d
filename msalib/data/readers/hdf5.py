"""HDF5 files of computational sequences, read in a process of its own.

A damaged HDF5 file can keep the C library busy for ever, and no check beforehand finds all such
files: in 12,000 random corruptions of small ones, one in 2,400 did not come back within five
seconds. So h5py runs in a child process. One that falls silent is killed, and whatever ends it
becomes a ``UserError`` that names the file. Nothing outside the file is read: links to other
files, external and virtual storage are refused.

    /<root>/data/<video>/features    (T, D) numbers, or (T, 1) strings
    /<root>/data/<video>/intervals   (T, 2) start and end in seconds
    /<root>/metadata/<key>           one JSON string
"""

import importlib.util
import json
import os
import selectors
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, PIPE

import numpy as np

SILENCE = 30.0
"""Seconds without a word from the child after which its file counts as damaged."""

MEMORY = 8 << 30
"""Bytes that the child may use; a corrupted size asks for more than any machine has."""

ENTRY = 1 << 30
"""Bytes of one array; an hour of COVAREP at 100 frames a second is a fifth of it."""

PACKED = 64
"""How many times its own size a file may hold beyond an ``ENTRY``: what was never stored, or is the
same throughout, costs a file nothing."""

REMEDY = "The file is truncated or damaged: restore it from its source."


class Sequences:
    """The child process, for a ``with`` block: ``head`` and ``entries`` of any number of files."""

    def __enter__(self) -> "Sequences":
        if importlib.util.find_spec("h5py") is None:
            from msalib.base.errors import UserError

            raise UserError(
                "h5py",
                found="not installed",
                expected="the package that reads .csd files",
                remedy='Install it: pip install -e ".[media]"',
            )
        self._child = None
        return self

    def __exit__(self, *_) -> None:
        self._stop()

    def head(self, path: Path) -> tuple[str, dict]:
        """Return the name of the root group, and its metadata: key -> what its JSON says."""
        _, head = self._ask(path, "head")
        return head["root"], head["metadata"]

    def entries(self, path: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Yield each video's name, features (T, D) float32 or text, and intervals (T, 2) float64.

        In the order of names; the iterator must be used up before the next question.
        """
        reply, entry = self._ask(path, "entries")
        while entry is not None:
            if "words" in entry:
                features = np.array(entry["words"], dtype=str).reshape(entry["shape"])
            else:
                features = self._array(path, "<f4", entry["shape"])
            intervals = self._array(path, "<f8", entry["times"])
            if len(features) != len(intervals) or intervals.shape[1] != 2:
                raise self._bad(
                    path,
                    f"features of shape {features.shape} and intervals of shape {intervals.shape} "
                    f"for {entry['video']}",
                    "features (T, D) and intervals (T, 2) of one length T",
                )
            yield entry["video"], features, intervals
            reply, entry = self._line(path)
        assert reply == "end"

    def _start(self) -> None:
        from msalib.base.children import Child

        self._child = Child(
            [sys.executable, "-P", __file__],
            bufsize=0,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={**os.environ, "HDF5_PLUGIN_PRELOAD": "::", "OMP_NUM_THREADS": "1"},
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._child.stdout, selectors.EVENT_READ)

    def _stop(self) -> None:
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        self._selector.close()
        self._child.stdin.close()
        self._child.stdout.close()
        self._child = None

    def _bad(self, path: Path, found: str, expected: str, remedy: str = REMEDY):
        from msalib.data.readers import build

        self._stop()  # the next question starts another
        return build.bad(path, found, expected, remedy)

    def _ask(self, path: Path, what: str):
        question = json.dumps([what, os.fspath(path)]).encode() + b"\n"
        if self._child is None:
            self._start()
        try:
            self._child.stdin.write(question)
        except BrokenPipeError:  # it broke when it closed the file before, which was read in full
            self._stop()
            self._start()
            self._child.stdin.write(question)
        return self._line(path)

    def _line(self, path: Path) -> tuple[str, dict | None]:
        size = int.from_bytes(self._take(path, 8), "big")
        reply, content = json.loads(self._take(path, size))
        if reply == "bad":
            raise self._bad(path, content["found"], content["expected"])
        return reply, content

    def _array(self, path: Path, dtype: str, shape: list[int]) -> np.ndarray:
        count = int(np.prod(shape))
        content = self._take(path, count * np.dtype(dtype).itemsize)
        return np.frombuffer(content, dtype).reshape(shape)

    def _take(self, path: Path, size: int) -> bytearray:
        """Return so many bytes of the child's."""
        content = bytearray(size)
        done = 0
        while done < size:
            if not self._selector.select(timeout=SILENCE):
                raise self._bad(
                    path,
                    f"no end of reading: the HDF5 library was silent for {SILENCE:g} s",
                    "a complete HDF5 file",
                )
            piece = os.read(self._child.stdout.fileno(), min(size - done, 1 << 20))
            if not piece:
                status = self._child.wait()
                raise self._bad(
                    path,
                    f"reading it ends the process (status {status})",
                    "a complete HDF5 file",
                )
            content[done : done + len(piece)] = piece
            done += len(piece)
        return content


# --- in the child -------------------------------------------------------------------------------


class _Refused(Exception):
    """What is wrong, and what was expected."""


def _inside(group, name: str, kind):
    """Return a member of a group, which must lie in the same file and be of this kind."""
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        raise _Refused(f"no {name!r} in {group.name}", "/<root>/data/<video>/features, intervals")
    if not isinstance(link, h5py.HardLink):
        raise _Refused(f"{name!r} in {group.name} is a link", "what the file itself holds")
    member = group[name]
    if not isinstance(member, kind):
        raise _Refused(f"{name!r} in {group.name} is a {type(member).__name__}", kind.__name__)
    if isinstance(member, h5py.Dataset):
        if member.external or member.is_virtual:
            raise _Refused(f"{member.name} is in another file", "what the file itself holds")
        if member.size is None or member.size * max(member.dtype.itemsize, 1) > ENTRY:
            raise _Refused(f"{member.name} of shape {member.shape}", "an array of up to 1 GiB")
    return member


def _root(file):
    import h5py

    names = list(file)
    if len(names) != 1:
        found = f"{len(names)} groups at the top: {', '.join(names[:5])}"
        raise _Refused(found, "one, the root of the sequence")
    return _name(names[0]), _inside(file, names[0], h5py.Group)


def _name(name: str) -> str:
    if not name.isprintable():  # also bytes that are no UTF-8
        raise _Refused(f"the name {name!a}", "names of printable characters")
    return name


def _head(file) -> dict:
    import h5py

    name, root = _root(file)
    metadata = {}
    if "metadata" in root:
        group = _inside(root, "metadata", h5py.Group)
        for key in group:
            value = _inside(group, key, h5py.Dataset)
            if value.size != 1:
                continue
            value = value[()] if value.shape == () else value[(0,) * value.ndim]
            value = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            try:
                metadata[key] = json.loads(value)
            except ValueError:
                metadata[key] = value
    return {"root": name, "metadata": metadata}


def _entries(file, say) -> None:
    import h5py

    _, root = _root(file)
    data = _inside(root, "data", h5py.Group)
    left = ENTRY + PACKED * Path(file.filename).stat().st_size
    for video in sorted(data):
        entry = _inside(data, _name(video), h5py.Group)
        features = _inside(entry, "features", h5py.Dataset)
        times = _inside(entry, "intervals", h5py.Dataset)
        if times.ndim != 2 or times.dtype.kind not in "fiu" or features.ndim != 2:
            raise _Refused(
                f"features of shape {features.shape} and intervals of shape {times.shape} and "
                f"type {times.dtype} for {video}",
                "features (T, D) and intervals (T, 2) of one length T",
            )
        left -= features.size * features.dtype.itemsize + times.size * times.dtype.itemsize
        if left < 0:
            raise _Refused("far more data than the file has bytes", "data as they were recorded")
        reply = {"video": video, "shape": features.shape, "times": times.shape}
        times = times[...].astype("<f8")
        if features.dtype.kind in "fiu":
            values = features[...].astype("<f4")
            say("entry", reply, values.tobytes(), times.tobytes())
        elif features.dtype.kind in "SO" and features.shape[1] == 1:
            words = [w.decode("utf-8", "replace") for w in features[:, 0]]
            say("entry", reply | {"words": words}, times.tobytes())
        else:
            found = f"features of type {features.dtype} and shape {features.shape} for {video}"
            raise _Refused(found, "numbers, or one string each")
    say("end", None)


def _serve() -> None:
    import contextlib

    with contextlib.suppress(ImportError, ValueError, OSError):  # not everywhere
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import h5py

    out = sys.stdout.buffer

    def say(reply, content, *arrays):
        line = json.dumps([reply, content], ensure_ascii=False).encode("utf-8", "replace")
        out.write(len(line).to_bytes(8, "big") + line + b"".join(arrays))
        out.flush()

    for question in sys.stdin.buffer:
        what, path = json.loads(question)
        try:
            with h5py.File(path, "r") as file:
                if what == "head":
                    say("head", _head(file))
                else:
                    _entries(file, say)
        except _Refused as error:
            found, expected = error.args
            say("bad", {"found": found, "expected": expected})
        except (Exception, MemoryError) as error:
            found = f"not a readable HDF5 file ({' '.join(str(error).split()):.200})"
            say("bad", {"found": found, "expected": "a complete .csd file"})


if __name__ == "__main__":
    _serve()
