"""Figures of printed evidence: numbers in words, a scale per metric, marks beside colours."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import rgb_to_hsv, to_rgb

from msalib.evidence import claims
from msalib.evidence import registry as papers
from msalib.evidence.claims import Evidences, Told, Verdict
from msalib.evidence.common import Evidence, Word
from msalib.evidence.printed import statements, testparts
from msalib.evidence.printed import table as printed
from msalib.evidence.printed.checks import SEVERITIES, Finding
from msalib.pages import posters
from msalib.pages.figure import Picture
from msalib.pages.ledger import SYMBOLS
from msalib.pages.posters import MINUS, TIMES
from msalib.pages.tables import Note
from msalib.runs.records import Setting
from tests.html import read

SETTINGS = [Setting("mosi", f"encoder{i}", "release", "paper") for i in range(3)]
ENTRIES = {
    "one": SimpleNamespace(name="ONE", own=["Own"]),
    "two": SimpleNamespace(name="TWO", own=["Ours", "Again"]),
}
ROWS = """
one,table1,mosi,MulT,,mae,0.9
one,table1,mosi,MulT,,f1_non0,80.0
one,table1,mosi,TFN,,mae,0.950
one,table1,mosi,Own,small,mae,0.88
one,table1,mosi,Own,large,mae,0.85
one,table1,mosi,Own,large,f1_non0,86.0
one,table2,mosi,Own,without,mae,0.70
two,table1,mosi,MuIT,,mae,0.8
two,table1,mosi,MulT,,f1_non0,83.0
two,table1,mosi,TFN,,mae,0.95
two,table1,mosi,Again,,mae,0.77
two,table1,mosi,Ours,,mae,0.82
two,table1,mosi,Ours,,f1_non0,83.0
two,text,mosi,MulT,,mae,0.1
"""


@pytest.fixture
def table(tmp_path):
    return made(tmp_path, ROWS)


def made(folder, rows):
    """A table of printed numbers: every value as it is printed."""
    (folder / "all.csv").write_text(
        "\n".join([",".join(printed.COLUMNS), *(f"{r},{r.split(',')[-1]}," for r in rows.split())])
    )
    return printed.load_all(folder)


@pytest.fixture
def figures(monkeypatch):
    """Every figure that is drawn."""
    found = []

    def picture(figure, **told):
        found.append(figure)
        return Picture(figure, **told)

    monkeypatch.setattr(posters, "Picture", picture)
    return found


def letters(figure):
    """The texts of a figure, all of which must lie on its sheet."""
    (axes,) = figure.axes
    sheet, renderer = figure.bbox, FigureCanvasAgg(figure).get_renderer()
    for text in axes.texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= sheet.x0 - 1 and box.x1 <= sheet.x1 + 1, text.get_text()
        assert box.y0 >= sheet.y0 and box.y1 <= sheet.y1, text.get_text()
        assert text.get_fontsize() >= posters.SMALL - 1
    return Counter(text.get_text() for text in axes.texts)


def colour_at(figure, text):
    """The ground of the cell in which a text stands, and whether that is hatched."""
    (axes,) = figure.axes
    (own,) = (t for t in axes.texts if t.get_text() == text)
    x, y = own.get_position()
    cells = [p for p in axes.patches if p.get_bbox().contains(x, y)]
    return cells[0].get_facecolor()[:3], any(p.get_hatch() for p in cells)


def shown(picture):
    page = read(picture)
    (attributes,) = page.attributes("img")
    assert attributes["alt"] == picture.alt and picture.caption in page.text
    assert "nan" not in picture.alt + picture.caption and len(picture.alt) > 60
    return picture


# --- drift beside gains -------------------------------------------------------------------------


def test_gains_are_over_the_best_other_row_of_the_main_table(table):
    gains = posters.claimed_gains(table, ENTRIES).set_index(["paper", "metric"])
    assert list(gains.index) == [
        ("one", "mae"),
        ("one", "f1_non0"),
        ("two", "mae"),
        ("two", "f1_non0"),
    ]
    assert gains["gain"].to_list() == [0.05, 6.0, -0.05, 0.0]
    assert gains["over"].to_list() == ["MulT", "MulT", "Again", "MulT"]
    assert set(gains["exhibit"]) == {"table1"}
    for (paper, metric), row in gains.iterrows():
        ours, theirs = (table.loc[cell] for cell in row["cells"])
        assert {ours["paper"], theirs["paper"]} == {paper} and ours["metric"] == metric
        assert (ours["value"], theirs["value"]) == (row["value"], row["best"])
        assert ours["system"] == ENTRIES[paper].own[0] != theirs["system"]
        assert row["half"] == ours["half"] + theirs["half"]


def test_the_typical_gain_is_of_those_that_are_ahead(table):
    gains = posters.claimed_gains(table, ENTRIES)
    assert posters.typical_gains(gains) == {("mosi", "mae"): 0.05, ("mosi", "f1_non0"): 6.0}
    assert posters.typical_gains(gains[gains["gain"] <= 0]) == {}


def test_each_metric_has_its_own_scale(table, figures):
    picture = shown(posters.drift_map(table, ENTRIES))
    (figure,) = figures
    texts = letters(figure)
    assert texts["0.100 (2)"] and texts[f"▲ 2.0{TIMES}"]  # MAE: 0.1 in gains of 0.05
    assert texts["3.0 (2)"] and texts[f"0.5{TIMES}"]  # F1: 3 in gains of 6
    assert texts["= (2)"] == 1  # TFN: 0.950 and 0.95
    assert colour_at(figure, "0.100 (2)") == (pytest.approx(to_rgb("#E69F00")), False)
    assert colour_at(figure, "3.0 (2)") == (pytest.approx(to_rgb("#E9F4FB")), False)
    assert colour_at(figure, "+0.050")[0] == colour_at(figure, "+6.0")[0]  # both typical
    assert colour_at(figure, f"{MINUS}0.050") == ((1, 1, 1), True)
    assert colour_at(figure, "0.0") == ((1, 1, 1), True)
    for told in (picture.alt, picture.caption):
        assert "3 numbers of baselines" in told
        assert "1 agree, 0 differ by setting only, 2 drift" in told
        assert "Of the 2 that drift where a paper claims a gain, 1 do so" in told
        assert "4 comparisons" in told and "2 ahead, 1 of these by less" in told
    assert f"MAE: furthest MulT, 0.100 or 2.0{TIMES} the typical gain" in picture.alt
    assert f"claimed gains {MINUS}0.050 to +0.050" in picture.alt


def test_systems_are_sorted_by_typical_gains_not_by_numbers(table, tmp_path, figures):
    """TFN drifts by more points, MulT by more typical gains."""
    rows = ROWS + "one,table1,mosi,TFN,,f1_non0,70.0\ntwo,table1,mosi,TFN,,f1_non0,75.0\n"
    posters.drift_map(made(tmp_path, rows), ENTRIES)
    height = {t.get_text(): t.get_position()[1] for t in figures[0].axes[0].texts}
    assert height["MulT"] < height["TFN"]


def test_settings_are_hatched_and_no_gain_is_told(tmp_path, figures):
    rows = """
    one,table1,mosei,MulT,conv,mae,0.5
    one,table1,mosei,MulT,conv_bert,mae,0.6
    two,table1,mosei,MulT,,mae,0.5
    two,table1,mosei,TFN,,mae,0.5
    one,table1,mosei,TFN,,mae,0.7
    """
    picture = shown(posters.drift_map(made(tmp_path, rows), ENTRIES))
    assert letters(figures[0])["no gain"] == 1
    assert colour_at(figures[0], "= (2)")[1] and not colour_at(figures[0], "0.200 (2)")[1]
    assert "0 agree, 1 differ by setting only, 1 drift. Of the 0 that drift" in picture.alt
    assert "0 comparisons" in picture.alt


def test_one_paper_alone_has_no_drift(table):
    one = table[table["paper"] == "one"]
    assert "no drift" in read(posters.drift_map(one, ENTRIES)).text
    assert isinstance(posters.drift_map(one, {}), Note)
    assert len(posters.claimed_gains(one, ENTRIES)) == 2
    assert posters.claimed_gains(table, {}).empty


def test_one_entry_alone_is_enough_to_draw(table):
    picture = shown(posters.drift_map(table, {"one": ENTRIES["one"]}))
    assert "2 comparisons" in picture.alt


def test_the_printed_numbers_of_the_project_fit_their_cells(figures):
    table, entries = printed.load_all(), {name: papers.load(name) for name in papers.known()}
    picture = shown(posters.drift_map(table, entries))
    texts = letters(figures[0])
    assert all(
        texts[entry.name] or any(entry.name in t for t in texts) for entry in entries.values()
    )
    gains = posters.claimed_gains(table, entries)
    shared = gains[gains["corpus"].isin(["mosi", "mosei"])]
    assert f"{len(shared)} comparisons" in picture.caption
    assert f"{(shared['gain'] > 0).sum()} ahead" in picture.caption
    assert not gains.duplicated(["paper", "corpus", "alignment", "metric"]).any()


def test_colours_darken_step_by_step_also_in_grey():
    grey = [float(np.dot(to_rgb(c), (0.299, 0.587, 0.114))) for _, c in posters.STEPS]
    assert grey == sorted(grey, reverse=True) and min(-np.diff(grey)) > 0.08
    assert [bound for bound, _ in posters.STEPS] == sorted(bound for bound, _ in posters.STEPS)


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.12249, "mae", "+0.122"),
        (-0.0496, "corr", f"{MINUS}0.050"),
        (3.0000000000000004, "f1_non0", "+3.0"),
        (-1.01, "acc7", f"{MINUS}1.01"),
        (0.0, "acc7", "0.0"),
        (1.2, "wa", "+1.2"),
    ],
)
def test_numbers_have_the_decimals_of_their_metric(value, metric, text):
    assert posters._signed(value, metric) == text


# --- what a pass is worth -----------------------------------------------------------------------


def test_the_worth_of_a_pass_is_told_in_numbers(figures):
    picture = shown(posters.granularity_map(["mustard", "mosei"]))
    texts = letters(figures[0])
    sizes = {c: testparts.parts(c)[0].clips for c in ("mustard", "mosei")}
    assert texts[f"MOSEI\n{sizes['mosei']:,} clips"] == 1
    small = posters.passing(sizes["mustard"], 2, 1)
    assert small < 0.02 and texts[f"{small:.1%}"] and f"{small:.1%} for 1" in picture.alt
    assert posters.passing(sizes["mosei"], 1, 1) == 1
    cells = [
        posters.passing(n, d, r) for n in sizes.values() for d in (1, 2) for r in (1, 3, 5, 10)
    ]
    counted = f"In {sum(c > 0.995 for c in cells)} of {len(cells)} cells all values pass"
    assert counted in picture.alt and counted in picture.caption
    assert f"in {sum(c <= 0.05 for c in cells)} at most one value in twenty" in picture.caption


def test_a_pass_is_worth_less_with_more_clips_runs_and_fewer_decimals():
    worth = np.array(
        [[[posters.passing(n, d, r) for r in (1, 3, 10)] for d in (2, 1)] for n in (68, 457, 994)]
    )
    assert all((np.diff(worth, axis=axis) >= 0).all() for axis in range(3))
    step, printed_step = 100 / 68, 0.01
    assert worth[0, 0, 0] == pytest.approx(printed_step / step, rel=0.05)


def test_every_test_part_of_the_map_is_known(figures):
    shown(posters.granularity_map())
    assert len(letters(figures[0])) > len(posters.TESTED)


# --- the whole study ----------------------------------------------------------------------------


def verdict(claim, setting, word):
    kind = claims.kind("uegd", setting)
    return Verdict(claim, kind, setting, Evidence(word, {}, ""), [])


def evidences(paper, *, prints=("supported",), parity="not run", rerun=(), control=()):
    """All claims of a paper; ``prints`` in turn, the verdicts of settings for each claim."""
    return [
        Evidences(
            paper,
            claim,
            statements.Printed(prints[i % len(prints)], [], ""),
            Told(parity, ""),
            [verdict(claim, s, w) for s, w in zip(SETTINGS, rerun, strict=False)],
            [verdict(claim, s, w) for s, w in zip(SETTINGS, control, strict=False)],
        )
        for i, claim in enumerate(claims.registry(paper))
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
    (first, *_) = evidences("uegd", rerun=words, parity="supported")
    assert posters.told(first) == {
        "printed": ["supported"],
        "parity": ["supported"],
        "re-run": expected,
        "control": ["not run"],
    }


def test_the_poster_counts_claims_and_findings(figures):
    prints = ("supported", "contradicted", "not run", "supported")
    study = {
        "uegd": evidences("uegd", parity="supported", rerun=["not run", "inconclusive"]),
        "sugrm": evidences("sugrm", prints=prints),
    }
    findings = [Finding("bounds", "impossible", "uegd", "", (0,))] * 2
    findings += [Finding("drift", "notable", "sugrm", "", (0,)), findings[0]._replace(paper="cmt")]
    picture = shown(posters.poster(study, findings))
    said = Counter(e.printed.verdict for own in study.values() for e in claims.of_paper(own))
    title = (
        f"{said.total()} claims of two papers: their printed tables support {said['supported']}, "
        f"contradict {said['contradicted']}, leave 0 open and cannot tell on {said['not run']}."
    )
    assert picture.caption.startswith(title) and title in picture.alt
    texts = letters(figures[0])
    assert title.replace(" ", "") in "".join(texts).replace(" ", "")
    assert "UEGD, 17 claims: printed 17 supported; parity 17 supported; re-run 17 inconclusive" in (
        picture.alt
    )
    assert "And 1 of ours: printed 1 supported; parity 1 supported; re-run 1 inconclusive" in (
        picture.alt
    )
    assert "3 of ours (X1 is ours), not counted" in picture.caption
    assert "findings 2 impossible, 0 inconsistent, 0 unlikely, 0 notable" in picture.alt
    assert texts["2 impossible"] == 1 and texts["1 notable"] == 1
    assert picture.alt.index("UEGD,") < picture.alt.index("SUGRM,")  # as given
    own = Counter(e.printed.verdict for e in claims.of_paper(study["sugrm"]))
    assert all(texts[f"{own[word]} {word}"] for word in SYMBOLS)
    assert texts[posters.PARITY["supported"]] == 1 and texts[posters.PARITY["not run"]] == 1
    assert texts["X1"] == 2 and texts["3a"] == 1
    assert any(text.endswith("17 claims and 1 of ours") for text in texts)


def test_claims_of_ours_stand_apart(figures):
    """The last column, further away than columns are from each other."""
    posters.poster({"uegd": evidences("uegd")}, [])
    x = {t.get_text(): t.get_position()[0] for t in figures[0].axes[0].texts}
    side = x["17"] - x["16"]
    assert x["X1"] - x["17"] == pytest.approx(side + posters._GAP)
    assert any("X1, set apart, is ours" in text for text in x)


def test_every_verdict_has_its_mark_and_mixed_cells_have_several(figures):
    study = {"uegd": evidences("uegd", rerun=["supported", "contradicted", "not run"])}
    picture = shown(posters.poster(study, []))
    texts, number = letters(figures[0]), len(study["uegd"])
    apart = 2  # in the legend, and beside the sums
    assert texts["✗"] == number + apart  # half of a re-run cell
    assert texts["✓"] == 2 * number + apart  # printed, and the other half
    assert texts["○"] == number + 1 + apart  # control, and one for parity
    assert f"{number - 1} supported and contradicted" in picture.alt
    assert f"({number} cells)" in picture.caption


def test_one_paper_makes_a_poster_also_without_claims(figures):
    for own in (evidences("glomo"), []):
        picture = shown(posters.poster({"glomo": own}, []))
        assert picture.caption.startswith(f"{len(own)} claims of one paper: its printed tables")
        assert "of ours" not in picture.caption + picture.alt
        letters(figures.pop())


def test_all_papers_fit_the_poster(figures):
    words = ("supported", "contradicted", "inconclusive")
    study = {p: evidences(p, prints=words, rerun=words, control=words) for p in papers.known()}
    shown(posters.poster(study, []))
    texts = letters(figures[0])
    assert all(texts[papers.load(paper).name] == 1 for paper in study)
    assert all(texts[f"0 {severity}"] == len(study) for severity in SEVERITIES)


def test_findings_are_those_of_all_checks_unless_given(monkeypatch):
    monkeypatch.setattr(
        posters.checks, "run", lambda table: [Finding("x", "unlikely", "cmt", "", (0,))]
    )
    assert "1 unlikely" in posters.poster({"cmt": evidences("cmt")}).alt


def test_looks_cover_all_verdicts_and_marks_have_contrast():
    assert set(posters.LOOKS) == set(SYMBOLS) == set(posters.PARITY) == set(Word.__args__)

    def light(colour):
        c = np.array(to_rgb(colour))
        return np.dot(
            np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4),
            (0.2126, 0.7152, 0.0722),
        )

    for ground, mark in posters.LOOKS.values():
        assert (light(ground) + 0.05) / (light(mark) + 0.05) >= 4.5
        assert rgb_to_hsv(to_rgb(ground))[2] > 0.9
