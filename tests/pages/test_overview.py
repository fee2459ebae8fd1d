"""What readers see of claims and papers: badges, links, sums, and nothing unsafe."""

from collections import Counter
from dataclasses import replace

import pytest

from msalib.base import paths
from msalib.evidence import registry
from msalib.evidence.printed import checks
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks.drift import shared
from msalib.evidence.printed.checks.finding import SEVERITIES
from msalib.evidence.verdicts import (
    ClaimEvidence,
    Coverage,
    judge_printed,
    made_by_paper,
    parity,
)
from msalib.pages import findings, gains, one_paper, overview
from msalib.pages.ledger import SYMBOLS
from tests.evidence.made_rates import measured
from tests.html import read
from tests.small import (
    ENTRIES,
    FOUND,
    PRINTED,
    SILENT,
    entry,
    evidences,
    read_cell,
    values,
)


@pytest.fixture(scope="module")
def project():
    """The project's own table, entries and findings."""
    table = printed.load_all()
    entries = {name: registry.load(name) for name in registry.known()}
    return table, entries, checks.run(table, entries)


# --- evidence -----------------------------------------------------------------------------------


def test_comparisons_that_fail_come_first():
    cell = overview.claims([evidences(PRINTED)], "ONE").frame["printed"][0]
    assert values(cell) == ["✗ contradicted"]
    text = read_cell(cell).text
    assert text.index("✗ a < b") < text.index("= a = b") < text.index("✓ a > b")
    assert "1 of 3 cells hold, 1 tied" in text


def test_the_number_of_cells_that_hold_is_beside_every_verdict_of_print():
    own = [evidences(PRINTED), evidences(SILENT, number=2)]
    for shown in (overview.claims(own, "ONE"), overview.ledger({"one": own}, ENTRIES)):
        contradicted, silent = (read_cell(cell).text for cell in shown.frame["printed"])
        assert contradicted.startswith("✗ contradicted") and "1 of 3 cells hold" in contradicted
        assert "hold" not in silent


@pytest.mark.parametrize("column", ["printed", "re-run", "control"])
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
    assert "CMU-MOSI (voice as stored), transcripts and voice vectors, net1" in read_cell(cell).text


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
    assert "net0 (real data): no records read" in read_cell(cell).text
    assert 'href="paper-one.html#C1"' in shown.frame["claim"][0]


def test_a_row_is_announced_by_its_claim_and_has_an_address():
    page = read(overview.claims([evidences(PRINTED)], "ONE"))
    (row,) = (tr for tr in page.attributes("tr") if "id" in tr)
    heads = [th for th in page.attributes("th") if th["scope"] == "row"]
    links = {a["href"]: a for a in page.attributes("a")}
    assert row["id"] == "C1" and len(heads) == 1
    assert {"#C1", "#cite-C1"} <= set(links)
    anchors = [a for a in page.attributes("a") if a.get("class") == "msa-anchor"]
    assert [a["aria-label"] for a in anchors] == ["Address of C1"]


def test_settings_that_were_not_run_are_one_box_with_their_needs():
    cell = overview.claims([evidences(PRINTED, "not run", "supported", "not run")], "ONE").frame
    page = read_cell(cell["re-run"][0])
    assert page.text.count("○ not run") == 1 and "2 settings" in page.text
    assert "net0 (real data): why" in page.text and "net2 (real data): why" in page.text


def test_seeds_and_coverage_are_beside_a_verdict():
    own = evidences(PRINTED, "supported", "supported")
    covered = [Coverage(seeds, 685, 31, {"linguistic": 6}) for seeds in (5, 3)]
    pairs = zip(own.rerun, covered, strict=True)
    own = replace(own, rerun=[replace(v, coverage=c) for v, c in pairs])
    text = read_cell(overview.claims([own], "ONE").frame["re-run"][0]).text
    assert "5 seeds, 685 test clips of 31 videos; linguistic (6 blocks)" in text
    cell = overview.ledger({"one": [own]}, ENTRIES).frame["re-run"][0]
    text = read_cell(cell).text
    assert "2 settings, 3 to 5 seeds" in text
    assert "net1 (real data): 3 seeds, 685 test clips" in text


