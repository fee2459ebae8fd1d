"""Generated labels over epochs: numbers against plain loops, and what tables and figures say."""

import numpy as np
import pytest

from msalib.data.simulate.features import control
from msalib.evidence import registry
from msalib.models.extras import GeneratedLabels, Geometry
from msalib.pages.tables import Note
from msalib.papers.sugrm import clip_chooser, clips, labels, momentum, plan, truth
from msalib.papers.sugrm import figures_labels as figures
from msalib.runs.query import Runs
from msalib.runs.records import Record
from tests.factory import make_record, predictions
from tests.html import read

SETTING = "control: a <small> corpus & more"
WHOLE = {"visual": 1, "acoustic": 1}
EPOCHS = 16
CLIPS = 60


def model(chosen) -> tuple[dict, dict]:
    """Settings of a system as a specification holds them."""
    choices = dict(chosen.choices)
    inside = {k: v for k, v in choices.items() if k in ("family", "recalibration", "sequence")}
    outside = {"tasks": "tasks_all", "stop": "early", "generator": "own_ulgm", "loss": "l1"}
    return {"family": "sugrm"} | inside, outside | {
        k: v for k, v in choices.items() if k not in inside
    }


def generated(ids, annotated, rng, *, sign: float, modalities=WHOLE) -> GeneratedLabels:
    """Labels that go from the annotated ones to ``sign`` times these."""
    share = np.linspace(0, 1, EPOCHS)[:, None]
    made = {
        m: annotated * (1 + share * (sign - 1)) + 0.01 * rng.normal(size=(EPOCHS, len(ids)))
        for m in modalities
    }
    known = [0.5] * (EPOCHS - 1)
    return GeneratedLabels(
        id=list(ids),
        video=[name.split("_")[0] for name in ids],
        given=annotated.tolist(),
        movement={m: [None, *known] for m in modalities},
        drift={m: [None, None, *known[1:]] for m in modalities},
        clamped={m: [None, *known] for m in modalities},
        percentile={m: [None, *[8.5] * (EPOCHS - 1)] for m in modalities},
        made={m: values.tolist() for m, values in made.items()},
    )


OF = {3: "control", 2: "mmmo-stretched", 1: "mosei"}
"""By the number of modalities, a data set that has as many."""


def records(ids=None, given=None, *, seeds=2, whole=WHOLE) -> list[Record]:
    rng = np.random.default_rng(0)
    ids = [f"v{i // 6}_{i % 6}" for i in range(CLIPS)] if ids is None else list(ids)
    given = rng.uniform(-3, 3, len(ids)).round(1) if given is None else given
    parts = dict.fromkeys(("valid", "test"), predictions([-1, 0, 1], [-1, 0, 1], "abc"))
    named = plan.followed(whole) | {"SUGRM": plan.compared(whole)["SUGRM"]}
    found = []
    for name, wanted in named.items():
        settings, train = model(wanted)
        for seed in range(seeds):
            about = {"paper": "sugrm", "dataset": OF[len(whole)], "model": settings, "train": train}
            record = make_record(dict(wanted.inputs), seed, parts=parts, **about)
            sign = -1 if name == "SUGRM's" else 0.9
            update = {"geometry": Geometry(first=0.1, selected=0.3 - 0.4 * seed)}
            if name != "SUGRM":
                update |= {"labels": generated(ids, given, rng, sign=sign, modalities=whole)}
            found.append(record.model_copy(update=update))
    return found


@pytest.fixture(scope="module")
def corpus():
    return control(videos=12, frames=(4, 6))


@pytest.fixture(scope="module")
def runs():
    return Runs(records())


@pytest.fixture(scope="module")
def known(corpus):
    """Runs whose training clips are those of a corpus with its truth."""
    whole = dict.fromkeys(corpus.features, 1)
    rows = corpus.rows("train", "standard")
    ids = corpus.utterances.index[rows]
    return Runs(records(ids, corpus.utterances["label"].to_numpy()[rows], whole=whole))


def note(shown) -> str:
    assert isinstance(shown, Note)
    return read(shown).text


# --- numbers ------------------------------------------------------------------------------------


def test_labels_of_all_seeds_lie_in_one_array(runs):
    found = labels.histories(runs)
    assert list(found) == ["SUGRM's", "Self-MM's"]
    own = found["SUGRM's"]
    assert own.generated["visual"].shape == (2, EPOCHS, CLIPS) and own.epochs == EPOCHS
    assert np.isnan(own.movement["visual"][:, 0]).all() and own.movement["visual"][0, 1] == 0.5
    assert own.at((1, 5, 30)) == [1, 5, EPOCHS]


