#!/usr/bin/env bash
# transformers' hidden_states[-1] is the last hidden state of some speech encoders, not of others.
#
# Expected: the last entry of hidden_states means the same in all speech encoders of one library.
# Seen:     with do_stable_layer_norm=True, the form of the large models of wav2vec 2.0, HuBERT and
#           WavLM, it is what enters the LayerNorm that follows all blocks, and last_hidden_state is
#           what leaves it. In base models and in Whisper's encoder both are the same.
# Versions: transformers 5.23.0, torch 2.13.0; small models with random weights.
# Matters:  "the last layer of HuBERT-large" is two things, and which one a paper took cannot be seen.
#           Frames that were not normalised differ in scale from block to block, so a comparison of
#           layers or of encoders, and a weighted sum of layers, also compares scales. Take what a
#           block returns (a forward hook), and say whether the LayerNorm is in it.
# Source:   capture_outputs(tie_last_hidden_states=False) above forward of Wav2Vec2Model, HubertModel
#           and WavLMModel; Whisper's encoder has the usual, which puts last_hidden_state in the last
#           place. The documentation of outputs says that some models normalise, but not which.
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

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "initializer_range": 0.2,
}
WHISPER = {
    "d_model": 32,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "decoder_layers": 0,
    "encoder_ffn_dim": 64,
    "num_mel_bins": 8,
    "max_source_positions": 50,
    "init_std": 0.3,
}


def speech(name, large):
    config = getattr(transformers, f"{name}Config")(
        **SIZES, do_stable_layer_norm=large, feat_extract_norm="layer" if large else "group"
    )
    return getattr(transformers, f"{name}Model")(config), torch.randn(1, 16000)


def whisper():
    model = transformers.WhisperModel(transformers.WhisperConfig(**WHISPER))
    return model.encoder, torch.randn(1, 8, 100)


def check(name, model, inputs, same):
    with torch.no_grad():
        output = model.eval()(inputs, output_hidden_states=True)
    last, states = output.last_hidden_state, output.hidden_states
    equal = torch.allclose(states[-1], last, atol=1e-5)
    print(
        f"{name:17} hidden_states[-1] is last_hidden_state: {equal}; standard deviations "
        f"{', '.join(f'{s.std():.2f}' for s in states)}; last_hidden_state {last.std():.2f}"
    )
    assert equal == same, f"that was {same} before"
    if not same:
        norm = model.encoder.layer_norm
        assert torch.allclose(norm(states[-1]), last, atol=1e-5), "another LayerNorm lies between"


print("transformers", transformers.__version__, "torch", torch.__version__)
torch.manual_seed(0)
for name in ("Wav2Vec2", "Hubert", "WavLM"):
    check(f"{name}, base", *speech(name, large=False), same=True)
    check(f"{name}, large", *speech(name, large=True), same=False)
check("Whisper's encoder", *whisper(), same=True)
print("As recorded.")
PY
