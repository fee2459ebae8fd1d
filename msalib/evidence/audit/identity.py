"""Is it the data that its name says? Hashes of the files, counts against those of the papers."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from msalib.base.files import read_yaml
from msalib.data import describe
from msalib.data.corpus import PARTS, Corpus
from msalib.data.readers.published import PUBLISHED
from msalib.evidence.audit.findings import AuditFinding


class Edition(BaseModel):
    """One way in which a data set circulates. ``clips``: parts, or the total, -> clips.

    ``videos``: parts -> videos, as the lists of folds have them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: list[str]
    edition: str
    clips: dict[str, int]
    videos: dict[str, int] = {}
    source: str


@lru_cache(maxsize=1)
def editions() -> tuple[Edition, ...]:
    """Return the known editions, from ``editions.yaml``."""
    path = Path(__file__).parent / "editions.yaml"
    return tuple(read_yaml(path, list[Edition], expected="a list of editions"))


def check(corpus: Corpus, names: str, files: Mapping[str, str] | None) -> list[AuditFinding]:
    """Check the source files and the numbers of clips.

    ``names`` is the name and title of the data set. ``files`` maps source files to their SHA-256
    (None: simulated).
    """
    return [
        *_files(files),
        *_counts(corpus, names.lower(), files is None),
        *_dropped(corpus),
    ]


def _finding(check: str, about: str, severity, message: str, remedy: str = "") -> AuditFinding:
    return AuditFinding(
        severity=severity,
        group="identity",
        check=check,
        about=about,
        message=message,
        remedy=remedy,
    )


def _files(files) -> list[AuditFinding]:
    def finding(severity, about, message, remedy=""):
        return _finding("SHA-256", about, severity, message, remedy)

    if files is None:
        return [finding("ok", "files", "Simulated from a seed; there are no files to compare.")]
    findings = []
    for name, digest in files.items():
        if digest in PUBLISHED:
            what = PUBLISHED[digest]
            findings.append(finding("ok", name, f"{digest[:12]}: the published {what}."))
            continue
        file = Path(name).name
        same = {what: d for d, what in PUBLISHED.items() if file and file in what.split()}
        if same:
            published = "; ".join(f"{what} {d[:12]}" for what, d in same.items())
            findings.append(
                finding(
                    "warning",
                    name,
                    f"{digest[:12]}, but published under this file name: {published}. The copy is "
                    "damaged, changed, or of another data set.",
                    "Get the file again and compare its SHA-256, or say in your report which copy "
                    "it is.",
                )
            )
        else:
            message = f"{digest[:12]}: none is published for this file."
            findings.append(finding("note", name, message, "Quote this SHA-256 with your results."))
    return findings


def _counts(corpus: Corpus, names: str, simulated: bool) -> Iterator[AuditFinding]:
    split = describe.usual_split(corpus)
    parts = corpus.splits[split]
    ours = {part: int((parts == part).sum()) for part in PARTS}
    # The parts of dropped clips are those of the first split.
    first = next(iter(corpus.splits)) == split
    lost = {part: sum(p == part for p in corpus.dropped_part.values()) for part in PARTS}
    whole = {part: ours[part] + lost[part] for part in PARTS} if first else ours

    if simulated:
        yield _finding("clips", split, "ok", f"{_counted(ours)} clips, simulated.")
        return
    candidates = [e for e in editions() if any(name in names for name in e.names)]
    exact = [e for e in editions() if _fits(e, ours)]
    kept = [e for e in editions() if _fits(e, whole) and e not in exact]
    phrases = [f"{_counted(ours)} clips with a label: {_cited(exact)}"] if exact else []
    if kept:
        adding = " / ".join(f"{ours[p]} + {lost[p]}" for p in PARTS)
        phrases.append(f"{adding} clips with the dropped ones = {_counted(whole)}: {_cited(kept)}")
    if phrases:
        yield _finding("clips", split, "ok", ". ".join(phrases) + ".")
    elif not candidates:
        yield _finding(
            "clips",
            split,
            "note",
            f"{_counted(ours)} clips: no edition with these counts is known.",
        )
    else:
        nearest = min(candidates, key=lambda e: _distance(e, ours))
        yield _finding(
            "clips",
            split,
            "warning",
            f"{_counted(ours)} clips fit no known edition; the nearest is {_cited([nearest])}: "
            f"{_gaps(nearest.clips, ours)}.",
            "Numbers on other clips are not comparable to the printed ones: name the edition.",
        )
    lists = next((e for e in [*exact, *kept, *candidates] if e.videos), None)
    if lists:
        videos = {p: corpus.utterances["video"][parts == p].nunique() for p in PARTS}
        yield _videos(split, videos, lists.videos)


def _videos(split: str, videos: Mapping[str, int], listed: Mapping[str, int]) -> AuditFinding:
    """Compare the videos of each part with those that the lists of folds have."""
    if all(videos[part] == count for part, count in listed.items()):
        return _finding(
            "videos", split, "ok", f"{_counted(videos)} videos, as in the lists of folds."
        )
    message = f"{_counted(videos)} videos; the lists of folds: {_gaps(listed, videos)}."
    remedy = "Videos without a clip are no fault; say how many there are."
    return _finding("videos", split, "note", message, remedy)


def _gaps(theirs: Mapping[str, int], ours: Mapping[str, int]) -> str:
    return ", ".join(
        f"{part} {_of(part, ours)} against {count} ({_of(part, ours) - count:+d})"
        for part, count in theirs.items()
    )


def _of(part: str, counts: Mapping[str, int]) -> int:
    return sum(counts.values()) if part == "total" else counts[part]


def _fits(edition: Edition, counts: Mapping[str, int]) -> bool:
    return all(_of(part, counts) == count for part, count in edition.clips.items())


def _distance(edition: Edition, counts: Mapping[str, int]) -> float:
    """Return the mean relative gap over the parts that the edition counts."""
    gaps = [abs(_of(part, counts) - count) / count for part, count in edition.clips.items()]
    return sum(gaps) / len(gaps)


def _counted(counts: Mapping[str, int]) -> str:
    return "/".join(str(counts[part]) for part in PARTS)


def _cited(matching: list[Edition]) -> str:
    def counts(edition):
        numbers = "/".join(map(str, edition.clips.values()))
        return numbers if set(edition.clips) == set(PARTS) else _parts(edition.clips)

    return "; ".join(f"{e.edition} ({counts(e)}; {e.source})" for e in matching)


def _parts(clips: Mapping[str, int]) -> str:
    return ", ".join(f"{part} {count}" for part, count in clips.items())


def _dropped(corpus: Corpus) -> list[AuditFinding]:
    if not corpus.dropped:
        return []
    reasons = {}
    for clip, why in corpus.dropped.items():
        reasons.setdefault(why, []).append(clip)
    total = len(corpus) + len(corpus.dropped)
    text = "; ".join(f"{len(clips)} for {why}" for why, clips in reasons.items())
    return [
        AuditFinding(
            severity="note",
            group="identity",
            check="dropped clips",
            about="clips",
            message=f"{len(corpus.dropped)} of {total} clips of the source are left out: {text}.",
            remedy="Name them wherever you name the number of clips.",
        )
    ]
