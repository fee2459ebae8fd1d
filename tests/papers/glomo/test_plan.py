"""GLoMo's plan: what each data set trains, on a CPU and on a GPU, and which arms are copies."""

from itertools import product
from types import SimpleNamespace

import pytest

from msalib.data import datasets
from msalib.data.corpus import LAST_TWO, TUNED
from msalib.evidence import settings
from msalib.papers import steps
from msalib.papers.glomo import plan
from msalib.papers.glomo.plan import FACE, FULL, HALVES, PLAN, SOUND, TEXT
from msalib.runs.spec import without_usual

THREE, VOICED, SEEN = {FACE: 1, SOUND: 1, TEXT: 6}, {SOUND: 1, TEXT: 6}, {FACE: 1, SOUND: 1}
TUNED_BOTH = {SOUND: 1, TEXT: TUNED}
CORES = (FULL, "MLP_M", "Global", "Local", "MLP of as many weights", "padding masked")


class FakeStudy:
    """What a step asks of a study; all folds share the list of what is asked for."""

    def __init__(self, paper, *, layers, device, asked, split="standard"):
        self.paper, self.last_layers, self.split, self.asked = paper, layers, split, asked
        choices = {"layers": layers, "device": device, "asked": asked, "split": split}
        self.parameters = SimpleNamespace(**choices, model_dump=lambda: choices)
        self.dataset, self.corpus = SimpleNamespace(split=split), None

    def blocks(self, modality):
        return 6 if modality == TEXT else 1

    def run(self, systems):
        assert len(systems) == len(set(systems))
        self.asked += [(self.split, one) for one in systems]
        return []


@pytest.fixture
def asked(monkeypatch):
    """Return what the plan of a data set asks for, pairs of a split and a system, on a device."""
    monkeypatch.setattr(steps, "pick_device", lambda name: name)
    monkeypatch.setattr(steps.folds, "kinds", lambda corpus: ("fold", "video"))
    monkeypatch.setattr(steps.folds, "folds", lambda corpus, kind: (f"{kind}1", f"{kind}2"))

    def of(key, layers, device):
        study = FakeStudy("glomo", layers=layers, device=device, asked=[])
        for step in PLAN[key]:
            step(study)
        return set(study.asked)

    return of


def table4(whole):
    return {**plan.variants(whole), **plan.modalities(whole), **plan.ours(whole)}


def systems(whole, *tables):
    """The systems of tables: functions of the plan, or names of Table 4 and ours."""
    named = {**plan.variants(whole), **plan.ours(whole)}
    return {
        one
        for table in tables
        for one in ([named[table]] if isinstance(table, str) else table(whole).values())
    }


IN_FOLDS = {"ravdess", "nemo", "mustard"}
WORDS_FIRST = {"mosi-standardised minilm-tuned"}
"""Keys that train words alone anywhere, whatever else the clips have."""

SWEEPS = (table4, plan.locals_, plan.experts)

TRAINED = {
    "control-local planted article": (THREE, SWEEPS, (plan.cells,)),
    "control-local-opposite planted article": (
        THREE,
        (*CORES, table4, plan.locals_),
        (plan.cells,),
    ),
    "mmmo-stretched": (SEEN, (*SWEEPS, plan.cells), (plan.encoder_kept,)),
    "mmmo-stretched covarep-facet article": (SEEN, CORES, ()),
    "mosi-standardised minilm": (VOICED, (*HALVES, plan.modalities, *CORES), ()),
    "mosi-standardised minilm-tuned": (TUNED_BOTH, (), HALVES),
    "raw small": (THREE, (*CORES, plan.modalities), ()),
    "ravdess log-mel-coarse article": ({SOUND: 1}, HALVES, ()),
    "nemo log-mel-coarse article": ({SOUND: 1}, HALVES, ()),
    "mustard minilm-tuned": ({TEXT: TUNED}, (), HALVES),
}
"""Key of the plan -> layers, and what is trained there: anywhere, and on a GPU alone."""


def test_every_key_of_the_plan_is_tried_and_names_a_data_set():
    assert set(TRAINED) == set(PLAN)
    for key in PLAN:
        name, encoder, preset = [*key.split(), "", ""][:3]
        assert name in datasets.DATASETS
        assert preset in ("", "article") and (encoder or not preset)


@pytest.mark.parametrize("key", TRAINED)
def test_a_key_of_the_plan_trains_exactly_its_tables(key, asked):
    layers, anywhere, on_gpu = TRAINED[key]
    whole = layers if layers.get(TEXT, TUNED) == TUNED else layers | {TEXT: LAST_TWO}
    splits = ("fold1", "fold2") if key.split()[0] in IN_FOLDS else ("standard",)
    usual = systems({TEXT: TUNED}, *HALVES) if key in WORDS_FIRST else set()
    on_cpu = usual | systems(whole, *anywhere)
    everything = on_cpu | systems(whole, *on_gpu)
    assert asked(key, layers, "cpu") == set(product(splits, on_cpu))
    assert asked(key, layers, "cuda") == set(product(splits, everything))


def test_every_setting_of_a_page_is_planned():
    planned = {tuple(key.split()) for key in PLAN}
    pages = [p for name, p in settings.plan() if name.startswith("glomo/table") and p]
    assert pages
    for page in pages:
        if page.get("profile") == "full":
            place = page["dataset"], page.get("encoder", ""), page.get("preset", "release")
            assert {place[:1], place[:2], place} & planned, page


# --- arms ---------------------------------------------------------------------------------------

COPIES = {
    "release": {"experts in log space", "padding read"},
    "article": {"experts summed", "padding masked", "experts in log space", "padding read"},
}
"""Preset -> arms of ours that are the full model: a choice of the release cannot be asked for."""


@pytest.mark.parametrize("preset", COPIES)
def test_arms_that_a_preset_makes_anyway_are_copies_of_the_full_model(preset):
    def resolved(one):
        return without_usual(one.choices, "glomo", preset, "full", "raw")

    full = resolved(plan.variants(THREE)[FULL])
    arms = {name: resolved(one) for name, one in plan.ours(THREE).items()}
    assert {name for name, choices in arms.items() if choices == full} == COPIES[preset]
    different = [choices for choices in arms.values() if choices != full]
    assert len(different) == len(set(different))


def test_tables_share_the_full_model():
    full = plan.variants(THREE)[FULL]
    assert full == plan.modalities(THREE)["V+A+T"] == plan.locals_(THREE)[3]
    assert full == plan.experts(THREE)[3]
    assert plan.variants(SEEN)[FULL] == plan.cells(SEEN)[3, 3]
