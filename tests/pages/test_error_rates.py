"""The page on error rates: what it answers, its tables and its figure, whatever the paper."""

from msalib.pages import error_rates
from tests.evidence.made_rates import equivalence, measured, power

GAINS = power(measured(3, 9, border=(2, 4)), measured(1, 4, claim="MMML-C9"))


def test_the_answer_counts_levels_and_power():
    text = error_rates.answer(power(*GAINS.tests, equivalence(6)))._repr_html_()
    assert "3 of 3 tests (one for each claim and size of the data) keep" in text
    assert "2.5% for either wrong verdict, 5% for support that rests on a 90% interval" in text
    assert "Of the 2 with a printed gain, 1 can find" in text and "C19 at the size of raw" in text
    assert "60% to 60%" in text


def test_a_paper_without_claims_of_no_difference_has_an_answer():
    assert "no difference" not in error_rates.answer(GAINS)._repr_html_()


def test_broken_levels_are_listed():
    assert "No test errs" in error_rates.broken(GAINS)._repr_html_()
    text = error_rates.broken(power(measured(3, border=(20, 0))))._repr_html_()
    assert "MMML-C19 at the size of raw: supported in 20.0% of 100 studies" in text


def test_the_rates_have_a_row_a_test():
    shown = error_rates.rates(power(*GAINS.tests, equivalence(6))).frame
    assert list(shown["claim"]) == ["C19", "C9", "C15"]
    assert shown["false support"][0].startswith("2.0 [")
    assert [power.partition(" ")[0] for power in shown["power"]] == ["90.0", "40.0", "60.0"]
    assert list(shown["80% power at"])[1:] == ["never: 40% at 1 times", ""]


def test_the_figure_draws_every_size():
    sizes = [measured(1, 5, size=f"size {i}") for i in range(5)]
    picture = error_rates.power_figure(power(*sizes))
    assert all(f"C19 at the size of size {i} 50%" in picture.alt for i in range(5))
