"""Adds measurements up to reports: sums and counts over steps that were drawn with one version."""

from collections.abc import Callable

from mixclient.measurements import Measured


class Recorder:
    """Collects the steps of a report.

    A report never spans two versions: what a policy learns from a loss depends on the weights that drew it.
    All its steps measured the same kinds, and at most its last one carries snapshots.

    Args:
        every: steps of a report.
        send: called with (step_from, step_to, version, what these steps measured).
    """

    def __init__(self, every: int, send: Callable[[int, int, int, Measured], None]) -> None:
        self._every = every
        self._send = send
        self._sums: Measured | None = None
        self._step_from = self._step_to = self._version = 0

    def add(self, step: int, version: int, measured: Measured, *, last: bool = False) -> None:
        """Add what a step measured; a report is sent once it is full.

        Args:
            step: the step.
            version: what it was drawn with; another one than before begins a new report.
            measured: kept, and added to.
            last: whether the report ends here in any case, as where a stage ends.
        """
        if self._sums is not None and (self._version != version or not self._sums.adds_up_with(measured)):
            self.flush()
        if self._sums is None:
            self._sums, self._step_from, self._version = measured, step, version
        else:
            self._sums.add(measured)
        self._step_to = step
        if last or measured.snapshots or (step + 1) % self._every == 0:
            self.flush()

    def flush(self) -> None:
        """Send what is collected, if anything is."""
        if self._sums is not None:
            sums, self._sums = self._sums, None
            self._send(self._step_from, self._step_to, self._version, sums)
