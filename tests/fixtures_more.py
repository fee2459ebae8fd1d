"""Tiny data of every layout that is no pickle, written as their makers write them.

About 40 clips in 10 or more videos, none of the parts empty, labels of both signs, and features
and texts that follow the labels, so that something can be learned. ``FIXTURES``: name of a format
-> writer, which is given a folder and returns the path to add; ``VARIANTS``: name -> format and
writer, where a format has more than one layout.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

WORDS = {
    -1: ("terrible", "boring", "awful", "weak", "sad"),
    0: ("plain", "long", "quiet", "new", "short"),
    1: ("great", "lovely", "funny", "strong", "warm"),
}
FILLERS = ("this", "film", "was", "really", "quite", "and", "the", "plot", "felt")


def sentence(rng: np.random.Generator, label: float) -> str:
    """Some words, more of them of the label's sign the further it is from 0."""
    own = list(rng.choice(WORDS[int(np.sign(round(label)))], 1 + round(abs(label))))
    return " ".join(rng.permutation([*own, *rng.choice(FILLERS, int(rng.integers(2, 6)))]))


def frames(rng: np.random.Generator, label: float, count: int, size: int) -> np.ndarray:
    """Noise (count, size) whose first column follows the label."""
    values = rng.normal(size=(count, size)).astype(np.float32)
    values[:, 0] += label
    return values


def labels(rng: np.random.Generator, count: int, scale: float = 3) -> np.ndarray:
    """Labels of both signs and of every size, in no order."""
    return rng.permutation(np.linspace(-scale, scale, count).round(1))


# --- CMU SDK ------------------------------------------------------------------------------------


