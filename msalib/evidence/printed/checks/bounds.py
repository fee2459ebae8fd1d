"""What must hold between the numbers of one row: order of accuracies, bounds, and what ties them.

Each function derives one relation. Test parts are known by ``testparts``; where a share of labels
enters, ``slack`` covers the few clips by which editions differ.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import numpy as np
import pandas as pd

from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks.finding import Cell, Finding, listed, places
from msalib.evidence.printed.names import dataset, exhibit, metric, place, system
from msalib.evidence.printed.units import ANY, METRIC_UNITS, RESULTS, outside

ROW = ["paper", "exhibit", "dataset", "system", "variant"]

FAR = 0.15
"""Share by which MAE over the error that Corr leaves may differ from the median of a data set."""

FURTHER = 0.5
"""The same above the median, where it is no longer a matter of a poor model."""

NEAR, STEADY, ENOUGH = 0.04, 0.015, 5
"""Within an exhibit: the share by which a row must differ at least, the scatter of the others up to
which they are steady, and how many they must be."""

SLIP = (50, 200)
"""How many times a number is another where a factor of 100 may lie between them."""

PLAUSIBLE = {
    "%": 10.0,
    "correlation": 0.02,
    "points of the label": 0.2,
    "label": 0.2,
    "share": 0.05,
}
"""The least of a unit that a hundredth may be for a slip by 100 to be suggested."""

CLEARLY = 0.25
"""Percentage points beyond rounding from which an F1 is called unlikely beside its accuracy."""


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Check all numbers, the running text included, and all relations of a table, row by row.

    A number that its unit does not have is reported as that, and takes part in no relation.
    """
    findings = [finding for cell in listed(table) for finding in in_range(cell)]
    odd = [outside(*pair) for pair in zip(table["metric"], table["value"], strict=True)]
    table = table[~np.array(odd, dtype=bool)]
    for row in _rows(table):
        corpus = next(iter(row.values()))["corpus"]
        findings += [*nested(row), *zeros(row, corpus), *two_classes(row, corpus)]
    return [*findings, *scaled(table), *error_and_correlation(table)]


def _rows(table: pd.DataFrame) -> Iterable[dict[str, Cell]]:
    """Return every printed row: its numbers by metric."""
    rows: dict[tuple, dict[str, Cell]] = {}
    for cell in listed(table[table["exhibit"] != "text"]):
        rows.setdefault(tuple(cell[k] for k in ROW), {})[cell["metric"]] = cell
    return rows.values()


def in_range(cell: Cell) -> Iterator[Finding]:
    """Check that a number is one of its unit: a correlation from -1 to 1, a share from 0 to 100%.

    An absolute error is no larger than the scale is wide (6 points from -3 to 3, 2 on CH-SIMS) as
    long as predictions stay on it, which they need not, so that beyond it is unlikely. A factor of
    100 is a common way out of range. Numbers of things are whole.
    """
    _, low, high, whole = METRIC_UNITS[cell["metric"]]
    if cell["metric"] == "mae" and cell["corpus"] == "sims":
        high = 2.0
    value = cell["value"]
    severity, complaint = "impossible", ""
    if not low - 1e-9 <= value <= high + 1e-9:
        complaint = f"lies outside {low:g} to {high:g}" if high < ANY else f"is below {low:g}"
        end = "."
        if cell["metric"] == "mae" and value > high:
            severity, end = "unlikely", ", where predictions on the scale would keep it."
        if low <= value / 100 <= high and abs(value / 100) >= PLAUSIBLE.get(cell["unit"], 0):
            end += f" Divided by 100 it is {value / 100:g}."
        complaint += end
    elif whole and value % 1:
        complaint = "is no whole number."
    if complaint:
        message = f"{place(cell)}: {value:g} {complaint}"
        yield Finding("bounds", severity, cell["paper"], message, places([cell]))


def scaled(table: pd.DataFrame) -> Iterator[Finding]:
    """Find a number about 100 times the others of its column, or a hundredth of them.

    Shares are printed in percent or as fractions, MAE and correlation as they are or times 100; a
    number in the other form stays within its unit where it is small (0.47% for 47%).
    """
    measured = table[table["unit"].isin(RESULTS) & table["exhibit"].ne("text")]
    columns = [measured[name] for name in ("paper", "exhibit", "metric")]
    values = measured["value"].abs()
    usual = values.groupby(columns).transform("median")
    many = values.groupby(columns).transform("size") >= 3
    times = values / usual.where((usual > 0) & (values > 0) & many)
    odd = times.between(*SLIP) | (1 / times).between(*SLIP)
    for cell in listed(measured[odd]):
        message = (
            f"{place(cell)}: {cell['value']:g} is {times[cell['index']]:.3g} times the median of "
            f"its column ({usual[cell['index']]:g}); a factor of 100 would explain it."
        )
        yield Finding("bounds", "unlikely", cell["paper"], message, places([cell]))


