"""Numbers that are computed from other printed numbers: sums, averages, gains, parameter counts."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from msalib.evidence.printed.checks.finding import Cell, Finding, places
from msalib.evidence.printed.names import dataset, exhibit, metric, system
from msalib.evidence.printed.units import sign

ROW = ["paper", "exhibit", "dataset", "system", "variant"]


def check(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Check all identities."""
    return [
        *one_vs_rest(table),
        *totals(table),
        *weights(table),
        *parts(table),
        *gains(table, entries),
    ]


def one_vs_rest(table: pd.DataFrame) -> list[Finding]:
    """Compare accuracies of single classes with the weighted accuracy (WA).

    From one choice among all classes, a clip that is right counts as right for every class, and a
    clip that is wrong counts as wrong for two: its own class and the chosen one. So the errors of
    the classes add up to twice the errors: sum over c of (1 - acc_c) = 2 (1 - WA).
    """
    findings = []
    classes = ("acc2_angry", "acc2_happy", "acc2_neutral", "acc2_sad")
    accuracies = table[table["metric"].isin([*classes, "wa"])]
    implied: dict[tuple, list[tuple[float, dict[str, pd.Series]]]] = {}
    for _, group in accuracies.groupby(ROW, sort=False):
        row = {r["metric"]: r for _, r in group.iterrows()}
        if set(classes) <= row.keys():
            wa = 100 - sum(100 - row[c]["value"] for c in classes) / 2
            first = row[classes[0]]
            implied.setdefault((first["paper"], first["exhibit"]), []).append((wa, row))
    for rows in implied.values():
        printed = [row["wa"] for _, row in rows if "wa" in row]
        for wa, row in rows:
            first = row[classes[0]]
            errors = " + ".join(f"{100 - row[c]['value']:.1f}" for c in classes)
            about = (
                f"{exhibit(first['exhibit'])}, {system(first)}: the four classes have errors "
                f"{errors}, so that one choice among four has a WA of 100 - half of that = {wa:.2f}"
            )
            if "wa" in row:
                room = sum(row[c]["half"] for c in classes) / 2 + row["wa"]["half"]
                if abs(wa - row["wa"]["value"]) <= room + 1e-9:
                    continue
                message = (
                    f"{about}; printed is {row['wa']['value']:g}, rounding explains {room:.2f}."
                )
                severity = "inconsistent"
            else:
                best = max(printed, key=lambda r: r["value"], default=None)
                message = f"{about}; no WA is printed."
                if best is not None:
                    side = "above" if wa > best["value"] else "below"
                    message += (
                        f" That is {abs(wa - best['value']):.2f} {side} the highest printed WA "
                        f"({best['value']:g}, {system(best)})."
                    )
                severity = "notable"
            findings.append(
                Finding("identities", severity, first["paper"], message, places(row.values()))
            )
    return findings


def totals(table: pd.DataFrame) -> list[Finding]:
    """Check that train, validation and test clips add up to the total, and to the text's number."""
    findings = []
    counts = table[table["metric"].isin(["count", "clips"]) & (table["corpus"] != "")]
    for (paper, corpus), group in counts.groupby(["paper", "corpus"], sort=False):
        named = {r["variant"]: r for _, r in group.iterrows() if r["metric"] == "count"}
        split = [named[part] for part in ("train", "valid", "test") if part in named]
        whole = [
            r
            for _, r in group.iterrows()
            if r["variant"] in ("total", "all", "clips", "dataset") or r["metric"] == "clips"
        ]
        if len(split) == 3:
            added = sum(int(r["value"]) for r in split)
            listing = " + ".join(f"{int(r['value']):,}" for r in split)
            for total in whole:
                if int(total["value"]) != added:
                    message = (
                        f"{dataset(corpus)}: the parts {listing} = {added:,} do not add up to "
                        f"{int(total['value']):,} ({exhibit(total['exhibit'])})."
                    )
                    listed = places([total, *split])
                    findings.append(Finding("identities", "inconsistent", paper, message, listed))
    return findings


def weights(table: pd.DataFrame) -> list[Finding]:
    """Check that weights of an average add up to 1."""
    findings = []
    printed_weights = table[table["metric"] == "weight"]
    for (paper, name, corpus), group in printed_weights.groupby(
        ["paper", "exhibit", "dataset"], sort=False
    ):
        added, room = group["value"].sum(), group["half"].sum()
        if abs(added - 1) > room + 1e-9:
            listing = " + ".join(group["printed"])
            message = (
                f"{exhibit(name)}, {dataset(corpus)}: the weights {listing} = {added:.3f}, not 1."
            )
            listed = tuple(int(i) for i in group.index)
            findings.append(Finding("identities", "inconsistent", paper, message, listed))
    return findings


