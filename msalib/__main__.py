"""The command ``msalib``: data, encoders, runs, records, models, printed numbers, claims, book.

Bad input prints one message and exits with status 2. Heavy modules load inside the commands, so
that ``--help`` answers at once.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from msalib.base import faults, leftovers, refusals
from msalib.base.terminal import accept_all_characters, say, tell_warnings
from msalib.commands import arguments, data, export, models, notebook_help, results, runs
from msalib.stopping import stop_at_signals

app = typer.Typer(
    help="Reproducibility of multimodal sentiment analysis, claim by claim.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (
    results.doctor,
    runs.encode,
    runs.run,
    runs.records,
    runs.pretrain,
    models.train,
    models.predict,
    results.claims,
    export.export,
    results.book,
):
    app.command(cls=notebook_help.RunCommand if command is runs.run else None)(command)
app.add_typer(results.printed_app, name="printed", short_help="Check the papers' printed numbers.")
app.add_typer(data.data_app, name="data", short_help=data.data.__doc__.splitlines()[0])
for group in (app, results.printed_app, data.data_app):
    for command in group.registered_commands:
        # A short help is not cut at the width of the terminal, as a docstring is.
        command.short_help = command.callback.__doc__.splitlines()[0]


def _version(wanted: bool) -> None:
    if wanted:
        from msalib.base.provenance import commit, versions

        known = versions()
        say(f"msalib {known.pop('msalib')} (commit {commit()})")
        say(", ".join(f"{name} {version}" for name, version in known.items()))
        raise typer.Exit


@app.callback()
def msalib(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show versions and exit."),
    ] = False,
) -> None:
    """Reproducibility of multimodal sentiment analysis, claim by claim."""


def main() -> None:
    """Run the command; every error becomes one message.

    Status 2: bad input (``UserError``), or something that the machine refuses. Status 1: a mistake
    of our own. MSALIB_TRACEBACK=1 shows the traceback, too.
    """
    accept_all_characters()
    tell_warnings()
    for name in ("DATA", "RECORDS", "FEATURES", "CORPORA", "TEMPORARY"):
        if folder := os.environ.get(f"MSALIB_{name}"):  # a notebook runs in another folder
            os.environ[f"MSALIB_{name}"] = str(Path(folder).resolve())
    try:
        stop_at_signals(sys.argv[1:])
        leftovers.remove()
        app(arguments.fold(sys.argv[1:]))
    except Exception as error:
        if os.environ.get("MSALIB_TRACEBACK"):
            traceback.print_exc()
        sys.exit(_tell(error))


def _tell(error: Exception) -> int:
    """Print what is wrong as one line; return the status to exit with."""
    refusal = refusals.refused(error, f"the command {' '.join(sys.argv[1:2])}")
    say(f"msalib: {refusal or faults.report(error)}", file=sys.stderr)
    return 2 if refusal else 1


if __name__ == "__main__":
    main()
