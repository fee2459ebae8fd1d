"""MMML's plan: the systems of each table, and that every page's setting is planned."""

from types import SimpleNamespace

import pandas as pd
import pytest

from msalib.data import datasets
from msalib.data.corpus import TUNED
from msalib.evidence import settings
from msalib.models import recipes
from msalib.papers import steps
from msalib.papers.mmml import plan
from msalib.papers.mmml.plan import PLAN, SOUND, TEXT, UNKNOWN, system
from msalib.runs.query import Runs
from tests.factory import make_record, predictions

FROZEN = {TEXT: 6, SOUND: 1}
FINE_TUNED = {TEXT: TUNED, SOUND: TUNED}
WORDS = {TEXT: 6}
BOTH = pytest.mark.parametrize("whole", [FROZEN, FINE_TUNED])

TABLES = {
    "compared": ({"linguistic alone", "acoustic alone", "concatenation", "fusion network"}, 4),
    "losses": ({"one loss", "three losses"}, 2),
    "restorations": ({"fused only", "concatenation", "transformer"}, 3),
    "ablations": (None, 4),
    "depths": ({"1", "3", "5", "7"}, 4),
    "loss_weights": ({"1 and 1", "text 0.3", "text 3.0", "sound 0.3", "sound 3.0"}, 5),
    "rates": (None, 4),
    "window_grid": ({(text, sound) for text in range(4) for sound in range(3)}, 12),
}


def choices(one):
    """Choices of a system that are not usual."""
    return dict(one.choices)


# --- systems ------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("table", TABLES)
def test_a_table_names_different_systems(table, whole):
    names, count = TABLES[table]
    arms = getattr(plan, table)(whole)
    assert names is None or set(arms) == names
    assert len(arms) == len(set(arms.values())) == count


@BOTH
def test_the_fusion_network_is_the_usual_system_of_every_table(whole):
    usual = system(whole)
    assert usual == plan.compared(whole)["fusion network"]
    assert usual == plan.restorations(whole)["fused only"] == plan.ablations(whole)["whole network"]
    assert usual == plan.depths(whole)["5"] == plan.loss_weights(whole)["1 and 1"]
    assert usual == plan.window_grid(whole)[0, 0]
    assert usual == next(iter(plan.rates(whole).values()))
    assert plan.losses(whole)["three losses"] == plan.compared(whole)["concatenation"]


@pytest.mark.parametrize("whole", [FROZEN, FINE_TUNED, {TEXT: TUNED, SOUND: 1}])
def test_without_a_fine_tuned_input_fusion_and_heads_have_a_rate_of_their_own(whole):
    for one in (*plan.compared(whole).values(), *plan.contexts(whole).values()):
        rates = "fine_tuned" if TUNED in dict(one.inputs).values() else "features"
        assert one.choice("rates", paper="mmml") == rates


@pytest.mark.parametrize(
    ("context", "streams"),
    [
        ("none", {}),
        ("joined-2", {}),
        ("separate-2-1", {"linguistic_context": 6, "acoustic_context": 1}),
        ("separate-2-0", {"linguistic_context": 6}),
        ("separate-0-1", {"acoustic_context": 1}),
    ],
)
def test_separate_context_is_a_stream_of_each_modality_that_has_a_window(context, streams):
    one = system(FROZEN, context=context)
    assert dict(one.inputs) == FROZEN | streams
    assert one.choice("context", paper="mmml") == context


def test_a_window_of_words_adds_no_stream_of_a_modality_that_is_absent():
    arms = plan.windows(WORDS)
    assert set(arms) == {(kind, k) for kind in ("joined", "separate") for k in range(4)}
    assert arms["joined", 0] == arms["separate", 0] == system(WORDS)
    assert len(set(arms.values())) == 7
    for (kind, k), one in arms.items():
        added = {"linguistic_context": 6} if kind == "separate" and k else {}
        assert dict(one.inputs) == WORDS | added


def test_context_of_both_ways_of_joining_is_that_of_the_release():
    arms = plan.contexts(FROZEN)
    assert {choices(one)["context"] for one in arms.values()} == {"separate-2-1"}
    assert {one.choice("fusion", paper="mmml") for one in arms.values()} == {"concatenation", "cme"}


def test_one_modality_has_no_arm_of_two():
    assert set(plan.compared(WORDS)) == {"linguistic alone"}
    assert set(plan.copied(WORDS)) == {"linguistic alone, copied label"}
    assert plan.contexts(WORDS) == {}


def test_copied_labels_are_the_only_difference_of_their_arms():
    twins = {
        "acoustic alone, copied label": "acoustic alone",
        "linguistic alone, copied label": "linguistic alone",
        "three losses, copied labels": "concatenation",
    }
    copied, usual = plan.copied(FROZEN), plan.compared(FROZEN)
    assert set(copied) == set(twins)
    for name, twin in twins.items():
        assert choices(copied[name]) == choices(usual[twin]) | {"labels": "copied"}
        assert copied[name].inputs == usual[twin].inputs


