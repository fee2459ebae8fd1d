#!/usr/bin/env bash
# FFmpeg's mono is 3 dB louder if you ask for float samples than if you ask for integers.
#
# Expected: the sample format changes how numbers are stored, not how loud the mix is.
# Seen:     av.AudioResampler(layout="mono") gives (L + R) / 2 as s16 or s32, and (L + R) / sqrt(2)
#           as flt, fltp or dbl. Equal channels at 0.8 come out at 1.13, beyond full scale.
# Versions: PyAV 18.1.0 (with its own FFmpeg), numpy 2.4.6.
# Matters:  most videos of speakers are stereo. Energy, loudness and log-mel features shift by 3 dB
#           between two readers of one file, and peaks above 1 are clipped or wrap around later.
#           The mean of the channels, which librosa takes, agrees with the integer formats alone.
# Source:   libswresample/rematrix.c limits the sum of weights to 1 if samples are integers, and
#           leaves it unlimited if they are float, unless the option rematrix_maxval is set.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
venv/bin/python - <<'PY'
import wave

import av
import numpy as np

RATE = 16000
tone = 0.8 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)
stored = np.round(np.repeat(tone[:, None], 2, axis=1) * 32767).astype("<i2")
with wave.open("stereo.wav", "wb") as file:
    file.setparams((2, 2, RATE, 0, "NONE", ""))
    file.writeframes(stored.tobytes())

FULL = {np.dtype("int16"): 2**15, np.dtype("int32"): 2**31}


def mono(sample_format):
    resampler = av.AudioResampler(format=sample_format, layout="mono", rate=RATE)
    with av.open("stereo.wav") as file:
        parts = [
            part.to_ndarray()
            for frame in [*file.decode(audio=0), None]
            for part in resampler.resample(frame)
        ]
    samples = np.concatenate(parts, axis=1)[0]
    return samples / FULL.get(samples.dtype, 1)


print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
mean = stored.mean(axis=1) / 2**15
print(f"mean of the channels: peak {mean.max():.4f}")
for name in ("s16", "s32", "flt", "fltp", "dbl"):
    samples = mono(name)
    gain = float(np.dot(samples, mean) / np.dot(mean, mean))
    print(f"{name:5} peak {samples.max():.4f}, {gain:.4f} times the mean")
    expected = 1 if name.startswith("s") else np.sqrt(2)
    assert abs(gain - expected) < 1e-3, f"{name} is no longer {expected:.4f} times the mean"
print("As recorded.")
PY
