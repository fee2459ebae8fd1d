"""Numbers on vectors: what is planted is found, what is undefined is left out."""

import numpy as np
import pytest

from msalib.base import spaces


def noise(count: int = 60, width: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width))


def blobs(groups: np.ndarray, distance: float = 10.0, seed: int = 0) -> np.ndarray:
    """Return vectors that lie around a corner of their own for each group."""
    return noise(len(groups), seed=seed) + distance * np.eye(5)[groups]


THREE = np.repeat([0, 1, 2], 20)
TWO = np.repeat([0, 1], 30)


def test_kinds_that_lie_apart_are_told_apart_and_the_same_kind_is_not():
    apart = spaces.two_kinds(noise(), noise(seed=1) + 5, THREE)
    same = spaces.two_kinds(noise(), noise(seed=1), THREE)
    assert apart["separable"] == 1
    assert 0.3 < same["separable"] < 0.7


def test_dispersion_is_the_spread_of_the_second_over_the_first():
    found = spaces.two_kinds(noise(), 3 * noise() + 7, THREE)
    assert found["dispersion"] == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("groups", [TWO, THREE, np.repeat([0, 1, 2, 3, 4], 12)])
def test_planted_clusters_are_counted_and_agree_with_their_labels(groups):
    found = spaces.two_kinds(noise(), blobs(groups), groups)
    assert found["clusters"] == len(set(groups))
    assert found["silhouette"] > 0.5 and found["nmi"] == 1


def test_labels_that_say_nothing_of_the_clusters_share_no_information_with_them():
    groups = np.random.default_rng(3).permutation(THREE)
    assert spaces.two_kinds(noise(), blobs(THREE), groups)["nmi"] < 0.2


def test_the_number_of_clusters_may_differ_from_that_of_the_labels():
    found = spaces.two_kinds(noise(), blobs(THREE), np.minimum(THREE, 1))
    assert found["clusters"] == 3 and 0 < found["nmi"] < 1


def test_one_label_has_no_mutual_information():
    found = spaces.two_kinds(noise(), noise(seed=1), np.zeros(60, int))
    assert "nmi" not in found and {"clusters", "silhouette"} <= set(found)


def test_vectors_that_are_all_the_same_have_neither_spread_nor_clusters():
    found = spaces.two_kinds(np.ones((60, 5)), np.ones((60, 5)), THREE)
    assert not {"dispersion", "clusters", "silhouette", "nmi"} & set(found)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 7, 8])
def test_few_vectors_have_what_is_defined_for_them(count):
    found = spaces.two_kinds(noise(count), noise(count, seed=1), np.arange(count) % 3)
    assert ("separable" in found) == (count >= spaces.FOLDS)
    assert ("clusters" in found) == (count > max(spaces.CLUSTERS))
    assert all(np.isfinite(value) for value in found.values())
    groups = np.arange(count) % 2
    assert spaces.grouped(noise(count), groups, noise(count), groups) == {}


def test_more_labels_than_vectors_can_have_clusters_are_counted_all_the_same():
    found = spaces.two_kinds(noise(8), noise(8, seed=1), np.arange(8))
    assert all(np.isfinite(value) for value in found.values())


def test_the_same_vectors_have_the_same_numbers():
    first, second = (spaces.two_kinds(noise(), blobs(THREE), THREE) for _ in range(2))
    assert first == second


# --- groups -------------------------------------------------------------------------------------


def test_groups_that_lie_apart_are_found_by_all_three():
    found = spaces.grouped(blobs(TWO), TWO, blobs(TWO, seed=1), TWO)
    assert found["neighbours"] == found["probe"] == 1 and found["silhouette"] > 0.7


def test_groups_without_a_difference_are_at_chance():
    found = spaces.grouped(noise(200), np.arange(200) % 2, noise(200, seed=1), np.arange(200) % 2)
    assert abs(found["silhouette"]) < 0.05
    assert 0.35 < found["neighbours"] < 0.65 and 0.35 < found["probe"] < 0.65


def test_negative_groups_are_no_group():
    marked, more = np.append(TWO, [-1] * 9), np.concatenate([blobs(TWO), noise(9, seed=5)])
    without = spaces.grouped(blobs(TWO), TWO, blobs(TWO), TWO)
    assert spaces.grouped(more, marked, more, marked) == without


@pytest.mark.parametrize("side", ["test", "train"])
def test_one_group_alone_has_no_numbers(side):
    one = {"test": TWO, "train": TWO} | {side: np.zeros(60, int)}
    assert spaces.grouped(blobs(TWO), one["test"], blobs(TWO), one["train"]) == {}


def test_a_point_is_not_its_own_neighbour():
    """Two clips of a group among many of another: each sees the others first."""
    groups = np.r_[np.zeros(20, int), np.ones(1, int)]
    vectors = np.r_[np.zeros((20, 2)), np.full((1, 2), 9.0)]
    found = spaces.grouped(vectors, groups, vectors, groups)
    assert found["neighbours"] == pytest.approx(20 / 21, abs=1e-3)
    assert found["probe"] == 1


def test_groups_of_vectors_that_are_all_the_same_have_no_silhouette():
    found = spaces.grouped(np.ones((60, 5)), TWO, np.ones((60, 5)), TWO)
    assert "silhouette" not in found and found["probe"] == 0.5


def test_numbers_have_four_digits():
    found = spaces.grouped(noise(), TWO, noise(seed=1), TWO)
    assert all(value == float(f"{value:.4g}") for value in found.values())
