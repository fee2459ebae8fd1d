"""Table 3 of CMT: weights of the audio blocks by seed, beside the printed ones."""

import pytest

from msalib.pages.tables import Note
from msalib.papers.cmt import scope, weights
from msalib.papers.cmt.plan import NO_PT, POOLER, PT
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.cmt.planted import NAMED, planted
from tests.papers.planted_systems import USUAL

SETTING = "raw-spoken: a <small> corpus"


def runs_of(by_seed):
    """Records of both poolers whose weights are given by seed; one seed may have none."""
    systems = {NAMED[name]: USUAL for name in (POOLER, PT)}
    made = planted(
        systems,
        dataset="raw-spoken",
        seeds=len(by_seed),
        extras=lambda system, seed: (
            {"layer_weights": by_seed[seed]} if system == NAMED[POOLER] else {}
        ),
    )
    return Runs(made)


MIDDLE = [[0.1, 0.5, 0.3, 0.1], [0.1, 0.3, 0.5, 0.1], [0.15, 0.4, 0.35, 0.1]]


def test_the_printed_weights_are_the_papers():
    assert weights.printed() == [0.175, 0.438, 0.277, 0.109]
    assert weights.middle([weights.printed()])[0] == pytest.approx(0.715)


def test_weights_are_shown_by_seed_and_the_answer_counts_blocks():
    found = weights.weights(runs_of(MIDDLE), NAMED)
    assert list(found) == [POOLER] and list(found[POOLER]) == [0, 1, 2]
    answer = weights.answer(found, setting=SETTING).text
    assert "blocks 2 and 3 have 0.783 [" in answer and "block 2 in 2, block 3 in 1" in answer
    assert "differs from an equal one by more than 0.250" in answer
    assert "In the printed run they have 0.715, and block 2 has the largest" in answer
    frame = weights.table(found, setting=SETTING).frame
    assert frame["largest"].tolist() == ["2", "3", "2", "2"]
    assert frame["2 and 3"].tolist() == ["0.800", "0.800", "0.750", "0.715"]
    picture = weights.figure(found, setting=SETTING)
    assert "mean over 3 seeds: 0.117, 0.400, 0.383, 0.100" in picture.alt


def test_one_seed_has_no_interval():
    answer = weights.answer(weights.weights(runs_of(MIDDLE[:1]), NAMED), setting=SETTING).text
    assert "have 0.800 of the weight" in answer


def test_without_weights_there_are_sentences():
    found = weights.weights(runs_of([[], []]), NAMED)
    assert found == weights.weights(Runs([]), NAMED) == {}
    for shown in (weights.answer, weights.table, weights.figure):
        assert isinstance(shown(found, setting=SETTING), Note)


def test_each_pooler_stands_beside_the_same_model_without():
    arms = weights.arms(Study("cmt", dataset="raw-spoken", encoder="spoken", profile="full"))
    assert list(arms) == [POOLER, PT, scope.POOLER_ALONE, NO_PT]
    quick = weights.arms(Study("cmt", dataset="raw-spoken"))
    assert list(quick) == [scope.POOLER_ALONE, NO_PT]
    assert weights.arms(Study("cmt", dataset="iemocap")) == {}
    assert set(weights.POOLED) | set(weights.POOLED.values()) == set(arms)
