"""Recipes: every value with its source, resolved by preset, profile and data set."""

from pathlib import Path

import pytest
import yaml

from msalib import models
from msalib.base.errors import UserError
from msalib.models import recipes
from msalib.models.extras import EXTRAS
from msalib.training.regime import Part, Regime

FILES = sorted(Path(recipes.__file__).parent.glob("*.yaml"))
SETTINGS = [
    (preset, profile, dataset)
    for preset in recipes.PRESETS
    for profile in recipes.PROFILES
    for dataset in ("control", "mosi", "mosei")
]


NAMES = [path.stem for path in FILES]


def test_every_recipe_is_a_papers_or_a_baselines_or_belongs_to_a_paper():
    assert recipes.known() == NAMES
    papers, baselines = recipes.papers(), recipes.baselines()
    assert {"uegd", "sugrm"} <= set(papers)
    assert not set(papers) & set(baselines)
    for name in set(NAMES) - set(papers) - set(baselines):
        assert yaml.safe_load(FILES[NAMES.index(name)].read_text())["belongs_to"] in papers


def test_every_recipe_has_a_model_beside_it_and_a_type_of_extras_has_a_model():
    for path in FILES:
        assert path.with_suffix(".py").is_file()
    assert set(EXTRAS) <= set(NAMES)


@pytest.mark.parametrize("paper", recipes.papers())
def test_choices_are_settings_of_the_recipe_at_their_usual_values(paper):
    usual = recipes.choices(paper)
    recipe = recipes.load(paper, "release", "full", "mosi")
    settings = recipe["model"] | recipe["train"]
    assert usual and {name: str(settings[name]) for name in usual} == usual


def test_a_namespace_without_a_recipe_varies_the_family_and_its_rates():
    assert recipes.choices("baselines") == {"family": "", "rates": "features"}


@pytest.mark.parametrize("paper", NAMES)
@pytest.mark.parametrize(("preset", "profile", "dataset"), SETTINGS)
def test_every_recipe_fits_its_model_and_the_training(paper, preset, profile, dataset):
    recipe = recipes.load(paper, preset, profile, dataset)
    assert set(recipe) == {"model", "train"}
    module = models.module(paper)
    config = module.Config(**recipe["model"])
    assert config.model_dump() == recipe["model"]  # as written: no number was converted
    training = module.Training(**recipe["train"])
    assert training.model_dump() == recipe["train"]
    assert isinstance(training.regime(), Regime)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_value_has_a_source_and_every_override_something_to_override(path):
    document = yaml.safe_load(path.read_text())
    layers = ("release", "article", "quick")
    assert set(document) - {"choices", "belongs_to"} == set(layers)
    for layer in layers:
        for group, entries in document[layer].items():
            for name, entry in entries.items():
                assert set(entry) == {"value", "source"}, name
                assert len(entry["source"]) > 3, name
                if layer != "release":
                    assert name in document["release"][group]


def test_the_release_recipe_of_uegd():
    """papers/uegd.md (c) and (d)."""
    recipe = recipes.load("uegd", "release", "full", "mosi")
    assert recipe["model"] == {
        "hidden_size": 128,
        "embedding_size": 64,
        "attention_heads": 4,
        "dropout": 0.2,
        "fusion": "gate",
    }
    assert recipe["train"] == {
        "epochs": 50,
        "batch_size": 16,
        "learning_rate": 1e-4,
        "warmup_epochs": 10,
        "warmup_learning_rate": 1e-5,
        "min_learning_rate": 1e-5,
        "validation_loss": "batch_mean",
        "patience": None,
        "feature_masks": 10,
        "feature_mask_share": 0.02,
        "time_masks": 2,
        "time_mask_share": 0.2,
    }
    mosei = recipes.load("uegd", "release", "full", "mosei")
    assert (mosei["model"]["hidden_size"], mosei["model"]["embedding_size"]) == (256, 128)
    assert mosei["train"] == recipe["train"]


def test_the_papers_text_differs_where_it_speaks():
    """papers/uegd.md (g) 4 and 5."""
    release = recipes.load("uegd", "release", "full", "mosi")
    paper = recipes.load("uegd", "article", "full", "mosi")
    assert paper["model"] == release["model"]
    differs = {name for name, value in paper["train"].items() if value != release["train"][name]}
    assert differs == {
        "validation_loss",
        "patience",
        "feature_masks",
        "feature_mask_share",
        "time_masks",
    }


