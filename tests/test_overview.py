"""What readers see of findings, evidence and papers: names, links, sums, and nothing unsafe."""

from collections import Counter

import pytest

from msalib import checks, claims, overview, papers, paths, printed, statements, testparts
from msalib.checks import SEVERITIES, Finding, granularity
from msalib.checks.drift import shared
from msalib.claims import Evidences, Told, Verdict
from msalib.evidence import Evidence
from msalib.ledger import SYMBOLS
from msalib.papers import Exhibit, Noted
from msalib.records import Setting
from tests import cells
from tests.html import read

TABLE = cells.table(
    cells.row("one/table1/mosi/Net", acc7=45.0, acc5=41.0, mae=(0.7, "0.70")),
    cells.row("one/table1/mosi/Net/small", acc7=40.0),
    cells.row("one/table1/mosi/MulT", acc7=39.0, mae=0.871),
    cells.row("two/table1/mosi/MulT", acc7=40.5, mae=0.871),
    cells.row("two/table1/mosi/Net", acc7=45.0),
)
BETTER = {
    "test": "better",
    "of": "table1/Net",
    "than": ["table1/*"],
    "datasets": ["mosi"],
    "metrics": ["acc7", "mae"],
}
NOTED = [
    Noted(id="ONE-N1", text="7 < 5", source="(g)", check="bounds", cells=["table1/Net/@mosi#acc5"]),
    Noted(id="ONE-N2", text="Lost.", source="(g)", check="chance", cells=["table1/Net/@mosi#acc5"]),
    Noted(id="ONE-N3", text="Seeds.", source="(g)", beyond="needs the code"),
]
EXHIBITS = [
    Exhibit(id="table1", title="Table 1", content="All.", needs="clips", runs="5", page="one/made"),
    Exhibit(id="table2", title="Table 2", content="More.", needs="clips", runs="5"),
    Exhibit(id="fig1", title="Fig. 1", content="A drawing.", needs="nothing", runs="none"),
]


def at(place: str, metric: str) -> int:
    (index,) = (i for i in TABLE.index if cells.at(TABLE, [i]) == [f"{place}#{metric}"])
    return index


def entry(name: str, **more) -> papers.Paper:
    return cells.entry(["Net"], 5, [[BETTER]]).model_copy(update={"name": name} | more)


ENTRIES = {"one": entry("ONE", noted=NOTED, exhibits=EXHIBITS), "two": entry("<TWO>")}
FOUND = [
    Finding(
        "bounds",
        "impossible",
        "one",
        "45 exceeds 41 & more.",
        (at("one/table1/mosi/Net", "acc7"), at("one/table1/mosi/Net", "acc5")),
    ),
    Finding("direction", "inconsistent", "one", "C1, It is better: no.", (0,)),
    Finding(
        "drift",
        "notable",
        "one",
        "39 against 40.5.",
        (at("one/table1/mosi/MulT", "acc7"), at("two/table1/mosi/MulT", "acc7")),
    ),
    Finding("bounds", "notable", "one", "0.70. " * 100, (at("one/table1/mosi/Net", "mae"),)),
]


def evidences(printed_: statements.Printed, *words: str, number: int = 1) -> Evidences:
    claim = ENTRIES["one"].claims[0].model_copy(update={"id": f"C{number}"})
    verdicts = [
        Verdict(claim, Setting("mosi", f"net{i}", "release", "paper"), Evidence(w, {}, "why"), [])
        for i, w in enumerate(words)
    ]
    return Evidences("one", claim, printed_, Told("not run", "needs a <model>"), verdicts, [])


PRINTED = statements.Printed(
    "contradicted",
    [
        statements.Line("a > b", True, (0,)),
        statements.Line("a = b", None, (0,)),
        statements.Line("a < b", False, (0,)),
    ],
    "holds in 1 of 3 comparisons, 1 tied",
)
SILENT = statements.Printed("not run", [], "needs numbers: a figure only")


@pytest.fixture(scope="module")
def project():
    """The project's own table, entries and findings."""
    table = printed.load_all()
    entries = {name: papers.load(name) for name in papers.known()}
    return table, entries, checks.run(table, entries)


# --- findings -----------------------------------------------------------------------------------


def test_findings_are_named_by_paper_and_check():
    names = list(overview.identify(FOUND).values())
    assert names == ["one-bounds-1", "one-direction-1", "one-drift-1", "one-bounds-2"]


def test_the_list_of_one_paper_has_the_names_of_the_list_of_all():
    every = overview.findings(FOUND, TABLE, ENTRIES)
    assert overview.findings(FOUND, TABLE, ENTRIES, "one").ids == every.ids
    assert overview.findings(FOUND, TABLE, ENTRIES, "two").ids == []


