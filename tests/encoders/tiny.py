"""Small random models in the folders that real ones have, and corpora of texts for them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import torch

from msalib.data.corpus import Corpus
from tests.encoders.lazy import transformers

POSITIONS = 40
"""Longest text of the small text models, in tokens."""

CONVOLUTIONS = {"conv_dim": (8,) * 7, "num_conv_pos_embedding_groups": 2}

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}

SPEECH = {
    "wavlm": "WavLM",
    "hubert": "Hubert",
    "wav2vec2": "Wav2Vec2",
    "data2vec": "Data2VecAudio",
}
"""Family -> beginning of the names of its classes."""


def speech_classes(family: str) -> tuple[type, type]:
    """Return the classes of a family's configuration and model."""
    name = SPEECH[family]
    return getattr(transformers, f"{name}Config"), getattr(transformers, f"{name}Model")


SPEECH_KINDS = [
    *(
        (family, {"feat_extract_norm": norm, "do_stable_layer_norm": stable})
        for family in ("wavlm", "hubert", "wav2vec2")
        for norm, stable in (("group", False), ("layer", True), ("layer", False))
    ),
    ("hubert", {"feat_extract_norm": "group", "conv_pos_batch_norm": True}),
    ("data2vec", {}),
]
"""Base models have group norm and LayerNorm after, large ones layer norm and LayerNorm before."""


def texts(of_clips: Sequence[str], name: str = "toy") -> Corpus:
    """Return a corpus of these texts and nothing else of interest."""
    ids = pd.Index([f"video_{i}" for i in range(len(of_clips))], name="id")
    table = pd.DataFrame({"video": "video", "segment": range(len(of_clips))}, index=ids)
    table = table.assign(text=list(of_clips), label=0.0)
    return Corpus(name, table, {}, {"standard": pd.Series("train", index=ids)})


def save_bert(folder: Path, **changes) -> Path:
    """Save a BERT of 3 blocks with a language-model head, no pooler, in half precision."""
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "and", "good", "bad", "fil", "##m"]
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = SIZES | {"num_hidden_layers": 3, "vocab_size": len(words), "initializer_range": 0.5}
    sizes |= {"max_position_embeddings": POSITIONS} | changes
    transformers.BertForMaskedLM(transformers.BertConfig(**sizes)).half().save_pretrained(folder)
    return folder


def save_bytes(folder: Path, tokenizer: type, model: torch.nn.Module) -> Path:
    """Save a model and a tokeniser of characters, in the files that RoBERTa and GPT-2 have."""
    folder.mkdir()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>", "Ġ", *"abdfgilmno"]
    (folder / "vocab.json").write_text(json.dumps({p: i for i, p in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    vocabulary = str(folder / "vocab.json"), str(folder / "merges.txt")
    tokenizer(*vocabulary).save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def save_roberta(folder: Path) -> Path:
    """Save a RoBERTa of 2 blocks."""
    torch.manual_seed(1)
    sizes = SIZES | {"vocab_size": 17, "initializer_range": 0.5}
    sizes["max_position_embeddings"] = POSITIONS + 2  # the first two are never used
    model = transformers.RobertaModel(transformers.RobertaConfig(**sizes))
    return save_bytes(folder, transformers.RobertaTokenizer, model)


def save_speech(folder: Path, family: str, changes: dict) -> Path:
    """Save a speech model of 2 blocks whose biases are not zero, so that padding could leak."""
    torch.manual_seed(0)
    config, model = speech_classes(family)
    # Data2Vec has five positional convolutions, one on the other.
    sizes = SIZES if family == "data2vec" else SIZES | {"num_conv_pos_embeddings": 16}
    network = model(config(**sizes | CONVOLUTIONS | changes))
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    network.save_pretrained(folder)
    return folder


def save_wavlm(folder: Path, **changes) -> Path:
    """Save a WavLM of 2 blocks with the convolutions of the real ones."""
    torch.manual_seed(0)
    sizes = SIZES | CONVOLUTIONS | {"num_conv_pos_embeddings": 16, "feat_extract_norm": "layer"}
    config = transformers.WavLMConfig(**sizes | {"do_stable_layer_norm": True} | changes)
    transformers.WavLMModel(config).save_pretrained(folder)
    return folder


def save_whisper(folder: Path, **changes) -> Path:
    """Save a Whisper with an encoder of 2 blocks for a window of a second, and its decoder."""
    torch.manual_seed(0)
    sizes = {"d_model": 16, "vocab_size": 6, "max_target_positions": 4, "num_mel_bins": 8}
    sizes |= {"max_source_positions": 50, "init_std": 0.3}
    for part in ("encoder", "decoder"):
        of_part = {"layers": 2, "attention_heads": 2, "ffn_dim": 32}
        sizes |= {f"{part}_{name}": size for name, size in of_part.items()}
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    config = transformers.WhisperConfig(**sizes | tokens | changes)
    transformers.WhisperForConditionalGeneration(config).half().save_pretrained(folder)
    return folder


def save_clip(folder: Path, **changes) -> Path:
    """Save a CLIP vision tower of 2 blocks for pictures of 32 pixels."""
    torch.manual_seed(0)
    config = transformers.CLIPVisionConfig(**SIZES | {"image_size": 32, "patch_size": 16} | changes)
    transformers.CLIPVisionModel(config).save_pretrained(folder)
    return folder


def change_weights(folder: Path, change: Callable[[dict], object]) -> None:
    """Change the saved weights, a dictionary of tensors, in place."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
