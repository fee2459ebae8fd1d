"""The short answers of general pages."""

import numpy as np
import pandas as pd
import pytest

from msalib.evidence import audit
from msalib.evidence.printed.checks.finding import SEVERITIES
from msalib.pages import answers
from msalib.pages.tables import Table
from tests.evidence.audit.corpora import PERMUTATIONS, corpus, leaking


def report(made):
    return audit.examine(made, "control", "A title", "standard", None, PERMUTATIONS)


def test_an_audit_quotes_its_most_serious_finding():
    found = report(leaking(corpus(), np.arange(24, 40)))
    worst = found.findings[0]
    text = answers.audit(found)
    assert text.startswith(f"A title: {found.summary}.")
    assert f"{worst.severity} is on {worst.about}: " in text
    assert worst.message[:40] in text and text.endswith(".") and not text.endswith("..")


@pytest.mark.parametrize("severity", ["note", "ok"])
def test_an_audit_without_errors_says_so(severity):
    found = report(corpus())
    first = found.findings[0].model_copy(update={"severity": severity})
    assert "found a fault" in answers.audit(found.model_copy(update={"findings": [first]}))


def test_the_best_block_counts_and_not_the_input():
    text = answers.raw({"bert": {"probe": {"valid": [0.9, 0.1, 0.52]}}})
    assert text.endswith("correlation of: words 0.52.")


def test_own_sentiment_stands_beside_the_largest_of_others():
    rows = [
        {"made from": "visual", **dict(zip(("visual", "acoustic", "linguistic"), r, strict=True))}
        for r in (("+0.80", "-0.10", "+0.02"), ("+0.60", "+0.00", "-0.31"))
    ]
    frame = pd.DataFrame(
        {k if k == "made from" else f"{k} sentiment": v for k, v in row.items()} for row in rows
    )
    text = answers.spoken(Table(frame, caption=""))
    assert "2 numbers" in text and "0.60 or more" in text and "0.31 or less" in text


@pytest.mark.parametrize("width", ["1.20", "whole scale"])
def test_a_prediction_has_its_width_and_what_it_held(width):
    row = {"interval": "80%", "half width (points)": width, "held": "78%"}
    text = answers.prediction(Table(pd.DataFrame([row]), caption=""))
    assert width in text and "80%" in text and "78%" in text


def test_findings_are_counted_by_severity():
    totals = {f"findings_{word}": str(i) for i, word in enumerate(SEVERITIES, 11)}
    text = answers.printed(totals | {"findings": "50", "papers": "5"}, 4321)
    assert "50 findings in 4,321 numbers of 5 papers" in text
    assert all(str(i) in text for i, _ in enumerate(SEVERITIES, 11))
