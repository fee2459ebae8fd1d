"""Experts, vectors and pieces of GLoMo on planted records; figures; a run trained again."""

import numpy as np
import pytest
import torch

from msalib.data.simulate import pieces
from msalib.models.pieces import Stretches
from msalib.pages import recorded
from msalib.pages.tables import Note
from msalib.papers.glomo import contents, figures, looks, plan, vectors
from msalib.papers.glomo.plan import FULL, SOUND, TEXT
from msalib.runs.query import Runs
from msalib.runs.study import Study
from tests.papers.glomo.planted_pages import LABEL, SETTING, WHOLE, made

NAMED = looks.balanced(WHOLE)
RUNS = Runs(made(NAMED[FULL], load=(0.4, 0.3, 0.3)) + made(NAMED["no balance losses"]))

# --- experts ------------------------------------------------------------------------------------


def test_dead_experts_are_those_without_validation_clips():
    assert looks.dead(made(NAMED[FULL], seeds=1)) == (3, 9, 3)  # one of three in each modality
    # An expert that is second on every clip is never first, and not dead.
    assert looks.dead(made(NAMED[FULL], seeds=1, load=(0.4, 0.3, 0.3))) == (0, 9, 3)
    frame = looks.balance_table(RUNS, NAMED, setting=SETTING).frame
    assert [v for v in frame["dead"] if v] == ["0 of 18", "6 of 18"]
    assert "no balance losses: 6 of 18" in looks.balance_answer(RUNS, NAMED, setting=SETTING).text
    assert "last epoch 40%" in figures.load_figure(RUNS, NAMED, setting=SETTING).alt


def test_what_an_expert_takes_is_shown_with_lengths_words_and_kinds():
    record = looks.first(RUNS, NAMED[FULL])
    table = looks.taken_table(record, None, setting=SETTING)
    below = f"{(LABEL < 0).sum()} ({(LABEL < 0).mean():.0%})"
    assert table.frame["test clips"][0] == below and len(table.frame) == 6
    assert table.frame["label"][0].startswith("-") and "+" not in "".join(table.frame["label"])
    corpus = pieces.pieces(videos=30)
    ids = corpus.utterances.index[: len(LABEL)]
    texts = ["good film" if y > 0 else "bad film" for y in LABEL]
    corpus.utterances.loc[ids, "text"] = texts
    clips = record.predictions["test"].model_copy(update={"id": list(ids)})
    placed = record.model_copy(update={"predictions": {"test": clips}})
    frame = looks.taken_table(placed, corpus, setting=SETTING).frame
    words = frame[frame["modality"] == TEXT]["words"].tolist()
    assert words[0].startswith("bad") and words[1].startswith("good")
    assert "1: " in frame["planted kinds"][0] and frame["frames"].str.len().all()


def test_words_that_are_everywhere_are_not_typical():
    texts = [["a", "x"]] * 6 + [["a", "y"]] * 6
    assert looks.typical(texts, np.arange(12) < 6) == ["x"]


def test_numbers_on_vectors_come_from_records():
    spaces = looks.space_table(RUNS, NAMED, setting=SETTING).frame
    assert spaces["clusters"].str.startswith("3.00").all() and len(spaces) == 6
    assert "0.90" in looks.space_answer(RUNS, NAMED[FULL], setting=SETTING).text
    named = {n: s for n, s in plan.variants(WHOLE).items() if n in (FULL, "MLP_M")}
    runs = Runs(made(named[FULL], noise=1.0) + made(named["MLP_M"], noise=2.0))
    frame = looks.fused_table(runs, named, setting=SETTING).frame
    assert frame["linear probe (%)"].str[:4].tolist() == ["90.0", "80.0"]
    assert "GLoMo (90.0" in looks.fused_answer(runs, named, setting=SETTING).text


