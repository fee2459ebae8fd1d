"""What general code must know of UEGD: cheap to import, and true of the data sets."""

import subprocess
import sys

from msalib.data import datasets
from msalib.papers.uegd import AS_PUBLISHED


def test_the_face_of_the_paper_is_cheap_to_import():
    code = "import msalib.papers.uegd, sys; print(*{'torch', 'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_paper_used_no_features_that_leak():
    assert AS_PUBLISHED
    assert not any(datasets.dataset(name).leaky for name, _ in AS_PUBLISHED)
