"""What is measured in every step of a run and added up to a report."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from torch import Tensor

from benchmarks.online_methods.scene import Scene, token_losses
from mixlaws.feedback import TokenSums
from proxy_training.cost import FORWARD
from proxy_training.probes.batch import ProbeBatch
from proxy_training.probes.excess import excess_losses
from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.layer import LayerWatch
from proxy_training.probes.losses import domain_losses
from proxy_training.probes.micro_batches import linear_layers


class StepMeasure(Protocol):
    """A measurement of every step."""

    @property
    def flops(self) -> float:
        """FLOPs in each step."""
        ...

    def watching(self) -> AbstractContextManager[Any]:
        """Is entered while a step is made."""
        ...

    def note(self, batch: ProbeBatch, losses: Tensor, /) -> None:
        """Take a step in, with its losses (B, T)."""
        ...

    def found(self, *, look: bool) -> Mapping[str, Any]:
        """Fields of a feedback about the steps since they were told last.

        Args:
            look: whether it is time for what is told now and then.
        """
        ...


class Losses:
    """Sums of the losses that a step has anyway."""

    flops = 0.0

    def __init__(self, scene: Scene) -> None:
        self._d = scene.d
        self._sums: dict[str, Any] = {}

    def watching(self) -> AbstractContextManager[Any]:
        """Nothing to do."""
        return nullcontext()

    def note(self, batch: ProbeBatch, losses: Tensor, /) -> None:
        """Add a step."""
        found = domain_losses(losses, batch.domains, d=self._d)
        added = {
            "loss_sums": found.training.sums,
            "token_counts": found.training.counts,
            "loss_squares": found.squares,
            "sequence_counts": found.sequences,
        }
        self._sums = {name: value + self._sums.get(name, 0) for name, value in added.items()}

    def found(self, *, look: bool) -> Mapping[str, Any]:  # noqa: ARG002 - told with every report
        """Sums and counts."""
        found, self._sums = self._sums, {}
        return found


class Excess:
    """Losses in excess of the reference model's, for which it reads each batch.

    Raises:
        ValueError: there is no reference.
    """

    def __init__(self, scene: Scene) -> None:
        if scene.reference is None:
            raise ValueError("excess losses need a reference model")
        self._reference, self._d = scene.reference, scene.d
        self._sums: dict[str, TokenSums] = {}
        self.flops = FORWARD * self._reference.parameter_count() * scene.step_tokens

    def watching(self) -> AbstractContextManager[Any]:
        """Nothing to do."""
        return nullcontext()

    def note(self, batch: ProbeBatch, losses: Tensor, /) -> None:
        """Add a step."""
        found = excess_losses(losses, batch, self._reference, token_losses=token_losses, d=self._d)
        for name, new in (("excess", found.plain), ("excess_clipped", found.clipped)):
            old = self._sums.get(name)
            self._sums[name] = TokenSums(old.sums + new.sums, old.counts + new.counts) if old else new

    def found(self, *, look: bool) -> Mapping[str, Any]:  # noqa: ARG002 - told with every report
        """Both sums."""
        found, self._sums = self._sums, {}
        return found


class LastLayer:
    """Products between the gradients of domains in the last linear layer, of all samples between looks."""

    def __init__(self, scene: Scene) -> None:
        name, layer = list(linear_layers(scene.model).items())[-1]  # the last block's down-projection
        self._d = scene.d
        self._watch = LayerWatch(layer, name=name)
        self._sum: DomainGradients | None = None
        # A product of inputs and gradients of outputs over all tokens: a multiplication and an addition each.
        self.flops = 2.0 * scene.step_tokens * layer.weight.numel()

    def watching(self) -> AbstractContextManager[Any]:
        """Saves what goes through the layer."""
        return self._watch

    def note(self, batch: ProbeBatch, _: Tensor, /) -> None:
        """Add a step."""
        found = self._watch.gradients(batch.domains, d=self._d)
        self._sum = found if self._sum is None else self._sum + found

    def found(self, *, look: bool) -> Mapping[str, Any]:
        """The products, if it is time for them."""
        if not look or self._sum is None:
            return {}
        total, self._sum = self._sum, None
        return {"gram": total.gram()}
