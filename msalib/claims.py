"""Claims: registry -> tests -> verdicts. A verdict is computed, never typed.

``book/claims/<paper>.yaml`` states each claim and names its test here. A test reads the records of
one setting and nothing else.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from msalib import printed, readers, records, stats
from msalib.errors import UserError
from msalib.metrics import METRICS
from msalib.paths import CLAIMS
from msalib.records import Record, Setting
from msalib.stats import Estimate

AS_PUBLISHED = [
    Setting(name, encoder, "release", "paper")
    for name, dataset in readers.DATASETS.items()
    for encoder in dataset.as_published
]
"""Settings that a reader asks for first; where they have no records, the ledger says so."""

Word = Literal["supported", "contradicted", "inconclusive", "not run"]


class PrintedEffect(BaseModel):
    """A printed number, or with ``minus`` the difference of two, in each of some metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exhibit: str
    dataset: str
    system: str
    variant: str
    minus: str | None = None
    metrics: list[str]


class Claim(BaseModel):
    """One entry of the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    statement: str
    exhibit: str
    printed: list[PrintedEffect]
    test: Literal["midbest_better_than", "spread_smaller_than", "best_in_second_half"]
    arguments: dict[str, str | list[str]]
    rule: str
    later: str


class Evidence(NamedTuple):
    """What a test found: the verdict, named effects, and a sentence on what they are of."""

    verdict: Word
    effects: dict[str, Estimate]
    note: str


@dataclass(frozen=True)
class Verdict:
    """A claim in a setting: evidence and the records that it rests on."""

    claim: Claim
    setting: Setting
    evidence: Evidence
    records: list[Record]


class Runs:
    """The records of one setting, by modality and layer, with the seeds that all of them have.

    In a sweep that is not finished some inputs have fewer seeds; comparing them on those they
    share keeps every comparison paired.
    """

    def __init__(self, found: Iterable[Record]):
        self._runs: dict[tuple, dict[int, Record]] = {}
        for record in found:
            if len(record.spec.inputs) == 1:
                ((modality, layer),) = record.spec.inputs.items()
                seeds = self._runs.setdefault((modality, layer), {})
                if record.spec.seed in seeds:
                    raise UserError(
                        record.spec.path().parent,
                        found=f"{record.name()} beside {seeds[record.spec.seed].name()}, which "
                        "differ in recipe only",
                        expected="one record per input and seed",
                        remedy="Delete the one that does not belong to today's recipe.",
                    )
                seeds[record.spec.seed] = record
        self.seeds = sorted(set.intersection(*map(set, self._runs.values()))) if self._runs else []

    def blocks(self, modality: str) -> list[int]:
        """Blocks that have runs, ascending; 0, the encoder's input, is no block."""
        return sorted(k for m, k in self._runs if m == modality and isinstance(k, int) and k > 0)

    def lacks(self, modality: str) -> str | None:
        """What a comparison of all blocks of this modality needs and the records have not."""
        blocks = self.blocks(modality)
        if not blocks:
            return f"{modality} layers of the same clips"
        last = next(iter(self._runs[modality, blocks[-1]].values())).blocks[modality]
        missing = [str(k) for k in range(1, last + 1) if k not in blocks]
        if missing:
            return f"{modality} block{'s' * (len(missing) > 1)} {', '.join(missing)} of {last}"
        if last < 2:
            return f"two or more {modality} blocks"
        return None if self.seeds else "a seed that all inputs have"

    def has(self, modality: str, layer: int | str) -> bool:
        return (modality, layer) in self._runs

    def records(self, modality: str, layer: int | str) -> list[Record]:
        """Records of one input in the order of their seeds."""
        return [self._runs[modality, layer][seed] for seed in self.seeds]

    def predictions(self, modality: str, layer: int | str, part: str) -> np.ndarray:
        """(S, N) in the clip order of ``truth``."""
        ids = self._clips(part).id
        stacked = []
        for record in self.records(modality, layer):
            clips = record.predictions[part]
            if clips.id != ids:
                raise ValueError(f"{record.name()} judges other clips than its neighbours")
            stacked.append(clips.prediction)
        return np.array(stacked)

    def truth(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Labels (N,) and videos (N,)."""
        clips = self._clips(part)
        return np.array(clips.label), np.array(clips.video)

    def correlations(self, modality: str, part: str) -> tuple[list[int], np.ndarray, np.ndarray]:
        """Blocks, their seed-mean correlation (K,), and the same per video resample (R, K)."""
        blocks = self.blocks(modality)
        label, videos = self.truth(part)
        systems = [self.predictions(modality, k, part) for k in blocks]
        return blocks, *stats.correlations(label, systems, videos)

    def mid_best(self, modality: str) -> int:
        """The block with the highest seed-mean validation correlation (undefined ones last)."""
        blocks, correlation, _ = self.correlations(modality, "valid")
        return blocks[int(np.argmax(np.nan_to_num(correlation, nan=-np.inf)))]

    def _clips(self, part: str):
        return next(iter(self._runs.values()))[self.seeds[0]].predictions[part]


def midbest_better_than(runs: Runs, *, modality: str, other: str) -> Evidence:
    """T-MAE and T-CORR of papers/uegd.md (b): mid-best block against ``other``."""
    if needs := runs.lacks(modality):
        return not_run(needs)
    second = runs.blocks(modality)[-1] if other == "output" else other
    if not runs.has(modality, second):
        return not_run(f"the {modality} {other} input")
    first = runs.mid_best(modality)
    label, videos = runs.truth("test")
    a, b = (runs.predictions(modality, k, "test") for k in (first, second))
    effects = {
        "mae": stats.mae_difference(label, a, b, videos),
        "corr": stats.corr_difference(label, a, b, videos),
    }
    blocks, _, resampled = runs.correlations(modality, "valid")
    chosen = np.nan_to_num(resampled, nan=-np.inf).argmax(1) == blocks.index(first)
    note = (
        f"block {first} (best on validation, and in {chosen.mean():.0%} of its resamples) minus "
        f"{_layer_name(second)}"
    )
    if first == second:
        note += "; the same block, so no difference can show"
    else:
        note += "; " + _seed_by_seed(label, a, b)
    note += _undefined(effects)
    return Evidence(_all_of(effects, {"mae": -1, "corr": 1}), effects, note)


def _seed_by_seed(label: np.ndarray, a: np.ndarray, b: np.ndarray) -> str:
    """The paired differences of the seeds: mean, standard deviation, and how many are better."""
    mae = np.abs(a - label).mean(1) - np.abs(b - label).mean(1)
    phrases = [_over_seeds("mae", mae, -1)]
    if np.ptp(a, axis=1).all() and np.ptp(b, axis=1).all():
        first, second = (np.array([np.corrcoef(x, label)[0, 1] for x in s]) for s in (a, b))
        phrases.append(_over_seeds("corr", first - second, 1))
    return "seed by seed " + ", ".join(phrases)


def _over_seeds(metric: str, difference: np.ndarray, sign: int) -> str:
    sd = f" ± {difference.std(ddof=1):.3f}" if len(difference) > 1 else ""
    better = int((np.sign(difference) == sign).sum())
    mean = f"{METRICS[metric].label} {difference.mean():+.3f}{sd}"
    return f"{mean}, better in {better} of {len(difference)}"


def spread_smaller_than(runs: Runs, *, modality: str, others: list[str]) -> Evidence:
    """Spread of test correlation over blocks, of ``modality`` minus that of each of ``others``."""
    if needs := runs.lacks(modality):
        return not_run(needs)
    own, own_resampled = _spread(runs, modality)
    missing = [needs for m in others if (needs := runs.lacks(m))]
    if missing:
        effects = {f"spread {modality}": stats.estimate(own, own_resampled)}
        return not_run(" and ".join(missing), effects)
    effects, signs = {}, {}
    for m in others:
        spread, resampled = _spread(runs, m)
        effects[f"spread vs {m}"] = stats.estimate(own - spread, own_resampled - resampled)
        signs[f"spread vs {m}"] = -1
    note = f"spread over blocks, {modality} minus the other" + _undefined(effects)
    return Evidence(_all_of(effects, signs), effects, note)


def _spread(runs: Runs, modality: str) -> tuple[float, np.ndarray]:
    """Highest minus lowest block, less what equal blocks would show by sampling alone.

    Equal blocks have a spread too, and the larger the weaker they are, for weak correlations vary
    more. It is estimated from the resamples, moved to equal means; the resampled spreads, which
    have that part twice, are moved to the corrected estimate.
    """
    _, point, resampled = runs.correlations(modality, "test")
    by_chance = np.ptp(resampled - point, axis=1).mean()
    corrected = np.ptp(point) - by_chance
    spreads = np.ptp(resampled, axis=1)
    return corrected, spreads - spreads.mean() + corrected


def best_in_second_half(runs: Runs, *, modality: str) -> Evidence:
    """Share of resamples whose best block lies beyond the middle, on validation and on test."""
    if needs := runs.lacks(modality):
        return not_run(needs)
    effects, shares = {}, []
    for part in ("valid", "test"):
        blocks, correlation, resampled = runs.correlations(modality, part)
        if np.isnan(resampled).all(1).any():
            note = f"undefined: on {part}, no block has a correlation in every resample"
            return Evidence("inconclusive", {}, note)
        numbers = np.array(blocks)
        drawn = numbers[np.nan_to_num(resampled, nan=-np.inf).argmax(1)]
        best = numbers[np.nan_to_num(correlation, nan=-np.inf).argmax()]
        low, high = np.quantile(drawn, [stats.LEVEL / 2, 1 - stats.LEVEL / 2])
        share = float((drawn > max(blocks) / 2).mean())
        shares.append(share)
        effects[f"best block, {part}"] = Estimate(float(best), low, high, 1 - share)
    verdict: Word = "inconclusive"
    if min(shares) >= 1 - stats.LEVEL:
        verdict = "supported"
    elif max(shares) <= stats.LEVEL:
        verdict = "contradicted"
    note = (
        f"of {max(blocks)} blocks; beyond the middle in {shares[0]:.0%} (validation) and "
        f"{shares[1]:.0%} (test) of resamples"
    )
    return Evidence(verdict, effects, note)


TESTS = {f.__name__: f for f in (midbest_better_than, spread_smaller_than, best_in_second_half)}


def not_run(needs: str, effects: dict[str, Estimate] | None = None) -> Evidence:
    return Evidence("not run", effects or {}, f"needs {needs}")


def _all_of(effects: dict[str, Estimate], signs: dict[str, int]) -> Word:
    """All effects must differ from zero (Holm) in the claimed direction; one wrong contradicts."""
    differs = stats.holm(list(effects.values()))
    claimed = [np.sign(e.effect) == signs[name] for name, e in effects.items()]
    if any(d and not c for d, c in zip(differs, claimed, strict=True)):
        return "contradicted"
    return "supported" if all(differs) else "inconclusive"


def _undefined(effects: dict[str, Estimate]) -> str:
    """Why nothing is decided, where an effect has no interval; else nothing."""
    names = [name for name, e in effects.items() if np.isnan(e.low)]
    return f"; {' and '.join(names)} undefined, as for constant predictions" if names else ""


def _layer_name(layer: int | str) -> str:
    return f"block {layer}" if isinstance(layer, int) else f"the {layer} sum"


def registry(paper: str, ids: Container[str] | None = None) -> list[Claim]:
    """The claims of a paper, or those with these ids."""
    path = CLAIMS / f"{paper}.yaml"
    if not path.is_file():
        known = ", ".join(papers())
        raise UserError(
            f"paper {paper!r}",
            found="no claims of it",
            expected=f"one of {known}",
            remedy="Leave the paper out to see all.",
        )
    every = TypeAdapter(list[Claim]).validate_python(yaml.safe_load(path.read_text()))
    return [claim for claim in every if ids is None or claim.id in ids]


def papers() -> list[str]:
    """Papers that have a registry."""
    return sorted(path.stem for path in CLAIMS.glob("*.yaml"))


def evaluate(paper: str) -> list[Verdict]:
    """Every claim of a paper in every setting that has records, and as published in any case."""
    chosen, settings = registry(paper), records.settings(paper)
    verdicts = [
        verdict for setting in settings for verdict in judge(chosen, records.find(paper, setting))
    ]
    for setting in AS_PUBLISHED:
        if setting not in settings:
            needs = f"{setting.encoder} layers of {setting.dataset} (README, 'Your own GPU')"
            verdicts += [
                Verdict(claim, setting, not_run(f"{needs}; for all of it: {claim.later}"), [])
                for claim in chosen
            ]
    order = ("as-published", "substitute", "control")
    return sorted(verdicts, key=lambda v: order.index(kind(v.setting)))


def kind(setting: Setting) -> str:
    """as-published, substitute or control."""
    return readers.dataset(setting.dataset).setting(setting.encoder, setting.profile)


def judge(chosen: Iterable[Claim], found: list[Record]) -> list[Verdict]:
    """These claims on the records of one setting."""
    runs = Runs(found)
    spec = found[0].spec
    setting = Setting(spec.dataset, spec.encoder, spec.preset, spec.profile)
    return [
        Verdict(claim, setting, TESTS[claim.test](runs, **claim.arguments), found)
        for claim in chosen
    ]


def printed_effects(paper: str, claim: Claim) -> list[str]:
    """The claim's effect as the paper prints it, one phrase per data set."""
    return [
        f"{effect.dataset.upper()} "
        + ", ".join(_printed_effect(paper, effect, metric) for metric in effect.metrics)
        for effect in claim.printed
    ]


def _printed_effect(paper: str, effect: PrintedEffect, metric: str) -> str:
    label = METRICS[metric].label if metric in METRICS else metric
    first, second = (
        variant
        and printed.cell(paper, effect.exhibit, effect.dataset, effect.system, variant, metric)[
            "value"
        ]
        for variant in (effect.variant, effect.minus)
    )
    return f"{label} {first:g}" if second is None else f"{label} {first - second:+.3f}"
