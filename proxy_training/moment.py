"""Where a worker is, for whoever watches it: plain data, without torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """A moment of a worker.

    Args:
        label: the run.
        progress: share of it that is done.
        state: training, completed, failed or lost.
        detail: its mean loss, or what went wrong.
    """

    label: str
    progress: float
    state: str
    detail: str = ""