def nested(row: Mapping[str, Cell]) -> Iterator[Finding]:
    """Check ACC7 <= ACC5 <= ACC3 on the same clips.

    Classes are made by clipping to ±3, ±2, ±1 and rounding. Clipping and rounding keep order and
    can be exchanged, so that equal classes of seven are equal of five, and these equal of three;
    on CH-SIMS the cuts of three classes are among those of five. A mean over runs keeps the order.
    """
    for fine, coarse in (("acc7", "acc5"), ("acc5", "acc3"), ("acc7", "acc3")):
        if fine not in row or coarse not in row:
            continue
        a, b = row[fine], row[coarse]
        excess = a["value"] - b["value"]
        if excess > a["half"] + b["half"] + 1e-9:
            message = (
                f"{place(a)}: {a['value']:g} exceeds {metric(coarse)} {b['value']:g} by "
                f"{excess:.2f}; every clip right in the finer classes is right in the coarser."
            )
            yield Finding("bounds", "impossible", a["paper"], message, places([a, b]))


def zeros(row: Mapping[str, Cell], corpus: str) -> Iterator[Finding]:
    """Compare accuracy with zeros with accuracy without them.

    With a share q of labels equal to 0, both conventions agree on the other clips (but for
    predictions of exactly 0), so that has0 = (1 - q) non0 + q c, where c, from 0 to 1, is the share
    of zero-labelled clips predicted as not negative. So has0 lies from (1 - q) non0 to that plus q.
    """
    labels = testparts.labels(corpus)
    if labels is None or not {"acc2_has0", "acc2_non0"} <= row.keys():
        return
    a, b = row["acc2_has0"], row["acc2_non0"]
    low = (1 - labels.zero) * b["value"]
    high = low + 100 * labels.zero
    room = a["half"] + b["half"] + 100 * labels.slack
    if low - room <= a["value"] <= high + room:
        return
    message = (
        f"{place(a)}: {a['value']:g} with zeros does not fit {b['value']:g} without them: a share "
        f"of {labels.zero:.1%} of the labels is 0, which allows {low:.1f} to {high:.1f}."
    )
    yield Finding("bounds", "impossible", a["paper"], message, places([a, b]))


def two_classes(row: Mapping[str, Cell], corpus: str) -> Iterator[Finding]:
    """Compare weighted F1 with the accuracy of two classes of known sizes.

    With shares p and 1 - p of the classes and an accuracy, all errors are e = 1 - accuracy; how
    they split between the classes decides F1, which lies between what the best and the worst split
    give. A mean over runs lies in the convex hull of these. Where both conventions are printed, one
    number of false positives must serve both: that is asked of the pair (``_misfit``). F1 with the
    classes weighted by *predicted* counts (arguments exchanged) has bounds of its own.
    """
    labels = testparts.labels(corpus)
    if labels is None:
        return
    broken = False
    for kind, kept in (("has0", 1.0), ("non0", 1 - labels.zero)):
        if {f"acc2_{kind}", f"f1_{kind}"} <= row.keys():
            pair = row[f"acc2_{kind}"], row[f"f1_{kind}"]
            finding = _f1_beside(*pair, labels.negative / kept, labels.slack)
            if finding is not None:
                broken = True
                yield finding
    four = ("acc2_has0", "f1_has0", "acc2_non0", "f1_non0")
    if not broken and set(four) <= row.keys():
        misfit, fitted = _misfit(*(float(row[m]["value"]) for m in four), corpus)
        room = max(row[m]["half"] for m in four) + 100 * labels.slack
        if misfit > room + CLEARLY:
            first = row["acc2_has0"]
            listing = ", ".join(f"{metric(m)} {row[m]['value']:g}" for m in four)
            message = (
                f"{exhibit(first['exhibit'])}, {dataset(first['dataset'])}, {system(first)}: no "
                f"numbers of false positives and negatives give {listing} together; the nearest "
                f"have F1 {fitted[0]:.1f} and {fitted[1]:.1f}."
            )
            read = places(row[m] for m in four)
            yield Finding("bounds", "unlikely", first["paper"], message, read)


