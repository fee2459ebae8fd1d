"""GLoMo read literally, and clips of MOSI's lengths: what glomo_step.py compares a study with.

papers/glomo.md (c) as it stands there, with the weights of ours and without a thought of speed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from msalib.models import glomo
from msalib.models.guided import Scorer
from msalib.models.moe import MixtureOfExperts

EPSILON = torch.finfo(torch.float32).eps

# --- clips --------------------------------------------------------------------------------------

LOG_WORDS = 2.47, 0.57
"""Mean and deviation of the logarithm of a clip's words: 13.9 words, 77 % have 18 at most."""

PIECES = 1.2
"""Word pieces of a word."""


class Clips(NamedTuple):
    """Clips before any padding; CLS and SEP have frames of zeros."""

    ids: list[Tensor]
    frames: dict[str, list[Tensor]]  # modality -> (T, D)
    label: Tensor


def clips(batch: int, longest: int, sizes: Mapping[str, int], generator: torch.Generator) -> Clips:
    """Random clips of MOSI's lengths in words."""
    mean, deviation = LOG_WORDS
    drawn = (mean + deviation * torch.randn(batch, generator=generator)).exp()
    pieces = (PIECES * drawn).clamp(1, longest - 2).long().tolist()
    ids = [torch.randint(4, 30_000, (n + 2,), generator=generator) for n in pieces]
    frames = {
        m: [F.pad(torch.randn(n, sizes[m], generator=generator), (0, 0, 1, 1)) for n in pieces]
        for m in ("acoustic", "visual")
    }
    label = (1.5 * torch.randn(batch, generator=generator)).clamp(-3, 3)
    return Clips(ids, frames, label)


# --- the model -----------------------------------------------------------------------


class Literal(nn.Module):
    """All clips padded to T; ``masked``: padding is computed and then masked (preset `article`)."""

    def __init__(self, bert: nn.Module, core: glomo.GLoMo):
        super().__init__()
        bert.set_attn_implementation("eager")
        self.bert, self.core = bert, core
        self.longest, self.masked = core.config.longest, core.config.padding == "masked"

    def prepare(self, some: Clips) -> tuple[Tensor, ...]:
        length = torch.tensor([[len(ids)] for ids in some.ids])
        padded = [
            torch.stack([F.pad(x, (0, 0) * (x.dim() - 1) + (0, self.longest - len(x))) for x in xs])
            for xs in (some.ids, *some.frames.values())
        ]
        return *padded, torch.arange(self.longest) < length

    def forward(self, ids: Tensor, sound: Tensor, faces: Tensor, valid: Tensor):
        hidden = self.bert(ids, attention_mask=valid.long(), output_hidden_states=True)
        last, before = hidden.hidden_states[-1], hidden.hidden_states[-2]
        tokens, penalty = [], 0.0
        for m, x in (("linguistic", None), ("acoustic", sound), ("visual", faces)):
            coding = self.core.coding[m]
            if x is None:
                whole = coding.first(last[:, 0])
                joined, read = joined_in_time(last, before, valid, self.masked)
                states = convolved(coding.project.convolution, joined)
            else:
                read = valid
                states = encoded(coding, x, valid if self.masked else None)
                whole = maximum(states, valid if self.masked else None)
            bins = stretches(states, read if self.masked else None, self.core.config.locals)
            made, lost = mixed_experts(self.core.experts[m].mixture, bins)
            penalty = penalty + lost
            tokens += [whole, made]
        return fused(self.core, torch.stack(tokens, 1)), penalty

    def optimizer(self, groups: list[dict]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(groups, eps=1e-8)


def joined_in_time(last: Tensor, before: Tensor, valid: Tensor, masked: bool):
    """Both layers along time and where they are valid; without a gap if padding is masked."""
    joined = torch.cat([last, before], 1)
    if not masked:
        return joined, None
    both = torch.cat([valid, valid], 1)
    order = both.logical_not().int().argsort(dim=1, stable=True)
    joined = joined.gather(1, order[..., None].expand_as(joined))
    both = both.gather(1, order)
    return joined * both[..., None], both


def convolved(convolution: nn.Conv1d, x: Tensor) -> Tensor:
    """A convolution over time of frames (B, T, D)."""
    return convolution(x.transpose(1, 2)).transpose(1, 2)


def attended(attention: nn.MultiheadAttention, x: Tensor, valid: Tensor | None) -> Tensor:
    """Multi-head attention of (B, T, d) to itself, written out."""

    def by_head(weight: Tensor, bias: Tensor) -> Tensor:
        return F.linear(x, weight, bias).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)

    projections = zip(
        attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3), strict=True
    )
    q, k, v = (by_head(weight, bias) for weight, bias in projections)
    score = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if valid is not None:
        score = score.masked_fill(~valid[:, None, None], -torch.inf)
    weights = F.dropout(score.softmax(-1), attention.dropout, attention.training)
    return attention.out_proj((weights @ v).transpose(1, 2).flatten(2))


