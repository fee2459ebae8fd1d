"""The command ``msalib data``: list the data sets, add and audit your own."""

import os
from pathlib import Path
from typing import Annotated

import typer

from msalib.base.errors import UserError
from msalib.base.terminal import say
from msalib.commands.arguments import Clean, set_clean

data_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


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
    from msalib.base import faults, paths, refusals
    from msalib.data import datasets as readers

    set_clean(clean)
    if os.environ.get("MSALIB_DATA"):
        paths.data_folder()  # what is wrong with it is said once, not for each data set
    for name in readers.names():
        try:
            say(*_lines(name, record))
        except Exception as error:  # whatever is wrong with one, the others are as they were
            if record:
                raise
            say(f"{name}: {refusals.refused(error, name) or faults.report(error)}")


def _lines(name: str, record: bool) -> list[str]:
    """Return what the list says of a data set; record its summary if asked to."""
    from msalib.data import datasets as readers
    from msalib.data import describe

    dataset = readers.dataset(name)
    if not readers.is_available(name):
        folder = readers.folder(name)
        return [f"{name}: {dataset.title}: not found; set MSALIB_DATA to what holds {folder}/"]
    if record and dataset.real and not dataset.leaky and name in readers.DATASETS:
        describe.summary(name, refresh=True)
    return describe.lines(name, readers.load(name), dataset.title)


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

    Clips of your own are a folder with label.csv (video_id, clip_id, text, label from -3 to 3, and
    mode: train, valid or test), in any of these layouts, at any depth:

    \b
      Raw/<video_id>/<clip_id>.mp4        video: pictures and sound
      wav/<video_id>/<clip_id>.wav        sound, which comes before that of videos
      Raw/<video_id>/<clip_id>/001.png    pictures
      <video_id>/<clip_id>.mp4
      <video_id>_<clip_id>.mp4            also <video_id>$_$<clip_id>.mp4
      train_splits/dia0_utt0.mp4          as in MELD

    The table without its folder (msalib data add clips/label.csv) is transcripts alone.
    """
    from msalib.data import datasets as readers
    from msalib.data import describe
    from msalib.data.readers import formats, names

    chosen = name or names.name_of(path)
    options = formats.options(clean=clean, align=align, target=target, faces=faces)
    folder = readers.add(path, chosen, options, format=format, refresh=refresh)
    corpus = readers.load(chosen)
    say(*describe.lines(chosen, corpus, readers.dataset(chosen).title))
    say(f"added: {folder} (next: msalib data audit {chosen})")


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

    set_clean(clean)
    if record and encoder:
        raise UserError(
            "--record",
            found="an encoder beside it",
            expected="the data as they are, which the page shows",
            remedy="Leave one of the two out; --json keeps any report.",
        )
    report = audit.report(dataset, refresh=True) if record else audit.make_report(dataset, encoder)
    say(*audit.lines(report))
    if json_file:
        audit.write(report, json_file)
        say(f"written: {json_file}")
