"""Table 1 of CMT: the identity between yes-or-no accuracies and WA, answers, folds."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data.metrics import classification
from msalib.pages.tables import Note
from msalib.papers.cmt import emotion, scope
from msalib.papers.cmt import tables as results
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.cmt.planted import NAMED, planted
from tests.papers.planted_systems import BAD, GOOD, as_classes

CLASSES = ("happy", "neutral", "sad", "angry")
SETTING = "iemocap: a <small> corpus"


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(stats, "RESAMPLES", 200)


def scored(seed: int, right: float) -> dict[str, float]:
    """Metrics of a model that is right on a share of the clips, by chance."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, 300, p=(0.1, 0.2, 0.3, 0.4))
    guess = np.where(rng.random(300) < right, truth, rng.integers(4, size=300))
    return classification(truth, guess, CLASSES)


@pytest.mark.parametrize("right", [0.0, 0.4, 1.0])
def test_the_errors_of_all_classes_are_twice_those_of_wa(right):
    scores = scored(1, right)
    errors, implied = emotion.identity(scores, CLASSES)
    assert errors == pytest.approx(2 * (1 - scores["wa"]), abs=1e-12)
    assert implied == pytest.approx(scores["wa"], abs=1e-12)


def of_classes(right=0.5, **changes):
    """Records of two arms on four classes, and these by name."""
    named = {name: NAMED[name] for name in (scope.SOUND, scope.TEXT)}
    made = as_classes(planted({named[scope.SOUND]: GOOD, named[scope.TEXT]: BAD},
                              dataset="iemocap", encoder="minilm"))  # fmt: skip
    chance = dict.fromkeys(("wa", "ua"), 0.25)
    for k, record in enumerate(made):
        record.metrics["test"].clear()
        record.metrics["test"].update(scored(k, right) | changes)
        record.chance.update(chance)
    return Runs(made), named


def test_our_rows_obey_the_identity_and_the_caption_says_how_far():
    runs, named = of_classes()
    printed = results.printed_rows("table1")
    table = emotion.identity_table(runs, named, printed, CLASSES, setting=SETTING)
    frame = table.frame.set_index(["row", "whose"])
    assert "ours agree to 0.00" in table.caption and SETTING in table.caption
    ours = frame.loc[scope.SOUND, "ours"]
    assert ours["errors of all classes"] == ours["twice the errors of WA"]
    assert frame.loc["JBLS", "printed"]["WA implied"] == "75.35"  # papers/cmt.md (f)
    assert frame.loc["MulT", "printed"]["WA implied"] == "49.45"
    assert frame.loc[scope.SOUND, "printed"]["WA implied minus WA"] == "0.15"
    assert "CTAL" not in frame.index.get_level_values("row")


def test_a_row_that_breaks_the_identity_is_seen():
    runs, named = of_classes(acc2_sad=0.1)
    caption = emotion.identity_table(runs, named, {}, CLASSES, setting=SETTING).caption
    assert "ours agree to 0.00" not in caption


def test_without_classes_there_is_a_note():
    table = emotion.identity_table(Runs([]), {}, {}, (), setting=SETTING)
    assert isinstance(table, Note)


def test_the_answer_has_levels_chance_and_print():
    runs, named = of_classes(right=1.0)
    printed = results.printed_rows("table1")
    text = emotion.answer(runs, named, {}, printed, setting=SETTING).text
    assert "ext alone reaches WA 100.0" in text and "a constant: 25.0 and 25.0" in text
    assert "printed: 70.2 and 70.9" in text and text.endswith(f"({SETTING}).")
    effects = results.effects(runs, named, [(scope.SOUND, scope.TEXT)])
    longer = emotion.answer(runs, named, effects, {}, setting=SETTING).text
    assert (
        "Sound alone over text alone (" in longer
        and ": better in WA" in longer
        and "printed" not in longer
    )
    none = emotion.answer(Runs([]), named, {}, {}, setting=SETTING).text
    assert none.startswith("No run of this page")


def test_folds_are_shown_pooled_and_as_a_mean(monkeypatch):
    runs, named = of_classes()
    study = Study("cmt", dataset="iemocap", profile="full", seeds=5)

    class Part:
        def __init__(self, share):
            self.share = share

        def recorded(self, systems):
            seeds = runs.records(*systems)[0]
            return [
                r.model_copy(update={"metrics": {"test": {"wa": self.share, "ua": 0.5}}})
                for r in seeds
            ]

    monkeypatch.setattr(emotion.recorded, "parts", lambda *_: [Part(0.2), Part(0.4)])
    frame = emotion.folds_table(study, runs, named, setting=SETTING).frame
    assert frame["WA, mean of folds"].tolist() == ["30.0\u00a0±\u00a00.0"] * 2
    assert frame["folds"].tolist() == [2, 2]
    monkeypatch.setattr(emotion.recorded, "parts", lambda *_: [Part(0.2)])
    assert isinstance(emotion.folds_table(study, runs, named, setting=SETTING), Note)
