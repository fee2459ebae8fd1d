"""The data sets by name: which modalities they have, what is predicted, and how they are read."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from msalib.base.errors import UserError, unknown
from msalib.base.paths import data_folder
from msalib.data.corpus import MODALITIES, Corpus
from msalib.data.readers import frames, iemocap, meld, meld_dev, mustard, nemo, ravdess, store
from msalib.data.readers.formats import Options
from msalib.data.tasks import Regression, Task, choose


@dataclass(frozen=True)
class Dataset:
    """A data set that can be named.

    ``layered`` names the modalities that have layers, ``vectors`` those with features of one layer,
    numbered 1. ``shipped`` names the features of a data set that needs no encoder; otherwise
    ``encoder`` is the usual one. ``raw`` names what an encoder can read: transcripts, sound,
    pictures. ``split`` is the one that its runs use. ``tasks`` say what can be predicted, the
    usual task first. ``folder`` is its folder below ``MSALIB_DATA`` (``folder``).
    """

    title: str
    read: Callable[[], Corpus]
    layered: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    shipped: str | None = None
    raw: tuple[str, ...] = ()
    encoder: str = "minilm"
    split: str = "standard"
    real: bool = True
    leaky: bool = False
    tasks: tuple[Task, ...] = (Regression(),)
    folder: str = ""

    @property
    def task(self) -> Task:
        """Return the usual task."""
        return self.tasks[0]

    def target(self, column: str | None) -> Task:
        """Return the task that predicts a column; for None the usual task."""
        return choose(self.tasks, column, self.title)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return all modalities that a model can read, in the order of ``MODALITIES``."""
        return tuple(m for m in MODALITIES if m in self.layered + self.vectors)

    def encoded(self, modalities: Iterable[str], layerless: Iterable[str] = ()) -> "Dataset":
        """Return this data set as encoders read it; the ``layerless`` ones give one layer."""
        layered = tuple(m for m in MODALITIES if m in modalities and m not in layerless)
        single = {*self.vectors, *layerless} - set(layered)
        vectors = tuple(m for m in MODALITIES if m in single)
        return replace(self, layered=layered, vectors=vectors, shipped=None)

    def setting(self, published: bool) -> str:
        """Return the kind of setting; ``published``: a paper used it so, with this encoder."""
        if not self.real:
            return "control"
        if self.leaky:
            return "leaky"
        return "as-published" if published else "substitute"


def _control(story: str) -> Corpus:
    from msalib.data.simulate import features as simulate

    return simulate.story(story)


def _pieces(story: str, title: str) -> Dataset:
    """Return a data set of simulated sequences (``simulate.pieces.STORIES``)."""

    def read() -> Corpus:
        from msalib.data.simulate import pieces

        return pieces.pieces(story)

    return Dataset(
        title,
        read,
        layered=("linguistic",),
        vectors=("visual", "acoustic"),
        shipped="planted",
        real=False,
    )


def _raw(story: str) -> Corpus:
    from msalib.data.simulate import render

    return render.load(story)


def _clips(story: str, title: str) -> Dataset:
    """Return a data set of simulated clips, for encoders to read (``simulate.render.load``)."""
    return Dataset(
        title,
        lambda: _raw(story),
        layered=MODALITIES,
        raw=MODALITIES,
        encoder="small",
        real=False,
    )


def _pack(folder: str, vectors: tuple[str, ...] = (), setting: str | None = None) -> Corpus:
    from msalib.data.readers import pack

    clean = os.environ.get("MSALIB_CLEAN") == "1"
    return pack.read(data_folder() / folder, folder, vectors=vectors, setting=setting, clean=clean)


def _mmmo(name: str, stretch: float) -> Corpus:
    return frames.read(data_folder() / "mmmo", name, stretch=stretch)


def _converted(name: str) -> Corpus:
    """Read a data set of ``MSALIB_DATA`` by the reader that ``msalib data add`` would use."""
    from msalib.data.readers import formats

    options = formats.Options(clean=os.environ.get("MSALIB_CLEAN") == "1")
    return formats.convert(data_folder() / name, name, options)[0]


