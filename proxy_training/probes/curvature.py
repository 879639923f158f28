"""The curvature of the loss in the weights of linear layers, by Kronecker factors with corrected eigenvalues.

    H = mean over tokens of  J^T (Hessian of the loss in the logits) J            (Gauss-Newton)
    per layer:  H ~ (U_b x U_a) diag(L) (U_b x U_a)^T
        U_a, U_b: eigenvectors of  E[x x^T]  and  E[delta delta^T]
        L:        E[(U_b^T G U_a)^2] of the gradients G of whole samples, per token

delta are gradients for labels drawn from the model itself: then E[G G^T] is the Gauss-Newton matrix, summed
over the tokens of a sample, since labels of different tokens are drawn apart. Blocks between layers are left
out.

Cost: two passes forward and backward over the batches; for each layer an eigendecomposition of
inputs^3 + outputs^3, and inputs^2 + outputs^2 + inputs x outputs floats.

Source: George et al. 2018, arXiv:1806.03884 (EKFAC); Grosse et al. 2023, arXiv:2308.03296, for language
models and the default damping.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import Tensor, nn

from proxy_training.probes.direction import Direction
from proxy_training.probes.layer import LayerWatch
from proxy_training.probes.ranks import added_over_ranks

Logits = Callable[[Any, Tensor], Tensor]
"""Of a model and (B, T) tokens, the (B, T, V) logits of the next: the model itself, as a rule."""

_DEFAULT_DAMPING = 0.1  # of the mean eigenvalue of a layer


@dataclass(frozen=True, eq=False)
class LayerCurvature:
    """Curvature in the weight of one layer.

    Args:
        inputs: (inputs, inputs) U_a.
        outputs: (outputs, outputs) U_b.
        eigenvalues: (outputs, inputs) L.
    """

    inputs: Tensor
    outputs: Tensor
    eigenvalues: Tensor

    def solved(self, change: Tensor, damping: float | None) -> Tensor:
        """(outputs, inputs) the inverse of the damped curvature, times a change of the weight."""
        added = _DEFAULT_DAMPING * self.eigenvalues.mean() if damping is None else damping
        turned = self.outputs.T @ change @ self.inputs
        return self.outputs @ (turned / (self.eigenvalues + added)) @ self.inputs.T


@dataclass(frozen=True, eq=False)
class Curvature:
    """Curvature in the weights of linear layers.

    Args:
        layers: by name of the weight.
        damping: added to each eigenvalue, such as the L2 penalty of the loss; by default a tenth of the mean
            eigenvalue of the layer.
    """

    layers: Mapping[str, LayerCurvature]
    damping: float | None = None

    def solved(self, direction: Direction) -> dict[str, Tensor]:
        """The inverse of the damped curvature, times a direction in these weights."""
        return {name: layer.solved(direction[name], self.damping) for name, layer in self.layers.items()}


def curvature(
    model: nn.Module,
    batches: Sequence[Tensor],
    *,
    layers: Mapping[str, nn.Linear],
    generator: torch.Generator,
    damping: float | None = None,
    logits: Logits = lambda model, tokens: model(tokens),
) -> Curvature:
    """Measure the curvature, over the batches of all ranks.

    Args:
        model: its gradients are left as they are.
        batches: (B, T + 1) tokens each; only what the model reads of them matters, the last token does not.
        layers: by name, each used once in a forward pass.
        generator: of labels, on the device of the tokens; with another seed on each rank.
        damping: see `Curvature`.
        logits: how the model predicts.
    """
    weights = {f"{name}.weight": layer for name, layer in layers.items()}
    bases = _bases(model, batches, weights, generator, logits)
    sums = {name: torch.zeros_like(layer.weight, dtype=torch.float32) for name, layer in weights.items()}
    tokens = 0
    for batch in batches:
        for name, (inputs, outputs) in _drawn(model, batch, weights, generator, logits).items():
            u_a, u_b = bases[name]
            gradients = (outputs @ u_b).mT @ (inputs @ u_a)
            sums[name] += gradients.square().sum(dim=0)
        tokens += batch.shape[0] * (batch.shape[1] - 1)
    seen = float(added_over_ranks(torch.tensor(float(tokens), device=batches[0].device)))
    return Curvature(
        {name: LayerCurvature(*bases[name], added_over_ranks(total) / seen) for name, total in sums.items()},
        damping,
    )


def _bases(
    model: nn.Module,
    batches: Sequence[Tensor],
    weights: Mapping[str, nn.Linear],
    generator: torch.Generator,
    logits: Logits,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Eigenvectors U_a and U_b of every layer."""
    factors = {
        name: [torch.zeros(n, n, device=layer.weight.device) for n in (layer.in_features, layer.out_features)]
        for name, layer in weights.items()
    }
    for batch in batches:
        for name, saved in _drawn(model, batch, weights, generator, logits).items():
            for factor, rows in zip(factors[name], saved, strict=True):
                flat = rows.flatten(0, 1)
                factor.addmm_(flat.T, flat)
    # Every rank decomposes the same sums: eigenvectors of equal matrices are equal.
    return {
        name: (_eigenvectors(added_over_ranks(a)), _eigenvectors(added_over_ranks(b)))
        for name, (a, b) in factors.items()
    }


def _eigenvectors(matrix: Tensor) -> Tensor:
    vectors: Tensor = torch.linalg.eigh(matrix.double()).eigenvectors
    return vectors.to(matrix.dtype)


def _drawn(
    model: nn.Module,
    batch: Tensor,
    weights: Mapping[str, nn.Linear],
    generator: torch.Generator,
    logits: Logits,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Inputs and gradients of outputs of each layer, for labels that the model draws; the loss is summed."""
    with ExitStack() as stack:
        watches = {name: stack.enter_context(LayerWatch(layer, name=name)) for name, layer in weights.items()}
        predicted = logits(model, batch[:, :-1]).flatten(0, 1).float()
        labels = torch.multinomial(predicted.detach().softmax(dim=-1), 1, generator=generator).squeeze(1)
        loss = F.cross_entropy(predicted, labels, reduction="sum")
        torch.autograd.grad(loss, [layer.weight for layer in weights.values()])
    saved = {name: watch.saved(len(batch)) for name, watch in watches.items()}
    return {name: (inputs.float(), outputs.float()) for name, (inputs, outputs) in saved.items()}
