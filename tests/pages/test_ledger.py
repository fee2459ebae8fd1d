"""Verdicts as readers see them."""

import re

import numpy as np
import pytest

from msalib.base import stats
from msalib.base.stats import Estimate
from msalib.data.corpus import MODALITIES
from msalib.evidence import error_rates, registry
from msalib.evidence.common import Word
from msalib.evidence.verdicts import Coverage, judge, judge_study
from msalib.pages import ledger
from tests.evidence.made_rates import equivalence, measured, power
from tests.factory import layer_records
from tests.html import Page, read

SETTING = "control: a <small> corpus & more; release recipe, profile quick, 2 seeds"
(ANY,) = registry.claims("uegd", ["UEGD-C6"])
NOISE = {0: 3.0, 1: 2.0, 2: 0.8, 3: 1.5, "weighted": 1.0}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


@pytest.fixture
def verdicts():
    found = layer_records(dict.fromkeys(MODALITIES, NOISE))
    return judge(registry.claims("uegd"), found)


@pytest.mark.parametrize(
    ("name", "estimate", "text"),
    [
        ("MAE", Estimate(-0.03, -0.05, 0.01, 0.2), "MAE -0.030 [-0.050,\u00a0+0.010]"),
        ("Corr", Estimate(0.5, 0.25, 1, 0.2), "Corr +0.500 [+0.250,\u00a0+1.000]"),
        ("spread", Estimate(0.1, 0, 1, 0.2, kind="level"), "spread 0.100 [0.000,\u00a01.000]"),
        (
            "within",
            Estimate(4e-4, 3e-4, 5e-4, 0, kind="level"),
            "within 0.0004 [0.0003,\u00a00.0005]",
        ),
        ("best block", Estimate(4, 2, 6, 0.1, kind="block"), "best block 4 [2,\u00a06]"),
        ("Corr", Estimate(*[float("nan")] * 4), "Corr undefined"),
        ("Corr", Estimate(0.5, *[float("nan")] * 3), "Corr undefined"),
    ],
)
def test_effects_are_shown_by_their_kind_with_interval(name, estimate, text):
    assert ledger.effect_text(name, estimate) == text


def test_the_ledger_tells_verdict_reading_setting_effect_print_and_records(verdicts):
    table = ledger.ledger(verdicts, "uegd", caption=f"Verdicts. Setting: {SETTING}.")
    page = read(table)
    text = page.text.replace("\u00a0", " ")
    for v, (_, row) in zip(verdicts, table.frame.iterrows(), strict=True):
        assert f'href="../paper-uegd.html#{v.claim.id}"' in row["claim"]
        assert f"{ledger.SYMBOLS[v.evidence.verdict]} {v.evidence.verdict}" in text
        assert v.claim.statement in text and v.reading in text and v.evidence.note in text
        assert "setting" not in row  # it is that of the caption
        covers = row["covers"]
        if v.records:
            clips, videos = v.coverage.clips, v.coverage.videos
            assert covers.startswith(f"5 seeds, {clips} test clips of {videos} videos; ")
        else:
            assert v.coverage is None and covers == ""
        for name, e in v.evidence.effects.items():
            assert ledger.effect_text(name, e) in row["effect and 95% interval"]
    assert "MOSI, UEGD enc mid best minus UEGD enc output: MAE -0.022, Corr +0.033" in text
    assert "no number" in text  # C10: a figure without numbers
    (c6,) = table.frame["in print"][[v.claim.id == "UEGD-C6" for v in verdicts]]
    assert Page(c6).text.startswith("✗ contradicted 20 of 24 cells hold")
    assert SETTING in text


def test_records_are_counted_and_the_first_are_named(verdicts):
    by_id = {v.claim.id: v for v in verdicts}
    table = ledger.ledger([by_id["UEGD-C6"], by_id["UEGD-C2"]], "uegd", caption="Two.")
    cited, none = (Page(cell).text for cell in table.frame["records"])
    found = by_id["UEGD-C6"].records
    assert "in uegd/control-planted/release/quick:" in cited
    assert cited.startswith(str(len(found)))
    assert all(record.name() in cited for record in found[: ledger.CITED])
    assert cited.endswith(f"and {len(found) - ledger.CITED} more")
    assert none == "none"


def test_seeds_are_told_beside_a_difference(verdicts):
    (c6,) = [v for v in verdicts if v.claim.id == "UEGD-C6"]
    effects = c6.evidence.effects.items()
    mae = next(e for name, e in effects if "linguistic MAE" in name and len(e.seeds) == 5)
    cell = ledger.ledger([c6], "uegd", caption="One.").frame["effect and 95% interval"][0]
    sd = f"{np.std(mae.seeds, ddof=1):.3f}"
    assert f"(seeds ± {sd}, 5 of 5 below 0)" in Page(cell).text


def test_settings_without_records_are_in_the_ledger():
    verdicts = judge_study("uegd")  # there are no records here at all
    table = ledger.ledger(verdicts, "uegd", caption="All.")
    assert set(table.frame["setting"]) == {
        "CMU-MOSI (voice as stored), transcripts and voice vectors, BERT-Large (as published)",
        "CMU-MOSEI, transcripts, BERT-Large (as published)",
    }
    assert all(cell.count("○ not run") == 1 for cell in table.frame["verdict"])


