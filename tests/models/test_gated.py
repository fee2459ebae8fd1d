"""Contributions of modalities in a model with gates."""

import pytest
import torch

from msalib.models import gated, uegd
from tests.factory import MODEL


def untrained():
    """A network of two modalities with vectors of three clips, and means."""
    torch.manual_seed(0)
    pair = ("visual", "linguistic")
    sizes = dict.fromkeys(pair, 5)
    network = uegd.build(uegd.Config(**MODEL), sizes=sizes, layers={}, outputs=1).eval()
    vectors = {m: torch.randn(3, 4) for m in pair}
    means = {m: {"vector": torch.randn(4).tolist(), "gated": torch.randn(4).tolist()} for m in pair}
    return network, vectors, means


@torch.no_grad()
def test_with_everything_given_the_prediction_is_the_networks_own():
    network, z, means = untrained()
    everything = {m: torch.ones(3, dtype=torch.bool) for m in z}
    found = gated.contributions(network, z, means, everything)
    prediction, gates = network.fuse(z)
    torch.testing.assert_close(found.prediction, prediction)
    torch.testing.assert_close(found.gates, gates)
    a, b = gates[:, [0]] * z["visual"], gates[:, [2]] * z["linguistic"]
    mean = torch.tensor(means["visual"]["gated"])
    torch.testing.assert_close(found.change["visual"], prediction - network.decoder(mean + b))
    mean = torch.tensor(means["linguistic"]["gated"])
    torch.testing.assert_close(found.change["linguistic"], prediction - network.decoder(a + mean))


@torch.no_grad()
def test_what_is_not_given_is_not_read_and_has_its_mean():
    network, z, means = untrained()
    here = {"visual": torch.tensor([True, False, True]), "linguistic": torch.ones(3).bool()}
    found = gated.contributions(network, z, means, here)
    other = gated.contributions(network, {**z, "visual": z["visual"] + 10.0}, means, here)
    assert found.prediction[1] == other.prediction[1] and found.change["visual"][1] == 0
    assert found.prediction[0] != other.prediction[0]
    here["visual"] = torch.zeros(3).bool()
    alone = gated.contributions(network, {"linguistic": z["linguistic"]}, means, here)
    assert alone.prediction[1] == found.prediction[1]
    vectors = {**z, "visual": torch.tensor(means["visual"]["vector"]).expand(3, 4)}
    gates = network.fuse(vectors)[1]
    whole = gates[:, [2]] * z["linguistic"] + torch.tensor(means["visual"]["gated"])
    torch.testing.assert_close(found.prediction[1], network.decoder(whole)[1])


@torch.no_grad()
def test_averages_are_of_vectors_and_of_gated_vectors():
    network, z, _ = untrained()
    averages = gated.averages(network, z)
    gates = network.fuse(z)[1]
    for m, column in (("visual", 0), ("linguistic", 2)):
        expected = {"vector": z[m].mean(0), "gated": (gates[:, [column]] * z[m]).mean(0)}
        for name, values in expected.items():
            torch.testing.assert_close(
                torch.tensor(averages[m][name]), values, rtol=1e-4, atol=1e-5
            )
    gated.check(MODEL, list(z), averages)
    for modalities, config in ((["visual"], MODEL), (list(z), {**MODEL, "fusion": "concat"})):
        with pytest.raises(ValueError, match=r"do not fit|without gates"):
            gated.check(config, modalities, averages)
