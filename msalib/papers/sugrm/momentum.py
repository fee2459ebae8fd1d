"""How far labels move by their momentum alone, whatever drives them (papers/sugrm.md (d), C18).

A generated label moves as Y_e = ((e - 1) Y_{e-1} + 2 T_e) / (e + 1), so its step shrinks with the
epoch e, for targets T that are pure chance, too. For T and the first label Y_1 independent and
uniform on [-3, 3], the expected step has a closed form:

    |Y_e - Y_{e-1}| = 2 / (e + 1) |T_e - Y_{e-1}|,
    E |T - y| = (9 + y^2) / 6 for any y in [-3, 3],
    Y_{e-1} = 2 / ((e - 1) e) (sum of k T_k, k = 1..e-1, with T_1 = Y_1),
    E Y_{e-1}^2 = 3 (4 / ((e - 1) e)^2) (sum of k^2) = 2 (2e - 1) / ((e - 1) e),
    E |Y_e - Y_{e-1}| = (9 + 2 (2e - 1) / ((e - 1) e)) / (3 (e + 1)).
"""


def null_movement(epochs: int) -> list[float | None]:
    """Expected mean step of labels with chance targets, by epoch as in ``MadeLabels.movement``.

    The first entry is epoch 1, before which there is no label: None.
    """
    later = range(2, epochs + 1)
    steps = [(9 + 2 * (2 * e - 1) / ((e - 1) * e)) / (3 * (e + 1)) for e in later]
    return [None, *steps][:epochs]