def test_every_verdict_has_a_symbol_of_its_own():
    words = Word.__args__
    assert set(ledger.SYMBOLS) == set(words)
    assert len(set(ledger.SYMBOLS.values())) == len(words)
    for word in words:
        assert Page(ledger.badge(word)).text == f"{ledger.SYMBOLS[word]} {word}"


def test_texts_for_prose_are_those_of_the_verdicts(verdicts):
    texts = ledger.verdict_texts(verdicts)
    for v in verdicts:
        name = v.claim.id.split("-")[1]
        assert texts[name] == v.evidence.verdict
        assert texts[f"{name}_reading"] == v.reading
        assert texts[f"{name}_note"] == v.evidence.note
        assert texts[f"{name}_records"] == str(len(v.records))
    (c6,) = [v for v in verdicts if v.claim.id == "UEGD-C6"]
    name, effect = next(iter(c6.evidence.effects.items()))
    key = "_".join(re.findall(r"\w+", name.lower()))
    assert texts[f"C6_{key}"] == ledger.effect_text(name, effect)
    assert "C13_linguistic_best_block_test" in texts and "C9_visual_within_total" in texts
    assert all(re.fullmatch(r"\w+", name) for name in texts)  # names that glue takes
    assert not any("nan" in text for text in texts.values())


def test_rules_show_the_test_of_every_claim():
    table = ledger.rules(registry.claims("uegd"), registry.amendments("uegd"))
    assert len(table.frame) == len(registry.claims("uegd"))
    text = read(table).text
    assert "after Holm" in text and "widened: at first it was text alone" in text


# --- what a verdict covers, and how often its test errs -----------------------------------------


@pytest.mark.parametrize(
    ("covered", "text"),
    [
        (
            Coverage(5, 685, 31, {"acoustic": 1, "linguistic": 6}),
            "5 seeds, 685 test clips of 31 videos; acoustic (vectors), linguistic (6 blocks)",
        ),
        (
            Coverage(2, 20, 1, {"linguistic_context": 0}),
            "2 seeds, 20 test clips of 1 video; linguistic context (fine-tuned)",
        ),
        (Coverage(1, 1, 1, {"visual": 1}), "1 seed, 1 test clip of 1 video; visual (vectors)"),
        (None, ""),
    ],
)
def test_what_is_covered_is_said_in_words(covered, text):
    assert ledger.coverage_text(covered) == text


def test_error_rates_are_said_with_their_size_and_power():
    gain = measured(1, 9, border=(2, 4))
    assert ledger.errors_text(gain) == (
        "size of raw: false support 2.0%, false contradiction 4.0%, power 90% at the printed gain"
    )
    borrowed = measured(1, 9, printed_in="none is printed, that of table8, mosi")
    assert ledger.errors_text(borrowed).endswith("at a gain that is printed for another claim")
    assert ledger.errors_text(equivalence(7)).endswith(
        "power 70% where it is true (nothing differs)"
    )
    without = gain.model_copy(update={"cells": gain.of("border")})
    assert ledger.errors_text(without).endswith("false contradiction 4.0%")


def test_a_test_that_errs_more_often_than_its_level_says_so():
    wrong = measured(1, 9, border=(12, 4))
    told = "false support 12.0%, false contradiction 4.0% (above the level), power 90%"
    assert told in ledger.errors_text(wrong)
    told = "false verdicts 12.0% at most (above the level), power 90%"
    assert Page(ledger.errors_cell(ANY, [measured(1, 9, size="mosi"), wrong])).text.startswith(told)


def test_error_rates_of_several_sizes_are_two_numbers_and_open_on_a_click():
    cell = ledger.errors_cell(ANY, [measured(1, 2, border=(2, 0)), measured(1, 9, size="mosi")])
    page = Page(cell)
    assert page.text.startswith("false verdicts 2.0% at most, power 20% to 90%; sizes of raw, mosi")
    assert "size of raw: false support 2.0%" in page.text and "size of mosi" in page.text
    assert Page(ledger.errors_cell(ANY, [equivalence(7)])).text.startswith(
        "false verdicts 0.0% at most, power 70%; size of raw"
    )
    assert ledger.errors_cell(ANY, []) == "not measured"


def test_why_errors_cannot_be_measured_is_said():
    (timed,) = registry.claims("sugrm", ["SUGRM-C23"])
    told = "not measured (a measurement, which depends on no run)"
    assert ledger.errors_cell(timed, []) == told


def test_the_ledger_and_the_command_show_the_errors_of_a_test(verdicts):
    """A record of made-up rates: they are found by the claim."""
    about = measured(1, 9, border=(2, 4), claim="UEGD-C6")
    error_rates.record("mmml").write(power(about))  # it is read by the name of the paper
    table = ledger.ledger(verdicts, "mmml", caption="All.")
    rates = table.frame["errors of the test"]
    shown = {v.claim.id: cell for v, cell in zip(verdicts, rates, strict=True)}
    assert "false verdicts 4.0% at most" in shown["UEGD-C6"]
    assert shown["UEGD-C7"] == "not measured"
