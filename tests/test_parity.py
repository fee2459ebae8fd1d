"""The parity command on the authors' outputs, and on fixtures computed here by plain loops."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from msalib.models import recipes
from tests.parity import __main__ as main_module
from tests.parity import kinds, read, spt, sugrm
from tests.parity.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
PARITY = Path(os.environ.get("MSALIB_PARITY") or ROOT.parent / "shared" / "parity")

needs_fixtures = pytest.mark.skipif(
    not PARITY.is_dir(), reason="no parity fixtures: MSALIB_PARITY is not set to their folder"
)

PAIRS = [(kind, name) for kind, (_, names) in kinds().items() for name in names]
NAMES = [name for _, name in PAIRS]


def load(name):
    with np.load(PARITY / f"{name}.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def run(capsys, kind, path):
    """Exit status and, where there is one, the number on the last line."""
    status = main([kind, str(path)])
    printed = capsys.readouterr()
    if status == 2:
        assert printed.out == "" and printed.err.count("\n") == 1
        return status, printed.err
    name, number = printed.out.splitlines()[-1].split("=")
    assert name == "max_abs_error"
    return status, float(number)


def test_a_module_is_a_kind_of_its_name_or_those_it_says():
    papers = {
        "glomo",
        "glomo_classify_mer",
        "glomo_classify_mhd",
        "glomo_grad",
        "glomo_losses",
        "glomo_moe",
        "metrics",
        "mrm",
        "spt",
        "sugrm",
        "uegd",
        "uegd_weighted",
        "ulgm_selfmm",
        "ulgm_sugrm",
    }
    assert papers <= set(kinds())
    assert kinds()["uegd"].module is kinds()["uegd_weighted"].module
    assert kinds()["spt"].files == ("spt_as_coded", "spt_shift_sp")
    assert kinds()["mrm"].files == ("mrm",)
    for module, _ in kinds().values():
        assert 0 < module.TOLERANCE <= 1e-4


@needs_fixtures
def test_the_command_agrees_with_the_authors():
    command = [sys.executable, "-m", "tests.parity", "mrm", str(PARITY / "mrm.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1].removeprefix("max_abs_error=")) < 1e-5


@needs_fixtures
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_every_kind_agrees_with_the_authors(capsys, kind, name):
    status, error = run(capsys, kind, PARITY / f"{name}.npz")
    assert status == 0 and error <= kinds()[kind].module.TOLERANCE


@needs_fixtures
def test_uegd_is_also_the_kind_of_a_weighted_file(capsys):
    assert run(capsys, "uegd", PARITY / "uegd_weighted.npz")[0] == 0


@needs_fixtures
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_a_change_of_any_output_is_seen(capsys, tmp_path, kind, name):
    arrays = load(name)
    for output in arrays:
        if output.startswith(("out_", "out.", "mosi.", "sims.")):
            changed = arrays[output].copy()
            changed.flat[0] += 1e-3
            np.savez(tmp_path / "changed.npz", **{**arrays, output: changed})
            status, error = run(capsys, kind, tmp_path / "changed.npz")
            assert status == 1, output
            assert "grad." in output or 0.9e-3 < error < 1.1e-3  # a gradient's is relative


@needs_fixtures
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_a_file_without_any_one_of_its_outputs_is_refused(capsys, tmp_path, kind, name):
    arrays, path = load(name), tmp_path / f"{name}.npz"
    outputs = [n for n in arrays if n.startswith(("out_", "out.", "mosi.", "sims."))]
    assert outputs
    for output in outputs:
        np.savez(path, **{n: array for n, array in arrays.items() if n != output})
        status, message = run(capsys, kind, path)
        assert status == 2, output
        assert message.startswith(f"{path}: found no ")
        assert output.rpartition(".")[2] in message.partition(";")[0]
        assert "make it again with all outputs" in message


@needs_fixtures
def test_every_missing_output_is_named(capsys, tmp_path):
    arrays = load("mrm")
    del arrays["out_text"], arrays["out_audio"]
    np.savez(tmp_path / "less.npz", **arrays)
    status, message = run(capsys, "mrm", tmp_path / "less.npz")
    assert status == 2 and "found no out_audio, out_text; expected every output of kind" in message


# --- the release's configuration ----------------------------------------------------------------


def released(dataset):
    return recipes.load("sugrm", "release", "full", dataset)["model"]


def intended(dataset):
    return recipes.load("sugrm", "article", "full", dataset)["model"]


@needs_fixtures
@pytest.mark.parametrize(
    ("kind", "name", "configuration"),
    [
        (spt, "spt_as_coded", (4, released("mosi")["shift"], 2)),
        (spt, "spt_shift_sp", (4, intended("mosi")["shift"], 2)),
        (sugrm, "sugrm", tuple(released("mosei")[n] for n in ("heads", "shift", "layers"))),
    ],
)
def test_the_configuration_that_fits_is_the_one_that_was_run(kind, name, configuration):
    """As such: what fits best among all heads, layers and shifts is what the authors ran."""
    choice, errors = kind.fitting(read(PARITY / f"{name}.npz"))
    assert tuple(choice) == configuration
    assert max(errors.values()) <= kind.TOLERANCE


@needs_fixtures
@pytest.mark.parametrize(("name", "other"), [spt.FILES["spt"], spt.FILES["spt"][::-1]])
def test_another_shift_than_that_of_the_name_is_seen(capsys, tmp_path, name, other):
    """Under another name the search finds it."""
    for renamed, status in ((name, 1), ("any", 0)):
        (tmp_path / f"{renamed}.npz").write_bytes((PARITY / f"{other}.npz").read_bytes())
        assert run(capsys, "spt", tmp_path / f"{renamed}.npz")[0] == status


@needs_fixtures
def test_a_sugrm_with_another_shift_than_the_release_is_seen(capsys, tmp_path):
    """Its outputs are right, but those of the paper's intention."""
    fixture = read(PARITY / "sugrm.npz")
    choice = sugrm.fitting(fixture)[0]._replace(shift=intended("mosi")["shift"])
    outputs = {name: ours.numpy() for name, ours in sugrm._whole(fixture, choice).items()}
    np.savez(tmp_path / "sugrm.npz", **{**fixture, **outputs})
    status, error = run(capsys, "sugrm", tmp_path / "sugrm.npz")
    assert status == 1 and error > 1e-3


