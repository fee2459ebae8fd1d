"""Runs with a fine-tuned text encoder, on a tiny BERT made from a configuration."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

from msalib import models
from msalib.base.errors import UserError
from msalib.data.corpus import TUNED, Corpus, Features, membership
from msalib.papers.sugrm import plan
from msalib.runs import records
from msalib.runs.records import Setting
from msalib.runs.spec import Spec
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer, parameter_groups, regime_of
from msalib.training import loop
from msalib.training.regime import Part
from msalib.training.standard import Standard
from tests.encoders.tiny import save_bert
from tests.factory import write_pack

WORDS = np.array(["a", "and", "good", "bad", "film"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(save_bert(tmp_path_factory.mktemp("models") / "tiny-bert"))


@pytest.fixture
def study(tmp_path, monkeypatch, folder):
    """Studies of CMU-MOSI as 80 short texts; what is said and how it is rated go together."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, n)) for n in rng.integers(1, 9, 80)]
    label = [float(np.clip(t.count("good") - t.count("bad"), -3, 3)) for t in texts]
    part = ["train"] * 48 + ["valid"] * 16 + ["test"] * 16
    names = [f"clip{i:02d}" for i in range(80)]
    table = {"id": names, "video": names, "segment": [1] * 80, "text": texts, "label": label}
    write_pack(
        tmp_path / "data" / "mosi",
        table=table | {"split": part, "split_features": part, "positive": [0] * 80},
        arrays={"id": np.array(names), "audio_opensmile": rng.normal(size=(80, 3))},
    )
    monkeypatch.setenv("MSALIB_DATA", str(tmp_path / "data"))

    def make(**changes) -> Study:
        parameters = {"dataset": "mosi", "encoder": f"{folder}-tuned", "seeds": 1, "device": "cpu"}
        return Study("sugrm", **parameters | changes)

    return make


def spec_of(study: Study, name: str, **train):
    """The run of a system with seed 0, and what trains it."""
    spec = study.spec(plan.compared(plan.whole_of(study))[name], 0)
    spec = spec.model_copy(update={"train": spec.train | {"precision": "float32"} | train})
    return spec, Trainer(study.encoded, "cpu")


def test_the_encoder_is_trained_with_its_own_rate_and_its_norms_are_spared(study):
    spec, trainer = spec_of(study(), "SUGRM", epochs=1)
    assert spec.inputs == {"acoustic": 1, "linguistic": TUNED}
    model = trainer.build(spec)
    module = models.module(spec.family)
    groups = regime_of(spec).make_optimizer(parameter_groups(module, model)).param_groups
    assert [(g["part"], g["lr"], g["weight_decay"]) for g in groups] == [
        *(("sequence", 5e-4, 1e-3), ("other", 1e-2, 1e-3)),
        *(("text", 5e-5, 1e-3), ("text", 5e-5, 0.0)),
    ]
    assert sum(len(g["params"]) for g in groups) == len(list(model.parameters()))
    text = [g["params"] for g in groups if g["part"] == "text"]
    assert all(p.dim() == 2 for p in text[0]) and all(p.dim() == 1 for p in text[1])
    before = {n: p.clone() for n, p in model.encoders.named_parameters()}
    (fit,) = trainer.fit([spec])
    after = dict(fit.model.encoders.named_parameters())
    still = {n for n, p in before.items() if p.equal(after[n])}
    # Words and positions that no text has stay, but not their whole tables; of keys no bias counts.
    assert still <= {n for n in before if n.endswith("key.bias")}


@pytest.mark.filterwarnings("ignore:no clip is labelled")
def test_a_setting_of_its_own_with_records_of_its_own(study, folder):
    tuned = study()
    (record,) = tuned.run([plan.compared(plan.whole_of(tuned))["concatenation"]])
    assert tuned.setting.startswith("substitute: CMU-MOSI (voice as stored), ")
    assert "voice vectors, fine-tuned tiny-bert; " in tuned.setting
    found = records.find("sugrm", Setting("mosi", "tiny-bert-tuned", "release", "quick"))
    assert found == [record] and record.spec.encoder == "tiny-bert-tuned"
    assert "acoustic-1+linguistic-tuned" in record.name()
    assert plan.whole_of(study(encoder=folder)) == {"acoustic": 1, "linguistic": 3}
    again = study(refresh=True)
    assert again.run([record.spec.system])[0].predictions == record.predictions


def test_batches_by_length_judge_every_clip_in_its_place(study):
    spec, trainer = spec_of(study(), "Self-MM")
    torch.manual_seed(0)
    model, test = trainer.build(spec).eval(), trainer.examples(spec, "test")
    scores = loop.predict(model, test, 7).scores
    with torch.inference_mode():
        batches = [test.batch(torch.tensor([i])) for i in range(len(test))]
        alone = [model(batch.features, batch.mask).prediction for batch in batches]
    torch.testing.assert_close(scores, torch.cat(alone), atol=1e-5, rtol=0)


