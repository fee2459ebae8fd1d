"""Parameters of every notebook and command: their names, types and bounds."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msalib.base.errors import UserError, unknown


class Parameters(BaseModel):
    """Parameters of every notebook, as papermill injects them.

    ``split`` names a split or a fold, the data set's usual one if empty. ``context`` is the number
    of preceding clips that a model also reads, as streams of their own or joined with the clip.
    ``target`` is the column that is predicted, that of the data set's usual task if empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = "control"
    encoder: str = "auto"
    profile: str = "quick"
    preset: str = "release"
    seeds: int = Field(2, ge=1, le=1000)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    refresh: bool = False
    split: str = ""
    context: int = Field(0, ge=0)
    context_kind: Literal["separate", "joined"] = "separate"
    target: str = ""


def validated(parameters: Mapping) -> Parameters:
    """Return parameters of these names and values; ``UserError`` for the first that is none."""
    try:
        return Parameters(**parameters)
    except ValidationError as error:
        first, remedy = error.errors()[0], "Leave it out or correct it."
        name = first["loc"][0]
        if first["type"] == "extra_forbidden":
            raise unknown("parameter", name, Parameters.model_fields, remedy=remedy) from error
        raise UserError(
            f"parameter {name!r}",
            found=repr(first["input"]),
            expected=first["msg"].removeprefix("Input should be "),
            remedy=remedy,
        ) from error
