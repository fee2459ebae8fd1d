"""Self-attention for small heads, beside PyTorch's own."""

import pytest
import torch
from torch import nn

from msalib.models.attention import SelfAttention

LENGTHS = torch.tensor([5, 2, 7])


def case():
    torch.manual_seed(0)
    ours = SelfAttention(12, 4, dropout=0.0, batch_first=True)
    theirs = nn.MultiheadAttention(12, 4, dropout=0.0, batch_first=True)
    nn.init.normal_(ours.in_proj_bias)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 7, 12, requires_grad=True)
    return ours, theirs, x, torch.arange(7) >= LENGTHS[:, None]


@pytest.mark.parametrize("masked", [True, False])
def test_attention_and_its_gradients_are_pytorchs(masked):
    ours, theirs, x, padding = case()
    padding = padding if masked else None
    found = []
    for attention in (ours, theirs):
        read, weights = attention(x, x, x, key_padding_mask=padding, need_weights=False)
        assert weights is None
        gradients = torch.autograd.grad(read.square().sum(), [x, *attention.parameters()])
        found.append([read, *gradients])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_keys_beyond_a_clip_have_no_weight_at_all():
    ours, _, x, padding = case()
    changed = x.detach().masked_fill(padding[..., None], 50.0)
    before = ours(x, x, x, key_padding_mask=padding)[0]
    after = ours(changed, changed, changed, key_padding_mask=padding)[0]
    assert torch.equal(before[~padding], after[~padding])


def test_other_than_self_attention_is_refused():
    ours, _, x, _ = case()
    with pytest.raises(ValueError, match="self-attention"):
        ours(x, x + 0, x + 0)


def test_attention_drops_in_training_only():
    ours, _, x, padding = case()
    ours.dropout = 0.5
    first, second = (ours(x, x, x, key_padding_mask=padding)[0] for _ in range(2))
    assert not torch.equal(first, second)
    ours.eval()
    first, second = (ours(x, x, x, key_padding_mask=padding)[0] for _ in range(2))
    assert torch.equal(first, second)
