"""Pretrain the small encoders that ship with the package.

    python -m msalib.encoders.pretrain [bert|wavlm|clip]

Each is pretrained on the unlabelled part of the raw control alone, by its objective
(``encoders.objectives``). Writes ``encoders/small/<name>`` (configuration, weights in float16,
tokeniser or preprocessor, a card) and ``pretrain.json`` beside the records of runs. Its keys, by
encoder: ``losses``, means over ``WINDOW`` steps from first to last; ``probe``, by layer (0 is the
input to block 1) the correlation of a ridge regression, on the mean of a clip's frames, with the
modality's sentiment. It uses the training and validation speakers of ``raw``: ``valid`` is the
correlation on validation speakers after training ones, ``folds`` that of five folds over the
speakers of both. The test set is never used. ``CHOICES`` says which settings were changed after
first runs.
"""

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer

from msalib.base import files, provenance
from msalib.base.progress import bar
from msalib.data.corpus import Corpus
from msalib.data.simulate import raw, render
from msalib.encoders import objectives
from msalib.encoders.forward import quiet
from msalib.encoders.objectives import BLOCKS, SEED, WIDTH, Objective
from msalib.encoders.registry import SMALL

OBJECTIVES = {"bert": objectives.bert, "wavlm": objectives.wavlm, "clip": objectives.clip}
MODALITY = {"bert": "linguistic", "wavlm": "acoustic", "clip": "visual"}

STEPS = {"bert": 6000, "wavlm": 1500, "clip": 1200}

WINDOW = 50
"""Steps in one mean of the loss."""

RATES = {"bert": 3e-3, "wavlm": 1e-3, "clip": 1e-3}
"""Highest learning rate, after a tenth of the steps; it falls to zero on a half cosine."""

TRANSCRIPT_VIDEOS = 1500
"""Videos of the unlabelled part for ``bert``: words need no rendering, and a few hundred
transcripts do not show which words go together."""

_CHANGED = (
    "Settings were changed after first runs whose probes were at chance on training and validation "
    "speakers. No test clip was looked at."
)
CHOICES = {"bert": _CHANGED, "wavlm": "No test clip was looked at.", "clip": _CHANGED}
"""What decided the settings: stated in the card, in the record and on the page."""


class Pretrained(NamedTuple):
    """An objective after training, with the means of its loss over ``WINDOW`` steps each."""

    objective: Objective
    losses: list[float]


def pretrain(name: str, folder: Path, steps: int | None = None, clips: Corpus | None = None):
    """Pretrain one encoder on the CPU and save it in ``folder``; return it, ``Pretrained``.

    ``clips`` are the unlabelled part of the raw control unless given.
    """
    if clips is None:
        clips = raw.unlabelled(videos=TRANSCRIPT_VIDEOS) if name == "bert" else raw.unlabelled()
    torch.manual_seed(SEED)
    steps = steps or STEPS[name]
    with provenance.one_thread():  # else sums, and so weights, depend on the machine's cores
        objective = OBJECTIVES[name](clips)
        losses = _train(objective.trained, objective.loss, steps, name)
    pretrained = Pretrained(objective, losses)
    save(name, pretrained, folder, steps)
    return pretrained


def _train(model, loss: Callable[[], torch.Tensor], steps: int, name: str) -> list[float]:
    """Minimise ``loss`` and return its means over ``WINDOW`` steps each."""
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


# --- probes -------------------------------------------------------------------------------------


def states(name: str, folder: Path, clips: Corpus, rows: np.ndarray) -> np.ndarray:
    """Return the mean over frames of every layer of the saved model for these clips: (L, N, D).

    A frame is a token, 20 ms of sound, or the class token of a picture.
    """
    return np.stack([s.mean(1) for s in _states(name, folder, clips, rows)], axis=1)