def encoded(coding: nn.Module, x: Tensor, valid: Tensor | None) -> Tensor:
    """The states (B, T, d) of a sequence of frames."""
    encoder = coding.encoder

    def drop(h: Tensor, module: nn.Module) -> Tensor:
        return F.dropout(h, module.p, module.training)

    h = convolved(coding.project.convolution, x)
    width = h.shape[-1]
    place = torch.arange(1, h.shape[1] + 1)[:, None]
    rate = torch.tensor([10_000 ** (-i / (width // 2 - 1)) for i in range(width // 2)])
    code = torch.cat([torch.sin(place * rate), torch.cos(place * rate)], 1)
    if valid is None:
        code = code * (h[..., :1] != 0)
    h = drop(width**0.5 * h + code, encoder.embed_dropout)
    for layer in encoder.layers:
        read = attended(layer.attention, layer.norm_attention(h), valid)
        h = h + drop(read, layer.residual_dropout)
        wide = drop(torch.relu(layer.expand(layer.norm(h))), layer.relu_dropout)
        h = h + drop(layer.contract(wide), layer.residual_dropout)
    return encoder.norm(h)


def maximum(states: Tensor, valid: Tensor | None) -> Tensor:
    """The maximum over time, (B, d)."""
    if valid is not None:
        states = states.masked_fill(~valid[..., None], -torch.inf)
    return states.max(1).values


def stretches(states: Tensor, valid: Tensor | None, count: int) -> Tensor:
    """Adaptive maximum pooling, (B, d n), clip by clip where clips have lengths of their own."""
    if valid is None:
        return F.adaptive_max_pool1d(states.transpose(1, 2), count).flatten(1)
    pooled = [
        F.adaptive_max_pool1d(clip[of_clip].T, count)
        for clip, of_clip in zip(states, valid, strict=True)
    ]
    return torch.stack(pooled).flatten(1)


def mixed_experts(moe: MixtureOfExperts, x: Tensor) -> tuple[Tensor, Tensor]:
    """The mixture's outputs (B, d) and its penalty; an expert computes the clips routed to it."""
    clean = x @ moe.gate
    size = F.softplus(x @ moe.noise) + moe.noise_floor
    noisy = clean + torch.randn_like(clean) * size
    best, chosen = noisy.topk(moe.active + 1, 1)
    kept = chosen[:, : moe.active]
    gates = torch.zeros_like(noisy).scatter(1, kept, best[:, : moe.active].softmax(1))
    inside = noisy > best[:, -1:]
    rival = torch.where(inside, best[:, -1:], best[:, -2:-1])
    normal = torch.distributions.Normal(moe.load_mean, 1.0)
    load = normal.cdf((clean - rival) / size).sum(0)
    penalty = sum(v.var() / (v.mean() ** 2 + 1e-10) for v in (gates.sum(0), load))
    total = x.new_zeros(len(x), moe.output[0].out_features)
    for expert, (hidden, output) in enumerate(zip(moe.hidden, moe.output, strict=True)):
        rows = gates[:, expert].nonzero().squeeze(1)
        made = output(torch.relu(hidden(x[rows])))
        if moe.combination == "logsumexp":
            made = made.exp()
        total = total.index_add(0, rows, gates[rows, expert, None] * made)
    if moe.combination == "logsumexp":
        total = torch.log(torch.where(total == 0, EPSILON, total))
    return total, penalty


def scored(scorer: Scorer, vectors: list[Tensor]) -> Tensor:
    """Weights (B, M) of the vectors of all modalities."""
    hidden = scorer.hidden(torch.cat(vectors, 1))
    hidden = torch.relu(F.dropout(hidden, scorer.dropout.p, scorer.training))
    return (scorer.output(hidden) / vectors[0].shape[-1] ** 0.5).softmax(1)


def fused(core: glomo.GLoMo, tokens: Tensor) -> Tensor:
    """The prediction (B,) from six vectors (B, 6, d)."""
    for layer in core.meet.layers:
        p = core.config.fusion_dropout
        read = attended(layer.self_attn, tokens, None)
        tokens = layer.norm1(tokens + F.dropout(read, p, layer.training))
        wide = F.dropout(torch.relu(layer.linear1(tokens)), p, layer.training)
        tokens = layer.norm2(tokens + F.dropout(layer.linear2(wide), p, layer.training))
    guide = core.fuse
    sides, weights = [], []
    for side, scorer in enumerate(guide.scorers):
        vectors = list(tokens[:, side::2].unbind(1))
        weights.append(scored(scorer, vectors))
        sides.append(sum(w[:, None] * v for w, v in zip(weights[-1].T, vectors, strict=True)))
    own = [
        join(torch.cat([tokens[:, 2 * m], tokens[:, 2 * m + 1]], 1))
        for m, join in enumerate(guide.join)
    ]
    second = sum(w[:, None] * z for w, z in zip(weights[0].T, own, strict=True))
    return core.head(torch.cat([guide.both(torch.cat(sides, 1)), second], 1)).squeeze(1)
