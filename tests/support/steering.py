"""A trainer that follows a policy's plan and reports random numbers, and what drives a policy beside it."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from mixlaws.domains import DomainSet
from mixlaws.errors import FitError
from mixlaws.feedback import Evaluation, Feedback, TokenSums
from mixlaws.policies.guards import Guards
from mixlaws.policy import AnyPolicy, ExpensivePolicy, History, HistoryRequest, Stage
from mixlaws.registry import POLICIES

NOT_NUMBERS = (np.nan, np.inf, -np.inf)


def example(name: str, domains: DomainSet, *, updates: int = 0) -> AnyPolicy:
    """A policy with its defaults, with what has none, and with few fits in that many updates."""
    needed: dict[str, dict[str, Any]] = {
        "ado": {"fit_every": max(4000, updates // 5), "ignore_steps": 200},
        "unimax": {"budget_tokens": 2 * sum(domains.tokens)},
        "velocitune": {"target_losses": dict.fromkeys(domains.names, 1.0)},
    }
    return POLICIES[name](**needed.get(name, {}))


class Trainer:
    """Reports random measurements of every kind, some of them absent or not finite.

    Args:
        d: number of domains.
        seed: of everything that is random.
        pace: steps of a feedback; less where a stage ends.
        broken: how often a number is not finite.
    """

    def __init__(self, d: int, *, seed: int, pace: int = 1, broken: float = 0.001) -> None:
        self.d, self.pace, self.broken = d, pace, broken
        self.rng = np.random.default_rng(seed)
        self.step = 0
        self.plan: list[Stage] = []
        self.left: list[float] = []
        self.version = 0

    def report(self, plan: list[Stage], guards: Guards) -> Feedback:
        """Train some steps of a plan, from its start if it is new, and tell what was measured."""
        if not _same(plan, self.plan):
            self.plan, self.version = list(plan), self.version + 1
            self.left = [float("inf") if stage.steps is None else stage.steps for stage in plan]
        now = next(number for number, steps in enumerate(self.left) if steps > 0)
        steps = int(min(self.pace, self.left[now]))
        self.left[now] -= steps
        self.step += steps
        done = sum(left == 0 for left in self.left)
        counts = self.rng.integers(0, 3, self.d) * 512
        evaluates = self.left[now] == 0 or self.rng.random() < 0.1
        evaluation = (
            Evaluation(*self._sums(np.full(self.d, 2048)), self.step, "held-out") if evaluates else None
        )
        excess, clipped = self._sums(counts), self._sums(counts)
        sums, _ = self._sums(counts)
        return guards.admit(
            Feedback(
                self.step,
                sums,
                counts,
                guards.limit(plan[now].weights),
                steps=steps,
                version=self.version,
                stages_done=done,
                loss_squares=sums**2,
                sequence_counts=counts // 256,
                excess=TokenSums(excess[0] - 4.0 * counts, counts),
                excess_clipped=TokenSums(*clipped),
                evaluation=evaluation,
            )
        )

    def _sums(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses = 2.5 + self.rng.random(self.d) + 3 / np.sqrt(self.step)
        wrong = self.rng.random(self.d) < self.broken
        return np.where(wrong, self.rng.choice(NOT_NUMBERS, self.d), losses * counts), counts


class Drive:
    """A policy with its state, driven as a service would: feedbacks in order, expensive steps when due."""

    def __init__(self, policy: AnyPolicy, state: Any) -> None:
        self.policy, self.state = policy, state
        # Of a long past no more is kept than a history holds.
        self._past: list[tuple[int, np.ndarray, np.ndarray]] = []

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


def followed(drive: Drive, trainer: Trainer, count: int) -> Iterator[Feedback]:
    """Feedbacks of a trainer that follows a policy, each before the policy is told of it."""
    guards = Guards(floor=0.001)
    for _ in range(count):
        feedback = trainer.report(drive.plan, guards)
        yield feedback
        drive.tell(feedback)


def _same(left: list[Stage], right: list[Stage]) -> bool:
    return len(left) == len(right) and all(
        one.steps == other.steps and np.array_equal(one.weights, other.weights)
        for one, other in zip(left, right, strict=True)
    )


def permuted(feedback: Feedback, order: np.ndarray) -> Feedback:
    """The same feedback with domains in another order."""
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(feedback):
        value = getattr(feedback, field.name)
        if isinstance(value, TokenSums):
            changed[field.name] = dataclasses.replace(
                value, sums=value.sums[order], counts=value.counts[order]
            )
        elif isinstance(value, np.ndarray):
            changed[field.name] = value[order]
    return dataclasses.replace(feedback, **changed)