def _states(name, folder, clips, rows) -> Iterator[np.ndarray]:
    """Yield all layers of one clip at a time, (L, T, D)."""
    from transformers import AutoModel, AutoTokenizer

    with quiet():  # on BERT's pooler, which is missing and not used
        model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder) if name == "bert" else None
    for row in bar(rows, f"probing {name}", "clip"):
        if name == "bert":
            inputs = tokenizer(clips.utterances["text"].iloc[row], return_tensors="pt")
        elif name == "wavlm":
            inputs = {"input_values": torch.tensor(render.sound(clips, row))[None]}
        else:
            inputs = {"pixel_values": objectives.pixels(render.clip(clips, row)[1])}
        with torch.inference_mode():
            layers = torch.stack(model(**inputs, output_hidden_states=True).hidden_states)
        yield (layers[:, :, 0] if name == "clip" else layers[:, 0]).numpy()


def probe(name: str, folder: Path) -> dict[str, list[float]]:
    """Return correlations with the modality's sentiment by layer: see the module's docstring."""
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
    correlations = {"valid": [], "folds": []}
    for x in states(name, folder, clips, rows):
        # The class token enters block 1 the same whatever is seen, but for rounding.
        if x.std(0).max() < 1e-5:
            correlations["valid"].append(0.0)
            correlations["folds"].append(0.0)
            continue
        guess = ridge.fit(x[: len(train)], y[: len(train)]).predict(x[len(train) :])
        correlations["valid"].append(_corr(guess, y[len(train) :]))
        folds = cross_val_predict(ridge, x, y, groups=speaker, cv=GroupKFold(5))
        correlations["folds"].append(_corr(folds, y))
    return correlations


def _corr(a, b) -> float:
    return round(float(np.corrcoef(a, b)[0, 1]), 3)


# --- the folder and the record --------------------------------------------------------------------


def save(name: str, pretrained: Pretrained, folder: Path, steps: int) -> None:
    """Write the model's folder anew, whole or not at all."""
    with files.whole_folder(folder) as new:
        with quiet():
            pretrained.objective.model.half().save_pretrained(new)
        pretrained.objective.save_rest(new)
        (new / "README.md").write_text(_card(name, pretrained, steps))
        for path in new.iterdir():
            path.chmod(0o644)


def _card(name: str, pretrained: Pretrained, steps: int) -> str:
    card, losses = pretrained.objective.card, pretrained.losses
    return f"""---
license: mit
---

# small-{name}

{card["what"]}: {BLOCKS} blocks, width {WIDTH}, weights in float16.

- **Data**: {card["data"]}, the unlabelled part of the raw control (`msalib.simulate.raw`). Speakers
  and videos are others than those of the labelled part; no label or sentiment was used.
- **Objective**: {card["objective"]}.
- **Training**: {steps} steps of AdamW, seed {SEED}. Loss {losses[0]:.3f} in the first
  {WINDOW} steps, {losses[-1]:.3f} in the last.
- **Choices**: {CHOICES[name]}
- **Made by**: `python -m msalib.encoders.pretrain {name}`;
  losses by step and what linear probes find in each layer are in `book/records/pretrain.json`.
- **Licence**: MIT, as the package. It was trained on nothing but output of this package.
- **What it is not**: a model of human language, speech or faces. It knows some two hundred words,
  babble and drawings, and serves the raw control, tests and lessons; for real clips take a real
  encoder.
"""


def _record(name: str, pretrained: Pretrained, probes: dict[str, list[float]]) -> None:
    remedy = "run python -m msalib.encoders.pretrain"
    kept = files.Recorded(dict[str, dict], "pretrain.json", "record of pretraining", remedy)
    record = kept.read() if kept.exists else {}
    record[name] = {
        **pretrained.objective.card,
        "steps": STEPS[name],
        "seed": SEED,
        "choices": CHOICES[name],
        "losses": [round(loss, 4) for loss in pretrained.losses],
        "probe": probes,
        "provenance": {
            "commit": provenance.commit(),
            "device": provenance.device_name("cpu"),
            "versions": provenance.versions(),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    files.write_text(kept.path, json.dumps(record, indent=2) + "\n")


def main(names: Annotated[list[str] | None, typer.Argument(help="all by default")] = None) -> None:
    """Pretrain, save, probe and record."""
    for name in names or list(OBJECTIVES):
        if name not in OBJECTIVES:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(OBJECTIVES)}")
        pretrained = pretrain(name, SMALL / name)
        _record(name, pretrained, probe(name, SMALL / name))


if __name__ == "__main__":
    typer.run(main)
