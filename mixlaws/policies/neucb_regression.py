"""Ridge regressions of a reward on its context, one for each domain, kept by sums and shrunk to a common one.

    A_i <- f A_i + x x',   b_i <- f b_i + x y,   c_i <- f c_i + y^2,   m_i <- f m_i + 1     per reward y
    common    theta   = (sum_i A_i + r I)^-1 sum_i b_i
    domain    theta_i = (A_i + r I)^-1 (b_i + r theta)
    error     (v_i x' (A_i + r I)^-1 x)^(1/2),   v_i = (R_i + sum_j R_j / sum_j m_j) / (m_i + 1)

with R_i = c_i - 2 theta_i' b_i + theta_i' A_i theta_i, the squares that theta_i leaves: the noise v_i of a
domain with few rewards is near that of all.

f is what is kept of the past with each reward. The sums are exact: solutions are those of regressions over
all rewards, with the weights f^age.
"""

from dataclasses import dataclass, replace

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, JsonObject, frozen
from mixlaws.policies.packing import packed, unpacked


@dataclass(frozen=True, eq=False)
class Rewards:
    """Sums over the rewards of d domains; here axis p counts features of a context.

    Args:
        gram: (d, p, p) A.
        moment: (d, p) b.
        square: (d,) c.
        count: (d,) m.
    """

    gram: FloatArray
    moment: FloatArray
    square: FloatArray
    count: FloatArray

    @classmethod
    def none(cls, d: int, p: int) -> "Rewards":
        """Before any reward."""
        return cls(
            frozen(np.zeros((d, p, p))), frozen(np.zeros((d, p))), frozen(np.zeros(d)), frozen(np.zeros(d))
        )

    def told(self, contexts: FloatArray, rewards: FloatArray, given: BoolArray, kept: float) -> "Rewards":
        """With one more reward of some domains.

        Args:
            contexts: (d, p) x.
            rewards: (d,) y.
            given: (d,) which domains have one.
            kept: f.
        """
        x, y = np.where(given[:, None], contexts, 0.0), np.where(given, rewards, 0.0)
        old = np.where(given, kept, 1.0)
        return replace(
            self,
            gram=frozen(old[:, None, None] * self.gram + x[:, :, None] * x[:, None, :]),
            moment=frozen(old[:, None] * self.moment + x * y[:, None]),
            square=frozen(old * self.square + y**2),
            count=frozen(old * self.count + given),
        )

    def expected(self, contexts: FloatArray, ridge: float) -> tuple[FloatArray, FloatArray]:
        """(d,) expected rewards in contexts (d, p), and (d,) their standard errors."""
        shrinkage = ridge * np.eye(self.moment.shape[1])
        common = np.linalg.solve(self.gram.sum(axis=0) + shrinkage, self.moment.sum(axis=0))
        inverse: FloatArray = np.asarray(np.linalg.inv(self.gram + shrinkage), dtype=np.float64)
        own = _times(inverse, self.moment + ridge * common)
        left = (
            self.square - 2 * np.sum(own * self.moment, axis=1) + np.sum(own * _times(self.gram, own), axis=1)
        )
        left = np.maximum(left, 0.0)
        noise = (left + left.sum() / max(float(self.count.sum()), 1.0)) / (self.count + 1)
        spread = np.sum(contexts * _times(inverse, contexts), axis=1) * noise
        return np.sum(own * contexts, axis=1), np.sqrt(np.maximum(spread, 0.0))

    def dump(self) -> JsonObject:
        """The sums as JSON; A as base64, of which a triangle says all."""
        above = np.triu_indices(self.gram.shape[1])
        return {
            "gram": packed(self.gram[:, above[0], above[1]], "<f8"),
            "moment": packed(self.moment, "<f8"),
            "square": self.square.tolist(),
            "rewards": self.count.tolist(),
        }

    @classmethod
    def load(cls, raw: JsonObject, p: int) -> "Rewards":
        """The sums from their dump, of p features."""
        square, count = frozen(raw["square"]), frozen(raw["rewards"])
        rows, columns = np.triu_indices(p)
        gram = np.zeros((len(count), p, p))
        gram[:, rows, columns] = gram[:, columns, rows] = unpacked(raw["gram"], "<f8").reshape(len(count), -1)
        return cls(frozen(gram), unpacked(raw["moment"], "<f8").reshape(len(count), p), square, count)


def _times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """(d, p) products of matrices (d, p, p) and vectors (d, p)."""
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])
