"""Which reused domains serve the same targets as recomputed ones, and should be recomputed with them.

    a_j = df/dw_j - sum_i w_i df/dw_i    (t,) effect of moving weight to domain j from all others
    coupling_j = max_c |<a_j, a_c>| / (|a_j| |a_c|)    over the recomputed domains c, 0 to 1
    exposure_j = w_j max_c |<a_j, a_c>| / |a_c|        in the unit of the targets

With a coupling of 0 the best relative weights of reused domains do not depend on the recomputed ones, and
reuse costs nothing to first order; near 1 a new domain replaces or completes an old one, as code does with
web pages about software. What a coupled domain costs grows with its weight too: exposure is how much of the
targets a relative change of its weight moves along with a recomputed domain. Those with the largest exposure
are worth recomputing first.

Source: Olmix, arXiv:2602.12237, section 4, recomputes coupled domains too (partial reuse) and bounds the
cost by a coupling constant. Unverified: its exact constant; cosine and exposure are ours.
"""

from collections.abc import Sequence

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.errors import InvalidInputError

_NO_EFFECT = 1e-12  # of the largest effect


def coupling(
    slopes: FloatArray,
    weights: FloatArray,
    recomputed: IntArray | Sequence[int],
    /,
    *,
    coefficients: FloatArray | None = None,
) -> FloatArray:
    """(d,) coupling of each domain to the recomputed ones, 0 to 1; 1 for those themselves.

    Args:
        slopes: (t, d) derivatives of the targets by the weights, from a law's `jacobian`.
        weights: (d,) the mixture at which they were taken.
        recomputed: indices of the recomputed domains along axis d.
        coefficients: (t,) weights of the targets; None means equal.

    Raises:
        InvalidInputError: shapes disagree, or no domain is recomputed.
    """
    index = np.asarray(recomputed, dtype=np.int64)
    effects = _effects(slopes, weights, index, coefficients)
    directions = _directions(effects)
    result = np.abs(directions.T @ directions[:, index]).max(axis=1)
    result[index] = 1.0
    return np.asarray(np.minimum(result, 1.0))


def exposure(
    slopes: FloatArray,
    weights: FloatArray,
    recomputed: IntArray | Sequence[int],
    /,
    *,
    coefficients: FloatArray | None = None,
) -> FloatArray:
    """(d,) exposure of each domain to the recomputed ones, in the targets' unit; 0 for those themselves.

    Arguments and errors are those of `coupling`; the weights are the mixture that is reused.
    """
    index = np.asarray(recomputed, dtype=np.int64)
    effects = _effects(slopes, weights, index, coefficients)
    result = weights * np.abs(effects.T @ _directions(effects)[:, index]).max(axis=1)
    result[index] = 0.0
    return np.asarray(result)


def _effects(
    slopes: FloatArray, weights: FloatArray, index: IntArray, coefficients: FloatArray | None
) -> FloatArray:
    """(t, d) effect of each domain, scaled by the coefficients of the targets."""
    if slopes.ndim != 2 or weights.shape != slopes.shape[1:] or index.size == 0:
        raise InvalidInputError(
            f"slopes have shape {slopes.shape}, weights {weights.shape}, {index.size} domains to recompute: "
            "expected (t, d), (d,) and at least one"
        )
    scale = np.ones(len(slopes)) if coefficients is None else coefficients
    return np.asarray(np.sqrt(scale / scale.sum())[:, None] * (slopes - (slopes @ weights)[:, None]))


def _directions(effects: FloatArray) -> FloatArray:
    """Effects (t, d) of length 1; those without any stay 0."""
    sizes = np.linalg.norm(effects, axis=0)
    felt = sizes > _NO_EFFECT * sizes.max(initial=0.0)
    return np.where(felt, effects / np.where(felt, sizes, 1.0), 0.0)