def test_a_finding_shows_severity_papers_numbers_and_whether_it_was_known():
    frame = overview.findings(FOUND, TABLE, ENTRIES).frame
    assert [read_cell(cell).text for cell in frame["severity"]] == [f.severity for f in FOUND]
    orders = [read_cell(cell).attributes("span")[0]["data-order"] for cell in frame["severity"]]
    assert orders == [str(SEVERITIES.index(f.severity)) for f in FOUND]
    assert values(frame["paper"][0]) == ["ONE"] and values(frame["paper"][2]) == ["ONE", "<TWO>"]
    text = read_cell(frame["what was found"][0]).text
    assert "45 exceeds 41 & more." in text and "Table 1, MOSI, Net, Acc-5: 41" in text
    assert "two: Table 1, MOSI, MulT, Acc-7: 40.5" in read_cell(frame["what was found"][2]).text
    assert [values(cell) for cell in frame["known"]] == [["specification"], *[["ours"]] * 3]
    assert 'href="paper-one.html#ONE-N1"' in frame["known"][0]


def test_a_claim_that_a_finding_is_about_is_linked():
    cell = overview.findings(FOUND, TABLE, ENTRIES).frame["what was found"][1]
    (link,) = read_cell(cell).attributes("a")
    assert link["href"].endswith("#C1")


def test_a_long_finding_opens_for_its_end():
    cell = overview.findings(FOUND, TABLE, ENTRIES).frame["what was found"][3]
    shown, _, folded = cell.partition("<details>")
    assert len(shown) < overview.LONG + 50 and shown.endswith("…</div>")
    assert (shown + folded).count("0.70.") == 100


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("table1/Net/@mosi#acc7", ["one/table1/mosi/Net#acc7"]),
        ("table1/Net@mosi#acc7", ["one/table1/mosi/Net#acc7"]),
        ("table1/Net/small@mosi#acc7", ["one/table1/mosi/Net/small#acc7"]),
        ("table1/Net/*@mosi#acc7", ["one/table1/mosi/Net#acc7", "one/table1/mosi/Net/small#acc7"]),
        ("table1/*/@mosi#mae", ["one/table1/mosi/Net#mae", "one/table1/mosi/MulT#mae"]),
        ("two:table1/Net/@mosi#acc7", ["two/table1/mosi/Net#acc7"]),
        ("table9/Net/@mosi#acc7", []),
        ("table1//@mosi#acc7", []),
    ],
)
def test_a_noted_cell_is_found_by_its_name(name, wanted):
    item = Noted(id="ONE-N1", text="-", source="-", check="bounds", cells=[name])
    own = entry("ONE", noted=[item])
    for i in TABLE.index:
        finding = Finding("bounds", "notable", "one", "-", (int(i),))
        matched = overview.match_noted("one", own, [finding], TABLE)
        assert bool(matched["ONE-N1"]) == (cells.at(TABLE, [i])[0] in wanted)


def test_a_noted_item_is_matched_by_its_own_check_only():
    matched = overview.match_noted("one", ENTRIES["one"], FOUND, TABLE)
    assert matched == {"ONE-N1": [FOUND[0]], "ONE-N2": [], "ONE-N3": []}


def test_what_was_noted_leads_to_findings_or_says_why_not():
    frame = overview.noted("one", ENTRIES["one"], FOUND, TABLE).frame
    (link,) = read_cell(frame["found by"][0]).attributes("a")
    assert link["href"] == "paper-one.html#one-bounds-1"
    assert list(frame["found by"][1:]) == ["no finding", "beyond print: needs the code"]
    assert read_cell(frame["noted"][0]).attributes("div")[-1]["id"] == "ONE-N1"


def test_what_is_ours_is_what_nothing_noted_answers_to():
    frame = overview.answered(FOUND, TABLE, ENTRIES).frame
    assert frame.iloc[0, 1:].tolist() == [3, 1, 1, 4, 3]
    assert frame.iloc[-1, 1:].tolist() == [3, 1, 1, 4, 3]


def test_findings_are_counted():
    frame = overview.counted(FOUND, ENTRIES).frame
    assert frame[[*SEVERITIES, "all"]].to_numpy().tolist() == [
        [1, 1, 0, 2, 4],
        [0, 0, 0, 0, 0],
        [1, 1, 0, 2, 4],
    ]


# --- evidence -----------------------------------------------------------------------------------


def test_comparisons_that_fail_come_first():
    cell = overview.claims([evidences(PRINTED)], "ONE").frame["printed"][0]
    assert values(cell) == ["✗ contradicted"]
    text = read_cell(cell).text
    assert text.index("✗ a < b") < text.index("= a = b") < text.index("✓ a > b")
    assert PRINTED.note in text


