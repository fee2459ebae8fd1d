"""What readers see of amendments."""

from msalib.evidence import registry
from msalib.evidence.amendments import SEEN, Amended, Amendment
from msalib.pages import amendments
from tests.html import read
from tests.small import ENTRIES, read_cell, values


def amended(day: int, seen: str, *claims: str, **more) -> Amended:
    told = {"when": "before any run", "what": "a margin", "commit": "0123abc"} | more
    return Amended([*claims], Amendment(date=f"2026-11-{day}", seen=seen, **told))


MADE = {
    "one": [amended(22, "no result", "C1"), amended(23, "amended rule", "C1", "C2", "C3", "C4")],
    "two": [amended(21, "not recorded", "C9", when="not recorded")],
}


def test_amendments_of_all_papers_are_listed_by_day():
    frame = amendments.table(MADE, ENTRIES).frame
    assert list(frame["date"]) == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert [values(cell) for cell in frame["seen by then"]] == [
        ["not recorded"],
        ["no result"],
        ["amended rule"],
    ]
    assert read_cell(frame["seen by then"][0]).text == "not recorded"  # once
    assert "before any run" in read_cell(frame["seen by then"][1]).text
    links = read_cell(frame["claims"][2]).attributes("a")
    assert [link["href"] for link in links] == [f"paper-one.html#C{n}" for n in (1, 2, 3, 4)]
    assert "4 claims" in read_cell(frame["claims"][2]).text


def test_a_rule_has_its_amendments_and_no_others():
    text = read_cell(amendments.of_claim(MADE["one"], "C1")).text
    assert text.count("a margin (seen by then: before any run; commit 0123abc)") == 2
    assert text.startswith("2026-11-22") and "2026-11-23" in text
    assert amendments.of_claim(MADE["one"], "C2").count("<details>") == 1
    assert amendments.of_claim(MADE["one"], "C9") == ""


def test_amendments_are_counted_by_what_had_been_seen():
    frame = amendments.counted(MADE, ENTRIES).frame
    assert list(frame["all"]) == [2, 1] and list(frame["amended rule"]) == [1, 0]
    texts = amendments.totals(MADE)
    assert "in 3 amendments: 1 before any result" in texts.pop("answer")
    assert texts == {
        "amendments": "3",
        "claims": "5",
        "no_result": "1",
        "earlier_rule": "0",
        "amended_rule": "1",
        "not_recorded": "1",
    }


def test_every_amendment_of_the_project_is_shown():
    entries = {name: registry.load(name) for name in registry.known()}
    every = {name: registry.amendments(name) for name in entries}
    shown = amendments.table(every, entries)
    assert (
        len(shown.frame)
        == sum(map(len, every.values()))
        == int(amendments.totals(every)["amendments"])
    )
    assert set(SEEN) >= {value for cell in shown.frame["seen by then"] for value in values(cell)}
    read(shown)
