"""Render the pages of the book from its executed notebooks, with jupyter-book."""

import re
import subprocess
import sys
from pathlib import Path

from msalib.base import children, files, paths
from msalib.base.errors import UserError


def render() -> Path:
    """Render the pages from the executed notebooks, warnings being errors.

    Until all are rendered the site of the last build stays.
    """
    site = paths.ROOT / "_build"
    with files.whole_folder(site) as new:  # Sphinx warns only of pages it has not cached
        _render(new)
        for part in list((new / site.name).iterdir()):
            part.rename(new / part.name)
        (new / site.name).rmdir()
        index = new / "html" / "index.html"
        # jupyter-book's redirect names no icon: a browser may ask for /favicon.ico in vain.
        icon = '<link rel="icon" href="_static/favicon.svg" />\n'
        index.write_text(icon + index.read_text())
    return site / "html" / "index.html"


def _render(folder: Path) -> None:
    """Render the pages into a folder ``_build`` of this one."""
    command = [Path(sys.executable).with_name("jb"), "build", ".", "--path-output", folder]
    command += ["--toc", "book/_toc.yml", "-W", "-n", "--keep-going"]
    done = children.run(
        command,
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        lines = re.sub(r"\x1b\[[\d;]*m", "", done.stdout).splitlines()  # without colours
        warnings = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-5:]
        raise UserError(
            "jb build",
            found=f"these warnings: {'; '.join(warnings)}",
            expected="no warning",
            remedy="Correct the pages that they name.",
        )
