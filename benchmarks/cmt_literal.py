"""CMT's pretraining read literally: what cmt_pretraining.py compares a study with.

papers/cmt.md (c) and (d) in plain transformers and torch: in every step both frozen encoders read
the sound and the text of the batch, and the hidden text once more; everything is padded to the
longest clip. What is hidden is given, so that a study can hide the same.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import soundfile
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

HOP = 320
"""Samples from one frame of Whisper to the next."""

NOTHING = -100
"""Target of a token or frame that is not to be guessed."""


class Clips(NamedTuple):
    """A batch before any encoder: sound files and texts, and what is hidden of each.

    ``hidden`` (T,) are token ids after hiding, ``tokens`` (T,) those to guess, ``units`` (F,) the
    codewords to guess of the frames that are read; ``NOTHING`` where nothing is to guess.
    """

    paths: list[Path]
    texts: list[str]
    hidden: list[Tensor]
    tokens: list[Tensor]
    units: list[Tensor]


class Encoders:
    """Both frozen encoders; ``halved``: their outputs in half precision, as a store keeps them."""

    def __init__(self, sound: Path, text: Path, frame_step: int, halved: bool):
        from transformers import AutoModel, AutoTokenizer, WhisperFeatureExtractor

        self.frame_step, self.halved = frame_step, halved
        self.tokenizer = AutoTokenizer.from_pretrained(text)
        self.text = AutoModel.from_pretrained(text, dtype=torch.float32).eval()
        self.sound = AutoModel.from_pretrained(sound, dtype=torch.float32).eval()
        self.spectrogram = None
        if self.sound.config.model_type == "whisper":
            self.sound = self.sound.encoder
            self.spectrogram = WhisperFeatureExtractor(self.sound.config.num_mel_bins)
        last = self.sound.layers if self.spectrogram else self.sound.encoder.layers
        last[-1].register_forward_hook(self._keep)  # before the LayerNorm that follows all blocks

    def _keep(self, _, __, output) -> None:
        self.last = output[0] if isinstance(output, tuple) else output

    @torch.no_grad()
    def heard(self, paths: list[Path]) -> tuple[Tensor, Tensor]:
        """Frames of sound, (B, F, D), and where they are, (B, F)."""
        waves = [soundfile.read(path, dtype="float32")[0] for path in paths]
        if self.spectrogram:
            windows = self.spectrogram(waves, sampling_rate=16_000, return_tensors="pt")
            self.sound(windows.input_features)
            frames = [-(-len(wave) // HOP) for wave in waves]
        else:
            padded = pad_sequence([torch.from_numpy(wave) for wave in waves], batch_first=True)
            length = torch.tensor([[len(wave)] for wave in waves])
            self.sound(padded, attention_mask=(torch.arange(padded.shape[1]) < length).long())
            frames = self.sound._get_feat_extract_output_lengths(length).squeeze(1).tolist()
        mask = torch.arange(max(frames)) < torch.tensor(frames)[:, None]
        states = self.last[:, : max(frames)]
        return self._stored(states)[:, :: self.frame_step], mask[:, :: self.frame_step]

    @torch.no_grad()
    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """States of tokens (B, T), (B, T, D)."""
        states = self.text(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return self._stored(states)

    def _stored(self, states: Tensor) -> Tensor:
        return states.half().float() if self.halved else states


class Stream(nn.Module):
    """Blocks of self-attention, attention to the other encoder and feed-forward, after Vaswani."""

    def __init__(self, blocks: int, width: int, heads: int, inner: int, dropout: float):
        super().__init__()
        self.own, self.cross = (
            nn.ModuleList(
                nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(blocks)
            )
            for _ in range(2)
        )
        self.feed = nn.ModuleList(
            nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
            for _ in range(blocks)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 * blocks))
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, valid: Tensor, other: Tensor, heard: Tensor) -> Tensor:
        for n, (own, cross, feed) in enumerate(zip(self.own, self.cross, self.feed, strict=True)):
            read, _ = own(h, h, h, key_padding_mask=~valid, need_weights=False)
            h = self.norms[3 * n](h + self.dropout(read))
            read, _ = cross(h, other, other, key_padding_mask=~heard, need_weights=False)
            h = self.norms[3 * n + 1](h + self.dropout(read))
            h = self.norms[3 * n + 2](h + self.dropout(feed(h)))
        return h


class Literal(nn.Module):
    """Both streams with their heads, and the encoders before them, which are not trained."""

    def __init__(
        self,
        encoders: Encoders,
        settings: Mapping[str, float],
        sizes: tuple[int, int],
        *,
        vocabulary: int,
        codewords: int,
        codeword_width: int,
        temperature: float,
    ):
        super().__init__()
        self.encoders, self.temperature, width = encoders, temperature, settings["width"]
        parts = settings["blocks"], width, settings["heads"], settings["inner"] * width
        self.sound, self.text = (Stream(*parts, settings["dropout"]) for _ in range(2))
        self.of_sound, self.of_text = (
            nn.Identity() if size == width else nn.Linear(size, width) for size in sizes
        )
        self.hidden = nn.Parameter(torch.empty(width))
        self.tokens = nn.Linear(width, vocabulary)
        self.guess = nn.Linear(width, codeword_width)
        self.codewords = nn.Embedding(codewords, codeword_width)

    def forward(self, clips: Clips) -> Tensor:
        """The sum of both losses of a batch."""
        read = self.encoders
        clean = read.tokenizer(clips.texts, padding=True, return_tensors="pt")
        spoken = clean["attention_mask"].bool()
        hidden = pad_sequence(clips.hidden, batch_first=True)
        tokens = pad_sequence(clips.tokens, batch_first=True, padding_value=NOTHING)
        units = pad_sequence(clips.units, batch_first=True, padding_value=NOTHING)
        sound, heard = read.heard(clips.paths)
        sound, words = self.of_sound(sound), self.of_text(read.read(clean["input_ids"], spoken))
        masked = self.of_text(read.read(hidden, spoken))
        start = torch.where((units == NOTHING)[..., None], sound, self.hidden)
        frames = self.sound(start, heard, words, spoken)
        states = self.text(masked, spoken, sound, heard)
        scores = self.tokens(states[tokens != NOTHING])
        guess = self.guess(frames[units != NOTHING])
        alike = F.cosine_similarity(guess[:, None], self.codewords.weight[None], dim=-1)
        return F.cross_entropy(scores, tokens[tokens != NOTHING]) + F.cross_entropy(
            alike / self.temperature, units[units != NOTHING]
        )

    def adopt(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of a study's model (``models.masked_pairs.MaskedPairs``)."""
        taken = {n: w for n, w in weights.items() if not n.startswith("streams.")}
        for m, name in (("acoustic", "sound"), ("linguistic", "text")):
            project = f"streams.project.{m}."
            taken |= {
                f"of_{name}.{n.removeprefix(project)}": w
                for n, w in weights.items()
                if n.startswith(project)
            }
            for block in range(len(getattr(self, name).own)):
                at = f"streams.blocks.{m}.{block}."
                part = {n.removeprefix(at): w for n, w in weights.items() if n.startswith(at)}
                for kind in ("own", "cross"):
                    to = f"{name}.{kind}.{block}."
                    for end in ("weight", "bias"):
                        each = [part[f"{kind}.{p}.{end}"] for p in ("query", "key", "value")]
                        taken[f"{to}in_proj_{end}"] = torch.cat(each)
                        taken[f"{to}out_proj.{end}"] = part[f"{kind}.output.{end}"]
                for n, w in part.items():
                    if n.startswith("feed."):
                        taken[f"{name}.feed.{block}.{n.removeprefix('feed.')}"] = w
                    elif n.startswith("norms."):
                        _, k, end = n.split(".")
                        taken[f"{name}.norms.{3 * block + int(k)}.{end}"] = w
        self.load_state_dict(taken)
