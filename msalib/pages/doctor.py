"""What is here, what is missing, and how to get it."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msalib import encoders
from msalib.base import faults, paths, refusals
from msalib.base.provenance import device_name, pick_device, versions
from msalib.data import datasets as readers
from msalib.evidence import registry
from msalib.runs import records


def report() -> Iterator[str]:
    """Report on this installation, a line per finding; a request says what to do."""
    yield "environment"
    for name, version in versions().items():
        yield f"  {name} {version}"
    device = pick_device("auto")
    yield f"  device: {device_name(device)}"
    if device == "cpu":
        yield "  no CUDA device; for one, install a CUDA build of torch (README, 'Your own GPU')"
    yield "data"
    if not os.environ.get("MSALIB_DATA"):
        yield "  MSALIB_DATA is not set: real data are not found, committed records are read"
    for name in readers.names():
        yield from _told(name, partial(_data_set, name))
    yield "encoders"
    for encoder, available, source in encoders.availability():
        knows = f"; {encoder.language.name} ({encoder.language.source})" if encoder.language else ""
        yield f"  {encoder.name}: {'here' if available else source}{knows}"
    yield "feature stores"
    stores = sorted(p.parent for p in paths.features_folder().glob("*/*/meta.json"))
    for store in stores:
        yield f"  {store.parent.name}/{store.name}"
    if not stores:
        yield "  none; msalib encode mosi minilm makes one"
    yield "records"
    for paper in registry.known():
        yield from _told(paper, partial(_records_of, paper))


def _told(what: str, look: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Yield what is found, or what is wrong with it: the doctor reports, and refuses nothing."""
    try:
        yield from look()
    except Exception as error:
        yield f"  {what}: {refusals.refused(error, what) or faults.report(error)}"


def _data_set(name: str) -> Iterator[str]:
    if readers.is_available(name):
        yield f"  {name}: {len(readers.load(name))} clips"
    else:
        folder = readers.folder(name)
        yield f"  {name}: missing; set MSALIB_DATA to the folder that holds {folder}/"


def _records_of(paper: str) -> Iterator[str]:
    for setting in records.settings(paper):
        yield f"  {paper}: {' '.join(setting)}: {len(records.files(paper, setting))} runs"
