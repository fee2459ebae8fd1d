"""Pretrained weights: made once, found again, loaded into runs, refused where they cannot be."""

import json
import shutil
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from msalib import encoders
from msalib.base.errors import UserError
from msalib.data import pairs as corpora
from msalib.data.corpus import Corpus
from msalib.encoders.registry import SMALL as SMALL_ENCODERS
from msalib.models import cmt, recipes
from msalib.papers.cmt import plan
from msalib.runs import pairs, pretraining
from msalib.runs.pretraining import Weights
from msalib.runs.spec import Spec
from msalib.training import pretraining as loop
from tests import clips

WORDS = ["we", "hated", "that", "film", "it", "was", "great", "i", "smiled", "a", "lot"]
SMALL = {"pt_updates": 6, "tapt_updates": 4, "pt_batch_size": 4, "codewords": 5, "pt_clips": 24}


def spoken(folder, name: str, count: int, first: int = 0) -> Corpus:
    """Noise of a third of a second and a sentence for every clip, two clips a video."""
    pytest.importorskip("soundfile")
    folder.mkdir(exist_ok=True)
    numbers = range(first, first + count)
    waves = [clips.tone(4000 + 300 * (n % 5), seed=n) for n in numbers]
    files = [
        clips.write_wav(folder / f"{n}.wav", wave) for n, wave in zip(numbers, waves, strict=True)
    ]
    ids = pd.Index([f"{name}_{n}" for n in numbers], name="id")
    texts = [" ".join(WORDS[n % 7 : n % 7 + 4]) for n in numbers]
    table = pd.DataFrame({"video": [f"v{n // 2}" for n in numbers], "segment": 1}, index=ids)
    table = table.assign(text=texts, label=np.linspace(-1, 1, count))
    part = pd.Series((["train", "train", "train", "valid", "test"] * count)[:count], index=ids)
    return Corpus(name, table, {}, {"standard": part}, media={"acoustic": files})


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """What a study reads: 25 clips of a task, and 24 to pretrain on; both encoders are small."""
    monkeypatch.setattr(pairs, "HELD_OUT", 5)  # of so few clips
    unlabelled = spoken(tmp_path / "sound", "strangers", 24, first=100)
    monkeypatch.setattr(corpora, "PAIRS", {"raw-spoken-unlabelled": lambda: unlabelled})
    task = spoken(tmp_path / "sound", "task", 25)
    chosen = {m: encoders.resolve(n) for m, n in (
        ("acoustic", "small-wavlm-frames"), ("linguistic", "small-bert")
    )}  # fmt: skip
    read = task
    for m, encoder in chosen.items():
        encoders.encode(task, encoder)
        read = read.with_features(m, encoders.read(task, encoder))
    return SimpleNamespace(
        tuned=False,
        encoder="small-frames",
        encoders=chosen,
        parameters=SimpleNamespace(preset="release", device="cpu", dataset="raw-spoken"),
        dataset=SimpleNamespace(split="standard", raw=("acoustic", "linguistic")),
        encoded_for=lambda names: read,
    )


def spec(kind: str = "pt", seed: int = 0, **changes) -> Spec:
    recipe = recipes.load("cmt", "release", "quick", "raw-spoken")
    model = recipe["model"] | {"width": 16, "heads": 2, "blocks": 2, "pretraining": kind}
    train = recipe["train"] | SMALL
    for group in (model, train):
        group.update({name: value for name, value in changes.items() if name in group})
    return Spec(
        paper="cmt",
        setting="control",
        dataset="raw-spoken",
        split="standard",
        encoder="small-frames",
        preset="release",
        profile="quick",
        inputs={"acoustic": 6, "linguistic": 6},
        train_share=1.0,
        model=model,
        train=train,
        seed=seed,
    )


def record_of(path):
    (file,) = [
        p for p in pretraining.records_folder().rglob("*.json") if p.stem == path.parent.name
    ]
    return pretraining.Pretrained.model_validate_json(file.read_bytes())


def count_trainings(monkeypatch) -> list:
    made, fit = [], loop.fit

    def counted(*args, **how):
        made.append(1)
        return fit(*args, **how)

    monkeypatch.setattr(loop, "fit", counted)
    return made


# --- made once ----------------------------------------------------------------------------------


