"""A small made-up study: a table, its findings, entries and evidence; and how cells are read."""

from markupsafe import Markup

from msalib.evidence import registry
from msalib.evidence.amendments import WideAmendment
from msalib.evidence.common import Evidence
from msalib.evidence.printed.checks.finding import Finding
from msalib.evidence.printed.statements import Line
from msalib.evidence.printed.verdict import PrintedVerdict
from msalib.evidence.registry import Exhibit, Noted
from msalib.evidence.verdicts import ClaimEvidence, Verdict
from msalib.pages import tables
from msalib.runs.records import Setting
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


def entry(name: str, **more) -> registry.Paper:
    return cells.entry(["Net"], 5, [[BETTER]]).model_copy(update={"name": name} | more)


AMENDED = WideAmendment(
    date="2026-11-20",
    commit="0123abc",
    claims=["C1"],
    seen="no result",
    when="before any run",
    what="A wider margin.",
)
ENTRIES = {
    "one": entry("ONE", noted=NOTED, exhibits=EXHIBITS, amendments=[AMENDED]),
    "two": entry("<TWO>"),
}
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


def evidences(
    printed_: PrintedVerdict, *words: str, number: int = 1, ours: bool = False
) -> ClaimEvidence:
    about = {"id": f"C{number}", "ours": ours, "paper": "one"}
    claim = ENTRIES["one"].claims[0].model_copy(update=about)
    verdicts = [
        Verdict(
            claim,
            "substitute",
            Setting("mosi", f"net{i}", "release", "full"),
            Evidence(w, {}, "why"),
            [],
        )
        for i, w in enumerate(words)
    ]
    return ClaimEvidence("one", claim, printed_, verdicts, [])


PRINTED = PrintedVerdict(
    "contradicted",
    [
        Line("a > b", True, (0,)),
        Line("a = b", None, (0,)),
        Line("a < b", False, (0,)),
    ],
    "holds in 1 of 3 comparisons, 1 tied",
)
SILENT = PrintedVerdict("not run", [], "needs numbers: a figure only")


def read_cell(cell: str):
    return read(tables.Block(Markup("<div>{}</div>").format(cell)))


def values(html: str) -> list[str]:
    """Texts of the elements of class value, which filters count."""
    from bs4 import BeautifulSoup

    found = BeautifulSoup(html, "html.parser").find_all(class_="value")
    return [element.get_text() for element in found]
