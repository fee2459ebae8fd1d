"""How is a verdict of this study cited? A sentence and an entry of BibTeX for each claim.

CITATION.cff has title, authors, version and, once the book is hosted, its address (``url``). The
day is that of the recorded verdicts (``evidence.changes``), not of the build.
"""

from collections.abc import Iterable
from functools import cache

from markupsafe import Markup
from pydantic import BaseModel

from msalib.base.files import read_yaml
from msalib.base.paths import ROOT
from msalib.evidence.changes import Snapshot
from msalib.evidence.registry import Claim
from msalib.pages.exports import escaped
from msalib.pages.tables import Block


class Author(BaseModel):
    """An author of the study."""

    name: str


class Study(BaseModel):
    """What is cited of the study; ``url`` is the address of the book's folder, if it is hosted."""

    title: str
    authors: list[Author]
    version: str
    url: str = ""

    @property
    def by(self) -> str:
        """The authors, in one line."""
        return " and ".join(author.name for author in self.authors)

    def address(self, claim: Claim) -> str:
        """Return the address of a claim, relative to the book where that is not hosted."""
        base = f"{self.url.rstrip('/')}/" if self.url else ""
        return f"{base}executed/paper-{claim.paper}.html#{claim.id}"


@cache
def study() -> Study:
    """Return what CITATION.cff says."""
    return read_yaml(ROOT / "CITATION.cff", Study, expected="title, authors and version")


def text(claim: Claim, at: Snapshot) -> str:
    """Return a sentence that cites a claim with the version and day of its verdict."""
    cited = study()
    return (
        f"{cited.by}. {claim.id}: {claim.statement} In: {cited.title}, version {at.version}, "
        f"{at.date}. {cited.address(claim)}"
    )


def bibtex(claim: Claim, at: Snapshot) -> str:
    """Return an entry of BibTeX that cites a claim with the version and day of its verdict."""
    cited = study()
    fields = {
        "author": f"{{{escaped(cited.by)}}}",
        "title": escaped(f"{claim.id}: {claim.statement}"),
        "howpublished": escaped(cited.title),
        "year": f"{at.date:%Y}",
        "note": escaped(f"Version {at.version}, verdicts of {at.date} (commit {at.commit})"),
        "url": cited.address(claim),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{msa-rerun-{claim.id},", *lines, "}"])


def claims(cited: Iterable[Claim], at: Snapshot) -> Block:
    """Show how each claim is cited, with the version of its verdict; it opens on a click."""
    entry = Markup(
        '<details id="cite-{0}"><summary>{0}</summary><p>{1}</p><pre>{2}</pre></details>'
    )
    entries = (entry.format(c.id, text(c, at), bibtex(c, at)) for c in cited)
    return Block(Markup('<div class="msa-cite">{}</div>').format(Markup("").join(entries)))
