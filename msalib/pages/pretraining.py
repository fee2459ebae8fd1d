"""What pretraining learned: commands, and what pages show of its records.

Held-out clips say it: how many hidden tokens and frames a stream guesses when it sees the other
encoder's outputs of the same clip, those of another clip, or nothing.
"""

from collections.abc import Iterator, Mapping

from msalib.base.errors import UserError
from msalib.models import recipes
from msalib.runs.pretraining import SEEN, Pretrained, Weights
from msalib.runs.spec import system
from msalib.runs.study import Study


def command(paper: str, choices: Mapping[str, str], parameters: Mapping) -> Iterator[str]:
    """Pretrain a paper's model with these choices, seed by seed; yield a line for each stage.

    Raises ``UserError`` for an unknown choice, and like ``Weights``.
    """
    study = Study(paper, **parameters)
    known = recipes.choices(paper)
    refuse_unknown(paper, choices, known)
    frozen = {"rates": "features"} if "rates" in known else {}
    read = {m: layer for m, layer in study.last_layers.items() if m in study.encoders}
    asked = system(read, paper=paper, **frozen | choices)
    weights = Weights(study)
    for seed in range(study.parameters.seeds):
        before = None
        for stage in weights.stages(study.spec(asked, seed)):
            stage.ensure(before)
            before = stage.file
            yield f"{stage.name}: {_line(stage.read_record())}"


def refuse_unknown(paper: str, choices: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Raise ``UserError`` for a choice that the recipe of a paper does not have."""
    if unknown := [name for name in choices if name not in known]:
        raise UserError(
            f"pretraining of {paper}",
            found=f"no choice of {' and '.join(unknown)} in its recipe",
            expected=f"some of {', '.join(known) or 'none'}",
            remedy="Name a paper whose model is pretrained, such as cmt, and its choices.",
        )


def _line(record: Pretrained) -> str:
    shares = "; ".join(
        f"other stream {seen}: {100 * record.worth[seen]['text_right']:.1f}% of hidden tokens, "
        f"{100 * record.worth[seen]['sound_right']:.1f}% of hidden frames"
        for seen in SEEN
    )
    return f"{record.clips} clips, {record.held_out} held out; {shares}"
