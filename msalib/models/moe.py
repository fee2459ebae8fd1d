"""A sparse mixture of experts with noisy top-k gating.

Shazeer et al., "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer",
ICLR 2017, as GLoMo uses it (papers/glomo.md (c)); written from the specification, without the
authors' code.

Idea: a gate scores s experts by linear maps of the input, keeps the k best and sums what these
return, weighted by the softmax of their scores. Noise on the scores, drawn in training, lets others
have a turn; its size is learned. Two penalties keep the experts equally busy: one on the sum of
gates (importance), one on a smooth count of clips (load), since a count itself has no gradient.

Deviations from the layer of 2017: the noise has a floor (GLoMo's release: 0.01), and the experts
may be combined in log space. With k = s nothing is left out; the load is then a plain count.

Narrow experts are computed for all inputs, as one batched product, wide ones for the inputs that
are routed to them, unless all are active. Which is faster on a CPU, by the numbers of experts,
inputs and features, is in benchmarks/results/glomo_experts.json.

Notation: B inputs of D features, s experts with outputs of d features, k of them active.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Combination = Literal["linear", "logsumexp"]

WIDE = 2**14
"""Weights of an expert's first layer from which on it computes its own inputs alone; between those
of GLoMo on MOSI and on UR-FUNNY."""

TINY = 1e-10
"""Keeps the squared coefficient of variation finite where a mean is zero (release)."""


class Gates(NamedTuple):
    """Gates of a batch, how busy the experts are, and the penalty for being unequally so."""

    gates: Tensor  # (B, s), k of them above 0, summing to 1
    log_gates: Tensor  # (B, s), -inf where a gate is 0
    importance: Tensor  # (s,) sum of gates
    load: Tensor  # (s,) expected number of inputs; in evaluation or with k = s a count
    penalty: Tensor  # (), CV(importance)^2 + CV(load)^2


class MixtureOfExperts(nn.Module):
    """s two-layer experts, D to ``hidden`` to d, of which each input meets k.

    ``noise_floor``: least size of the noise, None for a gate without noise. ``load_mean``: mean of
    the normal distribution of the load, 0 in the layer of 2017 and 0.1 in GLoMo's release. Raises
    ``ValueError`` for k outside 1..s.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        width: int,
        *,
        experts: int,
        active: int,
        combination: Combination,
        noise_floor: float | None,
        load_mean: float,
    ):
        super().__init__()
        if not 1 <= active <= experts:
            raise ValueError(f"{active} of {experts} experts cannot be active")
        self.experts, self.active, self.combination = experts, active, combination
        self.noise_floor, self.load_mean = noise_floor, load_mean
        self.sparse = active < experts and inputs * hidden >= WIDE
        self.gate = nn.Parameter(torch.zeros(inputs, experts))  # W_g
        self.noise = nn.Parameter(torch.zeros(inputs, experts))  # W_noise
        first = [nn.Linear(inputs, hidden) for _ in range(experts)]
        second = [nn.Linear(hidden, width) for _ in range(experts)]
        self.hidden, self.output = nn.ModuleList(first), nn.ModuleList(second)  # W_i1, W_i2

    def forward(self, x: Tensor) -> tuple[Tensor, Gates]:
        """Return the combined outputs (B, d) of inputs (B, D), and the gates."""
        gates = self.gates(x, self.draw(x))
        outputs = self.routed(x, gates) if self.sparse else self.outputs(x)
        return self.combine(outputs, gates), gates

    def draw(self, x: Tensor) -> Tensor | None:
        """Return standard normal noise (B, s) for inputs (B, D) in training, None otherwise."""
        if not self.training or self.noise_floor is None:
            return None
        return torch.randn(len(x), self.experts, device=x.device)

    def gates(self, x: Tensor, noise: Tensor | None) -> Gates:
        """Gate inputs (B, D), with ``noise`` (B, s) on the scores or none."""
        clean = x @ self.gate
        noisy, size = clean, None
        if noise is not None:
            size = functional.softplus(x @ self.noise) + self.noise_floor
            noisy = clean + noise * size
        kept = torch.zeros_like(noisy, dtype=torch.bool)
        kept = kept.scatter(1, noisy.topk(self.active, 1).indices, True)
        log_gates = noisy.masked_fill(~kept, -torch.inf).log_softmax(1)
        gates = log_gates.exp()
        importance = gates.sum(0)
        if size is None or self.active == self.experts:
            load = (gates > 0).sum(0).to(gates)
        else:
            load = self._chances(clean, noisy, size).sum(0)
        penalty = squared_variation(importance) + squared_variation(load)
        return Gates(gates, log_gates, importance, load, penalty)

    def _chances(self, clean: Tensor, noisy: Tensor, size: Tensor) -> Tensor:
        """Return P(x, i), (B, s): the chance that new noise on expert i alone would keep it."""
        best = noisy.topk(self.active + 1, 1).values
        inside = noisy > best[:, -1:]  # its rival is the next one, else the last that was kept
        rival = torch.where(inside, best[:, -1:], best[:, -2:-1])
        z = (clean - rival) / size - self.load_mean
        return 0.5 * (1 + torch.erf(z / math.sqrt(2)))

    def outputs(self, x: Tensor) -> Tensor:
        """Return what every expert makes of inputs (B, D): (B, s, d)."""
        first = torch.cat([layer.weight for layer in self.hidden])
        bias = torch.cat([layer.bias for layer in self.hidden])
        hidden = functional.linear(x, first, bias).relu()
        hidden = hidden.view(len(x), self.experts, -1).transpose(0, 1)  # (s, B, hidden)
        second = torch.stack([layer.weight.T for layer in self.output])
        bias = torch.stack([layer.bias for layer in self.output])
        return torch.baddbmm(bias[:, None], hidden, second).transpose(0, 1)

    def routed(self, x: Tensor, gates: Gates) -> Tensor:
        """Return what experts make of the inputs (B, D) they are active for, else 0: (B, s, d)."""
        expert, row = gates.log_gates.T.isfinite().nonzero().unbind(1)
        inputs = x.index_select(0, row).split(expert.bincount(minlength=self.experts).tolist())
        made = torch.cat(
            [
                output(hidden(own).relu())
                for own, hidden, output in zip(inputs, self.hidden, self.output, strict=True)
            ]
        )
        outputs = made.new_zeros(len(x), self.experts, made.shape[1])
        return outputs.index_put((row, expert), made)

    def combine(self, outputs: Tensor, gates: Gates) -> Tensor:
        """Combine outputs (B, s, d): (B, d), their weighted sum or its counterpart in log space."""
        if self.combination == "linear":
            return (gates.gates[..., None] * outputs).sum(1)
        return torch.logsumexp(gates.log_gates[..., None] + outputs, 1)


def squared_variation(values: Tensor) -> Tensor:
    """Return CV^2 of values (s,), their unbiased variance over the squared mean; 0 for one."""
    if len(values) == 1:
        return values.new_zeros(())
    return values.var() / (values.mean().square() + TINY)
