"""The help of ``msalib run``: with a notebook, what it is about and its parameters."""

import re
from collections.abc import Iterator

import click
import typer
from typer.core import TyperCommand


class RunCommand(TyperCommand):
    """The command ``run``; ``msalib run NAME --help`` also tells the parameters of a notebook."""

    def parse_args(self, context: typer.Context, arguments: list[str]) -> list[str]:
        """Parse the arguments; keep the notebook they name, since --help ends the parsing."""
        from msalib.book import notebooks

        words = [word.removesuffix(".ipynb") for word in arguments]
        context.meta["notebook"] = next((w for w in words if w in notebooks.available()), None)
        return super().parse_args(context, arguments)

    def format_epilog(self, context: typer.Context, formatter: click.HelpFormatter) -> None:
        """Write the parameters of the notebook, with their defaults."""
        if notebook := context.meta.get("notebook"):
            with formatter.section(f"Parameters of {notebook} ({title(notebook)})"):
                formatter.write_dl(list(parameters(notebook)))


def title(notebook: str) -> str:
    """Return the heading of a notebook, without what depends on its parameters."""
    import nbformat

    from msalib.book import notebooks

    first = nbformat.read(notebooks.source_path(notebook), as_version=4).cells[0].source
    heading = first.splitlines()[0].removeprefix("# ")
    return re.sub(r"[:,]?\s*(?:on |in )?\{glue:text\}`[^`]*`\s*[:,]?\s*", " ", heading).strip()


def parameters(notebook: str) -> Iterator[tuple[str, str]]:
    """Yield ``-p name default`` of each parameter, and what its comment says."""
    import papermill

    from msalib.book import notebooks

    for name, p in papermill.inspect_notebook(notebooks.source_path(notebook)).items():
        yield f"-p {name} {p['default'].strip(chr(34))}".rstrip(), p["help"] or "-"


def catalogue() -> Iterator[str]:
    """Yield a line for each notebook: its name and its heading."""
    from msalib.book import notebooks

    for notebook in notebooks.available():
        yield f"{notebook:20}{title(notebook)}"
    yield "Parameters of one: msalib run uegd/table2 --help"
