"""The status page: what was run for this book, when, for how long, where, and with what."""

from pathlib import Path

import pandas as pd

from msalib.base import paths
from msalib.book import notebooks
from msalib.evidence.printed.names import plural
from msalib.evidence.settings import plan
from msalib.pages.markup import link
from msalib.pages.tables import Table

PAGE = "status"


def table() -> Table:
    """Show a row per notebook of ``book/notebooks.yaml``, but not for this page: it is run last."""
    rows = []
    for notebook, parameters in plan():
        if notebook != PAGE:
            resolved = notebooks.resolve_parameters(notebook, parameters)
            rows.append(_row(notebooks.executed_path(notebook, resolved)))
    caption = (
        "Notebooks of this book. A + behind a commit: the code had changes that were not committed."
    )
    return Table(pd.DataFrame(rows).fillna(""), caption=caption)


def answer(pages: Table) -> str:
    """Say how many pages were run, how long they took, and from how many commits they are."""
    ran = pages.frame[pages.frame["seconds"] != ""]
    seconds = ran["seconds"].astype(float)
    minutes = seconds.sum() / 60
    return (
        f"{len(ran)} of {len(pages.frame)} pages were run, from "
        f"{plural(ran['commit'].nunique(), 'commit')} of the code. Together they took "
        f"{minutes:.0f} minutes, the longest {seconds.max():.0f} seconds."
    )


def _row(executed: Path) -> dict[str, str]:
    import nbformat

    page = executed.relative_to(paths.EXECUTED).with_suffix("").as_posix()
    if not executed.exists():
        return {"page": page, "run (UTC)": "not run"}
    metadata = nbformat.read(executed, as_version=4).metadata
    run, about = metadata.papermill, metadata.msalib
    versions = {**about.versions, "papermill": run.version}
    return {
        "page": link(f"{page}.html", page),
        "run (UTC)": run.end_time[:16].replace("T", " "),
        "seconds": f"{run.duration:.1f}",
        "commit": about.commit,
        "device": about.device,
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
