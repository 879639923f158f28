"""Dynamic mixing for models with experts: domains whose routing differs from that of the others get more.

    f_i    shares of the experts of one layer in the tokens of domain i
    d_i  = aggregate over j, i itself included, of |f_i - f_j|          (l2)
           1 - aggregate over j of cos(f_i, f_j)                         (cos)
           the l2 values in reversed order of rank                       (reversed_l2, an ablation)
    u_i proportional to  w_i exp(eta d_i);      w_i = (1 - c) u_i + c / d

Made for instruction tuning: a data set is redundant if its tokens go where those of the others go. Loads are
those of a small evaluation pass over every domain, of the last layer of experts and without padding; the
released runs made one every 100 steps, and every feedback that has loads makes one update here. The start is
the prior; the released runs start from equal weights, or from a file.

As i itself is among the j, the nearest is always i: l2 with min and cos with max tell nothing. Under
reversed_l2 domains that are equally far share what their ranks would get, so that no order of domains is
behind it; the released code leaves it to the sorting of the machine, and with max two domains always tie. A
domain without loads keeps its share in u, and is no j; the released code needs all of them.

Source: Zhu et al. 2024, arXiv:2406.11256, and the released code. Its second rule, by losses over those of
reference models, is left out.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback, Signal
from mixlaws.policies.arithmetic import multiplied_where_known
from mixlaws.policies.mixture import MixturePolicy


@dataclass(frozen=True)
class MoeDynamic(MixturePolicy):
    """Hyperparameters; the defaults are those of the released runs.

    Args:
        distance: how far apart two routings are, as listed on top.
        aggregate: what is made of the distances, or of the cosines, to all domains.
        eta: step size.
        smoothing: c, share of the uniform mixture.
    """

    name: ClassVar[str] = "moe_dynamic"

    distance: Literal["l2", "cos", "reversed_l2"] = "l2"
    aggregate: Literal["mean", "min", "max"] = "mean"
    eta: float = 10.0
    smoothing: float = 0.05

    def __post_init__(self) -> None:
        if not (np.isfinite(self.eta) and self.eta >= 0) or not 0 <= self.smoothing <= 1:
            raise InvalidInputError(
                f"eta {self.eta}, smoothing {self.smoothing}: need a finite value >= 0 and one from 0 to 1"
            )

    @property
    def signals(self) -> frozenset[Signal]:
        """Tokens that a layer of experts sent to each expert."""
        return frozenset({Signal.EXPERT_COUNTS})

    def moved(self, weights: FloatArray, feedback: Feedback, /) -> FloatArray | None:
        """(d,) the mixture after one more feedback."""
        if feedback.expert_counts is None:
            return None
        distances = self.distances(feedback.expert_counts.shares)
        return None if np.isnan(distances).all() else self.followed(weights, distances)

    def distances(self, shares: FloatArray, /) -> FloatArray:
        """(d,) how far each routing (d, e) is from all; NaN where a domain has none."""
        observed = np.isfinite(shares).all(axis=1)
        distances = np.full(len(shares), np.nan)
        if observed.any():
            distances[observed] = self._among(shares[observed])
        return distances

    def followed(self, weights: FloatArray, distances: FloatArray, /) -> FloatArray:
        """(d,) the mixture after an update with these distances (d,)."""
        moved = multiplied_where_known(weights, self.eta * distances)
        return np.asarray((1 - self.smoothing) * moved + self.smoothing / len(moved))

    def _among(self, shares: FloatArray) -> FloatArray:
        if self.distance == "cos":
            rays = shares / np.linalg.norm(shares, axis=1, keepdims=True)
            return 1.0 - self._aggregated(rays @ rays.T)
        apart = np.array([np.linalg.norm(shares - row, axis=1) for row in shares])
        distances = self._aggregated(apart)
        return distances if self.distance == "l2" else _reversed(distances)

    def _aggregated(self, pairs: FloatArray) -> FloatArray:
        return np.asarray(getattr(pairs, self.aggregate)(axis=1))


def _reversed(values: FloatArray) -> FloatArray:
    """(k,) the same values, the largest for the smallest; equal ones share what they would get."""
    # Alike domains differ by rounding, which must not decide which of them is the farther one.
    _, rank, times = np.unique(values.round(12), return_inverse=True, return_counts=True)
    given = np.split(np.sort(values)[::-1], np.cumsum(times)[:-1])
    return np.array([share.mean() for share in given])[rank]