def parts(table: pd.DataFrame) -> list[Finding]:
    """Check which average of the F1 of classes an overall F1 can be.

    The unweighted mean of the classes is macro F1. Weighted F1 is their average with the shares of
    the classes, the same shares for every system. Whether such shares exist for all rows at once is
    a linear programme: shares of 0 or more that add up to 1, and miss each overall number by no
    more than rounding.
    """
    findings = []
    f1 = table[table["metric"].str.match(r"f1($|_(?!has0|non0|mean))")]
    for (paper, name, corpus), group in f1.groupby(["paper", "exhibit", "dataset"], sort=False):
        rows = [
            {r["metric"]: r for _, r in row.iterrows()}
            for _, row in group.groupby(["system", "variant"], sort=False)
        ]
        classes = sorted({m for row in rows for m in row} - {"f1"})
        rows = [row for row in rows if {"f1", *classes} <= row.keys()]
        if len(classes) > 1 and rows:
            about = f"{exhibit(name)}, {dataset(corpus)}"
            findings += _averages(paper, about, rows, classes)
    return findings


def _averages(
    paper: str, about: str, rows: list[dict[str, Cell]], classes: list[str]
) -> Iterator[Finding]:
    """Check the overall F1 of rows of one exhibit, which have the F1 of these classes."""
    by_class = [[row[c]["value"] for c in classes] for row in rows]
    overall = [row["f1"]["value"] for row in rows]
    room = [row["f1"]["half"] + row[classes[0]]["half"] + 1e-9 for row in rows]
    for row, values, whole, slack in zip(rows, by_class, overall, room, strict=True):
        if not min(values) - slack <= whole <= max(values) + slack:
            message = (
                f"{about}, {system(row['f1'])}: an overall F1 of {whole:g} lies outside those "
                f"of the classes, {min(values):g} to {max(values):g}."
            )
            yield Finding("identities", "impossible", paper, message, places(row.values()))
    means = [float(np.mean(values)) for values in by_class]
    macro = [abs(m - o) <= r for m, o, r in zip(means, overall, room, strict=True)]
    if all(macro):
        return
    cells = places(cell for row in rows for cell in row.values())
    if any(macro):
        others = (system(row["f1"]) for row, fits in zip(rows, macro, strict=True) if not fits)
        message = f"{about}: the overall F1 is the mean of the classes but for {', '.join(others)}."
        yield Finding("identities", "inconsistent", paper, message, cells)
        return
    off, which = _shares(np.array(by_class), np.array(overall))
    example = (
        f"{system(rows[which]['f1'])}: mean of the classes {means[which]:.2f}, printed "
        f"{overall[which]:g}"
    )
    message = f"{about}: the overall F1 is no mean of the {len(classes)} classes ({example}); "
    if off <= max(room):
        message += "one set of class shares gives every row, as weighted F1 asks."
        yield Finding("identities", "notable", paper, message, cells)
        return
    message += (
        f"and no set of class shares gives all {len(rows)} rows: the best misses one by "
        f"{off:.2f}, where rounding explains {max(room):.2f}. So it is another number than "
        "the weighted F1 of one test part, at least in some rows."
    )
    yield Finding("identities", "unlikely", paper, message, cells)


def _shares(by_class: np.ndarray, overall: np.ndarray) -> tuple[float, int]:
    """Return the largest miss of the best class shares, and the row that it is at."""
    from scipy.optimize import linprog

    rows, classes = by_class.shape
    side = np.column_stack([by_class, -np.ones(rows)])
    other = np.column_stack([-by_class, -np.ones(rows)])
    solved = linprog(
        [0] * classes + [1],
        A_ub=np.vstack([side, other]),
        b_ub=np.concatenate([overall, -overall]),
        A_eq=[[1] * classes + [0]],
        b_eq=[1],
        bounds=[(0, 1)] * classes + [(0, None)],
    )
    misses = np.abs(by_class @ solved.x[:-1] - overall)
    return float(solved.x[-1]), int(misses.argmax())


def gains(table: pd.DataFrame, entries: Mapping) -> list[Finding]:
    """Compare a gain over the second best in the text with the table that it is read from.

    A metric ``delta_<metric>`` of a system is its number minus that of the best other system on the
    same data set, in the first exhibit that has both. Where the text gives a bound (over 1%), the
    table must be beyond it.
    """
    findings = []
    stated = table[table["metric"].str.startswith("delta_")]
    for index, gain in stated.iterrows():
        name = gain["metric"].removeprefix("delta_")
        same = table[
            (table["paper"] == gain["paper"])
            & (table["dataset"] == gain["dataset"])
            & (table["metric"] == name)
            & (table["exhibit"] != "text")
        ]
        for _, group in same.groupby("exhibit", sort=False):
            mine, others = group[group["system"] == gain["system"]], group
            others = others[others["system"] != gain["system"]]
            if len(mine) != 1 or others.empty:
                continue
            leader, best = mine.iloc[0], others.loc[(sign(name) * others["value"]).idxmax()]
            actual = sign(name) * (leader["value"] - best["value"])
            room = leader["half"] + best["half"] + gain["half"] + 1e-9
            bound = gain["half"] == 0
            fits = actual > gain["value"] if bound else abs(actual - gain["value"]) <= room
            if not fits:
                message = (
                    f"Text, {dataset(gain['dataset'])}: a gain in {metric(name)} of "
                    f"{gain['printed']}; {exhibit(leader['exhibit'])} gives {leader['value']:g} - "
                    f"{best['value']:g} ({system(best)}) = {actual:.2f}."
                )
                listed = (int(index), *places([leader, best]))
                findings.append(
                    Finding("identities", "inconsistent", gain["paper"], message, listed)
                )
            break
    return findings
