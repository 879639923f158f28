"""Exact gradients of one linear layer by domain, from the backward pass that a step makes anyway.

    weight gradient of sample s = sum over its tokens t of  delta_t x_t^T

x are the inputs of the layer and delta the gradients of its outputs, both saved while the step runs.

Take a layer that is a module, such as the down-projection of the last block. A head that is tied to the
embedding is none, and would be the worse choice: its gradient has as many rows as there are tokens, which
for each domain is as large as the embedding, and the frequencies of tokens outweigh all else in it.

Cost: tokens x inputs x outputs multiplications for all domains together, which is what the step itself
spends on this one matrix; d x inputs x outputs floats of memory, and as many are added over the ranks. Where
that is too much, hand over a sketch. Squared norms of samples cost the smaller of that and of
tokens x T x (inputs + outputs).

Source: R&B, arXiv:2505.00358, for products of a last layer; Goodfellow 2015, arXiv:1510.01799, for the norms.
"""

from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.sketch import CountSketch


class LayerWatch:
    """Saves what goes through a linear layer while it is entered.

        with LayerWatch(model.blocks[-1].hidden.down, name="blocks.3.hidden.down.weight") as watch:
            losses = model.losses(tokens)
            losses.mean().backward()
        gram = watch.gradients(domains, d=d).added_over_ranks().gram()

    Args:
        layer: used once in the forward pass.
        name: of its weight, the same on all ranks.
    """

    def __init__(self, layer: nn.Linear, *, name: str) -> None:
        self.name = name
        self._layer = layer
        self._inputs: Tensor | None = None
        self._outputs: Tensor | None = None
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        self._inputs = self._outputs = None
        self._hooks = [self._layer.register_forward_hook(self._seen)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def gradients(
        self, domains: Tensor, *, d: int, scale: float | None = None, sketch: CountSketch | None = None
    ) -> DomainGradients:
        """Gradients of samples, added by domain; of this rank.

        Args:
            domains: (B,) number of each sample's domain.
            d: domains.
            scale: what the gradient of a sample's mean loss is of that which was propagated; by default B,
                for the mean over the samples. Divide it by the factor of a scaled loss.
            sketch: to sketch them with; by default they are given whole.

        Raises:
            ValueError: no backward pass was made, or of another number of samples.
        """
        inputs, outputs = self.saved(len(domains))
        weight = self._layer.weight
        size = weight.numel() if sketch is None else sketch.size
        sums = torch.zeros(1, d, size, device=weight.device)
        for domain in sorted(set(domains.tolist())):
            own = domains == domain
            gradient = (outputs[own].flatten(0, 1).T @ inputs[own].flatten(0, 1)).flatten().float()
            gradient *= len(domains) if scale is None else scale
            if sketch is None:
                sums[0, domain] = gradient
            else:
                sketch.add(gradient, name=self.name, into=sums[0, domain])
        layers = self.name if sketch is None else f"{self.name}, {sketch.label}"
        return DomainGradients(sums, torch.bincount(domains, minlength=d)[None], layers)

    def sample_squares(self, count: int, *, scale: float | None = None) -> Tensor:
        """(B,) squared norms of the gradients of the samples' mean losses.

        Args:
            count: B.
            scale: as for `gradients`.

        Raises:
            ValueError: no backward pass was made, or of another number of samples.
        """
        inputs, outputs = (rows.float() for rows in self.saved(count))  # products exceed what halves hold
        (tokens, width), height = inputs.shape[1:], outputs.shape[2]
        if tokens * (width + height) < width * height:
            products = (inputs @ inputs.mT) * (outputs @ outputs.mT)
        else:
            products = (outputs.mT @ inputs).square()
        return products.sum(dim=(1, 2)) * float(count if scale is None else scale) ** 2

    def saved(self, count: int) -> tuple[Tensor, Tensor]:
        """(B, T, inputs) inputs and (B, T, outputs) gradients of outputs, of B samples.

        Raises:
            ValueError: no backward pass was made, or of another number of samples.
        """
        if self._inputs is None or self._outputs is None:
            raise ValueError(f"no backward pass went through {self.name}: make one while it is watched")
        if len(self._inputs) != count or self._inputs.dim() != 3:
            raise ValueError(
                f"inputs of {self.name} are {tuple(self._inputs.shape)}: expected (B, T, width) with "
                f"B = {count}, the samples of one backward pass"
            )
        return self._inputs, self._outputs.to(self._inputs.dtype)

    def _seen(self, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.requires_grad:
            self._inputs, self._outputs = inputs[0].detach(), None
            output.register_hook(self._propagated)  # type: ignore[no-untyped-call]

    def _propagated(self, gradient: Tensor) -> None:
        self._outputs = gradient.detach()
