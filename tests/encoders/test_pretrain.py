"""Pretraining at a toy size, and the encoders that ship with the package."""

import hashlib
import json

import numpy as np
import pytest
import torch

from msalib.base import paths
from msalib.data.simulate import raw, render
from msalib.encoders import objectives, pretrain
from msalib.encoders.registry import SMALL

pytest.importorskip("cv2")
pytest.importorskip("librosa")

STATED = json.loads((paths.BOOK / "records" / "pretrain.json").read_text())


@pytest.fixture(scope="module")
def few():
    return raw.unlabelled(videos=6)


@pytest.fixture(scope="module")
def made(few, tmp_path_factory):
    """Each encoder after three steps, and its folder."""
    home = tmp_path_factory.mktemp("small")
    return {n: (pretrain.pretrain(n, home / n, 3, few), home / n) for n in pretrain.OBJECTIVES}


def read(folder):
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder, dtype=torch.float32).eval()


# --- at a toy size ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", pretrain.OBJECTIVES)
def test_a_folder_holds_what_a_model_needs(made, name):
    result, folder = made[name]
    files = {p.name for p in folder.iterdir()}
    other = {"tokenizer.json"} if name == "bert" else {"preprocessor_config.json"}
    assert {"config.json", "model.safetensors", "README.md"} | other <= files
    assert len(result.losses) == 1 and np.isfinite(result.losses).all()
    card = (folder / "README.md").read_text()
    for said in (
        "MIT",
        f"python -m msalib.encoders.pretrain {name}",
        "unlabelled part",
        "What it is not",
    ):
        assert said in card
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(".")]


def test_the_seed_decides_the_weights(made, few, tmp_path):
    pretrain.pretrain("bert", tmp_path / "bert", 3, few)
    one, two = (
        hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        for folder in (made["bert"][1], tmp_path / "bert")
    )
    assert one == two


def test_an_older_model_is_replaced_whole(made, few, tmp_path):
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    pretrain.save("bert", made["bert"][0], folder, 3)
    assert not (folder / "old.txt").exists() and (folder / "config.json").exists()


def test_masks_hide_what_they_should():
    rng = np.random.default_rng(0)
    spans = objectives.hide_spans(rng, 500, 100)
    assert spans.any(1).all() and not spans.all(1).any()
    assert 0.25 < spans.mean() < 0.4  # 1 - (1 - 0.08) ** 5
    tokenizer = objectives.tokenizer_of(["the movie was good", "the plot was dull"])
    ids = torch.tensor([tokenizer("the movie was good")["input_ids"]] * 400)
    masked, target = objectives.mask_tokens(rng, ids, tokenizer)
    asked = target != -100
    assert asked.float().mean() == pytest.approx(objectives.MASKED * 4 / 6, abs=0.03)
    assert not asked[:, 0].any() and not asked[:, -1].any()  # CLS and SEP are never asked
    assert (masked[asked] == tokenizer.mask_token_id).float().mean() == pytest.approx(0.8, abs=0.1)
    assert (masked[~asked] == ids[~asked]).all()


def test_clusters_lie_on_the_frames_of_the_model(few, made):
    waves = [render.sound(few, row) for row in range(3)]
    model = read(made["wavlm"][1])
    for wave, units in zip(waves, objectives.clusters_of(waves * 20), strict=False):
        with torch.inference_mode():
            states = model(torch.tensor(wave)[None]).last_hidden_state
        assert states.shape[1] == len(units)


def test_captions_name_the_person_and_some_of_the_rest(few):
    from msalib.data.simulate import faces

    seen = faces.describe(*render.person(few, 0))
    words = sorted({w for part in seen.values() for w in part.split()})
    number = {word: k for k, word in enumerate([*words, objectives.END], start=2)}
    rng = np.random.default_rng(0)
    captions = [objectives.caption(rng, seen, number) for _ in range(300)]
    drawing = [number[w] for w in seen["person"].split()]
    assert all(c[: len(drawing) + 1] == [1, *drawing] and c[-1] == max(c) for c in captions)
    assert len(set(map(tuple, captions))) > 50


def test_states_are_means_of_every_layer(made, few):
    rows = np.arange(3)
    for name, (_, folder) in made.items():
        found = pretrain.states(name, folder, few, rows)
        assert found.shape == (pretrain.BLOCKS + 1, 3, pretrain.WIDTH)
        assert np.isfinite(found).all()
        assert not np.allclose(found[0], found[-1])


# --- those that ship ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", pretrain.OBJECTIVES)
def test_what_ships_is_small_and_loads(name):
    folder = SMALL / name
    assert sum(p.stat().st_size for p in folder.iterdir()) < 2_000_000
    assert all(p.stat().st_size < 500 * 1024 for p in folder.iterdir())
    model = read(folder)
    assert model.config.hidden_size == 64 and model.config.num_hidden_layers == 6
    weights = torch.cat([p.flatten() for p in model.parameters()])
    assert weights.isfinite().all() and weights.abs().max() < 1000
    card = (folder / "README.md").read_text()
    first, last = (f"{STATED[name]['losses'][k]:.3f}" for k in (0, -1))
    assert f"{STATED[name]['steps']} steps" in card and first in card and last in card
    assert pretrain.CHOICES[name] == STATED[name]["choices"] and pretrain.CHOICES[name] in card


def test_the_tokenizer_that_ships_knows_the_grammar():
    from transformers import AutoTokenizer

    from msalib.data.simulate import grammar

    tokenizer = AutoTokenizer.from_pretrained(SMALL / "bert")
    whole = [w for w in grammar.vocabulary() if len(tokenizer.tokenize(w)) == 1]
    assert len(whole) > 0.9 * len(grammar.vocabulary())
    assert tokenizer.unk_token_id not in tokenizer("an unheard story of a zebra")["input_ids"]


@pytest.mark.parametrize("name", pretrain.OBJECTIVES)
def test_what_it_learned_is_on_record(name):
    stated = STATED[name]
    assert stated["losses"][-1] < 0.8 * stated["losses"][0]
    for found in stated["probe"].values():
        assert len(found) == pretrain.BLOCKS + 1
    folds = stated["probe"]["folds"]  # 259 clips: 0.12 is two standard errors of chance
    assert max(folds[1:]) > 0.25
    if name == "clip":
        assert folds[0] == 0  # the class token enters the same whatever is seen
    assert stated["provenance"]["versions"]["torch"]
