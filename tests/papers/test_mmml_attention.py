"""Cross-attention that is looked into: which clips, which weights, what they are worth."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from msalib import models
from msalib.base import paths
from msalib.base.errors import UserError
from msalib.data import datasets
from msalib.data.corpus import TUNED, Corpus, Features
from msalib.encoders.tuned import FineTuned
from msalib.models import recipes
from msalib.models.mmml import FUSED, SOUND, TEXT
from msalib.papers.mmml import attention, figures_attention
from msalib.papers.mmml.attention import Attention, Look, Network, Words
from msalib.runs.study import Study

WIDTH = 8


class Embedded(nn.Module):
    """Tokens (S, 1) to vectors that know nothing of their neighbours."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(40, WIDTH)

    def forward(self, frames, mask):
        return self.table(frames.squeeze(-1).long())


class Projected(nn.Linear):
    """Frames of sound (S, 3) to vectors."""

    limit = 100

    def __init__(self):
        super().__init__(3, WIDTH)

    def forward(self, frames, mask):
        return super().forward(frames)


def small_corpus(tokens: list[list[int]]) -> Corpus:
    rng, count = np.random.default_rng(0), len(tokens)
    table = pd.DataFrame(
        {"video": [f"v{i // 2}" for i in range(count)], "segment": range(count), "text": "",
         "label": rng.normal(size=count)},
        index=pd.Index([f"c{i}" for i in range(count)], name="id"),
    )  # fmt: skip
    frames = rng.integers(4, 9, size=count)
    words = np.concatenate([np.array(some, np.int32) for some in tokens])[:, None]
    sound = rng.normal(size=(frames.sum(), 3)).astype(np.float32)
    features = {
        TEXT: Features("t", "token", {TUNED: words}, np.cumsum([0, *map(len, tokens)])),
        SOUND: Features("s", "frame", {TUNED: sound}, np.cumsum([0, *frames])),
    }
    return Corpus("small", table, features, {})


TOKENS = [
    [1, 10, 11, 12, 13, 2],
    [1, 14, 15, 16, 2],
    [1, 17, 18, 19, 20, 21, 2],
    [1, 22, 23, 24, 2],
]
SPANS = [Words(["a", "bc", "d"], [[1], [2, 3], [4]])] + [
    Words([str(t) for t in some[1:-1]], [[i] for i in range(1, len(some) - 1)])
    for some in TOKENS[1:]
]
"""The second word of the first clip has two tokens."""


@pytest.fixture
def network():
    torch.manual_seed(0)
    recipe = recipes.load("mmml", "release", "quick", "raw")["model"] | {"cross_layers": 2}
    module = models.module("mmml")
    config = module.Config(**recipe | {"head_width": 4})
    core = module.build(config, sizes={TEXT: WIDTH, SOUND: WIDTH}, layers={}, outputs=1)
    model = FineTuned(core, {TEXT: Embedded(), SOUND: Projected()})
    examples = small_corpus(TOKENS).examples(np.arange(4), inputs={TEXT: TUNED, SOUND: TUNED})
    return Network(model, examples, SPANS)


def one(network, row):
    return network.test.batch(torch.tensor([row]))


# --- which clips --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["raw", "raw-sarcasm"])
def test_clips_are_chosen_by_what_was_planted(name):
    corpus = datasets.load(name)
    voice_more, words_more, torn = attention.chosen(corpus).values()
    rows = {clip: corpus.utterances.index.get_loc(clip) for clip in (voice_more, words_more, torn)}
    words, voice = (corpus.truth["shown"][m] for m in (TEXT, SOUND))
    assert abs(voice[rows[voice_more]]) > abs(words[rows[voice_more]]) + 1
    assert abs(words[rows[words_more]]) > abs(voice[rows[words_more]]) + 1
    assert words[rows[torn]] * voice[rows[torn]] < 0
    assert corpus.truth["sarcasm"][rows[torn]] == (name == "raw-sarcasm")
    assert not corpus.truth["sarcasm"][[rows[voice_more], rows[words_more]]].any()
    assert set(rows.values()) <= set(corpus.rows("test", "standard"))