def test_with_no_run_at_all_there_are_sentences():
    none = Runs([])
    notes = [
        looks.balance_table(none, NAMED, setting=SETTING),
        looks.balance_answer(none, NAMED, setting=SETTING),
        looks.taken_table(None, None, setting=SETTING),
        looks.space_table(none, NAMED, setting=SETTING),
        looks.space_answer(none, NAMED[FULL], setting=SETTING),
        looks.fused_table(none, NAMED, setting=SETTING),
        looks.fused_answer(none, NAMED, setting=SETTING),
        figures.spaces_figure(None, setting=SETTING),
        figures.fused_figure({}, setting=SETTING),
        figures.load_figure(none, NAMED, setting=SETTING),
        figures.lengths_figure({}, 60),
        contents.share_answer({}),
        contents.example({}),
        contents.mosi_shares({}),
        contents.mosi_shares({contents.WORDS: LABEL}),
    ]
    assert all(isinstance(note, Note) for note in notes)


# --- pieces -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("places", "count"), [(60, 3), (80, 3), (7, 3), (20, 6)])
def test_stretches_are_those_of_the_model(places, count):
    x = torch.zeros(places, places, 1)
    x[range(places), range(places)] = 1  # clip i has a one at place i alone
    read = Stretches(count)(x, None).numpy()
    for (start, end), column in zip(contents.bounds(places, count), read.T, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(column), range(start, end))