def _transcripts(name: str, title: str, tasks: tuple[Task, ...]) -> Dataset:
    return Dataset(
        title, lambda: _converted(name), layered=("linguistic",), raw=("linguistic",), tasks=tasks
    )


def _vectors(name: str, title: str, task: Task, read: Callable[[], Corpus] | None = None):
    return Dataset(
        title,
        read or (lambda: _converted(name)),
        vectors=("visual", "acoustic"),
        shipped="covarep-facet",
        tasks=(task,),
    )


def _standardised() -> Corpus:
    """Read CMU-MOSI with its acoustic vector standardised over the training part.

    It keeps the name ``mosi``, so that its transcripts are encoded once for both.
    """
    from msalib.data.readers.standardise import moments, standardised

    corpus = _pack("mosi", ("audio_opensmile",))
    stored, rows = corpus.features["acoustic"], corpus.rows("train", "standard")
    features = standardised(stored, rows, "the training part of the standard split")
    mean, spread = moments(stored.layers[1][rows])
    largest = int(np.abs(mean).argmax())
    notes = (
        f"one of the {len(mean)} openSMILE values has mean {mean[largest]:.0f} and standard "
        f"deviation {spread[largest]:.0f}, all others have means of at most "
        f"{np.delete(np.abs(mean), largest).max():.1f} in size: as stored, it drowns them",
        f"standardised values reach {np.abs(features.layers[1]).max():.0f}, in columns that hardly "
        "vary in training",
    )
    return replace(corpus.with_features("acoustic", features), notes=(*corpus.notes, *notes))


def _meld_dev(speech: str, title: str, shipped: str) -> Dataset:
    return Dataset(
        title,
        lambda: meld_dev.read(data_folder() / "meld_dev", speech),
        vectors=("acoustic", "linguistic"),
        shipped=shipped,
        raw=("linguistic",),
        split=meld_dev.SPLIT,
        tasks=meld_dev.TASKS,
        folder="meld_dev",
    )


def _speech(reader: ModuleType, title: str) -> Dataset:
    """Return a data set of acted speech: sound, and words that say nothing of the emotion.

    An encoder of text reads the words if it is asked for.
    """
    name = reader.NAME
    return Dataset(
        title,
        lambda: reader.read(data_folder() / name, name, Options()),
        layered=("acoustic",),
        raw=("acoustic", "linguistic"),
        encoder="log-mel-coarse",
        split=reader.SPLIT,
        tasks=reader.TASKS,
    )


def _leaky() -> Corpus:
    return _pack("mosi", ("visual_3dcnn", "audio_opensmile", "text_cnn"), "leaky")