@needs_fixtures
@pytest.mark.parametrize("kind", ["uegd", "uegd_weighted"])
def test_a_change_of_any_used_weight_is_seen(capsys, tmp_path, kind):
    arrays, rng = load(kind), np.random.default_rng(0)
    for name in arrays:
        if name.startswith("w."):
            changed = arrays[name] + rng.normal(size=arrays[name].shape)
            np.savez(tmp_path / "changed.npz", **{**arrays, name: changed})
            unused = "input_norm_layer" in name or (kind == "uegd" and "layer_weights" in name)
            assert run(capsys, kind, tmp_path / "changed.npz")[0] == (0 if unused else 1), name


@needs_fixtures
def test_a_nan_is_outside_tolerance(capsys, tmp_path):
    arrays = load("uegd")
    arrays["out_gate"][0, 0] = np.nan
    np.savez(tmp_path / "changed.npz", **arrays)
    status, error = run(capsys, "uegd", tmp_path / "changed.npz")
    assert status == 1 and np.isnan(error)


def uegd_by_loops(
    rng, *, modalities, clips=3, frames=7, size=5, hidden=6, heads=3, width=4, layers
):
    """A fixture of any size from the equations of papers/uegd.md (c), clip by clip, unpadded.

    ``layers`` maps each weighted modality to its number of layers.
    """
    arrays = {}

    def weight(name, *shape):
        arrays[f"w.{name}"] = rng.normal(size=shape).astype(np.float32)
        return arrays[f"w.{name}"].astype(float)

    def linear(name, output, width):
        matrix, bias = weight(f"{name}.weight", output, width), weight(f"{name}.bias", output)
        return lambda x: x @ matrix.T + bias

    def norm_relu(name, width):
        gain, shift = weight(f"{name}.weight", width), weight(f"{name}.bias", width)

        def apply(x):
            x = x - x.mean(-1, keepdims=True)
            scale = np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
            return np.maximum(gain * x / scale + shift, 0)

        return apply

    def softmax(x):
        x = np.exp(x - x.max(0))
        return x / x.sum(0)

    embeddings = np.zeros((clips, 3, width))
    for position, (medium, letter) in enumerate((("video", "v"), ("audio", "a"), ("text", "t"))):
        if medium not in modalities:
            continue
        encoder = f"enc_{letter}"
        stack = (clips, layers[medium], frames, size) if medium in layers else (clips, frames, size)
        x = arrays[f"in_{medium}"] = rng.normal(size=stack).astype(np.float32)
        length = arrays[f"len_{medium}"] = rng.integers(1, frames + 1, clips)
        mixture = softmax(weight(f"{encoder}.input_layer_weights", layers.get(medium, 1)))
        weight(f"{encoder}.input_norm_layer.weight", size)
        weight(f"{encoder}.input_norm_layer.bias", size)
        project = linear(f"{encoder}.enc.0", hidden, size)
        norm = norm_relu(f"{encoder}.enc.1", hidden)
        score_hidden = linear(f"{encoder}.attn.fc1", hidden, hidden)
        score = weight(f"{encoder}.attn.fc2.weight", heads, hidden)
        embed = linear(f"{encoder}.dec.0", width, heads * hidden)
        attention = arrays[f"out_attention_{medium}"] = np.zeros((clips, frames, heads))
        for i, t in enumerate(length):
            clip = np.tensordot(mixture, x[i], 1) if medium in layers else x[i]
            h = norm(project(clip[:t]))
            attention[i, :t] = softmax(np.tanh(score_hidden(h)) @ score.T)
            embeddings[i, position] = embed((attention[i, :t].T @ h).reshape(-1))
        arrays[f"out_embedding_{medium}"] = embeddings[:, position]
    flat = embeddings.reshape(clips, -1)
    gate = np.hstack([linear(f"dec.attn.fcs.{j}", 1, 3 * width)(flat) for j in range(3)])
    gate = arrays["out_gate"] = 1 / (1 + np.exp(-gate))
    fused = np.einsum("bm,bmf->bf", gate, embeddings)
    decoded = norm_relu("dec.dec.1", width)(linear("dec.dec.0", width, width)(fused))
    arrays["out_prediction"] = linear("dec.dec.4", 1, width)(decoded)
    return arrays


