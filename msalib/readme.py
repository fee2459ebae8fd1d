"""The results in the README: written from records, and checked against them by a test."""

from msalib import claims, records, tables
from msalib.paths import ROOT

OPENING, CLOSING = "<!-- results:", "<!-- /results -->"


def results() -> str:
    """UEGD on the transcripts of MOSI, as Markdown: the start of Table 3, then the verdicts."""
    found = records.find("uegd", records.Setting("mosi", "minilm", "release", "paper"))
    shown = tables.single_modality(found, "linguistic", setting="").frame.iloc[:, 1:5]
    verdicts = [
        (
            f"{v.claim.id}: {v.claim.statement}",
            v.evidence.verdict,
            "; ".join(tables.effect_text(n, e) for n, e in v.evidence.effects.items()),
            v.evidence.note,
        )
        for v in claims.judge(claims.registry("uegd"), found)
    ]
    heads = ("claim", "verdict", "effect [95% interval]", "of what")
    seeds = f"{len(claims.Runs(found).seeds)} seeds.\n\n"
    return (
        seeds + _table(shown.columns, shown.astype(str).values) + "\n\n" + _table(heads, verdicts)
    )


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