def test_padding_is_counted_by_hand():
    lengths = np.array([1, 20, 21, 60, 99])
    np.testing.assert_array_equal(
        contents.empty(lengths, 60, 3),
        [[0, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]],
    )
    # Text: 40 places a stretch; the second has the end of one layer and the start of the other.
    np.testing.assert_array_equal(
        contents.empty(lengths[:3], 60, 3, layers=2), [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    )


def test_the_answer_counts_word_pieces_which_fill_places():
    words, word_pieces = np.array([1, 10, 18]), np.array([19, 20, 21])
    lengths = {contents.WORDS: words, contents.WORD_PIECES: word_pieces}
    text = contents.share_answer(lengths).text
    assert "fill 20.0 of 60" in text and "in 67% of the clips, the third in 100%" in text
    assert "0%, 0%, 67%" in text  # the third stretch of text ends with the second layer
    assert contents.typical(lengths) == 20 and contents.typical({}) == 15
    assert contents.share_answer({contents.WORDS: words}).text.startswith("No answer")


def test_a_typical_clip_is_described_as_it_is_drawn():
    text = contents.example({contents.WORD_PIECES: np.array([4, 13, 40])}).text
    assert "of text, two layers, 13, 13, 0" in text and "of sound or pictures, 13, 0, 0" in text
    alt = figures.bins_figure(13, 60, 3).alt
    assert "text, two layers: stretch 2 holds 13 of 40" in alt and "stretch 3 holds 0 of 40" in alt


def test_a_row_shows_only_what_such_lengths_are_cut_into(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    both = {contents.WORDS: np.array([5]), contents.WORD_PIECES: np.array([7])}
    frame = contents.mosi_shares(both).frame
    assert set(frame["unit"]) == {contents.WORD_PIECES}
    assert frame["stretches of"].tolist() == list(contents.LAYERS)


def test_own_clips_have_two_layers_of_words_alone(small_pieces):
    frame = contents.own_shares(Study("glomo", dataset="control-local")).frame
    found = frame.set_index("unit")["stretches of"].to_dict()
    assert found == {
        "linguistic, frames": "text, two layers",
        "acoustic, frames": "sound or pictures",
        "visual, frames": "sound or pictures",
    }


def test_pieces_of_padding_are_equal_and_the_whole_is_their_maximum():
    whole, local = contents.coded(13)
    assert local.shape == (contents.COUNT, len(whole))
    assert torch.equal(local[1], local[2]) and not torch.equal(local[0], local[1])
    longer, pieces_of = contents.coded(45)
    assert not torch.equal(pieces_of[1], pieces_of[2])
    assert torch.equal(whole, local.amax(0)) and torch.equal(longer, pieces_of.amax(0))


def test_lengths_are_read_from_their_record(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    assert contents.mosi() is None
    counts = {contents.WORD_PIECES: {"train": {3: 2, 30: 1}, "test": {70: 1}}}
    contents.RECORD.write(contents.Lengths(fingerprint="f", counts=counts))
    lengths = contents.by_unit(contents.mosi())
    assert lengths[contents.WORD_PIECES].tolist() == [3, 3, 30, 70]
    assert contents.typical(lengths) == 16
    assert "25.0% longer than 60" in figures.lengths_figure(lengths, 60).alt
    own = contents.own_shares(Study("glomo", dataset="mosi"))
    assert isinstance(own, Note) and "not here" in own.text


def test_a_page_that_is_read_writes_no_record(monkeypatch):
    measured = contents.Lengths(fingerprint="f", counts={contents.WORD_PIECES: {"test": {7: 1}}})
    monkeypatch.setattr(contents.datasets, "is_available", lambda name: True)
    monkeypatch.setattr(contents, "measure", lambda: measured)
    assert contents.mosi() == measured and not contents.RECORD.path.exists()
    assert contents.mosi(refresh=True) == measured == contents.RECORD.read()


def test_the_committed_lengths_are_those_of_all_transcripts(monkeypatch):
    monkeypatch.delenv("MSALIB_RECORDS")
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    lengths = contents.by_unit(contents.mosi())
    assert lengths.keys() == {contents.WORDS, contents.WORD_PIECES}
    assert len(lengths[contents.WORDS]) == len(lengths[contents.WORD_PIECES]) > 2000
    assert "No answer" not in contents.share_answer(lengths).text


def test_log_sum_exp_is_never_below_the_sum():
    gates, apart = np.array([0.1, 0.5, 0.9]), np.linspace(-6, 6, 25)
    above = contents.above_sum(gates, apart)
    direct = np.log(gates[:, None] * np.exp(apart) + 1 - gates[:, None]) - gates[:, None] * apart
    np.testing.assert_allclose(above, direct, atol=1e-12)
    assert (above >= -1e-12).all() and np.allclose(above[:, 12], 0)
    assert "gate 0.1" in figures.above_figure(gates, apart, above).alt


def test_a_frame_whose_first_channel_is_zero_gets_no_position():
    frames = [[0.5, 0.1, 0.2, 0.3], [0.0, 0.1, 0.2, 0.3], [0.2, 0.0, 0.0, 0.0]]
    frame = contents.without_position(frames).frame
    same = frame["position it would get"] == frame["position it gets"]
    assert same.tolist() == [True, False, True]
    assert set(frame["position it gets"][1].split(", ")) == {"0.00"}


# --- a run trained again ------------------------------------------------------------------------


@pytest.fixture
def small_pieces(monkeypatch):
    from msalib.data import datasets
    from tests.sweep import offer

    monkeypatch.setattr(datasets, "DATASETS", dict(datasets.DATASETS))
    about = {"layered": ("linguistic",), "vectors": ("visual", "acoustic")}
    offer("control-local", lambda: pieces.pieces(videos=30, clips=(5, 6)), **about)


def test_a_run_is_trained_again_to_the_same_predictions(small_pieces):
    study = Study("glomo", dataset="control-local", seeds=1)
    system = plan.system(plan.whole_of(study))
    runs = Runs(recorded.gather(study, [system]))
    again = vectors.vectors(study, system, runs)
    assert again.apart == 0 and "equal the record's" in again.trained_again()
    (record,) = runs.records(system)[0]
    assert again.expert[SOUND].tolist() == record.extras.experts[SOUND]
    assert again.whole.keys() == again.pieces.keys() == set(WHOLE)
    picture = figures.spaces_figure(again, setting=SETTING)
    assert "linguistic, expert" in picture.alt
    assert "GLoMo: " in figures.fused_figure({FULL: again}, setting=SETTING).alt
    assert vectors.vectors(study, system, Runs([])) is None  # nothing to show again


def test_classes_are_groups_of_their_own_and_zero_is_none():
    assert figures.groups(np.array([0, 2])).tolist() == ["class 0", "class 2"]
    assert figures.groups(np.array([-1.0, 0.0, 2.0])).tolist() == ["negative", "", "positive"]


def test_a_large_encoder_is_not_trained_for_a_picture(monkeypatch):
    monkeypatch.delenv("MSALIB_DATA", raising=False)
    study = Study("glomo", dataset="mosi")
    assert not vectors.available(study)
    assert vectors.vectors(study, plan.system({TEXT: "last_two"}), RUNS) is None
