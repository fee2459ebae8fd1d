"""A name that there is not is refused with what there is, and a question only where one is near."""

import pytest

from msalib.base import errors
from msalib.base.errors import did_you_mean, near, unknown

DATA = ["control", "raw", "mosi", "mosei", "mosi-standardised", "mosi-leaky", "meld", "meld-dev"]
ENCODERS = ["minilm", "bert-base", "bert-large", "small-bert", "small", "small-clip", "log-mel"]
EXHIBITS = ["uegd/fig3", "uegd/fig6", "uegd/table3", "cmt/table3", "mmml/table3", "glomo/table3"]


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("MOSI", DATA, ["mosi"]),
        ("mosei ", DATA, ["mosei"]),
        ("meld_dev", DATA, ["meld-dev"]),
        ("standardised-mosi", DATA, ["mosi-standardised"]),
        ("mosi-standardized", DATA, ["mosi-standardised"]),
        ("mosy", DATA, ["mosi"]),
        ("mosie", DATA, ["mosei"]),
        ("rwa", DATA, ["raw"]),
        ("mossi", DATA, ["mosi", "mosei"]),
        ("cmu-mosei", DATA, ["mosei"]),
        ("leaky", DATA, ["mosi-leaky"]),
        ("logmel", ENCODERS, ["log-mel"]),
        ("small-clips", ENCODERS, ["small-clip"]),
        ("bert", ENCODERS, ["bert-base", "bert-large", "small-bert"]),
        ("fig6", EXHIBITS, ["uegd/fig6"]),
        ("uegd/fig6.ipynb", EXHIBITS, ["uegd/fig6"]),
        ("seed", ["dataset", "seeds"], ["seeds"]),
        ("情感", ["情感 ", "other"], ["情感 "]),
    ],
)
def test_a_slip_is_asked_for(name, known, meant):
    assert near(name, known) == meant


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("nonsense", DATA),
        ("", DATA),
        (" -", DATA),
        ("gpu", ["auto", "cpu", "cuda"]),  # spelled like cpu, and meant is cuda
        ("table3", EXHIBITS),  # of four papers
        ("mosi" * 1000, DATA),
        ("mosi", []),
    ],
)
def test_nothing_is_asked_where_nothing_is_near_or_too_much(name, known):
    assert near(name, known) == []
    assert did_you_mean(name, known) == ""


def test_a_refusal_lists_what_there_is_and_asks_what_was_meant():
    error = unknown("data set", "mosy", ["mosi", "raw"], remedy="List them.")
    assert str(error) == (
        "data set 'mosy': found no such data set; expected one of mosi, raw. Did you mean mosi? "
        "List them."
    )
    error = unknown("layer", 9, [1, 2], of="bert", remedy="Choose one.", also=", or none")
    assert str(error) == (
        "layer 9 of bert: found no such layer; expected one of 1, 2, or none. Choose one."
    )
    error = unknown("parameter", "x", [], of="ledger", remedy="Leave it out.")
    assert str(error) == (
        "parameter 'x' of ledger: found no such parameter; expected none. Leave it out."
    )


def test_a_refusal_has_an_end_however_long_the_name_and_however_many_there_are():
    many = [f"clip_{k}" for k in range(10_000)]
    error = unknown("clip", "x" * 1_000_000, many, remedy="Name one.")
    assert "clip_59 and 9940 more. Name one." in str(error)
    assert len(str(error)) < 1_000
    assert errors.listed(["a", "b"]) == "a, b"


def test_a_column_in_the_place_of_one_that_lacks_is_asked_for():
    assert errors.misnamed(["system"], ["sytem", "x"]) == "Is 'sytem' the column system? Rename it."
    assert errors.misnamed(["system"], ["x"]) == errors.misnamed([], ["system"]) == ""
