"""The report of an audit and the error rates of its test: recorded, read and shown."""

import json

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.evidence import audit
from msalib.evidence.audit import (
    leakage,
    power,
    probe,
)
from msalib.pages import audit as pages
from tests import fixtures_more
from tests.evidence.audit.corpora import (
    PERMUTATIONS,
    corpus,
    leaking,
    one_frame,
)
from tests.factory import write_pack
from tests.html import read

# --- the report -----------------------------------------------------------------------------------


def test_a_report_is_recorded_and_read_without_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    pack = write_pack(tmp_path / "data" / "mosi")
    made = audit.report("mosi")
    assert (tmp_path / "records" / "audit" / "mosi-report.json").is_file()
    assert {f.about for f in made.findings if f.check == "SHA-256"} == {
        "features.npz",
        "utterances.csv",
    }
    write_pack(pack, table={"text": ["other"] * 40})
    with pytest.raises(UserError, match="found the report of other data"):
        audit.report("mosi")
    assert audit.report("mosi", refresh=True) != made
    monkeypatch.delenv("MSALIB_DATA")
    assert audit.report("mosi").dataset == "mosi"
    (tmp_path / "records" / "audit" / "mosi-report.json").write_text("{")
    with pytest.raises(UserError, match=r"no readable report .*msalib data audit mosi"):
        audit.report("mosi")


def test_clips_of_sound_are_no_source_files(tmp_path, monkeypatch):
    """They would be a finding each; the fingerprint of features is made of their content."""
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    fixtures_more.nemo(tmp_path / "data" / "nemo")
    made = audit.make_report("nemo")
    assert [f.about for f in made.findings if f.check == "SHA-256"] == ["clips.tsv"]


def test_a_report_is_told_in_lines_as_json_and_as_tables(tmp_path):
    made = leaking(corpus(name="<b>made</b>"), np.arange(24, 40))
    found = audit.examine(made, "control", "A <b>title</b>", "standard", None, PERMUTATIONS)
    told = list(audit.lines(found))
    assert told[0].startswith("error | leakage | linear probe | visual: network | ")
    assert told[-1].startswith("control, split standard: ") and " error" in told[-1]
    assert len(told) == len(found.findings) + 1
    audit.write(found, tmp_path / "report.json")
    assert audit.Report(**json.loads((tmp_path / "report.json").read_text())) == found
    for shown in (
        pages.findings(found),
        pages.findings(found, "leakage"),
        pages.comparisons(found),
    ):
        page = read(shown)
        assert "control: A <b>title</b>, split standard" in page.text
        assert not page.attributes("b")
    assert "yes" in set(pages.comparisons(found).frame["sign of a leak"])
    assert set(pages.findings(found, "leakage").frame["severity"]) >= {"error", "ok"}


def test_the_figure_has_a_row_for_each_part_and_tells_them():
    made = leaking(corpus(), np.arange(24, 40))
    made = made.with_features("linguistic", one_frame(np.zeros((400, 2)), "nothing"))
    found = audit.examine(made, "control", "title", "standard", None, 99)
    picture = pages.probe_levels(found.probes, setting=found.setting)
    page = read(picture)
    assert page.attributes("svg")[0]["aria-label"] == picture.alt
    assert "visual, network: training" in picture.alt and "test undefined" in picture.alt
    assert "nan" not in picture.alt and "None" not in picture.alt
    assert "No features" in read(pages.probe_levels([], setting="x")).text
    nothing = audit.examine(corpus(features={}), "control", "title", "standard", None, 99)
    assert "No features" in read(pages.comparisons(nothing)).text


# --- error rates ----------------------------------------------------------------------------------


def test_a_leak_is_planted_where_it_is_said_to_be():
    honest = power.honest(0, 30)
    shares = {"train": 0.0, "valid": 1.0, "test": 0.5}
    made = power.leaking(honest, shares, 0.1, 0)
    makers, standard = made.splits["makers"], made.splits["standard"]
    video = made.utterances["video"]
    assert (makers[standard == "train"] == "test").all()
    assert (makers[standard == "valid"] == "train").all()
    test = video[standard == "test"]
    assert test[makers == "train"].nunique() == round(test.nunique() / 2)
    assert (makers.groupby(video).nunique() == 1).all()
    column = probe.pooled(made.features["visual"])[:, -1]
    label = made.utterances["label"]
    seen = (makers == "train").to_numpy()
    assert np.corrcoef(column[seen], label[seen])[0, 1] > 0.95
    assert abs(np.corrcoef(column[~seen], label[~seen])[0, 1]) < 0.3
    assert honest.features["acoustic"] is made.features["acoustic"]


def test_a_third_of_the_videos_loses_its_faces():
    made = power.without_faces(power.honest(0, 30), 0)
    seen = probe.pooled(made.features["visual"]).any(1)
    assert made.utterances["video"][~seen].nunique() == 10


def test_error_rates_are_measured_recorded_and_shown(monkeypatch):
    with pytest.raises(UserError, match="no such file; expected the record of error rates"):
        power.recorded()
    monkeypatch.setattr(power, "PLACEMENTS", power.PLACEMENTS[:1])
    monkeypatch.setattr(power, "NOISES", (0.5,))
    monkeypatch.setattr(power, "SIZES", (40,))
    monkeypatch.setattr(power, "CORPORA", {"honest": 1, "leak": 2})
    monkeypatch.setattr(power, "PERMUTATIONS", PERMUTATIONS)
    power.main()
    found = power.recorded()
    assert [cell.corpora for cell in found.cells] == [1, 1, 1, 2, 2]
    assert [cell.errors for cell in found.cells if cell.told] == [2]
    assert len(pages.false_alarms(found).frame) == 3
    (row,) = pages.detections(found).frame.to_dict("records")
    assert row["split known: error, %"].startswith("100.0 [")
    assert "commit" in pages.provenance(found).frame


def test_the_committed_error_rates_keep_to_the_level(monkeypatch):
    monkeypatch.delenv("MSALIB_RECORDS")
    found = power.recorded()
    honest = [cell for cell in found.cells if cell.kind == "honest"]
    assert sum(c.alarms for c in honest) / sum(c.corpora for c in honest) < leakage.LEVEL
