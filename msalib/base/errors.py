"""The one error that a user is meant to read, and the one refusal of a name that there is not."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

MANY = 60
"""Names that a message lists at most."""

LONGEST = 100
"""Characters of a name that a message repeats; no longer one is taken for a slip."""

LONG, ONE_SLIP, ALIKE = 8, 0.88, 0.7
"""Letters of a long name, and similarities (``difflib``, 0 to 1): of that with one slip, of any.

At less, "gpu" would be taken for "cpu".
"""


class UserError(Exception):
    """Bad input, in one message: where, what was found, what was expected, and a remedy.

    The command line prints the message and exits with status 2; nothing has been written when it
    is raised. Programming mistakes stay ordinary exceptions.
    """

    def __init__(self, where: str, *, found: str, expected: str, remedy: str):
        self.where = str(where)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{where}: found {found}; expected {expected}. {remedy}")


# --- names --------------------------------------------------------------------------------------


def unknown(
    kind: str,
    name: object,
    known: Iterable[object],
    *,
    remedy: str,
    of: str = "",
    found: str = "",
    also: str = "",
) -> UserError:
    """Return the refusal of a name that is none of ``known``: it lists them and asks for slips.

    ``kind`` says what is named, ``of`` in what, ``found`` what there is not (usually "no such" and
    the kind), ``also`` what else would do.
    """
    known = list(map(str, known))
    asked = did_you_mean(str(name), known)
    return UserError(
        f"{kind} {_shown(name)}" + (f" of {of}" if of else ""),
        found=found or f"no such {kind}",
        expected=f"one of {listed(known)}{also}" if known else "none",
        remedy=f"{asked} {remedy}".strip(),
    )


def listed(names: Iterable[str]) -> str:
    """Return names as a list for a message, cut where there are many."""
    names = list(names)
    more = len(names) - MANY
    return ", ".join(names[:MANY]) + (f" and {more} more" if more > 0 else "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the question which of ``known`` was meant, empty where none is like ``name``."""
    *before, last = near(name, known) or [""]
    if not last:
        return ""
    return f"Did you mean {', '.join(before)} or {last}?" if before else f"Did you mean {last}?"


def misnamed(lacking: Iterable[str], present: Iterable[str]) -> str:
    """Return the question which columns that a table has stand for lacking ones, empty if none."""
    present = list(present)
    pairs = [(other, name) for name in lacking for other in near(name, present)[:1]]
    return " ".join(f"Is {_shown(other)} the column {name}? Rename it." for other, name in pairs)


def near(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of ``known`` that ``name`` may be a slip of, the most alike first.

    First those of the same words (case, order and the signs between them do not count), then those
    of the same letters, those of nearly one spelling, those that have all its words and more, those
    that have some of its words and no others, and last those of similar spelling.
    """
    if len(name) > LONGEST or not (asked := _words(name)):
        return []
    words, letters = {one: _words(one) for one in known}, sorted("".join(asked))
    spelled = {" ".join(own): one for one, own in words.items()}

    def alike(cutoff: float) -> list[str]:
        return [spelled[s] for s in get_close_matches(" ".join(asked), spelled, 3, cutoff)]

    attempts = (
        lambda: [one for one, own in words.items() if sorted(own) == sorted(asked)],
        lambda: [one for one, own in words.items() if sorted("".join(own)) == letters],
        lambda: alike(ONE_SLIP) if len(letters) >= LONG else [],
        lambda: [one for one, own in words.items() if set(own) > set(asked)],
        lambda: [one for one, own in words.items() if own and set(own) < set(asked)],
        lambda: alike(ALIKE),
    )
    found = next(filter(None, (attempt() for attempt in attempts)), [])
    return found if len(found) <= 3 else []


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def _shown(name: object) -> str:
    text = repr(name)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
