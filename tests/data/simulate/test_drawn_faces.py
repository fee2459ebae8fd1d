import sys
from itertools import pairwise

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.simulate.faces import Expression, Person, describe, draw, film, person

pytest.importorskip("cv2")

WHO = Person("light", "brown", "short", "blue", "green", False, 1.0)
CALM = Expression(mouth=0.0, opening=0.25, brows=0.0, eyes=0.62)


def curvature(picture):
    """How much lower the middle of the mouth is than its corners, pixels."""
    region = picture[38:53].astype(float)
    skin = np.median(picture[36:40, 24:41].reshape(-1, 3), axis=0)
    # Lips have less green and blue for their red than skin has.
    red = (region[..., 0] - region[..., 1]) - (skin[0] - skin[1])
    weight = np.clip(red - 12, 0, None) + 1e-3
    rows = np.arange(len(region))[:, None]

    def centre(columns):
        w = weight[:, columns]
        return (w * rows).sum() / w.sum()

    return centre(slice(30, 35)) - centre([26, 27, 37, 38])


def changed(one, other):
    """Rows in which two pictures differ."""
    return np.flatnonzero(np.abs(one.astype(int) - other).max(axis=(1, 2)) > 8)


def test_a_picture_is_small_and_smooth():
    picture = draw(WHO, CALM)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 300  # edges are antialiased
    background = picture[4, 4].astype(int)
    assert background[2] > background[0]  # red comes first


def test_corners_of_the_mouth_are_where_they_are_told():
    levels = np.linspace(-1, 1, 9)
    bent = [curvature(draw(WHO, CALM._replace(mouth=m))) for m in levels]
    assert bent[0] < -1 and bent[-1] > 1
    assert np.corrcoef(bent, levels)[0, 1] > 0.95


@pytest.mark.parametrize(
    ("changes", "rows"),
    [({"mouth": 1.0}, (38, 52)), ({"opening": 0.9}, (40, 53)), ({"eyes": 0.1}, (26, 36)),
     ({"brows": 1.0}, (20, 30)), ({"brows": -1.0}, (20, 31))],
)  # fmt: skip
def test_each_number_moves_its_own_part(changes, rows):
    found = changed(draw(WHO, CALM), draw(WHO, CALM._replace(**changes)))
    assert len(found) and rows[0] <= found.min() and found.max() <= rows[1]


def test_sad_brows_rise_to_the_nose():
    def height(brows, columns):
        dark = 255 - draw(WHO, CALM._replace(brows=brows))[20:30, columns].astype(float).mean(-1)
        weight = np.clip(dark - 110, 0, None)
        return (weight * np.arange(10)[:, None]).sum() / weight.sum()

    nose, temple = slice(27, 29), slice(21, 23)  # of the brow on the left of the picture
    assert height(-1.0, nose) < height(-1.0, temple) - 1
    assert abs(height(0.0, nose) - height(0.0, temple)) < 1


@pytest.mark.parametrize(
    "changes",
    [{"skin": "dark"}, {"hair": "red"}, {"style": "bald"}, {"style": "long"}, {"style": "curly"},
     {"background": "beige"}, {"clothes": "purple"}, {"glasses": True}, {"width": 0.88}],
)  # fmt: skip
def test_people_look_different(changes):
    other = draw(WHO._replace(**changes), CALM).astype(int)
    assert (np.abs(draw(WHO, CALM) - other).max(-1) > 8).sum() > 20


def test_a_film_moves_about_its_expression():
    frames = film(WHO, CALM._replace(mouth=0.7), 40, np.random.default_rng(0))
    assert frames.shape == (40, 64, 64, 3)
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))
    bent = [curvature(f) for f in frames]
    assert 0.5 * np.median(bent) < np.mean(bent) and np.std(bent) < np.median(bent)
    # The shoulders stay.
    assert np.ptp(frames[:, 62, 12].astype(int), axis=0).max() == 0


def test_eyes_close_now_and_then():
    frames = film(WHO, CALM, 150, np.random.default_rng(0)).astype(int)
    white = (frames[:, 26:36, 18:46].min(-1) > 185).sum((1, 2))
    assert 0.02 < np.mean(white == 0) < 0.15


def test_the_seed_decides_every_pixel():
    first = film(WHO, CALM, 3, np.random.default_rng(5))
    np.testing.assert_array_equal(first, film(WHO, CALM, 3, np.random.default_rng(5)))
    assert person(np.random.default_rng(1)) == person(np.random.default_rng(1))
    assert len({person(np.random.default_rng(k)) for k in range(30)}) == 30


def test_captions_say_what_is_drawn():
    seen = describe(WHO, CALM)
    assert seen["person"] == "a drawing of a person"
    assert seen["hair"] == "with short brown hair" and seen["mouth"] == "with a straight mouth"
    assert seen["background"] == "before a blue wall"
    glad = describe(WHO._replace(style="bald"), Expression(0.9, 0.6, 0.8, 0.9))
    assert glad["mouth"] == "with a broad smile" and glad["brows"] == "with raised brows"
    assert glad["opening"] == "lips parted" and glad["hair"] == "with a bald head"


def test_without_opencv_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match=r"drawn faces: found no OpenCV.*\.\[media\]"):
        draw(WHO, CALM)
