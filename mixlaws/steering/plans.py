"""Plans of a policy as they are placed: names of plans, and how many of their stages are over."""

import hashlib
from collections.abc import Sequence

import numpy as np

from mixlaws.policy import Stage

SAME = 1e-12  # weights that differ by less are the same mixture


def digest(plan: Sequence[Stage]) -> str:
    """Name of a plan: the same for the same weights, to the last bit, and steps."""
    named = hashlib.sha256()
    for stage in plan:
        named.update(repr(stage.steps).encode())
        named.update(np.ascontiguousarray(stage.weights, dtype=np.float64).tobytes())
    return named.hexdigest()[:16]


def starts(plan: Sequence[Stage], effective_step: int) -> tuple[int, ...]:
    """Steps from which the stages of a plan hold, one after the other; only the last may be without end."""
    steps = [effective_step]
    for stage in plan[:-1]:
        if stage.steps is None:
            raise ValueError("a stage without end is followed by another one")
        steps.append(steps[-1] + stage.steps)
    return tuple(steps)


def lasting(plan: Sequence[Stage], at: int) -> int:
    """Place of the stage to stay with: the one at a place, what a probe there interrupts, or the last one."""
    return next((place for place in range(at, -1, -1) if not plan[place].probe), len(plan) - 1)


def stages_done(placed: Sequence[int], step: int) -> int | None:
    """How many stages of a placed plan are over after so many steps; None while none has begun.

    The last stage is over at no step here: whoever needs its end gives a stage after it.
    """
    if not placed or step <= placed[0]:
        return None
    return sum(step >= start for start in placed[1:])