def test_without_runs_through_all_epochs_there_is_nothing(corpus):
    usual = [r for r in records() if r.extras.labels is None]
    found = labels.histories(Runs(usual))
    assert found == {}
    assert "by place" in note(labels.midway(found, setting=SETTING))
    for table in (labels.settling, labels.limits, labels.turned):
        assert "no labels were generated" in note(table(found, setting=SETTING))
    for table in (clips.samples, clips.order_and_offsets):
        assert "no labels were generated" in note(table(Runs(usual), setting=SETTING))
    assert truth.nearness(found, corpus) is None


def test_nearness_is_that_of_plain_formulas():
    rng = np.random.default_rng(1)
    given, true = rng.normal(size=(2, 50))
    values = rng.normal(size=(3, 4, 50))
    near = truth.near_to(values, true, given)

    def rest(values):
        return values - np.polyval(np.polyfit(given, values, 1), given)

    for place in np.ndindex(3, 4):
        one = values[place]
        assert near["corr"][place] == pytest.approx(np.corrcoef(one, true)[0, 1])
        assert near["mae"][place] == pytest.approx(abs(one - true).mean())
        beyond = np.corrcoef(rest(one), rest(true))[0, 1]
        assert near["beyond"][place] == pytest.approx(beyond)


def test_a_copy_knows_nothing_beyond_the_annotated_label():
    given, true = np.random.default_rng(1).normal(size=(2, 50))
    assert np.isnan(truth.near_to(given, true, given)["beyond"])
    assert np.isnan(truth.near_to(2 * given + 1, true, given)["beyond"])


def test_random_labels_follow_the_closed_form_and_move_like_the_null():
    given = tuple(np.linspace(-3, 3, 400))
    made = momentum.random_labels(given, 30)
    assert made.shape == (momentum.DRAWS, 30, 400)
    np.testing.assert_array_equal(made[:, 0], np.broadcast_to(given, made[:, 0].shape))
    assert abs(made).max() <= 3
    moved = abs(np.diff(made, axis=1)).mean((0, 2))
    null = np.array(momentum.null_movement(30), float)
    np.testing.assert_allclose(moved[4:], null[5:], rtol=0.03)


# --- tables -------------------------------------------------------------------------------------


def test_settling_stands_beside_random_labels(runs):
    table = labels.settling(labels.histories(runs), setting=SETTING)
    assert SETTING in read(table).text
    rows = table.frame.set_index(["labels", "modality"])
    null = momentum.null_movement(EPOCHS)
    assert rows.loc[("random", "any"), "S, epoch 15"] == f"{null[14]:.3f}"
    assert rows.loc[("SUGRM's", "visual"), "S, epoch 15"].startswith("0.500")
    assert rows.loc[("SUGRM's", "visual"), "R, epoch 4"].startswith("0.500")
    assert list(table.frame)[2:4] == ["S, epoch 5", "S, epoch 10"]


def test_limits_and_sides(runs):
    found = labels.histories(runs)
    rows = labels.limits(found, setting=SETTING).frame
    assert set(rows["at the ends, epoch 15"]) == {"50%\u00a0±\u00a00%"}
    assert set(rows["99th percentile, epoch 2"]) == {"8.50\u00a0±\u00a00.00"}
    rows = labels.turned(found, setting=SETTING).frame.set_index("labels")
    last = rows[f"other side, epoch {EPOCHS}"]
    assert all(float(text.split("%")[0]) > 95 for text in last["SUGRM's"])
    assert all(float(text.split("%")[0]) < 5 for text in last["Self-MM's"])
    assert all(rows["Corr with other modalities, last epoch"].str.startswith("1.00"))
    assert rows["Corr with the annotated label, last epoch"]["SUGRM's"].iloc[0].startswith("-1.00")


