"""Tables of CMT: arms by data set, the scale that captions name, printed rows, what is compared."""

import pytest

from msalib.base import stats
from msalib.pages import contrasts
from msalib.papers import cmt
from msalib.papers.cmt import plan, scale, scope
from msalib.papers.cmt import tables as results
from msalib.papers.cmt.plan import BASE, LARGE, NO_PT, ORTHO, PT, TAPT
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.cmt.planted import NAMED, WHOLE, planted
from tests.papers.planted_systems import BAD, GOOD, as_classes


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def study(dataset="raw-spoken", encoder="spoken", profile="full", **more):
    return Study("cmt", dataset=dataset, encoder=encoder, profile=profile, **more)


ONE_STREAM = [study("iemocap", "minilm"), study("ravdess", "whisper-tiny.en-frames")]
VECTORS = [study("mosi-standardised", "minilm"), study("meld-dev", "roberta-wav2vec2")]
NEMO = [study("nemo", "spoken"), study("nemo", "log-mel-coarse+minilm")]


# --- arms ---------------------------------------------------------------------------------------


def test_auto_is_all_frames_of_sound_and_words_where_there_are_any():
    for dataset, encoder in cmt.ENCODERS.items():
        assert study(dataset, "auto", "quick").encoder == encoder
    assert study("iemocap", "auto").encoder == "minilm"
    assert Study("mmml", dataset="raw-spoken").encoder == "small-tuned"


def test_every_data_set_of_the_plan_is_described():
    for key in plan.PLAN:
        assert len(results.about(study(*key.split()[:2])).text) > 60
        assert key.split()[0] in results.ABOUT


def test_a_page_has_the_arms_that_its_data_allow():
    whole = results.main(study())
    assert list(whole) == [*plan.alone(WHOLE), NO_PT, scope.TWO, BASE, LARGE]
    assert [list(results.main(s)) for s in ONE_STREAM] == [[scope.TEXT], [scope.SOUND]]
    assert all(list(results.main(s))[-1] == NO_PT for s in VECTORS)
    assert [NO_PT in results.main(s) for s in NEMO] == [True, False]
    assert not any(BASE in results.main(s) for s in (*VECTORS, *NEMO))


def test_quick_has_fewer_arms_and_says_so():
    quick = study(profile="quick")
    for arms in (results.main, results.ingredients):
        few, every = arms(quick), arms(study())
        assert few.keys() < every.keys() and NO_PT in few
    assert results.missing(quick, Runs([]), few).text.endswith(results.SELECTION)


def test_table4_has_the_papers_rows_and_ours():
    named = results.ingredients(study())
    assert named == plan.named(WHOLE)
    assert [list(results.ingredients(s)) for s in ONE_STREAM] == [[], []]
    assert all(list(results.ingredients(s)) == [NO_PT, scope.ORTHO_ALONE] for s in VECTORS)


def test_what_is_compared_has_a_row():
    main, rows = results.main(study()).keys(), results.ingredients(study()).keys()
    compared = (*results.MAIN, *results.HEADLINES, *results.EMOTION_HEADLINES)
    assert {name for pair in compared for name in pair} <= main
    assert {name for pair in (*results.STEPS, *results.CAUSES) for name in pair} <= rows
    assert set(results.HEADLINES) | set(results.EMOTION_HEADLINES) <= set(results.MAIN)


# --- scale --------------------------------------------------------------------------------------


def test_the_scale_follows_from_recipes_and_the_printed_text():
    page = study()
    sizes = {s.what: (s.ours, s.paper) for s in scale.sizes(page, results.main(page))}
    recipe = page.spec(results.main(page)[LARGE], 0)
    assert sizes["width of the streams"] == (str(recipe.model["width"]), "1,024")
    assert sizes["updates of pretraining"] == ("1,500 of 32 clips", "100,000 of 256 clips")
    assert sizes["pairs to pretrain on"] == ("1,500 clips at most", "960 hours")
    assert sizes["frames of sound a second"] == ("12.5", "50")
    assert sizes["encoder of sound"] == (
        "whisper-tiny.en-frames (4 x 384), frozen",
        "HuBERT-large (24 x 1,024), fine-tuned",
    )
    setting = results.setting(page, results.main(page))
    assert "reduced scale: " in setting and "in 1,500 updates of 32" in setting
    assert len(scale.table(page, results.main(page)).frame) == len(sizes)


def test_a_page_without_pretraining_does_not_speak_of_it():
    for page in (*ONE_STREAM, *VECTORS, *NEMO):
        assert "pretrained" not in results.setting(page, results.main(page))
    (mosi, meld), log_mel = VECTORS, NEMO[1]
    assert "sound: vectors" in results.setting(mosi, results.main(mosi))
    assert "words: vectors" in results.setting(meld, results.main(meld))
    assert "sound by log-mel-coarse features" in results.setting(log_mel, results.main(log_mel))


