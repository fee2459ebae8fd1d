"""How much smaller is a page than the paper? Sizes of encoders, streams and pretraining.

Computed from the recipes of the systems that a page shows and from the printed numbers.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from msalib.encoders.registry import ALL
from msalib.evidence.printed import table as printed_table
from msalib.pages.tables import Table
from msalib.papers.cmt import plan, scope
from msalib.papers.cmt.plan import SOUND, TEXT
from msalib.runs.inputs import TUNED_ENDING
from msalib.runs.spec import Spec, System
from msalib.runs.study import Study


class Size(NamedTuple):
    """A size of a page and of the paper; ``brief`` is ours as captions have it."""

    what: str
    ours: str
    paper: str
    brief: str


def is_baseline(system: System) -> bool:
    """Check whether a system is one of the namespace ``baselines``."""
    return "family" in dict(system.choices)


def sizes(study: Study, named: Mapping[str, System]) -> list[Size]:
    """Return the sizes in which the systems of a page differ from the paper's."""
    read = {modality for system in named.values() for modality, _ in system.inputs}
    found = [_encoder(study, m, name) for m, name in ENCODERS.items() if m in read]
    if specs := [study.spec(s, 0) for s in named.values() if not is_baseline(s)]:
        found += _streams(study, specs[0])
    if pretrained := [s for s in specs if s.model["pretraining"] != "none"]:
        found += _pretraining(pretrained[0].train)
    return [size for size in found if size.ours.casefold() != size.paper.casefold()]


ENCODERS = {SOUND: "HuBERT", TEXT: "RoBERTa"}
"""Modality -> the paper's encoder of it, of the size "large"."""


def _encoder(study: Study, modality: str, theirs: str) -> Size:
    layers, width = (_stated(theirs, "large", metric) for metric in ("layers", "dim"))
    printed = f"{theirs}-large ({layers} x {width}), fine-tuned"
    what = scope.WORDS[modality]
    if modality not in study.encoders:
        return Size(f"encoder of {what}", "none: vectors as they come", printed, f"{what}: vectors")
    one = study.encoders[modality]
    if one.handcrafted:
        brief = f"{what} by {one.name} features"
        return Size(f"encoder of {what}", f"none: {one.name} features", printed, brief)
    name = one.name.removesuffix(TUNED_ENDING)
    if one.blocks and one.width:
        name += f" ({one.blocks} x {one.width:,})"
    ours = f"{name}, {'fine-tuned' if study.tuned else 'frozen'}"
    return Size(f"encoder of {what}", ours, printed, f"{what} by {ours}")


def _streams(study: Study, spec: Spec) -> list[Size]:
    width = f"{spec.model['width']:,}"
    found = [
        Size("width of the streams", width, _stated("CMT", "", "dim"), f"streams of width {width}")
    ]
    sound = study.encoders.get(SOUND)
    if sound is not None and not sound.handcrafted:
        rate = f"{sound.rate / int(spec.model['frame_step']):g}"
        brief = f"{rate} frames of sound a second"
        found.append(Size("frames of sound a second", rate, f"{ALL}", brief))
    return found


def _pretraining(train: Mapping) -> list[Size]:
    clips, updates = f"{train['pt_clips']:,}", f"{train['pt_updates']:,}"
    hours = _stated("dataset", "librispeech", "hours")
    theirs = [_stated("CMT", "pretraining", metric) for metric in ("updates", "batch_size")]
    batch = train["pt_batch_size"]
    return [
        Size(
            "pairs to pretrain on",
            f"{clips} clips at most",
            f"{hours} hours",
            f"pretrained on {clips} clips at most",
        ),
        Size(
            "updates of pretraining",
            f"{updates} of {batch} clips",
            f"{theirs[0]} of {theirs[1]} clips",
            f"in {updates} updates of {batch}",
        ),
    ]


def _stated(system: str, variant: str, metric: str) -> str:
    """Return a number that the paper's text states; the width of streams is its encoders'."""
    if metric == "dim" and system == "CMT":
        return f"{scope.WIDTH:,}"
    rows = printed_table.load(plan.PAPER)
    rows = rows[(rows["exhibit"] == "text") & (rows["system"] == system)]
    (value,) = rows[(rows["variant"] == variant) & (rows["metric"] == metric)]["value"]
    return f"{value:,.0f}"


def table(study: Study, named: Mapping[str, System]) -> Table:
    """Show what is smaller here than in the paper."""
    rows = [{"size": s.what, "here": s.ours, "paper": s.paper} for s in sizes(study, named)]
    return Table(
        pd.DataFrame(rows, columns=["size", "here", "paper"]),
        caption="Sizes of this page beside the paper's. "
        f"Seeds here: {study.parameters.seeds}; the paper names none.",
    )


def phrase(study: Study, named: Mapping[str, System]) -> str:
    """Return the scale of a page in a phrase for captions."""
    differing = ", ".join(size.brief for size in sizes(study, named))
    return f"reduced scale: {differing}" if differing else "the paper's scale"
