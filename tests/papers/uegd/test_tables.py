"""Tables of UEGD: which rows they have, whose, and that the numbers are those of the records."""

import re

import numpy as np
import pytest

from msalib.base import stats
from msalib.data import describe
from msalib.data.corpus import MODALITIES
from msalib.evidence.printed.table import load
from msalib.pages.tables import Note
from msalib.papers.uegd import tables as exhibits
from msalib.papers.uegd import variances
from msalib.runs.query import Runs
from msalib.runs.spec import system
from tests.factory import layer_records, make_record, predictions, system_records
from tests.html import read

SETTING = "control: a <small> corpus & more; release recipe, profile quick, 2 seeds"
CONSTANT = float("inf")
NOISE = {0: 3.0, 1: 2.0, 2: 0.8, 3: 1.5, "weighted": 1.0}
MAE, CORR = "MAE ↓ (points)", "Corr ↑"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def whole(modalities=MODALITIES, blocks=3, **spec):
    """Records of every modality alone and of all together, with both fusions; block 2 is best."""
    noise = {system({m: k}): sd for m in modalities for k, sd in NOISE.items()}
    for k in (0, 2, 3, "weighted"):
        noise[system(dict.fromkeys(modalities, k))] = NOISE[k] / 2
    noise[system(dict.fromkeys(modalities, 2), paper="uegd", fusion="concat")] = NOISE[2] / 2
    return system_records(noise, dict.fromkeys(modalities, blocks), seeds=2, **spec)


def vectors(*modalities):
    """Records of features without layers, alone and together."""
    noise = {system({m: 1}): 1.0 for m in modalities}
    for fusion in ("gate", "concat"):
        noise[system(dict.fromkeys(modalities, 1), paper="uegd", fusion=fusion)] = 0.8
    return system_records(noise, dict.fromkeys(modalities, 1), seeds=2)


@pytest.fixture(scope="module")
def runs():
    return Runs(whole())


@pytest.fixture(scope="module")
def mosi():
    return Runs(whole(dataset="mosi", setting="substitute", encoder="minilm"))


def cells(table, row, column="feature"):
    (index,) = np.flatnonzero(table.frame[column] == row)
    return table.frame.iloc[index]


def mean_sd(values, decimals=3):
    return f"{np.mean(values):.{decimals}f}\u00a0±\u00a0{np.std(values, ddof=1):.{decimals}f}"


def measured(runs, system, metric, part="test"):
    (records,) = runs.records(system)
    return [r.metrics[part][metric] for r in records]


# --- Table 2 ------------------------------------------------------------------------------------


def test_table_2_has_five_feature_rows_and_chance(runs):
    table = exhibits.multimodal(runs, setting=SETTING)
    assert table.frame["feature"].tolist() == [
        "Input embeddings: visual layer 0, acoustic layer 0, linguistic layer 0",
        "Enc. output: visual block 3, acoustic block 3, linguistic block 3",
        "Enc. mid-best: visual block 2, acoustic block 2, linguistic block 2",
        "Enc. weighted: visual sum, acoustic sum, linguistic sum",
        "Conv.: these clips have no such features",
        "constant: training median, test majority",
    ]
    assert table.frame["whose"].tolist() == ["ours"] * 5 + ["chance"]
    joint = system(dict.fromkeys(MODALITIES, 2))
    assert table.frame[MAE].iloc[2] == mean_sd(measured(runs, joint, "mae"))
    assert table.frame[MAE].iloc[4] == "-"
    assert "Visual, acoustic and linguistic together" in table.caption
    assert "over 2 seeds" in table.caption and SETTING in read(table).text
    assert "prints no numbers" in table.caption


