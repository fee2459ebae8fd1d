"""SPT: the sparse phased transformer, the sequence encoder of SUGRM.

Cheng et al., "Multimodal Phased Transformer for Sentiment Analysis", EMNLP 2021. Authors' code:
https://github.com/chengjunyan1/SP-Transformer (13e08be).
Specification: papers/sugrm.md (c); written from it, without the authors' code.

Idea: a short sequence of hidden states per modality, one for five frames, reads in every layer a
small window of its own frames (input attention), of the hidden states of the other modalities
(cross attention) and of itself (self attention). No score outside a window is ever computed, so
time and memory grow with the length and not with its square. All layers have the same weights.

Deviations from the paper: the attention dropout that SUGRM's Table 7 prints is left out, as in the
release, which never passes it on; so is the random offset of the input windows. With the divisor
it should have, the modality's own number of hidden states, that offset is always zero.
Deviations from the release: windows are taken modulo the clip's own length; the release pads and
reads the padding, so both agree where all clips are as long as the batch. ``shift="none"`` is what
the release does (a slip in its configuration turns the shift off), ``shift="phase"`` what it means
to do. Biases start at zero (the specification does not say). LayerNorm and the projections of keys
and values come before the windows are gathered, which gives the same numbers; those of input
attention are the same in all layers and are made once. The release has three modalities, ours may
have fewer. With two, the first hidden states are drawn from Xavier's bound for two rows, which is
wider than that for three. A layer then adds the residual of cross attention once; with three it
adds it twice, once for each of the two others. Parity with the release:
`python -m tests.parity spt`.

Notation: B clips, L frames of the longest, D input features, H hidden states (ceil(L / 5)), W
width, N attention heads, E = W / N features of one head, window of ``size`` rows. Hidden states are
time-major inside, (H, B, W); feature e of head n is number e N + n of a projection.

Longer: than a model file should be, because windows, their gradient and the three kinds of
attention make sense only together.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from msalib.data.corpus import MODALITIES

STRIDE = 5
"""Frames per hidden state."""

INPUT_WINDOW, CROSS_WINDOW, SELF_WINDOW = 17, 9, 7

PAIRS = {
    ("acoustic", "linguistic"): "acoustic_linguistic",
    ("linguistic", "visual"): "linguistic_visual",
    ("visual", "acoustic"): "visual_acoustic",
}
"""(target, source) -> the block both directions share; from source to target W_q, W_k swap."""

Shift = Literal["none", "phase"]

States = dict[str, Tensor]
"""Modality -> hidden states, (H, B, W)."""


# --- windows ------------------------------------------------------------------------------------


def states(length: Tensor) -> Tensor:
    """Return the number of hidden states, H_b = ceil(length / 5), of ``length`` frames."""
    return (length + STRIDE - 1) // STRIDE


def input_windows(
    length: Tensor, state: Tensor, *, layer: int, shift: Shift, size: int = INPUT_WINDOW
) -> Tensor:
    """Return the frames that states ``state`` (H,) of clips of ``length`` (B,) frames attend to.

    (B, size, H), row u holding the frames at offset u of the windows. A window ends at the last
    frame of its state, ``shift="phase"`` moves it by layer + trunc(length sin(state / 4)).
    """
    start = ((state + 1) * STRIDE - INPUT_WINDOW).expand(len(length), -1)
    if shift == "phase":
        phase = (length[:, None] * (state.double() / 4).sin()).trunc().long()
        start = start + layer + phase
    return _circular(start, length, size)


def hidden_windows(other: Tensor, state: Tensor, *, layer: int, window: int, size: int) -> Tensor:
    """Return the same for cross and self attention to sequences of ``other`` (B,) hidden states.

    A ``window`` of rows ends at the state's own number plus the layer's; its first ``size`` rows
    are returned. ``state`` is (H,), or (B, H) where clips differ.
    """
    return _circular((state + 1 - window + layer).expand(len(other), -1), other, size)


def _circular(start: Tensor, context: Tensor, size: int) -> Tensor:
    """Return rows from ``start`` (B, H) on, modulo ``context`` (B,): (B, size, H)."""
    offset = torch.arange(size, device=start.device)[:, None]
    return (start[:, None] + offset) % context[:, None, None]


# --- attention ----------------------------------------------------------------------------------


class WindowAttention(torch.autograd.Function):
    """Compute softmax attention of query j to rows j P to j P + size - 1 of ``key`` and ``value``.

    query (H, E, B, N); key, value (P, A, E, B, N), row a P + r at [r, a]: the rows of all queries
    at one offset are then one block, without a copy. Offsets are taken one after the other, so
    neither products nor windows are kept, only the weights (size, H, B, N).
    """

    @staticmethod
    def forward(ctx, query: Tensor, key: Tensor, value: Tensor, size: int) -> Tensor:
        count, scale = len(query), query.shape[1] ** -0.5
        weight = query.new_empty(size, count, *query.shape[2:])
        for u in range(size):
            torch.sum(query * _at(key, u, count), 1, out=weight[u])
        weight = weight.mul_(scale).softmax(0)
        output = torch.zeros_like(query)
        for u in range(size):
            output.addcmul_(weight[u][:, None], _at(value, u, count))
        ctx.save_for_backward(query, key, value, weight)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        query, key, value, weight = ctx.saved_tensors
        count, scale = len(query), query.shape[1] ** -0.5
        gradient = gradient.contiguous()
        d_query, d_key, d_value, d_weight = map(torch.zeros_like, (query, key, value, weight))
        for u in range(len(weight)):
            torch.sum(gradient * _at(value, u, count), 1, out=d_weight[u])
            _at(d_value, u, count).addcmul_(weight[u][:, None], gradient)
        # Through the softmax, and scaled as the scores were.
        d_score = d_weight.sub_((d_weight * weight).sum(0)).mul_(weight).mul_(scale)
        for u in range(len(weight)):
            d_query.addcmul_(d_score[u][:, None], _at(key, u, count))
            _at(d_key, u, count).addcmul_(d_score[u][:, None], query)
        return d_query, d_key, d_value, None


def _at(rows: Tensor, offset: int, count: int) -> Tensor:
    """Return rows at an offset of the windows of all ``count`` queries: (H, E, B, N)."""
    column, first = offset % len(rows), offset // len(rows)
    return rows[column, first : first + count]


class Block(nn.Module):
    """Attention of hidden states to windows of a context, and a feed-forward network after it."""

    def __init__(
        self,
        *,
        width: int,
        context_size: int,
        heads: int,
        residual_dropout: float,
        relu_dropout: float,
    ):
        super().__init__()
        self.heads = heads
        self.norm_query = nn.LayerNorm(width)
        self.norm_context = nn.LayerNorm(context_size)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(context_size, width)
        self.value = nn.Linear(context_size, width)
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        self.residual_dropout = nn.Dropout(residual_dropout)
        self.relu_dropout = nn.Dropout(relu_dropout)
        # One Xavier bound for the three: the release holds them in one matrix.
        bound = (6 / (2 * width + 2 * context_size)) ** 0.5
        for layer in (self.query, self.key, self.value):
            nn.init.uniform_(layer.weight, -bound, bound)
        for layer in (self.output, self.expand, self.contract):
            nn.init.xavier_uniform_(layer.weight)
        for layer in (self.query, self.key, self.value, self.output, self.expand, self.contract):
            nn.init.zeros_(layer.bias)

    def project(self, normed: Tensor, *, swapped: bool = False) -> Tensor:
        """Return keys and values of a context (..., D) after LayerNorm, row by row: (rows, 2 W)."""
        key = self.query if swapped else self.key
        weight = torch.cat([key.weight, self.value.weight])
        return F.linear(normed, weight, torch.cat([key.bias, self.value.bias])).flatten(0, -2)

    def gather(self, rows: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """Return projected rows at ``index`` (P, A, B) as keys and values (P, A, E, B, N)."""
        # As an embedding: its backward is much faster than that of indexing.
        return self.split(F.embedding(index, rows))

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return projected rows (P, A, B, 2 W) as keys and values (P, A, E, B, N)."""
        key, value = rows.chunk(2, -1)
        return self._by_head(key), self._by_head(value)

    def forward(
        self,
        hidden: Tensor,
        normed: Tensor,
        context: tuple[Tensor, Tensor],
        size: int,
        *,
        swapped: bool = False,
    ) -> Tensor:
        """Map hidden states (H, B, W), also passed after ``norm_query``, to hidden states."""
        query = self._by_head((self.key if swapped else self.query)(normed))
        attended = WindowAttention.apply(query, *context, size)
        attended = self.output(attended.transpose(1, 2).flatten(-2))
        hidden = hidden + self.residual_dropout(attended)
        expanded = self.relu_dropout(self.expand(self.norm(hidden)).relu())
        return hidden + self.residual_dropout(self.contract(expanded))

    def _by_head(self, x: Tensor) -> Tensor:
        """(..., B, W) to (..., E, B, N)."""
        return x.unflatten(-1, (-1, self.heads)).transpose(-3, -2).contiguous()