@BOTH
def test_a_recorded_system_is_that_of_the_plan(whole):
    """A recipe holds numbers where a choice is text; both must name the same system."""
    for one in (*plan.depths(whole).values(), *plan.loss_weights(whole).values()):
        record = recorded(one)
        assert record.spec.system == one


# --- of a study, and of records -----------------------------------------------------------------


def recorded(one, dataset="raw"):
    clips = predictions([1.0, -1.0, 0.0], [0.9, -1.0, 0.1], "abc")
    recipe = recipes.load("mmml", "release", "full", dataset)
    varied = {name: one.choice(name, paper="mmml") for name in recipes.choices("mmml")}
    groups = {
        group: {k: type(v)(varied[k]) if k in varied else v for k, v in values.items()}
        for group, values in recipe.items()
    }
    parts = {"valid": clips, "test": clips}
    return make_record(dict(one.inputs), parts=parts, paper="mmml", dataset=dataset, **groups)


def test_a_modality_that_no_record_reads_has_a_layer_that_no_run_has():
    assert plan.recorded_whole(Runs([recorded(system(WORDS), "mosi")])) == WORDS | {SOUND: UNKNOWN}
    assert plan.recorded_whole(Runs([recorded(system(FROZEN))])) == FROZEN
    context = system(FROZEN, context="separate-2-1")
    assert plan.recorded_whole(Runs([recorded(context)])) == FROZEN
    assert not Runs([recorded(system(WORDS))]).has(system(WORDS | {SOUND: UNKNOWN}))


class FakeStudy:
    """What a step asks of a study; it keeps the systems that are asked for."""

    def __init__(self, whole, columns=()):
        self.last_layers = whole | {"visual": 3}
        self.tuned = TUNED in whole.values()
        table = pd.DataFrame({name: [0.0] for name in ("label", *columns)})
        self.corpus = SimpleNamespace(utterances=table)
        self.parameters = SimpleNamespace(device="any")
        self.asked = []

    def run(self, systems):
        assert len(systems) == len(set(systems))
        self.asked += systems
        return []


@pytest.fixture
def asked(monkeypatch):
    """Return the systems that the plan of a data set asks for, on a CPU or a GPU."""

    def of(key, *about, device="cuda"):
        monkeypatch.setattr(steps, "pick_device", lambda name: device)
        study = FakeStudy(*about)
        for step in PLAN[key]:
            step(study)
        assert not any("visual" in dict(one.inputs) for one in study.asked)
        return set(study.asked)

    return of


ALL_TABLES = ("compared", "losses", "restorations", "ablations", "depths", "loss_weights")
BY_MODALITY = ["label_T", "label_A"]


@pytest.mark.parametrize("table", [*ALL_TABLES, "rates", "windows", "contexts", "window_grid"])
def test_the_raw_control_trains_every_table(asked, table):
    assert set(getattr(plan, table)(FINE_TUNED).values()) <= asked("raw", FINE_TUNED, BY_MODALITY)


@pytest.mark.parametrize("key", ["control", "control-opposite"])
def test_both_stories_train_every_table_of_features(asked, key):
    trained = asked(key, FROZEN, device="cpu")
    assert all(set(getattr(plan, t)(FROZEN).values()) <= trained for t in ALL_TABLES)
    assert not set(list(plan.rates(FROZEN).values())[1:]) & trained  # no encoder has a rate


def test_labels_are_copied_only_where_modalities_have_their_own(asked):
    copied = set(plan.copied(FINE_TUNED).values())
    assert copied <= asked("raw", FINE_TUNED, BY_MODALITY)
    assert not copied & asked("raw", FINE_TUNED)


def test_the_fusion_network_of_real_encoders_is_left_to_a_gpu(asked):
    key = "mosi-standardised minilm"
    assert set(plan.compared(FROZEN).values()) <= asked(key, FROZEN)
    on_a_cpu = asked(key, FROZEN, device="cpu")
    assert {one.choice("fusion", paper="mmml") for one in on_a_cpu if len(one.inputs) > 1} == {
        "concatenation"
    }


# --- the plan -----------------------------------------------------------------------------------


def test_every_setting_of_a_table_is_planned():
    planned = {tuple(key.split()) for key in PLAN}
    assert {key[0] for key in planned} <= set(datasets.DATASETS)
    tables = [p for name, p in settings.plan() if name.startswith("mmml/table") and p]
    for page in tables:
        asked = page["dataset"], page.get("encoder", ""), page.get("preset", "release")
        assert {asked[:1], asked[:2], asked} & planned, page


def test_settings_that_the_issue_names_are_planned(asked):
    assert {"raw", "meld-dev", "meld-dev-mel", "control", "control-opposite"} <= set(PLAN)
    assert {"mosi minilm", "mosi-standardised minilm"} <= set(PLAN)
    for key in ("mosi minilm", "meld minilm", "iemocap minilm"):
        assert asked(key, WORDS, device="cpu") == set(plan.windows(WORDS).values())
