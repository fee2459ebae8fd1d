"""Objectives of pretraining: what each of the small encoders learns from unlabelled clips.

- ``bert``: masked tokens, in one transcript or two that follow each other;
- ``wavlm``: masked prediction of clusters (k-means) of cepstra, frame by frame;
- ``clip``: pictures and captions of what is drawn find each other; the text side is thrown away.

All numbers are drawn from ``SEED``; initial weights from PyTorch's generator.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from msalib.base.progress import bar
from msalib.data.corpus import Corpus
from msalib.data.simulate import faces, render, speech

SEED = 0
WIDTH, BLOCKS, HEADS, INNER = 64, 6, 4, 128
_SIZES = {"hidden_size": WIDTH, "intermediate_size": INNER, "num_attention_heads": HEADS}

MASKED = 0.4
"""Share of tokens that are masked: more than BERT's 0.15, because transcripts are short and
neighbours give a word away."""

SPAN, SPAN_STARTS = 5, 0.08
"""Length of a span of masked frames, and the share of frames at which one begins."""

CLUSTERS = 100
"""Clusters of cepstra, one of which is guessed for a masked frame."""

END = "."
"""Last word of every caption."""

EXPRESSION = ("mouth", "opening", "brows", "eyes")
KEPT, KEPT_ELSE = 0.8, 0.3
"""Share of captions that mention a part of the expression, and any other thing one sees. Were all
mentioned, who it is would tell pictures apart, and nobody would have to look at the mouth."""


class Objective(NamedTuple):
    """A model, what is trained with it, the loss of a new batch, and what its folder needs."""

    model: torch.nn.Module
    trained: torch.nn.Module
    loss: Callable[[], torch.Tensor]
    save_rest: Callable[[Path], None]
    card: dict[str, str]


# --- text ---------------------------------------------------------------------------------------


def bert(clips: Corpus) -> Objective:
    """Return a BERT for transcripts, alone or, half of the time, after the one before."""
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = tokenizer_of(clips.utterances["text"].tolist())
    table = clips.utterances
    before = table["text"].shift(fill_value="").where(table["segment"] > 1, "").tolist()
    texts = table["text"].tolist()
    config = BertConfig(
        **_SIZES,
        vocab_size=len(tokenizer),
        num_hidden_layers=BLOCKS,
        max_position_embeddings=128,
        initializer_range=0.1,  # the usual 0.02 is for widths of 768 and more
        # Made for large models that overfit; a small one has no width to spare.
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BertForMaskedLM(config)
    rng = np.random.default_rng(SEED)

    def loss() -> torch.Tensor:
        rows = rng.choice(len(texts), 64)
        inputs = [
            tokenizer(before[r], texts[r]) if before[r] and pair else tokenizer(texts[r])
            for r, pair in zip(rows, rng.random(64) < 0.5, strict=True)
        ]
        inputs = dict(tokenizer.pad(inputs, return_tensors="pt"))
        masked, targets = mask_tokens(rng, inputs["input_ids"], tokenizer)
        return model(**{**inputs, "input_ids": masked}, labels=targets).loss

    card = {
        "what": "BERT for text",
        "data": f"{len(texts)} transcripts",
        "objective": f"masked word pieces ({MASKED:.0%}), transcripts alone or after the one "
        "before",
    }
    return Objective(model.bert, model, loss, tokenizer.save_pretrained, card)


def tokenizer_of(texts: list[str]):
    """Return a tokeniser in which every word of these texts is one token; others are spelt."""
    from transformers import BertTokenizerFast

    words = sorted({word for text in texts for word in text.split()})
    letters = [chr(k) for k in range(ord("a"), ord("z") + 1)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    spelt = [*letters, *(f"##{letter}" for letter in letters)]
    pieces = dict.fromkeys([*special, *spelt, *words])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizerFast(vocab=vocabulary, model_max_length=128)


def mask_tokens(rng, ids: torch.Tensor, tokenizer) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens with some masked, and those to guess (-100 elsewhere), both (B, T)."""
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    draw = torch.tensor(rng.random(tuple(ids.shape)))
    chosen = (draw < MASKED) & ~special
    if not chosen.any():
        chosen[0, 1] = True
    kind = torch.tensor(rng.random(tuple(ids.shape)))
    other = torch.tensor(rng.integers(5, len(tokenizer), size=tuple(ids.shape)))
    masked = torch.where(chosen & (kind < 0.8), tokenizer.mask_token_id, ids)
    masked = torch.where(chosen & (kind >= 0.9), other, masked)
    return masked, torch.where(chosen, ids, -100)


