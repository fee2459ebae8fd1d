"""The control of local pieces: simulated sequences with sentiment in a few frames, or in all.

Clips, speakers, sentiment s, labels y and split are drawn as in the feature control (``features``).
Clip i, modality m, layer k, frame t, kind q = q_im:

    x_imtk = R_mk (n_im + e_imtk + g_imt (a z_im d_q + M e_3 + C e_(3+q)) + (1 - g_imt) r_im O e_7)
    d_1, d_2, d_3 = -e_1, e_2, e_1

g is 1 on three consecutive frames, the burst, at a random place after the first frame; else 0. z is
the sentiment that the modality shows, in standard deviations: s, or that of another clip in the one
modality of each clip that is unreliable. r is 1 there, else 0. n (per clip) is a standard normal
vector, e (per frame and layer) a normal one with half that spread. M marks a burst, C its kind, O
an unreliable modality.

- A burst is local: the first frame does not have it, and the mean over all frames hardly.
- No linear map reads the bursts of all kinds: kinds 1 and 3 differ in sign alone, kind 2 lies in
  another direction. What knows the kind can read it, so an expert for each does, or two layers.
- A burst does not say whether it can be trusted; all other frames do, the first among them.

In the opposite story g is 1 on all frames, q is always 3, and M, C and r are zero:

    x_imtk = R_mk (n_im + e_imtk + a z_im d_3)

Text has two layers, the last two of an encoder. They share n, and R drifts between them as in
``features``; sound and pictures have one. Frames are aligned with words, so the three modalities of
a clip are equally long. Stories of one seed share everything that is not named here, noise too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data.corpus import MODALITIES, Corpus, Features
from msalib.data.simulate.features import (
    draw_clips,
    draw_labels,
    draw_sentiment,
    draw_split,
    drifting,
    provenance,
)


class Story(NamedTuple):
    """What is planted in one control of local pieces."""

    steps: int | None
    """Frames of a burst; None where all frames of a clip carry its sentiment."""

    kinds: int
    """Number of directions in which sentiment is written, at most 3."""

    unreliable_share: float
    """Share of clips in which one modality shows the sentiment of another clip."""

    weights: Mapping[str, float]
    """w: share of each modality in the overall sentiment."""


STORIES = MappingProxyType(
    {
        "control-local": Story(
            steps=3,
            kinds=3,
            unreliable_share=1.0,
            weights={"visual": 0.3, "acoustic": 0.2, "linguistic": 0.5},
        ),
        "control-local-opposite": Story(
            steps=None,
            kinds=1,
            unreliable_share=0.0,
            weights=dict.fromkeys(MODALITIES, 1 / 3),
        ),
    }
)
"""In ``control-local`` GLoMo is right: sentiment is local, reading it takes experts, the weights of
modalities lie outside the bursts, and text tells most, the voice least (papers/glomo.md (b)). In
``control-local-opposite`` all of that is false."""

VIDEOS, CLIPS = 105, (5, 15)
"""Number of videos, and the range of clips per video, ends included."""

TRAIN_SHARE, VALID_SHARE = 0.57, 0.14
"""Shares of the speakers: about 600, 150 and 300 clips."""

SHORTEST, LONGEST, SHAPE = 6, 24, (2.0, 2.5)
"""Frames per clip; places between the two ends follow a beta distribution, with mean 14."""

SIZES = MappingProxyType({"visual": 14, "acoustic": 12, "linguistic": 16})
"""D, features per frame."""

LAYERS = MappingProxyType({"visual": 1, "acoustic": 1, "linguistic": 2})
"""Number of layers, counted from 1."""

DIRECTIONS = np.array([(-1.0, 0.0), (0.0, 1.0), (1.0, 0.0)])
"""d: the direction along e_1 and e_2 in which each kind writes sentiment."""

FRAME_SD = 0.5
"""Standard deviation of e; that of n is 1."""

RATIO = 3.0
"""a: signal per standard deviation of sentiment, over the standard deviation of n."""

BURST_MARK, KIND_MARK, UNRELIABLE_MARK = 3.0, 3.0, 3.0
"""M, C and O."""


def pieces(
    story: str = "control-local",
    seed: int = 0,
    *,
    videos: int = VIDEOS,
    clips: tuple[int, int] = CLIPS,
) -> Corpus:
    """Return the control of that name, one of ``STORIES``, the same one for the same arguments.

    The only split, ``standard``, puts all videos of a speaker in one part. ``truth`` holds

    - ``sentiment``: per modality (N,), from -3 to 3; ``overall`` (N,); their ``weights``;
    - ``shown``: per modality (N,), the sentiment that its frames are made from;
    - ``informative``: per modality (S,), true on frames that carry it; ``steps`` of a burst, None
      where these are all;
    - ``kind``: per modality (N,), from 1 to 3; ``kinds``, how many there are;
    - ``unreliable``: per modality (N,), true where it shows another clip's sentiment;
      ``unreliable_share`` of the clips that have such a modality;
    - ``ratio``, ``burst_mark``, ``kind_mark``, ``unreliable_mark``: a, M, C, O, zero where the
      story has none.

    Raises ``KeyError`` for an unknown story.
    """
    planted = STORIES[story]
    people, trust, *streams = np.random.default_rng(seed).spawn(2 + len(MODALITIES))
    table = draw_clips(people, videos, clips)
    sentiment = draw_sentiment(people, pd.factorize(table["video"])[0])
    split = draw_split(people, table["speaker"], TRAIN_SHARE, VALID_SHARE)
    overall = sum(planted.weights[m] * sentiment[m] for m in MODALITIES)
    lengths = _lengths(people, len(table))
    unreliable = _unreliable(trust, len(table), planted.unreliable_share)
    settings = {"story": story, "seed": seed, "videos": videos, "clips": list(clips)}
    features, drawn = {}, {}
    for m, rng in zip(MODALITIES, streams, strict=True):
        layers, drawn[m] = _layers(rng, m, sentiment[m], lengths, unreliable[m], planted)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        made = provenance("msalib.simulate.pieces", settings, layers)
        features[m] = Features("control", "time step", layers, offsets, made)
    return Corpus(
        name=story,
        utterances=table.assign(text="", label=draw_labels(people, overall)),
        features=features,
        splits={"standard": split},
        truth={"sentiment": sentiment, "overall": overall, "unreliable": unreliable}
        | {name: {m: drawn[m][name] for m in MODALITIES} for name in drawn["visual"]}
        | _numbers(planted),
    )


def _numbers(planted: Story) -> dict[str, object]:
    """Return the numbers of a story, as ``truth`` has them."""
    local = planted.steps is not None
    return {
        **planted._asdict(),
        "weights": dict(planted.weights),
        "ratio": RATIO,
        "burst_mark": BURST_MARK * local,
        "kind_mark": KIND_MARK * (planted.kinds > 1),
        "unreliable_mark": UNRELIABLE_MARK * (planted.unreliable_share > 0),
    }


def _lengths(rng, clips: int) -> np.ndarray:
    """Draw the frames of each clip, (N,)."""
    return SHORTEST + rng.binomial(LONGEST - SHORTEST, rng.beta(*SHAPE, size=clips))


def _unreliable(rng, clips: int, share: float) -> dict[str, np.ndarray]:
    """Draw by modality the clips (N,) in which it is the unreliable one; equally many of each."""
    which = rng.permutation(clips)
    affected = rng.permutation(clips) < share * clips
    return {m: affected & (which % len(MODALITIES) == i) for i, m in enumerate(MODALITIES)}


def _layers(
    rng, modality, sentiment, lengths, unreliable, planted: Story
) -> tuple[dict[int, np.ndarray], dict[str, np.ndarray]]:
    """Draw the features x (S, D) of each layer, in half precision, and the truth about them."""
    size, clips = SIZES[modality], len(lengths)
    clip = np.repeat(np.arange(clips), lengths)  # (S,)
    noise = rng.normal(size=(clips, size))[clip]
    shown = np.where(unreliable, rng.permutation(sentiment), sentiment)
    kind = 3 - rng.permutation(clips) % planted.kinds
    informative = _bursts(rng, clip, lengths, planted.steps)
    written = _written(shown / sentiment.std(), kind, _numbers(planted), size)
    mean = noise + informative[:, None] * written[clip]
    mean[:, 6] += UNRELIABLE_MARK * (unreliable[clip] & ~informative)
    rotations = drifting(rng, size)
    layers = {}
    for k in range(1, LAYERS[modality] + 1):
        frames = mean + FRAME_SD * rng.normal(size=mean.shape)
        layers[k] = (frames @ next(rotations).T).astype(np.float16)
    return layers, {"shown": shown, "kind": kind, "informative": informative}


def _bursts(rng, clip, lengths, steps: int | None) -> np.ndarray:
    """Draw g, (S,): consecutive frames of every clip at a random place after the first frame."""
    draws = rng.random(len(lengths))
    if steps is None:
        return np.ones(len(clip), bool)
    first = 1 + np.floor(draws * (lengths - steps)).astype(int)
    place = np.arange(len(clip)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return (place >= first[clip]) & (place < first[clip] + steps)


def _written(z, kind, numbers: Mapping, size: int) -> np.ndarray:
    """Return what an informative frame of each clip has besides noise, (N, D), before R."""
    written = np.zeros((len(z), size))
    written[:, :2] = RATIO * z[:, None] * DIRECTIONS[kind - 1]
    written[:, 2] = numbers["burst_mark"]
    written[np.arange(len(z)), 2 + kind] = numbers["kind_mark"]
    return written
