"""Masked transcripts: hidden before the encoder reads, by the clip's id alone, and kept."""

import shutil
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data.corpus import Corpus
from msalib.encoders import masked_text, store, text
from msalib.encoders.masked_text import Masked
from msalib.models.masked_pairs import UNHIDDEN, hide_tokens
from tests.encoders.lazy import transformers
from tests.encoders.tiny import POSITIONS, save_bert, save_roberta, texts

TEXTS = ["a good good film", "bad", "a film and a bad film and a good film", "good", "", "a bad"]
LONG = "a good film and a bad film " * 9
HALF = partial(hide_tokens, share=0.5)
VARIANTS = 3


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    made = {"bert": save_bert(folder / "bert"), "roberta": save_roberta(folder / "roberta")}
    return {"small-bert": "small-bert"} | {name: str(path) for name, path in made.items()}


@pytest.fixture
def masked(models, tmp_path):
    """Mask texts with the tiny BERT, or what else is asked for."""

    def make(corpus: Corpus, model: str = "bert", hide=HALF, settings="half", **changes) -> Masked:
        asked = {"variants": VARIANTS, "folder": tmp_path / "masked", "device": "cpu"} | changes
        encoder = encoders.resolve(models[model])
        return masked_text.masked(corpus, encoder, hide, settings, **asked)

    return make


