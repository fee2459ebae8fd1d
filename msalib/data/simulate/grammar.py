"""Transcripts from a grammar: graded words of sentiment, intensifiers, negation, turns in context.

A transcript expresses one of seven grades, -3 to 3. Its words say which:

    word            grade of the word: "good" 1, "great" 2, "superb" 3, "weak" -1, ...
    very WORD       one grade further from zero
    slightly WORD   one grade nearer to zero
    not WORD        the sign turns, and what is beyond one grade loses one: "not great" is -1

As in any language, words of like meaning occur together: a second adjective has the grade of the
first ("weak and dull"), an outcome has its sign ("i walked out"), and things are "utterly" bad and
"truly" good. From this a model that reads without labels can learn what words mean. Few words are
frequent, most are rare.

Some turns have no such word and continue the clip before: "same here", "even more so", "less so in
this part", "quite the opposite". All else is filler. The grade is the clip's linguistic sentiment,
rounded, and off by one in ``SLIP`` of the clips. There is no other noise.
"""

from collections.abc import Sequence
from operator import neg
from typing import NamedTuple

import numpy as np

from msalib.data.simulate import speech

SLIP = 0.15
"""Share of clips whose words are one grade off."""

CONTEXT_SHARE = 0.5
"""Share of clips that continue the clip before, among those that could."""

ADJECTIVES = {
    3: ("superb", "brilliant", "wonderful", "perfect", "stunning", "fantastic"),
    2: ("great", "lovely", "funny", "charming", "moving", "clever"),
    1: ("good", "nice", "decent", "pleasant", "fresh", "solid"),
    0: ("ordinary", "usual", "average", "normal"),
    -1: ("weak", "slow", "dull", "flat", "thin", "messy"),
    -2: ("bad", "poor", "boring", "ugly", "annoying", "stupid"),
    -3: ("terrible", "awful", "horrible", "dreadful", "disgusting", "atrocious"),
}
VERBS = {
    3: (("loved", "love"), ("adored", "adore")),
    2: (("enjoyed", "enjoy"), ("admired", "admire")),
    1: (("liked", "like"), ("appreciated", "appreciate")),
    -1: (("disliked", "dislike"), ("doubted", "doubt")),
    -2: (("resented", "resent"), ("regretted", "regret")),
    -3: (("hated", "hate"), ("loathed", "loathe")),
}
"""Past tense, and the form after "did not"."""

NOUNS = {
    3: ("masterpiece", "triumph"),
    2: ("treat", "delight"),
    -2: ("mess", "letdown"),
    -3: ("disaster", "nightmare"),
}
INTENSIFIERS = {1: ("very", "truly", "really"), -1: ("very", "utterly", "terribly")}
DIMINISHERS = {1: ("fairly", "quite"), -1: ("slightly", "rather")}
"""Sign of a word -> words that may precede it."""

NEGATIONS = ("not", "never", "hardly")

TOPICS = (
    *("movie", "film", "story", "plot", "acting", "music", "ending", "script", "cast", "dialogue"),
    *("hero", "villain", "camera", "trailer", "book", "show", "opening", "humor", "sequel"),
)
OPENERS = ("well", "so", "okay", "um", "look", "you know", "i mean", "anyway", "and", "now")
CLOSERS = (
    *("last night", "on friday", "at home", "with my brother", "this week", "in the theater"),
    *("on television", "with some friends", "for two hours", "in the morning"),
)
OUTCOMES = {
    1: ("so i will see it again", "and i smiled a lot", "so you should go"),
    -1: ("so i walked out", "and i fell asleep", "i want my money back"),
}
"""Sign of a grade -> outcomes."""

NEUTRAL = (
    "it runs for two hours",
    "we watched it on friday",
    "my sister drove us there",
    "it opens in march",
    "there are three actors in it",
    "they filmed it in canada",
    "he plays a young doctor",
    "she has a small part",
    "it comes out on monday",
    "the tickets were by the door",
    "it is about a family",
    "we sat in the second row",
)
WITH_ADJECTIVE = (
    "the {topic} was {words}",
    "i found the {topic} {words}",
    "the {topic} seemed {words} to me",
    "that {topic} is {words}",
    "i thought it was {words}",
    "they made the {topic} {words}",
)
WITH_NOUN = ("the {topic} was a {words}", "this {topic} is a {words}", "to me it was a {words}")
WITH_VERB = ("i {words} the {topic}", "we {words} the {topic}", "my friends {words} it")

TURNS = {
    "same": ("same here", "i feel the same about this", "that goes for the rest as well"),
    "more": ("even more so", "and here even more so", "this part even more so"),
    "less": ("less so in this part", "not as much over here", "a little less so after that"),
    "opposite": ("quite the opposite here", "the other way around with this one"),
}
"""Texts that continue the clip before: with its grade, one further from zero, one nearer, or the
other sign."""

SYLLABLES = 13
"""Longest statement, in syllables, to which a phrase may be added."""

_WORDS = {w: g for kind in (ADJECTIVES, NOUNS) for g, words in kind.items() for w in words}
_WORDS |= {form: g for g, verbs in VERBS.items() for verb in verbs for form in verb}


class Transcripts(NamedTuple):
    """Texts of N clips, the grade that each expresses (N,), and whether it is a turn (N,)."""

    text: list[str]
    grade: np.ndarray
    context: np.ndarray


