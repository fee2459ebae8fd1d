"""Entries of papers: complete, refused where they are not; and how a new paper is added."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from msalib import papers as parts
from msalib.base import paths
from msalib.base.errors import UserError
from msalib.evidence import registry
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.cells import Cells, parse
from msalib.evidence.printed.verdict import judge_statements
from msalib.evidence.verdicts import bound_test, weigh

KNOWN = ["uegd", "sugrm", "mmml", "glomo", "cmt"]


def specified(paper: str) -> list[str]:
    """Ids of the claims in the specification, in order."""
    text = (paths.BOOK / "papers" / f"{paper}.md").read_text()
    return list(dict.fromkeys(re.findall(rf"^\| ({paper.upper()}-[CX]\d+[ab]?)\b", text, re.M)))


# --- what there is ------------------------------------------------------------------------------


def test_papers_come_in_the_order_of_the_book():
    assert registry.known() == KNOWN
    assert [registry.load(paper).order for paper in KNOWN] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("paper", KNOWN)
def test_every_claim_of_the_specification_is_there(paper):
    """In its order; what is ours is marked, whether the specification lists it or not."""
    ids = [claim.id for claim in registry.load(paper).claims]
    wanted = specified(paper)
    assert ids[: len(wanted)] == wanted
    assert len(set(ids)) == len(ids)
    for claim in registry.load(paper).claims:
        assert claim.ours == ("-X" in claim.id), claim.id
        assert "ours" not in claim.statement.lower(), claim.id


def test_there_are_about_120_claims():
    every = [claim for paper in KNOWN for claim in registry.load(paper).claims]
    assert sum(not claim.ours for claim in every) >= 118


@pytest.mark.parametrize("paper", KNOWN)
def test_every_exhibit_with_numbers_is_listed(paper):
    exhibits = [exhibit.id for exhibit in registry.load(paper).exhibits]
    assert len(set(exhibits)) == len(exhibits)
    numbers = set(printed.load(paper)["exhibit"]) - {"text", "appendix_text", "readme_history"}
    assert numbers <= set(exhibits)


@pytest.mark.parametrize("paper", KNOWN)
def test_every_printed_test_finds_its_cells(paper):
    """A test without comparisons would say nothing, silently."""
    cells = Cells(printed.load_all())
    for claim in registry.load(paper).claims:
        for test in claim.printed.tests:
            assert judge_statements(cells, paper, [test]).lines, claim.id


@pytest.mark.parametrize("paper", KNOWN)
def test_every_test_on_records_is_one_of_the_paper_with_its_arguments(paper):
    for claim in registry.claims(paper):
        assert claim.paper == paper
        if claim.rerun.test is not None:
            assert bound_test(claim).keywords == claim.rerun.arguments


@pytest.mark.parametrize("paper", KNOWN)
def test_own_systems_are_those_of_the_tables(paper):
    assert set(registry.load(paper).own) <= set(printed.load(paper)["system"])


@pytest.mark.parametrize("paper", KNOWN)
def test_pages_of_exhibits_are_in_the_book(paper):
    toc = (paths.BOOK / "_toc.yml").read_text()
    for exhibit in registry.load(paper).exhibits:
        assert exhibit.page is None or f"book/{exhibit.page}\n" in toc, exhibit.id


@pytest.mark.parametrize("paper", KNOWN)
def test_what_the_specification_notes_is_found_by_a_check(paper, findings):
    """Every noted item either is found, by the check it names and in its cells, or says why not."""
    cells = Cells(printed.load_all())
    for noted in registry.load(paper).noted:
        if noted.beyond is not None:
            continue
        places = set()
        for name in noted.cells:
            parts = parse(name)
            column = cells.at(
                parts["paper"] or paper, parts["exhibit"], parts["dataset"] or "", parts["metric"]
            )
            here = {
                c["index"]
                for c in column
                if parts["system"] in ("*", c["system"])
                and parts["variant"] in ("*", c["variant"], None)
            }
            assert here, f"{noted.id}: {name}"
            places |= here
        hits = [f for f in findings if f.check == noted.check and places & set(f.cells)]
        assert hits, noted.id


# --- refusals -----------------------------------------------------------------------------------


@pytest.fixture
def entry(tmp_path, monkeypatch):
    """A function that writes UEGD's entry, changed, and reads it back."""
    content = yaml.safe_load((paths.CLAIMS / "uegd.yaml").read_text())
    monkeypatch.setattr(paths, "CLAIMS", tmp_path)

    def read(change):
        change(content)
        (tmp_path / "uegd.yaml").write_text(yaml.safe_dump(content))
        return registry.load("uegd")

    return read


