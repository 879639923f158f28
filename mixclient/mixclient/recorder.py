"""Adds measurements up to reports: sums and counts over steps that were drawn with one version."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass
class _Sums:
    step_from: int
    step_to: int
    version: int
    losses: list[float]
    tokens: list[int]


class Recorder:
    """Collects the steps of a report.

    A report never spans two versions: what a policy learns from a loss depends on the weights that drew it.

    Args:
        every: steps of a report.
        send: called with (step_from, step_to, loss sums, token counts).
    """

    def __init__(self, every: int, send: Callable[[int, int, list[float], list[int]], None]) -> None:
        self._every = every
        self._send = send
        self._sums: _Sums | None = None

    def add(self, step: int, version: int, losses: Sequence[float], tokens: Sequence[int]) -> None:
        """Add what a step measured; a report is sent once it is full, or the version changes.

        Raises:
            ValueError: the measurements are no numbers, or not as many losses as counts; nothing is added.
        """
        if len(losses) != len(tokens):
            raise ValueError(f"{len(losses)} loss sums but {len(tokens)} token counts")
        # Everything is read before anything is added: half a step must not stay in the sums.
        measured = [(float(loss), int(count)) for loss, count in zip(losses, tokens, strict=True)]
        if self._sums is not None and self._sums.version != version:
            self.flush()
        if self._sums is None:
            self._sums = _Sums(step, step, version, [0.0] * len(losses), [0] * len(tokens))
        sums = self._sums
        sums.step_to = step
        for domain, (loss, count) in enumerate(measured):
            sums.losses[domain] += loss
            sums.tokens[domain] += count
        if (step + 1) % self._every == 0:
            self.flush()

    def flush(self) -> None:
        """Send what is collected, if anything is."""
        if self._sums is not None:
            sums, self._sums = self._sums, None
            self._send(sums.step_from, sums.step_to, sums.losses, sums.tokens)
