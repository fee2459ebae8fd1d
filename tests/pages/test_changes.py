"""What readers see of changes of verdicts."""

from msalib.evidence.changes import Change, Snapshot
from msalib.pages import changes
from msalib.pages.tables import Note
from tests.html import read
from tests.small import ENTRIES, read_cell

AT = Snapshot(version="1.1", commit="0123abc", date="2026-11-30", claims={})
MOSI = "mosi-standardised/minilm/release/full"
HISTORY = [
    (
        AT,
        [
            Change("changed", "one", "C1", "printed", "supported", "contradicted"),
            Change("changed", "one", "C1", MOSI, "inconclusive", "supported"),
            Change("new", "one", "C2", MOSI, "", "supported"),
            Change("gone", "one", "C3", MOSI, "supported", ""),
            Change("reworded", "one", "C4", "", "Old <b>.", "New."),
        ],
    )
]


def test_a_changed_verdict_is_shown_before_and_after():
    frame = changes.verdicts(HISTORY, ENTRIES).frame
    assert list(frame["setting"]) == [
        "in print",
        "CMU-MOSI, transcripts and voice vectors, MiniLM",
    ]
    assert read_cell(frame["before"][0]).text == "✓ supported"
    assert read_cell(frame["after"][0]).text == "✗ contradicted"
    assert read_cell(frame["claim"][0]).attributes("a")[0]["href"] == "paper-one.html#C1"
    assert list(frame["version"]) == ["1.1 (2026-11-30)"] * 2


def test_verdicts_that_come_and_go_are_counted_by_setting():
    frame = changes.settings(HISTORY, ENTRIES).frame
    assert frame[["verdicts added", "verdicts withdrawn"]].values.tolist() == [[1, 1]]


def test_reworded_claims_show_both_sentences():
    text = read(changes.claims(HISTORY)).text
    assert "Old <b>." in text and "New." in text and "reworded" in text


def test_the_answer_counts_what_changed():
    answer = changes.totals(HISTORY)["answer"]
    assert answer.startswith("In version 1.1 (2026-11-30) 2 verdicts changed, 1 came")
    assert "1 were withdrawn" in answer


def test_without_changes_there_is_a_note():
    history = [(AT, [])]
    shown = [changes.verdicts(history, ENTRIES), changes.claims(history)]
    assert all(isinstance(one, Note) for one in [*shown, changes.settings(history, ENTRIES)])
