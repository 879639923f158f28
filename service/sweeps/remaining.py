"""How long a sweep still takes.

    seconds = (waiting + Σ_running (1 - progress)) · seconds of a run / runs in training at once

with the mean time of the sweep's completed runs. Runs without a sign of life wait to be claimed again.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.models import Sweep
from service.sweeps import repository


@dataclass(frozen=True)
class Remaining:
    """What is left of a sweep.

    Args:
        runs: whole runs' worth of training.
        at_once: runs that are in training now, with a sign of life.
        seconds_each: mean time of a completed run; None while there is none.
    """

    runs: float
    at_once: int
    seconds_each: float | None

    @property
    def seconds(self) -> float | None:
        """Time until the last run ends at this pace; None where nobody can tell."""
        if self.seconds_each is None or not self.at_once:
            return None
        return self.runs * self.seconds_each / self.at_once


def remaining(session: Session, sweep: Sweep) -> Remaining:
    """What is left of a sweep at this moment."""
    waiting, at_once, parts, seconds_each = repository.pace(session, sweep.id)
    return Remaining(waiting + parts, at_once, seconds_each)
