"""The command ``msalib``: data, encoders, runs, records, models, printed numbers, claims, book.

Bad input prints one message and exits with status 2. Heavy modules load inside the commands, so
that ``--help`` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from msalib.base.errors import UserError

app = typer.Typer(
    help="Reproducibility of multimodal sentiment analysis, claim by claim.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

printed_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(printed_app, name="printed", help="The papers' printed numbers.")


@printed_app.callback()
def printed() -> None:
    """Check the papers' printed numbers."""


data_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

Clean = Annotated[
    bool, typer.Option("--clean", help="Replace NaN and infinite feature values by zero.")
]


@app.command()
def doctor() -> None:
    """Say what is here, what is missing and how to get it."""
    from msalib.pages import doctor

    for line in doctor.report():
        print(line)


@data_app.callback()
def data(
    context: typer.Context,
    record: Annotated[
        bool, typer.Option("--record", help="Record the summary that the data page shows.")
    ] = False,
    clean: Clean = False,
) -> None:
    """List the data sets found, with counts and fingerprint; add and audit your own."""
    if context.invoked_subcommand:
        return
    from msalib.data import datasets as readers
    from msalib.data import describe

    _clean(clean)
    for name in readers.names():
        try:
            dataset = readers.dataset(name)
        except UserError as error:  # an added one that is damaged; the others are as they were
            print(f"{name}: {error}")
            continue
        if not readers.is_available(name):
            folder = readers.folder(name)
            print(f"{name}: {dataset.title}: not found; set MSALIB_DATA to what holds {folder}/")
            continue
        corpus = readers.load(name)
        print(*describe.lines(name, corpus, dataset.title), sep="\n")
        if record and dataset.real and not dataset.leaky and name in readers.DATASETS:
            describe.summary(name, refresh=True)


@data_app.command()
def add(
    path: Annotated[Path, typer.Argument(help="A file, an archive or a folder.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it; the name of the file if left out.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="Its format, where that is not seen from the file.")
    ] = None,
    align: Annotated[
        str, typer.Option(help="Of .csd files: labels (frames as they are) or words (their means).")
    ] = "labels",
    target: Annotated[int, typer.Option(help="Of POM: which of the 17 traits, from 0 on.")] = 0,
    faces: Annotated[
        str, typer.Option(help="How faces are found in pictures: opencv, mtcnn or whole.")
    ] = "opencv",
    clean: Clean = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Replace the data set of that name.")
    ] = False,
) -> None:
    """Convert data as they circulate into a data set of your own, checked and safe to read.

    Example: msalib data add unaligned_50.pkl --name mosi-unaligned
    """
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.data.readers import formats, store

    chosen = name or store.name_of(path)
    options = formats.options(clean=clean, align=align, target=target, faces=faces)
    folder = readers.add(path, chosen, options, format=format, refresh=refresh)
    corpus = readers.load(chosen)
    print(*describe.lines(chosen, corpus, readers.dataset(chosen).title), sep="\n")
    print(f"added: {folder} (next: msalib data audit {chosen})")


