"""Parity kinds of GLoMo on other files: mixtures by plain loops, rearranged and damaged files."""

import math
import re

import numpy as np
import pytest

from tests.test_parity import load, needs_fixtures, run

# --- mixtures by loops --------------------------------------------------------------------------


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def normal(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


def squared_variation(values: list) -> float:
    if len(values) == 1:
        return 0.0
    return float(np.var(values, ddof=1) / (np.mean(values) ** 2 + 1e-10))


def weights(rng, *, inputs, experts, hidden, width) -> dict[str, np.ndarray]:
    made = {"w_gate": (inputs, experts), "w_noise": (inputs, experts)}
    for i in range(experts):
        made |= {f"experts.{i}.fc1.weight": (hidden, inputs), f"experts.{i}.fc1.bias": (hidden,)}
        made |= {f"experts.{i}.fc2.weight": (width, hidden), f"experts.{i}.fc2.bias": (width,)}
    return {f"w.{name}": rng.normal(size=shape).astype(np.float32) for name, shape in made.items()}


def mixture(w: dict, x: np.ndarray, *, active: int, mean: float, noise=None) -> dict:
    """Return what one mixture makes of x, as papers/glomo.md (c) has it, clip by clip."""
    gates_of, loads, y = [], [], []
    count = w["w.w_gate"].shape[1]
    for b, row in enumerate(x):
        clean = [float(row @ w["w.w_gate"][:, i]) for i in range(count)]
        size = [softplus(float(row @ w["w.w_noise"][:, i])) + 0.01 for i in range(count)]
        noisy = clean if noise is None else [c + noise[b, i] * size[i] for i, c in enumerate(clean)]
        order = sorted(range(count), key=lambda i: -noisy[i])
        kept = order[:active]
        total = sum(math.exp(noisy[i]) for i in kept)
        gates = [math.exp(noisy[i]) / total if i in kept else 0.0 for i in range(count)]
        if noise is None or active == count:
            loads.append([float(g > 0) for g in gates])
        else:
            others = [sorted(noisy[j] for j in range(count) if j != i)[-active] for i in order]
            rival = dict(zip(order, others, strict=True))
            z = [(clean[i] - rival[i]) / size[i] - mean for i in range(count)]
            loads.append([normal(value) for value in z])
        outputs = []
        for i in range(count):
            first = w[f"w.experts.{i}.fc1.weight"] @ row + w[f"w.experts.{i}.fc1.bias"]
            second = w[f"w.experts.{i}.fc2.weight"] @ np.maximum(first, 0)
            outputs.append(second + w[f"w.experts.{i}.fc2.bias"])
        y.append(np.log(sum(g * np.exp(e) for g, e in zip(gates, outputs, strict=True))))
        gates_of.append(gates)
    importance, load = np.sum(gates_of, 0), np.sum(loads, 0)
    both = squared_variation(list(importance)), squared_variation(list(load))
    return {
        "gates": np.array(gates_of),
        "importance": importance,
        "load": load,
        "cv_importance": both[0],
        "cv_load": both[1],
        "loss": 0.01 * sum(both),
        "y": np.array(y),
    }


def moe_file(rng, *, active=2, mean=0.1, clips=5, **sizes) -> dict:
    """Return a fixture of kind glomo_moe, of any size."""
    sizes = {"inputs": 6, "experts": 4, "hidden": 5, "width": 3} | sizes
    w = weights(rng, **sizes)
    x = rng.normal(size=(clips, sizes["inputs"])).astype(np.float32)
    made = mixture(exact(w), x.astype(float), active=active, mean=mean)
    told = {"w.mean": np.float32([mean]), "w.std": np.float32([1]), "k": np.array(active)}
    return w | told | {"in_x": x, "out_y": made["y"], "out_loss": made["loss"]}


def exact(w: dict) -> dict:
    return {name: value.astype(float) for name, value in w.items()}


def losses_file(rng, *, active=2, mean=0.1, clips=6, **sizes) -> dict:
    """Return a fixture of kind glomo_losses; its gradients are differences."""
    sizes = {"inputs": 4, "experts": 3, "hidden": 4, "width": 2} | sizes
    w = weights(rng, **sizes)
    x = rng.normal(size=(clips, sizes["inputs"])).astype(np.float32)
    noise = rng.normal(size=(clips, sizes["experts"])).astype(np.float32)
    given = {"active": active, "mean": mean}
    rows = x.astype(float)
    trained = mixture(exact(w), rows, noise=noise.astype(float), **given)
    evaluated = mixture(exact(w), rows, **given)
    arrays = w | {"w.mean": np.float32([mean]), "w.std": np.float32([1])}
    arrays |= {"in_x": x, "in_noise": noise, "meta_k": np.array(active)}
    arrays |= {f"out_{name}": value for name, value in trained.items()}
    arrays |= {f"out_eval_{n}": evaluated[n] for n in ("gates", "load", "loss", "y")}
    for name in ("w_gate", "w_noise"):
        gradient = np.zeros(w[f"w.{name}"].shape)
        for place in np.ndindex(gradient.shape):
            sides = []
            for change in (1e-6, -1e-6):
                moved = exact(w)
                moved[f"w.{name}"][place] += change
                sides.append(mixture(moved, rows, noise=noise.astype(float), **given)["loss"])
            gradient[place] = (sides[0] - sides[1]) / 2e-6
        arrays[f"out_grad.{name}"] = gradient
    return arrays


OTHER = [
    {},
    {"experts": 1, "active": 1},
    {"experts": 2, "active": 1, "mean": 0.0},
    {"experts": 3, "active": 3},
    {"experts": 6, "active": 4, "inputs": 2, "width": 7, "hidden": 1},
    {"clips": 1},
]


@pytest.mark.parametrize("sizes", OTHER, ids=str)
@pytest.mark.parametrize(("kind", "make"), [("glomo_moe", moe_file), ("glomo_losses", losses_file)])
def test_sizes_of_a_mixture_are_read_from_the_file(capsys, tmp_path, kind, make, sizes):
    np.savez(tmp_path / "any.npz", **make(np.random.default_rng(0), **sizes))
    status, error = run(capsys, kind, tmp_path / "any.npz")
    assert status == 0, error


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": np.array(5)}, "k 5; expected a number from 1 to 4"),
        ({"k": np.array(0)}, "k 0"),
        ({"w.std": np.float32([2])}, "a deviation of 1"),
        ({"w.w_noise": np.zeros((6, 3), np.float32)}, "do not fit"),
        ({"in_x": np.zeros((5, 7), np.float32)}, "do not fit"),
        ({"out_y": np.zeros((5, 4))}, "out_y of shape (5, 4)"),
        ({"out_extra": np.zeros(2)}, "outputs out_extra"),
        ({"w.experts.4.fc1.bias": np.zeros(5)}, "weights w.experts.4.fc1.bias"),
        ({"w.mean": None}, "no array 'w.mean'"),
        ({"w.experts.3.fc2.bias": None}, "no array 'w.experts.3.fc2.bias'"),
        ({"in_x": None}, "no array 'in_x'"),
        ({"out_loss": None}, "no out_loss"),
    ],
    ids=str,
)
def test_a_mixture_that_is_not_as_it_should_be_is_refused(capsys, tmp_path, changes, message):
    arrays = moe_file(np.random.default_rng(0)) | changes
    path = tmp_path / "other.npz"
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    status, printed = run(capsys, "glomo_moe", path)
    assert status == 2 and message in printed


