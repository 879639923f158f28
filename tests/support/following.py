"""A trainer that follows what a steering publishes, step by step, and reports what it drew."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mixlaws.arrays import BoolArray, FloatArray
from mixlaws.feedback import Evaluation, Feedback
from mixlaws.steering.publishing import PublishedStage
from mixlaws.steering.state import SteeringState
from mixlaws.steering.steering import Steering

TOKENS = 1000  # of a step
Losses = Callable[[FloatArray], FloatArray]


class Follower:
    """A trainer without a service in between.

    Args:
        steering: what steers it.
        losses: (d,) losses after so many tokens (d,).
        every: steps of a report; one is made too where a stage ends.
    """

    def __init__(self, steering: Steering, losses: Losses, *, every: int = 10) -> None:
        self.steering, self.losses, self.every = steering, losses, every
        self.stages: list[PublishedStage] = []
        self.step = 0
        self.drawn = np.zeros(len(steering.problem.domains))
        self.followed: list[FloatArray] = []
        self.publications = 0
        self.state = steering.init()
        self.publish(0)

    def publish(self, effective: int) -> None:
        """Hear of what is published, from a step on."""
        self.state, publication = self.steering.publish(self.state, effective)
        if publication is None:
            return
        self.publications += 1
        assert publication.stages[0].effective_step >= publication.effective_step
        kept = [stage for stage in self.stages if stage.effective_step < publication.effective_step]
        self.stages = [*kept, *publication.stages]

    def weights(self, step: int) -> FloatArray:
        """(d,) what holds at a step."""
        return next(stage.weights for stage in reversed(self.stages) if stage.effective_step <= step)

    def train(self, steps: int, *, non_finite: BoolArray | None = None) -> None:
        """Train, report, hear."""
        end = self.step + steps
        while self.step < end:
            first, weights = self.step, self.weights(self.step)
            tokens = np.zeros(len(weights))
            while self.step < end and np.array_equal(self.weights(self.step), weights):
                tokens += weights * TOKENS
                self.followed.append(weights)
                self.step += 1
                if self.step % self.every == 0:
                    break
            self.drawn += tokens
            self._report(first, weights, tokens, non_finite)

    def _report(
        self, first: int, weights: FloatArray, tokens: FloatArray, non_finite: BoolArray | None
    ) -> None:
        counts = np.round(tokens).astype(np.int64)
        losses = self.losses(self.drawn)
        everywhere = np.full(len(counts), TOKENS)
        told = Feedback(
            self.step, losses * counts, counts, weights, steps=self.step - first,
            evaluation=Evaluation(losses * everywhere, everywhere, self.step, "held-out"),
        )  # fmt: skip
        broken = np.zeros(len(counts), dtype=bool) if non_finite is None else non_finite
        told = replace(told, token_counts=np.where(broken, 0, counts))
        self.state = self.steering.learn(self.state, told, non_finite=broken, drawn=counts)
        self.publish(self.step - 1 + self.steering.lead)


def reloaded(steering: Steering, state: SteeringState) -> SteeringState:
    """The state after a way through its dump."""
    return steering.load(steering.dump(state))
