"""What readers see: captions that name the setting, alternative texts, numbers as they are."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from msalib import claims, describe, plots, readers, stats, tables
from msalib.corpus import MODALITIES
from msalib.printed import load
from msalib.simulate import control
from msalib.stats import Estimate
from msalib.tables import Note, Table
from tests.factory import layer_records

SETTING = "control: a <small> corpus & more; release recipe, profile quick, 2 seeds"
CONSTANT = float("inf")
NOISE = {0: 3.0, 1: 2.0, 2: 0.8, 3: 1.5, "weighted": 1.0}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


@pytest.fixture(scope="module")
def found():
    return layer_records(dict.fromkeys(MODALITIES, NOISE))


class Page(HTMLParser):
    """Tags with their attributes, and whether every tag that opens is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.text = [], [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def read(shown):
    return Page(shown._repr_html_())


def cells(table, row):
    (index,) = np.flatnonzero(table.frame["feature"] == row)
    return table.frame.iloc[index]


# --- tables -------------------------------------------------------------------------------------


def test_table_3_shows_every_layer_the_weighted_sum_and_chance(found):
    table = tables.single_modality(found, "linguistic", setting=SETTING)
    assert table.frame["feature"].tolist() == [
        "0 (input embeddings)",
        "block 1",
        "block 2 (mid-best)",
        "block 3 (output)",
        "weighted sum of the blocks",
        "constant: training median, test majority",
    ]
    assert table.frame["whose"].tolist() == ["ours"] * 5 + ["chance"]
    values = [r.metrics["test"]["mae"] for r in found if r.spec.inputs == {"linguistic": 2}]
    assert cells(table, "block 2 (mid-best)")["MAE ↓ (points)"] == (
        f"{np.mean(values):.3f}\u00a0±\u00a0{np.std(values, ddof=1):.3f}"
    )
    assert cells(table, "block 1")["Acc-2 (has 0) ↑ (%)"] == "75.0\u00a0±\u00a00.0"
    chance = cells(table, "constant: training median, test majority")
    assert chance["MAE ↓ (points)"] == "1.250" and chance["Corr ↑"] == "-"
    assert chance["F1 (non 0) ↑ (%)"] == "50.0"


def test_a_table_names_its_setting_and_can_be_reached_by_keyboard(found):
    page = read(tables.single_modality(found, "acoustic", setting=SETTING))
    (region,) = [a for a in page.attributes("div") if a.get("role") == "region"]
    assert SETTING in region["aria-label"]
    assert region["tabindex"] == "0"
    assert SETTING in page.text
    assert "mean ± standard deviation over 2 seeds" in page.text


def test_undefined_correlations_are_shown_as_such():
    constant = layer_records({"linguistic": {1: 1.0, 2: CONSTANT}})
    table = tables.single_modality(constant, "linguistic", setting=SETTING)
    assert cells(table, "block 2 (output)")["Corr ↑"] == "undefined"
    assert "nan" not in table._repr_html_().lower()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.5, 0.7], "0.600\u00a0±\u00a00.141"),
        ([0.5], "0.500"),
        ([0.5, None, 0.7], "0.600\u00a0±\u00a00.141 (1 undefined)"),
        ([None, None], "undefined"),
    ],
)
def test_means_over_seeds_count_what_is_undefined(values, text):
    assert tables.spread(values, "corr") == text


def test_one_block_may_be_output_and_mid_best():
    table = tables.single_modality(
        layer_records({"linguistic": {1: 2.0, 2: 1.0}}), "linguistic", setting=SETTING
    )
    assert "block 2 (output, mid-best)" in table.frame["feature"].tolist()


def test_the_printed_rows_are_those_of_the_paper():
    table = tables.printed_single_modality("uegd", "mosi", "linguistic")
    csv = load("uegd")
    csv = csv[(csv["exhibit"] == "table3") & (csv["dataset"] == "mosi")]
    assert set(table.frame["whose"]) == {"printed"}
    for feature in ("Enc. output", "Enc. mid-best", "Enc. weighted"):
        words = feature.lower().replace(".", "").replace("-", " ")
        variant = "linguistic_" + words.replace(" ", "_")
        rows = csv[csv["variant"] == variant].set_index("metric")["printed"]
        assert cells(table, feature)["MAE ↓ (points)"] == rows["mae"]
        assert cells(table, feature)["F1 (non 0) ↑ (%)"] == rows["f1_non0"]
    assert "other encoders" in table.caption and "MOSI" in table.caption