@pytest.mark.parametrize("column", ["printed", "parity", "re-run", "control"])
@pytest.mark.parametrize("make", ["claims", "ledger"])
def test_what_is_not_run_tells_its_needs_twice(make, column):
    own = evidences(SILENT)
    shown = (
        overview.claims([own], "ONE")
        if make == "claims"
        else overview.ledger({"one": [own]}, ENTRIES)
    )
    needs = {
        "printed": SILENT.note,
        "parity": own.parity.note,
        "re-run": own.not_run("re-run").note,
        "control": own.not_run("control").note,
    }[column]
    page = read_cell(shown.frame[column][0])
    assert page.attributes("summary")[0]["title"] == needs
    assert needs in page.text
    assert values(shown.frame[column][0]) == ["○ not run"]


def test_a_claim_has_a_badge_for_each_setting():
    cell = overview.claims([evidences(PRINTED, "not run", "supported")], "ONE").frame["re-run"][0]
    assert values(cell) == ["✓ supported", "○ not run"]  # what decides comes first
    assert "mosi, net1" in read_cell(cell).text


def test_the_ledger_has_a_badge_for_each_verdict_and_a_row_for_each_claim():
    own = [
        evidences(PRINTED, "supported", "not run", "supported"),
        evidences(SILENT, number=2),
    ]
    shown = overview.ledger({"one": own}, ENTRIES)
    assert shown.ids == ["C1", "C2"]
    cell = shown.frame["re-run"][0]
    assert values(cell) == ["✓ supported", "○ not run"]
    assert "2 settings" in read_cell(cell).text and "1 setting" in read_cell(cell).text
    assert 'href="paper-one.html#C1"' in shown.frame["claim"][0]


def test_verdicts_are_counted_by_claim_and_setting():
    own = [evidences(PRINTED, "supported", "not run"), evidences(SILENT, number=2)]
    row = overview.verdicts({"one": own}, ENTRIES).frame.iloc[0]
    assert row["claims"] == 2
    shown = {name: read_cell(row[name]).text for name in overview.KINDS}
    assert shown == {
        "printed": "✗\u00a01 ○\u00a01",
        "parity": "○\u00a02",
        "re-run": "✓\u00a01 ○\u00a02",
        "control": "○\u00a02",
    }


def test_totals_are_named_for_prose():
    texts = overview.totals({"one": [evidences(PRINTED, "supported")]}, FOUND, ENTRIES)
    assert texts["papers"] == "2" and texts["claims"] == "1" and texts["findings"] == "4"
    assert texts["printed_contradicted"] == texts["rerun_supported"] == "1"
    assert texts["control_not_run"] == "1" and texts["findings_notable"] == "2"
    assert all(name.isidentifier() for name in texts)
    assert len(texts) == 3 + 4 * len(SYMBOLS) + len(SEVERITIES)


# --- one paper ----------------------------------------------------------------------------------


def test_a_paper_is_told_with_links(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "BOOK", tmp_path)
    code = "[a/b](https://github.com/a/b) and github.com/c/d-e, no licence."
    own = entry("ONE", code=code)
    page = read(overview.about("one", own))
    assert [link["href"] for link in page.attributes("a")] == [
        "https://github.com/a/b",
        "https://github.com/c/d-e",
    ]
    assert "no licence." in page.text and ".." not in page.text
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "index.md").touch()
    assert read(overview.about("one", own)).attributes("a")[0]["href"] == "../one/index.html"


def test_a_summary_counts_verdicts_and_findings():
    text = read(overview.summary([evidences(PRINTED)], FOUND, "one")).text
    assert text.startswith("1 claim; by the paper's own tables 1 contradicted.")
    assert text.endswith(
        "4 findings in its printed numbers: 1 impossible, 1 inconsistent, 2 notable."
    )
    assert "0 findings in its printed numbers: none." in read(overview.summary([], [], "one")).text


def test_an_exhibit_leads_to_our_page_where_there_is_one():
    column = overview.exhibits(ENTRIES["one"]).frame["our page"]
    assert read_cell(column[0]).attributes("a")[0]["href"] == "../one/made.html"
    assert list(column[1:]) == ["not yet", "nothing to run"]


def test_without_records_settings_are_a_note():
    own = [evidences(PRINTED, "not run")]
    assert "No runs yet" in read(overview.settings(own, "ONE")).text
    assert "No runs yet" in read(overview.one_by_one(own, "one", "ONE")).text
    assert overview.by_setting(own) == []


# --- between papers, and what print can tell ----------------------------------------------------


