"""What cross-attention looks at: three clips of a raw control, and what its weights are worth.

Records hold predictions and no weights of attention, so models are trained for this page, one per
seed. Those of profile ``full`` take minutes; what was measured on them is a record of its own.

A weight says how much of one state enters another. Its worth is measured on all test clips: by the
error when all weights are equal, by the change of the prediction when a word is deleted, and by
whether a second training looks at the same words. Weights are means over the attention heads of the
last layer, whose learned vectors the fused head reads.

Notation: W words and special tokens of a clip, U frames of its sound, one learned vector c in front
of each sequence (papers/mmml.md (c)).
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from msalib import encoders
from msalib.base import stats
from msalib.base.errors import UserError
from msalib.base.files import Recorded
from msalib.base.provenance import commit, one_thread, pick_device
from msalib.data.corpus import Batch, Corpus
from msalib.models.cme import CrossModalEncoder
from msalib.models.mmml import FUSED, SOUND, TEXT
from msalib.papers.mmml import plan
from msalib.runs.study import Study
from msalib.runs.trainer import Trainer
from msalib.training import loop

BATCH = 64
"""Clips that are predicted at a time."""

FEWEST = 3
"""Words that a clip needs for an order of them to say something."""

DIGITS = 4


class Look(BaseModel):
    """What cross-attention looks at in one clip: weights, each row summing to 1.

    ``to_sound`` (1 + W, 1 + U): from the vector of text and from each token. ``to_text``
    (1 + U, 1 + W): from the vector of sound and from each frame.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip: str
    title: str
    words: list[str]
    to_sound: list[list[float]]
    to_text: list[list[float]]
    predictions: dict[str, float]  # head -> points