def test_a_run_without_pretraining_begins_with_no_weights(inputs):
    assert Weights(inputs)(spec("none")) is None


def test_weights_are_made_once_and_stages_in_common_are_shared(inputs, monkeypatch):
    made = count_trainings(monkeypatch)
    first = Weights(inputs)(spec("pt"))
    assert len(made) == 1
    before = first.read_bytes()
    both = Weights(inputs)(spec("pt_tapt"))
    assert len(made) == 2  # the first stage was there
    assert Weights(inputs)(spec("pt")) == first
    assert first.read_bytes() == before
    assert not torch.equal(*(load_file(p)["tokens.weight"] for p in (first, both)))
    assert len({Weights(inputs)(spec(k)) for k in ("tapt", "pt_tapt_test", "pt_shuffled")}) == 3
    assert len(made) == 5


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"blocks": 1}, {"text_masked": 0.3}, {"pt_updates": 5}]
)
def test_whatever_weights_depend_on_names_them(inputs, changes):
    assert Weights(inputs)(spec()) != Weights(inputs)(spec(**changes))


@pytest.mark.parametrize("changes", [{"alpha": 10.0}, {"audio_block": "1"}, {"epochs": 2}])
def test_what_comes_after_them_does_not(inputs, changes):
    assert Weights(inputs)(spec()) == Weights(inputs)(spec(**changes))


def test_the_same_seed_gives_the_same_bytes(inputs, monkeypatch, tmp_path):
    first = Weights(inputs)(spec("pt_tapt")).read_bytes()
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "elsewhere"))
    assert Weights(inputs)(spec("pt_tapt")).read_bytes() == first


class Killed(BaseException):
    """Stands for a signal: no handler of errors may catch it."""


def test_killed_five_times_it_ends_with_the_same_weights(inputs, monkeypatch, tmp_path):
    whole = Weights(inputs)(spec("pt_tapt")).read_bytes()
    monkeypatch.setenv("MSALIB_FEATURES", str(tmp_path / "killed"))
    monkeypatch.setattr(loop, "SAVE_EVERY", -1.0)
    update, left = loop._update, [2, 1, 3, 2, 1]

    def dying(*args):
        if left:
            left[0] -= 1
            if left[0] < 0:
                left.pop(0)
                raise Killed
        return update(*args)

    monkeypatch.setattr(loop, "_update", dying)
    for _ in range(5):
        with pytest.raises(Killed):
            Weights(inputs)(spec("pt_tapt"))
    path = Weights(inputs)(spec("pt_tapt"))
    assert not left
    assert path.read_bytes() == whole
    assert list(path.parent.iterdir()) == [path]  # the checkpoint is gone


def test_the_run_that_asks_draws_the_same_numbers_whether_weights_are_new_or_not(inputs):
    torch.manual_seed(5)
    Weights(inputs)(spec())
    new = torch.rand(3)
    torch.manual_seed(5)
    Weights(inputs)(spec())
    assert torch.equal(torch.rand(3), new)


# --- what they are ------------------------------------------------------------------------------


def test_streams_of_a_model_take_them_and_its_head_stays(inputs):
    path, asked = Weights(inputs)(spec()), spec()
    torch.manual_seed(0)
    config = cmt.Config(**asked.model)
    model = cmt.build(config, sizes={"acoustic": 64, "linguistic": 64}, layers={}, outputs=1)
    head = model.head.weight.clone()
    pretraining.load(model, path)
    kept = load_file(path)
    for name, weight in model.streams.state_dict().items():
        assert torch.equal(weight, kept[f"streams.{name}"])
    assert torch.equal(model.head.weight, head)


@pytest.mark.parametrize("place", ["file", "record"])
def test_what_is_damaged_is_told_and_can_be_made_again(inputs, place):
    (stage,) = Weights(inputs).stages(spec("pt"))
    stage.ensure(None)
    damaged = getattr(stage, place)
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(UserError, match=r"no readable .*elete .*pretrain again"):
        stage.read_record()
        pretraining.load(None, stage.file)
    damaged.unlink()
    stage.ensure(None)
    assert load_file(stage.file) and stage.read_record().clips