@pytest.mark.parametrize(
    "sizes",
    [
        {"modalities": ["video", "audio", "text"], "layers": {}},
        {"modalities": ["video", "audio", "text"], "layers": {"video": 1, "audio": 3, "text": 25}},
        {"modalities": ["video", "text"], "layers": {"text": 4}, "heads": 1},
        {"modalities": ["text"], "layers": {}, "clips": 1, "frames": 1},
        {"modalities": ["audio"], "layers": {"audio": 2}, "size": 40, "hidden": 3, "width": 9},
    ],
    ids=["three", "weighted", "mixed", "text", "audio"],
)
def test_sizes_are_read_from_the_file(capsys, tmp_path, sizes):
    np.savez(tmp_path / "any.npz", **uegd_by_loops(np.random.default_rng(0), **sizes))
    assert run(capsys, "uegd", tmp_path / "any.npz")[0] == 0


@pytest.fixture
def arrays():
    return uegd_by_loops(np.random.default_rng(1), modalities=["text"], layers={})


def test_a_weight_without_a_place_is_refused(capsys, tmp_path, arrays):
    np.savez(tmp_path / "more.npz", **arrays, **{"w.enc_t.extra.bias": np.zeros(2)})
    status, message = run(capsys, "uegd", tmp_path / "more.npz")
    assert status == 2 and "w.enc_t.extra.bias" in message


@pytest.mark.parametrize(
    "name", ["w.dec.attn.fcs.0.bias", "in_text", "len_text", "out_prediction", "w.dec.dec.4.weight"]
)
def test_a_missing_array_is_refused(capsys, tmp_path, arrays, name):
    del arrays[name]
    np.savez(tmp_path / "less.npz", **arrays)
    status, message = run(capsys, "uegd", tmp_path / "less.npz")
    assert status == 2 and name in message


@pytest.mark.parametrize("name", ["w.enc_t.enc.0.weight", "len_text", "out_gate"])
def test_a_wrong_shape_is_refused(capsys, tmp_path, arrays, name):
    np.savez(tmp_path / "wrong.npz", **{**arrays, name: np.repeat(arrays[name], 2, axis=-1)})
    status, message = run(capsys, "uegd", tmp_path / "wrong.npz")
    assert status == 2 and "shape" in message


def test_an_unknown_output_is_refused(capsys, tmp_path, arrays):
    np.savez(tmp_path / "more.npz", **arrays, out_other=np.zeros(2))
    status, message = run(capsys, "uegd", tmp_path / "more.npz")
    assert status == 2 and "out_other" in message


