"""Tied power laws through observations: who shares an exponent with whom, and whether data determine it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, frozen
from mixlaws.errors import CurveTooShortError, FitError, InvalidInputError
from mixlaws.scaling.power_law import PowerLaws, fit_power_laws

_LINEAR_PARTS = 2  # floor and amplitude, which every curve has of its own


@dataclass(frozen=True)
class TiedFit:
    """How power laws are fitted.

    Args:
        method: name of the law, for errors.
        what: what an observation of a curve is, for errors.
        huber_delta: residual beyond which the loss grows linearly, in the unit of the targets.
        exponent: exponent to hold fixed, or None to fit it.
    """

    method: str
    what: str
    huber_delta: float
    exponent: float | None

    def check(self) -> None:
        """Refuse hyperparameters that mean nothing.

        Raises:
            InvalidInputError: with the value.
        """
        if not self.huber_delta > 0:
            raise InvalidInputError(f"huber_delta is {self.huber_delta!r}: use a value > 0, inf for squares")
        if self.exponent is not None and not (np.isfinite(self.exponent) and self.exponent > 0):
            raise InvalidInputError(f"exponent is {self.exponent!r}: use a value > 0, or None to fit it")

    def fit(
        self, x: FloatArray, values: FloatArray, curve: IntArray, shared: Sequence[Sequence[Hashable]]
    ) -> PowerLaws:
        """Fit t power laws for each of m curves.

        Args:
            x: (n,) tokens or parameters of each observation.
            values: (n, t) targets.
            curve: (n,) number of the curve of each observation, from 0 to m - 1.
            shared: m rows of t labels; laws of one label share an exponent.

        Returns:
            Power laws of shape (m, t).

        Raises:
            CurveTooShortError: a curve has no two observations, or a label too few to fit an exponent.
            FitError: a target is negative.
        """
        if values.min() < 0:
            raise FitError(f"a target is {values.min():.6g}, and {self.method} describes losses >= 0 alone")
        m, t = len(shared), values.shape[1]
        labels = [label for row in shared for label in row]
        numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        blocks = np.array([numbers[label] for label in labels])
        self._check_lengths(x, curve, blocks.reshape(m, t))
        rows = [np.flatnonzero(curve == number) for number in range(m)]
        longest = max(len(row) for row in rows)
        xs, mask, ys = np.ones((m, longest)), np.zeros((m, longest)), np.zeros((m, t, longest))
        for number, row in enumerate(rows):
            order = row[np.argsort(x[row], kind="stable")]
            xs[number, : len(row)], mask[number, : len(row)] = x[order], 1.0
            ys[number, :, : len(row)] = values[order].T
        laws = fit_power_laws(
            np.repeat(xs, t, axis=0),
            ys.reshape(m * t, longest),
            np.repeat(mask, t, axis=0),
            blocks,
            huber_delta=self.huber_delta,
            exponent=self.exponent,
        )
        return PowerLaws(
            frozen(laws.floor.reshape(m, t)),
            frozen(laws.amplitude.reshape(m, t)),
            frozen(laws.exponent.reshape(m, t)),
            laws.reference,
        )

    def _check_lengths(self, x: FloatArray, curve: IntArray, blocks: IntArray) -> None:
        m = len(blocks)
        lengths = np.array([len(np.unique(x[curve == number])) for number in range(m)])
        if lengths.min() < _LINEAR_PARTS:
            raise CurveTooShortError(
                method=self.method,
                what=f"{self.what} of a mixture",
                needed=_LINEAR_PARTS,
                got=int(lengths.min()),
            )
        if self.exponent is not None:
            return
        for block in range(int(blocks.max()) + 1):
            # Two observations of a curve pass through any exponent: only what is beyond them tells it.
            spare = (lengths[:, None] - _LINEAR_PARTS) * (blocks == block)
            if spare.sum() < 1:
                longest = int((lengths[:, None] * (blocks == block)).max())
                raise CurveTooShortError(
                    method=f"{self.method} without a fixed exponent",
                    what=f"{self.what} of a mixture",
                    needed=_LINEAR_PARTS + 1,
                    got=longest,
                )
