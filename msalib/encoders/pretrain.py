"""Pretrain the small encoders that ship with the package.

    python -m msalib.encoders.pretrain [bert|wavlm|clip]

Each is pretrained on the unlabelled part of the raw control alone, by the objective of its kind:

- ``bert``: masked word pieces, in one transcript or two that follow each other;
- ``wavlm``: masked prediction of clusters (k-means) of cepstra, frame by frame;
- ``clip``: pictures and captions of what is drawn find each other; the text side is thrown away.

Writes ``encoders/small/<name>`` (configuration, weights in float16, tokeniser or preprocessor, a
card) and ``pretrain.json`` beside the records of runs. Its keys, by encoder: ``losses``, means over
``WINDOW`` steps from first to last; ``probe``, what a ridge regression on the mean of a clip's
frames finds of the modality's sentiment in each layer, 0 the input to block 1. It is asked on the
training and validation speakers of ``raw``: ``valid`` is the correlation on validation speakers
after training ones, ``folds`` that of five folds over the speakers of both. No test clip is looked
at. ``CHOICES`` says which settings were changed after first runs.
"""

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from torch.nn import functional as F

from msalib.base import files, provenance
from msalib.base.paths import records_folder
from msalib.base.progress import bar
from msalib.data.corpus import Corpus
from msalib.data.simulate import faces, raw, speech
from msalib.encoders.forward import quiet
from msalib.encoders.registry import SMALL

SEED = 0
WIDTH, BLOCKS, HEADS, INNER = 64, 6, 4, 128
WINDOW = 50
"""Steps in one mean of the loss."""

RATES = {"bert": 3e-3, "wavlm": 1e-3, "clip": 1e-3}
"""Highest learning rate, after a tenth of the steps; it falls to zero on a half cosine."""

MASKED = 0.4
"""Of the word pieces: more than BERT's 0.15, for transcripts are short and neighbours give a word
away."""

SPAN, SPAN_STARTS = 5, 0.08
"""Length of a span of masked frames, and the share of frames at which one begins."""

CLUSTERS = 100
"""Of cepstra: what a masked frame is guessed to be."""

TRANSCRIPT_VIDEOS = 1500
"""Of the unlabelled part for ``bert``: words need no rendering, and a few hundred transcripts do
not show which words go together."""

END = "."
"""Last word of every caption."""

EXPRESSION = ("mouth", "opening", "brows", "eyes")
KEPT, KEPT_ELSE = 0.8, 0.3
"""Share of captions that mention a part of the expression, and any other thing one sees. Were all
mentioned, who it is would tell pictures apart, and nobody would have to look at the mouth."""


STEPS = {"bert": 6000, "wavlm": 1500, "clip": 1200}

_CHANGED = (
    "Settings were changed after first runs whose probes were at chance on training and validation "
    "speakers. No test clip was looked at."
)
CHOICES = {"bert": _CHANGED, "wavlm": "No test clip was looked at.", "clip": _CHANGED}
"""What decided the settings: said in the card, in the record and on the page."""


class Pretrained(NamedTuple):
    """A model with what it needs beside its weights, and how it came to be."""

    model: torch.nn.Module
    save_rest: Callable[[Path], None]
    losses: list[float]
    card: dict[str, str]


# --- three objectives ---------------------------------------------------------------------------


def bert(clips: Corpus, steps: int) -> Pretrained:
    """A BERT on the transcripts of ``clips``, alone or, half of the time, after the one before."""
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = _tokenizer(clips.utterances["text"].tolist())
    table = clips.utterances
    before = table["text"].shift(fill_value="").where(table["segment"] > 1, "").tolist()
    texts = table["text"].tolist()
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            num_hidden_layers=BLOCKS,
            num_attention_heads=HEADS,
            intermediate_size=INNER,
            max_position_embeddings=128,
            initializer_range=0.1,  # the usual 0.02 is for widths of 768 and more
            # Made for large models that overfit; a small one has no width to spare.
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    rng = np.random.default_rng(SEED)

    def loss() -> torch.Tensor:
        rows = rng.choice(len(texts), 64)
        inputs = [
            tokenizer(before[r], texts[r]) if before[r] and pair else tokenizer(texts[r])
            for r, pair in zip(rows, rng.random(64) < 0.5, strict=True)
        ]
        inputs = dict(tokenizer.pad(inputs, return_tensors="pt"))
        masked, targets = _mask_words(rng, inputs["input_ids"], tokenizer)
        return model(**{**inputs, "input_ids": masked}, labels=targets).loss

    losses = _train(model, loss, steps, "bert")
    return Pretrained(
        model.bert,
        tokenizer.save_pretrained,
        losses,
        {
            "what": "BERT for text",
            "data": f"{len(texts)} transcripts",
            "objective": f"masked word pieces ({MASKED:.0%}), transcripts alone or after the one "
            "before",
        },
    )