def test_table_2_ends_with_the_printed_rows_and_says_whose_they_are(mosi):
    table = exhibits.multimodal(mosi, setting=SETTING)
    csv = load("uegd")
    csv = csv[(csv["exhibit"] == "table2") & (csv["dataset"] == "mosi")]
    printed = table.frame[table.frame["whose"].str.startswith("printed")]
    assert len(printed) == len(csv.groupby(["system", "variant"]))
    assert (printed["whose"].iloc[:5] == "printed").all()  # UEGD's own rows come first
    assert (printed["whose"].iloc[5:] != "printed").all()
    assert "printed, from [13] (Self-MM paper)" in set(printed["whose"])
    row = csv[(csv["system"] == "MISA")].set_index("metric")["printed"]
    misa = cells(table, "MISA, Conv-BERT (BERT-Base, COVAREP, Facet)")
    assert (misa[MAE], misa["F1 (non 0) ↑ (%)"]) == (row["mae"], row["f1_non0"])
    assert cells(table, "TFN, Conv. (GloVe, COVAREP, Facet)")["Acc-2 (non 0) ↑ (%)"] == "-"
    assert "no numbers" not in table.caption


def test_table_2_of_one_modality_is_a_sentence():
    note = exhibits.multimodal(Runs(layer_records({"linguistic": NOISE})), setting=SETTING)
    assert isinstance(note, Note)
    assert "Linguistic features only" in read(note).text


def test_table_2_without_layers_says_what_is_not_run():
    runs = Runs(vectors("visual", "acoustic"))
    table = exhibits.multimodal(runs, setting=SETTING)
    features = table.frame["feature"].tolist()
    assert features[0] == "Conv.: visual vectors, acoustic vectors"
    assert features[1:4] == [
        f"Enc. {kind}: not run (no layers)" for kind in ("output", "mid-best", "weighted")
    ]


def test_the_same_record_may_be_given_twice():
    records = layer_records({"linguistic": NOISE}, seeds=2)
    assert Runs(records + records).seeds(system({"linguistic": 1})) == [0, 1]


# --- Table 3 ------------------------------------------------------------------------------------


def test_table_3_shows_every_layer_the_weighted_sum_and_chance(runs):
    table = exhibits.single_modality(runs, "linguistic", setting=SETTING)
    assert table.frame["feature"].tolist() == [
        "0 (input embeddings)",
        "block 1",
        "block 2 (mid-best)",
        "block 3 (output)",
        "weighted sum of the blocks",
        "Conv.: these clips have no such features",
        "constant: training median, test majority",
    ]
    assert table.frame["whose"].tolist() == ["ours"] * 6 + ["chance"]
    best = cells(table, "block 2 (mid-best)")
    assert best[MAE] == mean_sd(measured(runs, system({"linguistic": 2}), "mae"))
    assert best["Acc-2 (has 0) ↑ (%)"] == "75.0\u00a0±\u00a00.0"
    chance = cells(table, "constant: training median, test majority")
    assert chance[MAE] == "1.250" and chance[CORR] == "-"
    assert chance["F1 (non 0) ↑ (%)"] == "50.0"


def test_of_many_blocks_every_fourth_is_shown_and_those_with_a_name():
    noise = dict.fromkeys(range(13), 2.0) | {7: 0.5, "weighted": 1.0, "uniform": 1.0}
    runs = Runs(layer_records({"acoustic": noise}))
    table = exhibits.single_modality(runs, "acoustic", setting=SETTING)
    assert table.frame["feature"].tolist()[:-1] == [
        "0 (input embeddings)",
        "block 4",
        "block 7 (mid-best)",
        "block 8",
        "block 12 (output)",
        "weighted sum of the blocks",
        "plain mean of the blocks",
    ]
    folded = exhibits.all_layers(runs, "acoustic", setting=SETTING)
    assert folded.content.frame["layer"].tolist() == list(range(13))


def test_the_folded_table_has_validation_beside_test(runs):
    table = exhibits.all_layers(runs, "visual", setting=SETTING).content
    for part in ("valid", "test"):
        values = measured(runs, system({"visual": 2}), "corr", part)
        assert cells(table, 2, "layer")[f"Corr, {part}"] == mean_sd(values)
    assert SETTING in table.caption


def test_one_block_may_be_output_and_mid_best():
    runs = Runs(layer_records({"linguistic": {1: 2.0, 2: 1.0}}))
    table = exhibits.single_modality(runs, "linguistic", setting=SETTING)
    assert "block 2 (output, mid-best)" in table.frame["feature"].tolist()


