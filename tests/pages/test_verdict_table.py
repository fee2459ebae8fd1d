"""All verdicts as one table: a row for each effect, numbers as numbers."""

from dataclasses import replace

import pandas as pd
import pytest

from msalib.base.stats import Estimate
from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import Coverage
from msalib.pages import verdict_table
from tests import small


@pytest.fixture
def frame(monkeypatch) -> pd.DataFrame:
    effects = {"gain": Estimate(0.05, 0.01, 0.09, 0.01, (0.04, 0.06)), "more": Estimate(1, 0, 2, 1)}
    ran = small.evidences(small.PRINTED, "supported", "not run")
    about = {"evidence": Evidence("supported", effects, "why"), "coverage": Coverage(2, 30, 4, {})}
    ran.rerun[0] = replace(ran.rerun[0], **about)
    empty = small.evidences(small.SILENT, number=2, ours=True)
    monkeypatch.setattr(verdict_table, "weigh", lambda paper: [ran, empty])
    monkeypatch.setattr(verdict_table.registry, "load", lambda paper: small.ENTRIES["one"])
    return verdict_table.verdict_table(["one"]).frame


def test_every_effect_has_a_row_beside_its_verdict(frame):
    effects = frame.dropna(subset=["value"])
    assert effects["effect"].tolist() == ["gain", "more"]
    assert set(effects["verdict"]) == {"supported"} and set(effects["claim"]) == {"C1"}
    value = effects["value"].iloc[0]
    assert value.numbers == {"": 0.05, "low": 0.01, "high": 0.09} | {
        "seed no. 1": 0.04,
        "seed no. 2": 0.06,
    }
    assert effects["seeds"].iloc[0].numbers == {"": 2}


def test_print_settings_without_effects_and_missing_evidence_have_rows(frame):
    c1, c2 = (frame[frame["claim"] == name] for name in ("C1", "C2"))
    assert c1["evidence"].tolist() == ["printed numbers", *["substitute"] * 3, "control"]
    assert c1["verdict"].tolist()[-2:] == ["not run", "not run"]
    assert c2["evidence"].tolist() == ["printed numbers", "re-run", "control"]
    assert set(c2["verdict"]) == {"not run"} and set(c2["made by"]) == {"us"}
