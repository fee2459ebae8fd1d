"""The feature control: a simulated corpus in which the truth is known.

Clip i of video v by speaker p; modality m, layer k, frame t:

    s_im  = clip(u_v + c_i + d_im, -3, 3)             sentiment of one modality
    s_i   = sum_m w_m s_im                            overall sentiment
    y_i   = mean over 5 annotators of round(clip(s_i + error, -3, 3))      the label
    x_imtk = R_mk (n_im + e_imt + b_m o_pm + g_imt (a_mk z_im e_1 + 2 e_2))

z is s in standard deviations. n (per clip), e (per frame) and o (per speaker) are standard normal
vectors; b is the speaker effect; g is 1 on informative frames, else 0. a is the planted
signal-to-noise ratio of the layer: the signal of an informative frame, per standard deviation of
sentiment, over that of the clip's noise along the same direction. The shift along e_2 marks
informative frames, in every layer alike, so that attention can learn where to look.

All layers of a clip share their noise up to the rotation R_mk, which drifts from layer to layer
as in a residual stream: neighbours are similar, and layers with equal a hold the same information
clip by clip, not just on average. Nothing but a makes one layer better than another.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from msalib.data.corpus import MODALITIES, Corpus, Features

BLOCKS = 24
"""L, blocks of the simulated encoders, as many as those of UEGD have."""


class Story(NamedTuple):
    """The effects that are planted in one control, by modality."""

    ratios: Mapping[str, Mapping[int, float]]
    """Layer -> signal-to-noise ratio, on straight lines between the layers that are named."""

    speaker_effect: Mapping[str, float]
    """b: standard deviation of the speakers' offsets; the clips' own noise has 1."""

    def profiles(self) -> dict[str, list[float]]:
        """Return the ratio of each layer, from the input (0) to the last block."""
        return {
            m: np.interp(range(BLOCKS + 1), list(points), list(points.values())).tolist()
            for m, points in self.ratios.items()
        }


STORIES = MappingProxyType(
    {
        "control": Story(
            ratios={
                "visual": {0: 0.8, 9: 2.0, 24: 2.0},
                "acoustic": {0: 0.1, 8: 0.6, 20: 2.4, 24: 0.8},
                "linguistic": {0: 1.2, 1: 1.6, 20: 2.2, 24: 1.9},
            },
            speaker_effect={"visual": 1.0, "acoustic": 0.4, "linguistic": 0.1},
        ),
        "control-opposite": Story(
            ratios={
                "visual": {0: 0.4, 24: 2.0},
                "acoustic": {0: 2.0, 24: 2.0},
                "linguistic": {0: 1.8, 6: 2.6, 12: 0.8, 24: 0.3},
            },
            speaker_effect={"visual": 0.0, "acoustic": 1.0, "linguistic": 1.0},
        ),
    }
)
"""In ``control`` layers are as in UEGD (UEGD-C1, C5, C8 to C13; papers/uegd.md (b)): text is nearly
flat with its best block in the second half, audio peaks at block 20, and vision is flat
from block 9. Inputs are worse than blocks, most of all in audio, and faces tell speakers apart. In
``control-opposite`` all of that is false: text is best early and worst at the end, audio gains
nothing over its input, vision rises to the last block, and voices and words, not faces, tell
speakers apart."""

SIZES = MappingProxyType({"visual": 24, "acoustic": 20, "linguistic": 16})
"""D, features per frame."""

WEIGHTS = MappingProxyType({"visual": 0.2, "acoustic": 0.3, "linguistic": 0.5})
"""w: share of each modality in the overall sentiment."""

VIDEO_SD, CLIP_SD, MODALITY_SD = 0.75, 1.2, 1.1
"""Standard deviations of u, c and d: 0.7 of the variance of labels is within videos, as in MOSI."""

ANNOTATORS, ANNOTATOR_SD = 5, 0.5
VIDEOS_PER_SPEAKER = 1.2
TRAIN_SHARE, VALID_SHARE = 52 / 93, 10 / 93
"""Shares of the speakers, as those of the videos in the standard split of CMU-MOSI."""

MARK = 2.0
"""Shift of informative frames along the second direction."""

DRIFT = 0.5
"""Angle of the rotation from one layer to the next; the frames of neighbours correlate at 0.88."""


def control(
    seed: int = 0,
    *,
    videos: int = 60,
    clips: tuple[int, int] = (5, 15),
    frames: tuple[int, int] = (4, 30),
    profiles: Mapping[str, Sequence[float]] = STORIES["control"].profiles(),
    speaker_effect: Mapping[str, float] = STORIES["control"].speaker_effect,
    informative_share: float = 0.5,
) -> Corpus:
    """Simulate a corpus named ``control``, the same one for the same arguments.

    ``clips`` (per video) and ``frames`` (per clip and modality) are ranges, ends included.
    ``profiles`` gives each modality its signal-to-noise ratio in layers 0 (the input of block 1)
    to L; equal values make equal layers, zeros make features without sentiment. Labels, frames and
    noise do not depend on profiles and effects, so corpora of one seed differ in nothing but what
    is planted.

    The only split, ``standard``, puts all videos of a speaker in one part. ``truth`` holds

    - ``sentiment``: per modality (N,), from -3 to 3; ``overall`` (N,); their ``weights``;
    - ``profiles``: per modality, layer number -> signal-to-noise ratio;
    - ``best_layers``: per modality, the block or equally good blocks with the highest ratio;
    - ``speaker_effect``: per modality; ``informative_share``;
    - ``informative``: per modality (S,), true on informative frames.

    Raises ``ValueError`` for arguments that make no corpus.
    """
    _check(videos, clips, frames, profiles, speaker_effect, informative_share)
    people, *streams = np.random.default_rng(seed).spawn(1 + len(MODALITIES))
    table = draw_clips(people, videos, clips)
    sentiment = draw_sentiment(people, pd.factorize(table["video"])[0])
    overall = sum(WEIGHTS[m] * sentiment[m] for m in MODALITIES)
    settings = {
        "seed": seed,
        "videos": videos,
        "clips": list(clips),
        "frames": list(frames),
        "profiles": {m: [float(ratio) for ratio in profiles[m]] for m in MODALITIES},
        "speaker_effect": {m: float(speaker_effect[m]) for m in MODALITIES},
        "informative_share": informative_share,
    }
    speaker = pd.factorize(table["speaker"])[0]
    features, informative = {}, {}
    for m, stream in zip(MODALITIES, streams, strict=True):
        lengths = stream.integers(*frames, size=len(table), endpoint=True)
        layers, informative[m] = _layers(
            stream, m, sentiment[m], speaker, lengths, settings, informative_share
        )
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        made = provenance("msalib.simulate.control", settings, layers)
        features[m] = Features("control", "time step", layers, offsets, made)
    return Corpus(
        name="control",
        utterances=table.assign(text="", label=draw_labels(people, overall)),
        features=features,
        splits={"standard": draw_split(people, table["speaker"])},
        truth={
            "sentiment": sentiment,
            "overall": overall,
            "weights": dict(WEIGHTS),
            "profiles": {m: dict(enumerate(settings["profiles"][m])) for m in MODALITIES},
            "best_layers": {m: _best(profiles[m]) for m in MODALITIES},
            "speaker_effect": settings["speaker_effect"],
            "informative_share": informative_share,
            "informative": informative,
        },
    )


def story(name: str) -> Corpus:
    """Return the control of that name, one of ``STORIES``, which differ in what is planted."""
    planted = STORIES[name]
    corpus = control(profiles=planted.profiles(), speaker_effect=planted.speaker_effect)
    return replace(corpus, name=name)


def _check(videos, clips, frames, profiles, speaker_effect, informative_share):
    if videos < 8:
        raise ValueError(f"videos must be at least 8, to fill three parts, got {videos}")
    for name, (low, high) in (("clips", clips), ("frames", frames)):
        if not 1 <= low <= high:
            raise ValueError(f"{name} must be a range (low, high) from 1 on, got {(low, high)}")
    for name, mapping in (("profiles", profiles), ("speaker_effect", speaker_effect)):
        if set(mapping) != set(MODALITIES):
            raise ValueError(f"{name} must name {MODALITIES}, got {tuple(mapping)}")
    for m in MODALITIES:
        if len(profiles[m]) < 2 or min(profiles[m]) < 0:
            raise ValueError(
                f"profile of {m} must be ratios of at least 0 for two or more layers, "
                f"got {profiles[m]}"
            )
        if speaker_effect[m] < 0:
            raise ValueError(f"speaker effect of {m} must be at least 0, got {speaker_effect[m]}")
    if not 0 < informative_share <= 1:
        raise ValueError(f"informative_share must be in (0, 1], got {informative_share}")


def _best(profile) -> tuple[int, ...]:
    blocks = profile[1:]
    return tuple(k for k, ratio in enumerate(blocks, start=1) if ratio == max(blocks))


def draw_clips(rng, videos, clips) -> pd.DataFrame:
    """Draw video, segment and speaker of every clip, by id; some speakers have several videos."""
    speakers = round(videos / VIDEOS_PER_SPEAKER)
    speaker = np.append(np.arange(speakers), rng.integers(speakers, size=videos - speakers))
    speaker = rng.permutation(speaker)
    rows = [
        {"id": f"v{video:04d}_{segment}", "video": f"v{video:04d}", "segment": segment}
        | {"speaker": f"s{speaker[video]:04d}"}
        for video, count in enumerate(rng.integers(*clips, size=videos, endpoint=True))
        for segment in range(1, count + 1)
    ]
    return pd.DataFrame(rows).set_index("id")


def draw_sentiment(rng, group, between=VIDEO_SD, within=CLIP_SD) -> dict[str, np.ndarray]:
    """Draw s, the sentiment of each modality, (N,); ``group`` (N,) numbers the clips' videos.

    ``between`` and ``within`` are the standard deviations of u and c.
    """
    shared = between * rng.normal(size=group.max() + 1)[group]
    shared = shared + within * rng.normal(size=len(group))
    return {
        m: np.clip(shared + MODALITY_SD * rng.normal(size=len(group)), -3, 3) for m in MODALITIES
    }


def draw_labels(rng, overall) -> np.ndarray:
    """Draw y, the mean rating of the annotators, in steps of 0.2."""
    errors = ANNOTATOR_SD * rng.normal(size=(len(overall), ANNOTATORS))
    ratings = np.round(np.clip(overall[:, None] + errors, -3, 3))
    return ratings.mean(1) + 0.0  # turns minus zero into zero


def draw_split(rng, speaker: pd.Series, train=TRAIN_SHARE, valid=VALID_SHARE) -> pd.Series:
    """Draw the part of each clip; all clips of a speaker share one.

    ``train`` and ``valid`` are shares of the speakers.
    """
    speakers = rng.permutation(speaker.unique())
    train, valid = (round(len(speakers) * share) for share in (train, train + valid))
    part = {
        s: "train" if i < train else "valid" if i < valid else "test"
        for i, s in enumerate(speakers)
    }
    return speaker.map(part)


def _informative(rng, clip, lengths, share) -> np.ndarray:
    """Draw g, (S,): a share of the frames of every clip at random places, at least one."""
    order = np.lexsort((rng.random(len(clip)), clip))  # frames shuffled within their clip
    place = np.arange(len(clip)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    informative = np.empty(len(clip), bool)
    informative[order] = place < np.maximum(1, np.round(share * lengths))[clip]
    return informative


def _layers(
    rng, modality, sentiment, speaker, lengths, settings, informative_share
) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Draw the features x (S, D) of each layer, in half precision, and g (S,)."""
    size, effect = SIZES[modality], settings["speaker_effect"][modality]
    clip = np.repeat(np.arange(len(lengths)), lengths)  # (S,)
    offset = effect * rng.normal(size=(speaker.max() + 1, size))
    noise = (offset[speaker] + rng.normal(size=(len(lengths), size)))[clip]
    noise += rng.normal(size=(len(clip), size))
    informative = _informative(rng, clip, lengths, informative_share)
    noise[informative, 1] += MARK
    signal = informative * (sentiment / sentiment.std())[clip]
    rotations = drifting(rng, size)
    layers = {}
    for k, ratio in enumerate(settings["profiles"][modality]):
        frames = noise.copy()
        frames[:, 0] += ratio * signal
        layers[k] = (frames @ next(rotations).T).astype(np.float16)
    return layers, informative


def drifting(rng, size) -> Iterator[np.ndarray]:
    """Draw R, the rotation (D, D) of one layer after the other, each near the one before."""
    from scipy.linalg import expm

    rotation = np.linalg.qr(rng.normal(size=(size, size)))[0]
    while True:
        yield rotation
        turn = rng.normal(size=(size, size))
        rotation = expm(DRIFT * (turn - turn.T) / np.sqrt(2 * size)) @ rotation


def provenance(generator: str, settings: Mapping, layers: Mapping[int, np.ndarray]):
    """Return what tells simulated features from others, and how to make them again."""
    digest = hashlib.sha256()
    for frames in layers.values():
        digest.update(frames.tobytes())
    return {
        "generator": generator,
        "settings": json.dumps(settings),
        "sha256": digest.hexdigest(),
    }
