"""Which points of many are drawn: those that stand out, and an even choice of the others."""

import numpy as np

from mixlaws.arrays import FloatArray, IntArray


def standing_out(distance: FloatArray, most: int) -> IntArray:
    """Rows to draw, rising.

    Args:
        distance: (n,) how far each lies from where it is expected; NaN is as good as 0.
        most: rows that there is room for; half of them go to the farthest.
    """
    if len(distance) <= most:
        return np.arange(len(distance))
    order = np.argsort(-np.nan_to_num(np.abs(distance)), kind="stable")
    far, near = order[: most // 2], np.sort(order[most // 2 :])
    even = near[np.linspace(0, len(near) - 1, most - len(far)).astype(np.int64)]
    return np.sort(np.concatenate([far, even]))
