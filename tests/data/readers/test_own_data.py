"""Data of every layout, all the way: added, audited, and given to the notebook of Table 3."""

import ast
import json
import re
import shutil
import warnings

import nbformat
import numpy as np
import pytest

from msalib import encoders
from msalib.base import paths
from msalib.book import notebooks
from msalib.data import datasets as readers
from msalib.data.readers import names, store
from msalib.evidence import registry
from msalib.evidence.verdicts import weigh
from msalib.pages import overview, tables
from tests import clips
from tests.encoders.tiny import save_bert, save_clip, save_wavlm
from tests.fixtures import FIXTURES, VARIANTS, mmsa_content, write_pickle

LAYOUTS = {name: (name, write) for name, write in FIXTURES.items()} | VARIANTS


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return str(save_bert(tmp_path_factory.mktemp("models") / "bert"))


@pytest.fixture
def built_in(monkeypatch):
    """One data set that is built in: to list those that are simulated takes seconds."""
    monkeypatch.setattr(readers, "DATASETS", {"mosi": readers.DATASETS["mosi"]})


def run_cells(notebook: str, **parameters) -> list:
    """Execute the cells of a notebook here, without a kernel, and return what they display."""
    source = nbformat.read(notebooks.source_path(notebook), as_version=4)
    shown: list = []
    names = {"display": shown.append}
    resolved = notebooks.resolve_parameters(notebook, parameters)
    for cell in source.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or "remove-cell" in tags:
            continue
        if "parameters" in tags:
            names |= resolved
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, notebook, "exec"), names)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), notebook, "eval"), names))
    return [thing for thing in shown if thing is not None]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_data_of_any_layout_reach_table_3(msalib, bert, tmp_path, monkeypatch, layout):
    monkeypatch.setenv("MSALIB_CLEAN", "")
    form, write = LAYOUTS[layout]
    source = tmp_path / "source"
    source.mkdir()
    status, out, error = msalib("data", "add", write(source), "--name", "mine")
    assert (status, error) == (0, "")
    assert f"mine: {readers.dataset('mine').title}, fingerprint" in out
    assert out.endswith("(next: msalib data audit mine)\n")
    assert store.about("mine").format == form

    report = tmp_path / "report.json"
    status, out, error = msalib("data", "audit", "mine", "--json", report)
    assert (status, error) == (0, "")
    assert json.loads(report.read_text())["dataset"] == "mine"

    known = readers.dataset("mine")
    texts = known.shipped is None and known.raw == ("linguistic",)
    given = {"encoder": bert if texts else "auto", "seeds": 1, "device": "cpu"}
    shown = run_cells("uegd/table3", dataset="mine", **given)
    setting, *rest = shown
    assert setting.setting.startswith("substitute: mine, ")
    assert all(f"{modality} vectors" in setting.setting for modality in known.vectors)
    scores = [s for s in rest if isinstance(s, tables.Table)]
    assert len(scores) >= 2
    assert all("substitute" in table.caption for table in scores[:1])


def test_features_that_came_with_the_data_give_way_to_an_encoder(msalib, bert, tmp_path):
    """An MMSA pickle has vectors and transcripts: either can be read."""
    assert msalib("data", "add", FIXTURES["mmsa"](tmp_path), "--name", "mine")[0] == 0
    status, out, error = msalib("encode", "mine", bert, "--device", "cpu")
    assert status == 0 and "linguistic features of 42 clips" in out
    assert error.startswith("msalib: warning: bert does not know all of the texts of mine")
    assert error.count("\n") == 1
    store = encoders.read(readers.load("mine"), encoders.resolve(bert))
    assert len(store.layers) == 4
    shown = run_cells("uegd/table3", dataset="mine", encoder=bert, seeds=1, device="cpu")
    assert "mine, bert, visual vectors, acoustic vectors" in shown[0].setting


def test_features_of_an_encoder_can_be_audited(msalib, refused, bert, tmp_path):
    msalib("data", "add", FIXTURES["meld"](tmp_path), "--name", "mine")
    assert "no features to probe" in msalib("data", "audit", "mine")[1]
    status, out, _ = msalib("data", "audit", "mine", "--encoder", bert)
    assert status == 0 and "linear probe | linguistic: bert" in out
    assert "Leave one of the two out" in refused(
        "data", "audit", "mine", "--encoder", bert, "--record"
    )


def test_runs_on_added_data_leave_the_study_as_it_is(msalib, tmp_path):
    """Toy runs once became columns of the front page and turned its totals."""
    before = totals()
    msalib("data", "add", FIXTURES["mag"](tmp_path), "--name", "mine")
    _, study_alone, _ = msalib("claims", "uegd")
    run_cells("uegd/table3", dataset="mine", seeds=1, device="cpu")
    assert totals() == before
    status, out, error = msalib("claims", "uegd")
    assert (status, error) == (0, "")
    assert out.startswith(study_alone) and "your runs" not in study_alone
    heading, *lines = out.removeprefix(study_alone).splitlines()
    assert heading.startswith("your runs of uegd")
    (line,) = lines
    assert line.startswith("mine, mag, quick profile: ")


