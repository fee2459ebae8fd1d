#!/usr/bin/env bash
# OpenCV seeks in a video of varying frame rate as if its rate did not vary.
#
# Expected: after set(CAP_PROP_POS_MSEC, t), read() gives the frame that is shown at t; and
#           CAP_PROP_FRAME_COUNT is the number of frames, or at least close to it.
# Seen:     the time is multiplied by one rate for the whole file. set() reports success, and read()
#           gives a frame from elsewhere, here up to 18 s away. In Matroska the count is duration
#           times nominal rate: 550 for a file of 100 frames. Read in order, all is right.
# Versions: opencv-python-headless 4.14.0.94, PyAV 18.1.0, numpy 2.4.6.
# Matters:  webcams and telephones record at a varying rate, and reviewers film with both. Cutting
#           utterances by start and end time, as most face pipelines do, gives faces of another
#           sentence; nothing fails, and a check on videos of constant rate passes.
# Source:   modules/videoio/src/cap_ffmpeg_impl.hpp: seek(double) rounds seconds times get_fps().
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  opencv-python-headless==4.14.0.94 av==18.1.0 numpy==2.4.6
AV_LOG_FORCE_NOCOLOR=1 venv/bin/python - <<'PY'
from fractions import Fraction

import av
import cv2
import numpy as np

FRAMES, MS = 100, Fraction(1, 1000)
CONSTANT = [40 * i for i in range(FRAMES)]
VARYING = np.cumsum([0, *[40] * 49, *[400] * 50]).tolist()  # 25 frames a second, then 2.5


def draw(number):
    """A picture that holds its number: eight bars, white for 1."""
    picture = np.zeros((64, 128, 3), np.uint8)
    for bit in range(8):
        picture[:, 16 * bit : 16 * (bit + 1)] = 255 * (number >> bit & 1)
    return picture


def number_in(picture):
    bars = picture[20:44].reshape(24, 8, 16, 3)[:, :, 4:12].mean(axis=(0, 2, 3))
    return int(sum(1 << bit for bit, bar in enumerate(bars) if bar > 127))


def write(path, times):
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        stream.codec_context.time_base = MS
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            frame.pts, frame.time_base = int(time), MS
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def in_order(path):
    video, numbers = cv2.VideoCapture(path), []
    while (read := video.read())[0]:
        numbers.append(number_in(read[1]))
    return numbers


def frame_at(video, time):
    assert video.set(cv2.CAP_PROP_POS_MSEC, time), "a seek is no longer reported as done"
    there, picture = video.read()
    return number_in(picture) if there else None


av.logging.set_level(av.logging.PANIC)
print("opencv", cv2.__version__)
for path, times in (("constant.mp4", CONSTANT), ("varying.mp4", VARYING), ("varying.mkv", VARYING)):
    write(path, times)
    assert in_order(path) == list(range(FRAMES)), f"{path} is no longer read whole and in order"
    video = cv2.VideoCapture(path)
    count, rate = video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)
    seen = {number: frame_at(video, time) for number, time in enumerate(times)}
    wrong = {number: other for number, other in seen.items() if number != other}
    away = [abs(times[other] - times[number]) for number, other in wrong.items() if other is not None]
    print(
        f"{path}: 100 frames, count {count:.0f}, rate {rate:.3f}; {len(wrong)} of 100 seeks by time "
        f"go wrong, {sum(other is None for other in wrong.values())} find no frame, "
        f"the farthest is {max(away, default=0) / 1000:.1f} s away"
    )
    if path == "constant.mp4":
        assert not wrong and count == FRAMES, "a constant rate is no longer seen right"
    else:
        assert len(wrong) > 30 and max(away) > 5_000, f"seeks in {path} no longer go far astray"
    if path == "varying.mkv":
        assert count == 550, "the count of frames in Matroska is no longer duration times rate"
print("As recorded.")
PY
