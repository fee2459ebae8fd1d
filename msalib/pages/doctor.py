"""What is here, what is missing, and how to get it."""

import os
from collections.abc import Iterator

from msalib import encoders
from msalib.base import paths
from msalib.base.errors import UserError
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
        try:
            if readers.is_available(name):
                yield f"  {name}: {len(readers.load(name))} clips"
            else:
                yield f"  {name}: missing; set MSALIB_DATA to the folder that holds {name}/"
        except UserError as error:
            yield f"  {name}: {error}"
    yield "encoders"
    for encoder, available, source in encoders.availability():
        yield f"  {encoder.name}: {'here' if available else source}"
    yield "feature stores"
    stores = sorted(p.parent for p in paths.features_folder().glob("*/*/meta.json"))
    for store in stores:
        yield f"  {store.parent.name}/{store.name}"
    if not stores:
        yield "  none; msalib encode mosi minilm makes one"
    yield "records"
    for paper in registry.known():
        for setting in records.settings(paper):
            yield f"  {paper}: {' '.join(setting)}: {len(records.find(paper, setting))} runs"
