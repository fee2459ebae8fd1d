"""Where a result comes from: device, commit and versions."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from subprocess import PIPE, CalledProcessError

from msalib.base import children
from msalib.base.errors import UserError
from msalib.base.paths import ROOT


def commit() -> str:
    """Return the short commit, with "+" where the package has changes; "unknown" outside git."""
    head = _git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return "unknown"
    return head + ("+" if _git("status", "--porcelain", "--", "msalib", "notebooks") else "")


def commit_and_day() -> tuple[str, str]:
    """Return the short commit and its day; ``UserError`` outside git and with changes."""
    name, day = commit(), _git("show", "--no-patch", "--format=%cs", "HEAD")
    if day is None or name.endswith("+"):
        raise UserError(
            ROOT,
            found="changes that are not committed" if day else "no repository of git",
            expected="a commit to name",
            remedy="Commit them first." if day else "Work in a clone of the repository.",
        )
    return name, day


def _git(*arguments: str) -> str | None:
    try:
        done = children.run(
            ["git", *arguments], cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True, check=True
        )
    except (OSError, CalledProcessError):
        return None
    return done.stdout.strip()


def pick_device(device: str) -> str:
    """Return the device by name; ``"auto"`` is the GPU if there is one. Refuse a missing one."""
    import torch

    gpu = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if gpu else "cpu"
    if device not in ("cpu", "cuda") or (device == "cuda" and not gpu):
        raise UserError(
            f"device {device!r}",
            found="no such device here",
            expected="auto, cpu" + (" or cuda" if gpu else " (this machine shows no CUDA device)"),
            remedy="Use the device auto.",
        )
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside the block, and as many as before behind it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def device_name(device: str) -> str:
    """Return the name of the GPU for "cuda", else of the processor with its number of cores."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    cpu = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", cpu.read_text()) if cpu.exists() else None
    return f"CPU ({named[1] if named else platform.machine()}), {os.cpu_count()} cores"


def versions() -> dict[str, str]:
    """Return the versions that can change the numbers."""
    names = ("msalib", "torch", "transformers", "numpy", "scikit-learn")
    return {"python": platform.python_version(), **{n: _version(n) for n in names}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
