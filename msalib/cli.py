"""The command ``msalib``: doctor, data, encode, run, records, printed, claims, book.

Bad input prints one message and exits with status 2. Heavy modules load inside the commands, so
that ``--help`` answers at once.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msalib.errors import UserError

if TYPE_CHECKING:
    from msalib.claims import Evidences
    from msalib.corpus import Corpus

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


Clean = Annotated[
    bool, typer.Option("--clean", help="Replace NaN and infinite feature values by zero.")
]


@app.command()
def doctor() -> None:
    """Say what is here, what is missing and how to get it."""
    from msalib import doctor

    for line in doctor.report():
        print(line)


@app.command()
def data(
    record: Annotated[
        bool, typer.Option("--record", help="Record the summary that the data page shows.")
    ] = False,
    clean: Clean = False,
) -> None:
    """List the data sets found, with counts and fingerprint."""
    from msalib import describe, readers

    _clean(clean)
    for name, dataset in readers.DATASETS.items():
        if not readers.at_hand(name):
            folder = readers.folder(name)
            print(f"{name}: {dataset.title}: not found; set MSALIB_DATA to what holds {folder}/")
            continue
        corpus = readers.load(name)
        summary = describe.summarise(corpus, dataset.title)
        print(f"{name}: {dataset.title}, fingerprint {summary.fingerprint[:12]}")
        for part, clips in summary.clips.items():
            print(f"  {part}: {clips} clips in {summary.videos[part]} videos")
        _announce(corpus)
        if record and dataset.real and not dataset.leaky:
            describe.summary(name, refresh=True)


@app.command()
def encode(
    dataset: Annotated[str, typer.Argument(help="A real data set, such as mosi.")],
    encoder: Annotated[
        str, typer.Argument(help="minilm, bert-base, bert-large, a local folder or a hub id.")
    ] = "minilm",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    refresh: Annotated[bool, typer.Option("--refresh", help="Encode again.")] = False,
    clean: Clean = False,
) -> None:
    """Encode transcripts: all layers of a text encoder."""
    from msalib import encoders, readers
    from msalib.encoders import text

    _clean(clean)
    if readers.dataset(dataset).shipped:
        raise UserError(
            f"data set {dataset!r}",
            found="features that it comes with, no transcripts to encode",
            expected="a data set with transcripts",
            remedy="Use it as it is: it needs no encoding.",
        )
    corpus = readers.load(dataset)
    resolved = encoders.resolve(encoder)
    folder = encoders.store_folder(dataset, resolved)
    text.encode(corpus, resolved, folder, device, refresh)
    _announce(corpus)
    print(f"features of {len(corpus)} clips: {folder}")


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
    from msalib import notebooks, paths, readers

    _clean(clean)
    given = _values(parameter)
    dataset = given.get("dataset")
    if dataset in readers.DATASETS and readers.at_hand(dataset):
        _announce(readers.load(dataset))
    executed = notebooks.run_notebook(notebook, given, folder=paths.ROOT / "runs")
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
    """Make every run that the notebooks of a paper read, on all data sets at hand.

    Runs with a record are left as they are; two such commands at once share the work.
    """
    from time import perf_counter

    from msalib import campaign

    _clean(clean)
    start = perf_counter()
    for made in campaign.make(paper, **_values(parameter)):
        minutes = (perf_counter() - start) / 60
        print(f"{made.setting}: {made.records} records, {minutes:.0f} min since the start")


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

    from msalib import checks, printed

    table = printed.load_all(folder)
    found = checks.run(table)
    if as_json:
        print(json.dumps([finding.as_json(table) for finding in found], indent=1))
        return
    for finding in found:
        print(f"{finding.severity} | {finding.paper} | {finding.check} | {finding.message}")
    papers = table["paper"].nunique()
    print(f"{len(found)} findings in {len(table)} printed numbers of {papers} papers")


@app.command()
def claims(
    paper: Annotated[
        str | None, typer.Argument(help="A paper, such as uegd; all if left out.")
    ] = None,
) -> None:
    """Print the verdict of every claim by kind of evidence, re-runs setting by setting."""
    from msalib import claims, papers

    for name in [paper] if paper else papers.known():
        for evidences in claims.weigh(name):
            for fields in _told(evidences):
                print(" | ".join([evidences.claim.id, *fields]))


def _told(evidences: "Evidences") -> Iterator[list[str]]:
    """One line per kind of evidence and setting: kind, verdict, what it rests on."""
    from msalib import ledger

    yield ["printed", evidences.printed.verdict, evidences.printed.note]
    yield ["parity", *evidences.parity]
    for verdict in evidences.runs:
        effects = "; ".join(ledger.effect_text(*e) for e in verdict.evidence.effects.items())
        note = verdict.evidence.note
        yield [
            ledger.setting_text(verdict),
            verdict.evidence.verdict,
            f"{effects} ({note})" if effects else note,
            f"{len(verdict.records)} records",
        ]
    for kind, verdicts in (("re-run", evidences.rerun), ("control", evidences.control)):
        if not verdicts:
            yield [kind, *evidences.not_run(kind)]


@app.command()
def book() -> None:
    """Execute the notebooks of the book and build its pages."""
    from msalib import book

    book.build()


def _values(parameters: list[str] | None) -> dict[str, str]:
    """Items ``name=value``, as ``fold_parameters`` makes them, by name."""
    given = {}
    for item in parameters or []:
        name, separator, value = item.partition("=")
        if not separator:
            raise UserError(
                f"-p {item}", found="no value", expected="-p NAME VALUE", remedy="Give both."
            )
        given[name] = value
    return given


def _announce(corpus: "Corpus") -> None:
    """Say what the features of a corpus are and which clips were dropped."""
    for modality, features in corpus.features.items():
        note = features.provenance.get("note")
        about = f"one frame per {features.unit}" + (f"; {note}" if note else "")
        print(f"  {modality}: {features.source}, {about}")
    if corpus.dropped:
        reasons = ", ".join(f"{clip} ({why})" for clip, why in corpus.dropped.items())
        print(f"  dropped {len(corpus.dropped)} clips: {reasons}")


def _clean(clean: bool) -> None:
    """Readers look at MSALIB_CLEAN, which a notebook's own process inherits."""
    if clean:
        os.environ["MSALIB_CLEAN"] = "1"


def fold_parameters(arguments: list[str]) -> list[str]:
    """``-p name value`` as ``-p name=value``: an option of typer takes one value."""
    folded, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "-p" and len(rest) >= 2 and "=" not in rest[0] and rest[1] != "-p":
            folded += [word, f"{rest.pop(0)}={rest.pop(0)}"]
        else:
            folded.append(word)
    return folded


def main() -> None:
    """Entry point: run the command; a ``UserError`` becomes one message and status 2."""
    for name in ("MSALIB_DATA", "MSALIB_RECORDS", "MSALIB_FEATURES", "MSALIB_CORPORA"):
        if os.environ.get(name):  # a notebook runs in another folder
            os.environ[name] = str(Path(os.environ[name]).resolve())
    try:
        app(fold_parameters(sys.argv[1:]))
    except UserError as error:
        print(f"msalib: {error}", file=sys.stderr)
        sys.exit(2)
