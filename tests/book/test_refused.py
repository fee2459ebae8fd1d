"""What the machine refuses to a notebook is told as what it is, also where its copy is damaged."""

import subprocess

import pytest

from msalib.book import notebooks


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "it cannot be written (No space left"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB", "too little memory ("),
        (
            "nbclient.exceptions.DeadKernelError: Kernel died",
            "Kernel died, as it does where memory",
        ),
        ("RuntimeError: something else", "found RuntimeError: something else; expected every cell"),
    ],
)
@pytest.mark.parametrize("half", [True, False], ids=["a half-written copy", "no copy"])
def test_what_the_machine_refuses_to_a_notebook_is_told(tree, tmp_path, stderr, told, half):
    working = tmp_path / "curve-control.ipynb"
    if half:
        working.write_text('{"cells": [')
    error = subprocess.CalledProcessError(1, [], stderr=f"Traceback:\n{stderr}\n")
    message = str(notebooks._failure("paper/curve", working, error))
    assert message.startswith("notebook paper/curve: found ") and told in message
