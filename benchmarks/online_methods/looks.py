"""What is looked at now and then in a run, by passes of its own."""

from typing import Any, Protocol

from benchmarks.online_methods.scene import Scene, token_losses
from mixlaws.feedback import Evaluation
from proxy_training.cost import FORWARD
from proxy_training.probes.held_out import held_out_losses

SCORED = 16  # windows of each domain: an evaluation of nine domains then costs as much as six steps


class Look(Protocol):
    """A measurement of a moment."""

    @property
    def flops(self) -> float:
        """FLOPs of a look."""
        ...

    def take(self, step: int, /) -> Any:
        """A field of the feedback after so many steps."""
        ...


class HeldOutLook:
    """Losses of all domains on the same held-out windows; the final scores are of another split."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._windows = scene, scene.windows("validation", SCORED)
        tokens = len(self._windows.batch.domains) * scene.spec.context
        self.flops = FORWARD * scene.model.parameter_count() * tokens

    def take(self, step: int, /) -> Evaluation:
        """Score the model."""
        return held_out_losses(self._scene.model, self._windows, token_losses=token_losses, step=step)
