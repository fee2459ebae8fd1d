"""Render the pages of the book from its executed notebooks: those that have changed.

Sphinx keeps what it has read and written beside the site, and works on a copy of both, which
replaces them when it is whole and gave no warning. So no page in the site has ever warned.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from msalib.base import children, files, paths
from msalib.base.errors import UserError

JOBS = 2
"""Processes that read and write pages."""

ABOUT = ".about.json"
"""File of the site that says what it was made with, and what it holds."""


def render() -> Path:
    """Render what has changed since the last time, warnings being errors; return the first page.

    All pages are rendered where what makes them all has changed: a library, a setting, a template,
    the contents; or where the last site is damaged. Until all is done the last site stays. Raises
    ``UserError`` where a page gives a warning.
    """
    site = paths.ROOT / "_build"
    with files.whole_folder(site) as new:
        kept = _is_whole(site)
        if kept:
            shutil.copytree(site, new, dirs_exist_ok=True)
        problems = _sphinx(new)
        if problems and kept:  # a page may be read by another rule than it was written by
            _empty(new)
            problems = _sphinx(new)
        if problems:
            raise UserError(
                "the pages of the book",
                found=f"these warnings: {'; '.join(problems)}",
                expected="no warning",
                remedy="Correct the pages that they name.",
            )
        about = {"made_with": _made_with(), "holds": _holds(new)}
        (new / ABOUT).write_text(json.dumps(about))
    return site / "html" / "index.html"


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _sphinx(folder: Path) -> list[str]:
    """Run Sphinx on a folder that may hold an earlier site; return its warnings and errors."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    command += ["--jobs", str(JOBS), "--conf-dir", paths.BOOK]
    command += ["--doctree-dir", folder / ".doctrees", paths.ROOT, folder / "html"]
    done = children.run(
        command, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode == 0:
        return []
    lines = re.sub(r"\x1b\[[\d;]*m", "", done.stdout).splitlines()  # without colours
    return [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-5:]


# --- what may be kept ---------------------------------------------------------------------------


def _is_whole(site: Path) -> bool:
    """Check whether a site is what Sphinx left, made with what is there today."""
    try:
        about = json.loads((site / ABOUT).read_bytes())
    except (OSError, ValueError):
        return False
    return about == {"made_with": _made_with(), "holds": _holds(site)}


def _holds(site: Path) -> str:
    """Return a digest of every file of a site."""
    digest = hashlib.sha256()
    for path in _files(site):
        if path.name != ABOUT:
            digest.update(f"{path.relative_to(site)} {files.sha256(path)}\n".encode())
    return digest.hexdigest()


def _made_with() -> str:
    """Return a digest of what makes every page: libraries by version, settings, our own files."""
    digest = hashlib.sha256(sys.version.encode())
    for library in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(library.name.encode())
    settings = [paths.BOOK / "conf.py", *sorted(paths.BOOK.glob("*.yml"))]
    settings += [paths.BOOK / "redirects.yaml", *paths.BOOK.glob("*.bib")]
    own = [*_files(paths.BOOK / "_static"), *_files(Path(__file__).with_name("site"))]
    for path in [*settings, *own]:
        if path.suffix != ".pyc":
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())
