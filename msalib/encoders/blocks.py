"""Blocks of a BERT-family model on the tokens of a batch laid end to end.

The modules are those of transformers; their order is repeated here, so that nothing is computed
that is not read. Linear maps, norms and dropout compute no padding. Where padded places are read,
they ask for what valid tokens say and say nothing: no key and no value is made of them. Dropout is
that of ``base.dropout``. Measured in benchmarks/glomo_step.py.

Notation: B texts, T places, S places that are computed, W width, H heads, h features of a head.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from msalib.base.dropout import dropped

KINDS = ("bert", "roberta", "xlm-roberta")
"""Models of transformers that are built of the modules below."""

NEVER = -1e9
"""Added to the score of a key that is not read: its weight is exactly 0 then."""


def states(model: nn.Module, ids: Tensor, valid: Tensor, there: Tensor, last: int) -> list[Tensor]:
    """Return the states (S, W) of the ``last`` blocks, the last first.

    ``valid`` (B, T) are the tokens among the ``ids``, at the front of each text; ``there`` (B, T)
    the places to compute, all valid ones among them. 0 stands for the embeddings.
    """
    x = model.embeddings(input_ids=ids)[there]
    layout = Layout(valid, there)
    made = [x]
    for block in model.encoder.layer:
        made.append(_block(block, made[-1], layout))
    return made[: -1 - last : -1]


class Layout:
    """Where the S places of a batch lie in it, and which of them are tokens."""

    def __init__(self, valid: Tensor, there: Tensor):
        keys = valid[:, : int(valid.sum(1).max())]
        self.places = there.shape, there.flatten().nonzero().squeeze(1)
        self.keys = keys.shape, keys.flatten().nonzero().squeeze(1)
        self.tokens = None if torch.equal(valid, there) else valid[there].nonzero().squeeze(1)
        self.valid = keys[:, None, None]

    def by_head(self, x: Tensor, heads: int, *, keys: bool) -> Tensor:
        """Put rows of the places or of the keys in their batch, by head: (B, H, T, h)."""
        (clips, steps), rows = self.keys if keys else self.places
        batch = x
        if len(rows) < clips * steps:
            batch = x.new_zeros(clips * steps, x.shape[-1]).index_copy(0, rows, x)
        return batch.view(clips, steps, heads, -1).transpose(1, 2)

    def take(self, x: Tensor) -> Tensor:
        """Return the places (S, W) of a batch by head (B, H, T, h)."""
        flat = x.transpose(1, 2).flatten(2).flatten(0, 1)
        rows = self.places[1]
        return flat if len(rows) == len(flat) else flat.index_select(0, rows)


def _block(block: nn.Module, x: Tensor, layout: Layout) -> Tensor:
    own = block.attention.self
    tokens = x if layout.tokens is None else x.index_select(0, layout.tokens)
    heads = own.num_attention_heads
    read = attended(
        layout.by_head(own.query(x), heads, keys=False),
        layout.by_head(own.key(tokens), heads, keys=True),
        layout.by_head(own.value(tokens), heads, keys=True),
        layout.valid,
        own.dropout.p if own.training else 0.0,
    )
    x = _added(block.attention.output, layout.take(read), x)
    return _added(block.output, block.intermediate(x), x)


def _added(output: nn.Module, x: Tensor, before: Tensor) -> Tensor:
    made = dropped(output.dense(x), output.dropout.p if output.training else 0.0)
    return output.LayerNorm(made + before)


def attended(query: Tensor, key: Tensor, value: Tensor, valid: Tensor, p: float) -> Tensor:
    """Return what queries (B, H, T, h) read of valid keys, with ``p`` of the weights dropped."""
    if not p or query.device.type != "cpu":
        return functional.scaled_dot_product_attention(query, key, value, valid, p)
    # On a CPU PyTorch has no fused attention with dropout.
    score = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
    weights = (score + NEVER * ~valid).softmax(-1)
    return dropped(weights, p) @ value
