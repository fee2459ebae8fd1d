"""Campaigns: all that the notebooks read, resumed after a kill, shared by two."""

import os
import time

import pytest

from msalib import papers
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.papers import campaign
from msalib.papers.campaign import make
from msalib.papers.uegd import layers, plan, sizes
from msalib.papers.uegd.layers import FEATURES, SHARES
from msalib.papers.uegd.plan import PLAN
from msalib.runs import records
from msalib.runs.query import Runs
from msalib.runs.records import Setting
from msalib.runs.spec import system
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from tests import sweep
from tests.encoders.tiny import save_bert
from tests.factory import write_pack
from tests.sweep import assert_close, files, finished, offer, small_control

QUICK = {"dataset": "control", "profile": "quick", "seeds": 1}


@pytest.fixture(autouse=True)
def small_data(monkeypatch):
    monkeypatch.setattr(readers, "DATASETS", dict(readers.DATASETS))
    offer("control", small_control)
    monkeypatch.delenv("MSALIB_DATA", raising=False)


@pytest.fixture
def short_plan(monkeypatch):
    """The steps that ``sweep.campaign`` makes in a process of its own."""
    monkeypatch.setitem(PLAN, "control", PLAN["control"][:2])


# --- what is made -------------------------------------------------------------------------------


def test_every_data_set_has_a_plan_but_those_that_no_exhibit_reads_yet():
    plans = [papers.part(paper, "plan") for paper in papers.names()]
    planned = {key.split()[0] for plan in plans if plan for key in plan.PLAN}
    unplanned = {"raw-speaker", "raw-noise", "raw-sarcasm", "youtube", "pom"}
    assert planned | unplanned == set(readers.DATASETS) and not planned & unplanned


def test_the_control_gets_all_that_any_exhibit_reads_once(monkeypatch):
    """With two shares of the training clips, for smaller ones would be less than a batch."""
    monkeypatch.setattr(sizes, "SHARES", SHARES[-2:])
    (made,) = make("uegd", **QUICK)
    runs = Runs(records.find("uegd", Setting("control", "planted", "release", "quick")))
    assert made.records == len(finished()) == len(runs.systems)
    assert made.setting == Study("uegd", **QUICK).setting
    assert runs.has(*(system({m: k}) for m in MODALITIES for k in (0, 1, 2)))
    for feature in (*FEATURES, "uniform"):
        assert runs.has(*(layers.system_of(runs, [m], feature) for m in MODALITIES))
        assert runs.has(layers.system_of(runs, MODALITIES, feature))
    assert runs.has(layers.system_of(runs, MODALITIES, "mid_best", fusion="concat"))
    for share in sizes.SHARES:
        for feature in ("input", "mid_best", "weighted", "uniform"):
            assert runs.has(
                *(layers.system_of(runs, [m], feature, train_share=share) for m in MODALITIES)
            )
    written = files()
    monkeypatch.setattr(Trainer, "train", lambda *_: pytest.fail("trained"))
    assert list(make("uegd", **QUICK)) == [made]
    assert files() == written


def test_all_real_data_at_hand_are_made(tmp_path, monkeypatch):
    """MOSI, what leaks from it, and its words without an encoder; the full recipe, given seeds."""
    data = tmp_path / "data"
    write_pack(data / "mosi", table={"split_features": ["train"] * 20 + ["valid", "test"] * 10})
    monkeypatch.setenv("MSALIB_DATA", str(data))
    asked = []

    def noting(step):
        def note(study):
            p = study.parameters
            assert (p.profile, p.seeds) == ("full", 2)
            if step is plan._audit:
                return step(study)
            asked.append(p.dataset)
            return []

        return note

    for name, steps in PLAN.items():
        monkeypatch.setitem(PLAN, name, tuple(map(noting, steps)))
    made = list(make("uegd", seeds=2))
    standardised = "substitute: CMU-MOSI, transcripts and voice vectors"
    assert [m.setting.split(";")[0] for m in made] == [
        f"{standardised}, MiniLM",
        "leaky: CMU-MOSI (leaky), vectors that leak labels",
        "leaky: CMU-MOSI (leaky, unseen videos), vectors that leak labels",
        f"{standardised}, sentiment lexicon",
        f"{standardised}, TF-IDF",
    ]
    leaky = ["mosi-leaky"] * 2 + ["mosi-leaky-unseen"] * 2
    mosi = "mosi-standardised"
    assert asked == [mosi] * len(PLAN[mosi]) + leaky + [mosi] * 2
    assert {path.as_posix() for path in files()} == {
        "data/mosi-standardised.json",
        "audit/mosi-leaky.json",
        "audit/mosi-leaky-unseen.json",
    }


