"""Notes what steps measured, and adds it up to reports.

Noting is what the training loop pays for: a copy of the numbers. They are read and added up by the
reporter's thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mixclient.measurements import Measured, copied, read_losses
from mixclient.schedule import Stage


class Step(NamedTuple):
    """A step's measurements as they were noted."""

    number: int
    stage: Stage
    losses: list[Any]
    tokens: list[Any]
    signals: Measured


@dataclass
class Report:
    """Steps that were drawn with one version and measured the same kinds; its last one may have snapshots."""

    step_from: int
    step_to: int
    version: int
    measured: Measured


class Recorder:
    """Collects the steps of a report.

    Args:
        every: steps of a report.
        hand_over: called with the steps of one report, or of several where `add_up` finds more than one.
    """

    def __init__(self, every: int, hand_over: Callable[[list[Step]], None]) -> None:
        self._every = every
        self._hand_over = hand_over
        self._noted: list[Step] = []

    def note(
        self,
        number: int,
        stage: Stage,
        losses: Sequence[float],
        tokens: Sequence[int],
        signals: Measured,
        *,
        last: bool,
    ) -> None:
        """Note a step; steps are handed over where a report is full, is the `last`, or has snapshots."""
        if self._noted and self._noted[0].number // self._every != number // self._every:
            self.flush()  # whoever does not measure every step may never measure the last of a report
        self._noted.append(Step(number, stage, copied(losses), copied(tokens), signals))
        if last or signals.snapshots or (number + 1) % self._every == 0:
            self.flush()

    def flush(self) -> None:
        """Hand over what is noted, if anything is."""
        if self._noted:
            noted, self._noted = self._noted, []
            self._hand_over(noted)


def add_up(steps: Sequence[Step], *, unusable: Callable[[str, int], None]) -> list[Report]:
    """Reports of steps that follow each other.

    A report never spans two versions: what a policy learns from a loss depends on the weights that drew it.

    Args:
        steps: what was handed over.
        unusable: called with "losses" and the number of a step whose losses cannot be used.
    """
    reports: list[Report] = []
    for step in steps:
        try:
            measured = read_losses(step.losses, step.tokens, domains=len(step.stage.weights))
        except Exception:  # noqa: BLE001 - whatever it was that a trainer gave, other steps are sound
            unusable("losses", step.number)
            continue
        measured.join(step.signals)
        newest = reports[-1] if reports else None
        version = step.stage.version
        if newest and newest.version == version and newest.measured.adds_up_with(measured):
            newest.measured.add(measured)
            newest.step_to = step.number
        else:
            reports.append(Report(step.number, step.number, version, measured))
    return reports
