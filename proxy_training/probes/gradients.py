"""Gradients by domain, exact or sketched, and the products that are taken of them.

    a_i = gradients of the samples of domain i, added;  a sample's loss is the mean of its token losses
    Gram:      G_ij = <a_i, a_j>
    products:  P_it = <a_i / n_i, b_t / n_t>,  b_t the same of target t

The square of a noisy gradient is too large by its variance: |a_i|^2 estimates n_i^2 |g_i|^2 + n_i s_i^2.
Where the samples of a domain were kept in two halves, the diagonal is taken across them, free of that:

    G_ii = n_i^2 <a_i', a_i''> / (n_i' n_i'')

Cost: d (d + 1) / 2 products of m numbers, and one all-reduce of d m numbers.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.measurements import GradientProducts, Gram
from proxy_training.probes.ranks import added_over_ranks

_BLOCK = 1 << 18  # coordinates at once: a few megabytes in float64


@dataclass(frozen=True, eq=False)
class DomainGradients:
    """Summed gradients of the samples of each domain.

    Args:
        sums: (h, d, m) sums a, in one part or two halves; float32.
        counts: (h, d) samples behind them.
        layers: name of the parameters, and of the sketch if there is one; others are not multiplied.
    """

    sums: Tensor
    counts: Tensor
    layers: str

    def __add__(self, other: "DomainGradients") -> "DomainGradients":
        """Those of two steps, or of two shards.

        Raises:
            ValueError: they are gradients of other parameters, or other sketches.
        """
        self._check(other)
        return DomainGradients(self.sums + other.sums, self.counts + other.counts, self.layers)

    def added_over_ranks(self) -> "DomainGradients":
        """Those of all ranks; every rank must call."""
        return DomainGradients(
            added_over_ranks(self.sums.clone()), added_over_ranks(self.counts.clone()), self.layers
        )

    @property
    def total_counts(self) -> IntArray:
        """(d,) samples of each domain."""
        counts: IntArray = self.counts.sum(dim=0).cpu().numpy().astype(np.int64)
        return counts

    def gram(self) -> Gram:
        """Products between domains; NaN where one of a pair has no sample."""
        counts = self.total_counts
        total = self.sums.sum(dim=0)
        products = _products(total, total)
        products = (products + products.T) / 2
        if len(self.sums) == 2:
            np.fill_diagonal(products, self._noiseless_squares())
        products[(counts == 0)[:, None] | (counts == 0)] = np.nan
        return Gram(products, counts, self.layers)

    def products(
        self, targets: "DomainGradients", *, learning_rate: float, names: tuple[str, ...]
    ) -> GradientProducts:
        """Products of mean gradients with those of targets; NaN where a domain or target has no sample.

        Args:
            targets: gradients of targets, along the axis of domains.
            learning_rate: of the step.
            names: of the targets, in their order.

        Raises:
            ValueError: they are gradients of other parameters, or names are missing or not in order.
        """
        self._check(targets)
        if sorted(set(names)) != list(names) or len(names) != targets.sums.shape[1]:
            raise ValueError(
                f"targets {names}: expected {targets.sums.shape[1]} different names in rising order"
            )
        counts, target_counts = self.total_counts, targets.total_counts
        means, target_means = self._means(), targets._means()
        products = _products(means, target_means)
        products[(counts == 0)[:, None] | (target_counts == 0)] = np.nan
        norms: FloatArray = torch.linalg.vector_norm(means, dim=1, dtype=torch.float64).cpu().numpy()
        norms[counts == 0] = np.nan
        return GradientProducts(products, norms, counts, learning_rate, names)

    def _means(self) -> Tensor:
        return self.sums.sum(dim=0) / self.counts.sum(dim=0).clamp_min(1)[:, None]

    def _noiseless_squares(self) -> FloatArray:
        first, second = self.counts.double()
        across = (self.sums[0].double() * self.sums[1].double()).sum(dim=1)
        squares: FloatArray = (across * (first + second).square() / (first * second)).cpu().numpy()
        return squares  # NaN where a half is empty: 0 / 0

    def _check(self, other: "DomainGradients") -> None:
        if self.layers != other.layers:
            raise ValueError(
                f"gradients of {self.layers!r} and of {other.layers!r} are not multiplied or added: measure "
                "both with the same layers and the same sketch"
            )


def _products(left: Tensor, right: Tensor) -> FloatArray:
    """(k, l) products of the rows, added in float64 by blocks so that no copy of all of them is made."""
    products = torch.zeros(len(left), len(right), dtype=torch.float64, device=left.device)
    for a, b in zip(torch.split(left, _BLOCK, dim=1), torch.split(right, _BLOCK, dim=1), strict=True):
        products += a.double() @ b.double().T
    numbers: FloatArray = products.cpu().numpy()
    return numbers
