"""Commands that train a model to keep, and that apply it: train, predict."""

from pathlib import Path
from typing import Annotated

import typer

from msalib.base.terminal import say
from msalib.commands.arguments import (
    AcceptCut,
    Clean,
    Device,
    Parameter,
    set_accept_cut,
    set_clean,
    values,
)


def train(
    dataset: Annotated[str, typer.Argument(help="A data set, such as raw (msalib data).")],
    out: Annotated[Path, typer.Option(help="The folder to save the model to.")],
    parameter: Parameter = None,
    features: Annotated[
        str | None, typer.Option(help="Of frozen layers: weighted, mid_best, output or input.")
    ] = None,
    model: Annotated[str, typer.Option(help="uegd, or mmml with its encoders.")] = "uegd",
    clean: Clean = False,
    accept_cut: AcceptCut = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Replace the model of that name.")
    ] = False,
) -> None:
    """Train a model on all modalities that it reads, once per seed, and save it for predict.

    Example: msalib train raw --out my-model -p profile full -p seeds 5
    """
    from msalib.pages import predict
    from msalib.runs import save

    set_clean(clean)
    set_accept_cut(accept_cut)
    parameters = values(parameter)
    save.train(model, dataset, out, features=features, refresh=refresh, parameters=parameters)
    say(*predict.report_model(out))


def predict(
    model: Annotated[Path, typer.Argument(help="A folder that msalib train has saved.")],
    text: Annotated[str | None, typer.Option(help="What is said.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A file of sound.")] = None,
    video: Annotated[
        Path | None, typer.Option(help="A video (sound and pictures), or a folder of frames.")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help=".npz with an array (frames, features) named by modality."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV of many clips: id, text, audio, video, features.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    device: Device = "auto",
    accept_cut: AcceptCut = False,
) -> None:
    """Apply a saved model to a clip of your own: prediction, intervals, parts of modalities."""
    from msalib.pages import predict
    from msalib.runs import clips

    set_accept_cut(accept_cut)
    clip = clips.single(text=text, audio=audio, video=video, features=features)
    say(*predict.command(model, clip, table=table, as_json=as_json, device=device))
