"""What all figures share, and what a page says of a data set."""

from msalib.data import datasets, describe
from msalib.data.corpus import MODALITIES
from msalib.data.simulate.features import control
from msalib.data.tasks import Classes
from msalib.pages.data import counted, counts, label_histogram
from msalib.pages.figure import MODALITY_STYLE
from tests.html import image, read


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


def test_counts_show_ours_beside_the_printed_ones():
    summary = describe.summarise(control(videos=12), datasets.dataset("control").title)
    ours = counts(summary, "uegd")
    assert ours.frame["set"].tolist() == ["train", "valid", "test", "total"]
    assert set(ours.frame["clips (printed)"]) == {"-"}
    assert ours.frame["clips with label (ours)"].iloc[-1] == sum(summary.clips.values())
    assert summary.fingerprint[:12] in ours.caption and "Dropped" not in ours.caption
    assert "prints no counts" in ours.caption
    mosi = summary.model_copy(update={"dataset": "mosi", "dropped": {"x_1": "no label"}})
    theirs = counts(mosi, "uegd")
    assert theirs.frame["clips (printed)"].tolist() == ["1284", "229", "686", "2199"]
    assert theirs.frame["videos (printed)"].tolist() == ["-", "-", "-", "98"]
    assert "Dropped: x_1 (no label)." in theirs.caption and "no counts" not in theirs.caption
    assert "nan" not in read(theirs).text.lower()


def test_counts_are_told_in_a_sentence_with_the_printed_ones():
    summary = describe.summarise(control(videos=12), "simulated")
    text = counted(summary, "uegd")
    assert text.startswith(f"{sum(summary.clips.values()):,} clips") and "prints no counts" in text
    theirs = counted(summary.model_copy(update={"dataset": "mosi"}), "uegd")
    assert theirs.endswith("The paper prints train 1284, valid 229, test 686.")