def parts(masked: Masked) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the last states (T, D) of every variant, and what is to guess in it, (T,)."""
    (states,) = masked.features.layers.values()
    spans = pairwise(masked.features.offsets)
    return [(states[start:end], masked.tokens[start:end]) for start, end in spans]


def recorded(calls: list):
    """Hide half of the tokens, and note what was asked and returned."""

    def hide(ids, special, **how):
        hidden, targets = HALF(ids, special, **how)
        calls.append((ids, special, hidden, targets))
        return hidden, targets

    return hide


@pytest.mark.parametrize("model", ["bert", "roberta", "small-bert"])
def test_states_are_those_of_the_model_on_hidden_ids_each_text_alone(
    model, models, masked, monkeypatch
):
    monkeypatch.setattr(text, "WORD_PIECES", 40)  # several batches, some of several texts
    calls = []
    found = masked(texts(TEXTS), model, recorded(calls))
    path = encoders.resolve(models[model]).model
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    network = transformers.AutoModel.from_pretrained(path, dtype=torch.float32).eval()

    def last(ids):
        with torch.inference_mode():
            return network(ids[None]).last_hidden_state[0].numpy()

    assert list(found.features.layers) == [network.config.num_hidden_layers]
    assert (found.variants, found.vocabulary) == (VARIANTS, len(tokenizer))
    assert len(calls) == len(parts(found)) == VARIANTS * len(TEXTS)
    for n, (states, targets) in enumerate(parts(found)):
        ids, special, hidden, wanted = calls[n]
        assert ids.tolist() == tokenizer(TEXTS[n // VARIANTS])["input_ids"]
        assert special.tolist() == [i in tokenizer.all_special_ids for i in ids.tolist()]
        assert targets.tolist() == wanted.tolist()
        np.testing.assert_allclose(states, last(hidden), rtol=2e-3, atol=2e-3)
        beside = (ids == hidden).numpy()
        if not beside.all():  # what is beside a hidden token was made without it
            assert np.abs(states[beside] - last(ids)[beside]).max() > 0.01


def test_what_is_to_guess_stands_at_its_place(models, masked):
    tokenizer = transformers.AutoTokenizer.from_pretrained(models["bert"])
    guessed = 0
    for n, (_, targets) in enumerate(parts(masked(texts(TEXTS)))):
        ids = np.array(tokenizer(TEXTS[n // VARIANTS])["input_ids"])
        chosen = targets != UNHIDDEN
        assert (targets[chosen] == ids[chosen]).all()
        assert not chosen[[0, -1]].any()
        assert chosen.any() == (len(ids) > 2)  # the empty text has nothing to guess
        guessed += chosen.sum()
    assert guessed > 3 * VARIANTS


def test_variants_of_a_text_differ_and_texts_alike_are_hidden_apart(masked):
    same = ["a film and a bad film and a good film"] * 2
    hidden = [tuple(targets) for _, targets in parts(masked(texts(same), variants=4))]
    assert len(set(hidden)) == 8


def test_what_is_hidden_depends_on_the_id_alone(masked, tmp_path):
    corpus = texts(TEXTS)
    whole = parts(masked(corpus))
    few = [4, 0, 2]
    fewer = replace(corpus, utterances=corpus.utterances.iloc[few], splits={})
    found = parts(masked(fewer, folder=tmp_path / "fewer"))
    assert len(found) == VARIANTS * len(few)
    for place, clip in enumerate(few):
        for v in range(VARIANTS):
            states, targets = found[place * VARIANTS + v]
            expected, wanted = whole[clip * VARIANTS + v]
            assert targets.tolist() == wanted.tolist()
            np.testing.assert_allclose(states, expected, rtol=2e-3, atol=2e-3)
    more = parts(masked(corpus, variants=VARIANTS + 1, folder=tmp_path / "more"))
    for clip in range(len(TEXTS)):  # another variant leaves those before it as they were
        first = [targets.tolist() for _, targets in whole[clip * VARIANTS :][:VARIANTS]]
        again = [targets.tolist() for _, targets in more[clip * (VARIANTS + 1) :][:VARIANTS]]
        assert first == again


@pytest.mark.parametrize("model", ["bert", "roberta"])
def test_a_text_beyond_the_models_positions_is_cut_as_the_clean_one_is(model, models, masked):
    calls = []
    found = masked(texts(["bad", LONG]), model, recorded(calls))
    tokenizer = transformers.AutoTokenizer.from_pretrained(models[model])
    cut = tokenizer(LONG, truncation=True, max_length=POSITIONS)["input_ids"]
    assert [ids.tolist() for ids, *_ in calls[VARIANTS:]] == [cut] * VARIANTS
    assert all(len(states) == POSITIONS for states, _ in parts(found)[VARIANTS:])
    assert found.features.provenance["truncated"] == f"{VARIANTS} of {2 * VARIANTS} clips"


# --- what is kept -------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_store_that_fits_is_left_alone_and_gives_the_same(masked, tmp_path, monkeypatch):
    corpus = texts(TEXTS)
    first = masked(corpus)
    monkeypatch.setattr(masked_text, "write_store", None)  # would fail if called
    again = masked(corpus)
    assert again.tokens.tolist() == first.tokens.tolist()
    for (states, _), (expected, _) in zip(parts(again), parts(first), strict=True):
        assert (states == expected).all()


@pytest.mark.parametrize(
    "changes", [{"settings": "all"}, {"variants": 2}, {"model": "roberta"}], ids=str
)
def test_a_store_of_something_else_is_made_anew(masked, changes, tmp_path):
    corpus = texts(TEXTS)
    masked(corpus)
    found = masked(corpus, **changes)
    expected = masked(corpus, **changes, folder=tmp_path / "fresh")
    assert contents(tmp_path / "masked") == contents(tmp_path / "fresh")
    assert found.tokens.tolist() == expected.tokens.tolist()


def test_other_texts_are_not_taken_from_a_store(masked, tmp_path):
    masked(texts(TEXTS))
    before = contents(tmp_path / "masked")
    masked(texts([*TEXTS[:-1], "a good"]))  # as many tokens
    assert contents(tmp_path / "masked") != before


class Killed(BaseException):
    """Stands for a signal: no handler of errors may catch it."""


def test_a_writing_that_was_killed_goes_on_to_the_same_bytes(masked, tmp_path, monkeypatch):
    monkeypatch.setattr(text, "WORD_PIECES", 24)
    monkeypatch.setattr(store, "SAVE_EVERY", -1.0)  # progress is saved after every batch
    corpus, states, asked = texts(TEXTS * 4), masked_text._Network.states, []
    masked(corpus, folder=tmp_path / "whole")

    def until(last):
        def some(network, batches):
            asked.append(len(batches))
            for number, values in enumerate(states(network, batches), 1):
                if number == last:
                    raise Killed
                yield values

        return some

    for last in (3, 4):
        monkeypatch.setattr(masked_text._Network, "states", until(last))
        with pytest.raises(Killed):
            masked(corpus)
        assert not (tmp_path / "masked").exists()
    monkeypatch.setattr(masked_text._Network, "states", until(None))
    masked(corpus)
    assert contents(tmp_path / "masked") == contents(tmp_path / "whole")
    assert asked == [asked[0], asked[0] - 2, asked[0] - 5]  # batches are not done twice


# --- refusals -----------------------------------------------------------------------------------


def test_an_encoder_without_a_mask_token_is_refused(models, tmp_path):
    folder = Path(shutil.copytree(models["bert"], tmp_path / "plain"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(UserError) as error:
        masked_text.masked(
            texts(TEXTS), encoders.resolve(str(folder)), HALF, "", variants=1, folder=tmp_path / "s"
        )
    assert str(error.value) == (
        "encoder plain: found a tokeniser without a mask token; expected a masked language model, "
        "such as BERT or RoBERTa. Pretrain with another text encoder (msalib doctor)."
    )
    assert not (tmp_path / "s").exists()


def test_no_other_device_and_no_value_beyond_half_precision_is_taken(masked, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="device 'abacus': found no such device here"):
        masked(texts(TEXTS), device="abacus")
    states = masked_text._Network.states

    def large(network, batches):
        for values in states(network, batches):
            yield values + np.float16(np.inf)

    monkeypatch.setattr(masked_text._Network, "states", large)
    with pytest.raises(
        UserError, match=r"bert, clip video_\d#\d: found a value in layer 3 that is"
    ):
        masked(texts(TEXTS))
    assert not (tmp_path / "masked").exists()
