"""The command ``msalib claims``."""

import re
import shlex

import pytest

from msalib.evidence import registry
from msalib.evidence.verdicts import weigh
from msalib.runs import records
from tests.factory import COUNTED, layer_records


@pytest.fixture
def counted():
    """Records of a setting that counts: block 2 of the raw control's text encoder is the best."""
    for record in layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 3.0}}, **COUNTED):
        records.write(record)


def test_claims_of_a_paper_are_a_line_each(msalib, counted):
    status, out, error = msalib("claims", "uegd")
    assert (status, error) == (0, "")
    head, *lines = out.splitlines()
    ids = [claim.id for claim in registry.claims("uegd")]
    assert [line.split()[0] for line in lines[: len(ids)]] == ids
    (c6,) = (line for line in lines if line.startswith("UEGD-C6 "))
    columns = [head.index(name) for name in ("in print", "real data", "known truth")]
    assert [c6[start:].split("  ")[0] for start in columns] == ["✗ 20 of 24", "○2", "✓1"]
    assert all(len(line) <= 100 for line in lines)


def test_one_claim_is_told_in_full(msalib, counted):
    for name in ("C6", "uegd-c6"):
        status, out, error = msalib("claims", "uegd", "--claim", name)
        assert (status, error) == (0, "")
        text = " ".join(out.split())
        assert text.startswith("UEGD-C6 (Tables 2 and 3): A block inside")
        assert "in print: ✗ contradicted; holds in 20 of 24 comparisons" in text
        assert "raw control, small encoders (control): ✓ supported." in text
        assert "mid-best is block 2" in text and "5 seeds" in text
        assert "CMU-MOSEI, transcripts, BERT-Large (as-published): ○ not run" in text
        assert "needs bert-large layers of mosei" in text
        assert "errors of the test: not measured" in text
        assert "UEGD-C7" not in text


def test_claims_are_filtered_by_setting_and_verdict(msalib, counted):
    status, out, error = msalib("claims", "--setting", "raw control", "--verdict", "supported")
    assert (status, error) == (0, "")
    told = [line for line in out.splitlines() if line.startswith("UEGD-")]
    assert told and all("raw control" in line and "✓ supported" in line for line in told)
    assert "in print" not in out  # a setting is one of runs
    status, out, _ = msalib("claims", "sugrm", "--verdict", "contradicted")
    printed = [e.claim.id for e in weigh("sugrm") if e.printed.verdict == "contradicted"]
    told = [line.split()[0] for line in out.splitlines() if "in print: ✗ contradicted" in line]
    assert (status, told) == (0, printed)


def test_the_filter_that_the_list_names_for_runs_of_ones_own_finds_them(msalib):
    for record in layer_records({"linguistic": {1: 2.0, 2: 0.5, 3: 3.0}}):
        records.write(record)
    _, out, _ = msalib("claims", "uegd")
    command = shlex.split(out.splitlines()[-1].partition("(msalib ")[2].removesuffix(")"))
    assert "--setting" in command
    status, out, error = msalib(*command)
    assert (status, error) == (0, "")
    head, *told = out.splitlines()
    assert head.startswith("your runs of uegd")
    assert any(line.startswith("UEGD-C6 ") for line in told)


def test_claims_of_all_papers_are_counted(msalib):
    status, out, error = msalib("claims")
    assert (status, error) == (0, "")
    rows = {line.split()[0]: line.split()[1] for line in out.splitlines()[1:6]}
    assert rows == {name: str(len(registry.claims(name))) for name in registry.known()}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--claim", "C99"), "claim 'C99': found no such claim; .* UEGD-C1, "),
        (("--verdict", "true"), "verdict 'true': found no such verdict; expected one of supported"),
        (("--setting", "nowhere"), "setting 'nowhere': found no verdict of it; .* raw control"),
    ],
)
def test_filters_that_leave_nothing_are_refused(refused, counted, given, message):
    assert re.search(message, refused("claims", "uegd", *given))


def test_parity_and_why_errors_are_not_measured_stand_in_the_full_claim(msalib):
    about = {claim.id for claim in registry.claims("sugrm") if claim.parity}
    status, out, _ = msalib("claims", "sugrm", *(a for name in about for a in ("--claim", name)))
    assert status == 0 and out.count("parity: our model equals the authors' outputs") == len(about)
    _, out, _ = msalib("claims", "sugrm", "--claim", "C23")
    assert "not measured (a measurement, which depends on no run)" in " ".join(out.split())