def test_targets_midway_stand_beside_the_others(runs):
    assert "by place" in note(labels.midway(labels.histories(runs), setting=SETTING))  # older
    sizes = {"largest_midway": [None, 10.0, 1000.0], "largest_elsewhere": [None, 2.0, 2.0]}
    told = [
        r.model_copy(update={"labels": r.extras.labels.model_copy(update=by_modality(sizes))})
        if r.extras.labels
        else r
        for r in records()
    ]
    for r in told:
        r.__dict__.pop("extras", None)  # read before the change, and copied with it
    table = labels.midway(labels.histories(Runs(told)), setting=SETTING)
    assert len(table.frame) == 2 * len(WHOLE)
    columns = ["midway, typical", "midway, largest", "elsewhere, typical", "elsewhere, largest"]
    for row in table.frame[columns].to_numpy():
        assert row.tolist() == ["100", "1,000", "2", "2"]
    assert SETTING in table.caption


def by_modality(sizes):
    return {field: dict.fromkeys(WHOLE, values) for field, values in sizes.items()}


def test_one_modality_has_none_to_agree_with():
    alone = labels.histories(Runs(records(whole={"linguistic": 1})))
    rows = labels.turned(alone, setting=SETTING).frame
    assert set(rows["Corr with other modalities, last epoch"]) == {"-"}


def test_distances_count_the_seeds_in_which_they_rise(runs):
    (row,) = labels.distances(runs, setting=SETTING).frame.to_dict("records")
    assert row["system"] == "SUGRM" and row["higher in"] == "1 of 2 seeds"
    bare = [r.model_copy(update={"geometry": None}) for r in records()]
    assert "distances" in note(labels.distances(Runs(bare), setting=SETTING))


def test_what_labels_are_worth_on_the_control(known, corpus):
    near = truth.nearness(labels.histories(known), corpus)
    table = truth.nearness_table(near, setting=SETTING)
    rows = table.frame.set_index(["modality", "labels"])
    assert len(rows) == 3 * 4
    train = corpus.rows("train", "standard")
    label = corpus.utterances["label"].to_numpy()[train]
    for m in corpus.features:
        sentiment = corpus.truth["sentiment"][m][train]
        copied = rows.loc[(m, truth.COPY)]
        assert copied["MAE to the truth"] == f"{abs(label - sentiment).mean():.3f}"
        assert copied["Corr beyond the annotated label"] == "none"
        assert rows.loc[(m, "SUGRM's"), "Corr with the truth"].startswith("-0.")
    text = note(truth.nearness_note(near))
    assert "SUGRM's labels against a copy of the annotated label" in text
    assert "higher in 0, lower in 3, undecided in 0" in text and "farther from it in 3" in text


def test_with_one_seed_all_is_undecided(corpus):
    rows = corpus.rows("train", "standard")
    given = corpus.utterances["label"].to_numpy()[rows]
    whole = dict.fromkeys(corpus.features, 1)
    one = Runs(records(corpus.utterances.index[rows], given, seeds=1, whole=whole))
    near = truth.nearness(labels.histories(one), corpus)
    assert "higher in 0, lower in 0, undecided in 3" in note(truth.nearness_note(near))
    assert "[" not in truth.nearness_table(near, setting=SETTING).frame.iloc[0, 2]


def test_real_data_have_no_truth(runs):
    for shown in (
        truth.nearness_table(None, setting=SETTING),
        truth.nearness_note(None),
        truth.clips_that_look_right(runs, None, setting=SETTING),
        figures.nearness(None, setting=SETTING),
    ):
        assert "cannot be known" in note(shown)


# --- Table 5 ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mosi():
    ids = [*clips.SAMPLES.values(), *(f"other_{i}" for i in range(20))]
    given = np.array([0.8, -0.8, 0.2, 1.8, *np.linspace(-3, 3, 20)])
    return Runs(records(ids, given))


def test_the_printed_clips_stand_beside_ours(mosi):
    frame = clips.samples(mosi, setting=SETTING).frame
    assert len(frame) == 3 * 4
    first = frame[frame["sample"] == "1"].set_index("whose")
    assert first.loc["printed labels", ["multimodal", "linguistic", "acoustic"]].tolist() == [
        "0.8",
        "0.6",
        "0.9",
    ]
    assert first.loc[f"our labels, epoch {EPOCHS}", "multimodal"] == "0.8"
    assert first.loc[f"our labels, epoch {EPOCHS}", "acoustic"].startswith("-0.")
    assert first.loc[f"our labels, epoch {EPOCHS}", "linguistic"] == "-"