def write_csd(path: Path, root: str, entries: dict, version: str = "1.0") -> Path:
    """One sequence: video -> features (T, D) and intervals (T, 2)."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(path, "w") as file:
        for video, (features, intervals) in entries.items():
            group = file.create_group(f"{root}/data/{video}")
            group.create_dataset("features", data=features)
            group.create_dataset("intervals", data=intervals)
        metadata = file.require_group(f"{root}/metadata")
        told = {"root name": root, "computational sequence version": version, "creator": "nobody"}
        for key, value in told.items():
            metadata.create_dataset(key, (1,), dtype=h5py.string_dtype())
            metadata[key][0] = json.dumps(value)
    return path


def csd(folder: Path, videos: int = 12, clips: int = 4) -> Path:
    """Clips of 1.5 s at a distance of 0.5 s; words of 0.3 s, with silence between them."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    label = labels(rng, videos * clips).reshape(videos, clips)
    names = [f"vid{v:02d}" for v in range(videos)]
    start = np.arange(clips) * 2.0
    kinds: dict[str, dict] = {k: {} for k in ("labels", "words", "glove", "covarep", "facet")}
    for v, name in enumerate(names):
        kinds["labels"][name] = (label[v][:, None], np.stack([start, start + 1.5], 1))
        words, times = [], []
        for k in range(clips):
            for j, word in enumerate(sentence(rng, label[v, k]).split()[:4]):
                begin = start[k] + 0.35 * j
                words += [word, "sp"]
                times += [(begin, begin + 0.3), (begin + 0.3, begin + 0.35)]
        times = np.array(times)
        kinds["words"][name] = (np.array(words, "S16")[:, None], times)
        clip = (times[:, 0] // 2).astype(int)
        vectors = rng.normal(size=(len(words), 8)).astype(np.float32)
        vectors[:, 0] += label[v, clip]
        kinds["glove"][name] = (vectors, times)
        for kind, rate, size in (("covarep", 10, 6), ("facet", 5, 5)):
            at = np.arange(int(clips * 2 * rate)) / rate
            values = rng.normal(size=(len(at), size)).astype(np.float32)
            values[:, 0] += label[v, (at // 2).astype(int)]
            kinds[kind][name] = (values, np.stack([at, at + 1 / rate], 1))
    write_csd(folder / "TOY_Opinion_Labels.csd", "Opinion Segment Labels", kinds["labels"])
    write_csd(folder / "TOY_TimestampedWords.csd", "words", kinds["words"])
    write_csd(folder / "TOY_TimestampedWordVectors.csd", "glove_vectors", kinds["glove"])
    write_csd(folder / "TOY_COVAREP.csd", "COVAREP", kinds["covarep"])
    write_csd(folder / "TOY_Visual_Facet_42.csd", "FACET_4.2", kinds["facet"])
    return folder


# --- media with label.csv -----------------------------------------------------------------------


def tone(rng: np.random.Generator, label: float, rate: int = 16000) -> np.ndarray:
    """0.4 to 0.8 s of a tone whose pitch follows the label."""
    seconds = rng.uniform(0.4, 0.8)
    time = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * (220 + 30 * label) * time)).astype(np.float32)


def face(rng: np.random.Generator, label: float, size: int = 48) -> np.ndarray:
    """A round face (size, size, 3) whose mouth bends with the label."""
    import cv2

    picture = rng.integers(0, 30, (size, size, 3)).astype(np.uint8)
    middle = size // 2
    cv2.circle(picture, (middle, middle), size // 2 - 4, (150, 180, 220), -1)
    for eye in (-8, 8):
        cv2.circle(picture, (middle + eye, middle - 6), 2, (20, 20, 20), -1)
    for x in range(-8, 9):
        y = round(label * (1 - (x / 8) ** 2) * 2)
        cv2.circle(picture, (middle + x, middle + 9 + y), 1, (40, 40, 160), -1)
    return picture


def media(folder: Path, videos: int = 12, clips: int = 2) -> Path:
    """``<video>/<clip>.wav`` and a folder of frames beside it, called like SIMS's: 0001."""
    cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
    soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")
    rng = np.random.default_rng(0)
    label = labels(rng, videos * clips)
    rows = []
    for i, y in enumerate(label):
        video, clip = f"video_{i // clips:04d}", f"{i % clips + 1:04d}"
        pictures = folder / video / clip
        pictures.mkdir(parents=True)
        for k in range(int(rng.integers(2, 5))):
            cv2.imwrite(str(pictures / f"{k:03d}.png"), face(rng, y))
        soundfile.write(folder / video / f"{clip}.wav", tone(rng, y), 16000)
        part = ("train", "train", "train", "train", "valid", "test")[i // clips % 6]
        rows.append([video, clip, sentence(rng, y), y, part])
    table = pd.DataFrame(rows, columns=["video_id", "clip_id", "text", "label", "mode"])
    table.to_csv(folder / "label.csv", index=False, encoding="utf-8-sig")
    return folder


def ravdess(folder: Path, actors: int = 10) -> Path:
    """Four clips of each actor, all eight emotions."""
    soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    pitch = (0, 0, 1, -1, -1, -1, -1, 0)
    for i in range(4 * actors):
        emotion, actor = i % 8, i // 4 + 1
        name = f"03-01-{emotion + 1:02d}-01-{i % 2 + 1:02d}-01-{actor:02d}.wav"
        soundfile.write(folder / name, tone(rng, pitch[emotion]), 16000)
    return folder


def nemo(folder: Path, sentences: int = 1) -> Path:
    """Every actor reads every sentence in every emotion; speakers have blanks before them."""
    soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    pitch = {"neutral": 0, "anger": -1, "fear": -1, "happiness": 1, "sadness": -1, "surprised": 0}
    rows = []
    for speaker in ("EB0", "IC0", "KD0", "KS0", "MK0", "MP0", "SM0", "TP0", "WR0"):
        for number in range(1, sentences + 1):
            text = f"w lesie rośnie {number} „dębów”"
            for emotion, height in pitch.items():
                name = f"{speaker}_{emotion}_{number}.wav"
                soundfile.write(folder / name, tone(rng, height), 16000)
                rows.append([name, emotion, f'"{text}"', text, " " * 8 + speaker, "female", 27])
    head = ["file_id", "emotion", "raw_text", "normalized_text", "speaker_id", "gender", "age"]
    lines = ["\t".join(map(str, row)) for row in [head, *rows]]
    (folder / "clips.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


# --- transcripts --------------------------------------------------------------------------------


def meld(folder: Path) -> Path:
    """Three files; dialogues are numbered from 0 in each."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    names = {-1: ("negative", "anger"), 0: ("neutral", "neutral"), 1: ("positive", "joy")}
    for part, dialogues in (("train", 7), ("dev", 3), ("test", 4)):
        rows = []
        for i in range(3 * dialogues):
            y = int((i + i // 3) % 3 - 1)
            text = sentence(rng, 2 * y).capitalize() + ", it\u2019s so."
            who = ("Phoebe", "Ross", "Monica")[i % 3]
            turn = i % 3 + (i % 3 == 2)  # as in the source, numbers have gaps
            times = ("00:01:02,003", "00:01:04,005")
            rows.append([i + 1, text, who, names[y][1], names[y][0], i // 3, turn, 4, 7, *times])
        head = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode"
        columns = [*head.split(","), "StartTime", "EndTime"]
        table = pd.DataFrame(rows, columns=columns)
        table.to_csv(folder / f"{part}_sent_emo.csv", index=False)
    return folder


def meld_dev(folder: Path, dialogues: int = 12) -> Path:
    """A table of MELD's dev part, and a vector per array and utterance in the same order."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    names = {-1: ("negative", "sadness"), 0: ("neutral", "neutral"), 1: ("positive", "joy")}
    rows, arrays = [], {name: [] for name in ("text_roberta_base", "audio_wav2vec2_base")}
    for i in range(4 * dialogues):
        dialogue, turn, y = i // 4, i % 4 + (i % 4 == 3), int((i + i // 4) % 3 - 1)
        sentiment, emotion = names[y]
        who, text = ("Phoebe", "Ross", "Monica")[i % 3], sentence(rng, 2 * y)
        clip = f"dia{dialogue}_utt{turn}"
        rows.append([clip, dialogue, turn, who, text, emotion, sentiment])
        for name, values in arrays.items():
            values.append(frames(rng, y, 1, 6 if name.startswith("text") else 5)[0])
    columns = ["id", "dialogue", "turn", "speaker", "text", "emotion", "sentiment"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(folder / "meld_dev.csv", index=False)
    stored = {name: np.array(values, np.float16) for name, values in arrays.items()}
    stored["audio_mel"] = rng.normal([0.4, 0, -0.1, 0], 0.02, (len(rows), 4)).astype(np.float16)
    np.savez(folder / "meld_dev.npz", ids=table["id"].to_numpy(str), **stored)
    return folder


def mustard(folder: Path, clips: int = 40) -> Path:
    """Half of the clips are sarcastic; five folds of test clips by place in the file."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    stored = {}
    for i in range(clips):
        sarcastic = bool(i % 2)
        stored[f"{1 + i % 3}_{10 * i + 60}"] = {
            "utterance": sentence(rng, 2 if sarcastic else -2) + ".",
            "speaker": ("SHELDON", "CHANDLER", "DOROTHY")[i % 3],
            "context": [sentence(rng, 0) + "?" for _ in range(1 + i % 3)],
            "context_speakers": ["PENNY", "ROSS", "PERSON"][: 1 + i % 3],
            "show": ("BBT", "FRIENDS", "GOLDENGIRLS")[i % 3],
            "sarcasm": sarcastic,
        }
    (folder / "sarcasm_data.json").write_text(json.dumps(stored, indent=2))
    order = rng.permutation(clips)
    folds = [order[k::5] for k in range(5)]
    splits = [[sorted(map(int, set(order) - set(f))), sorted(map(int, f))] for f in folds]
    (folder / "split_indices.json").write_text(json.dumps(splits))
    return folder


def iemocap(folder: Path) -> Path:
    """Five sessions of three dialogues; every sixth turn is frustrated."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    polarity = (1, -1, 0, -1, 1, -1)
    rows = []
    for session in range(1, 6):
        for dialogue in ("F_impro01", "M_impro02", "F_script01_1"):
            for turn in range(4):
                emotion = len(rows) % 6
                text = sentence(rng, 2 * polarity[emotion]) + "."
                name = f"Ses0{session}{dialogue}"
                rows.append([name, session, turn, "FM"[turn % 2], text, emotion])
    columns = ["dialogue", "session", "turn", "speaker", "text", "emotion6"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "utterances.csv", index=False)
    return folder


# --- frames -------------------------------------------------------------------------------------

COUNTS = {"train": 24, "valid": 8, "test": 10}


def _arrays(folder: Path, names: dict[str, int], steps: int, to_stored) -> Path:
    """features.npz of ``names`` (array -> width); ``to_stored`` turns labels into the file's."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    stored = {}
    for part, count in COUNTS.items():
        label = labels(rng, count, 2)
        for name, size in names.items():
            stored[f"{name}_{part}"] = np.stack([frames(rng, y, steps, size) for y in label])
        if part != "train":  # as they circulate, texts lack the training part
            stored[f"text_{part}"] = rng.normal(size=(count, steps, 4)).astype(np.float32)
        stored[f"y_{part}"] = to_stored(label).astype(np.float32)
    np.savez(folder / "features.npz", **stored)
    return folder


def mmmo(folder: Path) -> Path:
    """Labels from 1 to 5."""
    return _arrays(folder, {"video": 5, "audio": 6}, 4, lambda y: np.round(2 * (y + 3)) / 2)


def youtube(folder: Path) -> Path:
    """Three classes, one-hot."""
    return _arrays(
        folder,
        {"video": 5, "audio": 6},
        4,
        lambda y: np.eye(3)[1 + np.sign(np.round(y)).astype(int)],
    )


def pom(folder: Path) -> Path:
    """17 traits from 1 to 7; one that a missing rating put below 1."""

    def traits(label):
        stored = np.clip(label[:, None] + 4 + np.linspace(-1, 1, 17), 1, 7)
        stored[-1, 8] = 2 / 3
        return stored

    return _arrays(folder, {"video": 5, "audio": 6}, 4, traits)


FIXTURES: dict[str, Callable[[Path], Path]] = {
    "csd": csd,
    "media": media,
    "meld": meld,
    "mustard": mustard,
    "iemocap": iemocap,
    "frames": mmmo,
    "ravdess": ravdess,
    "nemo": nemo,
}
VARIANTS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "youtube": ("frames", youtube),
    "pom": ("frames", pom),
}
