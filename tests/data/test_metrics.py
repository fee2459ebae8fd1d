import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, classification_report, f1_score, recall_score

from msalib.data.metrics import METRICS, SIMS, chance, classification, regression, sims


def test_mae_is_not_clipped():
    assert regression([3.0, -1.0], [5.0, -1.5])["mae"] == pytest.approx((2 + 0.5) / 2)


def test_corr_by_hand():
    # Deviations (-1, 0, 1) and (-1, 1, 0): 1 / sqrt(2 * 2).
    assert regression([1.0, 2.0, 3.0], [0.0, 2.0, 1.0])["corr"] == pytest.approx(0.5)
    assert regression([1.0, 2.0, 3.0], [-1.0, -3.0, -5.0])["corr"] == pytest.approx(-1)


@pytest.mark.parametrize("constant", [0.0, 0.1, -2.7])
def test_corr_with_a_constant_is_nan_without_a_warning(constant):
    # 0.1 and -2.7 leave a rounding error after subtracting their mean.
    varying, flat = [1.0, -1.0, 2.0], [constant] * 3
    assert np.isnan(regression(varying, flat)["corr"])
    assert np.isnan(regression(flat, varying)["corr"])
    assert np.isnan(sims(varying, flat)["corr"])


def test_has0_counts_zero_as_positive_and_non0_drops_zero_labels():
    truth = [0.0, 0.0, 1.0, -1.0, 2.0]
    prediction = [0.3, -0.3, 0.0, -0.1, -0.0]
    scores = regression(truth, prediction)
    # has0: + + + - + against + - + - + (minus zero is not below zero).
    assert scores["acc2_has0"] == pytest.approx(4 / 5)
    # non0 keeps the last three: + - + against - - -, a predicted zero is not above zero.
    assert scores["acc2_non0"] == pytest.approx(1 / 3)


def test_f1_is_weighted_by_true_counts():
    # Truth + + + -, prediction + - - -.
    # Positive: precision 1, recall 1/3, F1 1/2; negative: precision 1/3, recall 1, F1 1/2.
    scores = regression([1.0, 1.0, 1.0, -1.0], [1.0, -1.0, -1.0, -1.0])
    assert scores["f1_has0"] == pytest.approx(0.5)
    # Truth + + + -, prediction + + + +: positive F1 6/7 with weight 3/4, negative F1 0.
    scores = regression([1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0])
    assert scores["f1_has0"] == scores["f1_non0"] == pytest.approx(3 / 4 * 6 / 7)
    # Arguments exchanged, the weights are those of the one class that then occurs.
    assert regression([1.0] * 4, [1.0, 1.0, 1.0, -1.0])["f1_has0"] == pytest.approx(6 / 7)


@pytest.mark.parametrize("clips", [1, 2, 5, 686])
def test_f1_is_that_of_scikit_learn_to_the_last_digit(clips):
    rng = np.random.default_rng(clips)
    for mean in (-3, 0, 0, 0, 3):
        truth, prediction = rng.normal(mean, 1, (2, clips))
        expected = f1_score(truth >= 0, prediction >= 0, average="weighted")
        assert regression(truth, prediction)["f1_has0"] == expected


def test_f1_drops_zero_labels():
    # has0: + + - against - + -; negative F1 2/3 (weight 1/3), positive F1 2/3 (weight 2/3).
    scores = regression([0.0, 1.0, -1.0], [-1.0, 1.0, -1.0])
    assert scores["f1_has0"] == pytest.approx(2 / 3)
    assert scores["f1_non0"] == 1


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-2.5, -2), (0.51, 1), (9.0, 3)],
)
def test_halves_round_to_even_after_clipping(value, rounded):
    whole = np.arange(-3.0, 4.0)
    assert regression(whole, np.full(7, value))["acc7"] == pytest.approx(1 / 7)
    assert regression([float(rounded)], [value])["acc7"] == 1


def test_acc5_and_acc3_clip_to_two_and_one():
    truth, prediction = [3.0, -3.0, 2.0, -1.0], [2.0, -2.4, 1.4, -3.0]
    scores = regression(truth, prediction)
    assert scores["acc7"] == 0
    assert scores["acc5"] == pytest.approx(2 / 4)  # 2 2, -2 -2, 2 1, -1 -2
    assert scores["acc3"] == 1


def test_only_zero_labels_leave_non0_undefined():
    scores = regression([0.0, 0.0], [1.0, -1.0])
    assert np.isnan(scores["acc2_non0"]) and np.isnan(scores["f1_non0"])
    assert scores["acc2_has0"] == 0.5


def test_nothing_is_rounded_and_every_value_is_a_float():
    scores = regression(np.float32([1, 2, -1]), np.float32([1.1, 1.7, -0.4]))
    assert all(type(value) is float for value in (*scores.values(), *sims([1, 0], [1, 0]).values()))
    assert regression([0.0, 1.0, 2.0], [0.0, 0.0, 1 / 3])["mae"] == (0 + 1 + 5 / 3) / 3