DATASETS = {
    "control": Dataset(
        "Simulated features, the paper's story",
        lambda: _control("control"),
        layered=MODALITIES,
        shipped="planted",
        real=False,
    ),
    "control-opposite": Dataset(
        "Simulated features, the opposite story",
        lambda: _control("control-opposite"),
        layered=MODALITIES,
        shipped="planted",
        real=False,
    ),
    "control-local": _pieces("control-local", "Simulated sequences, signals that last three steps"),
    "control-local-opposite": _pieces(
        "control-local-opposite", "Simulated sequences, nothing local"
    ),
    "raw": _clips("raw", "Simulated clips"),
    "raw-speaker": _clips("raw-speaker", "Simulated clips, sentiment tied to the speaker"),
    "raw-noise": _clips("raw-noise", "Simulated clips, faces without sentiment"),
    "raw-sarcasm": _clips("raw-sarcasm", "Simulated clips, a fifth of them sarcastic"),
    "raw-spoken": _clips("raw-spoken", "Simulated clips, spoken intelligibly"),
    "mosi": Dataset(
        "CMU-MOSI",
        lambda: _pack("mosi", ("audio_opensmile",)),
        layered=("linguistic",),
        vectors=("acoustic",),
        raw=("linguistic",),
    ),
    "mosi-standardised": Dataset(
        "CMU-MOSI with standardised openSMILE vectors",
        _standardised,
        layered=("linguistic",),
        vectors=("acoustic",),
        raw=("linguistic",),
    ),
    "mosei": Dataset(
        "CMU-MOSEI",
        lambda: _pack("mosei"),
        layered=("linguistic",),
        raw=("linguistic",),
    ),
    "mmmo": _vectors("mmmo", "ICT-MMMO", Regression(frames.OPINION), lambda: _mmmo("mmmo", 1.0)),
    "mmmo-stretched": _vectors(
        "mmmo-stretched",
        "ICT-MMMO with labels stretched to -3..3",
        Regression(),
        lambda: _mmmo("mmmo-stretched", 1.5),
    ),
    "meld": _transcripts("meld", "MELD", meld.TASKS),
    "meld-dev": _meld_dev(meld_dev.SPEECH, "MELD dev, words and voice", "roberta-wav2vec2"),
    "meld-dev-mel": _meld_dev(meld_dev.MEL, "MELD dev, words and mel spectrum", "roberta-mel"),
    "iemocap": _transcripts("iemocap", "IEMOCAP", iemocap.TASKS),
    "mustard": _transcripts("mustard", "MUStARD", mustard.TASKS),
    "ravdess": _speech(ravdess, "RAVDESS speech"),
    "nemo": _speech(nemo, "nEMO speech"),
    "youtube": _vectors("youtube", "YouTube", frames.YOUTUBE),
    "pom": _vectors("pom", "POM", Regression()),
    "mosi-leaky": Dataset(
        "CMU-MOSI with features that leak",
        _leaky,
        vectors=MODALITIES,
        shipped="leaking",
        leaky=True,
    ),
    "mosi-leaky-unseen": Dataset(
        "CMU-MOSI with features that leak, test videos unseen by them",
        _leaky,
        vectors=MODALITIES,
        shipped="leaking",
        split="features",
        leaky=True,
    ),
}


def names() -> list[str]:
    """Return the names of all data sets: the built-in ones, then those that were added."""
    return [*DATASETS, *store.names()]


def dataset(name: str) -> Dataset:
    """Return the data set of that name; an unknown one is a ``UserError``."""
    if name in DATASETS:
        return DATASETS[name]
    if name not in store.names():
        remedy = "List them: msalib data; add your own: msalib data add PATH."
        raise unknown("data set", name, names(), remedy=remedy)
    return _added(name)


def add(
    path: Path, name: str, options: Options, format: str | None = None, refresh: bool = False
) -> Path:
    """Convert what lies at ``path`` and keep it as the data set ``name``; return its folder.

    Raises ``UserError`` for a name that is taken (without ``refresh``), built in or invalid, and
    like ``formats.convert``; then nothing has been written.
    """
    if name.casefold() in DATASETS:
        raise UserError(
            f"name {name!r}",
            found="the name of a built-in data set",
            expected="a name of its own",
            remedy="Choose another: --name NAME",
        )
    return store.add(path, name, options, format, refresh)


def _added(name: str) -> Dataset:
    """Return an added data set: its features as they are, and what an encoder can read."""
    about = store.about(name)
    raw = tuple(m for m in MODALITIES if m in about.raw)
    vectors = tuple(m for m in MODALITIES if m in about.features)
    return Dataset(
        about.title,
        lambda: store.read(name),
        layered=() if vectors else raw,
        vectors=vectors,
        shipped=about.format if vectors else None,
        raw=raw,
        encoder="minilm" if raw == ("linguistic",) else "small",
        split="standard" if "standard" in about.splits else about.splits[0],
        tasks=about.tasks,
    )


def is_available(name: str) -> bool:
    """Check whether a data set is here; a ``MSALIB_DATA`` that is no folder is a ``UserError``."""
    if name not in DATASETS:
        return bool(dataset(name))
    if not dataset(name).real:
        return True
    return bool(os.environ.get("MSALIB_DATA")) and (data_folder() / folder(name)).is_dir()


def folder(name: str) -> str:
    """Return the folder of a data set below ``MSALIB_DATA``; several may come from one.

    It is named as the data set is, up to the first hyphen, where the data set names no other.
    """
    return dataset(name).folder or name.split("-")[0]


def load(name: str) -> Corpus:
    """Read a data set by name; built-in real ones come from ``MSALIB_DATA``."""
    return dataset(name).read()
