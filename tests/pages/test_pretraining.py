"""What pretraining learned, on pages: answers, tables and figures of made-up records."""

import pytest

from msalib.pages import pretraining, pretraining_figure
from msalib.pages.tables import Note
from msalib.runs.pretraining import Pretrained

SETTING = "task: a <small> corpus"


def record(seed: int, heard: float, held_out: int = 100) -> Pretrained:
    """A record whose stream guesses so many more points of tokens with its own other stream."""
    shares = {"text_right": 0.4, "sound_right": 0.5}
    return Pretrained(
        family="cmt",
        dataset="",
        profile="full",
        seed=seed,
        stages=[],
        encoders={},
        settings={},
        masking={},
        features=[],
        clips=90,
        held_out=held_out,
        curve={"update": [5, 10], "text_right": [0.1, 0.3], "sound_right": [0.2, 0.4]},
        worth={
            "given": shares | {"text_right": 0.4 + heard / 100},
            "shuffled": shares,
            "silenced": shares | {"sound_right": 0.45},
        },
        chance={"text_right": 0.05, "sound_right": 0.1},
        weights=f"{seed} {heard}",
        provenance={"commit": "0123", "device": "CPU", "versions": {"torch": "2"}, "seconds": 7.0},
    )


BY_ARM = {"true": [record(s, h) for s, h in enumerate((9.0, 10.0, 11.0))], "none": [],
          "shuffled": [record(0, 0.0)]}  # fmt: skip


def test_the_answer_has_an_interval_over_seeds_where_there_are_several():
    text = pretraining.answer(BY_ARM, setting=SETTING).text
    assert "true: masked tokens +10.0 points [+7.5,\u00a0+12.5]" in text
    assert "shuffled: masked tokens +0.0 points," in text and "none" not in text
    assert SETTING in text
    one = pretraining.answer({"one": BY_ARM["shuffled"]}, setting=SETTING).text
    assert "One seed has no interval" in one


def test_shares_of_few_clips_are_left_out_and_named():
    by_arm = {**BY_ARM, "task": [record(0, 30.0, held_out=6)]}
    text = pretraining.answer(by_arm, setting=SETTING).text
    assert "task: hidden" not in text and "Too few clips are held out of task (6 clips)." in text
    picture = pretraining_figure.heard_figure(by_arm, setting=SETTING)
    assert "task," not in picture.alt and "task (6 clips)" in picture.caption
    alone = {"task": by_arm["task"]}
    assert pretraining.answer(alone, setting=SETTING).text.startswith("No answer yet. Too few")
    assert isinstance(pretraining_figure.heard_figure(alone, setting=SETTING), Note)
    table = pretraining.worth_table(alone, setting=SETTING)
    assert table.frame["held out"].tolist() == ["6 clips"] * 2


def test_tables_show_what_was_seen_and_every_seed():
    frame = pretraining.worth_table(BY_ARM, setting=SETTING).frame
    assert frame["pretraining"].tolist() == ["true", "true", "shuffled", "shuffled"]
    assert frame["the clip's own"][0] == "50.0\u00a0±\u00a01.0"
    assert frame["nothing"].tolist()[1] == "45.0\u00a0±\u00a00.0"
    assert frame["commonest"].tolist()[2:] == ["5.0", "10.0"]
    seeds = pretraining.seeds_table(BY_ARM, setting=SETTING).frame
    assert seeds["masked tokens, the clip's own"].tolist() == ["49.0", "50.0", "51.0", "40.0"]
    assert pretraining.origins(BY_ARM).frame["pretrainings"].tolist() == [4]


def test_figures_say_in_words_what_they_draw():
    curves = pretraining_figure.learning_curves(BY_ARM, setting=SETTING)
    assert "true, masked tokens: from 10.0% to 30.0%" in curves.alt
    heard = pretraining_figure.heard_figure(BY_ARM, setting=SETTING)
    assert "true, masked tokens: +10.0 points" in heard.alt and SETTING in heard.caption


@pytest.mark.parametrize(
    "show",
    [
        pretraining.answer,
        pretraining.worth_table,
        pretraining.seeds_table,
        pretraining_figure.learning_curves,
        pretraining_figure.heard_figure,
    ],
)
def test_without_records_there_are_sentences(show):
    assert isinstance(show({"true": []}, setting=SETTING), Note)
    assert SETTING in show({}, setting=SETTING).text