def changed(part, **values):
    return lambda content: content["claims"][0][part].update(values)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (changed("rerun", reading={"supported": "yes"}), "no reading for"),
        (changed("rerun", test=None, unsimulated="a count"), "unsimulated is said of a test"),
        (
            changed("printed", tests=[{"test": "best"}]),
            "claims.0.printed: test 'best': one of better",
        ),
        (changed("printed", tests=[{"test": "better", "of": "a/b"}]), "missing a required"),
        (changed("printed", none="no number"), "expected tests, or none with the reason"),
        (
            lambda content: content["claims"][0].update(verdict="supported"),
            "claims.0.verdict: Extra inputs are not permitted",
        ),
        (lambda content: content["claims"][0].pop("control"), "claims.0.control: Field required"),
        (lambda content: content["noted"][0].update(check=None, beyond=None), "expected check"),
        (lambda content: content.pop("own"), "own: Field required"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(entry, change, complaint):
    with pytest.raises(UserError, match=rf"uegd\.yaml: found .*{re.escape(complaint)}") as caught:
        entry(change)
    for dumped in ("http", "input_value", "validation error"):
        assert dumped not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (changed("rerun", test="looks_good"), "UEGD-C1: no test 'looks_good'"),
        (
            changed("rerun", arguments={"modality": "acoustic"}),
            "test better_than_conventional: missing a",
        ),
    ],
)
def test_a_test_that_the_paper_does_not_have_is_refused_where_it_is_looked_up(
    entry, change, complaint
):
    claim = entry(change).claims[0]
    with pytest.raises(UserError, match=r"uegd\.yaml: found .*better_than") as caught:
        bound_test(claim)
    assert complaint in caught.value.found


def test_a_paper_has_its_parts_by_name():
    assert parts.names() == sorted(parts.names()) and {"uegd", "sugrm"} <= set(parts.names())
    assert parts.part("uegd", "evidence").__name__ == "msalib.papers.uegd.evidence"
    assert parts.part("uegd", "no_such_part") is parts.part("nonsense", "evidence") is None


def test_at_most_three_complaints_are_told(entry):
    def change(content):
        for claim in content["claims"]:
            del claim["control"]

    with pytest.raises(UserError) as caught:
        entry(change)
    assert caught.value.found == "; ".join(f"claims.{i}.control: Field required" for i in range(3))