@pytest.mark.parametrize("make", ["claims", "ledger"])
def test_parity_and_error_rates_are_beside_a_claim_and_no_verdict(make):
    tested = evidences(PRINTED).claim
    tested = tested.model_copy(update={"rerun": tested.rerun.model_copy(update={"test": "any"})})
    own = replace(
        evidences(PRINTED),
        claim=tested,
        parity="our model equals the authors' outputs within 7e-07 (net)",
        error_rates=[measured(1, 9, border=(2, 4))],
    )
    shown = (
        overview.claims([own, evidences(SILENT, number=2)], "ONE")
        if make == "claims"
        else overview.ledger({"one": [own, evidences(SILENT, number=2)]}, ENTRIES)
    )
    first, second = (read_cell(cell).text for cell in shown.frame["claim"])
    assert "our model equals the authors' outputs within 7e-07 (net)." in first
    assert "parity" not in second and "parity" not in shown.frame
    assert values(shown.frame["claim"][0]) == []
    rates = [read_cell(cell).text for cell in shown.frame["errors of the test"]]
    assert rates[0].startswith("false verdicts 4.0% at most, power 90%") and rates[1] == ""


def test_verdicts_are_counted_by_claim_and_setting():
    own = [evidences(PRINTED, "supported", "not run"), evidences(SILENT, number=2)]
    row = overview.verdicts({"one": own}, ENTRIES).frame.iloc[0]
    assert row["claims"] == "2"
    shown = {name: read_cell(row[name]).text for name in overview.KINDS}
    assert shown == {
        "printed": "✗\u00a01 ○\u00a01",
        "re-run": "✓\u00a01 ○\u00a02",
        "control": "○\u00a02",
    }


def test_claims_of_ours_are_marked_and_told_apart():
    own = [evidences(PRINTED), evidences(SILENT, number=2, ours=True)]
    for shown in (overview.claims(own, "ONE"), overview.ledger({"one": own}, ENTRIES)):
        first, second = (read_cell(cell).text for cell in shown.frame["claim"])
        assert second.startswith("C2 ours ") and "ours" not in first
    assert list(shown.frame["whose"]) == ["the paper's", "ours"] and "whose" in shown.filters


def test_claims_of_ours_are_not_counted():
    own = [evidences(PRINTED), evidences(SILENT, "supported", number=2, ours=True)]
    row = overview.verdicts({"one": own}, ENTRIES).frame.iloc[0]
    assert read_cell(row["claims"]).text == "1 and 1 of ours"
    assert [read_cell(row[name]).text[:1] for name in overview.KINDS] == ["✗", "○", "○"]
    texts = overview.totals({"one": own}, FOUND, ENTRIES)
    assert (texts["claims"], texts["ours"]) == ("1", "1")
    assert (texts["printed_not_run"], texts["rerun_supported"]) == ("0", "0")
    text = read(one_paper.summary(own, FOUND, "one")).text
    assert text.startswith("1 claim (and 1 of ours, not counted); by the paper's own tables 1 con")


def test_totals_are_named_for_prose():
    texts = overview.totals({"one": [evidences(PRINTED, "supported")]}, FOUND, ENTRIES)
    assert texts["papers"] == "2" and texts["claims"] == "1" and texts["findings"] == "4"
    assert texts["ours"] == "0"
    assert texts["printed_contradicted"] == texts["rerun_supported"] == "1"
    assert texts["control_not_run"] == "1" and texts["findings_notable"] == "2"
    assert all(name.isidentifier() for name in texts)
    assert len(texts) == 4 + 3 * len(SYMBOLS) + len(SEVERITIES)


# --- one paper ----------------------------------------------------------------------------------


def test_a_paper_is_told_with_links(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "BOOK", tmp_path)
    code = "[a/b](https://github.com/a/b) and github.com/c/d-e, no licence."
    own = entry("ONE", code=code)
    page = read(one_paper.about("one", own))
    assert [link["href"] for link in page.attributes("a")] == [
        "https://github.com/a/b",
        "https://github.com/c/d-e",
    ]
    assert "no licence." in page.text and ".." not in page.text
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "index.md").touch()
    assert read(one_paper.about("one", own)).attributes("a")[0]["href"] == "../one/index.html"


