"""Saved models with the encoders that were fine-tuned with them, one head per modality."""

import json
import shutil

import numpy as np
import pytest
import torch

from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import TUNED, Corpus
from msalib.encoders.tuned import FineTuned
from msalib.pages import predict as pages
from msalib.papers.mmml import FROZEN
from msalib.runs import clips as users
from msalib.runs import predict, save, saved
from msalib.runs.clips import Clip
from msalib.runs.spec import system
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from msalib.training import loop
from tests.encoders.tiny import POSITIONS, change_weights, save_bert, save_wavlm
from tests.runs.test_predict_media import film, speak
from tests.saved_models import CPU, films
from tests.sweep import offer, small_control

TEXT, SOUND = "linguistic", "acoustic"
PAIR = (SOUND, TEXT)


@pytest.fixture(scope="module", autouse=True)
def setting(tmp_path_factory):
    """Spoken films, a small control, and a folder of records and features for both."""
    for package in ("av", "soundfile"):
        pytest.importorskip(package, reason="sound: pip install -e '.[media]'")
    folder = tmp_path_factory.mktemp("tuned")
    corpus = spoken(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "DATASETS", dict(readers.DATASETS))
        patch.setenv("MSALIB_RECORDS", str(folder / "records"))
        patch.setenv("MSALIB_FEATURES", str(folder / "features"))
        offer("spoken", lambda: corpus, layered=PAIR, shipped=None, raw=PAIR, encoder="small")
        offer("control", small_control)
        save_bert(folder / "bert")
        save_wavlm(folder / "ear")
        yield folder, corpus


def spoken(folder) -> Corpus:
    """Transcripts of films, each with a tone whose pitch is the label."""
    corpus = films()
    tones = [
        speak(folder / f"{clip}.wav", 300 + 50 * y, 0.1 + 0.01 * (i % 5))
        for i, (clip, y) in enumerate(corpus.utterances["label"].items())
    ]
    return Corpus("spoken", corpus.utterances, {}, corpus.splits, media={SOUND: tones})


@pytest.fixture(scope="module")
def parameters(setting):
    folder, _ = setting
    return {**CPU, "encoder": f"{folder / 'bert'}+{folder / 'ear'}-tuned"}


@pytest.fixture(scope="module")
def kept(setting, parameters):
    """A model with both encoders fine-tuned, two seeds."""
    return save.train("mmml", "spoken", setting[0] / "model", parameters=parameters)


@pytest.fixture(scope="module")
def model(kept):
    return saved.load(kept)


@pytest.fixture(scope="module")
def own(parameters, model):
    """What every seed's heads say of the test clips, straight from the networks: head -> (S, N)."""
    study = Study("mmml", dataset="spoken", **parameters)
    examples = Trainer(study.encoded_for(PAIR), "cpu").examples(model.about.spec, "test")
    outputs = [loop.predict(network, examples, 7) for network in model.networks]
    names = outputs[0].batches[0].heads
    return {
        n: np.stack([o.column(lambda x, n=n: x.heads[n]).numpy() for o in outputs]) for n in names
    }


@pytest.fixture(scope="module")
def clips(setting, model):
    """The test clips as a user has them."""
    _, corpus = setting
    ids = corpus.utterances.index[corpus.rows("test", "standard")]
    return users.clips_of(corpus, ids, model.about)


# --- the numbers --------------------------------------------------------------------------------


def test_encoders_are_saved_with_the_model_and_the_numbers_are_those_before(kept, model, clips):
    assert {p.name for p in kept.iterdir()} == {
        *("model.json", "seed-0.safetensors", "seed-1.safetensors")
    }
    about = model.about
    assert about.features == TUNED and dict(about.spec.inputs) == dict.fromkeys(PAIR, TUNED)
    assert about.inputs[SOUND].encoder.settings["longest"] == "6 s"
    assert all(isinstance(network, FineTuned) for network in model.networks)
    weights = [network.encoders[TEXT].state_dict() for network in model.networks]
    assert any(not a.equal(b) for a, b in zip(*(w.values() for w in weights), strict=True))
    shown = predict.predict(model, clips, "cpu").clips
    label = films().utterances["label"].loc[[clip.id for clip in shown]].to_numpy()
    for k, run in enumerate(about.runs):
        mae = np.abs([clip.seeds[k] for clip in shown] - label).mean()
        assert mae == pytest.approx(run.metrics["test"]["mae"], abs=1e-5)
    mae = np.abs([clip.prediction for clip in shown] - label).mean()
    assert mae == pytest.approx(about.mean_metrics["test"]["mae"], abs=1e-5)


