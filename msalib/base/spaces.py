"""Numbers on vectors in their own space: are kinds apart, are there clusters, do groups separate?

A picture by t-SNE can show clusters that are not there; these numbers are what stands beside it.
"""

import warnings

import numpy as np

CLUSTERS = range(2, 7)
"""Numbers of clusters that are tried."""

NEIGHBOURS, FOLDS, SEED = 10, 5, 0


def two_kinds(first: np.ndarray, second: np.ndarray, label: np.ndarray) -> dict[str, float]:
    """Compare two kinds of vectors (N, d) of the same clips; ``label`` (N,) groups the second.

    ``separable``: accuracy by which a linear map tells the kinds apart, in five folds.
    ``dispersion``: root mean square distance from the mean, the second over the first.
    ``clusters``: the number of k-means clusters of the second with the best silhouette, which is
    ``silhouette``. ``nmi``: normalised mutual information of as many clusters as there are labels
    with ``label``. What is undefined is left out.
    """
    found = {}
    if len(first) >= FOLDS:
        found["separable"] = _separable(first, second)
    if (spread := _spread(first)) > 0:
        found["dispersion"] = _spread(second) / spread
    return _rounded(found | _clusters(second, label))


def grouped(
    test: np.ndarray, test_group: np.ndarray, train: np.ndarray, train_group: np.ndarray
) -> dict[str, float]:
    """Measure how well groups (N,) of test vectors (N, d) lie apart; negative groups are no group.

    ``silhouette`` of the groups; ``neighbours``: accuracy of the ten nearest other test vectors;
    ``probe``: accuracy of a linear map that was fitted on the training vectors. Undefined ones are
    left out.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import silhouette_score
    from sklearn.neighbors import NearestNeighbors
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    test, test_group = test[test_group >= 0], test_group[test_group >= 0]
    train, train_group = train[train_group >= 0], train_group[train_group >= 0]
    if len(set(test_group)) < 2 or len(set(train_group)) < 2 or len(test) <= NEIGHBOURS:
        return {}
    found = {}
    if np.ptp(test, axis=0).any() and len(set(test_group)) < len(test):
        found["silhouette"] = float(silhouette_score(test, test_group))
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(test).kneighbors(return_distance=False)
    votes = np.stack([(test_group[near] == g).sum(1) for g in np.unique(test_group)], 1)
    found["neighbours"] = float((np.unique(test_group)[votes.argmax(1)] == test_group).mean())
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it has not converged it is a probe all the same
        found["probe"] = float(probe.fit(train, train_group).score(test, test_group))
    return _rounded(found)


def _separable(first: np.ndarray, second: np.ndarray) -> float:
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors = np.concatenate([first, second])
    kind = np.repeat([0, 1], [len(first), len(second)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    probe = make_pipeline(StandardScaler(), RidgeClassifier())
    return float(cross_val_score(probe, vectors, kind, cv=folds).mean())


def _spread(vectors: np.ndarray) -> float:
    centred = vectors.astype(float) - vectors.mean(0)
    return float(np.sqrt((centred**2).sum(1).mean()))


def _clusters(vectors: np.ndarray, label: np.ndarray) -> dict[str, float]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score, silhouette_score

    distinct = len(np.unique(vectors.round(6), axis=0))
    if distinct <= max(CLUSTERS):
        return {}
    made = {
        k: KMeans(k, n_init=3, random_state=SEED).fit_predict(vectors)
        for k in {*CLUSTERS, len(set(label))} - {1}
    }
    scores = {k: float(silhouette_score(vectors, made[k])) for k in CLUSTERS}
    best = max(scores, key=scores.__getitem__)
    found = {"clusters": float(best), "silhouette": scores[best]}
    if len(set(label)) > 1:
        found["nmi"] = float(normalized_mutual_info_score(label, made[len(set(label))]))
    return found


def _rounded(found: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in found.items()}
