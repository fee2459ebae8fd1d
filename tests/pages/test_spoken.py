"""The page of the spoken control: one sentence in several voices, and tables that fit."""

import re

import numpy as np
import pytest

from msalib.data.simulate import espeak, raw, spoken
from msalib.pages import spoken as page

pytest.importorskip("soundfile")
pytest.importorskip("espeakng_loader")


@pytest.fixture(scope="module")
def corpus():
    return spoken.spoken(videos=20)


def test_the_sentence_is_of_a_neutral_voice_and_long_enough(corpus):
    row = page.sentence(corpus)
    assert row in corpus.rows("valid", "standard")
    assert len(corpus.utterances["text"].iloc[row].split()) >= page.LONG
    assert abs(corpus.truth["shown"]["acoustic"][row]) < 1


def test_one_speaker_says_it_in_three_moods_and_raw_babbles_it(corpus):
    row = page.sentence(corpus)
    table = page.voices(corpus, row)
    frame = table.frame
    assert [v.split()[0] for v in frame["voice"]] == [*page.LEVELS, "raw"]
    assert corpus.utterances["text"].iloc[row] in table.caption
    low, neutral, high = (
        [float(number) for number in re.findall(r"-?\d+", made)] for made in frame["made of"][:3]
    )
    assert np.all(np.less(low, neutral)) and np.all(np.less(neutral, high))
    seconds = frame["seconds"].astype(float)
    assert seconds[0] > seconds[2]
    players = frame["listen"]
    assert players.nunique() == 4 and all("audio/flac;base64," in p for p in players)
    assert all(f"{name} (" in p for name, p in zip([*page.LEVELS, "raw"], players, strict=True))


def test_every_number_that_follows_sentiment_is_explained():
    table = page.makings().frame
    assert set(table["follows"]) == set(page.MEANING.values())
    assert len(table) == len(spoken.VOICE) + len(raw.FACE)
    assert table.iloc[0]["from -3 to 3"] == f"{6 * spoken.VOICE['pitch'][0]:+.2f}"


def test_each_number_goes_along_with_what_it_is_made_from_and_nothing_else(corpus):
    table = page.carried(corpus).frame
    assert len(table) == len(page.MEANING) + 1
    for _, row in table.iterrows():
        r = {m: float(row[f"{m} sentiment"]) for m in ("visual", "acoustic", "linguistic")}
        own = r.pop(row["made from"])
        assert own > 0.5 and max(map(abs, r.values())) < 0.35, row.iloc[0]


def test_the_parts_are_counted(corpus):
    labelled, unlabelled = page.parts(corpus).frame.to_dict("records")
    assert labelled["clips"] == len(corpus) and labelled["labels"] == "yes"
    assert unlabelled["name"] == "raw-spoken-unlabelled" and unlabelled["labels"] == "none"
    assert unlabelled["clips"] >= 3000 > unlabelled["speakers"] > 100
    assert 1 < float(unlabelled["seconds a clip"]) < 4


def test_the_synthesiser_is_named_with_its_version():
    assert espeak.version() in page.synthesiser().text
