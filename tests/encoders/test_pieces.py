"""Pieces: how much of a text an encoder does not know is counted, warned of, and told of a clip."""

import warnings

import numpy as np
import pytest

from msalib import encoders
from msalib.encoders import pieces, text, tuned
from msalib.encoders.extraction import extract, extractor, read
from msalib.encoders.registry import ENCODERS
from tests.encoders.tiny import save_bert, save_roberta, texts

CHINESE = ["我觉得不行", "谢谢你", "别说了"]  # no character is in the vocabulary


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("models")
    made = save_bert(folder / "bert"), save_roberta(folder / "roberta")
    return {path.name: encoders.resolve(str(path)) for path in made}


def read_by(encoder, of_clips: list[str]) -> pieces.Pieces:
    return pieces.read(text.load_tokenizer(encoder), of_clips)


def test_unknown_pieces_are_counted_and_an_empty_text_is_not_unknown(models):
    found = read_by(models["bert"], ["a good film", "good 谢谢", "别说了", "", " \n"])
    assert found.pieces.tolist() == [4, 3, 3, 0, 0]
    assert found.unknown.tolist() == [0, 2, 3, 0, 0]
    assert found.unread.tolist() == [False, False, True, False, False]
    assert found.counts() == {pieces.PIECES: 10, pieces.UNKNOWN: 5, pieces.UNREAD: 1}
    assert [len(ids) for ids in found.ids] == [6, 5, 5, 2, 2]


def test_what_a_tokeniser_drops_without_a_word_is_counted_too(models):
    found = read_by(models["bert"], ["\u200b\u200d", "a\u200b film", "a film"])
    assert found.dropped.tolist() == [2, 1, 0] and found.pieces.tolist() == [0, 3, 3]
    assert found.unread.tolist() == [True, False, False]
    # A byte-level vocabulary that lacks bytes has no unknown piece: it leaves them out.
    found = read_by(models["roberta"], ["a good film", "good zz", "zz zz", "😀"])
    assert found.unknown.tolist() == [0, 0, 0, 0]
    assert found.dropped.tolist() == [0, 2, 4, 1]
    assert found.unread.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("of_clips", "told"),
    [
        (["a good film"] * 30 + ["good 谢"], None),  # 1 of 122 pieces
        (["a good film"] * 3 + ["good 谢"], "1 of 14 word pieces are unknown (7%)"),
        (["a good film"] * 30 + ["谢"], "nothing is read of 1 of 31 texts"),
        (["a\u200b film"] * 3, "3 of 18 characters are dropped (17%)"),
    ],
)
def test_more_than_a_twentieth_is_warned_of(models, of_clips, told):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pieces.warn(read_by(models["bert"], of_clips), "toy", models["bert"])
    assert [told in str(w.message) for w in caught] == [True] * (told is not None)


def test_a_warning_says_which_language_a_registered_encoder_knows():
    nothing = pieces.Pieces([[2, 1, 3]], *(np.array([n]) for n in (1, 1, 1, 0, 0)))
    with pytest.warns(UserWarning, match=r"minilm \(English\) does not know all of the texts of t"):
        pieces.warn(nothing, "toy", ENCODERS["minilm"])


def test_the_share_is_kept_with_the_features(models, tmp_path):
    corpus = texts(["a good film", *CHINESE])
    with pytest.warns(UserWarning, match="11 of 15 word pieces are unknown"):
        extract(corpus, models["bert"], tmp_path / "store")
    stored = read(corpus, models["bert"], tmp_path / "store").provenance
    with pytest.warns(UserWarning, match="nothing is read of 3 of 4 texts"):
        inputs = tuned.inputs(corpus, models["bert"]).provenance
    for provenance in (stored, inputs):
        assert provenance[pieces.PIECES] == "15" and provenance[pieces.UNKNOWN] == "11"
        assert provenance[pieces.UNREAD] == "3" and pieces.DROPPED not in provenance


def test_losses_are_told_of_each_clip(models):
    corpus = texts(["a good film", "谢谢你", "good 谢谢", "", "\u200b"])
    told = extractor(corpus, models["bert"], "release").losses()
    assert told[0] == told[3] == ""
    assert told[1] == "nothing of this text is read: all its 3 word pieces are unknown to bert"
    assert told[2] == "2 of 3 word pieces are unknown to bert"
    assert told[4] == "nothing of this text is read: it is dropped by bert"


def test_a_lexicon_tells_where_it_has_no_word_at_all(tmp_path):
    pytest.importorskip("vaderSentiment", reason="the lexicon needs the extra lexicon")
    lexicon = encoders.resolve("lexicon")
    with pytest.warns(UserWarning, match="no word of toy is in the lexicon"):
        extract(texts(CHINESE), lexicon, tmp_path / "a")
    corpus = texts(["a good film", "谢谢你", ""])
    extract(corpus, lexicon, tmp_path / "b")
    told = extractor(corpus, lexicon, "release").losses()
    assert told == ["", "none of its 1 words is in the lexicon", ""]


def test_every_registered_encoder_says_its_language_and_who_says_so():
    for encoder in ENCODERS.values():
        assert encoder.language.name and encoder.language.source
    assert ENCODERS["minilm"].language.name == ENCODERS["roberta-base"].language.name == "English"
    assert "99 languages" in ENCODERS["whisper-base"].language.name
    assert encoders.resolve("wavlm-large-frames").language.name == "English"
    assert encoders.resolve("someone/some-bert").language is None