def test_pieces_of_a_word_are_one_word():
    study = Study("mmml", dataset="raw")
    ((words, tokens),) = attention.word_spans(study, ["it was unbelievably lovely"])
    assert "".join(words) == "itwasunbelievablylovely"
    assert words[0] == "it" and words[-1] == "lovely"
    assert [t for some in tokens for t in some] == list(range(1, tokens[-1][-1] + 1))


# --- weights ------------------------------------------------------------------------------------


def test_a_clip_is_looked_at_word_by_word(network):
    look = network.look(0, "c0", "title")
    to_sound, to_text = np.array(look.to_sound), np.array(look.to_text)
    assert look.words == ["[CLS]", "a", "bc", "d", "[SEP]"]
    frames = int(network.test.lengths(SOUND)[0])
    assert to_sound.shape == (6, 1 + frames) and to_text.shape == (1 + frames, 6)
    np.testing.assert_allclose(to_sound.sum(1), 1, atol=0.01)
    np.testing.assert_allclose(to_text.sum(1), 1, atol=0.01)
    assert set(look.predictions) == {TEXT, SOUND, FUSED}


def test_weights_are_those_of_the_last_layer_after_the_first(network):
    batch = one(network, 1)
    with torch.no_grad():
        states = network.states(batch)
        to_sound, _ = network.weights(states, batch)
        clips = {m: network.model.core.clip(m, states[m], batch.mask[m]) for m in states}
        text, sound = (clips[m] for m in (TEXT, SOUND))
        by_layer, _ = network.fusion.cross_attention(
            text.states, text.mask, sound.states, sound.mask
        )
    assert len(by_layer) == 2
    assert to_sound.equal(by_layer[1][0].mean(0)) and not to_sound.allclose(by_layer[0][0].mean(0))


def test_without_preferences_all_weights_are_equal_and_the_model_stays(network):
    before = network.model.core.fuse.encoder.layers[0].text.cross.query.weight.clone()
    equal = Network(attention.without_preferences(network.model), network.test, SPANS)
    batch = one(network, 0)
    with torch.no_grad():
        for weights in equal.weights(equal.states(batch), batch):
            torch.testing.assert_close(weights, torch.full_like(weights, 1 / weights.shape[1]))
    assert network.model.core.fuse.encoder.layers[0].text.cross.query.weight.equal(before)
    np.testing.assert_allclose(equal.scores(), network.scores(equal=True), rtol=1e-5)
    assert np.abs(network.scores() - equal.scores()).max() > 1e-6
    assert network.error(network.test.label.numpy() + 0.5) == pytest.approx(0.5)


# --- what they are worth ------------------------------------------------------------------------


def test_a_deleted_word_is_as_if_it_had_not_been_said(network):
    batch = one(network, 0)
    with torch.no_grad():
        states = network.states(batch)
        without = network._without_each(batch, states[SOUND], SPANS[0].tokens)
        shorter = small_corpus([[1, 10, 13, 2], *TOKENS[1:]])  # the word of two tokens is gone
        examples = shorter.examples(np.arange(4), inputs={TEXT: TUNED, SOUND: TUNED})
        kept = examples.batch(torch.tensor([0]))
        features = {TEXT: kept.features[TEXT], SOUND: batch.features[SOUND]}
        mask = {TEXT: kept.mask[TEXT], SOUND: batch.mask[SOUND]}
        expected = network.model(features, mask).heads[FUSED]
    assert without.shape == (3,)
    assert without[1] == pytest.approx(float(expected), abs=1e-6)


def test_worth_compares_weights_with_what_deleting_changes(network):
    worth = network.worth(2)
    assert worth.weights.shape == (5,) and -1 <= worth.rho <= 1
    with torch.no_grad():
        batch = one(network, 2)
        _, to_text = network.weights(network.states(batch), batch)
    # c, [CLS], then the words: token t has column 1 + t.
    np.testing.assert_allclose(worth.weights, to_text[0, 2:-1].numpy(), rtol=1e-5)


def test_spearman_goes_by_ranks():
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert attention.spearman(a, a**3) == pytest.approx(1)
    assert attention.spearman(a, -a) == pytest.approx(-1)
    assert attention.spearman(a, np.ones(4)) == 0


# --- what is recorded ---------------------------------------------------------------------------