def write(rng: np.random.Generator, sentiment: np.ndarray, video: Sequence) -> Transcripts:
    """Word N clips with this linguistic ``sentiment``, -3 to 3, in order within a video."""
    grades, texts, turns = [], [], []
    for i, s in enumerate(sentiment):
        grade = int(np.clip(np.round(s), -3, 3))
        if rng.random() < SLIP:
            grade += -int(np.sign(grade)) if abs(grade) == 3 else int(rng.choice((-1, 1)))
        first = i == 0 or video[i] != video[i - 1]
        turn = None if first else _turn(rng, grade, grades[-1])
        texts.append(_opened(rng, turn or _statement(rng, grade)))
        grades.append(grade)
        turns.append(turn is not None)
    return Transcripts(texts, np.array(grades), np.array(turns))


def grade(text: str, before: int = 0) -> int:
    """Return the grade that a transcript expresses, after a clip with the grade ``before``.

    It undoes ``write``: a reader who knows the grammar makes no mistake.
    """
    for turn, wordings in TURNS.items():
        if any(text.endswith(wording) for wording in wordings):
            return _continued(turn, before)
    words = text.split()
    for i, word in enumerate(words):
        if word not in _WORDS:
            continue
        value = _WORDS[word]
        modifier = words[i - 1] if i else ""
        if modifier in {*INTENSIFIERS[1], *INTENSIFIERS[-1]}:
            return _further(value)
        if modifier in {*DIMINISHERS[1], *DIMINISHERS[-1]}:
            return _nearer(value)
        return _flipped(value) if modifier in NEGATIONS else value
    return 0


def vocabulary() -> set[str]:
    """Return every word that a transcript can have."""
    parts = [*_WORDS, *NEGATIONS, *TOPICS, *OPENERS, *CLOSERS]
    parts += [*INTENSIFIERS[1], *INTENSIFIERS[-1], *DIMINISHERS[1], *DIMINISHERS[-1]]
    parts += [
        *NEUTRAL,
        *OUTCOMES[1],
        *OUTCOMES[-1],
        *(wording for turn in TURNS.values() for wording in turn),
        "did",
    ]
    for template in WITH_ADJECTIVE + WITH_NOUN + WITH_VERB:
        parts.append(template.format(topic="", words=""))
    return {word for part in parts for word in part.split()}


def _further(value: int) -> int:
    return value + int(np.sign(value))


def _nearer(value: int) -> int:
    return value - int(np.sign(value))


def _flipped(value: int) -> int:
    return -int(np.sign(value)) * max(1, abs(value) - 1)


def _continued(turn: str, before: int) -> int:
    change = {"same": int, "more": _further, "less": _nearer, "opposite": neg}[turn]
    return int(change(before))


def _turn(rng, grade: int, before: int) -> str | None:
    """Draw a turn that says ``grade`` after a clip that said ``before``; None if none is said."""
    fits = [t for t in TURNS if _continued(t, before) == grade and (before or t == "same")]
    # "less so" must leave something: nobody says it to mean nothing at all.
    fits = [t for t in fits if t != "less" or grade]
    if not fits or rng.random() >= CONTEXT_SHARE:
        return None
    return str(rng.choice(TURNS[str(rng.choice(fits))]))


def _statement(rng, grade: int) -> str:
    if grade == 0 and rng.random() < 0.6:
        return str(rng.choice(NEUTRAL))
    kinds = [(WITH_ADJECTIVE, words) for words in _adjectives(grade)]
    if grade:
        kinds += [(WITH_VERB, words) for words in _verbs(grade)]
    if grade in NOUNS:
        kinds.append((WITH_NOUN, list(NOUNS[grade])))
    templates, words = kinds[rng.integers(len(kinds))]
    words = _common(rng, words)
    template, topic = str(rng.choice(templates)), rng.choice(TOPICS)
    text = template.format(topic=topic, words=words)
    joins = templates is WITH_ADJECTIVE and grade and not words.startswith(NEGATIONS)
    if joins and rng.random() < 0.5:
        more = _common(rng, [a for a in ADJECTIVES[grade] if a not in words])
        text = _if_short(text, template.format(topic=topic, words=f"{words} and {more}"))
    endings = OUTCOMES[int(np.sign(grade))] if grade and rng.random() < 0.6 else CLOSERS
    return _if_short(text, f"{text} {rng.choice(endings)}") if rng.random() < 0.6 else text


def _common(rng, words: Sequence[str]) -> str:
    """Draw one of the words; the first is the most frequent, the kth has 1/k of its share."""
    weights = 1 / np.arange(1, len(words) + 1)
    return str(rng.choice(words, p=weights / weights.sum()))


def _if_short(text: str, longer: str) -> str:
    return longer if speech.count(longer) <= SYLLABLES else text


def _adjectives(grade: int) -> list[list[str]]:
    """Return the ways to say a grade by an adjective: plain, intensified, diminished, negated.

    Frequent wordings come first in each.
    """
    ways = [list(ADJECTIVES[grade])]
    if grade == 0:
        return ways
    sign = int(np.sign(grade))
    for words, change in (
        (INTENSIFIERS[sign], _further),
        (DIMINISHERS[sign], _nearer),
        (NEGATIONS, _flipped),
    ):
        sources = [ADJECTIVES[g] for g in ADJECTIVES if g and change(g) == grade]
        ranked = [a for rank in zip(*sources, strict=True) for a in rank]
        said = [f"{w} {a}" for a in ranked for w in words]
        if said:
            ways.append(said)
    return ways


def _verbs(grade: int) -> list[list[str]]:
    ways = [[past for past, _ in VERBS[grade]]]
    negated = [f"did not {form}" for g in VERBS if _flipped(g) == grade for _, form in VERBS[g]]
    return [*ways, negated] if negated else ways


def _opened(rng, text: str) -> str:
    return _if_short(text, f"{rng.choice(OPENERS)} {text}") if rng.random() < 0.5 else text
