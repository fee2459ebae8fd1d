"""The poster of all claims, and what a pass of the granularity check is worth."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from bs4 import BeautifulSoup

from msalib.evidence import registry, settings
from msalib.evidence.common import Evidence
from msalib.evidence.printed import testparts
from msalib.evidence.printed.checks.finding import SEVERITIES, Finding
from msalib.evidence.printed.statements import Line
from msalib.evidence.printed.verdict import PrintedVerdict
from msalib.evidence.verdicts import ClaimEvidence, Verdict, made_by_paper
from msalib.pages import posters
from msalib.pages.ledger import SYMBOLS
from msalib.runs.records import Setting
from tests.html import read

SETTINGS = [Setting("mosi", f"encoder{i}", "release", "full") for i in range(3)]


def tables(sheet) -> list[BeautifulSoup]:
    """The tables of a sheet; every cell belongs to a row with a head, every column has one."""
    assert "nan" not in read(sheet).text  # and every tag closes
    found = BeautifulSoup(sheet._repr_html_(), "html.parser").find_all("table")
    for table in found:
        assert table.caption.get_text(strip=True)
        assert all(head["scope"] for head in table.find_all("th"))
        columns = len(table.thead.find_all("th"))
        for row in table.tbody.find_all("tr"):
            assert (
                sum(int(cell.get("colspan", 1)) for cell in row.find_all(["th", "td"])) == columns
            )
    return found


def texts(table, name: str) -> list[str]:
    """The cells of a row, by its name."""
    (row,) = [r for r in table.tbody.find_all("tr") if r.th.get_text(" ", strip=True) == name]
    return [cell.get_text(" ", strip=True) for cell in row.find_all("td")]


# --- what a pass is worth -----------------------------------------------------------------------


def test_the_worth_of_a_pass_is_told_in_numbers():
    sheet = posters.granularity_map(["mustard", "mosei"])
    (table,) = tables(sheet)
    sizes = {c: testparts.parts(c)[0].clips for c in ("mustard", "mosei")}
    shares = {
        c: [posters.passing(n, d, r) for d in (1, 2) for r in (1, 3, 5, 10)]
        for c, n in sizes.items()
    }
    small, large = shares["mustard"], shares["mosei"]
    assert small[4] < 0.02 and large[0] == 1
    cells = texts(table, f"MUStARD {sizes['mustard']:,} clips")
    assert cells[4] == f"{small[4]:.1%}" and len(cells) == len(small)
    assert texts(table, f"MOSEI {sizes['mosei']:,} clips")[0] == "100%"
    assert "2 decimals 10 runs" in table.thead.get_text(" ", strip=True)
    every = [*small, *large]
    assert f"In {sum(s > 0.995 for s in every)} of {len(every)} cells all values" in sheet.caption
    assert f"in {sum(s <= 0.05 for s in every)} at most one value in twenty" in sheet.caption


def test_a_pass_is_worth_less_with_more_clips_runs_and_fewer_decimals():
    worth = np.array(
        [[[posters.passing(n, d, r) for r in (1, 3, 10)] for d in (2, 1)] for n in (68, 457, 994)]
    )
    assert all((np.diff(worth, axis=axis) >= 0).all() for axis in range(3))
    step, printed_step = 100 / 68, 0.01
    assert worth[0, 0, 0] == pytest.approx(printed_step / step, rel=0.05)


def test_every_test_part_of_the_map_is_known():
    (table,) = tables(posters.granularity_map())
    assert len(table.tbody.find_all("tr")) == len(posters.TESTED)


# --- the whole study ----------------------------------------------------------------------------


def verdict(claim, setting, word):
    kind = settings.kind("uegd", setting)
    return Verdict(claim, kind, setting, Evidence(word, {}, ""), [])


def evidences(paper, *, prints=("supported",), rerun=(), control=()):
    """All claims of a paper; ``prints`` in turn, the verdicts of settings for each claim."""
    return [
        ClaimEvidence(
            paper,
            claim,
            PrintedVerdict(prints[i % len(prints)], [], ""),
            [verdict(claim, s, w) for s, w in zip(SETTINGS, rerun, strict=False)],
            [verdict(claim, s, w) for s, w in zip(SETTINGS, control, strict=False)],
        )
        for i, claim in enumerate(registry.claims(paper))
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["not run"]),
        (["not run", "not run"], ["not run"]),
        (["not run", "supported"], ["supported"]),
        (["supported", "supported"], ["supported"]),
        (["inconclusive", "not run", "contradicted"], ["contradicted", "inconclusive"]),
    ],
)
def test_settings_that_agree_are_one_verdict(words, expected):
    (first, *_) = evidences("uegd", rerun=words)
    assert posters.verdicts_by_kind(first) == {
        "printed": ["supported"],
        "re-run": expected,
        "control": ["not run"],
    }


def papers_of(sheet) -> list[BeautifulSoup]:
    """The blocks of a poster, one a paper; every tag closes."""
    assert "nan" not in read(sheet).text
    return BeautifulSoup(sheet.html(), "html.parser").find_all(class_="msa-paper")


def marks(block, kind: str) -> list[str]:
    """What a screen reader says of the marks of a kind, in order."""
    (row,) = [r for r in block.find_all(class_="msa-kind") if r.span.text == kind]
    for hidden in row.find_all(attrs={"aria-hidden": "true"}):
        hidden.decompose()
    return [" ".join(link.text.split()) for link in row.find_all("a")]


def test_the_poster_counts_claims_and_findings():
    study = {
        "uegd": evidences("uegd", rerun=["not run", "inconclusive"]),
        "sugrm": evidences("sugrm", prints=("supported", "contradicted", "not run", "supported")),
    }
    findings = [Finding("bounds", "impossible", "uegd", "", (0,))] * 2
    findings += [Finding("drift", "notable", "sugrm", "", (0,)), findings[0]._replace(paper="cmt")]
    sheet = posters.poster(study, findings)
    sums = Counter(e.printed.verdict for each in study.values() for e in made_by_paper(each))
    assert (
        f"{sums.total()} claims of two papers: their printed tables support {sums['supported']}, "
        f"contradict {sums['contradicted']}, leave 0 open and cannot test {sums['not run']}."
    ) in read(sheet).text
    ours = {paper: sum(e.claim.ours for e in each) for paper, each in study.items()}
    assert f"{sum(ours.values())} claims of ours (X1 and so on) are not counted" in sheet.caption
    uegd, sugrm = papers_of(sheet)  # in the order of the study
    assert f"17 claims and {ours['uegd']} of ours" in uegd.text
    assert "2 impossible, 0 inconsistent, 0 unlikely, 0 notable" in uegd.text
    assert "0 impossible" in sugrm.text and "1 notable" in sugrm.text
    theirs = Counter(e.printed.verdict for e in made_by_paper(study["sugrm"]))
    assert all(f"{theirs[word]} {word}" in sugrm.text for word in SYMBOLS)
    assert len(marks(uegd, "re-run")) == len(study["uegd"])
    assert [len(row.find_all("li", class_="apart")) for row in uegd.find_all("ul")] == [2, 2, 0]


def test_every_mark_leads_to_its_claim_and_says_what_it_is():
    lines = [Line("", holds, (0,)) for holds in (True, True, False)]
    made = evidences("uegd", rerun=["supported", "contradicted", "not run"])
    printed = PrintedVerdict("contradicted", lines, "")
    made[5] = replace(made[5], printed=printed)
    (block,) = papers_of(posters.poster({"uegd": made}, []))
    links = [link["href"] for link in block.find("ul").find_all("a")]
    assert links == [f"executed/paper-uegd.html#{e.claim.id}" for e in made]
    shown = marks(block, "printed")
    assert shown[0] == "UEGD-C1 supported"
    assert shown[5] == "UEGD-C6 contradicted, 2 of 3 cells hold"
    assert shown[-1] == "UEGD-X2 supported"
    assert "Contradicted in print: C6 (2 of 3 cells hold)" in block.find(class_="told").text
    assert set(marks(block, "re-run")) == {f"{e.claim.id} supported contradicted" for e in made}


def test_claims_that_were_not_run_are_one_mark():
    made = evidences("uegd", rerun=["supported"], prints=("not run",))
    (block,) = papers_of(posters.poster({"uegd": made}, []))
    assert marks(block, "control") == [f"○ {len(made)} not run"]
    (link,) = block.find_all("ul")[2].find_all("a")
    assert link["href"] == "executed/paper-uegd.html?control=not-run"
    assert len(marks(block, "printed")) == len(made)  # what print cannot test stays


def test_one_paper_makes_a_poster_also_without_claims():
    for each in (evidences("glomo"), []):
        sheet = posters.poster({"glomo": each}, [])
        papers_of(sheet)
        assert f"{len(each)} claims of one paper: its printed tables" in read(sheet).text
        assert "of ours" not in read(sheet).text


def test_all_papers_are_in_the_poster():
    words = ("supported", "contradicted", "inconclusive")
    study = {p: evidences(p, prints=words, rerun=words, control=words) for p in registry.known()}
    blocks = papers_of(posters.poster(study, []))
    for paper, block in zip(study, blocks, strict=True):
        assert registry.load(paper).name in block.text
        assert all(f"0 {severity}" in block.text for severity in SEVERITIES)


def test_findings_are_those_of_all_checks_unless_given(monkeypatch):
    monkeypatch.setattr(
        posters.checks, "run", lambda table: [Finding("x", "unlikely", "cmt", "", (0,))]
    )
    assert "1 unlikely" in posters.poster({"cmt": evidences("cmt")}).html()