def test_a_number_of_runs_may_be_a_number(entry):
    found = entry(lambda content: content["exhibits"][0].update(runs=1))
    assert found.exhibits[0].runs == "1"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"title: a\nname: [", "line 2: expected the node content, but found '<stream end>'"),
        (b"a: 1\n\tb: 2", "line 2: found character '\\t' that cannot start any token"),
        (b"name: \xfc", "characters that are not UTF-8"),
        (b"", "Input should be"),
    ],
)
def test_a_damaged_entry_is_refused(content, found, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CLAIMS", tmp_path)
    (tmp_path / "uegd.yaml").write_bytes(content)
    with pytest.raises(UserError, match=r"uegd\.yaml: found .* expected the entry") as caught:
        registry.load("uegd")
    assert caught.value.found.startswith(found)


@pytest.mark.parametrize("name", ["my paper", "my paper "])
def test_a_paper_may_have_blanks_in_its_name_but_none_at_an_end(tmp_path, monkeypatch, name):
    """Printed numbers lose blanks at the ends of cells, so its rows would be nowhere."""
    shutil.copy(paths.CLAIMS / "uegd.yaml", tmp_path / f"{name}.yaml")
    monkeypatch.setattr(paths, "CLAIMS", tmp_path)
    if name == name.strip():
        assert registry.load(name).claims[0].paper == name
        return
    with pytest.raises(UserError, match=r"found a blank at an end of its name.*Rename the file"):
        registry.load(name)
    (tmp_path / f"{name}.yaml").rename(tmp_path / f"{name.strip()}.yaml")
    assert registry.known() == ["my paper"]


@pytest.mark.parametrize("name", ["uegd ", " uegd", "UEGD", "uged", "../uegd"])
def test_a_paper_that_is_nearly_one_is_asked_for(name):
    with pytest.raises(UserError, match=r"found no claims of it; .* Did you mean uegd\?"):
        registry.load(name)


def test_a_claim_on_a_row_that_is_nowhere_is_refused(entry):
    """Left out silently, it would make a claim look supported."""

    def misspelt(content):
        content["claims"][0]["printed"]["tests"][0]["than"].append("table2/UEGD/konv")

    entry(misspelt)
    with pytest.raises(UserError, match=r"UEGD-C1: no printed number of table2/UEGD/konv"):
        weigh("uegd")


# --- a sixth paper ------------------------------------------------------------------------------

ENTRY = """
name: SIXTH
title: A made-up paper
authors: Nobody et al.
venue: nowhere, 2030
key: ando2022uegd
idea: It adds numbers.
questions: ["Does adding help?"]
own: [Adder]
runs: 1
runs_source: made up
code: none
parity: {needs: a model}
exhibits:
  - {id: table1, title: "Table 1: all", content: Everything., needs: nothing, runs: none}
noted:
  - id: SIXTH-N1
    text: Seven classes are easier than five.
    source: made up
    check: bounds
    cells: [table1/Adder/@mosi#acc7]
claims:
  - id: SIXTH-C1
    statement: Adding is better than MulT in every metric.
    exhibit: Table 1
    printed:
      tests:
        - {test: better, of: table1/Adder, than: [table1/*], datasets: [mosi], metrics: [mae, corr]}
    rerun: {rule: Adding against MulT., needs: an adder}
    control: A corpus in which adding helps.
"""

NUMBERS = """paper,exhibit,dataset,system,variant,metric,value,printed,note
sixth,table1,mosi,MulT,,mae,0.95,0.950,
sixth,table1,mosi,MulT,,corr,0.698,0.698,
sixth,table1,mosi,Adder,,mae,0.801,0.801,
sixth,table1,mosi,Adder,,corr,0.69,0.690,
sixth,table1,mosi,Adder,,acc5,41,41.0,
sixth,table1,mosi,Adder,,acc7,45,45.0,
"""


@pytest.fixture(scope="module")
def sixth(tmp_path_factory):
    """A copy of the project with one paper more: one CSV, one YAML, one page. Its own command."""
    root = tmp_path_factory.mktemp("sixth")

    def ignored(folder, names):
        records = {"uegd", "power", "audit"} if Path(folder) == paths.BOOK / "records" else set()
        return records | {"__pycache__", "executed"}

    for folder in ("msalib", "book"):
        shutil.copytree(paths.ROOT / folder, root / folder, ignore=ignored)
    (root / "book" / "printed" / "sixth.csv").write_text(NUMBERS)
    (root / "book" / "claims" / "sixth.yaml").write_text(ENTRY)
    (root / "notebooks").mkdir()
    shutil.copy(paths.NOTEBOOKS / "paper.ipynb", root / "notebooks")
    shutil.copy(paths.ROOT / "CITATION.cff", root)

    def command(*arguments):
        environment = os.environ | {"PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return root, command


def test_a_sixth_paper_is_checked_with_the_others(sixth):
    _, command = sixth
    out = command("-m", "msalib", "printed", "check", "--json")
    own = [finding for finding in json.loads(out) if finding["paper"] == "sixth"]
    about = {(f["check"], f["severity"]) for f in own}
    assert ("bounds", "impossible") in about  # ACC7 above ACC5
    assert ("direction", "inconsistent") in about  # Corr is below that of MulT
    assert ("drift", "notable") in about  # MulT has another MAE elsewhere


def test_a_sixth_paper_is_in_the_ledger(sixth):
    _, command = sixth
    lines = command("-m", "msalib", "claims", "sixth").splitlines()
    (own,) = (line for line in lines if line.startswith("SIXTH-C1"))
    assert "✗ 1 of 2" in own
    known = command("-c", "from msalib.evidence import registry; print(*registry.known())")
    assert known.split() == [*KNOWN, "sixth"]  # papers without a place come last


def test_a_sixth_paper_has_a_page(sixth):
    root, command = sixth
    code = "from msalib.book import notebooks; notebooks.run_notebook('paper', {'paper': 'sixth'})"
    command("-c", code)
    text = (root / "book" / "executed" / "paper-sixth.ipynb").read_text()
    for shown in ("A made-up paper", "SIXTH-C1", "exceeds Acc-5 41", "SIXTH-N1"):
        assert shown in text


def test_an_unknown_paper_is_refused_with_those_that_are_known():
    with pytest.raises(UserError, match=r"paper 'nonsense': .*cmt, glomo, mmml, sugrm, uegd"):
        registry.claims("nonsense")