def test_features_without_layers_have_one_row():
    table = exhibits.single_modality(Runs(vectors("visual", "acoustic")), "visual", setting=SETTING)
    assert table.frame["feature"].tolist()[0] == "vectors as they come"
    assert table.frame["whose"].tolist() == ["ours", "chance"]


def test_undefined_correlations_are_shown_and_counted():
    runs = Runs(layer_records({"linguistic": {1: 1.0, 2: CONSTANT}}, seeds=2))
    table = exhibits.single_modality(runs, "linguistic", setting=SETTING)
    assert cells(table, "block 2 (output)")[CORR] == "undefined"
    assert "2 of 4 runs predict the same for every clip" in table.caption
    assert "nan" not in table._repr_html_().lower()


def test_the_printed_rows_are_those_of_the_paper(mosi):
    table = exhibits.single_modality(mosi, "linguistic", setting=SETTING)
    csv = load("uegd")
    csv = csv[(csv["exhibit"] == "table3") & (csv["dataset"] == "mosi")]
    printed = table.frame[table.frame["whose"] == "printed"]
    assert printed["feature"].tolist()[:2] == ["GloVe", "BERT-Base"]
    for feature in ("Enc. output", "Enc. mid-best", "Enc. weighted"):
        words = feature.lower().replace(".", "").replace("-", " ").replace(" ", "_")
        rows = csv[csv["variant"] == f"linguistic_{words}"].set_index("metric")["printed"]
        assert cells(table, feature)[MAE] == rows["mae"]
        assert cells(table, feature)["F1 (non 0) ↑ (%)"] == rows["f1_non0"]
    assert "the paper's own features" in table.caption


# --- footnote 1 ---------------------------------------------------------------------------------


def test_fusions_are_compared_seed_by_seed(runs):
    table = exhibits.fusions(runs, setting=SETTING)
    mid_best = dict.fromkeys(MODALITIES, 2)
    gate, concat = (
        np.array(measured(runs, system(mid_best, paper="uegd", fusion=f), "mae"))
        for f in ("gate", "concat")
    )
    assert table.frame["feature"].tolist()[0].startswith("gate: visual block 2, acoustic block 2")
    assert table.frame[MAE].tolist()[:3] == [mean_sd(gate), mean_sd(concat), mean_sd(gate - concat)]
    assert table.frame["whose"].tolist()[-1] == "chance"


def test_fusion_needs_two_modalities():
    note = exhibits.fusions(Runs(layer_records({"linguistic": NOISE})), setting=SETTING)
    assert "nothing to fuse" in read(note).text


def test_a_difference_to_a_constant_prediction_is_undefined():
    noise = {system({m: 1}): 1.0 for m in ("visual", "acoustic")}
    noise[system({"visual": 1, "acoustic": 1})] = 1.0
    noise[system({"visual": 1, "acoustic": 1}, paper="uegd", fusion="concat")] = CONSTANT
    runs = Runs(system_records(noise, {"visual": 1, "acoustic": 1}, seeds=2))
    table = exhibits.fusions(runs, setting=SETTING)
    assert table.frame[CORR].tolist()[1:3] == ["undefined", "undefined"]
    assert "2 of 4 runs predict the same" in table.caption


# --- numbers for prose --------------------------------------------------------------------------


def test_numbers_for_prose_are_those_of_the_tables(mosi):
    numbers = exhibits.numbers(mosi)
    table = exhibits.single_modality(mosi, "linguistic", setting=SETTING)
    assert (numbers["linguistic_blocks"], numbers["linguistic_mid_best_block"]) == ("3", "2")
    assert numbers["seeds"] == "2" and numbers["printed_blocks"] == "24"  # papers/uegd.md (c)
    assert numbers["linguistic_mid_best_mae"] == cells(table, "block 2 (mid-best)")[MAE]
    assert numbers["linguistic_output_corr"] == cells(table, "block 3 (output)")[CORR]
    assert numbers["linguistic_printed_mid_best_mae"] == cells(table, "Enc. mid-best")[MAE]
    joint = exhibits.multimodal(mosi, setting=SETTING).frame
    assert numbers["joint_weighted_mae"] == joint[MAE].iloc[3]
    assert numbers["joint_printed_weighted_mae"] == "0.818"
    assert all(re.fullmatch(r"\w+", name) for name in numbers)  # names that glue takes


