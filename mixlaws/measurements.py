"""What a trainer can measure beside losses: gradients, the routing of experts, scores of benchmarks.

Here axis t counts targets, in the order of `targets`, and axis e counts experts. NaN stands for what was not
observed; it is never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Gram:
    """Products between the gradients of domains.

        G_ij = <a_i, a_j>,  a_i: the gradients of the samples of domain i, added

    Args:
        products: (d, d) G, symmetric; NaN where a pair was not observed.
        counts: (d,) samples behind each a_i; 0 where a domain was not observed.
        layers: name of the parameters that the gradients are of; products of others are not comparable.
    """

    products: FloatArray
    counts: IntArray
    layers: str

    @cached_property
    def means(self) -> FloatArray:
        """(d, d) products of mean gradients, G_ij / (n_i n_j); NaN where a pair was not observed."""
        counts = self.counts.astype(np.float64)
        pairs = np.outer(counts, counts)
        means = np.full(self.products.shape, np.nan)
        np.divide(self.products, pairs, out=means, where=pairs > 0)
        return means


@dataclass(frozen=True, eq=False)
class GradientProducts:
    """Products of the gradients of domains with those of targets.

    Args:
        products: (d, t) <g_i, g_target> of gradients of mean losses; NaN where not observed.
        norms: (d,) |g_i|; NaN where not observed.
        counts: (d,) samples behind g_i; 0 where a domain was not observed.
        learning_rate: of the step at which they were measured.
        targets: names along axis t, in rising order.
    """

    products: FloatArray
    norms: FloatArray
    counts: IntArray
    learning_rate: float
    targets: tuple[str, ...]

    @cached_property
    def measured(self) -> BoolArray:
        """(t,) whether any domain has a product with a target."""
        return np.asarray(np.isfinite(self.products[self.counts > 0]).any(axis=0))

    @cached_property
    def observed(self) -> BoolArray:
        """(d,) whether a domain has a product with every measured target."""
        complete = np.isfinite(self.products[:, self.measured]).all(axis=1)
        return np.asarray((self.counts > 0) & complete & self.measured.any())

    @cached_property
    def added(self) -> FloatArray:
        """(d,) products added over the measured targets; NaN where a domain was not observed."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(self.observed, self.products[:, self.measured].sum(axis=1), np.nan)


@dataclass(frozen=True, eq=False)
class GradientNorms:
    """How long the gradients of domains are, and how noisy.

    Args:
        square_norms: (d,) estimates of the squared norm of the mean gradient, which may fall below 0 by
            noise; NaN where not observed.
        variances: (d,) estimates of the squared deviation of one sample's gradient from it; likewise.
        batch: samples of the probe.
    """

    square_norms: FloatArray
    variances: FloatArray
    batch: int


@dataclass(frozen=True, eq=False)
class ExpertCounts:
    """Where a layer of experts sent the tokens of every domain.

    Args:
        counts: (d, e) tokens by expert, or sums of gate weights; 0 in a whole row if it was not observed.
        layer: index of the layer.
        gate: "hard" for counted tokens, "soft" for gate weights.
    """

    counts: FloatArray
    layer: int
    gate: str

    @cached_property
    def shares(self) -> FloatArray:
        """(d, e) shares of the experts, which sum to 1; NaN where a domain was not observed."""
        totals = self.counts.sum(axis=1, keepdims=True)
        shares = np.full(self.counts.shape, np.nan)
        np.divide(self.counts, totals, out=shares, where=totals > 0)
        return shares


@dataclass(frozen=True, eq=False)
class BenchmarkScores:
    """What a checkpoint scores.

    Args:
        scores: by name of the benchmark, higher is better; one that was not measured is left out.
        checkpoint: its name.
    """

    scores: Mapping[str, float]
    checkpoint: str


@dataclass(frozen=True, eq=False)
class Influence:
    """What training on a domain does to targets.

    Args:
        influence: (d, t) how much the loss of a target falls, so that positive is good; NaN where not
            observed.
        targets: names along axis t, in rising order.
        method: how it was estimated; numbers of different methods are not comparable.
        tokens: tokens that the gradients were accumulated over.
    """

    influence: FloatArray
    targets: tuple[str, ...]
    method: str
    tokens: int
