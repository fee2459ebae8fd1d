"""The status page: what was run, and the sentence on all of it."""

import pandas as pd

from msalib.book import status
from msalib.pages.tables import Table


def test_pages_that_were_not_run_count_for_no_time():
    rows = [
        {"page": "a", "seconds": "90.0", "commit": "c1"},
        {"page": "b", "seconds": "30.4", "commit": "c2"},
        {"page": "d", "seconds": "", "commit": ""},
    ]
    text = status.answer(Table(pd.DataFrame(rows), caption=""))
    assert text.startswith("2 of 3 pages were run, from 2 commits")
    assert "2 minutes" in text and text.endswith("the longest 90 seconds.")
