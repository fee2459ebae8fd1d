"""Printed sizes of GLoMo against its formula."""

from msalib.papers.glomo import checks
from tests.cells import row, table


def found(*rows):
    return checks.check(table(*rows))


GLOMO = dict(
    hidden_dim=48, encoder_layers=4, num_experts=3, num_local=3, dim_audio=74, dim_video=47
)


def test_the_parameters_of_glomo():
    """papers/glomo.md (c), table of shapes and parameters: both totals."""
    assert checks.count_parameters(48, 4, 3, 3, 74, 47) == 109_818_887
    assert checks.count_parameters(192, 3, 3, 3, 74, 35) == 115_949_447


def glomo(count: str, **changed):
    sizes = {m: str(v) for m, v in (GLOMO | changed).items() if v}
    return row("glomo/appendix_table1/mosi/GLoMo", params=count, **sizes)


def test_a_count_beside_its_formula():
    assert not found(glomo("109,818,887"))
    t = table(glomo("109,818,888"))
    (one,) = checks.check(t)
    assert (one.severity, one.paper) == ("inconsistent", "glomo")
    assert "109,818,888 parameters; the printed sizes (hidden dim 48, " in one.message
    assert one.message.endswith("give 109,818,887.")
    assert len(one.cells) == 7
    (one,) = found(glomo("109,818,887", num_local=4))
    assert "num local 4" in one.message


def test_a_count_without_all_sizes_says_nothing():
    assert not found(glomo("1", num_local=None))
    assert not found(
        row("glomo/appendix_table1/mosi/GLoMo", **{m: str(v) for m, v in GLOMO.items()})
    )
    assert not found([cell | {"paper": "ash"} for cell in glomo("1")])
