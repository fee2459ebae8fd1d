"""A study: the parameters of a notebook -> specifications of runs -> records.

A run that has a record is read, any other is trained and recorded (``trainer``), so a killed study
goes on where it stopped, and two processes can share one.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib import encoders, papers
from msalib.base import files
from msalib.base.errors import UserError
from msalib.base.progress import bar
from msalib.base.provenance import one_thread, pick_device
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES, TUNED, Corpus, Features
from msalib.encoders import Encoder
from msalib.models import recipes
from msalib.runs import records
from msalib.runs.records import Record
from msalib.runs.spec import Spec, System
from msalib.runs.trainer import Trainer

IDENTITY = ("revision", "fingerprint", "values", "sha256")
"""What in the provenance of features says that they are the same numbers."""


TUNED_ENDING = "-tuned"
"""Ending of an encoder's name where it is trained along with the model: ``minilm-tuned``."""


BASELINES = "baselines"
"""Namespace of systems that belong to no paper: trained once, read by all."""


class Parameters(BaseModel):
    """Parameters of every notebook, as papermill injects them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = "control"
    encoder: str = "auto"
    profile: str = "quick"
    preset: str = "release"
    seeds: int = Field(2, ge=1, le=1000)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    refresh: bool = False


class Study:
    """All runs of one paper in one setting.

    ``encoder`` is one encoder, several joined by "+" (one per modality) or a name for several
    (``encoders.SETS``); "auto" is what the data set offers: ``planted`` layers on the control,
    ``minilm`` on real transcripts. Raises ``UserError`` for any parameter that makes no sense.
    """

    def __init__(self, paper: str, **parameters):
        try:
            p = Parameters(**parameters)
        except ValidationError as error:
            first = error.errors()[0]
            unknown = first["type"] == "extra_forbidden"
            names = ", ".join(Parameters.model_fields)
            wanted = first["msg"].removeprefix("Input should be ")
            raise UserError(
                f"parameter {first['loc'][0]!r}",
                found="no such parameter" if unknown else repr(first["input"]),
                expected=f"one of {names}" if unknown else wanted,
                remedy="Leave it out or correct it.",
            ) from error
        if paper not in (names := [*recipes.papers(), BASELINES]):
            raise UserError(
                f"paper {paper!r}",
                found="no runs of it",
                expected=f"one of {', '.join(names)}",
                remedy="Name a paper whose exhibits are here.",
            )
        self.paper = paper
        self._fresh: set[str] = set()  # hashes of runs that a refresh has trained already
        self._features: dict[str, Features] = {}  # modality -> what its encoder gave
        self.parameters = p
        self.dataset = readers.dataset(p.dataset)
        shipped = self.dataset.shipped
        given = (shipped or self.dataset.encoder) if p.encoder == "auto" else p.encoder
        if shipped and given != shipped and not self.dataset.raw:
            raise UserError(
                f"encoder {p.encoder!r}",
                found=f"an encoder for {p.dataset}, which comes with its features",
                expected=f"{shipped}, their name",
                remedy="Leave -p encoder out, or choose a data set whose transcripts are encoded.",
            )
        self.tuned = given.endswith(TUNED_ENDING) and not Path(given).is_dir()
        if self.tuned and papers.fact(paper, "FROZEN_ONLY", False):
            raise UserError(
                f"encoder {p.encoder!r}",
                found="an encoder that is to be fine-tuned",
                expected=f"a frozen one: the model of {paper} reads features",
                remedy=f"Leave {TUNED_ENDING} out.",
            )
        base = given.removesuffix(TUNED_ENDING) if self.tuned else given
        self.encoders = {} if given == shipped else self._chosen(base)
        if self.tuned:
            self._refuse_fine_tuning_of_media()
        known = given == shipped or base in encoders.SETS
        name = base if known else encoders.joined(self.encoders)
        self.encoder = name + TUNED_ENDING * self.tuned
        if self.encoders:
            layerless = [m for m, e in self.encoders.items() if e.handcrafted]
            self.dataset = self.dataset.encoded(self.encoders, layerless)
        recipes.check(p.preset, p.profile)

    def _chosen(self, name: str) -> dict[str, Encoder]:
        """Modality -> encoder, of those that this data set has something for."""
        found = encoders.resolve_all(name)
        raw = self.dataset.raw
        useless = [e.name for m, e in found.items() if m not in raw]
        if useless and (name not in encoders.SETS or len(useless) == len(found)):
            raise UserError(
                f"encoder {' and '.join(useless)}",
                found=f"nothing of {self.parameters.dataset} for it to read",
                expected=f"an encoder of its {' or '.join(raw)} modality",
                remedy="Choose other encoders (msalib doctor) or another data set (msalib data).",
            )
        # In one order, so that records have one name however the encoders were joined.
        return {m: found[m] for m in MODALITIES if m in found and m in raw}

    def _refuse_fine_tuning_of_media(self) -> None:
        """Raise ``UserError`` unless the one encoder to be fine-tuned reads text."""
        media = [e.name for m, e in self.encoders.items() if m != "linguistic"]
        if not media:
            return
        usual = encoders.resolve_all(self.dataset.encoder)
        text = usual.get("linguistic") if "linguistic" in self.dataset.raw else None
        leave = f"eave {TUNED_ENDING} out."
        remedy = f"L{leave}"
        if text is not None:
            remedy = f"Name one of text: -p encoder {text.name}{TUNED_ENDING}, or l{leave}"
        raise UserError(
            f"encoder {self.parameters.encoder!r}",
            found=f"{' and '.join(media)}, which read no text",
            expected="an encoder of text, the only kind that is fine-tuned",
            remedy=remedy,
        )

    @property
    def kind(self) -> str:
        """``control``, ``as-published`` or ``substitute``.

        A folder or hub id is a substitute whatever it is called: a name proves nothing.
        """
        encoder = self.encoder if len(self._registered()) == len(self.encoders) else ""
        p = self.parameters
        return self.dataset.setting(papers.published(self.paper, p.dataset, encoder, p.profile))

    def _registered(self) -> list[Encoder]:
        return [e for e in self.encoders.values() if e.argument == e.name]

    @property
    def setting(self) -> str:
        """The setting in words, as every table and caption names it."""
        p = self.parameters
        what = self.dataset.title
        if self.dataset.real or self.encoders:
            name = self.encoder.removesuffix(TUNED_ENDING)
            words = f"{name} trained along" if self.tuned else f"{self.encoder} layers"
            if self.dataset.real and any(e.name.startswith("small-") for e in self._registered()):
                words += ", which know simulated clips only: a demonstration"
            parts = [words] if self.dataset.layered else []
            parts += [f"{m} vectors" for m in self.dataset.vectors]
            what += f" ({', '.join(parts)})"
        return f"{self.kind}: {what}; {p.preset} recipe, profile {p.profile}, {p.seeds} seeds"

    @cached_property
    def corpus(self) -> Corpus | None:
        """The data set, or None where real data are not at hand and records must do."""
        name = self.parameters.dataset
        return readers.load(name) if readers.at_hand(name) else None

    def blocks(self, modality: str) -> int:
        """Number of blocks of a modality's encoder; 1 for vectors that come as they are.

        Layers are numbered 0 (the encoder's input) to this. Raises ``UserError`` for a modality
        that the data set lacks.
        """
        self._check([modality])
        if modality in self.dataset.vectors:
            return 1
        if modality in self.encoders and (blocks := self.encoders[modality].blocks):
            return blocks  # no weights needed to read records
        return max(self.encoded_for([modality]).features[modality].layers)

    @property
    def last_layers(self) -> dict[str, int | str]:
        """Return every modality with the last layer of its encoder, the usual input of a model."""
        return {
            m: TUNED if self.tuned and m in self.dataset.layered else self.blocks(m)
            for m in self.dataset.modalities
        }

    @cached_property
    def encoded(self) -> Corpus:
        """The corpus with the features of all its encoders, encoded now where that is to do."""
        return self.encoded_for(self.encoders)

    def encoded_for(self, modalities: Iterable[str]) -> Corpus:
        """Return the corpus with the encoded features of these modalities and of no other.

        An encoder is asked for only where its features are, so that runs on vectors need no
        weights. Raises ``UserError`` where data or weights are missing.
        """
        corpus = self.corpus or readers.load(self.parameters.dataset)  # says what is missing
        for modality in self.encoders:
            if modality in modalities:
                corpus = corpus.with_features(modality, self._encoded(modality))
        return corpus

    def _encoded(self, modality: str) -> Features:
        """Return the features of a modality's encoder, encoded now where that was not done yet."""
        if modality not in self._features:
            corpus = self.corpus or readers.load(self.parameters.dataset)
            encoder = encoders.resolve(self.encoders[modality].argument)  # says what is missing
            if self.tuned:
                from msalib.encoders import tuned

                self._features[modality] = tuned.word_pieces(corpus, encoder)
            else:
                self._encode(corpus, encoder)
                features = encoders.read(corpus, encoder, self.parameters.preset)
                self._features[modality] = features
        return self._features[modality]

    def _encode(self, corpus: Corpus, encoder: Encoder) -> None:
        preset = self.parameters.preset
        folder = encoders.store_folder(corpus.name, encoder, preset)
        if not folder.is_dir():
            with files.reserved(folder, wait=True):
                encoders.encode(corpus, encoder, preset=preset, device=self.parameters.device)

    def spec(self, system: System, seed: int) -> Spec:
        """The resolved specification of one run."""
        p = self.parameters
        inputs = dict(system.inputs)
        self._check(inputs)
        recipe = self._recipe_of(system)
        return Spec(
            paper=self.paper,
            setting=self.kind,
            dataset=p.dataset,
            split=self.dataset.split,
            encoder=self.encoder,
            preset=p.preset,
            profile=p.profile,
            inputs=inputs,
            train_share=system.train_share,
            model=recipe["model"],
            train=recipe["train"],
            seed=seed,
        )

    def _recipe_of(self, system: System) -> dict[str, dict]:
        """The recipe of the system's family, with its choices in their places."""
        p, choices = self.parameters, dict(system.choices)
        family = choices.get("family", self.paper)
        recipe = recipes.load(family, p.preset, p.profile, p.dataset)
        known = set(recipe["model"]) | set(recipe["train"])
        if unknown := set(choices) - known:
            raise ValueError(f"{self.paper} has no choice of {', '.join(sorted(unknown))}")
        return {
            group: {key: choices.get(key, value) for key, value in settings.items()}
            for group, settings in recipe.items()
        }

    def _check(self, modalities: Iterable[str]) -> None:
        missing = [m for m in modalities if m not in self.dataset.modalities]
        if missing:
            raise UserError(
                f"data set {self.parameters.dataset!r}",
                found=f"no {' and no '.join(missing)} features",
                expected=f"some of: {', '.join(self.dataset.modalities)}",
                remedy="Leave that modality out, or choose another data set (msalib data).",
            )

    @property
    def truth(self) -> Mapping | None:
        """What was planted, for the control."""
        return None if self.corpus is None else self.corpus.truth

    @cached_property
    def fingerprint(self) -> str | None:
        """Of the data set, or None where real data are not at hand."""
        return None if self.corpus is None else self.corpus.fingerprint()

    def run(self, systems: Sequence[System]) -> list[Record]:
        """Records of all these systems with every seed: read where there, else trained."""
        specs = [self.spec(s, seed) for s in systems for seed in range(self.parameters.seeds)]
        if self.parameters.refresh:
            self._train([spec for spec in specs if spec.hash() not in self._fresh])
            self._fresh |= {spec.hash() for spec in specs}
        else:
            self._train([spec for spec in specs if not spec.path().is_file()])
        return [self._checked(records.read(spec.path())) for spec in specs]

    @cached_property
    def features(self) -> Mapping[str, Features]:
        """What is at hand to hold records against: layers only where they are in their store."""
        if self.corpus is None:
            return {}
        found = dict(self.corpus.features)
        for encoder in () if self.tuned else self.encoders.values():
            preset = self.parameters.preset
            if encoders.store_folder(self.corpus.name, encoder, preset).is_dir():
                found[encoder.modality] = encoders.read(self.corpus, encoder, preset)
        return found

    def _checked(self, record: Record) -> Record:
        for modality, recorded in record.provenance.features.items():
            at_hand = self.features[modality].provenance if modality in self.features else {}
            differ = [k for k in IDENTITY if k in at_hand and at_hand[k] != recorded.get(k)]
            if differ:
                raise UserError(
                    record.spec.path(),
                    found=f"a record of other {modality} features ({differ[0]} "
                    f"{recorded.get(differ[0], 'unknown')[:16]})",
                    expected=f"the features at hand ({at_hand[differ[0]][:16]})",
                    remedy="Run it again on these features (-p refresh true), or restore them.",
                )
        if self.fingerprint not in (None, record.provenance.data):
            raise UserError(
                record.spec.path(),
                found=f"a record of other data (fingerprint {record.provenance.data[:12]})",
                expected=f"the data at hand ({self.fingerprint[:12]})",
                remedy="Run it again on these data (-p refresh true), or restore the data.",
            )
        return record

    def _train(self, specs: list[Spec]) -> None:
        """Train and record these runs, beside other processes that may be at the same."""
        # These models are so small that a second thread gains little, loses much beside any other
        # load, and would let the number of cores change the last digits. An encoder that is
        # fine-tuned is large enough for all.
        if specs:
            with nullcontext() if self.tuned else one_thread():
                self._train_groups(specs)

    def _train_groups(self, specs: list[Spec]) -> None:
        device = pick_device(self.parameters.device)
        inputs = {modality for spec in specs for modality in spec.inputs}
        training = Trainer(self.encoded_for(inputs), device)
        busy = []
        for group in bar(training.groups(specs), "training", "group of runs"):
            with ExitStack() as held:
                mine = []
                for spec in group:
                    free = held.enter_context(files.reserved(spec.path(), wait=False))
                    (mine if free else busy).append(spec)
                self._train_group(training, mine)
        for spec in busy:  # another process has it, or died over it
            with files.reserved(spec.path(), wait=True):
                self._train_group(training, [spec])

    def _train_group(self, training, specs: list[Spec]) -> None:
        if not self.parameters.refresh:  # another process may have finished some meanwhile
            specs = [spec for spec in specs if not spec.path().is_file()]
        for record in training.train(specs) if specs else ():
            records.write(record)
