#!/usr/bin/env bash
# The CMU SDK's unify() keeps videos and segments that one of the files lacks.
#
# Expected: after unify(), all computational sequences have the same entries; what it says it removes
#           is gone.
# Seen:     a video counts as present where another video's name begins with its name: v1 is kept
#           though the visual file has only v10. align() then ends in a KeyError. And once a data set
#           is aligned, so that entries are named v1[0], unify() says for v2 "removing it" and removes
#           nothing, since it looks for an entry named v2: the files stay unequal.
# Versions: cmu-multimodal-sdk 0.0.6, the copy of mmsdk on the package index; h5py 3.16.0,
#           numpy 2.4.6. The repository has no release; its later source finds what is not shared by
#           whole names.
# Matters:  zip over two sequences of an aligned data set pairs clips that do not belong together from
#           the first missing one on. Compare the sets of entries yourself, by whole names.
# Source:   mmdataset.__unify_dataset compares vidid_in_seq[:len(vidid)], computational_sequence.
#           _remove_id the whole name, with its index.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  cmu-multimodal-sdk==0.0.6 h5py==3.16.0 numpy==2.4.6 validators==0.35.0 setuptools==80.9.0
# Its folder of models, which needs torch and is not used here, is left out.
package=$(venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/mmsdk
echo > "$package/__init__.py"
venv/bin/python -W ignore - <<'PY'
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import StringIO

import numpy as np
from mmsdk import mmdatasdk


def sequence(name, entries):
    made = mmdatasdk.computational_sequence(name)
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    made.setData({e: {"intervals": times, "features": np.ones((2, 3))} for e in entries}, name)
    made.metadata = {"root name": name}
    return made


def unified(**files):
    """Return the data set, the entries of each file after unify(), and what unify() said."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        dataset = object.__new__(mmdatasdk.mmdataset)
        dataset.computational_sequences = {name: sequence(name, e) for name, e in files.items()}
        dataset.unify()
    return dataset, {name: sorted(dataset[name].data) for name in files}, said.getvalue()


print("cmu-multimodal-sdk", version("cmu-multimodal-sdk"), "numpy", np.__version__)

dataset, entries, said = unified(labels=["v1", "v10"], visual=["v10"])
print("labels of v1 and v10, visual features of v10: unify() leaves", entries)
assert entries == {"labels": ["v1", "v10"], "visual": ["v10"]}, "v1 is removed now"
try:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        dataset.align("labels")
except KeyError as error:
    print("align('labels') raises KeyError", error)
else:
    raise AssertionError("align() works now")

_, entries, _ = unified(labels=["a", "b"], visual=["b"])
print("the same with names of which none begins with another:", entries)
assert entries == {"labels": ["b"], "visual": ["b"]}

aligned = {"labels": ["v1[0]", "v2[0]", "v2[1]"], "visual": ["v1[0]"]}
_, entries, said = unified(**aligned)
assert "v2 entry is not shared among all sequences, removing it" in said, said
print("aligned, v2 without visual features: unify() says it removes v2, and leaves", entries)
assert entries == aligned, "v2 is removed now"
print("As recorded.")
PY