def test_sims_zero_is_negative_and_the_rest_is_clipped():
    scores = sims([0.0, 0.2, -0.2, 1.0], [-0.5, 0.1, 0.0, 1.6])
    assert scores["acc2"] == 1
    assert scores["f1"] == 1
    assert scores["mae"] == pytest.approx((0.5 + 0.1 + 0.2 + 0.0) / 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.1, 1.0, -2.7, 1e4, 1e-6])
def test_rounding_noise_has_no_correlation_and_small_numbers_have_one(constant, dtype):
    rng = np.random.default_rng(0)
    label = rng.normal(size=200)
    noise = 1e-6 * abs(constant) * (label + rng.normal(size=200))
    flat = (constant + noise).astype(dtype)
    assert len(set(flat)) > 1
    for score in (regression, sims):
        assert np.isnan(score(label, flat)["corr"])
        assert np.isnan(score(flat, label)["corr"])
    assert regression(label, (1e-9 * label).astype(dtype))["corr"] == pytest.approx(1, abs=1e-6)
    far = (100 + label).astype(dtype)
    assert regression(label, far)["corr"] == pytest.approx(1, abs=1e-6)


def test_sims_corr_uses_clipped_values():
    assert sims([-1.0, 0.0, 1.0], [-9.0, 0.0, 3.0])["corr"] == pytest.approx(1)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sims_bins_are_closed_on_the_right(kind):
    # A cut belongs to the bin on its left, in either precision.
    cuts = np.array([-0.7, -0.1, 0.1, 0.7], kind)
    assert sims(np.array([-1.0, -0.2, 0.0, 0.4], kind), cuts)["acc5"] == 1
    above = np.nextafter(cuts, kind(2))
    assert sims(np.array([-0.2, 0.0, 0.4, 1.0], kind), above)["acc5"] == 1
    assert sims(np.array([-1.0, 0.0], kind), cuts[1:3])["acc3"] == 1
    assert sims(np.array([0.0, 1.0], kind), above[1:3])["acc3"] == 1


def test_sims_zero_is_in_the_middle_of_three_and_five_and_negative_of_two():
    scores = sims([0.0, 0.0, 0.0], [-0.05, 0.1, 0.100001])
    assert scores["acc3"] == scores["acc5"] == pytest.approx(2 / 3)
    assert scores["acc2"] == pytest.approx(1 / 3)


def test_classes_by_hand():
    # Rows are true: a is right 3 of 4 times, b 1 of 2, c is never true but once predicted.
    scores = classification([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 2], ["a", "b", "c", "d"])
    assert scores["wa"] == pytest.approx(4 / 6)
    assert scores["ua"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    f1 = {"a": 6 / 7, "b": 2 / 4, "c": 0.0}
    assert {name: scores[f"f1_{name}"] for name in f1} == pytest.approx(f1)
    assert np.isnan(scores["f1_d"])  # neither true nor predicted
    assert scores["f1"] == pytest.approx((4 * f1["a"] + 2 * f1["b"]) / 6)
    assert scores["f1_macro"] == pytest.approx(sum(f1.values()) / 3)
    accuracy = {"acc2_a": 5 / 6, "acc2_b": 4 / 6, "acc2_c": 5 / 6, "acc2_d": 1.0}
    assert {name: scores[name] for name in accuracy} == pytest.approx(accuracy)
    # One decision among K: the errors of the K questions are twice the wrong clips (cmt.md (f)).
    assert sum(1 - a for a in accuracy.values()) == pytest.approx(2 * (1 - scores["wa"]))
    assert all(type(value) is float for value in scores.values())


@pytest.mark.parametrize("seed", range(5))
def test_classes_are_scored_as_by_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(0, 4, (2, 60))
    truth[truth == 3] = seed % 4  # a class that may be missing
    names = list("abcd")
    scores = classification(truth, prediction, names)
    report = classification_report(truth, prediction, output_dict=True, zero_division=0)
    assert scores["wa"] == pytest.approx(accuracy_score(truth, prediction))
    recalls = [recall_score(truth == k, prediction == k) for k in np.unique(truth)]
    assert scores["ua"] == pytest.approx(np.mean(recalls))
    assert scores["f1"] == pytest.approx(report["weighted avg"]["f1-score"])
    assert scores["f1_macro"] == pytest.approx(report["macro avg"]["f1-score"])
    for k, name in enumerate(names):
        assert scores[f"f1_{name}"] == pytest.approx(report[str(k)]["f1-score"])
        assert scores[f"acc2_{name}"] == pytest.approx(accuracy_score(truth == k, prediction == k))


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [([0, 3], [0, 1], "truth must"), ([0, 1], [0, -1], "prediction must"), ([0], [0.5], "from 0")],
)
def test_numbers_of_no_class_are_refused(truth, prediction, message):
    with pytest.raises(ValueError, match=message):
        classification(truth, prediction, "abc")


