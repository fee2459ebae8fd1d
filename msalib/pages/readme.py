"""The results in the README: written from records, and checked against them by a test.

First come the short answers, then every paper's verdicts, folded. A paper names the verdict of its
short answer as ``LEAD``. Its ``tables`` may offer ``headline()``: a sentence and the data frame of
its main table. The drawing beside them is of ``readme_picture``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msalib import papers
from msalib.base import files, paths
from msalib.base.paths import ROOT
from msalib.evidence import registry
from msalib.evidence.verdicts import ClaimEvidence, Verdict, made_by_paper, weigh
from msalib.pages import answer, ledger, overview, readme_picture
from msalib.pages.ledger import SYMBOLS
from msalib.pages.markdown import plain
from msalib.runs import names
from msalib.runs.records import Setting

PICTURE = paths.BOOK / "verdicts.svg"

Weighed = Mapping[str, Sequence[ClaimEvidence]]


def results(weighed: Weighed) -> dict[str, str]:
    """Return the parts of the README that are written, in Markdown: answers and verdicts."""
    return {"answers": _answers(weighed), "verdicts": _all_verdicts(weighed)}


# --- short answers ------------------------------------------------------------------------------


def _answers(weighed: Weighed) -> str:
    """Return the answer in sum, the drawing, and the answer of every paper."""
    place = PICTURE.relative_to(ROOT).as_posix()
    picture = f"![All verdicts in one drawing, which the sentence above sums up.]({place})"
    items = [_answer(paper, evidences) for paper, evidences in weighed.items()]
    whole = plain(overview.answer(weighed))
    return "\n\n".join([whole, picture, "\n".join(filter(None, items))])


def _answer(paper: str, evidences: Sequence[ClaimEvidence]) -> str:
    """Return the question of a paper, as its chapter asks it, with the answer; or nothing."""
    lead = papers.fact(paper, "LEAD", {})
    verdicts = [v for e in evidences if e.claim.id == lead.get("claim") for v in e.runs]
    if not (led := [v for v in verdicts if v.setting == Setting(*lead["setting"])]):
        return ""
    words = {lead["claim"]: lead["compares"]} if lead["compares"] else {}
    said = answer.page(led, {lead["claim"]: lead["effect"]}, compares=words)
    name, _, question = _title(paper).partition(": ")
    return f"- **{plain(name)}: {plain(question)}** {plain(said)}"


def _title(paper: str) -> str:
    """Return the title of a paper's chapter: its name and its question."""
    chapter = paths.BOOK / paper / "index.md"
    return chapter.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")


# --- verdicts -----------------------------------------------------------------------------------


def _all_verdicts(weighed: Weighed) -> str:
    """Return for every paper a folded part with its main table and its verdicts."""
    parts = []
    for paper, evidences in weighed.items():
        tables, inside = papers.part(paper, "tables"), []
        if tables is not None and hasattr(tables, "headline"):
            sentence, frame = tables.headline()
            rows = [map(plain, row) for row in frame.astype(str).values]
            inside = [sentence, _table([*map(plain, frame.columns)], rows)]
        inside += _verdicts(paper, evidences)
        parts.append("\n\n".join([_summary(paper, evidences), *inside, "</details>"]))
    return "\n\n".join(parts)


def _summary(paper: str, evidences: Sequence[ClaimEvidence]) -> str:
    """Return the opening of a folded part: the paper, and what print says of its claims."""
    counts = Counter(e.printed.verdict for e in made_by_paper(evidences))
    sums = ", ".join(f"{counts[word]} {word}" for word in SYMBOLS)
    return (
        f"<details>\n<summary><b>{plain(registry.load(paper).name)}</b>, in print: {sums}</summary>"
    )


def _verdicts(paper: str, evidences: Sequence[ClaimEvidence]) -> list[str]:
    """Return a table with a row per claim, and sentences on rows and columns that it leaves out.

    Columns are print and the settings with real data. Claims without any verdict there, and
    settings without any, are named below the table.
    """
    by_claim = {e.claim.id: {v.setting: v for v in e.rerun} for e in evidences}
    settings = names.ordered(paper, dict.fromkeys(s for each in by_claim.values() for s in each))
    ran = {s for each in by_claim.values() for s, v in each.items() if _ran(v)}
    columns = [setting for setting in settings if setting in ran]
    decided = [
        e
        for e in evidences
        if e.printed.verdict != "not run" or any(map(_ran, by_claim[e.claim.id].values()))
    ]
    rows = [
        [
            plain(f"{e.claim.id}: {e.claim.statement}"),
            _printed(e),
            *(_cell(by_claim[e.claim.id].get(setting)) for setting in columns),
        ]
        for e in decided
    ]
    heads = ["claim", "in print", *(plain(names.full(setting)) for setting in columns)]
    left = [e.claim.id for e in evidences if e not in decided]
    empty = [plain(names.full(setting)) for setting in settings if setting not in ran]
    sentences = [
        f"Not run, neither in print nor on real data: {', '.join(left)}." if left else "",
        f"Settings in which no claim was run: {'; '.join(empty)}." if empty else "",
    ]
    return [_table(heads, rows), *filter(None, sentences)]


def _ran(verdict: Verdict) -> bool:
    return verdict.evidence.verdict != "not run"


def _printed(evidences: ClaimEvidence) -> str:
    """Return the verdict of print with the number of cells that hold."""
    printed = evidences.printed
    return "<br>".join(filter(None, [_word(printed.verdict), plain(printed.counts.text())]))


def _cell(verdict: Verdict | None) -> str:
    """Return a verdict with what it covers; a claim without a test has none."""
    if verdict is None or not _ran(verdict):
        return _word("not run")
    covered = plain(ledger.coverage_text(verdict.coverage))
    return "<br>".join(filter(None, [_word(verdict.evidence.verdict), covered]))


def _word(verdict: str) -> str:
    return f"{SYMBOLS[verdict]} {verdict}"


def _table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    lines.insert(1, "|" + " --- |" * len(heads))
    return "\n".join(lines)


# --- the file -----------------------------------------------------------------------------------


def written(text: str, parts: Mapping[str, str]) -> str:
    """Return a text with new parts, each between ``<!-- name: ... -->`` and ``<!-- /name -->``."""
    for name, part in parts.items():
        start = text.index("\n", text.index(f"<!-- {name}:")) + 1
        text = f"{text[:start]}\n{part}\n\n{text[text.index(f'<!-- /{name} -->') :]}"
    return text


if __name__ == "__main__":
    everything = {paper: weigh(paper) for paper in registry.known()}
    path = ROOT / "README.md"
    files.write_text(path, written(path.read_text(encoding="utf-8"), results(everything)))
    files.write_text(PICTURE, readme_picture.drawing(everything))