def test_there_are_no_printed_rows_for_the_control():
    note = tables.printed_single_modality("uegd", "control", "linguistic")
    assert isinstance(note, Note)
    assert "prints no numbers for the data set control" in read(note).text


@pytest.mark.parametrize(
    ("name", "estimate", "text"),
    [
        ("mae", Estimate(-0.03, -0.05, 0.01, 0.2), "MAE -0.030 [-0.050,\u00a0+0.010]"),
        ("corr", Estimate(0.5, 0.25, 1, 0.2), "Corr +0.500 [+0.250,\u00a0+1.000]"),
        (
            "spread vs visual",
            Estimate(0.1, 0, 1, 0.2),
            "spread vs visual +0.100 [+0.000,\u00a0+1.000]",
        ),
        (
            "spread linguistic",
            Estimate(0.1, 0, 1, 0.2),
            "spread linguistic 0.100 [0.000,\u00a01.000]",
        ),
        ("best block, test", Estimate(4, 2, 6, 0.1), "best block, test 4 [2, 6]"),
        ("corr", Estimate(*[float("nan")] * 4), "Corr undefined"),
    ],
)
def test_effects_are_shown_with_sign_and_interval(name, estimate, text):
    assert tables.effect_text(name, estimate) == text


def test_the_ledger_tells_verdict_setting_effect_print_and_records(found):
    verdicts = claims.judge(claims.registry("uegd"), found)
    ledger = tables.ledger(verdicts, "uegd", caption=f"Verdicts. Setting: {SETTING}.")
    page = read(ledger)
    for v, (_, row) in zip(verdicts, ledger.frame.iterrows(), strict=True):
        assert v.claim.id in row["claim and verdict"]
        assert f"{tables.SYMBOLS[v.evidence.verdict]} {v.evidence.verdict}" in page.text
        assert row["setting"] == "control: control, planted, release recipe, profile quick, 2 seeds"
        assert row["records"] == str(len(found))
        assert v.evidence.note in row["effect and 95% interval"]
    assert "MOSI MAE -0.033, Corr +" in page.text
    assert "no number" in page.text  # C10: a figure without numbers
    assert SETTING in page.text


def test_a_setting_without_records_is_in_the_ledger():
    verdicts = claims.evaluate("uegd")  # there are no records here at all
    table = tables.ledger(verdicts, "uegd", caption="All.")
    assert set(table.frame["setting"]) == {
        "as-published: mosi, bert-large, release recipe, profile paper"
    }
    assert read(table).text.count("○ not run") == len(verdicts)


def test_every_verdict_has_a_symbol_of_its_own():
    words = claims.Word.__args__
    assert set(tables.SYMBOLS) == set(words)
    assert len(set(tables.SYMBOLS.values())) == len(words)
    for word in words:
        assert Page(tables.badge(word)).text == f"{tables.SYMBOLS[word]} {word}"


def test_environment_groups_equal_origins(found):
    other = found[0].model_copy(
        update={"provenance": found[0].provenance.model_copy(update={"commit": "ffff"})}
    )
    frame = tables.environment([*found, other]).frame
    assert frame["runs"].tolist() == [len(found), 1]
    assert frame["first (UTC)"].iloc[0] == "2026-01-02 03:04"


def test_numbers_for_prose_are_those_of_the_table(found):
    numbers = tables.numbers(found, "linguistic")
    table = tables.single_modality(found, "linguistic", setting=SETTING)
    assert (numbers["blocks"], numbers["mid_best_block"], numbers["seeds"]) == ("3", "2", "2")
    assert numbers["mid_best_mae"] == cells(table, "block 2 (mid-best)")["MAE ↓ (points)"]
    assert numbers["output_corr"] == cells(table, "block 3 (output)")["Corr ↑"]
    assert numbers["printed_blocks"] == "24"  # papers/uegd.md (c)
    verdicts = claims.judge(claims.registry("uegd"), found)
    texts = tables.verdict_texts(verdicts)
    for v in verdicts:
        assert texts[v.claim.id.split("-")[1]] == v.evidence.verdict
    assert texts["C6_mae"] == tables.effect_text("mae", verdicts[0].evidence.effects["mae"])
    assert all(re.fullmatch(r"\w+", name) for name in texts)  # names that glue takes


