"""Pages of MMML: arms, gains, heads, printed rows, windows, figures, notebooks on small data."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data import datasets
from msalib.evidence.arms import Arm
from msalib.models import recipes
from msalib.pages import contrasts, contrasts_figure, recorded
from msalib.pages.contrasts import Side
from msalib.pages.tables import Note
from msalib.papers.mmml import figures, gains, plan, sound, windows
from msalib.papers.mmml import tables as results
from msalib.papers.mmml.gains import CLIPS, OWN, scored
from msalib.papers.mmml.plan import SOUND, TEXT
from msalib.papers.mmml.windows import Window
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.factory import make_record, predictions
from tests.pages_run import page

SETTING = "control: a <small> corpus; release recipe, profile full, 2 seeds"
WHOLE = {SOUND: 1, TEXT: 1}
CLIPS_OF_VIDEO, VIDEOS = 6, 20


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


LABEL = np.random.default_rng(7).normal(0, 1.4, CLIPS_OF_VIDEO * VIDEOS).clip(-3, 3).round(1)
OF_WORDS = (LABEL + np.random.default_rng(8).normal(0, 1, len(LABEL))).clip(-3, 3).round(1)
VIDEO = [f"v{i // CLIPS_OF_VIDEO}" for i in range(len(LABEL))]


def made(wanted, *, noise=1.0, seeds=2, dataset="control", own=True, heads=True):
    """Records of a system: the label plus noise; its heads are the labels of words plus noise."""
    rng = np.random.default_rng(sum(map(ord, wanted.name())))
    choices = {"family": "mmml"} | dict(wanted.choices)
    family = recipes.load(choices["family"], "release", "full", dataset)
    recipe = {
        group: {k: choices.get(k, v) for k, v in values.items()} for group, values in family.items()
    }
    records = []
    for seed in range(seeds):
        guess = LABEL + noise * rng.normal(size=len(LABEL))
        read = {m: (OF_WORDS + rng.normal(size=len(LABEL)) / 4).tolist() for m, _ in wanted.inputs}
        records.append(
            make_record(
                dict(wanted.inputs),
                seed,
                parts=dict.fromkeys(("valid", "test"), predictions(LABEL, guess, VIDEO)),
                paper="mmml",
                dataset=dataset,
                profile="full",
                setting=datasets.dataset(dataset).setting(published=False),
                **recipe,
            ).model_copy(
                update={
                    "heads": read if heads else {},
                    "unimodal_labels": {TEXT: OF_WORDS.tolist()} if own else {},
                }
            )
        )
    return records


def runs_of(named):
    return Runs([record for wanted in named.values() for record in made(wanted)])


# --- what is asked for, and what records say -----------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [{"profile": "quick"}, {"profile": "full"}, {"profile": "full", "preset": "article"}],
)
def test_systems_are_found_under_the_names_that_records_have(parameters):
    study = Study("mmml", dataset="control", **parameters)
    asked = plan.compared(WHOLE) | plan.restorations(WHOLE) | plan.ablations(WHOLE)
    for name, known in recorded.resolved(study, asked).items():
        again = recorded.asked(study, known)
        assert study.spec(again, 0).hash() == study.spec(asked[name], 0).hash()
        assert study.spec(again, 0).system == known


def test_folds_of_a_data_set_without_a_split_are_read_without_the_data(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    study = Study("mmml", dataset="meld-dev", profile="full")
    assert [one.parameters.split for one in recorded.parts(study)] == [
        f"video{k}of5" for k in range(1, 6)
    ]
    assert recorded.setting(study).endswith("all folds pooled")
    assert recorded.gather(study, plan.compared(WHOLE).values()) == []
    (fold,) = recorded.parts(Study("mmml", dataset="meld-dev", split="video2of5"))
    assert fold.parameters.split == "video2of5"


def test_encoders_of_real_data_are_not_fine_tuned_for_a_page(monkeypatch):
    monkeypatch.setattr(Study, "run", lambda *_: pytest.fail("trained"))
    study = Study("mmml", dataset="mosi", encoder="minilm-tuned")
    assert recorded.gather(study, plan.compared(plan.whole_of(study)).values()) == []


def test_every_data_set_of_the_plan_is_described():
    names = {key.split()[0] for key in plan.PLAN} - {"meld-dev-mel"}
    for name in names:
        assert len(results.about(Study("mmml", dataset=name)).text) > 60
    assert names <= results.ABOUT.keys()


# --- print --------------------------------------------------------------------------------------


def test_printed_rows_are_in_our_units():
    rows = results.printed_rows("mosi-standardised", results.PLACES)
    assert rows["fusion network"].text["mae"] == "0.6429"
    assert rows["fusion network"].text["acc2_non0"] == "88.16"
    assert rows[results.RAW_SOUND].text["acc2"] == "70.99"
    assert rows["fusion network"].value["mae"] == pytest.approx(0.6429)
    assert "v1 (fused only)" not in rows  # not printed for CMU-MOSI
    assert results.printed_rows("control", results.PLACES) == {}


@pytest.mark.parametrize("exhibit", ["table1", "table2", "table3", "table4", "table6", "table8"])
def test_every_table_of_the_paper_can_be_shown(exhibit):
    frame = results.print_of(exhibit).content.frame
    assert len(frame) == len(frame.drop_duplicates(["exhibit", "dataset", "system", "variant"]))
    assert frame["exhibit"].str.startswith(exhibit).all()


def test_names_of_rows_with_a_printed_partner_are_those_of_the_plan(monkeypatch):
    monkeypatch.setattr(results, "has_own_labels", lambda study: True)
    study = Study("mmml", dataset="control", profile="full")
    monkeypatch.setattr(plan, "whole_of", lambda study: WHOLE)
    pages = (results.main, results.contexts, results.loss_arms, results.restorations)
    names = {name for page in (*pages, results.ablations) for name in page(study)}
    assert results.PLACES.keys() - {results.RAW_SOUND, sound.MEL, sound.LLD} <= names
    for one, other in [*results.CONTEXT_PAIRS, *results.LOSS_PAIRS, *results.ABLATION_PAIRS]:
        assert {one, other} <= names
    heads = results.head_arms(study, TEXT)
    assert {n for pair in results.HEAD_PAIRS for n in pair} <= {
        scored(name, label) for name in heads for label in (OWN, CLIPS)
    }


# --- gains --------------------------------------------------------------------------------------

NAMED = plan.compared(WHOLE)


def test_a_planted_gain_has_its_sign_and_its_printed_partner():
    noise = {"concatenation": 1.6, "fusion network": 0.5}
    runs = Runs([r for n, sd in noise.items() for r in made(NAMED[n], noise=sd, seeds=5)])
    effects = contrasts.effects(contrasts.sides(runs, NAMED), [("fusion network", "concatenation")])
    (by_metric,) = effects.values()
    assert contrasts.word(by_metric["mae"]) == contrasts.word(by_metric["corr"]) == "better"
    printed = results.printed_rows("mosi", NAMED)
    table = contrasts.gain_table(effects, printed, setting=SETTING).frame
    assert table["MAE, printed"].tolist() == ["-0.0002"]
    assert table["Acc-2 (non 0), printed"].tolist() == ["+0.56"]
    text = contrasts.answer(effects, setting=SETTING).text
    assert text.startswith("Fusion network over concatenation (") and ": better in MAE" in text
    picture = contrasts_figure.gain_figure(effects, setting=SETTING)
    assert contrasts.gain_text("corr", by_metric["corr"]) in picture.alt


def test_a_gain_between_settings_is_that_within_one():
    both = runs_of(NAMED)
    one, other = "concatenation", "fusion network"
    within = contrasts.gains(*(contrasts.sides(both, NAMED)[name] for name in (one, other)))
    alone = [Runs(made(NAMED[name])) for name in (one, other)]
    sides = [Side(r, Arm(NAMED[n])) for r, n in zip(alone, (one, other), strict=True)]
    between = contrasts.gains(*sides)
    for metric, contrast in within.items():
        np.testing.assert_allclose(between[metric].seeds, contrast.seeds, atol=1e-9)
        np.testing.assert_allclose(between[metric].resampled, contrast.resampled, atol=1e-9)


def test_one_seed_decides_nothing():
    runs = Runs([r for s in NAMED.values() for r in made(s, seeds=1)])
    effects = contrasts.effects(contrasts.sides(runs, NAMED), [("fusion network", "concatenation")])
    assert contrasts.word(effects["fusion network", "concatenation"]["mae"]) == "undecided"
    assert "One seed each" in contrasts.gain_table(effects, setting=SETTING).caption


def test_heads_are_scored_on_both_labels():
    named = {"three losses": NAMED["concatenation"]}
    runs = runs_of(named)
    sides = gains.head_sides(runs, named, TEXT)
    assert list(sides) == [scored("three losses", OWN), scored("three losses", CLIPS)]
    assert list(gains.head_sides(runs, named, SOUND)) == [scored("three losses", CLIPS)]
    frame = gains.head_table(sides, setting=SETTING).frame
    own, clips = (float(text.split("\u00a0")[0]) for text in frame["MAE ↓ (points)"])
    assert own < 0.3 < clips  # heads were made from the labels of words
    none = Runs(made(NAMED["concatenation"], own=False, heads=False))
    assert gains.head_sides(none, named, TEXT) == {}


def test_with_no_run_at_all_there_are_sentences():
    runs, of = Runs([]), {Window(*k): s for k, s in plan.windows(WHOLE).items()}
    notes = [
        contrasts.answer({}, setting=SETTING),
        contrasts.gain_table({}, setting=SETTING),
        gains.head_table({}, setting=SETTING),
        contrasts_figure.gain_figure({}, setting=SETTING),
        figures.window_curves(runs, of, setting=SETTING),
        windows.table(runs, of, setting=SETTING),
        windows.grid_table(runs, {}, setting=SETTING),
        sound.settings_table({}),
        sound.score_table({}, {}, setting=SETTING),
    ]
    assert all(isinstance(note, Note) for note in notes)
    assert contrasts.sides(runs, NAMED) == {} and windows.best(runs, of) == {}


# --- windows ------------------------------------------------------------------------------------


def test_windows_are_chosen_on_validation_and_compared():
    of = {Window(*key): wanted for key, wanted in plan.windows(WHOLE).items()}
    better = {of[Window("joined", 1)]: 0.4, of[Window("separate", 2)]: 0.4}
    runs = Runs([r for s in set(of.values()) for r in made(s, noise=better.get(s, 1.5))])
    best = windows.best(runs, of)
    assert best == {"joined": "1 before (joined)", "separate": "2 before (separate)"}
    assert ("2 before (separate)", "1 before (joined)") in windows.chosen(best)
    assert len(windows.by_name(of)) == 7
    frame = windows.table(runs, of, setting=SETTING).frame
    assert frame["whose"].tolist() == ["ours"] * 8 + ["chance"]
    picture = figures.window_curves(runs, of, setting=SETTING)
    assert "MAE on validation, joined: at 0" in picture.alt
    printed = windows.printed_rows("mosi", of)
    assert printed["2 before (separate)"].text["mae"] == "0.6388"
    assert printed.keys() == windows.by_name(of).keys()


def test_the_grid_of_windows_ranks_the_papers_choice():
    grid = plan.window_grid(WHOLE)
    noise = {grid[2, 1]: 0.3}
    runs = Runs([r for s in grid.values() for r in made(s, noise=noise.get(s, 1.5))])
    table = windows.grid_table(runs, grid, setting=SETTING)
    assert len(table.frame) == 4 and "number 1 of 12" in table.caption


# --- sound --------------------------------------------------------------------------------------


def test_models_of_sound_are_settings_side_by_side(monkeypatch):
    monkeypatch.setattr(sound, "has_own_labels", lambda study: True)
    models = sound.models(Study("mmml", dataset="raw"))
    assert {name: one.study.encoder for name, one in models.items()} == {
        results.RAW_SOUND: "small-tuned",
        sound.MEL: "log-mel",
        sound.LLD: "opensmile-frames",
    }
    assert dict(models[results.RAW_SOUND].system.choices) == {"labels": "copied"}
    beside = sound.models(Study("mmml", dataset="meld-dev"))
    assert beside[sound.MEL].study.parameters.dataset == "meld-dev-mel"
    assert sound.models(Study("mmml", dataset="mustard")) == {}
    assert sound.models(Study("mmml", dataset="mosi")) == {}


# --- notebooks ----------------------------------------------------------------------------------


PAGES = ["table2", "table3", "table4", "table6", "table7", "table8"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_in_profile_quick(name, small_data):
    known = _page(name)
    assert known["verdicts"] and (known["records"] or name == "table2")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_records_says_so(name, small_data):
    known = _page(name, profile="full")
    assert not known["records"]
    assert {v.evidence.verdict for v in known["verdicts"]} == {"not run"}


@pytest.mark.parametrize("dataset", ["meld-dev", "mustard", "mosi", "mosi-standardised"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_real_data_needs_no_data(name, dataset, small_data):
    assert _page(name, dataset=dataset, profile="full")["verdicts"]


def _page(name: str, **parameters) -> dict:
    """Run the cells of a notebook on a small corpus and return its variables."""
    return page("mmml", name, **{"dataset": "control", **parameters})
