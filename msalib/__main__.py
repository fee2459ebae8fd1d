"""The command ``msalib``: data, encoders, runs, records, models, printed numbers, claims, book.

Bad input prints one message and exits with status 2. Heavy modules load inside the commands, so
that ``--help`` answers at once.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msalib.base.errors import UserError

if TYPE_CHECKING:
    from msalib.data.corpus import Corpus
    from msalib.evidence.verdicts import ClaimEvidence, Verdict

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
        if not readers.at_hand(name):
            folder = readers.folder(name)
            print(f"{name}: {dataset.title}: not found; set MSALIB_DATA to what holds {folder}/")
            continue
        corpus = readers.load(name)
        _describe(name, corpus, dataset.title)
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
    from msalib.data.readers import added, formats

    chosen = name or added.name_of(path)
    options = formats.options(clean=clean, align=align, target=target, faces=faces)
    folder = added.add(path, chosen, options, format=format, refresh=refresh)
    corpus = readers.load(chosen)
    _describe(chosen, corpus, readers.dataset(chosen).title)
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
    found = audit.report(dataset, refresh=True) if record else audit.made(dataset, encoder)
    for line in audit.lines(found):
        print(line)
    if json_file:
        audit.write(found, json_file)
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
    from msalib.runs.study import Study

    _clean(clean)
    study = Study("uegd", dataset=dataset, encoder=encoder, preset=preset, device=device)
    if not study.encoders:
        raise UserError(
            f"data set {dataset!r}",
            found="features that it comes with, no transcripts to encode",
            expected="a data set with transcripts",
            remedy="Use it as it is: it needs no encoding.",
        )
    corpus = readers.load(dataset)
    for chosen in study.encoders.values():
        known = encoders.resolve(chosen.argument)
        folder = encoders.encode(corpus, known, preset=preset, device=device, refresh=refresh)
        print(f"{chosen.modality} features of {len(corpus)} clips: {folder}")
    _announce(corpus)


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
    from msalib.pages import notebooks

    _clean(clean)
    given = _values(parameter)
    dataset = given.get("dataset")
    if dataset in readers.names() and readers.at_hand(dataset):
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
        str, typer.Option(help="Of encoders with layers: weighted, mid_best, output or input.")
    ] = "weighted",
    clean: Clean = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Replace the model of that name.")
    ] = False,
) -> None:
    """Train UEGD on all modalities of a data set, once per seed, and save it for predict.

    Example: msalib train raw --out my-model -p profile paper -p seeds 5
    """
    from msalib.runs import saved

    _clean(clean)
    given = _values(parameter)
    folder = saved.train(dataset, out, features=features, refresh=refresh, parameters=given)
    for line in saved.report(folder):
        print(line)


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
    from msalib.runs import predict

    print(
        predict.command(
            model,
            text=text,
            audio=audio,
            video=video,
            features=features,
            table=table,
            as_json=as_json,
            device=device,
        )
    )


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
    """Print the verdict of every claim by kind of evidence, re-runs setting by setting.

    Runs of your own, on added data or with the quick profile, follow and are not counted.
    """
    from msalib.evidence import registry
    from msalib.evidence.verdicts import judge_own_runs, weigh

    for name in [paper] if paper else registry.known():
        for evidences in weigh(name):
            for fields in _told(evidences):
                print(" | ".join([evidences.claim.id, *fields]))
        if apart := judge_own_runs(name):
            print(f"your runs of {name}, and lessons of the book, which the study does not count:")
            for verdict in apart:
                print(" | ".join([verdict.claim.id, *_judged(verdict)]))


def _told(evidences: "ClaimEvidence") -> Iterator[list[str]]:
    """One line per kind of evidence and setting: kind, verdict, what it rests on."""
    yield ["printed", evidences.printed.verdict, evidences.printed.note]
    yield ["parity", *evidences.parity]
    for verdict in evidences.runs:
        yield _judged(verdict)
    for kind, verdicts in (("re-run", evidences.rerun), ("control", evidences.control)):
        if not verdicts:
            yield [kind, *evidences.not_run(kind)]


def _judged(verdict: "Verdict") -> list[str]:
    """The setting of a verdict on records, the verdict, what it rests on, how many records."""
    from msalib.pages import ledger

    effects = "; ".join(ledger.effect_text(*e) for e in verdict.evidence.effects.items())
    note = verdict.evidence.note
    return [
        ledger.setting_text(verdict),
        verdict.evidence.verdict,
        f"{effects} ({note})" if effects else note,
        f"{len(verdict.records)} records",
    ]


@app.command()
def book() -> None:
    """Execute the notebooks of the book and build its pages."""
    from msalib.pages import build as book

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


def _describe(name: str, corpus: "Corpus", title: str) -> None:
    """Counts by part, features, dropped clips and notes of a corpus."""
    from msalib.data import describe

    summary = describe.summarise(corpus, title)
    print(f"{name}: {title}, fingerprint {summary.fingerprint[:12]}")
    for part, clips in summary.clips.items():
        print(f"  {part}: {clips} clips in {summary.videos[part]} videos")
    _announce(corpus)


def _announce(corpus: "Corpus") -> None:
    """Say what the features of a corpus are and which clips were dropped."""
    for modality, features in corpus.features.items():
        note = features.provenance.get("note")
        about = f"one frame per {features.unit}" + (f"; {note}" if note else "")
        print(f"  {modality}: {features.source}, {about}")
    for modality, files in corpus.media.items():
        print(f"  {modality}: {len(files)} files to encode")
    if texts := int((corpus.utterances["text"].str.strip() != "").sum()):
        print(f"  linguistic: {texts} transcripts to encode")
    for note in corpus.notes:
        print(f"  note: {note}")
    if corpus.dropped:
        print(f"  dropped {len(corpus.dropped)} clips: {_reasons(corpus.dropped)}")


def _reasons(dropped: Mapping[str, str]) -> str:
    """Each clip with its reason, or each reason with its number of clips where there are many."""
    if len(dropped) <= 10:
        return ", ".join(f"{clip} ({why})" for clip, why in dropped.items())
    clips = {}
    for clip, why in dropped.items():
        clips.setdefault(why, []).append(clip)
    return "; ".join(f"{len(own)} {why}, the first {own[0]}" for why, own in clips.items())


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


if __name__ == "__main__":
    main()