def test_parity_of_a_paper_is_told_once_where_it_is_introduced():
    text = read(one_paper.about("sugrm", registry.load("sugrm"))).text
    assert "Parity: our model equals the authors' outputs within " in text
    silent = entry("ONE", parity=registry.Parity(needs="code of the authors"))
    assert "Parity: none; needs code of the authors." in read(one_paper.about("one", silent)).text


def test_the_answer_of_a_paper_counts_cells_and_names_claims():
    silent, ours = evidences(SILENT, number=2), evidences(PRINTED, number=3, ours=True)
    own = [evidences(PRINTED, "supported", "contradicted"), silent, ours]
    said = one_paper.answer(own, "ONE")
    assert said.startswith(
        "ONE's own tables support 0 of its 2 claims and contradict 1 (C1: 1 of 3 cells hold, 1 "
        "tied); 1 is about numbers that it does not print."
    )
    assert "Runs on real data support C1 and contradict C1, each in some setting." in said
    assert "No claim was run on data whose truth we know." in said
    assert said.endswith("As published: not run.") and "C3" not in said


def test_the_answer_of_a_paper_says_of_runs_what_none_of_them_did():
    said = {
        w: one_paper.answer([evidences(PRINTED, *w)], "ONE")
        for w in (("supported",), ("inconclusive",))
    }
    assert "support C1, each in some setting, and contradict none." in said[("supported",)]
    assert "Runs on real data support or contradict no claim." in said[("inconclusive",)]


def test_the_answer_of_all_papers_counts_verdicts():
    own = [evidences(PRINTED, "supported", "not run"), evidences(SILENT, number=2)]
    said = overview.answer({"one": own})
    assert "Of 2 claims of 1 paper, the papers' own tables support 0 and contradict 1" in said
    assert "on real data 1 supported, 0 contradicted, 0 inconclusive" in said


def test_a_summary_counts_verdicts_and_findings():
    text = read(one_paper.summary([evidences(PRINTED)], FOUND, "one")).text
    assert text.startswith("1 claim; by the paper's own tables 1 contradicted.")
    assert text.endswith(
        "4 findings in its printed numbers: 1 impossible, 1 inconsistent, 2 notable."
    )
    assert "0 findings in its printed numbers: none." in read(one_paper.summary([], [], "one")).text


def test_an_exhibit_leads_to_our_page_where_there_is_one():
    column = one_paper.exhibits(ENTRIES["one"]).frame["our page"]
    assert read_cell(column[0]).attributes("a")[0]["href"] == "../one/made.html"
    assert list(column[1:]) == ["not yet", "nothing to run"]


def test_without_records_settings_are_a_note():
    own = [evidences(PRINTED, "not run")]
    assert "No runs yet" in read(one_paper.settings(own, "ONE")).text
    assert "No runs yet" in read(one_paper.one_by_one(own, "ONE")).text
    assert one_paper.by_setting(own) == []


# --- the project's own --------------------------------------------------------------------------


def test_every_paper_of_the_project_can_be_shown(project):
    table, entries, _ = project
    assert len(gains.drift_table(table, entries).frame) == len(shared(table))
    assert len(findings.protocol(table, entries).frame) == len(entries)
    for paper, own in entries.items():
        weighed = [
            ClaimEvidence(
                paper,
                claim,
                judge_printed(table, paper, claim),
                [],
                [],
                parity(claim.parity),
            )
            for claim in own.claims
        ]
        assert len(overview.claims(weighed, own.name).ids) == len(own.claims)
        for shown in (
            overview.claims(weighed, own.name),
            overview.ledger({paper: weighed}, entries),
            one_paper.about(paper, own),
            one_paper.exhibits(own),
        ):
            read(shown)
        counts = Counter(e.printed.verdict for e in made_by_paper(weighed))
        text = read(overview.verdicts({paper: weighed}, entries)).text
        assert f"✓\u00a0{counts['supported']}" in text
