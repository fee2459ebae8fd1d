"""The records of one setting, asked by what was trained: predictions, gates, best blocks."""

from collections.abc import Iterable

import numpy as np

from msalib.base import stats
from msalib.base.errors import UserError
from msalib.data.corpus import MODALITIES
from msalib.runs.records import Predictions, Record, System, system

FEATURES = ("input", "output", "mid_best", "weighted")
"""Rows of UEGD's Tables 2 and 3. ``input`` (layer 0) stands in for conventional features."""

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Of the training clips, for what depends on their number (UEGD-C16, C17)."""


class Runs:
    """Records of one setting by system and seed.

    In a sweep that is not finished some systems have fewer seeds; whatever compares several uses
    the seeds that all of them have.
    """

    def __init__(self, found: Iterable[Record]):
        self._runs: dict[System, dict[int, Record]] = {}
        self._used: dict[int, Record] = {}
        self._correlations: dict[tuple[str, str], tuple] = {}
        for record in found:
            seeds = self._runs.setdefault(record.spec.system, {})
            known = seeds.get(record.spec.seed, record)
            if known.spec != record.spec:
                raise UserError(
                    record.spec.path().parent,
                    found=f"{record.name()} beside {known.name()}, which differ in recipe only",
                    expected="one record per system and seed",
                    remedy="Delete the one that does not belong to today's recipe.",
                )
            seeds[record.spec.seed] = record

    # --- what is there --------------------------------------------------------------------------

    @property
    def systems(self) -> list[System]:
        return list(self._runs)

    @property
    def dataset(self) -> str:
        """The data set that they all are of."""
        return next(iter(next(iter(self._runs.values())).values())).spec.dataset

    @property
    def modalities(self) -> list[str]:
        """Modalities that were trained alone."""
        single = {s.inputs[0][0] for s in self._runs if len(s.inputs) == 1}
        return [m for m in MODALITIES if m in single]

    @property
    def layered(self) -> list[str]:
        """Those of them whose encoder has several blocks."""
        return [m for m in self.modalities if self.blocks(m) and self._last(m) > 1]

    def blocks(self, modality: str) -> list[int]:
        """Blocks that were trained alone, ascending; 0, the encoder's input, is no block."""
        layers = [s.inputs[0][1] for s in self._plain(modality)]
        return sorted(k for k in layers if isinstance(k, int) and k > 0)

    def lacks(self, modality: str) -> str | None:
        """What a comparison of all blocks of this modality needs and the records have not."""
        blocks = self.blocks(modality)
        if not blocks:
            return f"{modality} layers of the same clips"
        last = self._last(modality)
        missing = [str(k) for k in range(1, last + 1) if k not in blocks]
        if missing:
            return f"{modality} block{'s' * (len(missing) > 1)} {', '.join(missing)} of {last}"
        if last < 2:
            return f"two or more {modality} blocks"
        # One training cannot tell its own luck from an effect.
        return None if len(self.seeds(*self.single(modality))) > 1 else f"a second {modality} seed"

    def has(self, *systems: System) -> bool:
        """Whether all of these were trained, with a seed that they share."""
        return bool(self.seeds(*systems))

    def seeds(self, *systems: System) -> list[int]:
        """Seeds that all of these have."""
        return sorted(set.intersection(*(set(self._runs.get(s, ())) for s in systems)))

    # --- which system is meant ------------------------------------------------------------------

    def single(self, modality: str) -> list[System]:
        """The blocks of a modality, each alone."""
        return [system({modality: k}) for k in self.blocks(modality)]

    def mid_best(self, modality: str) -> int:
        """The block with the highest seed-mean validation correlation (undefined ones last)."""
        found = self.records(*self.single(modality))
        scores = [[record.metrics["valid"]["corr"] for record in own] for own in found]
        mean = [-1.0 if None in own else np.mean(own) for own in scores]
        return self.blocks(modality)[int(np.argmax(mean))]

    def feature(self, modalities: Iterable[str], feature: str, **differently) -> System:
        """These modalities with one of ``FEATURES`` or "uniform"; vectors come as they are.

        ``differently``: fusion or train_share, as for ``records.system``.
        """
        layers = {}
        for m in modalities:
            if m not in self.layered:
                layers[m] = 1
            elif feature == "mid_best":
                layers[m] = self.mid_best(m)
            else:
                layers[m] = {"input": 0, "output": self._last(m)}.get(feature, feature)
        return system(layers, **differently)

    # --- what was found -------------------------------------------------------------------------

    def records(self, *systems: System) -> list[list[Record]]:
        """Records of each system in the order of the seeds that all of them have."""
        seeds = self.seeds(*systems)
        found = [[self._runs[s][seed] for seed in seeds] for s in systems]
        self._used |= {id(record): record for own in found for record in own}
        return found

    @property
    def used(self) -> list[Record]:
        """The records that were read so far, each once."""
        return list(self._used.values())

    def predictions(self, part: str, *systems: System) -> list[np.ndarray]:
        """(S, N) for each system, in the clip order of ``truth``."""
        ids = self._clips(part).id
        stacked = []
        for own in self.records(*systems):
            for record in own:
                if record.predictions[part].id != ids:
                    raise ValueError(f"{record.name()} judges other clips than its neighbours")
            stacked.append(np.array([record.predictions[part].prediction for record in own]))
        return stacked

    def gates(self, *systems: System) -> list[dict[str, np.ndarray]]:
        """Of each system, gate weight (S, N) of every modality on the test clips, used or not."""
        return [
            {m: np.array([record.gates[m] for record in own]) for m in MODALITIES}
            for own in self.records(*systems)
        ]

    def truth(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Labels (N,) and videos (N,)."""
        clips = self._clips(part)
        return np.array(clips.label), np.array(clips.video)

    def correlations(self, modality: str, part: str) -> tuple[list[int], np.ndarray, np.ndarray]:
        """Blocks, their seed-mean correlation (K,), and the same per video resample (R, K)."""
        systems = self.predictions(part, *self.single(modality))
        if (modality, part) not in self._correlations:
            label, videos = self.truth(part)
            self._correlations[modality, part] = stats.correlations(label, systems, videos)
        return self.blocks(modality), *self._correlations[modality, part]

    def _plain(self, modality: str) -> list[System]:
        """Systems of this modality alone, trained on all clips, one per layer."""
        return [s for s in self._runs if s == system({modality: s.inputs[0][1]})]

    def _last(self, modality: str) -> int:
        """Number of blocks of the encoder, whether or not all were trained."""
        return next(iter(self._runs[self._plain(modality)[0]].values())).blocks[modality]

    def _clips(self, part: str) -> Predictions:
        return next(iter(next(iter(self._runs.values())).values())).predictions[part]
