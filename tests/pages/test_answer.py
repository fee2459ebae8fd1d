"""The short answer of a page."""

import pytest

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.evidence import registry, settings
from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import Coverage, Verdict, judge
from msalib.pages import answer
from msalib.runs import records
from msalib.runs.records import Setting
from tests.factory import layer_records

(CLAIM,) = registry.claims("uegd", ["UEGD-C6"])
MOSI = Setting("mosi-standardised", "minilm", "release", "full")
EFFECTS = {"MAE": Estimate(-0.05, -0.09, -0.01, 0.01), "Corr": Estimate(0.1, 0.05, 0.15, 0.01)}


def verdict(word="supported", kind="substitute", setting=MOSI, effects=EFFECTS, claim=CLAIM):
    covered = Coverage(5, 685, 31, {"linguistic": 6})
    return Verdict(claim, kind, setting, Evidence(word, effects, "a note"), [], covered)


def test_it_begins_with_the_verdict_in_its_setting_and_ends_with_what_was_not_run():
    text = answer.short(verdict())
    where = "in our substitute setting (CMU-MOSI, transcripts and voice vectors, MiniLM; 5 seeds)."
    assert text.startswith(f"Yes {where} ")
    assert CLAIM.rerun.reading["supported"] in text
    assert "MAE: -0.050 [-0.090,\u00a0-0.010]." in text and "Corr" not in text
    assert text.endswith("As published: not run.")


@pytest.mark.parametrize("word", list(answer.WORDS))
def test_each_verdict_has_its_word_and_its_reading(word):
    text = answer.short(verdict(word))
    assert text.startswith(answer.WORDS[word]) and CLAIM.rerun.reading[word] in text


def test_the_effect_is_the_one_asked_for_in_the_words_of_the_page():
    text = answer.short(verdict(), "Corr", "gain of the chosen block in correlation")
    assert "Gain of the chosen block in correlation: +0.100 [" in text
    with pytest.raises(KeyError):
        answer.short(verdict(), "no such effect")


def test_a_setting_as_published_does_not_say_that_it_was_not_run(monkeypatch, tmp_path):
    text = answer.short(verdict(kind="as-published"))
    assert text.startswith("Yes as published (") and "not run" not in text
    monkeypatch.setattr(records, "files", lambda paper, setting: [tmp_path])
    assert settings.as_published("uegd") and "not run" not in answer.short(verdict())


def test_without_records_there_is_no_effect_and_no_number_of_seeds():
    one = Verdict(CLAIM, "control", MOSI, Evidence("not run", {}, "needs runs"), [])
    text = answer.short(one)
    assert text.startswith("Not run on data whose truth we know (CMU-MOSI,")
    assert "seed" not in text


def test_the_other_claims_of_a_page_are_summed_up_by_verdict(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 50)
    found = layer_records({m: {0: 3.0, 1: 2.0, 2: 0.8, "weighted": 1.0} for m in MODALITIES})
    judged = judge(registry.claims("uegd", ["UEGD-C6", "UEGD-C7", "UEGD-C2"]), found)
    text = answer.others(judged, "UEGD-C6")
    assert "UEGD-C6" not in text and "not run UEGD-C2" in text and "UEGD-C7" in text
    assert answer.others(judged[:0]) == ""


C5, C7, C9 = registry.claims("uegd", ["UEGD-C5", "UEGD-C7", "UEGD-C9"])


def test_the_first_lead_that_the_records_decide_answers_for_the_page():
    found = [verdict("not run", claim=C5), verdict("contradicted", claim=C7), verdict(claim=C9)]
    text = answer.page(found, {"UEGD-C5": "", "UEGD-C7": "Corr"}, otherwise="Nothing.")
    assert text.startswith(answer.short(found[1], "Corr"))
    assert text.endswith("Also: supported UEGD-C9; not run UEGD-C5.")


def test_an_effect_that_the_setting_lacks_gives_way_to_the_first():
    text = answer.page([verdict()], {"UEGD-C6": "no such effect"}, otherwise="")
    assert text == answer.short(verdict())


def test_a_page_without_a_verdict_has_the_other_answer():
    found = [verdict("not run"), verdict("supported", claim=C7)]
    text = answer.page(found, {"UEGD-C6": ""}, otherwise="One is ahead by 0.1.")
    assert text == "One is ahead by 0.1. Claims of this page: supported UEGD-C7; not run UEGD-C6."
    assert answer.page([], {}, otherwise="Nothing.") == "Nothing."


def test_a_page_says_what_the_effect_of_its_lead_compares():
    found = [verdict("inconclusive", claim=C7)]
    text = answer.page(found, {"UEGD-C7": "Corr"}, compares={"UEGD-C7": "this minus that"})
    assert "Corr (this minus that): +0.100 [" in text


def test_an_effect_is_told_with_one_bracket_and_its_unit():
    effects = {"a over b: gain in Acc-2 (has 0), points (90% interval)": Estimate(2, 1, 3, 0.1)}
    assert (
        "A over b, gain in Acc-2 (has 0) (90% interval): +2.000 [+1.000,\u00a0+3.000] points."
        in (answer.short(verdict(effects=effects)))
    )
    found = [verdict(effects={"gain in Acc-2 (has 0), points": Estimate(2, 1, 3, 0.1)})]
    text = answer.page(found, {"UEGD-C6": ""}, compares={"UEGD-C6": "a over b"})
    assert "Gain in Acc-2 (has 0; a over b): +2.000 [" in text and "] points." in text


def test_a_page_that_decides_nothing_says_what_its_first_lead_needs():
    found = [verdict("not run", claim=C5, effects={}), verdict("not run", claim=C7)]
    text = answer.page(found, {"UEGD-C7": "", "UEGD-C5": ""})
    assert text.startswith("Not run") and C7.rerun.reading["not run"] in text
    assert "not run UEGD-C5" in text
    assert answer.page([], {"UEGD-C7": ""}).startswith("Not run")