def test_drift_sets_the_papers_side_by_side():
    shown = overview.drift(TABLE, ENTRIES)
    assert shown.ids == ["drift-mosi-MulT-acc7", "drift-mosi-MulT-mae", "drift-mosi-Net-acc7"]
    drifting = shown.frame.iloc[0]
    assert (drifting["ONE"], drifting["<TWO>"]) == ("<b>39</b>", "<b>40.5</b>")
    assert (drifting["range"], drifting["kind"]) == ("1.5", "drift")
    assert shown.frame["ONE"][1] == "0.871" and shown.frame["kind"][1] == "agree"
    assert overview.drifted(TABLE) == {
        "shared": "3",
        "shared_agree": "2",
        "shared_setting": "0",
        "shared_drift": "1",
        "drift_median": "1.5",
        "drift_largest": "1.5",
        "drift_widest": "Acc-7 of MulT on MOSI",
    }


def test_a_setting_stands_beside_its_number():
    table = cells.table(
        cells.row("one/table1/mosi_aligned/MulT", mae=0.8),
        cells.row("one/table1/mosi_unaligned/MulT", mae=0.9),
        cells.row("two/table1/mosi/MulT/conv_bert", mae=0.8),
    )
    row = overview.drift(table, ENTRIES).frame.iloc[0]
    assert read_cell(row["ONE"]).text == "0.8 aligned0.9 unaligned"
    assert read_cell(row["<TWO>"]).text == "0.8 conv bert"


def test_accuracies_that_cannot_fail_are_told():
    """One decimal of 685 clips or so: with 10 runs every value passes; two of 68 clips: few do."""
    table = cells.table(
        cells.row("one/table1/mosi/Net", acc7=45.1, mae=0.71),
        cells.row("two/table1/mustard/Net", acc2=(83.86, "83.86")),
    )
    frame = overview.protocol(table, ENTRIES).frame
    assert list(frame["accuracies that could fail"]) == ["0 of 1", "1 of 1"]
    assert frame["decimals, percent"].tolist() == ["1 (1)", "2 (1)"]
    assert frame["decimals, MAE and Corr"].tolist() == ["2 (1)", "none printed"]


@pytest.mark.parametrize(("value", "possible"), [("83.86", "no"), ("83.82", "yes")])
def test_granularity_is_shown_run_by_run(value, possible):
    table = cells.table(cells.row("one/table1/mustard/Net", acc2=value))
    frame = overview.possible(table.iloc[0], 68).frame
    assert frame["runs"].tolist() == list(granularity.RUNS)
    assert set(frame["possible"]) == {possible}
    assert frame["nearest share"][0] == "57 / 68 = 83.824%"


# --- the project's own --------------------------------------------------------------------------


def test_every_finding_of_the_project_is_listed_with_a_name(project):
    table, entries, found = project
    shown = overview.findings(found, table, entries)
    assert len(shown.ids) == len(set(shown.ids)) == len(set(found))
    read(shown)


def test_links_to_findings_lead_to_rows(project):
    table, entries, found = project
    for paper, own in entries.items():
        page = read(overview.noted(paper, own, found, table))
        for link in page.attributes("a"):
            other, _, name = link["href"].removeprefix("paper-").partition(".html#")
            assert name in overview.identify(found).values() and name.startswith(f"{other}-")


def test_every_paper_of_the_project_can_be_shown(project):
    table, entries, _ = project
    assert len(overview.drift(table, entries).frame) == len(shared(table))
    assert len(overview.protocol(table, entries).frame) == len(entries)
    for paper, own in entries.items():
        weighed = [
            Evidences(
                paper,
                claim,
                claims.in_print(table, paper, claim),
                claims.parity(paper),
                [],
                [],
            )
            for claim in own.claims
        ]
        assert len(overview.claims(weighed, own.name).ids) == len(own.claims)
        for shown in (
            overview.claims(weighed, own.name),
            overview.ledger({paper: weighed}, entries),
            overview.about(paper, own),
            overview.exhibits(own),
        ):
            read(shown)
        counts = Counter(e.printed.verdict for e in weighed)
        text = read(overview.verdicts({paper: weighed}, entries)).text
        assert f"✓\u00a0{counts['supported']}" in text


def test_the_worked_example_is_in_print():
    cell = printed.cell("glomo", "table2", "mustard", "GLoMo", "bert", "acc2")
    ((_, clips),) = testparts.sizes("mustard", "acc2")
    assert set(overview.possible(cell, clips).frame["possible"]) == {"no"}


# --- reading ------------------------------------------------------------------------------------


def read_cell(html: str):
    return read(overview.Block(f"<div>{html}</div>"))


def values(html: str) -> list[str]:
    """Texts of the elements of class value, which filters count."""
    from bs4 import BeautifulSoup

    found = BeautifulSoup(html, "html.parser").find_all(class_="value")
    return [element.get_text() for element in found]
