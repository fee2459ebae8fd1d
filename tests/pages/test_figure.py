"""What all figures share, and the histogram of labels."""

from msalib.data import describe
from msalib.data.corpus import MODALITIES
from msalib.data.simulate.stories import control
from msalib.pages.figure import MODALITY_STYLE
from msalib.pages.label_figure import label_histogram
from tests.html import image


def test_the_histogram_of_labels():
    summary = describe.summarise(control(videos=12), "simulated")
    picture = label_histogram(summary.label_counts, describe.EDGES, title=summary.title)
    assert summary.title in image(picture).text
    assert all(part in picture.alt for part in ("train around", "valid around", "test around"))


def test_lines_are_told_apart_without_colour():
    styles = MODALITY_STYLE.values()
    for key in ("marker", "linestyle"):
        assert len({style[key] for style in styles}) == len(MODALITIES)
