"""The benchmarks run: scripts compare their ways at sizes that take seconds, and write nothing."""

from pathlib import Path

import pytest
import torch

from msalib.encoders import text

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


def results():
    """Return when each result was written."""
    return {path: path.stat().st_mtime_ns for path in (BENCHMARKS / "results").iterdir()}


@pytest.fixture
def benchmarks(monkeypatch):
    """Make the scripts importable; what they put in place of weights goes when a test ends."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr(text, "load", text.load)
    before = results()
    yield
    assert results() == before


def test_the_benchmark_of_replicas_runs_and_writes_nothing(benchmarks, capsys):
    import replicas

    replicas.main("cpu", 1, tiny=True)
    printed = capsys.readouterr().out
    assert "random frames of MOSI's sizes, 2 layers" in printed  # what a GPU is given
    assert printed.count("of the bound") == 7


def test_the_benchmark_of_records_runs_and_writes_nothing(benchmarks, capsys, monkeypatch):
    import claims_records

    from msalib.base import paths

    monkeypatch.setattr(paths, "SHIPPED", paths.BOOK / "records")
    claims_records.main(against=paths.ROOT, tiny=True)
    printed = capsys.readouterr().out
    assert "uegd, 20 records" in printed and "share_of_time" in printed


def test_the_benchmarks_of_glomo_run_and_write_nothing(benchmarks, capsys):
    import glomo_experts
    import glomo_step
    import glomo_time

    glomo_step.main(3, 4, tiny=True)
    printed = capsys.readouterr().out
    assert printed.count("losses of 3 steps within") == 2
    assert printed.count("as many a second as literal") == 3
    glomo_experts.main(3, tiny=True)
    assert "times as long as batched" in capsys.readouterr().out
    glomo_time.main(3, 4, tiny=True)
    printed = capsys.readouterr().out
    assert [line.split(":")[0] for line in printed.splitlines()] == ["GLoMo", "TFN"]


@pytest.mark.parametrize("preset", ["article", "release"])
def test_glomo_read_literally_predicts_and_learns_the_same(benchmarks, preset):
    """With weights that make every part count: those of a new model hardly move a prediction."""
    import glomo_step
    from glomo_literal import Literal, clips

    found = []
    for way in ("literal", "msalib"):
        asked = glomo_step.Asked(way, preset, still=True, tiny=True)
        bert, core = glomo_step.parts(asked)
        torch.manual_seed(2)
        for weight in [*bert.parameters(), *core.parameters()]:
            if weight.dim() > 1:
                torch.nn.init.normal_(weight, std=0.7 * weight[0].numel() ** -0.5)
        ours = way == "msalib"
        model = glomo_step.Ours(bert, core, "float32") if ours else Literal(bert, core)
        some = clips(6, 60, glomo_step.SIZES, torch.Generator().manual_seed(0))
        torch.manual_seed(3)
        prediction, penalty = model.train()(*model.prepare(some))
        (prediction.square().sum() + penalty).backward()
        gradients = {name: w.grad for name, w in core.named_parameters()}
        gradients["bert"] = bert.embeddings.word_embeddings.weight.grad
        found.append((prediction.detach(), penalty.detach(), gradients))
    (theirs, their_penalty, their_gradients), (ours, penalty, gradients) = found
    assert ours.std() > 0.05
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(penalty, their_penalty)
    largest = max(gradient.abs().max().item() for gradient in gradients.values())
    for name, gradient in gradients.items():
        scale = max(gradient.abs().max().item(), 1e-3 * largest)
        torch.testing.assert_close(
            gradient / scale, their_gradients[name] / scale, atol=1e-4, rtol=0
        )


@pytest.fixture
def spoken_pairs():
    pytest.importorskip("soundfile")
    pytest.importorskip("espeakng_loader")


def test_the_benchmarks_of_cmts_pretraining_run_and_write_nothing(benchmarks, spoken_pairs, capsys):
    import cmt_memory
    import cmt_pretraining

    cmt_pretraining.main("small-frames", 3, 7, tiny=True)
    printed = capsys.readouterr().out
    assert printed.count("losses of 3 steps within") == 2
    assert [line.split(":")[0] for line in printed.splitlines()[-2:]] == ["literal", "random"]
    cmt_memory.main(tiny=True)
    assert capsys.readouterr().out.count("MB of no file") == 2


def test_cmt_pretrained_literally_has_the_same_losses_and_gradients(benchmarks, spoken_pairs):
    """With weights that make every part count, on clips of unequal length."""
    import cmt_pretraining as script

    some = script.stage("small-frames", 7, tiny=True)
    plan = script.recipe(tiny=True, dropout=0.0)
    model = script.model_of(plan, some.stored)
    torch.manual_seed(2)
    for weight in model.parameters():
        torch.nn.init.normal_(
            weight, std=0.4 * (weight[0].numel() if weight.dim() > 1 else 1) ** -0.5
        )
    literal = script.literal_of(some, plan, model, halved=True)
    source = script.Source(some.stored, some.stored.learned, plan.masking, shuffled=False)
    rows = source.lengths.argsort()[[0, 7, 15, -1]]  # of four lengths
    batch = source.batch(rows, torch.Generator().manual_seed(0))
    losses = model(batch).loss, literal(script.given(some, rows, batch))
    torch.testing.assert_close(*losses, atol=1e-4, rtol=0)
    for loss in losses:
        loss.backward()
    expected = {name: weight.grad for name, weight in literal.named_parameters()}
    literal.adopt({name: weight.grad for name, weight in model.named_parameters()})
    for name, gradient in literal.named_parameters():
        scale = max(expected[name].abs().max().item(), 1e-3)
        torch.testing.assert_close(
            gradient.detach() / scale, expected[name] / scale, atol=2e-3, rtol=0
        )


def test_the_benchmark_of_reading_pickles_runs_and_writes_nothing(benchmarks, capfd):
    import mmsa_memory

    mmsa_memory.main(tiny=True)
    assert capfd.readouterr().out.count("MB for a file of") == 2


def test_every_benchmark_imports(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    for path in sorted(BENCHMARKS.glob("*.py")):
        __import__(path.stem)
