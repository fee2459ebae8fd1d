"""Claims on generated labels and on the geometry of features."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from msalib.data.simulate import features
from msalib.models.extras import Geometry
from msalib.papers.sugrm import evidence_labels
from msalib.papers.sugrm.momentum import null_movement
from msalib.papers.sugrm.plan import compared
from tests.papers.sugrm.planted import (
    THREE,
    about,
    changed,
    generated,
    judged,
    lacks,
    setting,
    with_labels,
)

OURS, THEIRS = "SUGRM's", "Self-MM's"
THESE_CLIPS = "these clips only"


def followed(make, dataset="control", **fields):
    """Records of SUGRM through all epochs, with labels by seed."""
    return with_labels(setting(dataset, only=[OURS], **fields), OURS, make)


def of_both(ours, theirs):
    """Records of both label generators in one model, with labels by seed."""
    return with_labels(with_labels(setting(only=[OURS, THEIRS]), OURS, ours), THEIRS, theirs)


# --- movement -----------------------------------------------------------------------------------


def test_movement_by_chance_is_that_of_simulated_labels():
    rng = np.random.default_rng(0)
    labels = rng.uniform(-3, 3, 40_000)
    expected = null_movement(30)
    assert expected[0] is None and len(expected) == 30 and null_movement(0) == []
    for e in range(2, 31):
        moved = ((e - 1) * labels + 2 * rng.uniform(-3, 3, len(labels))) / (e + 1)
        assert np.abs(moved - labels).mean() == pytest.approx(expected[e - 1], rel=0.02)
        labels = moved
    assert expected[14] == pytest.approx(0.19, abs=0.005)  # papers/sugrm.md (b), C18
    assert expected[19] == pytest.approx(0.15, abs=0.005)


def test_labels_by_chance_move_by_005_in_epoch_60_as_the_rule_says():
    assert null_movement(60)[-1] < 0.05 <= null_movement(59)[-1]


CHANCE = np.array([v or 0 for v in null_movement(30)])


def moving(times, seed):
    """Labels that move so many times as much as by chance: a number, or one by modality."""
    by_modality = times if isinstance(times, dict) else dict.fromkeys(THREE, times)
    return generated({m: (about(t, seed) * CHANCE).tolist() for m, t in by_modality.items()})


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        (0.3, "supported"),
        (0.95, "supported"),  # any less than by chance
        (1.0, "inconclusive"),  # momentum alone
        (2.0, "contradicted"),
        ({"visual": 0.3, "acoustic": 0.3, "linguistic": 2.0}, "contradicted"),
        ({"visual": 0.3, "acoustic": 0.3, "linguistic": 1.0}, "inconclusive"),
    ],
)
def test_labels_that_settle_are_told_from_those_that_momentum_slows(times, verdict):
    evidence = judged("C18", followed(lambda seed: moving(times, seed)))
    assert evidence.verdict == verdict
    assert THESE_CLIPS in evidence.note and "mean over epochs 15 to 30" in evidence.note
    words = times["linguistic"] if isinstance(times, dict) else times
    share = evidence.effects["linguistic movement over chance"]
    assert share.effect == pytest.approx(words) and share.kind == "level"
    logs = evidence.effects["linguistic log2 of movement over chance"]
    assert logs.effect == pytest.approx(np.log2(words), abs=0.001)


def test_movement_before_epoch_15_does_not_count():
    early = np.where(np.arange(30) < 14, 5.0, 0.5) * CHANCE
    found = followed(lambda seed: generated([about(v, seed) for v in early]))
    assert judged("C18", found).verdict == "supported"


def test_labels_that_are_the_same_in_all_trainings_have_no_p():
    evidence = judged("C18", followed(lambda seed: generated((0.5 * CHANCE).tolist())))
    assert evidence.verdict == "inconclusive"
    assert "visual none, acoustic none, linguistic none" in evidence.note


def test_labels_without_enough_epochs_or_seeds():
    bare = setting(only=[OURS])
    assert lacks(judged("C18", bare), "generated labels of every epoch")
    short = followed(lambda seed: generated([0.01] * 14))
    assert lacks(judged("C18", short), "15 epochs or more")
    few = followed(lambda seed: moving(0.3, seed), seeds=4)
    assert lacks(judged("C18", few), "5 seeds of SUGRM through all epochs (4 so far)")
    elsewhere = with_labels(
        setting("mmmo-stretched", only=[OURS]), OURS, lambda seed: moving(0.3, seed)
    )
    assert lacks(judged("C18", elsewhere), "CMU-MOSI")


# --- the size of targets, and the ends of the scale ---------------------------------------------


@pytest.mark.parametrize(
    ("ours", "midway", "elsewhere", "verdict"),
    [
        (9.0, 2000, 5, "supported"),
        (9.1, 2000, 5, "contradicted"),  # SUGRM's beyond the bound
        (5.0, 6, 5, "contradicted"),  # Self-MM's within it
        (5.0, 2000, 2000, "inconclusive"),  # large, but everywhere
        (5.0, 9, 5, "inconclusive"),
    ],
)
def test_targets_that_blow_up_midway_are_found(ours, midway, elsewhere, verdict):
    found = of_both(
        lambda seed: generated(midway=ours, elsewhere=ours - seed / 10),
        lambda seed: generated(
            midway=about(midway, seed, 0.02), elsewhere=about(elsewhere, seed, 0.01)
        ),
    )
    evidence = judged("C19", found)
    assert evidence.verdict == verdict
    assert THESE_CLIPS in evidence.note
    assert f"largest target of SUGRM's in any epoch {ours:.3g}, bound 9" in evidence.note
    beyond = evidence.effects["Self-MM's midway, log10 beyond the bound"]
    assert beyond.effect == pytest.approx(np.log10(midway / 9), abs=0.001)


def test_one_target_anywhere_breaks_a_bound():
    once = {m: [None, 3.0, 9.2, *[3.0] * 27] for m in THREE}
    found = of_both(
        lambda seed: generated(largest_elsewhere=once) if seed == 3 else generated(),
        lambda seed: generated(midway=about(2000, seed)),
    )
    assert judged("C19", found).verdict == "contradicted"


def test_older_records_do_not_tell_the_size_midway():
    new, old = (lambda seed: generated()), (lambda seed: generated(midway=None))
    for ours, theirs in ((old, new), (new, old)):
        evidence = judged("C19", of_both(ours, theirs))
        assert lacks(evidence, "the size of targets midway, which older records lack")


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [(0.9, 0.2, "supported"), (0.2, 0.9, "contradicted"), (0.5, 0.5, "inconclusive")],
)
def test_targets_at_the_ends_of_the_scale_are_counted(ours, theirs, verdict):
    found = of_both(
        lambda seed: generated(clamped=about(ours, seed)),
        lambda seed: generated(clamped=about(theirs, -seed % 5)),
    )
    evidence = judged("X3", found)
    assert evidence.verdict == verdict
    assert THESE_CLIPS in evidence.note
    difference = evidence.effects["share at the ends, difference"]
    assert difference.effect == pytest.approx(ours - theirs, abs=0.01)


def test_both_generators_are_needed_with_five_seeds():
    alone = followed(lambda seed: generated())
    few = [r for r in of_both(*[lambda seed: generated()] * 2) if r.spec.seed > 0]
    for claim in ("C19", "X3"):
        assert lacks(judged(claim, alone), "runs of SUGRM with Self-MM's labels"), claim
        assert lacks(judged(claim, few), "5 seeds of SUGRM with SUGRM's labels"), claim


# --- the truth ----------------------------------------------------------------------------------


@pytest.fixture
def story(monkeypatch):
    """Simulated clips with a sentiment of each modality, of which the label is the mean."""
    rng = np.random.default_rng(0)
    sentiment = {m: rng.uniform(-3, 3, 80) for m in THREE}
    ids = [f"clip{i}" for i in range(80)]
    label = np.mean(list(sentiment.values()), axis=0)
    clips = pd.DataFrame({"label": label}, index=ids)
    corpus = SimpleNamespace(utterances=clips, truth={"sentiment": sentiment})
    evidence_labels.true_sentiment.cache_clear()
    monkeypatch.setattr(features, "story", {"control": corpus}.get)
    yield corpus
    evidence_labels.true_sentiment.cache_clear()


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("true", "supported"),
        ("copied", "inconclusive"),
        ("one copied", "inconclusive"),  # the others are nearer to the truth
        ("noise", "contradicted"),
        ("one noise", "contradicted"),
    ],
)
def test_generated_labels_are_compared_with_the_true_ones_of_the_control(kind, verdict, story):
    clips = story.utterances[:60]  # those of the training part
    label, ids = clips["label"].to_numpy(), clips.index.tolist()
    rng = np.random.default_rng(0)

    def last(m):
        copied, noise = label, rng.normal(size=60)
        true = story.truth["sentiment"][m][:60] + label + noise
        of_one = {"one copied": copied, "one noise": noise}
        if kind in of_one:
            return of_one[kind] if m == "visual" else true
        return {"true": true, "copied": copied, "noise": noise}[kind]

    def make(seed):
        made = {m: [[0.0] * 60, last(m).tolist()] for m in THREE}
        return generated(made=made, id=ids, video=ids, given=label.tolist())

    evidence = judged("C21", followed(make))
    assert evidence.verdict == verdict
    assert list(evidence.effects)[:3] == ["visual difference", "visual generated", "visual clip's"]
    assert THESE_CLIPS in evidence.note


def test_labels_that_are_all_the_same_have_no_correlation(story):
    ids, given = story.utterances.index.tolist(), story.utterances["label"].tolist()
    made = {m: [[0.0] * 80, [1.0] * 80] for m in THREE}
    found = followed(lambda seed: generated(made=made, id=ids, video=ids, given=given))
    evidence = judged("C21", found)
    assert evidence.verdict == "inconclusive"
    assert "undefined (labels all the same) for visual, acoustic, linguistic" in evidence.note


def test_generated_labels_without_truth_are_not_judged():
    real = followed(lambda seed: generated(), "mosi-standardised")
    assert lacks(judged("C21", real), "labels of each modality by humans")
    assert lacks(judged("C21", setting(only=[OURS])), "every epoch")


# --- geometry -----------------------------------------------------------------------------------


def with_geometry(first, selected, **fields):
    """Records of SUGRM with these correlations of distances, which differ from seed to seed."""

    def drawn(value, seed):
        return value and about(value, seed)

    return changed(
        setting(only=["SUGRM"], **fields),
        compared(THREE)["SUGRM"],
        lambda r: {
            "geometry": Geometry(
                first=drawn(first, r.spec.seed), selected=drawn(selected, 4 - r.spec.seed)
            )
        },
    )


@pytest.mark.parametrize(
    ("first", "selected", "verdict"),
    [
        (0.2, 0.7, "supported"),
        (0.1, 0.3, "supported"),  # how high it is decides nothing
        (0.7, 0.7, "inconclusive"),  # not by training
        (0.7, 0.3, "contradicted"),
        (None, 0.7, "inconclusive"),
    ],
)
def test_distances_that_training_aligns_are_found(first, selected, verdict):
    evidence = judged("C20", with_geometry(first, selected))
    assert evidence.verdict == verdict
    assert THESE_CLIPS in evidence.note
    undefined = "undefined (features all the same) in 5 of 10 cases"
    assert (undefined in evidence.note) == (first is None)
    chosen = evidence.effects["chosen epoch"]
    assert chosen.effect == pytest.approx(selected) and chosen.kind == "level"


def test_distances_that_are_not_on_record_are_named():
    assert lacks(judged("C20", setting(only=["SUGRM"])), "distances of features")
    assert lacks(judged("C20", with_geometry(0.2, 0.7, seeds=4)), "5 seeds of SUGRM (4 so far)")
