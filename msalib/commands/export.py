"""The command ``msalib export``: tables of pages and verdicts as files for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from msalib.base.terminal import say
from msalib.commands.arguments import AcceptCut, Clean, Parameter, set_accept_cut, set_clean, values


def export(
    name: Annotated[
        str,
        typer.Argument(
            help="A notebook, such as uegd/table2; a paper, for its verdicts; or claims, for all."
        ),
    ],
    parameter: Parameter = None,
    csv: Annotated[bool, typer.Option("--csv", help="A CSV file for each table.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="A LaTeX file for each table.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON file of all tables.")] = False,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("exports"),
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Write the tables of a page, or all verdicts, as CSV, LaTeX or JSON.

    CSV and JSON hold numbers: means, deviations, the value of each seed, intervals. Without
    --csv, --latex or --json it is CSV. A page of the book that is up to date is read, another is
    run.

    Example: msalib export uegd/table2 -p dataset mosi -p profile full --csv --latex
    """
    from msalib.book import export as exporting

    set_clean(clean)
    set_accept_cut(accept_cut)
    asked = {"csv": csv, "latex": latex, "json": json}
    kinds = [kind for kind, wanted in asked.items() if wanted] or ["csv"]
    for path in exporting.export(name, values(parameter), kinds, out):
        say(path)
