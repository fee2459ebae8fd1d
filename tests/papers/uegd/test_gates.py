"""Gates from inside: what training can reach, and what a weight does not say."""

import pytest
import torch

from msalib.data.corpus import MODALITIES
from msalib.papers.uegd import gates
from msalib.runs.spec import system
from msalib.runs.study import Study


@pytest.fixture(scope="module")
def study():
    return Study("uegd", dataset="control", profile="quick", seeds=2)


def test_the_gates_of_absent_modalities_get_no_gradient_and_never_move(study):
    frame = gates.unused(study, system({"acoustic": 20})).frame.set_index("gate of")
    for m in ("visual", "linguistic"):
        assert frame.loc[m, "used"] == "no"
        assert frame.loc[m, "largest gradient"] == frame.loc[m, "largest movement"] == "exactly 0"
        assert 0.3 < float(frame.loc[m, "mean weight on test"]) < 0.7
    assert frame.loc["acoustic", "used"] == "yes"
    assert float(frame.loc["acoustic", "largest gradient"]) > 1e-3
    assert float(frame.loc["acoustic", "largest movement"]) > 1e-3


def test_reading_shows_each_seed_and_modality_with_its_planted_share(study):
    wanted = system({"visual": 20, "acoustic": 20, "linguistic": 20})
    table = gates.reading(study, wanted)
    frame = table.frame.set_index(["seed", "modality"])
    assert list(frame.loc[0].index) == list(frame.loc[1].index) == list(MODALITIES)
    assert list(frame.loc[1, "planted share of the label"]) == ["0.2", "0.3", "0.5"]
    lost = frame["MAE lost without it (points)"].astype(float)
    for seed in (0, 1):
        assert lost[seed, "linguistic"] > lost[seed, "visual"]
    assert study.setting in table.caption


def test_embeddings_fused_again_give_the_same_prediction(study):
    """``reading`` replaces an embedding and fuses again: without a replacement nothing changes."""
    trainer = gates.Trainer(study.encoded, "cpu")
    spec = study.spec(system({"visual": 1, "linguistic": 2}), 0)
    model = trainer.build(spec).eval()
    (batch,) = list(trainer.examples(spec, "valid").batches(1000))
    output = model(batch.features, batch.mask)
    prediction, alpha = model.fuse(output.embeddings)
    torch.testing.assert_close(prediction, output.prediction, rtol=0, atol=0)
    torch.testing.assert_close(alpha, output.gates, rtol=0, atol=0)