def test_losses_without_a_gradient_are_refused(capsys, tmp_path):
    arrays = losses_file(np.random.default_rng(0))
    del arrays["out_grad.w_noise"]
    np.savez(tmp_path / "less.npz", **arrays)
    status, message = run(capsys, "glomo_losses", tmp_path / "less.npz")
    assert status == 2 and "no out_grad.w_noise" in message


# --- whole models -------------------------------------------------------------------------------

WHOLE = ("glomo", "glomo_classify_mer", "glomo_classify_mhd", "glomo_grad")

every_model = pytest.mark.parametrize("kind", WHOLE)


def clips_reversed(arrays: dict) -> dict:
    """Return the file with its clips in reverse order."""
    by_clip = re.compile(r"in_|out_(clean_)?(prediction|representation|logits)$")
    return {n: value[::-1].copy() if by_clip.match(n) else value for n, value in arrays.items()}


def experts_reversed(arrays: dict) -> dict:
    """Return the file with the experts of text in reverse order."""
    count = arrays["w.moe_t.w_gate"].shape[1]
    made = {}
    for name, value in arrays.items():
        if re.search(r"moe_t\.w_(gate|noise)$", name) or name == "in_noise_text":
            made[name] = value[:, ::-1].copy()
        elif match := re.match(r"(w\.moe_t\.experts\.)(\d+)(\..*)", name):
            made[f"{match[1]}{count - 1 - int(match[2])}{match[3]}"] = value
        else:
            made[name] = value
    return made