def test_a_page_of_the_papers_size_does_not_call_itself_reduced():
    page = study("iemocap", "roberta-large-tuned")
    assert scale.phrase(page, results.main(page)) == "the paper's scale"
    assert scale.table(page, results.main(page)).frame.empty


# --- print --------------------------------------------------------------------------------------


def test_printed_rows_have_our_names_and_our_units():
    rows = results.printed_rows("table1")
    assert rows[scope.TEXT].text["wa"] == "70.2" and rows[BASE].value["ua"] == 76.3
    assert {"MulT", "JBLS", "CTAL"} < rows.keys() and "wa" not in rows["JBLS"].text
    both = results.printed_rows("table2", "table4")
    assert both[ORTHO].text == {"acc7": "55.4", "acc2_non0": "87.9", "f1_non0": "87.8",
                                "mae": "0.493"}  # fmt: skip
    assert both[scope.SHALLOW].value["mae"] == 0.518


def test_printed_rows_stand_beside_the_same_clips_only():
    assert results.beside(ONE_STREAM[0], "table1").keys() == results.printed_rows("table1").keys()
    for page in (study(), ONE_STREAM[1], *VECTORS):
        assert results.beside(page, "table1") == results.beside(page, "table2") == {}


@pytest.mark.parametrize("exhibit", ["table1", "table2", "table4"])
def test_every_table_of_the_paper_can_be_shown(exhibit):
    shown = results.print_of(exhibit)
    assert len(shown.content.frame) == len(results.printed_rows(exhibit))
    assert results.scope.CORPORA[results.CORPUS[exhibit]] in shown.content.caption


# --- gains --------------------------------------------------------------------------------------


def test_a_planted_gain_is_seen_in_the_metrics_of_the_claims():
    noise = {NAMED[PT]: GOOD, NAMED[NO_PT]: BAD}
    runs = Runs(planted(noise, dataset="raw-spoken"))
    assert results.tested(runs) == ["mae", "acc7", "acc2_non0", "f1_non0"]
    effects = results.effects(runs, NAMED, results.STEPS)
    assert list(effects) == [(PT, NO_PT)]
    assert contrasts.word(effects[PT, NO_PT]["mae"]) == "better"
    printed = results.printed_rows("table4")
    frame = contrasts.gain_table(effects, printed, setting="here").frame
    assert frame["Acc-2 (non 0), printed"].tolist() == ["-0.40"]
    answer = contrasts.answer(effects, setting="here").text
    assert answer.startswith("PT over w/o PT (here; ") and "seeds): better in MAE (" in answer


def test_baselines_stand_beside_the_papers_systems():
    noise = {NAMED[scope.SHALLOW]: BAD, NAMED[NO_PT]: GOOD}
    runs = Runs(planted(noise, dataset="raw-spoken"))
    effects = results.effects(runs, results.main(study()), results.MAIN)
    assert list(effects) == [(NO_PT, scope.SHALLOW)]
    assert contrasts.word(effects[NO_PT, scope.SHALLOW]["acc7"]) == "better"


def test_classes_are_compared_by_wa_and_ua():
    noise = {NAMED[scope.SHALLOW]: GOOD, NAMED[scope.SOUND]: BAD}
    runs = Runs(as_classes(planted(noise, dataset="ravdess")))
    assert results.tested(runs) == ["wa", "ua", "f1"]
    pair = scope.SHALLOW, scope.SOUND
    assert contrasts.word(results.effects(runs, NAMED, [pair])[pair]["wa"]) == "better"


def test_columns_are_those_of_the_paper():
    assert results.columns(ONE_STREAM[0]) == (
        *("acc2_angry", "acc2_happy", "acc2_neutral", "acc2_sad"), "wa", "ua",
    )  # fmt: skip
    assert results.columns(study()) == results.METRICS_SHOWN


def test_how_alike_streams_are_is_shown_of_cmt_alone():
    noise = {NAMED[scope.SHALLOW]: BAD, NAMED[TAPT]: GOOD}
    streams = {"cosine": 0.25, "layer_weights": []}
    made = planted(noise, dataset="raw-spoken", extras=lambda *_: streams)
    assert results.likeness(Runs(planted(noise, dataset="raw-spoken")), NAMED) == {}
    more = results.likeness(Runs(made), NAMED)
    assert more == {TAPT: {"cosine of the streams": "0.25\u00a0±\u00a00.00"}}


def test_missing_runs_come_with_the_command_that_makes_them():
    page = study("meld-dev", "roberta-wav2vec2")
    note = results.missing(page, Runs([]), results.main(page)).text
    assert "msalib records cmt -p dataset meld-dev -p encoder roberta-wav2vec2" in note
    none = results.missing(page, Runs([]), {}).text
    assert "msalib" not in none
