"""What all figures share, and the histogram of labels."""

from msalib.data import datasets, describe
from msalib.data.corpus import MODALITIES
from msalib.data.simulate.stories import control
from msalib.data.tasks import Classes
from msalib.pages.figure import MODALITY_STYLE
from msalib.pages.label_figure import label_histogram
from tests.html import image


def test_the_histogram_of_labels():
    summary = describe.summarise(control(videos=12), "simulated")
    task = datasets.dataset("control").task
    picture = label_histogram(summary.label_counts, task, title=summary.title)
    assert summary.title in image(picture).text
    assert all(part in picture.alt for part in ("train around", "valid around", "test around"))


def test_the_histogram_of_classes_names_them():
    counts = {"train": [3, 1], "valid": [3, 1], "test": [1, 2]}
    picture = label_histogram(counts, Classes(("sad", "glad")), title="moods")
    assert "train sad, valid sad, test glad" in picture.alt


def test_lines_are_told_apart_without_colour():
    styles = MODALITY_STYLE.values()
    for key in ("marker", "linestyle"):
        assert len({style[key] for style in styles}) == len(MODALITIES)
