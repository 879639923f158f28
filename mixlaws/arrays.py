"""Array types and the axis letters used in every docstring.

Letters:
    n: runs (rows of a swarm, or mixtures to predict).
    d: domains, in the order of a `DomainSet`.
    t: targets, in the order of a `Swarm`.

A shape is written in round brackets: `(n, d)` is one row of weights per run.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
JsonObject: TypeAlias = dict[str, Any]


def frozen(values: npt.ArrayLike) -> FloatArray:
    """Copy values into a float64 array that cannot be written to."""
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
