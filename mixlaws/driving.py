"""What stands between a policy and a trainer: plans are followed, feedback is told, expensive steps are run.

A plan is followed for as long as the policy gives the same one. A new one takes effect `lead` steps after it
was given, the first at once; all of its stages are then placed, one after the other.
"""

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import FitError
from mixlaws.feedback import Feedback
from mixlaws.policy import AnyPolicy, ExpensivePolicy, History, HistoryRequest, Stage
from mixlaws.steering.plans import SAME


class PlanFollower:
    """The stage that a trainer is in.

    Args:
        lead: steps between a plan and its effect.
    """

    def __init__(self, *, lead: int = 0) -> None:
        self.lead = lead
        self.version = 0  # of the plan in force
        self._newest: list[Stage] = []
        self._coming: deque[tuple[int, list[Stage]]] = deque()
        self._stages: list[Stage] = []
        self._left: list[float] = []

    def follow(self, plan: Sequence[Stage], step: int) -> None:
        """Take note of what the policy gives after so many steps, and place what takes effect now."""
        if not _same(plan, self._newest):
            effect = step + self.lead if self._newest else step
            self._newest = list(plan)
            self._coming.append((effect, self._newest))
        while self._coming and self._coming[0][0] <= step:
            self._stages = self._coming.popleft()[1]
            self._left = [float("inf") if stage.steps is None else stage.steps for stage in self._stages]
            self.version += 1

    def train(self, step: int, most: int) -> tuple[FloatArray, int]:
        """(d,) weights in force, and for how many steps, `most` at the most; these steps are then over."""
        now = next(number for number, left in enumerate(self._left) if left > 0)
        until = self._coming[0][0] - step if self._coming else most
        steps = int(min(most, until, self._left[now]))
        self._left[now] -= steps
        return self._stages[now].weights, steps

    @property
    def stages_done(self) -> int | None:
        """Stages of the newest plan that are over; None while it has no effect yet."""
        return None if self._coming else sum(left == 0 for left in self._left)


class Drive:
    """A policy with its state, driven as a service would: feedbacks in order, expensive steps when due."""

    def __init__(self, policy: AnyPolicy, state: Any) -> None:
        self.policy, self.state = policy, state
        # Of a long past no more is kept than a history holds.
        self._past: list[tuple[int, FloatArray, Any]] = []

    @property
    def plan(self) -> list[Stage]:
        """What the trainer should follow."""
        return list(self.policy.stages(self.state))

    def tell(self, feedback: Feedback) -> None:
        """One feedback, and the expensive step if it is due then."""
        self.state = self.policy.update(self.state, feedback)
        if not isinstance(self.policy, ExpensivePolicy):
            return
        self._past.append((feedback.step, feedback.loss_sums, feedback.token_counts))
        request = self.policy.due(self.state)
        if request is None:
            return
        try:
            result = self.policy.compute(request, self._history(request))
        except FitError:
            result = {}
        self.state = self.policy.absorb(self.state, json.loads(json.dumps(result)))

    def _history(self, request: HistoryRequest) -> History:
        rows = [row for row in self._past if request.step_from <= row[0] <= request.step_to]
        steps, sums, counts = (np.array(column) for column in zip(*rows, strict=True))
        return History(steps, sums, counts)


def _same(left: Sequence[Stage], right: Sequence[Stage]) -> bool:
    return len(left) == len(right) and all(
        one.steps == other.steps and bool(np.all(np.abs(one.weights - other.weights) <= SAME))
        for one, other in zip(left, right, strict=True)
    )
