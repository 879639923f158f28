"""How long the gradients of domains are, and how noisy, from two batch sizes.

    E |G_b|^2 = |g|^2 + s^2 / b        for the mean gradient G_b of b samples
    |g|^2 = (b2 |G_b2|^2 - b1 |G_b1|^2) / (b2 - b1)
    s^2   = (|G_b1|^2 - |G_b2|^2) / (1 / b1 - 1 / b2)

Numerators and denominators are averaged over steps on their own, and divided afterwards: the mean of ratios
would weigh a step with few samples as much as one with many.

Cost: from a watched layer, the squared norms of its samples (`layer`), and one all-reduce of d numbers.
From norms before and after the all-reduce of data parallel training, where a rank's micro-batch is of one
domain: nothing (`noise_of`).

Source: McCandlish et al. 2018, arXiv:1812.06162, appendix A.1; used by PiKE, arXiv:2502.06244.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.measurements import GradientNorms
from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.ranks import added_over_ranks


@dataclass(frozen=True, eq=False)
class NoiseTerms:
    """Numerators and denominators of a step; both are 0 where a domain had no two batch sizes.

    Args:
        square_norms: (2, d) numerators and denominators of |g|^2.
        variances: (2, d) those of s^2.
        batch: samples of the step.
    """

    square_norms: FloatArray
    variances: FloatArray
    batch: int


def noise_of(
    small_squares: FloatArray, small: IntArray, large_squares: FloatArray, large: IntArray
) -> NoiseTerms:
    """Terms of the squared norms of mean gradients.

    Args:
        small_squares: (d,) |G_b1|^2, better the mean over several batches of b1 samples.
        small: (d,) b1.
        large_squares: (d,) |G_b2|^2.
        large: (d,) b2; a domain where it is not above b1 is left out.
    """
    told = (small > 0) & (large > small)
    b1, b2 = np.where(told, small, 1).astype(np.float64), np.where(told, large, 2).astype(np.float64)
    square_norms = np.stack([b2 * large_squares - b1 * small_squares, b2 - b1])
    variances = np.stack([small_squares - large_squares, 1 / b1 - 1 / b2])
    return NoiseTerms(np.where(told, square_norms, 0.0), np.where(told, variances, 0.0), int(large.sum()))


def sample_noise(sample_squares: Tensor, domains: Tensor, gradients: DomainGradients) -> NoiseTerms:
    """Terms of single samples against all samples of a domain.

    Args:
        sample_squares: (B,) squared norms of the gradients of this rank's samples.
        domains: (B,) number of each sample's domain.
        gradients: of the same samples, already added over the ranks.
    """
    d = gradients.sums.shape[1]
    squares = sample_squares.new_zeros(d, dtype=torch.float64)
    squares = added_over_ranks(squares.index_add_(0, domains, sample_squares.double()))
    counts = gradients.total_counts
    seen = np.maximum(counts, 1)
    total = gradients.sums.sum(dim=0)
    large: FloatArray = torch.linalg.vector_norm(total, dim=1, dtype=torch.float64).square().cpu().numpy()
    return noise_of(squares.cpu().numpy() / seen, np.minimum(counts, 1), large / seen**2, counts)


class NoiseAverage:
    """Terms of several steps, the later ones weighing more.

    Args:
        decay: what a term keeps of its weight when the domain is measured again.
    """

    def __init__(self, d: int, *, decay: float = 0.9) -> None:
        self._decay = decay
        self._square_norms, self._variances = np.zeros((2, d)), np.zeros((2, d))
        self._batch = 0

    def add(self, terms: NoiseTerms) -> None:
        """Take a step in; a domain that it does not tell of, or that is not finite, stays as it was."""
        told = np.isfinite(terms.square_norms).all(axis=0) & (terms.square_norms[1] > 0)
        kept = np.where(told, self._decay, 1.0)
        self._square_norms = kept * self._square_norms + np.where(told, terms.square_norms, 0.0)
        self._variances = kept * self._variances + np.where(told, terms.variances, 0.0)
        self._batch = terms.batch

    def norms(self) -> GradientNorms:
        """Estimates; NaN where a domain was never measured. The batch is that of the last step."""
        return GradientNorms(_ratios(self._square_norms), _ratios(self._variances), self._batch)


def _ratios(terms: FloatArray) -> FloatArray:
    ratios = np.full(terms.shape[1], np.nan)
    np.divide(terms[0], terms[1], out=ratios, where=terms[1] > 0)
    return ratios