def test_four_clips_stand_beside_all(mosi, runs):
    rows = clips.order_and_offsets(mosi, setting=SETTING).frame.set_index("what")
    row = rows.loc["acoustic label above the annotated label"]
    assert row["printed, 4 clips"] == "75%"
    far = rows.loc[
        "distance of the acoustic label from the annotated label (points)", "printed, 4 clips"
    ]
    assert far == f"{np.mean([0.1, 0.8, 0.5, 0.3]):.2f}"
    crossed = rows.loc["acoustic label on the other side of zero from the annotated label"]
    assert crossed["printed, 4 clips"] == "0%"
    assert float(crossed["ours, all training clips"].split("%")[0]) > 90
    assert "not in this data set" in clips.order_and_offsets(runs, setting=SETTING).caption
    assert "four clips of CMU-MOSI" in note(clips.samples(runs, setting=SETTING))


def test_clips_that_look_right_are_counted(known, corpus):
    frame = truth.clips_that_look_right(known, corpus, setting=SETTING).frame.set_index("labels")
    assert list(frame.index) == ["SUGRM's", "Self-MM's", "random"]
    rows = corpus.rows("train", "standard")
    given = corpus.utterances["label"].to_numpy()[rows]
    for name, own in labels.histories(known).items():
        right = np.ones((2, len(rows)), bool)
        for m, made in own.generated.items():
            true = corpus.truth["sentiment"][m][rows]
            right &= abs(made[:, -1] - true) < abs(given - true)
        mean = right.sum(1).mean()
        assert frame.loc[name, "clips that look right"].startswith(f"{mean:.0f}\u00a0±")


# --- figures ------------------------------------------------------------------------------------


def test_figures_are_told_in_words(runs, known, corpus):
    found = labels.histories(runs)
    near = truth.nearness(labels.histories(known), corpus)
    pictures = [
        figures.label_histograms(found, "SUGRM's", labels.SHOWN, setting=SETTING),
        figures.label_movement(found, momentum.null_movement(EPOCHS), setting=SETTING),
        figures.targets_at_limit(found, setting=SETTING),
        figures.nearness(near, setting=SETTING),
    ]
    for picture in pictures:
        page = read(picture)
        assert SETTING in page.text and len(picture.alt) > 60 and "nan" not in picture.alt
    assert "in epoch 15, random 0.19" in pictures[1].alt
    assert "50% at the ends in the last epoch" in pictures[2].alt


def test_without_labels_figures_are_sentences():
    null = momentum.null_movement(5)
    assert "No run" in note(figures.label_histograms({}, "SUGRM's", (1,), setting=SETTING))
    assert "No run" in note(clip_chooser.clip_chooser({}, setting=SETTING))
    assert "No run" in note(figures.label_movement({}, null, setting=SETTING))
    assert "No run" in note(figures.targets_at_limit({}, setting=SETTING))


def test_one_clip_is_shown_and_the_others_wait(mosi):
    found = labels.histories(mosi)
    first = list(clips.SAMPLES.values())
    chooser = clip_chooser.clip_chooser(found, setting=SETTING, first=first)
    page = read(chooser)
    groups = [a for a in page.attributes("g") if "data-clip" in a]
    assert [a["data-clip"].split()[0] for a in groups[:4]] == first
    assert len(groups) == 24 and ["display" in a for a in groups] == [False, *[True] * 23]
    assert groups[0]["data-told"] in page.text  # whether or not a script runs
    assert "Clip Clx4VXItLTE_25: annotated label +0.8; SUGRM's labels end at" in page.text
    lines = page.attributes("polyline")
    assert len(lines) == 24 * 2 * 2
    assert {len(line["points"].split()) for line in lines} == {EPOCHS}
    (figure,) = page.attributes("figure")
    assert f'getElementById("{figure["id"]}")' in chooser._repr_html_()


def test_many_clips_are_thinned_out():
    given = np.linspace(-3, 3, 500)
    runs = Runs(records([f"clip_{i}" for i in range(500)], given, seeds=1))
    chooser = clip_chooser.clip_chooser(labels.histories(runs), setting=SETTING)
    assert len(chooser.clips) == clip_chooser.CLIPS_OFFERED
    assert chooser.clips[0] == 0 and chooser.clips[-1] == 499
    assert f"{clip_chooser.CLIPS_OFFERED} of the 500 training clips" in chooser.caption


def test_the_claims_of_the_pages_are_in_the_registry():
    wanted = {"SUGRM-C15", "SUGRM-C18", "SUGRM-C19", "SUGRM-C20", "SUGRM-C21"}
    wanted |= {"SUGRM-C23", "SUGRM-C24"}
    assert {claim.id for claim in registry.claims("sugrm", wanted)} == wanted
