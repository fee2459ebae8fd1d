#!/usr/bin/env bash
# openSMILE turns a sample at full scale into its opposite.
#
# Expected: sound that reaches full scale is as loud as sound just below it; at worst it is clipped.
# Seen:     the Python package multiplies by 32768 and casts to 16 bits without a limit. +1.0 becomes
#           -1.0, and so does each sample beyond it wrap around, without a warning.
# Versions: opensmile 2.6.0, numpy 2.4.6, soxr 1.1.0.
# Matters:  loudness and all spectral features of such a clip are wrong. A 16-bit recording never
#           holds +1.0, but a clipped one rises beyond it when it is resampled (44.1 to 16 kHz), and
#           so do files of float samples and decoded MP3 or AAC.
# Source:   opensmile/core/smile.py, Smile._extract: `signal *= 32768`, `signal.astype(np.int16)`.
#           The documentation does not mention a limit.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  opensmile==2.6.0 numpy==2.4.6 pandas==3.1.1 soxr==1.1.0
venv/bin/python -W ignore - <<'PY'
import numpy as np
import opensmile
import soxr

RATE = 16000
smile = opensmile.Smile(
    feature_set=opensmile.FeatureSet.eGeMAPSv02,
    feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
)


def loudness(wave):
    return float(smile.process_signal(wave.astype(np.float32), RATE)["Loudness_sma3"].mean())


def sine(rate):
    return np.sin(2 * np.pi * 150 * np.arange(2 * rate) / rate)


square = np.where(sine(RATE) >= 0, 1.0, -1.0)
quiet, full = loudness(0.9999 * square), loudness(square)
print("opensmile", opensmile.__version__)
print(f"square wave: loudness {quiet:.2f} at 0.9999, {full:.2f} at 1.0")
assert quiet > 5 and full < 1, "a square wave at full scale is no longer nearly silent"

below, at = loudness(0.9999 * sine(RATE)), loudness(sine(RATE))
print(f"sine wave:   loudness {below:.2f} at 0.9999, {at:.2f} at 1.0")
assert at > 3 * below, "a sine wave at full scale is no longer several times as loud"

recorded = np.clip(np.round(1.2 * sine(44100) * 32768), -32768, 32767) / 32768
wave = soxr.resample(recorded, 44100, RATE)
wrapped, limited = loudness(wave), loudness(np.clip(wave, -1, 32767 / 32768))
print(f"clipped 16-bit recording: peak {recorded.max():.5f} at 44.1 kHz, {wave.max():.5f} at 16 kHz")
print(f"                          loudness {wrapped:.2f}, {limited:.2f} if limited to 16 bits first")
assert recorded.max() < 1 < wave.max(), "resampling no longer goes beyond full scale"
assert wrapped > 3 * limited, "a resampled recording no longer wraps around"
print("As recorded.")
PY