class Attention(BaseModel):
    """The three clips of the first seed, and what weights are worth on all test clips.

    By seed: ``mae`` of the fused head, and with equal weights. By seed and clip (C clips of
    ``FEWEST`` words or more): ``peak``, the largest weight on a word over their mean; ``deletion``,
    Spearman's rho of a word's weight and the change of the prediction without it; ``hits``, whether
    the word with the largest weight changes it most; and by clip ``luck``, how often a word drawn
    at random would. ``agreement`` by clip: Spearman's rho of the
    weights of the first two seeds; empty where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: str
    commit: str
    seeds: int
    layers: int
    looks: list[Look]
    videos: list[str]  # (C,)
    mae: list[float]
    mae_equal: list[float]
    peak: list[list[float]]
    deletion: list[list[float]]
    hits: list[list[float]]
    luck: list[float]
    agreement: list[float]


# --- measured on models trained here ------------------------------------------------------------


def attention(study: Study) -> Attention:
    """Return what is recorded of this study, else measure it on models that are trained now.

    Profile ``full`` is recorded; ``refresh`` measures it again. Raises ``UserError`` for a data
    set without simulated clips to fine-tune encoders on, and for a record of other data or seeds.
    """
    _check(study)
    record = recorded(study)
    if study.parameters.profile != "full":
        return measure(study)
    if record.exists and not study.parameters.refresh:
        found = _of(study, record)
        if found is not None:
            return found
    measured = measure(study)
    record.write(measured)
    return measured


def _of(study: Study, record: Recorded[Attention]) -> Attention | None:
    """Read a record; refuse one of other data or seeds, or leave it where it only ships: None."""
    measured = record.read()
    if (measured.fingerprint, measured.seeds) == (study.fingerprint, study.parameters.seeds):
        return measured
    if record.elsewhere:
        return None
    raise UserError(
        record.path,
        found=f"{measured.seeds} seeds on data with fingerprint {measured.fingerprint[:12]}",
        expected=f"{study.parameters.seeds} seeds on {study.fingerprint[:12]}",
        remedy=f"Ask for {measured.seeds} seeds, or measure it again (-p refresh true).",
    )


def recorded(study: Study) -> Recorded[Attention]:
    """Return the record of this data set, these encoders and this recipe."""
    p = study.parameters
    name = f"attention/{p.dataset}-{study.encoder}-{p.preset}.json"
    return Recorded(Attention, name, "record of attention", "measure it again (-p refresh true)")


def _check(study: Study) -> None:
    if study.tuned and (study.truth or {}).get("shown") is not None:
        return
    found = "encoders that stay frozen" if study.truth else "clips whose truth is unknown"
    raise UserError(
        f"attention in {study.parameters.dataset}",
        found=found,
        expected="a raw control with fine-tuned encoders",
        remedy="Choose -p dataset raw or raw-sarcasm, with its usual encoder.",
    )


@one_thread()
def measure(study: Study) -> Attention:
    """Train the fusion network once per seed and look into it."""
    whole = plan.whole_of(study)
    corpus = study.encoded_for(whole)
    trainer = Trainer(corpus, pick_device(study.parameters.device))
    test = trainer.examples(study.spec(plan.system(whole), 0), "test")
    texts = corpus.utterances["text"].loc[test.ids].tolist()
    spans = word_spans(study, texts)
    enough = [i for i, (words, _) in enumerate(spans) if len(words) >= FEWEST]
    networks, worths, whole_scores, equal_scores = [], [], [], []
    for seed in range(study.parameters.seeds):
        spec = study.spec(plan.system(whole), seed)
        networks.append(Network(trainer.fit([spec])[0].model, test, spans))
        worths.append([networks[-1].worth(i) for i in enough])
        whole_scores.append(networks[-1].scores())
        equal_scores.append(networks[-1].scores(equal=True))
    return Attention(
        fingerprint=corpus.fingerprint(),
        commit=commit(),
        seeds=len(networks),
        layers=len(networks[0].fusion.layers),
        looks=[
            networks[0].look(list(test.ids).index(clip), clip, title)
            for title, clip in chosen(corpus).items()
        ],
        videos=test.videos[enough].tolist(),
        mae=[_rounded(networks[0].error(scores)) for scores in whole_scores],
        mae_equal=[_rounded(networks[0].error(scores)) for scores in equal_scores],
        peak=[[_rounded(w.weights.max() / w.weights.mean()) for w in clips] for clips in worths],
        deletion=[[_rounded(worth.rho) for worth in clips] for clips in worths],
        hits=[[float(worth.hit) for worth in clips] for clips in worths],
        luck=[_rounded(1 / len(worth.weights)) for worth in worths[0]],
        agreement=[
            _rounded(spearman(a.weights, b.weights)) for a, b in zip(*worths[:2], strict=True)
        ]
        if len(worths) > 1
        else [],
    )


def chosen(corpus: Corpus, part: str = "test") -> dict[str, str]:
    """Return title -> id of three clips, chosen by what was planted and not by any picture.

    A strong voice beside words that say little, the reverse, and a clip whose words and voice
    contradict each other: a sarcastic one where the data set has some.
    """
    rows = corpus.rows(part, "standard")
    words, voice = (corpus.truth["shown"][m][rows] for m in (TEXT, SOUND))
    sarcastic = corpus.truth["sarcasm"][rows]
    torn = np.minimum(np.abs(words), np.abs(voice)) * (words * voice < 0)
    third = "Words and voice disagree"
    if sarcastic.any():
        third, torn = "Sarcasm: the voice means it, the words do not", torn * sarcastic
    # Sarcasm turns words on purpose, so such a clip is no example of the first two kinds.
    say = {
        "The voice says more than the words": np.abs(voice) - np.abs(words) - 9 * sarcastic,
        "The words say more than the voice": np.abs(words) - np.abs(voice) - 9 * sarcastic,
        third: torn,
    }
    return {title: str(corpus.utterances.index[rows[s.argmax()]]) for title, s in say.items()}


class Words(NamedTuple):
    """The words of a clip, and the token numbers of each."""

    words: list[str]
    tokens: list[list[int]]


def word_spans(study: Study, texts: list[str]) -> list[Words]:
    """Return the words of each text with the numbers of their tokens; CLS has number 0."""
    from msalib.encoders import text

    tokenizer, _ = text.load(encoders.resolve(study.encoders[TEXT].argument))
    spans = []
    for one in texts:
        encoded = tokenizer(one, return_offsets_mapping=True)
        words, tokens = [], []
        last = None
        for number, word in enumerate(encoded.word_ids()):
            start, end = encoded["offset_mapping"][number]
            if word is None:
                continue
            if word == last:
                words[-1] += one[start:end]
                tokens[-1].append(number)
            else:
                words.append(one[start:end])
                tokens.append([number])
            last = word
        spans.append(Words(words, tokens))
    return spans


class Worth(NamedTuple):
    """Weights on the words of a clip (W,), rho with their effects, whether the largest agree."""

    weights: np.ndarray
    rho: float
    hit: bool


class Network:
    """A trained fusion network behind its encoders, on the test clips."""

    def __init__(self, model: nn.Module, test, spans: list[Words]):
        self.model, self.test, self.spans = model.eval(), test, spans

    @property
    def fusion(self) -> CrossModalEncoder:
        """Return the layers of cross-attention."""
        return self.model.core.fuse.encoder

    def scores(self, equal: bool = False) -> np.ndarray:
        """Return the predictions (N,) of the fused head, perhaps with equal weights."""
        model = without_preferences(self.model) if equal else self.model
        return loop.predict(model, self.test, BATCH).scores.numpy()

    def error(self, scores: np.ndarray) -> float:
        """Return the MAE of predictions (N,) of the test clips."""
        return float(np.abs(scores - self.test.label.cpu().numpy()).mean())

    def states(self, batch: Batch) -> dict[str, Tensor]:
        """Return the states of the fine-tuned encoders, laid end to end."""
        return {m: self.model.encoders[m](batch.features[m], batch.mask[m]) for m in batch.mask}

    def weights(self, states: Mapping[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
        """Return text to sound, (1 + W, 1 + U), and sound to text, (1 + U, 1 + W), of one clip."""
        clips = {m: self.model.core.clip(m, states[m], batch.mask[m]) for m in states}
        text, sound = clips[TEXT], clips[SOUND]
        looks = self.fusion.cross_attention(text.states, text.mask, sound.states, sound.mask)
        to_sound, to_text = (by_layer[-1][0].mean(0).cpu() for by_layer in looks)
        return to_sound, to_text

    @torch.no_grad()
    def look(self, row: int, clip: str, title: str) -> Look:
        """Return what the network looks at in one clip; tokens of a word become one."""
        batch = self.test.batch(torch.tensor([row]))
        states = self.states(batch)
        to_sound, to_text = self.weights(states, batch)
        words = self.spans[row]
        groups = [[0], [1], *([1 + t for t in tokens] for tokens in words.tokens)]
        groups.append([to_sound.shape[0] - 1])
        asking = torch.stack([to_sound[group].mean(0) for group in groups])
        asked = torch.stack([to_text[:, group].sum(1) for group in groups], 1)
        heads = self.model.core(states, batch.mask).heads
        return Look(
            clip=clip,
            title=title,
            words=["[CLS]", *words.words, "[SEP]"],
            to_sound=_rounded(asking.numpy()),
            to_text=_rounded(asked.numpy()),
            predictions={head: _rounded(float(y)) for head, y in heads.items()},
        )

    @torch.no_grad()
    def worth(self, row: int) -> Worth:
        """Compare the weights on a clip's words with what deleting each of them changes.

        Weights are those from the vector of sound, which the fused head reads.
        """
        batch = self.test.batch(torch.tensor([row]))
        states, tokens = self.states(batch), self.spans[row].tokens
        _, to_text = self.weights(states, batch)
        weights = np.array([float(to_text[0, [1 + t for t in some]].sum()) for some in tokens])
        whole = float(self.model.core(states, batch.mask).heads[FUSED])
        effects = np.abs(self._without_each(batch, states[SOUND], tokens) - whole)
        return Worth(weights, spearman(weights, effects), weights.argmax() == effects.argmax())

    def _without_each(self, batch: Batch, sound: Tensor, tokens: list[list[int]]) -> np.ndarray:
        """Return the prediction without each word: its tokens are taken out, sound stays."""
        ids, count = batch.features[TEXT], len(tokens)
        left = [[t for t in range(len(ids)) if t not in some] for some in tokens]
        lengths = torch.tensor([len(some) for some in left])
        mask = (torch.arange(int(lengths.max())) < lengths[:, None]).to(ids.device)
        text = self.model.encoders[TEXT](torch.cat([ids[some] for some in left]), mask)
        states = {TEXT: text, SOUND: sound.repeat(count, 1)}
        masks = {TEXT: mask, SOUND: batch.mask[SOUND].expand(count, -1)}
        return self.model.core(states, masks).heads[FUSED].cpu().numpy()


def without_preferences(model: nn.Module) -> nn.Module:
    """Return a copy whose cross-attention gives every state the same weight.

    Queries of zero make all scores equal; nothing else changes.
    """
    model = deepcopy(model)
    for layer in model.core.fuse.encoder.layers:
        for stream in (layer.text, layer.sound):
            nn.init.zeros_(stream.cross.query.weight)
            nn.init.zeros_(stream.cross.query.bias)
    return model


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation of two (W,); 0 where one of them is constant."""
    from scipy.stats import rankdata

    x, y = (rankdata(values) for values in (a, b))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum() / size) if size else 0.0


def over_clips(values: list[list[float]], videos: list[str]) -> stats.Estimate:
    """Estimate the mean of values (S, C) over clips; its interval covers videos and trainings."""
    points, resampled = stats.means(np.array(values), np.array(videos))
    return stats.estimate(points, resampled.mean(1), kind="level")


def _rounded(values):
    """Round to ``DIGITS`` decimals: a number, or an array as lists."""
    return np.round(values, DIGITS).tolist()
