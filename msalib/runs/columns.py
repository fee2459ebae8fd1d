"""Clips of a part as columns: ids, videos, labels and predictions, and how records share them.

All runs of a setting judge the same clips, so what was read of one record serves the others: of
their text only the numbers of the run itself are read.
"""

import itertools
from functools import lru_cache
from typing import Annotated, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, model_serializer

from msalib.base.stats import varies

T = TypeVar("T")


def _column(values: list) -> np.ndarray:
    """Return numbers as an array that nobody changes."""
    column = np.array(values, float)
    column.flags.writeable = False
    return column


Column = Annotated[list[float], AfterValidator(_column)]
"""Numbers, one per clip (N,)."""


class Predictions(BaseModel):
    """Clips of one part in table order: ids, videos, labels and predictions of equal length.

    Numbers are arrays: labels and predictions (N,), the number of a class where labels are
    classes, and then ``scores`` (N, C) holds one score per class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: list[str]
    video: list[str]
    label: Column
    prediction: Column
    scores: Annotated[list[list[float]], AfterValidator(_column)] = []

    @model_serializer
    def content(self) -> dict[str, list]:
        """Return the columns as lists, without scores where there are none."""
        columns = {name: np.array(value).tolist() for name, value in self}
        return {name: column for name, column in columns.items() if name != "scores" or column}

    def __eq__(self, other: object) -> bool:
        """Compare the columns."""
        return isinstance(other, Predictions) and self.content() == other.content()

    def constant(self) -> tuple[bool, bool]:
        """Check whether labels, and whether predictions, are the same for all clips."""
        return not varies(self.label), not varies(self.prediction)


def judged(parts: dict[str, T]) -> dict[str, T]:
    """Return what a record has by part if the parts that are judged are among them.

    Raises ``ValueError`` where one lacks, and for predictions of unequally many clips.
    """
    if lacking := [part for part in ("valid", "test") if part not in parts]:
        raise ValueError(f"no part {' and no part '.join(lacking)}")
    for part, clips in parts.items():
        if isinstance(clips, Predictions):
            lengths = {n: len(values) for n, values in clips if n != "scores" or len(values)}
            if len(set(lengths.values())) > 1:
                raise ValueError(f"part {part} with {lengths} clips")
    return parts


_PARTS = TypeAdapter(dict[str, Predictions])
_PREDICTION = TypeAdapter(Column)
_SCORES = TypeAdapter(Predictions.model_fields["scores"].rebuild_annotation())

_BEFORE, _BETWEEN = b'"prediction": ', b', "scores": '
"""What stands before the numbers of a run, where ``write_json`` has written them."""


def read_parts(text: bytes) -> tuple[dict[str, Predictions], int]:
    """Read predictions by part from JSON, and return the size of what no other record shares.

    The size is in bytes. Raises ``ValueError`` where the text does not hold predictions, and like
    ``judged``.
    """
    rest, own = _split(text)
    try:
        parts = _read_shared(rest)
        if len(parts) != len(own):
            raise ValueError("written in another way")
        columns = [
            {"prediction": _PREDICTION.validate_json(prediction)}
            | ({"scores": _SCORES.validate_json(scores)} if scores else {})
            for prediction, scores in own
        ]
    except ValueError:
        return judged(_PARTS.validate_json(text)), len(text)
    read = {
        part: clips.model_copy(update=values)
        for (part, clips), values in zip(parts.items(), columns, strict=True)
    }
    return judged(read), sum(map(len, itertools.chain(*own)))


def _split(text: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Part the text of predictions in what runs share, and predictions and scores of each part.

    A string of JSON has no quotation mark inside, so none is taken for the name of a column.
    """
    rest, own, at = [], [], 0
    while (found := text.find(_BEFORE, at)) >= 0:
        begin = found + len(_BEFORE)
        end = after = text.find(b"]", begin) + 1
        if text.startswith(_BETWEEN, end):
            after = text.find(b"]]", end) + 2
        if not begin < end <= after:  # no list
            break
        rest.append(text[at:begin])
        own.append((text[begin:end], text[end + len(_BETWEEN) : after]))
        at = after
    return b"[]".join([*rest, text[at:]]), own


@lru_cache(maxsize=64)
def _read_shared(text: bytes) -> dict[str, Predictions]:
    return _PARTS.validate_json(text)