SWAPS = (
    ("in_audio", "in_visual"),
    ("in_noise_audio", "in_noise_visual"),
    ("audio_network.", "video_network."),
    ("moe_a.", "moe_v."),
    ("fc_as.", "fc_vs."),
)


def swapped_names(name: str) -> str:
    for one, other in SWAPS:
        for old, new in ((one, other), (other, one)):
            if old in name:
                return name.replace(old, new)
    return name


def modalities_swapped(arrays: dict) -> dict:
    """Return the file with sound and pictures in each other's place."""
    made = {swapped_names(name): value for name, value in arrays.items()}
    for scorer in ("w.attn_cs.", "w.attn_fs."):
        hidden, output = f"{scorer}attention_mlp.attention_mlp.weight", f"{scorer}fc_att."
        t, a, v = np.split(arrays[hidden], 3, axis=1)
        made[hidden] = np.concatenate([t, v, a], 1)
        for part in ("weight", "bias"):
            made[output + part] = arrays[output + part][[0, 2, 1]]
    return made


@needs_fixtures
@every_model
@pytest.mark.parametrize("change", [clips_reversed, experts_reversed])
def test_another_order_of_clips_or_experts_is_as_good(capsys, tmp_path, kind, change):
    np.savez(tmp_path / "other.npz", **change(load(kind)))
    status, error = run(capsys, kind, tmp_path / "other.npz")
    assert status == 0, error


@needs_fixtures
@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind != "glomo_grad"])
def test_sound_and_pictures_may_have_each_others_sizes(capsys, tmp_path, kind):
    arrays = load(kind)
    assert arrays["in_audio"].shape != arrays["in_visual"].shape
    np.savez(tmp_path / "other.npz", **modalities_swapped(arrays))
    status, error = run(capsys, kind, tmp_path / "other.npz")
    assert status == 0, error


@needs_fixtures
@pytest.mark.parametrize("kind", WHOLE[1:])
def test_zero_frames_are_in_the_files_and_their_missing_position_matters(capsys, tmp_path, kind):
    arrays = load(kind)
    empty = (arrays["in_audio"] == 0).all(-1)
    assert empty.any()
    arrays["in_audio"][empty] = 1e-12  # no longer exactly zero, so that it has a position
    np.savez(tmp_path / "other.npz", **arrays)
    status, error = run(capsys, kind, tmp_path / "other.npz")
    assert status == 1 and error > 1e-3


@needs_fixtures
@every_model
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("k", 4), "k 4; expected a number from 1 to 3"),
        (("k", 0), "k 0; expected a number from 1 to 3"),
        (("heads", 3), "3 heads, which do not divide it"),
        (("layers", 1), "weights w."),
        (("experts", 2), "shape (48, 2)"),
        (("experts", 4), "shape (48, 4)"),
        (("locals", 2), "w.moe_"),
        (("w.moe_v.std", 2), "a deviation of 1"),
        (("w.moe_v.mean", 0), "mixtures with different means"),
        (("w.extra.bias", 0), "weights w.extra.bias"),
        (("out_other", 0), "outputs out_other"),
        (("w.fc_all.weight", None), "no array 'w.fc_all.weight'"),
        (("in_visual", None), "no array 'in_visual'"),
        (("w.moe_a.mean", None), "no array 'w.moe_a.mean'"),
    ],
    ids=str,
)
def test_a_model_that_is_not_as_it_should_be_is_refused(capsys, tmp_path, kind, change, message):
    arrays, (name, value) = load(kind), change
    if name not in arrays and f"meta_{name}" in arrays:
        name = f"meta_{name}"
    if value is None:
        del arrays[name]
    else:
        arrays[name] = np.full(arrays[name].shape if name in arrays else 1, value)
    np.savez(tmp_path / "other.npz", **arrays)
    status, printed = run(capsys, kind, tmp_path / "other.npz")
    assert status == 2 and message in printed


@needs_fixtures
@every_model
@pytest.mark.parametrize("name", ["w.fc_all.weight", "in_audio", "w.head", "w.moe_t.w_gate"])
def test_a_wrong_shape_is_refused(capsys, tmp_path, kind, name):
    arrays = load(kind)
    name = {"w.head": "w.classifier.weight"}.get(name, name)
    np.savez(tmp_path / "other.npz", **arrays | {name: np.repeat(arrays[name], 2, axis=-1)})
    assert run(capsys, kind, tmp_path / "other.npz")[0] == 2