@data_app.command("audit")
def audit_(
    dataset: Annotated[str, typer.Argument(help="A data set, such as mosi (msalib data).")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file, too.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Probe features of this encoder (see encode), last block.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Record the report that the audit's page shows.")
    ] = False,
    clean: Clean = False,
) -> None:
    """Check a data set: identity, integrity, independence of its parts, leakage of labels.

    Exits with status 0 when the checks ran, whatever they found.
    """
    from msalib.evidence import audit

    _clean(clean)
    if record and encoder:
        raise UserError(
            "--record",
            found="an encoder beside it",
            expected="the data as they are, which the page shows",
            remedy="Leave one of the two out; --json keeps any report.",
        )
    report = audit.report(dataset, refresh=True) if record else audit.make_report(dataset, encoder)
    for line in audit.lines(report):
        print(line)
    if json_file:
        audit.write(report, json_file)
        print(f"written: {json_file}")


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
) -> None:
    """Encode transcripts, sound and pictures: all layers of frozen encoders."""
    from msalib import encoders
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.runs.inputs import BASELINES, Inputs

    _clean(clean)
    asked = Inputs(BASELINES, dataset=dataset, encoder=encoder, preset=preset, device=device)
    if not asked.encoders:
        raise UserError(
            f"data set {dataset!r}",
            found="features that it comes with, no transcripts to encode",
            expected="a data set with transcripts",
            remedy="Use it as it is: it needs no encoding.",
        )
    corpus = readers.load(dataset)
    for chosen in asked.encoders.values():
        known = encoders.resolve(chosen.argument)
        folder = encoders.encode(corpus, known, preset=preset, device=device, refresh=refresh)
        print(f"{chosen.modality} features of {len(corpus)} clips: {folder}")
    print(*describe.contents(corpus), sep="\n")


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="Paper and exhibit, such as uegd/fig6.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="A parameter of the notebook; repeatable."),
    ] = None,
    clean: Clean = False,
) -> None:
    """Execute a notebook; runs with a record are read.

    Example: msalib run uegd/fig6 -p dataset mosi -p profile paper -p seeds 5
    """
    from msalib.base import paths
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.pages import notebooks

    _clean(clean)
    parameters = _values(parameter)
    dataset = parameters.get("dataset")
    if dataset in readers.names() and readers.is_available(dataset):
        print(*describe.contents(readers.load(dataset)), sep="\n")
    executed = notebooks.run_notebook(notebook, parameters, folder=paths.ROOT / "runs")
    print(f"{executed} (open it in any notebook viewer; verdicts: msalib claims)")


@app.command()
def records(
    paper: Annotated[str, typer.Argument(help="A paper, such as uegd.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="As for run; repeatable."),
    ] = None,
    clean: Clean = False,
) -> None:
    """Make every run that the notebooks of a paper read, on all available data sets.

    Runs with a record are left as they are; two such commands at once share the work.
    """
    from time import perf_counter

    from msalib.papers import campaign

    _clean(clean)
    start = perf_counter()
    for made in campaign.make(paper, **_values(parameter)):
        minutes = (perf_counter() - start) / 60
        print(f"{made.setting}: {made.records} records, {minutes:.0f} min since the start")


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
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Replace the model of that name.")
    ] = False,
) -> None:
    """Train a model on all modalities that it reads, once per seed, and save it for predict.

    Example: msalib train raw --out my-model -p profile paper -p seeds 5
    """
    from msalib.pages import predict
    from msalib.runs import save

    _clean(clean)
    parameters = _values(parameter)
    save.train(model, dataset, out, features=features, refresh=refresh, parameters=parameters)
    print(*predict.report_model(out), sep="\n")


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
) -> None:
    """Apply a saved model to a clip of your own: prediction, intervals, parts of modalities."""
    from msalib.pages import predict
    from msalib.runs import clips

    clip = clips.single(text=text, audio=audio, video=video, features=features)
    print(predict.command(model, clip, table=table, as_json=as_json, device=device))


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
        print(json.dumps([finding.as_json(table) for finding in findings], indent=1))
        return
    for finding in findings:
        print(finding.as_line(table))
    found, numbers = plural(len(findings), "finding"), plural(len(table), "printed number")
    print(f"{found} in {numbers} of {plural(table['paper'].nunique(), 'paper')}")


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

    for name in [paper] if paper else registry.known():
        print(*ledger.lines(name), sep="\n")


@app.command()
def book() -> None:
    """Execute the notebooks of the book and build its pages."""
    from msalib.pages import build as book

    book.build()


def _values(parameters: list[str] | None) -> dict[str, str]:
    """Return items ``name=value``, as ``fold_parameters`` makes them, by name."""
    values = {}
    for item in parameters or []:
        name, separator, value = item.partition("=")
        if not separator:
            raise UserError(
                f"-p {item}", found="no value", expected="-p NAME VALUE", remedy="Give both."
            )
        values[name] = value
    return values


def _clean(clean: bool) -> None:
    """Set MSALIB_CLEAN, which readers look at and a notebook's own process inherits."""
    if clean:
        os.environ["MSALIB_CLEAN"] = "1"


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
    """Run the command; a ``UserError`` becomes one message and status 2."""
    for name in ("MSALIB_DATA", "MSALIB_RECORDS", "MSALIB_FEATURES", "MSALIB_CORPORA"):
        if os.environ.get(name):  # a notebook runs in another folder
            os.environ[name] = str(Path(os.environ[name]).resolve())
    try:
        app(fold_parameters(sys.argv[1:]))
    except UserError as error:
        print(f"msalib: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
