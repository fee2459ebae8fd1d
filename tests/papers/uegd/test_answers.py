"""The short answers of UEGD's pages where no verdict answers."""

import numpy as np
import pandas as pd

from msalib.data.corpus import MODALITIES
from msalib.pages.tables import Table
from msalib.papers.uegd import answers
from msalib.papers.uegd.leaky import Audit
from msalib.runs.query import Runs
from tests.factory import layer_records


def test_each_modality_alone_stands_beside_a_constant():
    runs = Runs(layer_records({m: {0: 3.0, 1: 1.0} for m in MODALITIES}))
    text = answers.alone(runs)
    assert [m for m in MODALITIES if m in text] == list(MODALITIES)
    record = runs.records(runs.systems[0])[0][0]
    assert text.endswith(f"of a constant prediction: {record.chance['mae']:.3f}.")


def test_the_share_within_videos_is_of_the_chosen_block():
    runs = Runs(layer_records({"visual": {0: 3.0, 1: 1.0}}))
    text = answers.within_videos(runs)
    share = float(text.partition("visual ")[2].split()[0])
    assert 0 < share < 1


def test_videos_of_one_clip_have_nothing_within(monkeypatch):
    runs = Runs(layer_records({"visual": {0: 3.0, 1: 1.0}}))
    label, _ = runs.truth("test")
    monkeypatch.setattr(Runs, "truth", lambda self, part: (label, np.arange(len(label))))
    assert answers.within_videos(runs).startswith("Not run")


def test_gates_count_exact_zeros_and_models_in_which_the_highest_weight_matters_most():
    unused = pd.DataFrame(
        {"used": ["no", "no", "yes"], "largest gradient": ["exactly 0", "exactly 0", "0.1"]}
    )
    lost = ["+0.300", "+0.100", "+0.100", "+0.300"]
    reading = pd.DataFrame(
        {
            "seed": [0, 0, 1, 1],
            "gate weight": ["0.70", "0.40", "0.70", "0.40"],
            "MAE lost without it (points)": lost,
        }
    )
    text = answers.gates(Table(unused, caption=""), Table(reading, caption=""))
    assert "(2 of 2)" in text and "in 1 of 2 models" in text


def audit(dataset: str, test: float, seen: dict | None) -> Audit:
    parts = {"train": 0.79, "valid": 0.8, "test": test}
    probe = {"linguistic": parts, "visual": parts | {"test": None}}
    clips = {"train": 1281, "valid": 229, "test": 685}
    return Audit(dataset=dataset, fingerprint="f", commit="c", probe=probe, clips=clips, seen=seen)


def test_a_leak_names_the_labels_that_the_makers_used_and_the_videos_that_they_did_not():
    leaking = audit("mosi-leaky", 0.81, {"train": 1000, "valid": 200, "test": 557})
    text = answers.leaks([leaking, audit("mosi-leaky-unseen", 0.61, {"test": 0})])
    assert "0.81 on the test set" in text and "557 of 685 test clips" in text
    assert text.endswith("0.61.")
    assert "No label" in answers.leaks([audit("control", 0.6, None)])
