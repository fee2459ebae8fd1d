"""Claims: registry -> tests -> verdicts. A verdict is computed, never typed.

``book/claims/<paper>.yaml`` states each claim and names its test, a function of ``evidence``. A
test reads the records of one setting and nothing else.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from msalib import printed, readers, records
from msalib.errors import UserError
from msalib.evidence import TESTS, Evidence, Word, not_run
from msalib.metrics import METRICS
from msalib.paths import CLAIMS
from msalib.records import Record, Setting
from msalib.runs import Runs

AS_PUBLISHED = [
    Setting(name, encoder, "release", "paper")
    for name, dataset in readers.DATASETS.items()
    for encoder in dataset.as_published
]
"""Settings that a reader asks for first; where they have no records, the ledger says so."""

KINDS = ("as-published", "substitute", "control")
"""Settings that verdicts are about, in the order of the ledger. A leaky one is no evidence."""

NAMES = {"variance_intra": "within", "variance_total": "total"}


class PrintedEffect(BaseModel):
    """Printed numbers, each a metric of a variant of a system on a data set.

    With ``minus`` the difference to that variant, with ``over`` the ratio to that metric.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    exhibit: str
    datasets: list[str]
    system: str = "UEGD"
    variants: list[str]
    minus: str | None = None
    metrics: list[str]
    over: str | None = None


class Claim(BaseModel):
    """One entry of the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    statement: str
    exhibit: str
    printed: list[PrintedEffect]
    test: Literal[*TESTS]
    arguments: dict
    rule: str
    later: str
    reading: dict[Word, Annotated[str, Field(min_length=1)]]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Arguments are those of the test, and every verdict has its sentence."""
        signature(TESTS[self.test]).bind(None, **self.arguments)
        if lacking := set(Word.__args__) - set(self.reading):
            raise ValueError(f"{self.id} has no reading for {', '.join(sorted(lacking))}")
        return self


@dataclass(frozen=True)
class Verdict:
    """A claim in a setting: evidence, and the records that the test read."""

    claim: Claim
    setting: Setting
    evidence: Evidence
    records: list[Record]

    @property
    def reading(self) -> str:
        """What the verdict means, in a sentence."""
        return self.claim.reading[self.evidence.verdict]


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
    """Every claim of a paper in every setting that has records, and as published in any case.

    Leaky settings are left out.
    """
    chosen = registry(paper)
    settings = [s for s in records.settings(paper) if kind(s) in KINDS]
    verdicts = [
        verdict for setting in settings for verdict in judge(chosen, records.find(paper, setting))
    ]
    for setting in AS_PUBLISHED:
        if setting not in settings:
            needs = f"{setting.encoder} layers of {setting.dataset} (README, 'Your own GPU')"
            verdicts += [
                Verdict(claim, setting, not_run([f"{needs}; for all of it: {claim.later}"]), [])
                for claim in chosen
            ]
    return sorted(verdicts, key=lambda v: KINDS.index(kind(v.setting)))


def kind(setting: Setting) -> str:
    """as-published, substitute, control or leaky."""
    return readers.dataset(setting.dataset).setting(setting.encoder, setting.profile)


def judge(chosen: Iterable[Claim], found: list[Record]) -> list[Verdict]:
    """These claims on the records of one setting; leaky ones count for none."""
    spec = found[0].spec
    setting = Setting(spec.dataset, spec.encoder, spec.preset, spec.profile)
    if spec.setting == "leaky":
        evidence = not_run(["features that have not seen labels of the test part"])
        return [Verdict(claim, setting, evidence, []) for claim in chosen]
    return [_judged(claim, setting, Runs(found)) for claim in chosen]


def _judged(claim: Claim, setting: Setting, runs: Runs) -> Verdict:
    evidence = TESTS[claim.test](runs, **claim.arguments)
    read = runs.used if evidence.effects or evidence.verdict != "not run" else []
    return Verdict(claim, setting, evidence, read)


def printed_effects(paper: str, claim: Claim, about: str | None = None) -> list[str]:
    """The claim's effect as the paper prints it, one phrase per data set and variant.

    Where some is printed for the data set ``about``, only that.
    """
    every = {dataset for effect in claim.printed for dataset in effect.datasets}
    wanted = {about} if about in every else every
    return [
        f"{dataset.upper()} {_words(effect, variant)}: "
        + ", ".join(_printed(paper, effect, dataset, variant, metric) for metric in effect.metrics)
        for effect in claim.printed
        for dataset in effect.datasets
        if dataset in wanted
        for variant in effect.variants
    ]


def _words(effect: PrintedEffect, variant: str) -> str:
    names = variant if effect.minus is None else f"{variant} minus {effect.minus}"
    names = names.replace("_", " ")
    return names if effect.system == "UEGD" else f"{effect.system} {names}"


def _printed(paper: str, effect: PrintedEffect, dataset: str, variant: str, metric: str) -> str:
    def value(variant, metric):
        return _value(paper, effect.exhibit, dataset, effect.system, variant, metric)

    label = METRICS[metric].label if metric in METRICS else NAMES.get(metric, metric)
    if effect.minus is not None:
        return f"{label} {value(variant, metric) - value(effect.minus, metric):+.3f}"
    if effect.over is not None:
        share = value(variant, metric) / value(variant, effect.over)
        return f"{label} / {NAMES[effect.over]} {share:.2f}"
    number = value(variant, metric)
    return f"{label} {METRICS[metric].show(number) if metric in METRICS else format(number, 'g')}"


@cache
def _value(paper: str, exhibit: str, dataset: str, system: str, variant: str, metric: str) -> float:
    return float(printed.cell(paper, exhibit, dataset, system, variant, metric)["value"])
