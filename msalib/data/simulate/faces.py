"""Drawn faces: 64 x 64 pictures whose mouth, brows and eyes move, on a head that stays the same.

A picture shows visual sentiment through the four numbers of ``Expression`` alone. The person sets
the rest: skin, hair, width of the face, glasses, clothes, background.
"""

from typing import NamedTuple

import numpy as np

from msalib.base.errors import UserError

SIZE = 64
"""Pixels, height and width."""

FPS = 3
"""Frames per second."""

SKINS = {
    "pale": (244, 216, 198),
    "light": (231, 190, 160),
    "tan": (206, 156, 116),
    "brown": (154, 104, 72),
    "dark": (104, 68, 48),
}
HAIRS = {
    "black": (28, 24, 26),
    "brown": (92, 58, 36),
    "blond": (214, 178, 104),
    "red": (160, 70, 34),
    "grey": (150, 150, 152),
}
STYLES = ("bald", "short", "curly", "long")
COLOURS = {
    "blue": (88, 128, 190),
    "green": (98, 152, 108),
    "grey": (128, 132, 138),
    "beige": (212, 200, 176),
    "purple": (140, 104, 168),
    "white": (232, 234, 236),
}


class Person(NamedTuple):
    """A person to draw: names of colours and shapes, and the face's width over the average one."""

    skin: str
    hair: str
    style: str
    background: str
    clothes: str
    glasses: bool
    width: float


class Expression(NamedTuple):
    """The facial expression of one clip, averaged over its frames."""

    mouth: float  # corners down -1 to up 1
    opening: float  # of the mouth, 0 to 1
    brows: float  # sad slant -1 to raised 1
    eyes: float  # closed 0 to wide 1


_DETAIL = 6
"""Pixels drawn per pixel of the result, each way."""

_FRACTION = 4
"""Bits after the point in the coordinates that OpenCV takes."""

_MOTION = Expression(mouth=0.10, opening=0.12, brows=0.12, eyes=0.06)
"""Standard deviation of the frames' expressions within a clip."""

_BLINKS = 0.06
"""Share of frames with closed eyes."""


def person(rng: np.random.Generator) -> Person:
    """Draw a person at random."""

    def one(names):
        return str(rng.choice(list(names)))

    return Person(
        skin=one(SKINS),
        hair=one(HAIRS),
        style=one(STYLES),
        background=one(COLOURS),
        clothes=one(COLOURS),
        glasses=bool(rng.random() < 0.3),
        width=float(rng.uniform(0.88, 1.1)),
    )


def describe(who: Person, expression: Expression) -> dict[str, str]:
    """Describe what one sees as a caption would: phrases by what they are about.

    ``person`` comes first in a caption; any of the others may be left out.
    """
    mouth = np.searchsorted((-0.6, -0.2, 0.2, 0.6), expression.mouth)
    mouths = ("a deep frown", "a frown", "a straight mouth", "a smile", "a broad smile")
    brows = np.searchsorted((-0.35, 0.35), expression.brows)
    eyes = np.searchsorted((0.45, 0.8), expression.eyes)
    hair = "a bald head" if who.style == "bald" else f"{who.style} {who.hair} hair"
    return {
        "person": "a drawing of a person",
        "skin": f"with {who.skin} skin",
        "hair": f"with {hair}",
        "glasses": "with glasses" if who.glasses else "without glasses",
        "mouth": f"with {mouths[mouth]}",
        "opening": "lips parted" if expression.opening > 0.35 else "lips closed",
        "brows": ("with slanted brows", "with level brows", "with raised brows")[brows],
        "eyes": ("with narrow eyes", "with open eyes", "with wide eyes")[eyes],
        "clothes": f"in {who.clothes} clothes",
        "background": f"before a {who.background} wall",
    }