def test_the_record_says_what_was_learned_on_what(inputs):
    record = record_of(Weights(inputs)(spec("pt_tapt")))
    assert [stage["updates"] for stage in record.stages] == [6, 4]
    assert record.encoders == {"acoustic": "small-wavlm-frames", "linguistic": "small-bert"}
    assert record.clips + record.held_out == 20  # the task's training and validation clips
    assert len(record.features) == 2
    assert record.curve["update"] == [1, 2, 3, 4]
    assert set(record.worth) == {"given", "shuffled", "silenced"}
    assert 0 < record.chance["text_right"] <= 1
    for shares in record.worth.values():
        assert set(shares) == {"text", "sound", "text_right", "sound_right"}


def test_test_clips_take_part_only_where_they_are_asked_for(inputs):
    without = record_of(Weights(inputs)(spec("pt_tapt")))
    with_test = record_of(Weights(inputs)(spec("pt_tapt_test")))
    assert (without.clips + without.held_out, with_test.clips + with_test.held_out) == (20, 25)


def test_held_out_clips_are_not_learned(inputs):
    asked = spec("pt")
    recipe = pretraining.recipe_of(asked)
    read = pairs.stored(inputs, recipe.stages, recipe.masking, "standard")
    assert not set(read.learned) & set(read.held)
    assert sorted([*read.learned, *read.held]) == list(range(24))


def test_shuffled_pairs_have_the_text_of_another_clip_and_are_judged_on_true_ones(inputs):
    recipe = pretraining.recipe_of(spec("pt_shuffled"))
    read = pairs.stored(inputs, recipe.stages, recipe.masking, "standard")
    source = partial(pairs.Source, read, read.learned, recipe.masking)
    shuffled, true = source(shuffled=True), source(shuffled=False)
    assert not (shuffled.texts == true.texts).any()
    assert sorted(shuffled.texts) == sorted(true.texts)
    rows, generator = np.arange(4), torch.Generator().manual_seed(0)
    one, other = (s.batch(rows, generator) for s in (true, shuffled))
    assert torch.equal(one.sound, other.sound)
    assert one.words.shape != other.words.shape or not torch.equal(one.words, other.words)


def test_every_so_many_th_frame_is_read_with_its_own_codeword(inputs):
    recipe = pretraining.recipe_of(spec("pt"))
    read = pairs.stored(inputs, recipe.stages, recipe.masking, "standard")
    source = pairs.Source(read, read.learned, recipe.masking, shuffled=False)
    batch = source.batch(np.arange(3), torch.Generator().manual_seed(0))
    step = recipe.masking.frame_step
    assert step == 4
    for n, clip in enumerate(read.learned[:3]):
        start, end = read.sound.offsets[clip : clip + 2]
        frames = torch.tensor(np.asarray(read.sound.values[start:end:step]), dtype=torch.float32)
        assert torch.equal(batch.sound[n, : len(frames)], frames)
        assert batch.heard[n].sum() == len(frames)
        units, guessed = torch.tensor(read.codewords[start:end:step]), batch.units[n, : len(frames)]
        away = guessed != -100
        assert away.any()
        assert torch.equal(guessed[away], units[away].long())


# --- exchanged outputs --------------------------------------------------------------------------


def test_another_clips_outputs_are_repeated_or_cut_to_the_length_of_the_own(inputs):
    recipe = pretraining.recipe_of(spec("pt"))
    read = pairs.stored(inputs, recipe.stages, recipe.masking, "standard")
    source = pairs.Source(read, read.learned, recipe.masking, shuffled=False)
    batch = source.batch(np.arange(5), torch.Generator().manual_seed(0))
    other = pretraining.OTHERS["shuffled"](batch)
    lengths = batch.heard.sum(1).tolist()
    for n, length in enumerate(lengths):
        before = (n - 1) % 5
        theirs = batch.sound[before, : lengths[before]]
        expected = theirs.repeat(5, 1)[:length]
        assert torch.equal(other["acoustic"][n, :length], expected)
    assert not pretraining.OTHERS["silenced"](batch)["linguistic"].any()


# --- refusals -----------------------------------------------------------------------------------


def test_fine_tuned_encoders_are_refused(inputs):
    inputs.tuned = True
    with pytest.raises(UserError, match="found encoders that are fine-tuned") as error:
        Weights(inputs)(spec())
    assert "Leave -tuned out, or leave pretraining out." in str(error.value)


