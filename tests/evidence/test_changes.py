"""What changed between two versions, and how verdicts of a version are recorded."""

import pytest

from msalib.base import paths, provenance
from msalib.base.errors import UserError
from msalib.evidence import changes
from msalib.evidence.changes import Change, Judged, Snapshot
from tests.small import PRINTED, evidences


def snapshot(version: str, day: int = 20, **claims: Judged) -> Snapshot:
    return Snapshot(version=version, commit="0123abc", date=f"2026-11-{day}", claims=claims)


def judged(statement: str = "It is better.", **verdicts: str) -> Judged:
    named = {name.replace("_", "/"): word for name, word in verdicts.items()}
    return Judged(paper="one", statement=statement, cells=(1, 1, 1), verdicts=named)


def test_equal_versions_have_no_changes():
    one = snapshot("1", C1=judged(printed="supported"))
    assert list(changes.differences(one, one)) == []


def test_every_kind_of_change_is_found():
    earlier = snapshot(
        "1",
        C1=judged(printed="supported", a_b="supported", c_d="inconclusive"),
        C2=judged(printed="supported"),
        C3=judged(printed="not run"),
    )
    later = snapshot(
        "2",
        C1=judged("It is best.", printed="contradicted", a_b="supported", e_f="not run"),
        C3=judged(printed="not run"),
        C4=judged(printed="inconclusive"),
    )
    assert list(changes.differences(earlier, later)) == [
        Change("reworded", "one", "C1", "", "It is better.", "It is best."),
        Change("changed", "one", "C1", "printed", "supported", "contradicted"),
        Change("new", "one", "C1", "e/f", "", "not run"),
        Change("gone", "one", "C1", "c/d", "inconclusive", ""),
        Change("new", "one", "C4", "", "", "It is better."),
        Change("gone", "one", "C2", "", "It is better.", ""),
    ]


def test_history_begins_with_the_newest_version():
    every = [snapshot("1"), snapshot("2", 21, C1=judged()), snapshot("3", 22)]
    newest, before = changes.history(every)
    assert newest[0].version == "3" and [c.kind for c in newest[1]] == ["gone"]
    assert before[0].version == "2" and [c.kind for c in before[1]] == ["new"]
    assert list(changes.history(every[:1])) == []


def test_settings_that_were_not_run_are_not_kept():
    kept = changes.judged(evidences(PRINTED, "supported", "not run"))
    assert kept.verdicts == {"printed": "contradicted", "mosi/net0/release/full": "supported"}
    assert kept.cells == (1, 1, 1) and kept.paper == "one"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A study of one claim whose verdict a test sets."""
    monkeypatch.setattr(paths, "BOOK", tmp_path)
    monkeypatch.setattr(changes, "version", lambda: "1.0")
    monkeypatch.setattr(provenance, "commit_and_day", lambda: ("0123abc", "2026-11-30"))

    def study(word: str) -> None:
        monkeypatch.setattr(changes, "today", lambda: {"C1": judged(printed=word)})

    return study


def test_verdicts_are_recorded_once_under_a_version(here):
    here("supported")
    assert changes.write() == changes.write() == changes.latest()
    assert [one.version for one in changes.snapshots()] == ["1.0"]
    here("contradicted")
    with pytest.raises(UserError) as error:
        changes.write()
    assert "CITATION.cff" in str(error.value)
    assert changes.latest().claims["C1"].verdicts == {"printed": "supported"}


def test_a_version_without_a_record_is_named(here):
    with pytest.raises(UserError):
        changes.latest()
