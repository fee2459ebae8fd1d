"""A study: the parameters of a notebook -> specifications of runs -> records.

A run that has a record is read, any other is trained and recorded (``trainer``), so a killed study
goes on where it stopped, and two processes can share one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext

from msalib.base import files
from msalib.base.progress import bar
from msalib.base.provenance import one_thread, pick_device
from msalib.data.streams import Context, named_context
from msalib.models import recipes
from msalib.runs import records
from msalib.runs.inputs import Inputs
from msalib.runs.pretraining import Weights
from msalib.runs.records import Record
from msalib.runs.spec import Spec, System
from msalib.runs.trainer import Trainer


def context_of(model: Mapping) -> Context | None:
    """Return the context that the ``model`` group of a recipe asks for, if it has such a choice."""
    return named_context(str(model.get("context", "none")))


class Study(Inputs):
    """All runs of one paper in one setting; the parameters are those of ``Inputs``."""

    def __init__(self, paper: str, **parameters):
        super().__init__(paper, **parameters)
        self._fresh: set[str] = set()  # hashes of runs that a refresh has trained already
        self._pretrained = Weights(self)

    def spec(self, system: System, seed: int) -> Spec:
        """Return the resolved specification of one run."""
        p = self.parameters
        inputs = dict(system.inputs)
        recipe = self._recipe_of(system)
        self.check_streams(inputs, context_of(recipe["model"]) or self.context)
        return Spec(
            paper=self.paper,
            setting=self.kind,
            dataset=p.dataset,
            split=p.split or self.dataset.split,
            encoder=self.encoder,
            preset=p.preset,
            profile=p.profile,
            inputs=inputs,
            train_share=system.train_share,
            model=recipe["model"],
            train=recipe["train"],
            seed=seed,
            context={"window": p.context, "kind": p.context_kind} if p.context else {},
            target=p.target,
        )

    def _recipe_of(self, system: System) -> dict[str, dict]:
        """Return the recipe of the system's family, with its choices in their places."""
        p, choices = self.parameters, dict(system.choices)
        family = choices.get("family", self.paper)
        recipe = recipes.load(family, p.preset, p.profile, p.dataset)
        known = set(recipe["model"]) | set(recipe["train"])
        if unknown := set(choices) - known:
            raise ValueError(f"{family} has no choice of {', '.join(sorted(unknown))}")
        return {
            group: {key: choices.get(key, value) for key, value in settings.items()}
            for group, settings in recipe.items()
        }

    def run(self, systems: Sequence[System]) -> list[Record]:
        """Return records of all these systems with every seed; missing ones are trained."""
        specs = [self.spec(s, seed) for s in systems for seed in range(self.parameters.seeds)]
        if self.parameters.refresh:
            self._train([spec for spec in specs if spec.hash() not in self._fresh])
            self._fresh |= {spec.hash() for spec in specs}
        else:
            self._train([spec for spec in specs if not spec.path().is_file()])
        return [self.check_record(records.read(spec.path())) for spec in specs]

    def recorded(self, systems: Sequence[System]) -> list[Record]:
        """Return the records that these systems have, with every seed; nothing is trained."""
        specs = (self.spec(s, seed) for s in systems for seed in range(self.parameters.seeds))
        return [records.read(path) for spec in specs if (path := spec.path()).is_file()]

    def _train(self, specs: list[Spec]) -> None:
        """Train and record these runs, beside other processes that may be at the same."""
        # These models are so small that a second thread gains little, loses much beside any other
        # load, and would let the number of cores change the last digits. An encoder that is
        # fine-tuned is large enough for all.
        if specs:
            self.check_parts()
            with nullcontext() if self.tuned else one_thread():
                self._train_groups(specs)

    def _train_groups(self, specs: list[Spec]) -> None:
        busy: list[tuple[Trainer, Spec]] = []
        for trainer, group in self._groups(specs):
            with ExitStack() as locks:
                free = []
                for spec in group:
                    if locks.enter_context(files.reserved(spec.path(), wait=False)):
                        free.append(spec)
                    else:
                        busy.append((trainer, spec))
                self._train_group(trainer, free)
        for trainer, spec in busy:  # another process has it, or died over it
            with files.reserved(spec.path(), wait=True):
                self._train_group(trainer, [spec])

    def _groups(self, specs: list[Spec]) -> Iterator[tuple[Trainer, list[Spec]]]:
        """Yield what is trained together; runs that read other context need another corpus."""
        device, contexts = pick_device(self.parameters.device), {}
        for spec in specs:
            contexts.setdefault(str(spec.model.get("context", "none")), []).append(spec)
        for alike in contexts.values():
            inputs = {stream for spec in alike for stream in spec.inputs}
            corpus = self.encoded_for(inputs, context_of(alike[0].model))
            trainer = Trainer(corpus, device, self.parameters.target, self._pretrained)
            for group in bar(trainer.groups(alike), "training", "group of runs"):
                yield trainer, group

    def _train_group(self, trainer: Trainer, specs: list[Spec]) -> None:
        if not self.parameters.refresh:  # another process may have finished some meanwhile
            specs = [spec for spec in specs if not spec.path().is_file()]
        for record in trainer.train(specs) if specs else ():
            records.write(record)