def _f1_beside(accuracy: Cell, f1: Cell, negative: float, slack: float) -> Finding | None:
    """Compare an F1 with the accuracy beside it, where a share ``negative`` of clips is."""
    room = f1["half"] + 100 * slack
    ends = [accuracy["value"] + side * (accuracy["half"] + 100 * slack) for side in (-1, 1)]
    if not all(0 <= end <= 100 for end in ends):
        return None
    share = round(negative, 4)
    hull = [_f1_range(end, share, True) for end in ends]
    one = [_f1_range(end, share, False) for end in ends]
    if not _inside(f1["value"], hull, room):
        severity, bounds, of = "impossible", hull, "any mean of runs"
    elif not _inside(f1["value"], one, room + CLEARLY):
        severity, bounds, of = "unlikely", one, "a single run"
    elif not _inside(f1["value"], one, room):
        severity, bounds, of = "notable", one, "a single run"
    else:
        return None
    low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
    message = (
        f"{place(f1)}: {f1['value']:g} beside an accuracy of {accuracy['value']:g}; with "
        f"{negative:.1%} negative clips {of} has a weighted F1 from {low:.1f} to {high:.1f}."
    )
    if _inside(f1["value"], [_f1_range(end, share, False, True) for end in ends], room):
        message += " With the classes weighted by their predicted counts it would fit."
        severity = "inconsistent" if severity == "impossible" else severity
    return Finding("bounds", severity, f1["paper"], message, places([f1, accuracy]))


def _inside(value: float, ranges: list[tuple[float, float]], room: float) -> bool:
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    return low - room - 1e-9 <= value <= high + room + 1e-9


def _weighted_f1(negative, false_positive, false_negative, by_prediction=False):
    """Return the weighted F1 of two classes from shares of all clips; arrays broadcast."""
    positive = 1 - negative
    right_n, right_p = negative - false_positive, positive - false_negative
    predicted_n, predicted_p = right_n + false_negative, right_p + false_positive
    with np.errstate(divide="ignore", invalid="ignore"):
        f1_n = np.nan_to_num(2 * right_n / (negative + predicted_n))
        f1_p = np.nan_to_num(2 * right_p / (positive + predicted_p))
    weights = (predicted_n, predicted_p) if by_prediction else (negative, positive)
    return 100 * (weights[0] * f1_n + weights[1] * f1_p)


