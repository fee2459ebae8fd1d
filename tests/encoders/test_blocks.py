"""Blocks on packed tokens: attention with dropout, and what padding takes part in.

That states are those of transformers is in test_tuned_reading.py.
"""

import pytest
import torch

from msalib.encoders import blocks

VALID = torch.arange(5) < torch.tensor([[3], [5]])


def case():
    torch.manual_seed(0)
    return (torch.randn(2, 4, 5, 3) for _ in range(3))


def test_attention_with_dropout_is_that_without_on_average():
    query, key, value = case()
    without = blocks.attended(query, key, value, VALID[:, None, None], 0.0)
    drawn = [blocks.attended(query, key, value, VALID[:, None, None], 0.3) for _ in range(3000)]
    error = torch.stack(drawn).std(0) / len(drawn) ** 0.5
    assert ((torch.stack(drawn).mean(0) - without).abs() < 5 * error).all()


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_keys_that_are_no_tokens_have_no_weight_at_all(p):
    query, key, value = case()
    beyond = ~VALID[:, None, :, None]
    found = []
    for fill in (1.0, 50.0):
        torch.manual_seed(1)
        changed = key.masked_fill(beyond, fill), value.masked_fill(beyond, fill)
        found.append(blocks.attended(query, *changed, VALID[:, None, None], p))
    assert torch.equal(*found)


@pytest.mark.parametrize("padded", [True, False])
def test_rows_go_to_their_places_and_back(padded):
    there = torch.ones_like(VALID) if padded else VALID
    layout = blocks.Layout(VALID, there)
    x = torch.randn(int(there.sum()), 12)
    by_head = layout.by_head(x, 4, keys=False)
    assert by_head.shape == (2, 4, 5, 3)
    assert torch.equal(layout.take(by_head), x)
    assert torch.equal(by_head.transpose(1, 2).flatten(2)[there], x)
    tokens = x[VALID[there]]
    keys = layout.by_head(tokens, 4, keys=True).transpose(1, 2).flatten(2)
    assert torch.equal(keys[VALID], tokens) and not keys[~VALID].any()
    assert (layout.tokens is None) == (not padded)
    if padded:
        assert torch.equal(x[layout.tokens], tokens)


def test_places_beyond_the_longest_text_have_no_keys():
    wide = torch.nn.functional.pad(VALID, (0, 3))
    layout = blocks.Layout(wide, torch.ones_like(wide))
    assert layout.by_head(torch.randn(8, 12), 4, keys=True).shape == (2, 4, 5, 3)
    assert layout.by_head(torch.randn(16, 12), 4, keys=False).shape == (2, 4, 8, 3)
