"""Steps of a plan: in which folds they run."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from msalib.papers.steps import in_folds
from msalib.runs.parameters import Parameters

BY_SESSION = [f"session=s{k}" for k in range(3)]


@pytest.mark.parametrize(
    ("usual", "family", "expected"),
    [
        ("session=s1", "", BY_SESSION),
        ("session=s1", "session+video", [f"{fold}+video" for fold in BY_SESSION]),
        ("standard", "", [f"video{k}of5" for k in range(1, 6)]),
        ("standard", "session", BY_SESSION),
    ],
)
def test_folds_are_those_named_or_of_the_usual_split_or_by_video(tiny, usual, family, expected):
    session = tiny.utterances["video"].map(lambda video: f"s{int(video[1:]) % 3}")
    sessions = replace(tiny, utterances=tiny.utterances.assign(session=session))

    class Study:
        """What a step asks of a study."""

        paper, corpus, dataset = "toy", sessions, SimpleNamespace(split=usual)

        def __init__(self, paper, **parameters):
            self.parameters = Parameters(**parameters)

    def step(study) -> list[str]:
        return [study.parameters.split]

    assert in_folds(step, family)(Study("toy")) == expected
