"""Values that were used lately, up to a size: the others are made again when they are asked for."""

from collections import OrderedDict
from collections.abc import Hashable


class Lately:
    """Keep values by key; the one that was not used for longest goes first.

    ``size``: bytes of all values together, as ``keep`` is told.
    """

    def __init__(self, size: int):
        self.size, self.used = size, 0
        self._kept: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()

    def get(self, key: Hashable) -> object | None:
        """Return the value of a key, None where there is none."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def keep(self, key: Hashable, value: object, size: int) -> None:
        """Keep a value of this many bytes, unless it alone is too large."""
        if size > self.size or key in self._kept:
            return
        self._kept[key] = value, size
        self.used += size
        while self.used > self.size:
            _, (_, freed) = self._kept.popitem(last=False)
            self.used -= freed
