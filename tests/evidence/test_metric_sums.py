"""Metrics from sums against ``data.metrics``: on all clips, and on clips of plain resamples."""

import numpy as np
import pytest

from msalib.base import stats
from msalib.data.tasks import Classes, Regression, Sims
from msalib.evidence.metric_sums import metric_sums, metrics_of, point, point_and_resamples
from tests.factory import CLASSES

TASKS = [Regression(), Sims(), CLASSES, Classes(("a", "b", "c", "d", "never"))]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """So few resamples that each can be made by hand."""
    monkeypatch.setattr(stats, "RESAMPLES", 40)


def drawn(task, arms=2, seeds=3, clips=37, rng=None):
    """Labels (N,), predictions (K, S, N) and videos (N,), with every border value and tie."""
    rng = rng or np.random.default_rng(0)
    videos = rng.integers(6, size=clips).astype(str)
    shape = (arms, seeds, clips)
    if isinstance(task, Classes):
        most = min(task.outputs, 4)  # a class that never occurs
        return rng.integers(most, size=clips), rng.integers(most, size=shape), videos
    label = rng.choice([*np.arange(-3.5, 3.6, 0.5), -0.1, 0.1, -0.7, 0.7], size=clips)
    guess = label + rng.choice([0, 0, 0.5, -0.5, 0.1, -1, 2.2], size=shape)
    scale = task.limit / 3
    return (label * scale).round(3), (guess * scale).round(3), videos


def expected(task, label, prediction):
    """The metrics by ``data.metrics``; scores of classes are one-hot."""
    if isinstance(task, Classes):
        prediction = np.eye(task.outputs)[prediction]
    return task.metrics(label, prediction)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}{len(task.classes)}")
def test_metrics_equal_those_of_the_task_on_all_clips_and_on_resampled_ones(task):
    label, predictions, videos = drawn(task)
    counts, number = stats.video_resamples(videos)
    names = metrics_of(task)
    computed = {m: point_and_resamples(task, m, label, predictions, videos) for m in names}
    for draw, clips in [(None, np.arange(len(label)))] + [
        (r, np.repeat(np.arange(len(label)), counts[r].astype(int)[number])) for r in range(5)
    ]:
        for k in range(len(predictions)):
            plain = [expected(task, label[clips], seed[clips]) for seed in predictions[k]]
            assert list(plain[0]) == list(names)
            for metric in names:
                on_all, by_resample = computed[metric]
                seeds = np.array([values[metric] for values in plain])
                value, wanted = on_all[k], seeds
                if draw is not None:
                    value, wanted = by_resample[draw, k], seeds.mean()
                assert value == pytest.approx(wanted, abs=1e-12, nan_ok=True), metric


def test_every_arm_may_have_labels_of_its_own():
    task = Regression()
    label, predictions, videos = drawn(task)
    own = np.stack([label, -label])
    for metric in metrics_of(task):
        together = point_and_resamples(task, metric, own, predictions, videos)
        for k in range(2):
            alone = point_and_resamples(task, metric, own[k], predictions[[k]], videos)
            np.testing.assert_allclose(together[0][k], alone[0][0])
            np.testing.assert_allclose(together[1][:, k], alone[1][:, 0])
        np.testing.assert_allclose(point(task, metric, own, predictions), together[0])


def test_what_is_undefined_is_nan():
    constant, label = np.full((1, 1, 6), 0.5), np.zeros(6)
    videos = np.array(list("aabbcc"))
    for metric in ("corr", "acc2_non0", "f1_non0"):
        on_all, by_resample = point_and_resamples(Regression(), metric, label, constant, videos)
        assert np.isnan(on_all).all() and np.isnan(by_resample).all()


def test_a_metric_of_another_task_is_unknown():
    for task, metric in [(Regression(), "acc2"), (Sims(), "acc7"), (CLASSES, "mae")]:
        with pytest.raises(KeyError):
            metric_sums(task, metric)