# --- the encoder --------------------------------------------------------------------------------


class SPT(nn.Module):
    """Encoder of one to three modalities, each to one vector of ``width`` features each.

    One modality has no cross attention, two share one block of it.
    """

    def __init__(
        self,
        *,
        input_sizes: Mapping[str, int],
        width: int,
        heads: int,
        layers: int,
        embed_dropout: float,
        residual_dropout: float,
        relu_dropout: float,
        shift: Shift,
    ):
        super().__init__()
        used = modalities(input_sizes)
        self.width, self.layers, self.shift = width, layers, shift
        self.start = nn.Parameter(nn.init.xavier_uniform_(torch.empty(len(used), width)))
        self.embed_dropout = nn.Dropout(embed_dropout)

        def block(context_size: int) -> Block:
            return Block(
                width=width,
                context_size=context_size,
                heads=heads,
                residual_dropout=residual_dropout,
                relu_dropout=relu_dropout,
            )

        self.input_attention = nn.ModuleDict({m: block(input_sizes[m]) for m in used})
        self.cross_attention = nn.ModuleDict(
            {name: block(width) for pair, name in PAIRS.items() if set(pair) <= set(used)}
        )
        # Their norm_context is idle, as in the release: norm_query serves the context too.
        self.self_attention = nn.ModuleDict({m: block(width) for m in used})
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Mapping[str, Tensor], length: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each clip's last state, m -> (B, W), of ``x[m]`` (B, L, D) and ``length[m]`` (B,).

        The same as in ``hidden``, but the last layer computes only those states that are read.
        """
        h, layer = self._before_last_cross(x, length), self.layers - 1
        read_states = {}
        for m in h:  # the self window of the last state, and the state itself: (B, 7 + 1)
            count = states(length[m])
            last = count[:, None] - 1
            window = hidden_windows(count, last, layer=layer, window=SELF_WINDOW, size=SELF_WINDOW)
            read_states[m] = torch.cat([window[..., 0], last], 1)
        h = self._cross(h, length, layer, read_states)
        outputs = {}
        for m, block in self.self_attention.items():
            normed = block.norm_query(h[m])
            rows = block.project(normed[:-1]).unflatten(0, (1, SELF_WINDOW, -1))
            state = block(h[m][-1:], normed[-1:], block.split(rows), SELF_WINDOW)
            outputs[m] = self.norm(state[0])
        return outputs

    def hidden(self, x: Mapping[str, Tensor], length: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return states after the final LayerNorm, m -> (B, H, W); clip b has those below H_b."""
        h, layer = self._before_last_cross(x, length), self.layers - 1
        h = self._self(self._cross(h, length, layer), length, layer)
        return {m: self.norm(h[m]).transpose(0, 1) for m in h}

    def _before_last_cross(self, x: Mapping[str, Tensor], length: Mapping[str, Tensor]) -> States:
        """Apply all layers but for cross and self attention of the last."""
        h = self._start(x)
        rows = {
            m: block.project(block.norm_context(self._embed(x[m])))
            for m, block in self.input_attention.items()
        }
        contexts = {}
        for layer in range(self.layers):
            if layer > 0:
                h = self._self(self._cross(h, length, layer - 1), length, layer - 1)
            for m, block in self.input_attention.items():
                if layer == 0 or self.shift == "phase":
                    index = self._input_index(length[m], x[m].shape[1], len(h[m]), layer)
                    contexts[m] = block.gather(rows[m], index)
                h[m] = block(h[m], block.norm_query(h[m]), contexts[m], INPUT_WINDOW)
        return h

    def _cross(
        self,
        h: States,
        length: Mapping[str, Tensor],
        layer: int,
        read_states: Mapping[str, Tensor] | None = None,
    ) -> States:
        """Let each modality read the old states of the others; what it gets from them is summed.

        Only states number ``read_states[m]`` (B, A) are returned, (A, B, W), or all of them.
        """
        targets = h
        if read_states is not None:
            targets = {
                m: h[m].gather(0, read_states[m].T[..., None].expand(-1, -1, self.width)) for m in h
            }
        read = {m: [] for m in h}
        for pair, name in PAIRS.items():
            if name not in self.cross_attention:
                continue
            block = self.cross_attention[name]
            for swapped, (target, source) in ((False, pair), (True, pair[::-1])):
                if read_states is None:
                    index = _run(length[source], len(h[target]), layer, CROSS_WINDOW)
                else:
                    index = _rows(
                        length[source], read_states[target], layer, CROSS_WINDOW, CROSS_WINDOW
                    )
                rows = block.project(block.norm_context(h[source]), swapped=swapped)
                context = block.gather(rows, index)
                state = targets[target]
                normed = block.norm_query(state)
                read[target].append(block(state, normed, context, CROSS_WINDOW, swapped=swapped))
        return {m: sum(read[m]) if read[m] else targets[m] for m in h}

    def _self(self, h: States, length: Mapping[str, Tensor], layer: int) -> States:
        """Let each modality read its own states."""
        outputs = {}
        for m, block in self.self_attention.items():
            normed = block.norm_query(h[m])
            index = _run(length[m], len(h[m]), layer, SELF_WINDOW)
            context = block.gather(block.project(normed), index)
            outputs[m] = block(h[m], normed, context, SELF_WINDOW)
        return outputs

    def _start(self, x: Mapping[str, Tensor]) -> States:
        """Return the hidden states before the first layer."""
        h = {}
        for m, start in zip(self.input_attention, self.start, strict=True):
            clips, frames = x[m].shape[:2]
            position = positions(int(states(frames)), self.width, start.device)
            first = self.width**0.5 * start + position
            h[m] = self.embed_dropout(first[:, None].expand(-1, clips, -1))
        return h

    def _embed(self, x: Tensor) -> Tensor:
        """Return scaled frames (B, L, D) with positions; none if a frame's first feature is 0."""
        position = positions(*x.shape[1:], x.device)
        return self.embed_dropout(self.width**0.5 * x + (x[..., :1] != 0) * position)

    def _input_index(self, length: Tensor, frames: int, count: int, layer: int) -> Tensor:
        """Return where the windows of input attention lie in (B L) rows: (P, A, B)."""
        if self.shift == "none":  # windows overlap regularly: rows of one run, each taken once
            count, size = count - 1 + -(-INPUT_WINDOW // STRIDE), STRIDE
        else:
            size = INPUT_WINDOW
        state = torch.arange(count, device=length.device)
        index = input_windows(length, state, layer=layer, shift=self.shift, size=size)
        first = torch.arange(len(length), device=length.device) * frames
        return index.permute(1, 2, 0) + first


def _rows(length: Tensor, state: Tensor, layer: int, window: int, size: int) -> Tensor:
    """Return places of the first ``size`` rows of ``hidden_windows`` in (H B): (size, H, B)."""
    index = hidden_windows(states(length), state, layer=layer, window=window, size=size)
    return index.permute(1, 2, 0) * len(length) + torch.arange(len(length), device=length.device)


def _run(length: Tensor, count: int, layer: int, window: int) -> Tensor:
    """Return where the windows of states 0 to ``count`` - 1 lie in (H B) rows: (1, A, B).

    Neighbouring windows are one row apart, so the first row of each, and of ``window`` - 1 after
    the last, are all of their rows.
    """
    state = torch.arange(count + window - 1, device=length.device)
    return _rows(length, state, layer, window, 1)


def positions(count: int, size: int, device: torch.device) -> Tensor:
    """Return sinusoids of positions 1 to ``count``: (count, size); a last odd column is zero."""
    half = size // 2
    rate = 10.0 ** (-4 * torch.arange(half, device=device) / max(half - 1, 1))
    angle = torch.arange(1, count + 1, device=device)[:, None] * rate
    return F.pad(torch.cat([angle.sin(), angle.cos()], 1), (0, size % 2))


def modalities(input_sizes: Mapping[str, int]) -> list[str]:
    """Return the modalities in use in order; raise ``ValueError`` for none or an unknown one."""
    if not input_sizes or set(input_sizes) - set(MODALITIES):
        raise ValueError(f"input_sizes needs some of {MODALITIES}, got {list(input_sizes)}")
    return [m for m in MODALITIES if m in input_sizes]
