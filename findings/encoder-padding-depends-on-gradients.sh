#!/usr/bin/env bash
# torch.no_grad() changes what nn.TransformerEncoder writes at padded positions, and so their mean.
#
# Expected: in eval mode without dropout, switching gradients off changes nothing but memory.
# Seen:     with src_key_padding_mask, padded positions hold numbers as large as the others while
#           gradients are on (training, or eval with gradients), and zeros under torch.no_grad().
#           The mean over all positions differs, real positions do not. With norm_first=True or
#           enable_nested_tensor=False padded positions keep their numbers.
# Versions: torch 2.13.0 on the CPU.
# Matters:  fusion models pool utterances of unequal length by a mean over time, or flatten them.
#           Such a model is trained on one input of its classifier and tested on another; short
#           clips suffer most; and nothing fails. Pool under the mask.
# Source:   TransformerEncoder.forward turns the input into a nested tensor where no gradients are
#           needed, and pads the result by 0. The documentation says that the input is converted
#           and converted back, not that the values change.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
venv/bin/python -W ignore - <<'PY'
import torch
from torch import nn

FRAMES, WIDTH = 6, 8
lengths = torch.tensor([6, 4, 2])
padding = torch.arange(FRAMES) >= lengths[:, None]
torch.manual_seed(0)
clips = torch.randn(len(lengths), FRAMES, WIDTH)


def compare(layer=(), stack=()):
    """Largest change by no_grad at real and padded positions, and of means over time, by clip."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        WIDTH, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True, **dict(layer)
    )
    encoder = nn.TransformerEncoder(layer, num_layers=2, **dict(stack)).eval()
    with_gradients = encoder(clips, src_key_padding_mask=padding).detach()
    with torch.no_grad():
        without = encoder(clips, src_key_padding_mask=padding)
    change = (with_gradients - without).abs()
    means = torch.cosine_similarity(with_gradients.mean(1), without.mean(1))
    zeros = bool((without[padding] == 0).all())
    return change[~padding].max().item(), change[padding].max().item(), means.tolist(), zeros


print("torch", torch.__version__)
for title, options in {
    "as it comes": {},
    "norm_first=True": {"layer": {"norm_first": True}},
    "enable_nested_tensor=False": {"stack": {"enable_nested_tensor": False}},
}.items():
    real, padded, means, zeros = compare(**options)
    print(
        f"{title}: change by no_grad {real:.1e} at real positions, {padded:.1e} at padded ones; "
        f"cosine of the means, clips of 6, 4, 2 frames: {', '.join(f'{m:.3f}' for m in means)}"
    )
    assert real < 1e-5, "real positions now change, too"
    if options:
        assert padded < 1e-5 and not zeros, f"{title} no longer keeps padded positions"
    else:
        assert zeros and padded > 1, "no_grad no longer makes zeros of padded positions"
        assert means[0] > 0.9999 and max(means[1:]) < 0.99, "means of padded clips no longer differ"
print("As recorded.")
PY
