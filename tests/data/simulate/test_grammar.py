from collections import Counter

import numpy as np
import pytest

from msalib.data.simulate import grammar, speech
from msalib.data.simulate.grammar import SLIP, grade, vocabulary, write

CLIPS = 2000
VIDEO = np.arange(CLIPS) // 7


@pytest.fixture(scope="module")
def sentiment():
    return np.clip(1.7 * np.random.default_rng(1).normal(size=CLIPS), -3, 3)


@pytest.fixture(scope="module")
def written(sentiment):
    return write(np.random.default_rng(0), sentiment, VIDEO)


def first(row):
    return row == 0 or VIDEO[row] != VIDEO[row - 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("the movie was good", 1),
        ("the movie was superb", 3),
        ("the movie was average", 0),
        ("well the plot was awful last night", -3),
        ("the movie was very good", 2),
        ("the movie was slightly boring", -1),
        ("the movie was not good", -1),
        ("the movie was not great", -1),
        ("the movie was not superb", -2),
        ("the movie was not bad", 1),
        ("the movie was hardly terrible", 2),
        ("the movie was utterly bad", -3),
        ("i did not like the cast", -1),
        ("i did not hate the cast", 2),
        ("we loved the cast", 3),
        ("to me it was a mess", -2),
        ("it opens in march", 0),
        ("the movie was weak and dull", -1),
        ("the movie was very good and funny so i will see it again", 2),
    ],
)
def test_words_say_a_grade_and_negation_turns_it(text, value):
    assert grade(text) == value


@pytest.mark.parametrize(
    ("text", "before", "value"),
    [
        ("same here", 2, 2),
        ("same here", -3, -3),
        ("well even more so", 1, 2),
        ("even more so", -2, -3),
        ("less so in this part", -3, -2),
        ("quite the opposite here", 2, -2),
    ],
)
def test_a_turn_means_what_the_clip_before_makes_of_it(text, before, value):
    assert grade(text, before) == value


def test_a_reader_who_knows_the_grammar_makes_no_mistake(written):
    for row in range(CLIPS):
        before = 0 if first(row) else written.grade[row - 1]
        assert grade(written.text[row], before) == written.grade[row], written.text[row]


def test_the_only_noise_is_one_grade_in_few_clips(sentiment, written):
    off = written.grade - np.round(sentiment)
    assert set(off) == {-1, 0, 1}
    assert np.mean(off != 0) == pytest.approx(SLIP, abs=0.03)
    assert set(written.grade) == set(range(-3, 4))


def test_some_clips_continue_the_one_before(written):
    assert 0.1 < written.context.mean() < 0.3
    assert not any(written.context[row] for row in range(CLIPS) if first(row))
    turns = [w for wordings in grammar.TURNS.values() for w in wordings]
    for text, turn in zip(written.text, written.context, strict=True):
        assert any(text.endswith(w) for w in turns) == turn
    # Such a turn alone says little: the same words go with grades of either sign.
    grades = [g for g, t in zip(written.grade, written.text, strict=True) if "same" in t]
    assert min(grades) < -1 and max(grades) > 1


def test_filler_tells_nothing(sentiment, written):
    opened = np.array([t.startswith(("well ", "um ", "okay ")) for t in written.text])
    assert abs(np.corrcoef(opened, sentiment)[0, 1]) < 0.07


def test_the_vocabulary_is_known_and_used(written):
    used = Counter(word for text in written.text for word in text.split())
    assert 150 <= len(vocabulary()) <= 250
    assert set(used) <= vocabulary()
    assert len(used) > 0.95 * len(vocabulary())
    assert max(len(text.split()) for text in written.text) <= 13
    assert max(speech.count(text) for text in written.text) <= 13
    assert len(set(written.text)) > CLIPS / 2


def test_words_that_mean_alike_stand_together(written):
    """That is what a model can learn without labels."""
    joined = 0
    for text, said in zip(written.text, written.grade, strict=True):
        words = text.split()
        known = [grammar._WORDS[w] for w in words if w in grammar._WORDS]
        if len(known) == 2:
            assert known[1] == said, text
            joined += 1
        for sign, outcomes in grammar.OUTCOMES.items():
            assert not text.endswith(outcomes) or np.sign(said) == sign, text
    assert 0.08 < joined / CLIPS < 0.3
    frequent = Counter(word for text in written.text for word in text.split())
    assert frequent["good"] > 2 * frequent["solid"]


def test_the_seed_decides_every_word(sentiment, written):
    again = write(np.random.default_rng(0), sentiment, VIDEO)
    assert again.text == written.text
    assert write(np.random.default_rng(1), sentiment, VIDEO).text != written.text
