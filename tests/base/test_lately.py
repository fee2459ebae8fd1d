"""Values that were used lately: what stays, and what goes first."""

from msalib.base.lately import Lately


def test_what_was_not_used_for_longest_goes_first_and_what_is_too_large_is_not_kept():
    lately = Lately(10)
    for key in "abc":
        lately.keep(key, key.upper(), 3)
    assert lately.get("a") == "A"
    lately.keep("d", "D", 4)
    assert [lately.get(key) for key in "abcd"] == ["A", None, "C", "D"]
    lately.keep("e", "E", 11)
    assert lately.get("e") is None and lately.used == 10
    lately.keep("d", "other", 1)
    assert lately.get("d") == "D" and lately.used == 10