@pytest.mark.parametrize("metrics", [regression, sims, partial(classification, names="abc")])
@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ([1.0, 2.0], [1.0], r"\(2,\) and \(1,\)"),
        ([[1.0], [2.0]], [[1.0], [2.0]], "must be"),
        ([], [], "N > 0"),
        ([1.0, 2.0], [1.0, np.nan], "prediction has 1 values that are not finite"),
        ([np.inf, 2.0], [1.0, 1.0], "truth has 1"),
    ],
)
def test_bad_input_is_refused(metrics, truth, prediction, message):
    with pytest.raises(ValueError, match=message):
        metrics(truth, prediction)


def test_chance_is_the_training_median_and_the_majority_of_the_test_labels():
    scores = chance([2.0, 0.5, -3.0], [-1.0, -2.0, 0.0, 3.0, -1.0])
    assert scores["mae"] == pytest.approx((1.5 + 2.5 + 0.5 + 2.5 + 1.5) / 5)
    assert np.isnan(scores["corr"])
    assert scores["acc2_has0"] == pytest.approx(3 / 5)  # negative
    assert scores["acc2_non0"] == pytest.approx(3 / 4)
    assert scores["f1_has0"] == pytest.approx(3 / 5 * (2 * 3 / (5 + 3)))
    assert scores["f1_non0"] == pytest.approx(3 / 4 * (2 * 3 / (4 + 3)))
    assert scores["acc3"] == pytest.approx(3 / 5)
    assert scores["acc5"] == scores["acc7"] == pytest.approx(2 / 5)
    assert scores.keys() == regression([1.0, 2.0], [1.0, 2.0]).keys()


def test_chance_of_sims_has_its_classes_and_its_limits():
    scores = chance([-0.4, 0.2, 0.6], [-1.0, -0.8, -0.1, 0.0, 0.1, 0.8], sims, SIMS)
    assert scores["mae"] == pytest.approx((1.2 + 1.0 + 0.3 + 0.2 + 0.1 + 0.6) / 6)
    assert scores["acc2"] == pytest.approx(4 / 6)  # zero and below
    assert scores["acc3"] == pytest.approx(3 / 6)  # up to -0.1
    assert scores["acc5"] == pytest.approx(2 / 6)
    assert np.isnan(scores["corr"])


def test_every_interval_of_sims_has_a_constant():
    cuts = (-0.7, -0.1, 0.1, 0.7)
    assert np.searchsorted(cuts, SIMS).tolist() == [0, 1, 2, 3, 4]


def test_chance_of_classes_is_the_best_that_one_class_reaches():
    score = partial(classification, names=["a", "b", "c"])
    scores = chance([1, 1, 1], [0, 0, 0, 1], score, range(3))
    expected = {"wa": 3 / 4, "ua": 1 / 2, "f1": 3 / 4 * 6 / 7, "f1_macro": 6 / 7 / 2}
    expected |= {"f1_a": 6 / 7, "f1_b": 2 / 5, "f1_c": 0.0}
    expected |= {"acc2_a": 3 / 4, "acc2_b": 3 / 4, "acc2_c": 1.0}
    assert scores == pytest.approx(expected)


def test_chance_reproduces_the_references_on_mosi():
    folder = Path(os.environ.get("MSALIB_DATA") or "not set") / "mosi"
    if not folder.is_dir():
        pytest.skip("MSALIB_DATA does not hold mosi/")
    table = pd.read_csv(folder / "utterances.csv").dropna(subset="label")
    label = table.groupby("split")["label"].apply(np.asarray)
    scores = chance(label["train"], label["test"])
    # papers/uegd.md (b), "Chance references".
    printed = {"mae": "1.455", "acc2_has0": "55.2", "acc2_non0": "57.7"}
    printed |= {"f1_has0": "39.2", "f1_non0": "42.2"}
    assert {name: METRICS[name].show(scores[name]) for name in printed} == printed


def test_the_table_names_every_metric_and_shows_it_as_printed():
    computed = regression([1.0, 2.0], [1.0, 2.0]) | sims([0.1, 0.2], [0.1, 0.2])
    classes = classification([0, 1], [0, 1], ["sad", "glad"])
    assert METRICS.keys() == computed.keys() | {n for n in classes if not n.endswith("ad")}
    assert {METRICS[name].unit for name in classes} == {"%"}
    assert METRICS["acc2_very_sad"].label == "Acc-2 (very_sad)"
    for unknown in ("acc9", "acc9_sad", "f1_"):
        with pytest.raises(KeyError, match=unknown):
            METRICS[unknown]
    assert [name for name, metric in METRICS.items() if not metric.higher_is_better] == ["mae"]
    assert METRICS["mae"].show(0.82049) == "0.820"
    assert METRICS["acc7"].show(0.4561) == "45.6"
