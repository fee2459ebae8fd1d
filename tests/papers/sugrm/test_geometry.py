"""Pictures of made-up points: what they are drawn from is what the models compute."""

import numpy as np
import pytest
import torch

from msalib.models.spt import SPT
from msalib.papers.sugrm import figures_geometry as figures
from msalib.papers.sugrm import geometry
from tests.html import read


@pytest.fixture(scope="module")
def plane():
    return geometry.plane()


def far(point, centre) -> np.ndarray:
    return np.linalg.norm(np.asarray(point) - centre, axis=-1)


def test_targets_are_those_of_the_papers_formulas(plane):
    rng = np.random.default_rng(0)
    given, fused, own = rng.uniform(-3, 3, 200), *rng.normal(size=(2, 200, 2))
    asked = [torch.tensor(x, dtype=torch.float32) for x in (given, fused, own)]
    up, down = plane.centres
    rho = {name: far(x, up) / far(x, down) for name, x in (("m", fused), ("s", own))}
    offset = 6 * np.minimum(far(fused, own), plane.max_distance) / plane.max_distance
    expected = np.where(rho["s"] < rho["m"], given + offset, given - offset)
    found = geometry.targets(plane.generators["SUGRM's"], *asked)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    alpha = {
        name: (far(x, down) - far(x, up)) / far(x, up) for name, x in (("m", fused), ("s", own))
    }
    expected = alpha["s"] / alpha["m"] * given / 2 + (given + alpha["s"] - alpha["m"]) / 2
    found = geometry.targets(plane.generators["Self-MM's"], *asked)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)


def test_asking_leaves_the_generators_as_they_were(plane):
    before = [g.labels.generated[geometry.MODALITY].clone() for g in plane.generators.values()]
    geometry.by_unimodal(plane, "SUGRM's", 1.0, (0.5, 0.5))
    after = [g.labels.generated[geometry.MODALITY] for g in plane.generators.values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_only_self_mm_blows_up(plane):
    own = (-1.0, 2.0)
    size = {n: abs(geometry.by_fused(plane, n, 1.0, own)).max() for n in plane.generators}
    assert size["SUGRM's"] <= 7 and size["Self-MM's"] > 100


def test_the_label_of_a_clip_near_its_centre_can_hardly_rise(plane):
    middle = tuple(np.mean(plane.centres, 0).tolist())
    up = [
        (geometry.by_unimodal(plane, "SUGRM's", 1.0, place) > 1).mean()
        for place in (middle, (0.9, 0.8))
    ]
    assert 0.4 < up[0] < 0.6 and up[1] < 0.1


def test_windows_are_those_of_the_specification():
    found = geometry.windows(375, layer=0, shift="none")
    assert found.shape == (75, 375) and (found.sum(1) == 17).all()
    assert np.flatnonzero(found[20]).tolist() == list(range(5 * 20 - 12, 5 * 20 + 5))


@pytest.mark.parametrize("shift", ["none", "phase"])
def test_what_is_seen_is_what_the_forward_pass_lets_through(shift):
    lengths = {"visual": 70, "acoustic": 45, "linguistic": 20}
    torch.manual_seed(0)
    drops = dict.fromkeys(("embed_dropout", "residual_dropout", "relu_dropout"), 0.0)
    spt = SPT(
        input_sizes=dict.fromkeys(lengths, 4), width=8, heads=2, layers=2, shift=shift, **drops
    )
    frames = geometry.reached_frames(lengths, shift=shift, layers=2)
    for target in lengths:
        x = {m: torch.randn(1, n, 4, requires_grad=True) for m, n in lengths.items()}
        spt(x, {m: torch.tensor([n]) for m, n in lengths.items()})[target][0, 0].backward()
        for source in lengths:
            reached = (x[source].grad[0] != 0).any(-1).numpy()
            np.testing.assert_array_equal(reached, frames[target][source])


def test_figures_are_told_in_words(plane):
    line, _ = geometry.grid(21)
    middle = (0.0, 0.0)
    distance = np.linspace(0, 9, 19)
    found = {y: geometry.by_distance(plane, y, middle, distance) for y in (-2.0, 0.0, 1.0)}
    flat = np.zeros((21, 21))
    shared = {"label": 1.0, "centres": plane.centres}
    shifts = ("none", "phase")
    lengths = {"visual": 70, "linguistic": 20}
    pictures = [
        figures.offset_by_distance(distance, found, plane.max_distance),
        figures.target_map(
            line, dict.fromkeys([middle, (1.0, 1.0)], flat), max_distance=5, **shared
        ),
        figures.blow_up(
            line, {"SUGRM's": flat + 1, "Self-MM's": flat + 50}, unimodal=(1, 1), **shared
        ),
        figures.sampling_windows(
            {
                m: {s: geometry.windows(n, layer=0, shift=s) for s in shifts}
                for m, n in lengths.items()
            },
            layer=0,
        ),
        figures.last_state({s: geometry.reached_frames(lengths, shift=s) for s in shifts}),
    ]
    for picture in pictures:
        page = read(picture)
        assert picture.caption in page.text and len(picture.alt) > 60 and "nan" not in picture.alt
    assert "largest size 50 points, beyond the label plus 6 in 100%" in pictures[2].alt
    assert "visual: 14 states, 70 frames, 17 read by each" in pictures[3].alt
