"""Which records a page reads or trains, and which claims it judges by them.

Where the usual split of a data set is a fold, all folds are read, pooled.
"""

from collections.abc import Iterable, Mapping

from msalib.data import folds as of_corpus
from msalib.evidence import registry
from msalib.evidence.common import not_run
from msalib.evidence.verdicts import Verdict, judge
from msalib.runs import folds, records
from msalib.runs.records import Record, Setting
from msalib.runs.spec import System, without_usual
from msalib.runs.study import Study


def setting(study: Study, family: str = "") -> str:
    """Return the setting of a page in words, with the folds that it pools (``parts``)."""
    return study.setting + (", all folds pooled" if len(parts(study, family)) > 1 else "")


def parts(study: Study, family: str = "") -> list[Study]:
    """Return the study, or one study per fold where the usual split of its data is a fold.

    ``family`` names the folds where the usual split is none. How many they are a split may say
    (``video1of5``), else the data, else the records.
    """
    fold = folds.fold(study.dataset.split)
    if study.parameters.split or (fold is None and not family):
        return [study]
    if fold is not None and fold.folds is not None:
        names = [f"{fold.family}{k}of{fold.folds}" for k in range(1, fold.folds + 1)]
    else:
        names = _folds(study, fold.family if fold else family)
    parameters = study.parameters.model_dump()
    return [Study(study.paper, **parameters | {"split": name}) for name in names] or [study]


def _folds(study: Study, family: str) -> list[str]:
    if study.corpus is not None:
        return list(of_corpus.folds(study.corpus, family))
    known = {record.spec.split for record in records.find(study.paper, _where(study))}
    return sorted(s for s in known if (fold := folds.fold(s)) and fold.family == family)


def _where(study: Study) -> Setting:
    p = study.parameters
    return Setting(p.dataset, study.encoder, p.preset, p.profile)


def gather(study: Study, systems: Iterable[System], family: str = "") -> list[Record]:
    """Return the records of these systems, the folds of a cross-validation as one record.

    The full recipe takes hours, so its records are only read, unless the study asks for a refresh.
    The profile ``quick`` trains what is missing, but for encoders of real data. ``family``: of
    folds (``parts``).
    """
    systems, p = list(dict.fromkeys(asked(study, wanted) for wanted in systems)), study.parameters
    quick = p.profile == "quick" and not (study.tuned and study.dataset.real)
    trains = p.refresh or (quick and study.corpus is not None)
    found = []
    for one in parts(study, family):
        found += one.run(systems) if trains else one.recorded(systems)
    return folds.pool(found)


def asked(study: Study, known: System) -> System:
    """Return a system as it is asked for: without the choices that its recipe makes anyway."""
    p, family = study.parameters, dict(known.choices).get("family", study.paper)
    choices = without_usual(known.choices, family, p.preset, p.profile, p.dataset)
    return known._replace(choices=choices)


def hurried(study: Study) -> bool:
    """Check whether encoders are fine-tuned in profile quick, which has time for few runs."""
    return study.tuned and study.parameters.profile == "quick"


def resolved(study: Study, named: Mapping[str, System]) -> dict[str, System]:
    """Return systems as records name them: presets and profiles change what is not varied, too."""
    return {name: study.spec(wanted, 0).system for name, wanted in named.items()}


def judged(study: Study, found: list[Record], claims: Iterable[int | str]) -> list[Verdict]:
    """Judge claims on the records found; without any none can be.

    ``claims`` are numbers of the paper's, or names of ours, such as "X1".
    """
    names = (f"C{one}" if isinstance(one, int) else one for one in claims)
    ids = {f"{study.paper.upper()}-{name}" for name in names}
    asked = registry.claims(study.paper, ids)
    if found:
        return judge(asked, found)
    evidence = not_run(["runs of this page"])
    return [Verdict(claim, study.kind, _where(study), evidence, []) for claim in asked]
