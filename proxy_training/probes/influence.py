"""What training on a domain does to targets, if the model were trained to its optimum again.

    I_it = <g_t, (H + damping)^-1 g_i>

g_i and g_t are gradients of the mean losses of domain and target, H is the curvature of the training loss. A
little more weight e on the domain lowers the loss of the target by e I_it, to first order: positive is good.

Cost: d + t gradients, each over a sample of the domain or target, and the factors of the curvature; the t
preconditioned gradients of targets are kept. Too much for every step: a measurement for the stages of a run.

Source: TiKMiX, arXiv:2508.17677, section on group influence (from its reviews, no code: unverified); Koh and
Liang 2017, arXiv:1703.04730, for the formula.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from mixlaws.measurements import Influence
from proxy_training.probes.batch import ProbeBatch, TokenLosses
from proxy_training.probes.curvature import Curvature
from proxy_training.probes.direction import Direction, target_direction
from proxy_training.probes.ranks import added_over_ranks


def group_influence(
    model: nn.Module,
    domains: Sequence[ProbeBatch],
    targets: Mapping[str, ProbeBatch],
    *,
    curvature: Curvature,
    token_losses: TokenLosses,
    part: int = 16,
) -> Influence:
    """Influence of every domain on every target, over the samples of all ranks.

    Args:
        model: its gradients are left as they are.
        domains: samples of each domain, on every rank some.
        targets: samples of each target by name, likewise.
        curvature: of the training loss, which also says which weights are looked at.
        token_losses: how the model scores tokens.
        part: samples propagated at once.
    """
    weights = frozenset(curvature.layers)

    def gradient(batch: ProbeBatch) -> Direction:
        return target_direction(model, batch, token_losses=token_losses, names=weights, part=part)

    names = tuple(sorted(targets))
    solved = [curvature.solved(gradient(targets[name])) for name in names]
    influence = np.empty((len(domains), len(names)))
    for row, batch in zip(influence, domains, strict=True):
        own = gradient(batch)
        row[:] = [_product(own, direction) for direction in solved]
    device = domains[0].tokens.device
    tokens = sum(batch.tokens[:, 1:].numel() for batch in domains)
    total = added_over_ranks(torch.tensor(tokens, device=device))
    return Influence(influence, names, "ekfac", int(total))


def _product(left: Direction, right: Direction) -> float:
    return float(sum((left[name].double() * right[name].double()).sum() for name in left))