def measured(corpus, **changes) -> Attention:
    clip = next(iter(attention.chosen(corpus).values()))
    looks = [
        Look(clip=clip, title="A clip", words=["[CLS]", "it", "[SEP]"],
             to_sound=[[0.1] * 10] * 4, to_text=[[0.1, 0.2, 0.5, 0.2]] * 10,
             predictions={TEXT: 0.1, SOUND: -0.2, FUSED: 0.3})
    ]  # fmt: skip
    values = dict(
        fingerprint=corpus.fingerprint(), commit="none", seeds=2, layers=5, looks=looks,
        videos=["a", "a", "b", "c"], mae=[1.0, 1.2], mae_equal=[1.1, 1.3], peak=[[2.0] * 4] * 2,
        deletion=[[0.5, 0.6, 0.4, 0.5]] * 2, hits=[[1.0, 0.0, 1.0, 1.0]] * 2,
        luck=[0.25] * 4, agreement=[0.0, 0.3, -0.3, 0.01],
    )  # fmt: skip
    return Attention(**values | changes)


def test_only_the_full_recipe_is_recorded_and_only_of_these_data(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "records_folder", lambda: tmp_path)
    corpus, calls = datasets.load("raw"), []
    monkeypatch.setattr(attention, "measure", lambda study: calls.append(1) or measured(corpus))
    quick, full = (Study("mmml", dataset="raw", profile=p) for p in ("quick", "full"))
    attention.attention(quick)
    assert not attention.recorded(full).path.exists()
    assert attention.attention(full) == attention.attention(full) == measured(corpus)
    assert len(calls) == 2  # the second of the full recipe was read
    attention.recorded(full).write(measured(corpus, fingerprint="other"))
    with pytest.raises(UserError, match="seeds on data with fingerprint other"):
        attention.attention(full)
    attention.recorded(full).write(measured(corpus, seeds=3))
    with pytest.raises(UserError, match="3 seeds"):
        attention.attention(full)
    again = Study("mmml", dataset="raw", profile="full", refresh=True)
    assert attention.attention(again) == measured(corpus)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [({"dataset": "control"}, "stay frozen"), ({"dataset": "raw", "encoder": "small"}, "frozen")],
)
def test_it_needs_clips_with_words_and_fine_tuned_encoders(parameters, found):
    with pytest.raises(UserError, match=found):
        attention.attention(Study("mmml", **parameters))


# --- what is shown ------------------------------------------------------------------------------


def test_a_picture_says_what_it_shows():
    corpus = datasets.load("raw")
    (clip,) = figures_attention.pictures(measured(corpus), corpus, setting="control")
    html = clip._repr_html_()
    assert "largest weight to it" in html and "joint +0.3" in html and "<audio" in html
    assert "Setting: control." in clip.picture.caption


def test_an_equal_share_is_one_and_bins_are_means():
    weights = np.full((2, 12), 1 / 12)
    assert figures_attention.binned(figures_attention.shares_of(weights)) == pytest.approx(1)
    values = np.array([[9.0, *range(7)]])
    assert figures_attention.binned(values).tolist() == [[9.0, 2.0, 5.5]]


def test_the_sentence_follows_the_intervals():
    corpus = datasets.load("raw")
    text = figures_attention.reading(measured(corpus)).text
    assert "changes by +0.100 points" in text
    assert "weight tends to go with a larger change" in text
    assert "do not reliably rank the words" in text
    assert "2.0 times the mean weight" in text and "nearly equal" not in text
    equal = figures_attention.reading(measured(corpus, peak=[[1.01] * 4] * 2)).text
    assert "1.0 times the mean weight: the weights are nearly equal" in equal
    flat = measured(corpus, deletion=[[0.1, -0.1, 0.1, -0.1]] * 2, agreement=[])
    text = figures_attention.reading(flat).text
    assert "does not reliably go with" in text and "another" not in text


def test_numbers_for_prose_are_those_of_the_table():
    corpus = datasets.load("raw")
    numbers = figures_attention.numbers(measured(corpus))
    shown = figures_attention.worth(measured(corpus), setting="control").frame["measured"].tolist()
    assert {numbers[name] for name in ("deletion", "hits", "agreement")} <= set(shown)