def film(who: Person, expression: Expression, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the pictures of one clip: (T, 64, 64, 3) uint8, RGB, ``FPS`` of them a second."""
    means, spread = np.array(expression), np.array(_MOTION)
    motion = np.zeros((frames, len(means)))
    state = rng.normal(size=len(means))
    sway = rng.normal(size=2)
    pictures = []
    for t in range(frames):
        motion[t] = np.clip(means + spread * state, (-1, 0, -1, 0.15), 1)
        if rng.random() < _BLINKS:
            motion[t, 3] = 0.0
        pictures.append(draw(who, Expression(*motion[t]), sway=(sway[0] * 0.7, sway[1] * 0.4)))
        # Neighbouring frames are alike: correlation 0.6 at a third of a second.
        state = 0.6 * state + 0.8 * rng.normal(size=len(means))
        sway = 0.6 * sway + 0.8 * rng.normal(size=2)
    return np.stack(pictures)


def draw(who: Person, expression: Expression, sway: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Draw one picture: (64, 64, 3) uint8, RGB; ``sway`` moves the head by so many pixels.

    Raises ``UserError`` where OpenCV is not installed.
    """
    cv2 = _opencv()
    canvas = np.empty((SIZE * _DETAIL, SIZE * _DETAIL, 3), np.uint8)
    shift = np.zeros(2)  # the head moves, the shoulders do not

    def points(xy):
        scaled = (np.asarray(xy, float) + shift) * _DETAIL * 2**_FRACTION
        return scaled.round().astype(np.int32).reshape(-1, 1, 2)

    def fill(xy, colour):
        cv2.fillPoly(canvas, [points(xy)], colour, shift=_FRACTION)

    def line(xy, colour, thickness):
        width = max(1, round(thickness * _DETAIL))
        cv2.polylines(canvas, [points(xy)], False, colour, width, shift=_FRACTION)

    def ellipse(x, y, a, b, colour, start=0.0, end=360.0):
        angle = np.radians(np.linspace(start, end, 60))
        fill(np.column_stack([x + a * np.cos(angle), y + b * np.sin(angle)]), colour)

    skin, hair = SKINS[who.skin], HAIRS[who.hair]
    shade, dark = _shade(skin, 0.82), _shade(skin, 0.35)
    back = np.array(COLOURS[who.background], float)
    light = np.linspace(1.06, 0.86, len(canvas))[:, None, None]
    canvas[:] = np.clip(back * light, 0, 255)
    wide = 17 * who.width

    ellipse(32, 68, 27, 14, COLOURS[who.clothes] if who.clothes != who.background else dark)
    shift = np.array(sway)
    _hair_behind(who, wide, ellipse, fill, hair)
    fill([(26, 48), (38, 48), (39, 60), (25, 60)], shade)
    for side in (-1, 1):
        ellipse(32 + side * wide, 34, 3, 4.5, shade)
    ellipse(32, 33, wide, 22, skin)
    _hair_before(who, wide, ellipse, hair)
    line([(32, 33), (30.6, 39), (33, 39.6)], shade, 1.1)
    for side in (-1, 1):
        _eye(side, 32 + side * 0.43 * wide, expression, ellipse, line, dark, hair, who)
    _mouth(expression, fill, line, dark)
    return cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def _opencv():
    try:
        import cv2
    except ImportError:
        raise UserError(
            "drawn faces",
            found="no OpenCV",
            expected="the package opencv-python-headless",
            remedy='Run: pip install -e ".[media]".',
        ) from None
    return cv2


def _shade(colour, factor):
    return tuple(int(c * factor) for c in colour)


def _hair_behind(who, wide, ellipse, fill, hair):
    if who.style == "long":
        ellipse(32, 30, wide + 5, 24, hair)
        fill([(27 - wide, 30), (37 + wide, 30), (36 + wide, 58), (28 - wide, 58)], hair)
    if who.style == "curly":
        for angle in np.radians(np.linspace(150, 390, 13)):
            ellipse(32 + (wide + 1) * np.cos(angle), 28 + 17 * np.sin(angle), 6, 6, hair)


def _hair_before(who, wide, ellipse, hair):
    if who.style != "bald":
        # The part of a circle above the forehead.
        ellipse(32, 25, wide + 1, 15.5, hair, 190, 350)


def _eye(side, x, expression, ellipse, line, dark, hair, who):
    y, half = 31.0, 3.7
    open_by = 3.2 * expression.eyes
    ellipse(x, y, half, max(open_by, 0.3), (250, 250, 248))
    if open_by > 0.6:
        ellipse(x, y, 1.9, min(1.9, open_by), (40, 34, 30))
    across = np.linspace(-1, 1, 9)
    lid = y - open_by * np.sqrt(1 - across**2)
    line(np.column_stack([x + half * across, lid]), dark, 0.8)
    # Sad brows rise to the nose and fall to the side; glad ones are raised and arched.
    brows = expression.brows
    inner = -side * across  # -1 at the temple, 1 at the nose
    height = 25.2 - 1.5 * max(brows, 0) + 2.0 * min(brows, 0) * inner
    arch = (0.6 + 1.2 * max(brows, 0)) * across**2
    thin = _shade(hair, 0.7)
    line(np.column_stack([x + 4.6 * across, height + arch]), thin, 1.5)
    if who.glasses:
        ring = np.radians(np.linspace(0, 360, 25))
        line(np.column_stack([x + 5.8 * np.cos(ring), y + 5.2 * np.sin(ring)]), (30, 30, 40), 0.8)
        line([(32, y - 1), (x - side * 5.6, y - 1)], (30, 30, 40), 0.8)


def _mouth(expression, fill, line, dark):
    across = np.linspace(-1, 1, 21)
    bow = 1 - across**2  # 0 in the corners, 1 in the middle
    half = 7.0 + 1.5 * max(expression.mouth, 0)
    middle = 44.5 + 3.4 * expression.mouth * (bow - 0.5)
    upper = middle - 1.2 * expression.opening * bow
    lower = middle + (0.6 + 4.2 * expression.opening) * bow
    x = 32 + half * across
    outline = np.concatenate([np.column_stack([x, upper]), np.column_stack([x, lower])[::-1]])
    fill(outline, (92, 24, 30))
    if expression.opening > 0.25:
        teeth = upper + 1.6 * bow
        fill(
            np.concatenate([np.column_stack([x, upper]), np.column_stack([x, teeth])[::-1]]),
            (246, 244, 238),
        )
    lips = _shade((196, 92, 92), 0.55 + 0.45 * dark[0] / 85)
    line(np.column_stack([x, upper]), lips, 1.1)
    line(np.column_stack([x, lower]), lips, 1.3)