def wavlm(clips: Corpus, steps: int) -> Pretrained:
    """A WavLM on the sound of ``clips``."""
    from transformers import WavLMConfig, WavLMModel

    waves = [raw.sound(clips, row) for row in bar(range(len(clips)), "speaking", "clip")]
    units = _clusters(waves)
    model = WavLMModel(
        WavLMConfig(
            hidden_size=WIDTH,
            num_hidden_layers=BLOCKS,
            num_attention_heads=HEADS,
            intermediate_size=INNER,
            conv_dim=(32,) * 7,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            num_conv_pos_embeddings=32,
            num_conv_pos_embedding_groups=8,
            num_buckets=64,
            max_bucket_distance=200,
            layerdrop=0.0,
        )
    )
    head = torch.nn.Linear(WIDTH, CLUSTERS)
    rng = np.random.default_rng(SEED)

    def loss() -> torch.Tensor:
        rows = rng.choice(len(waves), 8)
        # All clips of a batch are cut to the shortest, at random places: nothing is padded.
        frames = min(len(units[r]) for r in rows)
        inputs, targets = [], []
        for r in rows:
            start = int(rng.integers(len(units[r]) - frames + 1))
            inputs.append(waves[r][start * 320 : (start + frames - 1) * 320 + 400])
            targets.append(units[r][start : start + frames])
        masked = _spans(rng, len(rows), frames)
        states = model(
            torch.tensor(np.stack(inputs)), mask_time_indices=torch.tensor(masked)
        ).last_hidden_state
        guess, target = head(states), torch.tensor(np.stack(targets), dtype=torch.long)
        seen = torch.tensor(~masked)
        # Seen frames count half: in few steps they teach the convolutions.
        return F.cross_entropy(guess[~seen], target[~seen]) + 0.5 * F.cross_entropy(
            guess[seen], target[seen]
        )

    losses = _train(torch.nn.ModuleList([model, head]), loss, steps, "wavlm")
    settings = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": speech.RATE,
        "padding_value": 0.0,
        "padding_side": "right",
        "do_normalize": False,
        "return_attention_mask": True,
    }
    seconds = sum(map(len, waves)) / speech.RATE
    return Pretrained(
        model,
        lambda folder: (folder / "preprocessor_config.json").write_text(_json(settings)),
        losses,
        {
            "what": "WavLM for speech at 16 kHz, waveforms as they are",
            "data": f"{len(waves)} clips, {seconds / 60:.0f} minutes of synthetic speech",
            "objective": f"clusters ({CLUSTERS}, k-means of cepstra and their changes) of frames, "
            "masked in spans; seen frames count half",
        },
    )


