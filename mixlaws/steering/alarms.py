"""Reasons to freeze a job: losses that are no numbers again and again, losses that leap.

    m_i <- m_i + (l_i - m_i) / min(n_i, 100)          for the n_i-th loss l_i of domain i
    a spike: l_i > m_i + limit, once n_i >= 10

A feedback that spikes moves no mean, else a job that diverges would become its own standard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray, IntArray, JsonObject, frozen
from mixlaws.feedback import Feedback
from mixlaws.steering.guards import Guards

_LEAST_SEEN = 10  # losses before a mean says where a loss should be
_MEMORY = 100  # losses that a mean remembers: losses fall, and it must follow


@dataclass(frozen=True, eq=False)
class AlarmState:
    """What the alarms remember.

    Args:
        non_finite_streak: feedbacks in a row with a non-finite loss of some domain, up to now.
        running: (d,) running mean losses, nats per token; NaN before the first.
        seen: (d,) losses behind each.
    """

    non_finite_streak: int
    running: FloatArray
    seen: IntArray

    @classmethod
    def start(cls, d: int, /) -> "AlarmState":
        """Before any feedback."""
        return cls(0, np.full(d, np.nan), np.zeros(d, dtype=np.int64))

    def dump(self) -> JsonObject:
        """The state as JSON."""
        running = [None if isnan(mean) else mean for mean in self.running.tolist()]
        return {"non_finite_streak": self.non_finite_streak, "running": running, "seen": self.seen.tolist()}

    @classmethod
    def load(cls, raw: JsonObject, /) -> "AlarmState":
        """The state from its dump."""
        running = frozen([np.nan if mean is None else mean for mean in raw["running"]])
        return cls(int(raw["non_finite_streak"]), running, np.array(raw["seen"], dtype=np.int64))


def watch(
    guards: Guards, names: Sequence[str], state: AlarmState, feedback: Feedback, non_finite: BoolArray
) -> tuple[AlarmState, str | None]:
    """State after one more feedback, and a reason to freeze the job, or None.

    Args:
        guards: what the limits are.
        names: of axis d.
        state: before the feedback.
        feedback: as the guards admitted it.
        non_finite: (d,) which domains reported a loss that is not finite.
    """
    streak = state.non_finite_streak + 1 if non_finite.any() else 0
    if streak != state.non_finite_streak:
        state = replace(state, non_finite_streak=streak)
    most, spike = guards.freeze_after_non_finite, None
    if guards.loss_spike is not None:
        spike = _spike(guards.loss_spike, names, state, feedback)
        state = state if spike else _moved(state, feedback)
    if most is None or streak < most:
        return state, spike
    told = ", ".join(repr(names[at]) for at in np.flatnonzero(non_finite).tolist())
    return state, f"{streak} feedbacks in a row with a loss that is not finite, now of {told}; limit {most}"


def _spike(limit: float, names: Sequence[str], state: AlarmState, feedback: Feedback) -> str | None:
    """The domain whose loss is furthest above its mean, if that is above the limit."""
    known = feedback.observed & (state.seen >= _LEAST_SEEN)
    above = np.where(known, feedback.losses - state.running, -np.inf)
    at = int(above.argmax())
    if not above[at] > limit:
        return None
    return (
        f"the loss of {names[at]!r} is {feedback.losses[at]:.4g}, {above[at]:.4g} nats above its "
        f"running mean {state.running[at]:.4g}; limit {limit:g}"
    )


def _moved(state: AlarmState, feedback: Feedback) -> AlarmState:
    seen = state.seen + feedback.observed
    before = np.where(state.seen > 0, state.running, feedback.losses)
    new = 1 / np.minimum(np.maximum(seen, 1), _MEMORY)
    after = (1 - new) * before + new * feedback.losses  # no difference, which may be beyond all floats
    return replace(state, running=np.where(feedback.observed, after, state.running), seen=seen)
