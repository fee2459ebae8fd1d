"""Many small models as one: R replicas at a time, each as ``loop.fit`` would train it alone.

A small model leaves a processor waiting: most of a step goes into asking for the operations, not
into doing them. Replicas have the same structure and recipe and differ in seed, layer or modality,
so their weights are stacked along a new first axis and every operation is asked for once
(``torch.func.vmap`` over the very model that would train alone). Each replica keeps its own order,
masks, dropout and choice of epoch, which depend on nothing but its seed (``noise``); what differs
from ``loop.fit`` is the order of additions in a matrix product, so results agree up to rounding:
to 1e-5 over some epochs, mostly. But rounding can tip a unit at zero and grow from there, the
sooner the larger the steps, as it does between two processors; then runs of one seed differ like
those of two. The same company gives the same numbers, to the last digit.

Replicas may differ in the width of an input: narrower ones are filled up with zeros, for which
weights of zero stay zero.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from msalib.base import noise
from msalib.base.progress import bar
from msalib.data.corpus import Batch, Examples
from msalib.training.loop import Fit, check_finite, check_parts, history_entry
from msalib.training.objective import Objective
from msalib.training.regime import Moment, Regime, Selection
from msalib.training.streams import AHEAD, Keyed, draws, mask_batch


def fit(
    builds: Sequence[Callable[[], nn.Module]],
    slots: Sequence[str],
    objective: Objective,
    trains: Sequence[Examples],
    valids: Sequence[Examples],
    regime: Regime,
    seeds: Sequence[int],
) -> list[Fit]:
    """Train R models, one of each sequence's entries; return them in the same order.

    ``slots`` are the streams that the first model reads: the i-th stream of every other replica
    takes the place of its i-th. All parts need the same number of clips and all models the same
    structure up to input widths, and a keyed stream: ``ValueError`` otherwise. Replicas that share
    an ``Examples`` share its gathering of frames.
    """
    streams = [regime.stream(seed, trains[0].device) for seed in seeds]
    _check(trains, valids, regime, streams[0])
    models = []
    for build, seed in zip(builds, seeds, strict=True):
        torch.manual_seed(seed)
        models.append(build().to(trains[0].device))
    stack = Stack(models, slots, objective)
    optimizer = regime.make_optimizer({"model": stack.weights.items()})
    keys = torch.stack([stream.key for stream in streams])
    selections = [Selection(regime) for _ in seeds]
    histories = [[] for _ in seeds]
    chosen = {name: weight.detach().clone() for name, weight in stack.weights.items()}
    for epoch in bar(range(1, regime.epochs + 1), f"{len(seeds)} replicas", "epoch"):
        train_losses = _train_epoch(stack, trains, regime, optimizer, keys, streams[0], epoch)
        losses = zip(train_losses.tolist(), _validate(stack, valids, regime).tolist(), strict=True)
        better = []
        for r, (train_loss, valid_loss) in enumerate(losses):
            if selections[r].done:
                continue
            histories[r].append(history_entry(optimizer, regime, train_loss, valid_loss))
            check_finite(epoch, seeds[r], histories[r][-1])
            if selections[r].judge(epoch, valid_loss):
                better.append(r)
        for name, weight in stack.weights.items():
            chosen[name][better] = weight.detach()[better]
        if all(selection.done for selection in selections):
            break
    return [
        Fit(_unstacked(model, chosen, r).eval(), objective, selections[r].epoch, histories[r])
        for r, model in enumerate(models)
    ]


def _check(trains, valids, regime: Regime, stream) -> None:
    """Check that replicas can be trained as one; raise ``ValueError`` where they cannot."""
    if len({len(train) for train in trains}) != 1 or len({len(valid) for valid in valids}) != 1:
        raise ValueError("replicas need parts of the same size")
    check_parts(trains[0], valids[0], regime, stream)
    if not isinstance(stream, Keyed) or _steps_differ(regime):
        raise ValueError("replicas need a keyed stream, and plain steps, one per batch")


def _steps_differ(regime: Regime) -> bool:
    """Check whether the loop would do more in a step than replicas do."""
    return (
        regime.accumulation > 1
        or regime.clip_norm is not None
        or regime.rebuild_optimizer
        or regime.precision != "float32"
    )


class Stack:
    """R models of one structure as one: weights (R, ...) by name."""

    def __init__(self, models: Sequence[nn.Module], slots: Sequence[str], objective: Objective):
        # One of them lends its code; its own weights are never used.
        self.model, self.slots, self.objective = models[0], list(slots), objective
        named = [dict(m.named_parameters()) for m in models]
        # Only the last axis of a matrix, what it reads, may be filled up with zeros.
        shapes = [
            [w.shape[:-1] if w.dim() > 1 else w.shape for w in weights.values()]
            for weights in named
        ]
        if any(s != shapes[0] for s in shapes):
            raise ValueError("replicas need the same structure, up to the widths of their inputs")
        self.weights = {
            name: _stacked(
                [list(weights.values())[i].detach() for weights in named]
            ).requires_grad_()
            for i, name in enumerate(named[0])
        }
        buffers = [list(m.named_buffers()) for m in models]
        self.buffers = {
            name: torch.stack([values[i][1] for values in buffers])
            for i, (name, _) in enumerate(buffers[0])
        }
        self.dropouts = noise.dropouts(self.model)
        noise.set_keys(self.model, torch.zeros(len(self.dropouts), 2, dtype=torch.int32))
        self._losses = vmap(self._loss)

    def losses(self, batch: Batch, dropout: Tensor | None = None) -> Tensor:
        """Return each replica's loss, (R,); without ``dropout`` (R, dropouts, 2) they judge."""
        self.model.train(dropout is not None)
        buffers = dict(self.buffers)
        if dropout is not None:
            buffers |= zip(self.dropouts, dropout.unbind(1), strict=True)
        return self._losses(self.weights | buffers, batch.features, batch.mask, batch.label)

    def _loss(self, state, features, mask, label):
        output = functional_call(self.model, state, (features, mask))
        return self.objective.loss(output, Batch(features, mask, label))


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """Stack tensors, (R, ...), filled up with zeros to the largest size of each axis."""
    if len({t.shape for t in tensors}) == 1:
        return torch.stack(list(tensors))
    size = [max(t.shape[axis] for t in tensors) for axis in range(tensors[0].dim())]
    stacked = tensors[0].new_zeros(len(tensors), *size)
    for place, tensor in zip(stacked, tensors, strict=True):
        place[tuple(slice(n) for n in tensor.shape)] = tensor
    return stacked


