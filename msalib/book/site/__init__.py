"""What Sphinx adds to its own work for this book: an extension, named in ``book/conf.py``.

The look is that of sphinx-book-theme; the frame around a page is ours (``templates/layout.html``).
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from msalib.base import files
from msalib.book.site import assets, navigation, redirects, searched

logger = logging.getLogger(__name__)

TEMPLATES = Path(__file__).with_name("templates")


class Pages(StandaloneHTMLBuilder):
    """Writes the pages: lean, with an index of what a reader would search for."""

    name = "html"

    def copy_theme_static_files(self, context: dict) -> None:
        """Copy those files of the theme that a page asks for."""
        folders = [Path(folder) / "static" for folder in self.theme.get_theme_dirs()]
        assets.copy(folders, Path(self.outdir) / "_static", context, self.templates)

    def index_page(self, pagename: str, doctree: nodes.document, title: str) -> None:
        """Index the words of a page that count in a search."""
        super().index_page(pagename, searched.reduced(doctree), title)

    def finish(self) -> None:
        """Add the files that are no pages: what sets formulas, and old addresses."""
        site = Path(self.outdir)
        assets.copy_mathjax(site / "_static")
        assets.drop_idle(site / "_static")
        assets.sweep(site, site / self.imagedir)
        moved = redirects.known(Path(self.confdir))
        for problem in redirects.write(site, moved, start=self.config.root_doc):
            logger.warning("redirects.yaml: %s", problem)
        super().finish()


def fill_frame(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Add what ``layout.html`` shows: the page's own name, contents, the scripts in use."""
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else "Search"
    book = app.config.html_title
    context["tab"] = title if title == book else f"{title} | {book}"
    context["author"], context["theme_styles"] = app.config.author, assets.FIRST
    context["contents"] = navigation.html(app.env, pagename, context["pathto"])
    body, scripts = context.get("body", ""), context["script_files"]
    context["script_files"] = [s for s in scripts if assets.wanted(s, app.config, body)]
    source = Path(app.env.doc2path(pagename))
    if source.suffix == ".ipynb":
        context["notebook"] = f"_notebooks/{pagename}.ipynb.zip"
        assets.zipped(source, Path(app.outdir, context["notebook"]))
    if body:
        folder = Path(app.outdir) / app.builder.imagedir
        address = context["pathto"](app.builder.imagedir, True)
        context["body"] = assets.lighter(body, folder, address)


def changed(app: Sphinx, env: BuildEnvironment, *_) -> Iterable[str]:
    """Return the pages that are to be read again, by content: Sphinx goes by times alone."""
    known = getattr(env, "msalib_read", {})
    return [name for name in env.found_docs if known.get(name) != _content(env, name)]


def _content(env: BuildEnvironment, name: str) -> list[str]:
    """Return the digests of what a page is made of: its source, and the files that it shows."""
    made_of = [Path(env.doc2path(name)), *_dependencies(env, name)]
    return [files.sha256(path) if path.is_file() else "" for path in made_of]


def _dependencies(env: BuildEnvironment, name: str) -> list[Path]:
    return [Path(env.srcdir, path) for path in sorted(env.dependencies.get(name, ()))]


def note_glued(app: Sphinx, doctree: nodes.document) -> None:
    """Note the notebooks whose results a page shows: it is to be read again when they change."""
    from myst_nb.ext.glue.utils import PendingGlueReference

    for node in doctree.findall(PendingGlueReference):
        app.env.note_dependency(app.env.doc2path(node.refdoc))


def affected(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Return the pages that are to be written again: all, where a name or anchor has changed.

    Sphinx writes again only what it has read again, although pages show the names of others.
    """
    names = sorted((name, title.astext()) for name, title in env.titles.items())
    labels = [env.domaindata["std"][kind] for kind in ("labels", "anonlabels")]
    links = [sorted((key, *map(str, value)) for key, value in kind.items()) for kind in labels]
    order = sorted(env.toctree_includes.items())
    shared = hashlib.sha256(repr((names, links, order)).encode()).hexdigest()
    known, env.msalib_shared = getattr(env, "msalib_shared", shared), shared
    env.msalib_read = {name: _content(env, name) for name in env.found_docs}
    return [] if known == shared else list(env.found_docs)


def setup(app: Sphinx) -> dict:
    """Register all of this with Sphinx."""
    app.config.templates_path.append(str(TEMPLATES))
    app.config.html_search_scorer = str(TEMPLATES / "search.js")
    app.add_builder(Pages, override=True)
    app.add_search_language(searched.English)
    app.connect("doctree-read", note_glued)
    app.connect("env-get-outdated", changed)
    app.connect("env-updated", affected)
    app.connect("html-page-context", fill_frame, priority=900)  # after the theme
    # It comes with sphinx-external-toc, numbers chapters when all are read, and does not say that
    # several processes may read.
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
    return {"parallel_read_safe": True, "parallel_write_safe": True}
