"""Arithmetic that several policies share."""

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray

# Weights below it count as it: a logarithm stays finite, and a domain that nearly vanished can come back.
LEAST_WEIGHT = 1e-300
_MOST_SCORE = 1e300  # differences of scores stay within floats


def softmax(scores: FloatArray) -> FloatArray:
    """(d,) softmax; the largest score is taken off first, since scores may be large, or infinite."""
    held = np.clip(scores, -_MOST_SCORE, _MOST_SCORE)
    powers = np.exp(held - held.max())
    return np.asarray(powers / powers.sum())


def multiplied(weights: FloatArray, scores: FloatArray) -> FloatArray:
    """(d,) weights proportional to w_i exp(score_i); a weight of 0 stays 0, no other gets there."""
    gains = np.where(weights > 0, scores, -np.inf)
    powers = weights * np.exp(gains - gains.max())
    moved = np.where(weights > 0, np.maximum(powers / powers.sum(), LEAST_WEIGHT), 0.0)
    return np.asarray(moved / moved.sum())


def shared_out(weights: FloatArray, shares: FloatArray, observed: BoolArray) -> FloatArray:
    """(d,) what the observed domains have together in new shares; all others keep their weights.

    Args:
        weights: (d,) the mixture before.
        shares: (k,) shares of the k observed domains, which sum to 1.
        observed: (d,) which these are.
    """
    moved = weights.copy()
    moved[observed] = weights[observed].sum() * shares
    return np.asarray(moved / moved.sum())


def multiplied_where_known(weights: FloatArray, scores: FloatArray) -> FloatArray:
    """(d,) as `multiplied` among the domains with a finite score; all others keep their weights."""
    known = np.isfinite(scores)
    if not weights[known].any():
        return weights
    return shared_out(weights, multiplied(weights[known], scores[known]), known)


def stepped(weights: FloatArray, scores: FloatArray, smoothing: float) -> FloatArray:
    """(d,) (1 - c) u + c / d with u_i proportional to w_i exp(score_i) and c the smoothing."""
    shares = softmax(np.log(np.maximum(weights, LEAST_WEIGHT)) + scores)
    moved = (1 - smoothing) * shares + smoothing / len(shares)
    return np.asarray(moved / moved.sum())
