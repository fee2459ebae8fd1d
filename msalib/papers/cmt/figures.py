"""Figs 2 to 4 of CMT: one audio block, shares of the training clips, the penalty's weight."""

from collections.abc import Hashable, Mapping

from msalib.data.metrics import METRICS
from msalib.evidence.printed import table as printed_table
from msalib.evidence.printed.names import plural
from msalib.pages.cells import spread
from msalib.pages.contrasts import Effects
from msalib.pages.curves_figure import PARTS, score_curves
from msalib.pages.figure import Picture
from msalib.pages.tables import Note
from msalib.papers.cmt import plan, scope
from msalib.papers.cmt.plan import NO_PT, PT, SHARES
from msalib.papers.cmt.tables import effects, pretrains
from msalib.runs.query import Runs
from msalib.runs.spec import System
from msalib.runs.study import Study

Sweep = Mapping[Hashable, System]
"""Choice, such as a block or a weight -> the system that makes it."""


def kind(study: Study) -> str:
    """Return the pretraining of a sweep: none where nothing can be pretrained."""
    return "pt" if pretrains(study) else "none"


def _both(study: Study) -> bool:
    return len(plan.whole_of(study)) > 1


def _quick(study: Study, swept: Sweep, first: tuple) -> dict:
    """Return a sweep: all of it, or ``first`` where profile quick trains it."""
    if study.parameters.profile != "quick":
        return dict(swept)
    return {choice: s for choice, s in swept.items() if choice in first}


def blocks(study: Study) -> dict[int, System]:
    """Return Fig. 2: the model by the audio block that it reads; none without two streams."""
    if not _both(study):
        return {}
    return _quick(study, plan.blocks(plan.whole_of(study), kind(study)), (1, 3, 4))


def alphas(study: Study) -> dict[float, System]:
    """Return Fig. 4: the model by the weight of the penalty; none without two streams."""
    if not _both(study):
        return {}
    return _quick(study, plan.alphas(plan.whole_of(study), kind(study)), (0.0, 10.0, 100.0))


def shares(study: Study) -> dict[tuple[str, float], System]:
    """Return Fig. 3: with and without pretraining, by share of the training clips.

    Without pretraining alone where nothing can be pretrained.
    """
    if not _both(study):
        return {}
    every = plan.shares(plan.whole_of(study))
    if not pretrains(study):
        every = {key: s for key, s in every.items() if key[0] == NO_PT}
    first = tuple((name, share) for name in (NO_PT, PT) for share in (0.5, 1.0))
    return _quick(study, every, first)


# --- names --------------------------------------------------------------------------------------


def block_name(block: int) -> str:
    """Return the name of an arm that reads one audio block."""
    return f"block {block}"


def alpha_name(alpha: float) -> str:
    """Return the name of an arm with a weight of the penalty."""
    return f"weight {alpha:g}"


def share_name(key: tuple[str, float]) -> str:
    """Return the name of an arm that learns from a share of the training clips."""
    name, share = key
    return f"{name}, {share:.0%} of the clips"


def printed_best(variant: str) -> float:
    """Return what the text says is best in a figure: ``fig2_best_layer``, ``fig4_best_alpha``."""
    rows = printed_table.load(plan.PAPER)
    (value,) = rows[(rows["exhibit"] == "text") & (rows["variant"] == variant)]["value"]
    return float(value)


# --- what is compared ---------------------------------------------------------------------------


def share_pairs(shares: Mapping[tuple[str, float], System]) -> list[tuple[str, str]]:
    """Return with over without pretraining at each share, then on half over without on all."""
    pairs = [((PT, share), (NO_PT, share)) for share in SHARES]
    pairs.append(((PT, SHARES[1]), (NO_PT, SHARES[-1])))
    return [
        (share_name(one), share_name(other))
        for one, other in pairs
        if one in shares and other in shares
    ]


def gains(runs: Runs, named: Mapping[str, System], best: str) -> Effects:
    """Return the gains of the choice that the paper calls best over each other one."""
    return effects(runs, named, [(best, name) for name in named if name != best])


# --- answers and pictures -----------------------------------------------------------------------


def best_answer(runs: Runs, named: Mapping[str, System], best: str, *, setting: str) -> Note:
    """Say which choice has the best mean on validation and on test, beside the paper's.

    By the metrics of the figures; the mean over the seeds that all choices have.
    """
    there = {name: s for name, s in named.items() if runs.has(s)}
    if len(there) < 2:
        return Note(f"Fewer than two choices are recorded in this setting ({setting}).")
    clauses = []
    for metric in scope.metrics(runs, scope.FINE):
        for part, word in PARTS.items():
            by_seed = dict(zip(there, runs.records(*there.values()), strict=True))
            scores = {n: [r.metrics[part][metric] for r in rs] for n, rs in by_seed.items()}
            sign = 1 if METRICS[metric].higher_is_better else -1
            first = max(scores, key=lambda n: sign * sum(scores[n]) / len(scores[n]))
            clauses.append(
                f"{METRICS[metric].label} on {word}: {first} ({spread(scores[first], metric)}"
                + (f"; {best}: {spread(scores[best], metric)}" if first != best in scores else "")
                + ")"
            )
    count = len(next(iter(by_seed.values())))
    return Note(
        f"Best of {len(there)} choices by the mean over {plural(count, 'seed')}: "
        f"{'; '.join(clauses)}. The paper's choice is {best}. One of several equal choices is "
        f"always first; the intervals below show how large its lead is. Setting: {setting}."
    )


def curve(
    runs: Runs, lines: Mapping[str, Sweep], *, what: str, about: str, setting: str
) -> Picture | Note:
    """Show the scores of the figures' metrics by a choice, on validation and on test."""
    systems = [s for swept in lines.values() for s in swept.values()]
    if not any(runs.has(s) for s in systems):
        return Note(f"Nothing of this figure was run yet. Setting: {setting}.")
    metrics = scope.metrics(runs, scope.FINE)
    about = f"{about} The paper draws its curve without numbers."
    return score_curves(runs, lines, metrics, what=what, about=about, setting=setting)


def share_lines(shares: Mapping[tuple[str, float], System]) -> dict[str, dict[str, System]]:
    """Return the lines of Fig. 3, by share in percent."""
    lines: dict[str, dict[str, System]] = {}
    for (name, share), system in shares.items():
        lines.setdefault(name, {})[f"{share:.0%}"] = system
    return lines