# --- sound --------------------------------------------------------------------------------------


def wavlm(clips: Corpus) -> Objective:
    """Return a WavLM for sound."""
    from transformers import WavLMConfig, WavLMModel

    waves = [render.sound(clips, row) for row in bar(range(len(clips)), "speaking", "clip")]
    units = clusters_of(waves)
    config = WavLMConfig(
        **_SIZES,
        num_hidden_layers=BLOCKS,
        conv_dim=(32,) * 7,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=8,
        num_buckets=64,
        max_bucket_distance=200,
        layerdrop=0.0,
    )
    model = WavLMModel(config)
    head = torch.nn.Linear(WIDTH, CLUSTERS)
    rng = np.random.default_rng(SEED)

    def loss() -> torch.Tensor:
        inputs, targets = _cut(rng, waves, units, rng.choice(len(waves), 8))
        masked = hide_spans(rng, *targets.shape)
        states = model(inputs, mask_time_indices=torch.tensor(masked)).last_hidden_state
        guess, heard = head(states), torch.tensor(~masked)
        # Frames that are heard count half: in few steps they teach the convolutions.
        return F.cross_entropy(guess[~heard], targets[~heard]) + 0.5 * F.cross_entropy(
            guess[heard], targets[heard]
        )

    seconds = sum(map(len, waves)) / speech.RATE
    card = {
        "what": "WavLM for speech at 16 kHz, waveforms as they are",
        "data": f"{len(waves)} clips, {seconds / 60:.0f} minutes of synthetic speech",
        "objective": f"clusters ({CLUSTERS}, k-means of cepstra and their changes) of frames, "
        "masked in spans; seen frames count half",
    }
    trained = torch.nn.ModuleList([model, head])
    return Objective(model, trained, loss, _preprocessor(_SOUND), card)


_SOUND = {
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "sampling_rate": speech.RATE,
    "padding_value": 0.0,
    "padding_side": "right",
    "do_normalize": False,
    "return_attention_mask": True,
}


