"""Units: domains that move freely, and groups that move as one since they keep the prior's proportions.

    w_j = e_j z_u    with u the unit of domain j, and e_j its share of it: 1, or q_j over the group's prior

In units, constraints on domains are constraints of the same kind: a bound l_j on w_j is l_j / e_j on z_u, a
bound on a group inside a unit is one on the unit. KL and L1 distances from the prior are those of the units,
since sum_j e_j z log(e_j z / q_j) = z log(z / q_u).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Units:
    """How domains make units.

    Args:
        of: (d,) number of the unit that each domain belongs to.
        inner: (d,) its share of the unit.
    """

    of: IntArray
    inner: FloatArray

    @classmethod
    def create(cls, prior: FloatArray, kept: Sequence[BoolArray]) -> "Units":
        """Units of sets (d,) that keep proportions, which are apart or nested: the outermost count."""
        of, inner = np.full(len(prior), -1), np.ones(len(prior))
        count = 0
        for mask in sorted(kept, key=lambda mask: -int(mask.sum())):
            if of[mask].max() < 0:
                of[mask], inner[mask] = count, prior[mask] / prior[mask].sum()
                count += 1
        free = of < 0
        of[free] = count + np.arange(free.sum())
        return cls(of.astype(np.int64), inner)

    def __len__(self) -> int:
        return int(self.of.max()) + 1

    def expand(self, units: FloatArray, /) -> FloatArray:
        """(..., d) weights of units (..., m)."""
        return np.asarray(units[..., self.of] * self.inner)

    def gather(self, values: FloatArray, /) -> FloatArray:
        """(..., m) sums of values (..., d) over the domains of each unit."""
        if len(self) == len(self.of):
            ordered = np.empty_like(values)
            ordered[..., self.of] = values
            return ordered
        picks = (self.of[:, None] == np.arange(len(self))).astype(np.float64)
        return np.asarray(values @ picks)

    def bounds(self, lower: FloatArray, upper: FloatArray, /) -> tuple[FloatArray, FloatArray]:
        """(m,) bounds of units from (d,) bounds of domains; infinite where no share meets them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.where(lower > 0, lower / self.inner, 0.0)
            allowed = np.where(self.inner > 0, upper / self.inner, np.inf)
        least, most = np.zeros(len(self)), np.ones(len(self))
        np.maximum.at(least, self.of, needed)
        np.minimum.at(most, self.of, allowed)
        return least, most

    def share(self, mask: BoolArray, /) -> tuple[int, float] | None:
        """The unit that a set of domains lies in, and its share of that unit; None where it needs several."""
        units = np.unique(self.of[mask])
        return None if len(units) > 1 else (int(units[0]), float(self.inner[mask].sum()))
