"""What an audit says of parts, clips, modalities and files that a data set has lost."""

from dataclasses import replace

import pytest

from msalib.data import datasets as readers
from msalib.data.corpus import MODALITIES
from msalib.data.readers import formats, store
from msalib.evidence.audit import losses
from tests import fixtures_more


def found(corpus, split="standard"):
    """Severity, check, what it is about and message of every finding."""
    return [(f.severity, f.check, f.about, f.message) for f in losses.check(corpus, split)]


@pytest.fixture
def whole(tiny):
    """Real clips with all modalities, none of them dropped."""
    some = next(iter(tiny.features.values()))
    return replace(tiny, truth=None, features=dict.fromkeys(MODALITIES, some), dropped={})


def test_what_is_whole_is_not_mentioned(whole):
    assert found(whole) == []


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_a_part_without_clips_is_an_error(whole, part):
    other = "valid" if part == "train" else "train"
    parts = whole.splits["standard"].replace(part, other)
    lacking = replace(whole, splits={"standard": parts}, dropped_part={"x_1": part})
    (finding,) = found(lacking)
    assert finding[:3] == ("error", "parts", "standard")
    assert finding[3] == f"No clip is in the {part} part; 1 of it are dropped."


@pytest.mark.parametrize(("count", "warned"), [(1, False), (2, True)])
def test_a_part_that_has_lost_a_tenth_of_its_clips_is_a_warning(whole, count, warned):
    dropped = {f"x_{k}": "no sound" for k in range(count)}
    lost = replace(whole, dropped=dropped, dropped_part=dict.fromkeys(dropped, "test"))
    told = [
        ("warning", "dropped clips", "test", "2 of 12 (16.7%) clips are dropped: 2 for no sound.")
    ]
    assert found(lost) == (told if warned else [])


def test_modalities_of_which_there_is_nothing_are_noted(whole):
    texts = replace(whole, features={})
    (finding,) = found(texts)
    assert finding[:3] == ("note", "modalities", "all clips")
    assert finding[3].startswith("Nothing is visual or acoustic: neither features nor")
    assert found(replace(texts, truth={})) == []  # a simulation has what it was made with


def test_files_that_have_gone_are_an_error(tmp_path):
    folder = fixtures_more.media(tmp_path / "toy")
    readers.add(folder, "toy", formats.Options())
    corpus = store.read("toy")
    assert found(corpus) == []
    sounds = sorted(folder.rglob("*.wav"))
    for file in sounds[:2]:
        file.unlink()
    (finding,) = found(corpus)
    assert finding[:3] == ("error", "files", "acoustic")
    assert finding[3].startswith("2 of 24 (8.3%) files are not there: ")