def _cut(rng, waves, units, rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Return waves and their units, cut to the shortest at random places: nothing is padded."""
    frames = min(len(units[r]) for r in rows)
    inputs, targets = [], []
    for r in rows:
        start = int(rng.integers(len(units[r]) - frames + 1))
        inputs.append(waves[r][start * 320 : (start + frames - 1) * 320 + 400])
        targets.append(units[r][start : start + frames])
    return torch.tensor(np.stack(inputs)), torch.tensor(np.stack(targets), dtype=torch.long)


def hide_spans(rng, clips: int, frames: int) -> np.ndarray:
    """Return masked frames, (B, T): spans of ``SPAN``, at least one per clip, never all."""
    masked = np.zeros((clips, frames), bool)
    for row in masked:
        starts = np.flatnonzero(rng.random(frames) < SPAN_STARTS)
        for start in starts if len(starts) else [int(rng.integers(frames - SPAN))]:
            row[start : start + SPAN] = True
    return masked


def clusters_of(waves: list[np.ndarray]) -> list[np.ndarray]:
    """Return the cluster of each frame of each wave, (T,): 400 samples every 320, as the model's.

    A frame is its 13 cepstra with their first and second changes.
    """
    import librosa
    from sklearn.cluster import MiniBatchKMeans

    cepstra = []
    for wave in bar(waves, "cepstra", "clip"):
        mfcc = librosa.feature.mfcc(
            y=wave, sr=speech.RATE, n_mfcc=13, n_fft=400, hop_length=320, n_mels=40, center=False
        )
        changes = [librosa.feature.delta(mfcc, order=k, mode="nearest") for k in (1, 2)]
        cepstra.append(np.concatenate([mfcc, *changes]).T)
    frames = np.concatenate(cepstra)
    scaled = (frames - frames.mean(0)) / frames.std(0)
    means = MiniBatchKMeans(CLUSTERS, random_state=SEED, n_init=3, batch_size=4096)
    units = means.fit_predict(scaled)
    return np.split(units, np.cumsum([len(c) for c in cepstra])[:-1])


# --- pictures -----------------------------------------------------------------------------------


def clip(clips: Corpus) -> Objective:
    """Return the picture tower of a CLIP for frames and captions of what is drawn in them."""
    from transformers import CLIPModel

    pictures, seen = [], []
    for row in bar(range(len(clips)), "drawing", "clip"):
        who, expression = render.person(clips, row)
        rng = np.random.default_rng([SEED, row])
        pictures.append(faces.film(who, expression, 8, rng))
        seen.append(faces.describe(who, expression))
    words = sorted({word for parts in seen for part in parts.values() for word in part.split()})
    number = {word: k for k, word in enumerate([*words, END], start=2)}  # 0 pads, 1 begins
    model = CLIPModel(_clip_config(number))
    rng = np.random.default_rng(SEED)

    def loss() -> torch.Tensor:
        rows = rng.choice(len(pictures), min(96, len(pictures)), replace=False)
        frames = np.stack([pictures[r][rng.integers(len(pictures[r]))] for r in rows])
        texts = [caption(rng, seen[r], number) for r in rows]
        length = max(map(len, texts))
        ids = torch.tensor([text + [0] * (length - len(text)) for text in texts])
        return model(
            input_ids=ids,
            attention_mask=(ids > 0).long(),
            pixel_values=pixels(frames),
            return_loss=True,
        ).loss

    card = {
        "what": f"CLIP's picture tower for {faces.SIZE} x {faces.SIZE} pictures in RGB",
        "data": f"{8 * len(pictures)} drawn pictures of {len(pictures)} clips",
        "objective": "contrast of pictures and captions that say in words what is drawn "
        "(mouth, brows, eyes; less often hair, skin, glasses, clothes, background)",
    }
    return Objective(model.vision_model, model, loss, _preprocessor(_PICTURES), card)


_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
"""Mean and deviation of CLIP's training pictures."""

_PICTURES = {
    "image_processor_type": "CLIPImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"shortest_edge": faces.SIZE},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": faces.SIZE, "width": faces.SIZE},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": list(_MEAN),
    "image_std": list(_STD),
}


def _clip_config(number: dict[str, int]):
    from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig

    sizes = _SIZES | {"projection_dim": WIDTH}
    vision = CLIPVisionConfig(
        **sizes, num_hidden_layers=BLOCKS, image_size=faces.SIZE, patch_size=8
    )
    text = CLIPTextConfig(
        **sizes,
        num_hidden_layers=2,
        vocab_size=len(number) + 2,
        max_position_embeddings=48,
        pad_token_id=0,
        bos_token_id=1,
        # Not 2, for which transformers takes the largest number to be the end.
        eos_token_id=number[END],
    )
    return CLIPConfig(
        vision_config=vision.to_dict(), text_config=text.to_dict(), projection_dim=WIDTH
    )


def pixels(pictures: np.ndarray) -> torch.Tensor:
    """Return pictures (B, 64, 64, 3) uint8 as the model takes them, (B, 3, 64, 64) float32."""
    scaled = (pictures.astype(np.float32) / 255 - np.float32(_MEAN)) / np.float32(_STD)
    return torch.tensor(scaled.transpose(0, 3, 1, 2))


def caption(rng, seen: dict[str, str], number: dict[str, int]) -> list[int]:
    """Return a caption as numbers of words: who it is, and some of what one sees."""
    parts = [
        part
        for name, part in seen.items()
        if name == "person" or rng.random() < (KEPT if name in EXPRESSION else KEPT_ELSE)
    ]
    return [1, *(number[word] for part in parts for word in part.split()), number[END]]


def _preprocessor(settings: dict) -> Callable[[Path], None]:
    """Return what writes the configuration of a preprocessor into a model's folder."""
    content = json.dumps(settings, indent=2) + "\n"

    def save(folder: Path) -> None:
        (folder / "preprocessor_config.json").write_text(content)

    return save
