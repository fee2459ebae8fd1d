"""What runs read: a data set with its encoders, chosen by the parameters of a notebook."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import product

from msalib import encoders, papers
from msalib.base import files, paths
from msalib.base.errors import UserError, unknown
from msalib.base.presets import PRESETS
from msalib.base.provenance import pick_device
from msalib.data import datasets, folds, streams
from msalib.data.corpus import TUNED, Corpus, Features
from msalib.data.streams import Context
from msalib.encoders import Encoder
from msalib.encoders.names import check_tunable
from msalib.encoders.registry import TUNED_ENDING
from msalib.models import recipes
from msalib.runs import names as readers_names
from msalib.runs.parameters import validated
from msalib.runs.records import Record, Setting
from msalib.runs.records import files as files_of

BASELINES = "baselines"
"""Namespace of systems that belong to no paper: trained once, read by all."""

IDENTITY = ("revision", "fingerprint", "values", "sha256")
"""What in the provenance of features says that they are the same numbers."""


class Inputs:
    """A data set with its encoders, and the names of both.

    ``encoder`` is one encoder, several joined by "+" (one per modality) or a name for several
    (``encoders.SETS``); "auto" is what the data set offers: ``planted`` layers on the control,
    ``minilm`` on real transcripts. Raises ``UserError`` for any parameter that makes no sense.
    """

    def __init__(self, paper: str, **parameters):
        self.parameters = p = validated(parameters)
        if paper not in (names := [*recipes.papers(), BASELINES]):
            remedy = "Name a paper whose exhibits are here."
            raise unknown("paper", paper, names, found="no runs of it", remedy=remedy)
        recipes.check(p.preset, p.profile)
        self.paper = paper
        self.dataset = datasets.dataset(p.dataset)
        self.task = self.dataset.target(p.target or None)
        self._encoded: dict[str, Features] = {}  # modality -> features of its encoder
        shipped = self.dataset.shipped
        name = self._usual_encoder() if p.encoder == "auto" else p.encoder
        self.tuned = name.endswith(TUNED_ENDING) and not paths.is_folder(name)
        base = name.removesuffix(TUNED_ENDING) if self.tuned else name
        self._check_encoder(name)
        self.encoders = {} if name == shipped else self._chosen(base)
        if self.tuned:
            usual = encoders.resolve_all(self.dataset.encoder).get("linguistic")
            readable = usual if "linguistic" in self.dataset.raw else None
            check_tunable(p.encoder, self.encoders, readable)
        self._check_split()
        known = name == shipped or base in encoders.SETS
        ending = TUNED_ENDING if self.tuned else ""
        self.encoder = (base if known else encoders.joined(self.encoders)) + ending
        if self.encoders:
            layerless = [m for m, e in self.encoders.items() if e.handcrafted]
            self.dataset = self.dataset.encoded(self.encoders, layerless)

    # --- encoders -------------------------------------------------------------------------------

    def _usual_encoder(self) -> str:
        """Return what "auto" stands for: fine-tuned where the paper does so and all can be.

        A paper may read other frames of a data set, or more of it, than is usual (``ENCODERS``).
        """
        if self.dataset.shipped:
            return self.dataset.shipped
        usual = papers.fact(self.paper, "ENCODERS", {})
        name = usual.get(self.parameters.dataset, self.dataset.encoder)
        tuned = papers.fact(self.paper, "FINE_TUNES", False)
        if tuned and all(encoder.tunable for encoder in self._chosen(name).values()):
            return name + TUNED_ENDING
        return name

    def _check_encoder(self, name: str) -> None:
        """Refuse encoders for features as they come, and fine-tuning where the paper has none."""
        p, shipped = self.parameters, self.dataset.shipped
        if shipped and name != shipped and not self.dataset.raw:
            raise UserError(
                f"encoder {p.encoder!r}",
                found=f"an encoder for {p.dataset}, which comes with its features",
                expected=f"{shipped}, their name",
                remedy="Leave -p encoder out, or choose a data set whose transcripts are encoded.",
            )
        if self.tuned and papers.fact(self.paper, "FROZEN_ONLY", False):
            raise UserError(
                f"encoder {p.encoder!r}",
                found="an encoder that is to be fine-tuned",
                expected=f"a frozen one: the model of {self.paper} reads features",
                remedy=f"Leave {TUNED_ENDING} out.",
            )

    def _chosen(self, name: str) -> dict[str, Encoder]:
        """Return modality -> encoder, of those that this data set has something for."""
        by_modality = encoders.resolve_all(name)
        read = papers.fact(self.paper, "MODALITIES", streams.MODALITIES)
        raw = [m for m in self.dataset.raw if m in read]
        useless = [e.name for m, e in by_modality.items() if m not in raw]
        if useless and (name not in encoders.SETS or len(useless) == len(by_modality)):
            raise UserError(
                f"encoder {' and '.join(useless)}",
                found=f"nothing of {self.parameters.dataset} for it to read",
                expected=f"an encoder of its {' or '.join(raw)} modality",
                remedy="Choose other encoders (msalib doctor) or another data set (msalib data).",
            )
        # In one order, so that records have one name however the encoders were joined.
        return {m: by_modality[m] for m in streams.MODALITIES if m in by_modality and m in raw}

    def _check_split(self) -> None:
        """Refuse features that another split's training part made: test clips may be in it."""
        split = self.parameters.split or self.dataset.split
        fitted = [e.name for e in self.encoders.values() if e.fitted]
        if fitted and split != "standard":
            raise UserError(
                f"encoder {self.parameters.encoder!r} with split {split}",
                found=f"{' and '.join(fitted)}, fitted on the training part of the standard split",
                expected="that split",
                remedy="Leave -p split out, or choose another encoder (msalib doctor).",
            )

    # --- names ----------------------------------------------------------------------------------

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
        kind = "" if self.kind == "control" else f"{self.kind}: "
        what = ", ".join([readers_names.inputs(p.dataset, self.encoder), *self._unusual()])
        words = f"{kind}{what}; {p.preset} recipe, profile {p.profile}, {p.seeds} seeds"
        if self.dataset.real and any(e.name.startswith("small-") for e in self._registered()):
            words += "; the encoders know simulated clips only: a demonstration"
        return words

    @property
    def name(self) -> str:
        """The setting as titles name it: data, what is read, encoder, and what is unusual."""
        p = self.parameters
        setting = readers_names.full(Setting(p.dataset, self.encoder, p.preset, p.profile))
        return ", ".join([setting, *self._unusual()])

    def _unusual(self) -> list[str]:
        """Return what is unusual about the data that this setting reads."""
        p = self.parameters
        added = p.dataset not in readers_names.DATA  # others are named with what is read of them
        parts = [f"{modality} vectors" for modality in self.dataset.vectors if added]
        parts += [f"with {self.context.words}"] if self.context else []
        parts += [f"split {p.split}"] if p.split else []
        return parts + ([f"target {p.target}"] if p.target else [])

    # --- data -----------------------------------------------------------------------------------

    @cached_property
    def corpus(self) -> Corpus | None:
        """The data set, or None where real data are missing and records must do."""
        name = self.parameters.dataset
        return datasets.load(name) if datasets.is_available(name) else None

    def required(self) -> Corpus:
        """Return the data set; where it is missing, ``UserError`` that names records to read."""
        if self.corpus is not None:
            return self.corpus
        try:
            return datasets.load(self.parameters.dataset)  # says what is missing
        except UserError as error:
            remedy = f"{error.remedy} {self._records_instead()}".strip()
            raise UserError(
                error.where, found=error.found, expected=error.expected, remedy=remedy
            ) from error

    def _records_instead(self) -> str:
        """Return how to read records of the full recipe of these data, empty where none are."""
        p, folder = self.parameters, datasets.folder(self.parameters.dataset)
        known = [n for n in datasets.DATASETS if datasets.folder(n) == folder]
        alike = [n for n in known if n != p.dataset and not datasets.dataset(n).leaky]
        for name, preset in product([p.dataset, *alike], dict.fromkeys([p.preset, *PRESETS])):
            asked = {"dataset": name, "encoder": p.encoder, "preset": preset, "profile": "full"}
            changed = {n: value for n, value in asked.items() if value != getattr(p, n)}
            with suppress(UserError):  # some may have nothing for this encoder to read
                encoder = Inputs(self.paper, **asked).encoder
                if changed and files_of(self.paper, Setting(name, encoder, preset, "full")):
                    chosen = " ".join(f"-p {n} {value}" for n, value in changed.items())
                    return f"Records of the full recipe need no data: {chosen}."
        return ""

    def check(self) -> None:
        """Refuse what a run would refuse once it has started: a device, and a split of the data.

        Data that are missing are not refused: there may be records to read.
        """
        if self.parameters.device != "auto":
            pick_device(self.parameters.device)
        if self.parameters.split and self.corpus is not None:
            self.corpus.rows("train", self.parameters.split)

    def check_parts(self) -> None:
        """Refuse training on a split that lacks a part; the usual ones of built-in data do not."""
        split = self.parameters.split
        if split or self.parameters.dataset not in datasets.DATASETS:
            folds.check_whole(self.required(), split or self.dataset.split)

    @property
    def truth(self) -> Mapping | None:
        """What was planted in a control."""
        return None if self.corpus is None else self.corpus.truth

    @cached_property
    def fingerprint(self) -> str | None:
        """The fingerprint of the data set, or None where real data are missing."""
        return None if self.corpus is None else self.corpus.fingerprint()

    def blocks(self, modality: str) -> int:
        """Return the number of blocks of a modality's encoder; 1 for vectors as they come.

        Layers are numbered from 0, the encoder's input, to this.
        """
        if modality in self.dataset.vectors:
            return 1
        if modality in self.encoders and (blocks := self.encoders[modality].blocks):
            return blocks  # no weights needed to read records
        return max(self.encoded_for([modality]).features[modality].layers)

    @property
    def last_layers(self) -> dict[str, int | str]:
        """Every modality with the last layer of its encoder, the usual input of a model."""
        return {
            m: TUNED if self.tuned and m in self.dataset.layered else self.blocks(m)
            for m in self.dataset.modalities
        }

    @property
    def context(self) -> Context | None:
        """The context that the parameters ask for, whatever the system."""
        p = self.parameters
        windows = dict.fromkeys(self.dataset.modalities, p.context)
        return Context(p.context_kind, windows) if p.context else None

    def check_streams(self, names: Iterable[str], context: Context | None) -> None:
        """Refuse streams that this data set does not have, and separate context that none reads."""
        names, available = list(names), list(self.dataset.modalities)
        if context and context.kind == "separate":
            available += [streams.context_of(m) for m in available if context.windows.get(m)]
            if not any(map(streams.is_context, names)):
                raise UserError(
                    f"{context.words}",
                    found=f"a model that reads {', '.join(names)} and no context",
                    expected=f"a model with an input such as {available[-1]}",
                    remedy="Join context and clip (context_kind joined), or leave context out.",
                )
        if missing := [stream for stream in names if stream not in available]:
            raise UserError(
                f"data set {self.parameters.dataset!r}",
                found=f"no {' and no '.join(missing)} features",
                expected=f"some of: {', '.join(available)}",
                remedy="Leave that modality out, or choose another data set (msalib data).",
            )

    # --- features -------------------------------------------------------------------------------

    @cached_property
    def encoded(self) -> Corpus:
        """The corpus with the features of all its encoders, encoded now where that is to do."""
        return self.encoded_for(self.encoders)

    def encoded_for(self, names: Iterable[str], context: Context | None = None) -> Corpus:
        """Return the corpus with the encoded features of these streams and of no other.

        ``context`` is that of the parameters where none is given. An encoder is asked for only
        where its features are, so that runs on vectors need no weights. Raises ``UserError`` where
        data or weights are missing.
        """
        corpus = self.required()
        modalities = {streams.modality_of(stream) for stream in names}
        context = context or self.context
        if context:
            self._check_context(corpus, context)
        for modality in self.encoders:
            if modality in modalities:
                corpus = corpus.with_features(modality, self._features_of(modality))
        if context:
            joined = context.kind == "joined"
            present = {m: k for m, k in context.windows.items() if m in modalities}
            corpus = streams.context(corpus, present, joined)
            if self.tuned and present.get("linguistic") and "linguistic" in self.encoders:
                corpus = self._tokens_of_context(corpus, context)
        return corpus

    def _check_context(self, corpus: Corpus, context: Context) -> None:
        """Refuse context where no clip has any: that run would be one without, renamed.

        Lines that a source states before a clip are read by a fine-tuned text encoder alone.
        """
        stated = self.tuned and "context" in corpus.utterances
        longest = max(context.windows.values())
        if stated or any(streams.predecessors(corpus.utterances, longest)):
            return
        raise UserError(
            f"context in {self.parameters.dataset}",
            found="no clip with another before it in its video",
            expected="videos or dialogues of several clips",
            remedy="Leave context out, or choose another data set (msalib data).",
        )

    def _tokens_of_context(self, corpus: Corpus, context: Context) -> Corpus:
        """Return the corpus with preceding texts as one sequence of tokens for each clip."""
        from msalib.encoders import tuned

        joined = context.kind == "joined"
        stream = "linguistic" if joined else streams.context_of("linguistic")
        encoder = encoders.resolve(self.encoders["linguistic"].argument)
        return corpus.with_features(stream, tuned.inputs(corpus, encoder, context=context.kind))

    def _features_of(self, modality: str) -> Features:
        """Return the features of a modality's encoder, encoded now where that was not done yet."""
        if modality not in self._encoded:
            corpus = self.required()
            encoder = encoders.resolve(self.encoders[modality].argument)  # says what is missing
            if self.tuned:
                from msalib.encoders import tuned

                longest = papers.fact(self.paper, "SECONDS", tuned.SECONDS)
                self._encoded[modality] = tuned.inputs(corpus, encoder, seconds=longest)
            else:
                self._encode(corpus, encoder)
                features = encoders.read(corpus, encoder, self.parameters.preset)
                self._encoded[modality] = features
        return self._encoded[modality]

    def _encode(self, corpus: Corpus, encoder: Encoder) -> None:
        preset = self.parameters.preset
        folder = encoders.store_folder(corpus.name, encoder, preset)
        if not folder.is_dir():
            with files.reserved(folder, wait=True):
                encoders.encode(corpus, encoder, preset=preset, device=self.parameters.device)

    @cached_property
    def stored(self) -> Mapping[str, Features]:
        """Features to compare records with: those of an encoder only where it has a store."""
        if self.corpus is None:
            return {}
        features = dict(self.corpus.features)
        for encoder in () if self.tuned else self.encoders.values():
            preset = self.parameters.preset
            if encoders.store_folder(self.corpus.name, encoder, preset).is_dir():
                features[encoder.modality] = encoders.read(self.corpus, encoder, preset)
        return features

    def check_record(self, record: Record) -> Record:
        """Return a record of these data and features; ``UserError`` for one of others."""
        for stream, recorded in record.provenance.features.items():
            modality = streams.modality_of(stream)
            present = self.stored[modality].provenance if modality in self.stored else {}
            differ = [k for k in IDENTITY if k in present and present[k] != recorded.get(k)]
            if differ:
                raise UserError(
                    record.spec.path(),
                    found=f"a record of other {stream} features ({differ[0]} "
                    f"{recorded.get(differ[0], 'unknown')[:16]})",
                    expected=f"the available features ({present[differ[0]][:16]})",
                    remedy="Run it again on these features (-p refresh true), or restore them.",
                )
        if self.fingerprint not in (None, record.provenance.data):
            raise UserError(
                record.spec.path(),
                found=f"a record of other data (fingerprint {record.provenance.data[:12]})",
                expected=f"the available data ({self.fingerprint[:12]})",
                remedy="Run it again on these data (-p refresh true), or restore the data.",
            )
        return record