def test_features_without_an_encoder_are_refused(inputs):
    del inputs.encoders["acoustic"]
    with pytest.raises(UserError, match="found no encoder of the acoustic modality") as error:
        Weights(inputs)(spec())
    assert "-p encoder small-wavlm-frames+small-bert" in str(error.value)
    inputs.dataset.raw = ("linguistic",)
    with pytest.raises(UserError, match="Choose a data set whose sound and text are encoded"):
        Weights(inputs)(spec())


def test_heads_that_do_not_divide_the_width_are_refused(inputs):
    with pytest.raises(UserError, match="width 16 of CMT: found 5 heads"):
        Weights(inputs)(spec(heads=5))


def test_a_single_pair_is_refused(inputs, tmp_path, monkeypatch):
    single = spoken(tmp_path / "sound", "single", 1)
    monkeypatch.setattr(corpora, "PAIRS", {"raw-spoken-unlabelled": lambda: single})
    with pytest.raises(UserError, match="found 1 pair of sound and text"):
        Weights(inputs)(spec())


def test_too_few_pairs_to_hold_two_out_are_refused(inputs, monkeypatch):
    monkeypatch.setattr(pairs, "HELD_OUT", 20)
    with pytest.raises(UserError, match="found 24 pairs, of which 1 would be held out") as error:
        Weights(inputs)(spec())
    assert "expected 40 pairs or more" in str(error.value)


def test_a_task_clip_without_words_is_refused(inputs):
    read = inputs.encoded_for(())
    table = read.utterances.copy()
    table.iloc[3, table.columns.get_loc("text")] = "  "
    inputs.encoded_for = lambda names: replace(read, utterances=table)
    with pytest.raises(UserError, match="1 of 25 clips with an empty transcript: task_3"):
        Weights(inputs)(spec("tapt"))


def test_a_trainer_without_weights_refuses_runs_that_begin_with_some():
    with pytest.raises(ValueError, match="begins with pretrained weights"):
        pretraining.absent(spec())
    assert pretraining.absent(spec("none")) is None


def test_weights_of_other_features_have_another_name(inputs):
    """Stores of two encoders are never mixed: their fingerprints name the weights."""
    first = Weights(inputs)(spec())
    inputs.encoders["acoustic"] = encoders.resolve("small-wavlm")
    assert Weights(inputs)(spec()) != first


def test_each_split_has_weights_of_its_own_where_the_tasks_clips_are_read(inputs):
    """One fold learns from clips that another one tests on; strangers are the same to all."""
    read = inputs.encoded_for(())
    turned = read.splits["standard"].replace({"valid": "test", "test": "valid"})
    both = replace(read, splits=read.splits | {"other": turned})
    inputs.encoded_for = lambda names: both
    for kind, same in (("pt", True), ("tapt", False), ("pt_tapt", False)):
        usual = Weights(inputs)(spec(kind))
        other = Weights(inputs)(spec(kind).model_copy(update={"split": "other"}))
        assert (usual == other) == same
    recipe = pretraining.recipe_of(spec("tapt"))
    learned = pairs.stored(inputs, recipe.stages, recipe.masking, "other").learned
    assert not set(learned) & set(both.rows("test", "other"))


def test_weights_of_two_folders_of_one_name_are_told_apart(inputs, tmp_path):
    made = []
    for place in ("here", "there"):
        shutil.copytree(SMALL_ENCODERS / "bert", tmp_path / place / "model")
        file = tmp_path / place / "model" / "model.safetensors"
        tensors = {n: t + 0.01 * (place == "there") for n, t in load_file(file).items()}
        save_file(tensors, file, metadata={"format": "pt"})
        inputs.encoders["linguistic"] = encoders.resolve(str(tmp_path / place / "model"))
        if made:
            with pytest.raises(UserError, match="found model revision") as error:
                Weights(inputs)(spec())
            folder = encoders.store_folder("strangers", inputs.encoders["linguistic"])
            assert f"Delete the folder {folder}; pretraining makes it" in str(error.value)
            shutil.rmtree(folder)
        made.append(Weights(inputs)(spec()))
    assert made[0] != made[1]


def test_a_record_of_runs_names_pretraining_by_its_choice():
    system = plan.system({"acoustic": 4, "linguistic": 6}, pretraining="pt")
    assert "pt" in system.name()
    assert json.dumps(spec().content()) != json.dumps(spec("none").content())
