"""The loop of pretraining: what an update draws, what a kill leaves, what it refuses."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from msalib.base.errors import UserError
from msalib.training import pretraining
from msalib.training.pretraining import Settings

SETTINGS = Settings(updates=24, batch_size=4, learning_rate=0.01, weight_decay=0.1, seed=3)


class Guesses(NamedTuple):
    text: torch.Tensor
    sound: torch.Tensor
    text_right: torch.Tensor
    sound_right: torch.Tensor

    @property
    def loss(self):
        return self.text + self.sound


class Toy(nn.Module):
    """Two layers with dropout, so that the numbers of every update matter."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, batch):
        out = self.layers(batch).square().mean()
        return Guesses(out, out / 2, out.detach() * 0 + 0.5, out.detach() * 0 + 0.25)


class Clips:
    """Twenty clips of noise that is drawn anew in each update."""

    lengths = np.arange(20) % 7

    def batch(self, rows, generator):
        noise = torch.randn(len(rows), 3, generator=generator)
        return noise + torch.tensor(rows, dtype=torch.float32)[:, None]


class Killed(BaseException):
    """Stands for a signal: no handler of errors may catch it."""


def weights(model: nn.Module) -> list[torch.Tensor]:
    return list(model.state_dict().values())


def trained(path, step=lambda: None, settings=SETTINGS):
    model = Toy()
    curve = pretraining.fit(model, Clips(), settings, path, step)
    return model, curve


def test_killed_five_times_it_ends_with_the_same_weights_and_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "SAVE_EVERY", -1.0)  # a checkpoint after every update
    whole, curve = trained(tmp_path / "whole.pt")
    updates = []
    for kill in (1, 4, 5, 6, 7):

        def step(kill=kill, seen=[]):  # noqa: B006 - counts the updates of one attempt
            seen.append(1)
            updates.append(1)
            if len(seen) == kill:
                torch.rand(1)  # whoever goes on has another global generator
                raise Killed

        with pytest.raises(Killed):
            trained(tmp_path / "killed.pt", step)
    model, other = trained(tmp_path / "killed.pt", lambda: updates.append(1))
    assert all(map(torch.equal, weights(model), weights(whole)))
    assert other == curve
    assert len(updates) == 24 + 5  # the update that was killed is done again, no other


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    from msalib.base import files

    monkeypatch.setattr(pretraining, "SAVE_EVERY", -1.0)
    whole, _ = trained(tmp_path / "whole.pt")
    path, write = tmp_path / "killed.pt", files.write_bytes

    def half(target, content):
        if path.exists():
            with files.whole_file(target) as file:
                file.write(content[:100])
                raise Killed
        write(target, content)

    monkeypatch.setattr(files, "write_bytes", half)
    with pytest.raises(Killed):
        trained(path)
    monkeypatch.setattr(files, "write_bytes", write)
    model, _ = trained(path)
    assert all(map(torch.equal, weights(model), weights(whole)))
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_another_seed_gives_other_weights_and_the_same_one_the_same(tmp_path):
    first, _ = trained(tmp_path / "1.pt")
    again, _ = trained(tmp_path / "2.pt")
    other, _ = trained(tmp_path / "3.pt", settings=SETTINGS._replace(seed=4))
    assert all(map(torch.equal, weights(first), weights(again)))
    assert not torch.equal(weights(first)[0], weights(other)[0])


def test_a_pass_has_every_clip_once_and_batches_of_similar_length():
    lengths = np.random.default_rng(0).integers(1, 100, size=400)
    settings = SETTINGS._replace(batch_size=10)
    batches = [pretraining.rows_of(lengths, settings, update) for update in range(40)]
    assert sorted(np.concatenate(batches)) == list(range(400))
    spread = np.mean([lengths[rows].max() - lengths[rows].min() for rows in batches])
    assert spread < 15  # unsorted batches of ten spread over about 80
    again = [pretraining.rows_of(lengths, settings, update) for update in range(40, 80)]
    assert sorted(np.concatenate(again)) == list(range(400))
    assert not all(map(np.array_equal, batches, again))


def test_the_rate_falls_linearly_to_zero(tmp_path, monkeypatch):
    rates = []
    real = torch.optim.AdamW.step

    def step(self, *args, **how):
        rates.append(self.param_groups[0]["lr"])
        return real(self, *args, **how)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    trained(tmp_path / "one.pt")
    assert rates == pytest.approx([0.01 * (1 - k / 24) for k in range(24)])


def test_a_curve_is_means_over_windows():
    noted = [[float(k), 0.0, 1.0, 0.5] for k in range(101)]
    found = pretraining.curve(noted)
    assert found.update[:2] == [3, 6]
    assert found.update[-1] == 101
    assert found.means["text"][:2] == [1.0, 4.0]
    assert found.means["text"][-1] == pytest.approx(99.5)


def test_too_few_pairs_are_refused(tmp_path):
    class Few(Clips):
        lengths = np.arange(3)

    with pytest.raises(UserError) as error:
        pretraining.fit(Toy(), Few(), SETTINGS, tmp_path / "few.pt")
    assert str(error.value) == (
        "pretraining: found 3 pairs of sound and text; expected at least one batch of 4. "
        "Pretrain on more clips, or on another corpus."
    )


def test_a_loss_that_is_not_finite_is_refused(tmp_path):
    class Bad(Clips):
        def batch(self, rows, generator):
            return super().batch(rows, generator) * float("inf")

    with pytest.raises(UserError, match="update 1 of pretraining, seed 3: found loss"):
        pretraining.fit(Toy(), Bad(), SETTINGS, tmp_path / "bad.pt")


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    (tmp_path / "one.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match="no checkpoint of this pretraining") as error:
        trained(tmp_path / "one.pt")
    assert "Delete the file; pretraining begins anew." in str(error.value)