def test_transcripts_are_encoded_where_they_are_not_yet(tmp_path, monkeypatch):
    write_pack(tmp_path / "data" / "mosi")
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))
    folder = str(save_bert(tmp_path / "tiny-bert"))
    monkeypatch.setitem(PLAN, "mosi", (layers.singles,))
    (made,) = make("uegd", dataset="mosi", encoder=folder, profile="quick", seeds=1, device="cpu")
    assert made.records == 5
    assert (tmp_path / "features" / "mosi" / "tiny-bert").is_dir()


# --- a kill, and company ------------------------------------------------------------------------


def test_a_killed_campaign_goes_on_where_it_stopped(short_plan):
    process = sweep.start(sweep.campaign, 4, 0.1)
    while len(finished()) < 5:
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()
    kept = finished()
    (made,) = make("uegd", **QUICK)
    after = finished()
    assert len(kept) < len(after) == made.records
    assert {path: after[path] for path in kept} == kept


def test_two_campaigns_at_once_corrupt_nothing(tmp_path, monkeypatch, short_plan):
    both = [sweep.start(sweep.campaign, together, 0.05) for together in (4, 3)]
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert len(files()) == len(finished())  # neither locks nor what is unfinished
    found = [records.read(records.records_folder() / path) for path in finished()]
    forbidden = list(make("uegd", **QUICK))
    assert forbidden[0].records == len(found)
    monkeypatch.setenv("MSALIB_RECORDS", str(tmp_path / "alone"))
    list(make("uegd", **QUICK))
    alone = [records.read(records.records_folder() / path) for path in finished()]
    assert_close(sorted(alone, key=lambda r: r.name()), sorted(found, key=lambda r: r.name()))


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paper", "parameters", "message"),
    [
        ("mult", {}, "paper 'mult': found no planned runs of it; expected one of"),
        ("uegd", {}, "MSALIB_DATA: found not set"),
        ("uegd", {"dataset": "moshi"}, "data set 'moshi': found no such data set"),
        ("uegd", {"seed": 3}, "parameter 'seed': found no such parameter"),
        ("uegd", {"dataset": "mosei"}, "MSALIB_DATA: found not set"),
    ],
)
def test_what_makes_no_sense_is_refused(paper, parameters, message):
    if "seed" in parameters:
        parameters = {**QUICK, **parameters}
    with pytest.raises(UserError) as error:
        list(make(paper, **parameters))
    assert str(error.value).startswith(message)
    assert files() == {}


def test_a_folder_without_data_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path))
    with pytest.raises(UserError, match="found none of the data sets; expected a folder for one"):
        list(make("uegd"))


def test_the_command_says_what_there_is(monkeypatch, msalib):
    monkeypatch.setattr(campaign, "make", lambda paper, **p: [campaign.Made(f"{paper} {p}", 7)])
    status, shown, _ = msalib("records", "uegd", "-p", "dataset", "control")
    assert not status
    assert shown == "uegd {'dataset': 'control'}: 7 records, 0 min since the start\n"
    assert os.environ.get("MSALIB_CLEAN") != "1"


def test_an_encoder_that_a_key_names_has_the_steps_of_that_key_alone():
    steps = dict.fromkeys(["raw", "raw log-mel", "mosi minilm-tuned article"], ())
    asked = {"dataset": "raw", "encoder": "log-mel"}
    assert campaign._chosen("mmml", steps, asked) == ["raw log-mel"]
    assert campaign._chosen("mmml", steps, {"dataset": "raw"}) == ["raw", "raw log-mel"]