def test_each_choice_of_modalities_has_its_head_its_interval_and_its_words(model, clips, own):
    i = 3
    both, text, sound = clips[i], Clip("t", clips[i].text), Clip("s", audio=clips[i].audio)
    shown = predict.predict(model, [both, text, sound], "cpu").clips
    wanted = ("fused", PAIR), (TEXT, (TEXT,)), (SOUND, (SOUND,))
    for clip, (head, given) in zip(shown, wanted, strict=True):
        assert clip.seeds == pytest.approx(own[head][:, i], abs=1e-5)
        assert tuple(clip.given) == given
        interval, half = clip.prediction_intervals["80"], model.about.half_width(given, 80)
        assert interval.high == pytest.approx(min(3, clip.prediction + half))
    for m, other in ((TEXT, SOUND), (SOUND, TEXT)):
        part = shown[0].contributions[m]
        assert part.seeds == pytest.approx(own["fused"][:, i] - own[other][:, i], abs=1e-5)
        assert part.gate is None
    assert shown[0].notes == []
    assert all(part is None for clip in shown[1:] for part in clip.contributions.values())
    assert shown[1].notes == [
        "acoustic: not given, so the prediction is that of the linguistic head, which reads "
        "nothing else (to give it: --audio or --video with a file that has sound)"
    ]


def test_errors_are_those_of_the_heads_on_the_test_clips(model, own):
    label = films().utterances["label"].to_numpy()[-12:]
    for head, given in (("fused", PAIR), (TEXT, (TEXT,)), (SOUND, (SOUND,))):
        errors = np.abs(own[head].mean(0) - label)
        half = model.about.half_width(given, 80)
        held = model.about.coverage[saved.key(given)]["80"]
        assert held == pytest.approx((errors <= half).mean(), abs=1e-4)


def test_lines_and_figures_say_what_the_model_does(model, clips):
    found = predict.predict(model, [clips[0], Clip("t", clips[0].text)], "cpu")
    told = "\n".join(pages.report(found))
    assert "gate" not in told and "prediction minus that of the other modality's head alone" in told
    meaning = found.meaning["contributions"]
    picture = pages.contributions(found.clips, meaning=meaning, setting=found.setting)
    assert "t: acoustic not given, linguistic given alone" in picture.alt
    assert picture.caption.startswith("Prediction minus that of the other modality's head alone;")


# --- clips of every kind ------------------------------------------------------------------------


def test_a_video_without_sound_has_the_prediction_of_its_words(model, tmp_path):
    wave = 0.3 * np.sin(np.arange(16_000) / 10)
    loud = film(tmp_path / "loud.mp4", [80, 90], wave)
    mute = film(tmp_path / "mute.mp4", [80, 90])
    found = predict.predict(
        model,
        [Clip("loud", "a good film", video=loud), Clip("mute", "a good film", video=mute)],
        "cpu",
    ).clips
    assert [clip.given for clip in found] == [[SOUND, TEXT], [TEXT]]
    alone = predict.predict(model, [Clip("words", "a good film")], "cpu").clips[0]
    assert found[1].prediction == pytest.approx(alone.prediction, abs=1e-6)
    assert "so the prediction is that of the linguistic head" in found[1].notes[-1]


def test_what_an_encoder_does_not_take_is_cut_and_said(model, tmp_path):
    long = Clip("long", "a good film " * 200, audio=speak(tmp_path / "long.wav", 300, 7))
    found = predict.predict(model, [long], "cpu")
    assert found.notes == [
        "1 of 1 clips of yours are longer than 6 s, and are cut there",
        f"1 of 1 texts of yours are longer than the {POSITIONS} tokens that bert takes, "
        "and are cut there",
    ]
    assert "acoustic: longer than ear takes, cut there" in found.clips[0].notes


