"""What an audit says: findings, each with its arithmetic and what to do about it."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning", "note", "ok"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note", "ok")
"""The most severe first. An error makes numbers wrong, a warning may; a note is to be known."""

Group = Literal["identity", "integrity", "independence", "leakage"]
GROUPS: tuple[Group, ...] = ("identity", "integrity", "independence", "leakage")


class AuditFinding(BaseModel):
    """The result of one check of one thing. ``about`` is a modality, a split, a file or "labels".

    ``remedy`` says what to do; it is empty where there is nothing to do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity
    group: Group
    check: str
    about: str
    message: str
    remedy: str = ""


def of_integrity(
    severity: Severity, check: str, about: str, message: str, remedy: str = ""
) -> AuditFinding:
    """Return a finding of the group integrity."""
    return AuditFinding(
        severity=severity,
        group="integrity",
        check=check,
        about=about,
        message=message,
        remedy=remedy,
    )


def by_severity(findings: Iterable[AuditFinding]) -> list[AuditFinding]:
    """Sort findings: the most severe first, otherwise in the order in which they were made."""
    return sorted(findings, key=lambda f: SEVERITIES.index(f.severity))


def some(names: Iterable[str], most: int = 3) -> str:
    """Name the first few, and how many more there are."""
    names = list(map(str, names))
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def share(count: int, of: int) -> str:
    """Write a share: ``12 of 40 (30%)``."""
    return f"{count} of {of} ({count / of:.1%})" if of else f"{count} of 0"
