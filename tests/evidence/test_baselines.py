"""Baselines that were re-run on the clips of a paper's records."""

import pytest

from msalib.evidence import baselines
from msalib.runs import records
from msalib.runs.query import Runs
from tests.evidence.planted_arms import planted

ABOUT = {"dataset": "raw", "encoder": "small", "profile": "full"}
TFN = {"paper": "baselines", "model": {"family": "tfn"}, "train": {}}


def written(**about):
    for record in planted(1.0, seeds=2, **TFN, **(ABOUT | about)):
        records.write(record)


@pytest.mark.parametrize("preset", ["release", "article"])
def test_baselines_of_the_same_clips_and_features_stand_beside_either_preset(preset):
    runs = Runs(planted(1.0, seeds=2, preset=preset, **ABOUT))
    assert baselines.of_setting(runs, "uegd").systems == []
    written()
    for other in ({"encoder": "minilm"}, {"profile": "quick"}, {"dataset": "raw-noise"}):
        written(**other)
    (found,) = baselines.of_setting(runs, "uegd").systems
    assert dict(found.choices) == {"family": "tfn"}


def test_a_setting_is_that_of_the_paper_or_else_of_what_is_there():
    own = planted(1.0, seeds=1, preset="article", **ABOUT)
    theirs = planted(1.0, seeds=1, **TFN, **ABOUT)
    assert baselines.spec_of(Runs([*theirs, *own]), "uegd").preset == "article"
    assert baselines.spec_of(Runs(theirs), "uegd").paper == "baselines"