@cache
def _curves(
    negative: float, by_prediction: bool, hull: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return accuracy (percent), and smallest and largest F1 there, over a grid."""
    accuracy = np.linspace(0, 100, 401)
    errors = 1 - accuracy[:, None] / 100
    split = np.linspace(0, 1, 201)[None, :]
    false_positive = np.clip(errors * split, np.maximum(0, errors - (1 - negative)), negative)
    false_positive = np.minimum(false_positive, errors)
    f1 = _weighted_f1(negative, false_positive, errors - false_positive, by_prediction)
    low, high = f1.min(1), f1.max(1)
    if hull:
        low, high = -_concave(accuracy, -low), _concave(accuracy, high)
    return accuracy, low, high


@cache
def _f1_range(
    accuracy: float, negative: float, hull: bool, by_prediction: bool = False
) -> tuple[float, float]:
    """Return the smallest and largest F1 (percent) at an accuracy, of one run or means of runs."""
    x, low, high = _curves(negative, by_prediction, hull)
    return float(np.interp(accuracy, x, low)), float(np.interp(accuracy, x, high))


def _concave(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the smallest concave curve above the points."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) > (y[i] - y[a]) * (x[b] - x[a]):
                break
            kept.pop()
        kept.append(i)
    return np.interp(x, x[kept], y[kept])


@cache
def _misfit(
    has0: float, f1_has0: float, non0: float, f1_non0: float, corpus: str
) -> tuple[float, tuple[float, float]]:
    """Return how far the nearest confusion table is from both F1, in points, and its two F1.

    The accuracies fix the number of errors and how many zero-labelled clips are called negative;
    the false positives are free, and shared by both conventions.
    """
    labels = testparts.labels(corpus)
    q, negative = labels.zero, labels.negative
    kept = 1 - q
    errors = kept * (1 - non0 / 100)
    missed = np.clip(kept * non0 / 100 + q - has0 / 100, 0, q)
    false_positive = np.linspace(0, min(errors, negative), 801)
    false_negative = errors - false_positive
    a = _weighted_f1(negative / kept, false_positive / kept, false_negative / kept)
    b = _weighted_f1(negative, false_positive, false_negative + missed)
    worst = np.maximum(np.abs(a - f1_non0), np.abs(b - f1_has0))
    best = int(worst.argmin())
    return float(worst[best]), (float(b[best]), float(a[best]))


def error_and_correlation(table: pd.DataFrame) -> list[Finding]:
    """Compare MAE with what Corr and the variance of the labels leave.

    No linear use of predictions with correlation r has a mean squared error below s² (1 - r²), with
    s² the variance of the labels; predictions that are fitted well come near it, and the mean
    absolute error of such errors is a steady share of its root (0.80 for normal errors, 0.71 for
    Laplace's). So k = MAE / (s sqrt(1 - r²)) hardly differs between systems of one data set. A row
    far from the median k has predictions far off in scale, or numbers that do not belong together,
    or was scored on other clips: dropping zero labels raises both MAE and Corr.

    A bound is weak: with errors no larger than the scale is wide, 6, MAE >= s² (1 - r²) / 6.

    Systems of one exhibit are often much closer in k than those of all papers. Where they are, a
    row that is further from the median of the others there than these scatter is reported, too.
    """
    findings = []
    pairs = [
        (row["mae"], row["corr"])
        for row in _rows(table)
        if {"mae", "corr"} <= row.keys() and abs(row["corr"]["value"]) < 1
    ]
    for corpus in dict.fromkeys(mae["corpus"] for mae, _ in pairs):
        labels = testparts.labels(corpus)
        if labels is None:
            continue
        rows = [(mae, corr) for mae, corr in pairs if mae["corpus"] == corpus]
        left = [np.sqrt(labels.variance * (1 - corr["value"] ** 2)) for _, corr in rows]
        k = [mae["value"] / rest for (mae, _), rest in zip(rows, left, strict=True)]
        for (mae, corr), rest, share in zip(rows, left, k, strict=True):
            unusual = _far_off(mae, corr, rest, share, rows, k, labels)
            if unusual is None:
                continue
            severity, reason = unusual
            message = (
                f"{place(mae)}: {mae['value']:.3f} beside Corr {corr['value']:.3f}; the labels' "
                f"deviation {np.sqrt(labels.variance):.3f} and that Corr leave a root mean squared "
                f"error of {rest:.3f} or more, {reason}"
            )
            cells = places([mae, corr])
            findings.append(Finding("bounds", severity, mae["paper"], message, cells))
    return findings


def _far_off(
    mae: Cell,
    corr: Cell,
    rest: float,
    share: float,
    rows: list[tuple[Cell, Cell]],
    k: list[float],
    labels: testparts.Labels,
) -> tuple[str, str] | None:
    """Say how severe, and why, an MAE is far from what Corr leaves (``rest``); None if it is not.

    ``share`` is k of this row, ``k`` those of all ``rows`` of the data set.
    """
    if mae["value"] + mae["half"] < rest**2 / 6:
        return "unlikely", f"and for predictions on the scale no MAE below {rest**2 / 6:.3f}."
    usual = float(np.median(k))
    if abs(share / usual - 1) > FAR:
        reason = (
            f"of which this MAE is {share:.2f}, where the median of {len(rows)} rows on "
            f"{dataset(mae['corpus'])} is {usual:.2f}."
        )
        without = mae["value"] / np.sqrt(labels.variance_without_zeros * (1 - corr["value"] ** 2))
        if share > usual and abs(without / usual - 1) < FAR / 2 and labels.zero > 0.1:
            reason += f" On labels without zeros it would be {without:.2f}, as usual."
        return "notable" if 1 < share / usual < 1 + FURTHER else "unlikely", reason
    among = _among(mae, rows, k)
    if among is None:
        return None
    other, scatter = among
    if abs(share / other - 1) <= max(NEAR, 4 * scatter):
        return None
    return "unlikely", (
        f"of which this MAE is {share:.3f}, where the other rows of {exhibit(mae['exhibit'])} have "
        f"{other:.3f} and scatter by {scatter:.1%}."
    )


def _among(
    cell: Cell, pairs: list[tuple[Cell, Cell]], k: list[float]
) -> tuple[float, float] | None:
    """Return the median k of the other rows of an exhibit and their robust scatter, if small."""
    place_of = ("paper", "exhibit", "dataset")
    others = [
        share
        for (mae, _), share in zip(pairs, k, strict=True)
        if mae["index"] != cell["index"] and all(mae[p] == cell[p] for p in place_of)
    ]
    if len(others) < ENOUGH:
        return None
    middle = float(np.median(others))
    scatter = 1.4826 * float(np.median(np.abs(np.array(others) / middle - 1)))
    return (middle, scatter) if scatter < STEADY else None
