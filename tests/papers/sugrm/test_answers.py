"""The short answers of SUGRM's pages where no verdict answers."""

from dataclasses import replace

import numpy as np

from msalib.evidence import registry
from msalib.evidence.common import Evidence
from msalib.evidence.verdicts import judge
from msalib.papers.sugrm import answers, facts, geometry, plan
from msalib.papers.sugrm.labels import NOTHING
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.sugrm.planted import WHOLE, setting
from tests.papers.sugrm.test_labels import CLIPS, records


def test_systems_that_cannot_be_tested_have_their_errors_and_the_reason():
    found = setting("control", only=["SUGRM", "Self-MM"])
    c1, c2 = judge(registry.claims("sugrm", ["SUGRM-C1", "SUGRM-C2"]), found)
    needs = Evidence("not run", c2.evidence.effects, "needs words that are read alike; 5 seeds")
    verdicts = [c1, replace(c2, evidence=needs)]
    text = answers.systems(Runs(found), plan.compared(WHOLE["control"]), verdicts)
    assert "SUGRM-C2 needs words that are read alike. " in text and "5 seeds" not in text
    assert "SUGRM 0." in text and "Self-MM 0." in text and "concatenation" not in text
    assert text.endswith(f"{found[0].chance['mae']:.3f}.")


def test_all_clips_are_counted_by_the_side_of_their_labels():
    text = answers.all_clips(Runs(records()))
    assert f"all {CLIPS} training clips" in text
    assert "visual 9" in text or "visual 100%" in text  # labels that go to minus the annotated ones
    usual = [r for r in records() if r.extras.labels is None]
    assert answers.all_clips(Runs(usual)) == NOTHING


def test_clips_and_settings_count_what_differs(monkeypatch):
    study = Study("sugrm", dataset="control", profile="full")
    text = answers.clips_and_settings(study)
    texts = facts.texts(study)
    assert "prints no counts" in text
    assert f"{texts['entries_differ']} of {texts['entries']} entries" in text
    monkeypatch.setattr(facts, "summary", lambda dataset: None)
    assert answers.clips_and_settings(study).startswith(texts["entries_differ"])


def test_clamped_targets_are_those_beyond_the_scale():
    text = answers.clamped({"SUGRM's": np.array([[1.0, -2.0], [3.5, -7.0]]), "B's": np.zeros(4)})
    assert "SUGRM's targets reach 7.0 points and are clamped over 50% of the plane" in text
    assert "B's targets reach 0.0 points and are clamped over 0%" in text


def test_self_mms_targets_reach_further_and_are_clamped_less_often():
    plane = geometry.plane()
    sizes = {name: geometry.by_fused(plane, name, 1.0, (-1.0, 2.0)) for name in plane.generators}
    ours, theirs = (np.abs(sizes[name]) for name in ("SUGRM's", "Self-MM's"))
    assert theirs.max() > ours.max() and (theirs > 3).mean() < (ours > 3).mean()
