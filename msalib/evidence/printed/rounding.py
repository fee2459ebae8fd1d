"""What can rounded numbers decide? Comparisons that may be ties.

Printed numbers are rounded: each may be off by half a unit in its last place. A comparison is True,
False, or None where what rounding hides (``unsure``) decides it.
"""

from msalib.evidence.printed.cells import Cell
from msalib.evidence.printed.units import same, sign


def positive(difference: float, unsure: float) -> bool | None:
    """Check whether a difference is above 0; None where rounding may hide its sign."""
    if abs(difference) < unsure and not same(abs(difference), unsure):
        return None
    return bool(difference > 0)


def at_least(value: float, bound: float, unsure: float) -> bool | None:
    """Check whether a number as printed reaches a bound; None where it may have, unrounded."""
    if value > bound or same(value, bound):
        return True
    short = bound - value
    return None if short < unsure and not same(short, unsure) else False


def within(value: float, low: float, high: float, unsure: float) -> bool | None:
    """Check whether a number lies from ``low`` to ``high``."""
    reached, kept = at_least(value, low, unsure), at_least(-value, -high, unsure)
    if reached is False or kept is False:
        return False
    return None if reached is None or kept is None else True


def half(cell: Cell) -> float:
    """Return half a unit in the last printed place; counts are not rounded."""
    return 0.0 if cell["unit"] == "count" else cell["half"]


def gain(first: Cell, second: Cell) -> tuple[float, float]:
    """Return how much better the first is, and how much rounding may hide of it."""
    difference = sign(first["metric"]) * (first["value"] - second["value"])
    return round(difference, 10), round(half(first) + half(second), 10)


def share(part: Cell, whole: Cell) -> tuple[float, float]:
    """Return a number over another, and how much rounding may hide of that."""
    ratio = part["value"] / whole["value"]
    unsure = (half(part) + abs(ratio) * half(whole)) / abs(whole["value"])
    return ratio, unsure
