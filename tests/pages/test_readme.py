"""The results in the README: short answers, verdicts with what they cover, and a drawing of all."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from msalib import papers
from msalib.base import paths
from msalib.evidence import registry
from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import Coverage
from msalib.pages import readme, readme_picture
from msalib.pages.ledger import SYMBOLS
from msalib.pages.markdown import plain
from tests.small import ENTRIES, PRINTED, SILENT, evidences

COVERED = Coverage(5, 685, 31, {"linguistic": 6})
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def weighed(monkeypatch, tmp_path):
    """A paper whose first setting decides a claim, and whose second and last claim nothing does."""
    monkeypatch.setattr(registry, "load", ENTRIES.__getitem__)
    monkeypatch.setattr(paths, "BOOK", tmp_path)
    monkeypatch.setattr(readme, "PICTURE", readme.ROOT / "book" / "verdicts.svg")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "index.md").write_text("# ONE: is it better?\n\nText.\n")
    return {
        "one": [
            evidences(PRINTED, "supported", "not run", number=1),
            evidences(SILENT, "not run", "not run", number=2),
            evidences(SILENT, "inconclusive", "not run", number=1, ours=True),
        ]
    }


def test_a_cell_has_its_coverage():
    (verdict,) = evidences(SILENT, "supported").rerun
    cell = readme._cell(replace(verdict, coverage=COVERED))
    assert cell == "✓ supported<br>5 seeds, 685 test clips of 31 videos; linguistic (6 blocks)"
    assert readme._cell(verdict) == "✓ supported"  # a measurement covers nothing
    missing = replace(verdict, evidence=Evidence("not run", {}, "needs 5 seeds"), coverage=COVERED)
    assert readme._cell(missing) == readme._cell(None) == "○ not run"


def test_a_verdict_of_print_says_how_many_cells_hold(weighed):
    assert readme._printed(weighed["one"][0]) == "✗ contradicted<br>1 of 3 cells hold, 1 tied"
    assert readme._printed(weighed["one"][1]) == "○ not run"


def test_claims_and_settings_without_any_verdict_are_named_below_the_table(weighed):
    table, claims, settings = readme._verdicts("one", weighed["one"])
    head, _, *rows = table.split("\n")
    assert head.count("|") == 4 and "net0" in head  # claim, print and one setting
    assert len(rows) == 2 and all(row.count("|") == 4 for row in rows)
    assert "C2" in claims and "C1" not in claims
    assert "net1" in settings and "net0" not in settings


def test_each_paper_is_folded_with_its_sums(weighed):
    part = readme.results(weighed)["verdicts"]
    assert part.count("<details>") == part.count("</details>") == 1
    assert "<b>ONE</b>, in print: 0 supported, 1 contradicted, 0 inconclusive, 1 not run" in part
    assert "\n\n| claim |" in part  # Markdown inside HTML begins behind an empty line


def test_the_short_answer_of_a_paper_is_that_of_its_lead(weighed, monkeypatch):
    lead = {
        "claim": "C1",
        "setting": ("mosi", "net0", "release", "full"),
        "effect": "",
        "compares": "",
    }
    facts = {"LEAD": lead}
    monkeypatch.setattr(papers, "fact", lambda paper, name, default: facts.get(name, default))
    weighed["one"] = weighed["one"][:2]
    monkeypatch.setattr(readme.answer, "_as_published", lambda verdict: "")
    answers = readme.results(weighed)["answers"]
    assert "- **ONE: is it better?** Yes in our substitute setting" in answers
    assert "](book/verdicts.svg)" in answers
    lead["setting"] = ("mosi", "other", "release", "full")  # which has no records
    assert "ONE" not in readme.results(weighed)["answers"]


@pytest.mark.parametrize("paper", papers.names())
def test_the_lead_of_a_paper_is_a_claim_with_a_test(paper):
    lead = papers.fact(paper, "LEAD", None)
    if lead is not None:
        (claim,) = registry.claims(paper, [lead["claim"]])
        assert claim.rerun.test is not None
        assert (paths.BOOK / paper / "index.md").read_text().startswith("# ")


def test_parts_are_written_between_their_markers():
    text = "A\n<!-- one: by make -->\nold\n<!-- /one -->\nB\n<!-- two: x -->\n<!-- /two -->\n"
    new = readme.written(text, {"one": "1", "two": "2"})
    assert new == (
        "A\n<!-- one: by make -->\n\n1\n\n<!-- /one -->\nB\n<!-- two: x -->\n\n2\n\n<!-- /two -->\n"
    )
    assert readme.written(new, {"one": "1", "two": "2"}) == new


def test_the_drawing_has_every_claim_in_every_row(weighed):
    drawing = ElementTree.fromstring(readme_picture.drawing(weighed))
    texts = [text.text for text in drawing.iter(f"{SVG}text")]
    assert drawing.find(f"{SVG}title").text
    assert [text for text in texts if text in ("1", "2", "X1")] == ["1", "2", "1"]
    assert {"ONE", "printed", "re-run", "control"} <= set(texts)
    # Claims come before ours; re-run, the claims that were run have their verdicts.
    marks = [text for text in texts if text in SYMBOLS.values()][len(SYMBOLS) :]
    assert marks[:3] == [SYMBOLS[w] for w in ("contradicted", "not run", "not run")]
    assert marks[3:6] == [SYMBOLS[w] for w in ("supported", "not run", "inconclusive")]
    width = float(drawing.get("width"))
    assert all(float(rect.get("x", 0)) < width for rect in drawing.iter(f"{SVG}rect"))


def test_the_drawing_has_the_colours_of_the_book():
    css = "".join(p.read_text() for p in sorted((paths.BOOK / "_static").glob("*.css")))
    for word, (ground, letters) in readme_picture.COLOURS.items():
        rule = f".verdict-{word.replace(' ', '-')} {{ background: {ground}; color: {letters};"
        assert rule in css


@pytest.mark.parametrize(
    "text",
    [
        "video$_$clip",
        "a|b\n| --- |",
        "<script>alert(1)</script>",
        "[x](javascript:alert(1)) ![y](z)",
        "*a* _b_ __c__ `d` ~e~ \\f &lt;",
        "snake_case stays",
    ],
)
def test_text_stays_text_in_markdown(text):
    """Read again by a parser of tables, formulas and HTML."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    written = readme._table(["claim"], [[plain(text)]])
    tokens = MarkdownIt("gfm-like", {"linkify": False}).use(dollarmath_plugin).parse(written)
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 2
    assert {child.type for child in cells[1].children} <= {"text"}
    assert cells[1].children[0].content == " ".join(text.splitlines())