def test_the_release_recipe_of_sugrm():
    """papers/sugrm.md (e)."""
    mosi, mosei = (recipes.load("sugrm", "release", "full", name) for name in ("mosi", "mosei"))
    rates = ["learning_rate_text", "learning_rate_sequence", "learning_rate_other"]
    decays = ["weight_decay_text", "weight_decay_sequence", "weight_decay_other"]
    assert [mosi["train"][name] for name in rates] == [5e-5, 5e-4, 1e-2]
    assert [mosei["train"][name] for name in rates] == [5e-5, 5e-4, 1e-3]
    assert [mosi["train"][name] for name in decays] == [1e-3, 1e-3, 1e-3]
    assert [mosei["train"][name] for name in decays] == [1e-3, 1e-3, 1e-2]
    assert [mosi["train"][n] for n in ("batch_size", "accumulation", "patience")] == [32, 4, 8]
    dropouts = [f"{place}_dropout" for place in ("embed", "residual", "relu", "head")]
    assert [mosi["model"][name] for name in dropouts] == [0.3, 0.3, 0.3, 0.3]
    assert [mosei["model"][name] for name in dropouts] == [0.2, 0.1, 0.1, 0.1]
    sizes = [[r["model"][n] for n in ("heads", "layers", "width")] for r in (mosi, mosei)]
    assert sizes == [[8, 4, 32], [4, 4, 32]]


def test_the_text_of_sugrm_differs_where_the_specification_lists_it():
    """papers/sugrm.md (g) 1 to 7."""
    release, text = (recipes.load("sugrm", preset, "full", "mosi") for preset in recipes.PRESETS)
    differs = {
        group: {n: v for n, v in text[group].items() if v != release[group][n]} for group in text
    }
    assert differs == {
        "model": {"shift": "phase", "head": "paper"},
        "train": {
            "accumulation": 1,
            "learning_rate_sequence": 1e-2,
            "extremes": "unique",
            "zero": "neither",
            "targets": "free",
        },
    }


def test_quick_changes_sizes_and_rates_only():
    full = recipes.load("uegd", "release", "full", "control")
    quick = recipes.load("uegd", "release", "quick", "control")
    flat, flat_quick = ({**r["model"], **r["train"]} for r in (full, quick))
    assert {name for name in flat if flat[name] != flat_quick[name]} == {
        "hidden_size",
        "embedding_size",
        "epochs",
        "learning_rate",
        "warmup_epochs",
        "warmup_learning_rate",
        "min_learning_rate",
    }


def test_the_table_shows_the_source_of_the_value_that_counts():
    entry = recipes.table("uegd", "article", "quick", "mosi")
    assert entry["train"]["epochs"]["source"] == "ours, for speed"
    assert entry["train"]["patience"]["source"].startswith("sec. 4.2")
    assert entry["model"]["dropout"] == {
        "value": 0.2,
        "source": "sec. 4.2; after every ReLU, papers/uegd.md (c)",
    }


@pytest.mark.parametrize(
    ("preset", "profile", "message"),
    [
        ("published", "full", "preset 'published': found no such preset; .* release, article"),
        ("release", "slow", "profile 'slow': found no such profile; .* quick, full"),
    ],
)
def test_unknown_names_are_refused_with_those_there_are(preset, profile, message):
    with pytest.raises(UserError, match=message):
        recipes.load("uegd", preset, profile, "mosi")


@pytest.mark.parametrize("paper", ["nobody", "../recipes/uegd", ""])
def test_a_paper_without_a_recipe_is_refused_with_those_that_have(paper):
    with pytest.raises(UserError, match=r"found no recipe of it; expected one of .*sugrm.* uegd"):
        recipes.load(paper, "release", "full", "mosi")


# --- regimes ------------------------------------------------------------------------------------


def test_the_regime_of_sugrm():
    """papers/sugrm.md (e): four batches to a step, patience 8, a rate and a decay per part."""
    recipe = recipes.load("sugrm", "release", "full", "mosi")["train"]
    regime = models.module("sugrm").Training(**recipe).regime()
    assert (regime.epochs, regime.batch_size, regime.accumulation) == (100, 32, 4)
    assert (regime.patience, regime.improvement, regime.ties) == (8, 1e-6, "earlier")
    assert regime.parts == {
        "text": Part(5e-5, 1e-3, spared=True),
        "sequence": Part(5e-4, 1e-3),
        "other": Part(1e-2, 1e-3),
    }
    assert regime.precision == "float32"  # that of the recipe is the text encoder's alone
    every = models.module("sugrm").Training(**recipe | {"stop": "all_epochs"}).regime()
    assert (every.epochs, every.patience) == (30, None)


def test_the_parts_of_self_mm():
    recipe = recipes.load("self_mm", "release", "full", "mosei")["train"]
    parts = models.module("self_mm").Training(**recipe).regime().parts
    assert parts == {
        "text": Part(5e-5, 1e-3, spared=True),
        "acoustic": Part(5e-3, 0.0),
        "visual": Part(1e-4, 0.0),
        "other": Part(1e-3, 1e-2),
    }
