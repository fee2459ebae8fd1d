"""What the chapter says of CMT's negative controls and of pretraining, as texts by name.

Verdicts of claims have such texts in general (``ledger.verdict_texts``); controls are no claims.
"""

from collections.abc import Callable, Mapping

from msalib.evidence.common import Evidence, Word
from msalib.pages.answer import WORDS, effect_sentence
from msalib.pages.cells import mean_sd
from msalib.pages.ledger import effect_text
from msalib.pages.pretraining import ByArm
from msalib.papers.cmt import evidence_controls, scope
from msalib.papers.cmt.plan import PT
from msalib.runs.pretraining import SEEN

READINGS: Mapping[Callable[..., Evidence], Mapping[Word, str]] = {
    evidence_controls.words_cannot_help: {
        "supported": "Words that say nothing about the label add nothing, as expected.",
        "contradicted": "A model gains from words that say nothing, so it uses something else.",
        "inconclusive": "Whether words that say nothing add anything is not clear.",
    },
    evidence_controls.shuffled_weights_gain_nothing: {
        "supported": "Weights pretrained on shuffled pairs gain nothing over those of true pairs.",
        "contradicted": "Weights pretrained on shuffled pairs are better than those of true pairs.",
        "inconclusive": "Whether weights of shuffled pairs are worth more is not clear.",
    },
    evidence_controls.heard: {
        "supported": "After true pairs a stream predicts masked tokens better with the sound of "
        "the same clip, and after shuffled pairs it does not.",
        "contradicted": "Either true pairs taught no listening, or shuffled pairs taught some.",
        "inconclusive": "Whether true pairs, and only they, teach a stream to listen is not clear.",
    },
}
"""Test of a control -> what a verdict means, in a sentence."""


def control(test: Callable[..., Evidence], judged: Evidence) -> dict[str, str]:
    """Return verdict, reading and effects of a control: ``heard``, ``heard_reading``, ...

    Without a verdict, the reading says what it needs.
    """
    name = test.__name__
    effects = "; ".join(effect_text(*effect) for effect in judged.effects.items())
    return {
        name: judged.verdict,
        f"{name}_reading": READINGS[test].get(judged.verdict, judged.note),
        f"{name}_effects": effects or "none",
    }


def answer(test: Callable[..., Evidence], judged: Evidence, *, setting: str) -> str:
    """Return the short answer of a page on a control: verdict, meaning, and the first effect."""
    reading = control(test, judged)[f"{test.__name__}_reading"].rstrip(".")
    sentences = [WORDS[judged.verdict] + f" ({setting}).", f"{reading[:1].upper()}{reading[1:]}."]
    sentences += [effect_sentence(*effect) for effect in list(judged.effects.items())[:1]]
    return " ".join(sentences)


PARTS = {"tokens": "text_right", "frames": "sound_right"}
"""What is masked -> the share of it in a record of pretraining."""

ARMS = {"true": PT, "shuffled": scope.SHUFFLED}
"""Pairs that the blocks were pretrained on -> the arm of the plan."""


def shares(by_arm: ByArm) -> dict[str, str]:
    """Return the shares that are predicted right, such as ``true_tokens_given``, in %.

    Pairs of ``ARMS``, a part of ``PARTS``, and what is seen of the other encoder
    (``runs.pretraining.SEEN``); mean and standard deviation over seeds.
    """
    return {
        f"{pairs}_{part}_{seen}": _percent(
            [100 * r.worth[seen][share] for r in by_arm.get(arm, ())]
        )
        for pairs, arm in ARMS.items()
        for part, share in PARTS.items()
        for seen in SEEN
    }


def _percent(values: list[float]) -> str:
    return f"{mean_sd(values, '{:.1f}'.format)}%" if values else "not run"
