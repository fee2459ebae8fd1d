"""Faces: where is the largest face of a picture?

A detector takes a picture (H, W, 3), uint8, RGB, and returns (left, top, right, bottom) in pixels,
right and bottom exclusive, or None where it finds no face.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from msalib.base.errors import UserError, unknown

Box = tuple[int, int, int, int]
Detector = Callable[[np.ndarray], Box | None]

DETECTORS = {
    "opencv": "OpenCV's Haar cascade for frontal faces",
    "mtcnn": "MTCNN (the optional package mtcnn), which UEGD's release has in another version",
    "whole": "the picture is the face",
}

SMALLEST = 0.1
"""Side of the smallest face, as a share of the picture's height."""


@lru_cache
def detector(name: str) -> Detector:
    """Return the detector of a name. Raises ``UserError`` for no such name or a missing package."""
    makers = {"opencv": _opencv, "mtcnn": _mtcnn, "whole": lambda: _whole}
    if name not in makers:
        found = "no such detector of faces"
        remedy = "Name one of these when the data set is added (--faces)."
        raise unknown("faces", name, DETECTORS, found=found, remedy=remedy)
    return makers[name]()


def version(name: str) -> str:
    """Return a detector and the version of its package, which may be missing, for provenance."""
    from importlib import metadata

    package = {"opencv": "opencv-python-headless", "mtcnn": "mtcnn"}.get(name)
    if package is None:
        return name
    try:
        return f"{name} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return name


def _whole(picture: np.ndarray) -> Box:
    height, width = picture.shape[:2]
    return 0, 0, width, height


def _opencv() -> Detector:
    cv2 = cv2_module()
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def detect(picture: np.ndarray) -> Box | None:
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        side = max(20, round(SMALLEST * len(grey)))  # the cascade was trained on 20 pixels
        boxes = cascade.detectMultiScale(
            grey, scaleFactor=1.1, minNeighbors=5, minSize=(side, side)
        )
        return _largest(((x, y, x + w, y + h) for x, y, w, h in boxes), picture)

    return detect


def _mtcnn() -> Detector:
    try:
        from mtcnn import MTCNN
    except ImportError as error:
        raise UserError(
            "faces 'mtcnn'",
            found=f"no package mtcnn that can be imported ({error})",
            expected="the optional detector of faces",
            remedy='Run: pip install -e ".[mtcnn]", or use the detector opencv.',
        ) from error
    network = MTCNN()

    def detect(picture: np.ndarray) -> Box | None:
        boxes = [face["box"] for face in network.detect_faces(picture)]
        return _largest(((x, y, x + w, y + h) for x, y, w, h in boxes), picture)

    return detect


def _largest(boxes, picture: np.ndarray) -> Box | None:
    """Return the box of the largest area, cut at the picture's edges; the first of several."""
    height, width = picture.shape[:2]
    cut = [
        (max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom)))
        for left, top, right, bottom in boxes
    ]
    cut = [box for box in cut if _area(box) > 0]
    return max(cut, key=_area) if cut else None


def _area(box: Box) -> int:
    left, top, right, bottom = box
    return max(0, right - left) * max(0, bottom - top)


def cv2_module():
    """Return OpenCV. Raises ``UserError`` where it is missing, or is a version without cascades."""
    try:
        import cv2
    except ImportError as error:
        raise UserError(
            "pictures",
            found="no package opencv-python-headless",
            expected="what reads pictures and finds faces in them",
            remedy='Run: pip install -e ".[media]".',
        ) from error
    if not hasattr(cv2, "CascadeClassifier"):
        raise UserError(
            "pictures",
            found=f"OpenCV {cv2.__version__}, which has no detector of faces",
            expected="version 4",
            remedy='Run: pip install -e ".[media]".',
        )
    return cv2
