"""The short answers of SUGRM's pages where no verdict answers."""

import numpy as np

from msalib.papers.sugrm import answers, facts, geometry
from msalib.papers.sugrm.labels import NOTHING
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.sugrm.test_labels import CLIPS, records


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