def totals() -> dict[str, str]:
    weighed = {"uegd": weigh("uegd")}
    return overview.totals(weighed, [], {"uegd": registry.load("uegd")})


def test_the_list_of_data_sets_has_those_that_were_added(msalib, built_in, tmp_path):
    msalib("data", "add", FIXTURES["mag"](tmp_path), "--name", "mine")
    status, out, _ = msalib("data")
    assert status == 0 and "\nmine: MAG features" in out
    assert "mine: " in msalib("doctor")[1]


def test_a_damaged_one_is_told_and_hides_no_other(msalib, refused, built_in, tmp_path):
    for name in ("fine", "spoilt"):
        msalib("data", "add", FIXTURES["mag"](tmp_path / name), "--name", name)
    (paths.corpora_folder() / "spoilt" / "about.json").write_text("{")
    status, out, _ = msalib("data")
    assert status == 0 and "\nfine: MAG features" in out
    assert "spoilt: " in out and "no readable description" in out
    assert "no readable description" in refused("run", "uegd/table3", "-p", "dataset", "spoilt")


def test_what_cannot_be_added_leaves_nothing(refused, tmp_path):
    path = FIXTURES["mag"](tmp_path)
    assert "the name of a built-in data set" in refused("data", "add", path, "--name", "mosi")
    assert "format 'mat'" in refused("data", "add", path, "--name", "x", "--format", "mat")
    assert "option --align" in refused("data", "add", path, "--name", "x", "--align", "frames")
    missing = refused("data", "add", tmp_path / "nothing.pkl", "--name", "x")
    assert "nothing.pkl" in missing
    assert "data set 'x': found no such data set" in refused("data", "audit", "x")
    assert store.names() == []


def test_a_data_set_is_replaced_when_asked(msalib, refused, tmp_path):
    path = FIXTURES["mmsa"](tmp_path)
    assert msalib("data", "add", path)[0] == 0
    (name,) = store.names()
    assert name == names.name_of(path)
    assert "a name that is not taken" in refused("data", "add", path)
    assert msalib("data", "add", path, "--refresh")[0] == 0


# --- bad input: one message, status 2, nothing half-written ---------------------------------------


def silence(folder):
    clips.write_wav(next(folder.rglob("*.wav")), np.zeros(0))


def no_picture_stream(folder):
    """A video that has sound only, in the place of a folder of frames."""
    frames_ = next(p.parent for p in sorted(folder.rglob("*.png")))
    shutil.rmtree(frames_)
    sound = next(folder.rglob("*.wav"))
    shutil.copy(sound, frames_.with_suffix(".mp4"))


def no_face(folder):
    """Every picture plain grey."""
    cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
    for path in folder.rglob("*.png"):
        cv2.imwrite(str(path), np.full((48, 48, 3), 128, np.uint8))


@pytest.mark.parametrize(
    ("spoil", "save", "found"),
    [
        (silence, save_wavlm, ".wav): found "),
        (no_picture_stream, save_clip, ".mp4): found "),
        (no_face, save_clip, "face"),
    ],
    ids=["sound without samples", "video without pictures", "no face"],
)
def test_clips_that_cannot_be_encoded_are_told(
    msalib,
    refused,
    tmp_path,
    spoil,
    save,
    found,
):
    folder = FIXTURES["media"](tmp_path / "source")
    spoil(folder)
    model = save(tmp_path / "model")
    assert msalib("data", "add", folder, "--name", "mine")[0] == 0
    assert found in refused("encode", "mine", model, "--device", "cpu")
    assert not list(paths.features_folder().rglob("meta.json"))


def test_a_transcript_of_2000_words_is_cut_and_told(msalib, bert, tmp_path):
    content = mmsa_content()
    content["train"]["raw_text"] = [" ".join(["good film"] * 1000)] * 24
    path = write_pickle(tmp_path / "long.pkl", content)
    assert msalib("data", "add", path, "--name", "mine")[0] == 0
    with warnings.catch_warnings(action="always"):
        status, _, error = msalib("encode", "mine", bert, "--device", "cpu")
    assert status == 0 and "24 of 42 texts of mine are longer" in error
    kept = encoders.read(readers.load("mine"), encoders.resolve(bert))
    assert kept.provenance["truncated"] == "24 of 42 clips"


def test_a_sound_that_is_cut_short_is_taken_where_that_is_asked(
    msalib, refused, tmp_path, monkeypatch
):
    monkeypatch.setenv("MSALIB_ACCEPT_CUT", "")  # to be as it was, afterwards
    folder = FIXTURES["media"](tmp_path / "source")
    file = next(folder.rglob("*.wav"))
    file.write_bytes(file.read_bytes()[:-400])
    model = save_wavlm(tmp_path / "model")
    assert msalib("data", "add", folder, "--name", "mine")[0] == 0
    said = refused("encode", "mine", model, "--device", "cpu")
    assert f"({file}): found" in said and "--accept-cut" in said
    with warnings.catch_warnings(action="always"):
        status, _, error = msalib("encode", "mine", model, "--device", "cpu", "--accept-cut")
    assert status == 0 and re.search("1 of .* clips of mine are cut short", error)
    (about,) = paths.features_folder().rglob("meta.json")
    assert '"clips cut short, taken as they are": 1' in about.read_text()
