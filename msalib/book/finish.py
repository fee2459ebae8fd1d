"""Answer how a notebook that ran becomes the copy that readers get.

The texts that its cells glued are written into its Markdown, so that its title, the search and any
viewer have them. One folded cell says which parameters it ran with.
"""

import re

from msalib.base.errors import UserError, unknown
from msalib.pages.markdown import plain, plain_line

_ROLE = re.compile(r"(?P<start>^[ \t]*)?\{glue:text\}`(?P<key>[^`\n]+)`", re.MULTILINE)


def finish(executed, notebook: str) -> None:
    """Turn an executed notebook (nbformat) into the copy that readers get.

    Raises ``UserError`` where its Markdown names a text that no cell has glued.
    """
    _write_texts(executed, notebook)
    _show_parameters_once(executed)


def _write_texts(executed, notebook: str) -> None:
    """Replace roles that name a glued value of this notebook; those of other documents stay."""
    texts = glued(executed)
    for number, cell in enumerate(executed.cells, start=1):
        if cell.cell_type == "markdown":
            place = f"cell {number} of notebook {notebook}"
            cell.source = _ROLE.sub(lambda role, of=place: _text(role, texts, of), cell.source)


def glued(executed) -> dict[str, str]:
    """Return the plain texts of glued values by name, as ``repr`` writes them."""
    texts = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            about = output.get("metadata", {}).get("scrapbook", {})
            text = output.get("data", {}).get(f"{about.get('mime_prefix', '')}text/plain")
            if "name" in about and text is not None:
                texts[about["name"]] = text
    return texts


def _text(role: re.Match, texts: dict[str, str], place: str) -> str:
    """Return what a role shows, as Markdown; raise ``UserError`` where there is no such text."""
    from myst_nb.core.variables import format_plain_text

    name, _, form = role["key"].partition(":")
    if form.startswith(":"):  # path::name
        return role.group()
    if name not in texts:
        remedy = "Glue it in a cell, or correct its name in the notebook's Markdown."
        raise unknown("glued text", name, texts, of=place, remedy=remedy)
    try:
        text = format_plain_text(texts[name], form or "s")
    except ValueError as error:
        raise UserError(
            f"glued text {name!r} of {place}",
            found=f"{texts[name]}, which is not formatted by {form!r} ({error})",
            expected="a value that its format takes",
            remedy="Correct the format behind the name.",
        ) from None
    return plain(text) if role["start"] is None else role["start"] + plain_line(text)


def _show_parameters_once(executed) -> None:
    """Keep of the defaults and the cell that papermill adds one: all values, folded.

    It is tagged as parameters, so that papermill runs the copy, too.
    """
    tagged = {tag: cell for cell in executed.cells for tag in cell.metadata.get("tags", [])}
    if "injected-parameters" in tagged:
        executed.cells.remove(tagged["parameters"])
        tagged["injected-parameters"].metadata.tags = ["parameters", "hide-input"]
