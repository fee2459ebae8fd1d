"""What GLoMo's tests and pages share."""

import pytest
import torch

from msalib.models import moe
from msalib.papers.glomo import evidence_experts, scope
from msalib.papers.glomo.plan import FULL
from tests.papers.glomo.planted_pages import WHOLE, made, whole_table


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.5, 0.0], [0.6, 0.3, 0.1, 0.0]])
def test_variation_is_that_of_the_losses(shares):
    squared = moe.squared_variation(torch.tensor(shares, dtype=torch.float64))
    assert scope.variation(shares) ** 2 == pytest.approx(float(squared), abs=1e-8)


def test_the_claim_on_balance_reads_the_same_variation():
    (record,) = made(whole_table()[FULL], seeds=1, load=(0.5, 0.3, 0.2))
    found = evidence_experts._variation(record)
    assert found == pytest.approx([scope.variation([0.5, 0.3, 0.2])] * 2)
    assert len(record.extras.use) == len(WHOLE)
