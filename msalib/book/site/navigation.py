"""The contents beside a page: which chapters there are, and what lies around this page.

The book has more pages than a list of contents beside every one of them should have: a page lists
all chapters, and below its own chapter what leads to it and what it leads to.
"""

from collections.abc import Callable, Iterable

from markupsafe import Markup
from sphinx import addnodes
from sphinx.environment import BuildEnvironment

ITEM = Markup('<li{}><a{} href="{}">{}</a>{}</li>')
PART = Markup('<p class="caption">{}</p>')
LIST = Markup("<ul>{}</ul>")


def html(env: BuildEnvironment, page: str, pathto: Callable[[str], str]) -> Markup:
    """Return the contents as lists of links; ``pathto`` gives the address of a page."""
    root = env.config.root_doc
    above = _above(env, page)

    def listed(names: Iterable[str], parent: str) -> Markup:
        return LIST.format(Markup("").join(item(name, parent) for name in names))

    def item(name: str, parent: str) -> Markup:
        below = env.toctree_includes.get(name, ()) if name in above and name != root else ()
        on_way = Markup(' class="current"') if name in above else ""
        here = Markup(' aria-current="page"') if name == page else ""
        inner = listed(below, name) if below else ""
        return ITEM.format(on_way, here, pathto(name), _name(env, name, parent), inner)

    shown = listed([root], root)
    for node in env.tocs[root].findall(addnodes.toctree):
        shown += PART.format(node["caption"]) if node.get("caption") else ""
        shown += listed(node["includefiles"], root)
    return shown


def _above(env: BuildEnvironment, page: str) -> set[str]:
    """Return the page and those above it."""
    parents = {child: name for name, below in env.toctree_includes.items() for child in below}
    way = {page}
    while page in parents:
        page = parents[page]
        way.add(page)
    return way


def _name(env: BuildEnvironment, name: str, parent: str) -> str:
    """Return the name of a page, without what it begins with, up to a colon, like its parent."""
    title = env.titles[name].astext()
    begin, _, rest = title.partition(": ")
    of_parent, _, _ = env.titles[parent].astext().partition(": ")
    return rest if rest and begin == of_parent else title
