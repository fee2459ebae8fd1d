"""Old addresses of pages: where does each lead today?

``book/redirects.yaml`` maps the old address to the page, both without ``.html``. An old address
stays a small page that leads on and keeps what follows ``?`` and ``#``.
"""

import posixpath
from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from msalib.base import files

MOVED = "This page has moved"

PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<link rel="canonical" href="{to}">
<link rel="icon" href="{icon}">
<script>location.replace("{to}" + location.search + location.hash);</script>
<meta http-equiv="refresh" content="0; url={to}">
</head>
<body><main><h1>{0}</h1><p><a href="{to}">Go to the page</a></p></main></body>
</html>
""")


def known(book: Path) -> dict[str, str]:
    """Return the old addresses that lead on: old -> page, below the root of the site."""
    expected = "a mapping of old addresses to pages, without .html"
    return files.read_yaml(book / "redirects.yaml", dict[str, str], expected=expected)


def write(site: Path, moved: Mapping[str, str], *, start: str) -> list[str]:
    """Write a page that leads on for every old address, and for the root, which leads to ``start``.

    Returns what is wrong with ``moved``: addresses that have a page, or lead to none.
    """
    problems = []
    for old, page in {**moved, "index": start}.items():
        path = site / f"{old}.html"
        if not (site / f"{page}.html").is_file():
            problems.append(f"{old} leads to {page}, which is no page")
        elif path.is_file() and MOVED not in path.read_text(encoding="utf-8"):
            problems.append(f"{old} leads on, but is a page")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_page(old, page), encoding="utf-8")
    return problems


def _page(old: str, page: str) -> str:
    def relative(path: str) -> str:
        return posixpath.relpath(path, posixpath.dirname(old) or ".")

    return PAGE.format(MOVED, to=relative(f"{page}.html"), icon=relative("_static/favicon.svg"))