def test_uegd_is_about_frozen_encoders():
    with pytest.raises(UserError, match="'minilm-tuned': found an encoder that is to be fine-tun"):
        Study("uegd", dataset="mosi", encoder="minilm-tuned")


@pytest.mark.parametrize("name", ["small", "small-bert+small-clip", "log-mel"])
def test_pictures_and_handcrafted_features_are_not_fine_tuned(name):
    with pytest.raises(UserError, match="expected encoders of text or of speech") as refused:
        Study("sugrm", dataset="raw", encoder=f"{name}-tuned")
    remedy = refused.value.remedy.split("-p encoder ")[1].split(",")[0]
    assert Study("sugrm", dataset="raw", encoder=remedy).encoder == remedy == "small-bert-tuned"
    assert not Study("sugrm", dataset="raw", encoder=name).tuned  # the other remedy


@pytest.mark.parametrize("name", ["small-frames", "small-wavlm-frames+small-bert"])
def test_an_encoder_with_all_its_frames_is_fine_tuned_by_its_own_name(name):
    with pytest.raises(UserError, match="small-wavlm-frames, which cannot be fine-tun") as refused:
        Study("sugrm", dataset="raw", encoder=f"{name}-tuned")
    remedy = refused.value.remedy.split()[1].removesuffix(":")
    assert Study("sugrm", dataset="raw", encoder=remedy).encoder == "small-wavlm+small-bert-tuned"


# --- two encoders at once -----------------------------------------------------------------------


class PairTraining(Standard):
    """Rates for a model, its text encoder and its speech encoder."""

    def parts(self):
        return {name: Part(1e-3) for name in ("model", "text", "speech")}


class PairOutput(NamedTuple):
    prediction: torch.Tensor


class Pair(torch.nn.Module):
    """A line over the mean states of text and speech."""

    def __init__(self, sizes):
        super().__init__()
        self.output = torch.nn.Linear(sum(sizes.values()), 1)

    def forward(self, features, mask):
        means = [
            (member := membership(mask[m], len(x)).float()) @ x / member.sum(1, keepdim=True)
            for m, x in features.items()
        ]
        return PairOutput(self.output(torch.cat(means, 1)).squeeze(1))


def pair_corpus() -> Corpus:
    """24 clips with four tokens and six frames of sound each."""
    rng = np.random.default_rng(0)
    ids = pd.Index([f"v{i}" for i in range(24)], name="id")
    tokens = rng.integers(5, 50, (24 * 4, 1)).astype(np.int32)
    sound = rng.normal(0, 0.1, (24 * 6, 32)).astype(np.float32)
    features = {
        name: Features(encoder, "frame", {TUNED: x}, np.arange(25) * n, {"encoder": encoder})
        for name, encoder, x, n in (
            ("acoustic", "small-wavlm", sound, 6),
            ("linguistic", "small-bert", tokens, 4),
        )
    }
    table = pd.DataFrame({"video": ids, "segment": 1, "text": "x"}, index=ids)
    table["label"] = rng.uniform(-3, 3, 24).round(1)
    part = pd.Series(["train"] * 16 + ["valid"] * 4 + ["test"] * 4, index=ids)
    return Corpus("pair", table, features, {"standard": part})


def pair_spec() -> Spec:
    train = {"epochs": 1, "patience": None, "batch_size": 8, "learning_rate": 1e-3}
    names = {"paper": "baselines", "setting": "control", "dataset": "control", "encoder": "small"}
    return Spec(
        **names,
        split="standard",
        preset="release",
        profile="quick",
        inputs={"acoustic": TUNED, "linguistic": TUNED},
        train_share=1.0,
        model={"family": "pair"},
        train=train | {"weight_decay": 0.0},
        seed=0,
    )


def pair_module(training=PairTraining):
    return SimpleNamespace(
        Config=lambda **settings: settings,
        Training=training,
        build=lambda config, *, sizes, layers, outputs: Pair(sizes),
    )


def test_encoders_of_text_and_speech_are_fine_tuned_together(monkeypatch):
    monkeypatch.setattr(models, "module", lambda name: pair_module())
    trainer, spec = Trainer(pair_corpus(), "cpu"), pair_spec()
    torch.manual_seed(0)
    before = dict(trainer.build(spec).encoders.named_parameters())
    first, again = trainer.fit([spec])[0], trainer.fit([spec])[0]
    after = dict(first.model.encoders.named_parameters())
    for stream in ("acoustic", "linguistic"):
        moved = [n for n in before if n.startswith(stream) and not before[n].equal(after[n])]
        assert len(moved) > 10, stream
    assert first.history == again.history


def test_an_encoder_that_the_recipe_has_no_rate_for_is_refused(monkeypatch):
    monkeypatch.setattr(models, "module", lambda name: pair_module(Standard))
    with pytest.raises(UserError, match=r"learning rate of .*speech.* expected rates for model"):
        Trainer(pair_corpus(), "cpu").fit([pair_spec()])
