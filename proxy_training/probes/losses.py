"""Losses by domain, as sums and counts.

    S_i = sum of the token losses of domain i,  N_i = its tokens,  Q_i = sum of the squared token losses

Cost: a sum over losses that the step has anyway, and one all-reduce of 4 d numbers.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.feedback import TokenSums
from proxy_training.probes.ranks import added_over_ranks


@dataclass(frozen=True, eq=False)
class DomainLosses:
    """Losses of a step.

    Args:
        training: summed token losses, nats, and tokens.
        squares: (d,) summed squares of token losses.
        sequences: (d,) samples.
    """

    training: TokenSums
    squares: FloatArray
    sequences: IntArray


def domain_losses(losses: Tensor, domains: Tensor, *, d: int) -> DomainLosses:
    """Sum losses by domain, over all ranks.

    A loss that is not finite spoils the sum of its own domain and no other.

    Args:
        losses: (B, T) token losses, nats; no gradient is taken through them.
        domains: (B,) number of each sample's domain.
        d: domains.
    """
    losses = losses.detach().double()
    per_sample = torch.full_like(losses[:, 0], losses.shape[1])
    columns = [losses.sum(dim=1), losses.square().sum(dim=1), per_sample, torch.ones_like(per_sample)]
    sums, squares, tokens, sequences = _by_domain(torch.stack(columns, dim=1), domains, d=d)
    return DomainLosses(TokenSums(sums, tokens.astype(int)), squares, sequences.astype(int))


def token_sums(values: Tensor, domains: Tensor, *, d: int) -> TokenSums:
    """Sum any (B, T) quantity of tokens by domain, over all ranks."""
    values = values.detach().double()
    tokens = torch.full_like(values[:, 0], values.shape[1])
    sums, counts = _by_domain(torch.stack([values.sum(dim=1), tokens], dim=1), domains, d=d)
    return TokenSums(sums, counts.astype(int))


def _by_domain(columns: Tensor, domains: Tensor, *, d: int) -> FloatArray:
    """(c, d) sums of the (B, c) columns by domain, over all ranks."""
    sums = columns.new_zeros(d, columns.shape[1]).index_add_(0, domains, columns)
    numbers: FloatArray = added_over_ranks(sums).T.cpu().numpy()
    return numbers
