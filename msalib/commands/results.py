"""Commands that show what is here and what came out: doctor, claims, printed check, book."""

from pathlib import Path
from typing import Annotated

import typer

from msalib.base.terminal import say

printed_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@printed_app.callback()
def printed() -> None:
    """Check the papers' printed numbers."""


def doctor() -> None:
    """Say what is here, what is missing and how to get it."""
    from msalib.pages import doctor

    for line in doctor.report():
        say(line)


def claims(
    paper: Annotated[
        str | None, typer.Argument(help="A paper, such as uegd; all if left out.")
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A claim in full, such as C6; repeatable."),
    ] = None,
    setting: Annotated[
        str, typer.Option(help="Verdicts of settings with this in their name, such as MOSI.")
    ] = "",
    verdict: Annotated[
        str, typer.Option(help="supported, contradicted, inconclusive or not-run.")
    ] = "",
) -> None:
    """Show the verdicts on claims: a line each, one in full, or those of a setting or a word.

    Runs of your own, on added data or with the quick profile, follow and are not counted.

    Example: msalib claims uegd --claim C6
    """
    from msalib.evidence import registry
    from msalib.pages import console, listing

    papers = registry.known() if paper is None else [paper]
    asked = listing.asked(claim or [], setting, verdict)
    say(*listing.lines(papers, asked, console.width()))


@printed_app.command()
def check(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="A folder of CSV files; the project's own if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list of objects.")] = False,
) -> None:
    """Print what does not fit together in printed numbers, the most severe first.

    Exits with status 0 when the checks ran, whatever they found. Example of a file:
    book/printed/uegd.csv.
    """
    import json

    from msalib.evidence.printed import checks
    from msalib.evidence.printed import table as printed
    from msalib.evidence.printed.names import plural

    table = printed.load_all(folder)
    findings = checks.run(table)
    if as_json:
        say(*json.dumps([finding.as_json(table) for finding in findings], indent=1).split("\n"))
        return
    for finding in findings:
        say(finding.as_line(table))
    found, numbers = plural(len(findings), "finding"), plural(len(table), "printed number")
    say(f"{found} in {numbers} of {plural(table['paper'].nunique(), 'paper')}")


def book(
    pages: Annotated[
        bool, typer.Option("--pages", help="Render the executed notebooks as they are.")
    ] = False,
) -> None:
    """Execute the notebooks of the book that are out of date, and render its pages."""
    from msalib.book import build as book

    if pages:
        book.rendered()
    else:
        book.build()
