"""Where a layer of experts sent the tokens of every domain.

    load_ie = tokens of domain i that went to expert e; a token that goes to k experts counts k times

Take the last layer of experts, as published, and the tokens of a pass without noise in the router. Windows
have no padding; a trainer that pads leaves its padding out.

Cost: a count of choices that the forward pass has made, and one all-reduce of d e numbers.

Source: arXiv:2406.11256, and the released code.
"""

import torch
from torch import Tensor

from mixlaws.measurements import ExpertCounts
from proxy_training.probes.ranks import added_over_ranks


def expert_counts(routes: Tensor, domains: Tensor, *, d: int, experts: int, layer: int) -> ExpertCounts:
    """Count choices by domain, over all ranks.

    Args:
        routes: (B, T, k) numbers of the experts of each token, of all tokens.
        domains: (B,) number of each sample's domain.
        d: domains.
        experts: e, of the layer.
        layer: its index.
    """
    pairs = domains[:, None, None] * experts + routes
    counts = torch.bincount(pairs.flatten(), minlength=d * experts).view(d, experts)
    return ExpertCounts(added_over_ranks(counts).double().cpu().numpy(), layer, "hard")