def test_counts_show_ours_beside_the_printed_ones():
    dataset = readers.dataset("control")
    summary = describe.summarise(control(videos=12), dataset.title)
    ours = tables.counts(summary, "uegd")
    assert ours.frame["part"].tolist() == ["train", "valid", "test"]
    assert set(ours.frame["clips (printed)"]) == {"-"}
    assert summary.fingerprint[:12] in ours.caption and "Dropped" not in ours.caption
    mosi = summary.model_copy(update={"dataset": "mosi", "dropped": {"x_1": "no label"}})
    theirs = tables.counts(mosi, "uegd")
    assert theirs.frame["clips (printed)"].tolist() == ["1284", "229", "686"]
    assert "Dropped: x_1 (no label)." in theirs.caption


def test_rules_show_the_test_of_every_claim():
    table = tables.rules(claims.registry("uegd"))
    assert len(table.frame) == 4
    assert "after Holm" in read(table).text


def test_what_comes_from_outside_cannot_become_markup():
    page = read(Table(pd.DataFrame({"n": [1]}), caption="a <b> & c"))
    assert "a <b> & c" in page.text
    for shown in (Note("<script>"), tables.Setting("<script>")):
        assert "<script>" in read(shown).text
        assert not read(shown).attributes("script")


# --- figures ------------------------------------------------------------------------------------


def image(picture):
    """The picture's page, after checks that hold for every figure."""
    page = read(picture)
    (attributes,) = page.attributes("img")
    assert attributes["alt"] == picture.alt
    assert len(picture.alt) > 60
    assert picture.caption in page.text
    assert attributes["src"].startswith("data:image/png;base64,")  # no file that could be missing
    return page


def test_the_curve_is_told_in_words(found):
    picture = plots.layer_curve(found, setting=SETTING)
    page = image(picture)
    assert SETTING in page.text and "mean of 2 seeds" in page.text
    runs = claims.Runs(found)
    for modality in MODALITIES:
        blocks, mean, _ = runs.correlations(modality, "test")
        assert (
            f"highest {mean.max():.2f} at block {blocks[mean.argmax()]}, {mean[-1]:.2f} at the "
            f"last block 3; validation chooses block {runs.mid_best(modality)}"
        ) in picture.alt
        assert f"{modality}: " in picture.alt


def test_the_curve_of_one_modality_and_without_layer_zero():
    picture = plots.layer_curve(layer_records({"linguistic": {1: 2.0, 2: 1.0}}), setting=SETTING)
    image(picture)
    assert "linguistic" in picture.alt and "visual" not in picture.alt
    assert "at block 1, highest" in picture.alt


@pytest.mark.parametrize("others", [1.0, CONSTANT])
def test_undefined_correlations_are_told_as_such(others):
    noise = {1: others, 2: others, 3: CONSTANT}
    picture = plots.layer_curve(layer_records({"linguistic": noise}), setting=SETTING)
    image(picture)
    assert "nan" not in picture.alt
    assert "undefined at the last block 3" in picture.alt


def test_the_planted_truth_beside_what_was_found(found):
    truth = control(videos=8).truth
    picture = plots.planted_profile(truth, found, setting=SETTING)
    assert SETTING in image(picture).text
    assert "Planted best blocks: visual 3, 4, 5, 6, 7, 8; acoustic 7; linguistic 6." in picture.alt
    note = plots.planted_profile(None, found, setting=SETTING)
    assert "Real data" in read(note).text


def test_the_histogram_of_labels():
    summary = describe.summarise(control(videos=12), "simulated")
    picture = plots.label_histogram(summary.label_counts, describe.EDGES, title=summary.title)
    assert summary.title in image(picture).text
    assert all(part in picture.alt for part in ("train around", "valid around", "test around"))


def test_pictures_are_wide_enough_and_equal_from_equal_records(found, tmp_path):
    one, again = (plots.layer_curve(found, setting=SETTING) for _ in range(2))
    assert one.png == again.png
    (tmp_path / "curve.png").write_bytes(one.png)
    height, width = imread(tmp_path / "curve.png").shape[:2]
    assert width >= 800 and height >= 500  # legible at double resolution


def test_lines_are_told_apart_without_colour():
    styles = plots.MODALITY_STYLE.values()
    for key in ("marker", "linestyle"):
        assert len({style[key] for style in styles}) == len(MODALITIES)
