"""Losses in excess of a reference model's.

    excess_i  = sum over tokens of domain i of   loss - reference loss
    clipped_i = the same sum of          max(0, loss - reference loss)

Tokens are clipped one by one: a clipped mean would lose what some tokens exceed by and others fall short of.

Cost: one forward pass of the reference, which keeps nothing for a backward pass.

Source: Xie et al. 2023, arXiv:2305.10429, and the released code.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixlaws.feedback import TokenSums
from proxy_training.probes.batch import ProbeBatch, TokenLosses
from proxy_training.probes.losses import token_sums


@dataclass(frozen=True, eq=False)
class ExcessLosses:
    """Differences to a reference model, by domain, nats.

    Args:
        plain: summed as they are.
        clipped: each held at 0 from below before it is added.
    """

    plain: TokenSums
    clipped: TokenSums


def excess_losses(
    losses: Tensor, batch: ProbeBatch, reference: nn.Module, *, token_losses: TokenLosses, d: int
) -> ExcessLosses:
    """Compare the losses of a step with those of a reference model on the same samples.

    Args:
        losses: (B, T) token losses of the step.
        batch: its samples.
        reference: a model that is not trained; its mode is left as it was.
        token_losses: how the reference scores tokens.
        d: domains.
    """
    training = reference.training
    reference.eval()
    with torch.no_grad():
        differences = losses.detach().double() - token_losses(reference, batch.tokens).double()
    reference.train(training)
    return ExcessLosses(
        plain=token_sums(differences, batch.domains, d=d),
        clipped=token_sums(differences.clamp_min(0.0), batch.domains, d=d),
    )
