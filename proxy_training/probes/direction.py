"""How fast the loss of every domain changes along one direction, such as the gradient of a target.

    <g_i, v> = d/dh  mean loss of domain i at (parameters + h v),  at h = 0

for all domains at once: the product of every domain's gradient with v, without a gradient of any domain.

- `forward` carries the derivative through one forward pass (dual numbers). Attention runs by its plain
  formula meanwhile, since the fused kernels have no forward derivative on every device.
- `difference` takes (loss(h) - loss(-h)) / 2h on the same tokens, with |h v| = 1e-3 |parameters|, for models
  with an operation that has no forward derivative. Its error grows with the curvature along v, and with the
  rounding of losses.

With v preconditioned as Adam would do it, products are with the step that the optimiser makes, not with one
of plain gradient descent.

Cost: about two forward passes over the batch and one copy of the parameters, for each target; no activation
is kept. The direction of a target costs a gradient of its samples.

Source: DoGE, arXiv:2310.15393, and DGA, arXiv:2410.02498, for what the products are of.
"""

import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from mixlaws.feedback import TokenSums
from mixlaws.measurements import GradientProducts
from proxy_training.probes.batch import ProbeBatch, TokenLosses
from proxy_training.probes.losses import token_sums
from proxy_training.probes.ranks import added_over_ranks

Direction = Mapping[str, Tensor]
"""Changes of parameters by name; those that are left out do not change."""

_RELATIVE_STEP = 1e-3


def target_direction(
    model: nn.Module,
    target: ProbeBatch,
    *,
    token_losses: TokenLosses,
    names: frozenset[str] | None = None,
    part: int = 16,
) -> dict[str, Tensor]:
    """Gradient of the mean loss of a target, over the samples of all ranks.

    Args:
        model: its gradients are left as they are.
        target: samples of the target; their domains are not looked at.
        token_losses: how the model scores tokens.
        names: of the parameters it is taken of; by default all that are trained.
        part: samples propagated at once.
    """
    chosen = {
        name: parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (names is None or name in names)
    }
    sums = {name: torch.zeros_like(parameter) for name, parameter in chosen.items()}
    for samples in target.split(part):
        loss = token_losses(model, samples.tokens).mean(dim=1).sum()
        found = torch.autograd.grad(loss, list(chosen.values()), allow_unused=True, materialize_grads=True)
        for name, gradient in zip(chosen, found, strict=True):
            sums[name] += gradient
    count = added_over_ranks(torch.tensor(float(len(target.tokens)), device=target.tokens.device))
    return {name: added_over_ranks(gradient) / count for name, gradient in sums.items()}


def preconditioned(
    direction: Direction, model: nn.Module, optimiser: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """A direction as Adam scales it:  v / (sqrt(second moment / (1 - beta2^step)) + eps).

    Args:
        direction: to scale.
        model: whose parameters the optimiser steps.
        optimiser: `Adam` or `AdamW`; read, never written.

    Raises:
        ValueError: the optimiser holds no second moment of a parameter.
    """
    groups = {parameter: group for group in optimiser.param_groups for parameter in group["params"]}
    parameters = dict(model.named_parameters())
    scaled = {}
    for name, change in direction.items():
        parameter = parameters[name]
        state = optimiser.state.get(parameter, {})
        if "exp_avg_sq" not in state or parameter not in groups:
            raise ValueError(
                f"the optimiser holds no second moment of {name}: precondition after the first step of "
                "Adam or AdamW, or use the direction as it is"
            )
        group = groups[parameter]
        correction = 1 - group["betas"][1] ** float(state["step"])
        scaled[name] = change / ((state["exp_avg_sq"] / correction).sqrt() + group["eps"])
    return scaled


def derivatives(
    model: nn.Module,
    batch: ProbeBatch,
    direction: Direction,
    *,
    token_losses: TokenLosses,
    d: int,
    method: Literal["forward", "difference"] = "forward",
) -> TokenSums:
    """Derivatives of token losses along a direction, summed by domain over all ranks.

    Args:
        model: left as it is.
        batch: samples of the domains.
        direction: the same on all ranks.
        token_losses: how the model scores tokens.
        d: domains.
        method: as told on top.

    Raises:
        KeyError: the direction names a parameter that the model has not.
    """
    parameters = {name: dict(model.named_parameters())[name].detach() for name in direction}
    scored = _Scored(model, token_losses)

    def losses(changed: dict[str, Tensor]) -> Tensor:
        named = {f"model.{name}": parameter for name, parameter in changed.items()}
        result: Tensor = functional_call(scored, named, (batch.tokens,))
        return result

    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        if method == "forward":
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            # torch itself, when it first carries a derivative forward, calls what it has deprecated.
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
            found = jvp(losses, (parameters,), (dict(direction),))[1]
        else:
            step = _RELATIVE_STEP * _length(parameters) / max(_length(direction), 1e-30)
            ahead, behind = (
                losses({name: parameters[name] + sign * step * change for name, change in direction.items()})
                for sign in (1, -1)
            )
            found = (ahead.double() - behind.double()) / (2 * step)
    return token_sums(found, batch.domains, d=d)


def target_products(
    model: nn.Module,
    batch: ProbeBatch,
    targets: Mapping[str, Direction],
    *,
    token_losses: TokenLosses,
    d: int,
    learning_rate: float,
    method: Literal["forward", "difference"] = "forward",
) -> GradientProducts:
    """Products of the gradients of domains with directions of targets.

    The lengths of the domains' gradients are not measured and stay NaN; a layer that is watched tells them.

    Args:
        model: left as it is.
        batch: samples of the domains.
        targets: direction by name.
        token_losses: how the model scores tokens.
        d: domains.
        learning_rate: of the step.
        method: as told on top.
    """
    names = tuple(sorted(targets))
    found = [
        derivatives(model, batch, targets[name], token_losses=token_losses, d=d, method=method)
        for name in names
    ]
    counts = found[0].counts // (batch.tokens.shape[1] - 1)
    products = np.stack([sums.means for sums in found], axis=1)
    return GradientProducts(products, np.full(d, np.nan), counts, learning_rate, names)


class _Scored(nn.Module):
    """A model and how it is scored, so that both are called with other parameters."""

    def __init__(self, model: nn.Module, token_losses: TokenLosses) -> None:
        super().__init__()
        self.model, self._token_losses = model, token_losses

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T + 1) tokens to (B, T) losses."""
        return self._token_losses(self.model, tokens)


def _length(direction: Direction) -> float:
    squares = [torch.linalg.vector_norm(part, dtype=torch.float64).square() for part in direction.values()]
    return float(torch.stack(squares).sum().sqrt())
