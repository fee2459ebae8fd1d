"""The files that pages load: which of the theme's are in use, and what moves out of a page.

The theme brings icons as a script of 1.5 MB, maps of its sources and files of features that this
book does not have; MathJax brings every output and extension that it knows.
"""

import base64
import hashlib
import importlib.util
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from sphinx.util.fileutil import copy_asset_file

FIRST = "basic.css", "styles/pydata-sphinx-theme.css"
STYLES = *FIRST, "styles/sphinx-book-theme.css"
SEARCH = "documentation_options.js", "doctools.js", "language_data.js", "searchtools.js"
USED = [*STYLES, *SEARCH, "sphinx_highlight.js"]
"""What pages use of the theme and of those that it builds on; the search page alone has scripts."""

IDLE = ("design-tabs.js",)
"""What extensions bring and no page uses."""

MATHJAX = "tex-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"

EMBEDDED = re.compile(r'\b(src|href)="data:(image|audio)/([\w.+-]+);base64,([\w+/=\s]+)"')
SMALL = 4096
"""Characters of an embedded file that may stay in its page."""


def copy(folders: Sequence[Path], static: Path, context: dict, templates) -> None:
    """Copy the used files of a theme from the first folder that has each, templates filled in."""
    for name in USED:
        found = (folder / f"{name}{end}" for folder in folders for end in ("", ".jinja", "_t"))
        source = next(path for path in found if path.is_file())
        (static / name).parent.mkdir(parents=True, exist_ok=True)
        copy_asset_file(source, (static / name).parent, context, templates)


def copy_mathjax(static: Path) -> None:
    """Copy what sets formulas in HTML: one script and its fonts."""
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    source = Path(package.origin).parent / "static" / "mathjax"
    target = static / "mathjax"
    if not target.exists():
        shutil.copytree(source / FONTS, target / FONTS)
        shutil.copy(source / MATHJAX, target)


def zipped(notebook: Path, path: Path) -> None:
    """Put a notebook into an archive, whose bytes depend on its content alone.

    Its outputs are texts and drawings, which take a fifth of the room then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo(notebook.name)  # dated 1980
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, notebook.read_bytes())


def drop_idle(static: Path) -> None:
    """Remove the files that are copied for no page."""
    for name in IDLE:
        (static / name).unlink(missing_ok=True)


def wanted(script, config, body: str) -> bool:
    """Check whether a page needs a script: those of the book, and what sets its formulas.

    Sphinx gives the latter to every page above one with formulas, too.
    """
    own = [name if isinstance(name, str) else name[0] for name in config.html_js_files]
    path = str(script.filename or "").removeprefix("_static/")
    sets = path == config.mathjax_path or "MathJax" in script.attributes.get("body", "")
    return path in own or (sets and 'class="math' in body)


def lighter(body: str, folder: Path, address: str) -> str:
    """Return the HTML of a page with its large pictures and sounds in files of their own.

    They are written into ``folder``, which the page knows by ``address``.
    """

    def moved(found: re.Match) -> str:
        attribute, kind, ending, content = found.groups()
        if len(content) < SMALL:
            return found[0]
        content = base64.b64decode(content)
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending.split('+')[0]}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        later = {("src", "image"): ' loading="lazy"', ("src", "audio"): ' preload="none"'}
        return f'{attribute}="{address}/{name}"{later.get((attribute, kind), "")}'

    # myst-nb names every fold alike, whatever is written on it; docutils gives entries of the
    # bibliography a role that ARIA has given up.
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    return EMBEDDED.sub(moved, body)


def sweep(site: Path, folder: Path) -> None:
    """Remove the files of a folder that no page shows any more, since pages are rendered singly."""
    asked = re.compile(rf'"[./]*{folder.name}/([^"]+)"')
    pages = (page.read_text(encoding="utf-8") for page in site.rglob("*.html"))
    shown = {unquote(name) for page in pages for name in asked.findall(page)}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in shown:
            path.unlink()