def test_metrics_of_any_number_of_clips(capsys, tmp_path):
    truth, prediction = np.float32([1, -2, 0.4]), np.float32([0.6, -2.4, -0.4])
    arrays = {"mosi_truth": truth, "mosi_pred": prediction}
    # Two of three signs, |error| 0.4 + 0.4 + 0.8, classes 1 1, -2 -2, 0 0; F1 of a sign is 2/3.
    signs = dict.fromkeys(("Has0_acc_2", "Has0_F1_score", "Non0_acc_2", "Non0_F1_score"), 0.6667)
    values = signs | {"MAE": 0.5333, "Mult_acc_5": 1.0, "Mult_acc_7": 1.0}
    values["Corr"] = np.round(np.corrcoef(truth, prediction)[0, 1], 4)
    values = {f"mosi.{name}": value for name, value in values.items()}
    np.savez(tmp_path / "three.npz", **arrays, **values)
    assert run(capsys, "metrics", tmp_path / "three.npz") == (0, 0)
    np.savez(tmp_path / "off.npz", **arrays, **{**values, "mosi.MAE": 0.5335})
    assert run(capsys, "metrics", tmp_path / "off.npz")[0] == 1


@pytest.mark.parametrize(
    ("kind", "arrays", "message"),
    [
        ("other", {}, "KIND: found 'other'; expected one of "),
        ("metrics", {"mosi_truth": np.zeros(2)}, "no metrics"),
        ("metrics", {"mosi.MAE": 0.0, "mosi_truth": np.zeros(2)}, "'mosi_pred'"),
        ("metrics", {"mosi.New": 0, "mosi_truth": np.ones(2), "mosi_pred": np.ones(2)}, "mosi.New"),
        ("metrics", {"sims.MAE": 0, "sims_truth": np.ones(2), "sims_pred": np.ones(3)}, "same N"),
        ("uegd", {"mosi_truth": np.zeros(2)}, "no encoder"),
        ("metrics", {"mosi.MAE": 0, "mosi_truth": np.ones(2), "mosi_pred": np.ones(2)}, "no mosi."),
    ],
)
def test_a_file_of_another_kind_is_refused(capsys, tmp_path, kind, arrays, message):
    np.savez(tmp_path / "file.npz", **arrays)
    status, printed = run(capsys, kind, tmp_path / "file.npz")
    assert status == 2 and message in printed


@pytest.mark.parametrize("damage", ["missing", "text", "truncated", "single array", "pickle"])
def test_a_damaged_file_is_refused(capsys, tmp_path, arrays, damage):
    path = tmp_path / "file.npz"
    match damage:
        case "text":
            path.write_text("not an archive")
        case "truncated":
            np.savez(path, **arrays)
            path.write_bytes(path.read_bytes()[:-200])
        case "single array":
            with path.open("wb") as file:
                np.save(file, np.zeros(3))
        case "pickle":
            np.savez(path, in_text=np.array([{}]))
    status, message = run(capsys, "uegd", path)
    assert status == 2
    assert ("no such file" if damage == "missing" else "damaged") in message


@needs_fixtures
def test_every_kind_is_recorded_with_its_error(tmp_path, monkeypatch):
    monkeypatch.setattr(main_module, "RECORD", tmp_path / "parity.json")
    assert main_module.main(["--record", str(PARITY)]) == 0
    results = json.loads((tmp_path / "parity.json").read_text())
    assert list(results) == NAMES
    assert all(0 <= kind["max_abs_error"] <= kind["tolerance"] for kind in results.values())


@needs_fixtures
def test_the_committed_record_is_of_these_files():
    """A file of the authors' outputs, or a kind, that changed must be recorded again.

    Baselines belong to no paper's page, and are recorded when all of them are here.
    """
    known = json.loads(main_module.RECORD.read_text())
    baselines = recipes.baselines()
    for kind, (module, names) in kinds().items():
        baseline = module.__name__.rpartition(".")[2] in baselines
        assert set(names) <= set(known) or baseline, kind
    assert set(known) <= set(NAMES)
    for name, record in known.items():
        assert record["sha256"] == hashlib.sha256((PARITY / f"{name}.npz").read_bytes()).hexdigest()


@pytest.mark.parametrize("arguments", [[], ["uegd"], ["uegd", "x.npz", "--record", "y"]])
def test_a_comparison_or_a_record_is_asked_for(arguments):
    with pytest.raises(SystemExit) as end:
        main_module.main(arguments)
    assert end.value.code == 2