def clip(clips: Corpus, steps: int) -> Pretrained:
    """The picture tower of a CLIP on frames of ``clips`` and captions of what is drawn."""
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    pictures, seen = [], []
    for row in bar(range(len(clips)), "drawing", "clip"):
        who, expression = raw.person(clips, row)
        rng = np.random.default_rng([SEED, row])
        pictures.append(faces.film(who, expression, 8, rng))
        seen.append(faces.describe(who, expression))
    words = sorted({word for parts in seen for part in parts.values() for word in part.split()})
    number = {word: k for k, word in enumerate([*words, END], start=2)}  # 0 pads, 1 begins
    sizes = dict(
        hidden_size=WIDTH, intermediate_size=INNER, num_attention_heads=HEADS, projection_dim=WIDTH
    )
    model = CLIPModel(
        CLIPConfig(
            vision_config=CLIPVisionConfig(
                **sizes, num_hidden_layers=BLOCKS, image_size=faces.SIZE, patch_size=8
            ).to_dict(),
            text_config=CLIPTextConfig(
                **sizes,
                num_hidden_layers=2,
                vocab_size=len(number) + 2,
                max_position_embeddings=48,
                pad_token_id=0,
                bos_token_id=1,
                # Not 2, for which transformers takes the largest number to be the end.
                eos_token_id=number[END],
            ).to_dict(),
            projection_dim=WIDTH,
        )
    )
    rng = np.random.default_rng(SEED)

    def loss() -> torch.Tensor:
        rows = rng.choice(len(pictures), min(96, len(pictures)), replace=False)
        frames = np.stack([pictures[r][rng.integers(len(pictures[r]))] for r in rows])
        texts = [_caption(rng, seen[r], number) for r in rows]
        length = max(map(len, texts))
        ids = torch.tensor([text + [0] * (length - len(text)) for text in texts])
        return model(
            input_ids=ids,
            attention_mask=(ids > 0).long(),
            pixel_values=pixels(frames),
            return_loss=True,
        ).loss

    losses = _train(model, loss, steps, "clip")
    settings = {
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
    return Pretrained(
        model.vision_model,
        lambda folder: (folder / "preprocessor_config.json").write_text(_json(settings)),
        losses,
        {
            "what": f"CLIP's picture tower for {faces.SIZE} x {faces.SIZE} pictures in RGB",
            "data": f"{8 * len(pictures)} drawn pictures of {len(pictures)} clips",
            "objective": "contrast of pictures and captions that say in words what is drawn "
            "(mouth, brows, eyes; less often hair, skin, glasses, clothes, background)",
        },
    )


MAKERS = {"bert": bert, "wavlm": wavlm, "clip": clip}
MODALITY = {"bert": "linguistic", "wavlm": "acoustic", "clip": "visual"}

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
"""CLIP's own."""


def pixels(pictures: np.ndarray) -> torch.Tensor:
    """Pictures (B, 64, 64, 3) uint8 as the model takes them, (B, 3, 64, 64) float32."""
    scaled = (pictures.astype(np.float32) / 255 - np.float32(_MEAN)) / np.float32(_STD)
    return torch.tensor(scaled.transpose(0, 3, 1, 2))


def _tokenizer(texts: list[str]):
    """Word pieces: every word of these texts is one, all others are spelt."""
    from transformers import BertTokenizerFast

    words = sorted({word for text in texts for word in text.split()})
    letters = [chr(k) for k in range(ord("a"), ord("z") + 1)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    spelt = [*letters, *(f"##{letter}" for letter in letters)]
    pieces = dict.fromkeys([*special, *spelt, *words])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizerFast(vocab=vocabulary, model_max_length=128)


def _mask_words(rng, ids: torch.Tensor, tokenizer) -> tuple[torch.Tensor, torch.Tensor]:
    """Word pieces with some masked, and what was there (-100 elsewhere), both (B, T)."""
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


def _spans(rng, clips: int, frames: int) -> np.ndarray:
    """Masked frames, (B, T): spans of ``SPAN``, at least one per clip, never all."""
    masked = np.zeros((clips, frames), bool)
    for row in masked:
        starts = np.flatnonzero(rng.random(frames) < SPAN_STARTS)
        for start in starts if len(starts) else [int(rng.integers(frames - SPAN))]:
            row[start : start + SPAN] = True
    return masked


def _clusters(waves: list[np.ndarray]) -> list[np.ndarray]:
    """Cluster of each frame of each wave, at the frames of the model: 400 samples every 320."""
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
    found = means.fit_predict(scaled)
    return np.split(found, np.cumsum([len(c) for c in cepstra])[:-1])


def _caption(rng, seen: dict[str, str], number: dict[str, int]) -> list[int]:
    parts = [
        part
        for name, part in seen.items()
        if name == "person" or rng.random() < (KEPT if name in EXPRESSION else KEPT_ELSE)
    ]
    return [1, *(number[word] for part in parts for word in part.split()), number[END]]


def _train(model, loss: Callable[[], torch.Tensor], steps: int, name: str) -> list[float]:
    """Means of the loss over ``WINDOW`` steps each."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATES[name], weight_decay=0.01)
    warm = max(1, steps // 10)

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    model.train()
    losses = []
    for _ in bar(range(steps), f"pretraining {name}", "step"):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(value.item())
    model.eval()
    return [float(np.mean(losses[k : k + WINDOW])) for k in range(0, steps, WINDOW)]


# --- what came of it ----------------------------------------------------------------------------


def states(name: str, folder: Path, clips: Corpus, rows: np.ndarray) -> np.ndarray:
    """Mean over frames of every layer of the saved model for these clips: (L, N, D).

    A frame is a word piece, 20 ms of sound, or the class token of a picture.
    """
    return np.stack([s.mean(1) for s in _states(name, folder, clips, rows)], axis=1)


def _states(name, folder, clips, rows) -> Iterator[np.ndarray]:
    """All layers of one clip at a time, (L, T, D)."""
    from transformers import AutoModel, AutoTokenizer

    with quiet():  # on BERT's pooler, which is not there and not used
        model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder) if name == "bert" else None
    for row in bar(rows, f"probing {name}", "clip"):
        if name == "bert":
            inputs = tokenizer(clips.utterances["text"].iloc[row], return_tensors="pt")
        elif name == "wavlm":
            inputs = {"input_values": torch.tensor(raw.sound(clips, row))[None]}
        else:
            inputs = {"pixel_values": pixels(raw.clip(clips, row)[1])}
        with torch.inference_mode():
            found = torch.stack(model(**inputs, output_hidden_states=True).hidden_states)
        yield (found[:, :, 0] if name == "clip" else found[:, 0]).numpy()


def probe(name: str, folder: Path) -> dict[str, list[float]]:
    """Correlation with the modality's sentiment by layer: see the module's docstring."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    clips = raw.raw()
    train, valid = clips.rows("train", "standard"), clips.rows("valid", "standard")
    rows = np.concatenate([train, valid])
    y = clips.truth["sentiment"][MODALITY[name]][rows]
    speaker = clips.utterances["speaker"].to_numpy()[rows]
    ridge = make_pipeline(StandardScaler(), Ridge(alpha=10))
    found = {"valid": [], "folds": []}
    for x in states(name, folder, clips, rows):
        # The class token enters block 1 the same whatever is seen, but for rounding.
        if x.std(0).max() < 1e-5:
            found["valid"].append(0.0)
            found["folds"].append(0.0)
            continue
        guess = ridge.fit(x[: len(train)], y[: len(train)]).predict(x[len(train) :])
        found["valid"].append(_corr(guess, y[len(train) :]))
        folds = cross_val_predict(ridge, x, y, groups=speaker, cv=GroupKFold(5))
        found["folds"].append(_corr(folds, y))
    return found


def _corr(a, b) -> float:
    return round(float(np.corrcoef(a, b)[0, 1]), 3)


def save(name: str, made: Pretrained, folder: Path, steps: int) -> None:
    """Write the model's folder anew, whole or not at all."""
    with files.whole_folder(folder) as new:
        with quiet():
            made.model.half().save_pretrained(new)
        made.save_rest(new)
        (new / "README.md").write_text(_card(name, made, steps))
        for path in new.iterdir():
            path.chmod(0o644)


def _card(name: str, made: Pretrained, steps: int) -> str:
    card = made.card
    return f"""---
license: mit
---

# small-{name}

{card["what"]}: {BLOCKS} blocks, width {WIDTH}, weights in float16.

- **Data**: {card["data"]}, the unlabelled part of the raw control (`msalib.simulate.raw`). Speakers
  and videos are others than those of the labelled part; no label or sentiment was used.
- **Objective**: {card["objective"]}.
- **Training**: {steps} steps of AdamW, seed {SEED}. Loss {made.losses[0]:.3f} in the first
  {WINDOW} steps, {made.losses[-1]:.3f} in the last.
- **Choices**: {CHOICES[name]}
- **Made by**: `python -m msalib.encoders.pretrain {name}`;
  losses by step and what linear probes find in each layer are in `book/records/pretrain.json`.
- **Licence**: MIT, as the package. It was trained on nothing but output of this package.
- **What it is not**: a model of human language, speech or faces. It knows some two hundred words,
  babble and drawings, and serves the raw control, tests and lessons; for real clips take a real
  encoder.
"""


def _json(content) -> str:
    return json.dumps(content, indent=2) + "\n"


def _record(name: str, made: Pretrained, steps: int, found: dict[str, list[float]]) -> None:
    path = records_folder() / "pretrain.json"
    record = {}
    with contextlib.suppress(FileNotFoundError):
        record = json.loads(path.read_text())
    record[name] = {
        **made.card,
        "steps": steps,
        "seed": SEED,
        "choices": CHOICES[name],
        "losses": [round(loss, 4) for loss in made.losses],
        "probe": found,
        "provenance": {
            "commit": provenance.commit(),
            "device": provenance.device_name("cpu"),
            "versions": provenance.versions(),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    files.write_text(path, _json(record))


def pretrain(name: str, folder: Path, steps: int | None = None, clips: Corpus | None = None):
    """Pretrain one encoder on the CPU and save it in ``folder``; return what was made.

    ``clips`` are the unlabelled part of the raw control unless given.
    """
    if clips is None:
        clips = raw.unlabelled(videos=TRANSCRIPT_VIDEOS) if name == "bert" else raw.unlabelled()
    torch.manual_seed(SEED)
    steps = steps or STEPS[name]
    with provenance.one_thread():  # else sums, and so weights, depend on the machine's cores
        made = MAKERS[name](clips, steps)
    save(name, made, folder, steps)
    return made


def main(names: Annotated[list[str] | None, typer.Argument(help="all by default")] = None) -> None:
    """Pretrain, save, probe and record."""
    for name in names or list(MAKERS):
        if name not in MAKERS:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(MAKERS)}")
        made = pretrain(name, SMALL / name)
        _record(name, made, STEPS[name], probe(name, SMALL / name))


if __name__ == "__main__":
    typer.run(main)
