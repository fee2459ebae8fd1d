"""Columns that dwarf the others: found where planted, and nowhere else."""

import numpy as np
import pytest

from msalib.data import datasets
from msalib.data.corpus import TUNED, Features
from msalib.data.readers.standardise import standardised
from msalib.evidence.audit import examine, scales
from tests.data.readers.toolbox import needs
from tests.evidence.audit.corpora import corpus, one_frame, only


def ordinary(columns=40, clips=400, seed=0):
    """Columns of scales from 0.1 to 1, as unlike as those of real features."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(clips, columns)) * np.geomspace(0.1, 1, columns)


def found(values):
    return only(scales.check(corpus(features={"acoustic": one_frame(values)})), check="scales")


def test_a_pitch_in_hertz_among_small_values_is_a_warning_that_says_which():
    x = ordinary()
    x[:, 7] = 190 + 53 * x[:, 0] / x[:, 0].std()
    finding = found(x)
    assert finding.severity == "warning" and finding.about == "acoustic"
    for part in ("Column 7 has mean 19", "standard deviation 53", "39 others", "99."):
        assert part in finding.message
    assert "Standardise" in finding.remedy and "training part" in finding.remedy
    assert "msalib.data.readers.standardise" in finding.remedy


def test_a_data_set_with_a_standardised_copy_is_named():
    x = ordinary()
    x[:, 0] *= 1000
    named = scales.check(corpus(name="mosi", features={"acoustic": one_frame(x)}))
    assert "the data set mosi-standardised" in only(named, check="scales").remedy


def test_a_large_constant_is_a_note():
    x = ordinary()
    x[:, 3] = 100 + x[:, 3]
    finding = found(x)
    assert finding.severity == "note" and "Column 3 has mean 100" in finding.message
    assert "bias" in finding.remedy


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({}, []),
        ({5: 400.0}, [5]),
        ({5: 400.0, 6: 380.0}, [5, 6]),  # neither outweighs the other, both the rest
        ({5: 5.0}, []),  # an order of magnitude is missing
        (dict.fromkeys(range(5), 400.0), []),  # more than a tenth of the columns is the rule
    ],
)
def test_few_columns_dwarf_the_others_or_none(change, columns):
    scale = np.ones(40)
    for column, factor in change.items():
        scale[column] = factor
    assert sorted(scales.dwarfing(scale**2)) == columns


@pytest.mark.parametrize("square", [[1.0], [0.0, 0.0], [0.0, 5.0], [5.0, 1.0], []])
def test_without_others_of_a_usual_size_there_is_nothing_to_dwarf(square):
    assert not len(scales.dwarfing(np.array(square)))


def test_a_column_may_dwarf_a_single_other():
    assert scales.dwarfing(np.array([1.0, 400.0])).tolist() == [1]


def test_padding_and_broken_values_are_no_part_of_a_scale():
    x = ordinary(clips=400)
    x[:, 7] = 190.0
    x[::2] = 0
    x[1, 2] = np.inf
    assert "Column 7 has mean 190 and standard deviation 0" in found(x).message


def test_columns_of_zeros_and_constant_columns_are_no_error():
    assert found(np.zeros((400, 3))).severity == "ok"
    assert found(np.tile([1.0, 1000.0], (400, 1))).severity == "note"


def test_a_fine_tuned_encoder_has_no_columns_yet():
    tokens = Features("tuned", "token", {TUNED: np.ones((400, 2))}, np.arange(401))
    assert scales.check(corpus(features={"linguistic": tokens})) == []


def test_the_check_is_part_of_an_audit():
    audit = examine(corpus(), "control", "title", "standard", None, 99)
    assert only(audit.findings, check="scales").severity == "ok"


@pytest.mark.parametrize("columns", [2, 3, 5, 20, 74])
def test_honest_columns_give_no_alarm(columns):
    """None of 200 draws with scales that differ by a factor of ten."""
    rng = np.random.default_rng(columns)
    for _ in range(200):
        square = (10 ** rng.uniform(-0.5, 0.5, columns)) ** 2
        assert not len(scales.dwarfing(square))


REAL = [
    pytest.param(name, dwarfs, marks=needs(folder))
    for name, folder, dwarfs in (
        ("mosi", "mosi", {"acoustic": "warning"}),
        ("mosi-standardised", "mosi", {}),
        ("mosi-leaky", "mosi", {"acoustic": "warning"}),
        ("mmmo", "mmmo", {"acoustic": "warning"}),
        ("youtube", "youtube", {"acoustic": "warning"}),
        ("pom", "pom", {}),
        ("meld-dev", "meld_dev", {"linguistic": "note"}),
        ("meld-dev-mel", "meld_dev", {"linguistic": "note"}),
    )
] + [(name, {}) for name in datasets.DATASETS if name.startswith("control")]


@pytest.mark.parametrize(("name", "dwarfs"), REAL)
def test_real_data_have_them_where_a_column_has_another_unit_and_never_once_standardised(
    name, dwarfs
):
    """Pitch in hertz (CMU-MOSI, ICT-MMMO, YouTube), and a constant column of RoBERTa's."""
    read = datasets.load(name)
    expected = {m: dwarfs.get(m, "ok") for m in read.features}
    assert {f.about: f.severity for f in scales.check(read)} == expected
    if (split := datasets.dataset(name).split) in read.splits:
        rows = read.rows("train", split)
        for m, features in read.features.items():
            read = read.with_features(m, standardised(features, rows, "the training part"))
        assert {f.severity for f in scales.check(read)} == {"ok"}
