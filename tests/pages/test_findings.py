"""What readers see of printed numbers: names, links, sums, and nothing unsafe."""

import pytest

from msalib.evidence import registry
from msalib.evidence.printed import checks, testparts
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import granularity
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.registry import Noted
from msalib.pages import findings, gains
from tests import cells
from tests.html import read
from tests.small import ENTRIES, FOUND, TABLE, entry, read_cell, values


@pytest.fixture(scope="module")
def project():
    """The project's own table, entries and findings."""
    table = printed.load_all()
    entries = {name: registry.load(name) for name in registry.known()}
    return table, entries, checks.run(table, entries)


# --- findings -----------------------------------------------------------------------------------


def test_findings_are_named_by_paper_and_check():
    names = list(findings.identify(FOUND).values())
    assert names == ["one-bounds-1", "one-direction-1", "one-drift-1", "one-bounds-2"]


def test_the_list_of_one_paper_has_the_names_of_the_list_of_all():
    every = findings.findings(FOUND, TABLE, ENTRIES)
    assert findings.findings(FOUND, TABLE, ENTRIES, "one").ids == every.ids
    assert findings.findings(FOUND, TABLE, ENTRIES, "two").ids == []


def test_a_finding_shows_severity_papers_numbers_and_whether_it_was_known():
    frame = findings.findings(FOUND, TABLE, ENTRIES).frame
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
    cell = findings.findings(FOUND, TABLE, ENTRIES).frame["what was found"][1]
    (link,) = read_cell(cell).attributes("a")
    assert link["href"].endswith("#C1")


def test_a_long_finding_opens_for_its_end():
    cell = findings.findings(FOUND, TABLE, ENTRIES).frame["what was found"][3]
    shown, _, folded = cell.partition("<details>")
    assert len(shown) < findings.LONG + 50 and shown.endswith("…</div>")
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
        matched = findings.match_noted("one", own, [finding], TABLE)
        assert bool(matched["ONE-N1"]) == (cells.at(TABLE, [i])[0] in wanted)


def test_a_noted_item_is_matched_by_its_own_check_only():
    matched = findings.match_noted("one", ENTRIES["one"], FOUND, TABLE)
    assert matched == {"ONE-N1": [FOUND[0]], "ONE-N2": [], "ONE-N3": []}


def test_what_was_noted_leads_to_findings_or_says_why_not():
    frame = findings.noted("one", ENTRIES["one"], FOUND, TABLE).frame
    (link,) = read_cell(frame["found by"][0]).attributes("a")
    assert link["href"] == "paper-one.html#one-bounds-1"
    assert list(frame["found by"][1:]) == ["no finding", "beyond print: needs the code"]
    assert read_cell(frame["noted"][0]).attributes("div")[-1]["id"] == "ONE-N1"


def test_what_is_ours_is_what_nothing_noted_answers_to():
    frame = findings.answered(FOUND, TABLE, ENTRIES).frame
    assert frame.iloc[0, 1:].tolist() == [3, 1, 1, 4, 3]
    assert frame.iloc[-1, 1:].tolist() == [3, 1, 1, 4, 3]


def test_findings_are_counted():
    frame = findings.counted(FOUND, ENTRIES).frame
    assert frame[[*SEVERITIES, "all"]].to_numpy().tolist() == [
        [1, 1, 0, 2, 4],
        [0, 0, 0, 0, 0],
        [1, 1, 0, 2, 4],
    ]


def test_papers_without_an_entry_and_without_a_common_baseline_have_pages(tmp_path):
    """A folder of someone else's numbers: nothing of it is in the registry."""
    head = "paper,exhibit,dataset,system,variant,metric,value,printed,note"
    rows = [f"paper {k},table1,mosi,Net {k},,mae,0.8,0.800," for k in range(2)]
    (tmp_path / "numbers.csv").write_text("\n".join([head, *rows]) + "\n")
    table = printed.load_all(tmp_path)
    every = checks.run(table, {})
    assert findings.counted(every, {}).frame["all"].tolist() == [0]
    assert len(findings.answered(every, table, {}).frame) == 1  # the row of totals
    for drift in (gains.drift_map(table, {}), gains.drift_table(table, {})):
        assert drift.text == gains.NO_DRIFT


# --- between papers, and what print can tell ----------------------------------------------------


def test_drift_sets_the_papers_side_by_side():
    shown = gains.drift_table(TABLE, ENTRIES)
    assert shown.ids == ["drift-mosi-MulT-acc7", "drift-mosi-MulT-mae", "drift-mosi-Net-acc7"]
    drifting = shown.frame.iloc[0]
    assert (drifting["ONE"], drifting["<TWO>"]) == ("<b>39</b>", "<b>40.5</b>")
    assert (drifting["distance"], drifting["kind"]) == ("1.5", "drift")
    assert shown.frame["ONE"][1] == "0.871" and shown.frame["kind"][1] == "agree"
    assert gains.drifted(TABLE) == {
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
    row = gains.drift_table(table, ENTRIES).frame.iloc[0]
    assert read_cell(row["ONE"]).text == "0.8 aligned0.9 unaligned"
    assert read_cell(row["<TWO>"]).text == "0.8 conv bert"


def test_accuracies_that_cannot_fail_are_told():
    """One decimal of 685 clips or so: with 10 runs every value passes; two of 68 clips: few do."""
    table = cells.table(
        cells.row("one/table1/mosi/Net", acc7=45.1, mae=0.71),
        cells.row("two/table1/mustard/Net", acc2=(83.86, "83.86")),
    )
    frame = findings.protocol(table, ENTRIES).frame
    assert list(frame["accuracies that could fail"]) == ["0 of 1", "1 of 1"]
    assert frame["decimals, percent"].tolist() == ["1 (1)", "2 (1)"]
    assert frame["decimals, MAE and Corr"].tolist() == ["2 (1)", "none printed"]


@pytest.mark.parametrize(("value", "possible"), [("83.86", "no"), ("83.82", "yes")])
def test_granularity_is_shown_run_by_run(value, possible):
    table = cells.table(cells.row("one/table1/mustard/Net", acc2=value))
    frame = findings.possible(table.iloc[0], 68).frame
    assert frame["runs"].tolist() == list(granularity.RUNS)
    assert set(frame["possible"]) == {possible}
    assert frame["nearest share"][0] == "57 / 68 = 83.824%"


# --- the project's own --------------------------------------------------------------------------


def test_every_finding_of_the_project_is_listed_with_a_name(project):
    table, entries, found = project
    shown = findings.findings(found, table, entries)
    assert len(shown.ids) == len(set(shown.ids)) == len(set(found))
    read(shown)


def test_links_to_findings_lead_to_rows(project):
    table, entries, found = project
    for paper, own in entries.items():
        page = read(findings.noted(paper, own, found, table))
        for link in page.attributes("a"):
            other, _, name = link["href"].removeprefix("paper-").partition(".html#")
            assert name in findings.identify(found).values() and name.startswith(f"{other}-")


def test_the_worked_example_is_in_print():
    cell = printed.cell("glomo", "table2", "mustard", "GLoMo", "bert", "acc2")
    ((_, clips),) = testparts.sizes("mustard", "acc2")
    assert set(findings.possible(cell, clips).frame["possible"]) == {"no"}
