"""What several tests of evidence share."""

import pytest

from msalib.evidence.printed import checks, table
from msalib.evidence.printed.checks.finding import Finding


@pytest.fixture(scope="session")
def findings() -> list[Finding]:
    """All findings on the papers' own tables."""
    return checks.run(table.load_all())