def _unstacked(model: nn.Module, stacked: dict[str, Tensor], r: int) -> nn.Module:
    """Give ``model`` the weights of replica r, in the widths of that model."""
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), stacked.values(), strict=True):
            parameter.copy_(weight[r][tuple(slice(n) for n in parameter.shape)])
    return model


def _train_epoch(stack, trains, regime, optimizer, keys, stream, epoch) -> Tensor:
    """Run one pass as ``loop.train_epoch`` does; return losses (R,)."""
    clips = len(trains[0])
    steps, size = stream.count(clips, regime), regime.batch_size
    drawn = draws(keys, epoch, clips, steps, len(stack.dropouts))
    order = drawn.order[:, : steps * size].view(-1, steps, size).cpu()  # (R, steps, B)
    total, step = 0, (epoch - 1) * steps
    for first in range(0, steps, AHEAD):
        block = slice(first, first + AHEAD)
        keys_of_steps = drawn.steps[:, block]
        batches = _gather(stack.slots, trains, order[:, block], keys_of_steps, stream.masking)
        for batch, dropout in zip(batches, drawn.dropout[:, block].unbind(1), strict=True):
            (rate,) = regime.rates(Moment(epoch, step, regime.epochs * steps)).values()
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses = stack.losses(batch, dropout)
            optimizer.zero_grad()
            losses.sum().backward()
            optimizer.step()
            total, step = total + losses.detach(), step + 1
    return total / steps


