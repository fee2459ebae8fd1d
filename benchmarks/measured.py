"""Where measured figures go: one JSON per script under results/, with where it was measured."""

import os
from pathlib import Path
from statistics import median

from msalib import provenance, records

RESULTS = Path(__file__).parent / "results"


def write(name: str, device: str, content: dict) -> None:
    """Write ``results/<name>.json`` at once and whole; print where it is."""
    where = {
        "commit": provenance.commit(),
        "device": provenance.device_name(device),
        "load_average": os.getloadavg(),
        "versions": provenance.versions(),
    }
    path = RESULTS / f"{name}.json"
    records.write_json(path, {**content, "provenance": where})
    print(f"written: {path.relative_to(RESULTS.parent.parent)}")


def summary(values: list[float], digits: int = 3) -> dict[str, float]:
    """Median, least and greatest of repeated measurements."""
    named = {"median": median(values), "min": min(values), "max": max(values)}
    return {name: round(value, digits) for name, value in named.items()}
