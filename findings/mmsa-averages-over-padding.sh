#!/usr/bin/env bash
# MMSA's loader averages sound and pictures over the padding, so that short clips get small features.
#
# Expected: where a model takes one vector per clip, it is the mean of the clip's own frames; a clip's
#           features do not depend on the clips beside it.
# Seen:     with need_normalized, which MMSA's settings turn on for TFN, LMF, MFN, LF_DNN, MTFN, MLMF
#           and MLF_DNN, it is the sum of the frames divided by the length of the array, though the
#           file has lengths: of two clips with the same frames, 10 and 40 of 40, the first gets a
#           quarter. Beside a clip of 80 frames, both get half of what they had.
# Versions: MMSA 2.2.1, torch 2.13.0, numpy 2.4.6; a made-up file in MMSA's format.
# Matters:  how long a clip is can be read from the size of its features, and the voice and face of a
#           baseline depend on the longest clip of its file. Take means over `audio_lengths` and
#           `vision_lengths`, and say of published baselines that theirs are over the padding.
# Source:   MMSA/data_loader.py, MMDataset.__normalize: numpy.mean over axis 0 of (time, clips, dim);
#           MMSA/config/config_regression.json, need_normalized.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
venv/bin/pip install --quiet --disable-pip-version-check --no-deps MMSA==2.2.1
venv/bin/python -W ignore - <<'PY'
import importlib.util
import json
import pickle
import sysconfig
from importlib.metadata import version
from pathlib import Path

import numpy as np

# The loader alone: the package imports every model and its libraries.
PACKAGE = Path(sysconfig.get_paths()["purelib"]) / "MMSA"
spec = importlib.util.spec_from_file_location("data_loader", PACKAGE / "data_loader.py")
loader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loader)


def vectors(*lengths):
    """Return the acoustic vector of each clip, all frames of which are 1."""
    frames, steps = np.zeros((len(lengths), max(lengths), 3), np.float32), max(lengths)
    for row, length in zip(frames, lengths):
        row[:length] = 1
    part = {
        "id": [f"v$_${i}" for i in range(len(lengths))],
        "raw_text": ["words"] * len(lengths),
        "text": np.ones((len(lengths), 5, 4), np.float32),
        "audio": frames,
        "vision": frames,
        "audio_lengths": list(lengths),
        "vision_lengths": list(lengths),
        "regression_labels": np.zeros(len(lengths), np.float32),
    }
    Path("file.pkl").write_bytes(pickle.dumps({"test": part}))
    args = {
        **{"dataset_name": "mosi", "custom_feature": "file.pkl", "feature_dims": [0, 0, 0]},
        **{"feature_T": "", "feature_A": "", "feature_V": "", "train_mode": "regression"},
        **{"need_data_aligned": False, "need_normalized": True},
    }
    data = loader.MMDataset(args, mode="test")
    return [round(float(data[i]["audio"][0, 0]), 4) for i in range(len(lengths))]


print("MMSA", version("MMSA"), "torch", version("torch"), "numpy", np.__version__)
settings = json.loads((PACKAGE / "config" / "config_regression.json").read_text())
on = [
    name
    for name, model in settings.items()
    if isinstance(model, dict) and model.get("commonParams", {}).get("need_normalized")
]
print("need_normalized is on for", ", ".join(on))
assert on == ["tfn", "lmf", "mfn", "lf_dnn", "mtfn", "mlmf", "mlf_dnn"]
for lengths, expected in [((10, 40), [0.25, 1.0]), ((10, 40, 80), [0.125, 0.5, 1.0])]:
    seen = vectors(*lengths)
    print(f"clips of {lengths} frames, each frame 1: vectors of {seen}")
    assert seen == expected, f"that was {expected} before"
print("As recorded.")
PY
