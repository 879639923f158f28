"""Which points of long curves to draw, so that they look like the whole: peaks stay, and so do the ends.

MinMaxLTTB: of many equal stretches the lowest and the highest point, of these the ones whose triangles with
their neighbours are largest. Source: Van Der Donckt et al. 2023, arXiv:2305.00332; Steinarsson 2013.
"""

import numpy as np
from tsdownsample import MinMaxLTTBDownsampler

from mixlaws.arrays import FloatArray, IntArray

MOST_NUMBERS = 12_000  # of all curves of a figure together: some 200 KiB as JSON
_MOST_POINTS = 600  # of a curve: more than a screen shows
_LEAST_POINTS = 60  # with fewer a curve shows next to nothing


def room(curves: int) -> int:
    """Points that each of so many curves of a figure may have."""
    return min(_MOST_POINTS, max(_LEAST_POINTS, MOST_NUMBERS // max(curves, 1)))


def thinned(x: IntArray, y: FloatArray, most: int) -> IntArray:
    """(k,) rising places of the points to draw, k <= most; all of them if they are so few.

    Args:
        x: (n,) rising.
        y: (n,) finite values.
        most: how many points there may be, at least 3.
    """
    if len(x) <= most:
        return np.arange(len(x))
    downsampler = MinMaxLTTBDownsampler()  # type: ignore[no-untyped-call]
    places = downsampler.downsample(
        np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64), n_out=most
    )
    return np.unique(places.astype(np.int64))


def thinned_together(x: IntArray, y: FloatArray, most: int) -> IntArray:
    """(k,) rising places to draw of curves that share them, k <= most; each curve has a part of the places.

    Args:
        x: (n,) rising.
        y: (n, c) finite values of c curves.
        most: how many places there may be.
    """
    if len(x) <= most:
        return np.arange(len(x))
    each = max(3, most // max(y.shape[1], 1))
    kept = [thinned(x, column, each) for column in y.T[: most // 3]]
    return np.unique(np.concatenate(kept))
