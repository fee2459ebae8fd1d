"""What MMML does with data that lack something: one clear message, or what is documented."""

from dataclasses import replace

import numpy as np
import pytest

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import streams
from msalib.encoders import tuned
from msalib.papers.mmml import plan
from msalib.papers.mmml.plan import SOUND, TEXT, system
from msalib.runs.study import Study, context_of
from tests.clips import corpus, tone, write_video, write_wav
from tests.encoders.tiny import POSITIONS, save_bert
from tests.sweep import offer, small_control

pytestmark = pytest.mark.usefixtures("small_data")

FEATURES = {TEXT: 2, SOUND: 2}


def corpus_of(study: Study, one) -> streams.Context:
    """Return the corpus that a run of a system reads."""
    spec = study.spec(one, 0)
    return study.encoded_for(dict(spec.inputs), context_of(spec.model))


def test_clips_without_others_before_them_have_no_context():
    """One clip a video: a run with context would be one without, under another name."""

    def apart():
        made = small_control()
        return replace(made, utterances=made.utterances.assign(video=made.utterances.index))

    offer("apart", apart)
    with pytest.raises(UserError, match="context in apart: found no clip with another before it"):
        corpus_of(Study("mmml", dataset="apart"), system(FEATURES, context="separate-2-1"))


def test_clips_whose_segments_are_no_numbers_keep_the_order_of_the_table():
    def unordered():
        made = small_control()
        return replace(made, utterances=made.utterances.assign(segment="?"))

    offer("unordered", unordered)
    made = corpus_of(Study("mmml", dataset="unordered"), system(FEATURES, context="joined-1"))
    before = streams.predecessors(made.utterances, 1)
    videos = made.utterances["video"].to_numpy()
    assert all(clips in ([], [row - 1]) for row, clips in enumerate(before))
    assert all(videos[row] == videos[clips[0]] for row, clips in enumerate(before) if clips)


def test_a_window_longer_than_a_video_takes_what_there_is():
    whole = Study("mmml")
    longest = whole.corpus.utterances.groupby("video").size().max()
    windows = [
        corpus_of(whole, system(FEATURES, context=f"separate-{window}"))
        for window in (longest, longest + 50)
    ]
    stream = streams.context_of(TEXT)
    lengths = [made.features[stream].lengths() for made in windows]
    assert np.array_equal(*lengths) and lengths[0].min() == 0


@pytest.mark.parametrize("name", ["joined", "separate-", "separate-0", "joined-1-2-3", "later-1"])
def test_other_names_of_contexts_are_refused(name):
    with pytest.raises(ValueError, match="context"):
        streams.named_context(name)


def test_windows_of_words_and_of_sound_differ():
    assert streams.named_context("separate-2-1").windows == {TEXT: 2, SOUND: 1}
    assert dict(system(FEATURES, context="separate-2-0").inputs).keys() == {
        *(TEXT, SOUND),
        streams.context_of(TEXT),
    }
    made = corpus_of(Study("mmml"), system(FEATURES, context="separate-2-1"))
    numbers = {
        m: np.diff(made.features[streams.context_of(m)].clips[1]).max() for m in (TEXT, SOUND)
    }
    assert numbers == {TEXT: 2, SOUND: 1}


def test_a_clip_without_sound_is_named(tmp_path, monkeypatch):
    """Fine-tuning reads the sound of every clip; a silent video has none."""
    for package in ("av", "soundfile"):
        pytest.importorskip(package, reason="sound: pip install -e '.[media]'")
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "features"))
    heard = write_wav(tmp_path / "heard.wav", tone(16_000))
    mute = write_video(tmp_path / "mute.mp4", [np.zeros((64, 64, 3), np.uint8)] * 5)
    with pytest.raises(UserError, match=r"clip video_1 \(.*mute.mp4\): found no audio stream"):
        tuned.inputs(corpus(acoustic=[heard, mute]), encoders.resolve("small-wavlm"))


def test_a_long_transcript_is_cut_with_a_warning(tmp_path):
    encoder = encoders.resolve(str(save_bert(tmp_path / "bert")))
    long = corpus(acoustic=["a", "b"])
    long = replace(long, utterances=long.utterances.assign(text=["good " * 600, "good"]))
    with pytest.warns(UserWarning, match="1 of 2"):
        features = tuned.inputs(long, encoder)
    assert features.lengths().max() == POSITIONS


def test_a_data_set_of_one_modality_has_its_own_head_alone():
    """No fusion without a second modality; its systems are those of that modality."""
    assert list(plan.compared({TEXT: 2})) == ["linguistic alone"]
    assert plan.contexts({TEXT: 2}) == {}