@torch.no_grad()
def _validate(stack, valids, regime) -> Tensor:
    """Return the scores of the validation set as ``Objective.score`` has them, (R,)."""
    losses, sizes = [], []
    for rows in torch.arange(len(valids[0])).split(regime.validation_batch):
        (batch,) = _gather(stack.slots, valids, rows.expand(len(valids), 1, -1))
        losses.append(stack.losses(batch))
        sizes.append(len(rows))
    losses = torch.stack(losses, 1)  # (R, batches)
    if stack.objective.validation == "batch_mean":
        return losses.mean(1)
    sizes = torch.tensor(sizes, device=losses.device)
    return (losses * sizes).sum(1) / sizes.sum()


def _gather(slots, parts, rows, keys=None, masking=None) -> list[Batch]:
    """Return the clips ``rows`` (R, J, B) of each replica's part as J batches (R, ...).

    ``keys`` (R, J, 2) are those of ``masking``. Features are (R, S, D) or (R, L, S, D): frames of
    a replica's batch end to end, S those of the longest.
    """
    replicas, steps, size = rows.shape
    users: dict[int, list[int]] = {}
    for r, part in enumerate(parts):
        users.setdefault(id(part), []).append(r)
    gathered = []
    for members in users.values():
        batch = parts[members[0]].batch(rows[members].flatten())
        if keys is not None:
            batch = mask_batch(batch, keys[members].flatten(0, 1), masking)
        gathered.append((members, batch))
    label = parts[0].label.new_empty(replicas, steps, size)
    for members, batch in gathered:
        label[members] = batch.label.view(-1, steps, size)
    features, masks = {}, {}
    for i, slot in enumerate(slots):
        pieces = [
            (members, list(batch.features.values())[i], list(batch.mask.values())[i])
            for members, batch in gathered
        ]
        features[slot], masks[slot] = _slot(pieces, replicas, steps, size)
    batches = []
    for j in range(steps):
        mask = {m: x[:, j] for m, x in masks.items()}
        mask = {m: x[..., : _longest(x)] for m, x in mask.items()}
        frames = {m: int(x.sum((1, 2)).max()) for m, x in mask.items()}
        step = {m: x[:, j, ..., : frames[m], :] for m, x in features.items()}
        batches.append(Batch(step, mask, label[:, j]))
    return batches


def _longest(mask: Tensor) -> int:
    return int(mask.sum(-1).max())


def _slot(pieces, replicas: int, steps: int, size: int) -> tuple[Tensor, Tensor]:
    """Return one input of all replicas: features (R, J, [L,] S, D) and masks (R, J, B, T)."""
    longest = max(mask.shape[1] for _, _, mask in pieces)
    width = max(x.shape[-1] for _, x, _ in pieces)
    counts = [mask.view(-1, size * mask.shape[1]).sum(1) for _, _, mask in pieces]  # (r J,)
    frames = max(int(count.max()) for count in counts)
    first = pieces[0][1]
    layers = first.shape[:-2]
    features = first.new_zeros(*layers, replicas * steps * frames, width)
    masks = pieces[0][2].new_zeros(replicas, steps, size, longest)
    for (members, x, mask), count in zip(pieces, counts, strict=True):
        masks[members, ..., : mask.shape[1]] = mask.view(-1, steps, size, mask.shape[1])
        start = torch.as_tensor(members)[:, None] * steps + torch.arange(steps)  # (r, J)
        start = start.flatten().to(x.device) * frames
        shift = (start - count.cumsum(0) + count).repeat_interleave(count)
        place = torch.arange(len(shift), device=x.device) + shift
        features[..., place, : x.shape[-1]] = x
    features = features.view(*layers, replicas, steps, frames, width)
    return (features.permute(1, 2, 0, 3, 4) if layers else features), masks
