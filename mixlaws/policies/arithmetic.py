"""Arithmetic that several policies share."""

import numpy as np

from mixlaws.arrays import FloatArray

# Weights below it count as it: a logarithm stays finite, and a domain that nearly vanished can come back.
LEAST_WEIGHT = 1e-300


def softmax(scores: FloatArray) -> FloatArray:
    """(d,) softmax; the largest score is taken off first, since scores may be large."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def multiplied(weights: FloatArray, scores: FloatArray) -> FloatArray:
    """(d,) weights proportional to w_i exp(score_i); a weight of 0 stays 0, no other gets there."""
    powers = weights * np.exp(scores - scores.max())
    moved = np.where(weights > 0, np.maximum(powers / powers.sum(), LEAST_WEIGHT), 0.0)
    return np.asarray(moved / moved.sum())
