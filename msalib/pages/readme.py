"""The results in the README: written from records, and checked against them by a test."""

from msalib.base.paths import ROOT
from msalib.data import datasets as readers
from msalib.evidence import claims
from msalib.pages import ledger
from msalib.papers.uegd import layers
from msalib.papers.uegd import tables as exhibits
from msalib.runs import records
from msalib.runs.query import Runs

OPENING, CLOSING = "<!-- results:", "<!-- /results -->"


def results() -> str:
    """In Markdown: UEGD's Table 3 for the text of MOSI, and verdicts in every real setting."""
    runs = Runs(records.find("uegd", records.Setting("mosi", "minilm", "release", "paper")))
    table = exhibits.single_modality(runs, "linguistic", setting="").frame
    shown = table[~table["whose"].str.startswith("printed")].iloc[:, 1:5]
    seeds = f"{len(runs.seeds(*layers.block_systems(runs, 'linguistic')))} seeds."
    table = _table(shown.columns, shown.astype(str).values)
    return "\n\n".join([seeds, table, _verdicts("uegd"), _verdicts("sugrm")])


def _verdicts(paper: str) -> str:
    """One row per claim, one column per setting."""
    chosen = [claim for claim in claims.registry(paper) if claim.rerun.test is not None]
    settings = [
        setting
        for setting in claims.counted(paper)
        if claims.kind(paper, setting) in ("as-published", "substitute")
    ]
    columns = [claims.judge(chosen, records.find(paper, setting)) for setting in settings]
    heads = [f"{readers.dataset(s.dataset).title}, {s.encoder}" for s in settings]
    rows = [
        [f"{claim.id}: {claim.statement}", *(_word(v.evidence.verdict) for v in verdicts)]
        for claim, *verdicts in zip(chosen, *columns, strict=True)
    ]
    return _table(["claim", *heads], rows)


def _word(verdict: str) -> str:
    return f"{ledger.SYMBOLS[verdict]} {verdict}"


def _table(heads, rows) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    lines.insert(1, "|" + " --- |" * len(heads))
    return "\n".join(lines)


def written(text: str) -> str:
    """``text`` with its results replaced by those of the records."""
    start = text.index("\n", text.index(OPENING)) + 1
    return f"{text[:start]}\n{results()}\n\n{text[text.index(CLOSING) :]}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written(path.read_text()))