def test_numbers_of_a_setting_with_little(runs):
    numbers = exhibits.numbers(Runs(layer_records({"linguistic": NOISE})))
    assert not [name for name in numbers if name.startswith("joint")]
    assert not [name for name in exhibits.numbers(runs) if "printed_output" in name]


# --- Table 4 ------------------------------------------------------------------------------------


def two_videos(guess, labels=(3.0, 1.0, -1.0, -3.0)):
    """Runs of one modality with these predictions for two videos of two clips each."""
    video = ["a", "a", "b", "b"]
    parts = {part: predictions(labels, guess, video) for part in ("valid", "test")}
    return Runs([make_record({"visual": 1}, parts=parts)])


def test_variances_by_hand():
    table = variances.table(two_videos([2.0, 0.0, 0.0, -2.0]), setting=SETTING)
    truth, ours = table.frame.iloc[0], table.frame.iloc[1]
    assert truth["of"] == "ground truth"
    assert [truth[c] for c in ("variance", "within videos", "share within")] == [
        "5.000",
        "1.000",
        "0.20",
    ]
    assert ours["of"] == "visual, Conv.: visual vectors"
    assert [ours[c] for c in ("variance", "within videos", "share within")] == [
        "2.000",
        "1.000",
        "0.50",
    ]


def test_a_constant_prediction_has_no_share():
    table = variances.table(two_videos([0.5] * 4), setting=SETTING)
    assert table.frame["share within"].iloc[1] == "undefined"
    assert "nan" not in table._repr_html_().lower()


def test_videos_of_one_clip_are_told(runs):
    clips = predictions([1.0, 2.0], [1.0, 0.0], ["a", "b"])
    single = Runs([make_record({"visual": 1}, parts={"valid": clips, "test": clips})])
    assert "Every video is one clip" in variances.table(single, setting=SETTING).caption
    assert "Every video" not in variances.table(runs, setting=SETTING).caption


def test_table_4_has_every_feature_once_and_the_printed_rows(mosi):
    frame = variances.table(mosi, setting=SETTING).frame
    ours = frame[frame["whose"] == "ours"]["of"].tolist()
    assert len(ours) == len(set(ours)) == 1 + 4 * len(MODALITIES)
    assert ours[3] == "visual, Enc. mid-best: visual block 2"
    (guess,) = mosi.predictions("test", system({"visual": 2}))
    total, _ = stats.variances(guess, mosi.truth("test")[1])
    assert frame["variance"].iloc[3] == mean_sd(total)
    printed = frame[frame["whose"] == "printed"].set_index("of")
    assert printed.index[0] == "ground truth"
    assert printed.loc["visual, Enc.", "within videos"] == "0.353"
    assert printed.loc["visual, Enc.", "share within"] == "0.36"  # papers/uegd.md (b), UEGD-C9


def test_ground_truth_stands_beside_the_printed_row(mosi):
    frame = variances.ground_truth(mosi, setting=SETTING).frame
    assert frame["whose"].tolist() == ["ours", "printed"]
    assert frame[["variance", "within videos"]].iloc[1].tolist() == ["2.523", "1.775"]


def test_labels_of_mosi_reproduce_the_printed_ground_truth(monkeypatch):
    monkeypatch.delenv("MSALIB_RECORDS")
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    summary = describe.summary("mosi")
    # One of 686 clips has no label here (papers/uegd.md (f)).
    assert summary.label_variance["test"] == pytest.approx(2.523, abs=0.001)
    assert summary.intra_video_variance["test"] == pytest.approx(1.775, abs=0.002)


def test_numbers_of_table_4_are_those_of_the_table(mosi):
    numbers = variances.numbers(mosi)
    frame = variances.table(mosi, setting=SETTING).frame
    assert numbers["truth_variance"] == frame["variance"].iloc[0]
    assert numbers["truth_printed_within"] == "1.775"
    assert numbers["visual_mid_best_share"] == frame["share within"].iloc[3]
    assert all(re.fullmatch(r"\w+", name) for name in numbers)