def test_a_modality_that_the_model_does_not_read_is_said(model):
    clip = Clip("x", "a film", features={"visual": np.zeros((2, 3))})
    notes = predict.predict(model, [clip], "cpu").clips[0].notes
    assert notes[0] == "visual features are not read by this model" and len(notes) == 2


# --- what is refused ----------------------------------------------------------------------------


def test_other_files_of_an_encoder_and_other_weights_are_refused(kept, tmp_path):
    copy = shutil.copytree(kept, tmp_path / "model")
    weights = copy / "seed-0.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match=r"seed-0\.safetensors: found other content than was saved"):
        saved.load(copy)
    shutil.copy(kept / weights.name, weights)
    about = json.loads((copy / "model.json").read_text())
    source = about["inputs"][TEXT]["encoder"]
    other = shutil.copytree(source["model"], tmp_path / "bert")
    change_weights(other, lambda tensors: [w.mul_(2) for w in tensors.values()])
    source["model"] = str(other)
    (copy / "model.json").write_text(json.dumps(about))
    with pytest.raises(
        UserError, match=r"encoder bert of this model: found revision \w+; expected"
    ):
        saved.load(copy)


def test_what_makes_no_model_for_single_clips_is_refused(parameters, monkeypatch, tmp_path):
    monkeypatch.setattr(Trainer, "fit", lambda *_: pytest.fail("trained"))

    def train(dataset="spoken", features=None, **own):
        save.train("mmml", dataset, tmp_path / "m", features=features, parameters=own)

    with pytest.raises(UserError, match="features 'output': found encoders that are fine-tuned"):
        train(features="output", **parameters)
    with pytest.raises(
        UserError, match=r"features 'weighted': found no such choice; .*output, mid"
    ):
        train("control", features="weighted", **CPU)
    with pytest.raises(UserError, match=r"context of 2 clips: .*to be saved for single clips"):
        train(context=2, context_kind="joined", **parameters)
    offer("faces", small_control, layered=("visual",))
    with pytest.raises(UserError, match=r"found visual .*acoustic ones, which mmml reads"):
        train("faces", **CPU)


# --- what is trained ----------------------------------------------------------------------------


def test_encoders_are_fine_tuned_unless_others_are_asked_for():
    study = save._study("mmml", "spoken", CPU)
    assert study.encoder == "small-tuned" and study.tuned
    assert save.system_of(study, "mmml", TUNED) == system(dict.fromkeys(PAIR, TUNED), paper="mmml")
    study = save._study("mmml", "spoken", {**CPU, "encoder": "small-bert"})
    assert save.system_of(study, "mmml", "output") == system({TEXT: 6}, paper="mmml", **FROZEN)


def test_frozen_features_have_heads_too(tmp_path):
    folder = save.train("mmml", "control", tmp_path / "m", parameters={**CPU, "seeds": 1})
    model = saved.load(folder)
    assert model.about.features == "output" and dict(model.about.spec.inputs) == {SOUND: 2, TEXT: 2}
    assert model.about.spec.train["rates"] == "features"
    rng = np.random.default_rng(0)
    given = {m: rng.normal(size=(3, i.width)) for m, i in model.about.inputs.items()}
    whole = Clip("w", features=given)
    part = Clip("p", features={TEXT: given[TEXT]})
    found = predict.predict(model, [whole, part], "cpu").clips
    (network,) = model.networks
    frames = torch.tensor(given[TEXT]).float()
    with torch.no_grad():
        clip = network.clip(TEXT, frames, torch.ones(1, 3, dtype=torch.bool))
        expected = network.heads[TEXT](clip.vector).item()
    assert found[1].prediction == pytest.approx(expected, abs=1e-5)
    assert found[0].prediction == pytest.approx(
        found[1].prediction + found[0].contributions[SOUND].change
    )
