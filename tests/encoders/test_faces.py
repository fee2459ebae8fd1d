"""Faces: a real detector finds a drawn face where it is; the largest counts; each refusal."""

import sys
from types import ModuleType
from typing import get_args

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.data.readers.formats import Options
from msalib.encoders import faces

cv2 = pytest.importorskip("cv2", reason="faces need the extra media")


def drawn(height: int, width: int, *places: tuple[int, int, int]) -> np.ndarray:
    """A grey picture with frontal faces drawn at (left, top, side): (H, W, 3) uint8, RGB."""
    picture = np.full((height, width, 3), 150, np.uint8)
    for left, top, side in places:

        def at(x: float, y: float, left=left, top=top, side=side) -> tuple[int, int]:
            return round(left + x * side), round(top + y * side)

        def size(x: float, y: float, side=side) -> tuple[int, int]:
            return round(x * side), round(y * side)

        def oval(x, y, w, h, grey, at=at, size=size):
            cv2.ellipse(picture, at(x, y), size(w, h), 0, 0, 360, (grey,) * 3, -1, cv2.LINE_AA)

        oval(0.5, 0.5, 0.42, 0.58, 215)  # head
        for x in (0.3, 0.7):
            oval(x, 0.28, 0.13, 0.025, 60)  # brow
            oval(x, 0.39, 0.11, 0.06, 90)  # socket
            oval(x, 0.39, 0.05, 0.05, 25)  # eye
        oval(0.5, 0.58, 0.045, 0.12, 232)  # nose
        oval(0.5, 0.68, 0.09, 0.03, 150)  # its shadow
        oval(0.5, 0.82, 0.19, 0.045, 80)  # mouth
    return cv2.GaussianBlur(picture, (0, 0), 1.2)


def test_the_cascade_finds_a_drawn_face_where_it_is():
    left, top, right, bottom = faces.detector("opencv")(drawn(360, 480, (170, 120, 150)))
    assert abs((left + right) / 2 - 245) < 25
    assert abs((top + bottom) / 2 - 195) < 30
    assert 100 < right - left < 220


def test_of_two_faces_the_larger_and_of_none_none():
    find = faces.detector("opencv")
    left, *_ = find(drawn(360, 640, (60, 60, 100), (360, 110, 180)))
    assert left > 300
    assert find(np.full((200, 200, 3), 128, np.uint8)) is None
    rng = np.random.default_rng(0)
    assert find(rng.integers(100, 130, (64, 64, 3), dtype=np.uint8)) is None


def test_a_picture_smaller_than_any_face_has_none():
    assert faces.detector("opencv")(np.zeros((3, 2, 3), np.uint8)) is None


def test_whole_is_the_picture():
    assert faces.detector("whole")(np.zeros((4, 7, 3), np.uint8)) == (0, 0, 7, 4)


@pytest.fixture
def stand_in(monkeypatch):
    """A module mtcnn that finds what it is told to."""
    found = []

    class MTCNN:
        def detect_faces(self, picture):
            assert picture.shape[2] == 3
            return [{"box": box, "confidence": 0.9, "keypoints": {}} for box in found]

    module = ModuleType("mtcnn")
    module.MTCNN = MTCNN
    monkeypatch.setitem(sys.modules, "mtcnn", module)
    faces.detector.cache_clear()
    yield found
    faces.detector.cache_clear()


def test_mtcnn_gives_left_top_width_height_and_boxes_beyond_the_edge(stand_in):
    find = faces.detector("mtcnn")
    picture = np.zeros((100, 200, 3), np.uint8)
    assert find(picture) is None
    stand_in += [[10, 20, 30, 40], [150, -10, 80, 60], [20, 20, 2, 2]]
    assert find(picture) == (150, 0, 200, 50)
    stand_in[:] = [[300, 10, 20, 20]]  # wholly outside
    assert find(picture) is None


def test_mtcnn_without_its_package_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    faces.detector.cache_clear()
    with pytest.raises(UserError, match=r"no package mtcnn .* pip install -e \"\.\[mtcnn\]\""):
        faces.detector("mtcnn")


def test_opencv_without_cascades_or_not_at_all_is_refused(monkeypatch):
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(UserError, match="which has no detector of faces; expected version 4"):
        faces.cv2_module()
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match=r"no package opencv.* pip install -e \"\.\[media\]\""):
        faces.cv2_module()


def test_provenance_names_the_version():
    assert faces.version("opencv").startswith("opencv 4")
    assert faces.version("whole") == "whole"


def test_the_option_of_data_add_knows_every_detector():
    kinds = get_args(Options.model_fields["faces"].annotation)
    assert set(kinds) == set(faces.DETECTORS)
