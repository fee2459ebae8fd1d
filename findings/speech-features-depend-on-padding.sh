#!/usr/bin/env bash
# Base models of wav2vec 2.0, HuBERT and WavLM hear how much silence a batch adds, mask or no mask.
#
# Expected: with an attention mask, what a clip is given does not depend on the longer clip beside it.
# Seen:     with feat_extract_norm="group", the form of the base models, the first convolution is
#           normalised over all frames, padding included, and every frame of the clip changes. With
#           "layer", the form of most large models, the mask works to the last digits.
# Versions: transformers 5.23.0, torch 2.13.0; small models with random weights.
# Matters:  features of one clip differ between runs that shuffle or sort clips in another way, and
#           between extraction in batches and one by one. The shortest clips of a batch change most.
#           Extract clip by clip, or normalise each clip over its own frames.
# Source:   class Wav2Vec2GroupNormConvLayer. The documentation of the feature extractor says to pad
#           such models with zeros and to pass no mask. It does not say that features change, which
#           they do, as below. The size seen here is that of random weights.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  transformers==5.23.0 torch==2.13.0 numpy==2.4.6
venv/bin/python -W ignore - <<'PY'
import torch
import transformers
from transformers import HubertConfig, HubertModel, Wav2Vec2Config, Wav2Vec2Model
from transformers import WavLMConfig, WavLMModel

SECOND = 16000
torch.manual_seed(0)
clip = 0.1 * torch.randn(1, SECOND)


def model(config, kind, norm):
    torch.manual_seed(0)
    return kind(
        config(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            conv_dim=(16,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=2,
            feat_extract_norm=norm,
            do_stable_layer_norm=norm == "layer",
        )
    ).eval()


def change(net, seconds, masked):
    """How much features of the clip change by silence after it, such as a longer clip brings."""
    waves = torch.nn.functional.pad(clip, (0, seconds * SECOND))
    mask = (torch.arange(waves.shape[1]) < SECOND).long()[None] if masked else None
    with torch.no_grad():
        alone = net(clip).last_hidden_state
        beside = net(waves, attention_mask=mask).last_hidden_state[:, : alone.shape[1]]
    return ((beside - alone).abs().mean() / alone.abs().mean()).item()


print("transformers", transformers.__version__, "torch", torch.__version__)
for config, kind in (
    (Wav2Vec2Config, Wav2Vec2Model), (HubertConfig, HubertModel), (WavLMConfig, WavLMModel)
):
    for norm in ("group", "layer"):
        net = model(config, kind, norm)
        masked = [change(net, seconds, masked=True) for seconds in (1, 3)]
        plain = [change(net, seconds, masked=False) for seconds in (1, 3)]
        print(
            f"{kind.__name__:13} {norm}: features of 1 s of sound change by {masked[0]:.1%} with 1 s "
            f"of padding and {masked[1]:.1%} with 3 s; without a mask {plain[0]:.1%}, {plain[1]:.1%}"
        )
        if norm == "layer":
            assert max(masked) < 1e-4, "the mask no longer works for layer norm"
        else:
            assert min(masked + plain) > 0.05, "padding no longer changes features under group norm"
print("As recorded.")
PY
