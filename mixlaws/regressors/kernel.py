"""The kernel of the Gaussian process: a Matérn function with a length for every domain, and a linear part."""

from typing import Literal, TypeAlias

import numpy as np

from mixlaws.arrays import FloatArray

Smoothness: TypeAlias = Literal["3/2", "5/2"]


def matern(r: FloatArray, smoothness: Smoothness) -> tuple[FloatArray, FloatArray]:
    """The Matérn function of distances r, and minus its derivative divided by r, which is finite at 0."""
    root = np.sqrt(3.0 if smoothness == "3/2" else 5.0)
    decay = np.exp(-root * r)
    if smoothness == "3/2":
        return (1 + root * r) * decay, 3.0 * decay
    return (1 + root * r + 5 / 3 * r**2) * decay, 5 / 3 * (1 + root * r) * decay


def gram(
    left: FloatArray, right: FloatArray, length: FloatArray, linear: float, smoothness: Smoothness
) -> FloatArray:
    """(m, n) kernel between (m, d) and (n, d) coordinates, at amplitude 1."""
    values, _ = matern(distances(left / length, right / length), smoothness)
    return np.asarray(values + linear * left @ right.T)


def slopes(
    at: FloatArray,
    fitted: FloatArray,
    solution: FloatArray,
    length: FloatArray,
    linear: float,
    smoothness: Smoothness,
) -> FloatArray:
    """(m, d) derivatives of `gram(at, fitted) @ solution` by `at`."""
    _, fall = matern(distances(at / length, fitted / length), smoothness)
    pull = fall * solution
    return np.asarray(
        (pull @ fitted - pull.sum(axis=1, keepdims=True) * at) / length**2 + linear * solution @ fitted
    )


def distances(left: FloatArray, right: FloatArray) -> FloatArray:
    """(m, n) Euclidean distances."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
