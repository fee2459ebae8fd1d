"""A text encoder in the training loop, on a tiny BERT made from a configuration."""

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.data.corpus import TUNED, Batch
from msalib.encoders.tuned import TextEncoder, word_pieces
from msalib.papers.sugrm import plan
from msalib.runs import records
from msalib.runs.records import Setting
from msalib.runs.study import Study
from msalib.training import multitask
from tests.encoders.test_encoders import POSITIONS, save_bert
from tests.factory import write_pack

WORDS = np.array(["a", "and", "good", "bad", "film"])


@pytest.fixture
def folder(tmp_path) -> str:
    return str(save_bert(tmp_path / "tiny-bert"))


@pytest.fixture
def data(tmp_path, monkeypatch):
    """CMU-MOSI as 80 short texts; what is said and how it is rated go together."""
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


def study(folder: str, **given) -> Study:
    parameters = {"dataset": "mosi", "encoder": f"{folder}-tuned", "seeds": 1, "device": "cpu"}
    return Study("sugrm", **parameters | given)


def test_word_pieces_of_every_text(data, folder):
    corpus, encoder = readers.load("mosi"), encoders.resolve(folder)
    features = word_pieces(corpus, encoder)
    ids = features.layers[TUNED]
    assert ids.dtype == np.int32 and len(ids) == features.offsets[-1]
    for i, text in enumerate(corpus.utterances["text"]):
        own = ids[features.offsets[i] : features.offsets[i + 1], 0]
        pieces = len(text.split()) + text.split().count("film")  # "fil" and "##m"
        assert own[0] == 2 and own[-1] == 3 and len(own) == pieces + 2
    assert features.provenance["revision"] == encoders.revision(encoder)


def test_a_long_text_is_cut_before_its_end_mark(data, folder, monkeypatch):
    corpus = readers.load("mosi")
    corpus.utterances.loc["clip03", "text"] = " ".join(["good"] * 60)
    with pytest.warns(UserWarning, match="1 of 80 texts of mosi are longer than the"):
        features = word_pieces(corpus, encoders.resolve(folder))
    own = features.layers[TUNED][features.offsets[3] : features.offsets[4], 0]
    assert len(own) == POSITIONS and own[0] == 2 and own[-1] == 3


def test_padding_changes_nothing(folder):
    net = TextEncoder(encoders.resolve(folder), "float32").eval()
    short, long = torch.tensor([[2], [7], [3]]), torch.tensor([[2], [7], [8], [9], [5], [3]])
    alone = net(short, torch.ones(1, 3, dtype=torch.bool))
    mask = torch.arange(6) < torch.tensor([[3], [6]])
    both = net(torch.cat([short, long]), mask)
    assert both.shape == (9, net.width)
    torch.testing.assert_close(both[:3], alone, atol=1e-5, rtol=0)


def test_half_precision_is_near_and_comes_back_as_float32(folder):
    pieces, mask = torch.tensor([[2], [7], [3]]), torch.ones(1, 3, dtype=torch.bool)
    exact = TextEncoder(encoders.resolve(folder), "float32").eval()(pieces, mask)
    lower = TextEncoder(encoders.resolve(folder), "bfloat16").eval()(pieces, mask)
    assert lower.dtype == torch.float32
    assert 0 < (lower - exact).abs().max() < 0.1


def test_weight_decay_spares_biases_and_norms(folder):
    net = TextEncoder(encoders.resolve(folder), "float32")
    decayed, spared = net.groups()
    assert all(p.dim() == 2 for p in decayed) and all(p.dim() == 1 for p in spared)
    assert len(decayed) + len(spared) == len(list(net.parameters()))


def test_the_encoder_is_trained_along_with_its_own_rate(data, folder):
    asked = study(folder)
    trainer = multitask.Trainer(asked.encoded, "cpu")
    spec = asked.spec(plan.compared(plan.whole_of(asked))["SUGRM"], 0)
    assert spec.inputs == {"acoustic": 1, "linguistic": TUNED}
    model = trainer.build(spec)
    groups = multitask._groups(model, "sugrm", multitask.Config(**spec.train))
    assert [(g["lr"], g["weight_decay"]) for g in groups] == [
        *((5e-4, 1e-3), (1e-2, 1e-3)),
        *((5e-5, 1e-3), (5e-5, 0.0)),
    ]
    assert sum(len(g["params"]) for g in groups) == len(list(model.parameters()))
    before = {n: p.clone() for n, p in model.named_parameters() if n.startswith("text")}
    spec = spec.model_copy(update={"train": spec.train | {"epochs": 1, "precision": "float32"}})
    after = dict(trainer.fit(spec).model.named_parameters())
    still = {n for n, p in before.items() if p.equal(after[n])}
    # Words and positions that no text has stay, but not their whole tables; of keys no bias counts.
    assert still <= {n for n in before if n.endswith("key.bias")}


@pytest.mark.filterwarnings("ignore:no clip is labelled")
def test_a_setting_of_its_own_with_records_of_its_own(data, folder):
    asked = study(folder)
    (record,) = asked.run([plan.compared(plan.whole_of(asked))["concatenation"]])
    assert asked.setting.startswith("substitute: CMU-MOSI (tiny-bert trained along, acoustic")
    found = records.find("sugrm", Setting("mosi", "tiny-bert-tuned", "release", "quick"))
    assert found == [record] and record.spec.encoder == "tiny-bert-tuned"
    assert "acoustic-1+linguistic-tuned" in record.name()
    frozen = study(folder, encoder=folder)
    assert plan.whole_of(frozen) == {"acoustic": 1, "linguistic": 3}
    again = study(folder, refresh=True)
    assert again.run([record.spec.system])[0].predictions == record.predictions


def test_batches_by_length_judge_every_clip_in_its_place(data, folder):
    asked = study(folder)
    trainer = multitask.Trainer(asked.encoded, "cpu")
    spec = asked.spec(plan.compared(plan.whole_of(asked))["Self-MM"], 0)
    spec = spec.model_copy(update={"train": spec.train | {"precision": "float32"}})
    torch.manual_seed(0)
    model, test = trainer.build(spec).eval(), trainer.examples(spec, "test")
    found = multitask.predict(model, test)["multimodal"]
    with torch.inference_mode():
        one = [multitask._forward(model, test.batch(torch.tensor([i]))) for i in range(len(test))]
    torch.testing.assert_close(found, torch.cat([o.prediction for o in one]), atol=1e-5, rtol=0)
    assert isinstance(test.batch(torch.tensor([0])), Batch)


def test_uegd_is_about_frozen_encoders(folder):
    with pytest.raises(UserError, match="'minilm-tuned': found an encoder that is trained along"):
        Study("uegd", dataset="mosi", encoder="minilm-tuned")


@pytest.mark.parametrize("name", ["small", "small-wavlm", "small-bert+small-clip", "log-mel"])
def test_an_encoder_that_reads_no_text_is_not_fine_tuned(name):
    with pytest.raises(UserError, match="expected an encoder of text") as refused:
        Study("sugrm", dataset="raw", encoder=f"{name}-tuned")
    remedy = str(refused.value).split("-p encoder ")[1].split(",")[0]
    assert Study("sugrm", dataset="raw", encoder=remedy).encoder == remedy == "small-bert-tuned"
    assert not Study("sugrm", dataset="raw", encoder=name).tuned  # the other remedy
