"""What an executed notebook was made of, as one digest: a page with today's digest need not run.

A page is made of its source and parameters, the package, the claims and printed numbers, the
versions of libraries, the data sets that are available, and records. A paper's page reads the
records of no other paper, but may read those of baselines. Records of profile ``quick`` are made by
pages, so they follow from the rest.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import msalib
from msalib.base import paths
from msalib.base.provenance import versions
from msalib.book import notebooks
from msalib.data import datasets
from msalib.evidence import registry

PACKAGE = Path(msalib.__file__).parent


class Stamps:
    """Digests of pages at one moment; files that many pages read are read once."""

    def of(self, notebook: str, resolved: Mapping) -> str:
        """Return the digest of a notebook with these parameters."""
        paper = notebook.partition("/")[0]
        others = [name for name in registry.known() if name != paper] if "/" in notebook else []
        records = {folder: d for folder, d in self._records.items() if folder not in others}
        content = [notebooks.source_hash(notebook), dict(resolved), self._common, records]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _common(self) -> list:
        """Digests of everything but records that any page may read."""
        folders = (PACKAGE, paths.CLAIMS, paths.PRINTED)
        files = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
        code = [p for p in files if "__pycache__" not in p.parts]
        book = [paths.BOOK / name for name in ("notebooks.yaml", "testparts.yaml")]
        chapters = sorted(p.relative_to(paths.BOOK).as_posix() for p in paths.BOOK.rglob("*.md"))
        available = [name for name in datasets.DATASETS if datasets.is_available(name)]
        return [_digest(code), _digest(book), chapters, versions(), available]

    @cached_property
    def _records(self) -> dict[str, str]:
        """Digest of the records in each folder, and of measurements beside them."""
        groups: dict[str, list[Path]] = {}
        for root in dict.fromkeys([paths.records_folder(), paths.SHIPPED]):
            for path in root.rglob("*.json"):
                place = path.relative_to(root)
                if "quick" not in place.parts:
                    groups.setdefault(place.parts[0], []).append(path)
        return {name: _digest(files) for name, files in groups.items()}


def _digest(files: Iterable[Path]) -> str:
    """Return the digest of the names and contents of files; a missing one counts as missing."""
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes() if path.is_file() else b"missing"
        digest.update(f"{path} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
