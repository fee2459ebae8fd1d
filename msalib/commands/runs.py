"""Commands that run notebooks and trainings: encode, run, records, pretrain."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from msalib.base.errors import UserError
from msalib.base.terminal import say
from msalib.commands import notebook_help
from msalib.commands.arguments import (
    AcceptCut,
    Clean,
    Device,
    Parameter,
    set_accept_cut,
    set_clean,
    values,
)

if TYPE_CHECKING:
    from msalib.runs.inputs import Inputs


def encode(
    dataset: Annotated[str, typer.Argument(help="A data set, such as mosi or raw.")],
    encoder: Annotated[
        str,
        typer.Argument(
            help="A name (msalib doctor), a local folder, a hub id, or several joined by +; "
            "the usual ones of the data set if left out."
        ),
    ] = "auto",
    preset: Annotated[
        str, typer.Option(help="Of sound and pictures: release (the authors' code) or article.")
    ] = "release",
    device: Device = "auto",
    refresh: Annotated[bool, typer.Option("--refresh", help="Encode again.")] = False,
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Encode transcripts, sound and pictures: all layers of frozen encoders."""
    from msalib import encoders
    from msalib.base import files
    from msalib.data import datasets as readers
    from msalib.data import describe

    set_clean(clean)
    set_accept_cut(accept_cut)
    asked = _inputs(encoder, dataset=dataset, preset=preset, device=device)
    corpus = readers.load(dataset)
    say(*describe.contents(corpus))
    for number, chosen in enumerate(asked.encoders.values(), start=1):
        known = encoders.resolve(chosen.argument)
        of = f" ({number} of {len(asked.encoders)})" if len(asked.encoders) > 1 else ""
        folder = encoders.store_folder(corpus.name, known, preset)
        makes = refresh or not folder.is_dir()
        if makes:
            say(f"encoding {len(corpus)} clips with {known.name}{of}")
        # A study that needs the same features encodes them, too, unless it is told to wait.
        with files.reserved(folder, wait=True) if makes else nullcontext():
            encoders.encode(corpus, known, preset=preset, device=device, refresh=refresh)
        say(f"{chosen.modality} features of {len(corpus)} clips: {folder}")


def _inputs(encoder: str, **parameters: str) -> "Inputs":
    """Return a data set with the encoders that are asked for; ``UserError`` where there are none.

    A data set that comes with features has its transcripts read by its usual encoder.
    """
    from msalib.runs.inputs import BASELINES, Inputs

    asked = Inputs(BASELINES, encoder=encoder, **parameters)
    if asked.dataset.raw and not asked.encoders and encoder == "auto":
        asked = Inputs(BASELINES, encoder=asked.dataset.encoder, **parameters)
    if not asked.encoders:
        raise UserError(
            f"data set {parameters['dataset']!r}",
            found="features that it comes with, no transcripts to encode",
            expected="a data set with transcripts",
            remedy="Use it as it is: it needs no encoding.",
        )
    asked.check()
    return asked


def run(
    notebook: Annotated[
        str | None, typer.Argument(help="Paper and exhibit, such as uegd/fig6.")
    ] = None,
    parameter: Parameter = None,
    listed: Annotated[bool, typer.Option("--list", help="List the notebooks.")] = False,
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Execute a notebook and show its answer, tables and verdicts.

    Runs with a record are read. With --help a notebook tells its parameters.

    Example: msalib run uegd/fig6 -p dataset mosi -p profile full -p seeds 5
    """
    from msalib.base import paths
    from msalib.book import export, notebooks
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.pages import checks, console

    if listed:
        say(*notebook_help.catalogue())
        return
    if notebook is None:
        raise UserError(
            "run", found="no notebook", expected="a name", remedy="List them: msalib run --list"
        )
    set_clean(clean)
    set_accept_cut(accept_cut)
    parameters = values(parameter)
    checks.check(notebook, notebooks.resolve_parameters(notebook, parameters))
    dataset = parameters.get("dataset")
    if dataset in readers.names() and readers.is_available(dataset):
        say(*describe.contents(readers.load(dataset)))
    executed = notebooks.run_notebook(notebook, parameters, folder=paths.ROOT / "runs")
    say(*export.lines(executed, console.width()), "")
    say(f"{executed} (open it in any notebook viewer; verdicts: msalib claims)")


def records(
    paper: Annotated[str, typer.Argument(help="A paper, such as uegd.")],
    parameter: Parameter = None,
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Make every run that the notebooks of a paper read, on all available data sets.

    Runs with a record are left as they are; two such commands at once share the work.
    """
    from time import perf_counter

    from msalib.papers import campaign

    set_clean(clean)
    set_accept_cut(accept_cut)
    start = perf_counter()
    for made in campaign.make(paper, **values(parameter)):
        minutes = (perf_counter() - start) / 60
        say(f"{made.setting}: {made.records} records, {minutes:.0f} min since the start")


def pretrain(
    paper: Annotated[str, typer.Argument(help="A paper whose model is pretrained, such as cmt.")],
    kind: Annotated[
        str, typer.Option(help="Its stages, such as pt or pt_tapt (the recipe's pretraining).")
    ] = "pt",
    choice: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of the recipe, such as blocks=2; repeatable."),
    ] = None,
    parameter: Parameter = None,
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Pretrain a model's streams on pairs of sound and text, once per seed.

    What is made is kept, and what was killed goes on; runs that begin with these weights find them.

    Example: msalib pretrain cmt -p dataset raw-spoken --kind pt_tapt --choice blocks=2
    """
    from msalib.pages import pretraining

    set_clean(clean)
    set_accept_cut(accept_cut)
    choices = values(choice, "--choice") | {"pretraining": kind}
    for line in pretraining.command(paper, choices, values(parameter)):
        say(line)
