"""The command ``msalib``: data, encoders, runs, records, models, printed numbers, claims, book.

Bad input prints one message and exits with status 2. Heavy modules load inside the commands, so
that ``--help`` answers at once.
"""

import os
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from msalib.base import faults, leftovers, refusals
from msalib.base.errors import UserError
from msalib.base.terminal import accept_all_characters, say, tell_warnings
from msalib.commands_data import AcceptCut, Clean, data_app, set_accept_cut, set_clean
from msalib.stopping import stop_at_signals

app = typer.Typer(
    help="Reproducibility of multimodal sentiment analysis, claim by claim.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

printed_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(printed_app, name="printed", help="The papers' printed numbers.")
app.add_typer(data_app, name="data")


@printed_app.callback()
def printed() -> None:
    """Check the papers' printed numbers."""


@app.command()
def doctor() -> None:
    """Say what is here, what is missing and how to get it."""
    from msalib.pages import doctor

    for line in doctor.report():
        say(line)


@app.command()
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
        str, typer.Option(help="Of sound and pictures: release (the authors' code) or paper.")
    ] = "release",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    refresh: Annotated[bool, typer.Option("--refresh", help="Encode again.")] = False,
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Encode transcripts, sound and pictures: all layers of frozen encoders."""
    from msalib import encoders
    from msalib.base import files
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.runs.inputs import BASELINES, Inputs

    set_clean(clean)
    set_accept_cut(accept_cut)
    given = {"dataset": dataset, "preset": preset, "device": device}
    asked = Inputs(BASELINES, encoder=encoder, **given)
    if asked.dataset.raw and not asked.encoders and encoder == "auto":  # it comes with features
        asked = Inputs(BASELINES, encoder=asked.dataset.encoder, **given)
    if not asked.encoders:
        raise UserError(
            f"data set {dataset!r}",
            found="features that it comes with, no transcripts to encode",
            expected="a data set with transcripts",
            remedy="Use it as it is: it needs no encoding.",
        )
    asked.check()
    corpus = readers.load(dataset)
    say(*describe.contents(corpus))
    for chosen in asked.encoders.values():
        known = encoders.resolve(chosen.argument)
        folder = encoders.store_folder(corpus.name, known, preset)
        makes = refresh or not folder.is_dir()
        # A study that needs the same features encodes them, too, unless it is told to wait.
        with files.reserved(folder, wait=True) if makes else nullcontext():
            encoders.encode(corpus, known, preset=preset, device=device, refresh=refresh)
        say(f"{chosen.modality} features of {len(corpus)} clips: {folder}")


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="Paper and exhibit, such as uegd/fig6.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="A parameter of the notebook; repeatable."),
    ] = None,
    clean: Clean = False,
    accept_cut: AcceptCut = False,
) -> None:
    """Execute a notebook; runs with a record are read.

    Example: msalib run uegd/fig6 -p dataset mosi -p profile full -p seeds 5
    """
    from msalib.base import paths
    from msalib.book import notebooks
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.pages import checks

    set_clean(clean)
    set_accept_cut(accept_cut)
    parameters = _values(parameter)
    checks.check(notebook, notebooks.resolve_parameters(notebook, parameters))
    dataset = parameters.get("dataset")
    if dataset in readers.names() and readers.is_available(dataset):
        say(*describe.contents(readers.load(dataset)))
    executed = notebooks.run_notebook(notebook, parameters, folder=paths.ROOT / "runs")
    say(f"{executed} (open it in any notebook viewer; verdicts: msalib claims)")


@app.command()
def records(
    paper: Annotated[str, typer.Argument(help="A paper, such as uegd.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="As for run; repeatable."),
    ] = None,
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
    for made in campaign.make(paper, **_values(parameter)):
        minutes = (perf_counter() - start) / 60
        say(f"{made.setting}: {made.records} records, {minutes:.0f} min since the start")


@app.command()
def pretrain(
    paper: Annotated[str, typer.Argument(help="A paper whose model is pretrained, such as cmt.")],
    kind: Annotated[
        str, typer.Option(help="Its stages, such as pt or pt_tapt (the recipe's pretraining).")
    ] = "pt",
    choice: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of the recipe, such as blocks=2; repeatable."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="As for run; repeatable."),
    ] = None,
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
    choices = _values(choice, "--choice") | {"pretraining": kind}
    for line in pretraining.command(paper, choices, _values(parameter)):
        say(line)


@app.command()
def train(
    dataset: Annotated[str, typer.Argument(help="A data set, such as raw (msalib data).")],
    out: Annotated[Path, typer.Option(help="The folder to save the model to.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="As for run; repeatable."),
    ] = None,
    features: Annotated[
        str | None, typer.Option(help="Of frozen layers: weighted, mid_best, output or input.")
    ] = None,
    model: Annotated[str, typer.Option(help="uegd, or mmml with its encoders.")] = "uegd",
    clean: Clean = False,
    accept_cut: AcceptCut = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Replace the model of that name.")
    ] = False,
) -> None:
    """Train a model on all modalities that it reads, once per seed, and save it for predict.

    Example: msalib train raw --out my-model -p profile full -p seeds 5
    """
    from msalib.pages import predict
    from msalib.runs import save

    set_clean(clean)
    set_accept_cut(accept_cut)
    parameters = _values(parameter)
    save.train(model, dataset, out, features=features, refresh=refresh, parameters=parameters)
    say(*predict.report_model(out))


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A folder that msalib train has saved.")],
    text: Annotated[str | None, typer.Option(help="What is said.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A file of sound.")] = None,
    video: Annotated[
        Path | None, typer.Option(help="A video (sound and pictures), or a folder of frames.")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help=".npz with an array (frames, features) named by modality."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV of many clips: id, text, audio, video, features.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    accept_cut: AcceptCut = False,
) -> None:
    """Apply a saved model to a clip of your own: prediction, intervals, parts of modalities."""
    from msalib.pages import predict
    from msalib.runs import clips

    set_accept_cut(accept_cut)
    clip = clips.single(text=text, audio=audio, video=video, features=features)
    say(*predict.command(model, clip, table=table, as_json=as_json, device=device))


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


@app.command()
def claims(
    paper: Annotated[
        str | None, typer.Argument(help="A paper, such as uegd; all if left out.")
    ] = None,
) -> None:
    """Print the verdict of every claim by kind of evidence, re-runs setting by setting.

    Runs of your own, on added data or with the quick profile, follow and are not counted.
    """
    from msalib.evidence import registry
    from msalib.pages import ledger

    for name in registry.known() if paper is None else [paper]:
        say(*ledger.lines(name))


@app.command()
def book() -> None:
    """Execute the notebooks of the book and build its pages."""
    from msalib.book import build as book

    book.build()


def _values(parameters: list[str] | None, option: str = "-p") -> dict[str, str]:
    """Return items ``name=value``, as ``fold_parameters`` makes them, by name."""
    values = {}
    for item in parameters or []:
        name, separator, value = item.partition("=")
        if not separator:
            form = {"-p": "-p NAME VALUE"}.get(option, f"{option} NAME=VALUE")
            raise UserError(
                f"{option} {item}", found="no value", expected=form, remedy="Give both."
            )
        if name in values:
            raise UserError(
                f"{option} {name}", found="two values", expected="one", remedy="Leave one out."
            )
        values[name] = value
    return values


def fold_parameters(arguments: list[str]) -> list[str]:
    """Fold ``-p name value`` to ``-p name=value``, since an option of typer takes one value."""
    folded, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "-p" and len(rest) >= 2 and "=" not in rest[0] and rest[1] != "-p":
            folded += [word, f"{rest.pop(0)}={rest.pop(0)}"]
        else:
            folded.append(word)
    return folded


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
        app(fold_parameters(sys.argv[1:]))
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
