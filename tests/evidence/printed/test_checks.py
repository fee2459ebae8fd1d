"""All checks together, on made-up tables and on the papers' own."""

import numpy as np
import pytest

from msalib.data import metrics
from msalib.evidence.printed import checks
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import direction
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from tests.cells import entry, row, table

# --- together -------------------------------------------------------------------------------------


BAD = row("ash/table1/mosi/Net", acc7="57.8", acc5="56.9", mae="1.455", corr="79")


def test_findings_come_by_severity_then_place():
    t = table(BAD, row("birch/table1/mosi/Net", acc7="57.8", acc5="56.9", corr="-0.01"))
    found = checks.run(t)
    order = [(SEVERITIES.index(f.severity), f.paper, min(f.cells)) for f in found]
    assert order == sorted(order)
    assert [f.severity for f in found if f.check == "bounds"] == ["impossible"] * 3
    assert {f.paper for f in found if f.check == "chance"} == {"ash", "birch"}


def test_a_finding_spelt_out():
    t = table(BAD)
    told = checks.run(t)[0].as_json(t)
    assert list(told) == ["check", "severity", "paper", "message", "cells"]
    assert told["cells"] == [
        {"exhibit": "table1", "dataset": "mosi", "system": "Net", "variant": "", "metric": metric}
        | {"printed": number, "paper": "ash", "file": "ash.csv", "line": 0}
        for metric, number in (("acc7", "57.8"), ("acc5", "56.9"))
    ]


def test_a_finding_names_its_lines_file_by_file():
    cells = row("ash/table1/mosi/Net", acc7="1", acc5="1", acc3="1", mae="1", corr="1", f1="1")
    t = table(cells, row("birch/table1/mosi/Net", mae="1"))
    t["line"] = range(2, 9)
    found = Finding("bounds", "notable", "ash", "", (3, 0, 6))
    assert found.lines(t) == "ash.csv lines 5, 2; birch.csv line 8"
    assert (
        found._replace(cells=(0, 1, 2, 3, 4, 5)).lines(t) == "ash.csv lines 2, 3, 4, 5 and 2 more"
    )


def test_a_number_that_cannot_be_is_found_once():
    t = table(row("ash/table1/mosi/Net", acc2_has0="70.0", f1_has0="-3", mae="0.9", corr="-1.2"))
    found = checks.run(t)
    assert [(f.check, f.severity) for f in found] == [("bounds", "impossible")] * 2


def test_an_empty_table_has_no_findings():
    assert checks.run(table()) == []


def test_a_table_that_fits_has_no_findings():
    label = np.random.default_rng(0).permutation(np.repeat([0.0, -1.6, 1.6], [30, 378, 278]))
    scores = metrics.regression(label, label + np.random.default_rng(1).normal(size=686))
    numbers = {m: metrics.METRICS[m].show(v) for m, v in scores.items()}
    assert (
        checks.run(table(row("ash/table1/mosi/Net", **numbers)), {"ash": entry(["Net"], 1)}) == []
    )


def test_entries_are_those_of_the_papers_in_the_table(monkeypatch):
    """A paper without an entry is checked as far as its numbers go."""
    given = []
    monkeypatch.setattr(direction, "check", lambda table, entries: given.append(entries) or [])
    t = table(row("uegd/table1/mosi/Net", corr="79"), row("ash/table1/mosi/Net", corr="79"))
    assert {f.paper for f in checks.run(t) if f.check == "bounds"} == {"ash", "uegd"}
    assert list(given[0]) == ["uegd"]
    made = {"ash": entry(["Net"])}
    checks.run(t, made)
    assert given[1] == made


def test_cells_of_findings_are_in_the_table_and_messages_end(findings):
    t = printed.load_all()
    assert {f.check for f in findings} == {
        "transcription",
        "granularity",
        "bounds",
        "identities",
        "repetition",
        "drift",
        "chance",
        "direction",
    }
    for one in findings:
        assert one.severity in SEVERITIES
        assert one.cells
        assert len(set(one.cells)) == len(one.cells)
        assert set(one.cells) <= set(t.index)
        assert one.message.endswith("."), one.message
        assert one.paper in set(t.loc[list(one.cells), "paper"])


@pytest.mark.parametrize(
    "known",
    [
        "Table 6a, MOSEI, MMML v2 concat, Acc-7: 57.78 exceeds Acc-5 56.86",  # mmml.md
        "Table 2, MUStARD, GLoMo bert, Acc-2: 83.86 is no mean",  # glomo.md (g) 11
        "printed as '0.79.5'",
        "which is 64 only in units of 2^20",  # cmt.md (g) 9
    ],
)
def test_what_is_known_of_the_five_papers(known, findings):
    assert any(known in f.message for f in findings)


# --- whatever a folder holds ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_checks_run_on_whatever_is_left_of_the_papers_tables(seed):
    """Rows missing, values of zero, single papers: findings, never an exception."""
    rng = np.random.default_rng(seed)
    table = printed.load_all()
    kept = table[rng.random(len(table)) > rng.choice([0.05, 0.5, 0.95])].copy()
    kept.loc[rng.random(len(kept)) < 0.1, "value"] = 0.0
    papers_left = rng.choice(table["paper"].unique(), rng.integers(1, 4), replace=False)
    checks.run(kept)
    checks.run(kept[kept["paper"].isin(papers_left)])
    columns = kept[kept["metric"].isin(rng.choice(kept["metric"].unique(), 5))]
    checks.run(columns)
