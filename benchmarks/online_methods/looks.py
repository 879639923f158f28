"""What is looked at now and then in a run, by passes of its own."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from benchmarks.online_methods.scene import Scene, token_losses
from mixlaws.feedback import Evaluation
from mixlaws.measurements import GradientProducts, Influence
from proxy_training.cost import FORWARD, TRAINING
from proxy_training.mixture_stream import MixtureStream
from proxy_training.probes.batch import ProbeBatch
from proxy_training.probes.curvature import curvature
from proxy_training.probes.direction import target_direction
from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.held_out import held_out_losses
from proxy_training.probes.influence import group_influence
from proxy_training.probes.micro_batches import linear_layers

SCORED = 16  # windows of each domain: an evaluation of nine domains then costs as much as six steps
ALIGNED = 2  # windows of each domain and target: with nine domains a look costs as much as four or five steps
INFLUENTIAL = 16  # windows of each domain and target, and twice those of the domains for the curvature


class Look(Protocol):
    """A measurement of a moment."""

    @property
    def flops(self) -> float:
        """FLOPs of a look."""
        ...

    def take(self, step: int, rate: float, /) -> Any:
        """A field of the feedback after so many steps, the last one at this learning rate."""
        ...


class HeldOutLook:
    """Losses of all domains on the same held-out windows; the final scores are of another split."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._windows = scene, scene.windows("validation", SCORED)
        tokens = len(self._windows.batch.domains) * scene.spec.context
        self.flops = FORWARD * scene.model.parameter_count() * tokens

    def take(self, step: int, _: float, /) -> Evaluation:
        """Score the model."""
        return held_out_losses(self._scene.model, self._windows, token_losses=token_losses, step=step)


class ProductsLook:
    """Products of the gradients of domains, in all parameters, with those of held-out text of each domain."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._texts = scene, _Texts(scene, ALIGNED)
        self.flops = TRAINING * scene.model.parameter_count() * 2 * self._texts.tokens

    def take(self, _: int, rate: float, /) -> GradientProducts:
        """Propagate fresh windows of each."""
        names = self._scene.corpus.domains.names
        order = sorted(range(len(names)), key=names.__getitem__)
        domains, targets = self._texts.domains(), self._texts.targets()
        return self._gradients(domains).products(
            self._gradients([targets[at] for at in order]),
            learning_rate=rate,
            names=tuple(names[at] for at in order),
        )

    def _gradients(self, batches: Sequence[ProbeBatch]) -> DomainGradients:
        rows, counts = [], torch.tensor([len(batch.domains) for batch in batches])
        for batch in batches:
            direction = target_direction(self._scene.model, batch, token_losses=token_losses)
            rows.append(torch.cat([part.flatten() for part in direction.values()]) * len(batch.domains))
        return DomainGradients(torch.stack(rows)[None], counts[None], "all parameters")


class InfluenceLook:
    """What a little more of each domain does to held-out losses, by the curvature of linear layers."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._texts = scene, _Texts(scene, INFLUENTIAL)
        # A gradient of each domain and target, and two passes for the curvature.
        self.flops = TRAINING * scene.model.parameter_count() * 4 * self._texts.tokens

    def take(self, step: int, _: float, /) -> Influence:
        """Propagate fresh windows of each."""
        model, names = self._scene.model, self._scene.corpus.domains.names
        domains, targets = self._texts.domains(), self._texts.targets()
        curved = curvature(
            model,
            [batch.tokens for batch in domains],
            layers=linear_layers(model),
            generator=torch.Generator().manual_seed(step),
        )
        named = dict(zip(names, targets, strict=True))
        return group_influence(model, domains, named, curvature=curved, token_losses=token_losses)


class _Texts:
    """Windows of every domain, others at each look: to train on, and held out."""

    def __init__(self, scene: Scene, samples: int) -> None:
        self._d, self._samples = scene.d, samples
        self._train, self._held_out = (
            MixtureStream(scene.corpus, context=scene.spec.context, seed=0, split=split)
            for split in ("train", "validation")
        )
        self.tokens = scene.d * samples * scene.spec.context

    def domains(self) -> list[ProbeBatch]:
        """Training text of each domain."""
        return [self._batch(self._train, number) for number in range(self._d)]

    def targets(self) -> list[ProbeBatch]:
        """Held-out text of each domain."""
        return [self._batch(self._held_out, number) for number in range(self._d)]

    def _batch(self, stream: MixtureStream, number: int) -> ProbeBatch:
        numbers = [number] * self._samples
        return ProbeBatch(torch.from_numpy(stream.batch(numbers)), torch.tensor(numbers))
