"""Sketched gradients of micro-batches of one domain each, read from the gradients that a step accumulates.

    sketch(gradient of a micro-batch) = sketch(.grad after it) - sketch(.grad before it)

since a sketch is linear: no copy of a gradient is made. Under data parallel training the micro-batch must be
propagated without adding over ranks (`no_sync`), or every rank would sketch the sum.

Cost: one read of the gradients for each micro-batch (`sketch`), d sketches of memory, one all-reduce of them.

Embeddings are better left out: the frequencies of tokens outweigh all else in their gradients.
"""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.sketch import CountSketch


class MicroBatchGradients:
    """Sketches of the gradients of domains, added up micro-batch by micro-batch.

        found = MicroBatchGradients(watched, sketch, d=d)
        for step ...:
            optimiser.zero_grad()
            found.begin()
            for domain, tokens in micro_batches:
                (model.losses(tokens).mean() / accumulated).backward()
                found.after(domain, samples=len(tokens), scale=accumulated)
            optimiser.step()
        gram = found.collected().added_over_ranks().gram()

    Args:
        parameters: by name, the same on all ranks; `linear_weights` gives a choice.
        sketch: how they are sketched.
        d: domains.
        halves: keep two halves of each domain's micro-batches apart, for squares free of noise; a domain
            then needs two micro-batches.
    """

    def __init__(
        self, parameters: Mapping[str, Tensor], sketch: CountSketch, *, d: int, halves: bool = False
    ) -> None:
        self._parameters, self._sketch = dict(parameters), sketch
        device = next(iter(self._parameters.values())).device
        self._sums = torch.zeros(2 if halves else 1, d, sketch.size, device=device)
        self._counts = torch.zeros(2 if halves else 1, d, dtype=torch.int64, device=device)
        self._turns = [0] * d
        self._before: Tensor | None = None

    def begin(self) -> None:
        """Note where the gradients stand; after `zero_grad`, or whenever something else changed them."""
        self._before = self._standing()

    def after(self, domain: int, *, samples: int, scale: float) -> None:
        """Take a micro-batch in, once its backward pass is done.

        Args:
            domain: of all its samples.
            samples: how many.
            scale: what the gradient of the samples' mean loss is of that which was propagated: the number
                of micro-batches, where the loss was divided by it; over the factor of a scaled loss.

        Raises:
            ValueError: `begin` was not called.
        """
        if self._before is None:
            raise ValueError("call begin() before the first micro-batch of a step")
        standing = self._standing()
        half = self._turns[domain] % len(self._sums)
        self._turns[domain] += 1
        self._sums[half, domain] += (standing - self._before) * (scale * samples)
        self._counts[half, domain] += samples
        self._before = standing

    def collected(self) -> DomainGradients:
        """All that was taken in since the last call; of this rank. A new collection begins."""
        found = DomainGradients(self._sums, self._counts, f"{self._name()}, {self._sketch.label}")
        self._sums, self._counts = torch.zeros_like(self._sums), torch.zeros_like(self._counts)
        return found

    def _standing(self) -> Tensor:
        sketched = torch.zeros_like(self._sums[0, 0])
        for name, parameter in self._parameters.items():
            if parameter.grad is not None:
                self._sketch.add(parameter.grad, name=name, into=sketched)
        return sketched

    def _name(self) -> str:
        first, last = min(self._parameters), max(self._parameters)
        digest = hashlib.blake2b("\n".join(sorted(self._parameters)).encode(), digest_size=4).hexdigest()
        return f"{len(self._parameters)} from {first} to {last} ({digest})"


def linear_weights(model: nn.Module) -> dict[str, Tensor]:
    """Weights of all linear layers by name: neither embeddings, nor norms, nor biases."""
    return {f"{name}.weight": layer.weight for name, layer in linear_layers(model).items()}


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """All linear layers by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
